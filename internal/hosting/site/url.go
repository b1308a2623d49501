package site

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"trustpool/internal/fetch"
	"trustpool/internal/store"
)

// A webServer is a site as a web server answers. It cannot be written to.
type webServer struct {
	base    string // ends in a slash
	options fetch.Options
}

// OpenURL opens a site at a URL.
func OpenURL(url string, o fetch.Options) Place {
	return &webServer{strings.TrimSuffix(url, "/") + "/", o}
}

func (s *webServer) String() string { return fetch.Mask(s.base) }

func (s *webServer) get(ctx context.Context, name string, most int64) ([]byte, string, error) {
	o := s.options
	o.MaxBytes = most
	files, err := fetch.Read(ctx, s.base+name, o)
	if status, ok := errors.AsType[*fetch.StatusError](err); ok {
		switch status.Code {
		case http.StatusNotFound, http.StatusGone, http.StatusForbidden:
			err = fmt.Errorf("%w: %w", err, store.ErrNotFound)
		}
	}
	if err != nil {
		return nil, "", err
	}
	if encoding := files[0].Encoding; encoding != "" {
		return nil, "", fmt.Errorf("%s: the server sends it with Content-Encoding %q, which no device asks for or is known to decode: switch compression off there", files[0].Name, encoding)
	}
	return files[0].Data, "", nil
}
