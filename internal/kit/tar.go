package kit

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// The tar format of a kit is POSIX ustar (IEEE Std 1003.1, pax: ustar Interchange
// Format) in its simplest form: regular files without an owner, of mode 0644, and
// 0755 below program/.
const (
	blockSize = 512
	maxTime   = 1<<33 - 1 // seconds: 11 octal digits
	endSize   = 2 * blockSize
)

// header is the header of a file in a kit. path has at most 100 bytes, which
// checkPath sees to.
func header(path string, size, seconds int64) []byte {
	h := make([]byte, blockSize)
	copy(h, path)
	copy(h[100:], fmt.Sprintf("%07o\x00", mode(path)))
	copy(h[108:], "0000000\x00") // owner
	copy(h[116:], "0000000\x00") // group
	copy(h[124:], fmt.Sprintf("%011o\x00", size))
	copy(h[136:], fmt.Sprintf("%011o\x00", seconds))
	h[156] = '0' // a regular file
	copy(h[257:], "ustar\x0000")
	copy(h[329:], "0000000\x00") // device
	copy(h[337:], "0000000\x00")
	copy(h[148:], fmt.Sprintf("%06o\x00 ", headerSum(h)))
	return h
}

// headerSum is the sum of a header's bytes, those of the sum itself as spaces.
func headerSum(h []byte) (sum int) {
	for i, c := range h {
		if i >= 148 && i < 156 {
			c = ' '
		}
		sum += int(c)
	}
	return sum
}

// padding is how many zeroes follow a file of the given size.
func padding(size int64) int { return int(-size & (blockSize - 1)) }

// mode is that of a file in a kit, and unpacked.
func mode(path string) fs.FileMode {
	if strings.HasPrefix(path, programDir) {
		return 0o755
	}
	return 0o644
}

// tarSize is that of a kit with the files.
func tarSize(files []fileSums) int64 {
	total := int64(endSize)
	for _, f := range files {
		total += blockSize + f.Size + int64(padding(f.Size))
	}
	return total
}

// writeTar writes a kit.
func writeTar(w io.Writer, files []fileSums, seconds int64, contents map[string]content) error {
	for _, f := range files {
		if err := writeTarFile(w, f.Path, f.Size, seconds, contents[f.Path]); err != nil {
			return err
		}
	}
	_, err := w.Write(make([]byte, endSize))
	return err
}

// writeTarFile writes a file of a kit.
func writeTarFile(w io.Writer, path string, size, seconds int64, data content) error {
	if _, err := w.Write(header(path, size, seconds)); err != nil {
		return err
	}
	if err := data(w); err != nil {
		return err
	}
	_, err := w.Write(make([]byte, padding(size)))
	return err
}

// octal reads the digits of a header's field as header writes them.
func octal(field []byte) (n int64, ok bool) {
	last := len(field) - 1
	for _, c := range field[:last] {
		if c < '0' || c > '7' {
			return 0, false
		}
		n = n<<3 | int64(c-'0')
	}
	return n, field[last] == 0
}

// differs says in words what is in the place of the header of a file.
func differs(got, want []byte) error {
	name := func(h []byte) string { return string(bytes.TrimRight(h[:100], "\x00")) }
	kinds := map[byte]string{
		0: "a file of an old format", '1': "a hard link", '2': "a symbolic link", '3': "a character device", '4': "a block device", '5': "a directory",
		'6': "a FIFO", '7': "a contiguous file", 'g': "a global extended header", 'x': "an extended header", 'L': "a long name", 'K': "a long link name", 'S': "a sparse file",
	}
	switch {
	case bytes.Equal(got, make([]byte, blockSize)):
		return fmt.Errorf("the end, where %s is to be", name(want))
	case !bytes.Equal(got[148:156], fmt.Appendf(nil, "%06o\x00 ", headerSum(got))):
		return fmt.Errorf("a header with a wrong sum, where that of %s is to be", name(want))
	case got[156] != '0':
		kind := kinds[got[156]]
		if kind == "" {
			kind = fmt.Sprintf("an entry of type %q", got[156])
		}
		return fmt.Errorf("%s, where the file %s is to be", kind, name(want))
	case !bytes.Equal(got[:100], want[:100]):
		return fmt.Errorf("the file %q, where %s is to be", name(got), name(want))
	case !bytes.Equal(got[124:136], want[124:136]):
		return fmt.Errorf("%s with the size %q, where it is to be %q", name(want), got[124:136], want[124:136])
	}
	field := "byte"
	for _, f := range []struct {
		name       string
		begin, end int
	}{{"mode", 100, 108}, {"owner", 108, 116}, {"group", 116, 124}, {"time", 136, 148}, {"link", 157, 257}, {"magic", 257, 265},
		{"owner's name", 265, 297}, {"group's name", 297, 329}, {"device", 329, 345}, {"prefix", 345, blockSize}} {
		if !bytes.Equal(got[f.begin:f.end], want[f.begin:f.end]) {
			field = f.name
			break
		}
	}
	return fmt.Errorf("%s with another %s than files of a kit have", name(want), field)
}
