package explain

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Platforms, as device.Lookup knows them. iosxe is for ios too.
const (
	iosxe = "iosxe"
	iosxr = "iosxr"
	asa   = "asa"
	ftd   = "ftd"
	fxos  = "fxos"
	nxos  = "nxos"
)

// A message is one with a mnemonic: %FACILITY-SEVERITY-MNEMONIC: text
type message struct {
	platform string
	facility string // the one that says what it is about: SMART_LIC of LICENSE-SMART_LIC
	mnemonic string
	name     string // as the log has it, of the innermost
	body     string // its text
	at       int    // where the outermost begins in the line
}

// pattern is a regular expression that is compiled when it is first used.
func pattern(s string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(s) })
}

var (
	tokens = pattern(`%([A-Z][A-Z0-9_]*(?:-[A-Z0-9_]+)*)-([0-7])-([A-Z0-9_]+)(?:\s*:|\s*$)`)

	// timestamps are how a line of a log begins: perhaps a priority, a number, a host,
	// and a time.
	timestamps = pattern(`^\s*(?:> ?)*(?:<\d{1,3}>)?(?:\d{1,10}: |1 )?(?:\S{1,80}:? )?(?:\d{1,10}: )?(?:(?:RP|LC|0)/[\w/]+:)?[*.:]{0,2} ?` +
		`(?:[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d|\d{4} [A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)`)
	// exported is how lines of servers and of exports begin, and access is what those
	// about requests have.
	exported = pattern(`^\s*["'\[(]?(?:\d{4}[-/.]\d\d[-/.]\d\d|\d\d?[-/.]\d\d?[-/.]\d{4})[\t ,]{1,2}\d\d?:\d\d:\d\d|^<\d{1,3}>|^\[ *\d{1,8}\.\d{6}\] `)
	access   = pattern(`[ "](?:GET|HEAD|POST|PUT|OPTIONS|CONNECT) [/*h]`)

	// prompts are a host, perhaps a mode, and what was typed.
	prompts = pattern(`^\s*((?:RP|LC|0)/[\w/]+:)?[A-Za-z0-9][\w.:/@-]{0,62}(?:\([\w .:/-]{1,40}\))?(?: /[\w/-]*\*?)? ?[#>] ?(?:[a-z]|$)`)

	// heading is the beginning of what show license prints.
	heading = pattern(`^\s*(?:Smart Licensing Status|Smart Licensing is [A-Z]+|Smart Licensing Using Policy:|License Authorization:|Registration Status: |Trust Establishment:|Communication Statistics:)`)
	// colours are the control sequences of a terminal.
	colours    = pattern(`\x1b\[[0-9;?]*[@-~]`)
	cliError   = pattern(`^\s*%\s?[A-Z][a-z]`)
	xrPrefix   = pattern(`(?:RP|LC)/\d+/\w+/CPU\d+:|\b(?:smartlicserver|http_client|cepki|smartlic\w*)\[\d+\]: *$`)
	yearFirst  = pattern(`(?:^|[\s:>])\d{4} [A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d`)
	field      = pattern(`^[A-Z][\w-]*(?: [A-Z][\w-]*){1,4}:`) // of show license
	memberLine = pattern(`^(?:\s+\S|[A-Z][A-Za-z -]{1,30}\s*:)`)
	nextHead   = pattern(`\s+(?:<\d{1,3}>)?(?:(?:RP|LC|0)/[\w/]+:)?[*.:]?(?:[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d|\d{4} [A-Z][a-z]{2} {1,2}\d{1,2} \d\d|\d{4}-\d\d-\d\dT\d\d:).*$|\s+\w+\[\d+\]:\s*$`)
)

// restored is a line with the percent signs of messages about trust, which collectors
// remove, or write in another way.
func restored(line string) string {
	var out strings.Builder
	done := 0 // of the line
	for i := 1; i+2 < len(line); i++ {
		next := strings.IndexByte(line[i:], '-')
		if next < 0 || i+next+2 >= len(line) {
			break
		}
		if i += next; line[i+1] < '0' || line[i+1] > '7' || line[i+2] != '-' { // most lines have no severity
			continue
		}
		begin, end := i, i+3
		for begin > done && isName(line[begin-1]) {
			begin--
		}
		for end < len(line) && isName(line[end]) {
			end++
		}
		for begin < i && (line[begin] < 'A' || line[begin] > 'Z') { // digits of a spelling
			begin++
		}
		token, after := line[begin:end], strings.TrimLeft(line[end:], " \t")
		i = end
		before := line[done:begin]
		for _, spelling := range []string{"%25", "&#37;", `\u0025`, "\uff05", "% "} {
			before = strings.TrimSuffix(before, spelling)
		}
		glued := len(before) == begin-done && begin > done && (isName(line[begin-1]) && line[begin-1] != '_' || line[begin-1] >= 'a' && line[begin-1] <= 'z')
		if glued || strings.HasSuffix(before, "%") || !strings.HasPrefix(after, ":") || len(token) > maxToken || !isKnown(token) {
			continue
		}
		out.WriteString(before + "%" + token)
		done = end
	}
	if done == 0 {
		return line
	}
	return out.String() + line[done:]
}

// maxToken is how long a facility, severity and mnemonic may be.
const maxToken = 100

func isName(c byte) bool { return c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' }

// isKnown reports whether a token is of a message about trust.
func isKnown(token string) bool {
	return slices.ContainsFunc(split("%"+token+":"), func(m message) bool {
		return aboutTrust(&m) || known().byMnemonic[m.facility+"-"+m.mnemonic] != nil
	})
}

// begins reports whether a line is the first of a message or of a command.
func begins(line string) bool {
	if tokens().MatchString(line) || timestamps().MatchString(line) || cliError().MatchString(line) || exported().MatchString(line) && !access().MatchString(line) {
		return true
	}
	_, ok := prompt(line)
	return ok
}

// prompt reports whether a line is a prompt, and the platform if the prompt shows it.
func prompt(line string) (platform string, ok bool) {
	if strings.HasPrefix(line, "---") && strings.Contains(line, "- show ") { // of show tech-support
		return "", true
	}
	if strings.IndexByte(line, '#') < 0 && strings.IndexByte(line, '>') < 0 {
		return "", false
	}
	m := prompts().FindStringSubmatch(line)
	if m == nil {
		return "", false
	}
	if m[1] != "" {
		return iosxr, true
	}
	return "", true
}

// split finds the messages of a line that have a mnemonic.
func split(line string) (list []message) {
	if strings.IndexByte(line, '%') < 0 {
		return nil
	}
	found := tokens().FindAllStringSubmatchIndex(line, -1)
	before := 0 // the end of the message before
	quoted := quotes(line)
	for i := 0; i < len(found); i++ {
		at := found[i]
		m := message{platform: iosxe, at: at[0]}
		outer := line[at[2]:at[3]]
		// An ASA wraps the line of another part of it: %ASA-3-444303: %SMART_LIC-3-…
		if firewall(outer) != "" && i+1 < len(found) && strings.TrimSpace(line[at[1]:found[i+1][0]]) == "" {
			i++
			at = found[i]
		}
		parts := strings.Split(line[at[2]:at[3]], "-")
		m.facility, m.mnemonic = parts[0], line[at[6]:at[7]]
		if category := parts[0]; len(parts) > 1 && (category == "LICENSE" || category == "SECURITY") {
			m.facility, m.platform = parts[1], iosxr
		}
		m.name = line[at[0]:at[7]]
		end := len(line)
		if i+1 < len(found) {
			end = found[i+1][0]
		}
		for len(quoted) > 0 && quoted[0][1] < m.at {
			quoted = quoted[1:]
		}
		if len(quoted) > 0 && quoted[0][0] < m.at {
			end = min(end, max(quoted[0][1], at[1]))
		}
		m.body = line[at[1]:end]
		if i+1 < len(found) {
			m.body = nextHead().ReplaceAllString(m.body, "")
		}
		head := line[before:m.at]
		switch {
		case firewall(outer) != "":
			m.platform = firewall(outer)
			if m.facility == outer {
				m.facility = "ASA"
			}
		case m.platform == iosxr || xrPrefix().MatchString(head):
			m.platform = iosxr
		case m.facility == "LICMGR" || yearFirst().MatchString(head):
			m.platform = nxos
		case len(list) > 0 && strings.TrimSpace(head) == "": // all that the one before says
			m.platform = list[len(list)-1].platform
		}
		if rest, ok := strings.CutPrefix(m.mnemonic, "LOG_SMART_LIC_"); ok && m.facility == "LICMGR" {
			m.facility, m.mnemonic = "SMART_LIC", rest
		}
		before = at[1]
		list = append(list, m)
	}
	return list
}

// quotes are the quoted strings of a line, as in JSON and in CSV, in which a quote
// within one is doubled: pairs of where they begin and end.
func quotes(line string) (pairs [][2]int) {
	if strings.IndexByte(line, '"') < 0 {
		return nil
	}
	begin := -1
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\':
			i++
		case line[i] != '"':
		case begin < 0:
			begin = i
		case i+1 < len(line) && line[i+1] == '"':
			i++
		default:
			pairs, begin = append(pairs, [2]int{begin, i}), -1
		}
	}
	return pairs
}

// firewall is the platform of a facility that says it.
func firewall(facility string) string {
	switch facility {
	case "ASA", "PIX":
		return asa
	case "FTD":
		return ftd
	}
	return ""
}

// aboutTrust reports whether a message that is not known is worth a word.
func aboutTrust(m *message) bool {
	switch m.facility {
	case "SMART_LIC", "PKI", "XR_SSL", "CALL_HOME", "CALLHOME":
		return true
	case "ASA":
		return strings.HasPrefix(m.mnemonic, "7170")
	}
	return slices.ContainsFunc([]string{"CERT", "TRUSTP", "SSL", "TLS"}, func(word string) bool { return strings.Contains(m.mnemonic, word) })
}
