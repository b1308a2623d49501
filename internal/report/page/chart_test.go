package page_test

import (
	"strings"
	"testing"
	"time"

	"trustpool/internal/report/page"
)

var at = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func draw(t *testing.T, c *page.Chart) string {
	t.Helper()
	templates, err := page.Templates()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := templates.ExecuteTemplate(&out, "chart", c); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The column of a year is in two parts; what is beyond the first and the last column is in them, and they say so.
func TestChart(t *testing.T) {
	t.Parallel()
	var ends []page.End
	for _, end := range []time.Time{at.AddDate(0, 0, -1), at.AddDate(0, 0, 1), at.AddDate(-1, 0, 0), at.AddDate(-15, 0, 0), at.AddDate(-20, 0, 0), at.AddDate(40, 0, 0), at.AddDate(900, 0, 0)} {
		ends = append(ends, page.End{At: end, Expired: end.Before(at)})
	}
	ends = append(ends, page.End{})
	c := page.NewChart(ends, at, func(year int) string { return "?expires=" + time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006") })
	want := []page.YearCount{{Label: "to 2011", Expired: 2}, {Label: "2025", Path: "?expires=2025", Expired: 1}, {Label: "2026", Path: "?expires=2026", Expired: 1, Valid: 1}, {Label: "from 2066", Valid: 2}}
	if len(c.Years) != len(want) {
		t.Fatalf("the years are %+v", c.Years)
	}
	for i, y := range c.Years {
		if y != want[i] {
			t.Errorf("%+v, want %+v", y, want[i])
		}
	}
	if c.Expired != 4 || c.Valid != 3 || c.Unknown != 1 {
		t.Errorf("%d expired, %d not, %d unknown", c.Expired, c.Valid, c.Unknown)
	}
	out := draw(t, c)
	for _, text := range []string{">to 2011</text>", ">from 2066</text>", ">2026-03-10</text>", "7 certificates: 4 had expired by 2026-03-10, 3 had not.", `<a href="?expires=2026">2026</a></th><td>1</td><td>1</td>`, "Not counted: 1 entry,"} {
		if !strings.Contains(out, text) {
			t.Errorf("the chart has no %s", text)
		}
	}
	if n := strings.Count(out, "<rect"); n != 5 {
		t.Errorf("%d bars, want 5", n)
	}
}

// A year at the end of the chart is only itself if there is nothing beyond.
func TestChartEnds(t *testing.T) {
	t.Parallel()
	c := page.NewChart([]page.End{{At: at.AddDate(-15, 0, 0), Expired: true}, {At: at.AddDate(40, 0, 0)}}, at, nil)
	if c.Years[0].Label != "2011" || c.Years[1].Label != "2066" {
		t.Errorf("the years are %+v", c.Years)
	}
}

func TestChartEmpty(t *testing.T) {
	t.Parallel()
	if out := strings.TrimSpace(draw(t, page.NewChart(nil, at, nil))); out != "" {
		t.Errorf("the chart of nothing is %s", out)
	}
	out := draw(t, page.NewChart([]page.End{{}, {}}, at, nil))
	if strings.Contains(out, "<svg") || !strings.Contains(out, "Not counted: 2 entries") {
		t.Errorf("the chart of what is not known is %s", out)
	}
}
