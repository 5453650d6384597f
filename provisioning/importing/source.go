package importing

import (
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of what is read.
const (
	MaxBytes = 64 << 20 // of all files together
	MaxFiles = 10_000
	maxRows  = 500_000
	maxDepth = 100 // of JSON within JSON, and of flows
)

// File is one file of an export.
type File struct {
	Name string // with / between folders
	Text []byte
}

// row is one row of a table: its values by the names of its columns.
type row struct {
	place  string // file:line
	values map[string]string
}

func (r row) get(name string) string { return strings.TrimSpace(r.values[name]) }

// truth reads the ways in which switches are written; what is left out is as it says.
func (r row) truth(name string, otherwise bool) bool {
	switch strings.ToLower(r.get(name)) {
	case "true", "t", "1", "yes", "y", "on":
		return true
	case "false", "f", "0", "no", "n", "off":
		return false
	}
	return otherwise
}

// text brings a file into UTF-8. What is neither UTF-8 nor UTF-16 is taken for Latin-1, in which every byte is a character.
func text(file []byte) (string, error) {
	switch {
	case len(file) > MaxBytes:
		return "", errors.New("is too long")
	case len(file) >= 2 && file[0] == 0xff && file[1] == 0xfe:
		return utf16Text(file[2:], binary.LittleEndian)
	case len(file) >= 2 && file[0] == 0xfe && file[1] == 0xff:
		return utf16Text(file[2:], binary.BigEndian)
	}
	file = []byte(strings.TrimPrefix(string(file), "\uFEFF"))
	if !utf8.Valid(file) {
		runes := make([]rune, len(file))
		for i, b := range file {
			runes[i] = rune(b)
		}
		file = []byte(string(runes))
	}
	return string(file), nil
}

func utf16Text(file []byte, order binary.ByteOrder) (string, error) {
	if len(file)%2 != 0 {
		return "", errors.New("ends within a character of UTF-16")
	}
	units := make([]uint16, len(file)/2)
	for i := range units {
		units[i] = order.Uint16(file[2*i:])
	}
	return strings.TrimPrefix(string(utf16.Decode(units)), "\uFEFF"), nil
}

// table reads CSV with a header; commas, semicolons and tabs part the columns, whichever the header has most of.
func table(name, content string) (header []string, rows []row, err error) {
	first, _, _ := strings.Cut(content, "\n")
	reader := csv.NewReader(strings.NewReader(content))
	reader.Comma, reader.FieldsPerRecord, reader.LazyQuotes = ',', -1, true
	for _, comma := range []rune{';', '\t'} {
		if strings.Count(first, string(comma)) > strings.Count(first, string(reader.Comma)) {
			reader.Comma = comma
		}
	}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return header, rows, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s is no CSV: %w", name, err)
		}
		line, _ := reader.FieldPos(0)
		if header == nil {
			for _, column := range record {
				header = append(header, strings.ToLower(strings.TrimSpace(column)))
			}
			continue
		}
		if len(rows) == maxRows {
			return nil, nil, fmt.Errorf("%s has more than %d rows", name, maxRows)
		}
		rows = append(rows, named(fmt.Sprintf("%s:%d", name, line), header, record))
	}
}

func named(place string, columns, values []string) row {
	r := row{place: place, values: make(map[string]string, len(columns))}
	for i, column := range columns {
		if i < len(values) {
			r.values[column] = values[i]
		}
	}
	return r
}

// extension is the part of a file's name that says what it is, in lower case.
func extension(name string) string { return strings.ToLower(path.Ext(name)) }
