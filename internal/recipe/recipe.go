// Package recipe makes bundles from one file that a person can review: which
// certificates, from where, under which conditions, in which order, signed by
// whom, written to what.
//
// A build is a function of the recipe, its sources, the signer's key and the
// time: the same of them give the same bytes. Every certificate that comes out
// is in a Lock, so that a review of the lock is a review of the bundle;
// every one that was dropped is in the Selection, with the reason.
package recipe

import (
	_ "embed"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/yamlstrict"
	"trustpool/roots"
)

// Example is a recipe to start from.
//
//go:embed example.yaml
var Example string

// Schema is the value of the recipe's field schema.
const Schema = "trustpool.recipe/1"

// A Recipe is how a bundle is made.
type Recipe struct {
	Name    string // of the bundle: Cisco's signed attributes
	Version string
	Order   Order

	Sources map[string]*Source
	Set     Set
	Filter  Filter

	Require []Pin // must be in the bundle
	Include []Pin // are taken whatever the set, the filter and a program's trust say, but not its distrust
	Exclude []Pin // are never taken
	// Distrusted are certificates that a root program distrusts and that the
	// recipe names: without that they are an error.
	Distrusted []Pin

	Signer  *Signer // nil if nothing is signed
	Outputs Outputs
}

// An Order is the order of the certificates in the bundle.
type Order string

// The orders. That of the input is the order in which the set names its sources,
// and within each the order of the source.
const (
	OrderInput   Order = "input"
	OrderDER     Order = "der"
	OrderSHA256  Order = "sha256"
	OrderSubject Order = "subject" // as it is printed, then by SHA-256
)

// A Kind is where the certificates of a source come from.
type Kind string

// The kinds.
const (
	KindFiles    Kind = "files"    // anything that bundle.Parse reads: files, patterns, directories
	KindBundle   Kind = "bundle"   // a bundle, verified against a root
	KindCertdata Kind = "certdata" // Mozilla's certdata.txt
	KindCCADB    Kind = "ccadb"    // a CSV report of the CCADB
	KindSystem   Kind = "system"   // the root store of this machine
	KindURL      Kind = "url"      // an http(s) URL, pinned; the others may be one, too
)

// A Source gives certificates.
type Source struct {
	Kind    Kind
	Paths   []string        // files: paths or patterns; otherwise one path; URLs if there is a pin
	SHA256  *[32]byte       // of the file, of several files one after the other; nil for no pin
	Anchors []string        // of a bundle: names of built-in anchors, SHA-256 pins or files; none for all built-in ones
	Purpose []roots.Purpose // of a root program: trusted for at least one of these
	At      Position
}

// A Set is an expression over sources: one of them, or an operation.
type Set struct {
	Source    string
	Operation Operation
	Operands  []Set
	At        Position
}

// An Operation makes a set of others.
type Operation string

// The operations.
const (
	Union     Operation = "union"
	Intersect Operation = "intersect"
	Minus     Operation = "minus" // the first without all others
)

// A Filter drops certificates. Zero fields drop none.
type Filter struct {
	ValidAt         time.Time     // drop what is expired or not yet valid then
	ValidFor        time.Duration // and what expires within this time after it
	MinRSABits      int
	MinECBits       int      // of an ECDSA key's curve
	SignatureHashes []string // drop what is signed with another hash
	WithoutQuirks   []certificate.Quirk
	CAOnly          bool
}

// A Pin names certificates by their hash or their key's.
type Pin struct {
	SHA256 *[32]byte // of the certificate
	SPKI   *[32]byte // SHA-256 of its SubjectPublicKeyInfo
	Reason string
	Until  time.Time // of an exclusion, when it ends; zero for never
	At     Position
}

// A Signer says who signs, in the words of signing.LoadSigner.
type Signer struct {
	Key         string // a file, exec:COMMAND or a pkcs11: URI
	Certificate string // a file; empty if the key's file holds it
	Chain       string // a file with the certificates above it; empty if they are in Certificate's
	At          Position
}

// Outputs are the files to write, each a name within the output directory;
// empty for none.
type Outputs struct {
	Signed    string // the signed two-layer message
	CertsOnly string
	PEM       string
	JKS       string
	PKCS12    string
	Cisco     bool // what Cisco publishes beside a bundle
	// Previous is the path of the bundle that this one follows, to which diff.json
	// and rss.xml compare; empty for none.
	Previous string
}

// A Position is where something is in the recipe, for errors.
type Position = yamlstrict.Position

type field = yamlstrict.Field

// Limits of a recipe.
const (
	MaxSize     = yamlstrict.MaxSize // bytes
	maxSources  = 64
	maxMentions = 4 // of one source in the set
)
