package messages_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tandem/because"
	"tandem/messages"
)

func TestAnEntryIsAppendedAsJSONMarshalWritesIt(t *testing.T) {
	text, number := rapid.String(), rapid.IntRange(-1, 1<<40)
	raw := rapid.SampledFrom([]string{`{}`, `null`, `{"from_name":"\u003cZoë\u003e"}`, `[1,"a"]`})
	rapid.Check(t, func(t *rapid.T) {
		e := messages.JournalEntry{
			Call: text.Draw(t, "call"), Tenant: text.Draw(t, "tenant"), Source: messages.JournalSource(text.Draw(t, "source")),
			Leg: text.Draw(t, "leg"), N: number.Draw(t, "n"), At: time.Unix(int64(number.Draw(t, "at")), int64(number.Draw(t, "ns"))%1e9).UTC(),
			Version: int64(number.Draw(t, "version")), Element: text.Draw(t, "element"),
		}
		if rapid.Bool().Draw(t, "decided") {
			e.Because = []because.Reason{}
			for range number.Draw(t, "reasons") % 4 {
				e.Because = append(e.Because, because.New(text.Draw(t, "code"), rapid.SliceOf(text).Draw(t, "args")...))
			}
			e.Input, e.Output = json.RawMessage(raw.Draw(t, "input")), json.RawMessage(raw.Draw(t, "output"))
		}
		want, err := json.Marshal(e)
		if err != nil {
			t.Skip("a year beyond 9999")
		}
		if got := e.Append(nil); string(got) != string(want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

// TestAppendKnowsEachMember: a member that was added to the struct and not to Append would be lost on its way.
func TestAppendKnowsEachMember(t *testing.T) {
	e := messages.JournalEntry{Call: "c", Tenant: "t", Source: "s", Leg: "l", N: 1, At: time.Unix(1, 0), Version: 1, Element: "e",
		Because: []because.Reason{because.New("c")}, Input: json.RawMessage("1"), Output: json.RawMessage("2")}
	v := reflect.ValueOf(e)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("this test leaves %s empty", v.Type().Field(i).Name)
		}
	}
	if members := object(t, e.Append(nil)); len(members) != v.NumField() {
		t.Errorf("%d members of %d: %v", len(members), v.NumField(), members)
	}
}
