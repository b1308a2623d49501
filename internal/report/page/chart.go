package page

import (
	"fmt"
	"strconv"
	"time"

	"trustpool/internal/report"
)

// An End is when a certificate expires, and whether it has. The zero End is not known.
type End struct {
	At      time.Time
	Expired bool
}

// A Chart is how many certificates expire in each year, as the template "chart" draws it and writes it into a table. Horizontal
// positions are in per cent, all else is in pixels: so the bars take the width there is, and the labels keep their size.
type Chart struct {
	Years                   []YearCount // those with certificates
	Expired, Valid, Unknown int
	Bars                    []Bar
	Labels                  []Label
	Now                     Label // the day of judgement
	Top, Floor, Height      int
}

// A YearCount is how many certificates expire in a year.
type YearCount struct {
	Label          string
	Path           string // leads to the certificates of that year; empty if there is no such page
	Expired, Valid int
}

// A Bar is the part of a year's column that has expired, or the part that has not.
type Bar struct {
	X, Width  string
	Y, Height int
	Expired   bool
}

// A Label is a text of the drawing. Anchor is the part of the text that is at X: start, middle or end.
type Label struct {
	X                   string
	Y                   int
	Text, Anchor, Class string
}

// The chart has a column for each year from the first to the last in which a certificate expires, the present among them, and goes
// no further than this from the present: the first and the last column also count what is beyond.
const (
	yearsBefore = 15
	yearsAfter  = 40
)

// Heights of the drawing, in pixels.
const (
	top         = 26 // above the highest bar, for the labels there
	floor       = top + 110
	labelBelow  = floor + 18
	totalHeight = floor + 26
)

// NewChart counts ends by year, as of a time. path returns the address of the page with the certificates of one year; nil for none.
func NewChart(ends []End, at time.Time, path func(year int) string) *Chart {
	at = at.UTC()
	present := at.Year()
	begin, end := present-yearsBefore, present+yearsAfter
	first, last := present, present
	earlier, later := false, false // there is something beyond
	years := map[int]*YearCount{}
	c := &Chart{Top: top, Floor: floor, Height: totalHeight}
	for _, one := range ends {
		if one.At.IsZero() {
			c.Unknown++
			continue
		}
		actual := one.At.UTC().Year()
		year := min(max(actual, begin), end)
		earlier, later = earlier || actual < begin, later || actual > end
		first, last = min(first, year), max(last, year)
		n := years[year]
		if n == nil {
			n = &YearCount{}
			years[year] = n
		}
		if one.Expired {
			n.Expired++
			c.Expired++
		} else {
			n.Valid++
			c.Valid++
		}
	}
	most := 0
	for _, n := range years {
		most = max(most, n.Expired+n.Valid)
	}
	step := 100 / float64(max(last-first+1, 10)) // a column is no wider than a tenth
	for year := first; year <= last; year++ {
		n := years[year]
		if n == nil {
			continue
		}
		n.Label = strconv.Itoa(year)
		switch {
		case year == begin && earlier:
			n.Label = "to " + n.Label
		case year == end && later:
			n.Label = "from " + n.Label
		case path != nil:
			n.Path = path(year)
		}
		c.Years = append(c.Years, *n)
		x, y := float64(year-first)*step, floor
		for _, part := range []struct {
			n       int
			expired bool
		}{{n.Expired, true}, {n.Valid, false}} {
			if part.n > 0 {
				height := max(2, part.n*(floor-top)/most)
				y -= height
				c.Bars = append(c.Bars, Bar{percent(x + 0.1*step), percent(0.8 * step), y, height, part.expired})
			}
		}
	}
	c.label(first, last, step, years, at, most)
	return c
}

// label puts years below the columns: the first and the last, and those between that end in 0, or in 5 if the drawing is wide; and
// above them the present and the height of the highest column.
func (c *Chart) label(first, last int, step float64, years map[int]*YearCount, at time.Time, most int) {
	text := func(year int) string {
		if n := years[year]; n != nil {
			return n.Label
		}
		return strconv.Itoa(year)
	}
	c.Labels = append(c.Labels, Label{percent(0), labelBelow, text(first), "start", ""})
	if last > first {
		l := Label{percent(float64(last-first+1) * step), labelBelow, text(last), "end", ""}
		if last-first < 10 {
			l = Label{percent((float64(last-first) + 0.5) * step), labelBelow, text(last), "middle", ""}
		}
		c.Labels = append(c.Labels, l)
	}
	near, middle := int(10/step)+1, int(24/step)+1 // how many columns the labels at the ends take, in a wide and a narrow drawing
	for year := first + near; year <= last-near; year++ {
		if year%5 == 0 {
			class := ""
			if year%10 != 0 || year < first+middle || year > last-middle {
				class = "minor" // shown if there is room
			}
			c.Labels = append(c.Labels, Label{percent((float64(year-first) + 0.5) * step), labelBelow, strconv.Itoa(year), "middle", class})
		}
	}
	into := float64(at.YearDay()-1) / 366
	x := (float64(at.Year()-first) + into) * step
	anchor, side, opposite := "start", percent(100), "end"
	if x > 50 {
		anchor, side, opposite = "end", percent(0), "start"
	}
	c.Now = Label{percent(x), top - 8, report.Day(at), anchor, "now"}
	c.Labels = append(c.Labels, c.Now, Label{side, top - 8, strconv.Itoa(most), opposite, ""})
}

// Summary is the chart in a sentence.
func (c *Chart) Summary() string {
	return fmt.Sprintf("%s: %d had expired by %s, %d had not.", report.Count(c.Expired+c.Valid, "certificate"), c.Expired, c.Now.Text, c.Valid)
}

func percent(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }
