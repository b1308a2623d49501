package roots

import "strings"

// SystemPaths says where the system keeps its roots, as crypto/x509 looks for
// them on Linux (root_linux.go and root_unix.go of Go's standard library): the
// first of the files that can be read counts, and every one of the directories.
// certFile and certDir are the values of SSL_CERT_FILE and SSL_CERT_DIR, which
// replace the files and the directories; empty ones do not.
//
// A directory holds most certificates twice, under a name and under links that
// are named by a hash.
func SystemPaths(certFile, certDir string) (files, directories []string) {
	files = []string{
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Gentoo, Arch
		"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora
		"/etc/ssl/ca-bundle.pem",                            // openSUSE
		"/etc/pki/tls/cacert.pem",                           // OpenELEC
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Red Hat, CentOS
		"/etc/ssl/cert.pem",                                 // Alpine
	}
	directories = []string{"/etc/ssl/certs", "/etc/pki/tls/certs"}
	if certFile != "" {
		files = []string{certFile}
	}
	if certDir != "" {
		directories = strings.FieldsFunc(certDir, func(r rune) bool { return r == ':' })
	}
	return files, directories
}
