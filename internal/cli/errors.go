package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"trustpool/internal/fetch"
	"trustpool/internal/report"
)

// maxCauses is how many lines an error of several causes gets.
const maxCauses = 20

// writeError writes an error to standard error, a line for each of its causes; a
// cause that comes again is counted. Text in it that does not show is escaped, and
// a URL is without user and query: they may be credentials.
func writeError(w io.Writer, err error) {
	var lines []string
	times := map[string]int{}
	for _, line := range causes(err) {
		if times[line]++; times[line] == 1 {
			lines = append(lines, line)
		}
	}
	for _, line := range lines[:min(len(lines), maxCauses)] {
		again := ""
		if n := times[line]; n > 1 {
			again = fmt.Sprintf(" (%d times)", n)
		}
		fmt.Fprintf(w, "trustpool: %s%s\n", fetch.MaskText(line), again)
	}
	if more := len(lines) - maxCauses; more > 0 {
		fmt.Fprintf(w, "trustpool: and %s more\n", report.Count(more, "cause"))
	}
	if h := (hinted{}); errors.As(err, &h) {
		fmt.Fprintf(w, "trustpool: hint: %s\n", fetch.MaskText(report.Printable(h.hint)))
	}
}

// causes are the messages of the errors that were joined in err, each behind what was
// said before all of them.
func causes(err error) []string {
	for e := err; e != nil; e = errors.Unwrap(e) {
		joined, ok := e.(interface{ Unwrap() []error })
		if !ok {
			continue
		}
		// errors.Join has each message on a line of its own; fmt.Errorf, which may wrap
		// several errors as well, does not.
		before, found := strings.CutSuffix(err.Error(), e.Error())
		var messages []string
		for _, cause := range joined.Unwrap() {
			messages = append(messages, cause.Error())
		}
		if !found || strings.Join(messages, "\n") != e.Error() {
			break
		}
		var out []string
		for _, cause := range joined.Unwrap() {
			for _, line := range causes(cause) {
				out = append(out, report.Printable(before)+line)
			}
		}
		return out
	}
	return []string{report.Printable(err.Error())}
}
