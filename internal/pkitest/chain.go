package pkitest

import (
	"bytes"
	"crypto/elliptic"
	"fmt"
	"net/netip"
)

// AlternativeNames is the extension with DNS names and addresses.
func AlternativeNames(hosts ...string) Extension {
	var names [][]byte
	for _, host := range hosts {
		name := DNSName(host)
		if ip, err := netip.ParseAddr(host); err == nil {
			name = IPName(ip.Unmap().AsSlice())
		}
		names = append(names, name)
	}
	return GeneralNames(names...)
}

// DNSConstraints is the critical extension that permits and excludes DNS names.
func DNSConstraints(permitted, excluded []string) Extension {
	names := func(hosts []string) (out [][]byte) {
		for _, host := range hosts {
			out = append(out, DNSName(host))
		}
		return out
	}
	return Constraints(names(permitted), names(excluded))
}

// ServerTemplate is a TLS server's certificate for a host, of 2024 to 2034, with a P-256 key that follows from the host.
func ServerTemplate(host string) Template {
	return Template{
		Subject: NewName("O=Trustpool Lab", "CN="+host), Key: ECDSA("server-"+host, elliptic.P256()),
		NotBefore: Date(2024, 1, 1), NotAfter: Date(2034, 1, 1),
		Extensions: []Extension{BasicConstraints(false, -1), KeyUsage(DigitalSignature), ExtKeyUsage(ServerAuth), AlternativeNames(host)},
	}
}

// A LabServer is a host and the chain that it sends.
type LabServer struct {
	Host  string
	Chain [][]byte // its own certificate first, without the root
}

// LabServers returns the servers of chains/lab-servers.txt.
func LabServers() []LabServer {
	server := func(host string, issuers ...*Authority) LabServer {
		s := LabServer{host, [][]byte{ServerTemplate(host).Sign(issuers[0])}}
		for _, i := range issuers {
			if i.Parent != nil || len(issuers) > 1 {
				s.Chain = append(s.Chain, i.DER)
			}
		}
		return s
	}
	sha1Root := RootTemplate(NewName("O=Quirk Lab", "CN=Quirk sha1-signature"), RSA("sha1-self")).SignedWith(SHA1WithRSA).Issue(nil)
	odd := RootTemplate(NewName("O=Quirk Lab", "CN=Quirk negative-serial"), ECDSA("quirk-negative-serial", elliptic.P256()))
	return []LabServer{
		server("lab.example", Lab().Intermediate),
		server("elm.example", poolRoot("Elm", RSA("elm")).Issue(nil)),
		server("fir.example", fir().Issue(nil)),
		server("gorse.example", gorse().Issue(nil)),
		server("hazel.example", poolRoot("Hazel", RSA("hazel")).Issue(nil)),
		server("other.example", Lab().OtherRoot, Lab().OtherRoot),
		server("sha1-root.example", IntermediateTemplate(NewName("O=Quirk Lab", "CN=Quirk SHA-256 Intermediate CA"),
			ECDSA("quirk-sha256-intermediate", elliptic.P256())).Issue(sha1Root)),
		server("odd-root.example", odd.Issue(nil)),
	}
}

// Capture returns chains as `openssl s_client -showcerts` prints them, each below the command line.
func Capture(servers ...LabServer) []byte {
	var out bytes.Buffer
	for _, s := range servers {
		fmt.Fprintf(&out, "$ openssl s_client -connect %s:443 -servername %s -showcerts </dev/null\nCONNECTED(00000003)\n---\nCertificate chain\n", s.Host, s.Host)
		for i, der := range s.Chain {
			fmt.Fprintf(&out, " %d s:\n   i:\n", i)
			out.Write(CertificatePEM(der))
		}
		out.WriteString("---\nServer certificate\nsubject=\nissuer=\n---\nNo client certificate CA names sent\n---\nVerify return code: 20 (unable to get local issuer certificate)\n---\nDONE\n")
	}
	return out.Bytes()
}
