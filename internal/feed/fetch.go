package feed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"trustpool/internal/fetch"
	"trustpool/internal/fetch/text"
)

// IsDirectory reports whether a URL is that of a directory of a bundle, such as current/ios_core/, and not of a file.
func IsDirectory(u *url.URL) bool {
	return strings.HasSuffix(u.Path, "/") || !strings.Contains(path.Base(u.Path), ".")
}

// Fetch gets the files beside the bundle of a name, those that are there, from a directory. get fetches one; a
// [fetch.StatusError] with the status 404 or 410 says that it is not there.
func Fetch(ctx context.Context, dir *url.URL, name string, get func(ctx context.Context, url string) (fetch.File, error)) ([]File, error) {
	if name == "" || name == "." || name == "/" {
		return nil, fmt.Errorf("%s: which bundle it is about, the last part of the path says, and there is none", fetch.Mask(dir.String()))
	}
	var files []File
	for _, file := range []string{RSSFile, DiffFile(name + ".p7b"), ManifestFile} {
		f, err := get(ctx, dir.JoinPath(file).String())
		if status, ok := errors.AsType[*fetch.StatusError](err); ok && (status.Code == http.StatusNotFound || status.Code == http.StatusGone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		files = append(files, File{f.Name, f.Data})
	}
	if files == nil {
		return nil, fmt.Errorf("%s: %w", fetch.Mask(dir.String()), ErrNoFeed)
	}
	return files, nil
}

// Sniff refuses the beginning of what cannot be one of the files.
func Sniff(prefix []byte) (int64, error) {
	if text.Detect(prefix) != text.UTF8 {
		return 0, nil
	}
	_, err := kindOf(prefix)
	return 0, err
}

// IsFile reports by its name whether a file of a directory may be one of the files.
func IsFile(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ".gz")
	return name == RSSFile || name == ManifestFile || name == string(Diff) || strings.HasSuffix(name, "."+string(Diff))
}
