package doctor

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"trustpool/bundle"
	"trustpool/internal/device"
	"trustpool/internal/report"
)

// MaxURLXR is the longest URL that the policy of IOS XR takes, in characters.
const MaxURLXR = 800

// ContentType is the media type of a PKCS#7 certificate bundle.
const ContentType = "application/x-pkcs7-certificates"

// checks are all checks, in the order of the report. Each gives what it found; result Skipped if there is nothing to judge.
func (e *exam) checks() (all []Check) {
	add := func(id, title, why string, ground device.Ground, fix string, run func(*exam) (Result, string)) {
		result, detail := run(e)
		all = append(all, Check{id, title, result, detail, why, ground, fix})
	}
	plain := device.Inferred.By("no public source shows a device's client following or decoding it")
	none := device.Unverified.By("no device is known to send this")
	cache := device.Unverified.By("no device is known to ask so; mirrors, proxies and trustpool do")
	add("url-length", "the URL is not too long", "the policy of IOS XR takes a URL of 1 to 800 characters",
		device.Confirmed.By("YANG model Cisco-IOS-XR-um-crypto-cfg"), "serve the file under a shorter path", (*exam).urlLength)
	add("url-credentials", "there are no credentials in the URL", "IOS sends them with each request, readable on the way over http, and they are in its configuration",
		device.Confirmed.By("public packet captures"), "serve the file to everyone: it is public, and its signature protects it", (*exam).urlCredentials)
	add("tls-version", "https works with TLS 1.2", "the HTTP client of IOS XR can be set to TLS 1.0, 1.1 or 1.2, and no higher version",
		device.Confirmed.By("YANG model Cisco-IOS-XR-um-http-client-cfg"), "allow TLS 1.2", (*exam).tlsVersion)
	add("tls-certificate", "the server's certificate has the URL's host and is valid", "IOS XR verifies peer and host unless it is told not to",
		device.Inferred.By("YANG model Cisco-IOS-XR-um-http-client-cfg: both can be disabled"), "give the server a certificate for this host name", (*exam).tlsCertificate)
	add("tls-root", "a device that has no root yet can fetch the file", "over https the device must have the server's root before it can fetch the bundle that is to bring roots",
		device.Confirmed.By("public guides to Webex Calling gateways import over https where the root is in the pool already"), "serve the file over http too: its signature protects it", (*exam).tlsRoot)
	add("redirect", "no redirect", "what a device makes of a redirect is not known", plain, "answer with the file itself", (*exam).redirect)
	add("ios", "IOS and IOS XE get the file", "the request of the file client, which copies from URLs", device.FileClient.Ground, "answer 200 with the file", client("ios"))
	add("ios-pki", "the PKI client of IOS gets the file", "the request of IOS PKI, with HTTP/1.0", device.PKIClient.Ground, "answer HTTP/1.0 as well, with the file", client("ios-pki"))
	add("iosxr", "IOS XR gets the file", "a request as libcurl makes it by default", device.XRClient.Ground, "answer 200 with the file", client("iosxr"))
	add("asa", "ASA gets the file", "a plain request with HTTP/1.0", device.Unverified.By("no public source shows the request of an ASA"), "answer HTTP/1.0 as well, with the file", client("asa"))
	add("bundle", "it is a bundle", "a device can import nothing else, such as a page that asks to log in", device.Inferred.By("all that devices are documented to take are certificates, in PKCS#7 for a URL"),
		"serve the file as Cisco publishes it, byte for byte and in DER", (*exam).isBundle)
	add("signature", "the bundle is verified", "IOS XR takes a bundle only where it is signed under Cisco Root CA M1, IOS XE only one signed by Cisco", device.Confirmed.By("field notice FN72290; IOS XE trustpool guides"),
		"serve a bundle that trustpool verify accepts; name a lab's root with --root", (*exam).verified)
	add("same-bytes", "each answer has the same bytes", "devices would have different pools", device.Inferred.By("a bundle is one file"), "serve one file from all servers behind the name", (*exam).sameBytes)
	add("content-length", "Content-Length is there and right", "without it a download that was cut short looks whole; the PKI client of IOS is known to go on without it",
		device.Inferred.By("public debug logs of SCEP enrolment"), "serve a plain file, not a stream", (*exam).contentLength)
	add("chunked", "no chunks", "HTTP/1.0 knows no chunks, and what a device makes of them is not known", plain, "serve a plain file, not a stream; switch filters such as gzip off", (*exam).chunked)
	add("content-encoding", "no compression", "a device would get bytes that are no bundle", plain, "switch compression off for this path", (*exam).contentEncoding)
	add("compression", "no compression where it is asked for", "a cache on the way may hand the compressed answer to a device", device.Unverified.By("no device is known to ask for it"), "switch compression off for this path", ofFile((*exam).compression))
	add("content-type", "Content-Type is "+ContentType, "whether a device looks at it is not known; other clients do", device.Unverified.By("nothing found in public sources"),
		"map .p7b to "+ContentType, ofFile((*exam).contentType))
	add("connection-close", "the connection is closed where that is asked for", "IOS asks for it, and may wait for it; bytes behind the file would be read as part of it by a client that reads to the end",
		device.Inferred.By("public packet captures: Connection: close"), "honour Connection: close", (*exam).connectionClose)
	add("http-1.1", "HTTP/1.1 is answered with HTTP/1.1", "the HTTP client of IOS XR can be set to version 1.1; a server of HTTP/1.0 is mostly one made for trying things out",
		device.Confirmed.By("YANG model Cisco-IOS-XR-um-http-client-cfg; that such a client refuses HTTP/1.0 is unverified"), "use a server of HTTP/1.1", (*exam).http11)
	add("http-1.0-no-host", "HTTP/1.0 without Host gets the file", "clients of HTTP/1.0 need not send it", none, "make the file available on the default virtual host", plainFile("no-host"))
	add("double-slash", "a path with two slashes gets the file", "a URL put together from parts easily has them, and a redirect in answer may not be followed", device.Inferred.By("no public source shows a device's client cleaning a path"),
		"treat // as /, without a redirect", plainFile("double-slash"))
	add("not-found", "a file that is not there gives 404", "a page with status 200 is taken for the bundle", device.Inferred.By("a device has only the status to go by"), "answer 404 for what is not there", (*exam).notFound)
	add("etag", "there is a strong ETag, always the same", "others need not fetch again what they have", cache, "send a strong ETag made from the content", ofFile((*exam).etag))
	add("last-modified", "there is a Last-Modified", "others need not fetch again what they have", cache, "send Last-Modified", ofFile((*exam).lastModified))
	add("if-none-match", "304 where the ETag is the same", "others need not fetch again what they have", cache, "answer If-None-Match with 304", notModified("if-none-match"))
	add("if-modified-since", "304 where the date is the same", "others need not fetch again what they have", cache, "answer If-Modified-Since with 304", notModified("if-modified-since"))
	add("head", "HEAD agrees with GET", "monitoring asks so", none, "answer HEAD as GET, without the body", ofFile((*exam).head))
	add("range", "a range is right, or the whole file", "a download that goes on where it stopped would be damaged", none, "answer ranges by RFC 9110 section 14, or not at all", ofFile((*exam).ranges))
	add("range-unit", "a range of an unknown unit gives the whole file", "RFC 9110 section 14.2 says to ignore it", none, "ignore ranges that are not understood", plainFile("range-unit"))
	return all
}

func (e *exam) urlLength() (Result, string) {
	shown := *e.u
	shown.User = nil
	n := len(shown.String())
	if n > MaxURLXR {
		return Fail, fmt.Sprintf("%d characters; at most %d are taken", n, MaxURLXR)
	}
	return OK, strconv.Itoa(n) + " characters"
}

func (e *exam) urlCredentials() (Result, string) {
	if e.u.User != nil {
		return Warning, "there are"
	}
	return OK, "none"
}

func (e *exam) tlsVersion() (Result, string) {
	switch {
	case !e.https:
		return Skipped, "the URL is http"
	case e.tls12 != nil:
		return Fail, e.tls12.Error()
	case e.tls == nil:
		return Fail, "no connection"
	case e.tls.Version < tls.VersionTLS12:
		return Warning, tls.VersionName(e.tls.Version)
	}
	return OK, tls.VersionName(e.tls.Version) + ", " + tls.CipherSuiteName(e.tls.CipherSuite)
}

func (e *exam) tlsCertificate() (Result, string) {
	switch {
	case !e.https:
		return Skipped, "the URL is http"
	case e.tls == nil || len(e.tls.PeerCertificates) == 0:
		return Skipped, "there was no certificate to judge"
	}
	leaf := e.tls.PeerCertificates[0]
	if err := leaf.VerifyHostname(e.u.Hostname()); err != nil {
		return Fail, err.Error()
	}
	if e.o.At.Before(leaf.NotBefore) || e.o.At.After(leaf.NotAfter) {
		return Fail, fmt.Sprintf("valid from %s to %s", report.Day(leaf.NotBefore), report.Day(leaf.NotAfter))
	}
	return OK, fmt.Sprintf("for %s, until %s", e.u.Hostname(), report.Day(leaf.NotAfter))
}

// tlsRoot never judges who issued the server's certificate: the roots of this
// machine say nothing about a device.
func (e *exam) tlsRoot() (Result, string) {
	switch {
	case !e.https:
		return OK, "the URL is http: no root is needed"
	case e.tls == nil || len(e.tls.PeerCertificates) == 0:
		return Skipped, "there was no certificate to judge"
	}
	chain := e.tls.PeerCertificates
	last := chain[len(chain)-1]
	where := ""
	if e.bundle != nil {
		where = "; it is not in the bundle"
		for _, c := range e.bundle.Certificates {
			if !bytes.Equal(c.Subject, last.RawIssuer) {
				continue // as for most: a signature takes long to try
			}
			if root, err := c.X509(); err == nil && (root.Equal(last) || last.CheckSignatureFrom(root) == nil) {
				where = "; the bundle itself would bring it"
				break
			}
		}
	}
	return Warning, fmt.Sprintf("a chain of %d; a device needs the root %s%s", len(chain), last.Issuer, where)
}

func (e *exam) redirect() (Result, string) {
	result, detail := Skipped, "there was no answer"
	for _, a := range e.files() {
		if a.err != nil || a.probe.id == "double-slash" || a.probe.id == "no-host" { // they have checks of their own
			continue
		}
		if a.status >= 300 && a.status < 400 && a.status != http.StatusNotModified {
			return Fail, a.probe.as + ": " + a.describe()
		}
		result, detail = OK, "none"
	}
	return result, detail
}

// files are the answers to all probes that a whole file answers, in their order.
func (e *exam) files() (out []*answer) {
	for _, p := range e.probes() {
		if p.file() {
			out = append(out, e.got[p.id])
		}
	}
	return out
}

// wholes are those of files that are a whole file, by their status.
func (e *exam) wholes() []*answer {
	return slices.DeleteFunc(e.files(), func(a *answer) bool { return a.err != nil || a.status != http.StatusOK })
}

// same reports whether an answer is the file.
func (e *exam) same(a *answer) bool {
	return e.file != nil && a.err == nil && a.status == http.StatusOK && a.sum == e.file.sum
}

// judgeFile judges an answer that is to be the file.
func (e *exam) judgeFile(a *answer, bad Result) (Result, string) {
	switch {
	case a.err != nil || a.status != http.StatusOK:
		return bad, a.describe()
	case !e.same(a):
		return bad, a.describe() + ", which are others than " + e.file.probe.as + " got"
	}
	return OK, a.describe()
}

func client(id string) func(*exam) (Result, string) {
	return func(e *exam) (Result, string) { return e.judgeFile(e.got[id], Fail) }
}

func plainFile(id string) func(*exam) (Result, string) {
	return func(e *exam) (Result, string) {
		a := e.got[id]
		switch {
		case a == nil:
			return Skipped, "the URL is so itself"
		case e.file == nil:
			return Skipped, nothing
		}
		return e.judgeFile(a, Warning)
	}
}

// ofFile is a check that needs the file.
func ofFile(run func(*exam) (Result, string)) func(*exam) (Result, string) {
	return func(e *exam) (Result, string) {
		if e.file == nil {
			return Skipped, nothing
		}
		return run(e)
	}
}

// nothing is why a check is skipped if no answer was a file.
const nothing = "no answer had status 200"

func (e *exam) isBundle() (Result, string) {
	switch {
	case e.file == nil:
		return Fail, nothing
	case e.parseErr != nil:
		return Fail, e.parseErr.Error()
	}
	if bare, wrapped := e.bundle.Unwrap(); wrapped || e.bundle.Form == bundle.FormPEM {
		detail := "PEM or base64, which no device is known to read as a bundle file"
		if wrapped {
			detail += fmt.Sprintf(": %d bytes around %d of DER", e.file.n, len(bare.Raw))
		}
		return Fail, detail
	}
	if e.bundle.Form != bundle.FormSigned {
		return Warning, fmt.Sprintf("form %s, %d certificates", e.bundle.Form, len(e.bundle.Certificates))
	}
	return OK, fmt.Sprintf("%d certificates", len(e.bundle.Certificates))
}

func (e *exam) verified() (Result, string) {
	if e.signature == nil {
		return Skipped, "there is no bundle"
	}
	if !e.signature.Verified {
		return Fail, e.signature.Summary() + ": " + *e.signature.Detail
	}
	return OK, e.signature.Summary()
}

func (e *exam) sameBytes() (Result, string) {
	wholes := e.wholes()
	if len(wholes) < 2 {
		return Skipped, "fewer than two answers had status 200"
	}
	for _, a := range wholes {
		if !e.same(a) {
			return Fail, fmt.Sprintf("%s: %d bytes of SHA-256 %x; %s: %d of %x", e.file.probe.as, e.file.n, e.file.sum[:8], a.probe.as, a.n, a.sum[:8])
		}
	}
	return OK, fmt.Sprintf("%d answers, SHA-256 %x", len(wholes), e.file.sum)
}

// inFiles is Fail with what is wrong with the first answer of some, empty if nothing is, and OK if nothing is wrong with any.
func (e *exam) inFiles(answers []*answer, wrong func(*answer) string) (Result, string) {
	for _, a := range answers {
		if detail := wrong(a); detail != "" {
			return Fail, a.probe.as + ": " + detail
		}
	}
	if e.file == nil {
		return Skipped, nothing
	}
	return OK, "none"
}

func (e *exam) contentLength() (Result, string) {
	result, detail := e.inFiles(e.files(), func(a *answer) string {
		switch {
		case a.err != nil && a.length >= 0:
			return a.err.Error()
		case a.err == nil && a.status == http.StatusOK && a.length != a.n:
			return "there is none"
		}
		return ""
	})
	if result == OK {
		detail = strconv.FormatInt(e.file.length, 10)
	}
	return result, detail
}

func (e *exam) chunked() (Result, string) {
	return e.inFiles(e.files(), func(a *answer) string {
		if a.chunked {
			return "Transfer-Encoding: chunked"
		}
		return ""
	})
}

func (e *exam) contentEncoding() (Result, string) { return e.inFiles(e.wholes(), (*answer).encoding) }

// encoding is the field of an answer that is encoded; empty if it is not.
func (a *answer) encoding() string {
	if v := a.header.Get("Content-Encoding"); v != "" && !strings.EqualFold(v, "identity") {
		return "Content-Encoding: " + v
	}
	return ""
}
