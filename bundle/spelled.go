package bundle

import (
	"bytes"
	"strconv"
)

// maxSpelled is how much text may spell the first bytes of a certificate.
const maxSpelled = 200

// spelledBytes decide whether what is spelled out begins as a certificate does.
const spelledBytes = 16

// spelled says how the text at an offset spells out the beginning of a certificate,
// or of a PEM block, as numbers or escapes of bytes. It is empty if it does not.
func spelled(data []byte, at int) string {
	b := data[at:min(len(data), at+maxSpelled)]
	if len(b) < spelledBytes {
		return ""
	}
	switch string(b[:2]) {
	case "30", "2d", "2D", "4d", "4D", "4c", "4C":
		if isSpelled(numbers(b, 16)) {
			return "hexadecimal"
		}
	case "48", "45":
		if isSpelled(numbers(b, 10)) {
			return "decimal numbers"
		}
	case "06", "05":
		if isSpelled(numbers(b, 8)) {
			return "octal numbers"
		}
	case "0%", `0\`:
		if isSpelled(unescaped(b)) {
			return "escapes"
		}
	}
	return ""
}

func isSpelled(b []byte) bool {
	return len(b) >= 12 && startsAsCertificate(b) || bytes.HasPrefix(b, beginMark) || bytes.HasPrefix(b, nestedMark) || bytes.HasPrefix(b, []byte("MI")) && startsAsBase64(b, 0)
}

// isSecond reports whether a byte can be the second of what isSpelled takes.
func isSecond(c byte) bool { return c >= 0x80 || c == '-' || c == 'I' || c == 'S' }

// numbers reads bytes that are written as numbers, with anything but letters and
// digits between them: 30 82, 0x30, 0x82, \x30\x82, (byte)0x30, 48, -126, \060\202.
func numbers(b []byte, base int) (out []byte) {
	high := -1 // half a byte
	for i := 0; i < len(b) && len(out) < spelledBytes; {
		start := i
		for i < len(b) && !isAlphanumeric(b[i]) {
			i++
		}
		negative := i-start > 1 && b[i-1] == '-'
		start = i
		for i < len(b) && i-start < 2*spelledBytes && isAlphanumeric(b[i]) {
			i++
		}
		word := b[start:i]
		if bytes.Equal(word, []byte("byte")) {
			continue
		}
		if base == 16 {
			word = bytes.TrimPrefix(bytes.TrimPrefix(word, []byte("0x")), []byte("0X"))
			word = bytes.TrimSuffix(bytes.TrimLeft(word, "xXHh"), []byte("h"))
			for _, c := range word {
				digit := hexDigit(c)
				switch {
				case digit < 0:
					return out
				case high < 0:
					high = digit
				default:
					out, high = append(out, byte(high<<4|digit)), -1
				}
				if len(out) == 2 && !isSecond(out[1]) {
					return nil
				}
			}
			continue
		}
		v, err := strconv.ParseUint(string(word[:min(len(word), 4)]), base, 8)
		if err != nil || len(out) == 1 && !isSecond(byte(v)) && !negative {
			return out
		}
		if negative {
			v = -v
		}
		out = append(out, byte(v))
	}
	return out
}

// unescaped reads text in which bytes are written as %82, \x82, \202 or \n.
func unescaped(b []byte) (out []byte) {
	for i := 0; i < len(b) && len(out) < spelledBytes; {
		digits, base, n := b[min(len(b), i+1):min(len(b), i+3)], 16, 3
		switch {
		case b[i] == '\\' && i+1 < len(b) && b[i+1] == 'x':
			digits, n = b[min(len(b), i+2):min(len(b), i+4)], 4
		case b[i] == '\\' && i+1 < len(b) && b[i+1] >= '0' && b[i+1] <= '7':
			digits, base, n = b[i+1:min(len(b), i+4)], 8, 4
		case b[i] == '\\' && i+1 < len(b):
			out = append(out, b[i+1]) // which character that is does not matter here
			i += 2
			continue
		case b[i] != '%':
			out = append(out, b[i])
			i++
			continue
		}
		v, err := strconv.ParseUint(string(digits), base, 8)
		if err != nil {
			return nil
		}
		out = append(out, byte(v))
		i += n
	}
	return out
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}
