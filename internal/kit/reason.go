package kit

// A Reason is a stable slug that says for which rule a kit is refused.
type Reason string

// The reasons.
const (
	NotAKit          Reason = "not-a-kit"           // it does not begin as a kit does
	TarForm          Reason = "tar"                 // a header or padding other than that of the next file, or the end too soon
	Truncated        Reason = "truncated"           // it is cut short
	TrailingBytes    Reason = "trailing"            // something follows its end
	TooLarge         Reason = "too-large"           // larger than the limits
	BadManifest      Reason = "manifest"            // the manifest is not one that Pack writes
	WrongSum         Reason = "sum"                 // a file is not the one that the manifest lists
	KitUnsigned      Reason = "kit-unsigned"        // no signature, and the receiver asks for one
	KitSignature     Reason = "kit-signature"       // a signature over the manifest that does not count
	BundleUnverified Reason = "bundle-not-verified" // a bundle is not verified
	ManifestDiffers  Reason = "manifest-differs"    // the manifest says of a bundle what is not so
	FileDiffers      Reason = "file-differs"        // a PEM or the sums do not go with the bundles or the files
	Older            Reason = "older"               // a bundle is older than one that is here already
)
