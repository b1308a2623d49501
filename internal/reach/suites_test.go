package reach_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/path"
	"trustpool/internal/pool"
	"trustpool/internal/reach"
	"trustpool/internal/tooltest"
)

// A suiteCase is one of a suite of others.
type suiteCase struct {
	ID, Note, Expected, Host string
	At                       time.Time
	Roots, Chain             [][]byte
}

// name is the case's place in testdata/suites.txt.
func (c *suiteCase) name() string {
	if _, part, ok := strings.Cut(c.Note, "(Subpart "); ok && !strings.Contains(c.ID, "::") {
		return c.ID + "/" + part[:1]
	}
	return c.ID
}

func readSuite(t *testing.T, file string) (cases []suiteCase) {
	t.Helper()
	f, err := os.Open(filepath.Join(tooltest.File(t, "TRUSTPOOL_SUITES", "the suites of others"), file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewReader(f); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return cases
		}
		var c suiteCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
}

// judge answers a case as reach does, and as signing's policy does: whether a path
// passes without any doubt. A case for clients has no server's purpose.
func (c *suiteCase) judge(t *testing.T) (r reach.Result, strict bool) {
	t.Helper()
	pool := reach.NewTrusted(pool.Of(certificates(t, c.Roots...)))
	chain := certificates(t, c.Chain...)
	policy := path.Policy{
		At: c.At, Strict: true, Anchor: pool.Has,
		SHA1: func(*certificate.Certificate) path.SHA1 { return path.SHA1Accept },
	}
	strict = len(path.NewRun(chain).Search(chain[0], policy, pool.Set, path.NewSet(chain)).Found) > 0
	if !strings.Contains(c.Note, "eku=clientAuth") {
		r, err := reach.Validate(reach.Server{Name: c.ID, Host: c.Host, Certificates: chain}, pool, reach.Options{At: c.At})
		if err != nil {
			t.Fatal(err)
		}
		return r, strict
	}
	policy.Strict, policy.Purposes = false, [][]string{{"\x2b\x06\x01\x05\x05\x07\x03\x02"}}
	switch found := path.NewRun(chain).Search(chain[0], policy, pool.Set, path.NewSet(chain)); {
	case len(found.Found) > 0:
		return reach.Result{Status: reach.OK}, strict
	case len(found.Doubtful) > 0 || found.Open != nil:
		return reach.Result{Status: reach.Unknown}, strict
	default:
		return reach.Result{Status: reach.Broken, Reason: found.Refusal.Reason}, strict
	}
}

// The words of testdata/suites.txt, and what a case of each must be: so that none is
// explained away.
func explained(t *testing.T, suite, word string, c *suiteCase, r reach.Result) bool {
	t.Helper()
	in := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(c.ID+".", p) })
	}
	switch word {
	case "revocation": // it turns on a revocation list, which reach does not look at
		return suite == "pkits" && in("4.4.", "4.5.", "4.7.4.", "4.7.5.", "4.14.", "4.15.") || in("crl::")
	case "policy-input": // the suite gives inputs of policy or length that a device does not have
		return strings.Contains(c.Note, "EXPL") || strings.Contains(c.Note, "IPS=") || strings.Contains(c.Note, "INH") || strings.Contains(c.Note, "maxdepth=")
	case "profile-rule": // a rule on what CAs issue, not on paths: OpenSSL takes it too
		return suite == "limbo" && c.Expected == "fail" && r.Status == reach.OK && opensslAccepts(t, c.Host, c.At, c.Chain, c.Roots)
	case "device-unknown": // RFC 5280 leaves it open, or others ask for more
		return r.Status == reach.Unknown
	case "algorithm": // an algorithm that is not judged here
		return r.Status == reach.Unknown && r.Reason == path.Unsupported
	}
	return false
}

// TestSuites holds reach to what others have found right. Each case that is
// answered otherwise is in testdata/suites.txt with the word that says why.
// TRUSTPOOL_SUITES is where the suites are.
func TestSuites(t *testing.T) {
	t.Parallel()
	table := map[string]string{}
	data, err := os.ReadFile("testdata/suites.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) == 3 && !strings.HasPrefix(line, "#") {
			table[fields[0]+" "+fields[1]] = fields[2]
		}
	}
	for _, suite := range []string{"pkits", "limbo"} {
		counts := map[string]int{}
		for _, c := range readSuite(t, suite+".jsonl") {
			name := suite + " " + c.name()
			word, listed := table[name]
			delete(table, name)
			r, strict := c.judge(t)
			right := r.Status == reach.OK
			if c.Expected == "fail" {
				right = r.Status == reach.Broken
			}
			counts[fmt.Sprintf("%s: %s", c.Expected, r.Status)]++
			switch {
			case right && listed:
				t.Errorf("%s is answered as the suite has it, and is in the table: %s", name, word)
			case !right && !listed:
				t.Errorf("%s (%s) must %s: %s %s %s", name, c.Note, c.Expected, r.Status, r.Reason, r.Text)
			case !right && !explained(t, suite, word, &c, r):
				t.Errorf("%s (%s) must %s, and %q does not explain: %s %s %s", name, c.Note, c.Expected, word, r.Status, r.Reason, r.Text)
			}
			// A signer is taken only if a server would be, but for what is asked of a server's own certificate.
			own := slices.Contains([]reach.Reason{reach.HostName, reach.HostCommonName, reach.HostWildcard, reach.ServerPurpose, reach.ServerKeyUsage, path.AnyPurpose, path.SHA1Signed, path.Purpose}, r.Reason)
			if strict && r.Status != reach.OK && !own {
				t.Errorf("%s: a signer is taken, a server is %s %s", name, r.Status, r.Reason)
			}
			if !strict && r.Status == reach.OK {
				t.Errorf("%s: a server works, and a signer is refused", name)
			}
		}
		t.Logf("%s: %v", suite, counts)
	}
	for name := range table {
		t.Errorf("%s is in the table, and no case", name)
	}
}
