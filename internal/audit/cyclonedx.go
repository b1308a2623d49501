package audit

import (
	"encoding/hex"
	"fmt"
	"io"

	"trustpool/bundle/certificate"
	"trustpool/internal/report"
)

// The parts of CycloneDX 1.6 that are written (ECMA-424).
type (
	cdxComponent struct {
		Type       string        `json:"type"`
		Ref        string        `json:"bom-ref,omitempty"`
		Name       string        `json:"name"`
		Version    string        `json:"version,omitempty"`
		Hashes     []cdxHash     `json:"hashes,omitempty"`
		Crypto     *cdxCrypto    `json:"cryptoProperties,omitempty"`
		Properties []cdxProperty `json:"properties,omitempty"`
	}
	cdxHash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	cdxProperty struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	cdxCrypto struct {
		Asset       string            `json:"assetType"`
		Certificate *cdxCertificate   `json:"certificateProperties,omitempty"`
		Algorithm   map[string]string `json:"algorithmProperties,omitempty"`
		Key         *cdxKey           `json:"relatedCryptoMaterialProperties,omitempty"`
		OID         string            `json:"oid,omitempty"`
	}
	cdxCertificate struct {
		Subject   string            `json:"subjectName"`
		Issuer    string            `json:"issuerName"`
		NotBefore *certificate.Time `json:"notValidBefore,omitempty"`
		NotAfter  *certificate.Time `json:"notValidAfter,omitempty"`
		Algorithm string            `json:"signatureAlgorithmRef"`
		Key       string            `json:"subjectPublicKeyRef"`
		Format    string            `json:"certificateFormat"`
	}
	cdxKey struct {
		Type string `json:"type"`
		ID   string `json:"id"`
		Size int    `json:"size,omitempty"`
	}
)

// WriteCycloneDX writes an inventory in CycloneDX 1.6: each certificate, each key
// and each signature algorithm as a cryptographic asset, and as properties of a
// certificate the rules that found something of it. A certificate that is
// there twice is one component; an element that is not a certificate is left out. An
// entry of a pool without a known certificate is one, with what is known of it. There is no
// serialNumber and no timestamp: the same report gives the same bytes. The time of
// judgement and the files that were read are properties.
func (r *Report) WriteCycloneDX(w io.Writer) error {
	type metadata struct {
		Tools struct {
			Components []cdxComponent `json:"components"`
		} `json:"tools"`
		Component  cdxComponent  `json:"component"`
		Properties []cdxProperty `json:"properties,omitempty"`
	}
	var m metadata
	tool := cdxComponent{Type: "application", Name: "trustpool"}
	if e := r.Evidence; e != nil {
		if e.Version != nil {
			tool.Version = report.Printable(*e.Version)
		}
		m.Properties = append(m.Properties, cdxProperty{"trustpool:at", e.At})
		for _, in := range e.Inputs {
			m.Properties = append(m.Properties, cdxProperty{"trustpool:input", in.SHA256 + "  " + report.Printable(in.Name)})
		}
	}
	m.Tools.Components = []cdxComponent{tool}
	m.Component = cdxComponent{Type: "data", Ref: "bundle", Name: report.Printable(r.File)}
	if m.Component.Name == "" {
		m.Component.Name = "bundle"
	}
	if r.Signature != nil {
		m.Component.Properties = []cdxProperty{{"trustpool:signature", r.Signature.Summary()}}
	}
	return report.WriteJSON(w, struct {
		Schema   string   `json:"$schema"`
		Format   string   `json:"bomFormat"`
		Spec     string   `json:"specVersion"`
		Version  int      `json:"version"`
		Metadata metadata `json:"metadata"`
	}{"http://cyclonedx.org/schema/bom-1.6.schema.json", "CycloneDX", "1.6", 1, m},
		report.JSONList{Name: "components", Each: r.components})
}

func (r *Report) components(yield func(any) bool) {
	found := r.foundOf()
	seen := map[string]bool{}
	once := func(c cdxComponent) bool {
		if seen[c.Ref] {
			return true
		}
		seen[c.Ref] = true
		return yield(c)
	}
	for i := range r.Entries {
		c := r.Entries[i].Certificate
		if c == nil {
			if !yield(r.unknownComponent(i, found[i])) {
				return
			}
			continue
		}
		if c.Err != nil {
			continue
		}
		key, algorithm := c.KeyID(), c.SignatureAlgorithm
		oid := algorithm.OID.Dotted()
		if !once(cdxComponent{
			Type: "cryptographic-asset", Ref: fmt.Sprintf("certificate:%x", c.SHA256), Name: report.Printable(r.item(i).Name()),
			Hashes: []cdxHash{{"SHA-256", hex.EncodeToString(c.SHA256[:])}},
			Crypto: &cdxCrypto{Asset: "certificate", Certificate: &cdxCertificate{
				Subject: report.Printable(c.Subject.String()), Issuer: report.Printable(c.Issuer.String()),
				NotBefore: report.OrNil(c.NotBefore, c.NotBefore.Valid), NotAfter: report.OrNil(c.NotAfter, c.NotAfter.Valid),
				Algorithm: "algorithm:" + oid, Key: fmt.Sprintf("key:%x", key), Format: "X.509",
			}},
			Properties: append([]cdxProperty{{"trustpool:serial", c.Serial.String()}}, found[i]...),
		}) || !once(cdxComponent{
			Type: "cryptographic-asset", Ref: fmt.Sprintf("key:%x", key), Name: c.PublicKey.String(),
			Crypto: &cdxCrypto{Asset: "related-crypto-material", Key: &cdxKey{"public-key", hex.EncodeToString(key[:]), c.PublicKey.Bits}},
		}) || !once(cdxComponent{
			Type: "cryptographic-asset", Ref: "algorithm:" + oid, Name: algorithm.String(),
			Crypto: &cdxCrypto{Asset: "algorithm", Algorithm: map[string]string{"primitive": "signature"}, OID: oid},
		}) {
			return
		}
	}
}

// unknownComponent is an entry of a pool without a known certificate, with what is
// known of it.
func (r *Report) unknownComponent(i int, found []cdxProperty) cdxComponent {
	e := r.item(i)
	out := cdxComponent{
		Type: "cryptographic-asset", Ref: fmt.Sprintf("entry:%d", e.Index), Name: report.Printable(e.Name()),
		Crypto: &cdxCrypto{Asset: "certificate"},
	}
	for _, h := range []cdxHash{{"SHA-256", e.hash()}, {"SHA-1", e.SHA1}} {
		if h.Content != "" {
			out.Hashes = append(out.Hashes, h)
		}
	}
	if s := e.serial(); s != "" {
		out.Properties = append(out.Properties, cdxProperty{"trustpool:serial", s})
	}
	out.Properties = append(out.Properties, found...)
	return out
}

// foundOf are the rules that found something of each certificate, by its position from 0.
func (r *Report) foundOf() [][]cdxProperty {
	out := make([][]cdxProperty, len(r.Entries))
	for _, f := range r.Findings {
		for _, e := range f.Items {
			out[e.Index-1] = append(out[e.Index-1], cdxProperty{"trustpool:finding", f.Rule.ID})
		}
	}
	return out
}
