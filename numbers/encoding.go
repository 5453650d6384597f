package numbers

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// Encoding is how the bytes of a sheet are text.
type Encoding string

// The encodings that are told apart. Which of the older 8-bit ones a sheet has nothing says; Windows-1252 is what spreadsheets of western
// Europe write, and equals Latin-1 in all that can be printed.
const (
	UTF8        Encoding = "utf-8"
	UTF16LE     Encoding = "utf-16le"
	UTF16BE     Encoding = "utf-16be"
	Windows1252 Encoding = "windows-1252"
)

// decode makes UTF-8 of a sheet's bytes, without a byte order mark, and with LF alone at the ends of lines.
func decode(raw []byte) ([]byte, Encoding) {
	encoding := encodingOf(raw)
	var text []byte
	switch encoding {
	case UTF16LE:
		text = fromUTF16(raw, binary.LittleEndian)
	case UTF16BE:
		text = fromUTF16(raw, binary.BigEndian)
	case Windows1252:
		text = fromWindows1252(raw)
	default:
		text = raw
	}
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(text, []byte("\r"), []byte("\n")), encoding
}

// encodingOf goes by the byte order mark; without one, by where the zero bytes are: a sheet's first characters are ASCII.
func encodingOf(raw []byte) Encoding {
	switch {
	case bytes.HasPrefix(raw, []byte{0xFF, 0xFE}):
		return UTF16LE
	case bytes.HasPrefix(raw, []byte{0xFE, 0xFF}):
		return UTF16BE
	case len(raw) >= 4 && raw[0] != 0 && raw[1] == 0 && raw[2] != 0 && raw[3] == 0:
		return UTF16LE
	case len(raw) >= 4 && raw[0] == 0 && raw[1] != 0 && raw[2] == 0 && raw[3] != 0:
		return UTF16BE
	case utf8.Valid(raw):
		return UTF8
	}
	return Windows1252
}

// fromUTF16 makes U+FFFD, which no column takes, of what is cut off or no character.
func fromUTF16(raw []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, 0, len(raw)/2+1)
	for len(raw) >= 2 {
		units = append(units, order.Uint16(raw))
		raw = raw[2:]
	}
	if len(raw) > 0 {
		units = append(units, utf8.RuneError)
	}
	text := make([]byte, 0, len(units)+len(units)/8)
	for _, r := range utf16.Decode(units) {
		text = utf8.AppendRune(text, r)
	}
	return text
}

// fromWindows1252 follows the WHATWG encoding standard's index, where five bytes are control characters.
func fromWindows1252(raw []byte) []byte {
	const upper = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"
	var table [32]rune
	i := 0
	for _, r := range upper {
		table[i] = r
		i++
	}
	text := make([]byte, 0, len(raw)+len(raw)/8)
	for _, b := range raw {
		r := rune(b)
		if b >= 0x80 && b < 0xA0 {
			r = table[b-0x80]
		}
		text = utf8.AppendRune(text, r)
	}
	return text
}
