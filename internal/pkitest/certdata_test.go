package pkitest

import (
	"bytes"
	"encoding/csv"
	"encoding/pem"
	"strings"
	"testing"
)

// TestCertdata holds what is written to the lines that Mozilla's file has.
func TestCertdata(t *testing.T) {
	t.Parallel()
	got := string(Certdata(SmallCertdata()...))
	for _, want := range []string{
		"\nBEGINDATA\nCKA_CLASS CK_OBJECT_CLASS CKO_NSS_BUILTIN_ROOT_LIST\n",
		"CKA_LABEL UTF8 \"\\xc5\\xbb\\xc3\\xb3\\xc5\\x82ta G\\xc5\\x82\\xc3\\xb3wna Ja\\xc5\\xba\\xc5\\x84\"\n",
		"CKA_SERIAL_NUMBER MULTILINE_OCTAL\n\\002\\001\\001\nEND\n",
		"# For Server Distrust After: Sat Nov 30 23:59:59 2024\nCKA_NSS_SERVER_DISTRUST_AFTER MULTILINE_OCTAL\n" +
			`\062\064\061\061\063\060\062\063\065\071\065\071\132` + "\nEND\n",
		"CKA_TRUST_SERVER_AUTH CK_TRUST CKT_NSS_TRUSTED_DELEGATOR\nCKA_TRUST_EMAIL_PROTECTION CK_TRUST CKT_NSS_TRUSTED_DELEGATOR\n" +
			"CKA_TRUST_CODE_SIGNING CK_TRUST CKT_NSS_MUST_VERIFY_TRUST\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks\n%s", want)
		}
	}
	if certificates, trust := strings.Count(got, " CKO_CERTIFICATE\n"), strings.Count(got, " CKO_NSS_TRUST\n"); certificates != 14 || trust != 14 {
		t.Errorf("%d certificates, %d trust objects", certificates, trust)
	}
}

func TestCCADB(t *testing.T) {
	t.Parallel()
	for name, report := range map[string][]byte{"included": CCADBIncluded(), "records": CCADBRecords()} {
		rows, err := csv.NewReader(bytes.NewReader(report)).ReadAll()
		if err != nil || len(rows) < 6 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
	}
	rows, _ := csv.NewReader(bytes.NewReader(CCADBIncluded())).ReadAll()
	last := rows[1][len(rows[1])-1]
	block, _ := pem.Decode([]byte(strings.Trim(last, "'")))
	if block == nil || !bytes.Equal(block.Bytes, CoreV1()[2]) || last[0] != '\'' {
		t.Errorf("the certificate is %q", last)
	}
}
