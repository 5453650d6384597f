package because

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// sameText holds AppendText against json.Marshal.
func sameText(t interface{ Fatalf(string, ...any) }, text string) {
	want, err := json.Marshal(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if got := AppendText([]byte("before"), text); string(got) != "before"+string(want) {
		t.Fatalf("%q is written as %s, want %s", text, got, want)
	}
}

func TestEachByteIsWrittenAsJSONMarshalDoes(t *testing.T) {
	for c := range 256 {
		for _, text := range []string{string([]byte{byte(c)}), "a" + string([]byte{byte(c)}) + "b", "\r\n" + string([]byte{byte(c), byte(c)})} {
			sameText(t, text)
		}
	}
	for _, text := range []string{"", "Zoë", "\u2028", "a\r\nZoë", "\xe2\x80", "😀"} {
		sameText(t, text)
	}
}

func FuzzAppendText(f *testing.F) {
	for _, text := range []string{"", "X-Tandem-Call: 1\r\n", `"Front Desk" <sip:101@h>`, "Zoë\x00", "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { sameText(t, text) })
}

func TestListsOfTextsAreWrittenAsJSONMarshalDoes(t *testing.T) {
	for _, texts := range [][]string{nil, {}, {""}, {"a", "<b>", "Zoë"}} {
		want, err := json.Marshal(texts)
		if got := AppendTexts(nil, texts); err != nil || string(got) != string(want) {
			t.Errorf("%q are written as %s, want %s (%v)", texts, got, want, err)
		}
	}
}

// TestReasonsAreWrittenAsMaps: a reason is what json.Marshal makes of a map of its arguments and its code.
func TestReasonsAreWrittenAsMaps(t *testing.T) {
	text := rapid.OneOf(rapid.SampledFrom([]string{"a", "b", "c", "code", "coda", "zone", ""}), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		reasons := []Reason{}
		maps := []map[string]string{}
		for range rapid.IntRange(0, 3).Draw(t, "reasons") {
			r := New(text.Draw(t, "code"), rapid.SliceOfN(text, 0, 25).Draw(t, "args")...)
			m := map[string]string{}
			for i := 0; i+1 < len(r.Args); i += 2 {
				m[r.Args[i]] = r.Args[i+1]
			}
			m["code"] = r.Code
			reasons, maps = append(reasons, r), append(maps, m)
		}
		want, err := json.Marshal(maps)
		if err != nil {
			t.Fatal(err)
		}
		if got := AppendReasons(nil, reasons); string(got) != string(want) {
			t.Fatalf("%v are written as %s, want %s", reasons, got, want)
		}
	})
	if got := AppendReasons(nil, nil); string(got) != "null" {
		t.Errorf("none are written as %s", got)
	}
}
