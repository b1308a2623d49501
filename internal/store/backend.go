package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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

// ReadObject is for Get: it reads an object to its end. size is how many bytes it is said to have, negative if nothing is said.
func ReadObject(key string, r io.Reader, size, most int64) ([]byte, error) {
	tooLarge := &DamagedError{key, fmt.Errorf("it has more than %d bytes", most)}
	if size > most {
		return nil, tooLarge
	}
	// What is only announced is not memory yet.
	buf := bytes.NewBuffer(make([]byte, 0, min(max(size, 0), 1<<20)+bytes.MinRead))
	if _, err := buf.ReadFrom(io.LimitReader(r, most+1)); err != nil {
		return nil, err
	}
	if int64(buf.Len()) > most {
		return nil, tooLarge
	}
	return buf.Bytes(), nil
}
