package callflows

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// slowly makes settings that mean the same to whoever reads one value, and that are not plain.
func slowly(settings json.RawMessage) json.RawMessage {
	return append(slices.Clone(settings), " x"...)
}

func isPlain(s *schema, settings json.RawMessage) bool {
	p := plain{in: settings}
	return p.value(s) && p.ended()
}

// The fast way and the one that finds faults give the same of whatever there is, and settings as they are saved are read fast.
func TestSettingsAreReadTheSameEitherWay(t *testing.T) {
	for _, e := range elementTypes {
		of := e.about().settings
		hasExpressions := false
		walk("", of, func(_ string, s *schema) { hasExpressions = hasExpressions || s.expression })
		t.Run(e.about().name, func(t *testing.T) {
			good, fast := 0, 0
			rapid.Check(t, func(rt *rapid.T) {
				body := asJSON(anyValue(rt, of, rapid.IntRange(0, 3).Draw(rt, "spoilt") == 0))
				value, faults := e.parse(body)
				same, also := e.parse(slowly(body))
				if !reflect.DeepEqual(faults, also) || len(faults) == 0 && !reflect.DeepEqual(value, same) {
					rt.Fatalf("%s\nfast: %+v %v\nslow: %+v %v", body, value, faults, same, also)
				}
				if isPlain(of, body) {
					fast++
					if slices.ContainsFunc(also, func(f FlowFault) bool { return !slices.Contains(furtherRules, f.Code) }) {
						rt.Fatalf("%s is plainly good, and has %v", body, also)
					}
				}
				if len(faults) == 0 {
					good++
				}
			})
			if fast < good/2 && !hasExpressions {
				t.Errorf("of %d good settings %d are read fast", good, fast)
			}
		})
	}
}

func TestWhatIsNotPlainIsLeftToTheSlowWay(t *testing.T) {
	s := menuElement{}.about().settings
	good := `{"prompt":"welcome"}`
	if !isPlain(s, json.RawMessage(good)) || !isPlain(s, json.RawMessage(" {\n\"prompt\" :\t\"welcome\" , \"attempts\":2 } ")) {
		t.Fatal("good settings are not plain")
	}
	for _, body := range []string{"", "{", `{"prompt":"welcome"`, `{"prompt":"welcome"}}`, `{"prompt":"welcome",}`, `{,"prompt":"welcome"}`, `{"prompt" "welcome"}`,
		`{"prompt":"welc\u006fme"}`, "{\"prompt\":\"a\nb\"}", "{\"prompt\":\"\xff\"}", `{"prompt":"welcome","prompt":"again"}`, `{"Prompt":"welcome"}`,
		`{"prompt":"welcome","attempts":2.0}`, `{"prompt":"welcome","attempts":02}`, `{"prompt":"welcome","attempts":-}`, `{"prompt":"welcome","attempts":1e0}`,
		`{"prompt":"welcome","attempts":99999999999999999999}`, `{"prompt":"welcome","attempts":null}`, `{"prompt":null}`, `[]`, `{"prompt":["welcome"]}`} {
		if isPlain(s, json.RawMessage(body)) {
			t.Errorf("%s is plain", body)
		}
	}
}

func FuzzSettingsEitherWay(f *testing.F) {
	for i, e := range elementTypes {
		f.Add(i, []byte(orObject(e.about().example.Settings)))
	}
	f.Fuzz(func(t *testing.T, i int, body []byte) {
		if i < 0 || i >= len(elementTypes) || !json.Valid(body) {
			return
		}
		e := elementTypes[i]
		value, faults := e.parse(body)
		same, also := e.parse(slowly(body))
		if !reflect.DeepEqual(faults, also) || len(faults) == 0 && !reflect.DeepEqual(value, same) {
			t.Errorf("%s\nfast: %+v %v\nslow: %+v %v", body, value, faults, same, also)
		}
	})
}

func BenchmarkReadSettings(b *testing.B) {
	settings := json.RawMessage(`{"users":["t0001-u17"],"seconds":25,"strategy":"at_once"}`)
	for name, body := range map[string]json.RawMessage{"settled": settings, "whole": slowly(settings)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseSettings("ring", body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
