//go:build !unix

package fetch

import "os"

func open(name string) (*os.File, error) { return os.Open(name) }
