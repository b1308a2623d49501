package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// A Backend is the place of the bytes: a directory (OpenDir) or a bucket
// (package store/s3). Keys are slash-separated, without empty, "." or ".." parts.
// Its methods may be called concurrently, and from several processes.
type Backend interface {
	// Get gives an object and its tag, which is another one whenever the object
	// changes. The error is ErrNotFound if there is none, and an error of
	// another kind if the place itself is missing. An object of more than max
	// bytes is an error.
	Get(ctx context.Context, key string, most int64) (data []byte, tag string, err error)
	// Put writes an object, whole or not at all, and durably. Where the condition
	// does not hold the error is ErrConflict. After any other error it may or may
	// not be written.
	Put(ctx context.Context, key string, data []byte, c Condition) (tag string, err error)
	// List gives the keys that begin with prefix, which ends in a slash, in the
	// order of their bytes. More than MaxKeys are an error.
	List(ctx context.Context, prefix string) ([]string, error)
	// String says where it is, without credentials.
	String() string
}

// MaxKeys is how many keys List gives.
const MaxKeys = 100_000

// A Condition says when Put may write. At most one field is set; the zero value
// is no condition.
type Condition struct {
	Absent bool   // only if there is no such object
	Tag    string // only if the object still has this tag
}

// ErrConflict says that somebody else wrote meanwhile.
var ErrConflict = errors.New("it was changed by another publisher meanwhile")

// ErrNotFound says that there is no such object, release or name. It is an
// fs.ErrNotExist.
var ErrNotFound error = notFound{}

type notFound struct{}

func (notFound) Error() string        { return "there is no such object" }
func (notFound) Is(target error) bool { return target == fs.ErrNotExist }

// A DamagedError says that an object of the store is not what was written there.
type DamagedError struct {
	Key string
	Err error
}

func (e *DamagedError) Error() string { return fmt.Sprintf("%s is damaged: %v", e.Key, e.Err) }
func (e *DamagedError) Unwrap() error { return e.Err }
