package devicetest

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/device/show"
)

// ios reports whether a device is one of IOS or IOS XE.
func (d *device) ios() bool { return d.Platform == "ios" || d.Platform == "iosxe" }

// showCommand is the command that shows the pool.
func (s *session) showCommand() string {
	if s.d.ios() {
		return "show crypto pki trustpool"
	}
	return "show crypto ca trustpool"
}

// execute runs a command without a filter.
func (s *session) execute(line string) error {
	words := strings.Fields(line)
	first := words[0]
	switch {
	case line == s.showCommand():
		return s.show()
	case first == "terminal", strings.HasPrefix(line, "no terminal"):
		return s.terminal(words)
	case line == "enable":
		return s.enable()
	case line == "disable":
		s.privileged = false
		return nil
	case slices.Contains([]string{"exit", "quit", "logout"}, line):
		return s.exit()
	case line == "end":
		return s.end()
	case slices.Contains([]string{"configure terminal", "conf t", "config terminal", "configure"}, line):
		return s.configure()
	case line == "commit" && len(s.modes) > 0 && s.d.Platform == "iosxr":
		s.changed = false
		return nil
	case slices.Contains([]string{"write memory", "write", "copy running-config startup-config"}, line):
		return s.print("Building configuration...\n[OK]\n")
	case first == "show":
		return s.other(line)
	case strings.HasPrefix(line, "crypto "):
		return s.crypto(words)
	case len(s.modes) > 0 && first != "hostname": // any configuration is taken
		s.changed = true
		return nil
	}
	return s.invalid()
}

func (s *session) terminal(words []string) error {
	line := strings.Join(words, " ")
	if s.d.Fault == Pages && !strings.Contains(line, "width") {
		return s.print("Command authorization failed.\n\n")
	}
	asa, pager := s.d.Platform == "asa", "length"
	if asa {
		pager = "pager"
	}
	n, err := strconv.Atoi(words[len(words)-1])
	switch {
	case asa && line == "no terminal pager":
		s.page = 0
	case len(words) == 3 && words[1] == pager && err == nil:
		s.page = n
	case len(words) == 3 && words[1] == "width" && err == nil && !asa:
	case line == "terminal exec prompt no-timestamp" && s.d.Platform == "iosxr":
		s.timestamps = false
	default:
		return s.invalid()
	}
	return nil
}

// enable asks for the secret, as often as a device does.
func (s *session) enable() error {
	if s.privileged || s.d.Platform == "iosxr" {
		return nil
	}
	if s.d.Secret == "" {
		s.privileged = true
		return nil
	}
	for range 3 {
		secret, err := s.ask("Password: ", "secret")
		if err != nil {
			return err
		}
		if secret == s.d.Secret && s.d.Fault != WrongSecret {
			s.privileged = true
			return nil
		}
		if s.d.Platform == "asa" {
			s.raw("Invalid password\r\n")
		}
	}
	if s.d.Platform == "asa" {
		return s.print("Access denied.\n")
	}
	return s.print("% Bad secrets\n\n")
}

func (s *session) exit() error {
	if len(s.modes) > 1 {
		s.modes = s.modes[:1]
		return nil
	}
	if len(s.modes) == 1 {
		return s.end()
	}
	if s.d.Fault == NoExit {
		return nil
	}
	if s.d.Platform == "asa" {
		s.raw("\r\nLogoff\r\n\r\n")
	}
	return errEnd
}

func (s *session) end() error {
	if s.changed && s.d.Platform == "iosxr" {
		answer, err := s.ask("Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]:", "question")
		if err != nil || answer != "yes" && answer != "no" {
			return err
		}
	}
	s.changed = false
	s.modes = nil
	return nil
}

func (s *session) configure() error {
	if !s.privileged {
		return s.invalid()
	}
	s.modes = []string{"config"}
	switch s.d.Platform {
	case "ios", "iosxe":
		return s.print("Enter configuration commands, one per line.  End with CNTL/Z.\n")
	case "nxos":
		return s.print("Enter configuration commands, one per line. End with CNTL/Z.\n")
	}
	return nil
}

// show prints the pool, or does what is wrong.
func (s *session) show() error {
	text := s.d.shown()
	switch s.d.Fault {
	case Hangs:
		return s.hang()
	case Floods:
		return s.flood()
	case DropsAtShow:
		return errEnd
	case Forbids:
		return s.print("Command authorization failed.\n\n")
	case Garbles:
		return s.print("% PKI: internal error 0x7f3a\nTraceback= 1#0123456789abcdef\n\x07\x01\x02")
	case Asks:
		answer, err := s.ask("Show 93 certificates? [confirm]", "question")
		if err != nil || answer != "" {
			return err
		}
	case HangsWithin, DropsWithin, Truncates:
		if err := s.print(text[:len(text)*2/3]); err != nil {
			return err
		}
		switch s.d.Fault {
		case HangsWithin:
			return s.hang()
		case DropsWithin:
			return errEnd
		}
		s.raw("\r\n")
		return nil
	case ChangesName:
		s.name = "other"
	}
	return s.print(text)
}

// other is what else can be shown, as little as clients need.
func (s *session) other(line string) error {
	switch strings.TrimPrefix(line, "show ") {
	case "clock":
		if s.d.ios() {
			return s.print(Clock().Format("*15:04:05.000 MST Mon Jan 2 2006") + "\n")
		}
		return s.print(Clock().Format("15:04:05.000 MST Mon Jan 2 2006") + "\n")
	case "privilege":
		level := 1
		if s.privileged {
			level = 15
		}
		return s.print(fmt.Sprintf("Current privilege level is %d\n", level))
	case "version":
		return s.print(s.version())
	case "running-config", "startup-config":
		if !s.privileged {
			return s.invalid()
		}
		return s.print(fmt.Sprintf("Building configuration...\n\nCurrent configuration : 40 bytes\n!\nhostname %s\n!\nend\n\n", s.name))
	}
	return s.invalid()
}

func (s *session) version() string {
	switch s.d.Platform {
	case "iosxr":
		return "Cisco IOS XR Software, Version 7.11.2\nCopyright (c) 2013-2024 by Cisco Systems, Inc.\n\n" + s.name + " uptime is 1 week\n"
	case "nxos":
		return "Cisco Nexus Operating System (NX-OS) Software\nSoftware\n  NXOS: version 9.3(5)\nHardware\n  cisco Nexus9000 C9300v Chassis\n  Device name: " + s.name + "\n"
	case "asa":
		return "Cisco Adaptive Security Appliance Software Version 9.20(2)2\nHardware:   ASAv, 2048 MB RAM\n" + s.name + " up 7 days\n"
	case "ios":
		return "Cisco IOS Software, C2900 Software (C2900-UNIVERSALK9-M), Version 15.7(3)M8, RELEASE SOFTWARE (fc1)\n" + s.name + " uptime is 1 week\n"
	}
	return "Cisco IOS XE Software, Version 17.09.04a\nCisco IOS Software [Cupertino], Catalyst L3 Switch Software (CAT9K_IOSXE), Version 17.9.4a, RELEASE SOFTWARE (fc3)\n" +
		s.name + " uptime is 1 week\nSystem image file is \"flash:packages.conf\"\ncisco C9300-24T (X86) processor with 1343576K/6147K bytes of memory.\nProcessor board ID TEST0000000\n"
}

// crypto runs a command that begins with crypto.
func (s *session) crypto(words []string) error {
	exec := len(s.modes) == 0
	line := strings.Join(words, " ")
	if len(words) < 3 || words[1] != "pki" && words[1] != "ca" || exec && (s.d.ios() || s.d.Platform == "nxos" || !s.privileged) || !exec && s.d.Platform == "iosxr" && len(words) > 3 && words[3] == "import" {
		return s.invalid()
	}
	switch words[2] {
	case "trustpool":
		return s.trustpool(strings.TrimPrefix(line, strings.Join(words[:3], " ")))
	case "trustpoint":
		if exec || len(words) != 4 {
			return s.invalid()
		}
		s.modes = []string{"config", "config-trustp"}
		if s.d.ios() {
			s.modes[1] = "ca-trustpoint"
		}
		return nil
	case "authenticate":
		if len(words) != 4 {
			return s.invalid()
		}
		return s.authenticate()
	case "certificate":
		return nil
	}
	return s.invalid()
}

// How a bundle is imported, after "crypto pki trustpool" or "crypto ca trustpool".
var (
	iosImport = regexp.MustCompile(`(?i)^ import (clean )?url (\S+)$`)
	xrImport  = regexp.MustCompile(`^ import url (clean )?(\S+)$`)
	asaImport = regexp.MustCompile(`^ import (clean )?url (\S+)( noconfirm)?( signature-required)?$`)
)

func (s *session) trustpool(rest string) error {
	ios := s.d.ios()
	switch {
	case rest == " policy" && len(s.modes) > 0:
		s.modes = []string{"config", "ca-trustpool"}
		return nil
	case rest == " clean" && ios:
		s.d.clean()
		return nil
	case ios && (rest == " import terminal" || rest == " import clean terminal"):
		if strings.Contains(rest, "clean") {
			s.d.clean()
		}
		return s.paste("% Enter PEM-formatted CA certificate.\n% End with a blank line or \"quit\" on a line by itself.\n", "quit", func(c *certificate.Certificate) error {
			if c == nil {
				return s.print("% No certificates imported from terminal.\n") // one of the failures that Cisco's test library looks for
			}
			s.d.add(c)
			return s.print("% PEM files import succeeded.\n")
		})
	}
	line := map[string]*regexp.Regexp{"ios": iosImport, "iosxe": iosImport, "iosxr": xrImport, "asa": asaImport}[s.d.Platform]
	if line == nil {
		return s.invalid()
	}
	m := line.FindStringSubmatch(rest)
	switch {
	case m == nil:
		return s.invalid()
	case s.d.Platform == "asa":
		return s.importASA(m[2], m[1] != "", m[3]+m[4] != "")
	}
	return s.importURL(m[2], m[1] != "")
}

// importURL imports a bundle as IOS, IOS XE and IOS XR do. What IOS XR prints is made
// up, and so is what is printed of a file that cannot be had.
func (s *session) importURL(url string, clean bool) error {
	if err := s.print("Reading file from " + url + "\nLoading " + url + " \n"); err != nil {
		return err
	}
	certs, err := s.d.fetch(url)
	if err != nil {
		return s.print("%Error opening " + url + " (" + err.Error() + ")\n% No certificates imported from " + url + ".\n")
	}
	if clean {
		s.d.clean()
	}
	s.d.add(certs...)
	return s.print("% PEM files import succeeded.\n")
}

// importASA imports a bundle. The question is made up.
func (s *session) importASA(url string, clean, confirmed bool) error {
	certs, err := s.d.fetch(url)
	if err != nil {
		return s.print("ERROR: " + url + ": " + err.Error() + "\n")
	}
	if !s.d.signed(url) && !confirmed {
		answer, err := s.ask("The file is not in Cisco's bundle format. Import it anyway? [yes/no]: ", "question")
		if err != nil || answer != "yes" {
			return err
		}
	} else if err := s.print("Root file signature verified.\n"); err != nil {
		return err
	}
	if clean {
		s.d.clean()
	}
	installed := s.d.add(certs...)
	return s.print(fmt.Sprintf("Trustpool import:\n   attempted:  %d\n   installed:  %d\n   duplicates: %d\n   expired:    0\n   failed:     0\n",
		len(certs), installed, len(certs)-installed))
}

// authenticate takes the PEM of a trustpoint's CA, and asks whether it is the right one.
func (s *session) authenticate() error {
	greeting, end := "\nEnter the base 64 encoded CA certificate.\nEnd with a blank line or the word \"quit\" on a line by itself\n\n", "quit"
	question := "% Do you accept this certificate? [yes/no]: "
	switch s.d.Platform {
	case "asa":
		greeting, question = "Enter the base 64 encoded CA certificate.\nEnd with the word \"quit\" on a line by itself\n\n", "Do you accept this certificate? [yes/no]: "
	case "nxos":
		greeting, end = "input (cut & paste) CA certificate (chain) in PEM format;\nend the input with a line containing only END OF INPUT :\n", "END OF INPUT"
		question = "Do you accept this certificate? [yes/no]:"
	}
	return s.paste(greeting, end, func(c *certificate.Certificate) error {
		if c == nil {
			return s.print("% Error in receiving Certificate Authority certificate: status = FAIL, cert length = 0\n")
		}
		md5Sum, sha1Sum := md5.Sum(c.Raw), sha1.Sum(c.Raw)
		groups := func(sum []byte) string {
			var out []string
			for part := range slices.Chunk(sum, 4) {
				out = append(out, fmt.Sprintf("%X", part))
			}
			return strings.Join(out, " ")
		}
		if err := s.print(fmt.Sprintf("Certificate has the following attributes:\n       Fingerprint MD5: %s \n      Fingerprint SHA1: %s \n\n", groups(md5Sum[:]), groups(sha1Sum[:]))); err != nil {
			return err
		}
		for {
			answer, err := s.ask(question, "question")
			if err != nil {
				return err
			}
			switch strings.ToLower(answer) {
			case "yes", "y":
				s.d.trust(c)
				return s.print("Trustpoint CA certificate accepted.\n% Certificate successfully imported\n\n")
			case "no", "n":
				return s.print("% Certificate rejected\n") // made up
			}
			if err := s.print("% Please answer 'yes' or 'no'.\n"); err != nil {
				return err
			}
		}
	})
}

// paste reads PEM, with or without its first and last line, until an empty line or the
// word that ends it. Only IOS takes an empty line for the end.
func (s *session) paste(greeting, end string, done func(*certificate.Certificate) error) error {
	if err := s.print(greeting); err != nil {
		return err
	}
	var body strings.Builder
	for {
		line, err := s.readLine("pem", true)
		if err != nil {
			return err
		}
		line = strings.TrimSpace(line)
		if line == end || line == "" && s.d.ios() {
			break
		}
		if !strings.HasPrefix(line, "-----") {
			body.WriteString(line)
		}
	}
	s.raw("\r\n")
	der, err := base64.StdEncoding.DecodeString(body.String())
	c := certificate.Read(der)
	if err != nil || c.Err != nil {
		c = nil
	}
	return done(c)
}

// clean removes what was downloaded.
func (d *device) clean() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Shows = ""
	d.Pool = slices.DeleteFunc(d.Pool, func(c Certificate) bool { return !c.BuiltIn })
}

// add puts certificates before the others, and returns how many were not there.
func (d *device) add(certs ...*certificate.Certificate) (installed int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Shows = ""
	var added []Certificate
	for _, c := range certs {
		if c.Err == nil && !has(d.Pool, c.Raw) && !has(added, c.Raw) {
			added = append(added, Certificate{DER: c.Raw})
		}
	}
	d.Pool = append(added, d.Pool...)
	return len(added)
}

// trust adds the CA of a trustpoint.
func (d *device) trust(c *certificate.Certificate) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trusted = append(d.trusted, c.Raw)
}

const maxFetched = 64 << 20 // bytes

// words are an error as a device prints it.
type words string

func (w words) Error() string { return string(w) }

// fetch gets the certificates of a bundle.
func (d *device) fetch(url string) ([]*certificate.Certificate, error) {
	data, ok := d.Files[url]
	switch {
	case ok:
	case strings.HasPrefix(url, "http://"):
		req, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("User-Agent", "cisco-IOS")
		resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
		if err != nil {
			return nil, words("I/O error")
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return nil, words("No such file or directory")
		}
		if data, err = io.ReadAll(io.LimitReader(resp.Body, maxFetched)); err != nil {
			return nil, words("I/O error")
		}
	default:
		return nil, words("No such file or directory")
	}
	b, err := bundle.Parse(data)
	if err != nil {
		return nil, words("Invalid argument")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fetched[url] = b.Message != nil
	return b.Certificates, nil
}

// signed reports whether what was fetched is a signed message.
func (d *device) signed(url string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fetched[url]
}

// list is the pool as the platform shows it.
func (d *device) list() (built, downloaded []show.Shown) {
	style := show.IOSXR
	if d.ios() || d.Platform == "asa" {
		style = show.IOSXE
	}
	for _, c := range d.Pool {
		if c.BuiltIn {
			built = append(built, show.Of(certificate.Read(c.DER), style, show.BuiltIn))
		} else {
			downloaded = append(downloaded, show.Of(certificate.Read(c.DER), style, show.Downloaded))
		}
	}
	return built, downloaded
}

// shown is what the device shows of its pool: what was imported last comes first.
func (d *device) shown() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.Shows != "" {
		return d.Shows
	}
	built, downloaded := d.list()
	list := append(downloaded, built...)
	var b bytes.Buffer
	switch d.Platform {
	case "asa":
		asa(&b, list)
	case "nxos": // by the documented fields; the layout is made up
		for _, s := range list {
			fmt.Fprintf(&b, "serial-number: %s\nsubject: %s\nissued-by: %s\nvalidity-start: %s\nvalidity-end: %s\n\n",
				s.Serial, strings.Join(s.Subject, ""), strings.Join(s.Issuer, ""), xr(s.NotBefore), xr(s.NotAfter))
		}
	case "iosxr":
		_ = show.Print(&b, show.IOSXR, list)
	default:
		_ = show.Print(&b, show.IOSXE, list)
	}
	return b.String()
}

// xr is a date as IOS XR prints it.
func xr(d show.Date) string {
	return d.Clock.Format("15:04:05 ") + d.Zone + d.Clock.Format(" Mon Jan 02 2006")
}

// asa prints certificates as an ASA prints those of trustpoints (show crypto ca
// certificates). How it prints those of its trustpool is not known.
func asa(b *bytes.Buffer, list []show.Shown) {
	for i, s := range list {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "CA Certificate\n  Status: Available\n  Certificate Serial Number: %s\n  Certificate Usage: Signature\n", strings.ToLower(s.Serial))
		for _, n := range []struct {
			label string
			lines []string
		}{{"Issuer Name", s.Issuer}, {"Subject Name", s.Subject}} {
			fmt.Fprintf(b, "  %s: \n    %s\n", n.label, strings.Join(n.lines, "\n    "))
		}
		fmt.Fprintf(b, "  Validity Date: \n    start date: %s\n    end   date: %s\n  Associated Trustpoints: Trustpool \n", s.NotBefore, s.NotAfter)
	}
}

// json is what NX-OS shows with "| json", by the documented names of the fields.
func (d *device) json() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	built, downloaded := d.list()
	rows := []map[string]string{}
	for _, s := range append(downloaded, built...) {
		rows = append(rows, map[string]string{
			"serial-number": s.Serial, "subject": strings.Join(s.Subject, ""), "issued-by": strings.Join(s.Issuer, ""),
			"validity-start": xr(s.NotBefore), "validity-end": xr(s.NotAfter),
		})
	}
	text, _ := json.Marshal(map[string]any{"TABLE_ca_trustpool": map[string]any{"ROW_ca_trustpool": rows}})
	return string(text) + "\n"
}
