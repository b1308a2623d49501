package show

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// maxLayers is how many things may be before each line, such as a quotation mark
// and a time.
const maxLayers = 4

var (
	// stamps are for the time that a terminal program writes before each line, by the
	// bracket that it begins with, 0 for none: one for all is so large that it is slow.
	stamps = sync.OnceValue(func() map[byte]*regexp.Regexp {
		const clock = `\d{1,2}:\d\d:\d\d(?:[.,:]\d{1,9})?`
		const day = `(?:\d{4}[-/.]\d\d[-/.]\d\d|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|(?:[A-Z][a-z]{2},? )?(?:[A-Z][a-z]{2} {1,2}\d{1,2}|\d{1,2} [A-Z][a-z]{2})(?: \d{4})?)`
		const time = `(?:` + day + `[T _,-]{1,3})?` + clock + `(?: ?(?:Z|[+-]\d\d:?\d\d|[AP]M))?(?: \d{4})?`
		const all = `(?:` + time + `(?: [A-Z]{2,5})?|\d{8}[-T_]\d{6}| *[+-]?\d{1,10}\.\d{3,9}s?)`
		const after = `(?:[:|]| ->| \|)?`
		return map[byte]*regexp.Regexp{
			'[': regexp.MustCompile(`^( {0,2}\[` + all + `\]` + after + `)`),
			'(': regexp.MustCompile(`^( {0,2}\(` + all + `\)` + after + `)`),
			'<': regexp.MustCompile(`^( {0,2}<` + all + `>` + after + `)`),
			0:   regexp.MustCompile(`^( {0,2}` + time + after + `)(?:[ \t]|$)`),
		}
	})
	quote = pattern(`^((?:> ?)*>)`)
	// comment is what programs that keep configurations put before what is none, and
	// number what grep, cat and those do that count seconds.
	comment = pattern(`^([!#]+)(?: |$)`)
	number  = pattern(`^( {0,9}(?:\d{1,10}(?:\.\d{3,9})?|\d{8}[-T_]\d{6})(?:[: \t]|$))`)
	// priority is what syslog puts before the time.
	priority = pattern(`^(<\d{1,3}>(?:1 )?)`)
	quoted   = pattern(`^\s*("(?:[^"\\]|\\.)*"),?\s*$`)
	yaml     = pattern(`^ *(?:- )+(?:'((?:[^']|'')*)'|("(?:[^"\\]|\\.)*")|([^'"].*)?)$`)

	// markers are what some line of each certificate has.
	markers = []string{"CA Certificate", "CA certificate", "Serial Number", "Issuer:", "Issued By", "Validity", "Trustpool:"}
)

// pattern is a regular expression that is compiled when it is first needed.
func pattern(s string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(s) })
}

// undecorate removes what a terminal program, a mail or a playbook put before every
// line, and around it: if all lines that a certificate must have bear it.
func undecorate(lines []string) {
	for range maxLayers {
		if slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(strings.TrimLeft(l, " \t"), noBreak) }) {
			for i, l := range lines {
				lines[i] = strings.ReplaceAll(l, noBreak, " ")
			}
		}
		changed := cutPrefix(lines)
		for _, kind := range []struct {
			cut    func(string) (string, bool)
			blanks bool // perhaps one after it
		}{
			{cutStamp, true}, {cutOf(quote), true}, {cutOf(comment), true}, {cutOf(number), true},
			{cutOf(priority), false}, {cutString, false}, {cutYAML, false},
		} {
			changed = cutAll(lines, kind.cut, kind.blanks) || changed
		}
		if !changed {
			break
		}
	}
}

// cutAll cuts each line that can be cut, if there are markers and all of them can, and
// reports whether it did. If blanks is set and a blank follows each cut, that is cut too.
func cutAll(lines []string, cut func(string) (string, bool), blanks bool) bool {
	first := slices.IndexFunc(lines, isMarker)
	if first < 0 {
		return false
	}
	if _, ok := cut(lines[first]); !ok { // as it is for most captures
		return false
	}
	insides := make([]string, len(lines))
	for i, l := range lines {
		inside, ok := cut(l)
		switch {
		case ok:
			blanks = blanks && (inside == "" || inside[0] == ' ')
		case isMarker(l):
			return false
		}
		insides[i] = inside
	}
	for i, inside := range insides {
		if blanks && len(inside) < len(lines[i]) {
			inside = strings.TrimPrefix(inside, " ")
		}
		lines[i] = inside
	}
	return true
}

// cutPrefix removes what is before the first line of a certificate from all lines, such
// as the name of the device, and reports whether it did.
func cutPrefix(lines []string) bool {
	tries := 0
	for _, l := range lines {
		l = strings.TrimRight(l, " \t")
		prefix, ok := strings.CutSuffix(l, xeHead)
		if !ok {
			prefix, ok = strings.CutSuffix(l, xrHead)
		}
		if !ok {
			continue
		}
		short := strings.TrimRight(prefix, " \t")
		if short == "" || tries == maxTries {
			return false
		}
		tries++
		if cutAll(lines, func(line string) (string, bool) {
			if line == short {
				return "", true
			}
			return strings.CutPrefix(line, prefix)
		}, false) {
			return true
		}
	}
	return false
}

// maxTries is how many lines that end as the first of a certificate are tried.
const maxTries = 4

// noBreak is a blank at which no line is broken, as web pages have it.
const noBreak = "\u00a0"

func isMarker(line string) bool {
	return slices.ContainsFunc(markers, func(m string) bool { return strings.Contains(line, m) })
}

func cutStamp(line string) (string, bool) {
	begin := strings.TrimLeft(line, " ")
	if begin == "" {
		return line, false
	}
	return cutGroup(cmp.Or(stamps()[begin[0]], stamps()[0]), line)
}

// cutOf cuts what the first group of a pattern is.
func cutOf(p func() *regexp.Regexp) func(string) (string, bool) {
	return func(line string) (string, bool) { return cutGroup(p(), line) }
}

func cutGroup(p *regexp.Regexp, line string) (string, bool) {
	m := p.FindStringSubmatchIndex(line)
	if m == nil {
		return line, false
	}
	return line[m[3]:], true
}

// cutString reads a line that is a string of JSON.
func cutString(line string) (string, bool) {
	m := quoted().FindStringSubmatch(line)
	var s string
	if m == nil || json.Unmarshal([]byte(m[1]), &s) != nil || strings.Contains(s, "\n") {
		return line, false
	}
	return s, true
}

// cutYAML reads a line that is an item of a list of YAML.
func cutYAML(line string) (string, bool) {
	m := yaml().FindStringSubmatch(line)
	if m == nil {
		return line, false
	}
	if m[2] != "" {
		return cutString(m[2])
	}
	return strings.ReplaceAll(m[1], "''", "'") + m[3], true
}

// mnemonicText is what a message of a device has before its text.
const mnemonicText = `%[A-Z][A-Z0-9_]*(?:-[A-Z0-9_]+)*-[0-7]-[A-Z0-9_]+\s*:`

var (
	promptLine = pattern(`^(?:(?:RP|LC|0)/[\w/]+:)?([A-Za-z0-9][\w.@~:/-]*)(?:\([\w .:/-]+\))*[#>] ?(.*)$`)
	config     = pattern(`^(?:crypto (?:pki|ca) (?:certificate (?:pool|chain)|trustpoint|trustpool policy)\b|Building configuration|Current configuration|cabundle )`)

	// message is the beginning of a line that the device logged.
	message = pattern(`^(?:<\d{1,3}>)?(?:\d{1,9}: )?(?:[\w.:/-]+ )?[*.:]{0,2}(?:(?:RP|LC|0)/[\w/]+:)?` +
		`(?:(?:(?:[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?|\d{4} [A-Z][a-z]{2} {1,2}\d{1,2} |\d{4}-\d\d-\d\dT)\d\d:\d\d:\d\d|\d\d:\d\d:\d\d|\dd\d\dh|\dw\dd)[^%=]{0,60})?` +
		mnemonicText)
	debug = pattern(`^[*.]?[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?(?: [A-Z]{1,5})?: `)
	// messageWithin is one that begins within another line.
	messageWithin = pattern(`.(?:[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d|\d\d:\d\d:\d\d)[^%]{0,60}` + mnemonicText)
	mnemonic      = pattern(mnemonicText)
	// member is a further line of a message of several.
	member = pattern(`^(?:Trustpoint|Issuer-name|Subject-name|Serial-number|End-date) *:`)
)

// maxMembers is how many further lines a message may have.
const maxMembers = 12

// isMessage reports whether a line begins a message, or is one of debugging. Most lines
// have no percent sign, and no blank where the name of a month ends.
func isMessage(text string) bool {
	return strings.Contains(text, "%") && message().MatchString(text) ||
		len(text) > 4 && (text[3] == ' ' || text[4] == ' ') && debug().MatchString(text)
}

// isWithin reports whether a message begins within a line.
func isWithin(text string) bool {
	return strings.Contains(text, "%") && messageWithin().MatchString(text)
}

// prompt takes a line apart into the name in a prompt and what was typed.
func prompt(text string) (host, command string, ok bool) {
	if !strings.Contains(text, "#") && !strings.Contains(text, ">") { // most lines
		return "", "", false
	}
	m := promptLine().FindStringSubmatch(text)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

func isPrompt(text string) bool {
	_, _, ok := prompt(text)
	return ok
}

// A session is what was captured: lines, and what was typed.
type session struct {
	lines    []line
	own      bool     // the command that shows the pool was typed
	filtered string   // the command before the first certificate, if it shows a part of the pool
	commands []string // others
}

// split finds the prompts of a session and keeps what belongs to the command that
// shows the pool, if it was typed.
func (r *reader) split(lines []line) session {
	least := -1 // blanks before the certificates
	hosts := map[string]bool{}
	for _, l := range lines {
		if r.isHead(l.text) && (least < 0 || l.indent < least) {
			least = l.indent
		}
		if host, command, ok := prompt(l.text); ok && isShow(command) {
			hosts[host] = true
		}
	}
	s := session{lines: lines}
	type part struct {
		lines    []line
		host     string
		own, all bool // all: it has certificates of a pool
		view     bool // a part of the pool, such as the lines with a word
	}
	whole := map[string]bool{} // hosts of which the whole pool was shown
	parts := []part{{}}
	begin := 0 // of the last part
	for i, l := range lines {
		if host, command, ok := prompt(l.text); ok && hosts[host] && (least < 0 || l.indent <= least) {
			p := part{host: host, own: isPoolCommand(command)}
			p.view = !p.own && echoes(command) && strings.Contains(command, "|")
			whole[p.host] = whole[p.host] || p.own
			if command = strings.TrimSpace(command); !p.own && isShow(command) && len(s.commands) < maxCommands {
				s.commands = append(s.commands, command)
			}
			s.own = s.own || p.own
			parts = append(parts, p)
			begin = i
		}
		p := &parts[len(parts)-1]
		p.lines = lines[begin : i+1]
		p.all = p.all || strings.HasPrefix(l.text, "Trustpool:")
	}
	if s.own {
		s.lines = lines[:0]
		for _, p := range parts {
			if p.own || p.all && !(p.view && whole[p.host]) {
				s.lines = append(s.lines, p.lines...)
			}
		}
	}
	for _, l := range s.lines {
		if r.isHead(l.text) {
			break
		}
		if at := commandIn(l.text); at >= 0 {
			if s.filtered = ""; !isPoolCommand(l.text[at:]) && strings.Contains(l.text, "|") {
				s.filtered = l.text[at:]
			}
		}
	}
	return s
}

// maxCommands is how many other commands are remembered.
const maxCommands = 8

func (r *reader) isHead(text string) bool {
	if r.style == IOSXE {
		return text == xeHead
	}
	return strings.HasPrefix(text, "Trustpool:") || text == xrHead
}

// isShow reports whether a command begins with show, perhaps shortened.
func isShow(command string) bool {
	word, rest, ok := strings.Cut(strings.TrimPrefix(command, "do "), " ")
	return ok && strings.TrimSpace(rest) != "" && len(word) >= 2 && strings.HasPrefix("show", word)
}

// isPoolCommand reports whether a command shows the whole pool.
func isPoolCommand(command string) bool {
	command, filter, filtered := strings.Cut(strings.TrimPrefix(command, "do "), "|")
	if f := strings.TrimSpace(filter); filtered && !strings.HasPrefix(f, "no") && !strings.HasPrefix(f, "redirect") && !strings.HasPrefix(f, "tee") {
		return false
	}
	words := strings.Fields(command)
	return echoes(command) && !(len(words) > 4 && strings.HasPrefix(words[4], "pol"))
}

// join puts lines together that a terminal broke: one of 80 or 132 columns, or of as many
// as the widest lines.
func (r *reader) join(lines []line) []line {
	widest := r.widest(lines)
	out := lines[:0]
	for _, l := range lines {
		if n := len(out) - 1; n >= 0 {
			if blanks := r.joint(out[n], l, widest); blanks >= 0 {
				out[n].text += strings.Repeat(" ", blanks) + l.text
				out[n].last, out[n].width, out[n].blank = l.number, l.width, l.blank
				continue
			}
		}
		out = append(out, l)
	}
	return out
}

// joint is how many blanks are between two lines that are one, or -1 if they are not.
func (r *reader) joint(a, b line, widest int) int {
	if !follows(a, b) {
		return -1
	}
	blanks := b.indent
	if a.blank {
		blanks++
	}
	indented := a.indent >= fieldIndent // then no attribute is without a blank before it
	switch a.width {
	case 80, 132:
		if r.goesOn(b.text, indented) {
			return blanks
		}
	case widest:
		if indented && r.goesOn(b.text, true) {
			return blanks
		}
	case widest - 1: // the blank at its end is lost
		if indented && r.goesOn(b.text, true) {
			return blanks + 1
		}
	}
	return -1
}

// follows reports whether nothing is between two lines, and the second begins where a
// terminal would go on.
func follows(a, b line) bool {
	return b.indent <= 1 && b.number == a.last+1 && !b.paged && !a.paged
}

const (
	// How many columns a terminal has.
	minColumns = 40
	maxColumns = 512

	// minDifferent is how many different lines show that they were broken by a terminal.
	minDifferent = 4
)

// widest returns the width of the widest lines if a terminal broke them there, and
// otherwise 0. One broken line shows that if it is a serial number, in which there is no
// blank to be lost; two do if blanks at the ends of lines are kept or the width is a
// multiple of 10. Otherwise it takes minDifferent lines, which are not all broken at a
// blank by chance.
func (r *reader) widest(lines []line) int {
	widest, broken, sure, blanks := 0, 0, false, false
	var different map[string]bool
	for i, l := range lines {
		blanks = blanks || l.blank
		if l.width < widest {
			continue
		}
		if l.width > widest {
			widest, broken, sure, different = l.width, 0, false, nil
		}
		if l.indent < fieldIndent || i+1 == len(lines) || !follows(l, lines[i+1]) || !r.goesOn(lines[i+1].text, true) {
			continue
		}
		if different == nil {
			different = map[string]bool{}
		}
		different[l.text] = true
		broken++
		sure = sure || strings.Contains(l.text, "Serial Number") && isHex(lines[i+1].text)
	}
	shown := sure || broken >= 2 && (blanks || widest%10 == 0) || len(different) >= minDifferent
	if !shown || widest < minColumns || widest > maxColumns {
		return 0
	}
	return widest
}

// goesOn reports whether a line without blanks before it can be the rest of another;
// one that begins as an attribute does, if attributes is set.
func (r *reader) goesOn(text string, attributes bool) bool {
	field, _ := r.label(text)
	return field == noLabel && !r.isHead(text) && (attributes || !isAttribute(text)) && !isMessage(text) && !mnemonic().MatchString(text) && !isPrompt(text) && strings.Trim(text, "=") != "" && text != notListed
}

// isConfiguration reports whether a line is of a running configuration.
func isConfiguration(text string) bool {
	switch text[:min(len(text), 2)] {
	case "cr", "Bu", "Cu", "ca":
		return config().MatchString(text)
	}
	return false
}

// wrong is the error for a capture of something else; nil if it may be of the pool.
func (r *reader) wrong(s session) error {
	other := strings.Replace(r.command, "trustpool", "certificates", 1)
	heads, pool, isConfig, certificates := 0, false, "", false
	for _, l := range s.lines {
		switch {
		case l.text == xeHead || l.text == xrHead:
			heads++
		case l.text == "Certificate" || strings.HasPrefix(l.text, "Trustpoint  "):
			certificates = true
		}
		pool = pool || strings.Contains(l.text, "Trustpool:")
		if file, ok := strings.CutPrefix(l.text, "cabundle nvram:"); ok && l.indent > 0 || isConfig == "" && isConfiguration(l.text) {
			isConfig = "it is a running configuration"
			if ok {
				isConfig = fmt.Sprintf("it is a running configuration, which says in which file IOS XE keeps its pool: nvram:%.80s", file)
			}
		}
	}
	named := func(command string) bool {
		words := strings.Fields(strings.TrimPrefix(command, "do "))
		return len(words) > 3 && strings.HasPrefix(words[1], "cr") && strings.HasPrefix(words[3], "cer")
	}
	switch {
	case s.filtered != "" && heads > 0:
		return fmt.Errorf("%.80q shows a part of the pool: give the whole output of %s", s.filtered, r.command)
	case s.own || pool:
		return nil
	case slices.ContainsFunc(s.commands, named), certificates && (heads > 0 || len(s.commands) == 0), r.style == IOSXE && heads > 1:
		return fmt.Errorf("this is what %s prints, which shows the certificates of trustpoints: give the whole output of %s", other, r.command)
	case heads == 0 && isConfig != "":
		return fmt.Errorf("%s: give the whole output of %s", isConfig, r.command)
	case heads == 0 && len(s.commands) > 0:
		return fmt.Errorf("no certificate in it, but the output of %.80q: give the whole output of %s", s.commands[0], r.command)
	}
	return nil
}

// passMessage reports whether a line belongs to a message that the device logged.
func (r *reader) passMessage(l line) (bool, error) {
	e := r.current
	if isMessage(l.text) && (e == nil || l.indent < e.threshold()) {
		r.members = maxMembers
		return true, nil
	}
	if e != nil && !l.paged && isWithin(l.text) {
		return false, errors.New("a message of the device begins within this line: capture it again")
	}
	if r.members == 0 || e == nil {
		r.members = 0
		return false, nil
	}
	r.members--
	field, _ := r.label(l.text)
	value := l.indent >= e.threshold()
	switch {
	case member().MatchString(l.text):
		return true, nil
	case field != noLabel, l.text == xeHead, isAttribute(l.text), value && e.section != labelIssuer && e.section != labelSubject:
		r.members = 0
		return false, nil
	case value:
		return false, fmt.Errorf("%.60q after a message of the device: whether it belongs to the message or to the %s cannot be told, capture it again", l.text, e.section.title())
	case r.style == IOSXE && !e.indents && e.field <= e.margin && (e.section == labelIssuer || e.section == labelSubject):
		return false, fmt.Errorf("%.60q after a message of the device: the blanks before lines are lost, and whether it belongs to the message cannot be told", l.text)
	}
	return true, nil
}
