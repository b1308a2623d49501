package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"trustpool/internal/fetch"
	"trustpool/internal/store"
	"trustpool/internal/store/s3"
)

// bucketScheme begins the URL of a store in a bucket.
const bucketScheme = "s3://"

// storeFlag adds --store, which the command needs.
func storeFlag(cmd *cobra.Command, url *string) {
	cmd.Flags().StringVar(url, "store", "", "the store at `URL`: a directory, or s3://BUCKET/PREFIX")
	required(cmd, "store")
}

// openStore opens the store that --store names.
func (a *app) openStore(url string) (*store.Store, error) {
	path, isFile := strings.CutPrefix(url, "file://")
	switch {
	case url == "":
		return nil, errors.New("--store: the name of the store is empty")
	case strings.HasPrefix(strings.ToLower(url), bucketScheme):
		b, err := a.openBucket("--store", url)
		if err != nil {
			return nil, err
		}
		return store.New(b), nil
	case !isFile && fetch.IsURL(url):
		return nil, hinted{fmt.Errorf("--store %s: not a kind of store", fetch.Mask(url)), "give a directory, or s3://BUCKET/PREFIX"}
	}
	d, err := store.OpenDir(path, a.disk)
	if err != nil {
		return nil, hinted{fmt.Errorf("--store: %w", err), "a store is made by making its directory"}
	}
	return store.New(d), nil
}

// openBucket opens the part of a bucket that a flag names.
func (a *app) openBucket(flag, url string) (*s3.Bucket, error) {
	if a.offline {
		return nil, fmt.Errorf("%s %s: %w", flag, url, fetch.ErrOffline)
	}
	b, err := s3.Open(url, a.env.Getenv)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return b, nil
}
