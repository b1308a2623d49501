package collect

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

const defaultPort = 22

// Builtin connects without an ssh program, as golang.org/x/crypto/ssh does: no
// configuration, no jump hosts. Make it with [NewBuiltin].
type Builtin struct {
	known    ssh.HostKeyCallback
	methods  []ssh.AuthMethod
	user     string
	password bool
}

// BuiltinOptions say how to connect without an ssh program.
type BuiltinOptions struct {
	KnownHosts []string // files of known hosts; there must be one
	Identities []string // files of private keys; those that need a passphrase are an error
	Defaults   []string // more of them; one that is missing, or that needs a passphrase, is passed over
	Agent      string   // the socket of an ssh-agent; empty for none
	User       string   // who logs in if the inventory does not say
	Password   []byte
}

// NewBuiltin reads the files.
func NewBuiltin(o BuiltinOptions) (*Builtin, error) {
	b := &Builtin{user: o.User, password: len(o.Password) > 0}
	var err error
	if b.known, err = knownhosts.New(o.KnownHosts...); err != nil {
		return nil, fmt.Errorf("known hosts: %w", err)
	}
	var signers []ssh.Signer
	for _, file := range o.Identities {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		signer, err := ssh.ParsePrivateKey(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		signers = append(signers, signer)
	}
	for _, file := range o.Defaults {
		if text, err := os.ReadFile(file); err == nil {
			if signer, err := ssh.ParsePrivateKey(text); err == nil {
				signers = append(signers, signer)
			}
		}
	}
	b.methods = append(b.methods, ssh.PublicKeysCallback(func() ([]ssh.Signer, error) {
		if conn, err := net.Dial("unix", o.Agent); err == nil { // an agent is there
			if keys, err := agent.NewClient(conn).Signers(); err == nil {
				return append(keys, signers...), nil
			}
		}
		return signers, nil
	}))
	if b.password {
		b.methods = append(b.methods, ssh.Password(string(o.Password)),
			ssh.KeyboardInteractive(func(_, _ string, questions []string, echos []bool) ([]string, error) {
				var answers []string
				for i := range questions {
					if echos[i] || len(questions) > 1 {
						return nil, fmt.Errorf("it asks %q", questions[i])
					}
					answers = append(answers, string(o.Password))
				}
				return answers, nil
			}))
	}
	return b, nil
}

func (b *Builtin) dial(ctx context.Context, t target) (io.ReadWriteCloser, error) {
	address := net.JoinHostPort(t.host, strconv.Itoa(cmp.Or(t.port, defaultPort)))
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, &Failure{Unreachable, err.Error()}
	}
	// SSH has no time limit of its own.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	c, err := b.connect(conn, address, cmp.Or(t.user, b.user))
	if err != nil {
		stop()
		_ = conn.Close()
		if ctx.Err() != nil {
			return nil, &Failure{Timeout, "SSH did not get as far as a session, until the time was up"}
		}
		return nil, builtinFailure(err)
	}
	c.stop = stop
	return c, nil
}

func (b *Builtin) connect(conn net.Conn, address, user string) (*shell, error) {
	config := &ssh.ClientConfig{User: user, Auth: b.methods, HostKeyCallback: b.known, HostKeyAlgorithms: b.algorithms(address, conn.RemoteAddr())}
	c, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		return nil, err
	}
	client := ssh.NewClient(c, channels, requests)
	session, err := client.NewSession()
	if err != nil {
		return nil, err
	}
	s := &shell{client: client}
	in, err := session.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.Writer, s.Reader = in, out
	if err := session.RequestPty("vt100", terminalRows, terminalColumns, ssh.TerminalModes{ssh.ECHO: 1}); err != nil {
		return nil, err
	}
	return s, session.Shell()
}

// algorithms are those of the host keys that are known of a host: it is not to offer
// another one.
func (b *Builtin) algorithms(address string, remote net.Addr) (list []string) {
	nobody, err := ssh.NewPublicKey(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))
	if err != nil {
		return nil
	}
	unknown, ok := errors.AsType[*knownhosts.KeyError](b.known(address, remote, nobody))
	if !ok {
		return nil
	}
	for _, known := range unknown.Want {
		if kind := known.Key.Type(); kind == ssh.KeyAlgoRSA {
			list = append(list, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		} else {
			list = append(list, kind)
		}
	}
	return list
}

// A shell is a session on a device.
type shell struct {
	io.Reader
	io.Writer
	client *ssh.Client
	stop   func() bool
}

func (s *shell) Close() error {
	if s.stop != nil {
		s.stop()
	}
	return s.client.Close()
}

// builtinFailure is why no session came about.
func builtinFailure(err error) *Failure {
	switch key, isKey := errors.AsType[*knownhosts.KeyError](err); {
	case isKey && len(key.Want) == 0:
		return &Failure{HostKey, "its host key is not in known_hosts"}
	case isKey:
		return &Failure{HostKey, "its host key is not the one in known_hosts"}
	}
	if _, ok := errors.AsType[*knownhosts.RevokedError](err); ok {
		return &Failure{HostKey, "its host key is revoked in known_hosts"}
	}
	text := said([]byte(err.Error()))
	if strings.Contains(text, "unable to authenticate") { // it has no type
		return &Failure{Denied, text}
	}
	return &Failure{SSHError, text}
}
