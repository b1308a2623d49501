package show_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trustpool/internal/device/show"
)

// eachLine changes the lines of a text, without their ends.
func eachLine(text string, change func(i int, line string) string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, l := range lines {
		lines[i] = change(i, l)
	}
	return strings.Join(lines, "\n") + "\n"
}

func before(prefix string) func(string) string {
	return func(s string) string {
		return eachLine(s, func(_ int, l string) string { return prefix + l })
	}
}

func jsonString(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// list is the lines of a text as a list of JSON, a line each.
func list(s string) string {
	var out []string
	for l := range strings.Lines(s) {
		out = append(out, "    "+jsonString(strings.TrimSuffix(l, "\n")))
	}
	return "[\n" + strings.Join(out, ",\n") + "\n   ]"
}

// certificates are what the other command of IOS XE shows.
const certificates = `CA Certificate
  Status: Available
  Certificate Serial Number (hex): 01
  Certificate Usage: Signature
  Issuer: 
    cn=Lab Licensing Root
    o=Lab
  Subject: 
    cn=Lab Licensing Root
    o=Lab
  Validity Date: 
    start date: 19:48:47 UTC May 30 2013
    end   date: 19:48:47 UTC May 30 2038
  Associated Trustpoints: SLA-TrustPoint 
  Storage: nvram:LabLicensi#1CA.cer

Certificate
  Status: Available
  Certificate Serial Number (hex): 0194
  Certificate Usage: General Purpose
  Issuer: 
    cn=Lab CA
  Subject:
    Name: edge1.example.com
    cn=edge1.example.com
  Validity Date: 
    start date: 19:48:47 UTC May 30 2013
    end   date: 19:48:47 UTC May 30 2038
  Associated Trustpoints: LAB 
`

const installed = `Jan 14 21:33:52.984: %PKI-6-CERT_INSTALL: A CA certificate has been installed under
                      Trustpoint   : LAB
                      Issuer-name  : o=Lab,cn=Lab CA
                      Subject-name : o=Lab,cn=Lab CA
                      Serial-number: 02
                      End-date     : 2035-01-12T21:33:52Z
`

// shownXE is a pool of IOS XE, with the prompts around it; names have a comma, and
// what looks like other things.
func shownXE(host string) string {
	return host + "#show crypto pki trustpool\n" +
		strings.Join([]string{
			xeEntry("0509", "Downloaded", "cn=QuoVadis Root CA 2", "o=QuoVadis Limited", "c=BM"),
			xeEntry("18DA", "Built-In", "cn=Class 3 Public Primary Certification Authority - G5", "ou=(c) 2006 VeriSign", " Inc. - For authorized use only", "o=VeriSign", " Inc.", "c=US"),
			xeEntry("01", "Built-In", "cn=Lab Root: 1", "o=Lab > Trust"),
		}, "\n") + "\n" + host + "#"
}

func xeEntry(serial, origin string, name ...string) string {
	n := "    " + strings.Join(name, "\n    ") + "\n"
	return "CA Certificate\n  Status: Available\n  Certificate Serial Number (hex): " + serial + "\n  Certificate Usage: Signature\n  Issuer: \n" + n + "  Subject: \n" + n +
		"  Validity Date: \n    start date: 18:27:00 UTC Nov 24 2006\n    end   date: 18:23:33 UTC Nov 24 2031\n  Associated Trustpoints: Trustpool \n  Trustpool: " + origin + "\n"
}

// noises are what stands around and between the lines of captures: the same pool is
// read with each of them.
func noises() map[string]func(string) string {
	insert := func(text string, every int) func(string) string {
		return func(s string) string {
			return eachLine(s, func(i int, l string) string {
				if i%every == every-1 && !strings.HasPrefix(l, "     ") { // between the parts of a value is another case
					return text + l
				}
				return l
			})
		}
	}
	out := map[string]func(string) string{
		"mail":            before("> "),
		"mail, no blank":  before(">"),
		"mail, twice":     before("> > "),
		"mail, old":       before(">> "),
		"mail and a time": before("> [11:22:33] "),
		"a reply": func(s string) string {
			return "Hi,\n\nhere it is. Does it have Issuer 2?\n\nOn Mon, 3 Mar 2025 at 10:00, A. Admin wrote:\n" + before("> ")(s) + "\nRegards\n"
		},
		"no-break spaces": func(s string) string {
			return eachLine(s, func(_ int, l string) string {
				rest := strings.TrimLeft(l, " ")
				return strings.Repeat("\u00a0", len(l)-len(rest)) + rest
			})
		},
		"no-break spaces around lines": func(s string) string {
			return eachLine(s, func(_ int, l string) string { return "\u00a0" + strings.TrimSuffix(l, "\n") + "\u00a0\n" })
		},
		"no-break spaces everywhere": func(s string) string { return strings.ReplaceAll(s, " ", "\u00a0") },
		"tabs for values": func(s string) string {
			return eachLine(s, func(_ int, l string) string {
				if rest, ok := strings.CutPrefix(l, "    "); ok {
					return "\t" + rest
				}
				return l
			})
		},
		"a tab a level": func(s string) string {
			return eachLine(s, func(_ int, l string) string {
				if rest, ok := strings.CutPrefix(l, "    "); ok {
					return "\t\t" + rest
				}
				if rest, ok := strings.CutPrefix(l, "  "); ok {
					return "\t" + rest
				}
				return l
			})
		},
		"a margin in a code block": before("    "),
		"a log message":            insert("*Mar  1 00:00:10.123: %SYS-5-CONFIG_I: Configured from console by vty0 (10.0.0.1)\n", 5),
		"log messages in a row":    insert("Mar  1 00:00:10: %LINK-3-UPDOWN: Interface up\nMar  1 00:00:11: %LINEPROTO-5-UPDOWN: Line protocol up\n", 4),
		"a message without a time": insert("%SYS-5-CONFIG_I: Configured from console by console\n", 3),
		"a message of many lines":  insert(installed, 6),
		"a message that wraps":     insert("*Mar  1 00:00:10.123: %SYS-5-CONFIG_I: Configured from console by admin on vty0 \n(10.0.0.1)\n", 7),
		"debugging":                insert("*Mar  1 00:00:10.123: CRYPTO_PKI: Cert record not found\n", 5),
		"a numbered message":       insert("000123: *Mar  1 00:00:10.123 UTC: %SYS-5-CONFIG_I: Configured from console\n", 5),
		"a pager":                  insert(" --More-- \b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b", 9),
		"a pager, \\r":             insert(" --More-- \r         \r", 9),
		"a pager, erased":          insert(" --More-- \r\x1b[K", 4),
		"a pager, in reverse":      insert("\x1b[7m--More--\x1b[27m\x1b[8D\x1b[K", 4),
		"a pager, cleared":         insert("\x1b[7m--More--\x1b[m\x1b[2K\r", 4),
		"a pager, one by one":      insert(" --More-- "+strings.Repeat("\b \b", 10), 4),
		"a pager, one short":       insert(" --More-- "+strings.Repeat("\b \b", 9), 7),
		"another pager":            insert("<--- More --->\r              \r", 4),
		"a pager with a part":      insert("--More--(12%)\r             \r", 4),
		"a pager in other letters": insert("-- more --\r          \r", 4),
		"a pager on its own line":  insert("<--- More --->\n", 4),
		"carriage returns alone":   func(s string) string { return strings.ReplaceAll(s, "\n", "\r") },
		"doubled line ends":        func(s string) string { return strings.ReplaceAll(s, "\n", "\r\r\n\r\n") },
		"tabs at the end":          func(s string) string { return strings.ReplaceAll(s, "\n", "\t\n") },
		"comments":                 before("! "),
		"comments, # and stripped": func(s string) string { return strings.ReplaceAll(before("# ")(s), "# \n", "#\n") },
		"a configuration archive": func(s string) string {
			return "! Lab Switch\n!\n" + before("! ")(s) + "version 17.9\nhostname edge1\n!\nend\n"
		},
		"numbers": func(s string) string {
			return eachLine(s, func(i int, l string) string { return fmt.Sprintf("%6d\t%s", i+1, l) })
		},
		"numbers of grep": func(s string) string {
			return eachLine(s, func(i int, l string) string { return fmt.Sprintf("%d:%s", i+1, l) })
		},
		"a part before it": func(s string) string {
			host, _, _ := strings.Cut(s, "#")
			return host + "#show crypto pki trustpool | begin QuoVadis\n    cn=QuoVadis Root CA 2\n" + xeEntry("01", "Built-In", "cn=Lab Root: 1") + host + "#sh cry pki trustp | i Trustpool\n  Trustpool: Built-In\n" + s + "\n"
		},
		"what a playbook prints": func(s string) string {
			return "PLAY [all] ***\n\nTASK [show] ***\nok: [edge1]\n\nTASK [debug] ***\n\x1b[0;32mok: [edge1] => {\x1b[0m\n\x1b[0;32m    \"msg\": " + jsonString(s) + "\x1b[0m\n\x1b[0;32m}\x1b[0m\n\nPLAY RECAP ***\nedge1 : ok=2\n"
		},
		"colours": insert("\x1b[0m\x1b[K", 2),
		"other commands": func(s string) string {
			host, _, _ := strings.Cut(s, "#")
			return host + "#terminal length 0\n" + host + "#show crypto pki certificates\n" + certificates + "\n" + host + "#show version\nCisco IOS XE Software\n" + s + "show crypto pki certificates\n" + certificates + host + "#exit\n"
		},
		"other commands, shortened": func(s string) string {
			host, _, _ := strings.Cut(s, "#")
			return host + "#sh cry pki cert\n" + certificates + strings.Replace(s, "show crypto pki trustpool", "sh cry pki trustp", 1) + "sh cl\n10:00:00.1 UTC Mon Mar 3 2025\n"
		},
		"a policy and a count": func(s string) string {
			host, _, _ := strings.Cut(s, "#")
			return host + "#show crypto pki trustpool policy\nTrustpool policy revocation order: crl\n" + host + "#show crypto pki trustpool | count Downloaded\nNumber of lines which match regexp = 93\n" + s + "\n"
		},
		"the configuration mode": func(s string) string { return strings.Replace(s, "#show", "(config)#do show", 1) },
		"registered": func(s string) string {
			return "{\n \"changed\": false,\n \"stdout\": [\n  " + jsonString(s) + "\n ],\n \"stdout_lines\": [\n  " + list(s) + "\n ]\n}\n"
		},
		"registered, lines alone": func(s string) string { return `{"result": {"stdout_lines": [` + list(s) + `]}}` },
		"registered, under a host": func(s string) string {
			return `{"edge1": {"ansible_facts": {}, "failed": false, "stdout": [` + jsonString("Cisco IOS XE Software\nedge1 uptime is 1 day") + "," + jsonString(s) + `]}}`
		},
		"registered, results": func(s string) string {
			return `{"results": [{"item": "show version", "stdout": ["Cisco IOS XE"]}, {"item": "show crypto pki trustpool", "stdout": [` + jsonString(s) + `], "stdout_lines": [` + list(s) + `]}]}`
		},
		"ad hoc": func(s string) string { return "edge1 | SUCCESS => {\n    \"stdout\": [" + jsonString(s) + "]\n}\n" },
		"titles and sets of characters": func(s string) string {
			return "\x1b]0;edge1\x07" + eachLine(s, func(_ int, l string) string { return "\x1b(B\x1b[m" + l + "\x1b7" })
		},
		"quoted-printable": func(s string) string {
			return strings.NewReplacer("=", "=3D", " \n", "=20\n", "-More", "=\n-More").Replace(s)
		},
		"a string alone":      jsonString,
		"a block of a ticket": func(s string) string { return "{noformat}\n" + s + "\n{noformat}\n" },
		"debug":               func(s string) string { return "ok: [edge1] => {\n    \"result.stdout[0]\": " + jsonString(s) + "\n}\n" },
		"one string":          func(s string) string { return `{"output": ` + jsonString(s) + `}` },
		"lines of JSON":       func(s string) string { return strings.Trim(list(s), "[]\n ") + "\n" },
		"a list of YAML": func(s string) string {
			return eachLine(s, func(_ int, l string) string { return "    - '" + strings.ReplaceAll(l, "'", "''") + "'" })
		},
	}
	for _, prefix := range []string{
		"[10.0.0.1] ", "10.0.0.1: ", "edge1 | ", "edge1: ", "[2001:db8::1] ", "ok: [edge1] => ", "stdout| ", "* ", "+ ", "// ", "INFO:root:", "edge1\t", "edge1.txt:", "2024-03-07 11:22:33,123 - INFO - ",
		"Mar  7 11:22:33 edge1 capture[12]: ", "<13>Mar  7 11:22:33 edge1 capture: ", "<13>1 2024-03-07T11:22:33Z edge1 capture - - - ", "1709810553 ", "1709810553.123 ", "20240307-112233 ",
	} {
		out["a prefix "+prefix] = before(prefix)
		out["a prefix without blanks at ends "+prefix] = func(s string) string {
			return eachLine(s, func(_ int, l string) string { return strings.TrimRight(prefix+l, " ") })
		}
	}
	for _, stamp := range []string{
		"[2024-03-07 11:22:33.444] ", "[11:22:33] ", "[11:22:33.444] ", "(11:22:33) ", "<11:22:33> ", "11:22:33 ", "11:22:33.444 | ", "2024-03-07 11:22:33 ", "2024-03-07 11:22:33,123: ",
		"2024-03-07T11:22:33+01:00 ", "2024-03-07T11:22:33.123Z ", "[Thu Mar 07 11:22:33.444 2024] ", "[Thu Mar  7 11:22:33 2024] ", "Mar 07 11:22:33 ", "[07/03/2024 11:22:33] ", "[7 Mar 2024 11:22:33] ",
		"[2024/03/07 11:22:33] ", "[2024-03-07 11:22:33.444]", "11:22:33 -> ", "[   12.345678] ", "2024-03-07_11:22:33: ", "[11:22:33 AM] ",
		"[2024-03-07 11:22:33.444 UTC] ", "[1709810553.123] ", "[20240307-112233] ", "[3/7/2024 9:22:33 AM] ",
	} {
		out["a time "+stamp] = before(stamp)
		out["a time that goes on "+stamp] = goingOn(stamp)
	}
	for _, syslog := range []string{"<13>Mar  7 11:22:33 ", "<13>1 2024-03-07T11:22:33Z ", "<13>Mar  7 11:22:33 edge1 capture: ", "<13>1 2024-03-07T11:22:33Z edge1 capture - - - "} {
		out["syslog "+syslog] = goingOn(syslog)
	}
	return out
}

// goingOn puts a time before each line, of which the seconds, or the last digit, go on.
func goingOn(stamp string) func(string) string {
	at := strings.Index(stamp, "33") + 1
	if at == 0 {
		at = strings.LastIndexAny(stamp, "0123456789")
	}
	return func(s string) string {
		return eachLine(s, func(i int, l string) string { return stamp[:at] + strconv.Itoa(i%10) + stamp[at+1:] + l })
	}
}

// The same pool is read however it was captured.
func TestReadNoise(t *testing.T) {
	t.Parallel()
	text := shownXE("edge1")
	want := without(readBack(t, show.IOSXE, text))
	if len(want) != 3 || len(want[1].Issuer) != 6 {
		t.Fatalf("%+v", want)
	}
	for name, change := range noises() {
		got, err := show.Read([]byte(change(text)), show.IOSXE)
		if err != nil || !reflect.DeepEqual(without(got), want) {
			t.Errorf("%s: %v\n%+v\n%s", name, err, got, change(text)[:400])
		}
	}
}

// What a pager wrote is gone, behind a prefix too: nothing of its mark is left in a name.
func TestReadPagerBehindPrefix(t *testing.T) {
	t.Parallel()
	text := shownXE("edge1")
	want := without(readBack(t, show.IOSXE, text))
	all := noises()
	for pager, page := range all {
		for prefix, before := range all {
			if !strings.Contains(pager, "pager") || !strings.HasPrefix(prefix, "a prefix ") {
				continue
			}
			for n := range 4 { // so that the mark is on other lines
				captured := before(page(strings.Repeat("edge1#\n", n) + text))
				got, err := show.Read([]byte(captured), show.IOSXE)
				if err == nil && !reflect.DeepEqual(without(got), want) {
					t.Errorf("%s, %s: %+v\n%s", pager, prefix, got, captured[:400])
				}
			}
		}
	}
}

func without(list []show.Shown) []show.Shown {
	for i := range list {
		list[i].Line = 0
	}
	return list
}

// interleave takes the lines of two texts in turn.
func interleave(a, b string) string {
	var out strings.Builder
	other := strings.SplitAfter(b, "\n")
	for i, l := range strings.SplitAfter(a, "\n") {
		out.WriteString(l + other[i])
	}
	return out.String()
}

// What cannot be told is refused, and names the command that is wanted.
func TestReadCannotTell(t *testing.T) {
	t.Parallel()
	text := shownXE("edge1")
	const want = "give the whole output of show crypto pki trustpool"
	shownBody := strings.TrimSuffix(strings.TrimPrefix(text, "edge1#show crypto pki trustpool\n"), "edge1#")
	for _, test := range []struct{ name, text, want string }{
		{"the other command", "edge1#show crypto pki certificates\n" + certificates, "this is what show crypto pki certificates prints, which shows the certificates of trustpoints: " + want},
		{"the other command, shortened", "edge1#sh cry pki cert\n" + certificates[:420], "this is what show crypto pki certificates prints"},
		{"the other command, no prompt", certificates, "this is what show crypto pki certificates prints"},
		{"the other command, device's alone", certificates[strings.Index(certificates, "\nCertificate\n")+1:], "this is what show crypto pki certificates prints"},
		{"a configuration", "crypto pki certificate pool\n cabundle nvram:ios_core.p7b\n!\n", "it is a running configuration, which says in which file IOS XE keeps its pool: nvram:ios_core.p7b: " + want},
		{"a whole configuration", "Building configuration...\n\nCurrent configuration : 1 bytes\n!\nversion 17.9\n!\ncrypto pki trustpoint LAB\n enrollment terminal\n", "it is a running configuration: " + want},
		{"a configuration after its command", "edge1#show running-config\nversion 17.9\ncrypto pki certificate pool\n cabundle nvram:ios_core.p7b\n", "nvram:ios_core.p7b"},
		{"a version", "edge1#show version\nCisco IOS XE Software\nedge1#", `no certificate in it, but the output of "show version": ` + want},
		{"a policy", "edge1#show crypto pki trustpool policy\nTrustpool policy revocation order: crl\nedge1#", `the output of "show crypto pki trustpool policy"`},
		{"two captures", text + "\n" + text + "\n", "a second capture begins"},
		{"two devices", text + "\n" + shownXE("edge2") + "\n", "a second capture begins"},
		{"two devices in JSON", `{"edge1": {"stdout": [` + jsonString(text) + `]}, "edge2": {"stdout": [` + jsonString(text) + `]}}`, "the output of several devices or commands: edge1.stdout[0], edge2.stdout[0]; give one at a time"},
		{"two commands in JSON", `{"stdout": [` + jsonString(text) + "," + jsonString(text) + `]}`, "the output of several devices or commands: stdout[0], stdout[1]"},
		{"JSON of something else", `{"stdout": ["Cisco IOS XE"], "changed": false}`, "JSON without the output of show crypto pki trustpool"},
		{"JSON cut short", `{"stdout": [` + jsonString(text), "JSON that cannot be read"},
		{"two documents", `{"stdout": [` + jsonString(text) + `]}{"stdout": []}`, "more than one document"},
		{"two hosts of a playbook", "TASK [debug] ***\nok: [edge1] => {\n    \"msg\": " + jsonString(text) + "\n}\nok: [edge2] => {\n    \"msg\": " + jsonString(text) + "\n}\n", "the output of several devices or commands: edge1[0].msg, edge2[0].msg"},
		{"two devices, line by line", interleave(before("[10.0.0.1] ")(text), before("[10.0.0.2] ")(text)), "no certificate in it"},
		{"two ports, line by line", interleave(before("10.0.0.1:22: ")(text), before("10.0.0.1:23: ")(text)), "no certificate in it"},
		{"written line breaks", "'" + strings.ReplaceAll(text, "\n", `\n`) + "'", `its line breaks are written as \n`},
		{"two devices without prompts", shownBody + "===== edge2 =====\n" + shownBody, "what is built in is shown again, so a second capture has begun before"},
		{"the rest from a word on", strings.Replace(text, "trustpool\n", "trustpool | begin QuoVadis\n", 1), `"show crypto pki trustpool | begin QuoVadis" shows a part of the pool: ` + want},
		{"a section, no prompt", "sh cry pki trustp | sec Certificate\n" + shownBody, "shows a part of the pool"},
		{"IOS XR", "Trustpool: Built-In\n====\nCA certificate\n  Serial Number  : 01\n", "this is what IOS XR prints"},
		{"NETCONF", "<?xml version=\"1.0\"?>\n<rpc-reply/>\n", "it is XML; " + want},
		{"a page", "<!DOCTYPE html>\n<html><body>Log in</body></html>\n", "it is an HTML page; " + want},
		{"PEM", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "it is PEM; " + want},
		{"what a parser made", `{"ca_certificate": {"1": {"status": "Available", "trustpool": "Built-In"}}}`, "what RESTCONF or a parser makes of it is not read"},
		{"a serial number broken", strings.Replace(text, "0509", "05\n09", 1), "the serial number goes on in this line"},
		{"no name", strings.Replace(text, "  Subject: \n    cn=QuoVadis Root CA 2\n    o=QuoVadis Limited\n    c=BM\n", "  Subject: \n", 1), "an issuer or a subject without a name"},
		{"a pool file", `{"schema": "trustpool.pool/1", "entries": []}`, `this is a document of trustpool, "trustpool.pool/1"`},
		{"JSON of another command", `{"stdout": [` + jsonString("edge1#show crypto pki certificates\n"+certificates) + `]}`, "stdout[0]: this is what show crypto pki certificates prints"},
		{"deep JSON", strings.Repeat("[", 1000) + "[\"", "more than 64 levels"},
		{"a message within a line", strings.Replace(text, "o=QuoVadis Limited", "o=QuoVa*Mar  1 00:00:10.123: %SYS-5-CONFIG_I: Configured from console\ndis Limited", 1), "a message of the device begins within this line"},
		{"a message within a value", strings.Replace(text, "     Inc. -", "*Mar  1 00:00:10.123: %SYS-5-CONFIG_I: Configured\n     Inc. -", 1), "whether it belongs to the message or to the issuer cannot be told"},
		{"tabs and blanks", strings.Replace(text, "    o=QuoVadis Limited", "\to=QuoVadis Limited", 1), "are indented with tabs and without"},
		{"a name broken by a mail", "> " + strings.ReplaceAll(strings.Replace(text, "Primary Certification", "Primary\nCertification", 1), "\n", "\n> "), `"Certification Authority - G5" is neither a field nor`},
		{"a name broken, no quotation", strings.Replace(text, "Primary Certification", "Primary\nCertification", 1), `"Certification Authority - G5" is neither a field nor`},
	} {
		list, err := show.Read([]byte(test.text), show.IOSXE)
		if err == nil || list != nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v\nwant %s", test.name, err, test.want)
		}
	}
}

// A terminal of 80 columns breaks lines; where they were is known by their length.
func TestReadWrapped(t *testing.T) {
	t.Parallel()
	wrap := func(s string, width int) string {
		var b strings.Builder
		for l := range strings.Lines(s) {
			l = strings.TrimSuffix(l, "\n")
			for len(l) > width {
				b.WriteString(l[:width] + "\n")
				l = l[width:]
			}
			b.WriteString(l + "\n")
		}
		return b.String()
	}
	long := []string{"cn=Lab Public Primary Certification Authority For The Whole Of The Laboratory - Generation 5, and all that is below", "o=Lab"}
	for _, width := range []int{80, 132, 60, 72} {
		for pad := range 30 {
			name := []string{"cn=" + strings.Repeat("x", pad) + long[0][3:], long[1]}
			name[0] = strings.ReplaceAll(name[0], ",", "")
			text := "edge1#show crypto pki trustpool\n" + xeEntry("01", "Built-In", name...) + "\nedge1#"
			want := without(readBack(t, show.IOSXE, text))
			got, err := show.Read([]byte(wrap(text, width)), show.IOSXE)
			if err == nil && !reflect.DeepEqual(without(got), want) {
				t.Errorf("%d, %d: read as another: %q", width, pad, got[0].Issuer)
			}
			if err != nil && width >= 80 && name[0][width-4-1] != ' ' {
				t.Errorf("%d, %d: %v", width, pad, err)
			}
			xr := "Trustpool: Built-In\n==================================================\nCA certificate\n  Serial Number  : 05:09\n  Subject:\n        " + strings.ToUpper(name[0][:2]) + name[0][2:] + ",O=Lab\n" +
				"  Issued By      :\n        CN=A\n  Validity Start : 18:27:00 UTC Fri Nov 24 2006\n  Validity End   : 18:23:33 UTC Mon Nov 24 2031\n  SHA1 Fingerprint:\n        CA3AFBCF1240364B44B216208880483919937CF7\n"
			want = without(readBack(t, show.IOSXR, xr))
			got, err = show.Read([]byte(wrap(xr, width)), show.IOSXR)
			if err == nil && !reflect.DeepEqual(without(got), want) {
				t.Errorf("%d, %d: IOS XR read as another: %q", width, pad, got[0].Subject)
			}
		}
	}
}

// How wide a terminal is shows where it broke several lines, whatever width that is; as
// many blanks at ends as a mail leaves do not matter, and a line that is not one does.
func TestReadAnyWidth(t *testing.T) {
	t.Parallel()
	const long = "cn=Lab Public Primary Certification Authority For The Whole Of The Laboratory - Generation 5 x=y and all"
	xe, xr := "edge1#show crypto pki trustpool\n", ""
	for i := range 6 {
		name := []string{long[:3] + strings.Repeat("X", i) + long[3:], "o=Łab"}
		xe += xeEntry("0123456789ABCDEF0123456789ABCDEF", "Built-In", name...) + "\n"
		xr += "Trustpool: Built-In\n==================================================\nCA certificate\n  Serial Number  : 01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF\n" +
			"  Subject:\n        CN=" + name[0][3:] + ",O=Łab,ST=Bonn\n  Issued By      :\n        CN=" + name[0][3:] + ",O=Łab,ST=Bonn\n" +
			"  Validity Start : 18:27:00 UTC Fri Nov 24 2006\n  Validity End   : 18:23:33 UTC Mon Nov 24 2031\n  SHA1 Fingerprint:\n        CA3AFBCF1240364B44B216208880483919937CF7\n"
	}
	xe += "edge1#"
	for style, text := range map[show.Style]string{show.IOSXE: xe, show.IOSXR: xr} {
		want := without(readBack(t, style, text))
		for width := 50; width < 128; width++ {
			var b strings.Builder
			for l := range strings.Lines(text) {
				runes := []rune(strings.TrimSuffix(l, "\n"))
				for len(runes) > width {
					b.WriteString(string(runes[:width]) + "\n")
					runes = runes[width:]
				}
				b.WriteString(string(runes) + "\n")
			}
			got, err := show.Read([]byte(b.String()), style)
			if err != nil || !reflect.DeepEqual(without(got), want) {
				t.Errorf("%s, %d: %v %+v", style, width, err, got)
			}
			got, err = show.Read([]byte(strings.ReplaceAll(b.String(), " \n", "\n")), style)
			if err == nil && !reflect.DeepEqual(without(got), want) {
				t.Errorf("%s, %d, without blanks at ends: read as another: %+v", style, width, got)
			}
		}
	}
}

// IOS XR is read in the same noise; names are not glued there either.
func TestReadNoiseXR(t *testing.T) {
	t.Parallel()
	entry := func(serial string) string {
		return "Trustpool: Built-In\n==================================================\nCA certificate\n  Serial Number  : " + serial + "\n  Subject:\n        CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM\n" +
			"  Issued By      :\n        CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM\n  Validity Start : 18:27:00 UTC Fri Nov 24 2006\n  Validity End   : 18:23:33 UTC Mon Nov 24 2031\n" +
			"  SHA1 Fingerprint:\n        CA3AFBCF1240364B44B216208880483919937CF7\n"
	}
	const prompt, message = "RP/0/RP0/CPU0:edge1#", "RP/0/RP0/CPU0:Apr  1 10:25:53.100 UTC: config[65710]: %MGBL-SYS-5-CONFIG_I : Configured from console by admin\n"
	other := prompt + "show crypto ca certificates\n" + strings.Replace(entry("01"), "Trustpool: Built-In", "Trustpoint       : LAB", 1)
	text := prompt + "show crypto ca trustpool\nWed Apr  1 10:25:52.995 UTC\n" + entry("05:09") + entry("05:0A") + prompt + "\n"
	want := without(readBack(t, show.IOSXR, text))
	for name, captured := range map[string]string{
		"times":             before("[2024-03-07 11:22:33.444] ")(text),
		"mail":              before("> ")(text),
		"a message":         strings.ReplaceAll(text, "        CN=", message+"        CN="),
		"another message":   strings.ReplaceAll(text, "  Validity End", message+"  Validity End"),
		"commands before":   other + text,
		"commands after":    text + other,
		"registered":        `{"stdout": [` + jsonString(text) + `], "stdout_lines": [` + list(text) + `]}`,
		"a policy as well":  text + prompt + "show crypto ca trustpool policy\nTrustpool Policy\n",
		"without a command": entry("05:09") + entry("05:0A"),
	} {
		if got := without(readBack(t, show.IOSXR, captured)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for captured, want := range map[string]string{
		other:       "this is what show crypto ca certificates prints",
		text + text: "a second capture begins",
		entry("05:09") + entry("05:0A") + "edge2:\n" + entry("05:09") + entry("05:0A"): "what is built in is shown again",
		strings.Replace(text, "trustpool\n", "trustpool | begin QuoVadis\n", 1):        "shows a part of the pool",
		shownXE("edge1"): "this is what IOS XE prints",
		strings.Replace(text, "05:09", "05:\n09", 1): `the serial number "05:" is not hex in whole bytes`,
		strings.Replace(text, "05:09", "05\n:09", 1): "the serial number goes on in this line",
		strings.Replace(text, ",C=BM", ",", 1):       "is not a name",
		strings.Replace(text, "  Issued By      :\n        CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM\n", "  Issued By      :\n", 1): "an issuer or a subject without a name",
		strings.Replace(text, "QuoVadis Limited", "QuoVadis\nLimited", 1):                                                               "is neither a field nor, after the name, a part of it",
	} {
		if _, err := show.Read([]byte(captured), show.IOSXR); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// NX-OS is read by the documented fields, in JSON and as text.
func TestReadNXOS(t *testing.T) {
	t.Parallel()
	const rows = `{"serial-number": "05:09", "subject": "CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM", "issued-by": "CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM", "validity-start": "18:27:00 UTC Fri Nov 24 2006", "validity-end": "18:23:33 UTC Mon Nov 24 2031"}`
	const other = `{"serial-number": "01", "subject": "CN=A\\, B,O=VeriSign\\, Inc.", "issued-by": "CN=A\\, B,O=VeriSign\\, Inc.", "validity-start": "00:00:00 UTC Jan 29 1996", "validity-end": "23:59:59 UTC Aug 02 2028"}`
	list := readBack(t, show.NXOS, `{"TABLE_ca_trustpool": {"ROW_ca_trustpool": [`+rows+`, `+other+`]}}`)
	if len(list) != 2 || list[0].Serial != "0509" || list[0].Origin != "" || !reflect.DeepEqual(list[0].Subject, []string{"cn=QuoVadis Root CA 2", "o=QuoVadis Limited", "c=BM"}) ||
		!reflect.DeepEqual(list[1].Issuer, []string{"cn=A", " B", "o=VeriSign", " Inc."}) || !list[1].NotAfter.Known() {
		t.Errorf("%+v", list)
	}
	// A name is shown in the lines of IOS XE, whatever escapes it has and if it has none.
	for name, want := range map[string][]string{
		`CN=Lab\\C3\\A9+OU=B,O=C`: {"cn=Labé+ou=B", "o=C"},
		`CN=Lab, Inc.,A\\+B, O=C`: {"cn=Lab", " Inc.", " A+B", "o=C"},
		`CN=Lab\\x07,1.2.3=#01`:   {`cn=Lab\x07`, "1.2.3=#01"},
	} {
		row := strings.ReplaceAll(rows, "CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM", name)
		if list := readBack(t, show.NXOS, `{"TABLE_ca_trustpool": {"ROW_ca_trustpool": `+row+`}}`); !reflect.DeepEqual(list[0].Subject, want) {
			t.Errorf("%s: %q", name, list[0].Subject)
		}
	}
	for name, text := range map[string]string{
		"one row":  `{"TABLE_ca_trustpool": {"ROW_ca_trustpool": ` + rows + `}}`,
		"NX-API":   `{"ins_api": {"outputs": {"output": {"code": "200", "body": {"TABLE_ca_trustpool": {"ROW_ca_trustpool": ` + rows + `}}}}}}`,
		"Ansible":  `{"stdout": [{"TABLE_ca_trustpool": {"ROW_ca_trustpool": [` + rows + `]}}]}`,
		"text":     "n9k# show crypto ca trustpool\nTrustpool: Built-In\n==========\nCA certificate\n  Serial Number  : 05:09\n  Subject:\n        CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM\n  Issued By      :\n        CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM\n  Validity Start : 18:27:00 UTC Fri Nov 24 2006\n  Validity End   : 18:23:33 UTC Mon Nov 24 2031\nn9k#",
		"as named": "serial-number: 05:09\nsubject: CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM\nissued-by: CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM\nvalidity-start: 18:27:00 UTC Fri Nov 24 2006\nvalidity-end: 18:23:33 UTC Mon Nov 24 2031\n",
	} {
		if got := without(readBack(t, show.NXOS, text)); !reflect.DeepEqual(got, list[:1]) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// Without the line that begins a certificate elsewhere, what is before lines is known by its kind.
	const fields = "  Serial Number  : 05:09\n  Subject: CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM\n  Issued By: CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM\n  Validity Start : 18:27:00 UTC Fri Nov 24 2006\n  Validity End   : 18:23:33 UTC Mon Nov 24 2031\n"
	for name, change := range map[string]func(string) string{"quoted": before("> "), "quoted twice": before("> > "), "a comment": before("! "), "comments": before("# "), "a time that goes on": goingOn("[11:22:33] ")} {
		if got := without(readBack(t, show.NXOS, change(fields))); !reflect.DeepEqual(got, list[:1]) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for text, want := range map[string]string{
		`{"TABLE_ca_trustpool": {"ROW_ca_trustpool": [` + strings.Replace(rows, `"subject"`, `"other"`, 1) + `]}}`: "ROW_ca_trustpool[0] has no subject",
		`{"TABLE_ca_trustpool": {"ROW_ca_trustpool": [` + strings.Replace(rows, "Nov 24 2031", "soon", 1) + `]}}`:  "ROW_ca_trustpool[0].validity-end: ",
		`{"TABLE_ca_trustpool": {}}`: "no certificate in it",
		`{"TABLE_ca_trustpool": 5}`:  "neither an object nor a list",
		`{"x": 5}`:                   "JSON without TABLE_ca_trustpool",
		"serial-number: 05:09\nsubject: CN=A\nserial-number: 05:10\n": "has no issuer",
		"subject: CN=A\n":                          "the subject of a certificate whose beginning is missing",
		"serial-number: 05:09\nsubject: CN=A\nB\n": "is neither a field nor, after the name, a part of it",
	} {
		if list, err := show.Read([]byte(text), show.NXOS); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v %+v", text, err, list)
		}
	}
}

// FuzzNoise wraps a pool in noise, several kinds at once, and then changes bytes of
// it: what is read is the same pool, or it is an error.
func FuzzNoise(f *testing.F) {
	kinds := noises()
	var names []string
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	for i := range names {
		f.Add(uint64(i), uint8(2))
	}
	text := shownXE("edge1")
	list, err := show.Read([]byte(text), show.IOSXE)
	if err != nil {
		f.Fatal(err)
	}
	want := without(list)
	f.Fuzz(func(t *testing.T, seed uint64, n uint8) {
		random := rand.New(rand.NewPCG(seed, 1))
		captured := text
		var used []string
		for range n % 4 {
			name := names[random.IntN(len(names))]
			used = append(used, name)
			captured = kinds[name](captured)
		}
		if n > 128 { // lines are lost, or stand twice
			lines := strings.SplitAfter(captured, "\n")
			at := random.IntN(len(lines))
			if seed%2 == 0 {
				lines[at] += lines[at]
			} else if isBlank(lines[at]) || strings.Contains(lines[at], "Inc.") || strings.Contains(lines[at], "=") {
				return // what no reader can miss
			} else {
				lines[at] = ""
			}
			captured = strings.Join(lines, "")
		}
		got, err := show.Read([]byte(captured), show.IOSXE)
		if err != nil {
			return
		}
		if n > 128 {
			if len(got) != len(want) {
				t.Fatalf("%q: %d certificates\n%s", used, len(got), captured)
			}
			return
		}
		for i := range got {
			if got[i].Lossy {
				return
			}
		}
		if !reflect.DeepEqual(without(got), want) {
			t.Fatalf("%q: read as %s\n%s", used, fmt.Sprint(got), captured)
		}
	})
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }
