package audit

import (
	"trustpool/internal/report"
	"trustpool/signing"
)

func signatureNotVerified(a *auditor) (int, []Finding) {
	s := a.Signature
	if s == nil || unsigned(s) {
		return 0, nil
	}
	if s.Verified {
		return 1, nil
	}
	return 1, one("%s: %s", *s.Reason, *s.Detail)
}

// unsigned reports whether there is no signature at all.
func unsigned(s *signing.Report) bool { return !s.Verified && *s.Reason == signing.NotSigned }

func notSigned(a *auditor) (int, []Finding) {
	if a.Signature == nil {
		return 0, nil
	}
	if unsigned(a.Signature) {
		return 1, one("%s", *a.Signature.Detail)
	}
	return 1, nil
}

func sha1Tolerated(a *auditor) (int, []Finding) {
	if a.Signature == nil || !a.Signature.Verified {
		return 0, nil
	}
	for _, s := range a.Signature.Signers {
		for _, l := range s.Chain {
			if l.SHA1Tolerated {
				return 1, one("%s, under %s", l.Subject, a.Signature.Anchor.Name)
			}
		}
	}
	return 1, nil
}

func bundleOld(a *auditor) (int, []Finding) {
	s := a.Signature
	if a.Requirements == nil || a.Requirements.MaxAge == 0 || s == nil || !s.Verified || !s.SigningTime.Valid {
		return 0, nil
	}
	if oldest := a.At.Add(-a.Requirements.MaxAge); s.SigningTime.Before(oldest) {
		return 1, one("signed %s, before %s", s.SigningTime, report.Day(oldest))
	}
	return 1, nil
}
