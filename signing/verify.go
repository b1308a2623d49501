// Package signing says who vouches for a bundle, and signs bundles.
//
// # Verifying
//
// [Verify] judges the signature of a bundle at a given time, under anchors that the caller chooses:
//
//	b, err := bundle.Parse(data)
//	if err != nil {
//		return err
//	}
//	v, err := signing.Verify(b, signing.VerifyOptions{Anchors: roots.BuiltIn(), At: time.Now()})
//	if refused, ok := errors.AsType[*signing.VerifyError](err); ok {
//		return fmt.Errorf("not verified: %s: %w", refused.Reason, refused.Err)
//	}
//	if err != nil {
//		return err // the options cannot be used
//	}
//	fmt.Println(v.Name, v.Version, "is vouched for by", v.Anchor.Name)
//
// A bundle is verified if every signer of it is good: the signature covers the whole pool, the signer's certificate leads to an anchor by
// RFC 5280 section 6, and it is meant for signing. Otherwise the error is a [*VerifyError] with a [Reason], which is one of the
// constants below; the comment beside each is the rule, and docs/formats.md has those on chains. [NewReport] makes a report of either answer, as text and as JSON.
//
// # Signing
//
// [Sign] makes a signed bundle in Cisco's form. It needs an [Identity]: a key and its certificates. [OpenIdentity] opens a key in a
// file, behind a command or in a token; [NewLab] makes the root and the signer of a lab. What Sign returns it has verified first.
// [SignDetached] and [VerifyDetached] do the same for a file with its signature beside it.
//
// # What it does not do
//
// Revocation is not checked: no CRL is fetched and no OCSP responder is asked. The certificates in the pool are not judged. A chain is
// refused if it demands what is not evaluated, such as an explicit policy. A good signature does not say that a bundle is the newest. No
// option makes Verify accept what it would refuse.
//
// # Sources
//
// RFC 5652 (CMS) for messages, RFC 5280 section 6.1 for chains, RFC 8551 for messages of certificates, RFC 8017, RFC 4055, RFC 5758 and
// RFC 8419 for algorithms. A few rules are for bundles alone, such as that the signed content must be certificates; their comments say so.
package signing

import (
	"crypto"
	"errors"
	"fmt"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/roots"
)

// VerifyOptions say what to trust and when. Both fields must be set.
type VerifyOptions struct {
	Anchors []roots.Anchor
	At      time.Time // the time at which certificates must be valid
}

// A Verification is the proof that a bundle is vouched for. Name, Version and
// SigningTime are covered by the signature; there is no SigningTime if several
// signers signed at different times.
type Verification struct {
	Anchor  roots.Anchor // that the first signer leads to
	Signers []Signer
	bundle.Claims
}

// A Signer is how one SignerInfo was judged.
type Signer struct {
	Certificate *certificate.Certificate // nil if the message does not hold it
	Reason      Reason                   // empty if the signer is good
	Err         error                    // what was wrong, in words; nil if the signer is good
	// Signed is the SHA-256 of the signed attributes as they were signed. They hold
	// the digest of the content, so if Reason is empty this is the identity of
	// what was signed: it stays the same when bytes around the signature change.
	Signed [32]byte
	// Chain leads from the signer's certificate to the anchor; if the signer
	// was refused it is as far as it could be followed.
	Chain  []Link
	Anchor roots.Anchor // if Reason is empty
	Claims bundle.Claims
}

// A Link is one step of a chain.
type Link struct {
	Certificate *certificate.Certificate
	// SHA1 says that the issuer signed the certificate with SHA-1, which the
	// anchor tolerates. It is false for the anchor itself, whose own signature is
	// not looked at.
	SHA1 bool
}

// A VerifyError says why a bundle is not verified.
type VerifyError struct {
	Reason  Reason
	Signers []Signer // how each was judged; empty if none was reached
	Err     error
}

func (e *VerifyError) Error() string { return fmt.Sprintf("not verified: %s: %v", e.Reason, e.Err) }
func (e *VerifyError) Unwrap() error { return e.Err }

// Verify judges the signature of a bundle. A bundle is verified only if all
// its signers are. An error that is not a *VerifyError says that the options
// are unusable.
func Verify(b *bundle.Bundle, o VerifyOptions) (*Verification, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return verify(b, o, checkMessage(b), checkContent)
}

func (o VerifyOptions) check() error {
	if o.At.IsZero() {
		return errors.New("signing: no time to verify at")
	}
	if len(o.Anchors) == 0 {
		return errors.New("signing: no anchors to verify under")
	}
	return nil
}

// verify judges a message's signers, under what was found of the message as a
// whole, and at last what they signed.
func verify(b *bundle.Bundle, o VerifyOptions, whole *refusal, checkContent func(*bundle.Bundle) *refusal) (*Verification, error) {
	var signers []Signer
	refused := func(r *refusal) (*Verification, error) { return nil, &VerifyError{r.reason, signers, r.err} }
	if b.Message == nil || len(b.Message.Signers) == 0 {
		return refused(whole)
	}
	w := &work{budget: maxSignatureChecks, digests: map[crypto.Hash][]byte{}}
	for i := range b.Message.Signers {
		j := judge{bundle: b, info: &b.Message.Signers[i], options: o, work: w}
		signers = append(signers, j.run())
	}
	if whole != nil {
		return refused(whole)
	}
	for i, s := range signers {
		if s.Reason == "" {
			continue
		}
		err := s.Err
		if len(signers) > 1 {
			err = fmt.Errorf("signer %d of %d: %w", i+1, len(signers), err)
		}
		return refused(&refusal{s.Reason, err})
	}
	if r := checkContent(b); r != nil {
		return refused(r)
	}
	claims := signers[0].Claims
	for _, s := range signers[1:] {
		if s.Claims.Name != claims.Name || s.Claims.Version != claims.Version {
			return refused(refuse(SignersDisagree, "the signers give the bundle different names or versions"))
		}
		if !s.Claims.SigningTime.Equal(claims.SigningTime.Time) {
			claims.SigningTime = certificate.Time{} // signed more than once: there is no one time
		}
	}
	return &Verification{Anchor: signers[0].Anchor, Signers: signers, Claims: claims}, nil
}
