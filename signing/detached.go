package signing

import (
	"errors"
	"time"

	"trustpool/bundle"
	"trustpool/internal/cms"
)

// MaxDetached is how many bytes a detached signature may have.
const MaxDetached = 1 << 20

// SignDetached makes a signature over content that is kept beside it: a signed
// message in DER without content (RFC 5652 section 5.2), which "openssl cms
// -verify -binary -content" reads. It is signed as Sign does, with the customary
// hash of the key, but bears no name, no version and no time: the same content
// gives the same bytes on any day.
//
// What comes out is verified before it is returned, at the given time, under the
// last certificate of the signer's chain.
func SignDetached(content []byte, id *Identity, at time.Time) ([]byte, error) {
	if err := checkTime(at); err != nil {
		return nil, err
	}
	suite, verify, err := id.prepare(SignOptions{Time: at})
	if err != nil {
		return nil, err
	}
	out, err := seal([][]byte{content}, true, id, suite, SignOptions{})
	if err != nil {
		return nil, err
	}
	if _, err := VerifyDetached(content, out, verify); err != nil {
		return nil, id.notSigned(err)
	}
	return out, nil
}

// VerifyDetached judges a detached signature over content by the rules of
// Verify, but for the one on what the content is. A message with content of its
// own is refused, even if that is the same.
//
// A *VerifyError says that the signature does not count. Another error says that
// the options are unusable, or that the message is not a detached signature.
func VerifyDetached(content, signature []byte, o VerifyOptions) (*Verification, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	b, err := bundle.Limits{Bytes: MaxDetached}.Parse(signature)
	if err != nil {
		return nil, err
	}
	if b.Form != bundle.FormOuter || b.Message.Content != nil || !cms.IsContentInfo(signature) {
		return nil, errors.New("not a detached signature: a signed message in DER without content of its own")
	}
	message := *b.Message
	if message.Content = content; content == nil {
		message.Content = []byte{}
	}
	// No certificate but those of the message: there is no pool to take an anchor from.
	b = &bundle.Bundle{Form: b.Form, Message: &message, Chain: b.Chain}
	return verify(b, o, checkMessage(b), func(*bundle.Bundle) *refusal { return nil })
}
