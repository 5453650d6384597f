package because

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestAReasonIsSaidInTheWordsOfItsCatalog(t *testing.T) {
	words := Catalog{
		"plain":    "Nothing happened.",
		"one":      "{number} is unknown.",
		"two":      "{tenant} has {calls} calls, and {tenant} is sorry.",
		"counted":  "It took {seconds|second|seconds}.",
		"one word": "It took {seconds|second}.",
		"unclosed": "half {number",
		"empty":    "a{}b",
	}
	for _, c := range []struct {
		name   string
		reason Reason
		want   string
	}{
		{"without arguments", New("plain"), "Nothing happened."},
		{"an argument", New("one", "number", "101"), "101 is unknown."},
		{"an argument used twice", New("two", "tenant", "Demo", "calls", "3"), "Demo has 3 calls, and Demo is sorry."},
		{"an argument that was not given", New("one"), " is unknown."},
		{"one of what is counted", New("counted", "seconds", "1"), "It took 1 second."},
		{"many of what is counted", New("counted", "seconds", "20"), "It took 20 seconds."},
		{"none of what is counted", New("counted", "seconds", "0"), "It took 0 seconds."},
		{"a word that is missing", New("one word", "seconds", "2"), "It took 2 ."},
		{"an odd last name has an empty value", New("one", "number"), " is unknown."},
		{"braces in a value are text", New("one", "number", "{tenant}{"), "{tenant}{ is unknown."},
		{"a brace that is not closed ends the words", New("unclosed", "number", "101"), "half "},
		{"a name that is empty", New("empty"), "ab"},
		{"a code of a newer release is said by its code", New("newer", "number", "101"), "newer number 101"},
		{"and so without arguments", New("newer"), "newer "},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := words.Words(c.reason); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheFirstOfTwoArgumentsOfOneNameCounts(t *testing.T) {
	if got := (Args{"a", "1", "a", "2"}).Get("a"); got != "1" {
		t.Errorf("got %q", got)
	}
}

func TestAReasonSurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		named := rapid.MapOf(rapid.StringMatching(`[a-bd-z_]{1,12}`), rapid.String()).Draw(t, "args")
		r := New(rapid.StringMatching(`[a-z_]{1,20}`).Draw(t, "code"))
		for name, value := range named {
			r.Args = append(r.Args, name, value)
		}
		body, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back Reason
		if err := json.Unmarshal(body, &back); err != nil {
			t.Fatal(err)
		}
		if back.Code != r.Code || len(back.Args) != len(r.Args) {
			t.Fatalf("%v came back as %v", r, back)
		}
		for name, value := range named {
			if got := back.Args.Get(name); got != value {
				t.Fatalf("%s is %q, was %q", name, got, value)
			}
		}
		again, err := json.Marshal(back)
		if err != nil || string(again) != string(body) {
			t.Fatalf("written again it is %s, was %s (%v)", again, body, err)
		}
	})
}

func TestAReasonIsOneFlatObject(t *testing.T) {
	body, err := json.Marshal(New("node_full", "node", "a", "calls", "7"))
	if want := `{"calls":"7","code":"node_full","node":"a"}`; err != nil || string(body) != want {
		t.Errorf("got %s (%v), want %s", body, err, want)
	}
}

func TestWhatIsNoReasonIsRefused(t *testing.T) {
	for _, bad := range []string{`[]`, `{"code":1}`, `{"code":{}}`, `"code"`, `{`} {
		var r Reason
		if err := json.Unmarshal([]byte(bad), &r); err == nil {
			t.Errorf("%s was read as %v", bad, r)
		}
	}
}

func TestMergeRefusesTwoMeaningsOfOneCode(t *testing.T) {
	a, b := Catalog{"x": "One.", "y": "Same."}, Catalog{"z": "Three.", "y": "Same."}
	all, err := Merge(a, b)
	if err != nil {
		t.Fatal(err)
	}
	codes := make([]string, 0, len(all))
	for code := range all {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	if !slices.Equal(codes, []string{"x", "y", "z"}) {
		t.Errorf("got %v", codes)
	}
	if _, err := Merge(a, Catalog{"x": "Another."}); err == nil {
		t.Error("two meanings were merged")
	}
}
