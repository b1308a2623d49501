package signing

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// A tokenURI says which key on which token (RFC 7512 section 2.3).
type tokenURI struct {
	module        string // of module-path
	token, serial string
	slot          *int
	object        string
	id            []byte
	pinFile       string // of pin-source
}

// parseTokenURI reads a pkcs11 URI. An attribute that cannot be honoured is
// refused: it may be the difference between two keys.
func parseTokenURI(uri string) (tokenURI, error) {
	var u tokenURI
	path, query, _ := strings.Cut(strings.TrimPrefix(uri, pkcs11Scheme), "?")
	seen := map[string]bool{}
	each := func(list, separator string, set func(name, value string) error) error {
		for part := range strings.SplitSeq(list, separator) {
			if part == "" {
				continue
			}
			name, value, ok := strings.Cut(part, "=")
			if !ok {
				return fmt.Errorf("%q is not NAME=VALUE", part)
			}
			if seen[name] {
				return fmt.Errorf("%s is there twice", name)
			}
			seen[name] = true
			value, err := url.PathUnescape(value)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if err := set(name, value); err != nil {
				return err
			}
		}
		return nil
	}
	if err := each(path, ";", u.setPath); err != nil {
		return u, err
	}
	if err := each(query, "&", u.setQuery); err != nil {
		return u, err
	}
	selectors := 0
	for _, given := range []bool{u.token != "", u.serial != "", u.slot != nil} {
		if given {
			selectors++
		}
	}
	if selectors != 1 {
		return u, errors.New("the URI must name the token by exactly one of token, serial and slot-id")
	}
	if u.object == "" && len(u.id) == 0 {
		return u, errors.New("the URI must name the key by object, id or both")
	}
	return u, nil
}

func (u *tokenURI) setPath(name, value string) error {
	switch name {
	case "token":
		u.token = value
	case "serial":
		u.serial = value
	case "slot-id":
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return fmt.Errorf("slot-id %q is not a number", value)
		}
		u.slot = new(int(n))
	case "object":
		u.object = value
	case "id":
		u.id = []byte(value)
	case "type":
		if value != "private" {
			return fmt.Errorf("type is %q, and a private key is needed", value)
		}
	default:
		return fmt.Errorf("the attribute %s is not known here: token, serial, slot-id, object, id and type are", name)
	}
	return nil
}

func (u *tokenURI) setQuery(name, value string) error {
	switch name {
	case "module-path":
		u.module = value
	case "pin-source":
		path := strings.TrimPrefix(value, "file:")
		if rest, ok := strings.CutPrefix(path, "//"); ok { // file://host/path, of an empty host or localhost
			if path = strings.TrimPrefix(rest, "localhost"); !strings.HasPrefix(path, "/") {
				return errors.New("pin-source names a file on another host")
			}
		}
		if path == "" || strings.HasPrefix(path, "|") || strings.Contains(path, "://") {
			return errors.New("pin-source is not file:PATH, which alone is read")
		}
		u.pinFile = path
	case "pin-value":
		return errors.New("pin-value would show the PIN to everybody on this machine: use pin-source=file:PATH, or the passphrase's other sources")
	default:
		return fmt.Errorf("the attribute %s is not known here: module-path and pin-source are", name)
	}
	return nil
}
