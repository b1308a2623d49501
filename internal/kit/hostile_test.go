package kit

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/internal/pkitest"
	"trustpool/roots"
	"trustpool/signing"
)

// A hostile kit: how it is made, and for which reason it is refused, in which words.
type hostile struct {
	name   string
	make   func(t *testing.T, good []byte, f *forge) []byte
	reason Reason
	words  string
	open   func(t *testing.T, o *OpenOptions) // nil: as usual
}

func TestHostile(t *testing.T) {
	t.Parallel()
	good := pack(t, nil)
	if got := newForge(t, good).tar(t); !bytes.Equal(got, good) {
		t.Fatal("a forge that changes nothing makes another kit")
	}
	cases := slices.Concat(hostileBytes(), hostileHeaders(), hostileExtensions(), hostileManifests(), hostilePaths(), hostileContents(), hostileSignatures())
	if len(cases) < 60 {
		t.Fatalf("only %d hostile kits", len(cases))
	}
	names := map[string]bool{}
	for _, c := range cases {
		if names[c.name] {
			t.Fatalf("two are called %q", c.name)
		}
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := openOptions(t)
			if c.open != nil {
				c.open(t, &o)
			}
			k, err := open(c.make(t, slices.Clone(good), newForge(t, good)), o)
			var r *Refusal
			if k != nil || !errors.As(err, &r) || r.Reason != c.reason || !strings.Contains(r.Err.Error(), c.words) {
				t.Errorf("got %v, want %s with %q", err, c.reason, c.words)
			}
		})
	}
}

// What is no kit at all, and kits that are cut or go on.
func hostileBytes() []hostile {
	body := func(name string, reason Reason, words string, change func(good []byte) []byte) hostile {
		return hostile{name: name, reason: reason, words: words, make: func(_ *testing.T, good []byte, _ *forge) []byte { return change(good) }}
	}
	zip := func(data []byte) []byte {
		var out bytes.Buffer
		w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
		_, _ = w.Write(data)
		_ = w.Close()
		return out.Bytes()
	}
	cut := func(n int) func([]byte) []byte { return func(good []byte) []byte { return good[:n] } }
	drop := func(n int) func([]byte) []byte { return func(good []byte) []byte { return good[:len(good)-n] } }
	return []hostile{
		body("empty", NotAKit, "0 bytes", cut(0)),
		body("one byte", NotAKit, "1 bytes", cut(1)),
		body("zeroes", NotAKit, "not a tar file", func([]byte) []byte { return make([]byte, 10240) }),
		body("gzip", NotAKit, "not a tar file", zip),
		body("gzip bomb", NotAKit, "not a tar file", func([]byte) []byte { return zip(make([]byte, 1<<20)) }),
		body("text", NotAKit, "not a tar file", func([]byte) []byte { return bytes.Repeat([]byte("a kit\n"), 1000) }),
		body("one header", Truncated, "within manifest.json", cut(blockSize)),
		body("cut in the manifest", Truncated, "within manifest.json", cut(2*blockSize)),
		body("cut in the padding", Truncated, "within verify.sh", drop(endSize+1)),
		body("cut in a header", Truncated, "before verify.sh", func(good []byte) []byte {
			return good[:bytes.LastIndex(good, append([]byte("verify.sh"), 0))+100]
		}),
		body("cut in a bundle", Truncated, "within bundles/lab-quirks.p7b", func(good []byte) []byte {
			return good[:bytes.LastIndex(good, append([]byte("bundles/lab-quirks.p7b"), 0))+2*blockSize]
		}),
		body("no end", Truncated, "the end of the tar file is missing", drop(endSize)),
		body("half an end", Truncated, "the end of the tar file is missing", drop(blockSize)),
		body("a zero more", TrailingBytes, "bytes follow", func(good []byte) []byte { return append(good, 0) }),
		body("a block more", TrailingBytes, "bytes follow", func(good []byte) []byte { return append(good, make([]byte, blockSize)...) }),
		body("bytes in the end", TrailingBytes, "bytes follow", func(good []byte) []byte { good[len(good)-1] = 1; return good }),
		body("a second kit", TrailingBytes, "bytes follow", func(good []byte) []byte { return append(good, good...) }),
		body("padding", TarForm, "padding after verify.sh", func(good []byte) []byte { good[len(good)-endSize-1] = 'x'; return good }),
	}
}

// Headers of files that are not those of a kit.
func hostileHeaders() []hostile {
	header := func(name, words string, change func(h []byte)) hostile {
		return hostile{name: name, reason: TarForm, words: words, make: func(t *testing.T, good []byte, _ *forge) []byte {
			return edit(t, good, readmeFile, change)
		}}
	}
	first := func(name, words string, change func(h []byte)) hostile {
		return hostile{name: name, reason: NotAKit, words: words, make: func(t *testing.T, good []byte, _ *forge) []byte {
			return edit(t, good, manifestFile, change)
		}}
	}
	kind := func(c byte) func([]byte) { return func(h []byte) { h[156] = c } }
	write := func(at int, s string) func([]byte) { return func(h []byte) { copy(h[at:], s) } }
	rename := func(to string) func([]byte) {
		return func(h []byte) { clear(h[:100]); copy(h, to) }
	}
	return []hostile{
		header("a symbolic link", "a symbolic link, where the file README.txt", func(h []byte) { h[156] = '2'; copy(h[157:], "/etc/passwd") }),
		header("a hard link", "a hard link, where", func(h []byte) { h[156] = '1'; copy(h[157:], "manifest.json") }),
		header("a character device", "a character device, where", kind('3')),
		header("a block device", "a block device, where", kind('4')),
		header("a directory", "a directory, where", kind('5')),
		header("a FIFO", "a FIFO, where", kind('6')),
		header("a contiguous file", "a contiguous file, where", kind('7')),
		header("a sparse file", "a sparse file, where", kind('S')),
		header("an old file", "a file of an old format, where", kind(0)),
		header("an unknown type", "an entry of type 'Z', where", kind('Z')),
		header("a path out", `the file "../README.txt", where`, rename("../README.txt")),
		header("an absolute path", `the file "/etc/passwd", where`, rename("/etc/passwd")),
		header("another spelling", `the file "./README.txt", where`, rename("./README.txt")),
		header("more after the name", `the file "README.txt\x00/../x", where`, write(10, "\x00/../x")),
		header("a prefix", "another prefix than", write(345, "../..")),
		header("a set-user-ID bit", "another mode than", write(100, "0004755")),
		header("an owner", "another owner than", write(108, "0001750")),
		header("an owner's name", "another owner's name than", write(265, "root")),
		header("another time", "another time than", write(136, "14000000000")),
		header("a link name", "another link than", write(157, "x")),
		header("a device number", "another device than", write(329, "0000001")),
		header("the old GNU format", "another magic than", write(257, "ustar  \x00")),
		header("another size", "with the size", write(124, "00000000001")),
		header("a size in base 256", "with the size", write(124, "\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x00")),
		{name: "a wrong header sum", reason: TarForm, words: "a header with a wrong sum, where that of README.txt", make: func(t *testing.T, good []byte, _ *forge) []byte {
			good[at(t, good, readmeFile)+148] ^= 1
			return good
		}},
		first("a huge manifest header", "11 octal digits", write(124, "\x80\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff")),
		first("a size with blanks", "11 octal digits", write(124, "      12524")),
		first("a negative size", "11 octal digits", write(124, "-0000000001")),
		first("a manifest that is a link", "it begins with a symbolic link", kind('2')),
		first("a first file of another name", `it begins with the file "x.json"`, rename("x.json")),
		{name: "a manifest of 8 GB", reason: TooLarge, words: "a manifest of 8589934591 bytes", make: func(t *testing.T, good []byte, _ *forge) []byte {
			return edit(t, good, manifestFile, write(124, "77777777777"))
		}},
	}
}

// Entries that stand between, before or after those of the manifest.
func hostileExtensions() []hostile {
	pax := func(records map[string]string, h tar.Header) []byte {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		h.PAXRecords, h.Format = records, tar.FormatPAX
		if err := w.WriteHeader(&h); err != nil {
			panic(err)
		}
		return out.Bytes()
	}
	before := func(name, path string, reason Reason, words string, blocks func() []byte) hostile {
		return hostile{name: name, reason: reason, words: words, make: func(t *testing.T, good []byte, _ *forge) []byte {
			return insert(good, at(t, good, path), blocks())
		}}
	}
	file := func(path string) func() []byte {
		return func() []byte { return tarFile(path, []byte("x\n"), 1736942400) }
	}
	return []hostile{
		before("a global header", manifestFile, NotAKit, "a global extended header", func() []byte {
			return pax(map[string]string{"path": "x"}, tar.Header{Typeflag: tar.TypeXGlobalHeader})
		}),
		before("an extended path", readmeFile, TarForm, "an extended header, where", func() []byte {
			return pax(map[string]string{"comment": "x"}, tar.Header{Name: strings.Repeat("../", 60) + "etc/passwd", Typeflag: tar.TypeReg})[:2*blockSize]
		}),
		before("an extended size", readmeFile, TarForm, "an extended header, where", func() []byte {
			h := header("PaxHeaders/README.txt", 20, 1736942400)
			h[156] = 'x'
			resum(h)
			return append(h, append([]byte("20 size=99999999999\n"), make([]byte, blockSize-20)...)...)
		}),
		before("a long name", readmeFile, TarForm, "a long name, where", func() []byte {
			h := header("././@LongLink", 200, 1736942400)
			h[156] = 'L'
			resum(h)
			return append(h, append(bytes.Repeat([]byte("../"), 66), make([]byte, blockSize-198)...)...)
		}),
		before("a file more", "SHA256SUMS", TarForm, `the file "SHA256", where SHA256SUMS`, file("SHA256")),
		before("a file before the manifest", manifestFile, NotAKit, `it begins with the file "a.txt"`, file("a.txt")),
		before("a second manifest", readmeFile, TarForm, `the file "manifest.json", where README.txt`, file(manifestFile)),
		before("a file twice", "SHA256SUMS", TarForm, `the file "README.txt", where SHA256SUMS`, file(readmeFile)),
		before("an end too soon", "verify.sh", TarForm, "the end, where verify.sh", func() []byte { return make([]byte, endSize) }),
		{name: "a file after the last", reason: TarForm, words: `one file more than the manifest lists: "zzz"`, make: func(_ *testing.T, good []byte, _ *forge) []byte {
			return insert(good, len(good)-endSize, tarFile("zzz", nil, 1736942400))
		}},
		{name: "a file less", reason: TarForm, words: `the file "SHA256SUMS", where README.txt`, make: func(t *testing.T, good []byte, _ *forge) []byte {
			return slices.Delete(good, at(t, good, readmeFile), at(t, good, sumsFile))
		}},
		{name: "two files in another order", reason: TarForm, words: `the file "SHA256SUMS", where README.txt`, make: func(t *testing.T, good []byte, _ *forge) []byte {
			readme, sum := at(t, good, readmeFile), at(t, good, sumsFile)
			moved := bytes.Clone(good[readme:sum])
			good = slices.Delete(good, readme, sum)
			return insert(good, at(t, good, "audit/lab_core.html"), moved)
		}},
	}
}

func forged(name string, reason Reason, words string, change func(f *forge)) hostile {
	return hostile{name: name, reason: reason, words: words, make: func(t *testing.T, _ []byte, f *forge) []byte {
		change(f)
		return f.tar(t)
	}}
}

// Manifests that are another document.
func hostileManifests() []hostile {
	raw := func(name, words string, change func([]byte) []byte) hostile {
		return forged(name, BadManifest, words, func(f *forge) { f.raw = change })
	}
	replace := func(old, newer string) func([]byte) []byte {
		return func(b []byte) []byte {
			if !bytes.Contains(b, []byte(old)) {
				panic(old)
			}
			return bytes.Replace(b, []byte(old), []byte(newer), 1)
		}
	}
	value := func(name, words string, change func(f *forge)) hostile {
		return forged(name, BadManifest, words, change)
	}
	const notOurs = "not written as trustpool writes it"
	return []hostile{
		raw("no JSON", "invalid character", func([]byte) []byte { return []byte("not JSON") }),
		raw("an empty manifest", "unexpected end", func([]byte) []byte { return nil }),
		raw("null", "its schema is", func([]byte) []byte { return []byte("null") }),
		raw("an unknown schema", `its schema is "trustpool.kit/2"`, replace("trustpool.kit/1", "trustpool.kit/2")),
		raw("a field twice", notOurs, replace(`"time_from"`, `"time_from": "x", "time_from"`)),
		raw("a field in another case", notOurs, replace(`"time_from"`, `"Time_From"`)),
		raw("an unknown field", notOurs, replace(`"time_from"`, `"run": "sh -c id", "time_from"`)),
		raw("another order", notOurs, replace("\"schema\": \"trustpool.kit/1\",\n  \"time\": \"2025-01-15T12:00:00Z\"", "\"time\": \"2025-01-15T12:00:00Z\",\n  \"schema\": \"trustpool.kit/1\"")),
		raw("other white space", notOurs, replace("\n  ", "\n\t")),
		raw("more after it", "after top-level value", func(b []byte) []byte { return append(b, "{}"...) }),
		raw("a blank after it", notOurs, func(b []byte) []byte { return append(b, ' ') }),
		raw("no UTF-8", notOurs, replace("Lab Core Bundle", "Lab\xffCore Bundle")),
		raw("an escaped letter", notOurs, replace("Lab Core Bundle", `\u004cab Core Bundle`)),
		raw("deep nesting", "exceeded max depth", func([]byte) []byte { return bytes.Repeat([]byte("["), 500_000) }),
		raw("a size that is no number", "cannot unmarshal", replace(`"size": `, `"size": "1", "x": `)),
		raw("a size beyond 64 bits", "cannot unmarshal", replace(`"size": `, `"size": 99999999999999999999, "x": `)),
		forged("a manifest of 2 MB", TooLarge, "a manifest of", func(f *forge) {
			f.raw = func(b []byte) []byte { return append(b, bytes.Repeat([]byte(" "), 2<<20)...) }
		}),
		value("a negative size in the manifest", "-1 bytes", func(f *forge) { f.file(readmeFile, func(e *fileSums) { e.Size = -1 }) }),
		value("a file of 8 GB", "8589934591 bytes", func(f *forge) { f.file(readmeFile, func(e *fileSums) { e.Size = 8589934591 }) }),
		value("a hash in capitals", "a hash of the file README.txt", func(f *forge) { f.file(readmeFile, func(e *fileSums) { e.SHA256 = strings.ToUpper(e.SHA256) }) }),
		value("a short hash", "a hash of the file README.txt", func(f *forge) { f.file(readmeFile, func(e *fileSums) { e.SHA512 = e.SHA256 }) }),
		value("no bundles", "0 bundles", func(f *forge) { f.m.Bundles = []Entry{} }),
		value("too many bundles", "65 bundles", func(f *forge) { f.m.Bundles = slices.Repeat(f.m.Bundles[:1], MaxBundles+1) }),
		value("too many files", "1001 files", func(f *forge) { f.m.Files = slices.Repeat(f.m.Files[:1], MaxFiles+1) }),
		value("a time that is none", "is not of the form", func(f *forge) { f.m.Time = "yesterday" }),
		value("a time in another zone", "is not of the form", func(f *forge) { f.m.Time = "2025-01-15T13:00:00+01:00" }),
		value("a time before 1970", "not one that a tar file can have", func(f *forge) { f.m.Time = "1950-01-01T00:00:00Z" }),
		value("a time from nowhere", `its time comes from "clock"`, func(f *forge) { f.m.TimeFrom = "clock" }),
		forged("two times", TarForm, "the manifest says 2025-01-15T12:00:01Z", func(f *forge) { f.m.Time = "2025-01-15T12:00:01Z" }),
		value("files out of order", "is out of order", func(f *forge) { slices.Reverse(f.m.Files) }),
		value("not verified", "was not verified when it was packed", func(f *forge) { f.m.Bundles[0].Verification.Verified = false }),
		value("judged at no time", "judged at a time that is none", func(f *forge) { f.m.Bundles[0].Verification.At = new("soon") }),
		value("two bundles of one name", "only one can be the newest", func(f *forge) { f.m.Bundles[0].Name = f.m.Bundles[1].Name }),
		value("a bundle twice", "is there twice", func(f *forge) { f.m.Bundles = append(f.m.Bundles, f.m.Bundles[0]) }),
		value("a bundle that is another file", "in no place for them", func(f *forge) { f.m.Bundles[0].File = readmeFile }),
		value("a PEM that is another file", "in no place for them", func(f *forge) { f.m.Bundles[0].PEM = f.m.Bundles[1].PEM }),
		value("a bundle that is not listed", "belongs to no bundle", func(f *forge) { f.m.Bundles = f.m.Bundles[1:] }),
		value("changes that are another file", "in no place for them", func(f *forge) { f.m.Bundles[1].Changes = &changes{Text: "verify.sh", SHA256: f.m.Files[0].SHA256} }),
		value("changes since nothing", "is none", func(f *forge) { f.m.Bundles[1].Changes.SHA256 = "x" }),
		value("no script", "the file verify.sh is missing", func(f *forge) { f.drop(scriptFile) }),
		value("no bundle file", "the file bundles/lab_core.p7b is missing", func(f *forge) { f.drop("bundles/lab_core.p7b") }),
		value("no changes", "the file changes/lab_core.diff.json is missing", func(f *forge) { f.drop("changes/lab_core.diff.json") }),
	}
}

// Paths in the manifest; the tar has them too.
func hostilePaths() []hostile {
	var out []hostile
	for _, path := range []string{
		"../x.txt", "/etc/cron.d/x", "audit/../../x.html", "audit//x.html", "./x.txt", "commands/./x.txt", "commands/..txt", "commands/a/b.txt", "x.txt", "bin/x",
		`commands\x.txt`, `commands/a\..\x.txt`, "commands/C:x.txt", "commands/a\nb.txt", "commands/a\x1b[2J.txt", "commands/a\u202etxt.exe.txt", "commands/é.txt",
		"commands/con.txt", "commands/COM1.txt", "commands/lpt9.x.txt", "commands/nul.txt", "commands/.hidden.txt", "commands/-rf.txt", "commands/x..txt", "commands/x .txt", "commands/$(id).txt",
		"commands/" + strings.Repeat("a", 61) + ".txt", "commands/x.sh", "audit/x.js", "commands/", "",
	} {
		out = append(out, forged(fmt.Sprintf("the path %q", path), BadManifest, "is not the path of a file of a kit", func(f *forge) { f.add(path) }))
	}
	return append(out,
		forged("a path twice", BadManifest, "is there twice", func(f *forge) { f.add("commands/iosxr.txt") }),
		forged("a path twice but for case", BadManifest, "is there twice", func(f *forge) { f.add("commands/IOSXR.txt") }),
		forged("an audit of nothing", BadManifest, "belongs to no bundle", func(f *forge) { f.add("audit/other.html") }),
		forged("a bundle beside", BadManifest, "belongs to no bundle", func(f *forge) { f.add("bundles/other.p7b") }),
	)
}

// Files that are not what they are said to be, with the sums of what they are.
func hostileContents() []hostile {
	const core = "bundles/lab_core.p7b"
	bundle := func(name, words string, data func(f *forge) []byte) hostile {
		return forged(name, BundleUnverified, words, func(f *forge) { f.put(core, data(f)) })
	}
	read := func(t *testing.T, file string) []byte { return lab(t, file).Raw }
	entry := func(name string, change func(e *Entry)) hostile {
		return forged(name, ManifestDiffers, "the manifest says otherwise", func(f *forge) { change(&f.m.Bundles[1]) })
	}
	list := []hostile{
		forged("a changed file", WrongSum, "README.txt is not the file", func(f *forge) { f.contents[readmeFile] = bytes.ToUpper(f.contents[readmeFile]) }),
		forged("a changed bundle", WrongSum, core+" is not the file", func(f *forge) { f.contents[core] = bytes.Clone(f.contents[core]); f.contents[core][5000] ^= 1 }),
		forged("a wrong MD5", WrongSum, "README.txt is not the file", func(f *forge) { f.file(readmeFile, func(e *fileSums) { e.MD5 = strings.Repeat("0", 32) }) }),
		forged("a wrong SHA-512", WrongSum, "README.txt is not the file", func(f *forge) { f.file(readmeFile, func(e *fileSums) { e.SHA512 = strings.Repeat("0", 128) }) }),
		forged("other sums", FileDiffers, "does not have the sums", func(f *forge) {
			f.contents[sumsFile] = []byte("0  README.txt\n")
			f.file(sumsFile, func(e *fileSums) { *e = sumsOf(sumsFile, f.contents[sumsFile]) })
		}),
		forged("a bundle in PEM", FileDiffers, core+" is text around DER", func(f *forge) { f.put(core, pkitest.MessagePEM(f.contents[core])) }),
		forged("a bundle in base64", FileDiffers, core+" is text around DER", func(f *forge) {
			f.put(core, []byte(base64.StdEncoding.EncodeToString(f.contents[core])))
		}),
		bundle("a changed bundle with its sums", "not verified: message-digest-differs", func(f *forge) []byte {
			b := bytes.Clone(f.contents[core])
			b[bytes.Index(b, []byte("Alder"))] = 'E'
			return b
		}),
		bundle("a page", "an HTML page", func(*forge) []byte { return []byte("<!DOCTYPE html>\n<title>Log in</title>\n") }),
		bundle("an empty bundle", "empty file", func(*forge) []byte { return nil }),
		bundle("the pool alone", "not verified: not-signed", func(_ *forge) []byte { return pkitest.CertsOnly(pkitest.CoreV1()...) }),
		bundle("a bundle of another root", "not verified: chain-no-anchor", func(*forge) []byte {
			return pkitest.Bundle(pkitest.Lab().OtherSigner, "Lab Core Bundle", "2", time.Date(2025, 1, 15, 12, 0, 0, 0, time.UTC), pkitest.CoreV2()...)
		}),
		bundle("a bundle of a root of the same name", "not verified: chain-no-anchor", func(*forge) []byte {
			return pkitest.Bundle(pkitest.Lab().ImpostorSigner, "Lab Core Bundle", "2", time.Date(2025, 1, 15, 12, 0, 0, 0, time.UTC), pkitest.CoreV2()...)
		}),
		entry("another name", func(e *Entry) { e.Name = "Trusted Core Bundle" }),
		entry("another version", func(e *Entry) { e.Version = "3" }),
		entry("another signing time", func(e *Entry) { e.SigningTime = new("2025-01-16T12:00:00Z") }),
		entry("no signing time", func(e *Entry) { e.SigningTime = nil }),
		entry("another number of certificates", func(e *Entry) { e.Certificates = 367 }),
		entry("another anchor", func(e *Entry) { e.Verification.Anchor.Name = "Cisco Root CA M1" }),
		forged("another PEM", FileDiffers, "does not hold the certificates of", func(f *forge) { f.put("bundles/lab_core.pem", f.contents["bundles/lab-quirks.pem"]) }),
	}
	older := hostile{name: "an older bundle", reason: Older, words: "version 1 of", make: func(t *testing.T, _ []byte, f *forge) []byte {
		f.put(core, read(t, "lab-core-v1.p7b"))
		var pem bytes.Buffer
		if err := pemOf(lab(t, "lab-core-v1.p7b"))(&pem); err != nil {
			t.Fatal(err)
		}
		f.put("bundles/lab_core.pem", pem.Bytes())
		e := &f.m.Bundles[1]
		e.Version, e.SigningTime, e.Certificates = "1", new("2024-01-15T12:00:00Z"), 8
		return f.tar(t)
	}, open: func(t *testing.T, o *OpenOptions) { o.Previous = []Previous{{"here", lab(t, "lab-core-v2.p7b")}} }}
	expired := hostile{name: "an expired signer", reason: BundleUnverified, words: "chain-expired", make: func(_ *testing.T, good []byte, _ *forge) []byte { return good },
		open: func(_ *testing.T, o *OpenOptions) { o.At = now.AddDate(100, 0, 0) }}
	return append(list, older, expired)
}

// Signatures over the manifest that do not count.
func hostileSignatures() []hostile {
	asked := func(t *testing.T, o *OpenOptions) { o.KitAnchors = []roots.Anchor{anchor(t, "lab-root.pem")} }
	signed := func(name, words string, sign func(t *testing.T, manifest []byte) []byte) hostile {
		return hostile{name: name, reason: KitSignature, words: words, open: asked, make: func(t *testing.T, _ []byte, f *forge) []byte {
			f.signature = sign(t, f.manifest(t))
			return f.tar(t)
		}}
	}
	by := func(t *testing.T, a *pkitest.Authority, content []byte) []byte {
		p7s, err := signing.SignDetached(content, signerOf(t, a), now)
		if err != nil {
			t.Fatal(err)
		}
		return p7s
	}
	message := func(change func(*pkitest.Message)) func(*testing.T, []byte) []byte {
		return func(_ *testing.T, manifest []byte) []byte {
			m := pkitest.Message{Content: manifest, Detached: true, Signers: []pkitest.SignerInfo{{Signer: pkitest.Lab().Signer}}}
			change(&m)
			return m.DER()
		}
	}
	return []hostile{
		{name: "no signature", reason: KitUnsigned, words: "nobody has signed", open: asked, make: func(_ *testing.T, good []byte, _ *forge) []byte { return good }},
		signed("a signature of others", "chain-no-anchor", func(t *testing.T, m []byte) []byte { return by(t, pkitest.Lab().OtherSigner, m) }),
		signed("a signature of a namesake", "chain-no-anchor", func(t *testing.T, m []byte) []byte { return by(t, pkitest.Lab().ImpostorSigner, m) }),
		signed("a signature over another manifest", "message-digest-differs", func(t *testing.T, m []byte) []byte { return by(t, pkitest.Lab().Signer, append(m, ' ')) }),
		signed("a signature without attributes", "no-signed-attributes", message(func(m *pkitest.Message) { m.Signers[0].NoAttributes = true })),
		signed("a signature with content", "not a detached signature", message(func(m *pkitest.Message) { m.Detached = false })),
		signed("a signature that is none", "neither PKCS#7", func(*testing.T, []byte) []byte { return []byte("signed, the director") }),
		signed("an empty signature", "empty file", func(*testing.T, []byte) []byte { return []byte{} }),
		signed("a signature of an expired signer", "chain-expired", message(func(m *pkitest.Message) { m.Signers[0].Signer = pkitest.Lab().ExpiredSigner })),
		{name: "a signature of 2 MB", reason: TooLarge, words: "a signature of", make: func(t *testing.T, _ []byte, f *forge) []byte {
			f.signature = make([]byte, 2<<20)
			return f.tar(t)
		}},
		{name: "two signatures", reason: TarForm, words: `the file "manifest.json.p7s", where README.txt`, make: func(t *testing.T, _ []byte, f *forge) []byte {
			f.signature = by(t, pkitest.Lab().Signer, f.manifest(t))
			signed := f.tar(t)
			return insert(signed, at(t, signed, readmeFile), tarFile(signatureFile, f.signature, f.seconds))
		}},
	}
}

// FuzzOpen holds Open to the one form: whatever it takes is what it would make.
func FuzzOpen(f *testing.F) {
	good := pack(f, nil)
	f.Add(good)
	f.Add(pack(f, signerOf(f, pkitest.Lab().Signer)))
	forge := newForge(f, good)
	f.Add(forge.tar(f)[:4*blockSize])
	forge.contents = maps.Clone(forge.contents)
	for i := range forge.m.Files {
		forge.contents[forge.m.Files[i].Path] = nil
		forge.m.Files[i] = sumsOf(forge.m.Files[i].Path, nil)
	}
	forge.sum()
	f.Add(forge.tar(f))
	o := openOptions(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := open(data, o)
		if err != nil {
			if !errors.As(err, new(*Refusal)) {
				t.Fatalf("neither taken nor refused: %v", err)
			}
			return
		}
		raw, err := k.Manifest.encode()
		if err != nil {
			t.Fatal(err)
		}
		when, err := k.Manifest.time()
		if err != nil {
			t.Fatal(err)
		}
		var again bytes.Buffer
		files := k.Manifest.all(raw, k.Signature)
		if err := writeTar(&again, files, when.Unix(), k.contents); err != nil || !bytes.Equal(again.Bytes(), data) {
			t.Errorf("made anew it is another kit: %v", err)
		}
		if size := tarSize(files); size != int64(len(data)) {
			t.Errorf("it has %d bytes, not %d", len(data), size)
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add(newForge(f, pack(f, nil)).manifest(f))
	f.Add([]byte(`{"schema": "trustpool.kit/1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseManifest(data)
		if err != nil {
			return
		}
		for _, file := range m.Files {
			if err := checkPath(file.Path); err != nil {
				t.Error(err)
			}
		}
		if again, err := m.encode(); err != nil || !bytes.Equal(again, data) {
			t.Error("written anew it is another manifest")
		}
	})
}
