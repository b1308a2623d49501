package device

import (
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
	var entries []pool.Entry
	switch p.Name {
	case "iosxe":
		entries = builtInIOSXE()
	case "iosxr":
		entries = builtInIOSXR()
	}
	for i := range entries {
		e := &entries[i]
		e.Origin = pool.BuiltIn
		if e.Issuer == "" {
			e.Issuer = e.Subject
		}
	}
	return &pool.Pool{Platform: p.Name, Entries: entries}
}

// Where the facts of IOS XE's pool come from. No capture shows fingerprints.
const (
	xeCapture = "public captures of show crypto pki trustpool; no public certificate with this issuer and serial was found"
	xeBundle  = "public captures of show crypto pki trustpool; fingerprints of the certificate with this issuer and serial in Cisco's bundles"
	xePublic  = "public captures of show crypto pki trustpool; fingerprints of a public certificate with this issuer and serial and a good signature"
	xeTRS     = "only the capture of March 2026 of show crypto pki trustpool; fingerprint as Cisco's published code pins it"
)

// builtInIOSXE lists the certificates in the order of the captures. An absent
// Issuer is the Subject.
func builtInIOSXE() []pool.Entry {
	return []pool.Entry{
		{
			Source: xeCapture, Serial: "04302A0B364CE2DA93",
			Subject: `CN=Cisco Manufacturing CA III,O=Cisco`, Issuer: `CN=Cisco Basic Assurance Root CA 2099,O=Cisco`,
			NotBefore: utc("2017-07-05T19:28:06Z"), NotAfter: utc("2099-05-26T19:19:28Z"),
		},
		{
			Source: xeBundle, Serial: "01A65AF15EE994EBE1",
			Subject:   `CN=Cisco Basic Assurance Root CA 2099,O=Cisco`,
			NotBefore: utc("2017-05-26T19:19:29Z"), NotAfter: utc("2099-05-26T19:19:29Z"),
			SHA256: "d649c40830aab9869f2536ff933c4050746659b31dfa735405e4f7ad447c20d5",
			SHA1:   "2ca669d0b27908f729c910c623178e9814359bc9",
		},
		{
			Source: xePublic, Serial: "0A6475524CD8617C62",
			Subject: `O=Cisco,CN=High Assurance SUDI CA`, Issuer: `CN=Cisco Root CA 2099,O=Cisco`,
			NotBefore: utc("2016-08-11T20:28:08Z"), NotAfter: utc("2099-08-09T20:58:27Z"),
			SHA256: "addb9f882c9931eb35aad51f08ebfc5030652c19a10129c0d6173ed8be704c2a",
			SHA1:   "f81d5550d67dcd1dd11192b57f8fde09a4a569b7",
		},
		{
			Source: xeBundle, Serial: "019A335878CE16C1C1",
			Subject:   `CN=Cisco Root CA 2099,O=Cisco`,
			NotBefore: utc("2016-08-09T20:58:28Z"), NotAfter: utc("2099-08-09T20:58:28Z"),
			SHA256: "e7e12793643f18bee5b8e53ab5803bb3d59d8e63d14ce6346c004b0dfa34fecc",
			SHA1:   "ac1ede2e1c970fed3ee85f8c3acfe2bac04a1376",
		},
		{
			Source: xeBundle, Serial: "0A0142800000014523C844B500000002",
			Subject:   `CN=IdenTrust Commercial Root CA 1,O=IdenTrust,C=US`,
			NotBefore: utc("2014-01-16T18:12:23Z"), NotAfter: utc("2034-01-16T18:12:23Z"),
			SHA256: "5d56499be4d2e08bcfcad08a3e38723d50503bde706948e42f55603019e528ae",
			SHA1:   "df717eaa4ad94ec9558499602d48de5fbcf03a25",
		},
		{
			Source: xeBundle, Serial: "0509",
			Subject:   `CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM`,
			NotBefore: utc("2006-11-24T18:27:00Z"), NotAfter: utc("2031-11-24T18:23:33Z"),
			SHA256: "85a0dd7dd720adb7ff05f83d542b209dc7ff4528f7d677b18389fea5e5c49e86",
			SHA1:   "ca3afbcf1240364b44b216208880483919937cf7",
		},
		{
			Source: xeBundle, Serial: "18DAD19E267DE8BB4A2158CDCC6B3B4A",
			Subject:   `CN=VeriSign Class 3 Public Primary Certification Authority - G5,OU=(c) 2006 VeriSign\, Inc. - For authorized use only,OU=VeriSign Trust Network,O=VeriSign\, Inc.,C=US`,
			NotBefore: utc("2006-11-08T00:00:00Z"), NotAfter: utc("2036-07-16T23:59:59Z"),
			SHA256: "9acfab7e43c8d880d06b262a94deeee4b4659989c3d0caf19baf6405e41ab7df",
			SHA1:   "4eb6d578499b1ccf5f581ead56be3d9b6744a5e5",
		},
		{
			Source: xeBundle, Serial: "01",
			Subject:   `CN=Cisco RXC-R2,O=Cisco Systems,C=US`,
			NotBefore: utc("2014-07-09T21:46:56Z"), NotAfter: utc("2034-07-09T21:46:56Z"),
			SHA256: "229ccc196d32c98421cc119e78486eebef603aecd525c6b88b47abb740692b96",
			SHA1:   "2c8affce966430ba04c04f81dd4b49c71b5b81a0",
		},
		{
			Source: xeBundle, Serial: "61096E7D00000000000C",
			Subject: `CN=ACT2 SUDI CA,O=Cisco`, Issuer: `CN=Cisco Root CA 2048,O=Cisco Systems`,
			NotBefore: utc("2011-06-30T17:56:57Z"), NotAfter: utc("2029-05-14T20:25:42Z"),
			SHA256: "65fab04aef298be3b942e60e1a9417b9c0c6a18ee045f2d1114d5567426583fb",
			SHA1:   "f6969bbd48e5f6125b934d01e71fe9c27c6f547e",
		},
		{
			Source: xeBundle, Serial: "01",
			Subject:   `CN=Cisco Licensing Root CA,O=Cisco`,
			NotBefore: utc("2013-05-30T19:48:47Z"), NotAfter: utc("2038-05-30T19:48:47Z"),
			SHA256: "f1b52392c4a4ec2a8709b1308304a911ffcec2ce0b63a94fbe969164567c4925",
			SHA1:   "5ca95fb6e2980ec15afb681bbb7e62b5ad3fa8b8",
		},
		{
			Source: xeCapture, Serial: "01",
			Subject:   `CN=Licensing Root - DEV,O=Cisco`,
			NotBefore: utc("2013-04-24T21:55:43Z"), NotAfter: utc("2033-04-24T21:55:43Z"),
		},
		{
			Source: xePublic, Serial: "02",
			Subject: `CN=Cisco Manufacturing CA SHA2,O=Cisco`, Issuer: `CN=Cisco Root CA M2,O=Cisco`,
			NotBefore: utc("2012-11-12T13:50:58Z"), NotAfter: utc("2037-11-12T13:00:17Z"),
			SHA256: "95a0e58a998e802ac77ad529b9add8e5b40cf90af39a856db514a36346501ec5",
			SHA1:   "90b2e06b7ad5daffcfd431872909f38137471bf8",
		},
		{
			Source: xeBundle, Serial: "01",
			Subject:   `CN=Cisco Root CA M2,O=Cisco`,
			NotBefore: utc("2012-11-12T13:00:18Z"), NotAfter: utc("2037-11-12T13:00:18Z"),
			SHA256: "cd85167b3935e27bcc3b0f5fa24c8457882d0bb994f88269a7f72829d957eae9",
			SHA1:   "933d633a4e840da4c28e895d900fd3118886f7a3",
		},
		{
			Source: xeBundle, Serial: "6A6967B3000000000003",
			Subject: `CN=Cisco Manufacturing CA,O=Cisco Systems`, Issuer: `CN=Cisco Root CA 2048,O=Cisco Systems`,
			NotBefore: utc("2005-06-10T22:16:01Z"), NotAfter: utc("2029-05-14T20:25:42Z"),
			SHA256: "c74d4b4a14519dd065191d96845e8d4ec851436bc559c4a45e24ca5c7c01fcd3",
			SHA1:   "e3e783d3cc9c30aedeffcdeb5ecfee08ff8f1684",
		},
		{
			Source: xeBundle, Serial: "5FF87B282B54DC8D42A315B568C9ADFF",
			Subject:   `CN=Cisco Root CA 2048,O=Cisco Systems`,
			NotBefore: utc("2004-05-14T20:17:12Z"), NotAfter: utc("2029-05-14T20:25:42Z"),
			SHA256: "8327bc8c9d69947b3de3c27511537267f59c21b9fa7b613fafbccd53b7024000",
			SHA1:   "de990ced99e0431f60edc3937e7cd5bf0ed9e5fa",
		},
		{
			Source: xeBundle, Serial: "2ED20E7347D333834B4FDD0DD7B6967E",
			Subject:   `CN=Cisco Root CA M1,O=Cisco`,
			NotBefore: utc("2008-11-18T21:50:24Z"), NotAfter: utc("2033-11-18T21:59:46Z"),
			SHA256: "705eaafc3ff488030017d59832603eefad514171b583808675f45c190e6378f8",
			SHA1:   "45ad6bb499011bb4e84e84316a81c27d89ee5ce7",
		},
		{
			Source: xeTRS, Serial: "0B1D839976B135A6A1",
			Subject:   `CN=TRS Bundle Root CA,O=Cisco`,
			NotBefore: utc("2023-11-29T17:11:50Z"), NotAfter: utc("2099-11-29T17:11:50Z"),
			SHA256: "dec669e322e07cd7c60a56904bf50c29fa1e75071723fc103577e27b226968d5",
		},
	}
}

// builtInIOSXR lists the certificates in the order of the field notice. An absent
// Issuer is the Subject.
func builtInIOSXR() []pool.Entry {
	return []pool.Entry{
		{
			Source: sourceXR, Serial: "5FF87B282B54DC8D42A315B568C9ADFF",
			Subject:   `CN=Cisco Root CA 2048,O=Cisco Systems`,
			NotBefore: utc("2004-05-14T20:17:12Z"), NotAfter: utc("2029-05-14T20:25:42Z"),
			SHA1: "de990ced99e0431f60edc3937e7cd5bf0ed9e5fa",
		},
		{
			Source: sourceXR, Serial: "2ED20E7347D333834B4FDD0DD7B6967E",
			Subject:   `CN=Cisco Root CA M1,O=Cisco`,
			NotBefore: utc("2008-11-18T21:50:24Z"), NotAfter: utc("2033-11-18T21:59:46Z"),
			SHA1: "45ad6bb499011bb4e84e84316a81c27d89ee5ce7",
		},
		{
			Source: sourceXR, Serial: "3C9131CB1FF6D01B0E9AB8D044BF12BE",
			Subject:   `OU=Class 3 Public Primary Certification Authority,O=VeriSign\, Inc.,C=US`,
			NotBefore: utc("1996-01-29T00:00:00Z"), NotAfter: utc("2028-08-02T23:59:59Z"),
			SHA1: "a1db6393916f17e4185509400415c70240b0ae6b",
		},
		{
			Source: sourceXR, Serial: "0509",
			Subject:   `CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM`,
			NotBefore: utc("2006-11-24T18:27:00Z"), NotAfter: utc("2031-11-24T18:23:33Z"),
			SHA1: "ca3afbcf1240364b44b216208880483919937cf7",
		},
	}
}

// utc reads a date of the tables above, which a test holds to be RFC 3339.
func utc(s string) time.Time {
	t, _ := time.Parse(time.RFC3339, s)
	return t
}
