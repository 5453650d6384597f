package routing

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"tandem/messages"
)

// A decision that is journalled can be taken once more.
func TestADecisionCanBeReplayed(t *testing.T) {
	s := world(t)
	f := up("n1", "n2", "n3")
	f.TenantCalls, f.Nodes[1].State, f.Nodes[2].Calls = 1, messages.NodeDraining, 4
	var room []byte
	for _, m := range requests(t) {
		r, err := Read(m)
		if err != nil {
			continue
		}
		was := Decide(s, f, r)
		var e messages.JournalEntry
		e, room = Journal(room, f, r, was)
		var kept messages.JournalEntry
		if err := json.Unmarshal(e.Append(nil), &kept); err != nil {
			t.Fatal(err)
		}
		in, err := ReadJournal(kept)
		if err != nil {
			t.Fatal(err)
		}
		if in.Request.Call != r.Call || !in.Facts.At.Equal(f.At) {
			t.Fatalf("it is read as %+v", in)
		}
		if now := Decide(s, in.Facts, in.Request); !reflect.DeepEqual(was, now) {
			t.Fatalf("it was decided\n%s\nand is\n%s", text(was), text(now))
		}
	}
}

// An entry as the first release wrote it.
const firstEntry = `{"call":"c1","tenant":"red","source":"routing","n":0,"at":"2026-03-02T09:00:00.5Z","version":7,"because":[],
	"input":{"request":{"call":"c1","edge":"edge-1","source":"203.0.113.5","port":5060,"transport":"udp","sip_call_id":"abc@phone",
		"to":{"user":"101","host":"red.example"},"from":{"user":"desk","host":"red.example"},"auth_user":"desk","auth_realm":"red.example","media":{"late_offer":true}},
	"facts":{"at":"2026-03-02T09:00:00.5Z","tenant_calls":0,"nodes":[{"name":"n1","sip_uri":"sip:n1.example:5080","state":"up","calls":0},
		{"name":"n2","sip_uri":"sip:n2.example:5080","state":"up","calls":3}]}},
	"output":{"verdict":"route"}}`

func TestADecisionOfTheFirstReleaseCanBeReplayed(t *testing.T) {
	var e messages.JournalEntry
	if err := json.Unmarshal([]byte(firstEntry), &e); err != nil {
		t.Fatal(err)
	}
	in, err := ReadJournal(e)
	if err != nil {
		t.Fatal(err)
	}
	if !in.Facts.At.Equal(time.Date(2026, 3, 2, 9, 0, 0, 5e8, time.UTC)) || in.Facts.Nodes[1].Calls != 3 || in.Request.Call != "c1" {
		t.Errorf("it is read as %+v", in)
	}
	if d := Decide(world(t), in.Facts, in.Request); d.Verdict != messages.Route || d.Call != "c1" || d.FlowID != "red-flow" || len(d.Nodes) != 2 {
		t.Errorf("it is decided as %s", text(d))
	}
}

func TestWhatIsNoInputOfADecisionIsRefused(t *testing.T) {
	for _, input := range []string{"", "{", `null`, `{"cut":"too_large"}`, `{"request":[]}`, `{"request":{"source":"phone.example"}}`} {
		if in, err := ReadJournal(messages.JournalEntry{Input: json.RawMessage(input)}); err == nil {
			t.Errorf("%s is read as %+v", input, in)
		}
	}
}

// TestAnEntryRepeatsNothing: entries fill the ledger's queue and the database.
func TestAnEntryRepeatsNothing(t *testing.T) {
	f := up("n1", "n2")
	r, err := Read(fromDevice(t, "desk@red.example", "101"))
	if err != nil {
		t.Fatal(err)
	}
	d := Decide(world(t), f, r)
	e, _ := Journal([]byte("of the entry before"), f, r, d)
	if e.Call != d.Call || e.Tenant != "red" || e.Version != 7 || !e.At.Equal(f.At) || len(e.Because) != len(d.Because) || e.Source != messages.SourceRouting {
		t.Errorf("%+v", e)
	}
	whole := string(e.Append(nil))
	for part, times := range map[string]int{d.Call: 1, "2026-03-02": 1, `"tenant":"red"`: 1, `"version"`: 1, "caller_device": 1, `"calls"`: 0, "tenant_calls": 0} {
		if n := strings.Count(whole, part); n != times {
			t.Errorf("%s is there %d times in %s", part, n, whole)
		}
	}
}
