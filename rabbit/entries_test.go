package rabbit

import (
	"encoding/json"
	"testing"
	"time"

	"tandem/because"
	"tandem/messages"
)

func TestAnEntryIsWrittenAsJSONMarshalWritesIt(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	for name, e := range map[string]messages.JournalEntry{
		"a routing decision": {Call: "c1", Tenant: "t1", Source: messages.SourceRouting, At: at, Version: 7,
			Because: []because.Reason{because.New("number_unknown", "number", `1<"0"1`)},
			Input:   json.RawMessage(`{"request":{"from_name":"\u003cZoë\u003e"}}`), Output: json.RawMessage(`{"code":404}`)},
		"a step of a flow": {Call: "c1", Tenant: "t1", Source: messages.SourceCallflow, Leg: "l1", N: 3, At: at, Element: "ring",
			Input: json.RawMessage(`{}`), Output: json.RawMessage(`null`)},
		"without input and output": {Call: "c1", Source: messages.SourceRouting},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := encodeEntry(&e)
			if err != nil {
				t.Fatal(err)
			}
			want, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
