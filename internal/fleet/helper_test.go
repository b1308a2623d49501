package fleet_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"unicode/utf16"
)

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

func utf16le(data []byte) (out []byte) {
	for _, u := range utf16.Encode([]rune("\ufeff" + string(data))) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

func sum256(data []byte) [sha256.Size]byte { return sha256.Sum256(data) }
