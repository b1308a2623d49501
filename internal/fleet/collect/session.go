package collect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/scrapli/scrapligo/channel"
	"github.com/scrapli/scrapligo/driver/network"
	"github.com/scrapli/scrapligo/driver/opoptions"
	"github.com/scrapli/scrapligo/driver/options"
	"github.com/scrapli/scrapligo/platform"

	"trustpool/internal/report"
)

const (
	// readDelay is how long scrapligo sleeps between two looks at what was read.
	readDelay = 2 * time.Millisecond
	// quiet is how long a device has to print nothing before a line is taken for its
	// first prompt: in a banner there may be lines that look like one.
	quiet = 200 * time.Millisecond
	// parting is how long a device may take to end the session after exit.
	parting = time.Second
	// maxTail is in how much of the end of the output a prompt is looked for.
	maxTail = 4 << 10
	// maxSaid is how much of a device's last line a reason quotes.
	maxSaid = 120
)

var (
	pager = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)(?:--+ ?more ?--+|<--- more --->)[^\n]*$`)
	})
	// asksSecret is how enable asks.
	asksSecret = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?im)^(?:enable )?password: ?$`) })
	// refusal is a line by which a device refuses a command.
	refusal = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?im)^(?:% ?(?:invalid|incomplete|ambiguous|unknown|permission|this command is not|user|authorization)[^\r\n]*|ERROR: %[^\r\n]*|(?:% ?)?command authorization failed[^\r\n]*)`)
	})
)

// A session is a conversation with one device.
type session struct {
	dialect dialect
	line    *line
	channel *channel.Channel
	secret  []byte
	quiet   time.Duration
	prompt  *regexp.Regexp // the device's own, once it is known
	sign    byte           // at its end: > or #
	shown   [2]int         // where in what was printed the output of the command that shows the pool is
}

// converse reads the pool of a device whose terminal the line is. What was printed
// is in the line. The error is a *Failure.
func converse(ctx context.Context, l *line, d dialect, secret []byte, timeout, quiet time.Duration) (s *session, err error) {
	s = &session{dialect: d, line: l, secret: secret, quiet: quiet}
	p, err := platform.NewPlatform(d.definition, "device", options.WithCustomTransport(l), options.WithReadDelay(readDelay),
		options.WithTimeoutOps(timeout), options.WithAuthBypass(),
		options.WithNetworkOnOpen(func(*network.Driver) error { return nil }), options.WithNetworkOnClose(func(*network.Driver) error { return nil }))
	var driver *network.Driver
	if err == nil {
		driver, err = p.GetNetworkDriver()
	}
	if err == nil {
		err = driver.Open()
	}
	if err != nil {
		return nil, &Failure{Other, err.Error()}
	}
	s.channel = driver.Channel
	defer func() { // first the line, because scrapligo waits for a read
		_ = l.Close()
		_ = driver.Close()
	}()
	if err := s.login(ctx); err != nil {
		return nil, err
	}
	if err := s.enable(ctx); err != nil {
		return nil, err
	}
	for _, command := range slices.Concat(d.setup, []string{d.show, clock}) {
		from := l.length()
		if err := s.send(ctx, command); err != nil {
			return nil, err
		}
		if command == d.show {
			s.shown = [2]int{from, l.length()}
		}
	}
	s.part(ctx)
	return s, nil
}

// login waits for the first prompt, and says nothing before: a line could answer a
// question.
func (s *session) login(ctx context.Context) error {
	var text []byte
	first := s.channel.PromptPattern
	since := time.Duration(0)
	for {
		b, err := s.channel.Read()
		if err != nil {
			return s.failed(ctx, "before its first prompt", 0)
		}
		if len(b) > 0 {
			text, since = append(text, b...), 0
			continue
		}
		if since < s.quiet {
			time.Sleep(readDelay)
			since += readDelay
			continue
		}
		since = 0
		last := text[bytes.LastIndexByte(text, '\n')+1:]
		prompt := bytes.TrimRight(last, " ")
		if len(prompt) > 1 && len(prompt) < 128 && first.Match(last) && bytes.ContainsAny(prompt[len(prompt)-1:], ">#") {
			s.sign = prompt[len(prompt)-1]
			s.prompt = regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(string(prompt[:len(prompt)-1])) + `[>#] ?$`)
			s.channel.PromptPattern = s.prompt
			return nil
		}
		if len(text) > readSize {
			text = slices.Clone(text[len(text)-readSize/2:])
		}
	}
}

// enable gets privileges, if there is a secret and the device has not given them.
func (s *session) enable(ctx context.Context) error {
	if s.sign == '#' || len(s.secret) == 0 {
		return nil
	}
	from := s.line.length()
	b, err := s.channel.SendInput(enable, opoptions.WithInterimPromptPattern([]*regexp.Regexp{asksSecret()}), opoptions.WithNoStripPrompt())
	if err != nil {
		return s.failed(ctx, "after "+enable, from)
	}
	if asksSecret().Match(b) {
		s.line.allow(s.secret)
		from = s.line.length()
		if err := s.channel.WriteAndReturn(s.secret, true); err != nil {
			return s.failed(ctx, "after "+enable, from)
		}
		if b, err = s.channel.ReadUntilAnyPrompt(ctx, []*regexp.Regexp{s.prompt, asksSecret()}); err != nil {
			return s.failed(ctx, "after the secret of "+enable, from)
		}
		if bytes.Contains(s.line.printed(from), s.secret) {
			return &Failure{Secret, "it prints what is typed for the secret of enable: nothing was kept"}
		}
	}
	if last := s.prompt.FindAll(b, -1); len(last) == 0 || !bytes.HasSuffix(bytes.TrimRight(last[len(last)-1], " "), []byte("#")) {
		return &Failure{Secret, "it refuses the secret of enable"}
	}
	return nil
}

// send sends a command and waits for the prompt after it. The output is in the line, and
// scrapligo is not to gather it as well.
func (s *session) send(ctx context.Context, command string) error {
	from := s.line.length()
	if _, err := s.channel.SendInput(command, opoptions.WithEager()); err != nil {
		return s.failed(ctx, fmt.Sprintf("after %q", command), from)
	}
	var tail []byte
	for {
		b, err := s.channel.Read()
		if err != nil {
			return s.failed(ctx, fmt.Sprintf("after %q", command), from)
		}
		if len(b) == 0 {
			time.Sleep(readDelay)
			continue
		}
		tail = append(tail, b...)
		if len(tail) > maxTail {
			tail = bytes.Clone(tail[len(tail)-maxTail:])
		}
		if s.prompt.Match(tail) {
			break
		}
		if pager().Match(tail) {
			return &Failure{Pages, fmt.Sprintf("it prints %q in pages: it does not take %q", command, s.dialect.setup[0])}
		}
	}
	if command != s.dialect.show {
		return nil
	}
	output := s.line.printed(from)
	if refused := refusal().Find(output[:min(len(output), 2000)]); refused != nil {
		return &Failure{Refused, fmt.Sprintf("it refuses %q: %s", command, said(refused))}
	}
	return nil
}

// part ends the session, and ignores what the device answers.
func (s *session) part(ctx context.Context) {
	if s.channel.WriteAndReturn([]byte(exit), false) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, parting)
	defer cancel()
	for ctx.Err() == nil {
		if _, err := s.channel.Read(); err != nil {
			return
		}
		time.Sleep(readDelay)
	}
}

// failed is why a device did not answer.
func (s *session) failed(ctx context.Context, when string, from int) error {
	tail := s.line.printed(max(from, s.line.length()-readSize))
	last := said(tail)
	if strings.Contains(when, strconv.Quote(last)) { // the echo of the command
		last, tail = "", nil
	}
	switch ended := s.line.ended(); {
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		if len(bytes.TrimSpace(tail)) == 0 {
			return &Failure{Timeout, fmt.Sprintf("it printed nothing %s, until the time was up", when)}
		}
		return &Failure{Timeout, fmt.Sprintf("no prompt %s, until the time was up; the last it printed is %q", when, last)}
	case ctx.Err() != nil:
		return &Failure{Interrupted, "interrupted"}
	case errors.Is(ended, errFlood):
		return &Failure{Flood, fmt.Sprintf("%s %s", errFlood, when)}
	case ended != nil:
		if f, ok := errors.AsType[*Failure](ended); ok {
			return f
		}
		if last == "" {
			return &Failure{Ended, fmt.Sprintf("the session ended %s", when)}
		}
		return &Failure{Ended, fmt.Sprintf("the session ended %s; the last it printed is %q", when, last)}
	}
	return &Failure{Timeout, fmt.Sprintf("no prompt %s; the last it printed is %q", when, last)}
}

// said is the last line with something in it, fit to be quoted.
func said(text []byte) string {
	text = bytes.TrimSpace(text)
	line := string(text[bytes.LastIndexAny(text, "\r\n")+1:])
	return report.Middle(report.Printable(strings.ToValidUTF8(line, "\ufffd")), maxSaid)
}
