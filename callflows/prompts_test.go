package callflows

import (
	"encoding/json"
	"testing"

	"tandem/tenants"
)

func TestThePromptsThatAFlowNames(t *testing.T) {
	flow := tenants.Flow{ID: "f", Start: "b", Elements: map[string]tenants.Element{
		"b":   {Type: "menu", Settings: json.RawMessage(`{"prompt":"menu/main","invalid_prompt":"menu/wrong","seconds":5}`)},
		"a/1": {Type: "voicemail", Settings: json.RawMessage(`{"user":"one","greeting":"closed"}`)},
		"c":   {Type: "voicemail", Settings: json.RawMessage(`{"user":"one"}`)}, // plays what is played unless it says so
		"d":   {Type: "no such", Settings: json.RawMessage(`{"prompt":"x"}`)},
		"e":   {Type: "menu", Settings: json.RawMessage(`[`)},
	}}
	want := []PromptUse{{"/elements/a~11/settings/greeting", "closed"}, {"/elements/b/settings/prompt", "menu/main"}, {"/elements/b/settings/invalid_prompt", "menu/wrong"}}
	got := PromptsOf(flow)
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for _, w := range want {
		found := false
		for _, g := range got {
			found = found || g == w
		}
		if !found {
			t.Errorf("%+v is not in %+v", w, got)
		}
	}
}
