package devicetest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"
)

// errEnd ends a session.
var errEnd = errors.New("the session ends")

// defaultPage is how many lines a terminal has until it is told otherwise.
const defaultPage = 24

// maxLine is how long a line may be that a device takes.
const maxLine = 16 << 10

// A session is a user on a device.
type session struct {
	d      *device
	number int
	in     *bufio.Reader
	out    *bufio.Writer // flushed before a wait for input

	privileged bool
	modes      []string // below configuration: "config", then perhaps one more
	page       int      // lines, 0 for no end
	lines      int      // printed since the last command
	timestamps bool     // IOS XR prints one before the output of a command
	changed    bool     // IOS XR: the configuration is not committed
	cr         bool     // the last character was a carriage return
	name       string
}

// run is the session.
func (s *session) run() error {
	if err := s.greet(); err != nil {
		return err
	}
	for {
		if s.d.Messages {
			s.raw("\r\n*Apr  1 10:25:50.001: %SYS-5-CONFIG_I: Configured from console by lab on vty0 (192.0.2.1)\r\n")
		}
		s.raw(s.prompt())
		line, err := s.readLine(s.mode(), true)
		if err != nil {
			return err
		}
		s.lines = 0
		if err := s.command(strings.Join(strings.Fields(line), " ")); err != nil && !errors.Is(err, errQuit) {
			return err
		}
	}
}

// greet is what comes before the first prompt.
func (s *session) greet() error {
	switch s.d.Fault {
	case HangsAtLogin:
		return s.hang()
	case FloodsLogin:
		return s.flood()
	case DropsLogin:
		s.raw("\r\nWelc")
		return errEnd
	case Nonsense:
		for {
			noise := make([]byte, 200+rand.IntN(200))
			for i := range noise {
				noise[i] = byte(rand.IntN(256))
			}
			s.raw(string(noise))
			if _, err := s.readLine("nothing", false); err != nil {
				return err
			}
		}
	case AsksAtLogin:
		for {
			if _, err := s.ask("\nYour password expires in 3 days. Change it now? [yes/no]: ", "question"); err != nil {
				return err
			}
		}
	}
	if s.d.MOTD != "" {
		s.raw(strings.ReplaceAll(s.d.MOTD, "\n", "\r\n") + "\r\n")
	}
	switch s.d.Platform {
	case "asa":
		s.raw("User lab logged in to " + s.name + "\r\nType help or '?' for a list of available commands.\r\n")
	case "nxos":
		s.raw("Cisco Nexus Operating System (NX-OS) Software\r\n")
	default:
		s.raw("\r\n")
	}
	return nil
}

// hang reads and says nothing.
func (s *session) hang() error {
	for {
		if _, err := s.readLine("nothing", false); err != nil {
			return err
		}
	}
}

// flood prints without end.
func (s *session) flood() error {
	text := strings.Repeat("abcdefghijklmnopqrstuvwxyz 0123456789\r\n", 200)
	for {
		if _, err := s.out.WriteString(text); err != nil {
			return err
		}
	}
}

// mode is what a session waits for at its prompt.
func (s *session) mode() string {
	if len(s.modes) > 0 {
		return "config"
	}
	return "exec"
}

func (s *session) prompt() string {
	sign := "#"
	if !s.privileged {
		sign = ">"
	}
	mode := ""
	if len(s.modes) > 0 {
		mode = "(" + s.modes[len(s.modes)-1] + ")"
	}
	switch s.d.Platform {
	case "iosxr":
		return "RP/0/RP0/CPU0:" + s.name + mode + "#"
	case "nxos", "asa":
		return s.name + mode + sign + " "
	}
	return s.name + mode + sign
}

// readByte reads what is typed, after the device has printed what it had to.
func (s *session) readByte() (byte, error) {
	if s.in.Buffered() == 0 {
		if err := s.out.Flush(); err != nil {
			return 0, err
		}
	}
	return s.in.ReadByte()
}

// readLine reads a line, and echoes it.
func (s *session) readLine(at string, echo bool) (string, error) {
	echo = echo && s.d.Fault != Mute
	var line []byte
	for {
		c, err := s.readByte()
		if err != nil {
			return "", err
		}
		if c == '\n' && s.cr {
			s.cr = false
			continue
		}
		s.cr = c == '\r'
		switch c {
		case '\r', '\n':
			s.d.record(s.number, at, string(line))
			if s.d.Fault != Mute {
				s.raw("\r\n")
			}
			return string(line), nil
		case '\b', 0x7f:
			if len(line) > 0 {
				line = line[:len(line)-1]
				if echo {
					s.raw("\b \b")
				}
			}
		case 0x03: // control-C
			s.d.record(s.number, at, string(line)+"^C")
			s.raw("^C\r\n")
			return "", nil
		case 0x1a: // control-Z
			s.d.record(s.number, at, string(line)+"^Z")
			s.modes = nil
			s.raw("^Z\r\n")
			return "", nil
		default:
			if len(line) >= maxLine {
				return "", fmt.Errorf("a line of more than %d bytes", maxLine)
			}
			line = append(line, c)
			if echo {
				s.raw(string(c))
			}
		}
	}
}

// ask prints a question and reads the answer.
func (s *session) ask(question, at string) (string, error) {
	s.raw(strings.ReplaceAll(question, "\n", "\r\n"))
	answer, err := s.readLine(at, at != "secret")
	return strings.TrimSpace(answer), err
}

// raw writes to the terminal. If that fails, so does what is read next.
func (s *session) raw(text string) { _, _ = s.out.WriteString(text) }

// slow is output with a delay before each piece, but for what is echoed.
type slow struct {
	io.Writer
	delay time.Duration
}

func (s slow) Write(b []byte) (int, error) {
	if len(b) > 1 {
		time.Sleep(s.delay)
	}
	return s.Writer.Write(b)
}

// errQuit ends the output of one command.
var errQuit = errors.New("q was pressed")

// print prints the output of a command, in pages.
func (s *session) print(text string) error {
	for line := range strings.Lines(text) {
		if s.page > 0 && s.lines >= s.page-1 {
			if err := s.more(); err != nil {
				return err
			}
		}
		s.raw(strings.TrimSuffix(line, "\n") + "\r\n")
		s.lines++
	}
	return nil
}

// more waits at the end of a page.
func (s *session) more() error {
	mark, erase := " --More-- ", strings.Repeat("\b", 9)+strings.Repeat(" ", 8)+strings.Repeat("\b", 9)
	if s.d.Platform == "asa" {
		mark, erase = "<--- More --->", "\r              \r"
	}
	s.raw(mark)
	for {
		c, err := s.readByte()
		if err != nil {
			return err
		}
		s.d.record(s.number, "more", string(c))
		s.cr = c == '\r'
		switch c {
		case ' ':
			s.lines = 0
		case '\r', '\n':
			s.lines--
		case 'q', 'Q', 0x03:
			s.raw("\r\n")
			return errQuit
		default:
			continue
		}
		s.raw(erase)
		return nil
	}
}

// invalid is the answer to what is no command.
func (s *session) invalid() error {
	switch s.d.Platform {
	case "asa":
		return s.print("              ^\nERROR: % Invalid input detected at '^' marker.\n")
	case "nxos":
		return s.print("              ^\n% Invalid command at '^' marker.\n")
	}
	return s.print("              ^\n% Invalid input detected at '^' marker.\n\n")
}

// command runs one command.
func (s *session) command(line string) error {
	if line == "" || strings.HasPrefix(line, "!") {
		return nil
	}
	if len(s.modes) > 0 {
		line = strings.TrimPrefix(line, "do ")
	}
	if s.timestamps && len(s.modes) == 0 {
		if err := s.print(Clock().Format("Mon Jan 2 15:04:05.000 MST") + "\n"); err != nil {
			return err
		}
	}
	for _, q := range s.d.Questions {
		if strings.HasPrefix(line, q.Command) {
			answer, err := s.ask(q.Text, "question")
			if err != nil || !strings.EqualFold(answer, q.Answer) {
				return err
			}
		}
	}
	if text, ok := s.d.Answers[line]; ok {
		return s.print(text)
	}
	command, filter, filtered := strings.Cut(line, " | ")
	if !filtered {
		return s.execute(command)
	}
	return s.filtered(command, filter)
}

// filtered runs a command through include, exclude or count. That of NX-OS for JSON is
// the command's own.
func (s *session) filtered(command, filter string) error {
	verb, pattern, ok := strings.Cut(filter, " ")
	if verb == "json" && s.d.Platform == "nxos" && command == s.showCommand() {
		return s.print(s.d.json())
	}
	re, err := regexp.Compile(pattern)
	if !ok || err != nil {
		return s.invalid()
	}
	var all strings.Builder
	pages := *s
	pages.out, pages.page = bufio.NewWriter(&all), 0
	if err := pages.execute(command); err != nil {
		return err
	}
	if err := pages.out.Flush(); err != nil {
		return err
	}
	var some strings.Builder
	n := 0
	for l := range strings.Lines(strings.ReplaceAll(all.String(), "\r", "")) {
		if re.MatchString(l) == (verb != "exclude") {
			n++
			some.WriteString(l)
		}
	}
	switch verb {
	case "include", "i", "inc", "exclude", "e":
		return s.print(some.String())
	case "count":
		return s.print(fmt.Sprintf("Number of lines which match regexp = %d\n", n))
	}
	return s.invalid()
}
