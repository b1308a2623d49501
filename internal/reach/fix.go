package reach

import (
	"fmt"
	"slices"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/internal/device"
	"trustpool/internal/path"
)

// losses finds the anchors of earlier stages that are none at the last one.
func (j *judge) losses(r *ServerReport) {
	last := r.Results[len(r.Results)-1]
	for _, result := range r.Results[:len(r.Results)-1] {
		for _, p := range result.Paths {
			c := p.Anchor()
			reached := func(p Path) bool { return p.Anchor().SHA256 == c.SHA256 }
			known := func(l Loss) bool { return l.Certificate.SHA256 == c.SHA256 }
			if !slices.ContainsFunc(last.Paths, reached) && !slices.ContainsFunc(r.Lost, known) {
				r.Lost = append(r.Lost, j.loss(c))
			}
		}
	}
}

// loss says why an anchor is none at the last stage.
func (j *judge) loss(c *certificate.Certificate) Loss {
	same := func(o *certificate.Certificate) bool { return o.SHA256 == c.SHA256 }
	e, judged := j.judged[c.SHA256]
	switch {
	case j.pools[len(j.pools)-1].Has(c):
		return Loss{Certificate: c, Why: "it is there, but no chain to it was found that passes as before"}
	case slices.ContainsFunc(j.report.LeftOut, same):
		return Loss{Certificate: c, Why: "left out, as was asked"}
	case judged:
		return Loss{Certificate: c, Why: fmt.Sprintf("%s at the import: %s", e.Outcome, e.Reason), Basis: e.Basis}
	case j.report.Import != nil && j.report.Import.Refused != "":
		return Loss{Certificate: c, Why: "the bundle is refused", Basis: j.report.Import.RefusedOn.Basis}
	case !slices.ContainsFunc(j.New.Certificates, same):
		return Loss{Certificate: c, Why: "the new bundle does not have it"}
	}
	return Loss{Certificate: c, Why: "the device's pool does not have it"}
}

// fixes names what would let the server be reached: an anchor that was lost, or
// below one that the device does not take the intermediate that it does; else what
// the chain itself says is missing.
func (j *judge) fixes(r *ServerReport) error {
	for i := range r.Results[:len(r.Results)-1] {
		for _, p := range r.Results[i].Paths {
			if !slices.ContainsFunc(r.Lost, func(l Loss) bool { return l.Certificate.SHA256 == p.Anchor().SHA256 }) {
				continue
			}
			if err := j.fix(r, p.Certificates, j.report.Stages[i].Name); err != nil {
				return err
			}
		}
	}
	last := r.Results[len(r.Results)-1]
	if len(r.Fixes) > 0 || len(last.Paths) > 0 || len(last.Chain) == 0 {
		return nil
	}
	if last.Reason != path.NoAnchor && last.Reason != path.Signature {
		return nil // no certificate is missing
	}
	if slices.ContainsFunc(last.Chain, func(c *certificate.Certificate) bool { return j.At.After(c.NotAfter.Time) }) {
		return nil // and none would help
	}
	if end := last.Chain[len(last.Chain)-1]; !path.SelfIssued(end) {
		r.Fixes = append(r.Fixes, Fix{Name: end.Issuer.String(), Text: "the issuer of the last certificate, with the key that signed it; it is not at hand, so its SHA-256 is not known"})
	}
	return j.fix(r, last.Chain, "")
}

// fix proposes the highest certificate of a chain that a device takes, the
// server's own excepted. stage names where the chain led to an anchor; empty if
// it is what the server sent.
func (j *judge) fix(r *ServerReport, chain []*certificate.Certificate, stage string) error {
	refused := ""
	for i, c := range slices.Backward(chain) {
		if i == 0 && (r.HasServer || stage == "" && !c.IsCA) {
			return nil
		}
		f := Fix{Certificate: c, Name: c.Subject.String(), Text: "sent by the server"}
		switch sent := slices.Contains(r.Certificates, c); {
		case stage == StageBefore && i == len(chain)-1:
			f.Text = "in the pool before"
		case stage == StageNew && !sent:
			f.Text = "in the new bundle"
		case !sent:
			f.Text = "in the pool"
		}
		if j.Device != nil {
			e, err := device.Takes(c, *j.Device)
			if err != nil {
				return err
			}
			if e.Outcome != device.Installed {
				refused = fmt.Sprintf("%s, which is not taken (%s: %s)", c.Subject, e.Reason, e.Basis)
				continue
			}
			f.Basis = e.Basis
		} else if j.At.After(c.NotAfter.Time) {
			continue
		}
		then, err := validate(j.run, r.Server, j.pools[len(j.pools)-1], j.Options, c)
		if err != nil {
			return err
		}
		if then.Status == Broken {
			continue
		}
		if !path.SelfIssued(c) {
			f.Text += ", an intermediate signed with " + c.SignatureAlgorithm.String()
		}
		if then.Status == Unknown {
			f.Text += "; it is then unknown, " + string(then.Reason)
		}
		if refused != "" {
			f.Text += "; instead of " + refused
		}
		if strings.HasPrefix(f.Text, "sent by the server") {
			f.Text += "; that a server sends it proves nothing: compare its SHA-256 with its CA's"
		}
		if !slices.ContainsFunc(r.Fixes, func(o Fix) bool { return o.Certificate != nil && o.Certificate.SHA256 == c.SHA256 }) {
			r.Fixes = append(r.Fixes, f)
		}
		return nil
	}
	return nil
}
