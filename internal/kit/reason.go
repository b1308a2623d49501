package kit

// A Reason is a stable slug that says for which rule a kit is refused.
type Reason string

// The reasons.
const (
	NotAKit          Reason = "not-a-kit"           // the file does not begin as a kit does
	TarForm          Reason = "tar"                 // a header or padding is not that of the next file of the manifest: a link, a device, another name, size, time or owner, an extension of the format, a file too many, too few or twice
	Truncated        Reason = "truncated"           // the kit is cut short
	TrailingBytes    Reason = "trailing"            // something follows the end of the kit
	TooLarge         Reason = "too-large"           // a kit of more than 1 GiB, or a manifest or a signature of more than 1 MiB
	BadManifest      Reason = "manifest"            // the manifest is not one that `pack` writes
	WrongSum         Reason = "sum"                 // a file is not the one that the manifest lists
	KitUnsigned      Reason = "kit-unsigned"        // there is no signature over the manifest, and `--kit-root` asks for one
	KitSignature     Reason = "kit-signature"       // the signature over the manifest does not count
	BundleUnverified Reason = "bundle-not-verified" // a bundle is not verified
	ManifestDiffers  Reason = "manifest-differs"    // what the manifest says of a bundle is not so
	FileDiffers      Reason = "file-differs"        // a PEM does not hold the certificates of its bundle, a bundle is text around DER, or SHA256SUMS not the sums of the manifest
	Older            Reason = "older"               // a bundle is older than one of `--previous`, or another of the same version, or nothing shows which is newer
)
