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

// reload reads the files again. If they cannot be used, or do not fit together,
// the ones before stay in use.
func (k *KeyPair) reload() error {
	if k == nil {
		return nil
	}
	cert, _, err := readFile(k.certFile) // a regular file: anything else could keep it waiting
	var key []byte
	if err == nil {
		key, _, err = readFile(k.keyFile)
	}
	var c tls.Certificate
	if err == nil {
		c, err = tls.X509KeyPair(cert, key)
	}
	if err != nil {
		return fmt.Errorf("%s, %s: %w", k.certFile, k.keyFile, err)
	}
	k.current.Store(&c)
	return nil
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
