package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Bounds of a file.
const (
	MaxBytes  = 8 << 20
	MaxDepth  = 40        // of what is within each other
	MaxValues = 1_000_000 // names, texts and numbers
	maxFaults = 50        // that are told of one file
)

// Fault is one thing that is wrong with a file or with the tenant that it describes.
type Fault struct {
	Line   int    `json:"line,omitempty"` // in the file; 0: not known
	Path   string `json:"path"`           // JSON pointer, by ids where there are some
	Detail string `json:"detail"`
}

// Refused is a file that cannot be read, with all that is wrong.
type Refused struct{ Faults []Fault }

func (r *Refused) Error() string {
	lines := make([]string, len(r.Faults))
	for i, f := range r.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// String says a fault on one line.
func (f Fault) String() string {
	text := f.Path + " " + f.Detail
	if f.Path == "" {
		text = "the file " + f.Detail
	}
	if f.Line > 0 {
		text = fmt.Sprintf("line %d: %s", f.Line, text)
	}
	return text
}

func refuse(line int, path, detail string) error {
	return &Refused{Faults: []Fault{{Line: line, Path: path, Detail: detail}}}
}

// Read reads a file: JSON if it begins with "{", YAML otherwise. Any error is a *Refused.
func Read(file []byte) (Document, error) {
	var d Document
	root, err := tree(file)
	if err != nil {
		return d, err
	}
	s := &shaper{left: MaxValues}
	s.value(root, reflect.TypeFor[Document](), "", 0)
	if len(s.faults) > 0 {
		return d, &Refused{Faults: s.faults}
	}
	if err := json.Unmarshal(s.out.Bytes(), &d); err != nil {
		return d, refuse(0, "", "cannot be read: "+err.Error())
	}
	switch {
	case d.Format == 0:
		return d, refuse(0, "/format", fmt.Sprintf("is missing: write format: %d", Format))
	case d.Format != Format:
		return d, refuse(0, "/format", fmt.Sprintf("is %d; this release reads %d", d.Format, Format))
	}
	return d, nil
}

// tree reads the file as values in each other.
func tree(file []byte) (*yaml.Node, error) {
	if len(file) > MaxBytes {
		return nil, refuse(0, "", fmt.Sprintf("is longer than %d bytes", MaxBytes))
	}
	file = bytes.TrimPrefix(file, []byte("\uFEFF"))
	if !utf8.Valid(file) {
		return nil, refuse(0, "", "is not UTF-8")
	}
	if trimmed := bytes.TrimLeft(file, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		return jsonTree(file)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(file))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, refuse(0, "", "is empty")
		}
		return nil, refuse(0, "", "is no YAML: "+strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, refuse(0, "", "holds more than one document")
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		return nil, refuse(0, "", "is empty")
	}
	return document.Content[0], nil
}

// jsonTree reads JSON into the same form.
func jsonTree(file []byte) (*yaml.Node, error) {
	decoder := json.NewDecoder(bytes.NewReader(file))
	decoder.UseNumber()
	r := &jsonReader{decoder: decoder, file: file}
	root, err := r.value(0)
	if err != nil {
		var already *Refused
		if errors.As(err, &already) {
			return nil, err
		}
		return nil, refuse(r.line(), "", "is no JSON: "+err.Error())
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse(r.line(), "", "goes on after its end")
	}
	return root, nil
}

type jsonReader struct {
	decoder *json.Decoder
	file    []byte
	counted int // bytes whose lines are counted
	lines   int
}

// line is where the decoder is.
func (r *jsonReader) line() int {
	at := min(int(r.decoder.InputOffset()), len(r.file))
	if at > r.counted {
		r.lines += bytes.Count(r.file[r.counted:at], []byte("\n"))
		r.counted = at
	}
	return r.lines + 1
}

func (r *jsonReader) value(depth int) (*yaml.Node, error) {
	token, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	if depth > MaxDepth {
		return nil, refuse(r.line(), "", tooDeep())
	}
	n := &yaml.Node{Line: r.line(), Kind: yaml.ScalarNode}
	switch token := token.(type) {
	case json.Delim:
		n.Kind = yaml.SequenceNode
		if token == '{' {
			n.Kind = yaml.MappingNode
		}
		for r.decoder.More() {
			inner, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, inner)
		}
		_, err := r.decoder.Token() // the end
		return n, err
	case json.Number:
		n.Tag, n.Value = tagFloat, token.String()
		if !strings.ContainsAny(n.Value, ".eE") {
			n.Tag = tagInt
		}
	case string:
		n.Tag, n.Value = tagText, token
	case bool:
		n.Tag, n.Value = tagBool, fmt.Sprint(token)
	case nil:
		n.Tag = tagNull
	}
	return n, nil
}

func tooDeep() string { return fmt.Sprintf("has more than %d things within each other", MaxDepth) }
