// Package device is what a Cisco device does with a trust bundle.
//
// Import plays the import of one bundle into one pool. First comes the
// platform's rule on signatures: under which roots it takes a bundle at all.
// Then every certificate is judged, by the first of these that applies:
//
//  1. it cannot be read: failed
//  2. its notAfter has passed: expired
//  3. the pool or an earlier entry of the file has it: duplicate
//  4. a setting refuses it (FIPS mode, RSA keys of 1024 bits): failed
//  5. otherwise: installed
//
// Little of this is documented by Cisco. So every statement carries its Ground:
// confirmed was seen in a public source, which is named; inferred is reasoned
// from such; unverified is a guess, or general knowledge that no source was found
// for. The order of the rules is itself inferred.
package device

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/pool"
	"trustpool/internal/report"
	"trustpool/roots"
	"trustpool/signing"
)

// A Basis says how sure a statement about a device is.
type Basis string

// The bases.
const (
	Confirmed  Basis = "confirmed"  // seen in a public source
	Inferred   Basis = "inferred"   // reasoned from what is confirmed
	Unverified Basis = "unverified" // not known to be so
)

// A Ground is what a statement about a device rests on.
type Ground struct {
	Basis  Basis  `json:"basis"`
	Source string `json:"source"` // the document, or how it was reasoned
}

// By is the ground with the source.
func (b Basis) By(source string) Ground { return Ground{b, source} }

// An Outcome is what became of one certificate.
type Outcome string

// The outcomes.
const (
	Installed Outcome = "installed"
	Duplicate Outcome = "duplicate"
	Expired   Outcome = "expired"
	Failed    Outcome = "failed"
)

// ByNames is a key by which two certificates need not be the same: it is the rule
// that ImportOptions.UniqueNames asks for.
const ByNames pool.Key = "issuer-subject"

// ImportOptions say which device imports, how it is set, and when. Platform and At
// must be set. A setting that the platform does not have is an error.
type ImportOptions struct {
	Platform Platform
	// Anchors are the roots to judge the signature under instead of the platform's
	// own: the result is then that of a lab device which has them built in.
	Anchors []roots.Anchor
	At      time.Time // the device's clock

	// Terminal pastes the first certificate of the file, in PEM, as IOS and IOS XE
	// take it from the terminal, instead of giving them the file.
	Terminal bool

	Clean bool // first drop what was downloaded; built-in certificates stay
	FIPS  bool // the device is in FIPS mode
	// DisableRSA1024 is IOS XR's setting that discards RSA keys of 1024 bits and less.
	DisableRSA1024 bool
	// AcceptUnsigned is the user's yes if an ASA asks whether to take a bundle
	// that is not signed by Cisco.
	AcceptUnsigned bool
	// UniqueNames is the rule of the older IOS XE 16 guide: no two certificates of
	// a bundle have the same issuer and subject. Cisco's own bundles break it.
	UniqueNames bool

	Location string // of the file, as the device would show it; empty leaves those lines out
}

// An ImportReport is what an import did. The Counts are always those of
// Certificates.
type ImportReport struct {
	Platform Platform
	At       time.Time
	Location string
	Evidence *report.Evidence // for the caller to set: what the report rests on; nil for nothing

	// Refused says why the file was refused as a whole, and RefusedOn on what
	// ground; the counts are then zero. It is empty if the file was taken.
	Refused   string
	RefusedOn Ground

	// Verification is how the signature was verified, or nil. Reason says why it
	// was not; it is empty too if the platform imports no bundle.
	Verification *signing.Verification
	Reason       signing.Reason
	LabRoot      bool // ImportOptions.Anchors were given
	Terminal     bool // of ImportOptions: no signature was looked at
	All          bool // for the caller to set: WriteText lists what was installed, too

	Counts

	Certificates []Judged // in file order; empty if the file was refused
	Notes        Notes    // what a reader should know of this result
}

// Counts are how many certificates had each outcome.
type Counts struct {
	Attempted  int `json:"attempted"`
	Installed  int `json:"installed"`
	Duplicates int `json:"duplicates"`
	Expired    int `json:"expired"`
	Failed     int `json:"failed"`
}

// A Judged is what became of one certificate of the file.
type Judged struct {
	Index       int // from 1
	Certificate *certificate.Certificate
	Outcome     Outcome
	Reason      string
	Ground
	MatchedBy pool.Key // of a duplicate; empty for any other
}

// A Note is a remark on a result.
type Note struct {
	Text string `json:"text"`
	Ground
}

// Notes are remarks on a result.
type Notes []Note

// Add appends a note.
func (n *Notes) Add(g Ground, format string, args ...any) {
	*n = append(*n, Note{fmt.Sprintf(format, args...), g})
}

// Import plays the import of b into p and changes p accordingly: downloaded
// entries are dropped if o.Clean, and what was installed is added at the end.
// A nil p is the platform's built-in pool.
//
// It verifies b itself, under the platform's anchors or o.Anchors, at o.At. A
// refused file is an ImportReport with Refused set and Attempted 0, no error. If the
// file is refused, or there is an error, p stays as it was. An error says that
// the options or the pool cannot be used.
func Import(p *pool.Pool, b *bundle.Bundle, o ImportOptions) (*ImportReport, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if p == nil {
		p = o.Platform.BuiltIn()
	}
	if p.Platform != o.Platform.Name {
		return nil, fmt.Errorf("the pool is that of platform %q, not of %s: give one of the same platform", p.Platform, o.Platform.Name)
	}
	r := &ImportReport{Platform: o.Platform, At: o.At, Location: o.Location, Certificates: []Judged{}, Notes: Notes{}}
	if o.Platform.Advice != "" {
		r.Refused = o.Platform.Title + " imports no bundle: " + o.Platform.Advice
		r.RefusedOn = Ground{Unverified, "no such command was found"}
		return r, nil
	}
	if o.Terminal {
		return importTerminal(p, b, o)
	}
	if _, wrapped := b.Unwrap(); wrapped || b.Form == bundle.FormPEM {
		r.Notes.Add(Unknown, "the file is text, PEM or base64, and no device is known to read that as a bundle file: it is judged as if the device were given the DER")
	}
	if err := r.judgeSignature(b, o); err != nil {
		return nil, err
	}
	if r.Refused != "" {
		return r, nil
	}
	kept, err := r.take(p, b.Certificates, o)
	if err != nil {
		return nil, err
	}
	r.addNotes(kept, o)
	return r, nil
}

// take judges certificates one after the other, and installs in p what is to be. It
// returns the entries that p kept.
func (r *ImportReport) take(p *pool.Pool, certs []*certificate.Certificate, o ImportOptions) (kept []pool.Entry, err error) {
	kept = p.Entries
	if o.Clean {
		kept = p.Only(pool.BuiltIn)
	}
	j, err := newJudge(kept, r, o)
	if err != nil {
		return nil, err
	}
	r.Certificates = make([]Judged, 0, len(certs))
	p.Entries = slices.Grow(slices.Clip(kept), len(certs)) // a copy
	for i, c := range certs {
		e := j.judge(i+1, c)
		r.add(e)
		if e.Outcome == Installed {
			p.Entries = append(p.Entries, pool.EntryOf(c, pool.Downloaded))
		}
	}
	return kept, nil
}

// check refuses options that the platform does not have.
func (o ImportOptions) check() error {
	rules := o.Platform.rules
	title := o.Platform.Title
	switch {
	case o.Platform.Name == "":
		return errors.New("no platform: take one from Lookup")
	case o.At.IsZero():
		return errors.New("no time to import at")
	case o.Platform.Advice != "":
		return nil // refused whatever the options
	case rules.anchors == nil:
		return fmt.Errorf("platform %q is not from Lookup", o.Platform.Name)
	case o.DisableRSA1024 && !rules.rsa1024:
		return fmt.Errorf("disabling RSA keys of 1024 bits is a setting of IOS XR; %s has none such", title)
	case o.Terminal && rules.terminal.Basis == "":
		return fmt.Errorf("no command of %s is known that takes certificates from the terminal into its pool; IOS and IOS XE have one", title)
	case o.Terminal && len(o.Anchors) > 0:
		return errors.New("a root is about a signature, and what is pasted has none")
	case o.AcceptUnsigned && rules.words == wordsIOS:
		return fmt.Errorf("%s takes unsigned certificates only as PEM from the terminal (crypto pki trustpool import terminal), never from a file", title)
	case o.AcceptUnsigned && !rules.asks:
		return fmt.Errorf("%s takes no unsigned bundle; accepting one is for ASA", title)
	case o.UniqueNames && !rules.names:
		return fmt.Errorf("unique issuer and subject is a rule of IOS XE 16; %s has none such", title)
	}
	return nil
}

// judgeSignature verifies the file and refuses it if the platform would. The
// error says that the anchors or the time are unusable.
func (r *ImportReport) judgeSignature(b *bundle.Bundle, o ImportOptions) error {
	anchors := o.Platform.rules.anchors
	if r.LabRoot = len(o.Anchors) > 0; r.LabRoot {
		anchors = o.Anchors
	}
	v, err := signing.Verify(b, signing.VerifyOptions{Anchors: anchors, At: o.At})
	if err == nil {
		r.Verification = v
		return nil
	}
	var refused *signing.VerifyError
	if !errors.As(err, &refused) {
		return err
	}
	r.Reason = refused.Reason
	if o.AcceptUnsigned {
		return nil
	}
	r.RefusedOn = o.Platform.rules.signature
	r.Refused = fmt.Sprintf("%s takes a bundle only if it is signed under %s; this one is %v", o.Platform.Title, anchorNames(anchors), err)
	if o.Platform.rules.asks {
		r.Refused = fmt.Sprintf("%s asks before it takes a bundle that is not signed under %s; this one is %v", o.Platform.Title, anchorNames(anchors), err)
	}
	switch lone := len(b.Certificates) == 1 && r.Reason == signing.NotSigned; {
	case lone && o.Platform.rules.terminal.Basis != "":
		r.Refused += "; a single certificate is pasted: import --via terminal plays that, config --pem writes what to type"
	case lone && !o.Platform.rules.asks:
		r.Refused += fmt.Sprintf("; no command of %s is known that takes a single certificate into its pool, only IOS and IOS XE have one (import --via terminal, config --pem)", o.Platform.Title)
	}
	return nil
}

func anchorNames(anchors []roots.Anchor) string {
	var names []string
	for _, a := range anchors {
		names = append(names, cmp.Or(a.Name, fmt.Sprintf("the root %x", a.SHA256)))
	}
	return strings.Join(names, " or ")
}

// add counts the entry and keeps it.
func (r *ImportReport) add(e Judged) {
	r.Attempted++
	switch e.Outcome {
	case Installed:
		r.Installed++
	case Duplicate:
		r.Duplicates++
	case Expired:
		r.Expired++
	case Failed:
		r.Failed++
	}
	r.Certificates = append(r.Certificates, e)
}

// addNotes says what the entries cannot: it is called for a file that was taken.
func (r *ImportReport) addNotes(entries []pool.Entry, o ImportOptions) {
	p := o.Platform
	if r.LabRoot {
		r.Notes.Add(p.rules.signature, "judged as a lab device would that has %s built in; a genuine %s takes bundles under %s",
			anchorNames(o.Anchors), p.Title, anchorNames(p.rules.anchors))
	}
	switch {
	case r.Verification == nil:
		r.Notes.Add(p.rules.signature, "the bundle is not verified (%s); it was taken because the user said yes", r.Reason)
	case !r.LabRoot && r.Verification.Anchor.SHA256 == roots.TRSBundleRootCA().SHA256:
		r.Notes.Add(Ground{Inferred, "public captures of the built-in pool"},
			"signed under TRS Bundle Root CA, which only recent releases have built in; others refuse it")
	}
	if o.FIPS && r.usesSHA1() {
		r.Notes.Add(Unknown, "whether a device in FIPS mode takes the bundle's own signature, which has a chain signed with SHA-1, is not known")
	}
	r.addSettings(entries, o)
}

// addSettings says what the device's settings and its pool mean for the result.
func (r *ImportReport) addSettings(entries []pool.Entry, o ImportOptions) {
	p := o.Platform
	if o.Clean {
		r.Notes.Add(p.rules.clean, "downloaded certificates were dropped first")
	}
	if o.UniqueNames {
		r.Notes.Add(Ground{Confirmed, SourceGuides}, "the rule of unique issuer and subject is in the older IOS XE 16 guide; the newer ones do not have it")
	}
	if !slices.ContainsFunc(entries, func(e pool.Entry) bool { return e.Origin == pool.BuiltIn }) {
		r.Notes.Add(Unknown, "the built-in pool of %s is not known: what it has already is counted as installed here", p.Title)
	}
}

// usesSHA1 reports whether a link of the chain that was verified is signed with
// SHA-1.
func (r *ImportReport) usesSHA1() bool {
	return r.Verification != nil && slices.ContainsFunc(r.Verification.Signers, func(s signing.Signer) bool {
		return slices.ContainsFunc(s.Chain, func(l signing.Link) bool { return l.SHA1 })
	})
}
