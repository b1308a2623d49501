package signing

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseTokenURI(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]tokenURI{
		"pkcs11:token=The%20Software%3B;object=my-key;type=private":                              {token: "The Software;", object: "my-key"},
		"pkcs11:slot-id=327;id=%00%ff%3d?module-path=/usr/lib/a.so":                              {slot: new(327), id: []byte("\x00\xff="), module: "/usr/lib/a.so"},
		"pkcs11:serial=DECC;object=k?pin-source=file:/etc/token%20pin&module-path=/usr/lib/a.so": {serial: "DECC", object: "k", pinFile: "/etc/token pin", module: "/usr/lib/a.so"},
		"pkcs11:token=t;object=k?pin-source=file:///etc/pin":                                     {token: "t", object: "k", pinFile: "/etc/pin"},
		"pkcs11:token=t;object=k?pin-source=file://localhost/etc/pin":                            {token: "t", object: "k", pinFile: "/etc/pin"},
		"pkcs11:token=t;object=k?pin-source=pin.txt":                                             {token: "t", object: "k", pinFile: "pin.txt"},
		"pkcs11:token=t;object=k;":                                                               {token: "t", object: "k"},
	} {
		got, err := parseTokenURI(uri)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", uri, got, err)
		}
	}
	for uri, want := range map[string]string{
		"pkcs11:":                                       "must name the token by exactly one",
		"pkcs11:token=t;serial=s;object=k":              "must name the token by exactly one",
		"pkcs11:token=t":                                "must name the key",
		"pkcs11:token=t;object=k;object=l":              "object is there twice",
		"pkcs11:token=t;object":                         `"object" is not NAME=VALUE`,
		"pkcs11:token=%zz;object=k":                     "token: invalid URL escape",
		"pkcs11:slot-id=x;object=k":                     `slot-id "x" is not a number`,
		"pkcs11:token=t;object=k;type=cert":             `type is "cert"`,
		"pkcs11:token=t;object=k;model=m":               "the attribute model is not known here",
		"pkcs11:token=t;object=k?x-lib=m":               "the attribute x-lib is not known here",
		"pkcs11:token=t;object=k?pin-value=1":           "pin-value would show the PIN",
		"pkcs11:token=t;object=k?pin-source=|cat":       "not file:PATH",
		"pkcs11:token=t;object=k?pin-source=file:":      "not file:PATH",
		"pkcs11:token=t;object=k?pin-source=http://x":   "not file:PATH",
		"pkcs11:token=t;object=k?pin-source=file://h/p": "on another host",
	} {
		if _, err := parseTokenURI(uri); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", uri, err, want)
		}
	}
}
