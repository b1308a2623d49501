package certificate_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trustpool/bundle/certificate"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

var update = flag.Bool("update", false, "write objects.txt anew from the table of the installed OpenSSL")

// An object is an entry of OpenSSL's table of objects.
type object struct {
	oid  pkitest.OID
	name string
}

// openSSLObjects are the objects that OpenSSL has an object identifier for. It
// prints no more than 26 characters of one, so those of DSTU 4145 are added here.
func openSSLObjects(t *testing.T) (out []object) {
	const dstu = "1.2.804.2.1.1.1.1.3.1.1."
	out = append(out, object{dstu + "1.1", "dstu4145be"})
	for n := range 10 {
		out = append(out, object{pkitest.OID(dstu + "2." + strconv.Itoa(n)), "uacurve" + strconv.Itoa(n)})
	}
	for line := range strings.Lines(string(tooltest.Run(t, nil, "openssl", "list", "-objects"))) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), " = ")
		oid := rest[strings.LastIndexByte(rest, ' ')+1:] // behind the long name, if there is one
		if ok && !strings.HasSuffix(oid, ".") {
			out = append(out, object{pkitest.OID(oid), name})
		}
	}
	return out
}

// An attribute of every type that OpenSSL has a name for is printed under that
// name, and one of a type that it has none for is not.
func TestObjectNames(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	objects := openSSLObjects(t)
	if *update {
		writeObjects(t, objects)
	}
	if len(objects) < 1000 {
		t.Fatalf("OpenSSL lists %d objects", len(objects))
	}
	der := odd(func(c *pkitest.Template) {
		c.Subject = nil
		for _, o := range append(objects, object{oid: "1.2.643.100.99"}, object{oid: "2.5.4.200"}, object{oid: "1.2.643.3.131.1"}) {
			c.Subject = append(c.Subject, pkitest.RDN{{Type: o.oid, Tag: 12, Value: []byte("x")}})
		}
	})
	c := certificate.Read(der)
	if c.Err != nil {
		t.Fatal(c.Err)
	}
	out := tooltest.Run(t, der, "openssl", "x509", "-inform", "DER", "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb")
	want := strings.Split(strings.TrimSpace(strings.TrimPrefix(string(out), "subject=")), ",")
	got := strings.Split(c.Subject.String(), ",")
	if len(got) != len(want) {
		t.Fatalf("%d attributes, OpenSSL prints %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("attribute %q, OpenSSL prints %q", got[i], want[i])
		}
	}
	for oid, name := range map[pkitest.OID]string{"1.2.643.3.131.1.1": "INN", "1.2.643.100.1": "OGRN", "1.2.643.100.3": "SNILS", "1.2.643.100.5": "OGRNIP"} {
		if got := certificate.Read(named(oid, 12, "1")).Subject.String(); got != name+"=1" {
			t.Errorf("%s is printed as %q", oid, got)
		}
	}
}

// writeObjects writes objects.txt: the types of attributes that are not in x520Names, sorted as lookups need them.
func writeObjects(t *testing.T, objects []object) {
	t.Helper()
	var lines []string
	seen := map[pkitest.OID]bool{}
	for _, o := range objects {
		var n int
		_, err := fmt.Sscanf(string(o.oid)+"\n", "2.5.4.%d\n", &n)
		if common := err == nil && n < len(certificate.X520Names) && certificate.X520Names[n] != ""; !common && !seen[o.oid] {
			lines = append(lines, fmt.Sprintf("%s %s\n", o.oid, o.name))
		}
		seen[o.oid] = true
	}
	slices.Sort(lines)
	if err := os.WriteFile("objects.txt", []byte(strings.Join(lines, "")), 0o644); err != nil {
		t.Fatal(err)
	}
}
