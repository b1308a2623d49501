package device

import (
	"cmp"
	"time"

	"trustpool/internal/pool"
)

// BuiltIn returns the pool of a device fresh from the factory: what its software
// has built in, as far as that is known.
//
//   - iosxr: the four of field notice FN72290, which shows releases 6 and 7. It
//     gives SHA-1 fingerprints, so they are matched by those.
//   - iosxe: the seventeen of the newest public capture, of March 2026. Captures
//     until November 2025 have sixteen: TRS Bundle Root CA is the difference, as its
//     Source says. The newest is the default because the platform's anchors
//     include that root, under which a device can only verify if it is built in.
//   - any other: not known, so the pool is empty, and Import notes it.
func (p Platform) BuiltIn() *pool.Pool {
	out := &pool.Pool{Platform: p.Name}
	for _, r := range builtIn()[p.Name] {
		e := pool.Entry{
			Origin: pool.BuiltIn, Source: r.source, Serial: r.serial, Subject: r.subject, Issuer: cmp.Or(r.issuer, r.subject),
			SHA256: r.sha256, SHA1: r.sha1,
		}
		e.NotBefore, _ = time.Parse(time.RFC3339, r.notBefore) // a test holds all of them to be such dates
		e.NotAfter, _ = time.Parse(time.RFC3339, r.notAfter)
		out.Entries = append(out.Entries, e)
	}
	return out
}

// Where the facts of IOS XE's pool come from. No capture shows fingerprints.
const (
	xeCapture = "public captures of show crypto pki trustpool; no public certificate with this issuer and serial was found"
	xeBundle  = "public captures of show crypto pki trustpool; fingerprints of the certificate with this issuer and serial in Cisco's bundles"
	xePublic  = "public captures of show crypto pki trustpool; fingerprints of a public certificate with this issuer and serial and a good signature"
	xeTRS     = "only the capture of March 2026 of show crypto pki trustpool; fingerprint as Cisco's published code pins it"
)

// A builtInRow is a certificate of builtIn, in lower-case hex and RFC 3339. An empty
// issuer is the subject.
type builtInRow struct{ source, serial, subject, issuer, notBefore, notAfter, sha256, sha1 string }

// builtIn lists the certificates of a platform in the order of the captures, or of the
// field notice.
func builtIn() map[string][]builtInRow {
	return map[string][]builtInRow{
		"iosxe": {
			{xeCapture, "04302A0B364CE2DA93", "CN=Cisco Manufacturing CA III,O=Cisco", "CN=Cisco Basic Assurance Root CA 2099,O=Cisco", "2017-07-05T19:28:06Z", "2099-05-26T19:19:28Z", "", ""},
			{xeBundle, "01A65AF15EE994EBE1", "CN=Cisco Basic Assurance Root CA 2099,O=Cisco", "", "2017-05-26T19:19:29Z", "2099-05-26T19:19:29Z", "d649c40830aab9869f2536ff933c4050746659b31dfa735405e4f7ad447c20d5", "2ca669d0b27908f729c910c623178e9814359bc9"},
			{xePublic, "0A6475524CD8617C62", "O=Cisco,CN=High Assurance SUDI CA", "CN=Cisco Root CA 2099,O=Cisco", "2016-08-11T20:28:08Z", "2099-08-09T20:58:27Z", "addb9f882c9931eb35aad51f08ebfc5030652c19a10129c0d6173ed8be704c2a", "f81d5550d67dcd1dd11192b57f8fde09a4a569b7"},
			{xeBundle, "019A335878CE16C1C1", "CN=Cisco Root CA 2099,O=Cisco", "", "2016-08-09T20:58:28Z", "2099-08-09T20:58:28Z", "e7e12793643f18bee5b8e53ab5803bb3d59d8e63d14ce6346c004b0dfa34fecc", "ac1ede2e1c970fed3ee85f8c3acfe2bac04a1376"},
			{xeBundle, "0A0142800000014523C844B500000002", "CN=IdenTrust Commercial Root CA 1,O=IdenTrust,C=US", "", "2014-01-16T18:12:23Z", "2034-01-16T18:12:23Z", "5d56499be4d2e08bcfcad08a3e38723d50503bde706948e42f55603019e528ae", "df717eaa4ad94ec9558499602d48de5fbcf03a25"},
			{xeBundle, "0509", "CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM", "", "2006-11-24T18:27:00Z", "2031-11-24T18:23:33Z", "85a0dd7dd720adb7ff05f83d542b209dc7ff4528f7d677b18389fea5e5c49e86", "ca3afbcf1240364b44b216208880483919937cf7"},
			{xeBundle, "18DAD19E267DE8BB4A2158CDCC6B3B4A", `CN=VeriSign Class 3 Public Primary Certification Authority - G5,OU=(c) 2006 VeriSign\, Inc. - For authorized use only,OU=VeriSign Trust Network,O=VeriSign\, Inc.,C=US`, "", "2006-11-08T00:00:00Z", "2036-07-16T23:59:59Z", "9acfab7e43c8d880d06b262a94deeee4b4659989c3d0caf19baf6405e41ab7df", "4eb6d578499b1ccf5f581ead56be3d9b6744a5e5"},
			{xeBundle, "01", "CN=Cisco RXC-R2,O=Cisco Systems,C=US", "", "2014-07-09T21:46:56Z", "2034-07-09T21:46:56Z", "229ccc196d32c98421cc119e78486eebef603aecd525c6b88b47abb740692b96", "2c8affce966430ba04c04f81dd4b49c71b5b81a0"},
			{xeBundle, "61096E7D00000000000C", "CN=ACT2 SUDI CA,O=Cisco", "CN=Cisco Root CA 2048,O=Cisco Systems", "2011-06-30T17:56:57Z", "2029-05-14T20:25:42Z", "65fab04aef298be3b942e60e1a9417b9c0c6a18ee045f2d1114d5567426583fb", "f6969bbd48e5f6125b934d01e71fe9c27c6f547e"},
			{xeBundle, "01", "CN=Cisco Licensing Root CA,O=Cisco", "", "2013-05-30T19:48:47Z", "2038-05-30T19:48:47Z", "f1b52392c4a4ec2a8709b1308304a911ffcec2ce0b63a94fbe969164567c4925", "5ca95fb6e2980ec15afb681bbb7e62b5ad3fa8b8"},
			{xeCapture, "01", "CN=Licensing Root - DEV,O=Cisco", "", "2013-04-24T21:55:43Z", "2033-04-24T21:55:43Z", "", ""},
			{xePublic, "02", "CN=Cisco Manufacturing CA SHA2,O=Cisco", "CN=Cisco Root CA M2,O=Cisco", "2012-11-12T13:50:58Z", "2037-11-12T13:00:17Z", "95a0e58a998e802ac77ad529b9add8e5b40cf90af39a856db514a36346501ec5", "90b2e06b7ad5daffcfd431872909f38137471bf8"},
			{xeBundle, "01", "CN=Cisco Root CA M2,O=Cisco", "", "2012-11-12T13:00:18Z", "2037-11-12T13:00:18Z", "cd85167b3935e27bcc3b0f5fa24c8457882d0bb994f88269a7f72829d957eae9", "933d633a4e840da4c28e895d900fd3118886f7a3"},
			{xeBundle, "6A6967B3000000000003", "CN=Cisco Manufacturing CA,O=Cisco Systems", "CN=Cisco Root CA 2048,O=Cisco Systems", "2005-06-10T22:16:01Z", "2029-05-14T20:25:42Z", "c74d4b4a14519dd065191d96845e8d4ec851436bc559c4a45e24ca5c7c01fcd3", "e3e783d3cc9c30aedeffcdeb5ecfee08ff8f1684"},
			{xeBundle, "5FF87B282B54DC8D42A315B568C9ADFF", "CN=Cisco Root CA 2048,O=Cisco Systems", "", "2004-05-14T20:17:12Z", "2029-05-14T20:25:42Z", "8327bc8c9d69947b3de3c27511537267f59c21b9fa7b613fafbccd53b7024000", "de990ced99e0431f60edc3937e7cd5bf0ed9e5fa"},
			{xeBundle, "2ED20E7347D333834B4FDD0DD7B6967E", "CN=Cisco Root CA M1,O=Cisco", "", "2008-11-18T21:50:24Z", "2033-11-18T21:59:46Z", "705eaafc3ff488030017d59832603eefad514171b583808675f45c190e6378f8", "45ad6bb499011bb4e84e84316a81c27d89ee5ce7"},
			{xeTRS, "0B1D839976B135A6A1", "CN=TRS Bundle Root CA,O=Cisco", "", "2023-11-29T17:11:50Z", "2099-11-29T17:11:50Z", "dec669e322e07cd7c60a56904bf50c29fa1e75071723fc103577e27b226968d5", ""},
		},
		"iosxr": {
			{SourceXR, "5FF87B282B54DC8D42A315B568C9ADFF", "CN=Cisco Root CA 2048,O=Cisco Systems", "", "2004-05-14T20:17:12Z", "2029-05-14T20:25:42Z", "", "de990ced99e0431f60edc3937e7cd5bf0ed9e5fa"},
			{SourceXR, "2ED20E7347D333834B4FDD0DD7B6967E", "CN=Cisco Root CA M1,O=Cisco", "", "2008-11-18T21:50:24Z", "2033-11-18T21:59:46Z", "", "45ad6bb499011bb4e84e84316a81c27d89ee5ce7"},
			{SourceXR, "3C9131CB1FF6D01B0E9AB8D044BF12BE", `OU=Class 3 Public Primary Certification Authority,O=VeriSign\, Inc.,C=US`, "", "1996-01-29T00:00:00Z", "2028-08-02T23:59:59Z", "", "a1db6393916f17e4185509400415c70240b0ae6b"},
			{SourceXR, "0509", "CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM", "", "2006-11-24T18:27:00Z", "2031-11-24T18:23:33Z", "", "ca3afbcf1240364b44b216208880483919937cf7"},
		},
	}
}
