package text

import (
	"bytes"
	"slices"
	"strings"
)

// A Kind is what a file is, in words, and what to do if another was wanted.
type Kind struct {
	Name   string // with its article: "a zip archive"
	Advice string
}

// kinds are what begins with bytes of its own.
var kinds = []struct {
	offset int
	magic  string
	Kind
}{
	{0, "\x1f\x8b", Kind{"a gzip file", "decompress it with gunzip"}},
	{0, "BZh", Kind{"a bzip2 file", "decompress it with bunzip2"}},
	{0, "\xfd7zXZ\x00", Kind{"an xz file", "decompress it with unxz"}},
	{0, "\x28\xb5\x2f\xfd", Kind{"a zstd file", "decompress it with unzstd"}},
	{0, "7z\xbc\xaf\x27\x1c", Kind{"a 7z archive", "unpack it, and give a file of it"}},
	{0, "Rar!\x1a\x07", Kind{"a RAR archive", "unpack it, and give a file of it"}},
	{0, "MSCF\x00\x00\x00\x00", Kind{"a Windows cabinet", "unpack it, and give a file of it"}},
	{0, "PK\x03\x04", Kind{"a zip archive", "unpack it, and give a file of it"}},
	{0, "PK\x05\x06", Kind{"an empty zip archive", "get the file again"}},
	{257, "ustar", Kind{"a tar archive", "unpack it, and give a file of it or the directory"}},
	{0, "%PDF-", Kind{"a PDF document", "get the file itself, not a document about it"}},
	{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind{"a Microsoft Office document or installer", "get the file itself, not a document about it"}},
	{0, "{\\rtf", Kind{"an RTF document", "save it as plain text"}},
	{0, "\xfe\xed\xfe\xed", Kind{"a Java key store (JKS)", "export its certificates: keytool -list -rfc -keystore FILE >FILE.pem"}},
	{0, "\xce\xce\xce\xce", Kind{"a Java key store (JCEKS)", "export its certificates: keytool -list -rfc -storetype JCEKS -keystore FILE >FILE.pem"}},
	{0, "\x00\x00\x00\x01\x00\x00\x00\x14", Kind{"a Bouncy Castle key store (BKS)", "export its certificates as PEM with keytool and the Bouncy Castle provider"}},
	{0, "\x00\x00\x00\x02\x00\x00\x00\x14", Kind{"a Bouncy Castle key store (BKS)", "export its certificates as PEM with keytool and the Bouncy Castle provider"}},
	{0, "\x00\x00\x00\x00CERT", Kind{"a Microsoft certificate store (SST)", "export its certificates as PKCS#7 (.p7b) with certmgr.msc or certutil on Windows"}},
	{0, "SQLite format 3\x00", Kind{"an SQLite database, such as an NSS store (cert9.db)", "export its certificates: certutil -L -d DIRECTORY -n NAME -a"}},
	{0, "\x00\x06\x15\x61", Kind{"an NSS store (cert8.db)", "export its certificates: certutil -L -d DIRECTORY -n NAME -a"}},
	{0, "kych", Kind{"a macOS keychain", "export its certificates: security find-certificate -a -p FILE >FILE.pem"}},
	{0, "bplist00", Kind{"an Apple property list", "export the certificates in it as PEM"}},
	{0, "\x1e\xf1\xb5\xb0", Kind{"a private key (PVK)", "leave it out: it is secret"}},
	{0, "\x07\x02\x00\x00", Kind{"a private key of Windows", "leave it out: it is secret"}},
	{0, "Salted__", Kind{"a file encrypted by openssl enc", "decrypt it"}},
	{0, "age-encryption.org/", Kind{"a file encrypted by age", "decrypt it"}},
	{0, "\xed\xab\xee\xdb", Kind{"an RPM package", "unpack it, and give a file of it"}},
	{0, "\x04\x22\x4d\x18", Kind{"an lz4 file", "decompress it with unlz4"}},
	{0, "\x7fELF", Kind{"a program (ELF)", "give the file itself"}},
	{0, "MZ\x90\x00", Kind{"a Windows program", "give the file itself"}},
	{0, "\x89PNG\r\n", Kind{"a PNG image", "give the file itself, not a picture of it"}},
	{0, "\xff\xd8\xff", Kind{"a JPEG image", "give the file itself, not a picture of it"}},
	{0, "GIF8", Kind{"a GIF image", "give the file itself, not a picture of it"}},
	{0, "\xa1\xb2\xc3\xd4", Kind{"a packet capture", "give the file itself"}},
	{0, "\x4d\x3c\xb2\xa1", Kind{"a packet capture", "give the file itself"}},
	{0, "\xd4\xc3\xb2\xa1", Kind{"a packet capture", "give the file itself"}},
	{0, "\x0a\x0d\x0d\x0a", Kind{"a packet capture", "give the file itself"}},
	{0, "\xff\xfe\x00\x00", Kind{"text in UTF-32", "save it as UTF-8"}},
	{0, "\x00\x00\xfe\xff", Kind{"text in UTF-32", "save it as UTF-8"}},
}

// Identify names a kind of file that is not text by its first bytes.
func Identify(prefix []byte) (Kind, bool) {
	for _, k := range kinds {
		if len(prefix) <= k.offset || !bytes.HasPrefix(prefix[k.offset:], []byte(k.magic)) {
			continue
		}
		if k.magic == "BZh" && !(len(prefix) >= 10 && prefix[3] >= '1' && prefix[3] <= '9' && string(prefix[4:10]) == "1AY&SY") {
			continue
		}
		if k.magic == "PK\x03\x04" && isOffice(prefix) {
			return Kind{"a Microsoft Office document", "get the file itself, not a document about it"}, true
		}
		return k.Kind, true
	}
	if len(prefix) > 4 && prefix[0] == 0x30 && prefix[1] >= 0x80 && prefix[1] <= 0x84 {
		return Kind{"certificates or another DER file", "give text"}, true
	}
	return Kind{}, false
}

// isOffice reports whether a zip archive is of Office, by the name of its first file.
func isOffice(prefix []byte) bool {
	if len(prefix) < 30 {
		return false
	}
	first := []string{"[Content_Types].xml", "_rels/", "word/", "xl/", "docProps/", "mimetypeapplication/vnd."}
	return slices.ContainsFunc(first, func(name string) bool { return bytes.HasPrefix(prefix[30:], []byte(name)) })
}

// Name is what a text is whose beginning shows it, in words; empty for any other.
func Name(prefix []byte) string {
	begin := strings.ToLower(string(bytes.TrimSpace(prefix[:min(len(prefix), SniffBytes)])))
	for _, k := range []struct{ prefix, name string }{
		{"-----begin ", "PEM"}, {"<!doctype html", "an HTML page"}, {"<html", "an HTML page"}, {"<?xml", "XML"}, {"<rpc-reply", "XML, as of NETCONF"},
	} {
		if strings.HasPrefix(begin, k.prefix) {
			return k.name
		}
	}
	if strings.Contains(begin, "-----begin certificate-----") || strings.Contains(begin, "-----begin pkcs7-----") {
		return "PEM"
	}
	return ""
}
