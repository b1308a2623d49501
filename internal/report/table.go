package report

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"io"
	"iter"
	"slices"
	"strings"
)

// A Kind says what a column of a table has, and so what becomes of it on a narrow screen.
type Kind int

// The kinds.
const (
	Word   Kind = iota // is not cut
	Number             // is not cut, and is aligned to the right
	Name               // is cut in the middle
	Prose              // goes on in the next line, at a blank
	Hash               // keeps its first digits
)

// A Column of a table.
type Column struct {
	Title string
	Kind  Kind
	// Drop is the turn at which a screen that is too narrow does without the column,
	// from 1; 0 for never.
	Drop int
}

const (
	gap        = 2  // blanks between columns
	shortHash  = 8  // digits that a hash keeps
	nameFloor  = 24 // columns that a name needs before others have to go
	proseFloor = 20
)

// Long is the width of a last column for Reserve if it has not been measured.
const Long = 1 << 10

// A Table in text has a line for its titles, if there are any, and a line for each row.
// On a screen that it is too wide for the names are cut, then the hashes, and then columns
// are left out, which the last line says. Elsewhere it is as wide as it has to be.
type Table struct {
	w       *bufio.Writer
	screen  Screen
	columns []Column
	rows    [][]string
	widths  []int // of the columns; -1 for one that is left out. Nil until they are known.
}

// Table returns a table that Flush writes to w, which leads to the screen.
func (s Screen) Table(w io.Writer, columns ...Column) *Table {
	t := &Table{w: bufio.NewWriter(w), screen: s, columns: columns}
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.Title
	}
	if strings.Join(titles, "") != "" {
		t.rows = append(t.rows, titles)
	}
	return t
}

// Reserve says how wide the columns are, in front of all rows, so that each is written at
// once: none is kept in memory.
func (t *Table) Reserve(widths ...int) {
	for i, c := range t.columns {
		widths[i] = max(widths[i], len(c.Title))
	}
	t.widths = fit(t.columns, widths, t.screen.Width)
	for _, row := range t.rows {
		t.write(row)
	}
}

// Row adds a row, of a cell for each column: text that is printable, and may be painted.
func (t *Table) Row(cells ...string) {
	if t.widths != nil {
		t.write(cells)
		return
	}
	t.rows = append(t.rows, cells)
}

// Flush writes what is not written yet.
func (t *Table) Flush() error {
	if t.widths == nil {
		natural := make([]int, len(t.columns))
		for _, row := range t.rows {
			for i, cell := range row {
				natural[i] = max(natural[i], Columns(cell))
			}
		}
		t.Reserve(natural...)
	}
	var left []string
	for i, c := range t.columns {
		if t.widths[i] < 0 && c.Title != "" {
			left = append(left, c.Title)
		}
	}
	if left != nil {
		_, _ = t.w.WriteString("not shown: " + strings.Join(left, ", ") + "; --wide shows all\n")
	}
	return t.w.Flush() // a bufio.Writer keeps its first error
}

// fit gives each column its width on a screen.
func fit(columns []Column, natural []int, limit int) []int {
	out := append([]int{}, natural...)
	if limit <= 0 {
		return out
	}
	last := 0
	for _, c := range columns {
		last = max(last, c.Drop)
	}
	for turn := range last + 1 {
		for _, short := range []bool{false, true} {
			// What cannot be cut, and what the others have and need.
			fixed, soft, need := -gap, 0, 0
			for i, c := range columns {
				out[i] = natural[i]
				switch {
				case c.Drop > 0 && c.Drop <= turn:
					out[i] = -1
					continue
				case c.Kind == Hash && short:
					out[i] = min(natural[i], shortHash)
					fixed += out[i]
				case c.Kind == Name:
					soft, need = soft+natural[i], need+min(natural[i], nameFloor)
				case c.Kind == Prose:
					soft, need = soft+natural[i], need+min(natural[i], proseFloor)
				default:
					fixed += out[i]
				}
				fixed += gap
			}
			room := limit - fixed
			if room < need && (turn < last || !short) {
				continue
			}
			if soft > room {
				share(columns, out, max(room, 0))
			}
			return out
		}
	}
	return out
}

// share gives the columns that can be cut the room that there is: those that need no more
// than an equal part have what they need.
func share(columns []Column, widths []int, room int) {
	var open []int
	for i, c := range columns {
		if widths[i] >= 0 && (c.Kind == Name || c.Kind == Prose) {
			open = append(open, i)
		}
	}
	slices.SortStableFunc(open, func(i, j int) int { return cmp.Compare(widths[i], widths[j]) })
	for len(open) > 0 && widths[open[0]] <= room/len(open) {
		room -= widths[open[0]]
		open = open[1:]
	}
	slices.Sort(open)
	for n, i := range open {
		widths[i] = max(room/(len(open)-n), 1)
		room -= widths[i]
	}
}

// write writes a row, in several lines if it has prose that is too long for one.
func (t *Table) write(cells []string) {
	last := len(cells) - 1
	for last > 0 && t.widths[last] < 0 {
		last--
	}
	cells = cells[:last+1]
	if t.screen.Width <= 0 {
		t.line(cells)
		return
	}
	lines, height := make([][]string, len(cells)), 0 // of each cell, and of the row
	for i, cell := range cells {
		if t.widths[i] >= 0 {
			lines[i] = t.cut(i, cell)
			height = max(height, len(lines[i]))
		}
	}
	for n := range height {
		line, end := make([]string, len(cells)), 0
		for i := range lines {
			if n < len(lines[i]) {
				line[i], end = lines[i][n], i+1
			}
		}
		t.line(line[:end])
	}
}

// line writes cells, each at its column.
func (t *Table) line(cells []string) {
	for i, cell := range cells {
		n := t.widths[i]
		if n < 0 {
			continue
		}
		pad := n - Columns(cell)
		if t.columns[i].Kind == Number {
			cell, pad = strings.Repeat(" ", max(pad, 0))+cell, 0
		}
		_, _ = t.w.WriteString(cell)
		if i < len(cells)-1 {
			_, _ = t.w.WriteString(strings.Repeat(" ", max(pad+gap, 0)))
		}
	}
	_ = t.w.WriteByte('\n')
}

// cut is the lines of a cell on a screen.
func (t *Table) cut(i int, text string) []string {
	n := t.widths[i]
	if Columns(text) <= n {
		return []string{text}
	}
	switch t.columns[i].Kind {
	case Hash:
		return []string{first(text, n)}
	case Prose:
		return wrap(text, n, 0)
	}
	// Marks behind a name are worth more than its end.
	if at := strings.LastIndex(text, "  ["); at > 0 && n-Columns(text[at:]) >= nameFloor/2 {
		return []string{Middle(text[:at], n-Columns(text[at:])) + text[at:]}
	}
	return []string{Middle(text, n)}
}

// WriteCSV writes rows, the header among them (RFC 4180). Each cell is made printable, and goes through Cell.
func WriteCSV(w io.Writer, rows iter.Seq[[]string]) error {
	out := csv.NewWriter(w)
	for row := range rows {
		cells := make([]string, len(row))
		for i, s := range row {
			cells[i] = Cell(Printable(s))
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// Cell is printable text for CSV that no spreadsheet takes for a formula: an apostrophe is put before what begins like one, as
// OWASP has it (CSV Injection). The full-width forms count too, which spreadsheets in some languages take for the others.
func Cell(s string) string {
	if strings.IndexAny(s, "=+-@|%＝＋－＠") == 0 {
		return "'" + s
	}
	return s
}
