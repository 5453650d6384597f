package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tandem/because"
	"tandem/callflows"
	"tandem/explain"
	"tandem/messages"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/routing"
	"tandem/stack"
	"tandem/tenants"
)

// replayWorld is a database with a tenant, whose extension 200 is busy, and the calls that were made to it.
type replayWorld struct {
	*provisioning.Service
	url string
}

func newReplayWorld(t *testing.T) replayWorld {
	t.Helper()
	url := stack.ForTest(t).TestDatabase(t)
	must(t, postgres.Migrate(t.Context(), url))
	store, err := postgres.Open(t.Context(), url)
	must(t, err)
	t.Cleanup(store.Close)
	w := replayWorld{&provisioning.Service{Store: store}, url}
	_, err = w.CreateTenant(t.Context(), provisioning.NewTenant{ID: "shop", Name: "Shop", Domain: "shop.example"})
	must(t, err)
	_, _, err = w.CreateDevice(t.Context(), "shop", provisioning.NewDevice{ID: "lobby", Name: "Lobby", Username: "lobby"})
	must(t, err)
	must(t, w.AddNode(t.Context(), tenants.Node{Name: "m1", SIPURI: "sip:192.0.2.20:5080", EventSocket: "192.0.2.20:8021"}))
	w.end(t, "USER_BUSY")
	must(t, w.SaveRoute(t.Context(), "shop", tenants.Route{Dialled: "200", FlowID: "main"}))
	w.publish(t)
	return w
}

// end is how the flow of the draft ends calls from now on.
func (w replayWorld) end(t *testing.T, cause string) {
	t.Helper()
	must(t, w.SaveFlow(t.Context(), "shop", tenants.Flow{ID: "main", Name: "Main", Start: "end", Elements: map[string]tenants.Element{
		"end": {Type: "hangup", Settings: json.RawMessage(`{"cause":"` + cause + `"}`)}}}))
}

func (w replayWorld) publish(t *testing.T) {
	t.Helper()
	_, err := w.Publish(t.Context(), "shop", "test", "")
	must(t, err)
}

// made journals calls of the lobby to 200 under what is published, as routing and a node's owner do.
func (w replayWorld) made(t *testing.T, began time.Time, n int) {
	t.Helper()
	data, err := w.Store.LoadData(t.Context())
	must(t, err)
	s, faults := tenants.NewSnapshot(data, callflows.ParseSettings)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	facts := routing.Facts{Nodes: []routing.Node{{Name: "m1", SIPURI: "sip:192.0.2.20:5080", State: messages.NodeUp}}}
	var entries []messages.JournalEntry
	for i := range n {
		facts.At = began.Add(time.Duration(i) * time.Millisecond)
		r := routing.Request{Call: fmt.Sprintf("call-%d-%d", began.Unix(), i), AuthUser: "lobby", AuthRealm: "shop.example", To: routing.URI{User: "200"}}
		d := routing.Decide(s, facts, r)
		first, _ := routing.Journal(nil, facts, r, d)
		entries = append(append(entries, first), stepped(t, s, d, facts.At)...)
	}
	_, err = w.Store.InsertJournal(t.Context(), entries)
	must(t, err)
}

// stepped is the journal of a call that parks and ends with what its flow orders then.
func stepped(t *testing.T, s *tenants.Snapshot, d routing.Decision, at time.Time) (entries []messages.JournalEntry) {
	t.Helper()
	call := callflows.Call{ID: d.Call, Tenant: d.Tenant, Version: d.Version, Leg: "8adcdf28-" + d.Call, FlowID: d.FlowID, Caller: d.Caller, Dialled: d.Dialled, StartedAt: at}
	var state callflows.State
	for n, event := range []callflows.Event{{Kind: callflows.Parked, Leg: call.Leg, Call: &call, At: at},
		{Kind: callflows.HungUp, Leg: call.Leg, At: at.Add(time.Second), End: &callflows.LegEnd{Cause: "USER_BUSY", Q850: 17, By: callflows.ByUs, CreatedAt: at}}} {
		out := callflows.Step(callflows.Config{Tenant: s.Tenant(d.Tenant), Emergency: s.Emergency(), Ways: s.Ways()}, state, event)
		state = out.State
		input, err := json.Marshal(event)
		must(t, err)
		output, err := json.Marshal(out.Commands)
		must(t, err)
		entries = append(entries, messages.JournalEntry{Call: call.ID, Tenant: call.Tenant, Source: messages.SourceCallflow, Leg: call.Leg, N: n, At: event.At,
			Version: call.Version, Because: out.Because, Input: input, Output: output})
	}
	return entries
}

// replay runs the command and reads what it prints as JSON.
func (w replayWorld) replay(t *testing.T, c replayCommand) (r replayReport) {
	t.Helper()
	c.Tenant, c.PostgresURL, c.JSON = "shop", w.url, true
	var out bytes.Buffer
	must(t, c.run(t.Context(), &out, time.Now()))
	must(t, json.Unmarshal(out.Bytes(), &r))
	return r
}

func groupsOf(t *testing.T, s *explain.Summary) string {
	t.Helper()
	text, err := json.Marshal(s.Groups)
	must(t, err)
	return string(text)
}

func TestReplaySaysWhichCallsOfATenantWouldGoDifferently(t *testing.T) {
	w := newReplayWorld(t)
	const first, second = 450, 30
	began := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	w.made(t, began, first) // under version 1: busy
	w.end(t, "CALL_REJECTED")
	w.publish(t)
	w.made(t, began.Add(time.Hour), second) // under version 2: declined
	w.end(t, "UNALLOCATED_NUMBER")          // the draft
	for _, c := range []struct {
		name          string
		command       replayCommand
		calls, differ int
		words         string
	}{
		{"the draft", replayCommand{Since: "2026-03-02", Draft: true}, first + second, first + second, "now hangs up with UNALLOCATED_NUMBER instead of hanging up with USER_BUSY"},
		{"the first version", replayCommand{Since: "2026-03-02", Version: 1}, first + second, second, "now hangs up with USER_BUSY instead of hanging up with CALL_REJECTED"},
		{"the first version, before the second", replayCommand{Since: "2026-03-02", Until: "2026-03-02T09:30:00Z", Version: 1}, first, 0, ""},
		{"the second version", replayCommand{Since: "2026-03-02T09:00:00.2Z", Version: 2}, first - 200 + second, first - 200, "now hangs up with CALL_REJECTED instead of hanging up with USER_BUSY"},
	} {
		r := w.replay(t, c.command)
		s := r.Summary
		t.Logf("%s: %.0f calls a second", c.name, r.CallsPerSecond)
		if s.Calls != c.calls || s.Different != c.differ || s.Unfaithful != 0 || s.Same != c.calls-c.differ || r.CallsPerSecond <= 0 {
			t.Errorf("%s: %+v", c.name, s)
		}
		if c.words != "" && (len(s.Groups) == 0 || s.Groups[0].Words != c.words || s.Groups[0].Dialled != "200") {
			t.Errorf("%s: %s", c.name, groupsOf(t, s))
		}
	}
}

func TestReplayTellsApartWhatCannotBeJudged(t *testing.T) {
	w := newReplayWorld(t)
	began := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	w.made(t, began, 5)
	_, err := w.Store.InsertCDRs(t.Context(), []messages.CDR{{Leg: "alone", Call: "alone", Tenant: "shop", Role: messages.RoleCaller, StartedAt: began, EndedAt: began, Cause: "NORMAL_CLEARING", Fault: messages.FaultNone}})
	must(t, err)
	must(t, w.SetMaxCalls(t.Context(), "shop", 1)) // not versioned, and of no concern to these calls
	var out bytes.Buffer
	must(t, (&replayCommand{Tenant: "shop", PostgresURL: w.url, Since: "2026-03-02", Draft: true}).run(t.Context(), &out, time.Now()))
	for _, line := range []string{"6 calls of shop from 2026-03-02 00:00:00 UTC until ", ", under the draft:\n0 would have gone differently, 5 the same, 1 cannot be judged.\n",
		"1 call cannot be judged. Its routing decision is not in the journal.\n  -  tandem explain alone\n", "figure replay_unfaithful 1\n", "figure replay_calls_per_s "} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("it does not say %q:\n%s", line, out.String())
		}
	}
	must(t, w.SetSuspended(t.Context(), "shop", true))
	if s := w.replay(t, replayCommand{Since: "2026-03-02", Version: 1}).Summary; s.Unfaithful != 6 || s.Groups[0].Words != "With the version of then the call now is refused with 403 Forbidden instead of going to the flow Main: what is not versioned has changed, or the release." {
		t.Errorf("a tenant suspended since: %s", groupsOf(t, s))
	}
}

// What is asked of replay wrongly is refused before anything is read.
func TestReplayRefusesWhatItCannotDo(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		command replayCommand
		says    string
	}{
		{replayCommand{Since: "24h"}, "either --draft or --version"},
		{replayCommand{Since: "24h", Draft: true, Version: 2}, "either --draft or --version"},
		{replayCommand{Since: "yesterday", Draft: true}, "--since: \"yesterday\" is neither"},
		{replayCommand{Since: "-1h", Draft: true}, "--since: \"-1h\" is neither"},
		{replayCommand{Since: "24h", Until: "?", Draft: true}, "--until"},
		{replayCommand{Since: "2026-03-03", Draft: true}, "--since is not before --until"},
	} {
		if _, err := c.command.period(now); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", c.command, err)
		}
	}
	of, err := (&replayCommand{Tenant: "shop", Since: "24h", Until: "2026-03-02T08:00:00+01:00", Draft: true}).period(now)
	if err != nil || of.Tenant != "shop" || !of.Since.Equal(now.Add(-24*time.Hour)) || !of.Until.Equal(now.Add(-2*time.Hour)) {
		t.Errorf("%+v, %v", of, err)
	}
}

// A report is safe for a terminal, whatever phones have dialled.
func TestAReplaysReportIsPlain(t *testing.T) {
	words, err := explain.Catalog()
	must(t, err)
	s := explain.NewSummary(words)
	s.Add(explain.Replayed{Call: "c", Dialled: "30\x1b[2J0", Outcome: explain.Different, Difference: &explain.Difference{Element: "hours", Words: "now plays a\nb instead of c",
		Was:   []because.Reason{because.New("event_after_end", "event", "x"), because.New("menu_chosen", "digit", "1")},
		Would: []because.Reason{because.New("event_after_end", "event", "x"), because.New("menu_chosen", "digit", "\x1b2")}}})
	var out bytes.Buffer
	must(t, replayReport{Tenant: "shop", Under: "the draft", Summary: s}.print(&out, words))
	if !strings.Contains(out.String(), "1 call to 30?[2J0: at hours now plays a?b instead of c\n  was    The caller keyed 1.\n  would  The caller keyed ?2.\n  -  tandem explain c\n") {
		t.Errorf("it prints %q", out.String())
	}
}
