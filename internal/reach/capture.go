package reach

import (
	"bytes"
	"cmp"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/fetch/text"
)

// Limits of what is read of chains. Genuine servers send two to five certificates.
const (
	MaxServers      = 5_000   // in one report
	MaxCertificates = 32      // that one server sent, each counted once
	MaxCertificate  = 8 << 20 // bytes of one. Genuine ones have 2,000; the work on all of them is bounded by path.Run
	maxHost         = 253     // bytes of a host name (RFC 1035 section 2.3.4)
)

// A Server is what one server sent.
type Server struct {
	Name         string // what the report calls it
	Host         string // the name or address that its certificate must be for; empty if that is not known
	Certificates []*certificate.Certificate
}

// savedMark begins a chain that Server.PEM wrote; the host and port follow.
const savedMark = "# chain of "

// ParseChains reads the chains of a file: text with PEM certificates, as
// "openssl s_client -showcerts" prints it, of one server or several, or anything
// that bundle.Parse reads, as one chain. Text that is not a certificate is passed
// over, but for what tells captures apart and says what server they are of: the command
// line of s_client with -connect or -servername, and the line that PEM writes.
// name is what servers are called if nothing else is known of them.
//
// A certificate that cannot be read is an error, and so is a file without one.
func ParseChains(name string, data []byte) ([]Server, error) {
	if text.Detect(data) != text.UTF8 {
		decoded, err := text.Decode(data, bundle.DefaultMaxBytes)
		if err != nil {
			return nil, err
		}
		data = decoded
	}
	p := captures{}
	if !beginsBlock().Match(data) {
		if bytes.Contains(data, []byte("CONNECTED(")) || bytes.Contains(data, []byte("s_client")) {
			return nil, errors.New("no certificate in it: the server was not reached, or it sent none")
		}
		b, err := bundle.Limits{Certificates: MaxCertificates}.Parse(data)
		if err != nil {
			return nil, err
		}
		if err := p.add(b.Certificates...); err != nil {
			return nil, err
		}
		return p.finish(name)
	}
	if err := p.read(data); err != nil {
		return nil, err
	}
	if err := checkRest(data, p.total); err != nil {
		return nil, err
	}
	return p.finish(name)
}

// otherBlock is a PEM block that is no certificate and no message of certificates, and
// wire what s_client prints of the bytes that it sends and receives.
var (
	otherBlock = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?s)-----BEGIN ([A-Z0-9 ]*)-----.*?-----END [A-Z0-9 ]*-----`)
	})
	wire = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?m)^(?:(?:<<<|>>>) .*|(?:read from|write to) 0x.*)\r?\n((?:(?: {4}[0-9a-f]{2}\b|[0-9a-f]{4} - ).*\r?\n?)+)`)
	})
)

// checkRest refuses a file that holds certificates beside its PEM blocks, in any form:
// to what server they belong is not known.
func checkRest(data []byte, total int) error {
	rest := slices.Clone(data)
	blank := func(b []byte) {
		for i, c := range b {
			if c != '\n' && c != '\r' {
				b[i] = ' '
			}
		}
	}
	for _, at := range otherBlock().FindAllSubmatchIndex(rest, -1) {
		if label := rest[at[2]:at[3]]; !bytes.Contains(label, []byte("CERTIFICATE")) && !bytes.Contains(label, []byte("PKCS")) && !bytes.Equal(label, []byte("CMS")) {
			blank(rest[at[0]:at[1]])
		}
	}
	if slices.ContainsFunc([]string{"<<< ", ">>> ", "read from 0x", "write to 0x"}, func(mark string) bool { return bytes.Contains(rest, []byte(mark)) }) {
		for _, at := range wire().FindAllSubmatchIndex(rest, -1) {
			blank(rest[at[2]:at[3]])
		}
	}
	// A session may be longer than what may be before the first certificate of a bundle.
	first := beginsBlock().FindIndex(rest)[0]
	from := max(0, first-bundle.MaxPreamble/2)
	if bundle.SniffCertificate(rest[:from]) {
		return errors.New("it holds a certificate in another form before its PEM blocks: give all as PEM")
	}
	b, err := bundle.Parse(rest[from:])
	if err != nil {
		return fmt.Errorf("beside its PEM blocks: %w", err)
	}
	if len(b.Certificates) != total {
		return fmt.Errorf("it holds %d certificates, %d of them in PEM blocks: give all as PEM", len(b.Certificates), total)
	}
	return nil
}

// PEM is the chain as ParseChains reads it, with the host and port it came from.
func (s *Server) PEM() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s%s\n", savedMark, s.Name)
	for _, c := range s.Certificates {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return out.Bytes()
}

// captures gathers the chains of one file.
type captures struct {
	done    []Server
	current Server
	total   int // certificates of the file
	blocks  int // certificates of the current chain, with those that are there twice
	listed  int // how many s_client says that it received
}

// beginsBlock is the BEGIN of a block that holds certificates; others, such as
// those of TLS sessions, are text here.
var beginsBlock = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`-----BEGIN (CERTIFICATE|X509 CERTIFICATE|TRUSTED CERTIFICATE|PKCS7|CMS|PKCS #7 SIGNED DATA)-----`)
})

func (p *captures) read(data []byte) error {
	for offset := 0; offset < len(data); {
		line, _, _ := bytes.Cut(data[offset:], []byte("\n"))
		begin := beginsBlock().FindSubmatchIndex(line)
		if begin == nil {
			if err := p.line(string(bytes.TrimSpace(line[:min(len(line), maxLine)]))); err != nil {
				return err
			}
			offset += len(line) + 1
			continue
		}
		// From the beginning of the line, so that what quotes it is known.
		mark := "-----END " + string(line[begin[2]:begin[3]]) + "-----"
		end := bytes.Index(data[offset+begin[1]:], []byte(mark))
		if end < 0 {
			return fmt.Errorf("the certificate at offset %d has no end: truncated", offset)
		}
		end += offset + begin[1] + len(mark)
		b, err := bundle.Parse(data[offset:end])
		if err != nil {
			return fmt.Errorf("the certificate at offset %d: %w", offset, err)
		}
		p.total += len(b.Certificates)
		if err := p.add(b.Certificates...); err != nil {
			return fmt.Errorf("at offset %d: %w", offset, err)
		}
		offset = end
	}
	return nil
}

// maxLine is how much of a line of text is looked at.
const maxLine = 4096

// line takes what a line of text says of the chain that follows.
func (p *captures) line(text string) error {
	saved, isSaved := strings.CutPrefix(text, savedMark)
	command := strings.Contains(text, "s_client") && (strings.Contains(text, "-connect") || strings.Contains(text, "-servername"))
	starts := isSaved || command || text == "Certificate chain" ||
		strings.HasPrefix(text, "CONNECTED(") || strings.HasPrefix(text, "Connecting to ")
	if !starts {
		if number, _, ok := strings.Cut(text, " s:"); ok && number == strconv.Itoa(p.listed) {
			p.listed++ // " 0 s:CN=…": the subject of the first
		}
		return nil
	}
	if err := p.close(); err != nil {
		return err
	}
	p.listed = 0 // of a connection without certificates
	switch {
	case isSaved:
		p.current.Name, p.current.Host = saved, hostOf(saved)
	case command:
		p.current = Server{} // a command before it got no answer
		words := strings.Fields(text)
		for i, w := range words[:len(words)-1] {
			value := strings.Trim(words[i+1], `"'`)
			switch {
			case w == "-connect" || w == "--connect":
				p.current.Name = value
				// An address says where the server was found, and seldom what devices call it.
				if host := hostOf(value); net.ParseIP(host) == nil {
					p.current.Host = cmp.Or(p.current.Host, host)
				}
			case w == "-servername" || w == "--servername":
				p.current.Host = hostOf(value)
			}
		}
	}
	return nil
}

// hostOf is the host of HOST:PORT, or of a host alone; empty if it cannot be one.
func hostOf(s string) string {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	if len(s) > maxHost || strings.ContainsAny(s, " /:$`\"'\\<>()") && net.ParseIP(s) == nil {
		return ""
	}
	return s
}

// add takes certificates of the current chain. s_client prints the server's own
// twice; the second says nothing.
func (p *captures) add(certs ...*certificate.Certificate) error {
	for _, c := range certs {
		if c.Err != nil {
			return c.Err
		}
		p.blocks++
		if len(c.Raw) > MaxCertificate {
			return fmt.Errorf("a certificate of %d bytes, more than %d", len(c.Raw), MaxCertificate)
		}
		if slices.ContainsFunc(p.current.Certificates, func(o *certificate.Certificate) bool { return o.SHA256 == c.SHA256 }) {
			continue
		}
		if len(p.current.Certificates) == MaxCertificates {
			return fmt.Errorf("more than %d certificates of one server", MaxCertificates)
		}
		p.current.Certificates = append(p.current.Certificates, c)
	}
	return nil
}

// close ends the current chain, if there is one. That s_client received more than
// it shows is an error: what is missing would look like a fault of the pool.
func (p *captures) close() error {
	if len(p.current.Certificates) == 0 {
		return nil
	}
	switch {
	case p.blocks < p.listed:
		return fmt.Errorf("chain %d lists %d certificates and holds %d: capture it with -showcerts", len(p.done)+1, p.listed, p.blocks)
	case len(p.done) == MaxServers:
		return fmt.Errorf("more than %d chains", MaxServers)
	}
	*p = captures{done: append(p.done, p.current), total: p.total}
	return nil
}

func (p *captures) finish(name string) ([]Server, error) {
	if err := p.close(); err != nil {
		return nil, err
	}
	if len(p.done) == 0 {
		return nil, errors.New("no certificate in it")
	}
	for i := range p.done {
		s, nameless := &p.done[i], name
		if len(p.done) > 1 {
			nameless = fmt.Sprintf("%s #%d", name, i+1)
		}
		s.Name = cmp.Or(s.Name, s.Host, nameless)
	}
	return p.done, nil
}

// FromDER is the server at HOST:PORT that sent the given certificates.
func FromDER(address string, chain [][]byte) (Server, error) {
	p := captures{current: Server{Name: address, Host: hostOf(address)}}
	for i, der := range chain {
		b, err := bundle.Parse(der)
		if err != nil {
			return Server{}, fmt.Errorf("%s: certificate %d: %w", address, i+1, err)
		}
		if err := p.add(b.Certificates...); err != nil {
			return Server{}, fmt.Errorf("%s: %w", address, err)
		}
	}
	servers, err := p.finish(address)
	if err != nil {
		return Server{}, fmt.Errorf("%s: the server sent no certificate", address)
	}
	return servers[0], nil
}

// FileName is a name for the file of PEM: the server's, with _ for anything but
// ASCII letters, digits, dots and hyphens.
func (s *Server) FileName() string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z' || r == '.' || r == '-') {
			return r
		}
		return '_'
	}, s.Name) + ".pem"
}
