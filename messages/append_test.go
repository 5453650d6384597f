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

func TestAnAnswerIsAppendedAsJSONMarshalWritesIt(t *testing.T) {
	text := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.SampledFrom([]string{"X-Tandem-Call: 1\r\nX-Tandem-Tenant: red\r\n", "\xff<>"}))
	number := rapid.OneOf(rapid.Just(0), rapid.Int())
	rapid.Check(t, func(t *rapid.T) {
		m := &messages.RouteAnswer{
			EventCategory: text.Draw(t, "category"), EventName: text.Draw(t, "name"), TIndex: number.Draw(t, "index"), TLabel: number.Draw(t, "label"),
			CallID: text.Draw(t, "call_id"), Type: messages.Type(text.Draw(t, "type")), Verdict: messages.Verdict(text.Draw(t, "verdict")),
			Call: text.Draw(t, "call"), Nodes: rapid.SliceOfN(text, -1, 5).Draw(t, "nodes"), NodeHeaders: text.Draw(t, "headers"),
			Code: number.Draw(t, "code"), Phrase: text.Draw(t, "phrase"), Reason: text.Draw(t, "reason"),
		}
		want, err := json.Marshal(m)
		if got := m.Append(nil); err != nil || string(got) != string(want) {
			t.Fatalf("got  %s\nwant %s (%v)", got, want, err)
		}
	})
}

// FuzzAnswer: whatever an answer holds, Encode writes it as json.Marshal does.
func FuzzAnswer(f *testing.F) {
	f.Add(7, "abc@phone", "id", "sip:192.0.2.1:5060", "X-Tandem-Call: id\r\n", 0, "")
	f.Add(1, "<&>", "\u2028", "", "\xff", 486, "Busy \"Here\"\x00")
	f.Fuzz(func(t *testing.T, index int, callID, call, node, headers string, code int, phrase string) {
		m := &messages.RouteAnswer{TIndex: index, TLabel: -index, CallID: callID, Call: call, Nodes: []string{node, callID}, NodeHeaders: headers,
			Code: code, Phrase: phrase, Reason: phrase}
		want, err := json.Marshal(m)
		if got := m.Append(nil); err != nil || string(got) != string(want) {
			t.Fatalf("got  %s\nwant %s (%v)", got, want, err)
		}
	})
}

// TestAppendKnowsEachMember: a member that was added to the struct and not to Append would be lost on its way.
func TestAppendKnowsEachMember(t *testing.T) {
	knowsEachMember(t, &messages.RouteAnswer{EventCategory: "call", EventName: "n", TIndex: 1, TLabel: 2, CallID: "c", Type: "t", Verdict: "v",
		Call: "c", Nodes: []string{"n"}, NodeHeaders: "h", Code: 3, Phrase: "p", Reason: "r"})
	e := messages.JournalEntry{Call: "c", Tenant: "t", Source: "s", Leg: "l", N: 1, At: time.Unix(1, 0), Version: 1, Element: "e",
		Because: []because.Reason{because.New("c")}, Input: json.RawMessage("1"), Output: json.RawMessage("2")}
	knowsEachMember(t, &e)
	at := time.Unix(1, 0)
	knowsEachMember(t, &messages.CDR{Type: "t", Leg: "l", Call: "c", Tenant: "t", Role: "r", Node: "n", SIPCallID: "s", From: "f", FromName: "f", To: "t", Device: "d", Trunk: "t",
		StartedAt: at, AnsweredAt: &at, EndedAt: at, SIPCode: 1, Cause: "c", Q850: 1, Fault: "f", Version: 1, Estimated: true, Over: true, Segments: []messages.Segment{{Node: "n", From: at, Until: at}}})
}

func TestACDRIsAppendedAsJSONMarshalWritesIt(t *testing.T) {
	text := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.SampledFrom([]string{"<&>", "\r\n", "\xff", "\u2028"}))
	number := rapid.OneOf(rapid.Just(0), rapid.IntRange(-1<<31, 1<<31))
	rapid.Check(t, func(t *rapid.T) {
		at := func(name string) time.Time {
			return time.Unix(int64(number.Draw(t, name)), int64(number.Draw(t, name+"_ns"))%1e9).UTC()
		}
		m := &messages.CDR{
			Type: messages.Type(text.Draw(t, "type")), Leg: text.Draw(t, "leg"), Call: text.Draw(t, "call"), Tenant: text.Draw(t, "tenant"), Role: messages.LegRole(text.Draw(t, "role")),
			Node: text.Draw(t, "node"), SIPCallID: text.Draw(t, "sip_call_id"), From: text.Draw(t, "from"), FromName: text.Draw(t, "from_name"), To: text.Draw(t, "to"),
			Device: text.Draw(t, "device"), Trunk: text.Draw(t, "trunk"), StartedAt: at("started"), EndedAt: at("ended"), SIPCode: number.Draw(t, "code"),
			Cause: text.Draw(t, "cause"), Q850: number.Draw(t, "q850"), Fault: messages.Fault(text.Draw(t, "fault")), Version: int64(number.Draw(t, "version")),
			Estimated: rapid.Bool().Draw(t, "estimated"),
		}
		if rapid.Bool().Draw(t, "answered") {
			answered := at("answered")
			m.AnsweredAt = &answered
		}
		want, err := json.Marshal(m)
		if got := m.Append(nil); err != nil || string(got) != string(want) {
			t.Fatalf("got  %s\nwant %s (%v)", got, want, err)
		}
	})
}

func TestACDRWithATimeThatCannotBeWrittenIsRefused(t *testing.T) {
	good := messages.CDR{Type: messages.CDRV1, Leg: "l", Call: "c", Role: messages.RoleCaller, Cause: "NORMAL_CLEARING", Fault: messages.FaultNone, StartedAt: time.Unix(1, 0), EndedAt: time.Unix(1, 0)}
	if _, err := messages.Encode(&good); err != nil {
		t.Fatal(err)
	}
	late := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, spoil := range []func(*messages.CDR){
		func(m *messages.CDR) { m.EndedAt = late },
		func(m *messages.CDR) { m.AnsweredAt = &late },
	} {
		bad := good
		spoil(&bad)
		if _, err := messages.Encode(&bad); err == nil {
			t.Errorf("%s was written", bad.Append(nil))
		}
	}
}

func knowsEachMember(t *testing.T, m interface{ Append([]byte) []byte }) {
	t.Helper()
	v := reflect.ValueOf(m).Elem()
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("this test leaves %s of %s empty", v.Type().Field(i).Name, v.Type())
		}
	}
	if members := object(t, m.Append(nil)); len(members) != v.NumField() {
		t.Errorf("%s: %d members of %d: %v", v.Type(), len(members), v.NumField(), members)
	}
}
