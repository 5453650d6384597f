package messages_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tandem/messages"
)

// TestEveryTextHasABound puts a text of almost a whole message into each text of each good message in turn.
func TestEveryTextHasABound(t *testing.T) {
	endless := strings.Repeat("x", messages.MaxMessageBytes-16<<10)
	for _, file := range files(t, "good/*.json") {
		m, err := messages.Parse(content(t, file))
		if err != nil {
			t.Fatal(err)
		}
		eachText(reflect.ValueOf(m).Elem(), "", func(path string, text reflect.Value) {
			had := text.String()
			text.SetString(endless)
			defer text.SetString(had)
			var refusal *messages.Refusal
			if err := m.Validate(); !errors.As(err, &refusal) {
				t.Errorf("%s: %s may be endless", filepath.Base(file), path)
			} else if strings.Contains(refusal.Error(), endless) {
				t.Errorf("%s: the refusal of %s repeats the value", filepath.Base(file), path)
			}
		})
	}
}

// eachText calls visit for every string in v. JSON of the pure functions is bounded by the message alone.
func eachText(v reflect.Value, path string, visit func(string, reflect.Value)) {
	switch v.Kind() {
	case reflect.String:
		visit(path, v)
	case reflect.Struct:
		if v.Type().PkgPath() != "tandem/messages" {
			return
		}
		for i := range v.NumField() {
			eachText(v.Field(i), path+"."+v.Type().Field(i).Name, visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachText(v.Index(i), path, visit)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			eachText(v.Elem(), path, visit)
		}
	}
}

// reasons are the codes that a refusal may carry: they are labels of metrics and headers, so that no other may appear.
var reasons = []string{"too_large", "not_json", "unknown_type", "missing", "too_long", "out_of_range", "bad_value"}

// FuzzParse: whatever comes, Parse ends with a message that Validate accepts and that survives a round trip, or with a
// Refusal of a known reason.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"good/*.json", "bad/*.json"} {
		for _, file := range files(f, pattern) {
			f.Add(content(f, file))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := messages.Parse(body)
		if err != nil {
			var refusal *messages.Refusal
			if !errors.As(err, &refusal) || !slices.Contains(reasons, refusal.Reason) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if err := m.Validate(); err != nil {
			t.Fatalf("parsed what Validate refuses: %v", err)
		}
		written, err := messages.Encode(m)
		if err != nil {
			// Escapes may make a message longer than it came; nothing else may be wrong with it.
			var refusal *messages.Refusal
			if !errors.As(err, &refusal) || refusal.Reason != "too_large" {
				t.Fatalf("not encoded: %v", err)
			}
			return
		}
		again, err := messages.Parse(written)
		if err != nil {
			t.Fatalf("not parsed again: %v\n%s", err, written)
		}
		// Raw JSON may be spaced differently, and an empty list is no list.
		if diff := cmp.Diff(m, again, cmp.FilterValues(func(a, b json.RawMessage) bool { return len(a)+len(b) > 0 }, cmp.Comparer(sameJSON)), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("changed by a round trip: %s", diff)
		}
	})
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return len(a) == 0 || len(b) == 0 || string(a) == string(b)
	}
	return reflect.DeepEqual(x, y)
}

// TestNoLineHoldsAControlCharacter: what an edge puts into a line must not end it, nor hide anything in it.
func TestNoLineHoldsAControlCharacter(t *testing.T) {
	m, err := messages.ParseAs[*messages.RouteAnswer](content(t, "testdata/good/route.answer.v1.reject.json"))
	if err != nil {
		t.Fatal(err)
	}
	for text, refused := range map[string]bool{
		"Busy Here": false, "Besetzt, Zoë ~": false, "": true, "Busy\r\nX-Evil: 1": true, "Busy\x00": true, "\tBusy": true, "Busy\x7f": true,
		"Zoë\x7f": true, "Busy\u0085": true, "Zoë\n": true, "\xff": true,
	} {
		m.Phrase = text
		if err := m.Validate(); (err != nil) != refused {
			t.Errorf("%q: %v", text, err)
		}
		m.Phrase, m.Reason = "Busy Here", text
		if err := m.Validate(); (err != nil) != (refused && text != "") {
			t.Errorf("%q as the reason: %v", text, err)
		}
		m.Reason = ""
	}
}
