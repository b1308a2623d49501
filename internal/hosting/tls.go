package hosting

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"sync/atomic"
)

// A KeyPair is a certificate and its key in files, in PEM, which may be replaced
// while they are used.
type KeyPair struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

// LoadKeyPair reads the files.
func LoadKeyPair(certFile, keyFile string) (*KeyPair, error) {
	k := &KeyPair{certFile: certFile, keyFile: keyFile}
	if err := k.reload(); err != nil {
		return nil, err
	}
	return k, nil
}

// reload reads the files again. Where they cannot be used, or do not fit together,
// the ones before stay in use.
func (k *KeyPair) reload() error {
	if k == nil {
		return nil
	}
	c, err := readKeyPair(k.certFile, k.keyFile)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", k.certFile, k.keyFile, err)
	}
	k.current.Store(&c)
	return nil
}

// readKeyPair is tls.LoadX509KeyPair for regular files: anything else could keep it waiting.
func readKeyPair(certFile, keyFile string) (tls.Certificate, error) {
	cert, _, err := readFile(certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, _, err := readFile(keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}

func (k *KeyPair) directories() []string {
	if k == nil {
		return nil
	}
	return []string{filepath.Dir(k.certFile), filepath.Dir(k.keyFile)}
}

func (k *KeyPair) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.current.Load(), nil },
	}
}
