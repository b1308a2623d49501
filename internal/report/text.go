package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable makes text from a certificate safe to print: control characters,
// line breaks, invisible and bidirectional formatting characters and bytes that
// are not UTF-8 become escapes, as Go writes them in a string. Anything else stays.
func Printable(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r == utf8.RuneError || !printable(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case printable(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += n
	}
	return b.String()
}

// maxComment is less than the base64 of any certificate.
const maxComment = 160

// Cut returns the beginning of s, at most limit bytes of it, with an ellipsis if that is not all.
func Cut(s string, limit int) string {
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}

// Comment makes text from a certificate safe for a comment in a PEM file: it is
// printable, and nothing in it can be taken for a PEM block or for base64 of a
// certificate.
func Comment(s string) string {
	return Cut(strings.ReplaceAll(Printable(s), "-----", `----\x2d`), maxComment)
}

// printable reports whether a character shows as itself: the space counts, other
// white space and everything of Unicode's category C do not, nor do variation
// selectors, fillers and others that fonts leave out.
func printable(r rune) bool {
	if r < utf8.RuneSelf {
		return ' ' <= r && r <= '~'
	}
	return unicode.IsPrint(r) && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// NotACertificate takes the place of the name of an entry that cannot be decoded.
const NotACertificate = "not a certificate"

// Markdown makes text safe within Markdown, in a table too: on one line, and
// nothing in it is markup (CommonMark 0.31 sections 2.4, 2.5), HTML, or a link that
// a renderer makes of a web address by itself (GitHub Flavored Markdown section 6.9).
func Markdown(s string) string { return markdown.Replace(Printable(s)) }

// A bar ends a cell even after a backslash in some renderers, and so does a
// backtick a code span; as entities they never do.
var markdown = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", "`", "&#96;", "$", "&#36;",
	`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "~", `\~`, "#", `\#`,
	"://", "&#58;//", "www.", "www&#46;",
)
