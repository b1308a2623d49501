package pages

import (
	"strconv"
	"time"

	"trustpool/bundle/certificate"
)

// A timeline is how many certificates expire in each year. The table says the same
// as the drawing.
type timeline struct {
	Bars    []bar
	Labels  []mark // years below
	Now     int    // x
	Side    string // of the present on which its label stands: start or end
	Above   int    // y of the labels above
	Floor   int    // y of the axis
	Width   int
	Height  int
	Top     mark // the greatest count, and its line
	Years   []yearCount
	Unknown int // without a date that can be read
	Expired int
	Total   int
	First   string
	Last    string
}

type bar struct {
	X, Y, Width, Height int
	Past                bool
}

type mark struct {
	X, Y   int
	Text   string
	Anchor string // what of the text is at X: start, middle or end
}

type yearCount struct {
	Label    string
	Path     string // the certificates of it; empty where it is several years
	Expired  int
	Upcoming int
}

// The drawing, in units of its view box, and how far it reaches from the present:
// what is beyond falls into the first and the last bar.
const (
	drawnWidth  = 960
	drawnHeight = 96 // of the highest bar
	drawnTop    = 34 // above it
	labelHeight = 36 // below
	labelY      = drawnTop + drawnHeight + 28
	yearsBefore = 15
	yearsAfter  = 40
)

func newTimeline(certs []*certificate.Certificate, at time.Time, path string) timeline {
	present := at.UTC().Year()
	first, last := present, present
	var t timeline
	type counts struct{ expired, upcoming int }
	years := map[int]counts{}
	for _, c := range certs {
		if c.Err != nil || !c.NotAfter.Valid {
			t.Unknown++
			continue
		}
		t.Total++
		year := min(max(c.NotAfter.UTC().Year(), present-yearsBefore), present+yearsAfter)
		n := years[year]
		if c.NotAfter.Before(at) {
			n.expired++
			t.Expired++
		} else {
			n.upcoming++
		}
		years[year] = n
		first, last = min(first, year), max(last, year)
	}
	most := 1
	for _, n := range years {
		most = max(most, n.expired+n.upcoming)
	}
	step := drawnWidth / (last - first + 1)
	step = min(step, 48)
	width := max(2, step-step/4)
	label := func(year int) string {
		switch year {
		case present - yearsBefore:
			return "until " + strconv.Itoa(year)
		case present + yearsAfter:
			return strconv.Itoa(year) + " and later"
		}
		return strconv.Itoa(year)
	}
	t.First, t.Last = label(first), label(last)
	for year := first; year <= last; year++ {
		x := (year - first) * step
		open := year == present-yearsBefore || year == present+yearsAfter // a bar of several years
		switch {
		case year == present-yearsBefore:
			t.Labels = append(t.Labels, mark{x, labelY, "to " + strconv.Itoa(year), "start"})
		case year == present+yearsAfter:
			t.Labels = append(t.Labels, mark{(year - first + 1) * step, labelY, "from " + strconv.Itoa(year), "end"})
		case year%5 == 0 && year > present-yearsBefore+8 && year < present+yearsAfter-8: // else it is too near to the text there
			m := mark{x + width/2, labelY, strconv.Itoa(year), "middle"}
			if year-first < 2 { // else it is cut off
				m.X, m.Anchor = x, "start"
			} else if last-year < 2 {
				m.X, m.Anchor = x+step, "end"
			}
			t.Labels = append(t.Labels, m)
		}
		n := years[year]
		if n.expired+n.upcoming == 0 {
			continue
		}
		y := drawnTop + drawnHeight
		for _, part := range []struct {
			n    int
			past bool
		}{{n.expired, true}, {n.upcoming, false}} {
			if part.n > 0 {
				height := max(2, part.n*drawnHeight/most)
				y -= height
				t.Bars = append(t.Bars, bar{x, y, width, height, part.past})
			}
		}
		counted := yearCount{Label: label(year), Expired: n.expired, Upcoming: n.upcoming}
		if !open {
			counted.Path = path + "?expires=" + strconv.Itoa(year)
		}
		t.Years = append(t.Years, counted)
	}
	t.Now = (present-first)*step + at.UTC().YearDay()*step/366
	t.Width, t.Height = (last-first+1)*step, drawnTop+drawnHeight+labelHeight
	t.Above, t.Floor = drawnTop-6, drawnTop+drawnHeight
	t.Side = "start"
	if t.Now > t.Width/2 {
		t.Side = "end"
	}
	t.Top = mark{t.Width, drawnTop, strconv.Itoa(most), "end"}
	if t.Side == "end" { // so that it does not stand where the present does
		t.Top.X, t.Top.Anchor = 0, "start"
	}
	return t
}
