// Package docs has the documents that the program and its manual pages show.
package docs

import (
	_ "embed" // for the documents below
	"fmt"
	"strings"
)

var (
	// Formats is formats.md: what is read, and every field of what is written.
	//
	//go:embed formats.md
	Formats string
	// Recipe is recipe.md: the file that says how a bundle is made.
	//
	//go:embed recipe.md
	Recipe string
)

// Untabled returns a document below its title with each row of a table as a
// paragraph of its own, made by row from the first cell and the rest: neither man nor
// a terminal breaks the lines within cells.
func Untabled(document string, row func(term, meaning string) string) string {
	var b strings.Builder
	lines := strings.SplitAfter(document, "\n")
	rule := func(i int) bool { return i < len(lines) && strings.HasPrefix(lines[i], "|---") } // below the head of a table
	for i, line := range lines {
		text := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "# "), strings.HasPrefix(line, "<!--"), rule(i), rule(i + 1):
		case strings.HasPrefix(text, "|"):
			cells := strings.Split(strings.Trim(strings.ReplaceAll(text, `\|`, "¦"), "| "), " | ")
			b.WriteString(strings.ReplaceAll(row(strings.ReplaceAll(cells[0], "`", ""), strings.Join(cells[1:], "; ")), "¦", "|"))
		default:
			b.WriteString(line)
		}
	}
	return b.String()
}

// Text sets a document for a terminal of the given width.
func Text(document string, width int) string {
	document = Untabled(document, func(term, meaning string) string { return fmt.Sprintf("\n  %s: %s\n\n", term, meaning) })
	var b strings.Builder
	blank := true // the line before is
	for paragraph := range strings.SplitSeq(document, "\n\n") {
		for _, block := range blocks(paragraph) {
			indent := block[:len(block)-len(strings.TrimLeft(block, " "))]
			text := strings.TrimLeft(block, " #")
			switch {
			case strings.HasPrefix(block, "#"):
				text = strings.ToUpper(text)
			case strings.HasPrefix(text, "- "), indent != "":
				indent += "  "
			}
			wrap(&b, strings.TrimSpace(strings.ReplaceAll(text, "`", "")), block[:len(block)-len(strings.TrimLeft(block, " "))], indent, width)
			blank = false
		}
		if !blank {
			b.WriteByte('\n')
			blank = true
		}
	}
	return strings.TrimSpace(b.String()) + "\n"
}

// blocks are the parts of a paragraph that begin a line: its items and indented lines,
// or all of it.
func blocks(paragraph string) []string {
	var out []string
	for line := range strings.Lines(strings.Trim(paragraph, "\n")) {
		line = strings.TrimRight(line, "\n")
		if len(out) > 0 && !strings.HasPrefix(line, "- ") && !strings.HasPrefix(line, "    ") && !strings.HasPrefix(line, "#") {
			out[len(out)-1] += " " + strings.TrimSpace(line)
		} else {
			out = append(out, line)
		}
	}
	return out
}

// wrap writes text in lines of at most width, broken at spaces, and within a word that
// is too long after commas and slashes.
func wrap(b *strings.Builder, text, first, rest string, width int) {
	line := first
	for word := range strings.FieldsSeq(text) {
		for word != "" {
			space := " "
			if strings.TrimSpace(line) == "" {
				space = ""
			}
			if len([]rune(line+space+word)) <= width {
				line, word = line+space+word, ""
				continue
			}
			if space != "" {
				b.WriteString(line + "\n")
				line = rest
				continue
			}
			cut := strings.LastIndexAny(word[:min(len(word), width-len(line))], ",/") + 1
			if cut == 0 {
				cut = min(len(word), width-len(line))
			}
			b.WriteString(line + word[:cut] + "\n")
			line, word = rest, word[cut:]
		}
	}
	if strings.TrimSpace(line) != "" {
		b.WriteString(line + "\n")
	}
}
