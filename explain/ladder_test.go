package explain_test

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/because"
	"tandem/callflows"
	"tandem/explain"
	"tandem/messages"
	"tandem/routing"
)

const (
	ladderCaller = "aaaaaaaa-0000-0000-0000-000000000001"
	ladderCalled = "aaaaaaaa-0000-0000-0000-000000000002"
	ladderThird  = "aaaaaaaa-0000-0000-0000-000000000003"
)

// told is one step of a call's journal: what came, and what was ordered.
type toldStep struct {
	event  callflows.Event
	orders []callflows.Command
}

// ladderJournal writes the steps of a call as a worker does, each 10 ms after the one before.
func ladderJournal(decision *routing.Decision, steps ...toldStep) []messages.JournalEntry {
	var entries []messages.JournalEntry
	if decision != nil {
		request := routing.Request{Edge: "edge-a", Source: netip.MustParseAddr("192.0.2.7"), Port: 5060, Transport: "udp", SIPCallID: "one@phone", AuthUser: "101", AuthRealm: "office.example",
			To: routing.URI{User: "102", Host: "office.example"}, From: routing.URI{User: "101", Host: "office.example"}, UserAgent: "Desk 1.0"}
		e, _ := routing.Journal(nil, routing.Facts{At: monday, Nodes: []routing.Node{{Name: "node1", SIPURI: "sip:192.0.2.20:5080"}, {Name: "node2", SIPURI: "sip:192.0.2.21:5080"}}}, request, *decision)
		e.Call, e.Tenant = "call-1", "office"
		entries = append(entries, e)
	}
	for n, s := range steps {
		s.event.At = monday.Add(time.Duration(n+1) * 10 * time.Millisecond)
		if s.event.Call != nil {
			call := *s.event.Call
			call.StartedAt = s.event.At
			s.event.Call = &call
		}
		entries = append(entries, messages.JournalEntry{Call: "call-1", Tenant: "office", Source: messages.SourceCallflow, Leg: ladderCaller, N: n, At: s.event.At, Because: []because.Reason{},
			Input: callflows.AppendEvent(nil, &s.event), Output: callflows.AppendCommands(nil, s.orders)})
	}
	return entries
}

// drawn gives a ladder's arrows as lines, without their times.
func drawn(l explain.Ladder) []string {
	lines := []string{}
	for _, a := range l.Arrows {
		line := a.From + " -> " + a.To
		if a.From == a.To {
			line = a.From
		}
		if a.Via != "" {
			line += " by " + a.Via
		}
		lines = append(lines, strings.Join(strings.Fields(line+": "+a.Message+" "+a.Words+" "+a.Cause+" ("+string(a.Told)+")"), " "))
	}
	return lines
}

func ladderParked(node string) toldStep {
	return toldStep{event: callflows.Event{Kind: callflows.Parked, Leg: ladderCaller, Call: &callflows.Call{ID: "call-1", Tenant: "office", Leg: ladderCaller, Node: node, Edge: "sip:192.0.2.9:5070",
		FlowID: "sales", Caller: callflows.Caller{Device: "d1", Number: "101"}, Dialled: "102", SIPCallID: "one@phone"}},
		orders: []callflows.Command{{Kind: callflows.SignalRinging, N: 1, Leg: ladderCaller}, {Kind: callflows.Ring, N: 2, Leg: ladderCaller,
			Targets: []callflows.Target{{Leg: ladderCalled, URI: "sip:102@192.0.2.8", Edge: "sip:192.0.2.9:5070", Device: "d2"}}}}}
}

func ladderEnd(leg string, cause string, sip int, message callflows.SIPMessage, answered bool) toldStep {
	end := &callflows.LegEnd{Cause: cause, SIPCode: sip, By: callflows.ByUs, Message: message, CreatedAt: monday, SIPCallID: "x"}
	if strings.HasPrefix(string(message), "recv_") {
		end.By = callflows.ByFarEnd
	}
	if answered {
		end.AnsweredAt = &monday
	}
	return toldStep{event: callflows.Event{Kind: callflows.HungUp, Leg: leg, End: end}}
}

func ladderOf(kind callflows.EventKind, leg string) toldStep {
	return toldStep{event: callflows.Event{Kind: kind, Leg: leg}}
}

// TestLadder: each thing that an edge, a node or a record tells is one arrow, in its direction and with its teller; nothing else is drawn.
func TestLadder(t *testing.T) {
	route := &routing.Decision{Verdict: messages.Route, Nodes: []string{"sip:192.0.2.20:5080"}, FlowID: "sales", Caller: callflows.Caller{Device: "d1", Number: "101"}, Dialled: "102"}
	two := *route
	two.Nodes = []string{"sip:192.0.2.20:5080", "sip:192.0.2.21:5080"}
	invite := "caller -> edge1: INVITE to 102, from 101 over UDP (edge)"
	parked := "edge1 -> node node1: INVITE for the flow sales (node)"
	dialled := "node node1 -> called d2 by edge1: INVITE to 102 (node)"
	created := toldStep{event: callflows.Event{Kind: callflows.LegCreated, Leg: ladderCalled, Target: "102"}}
	signalled := toldStep{event: callflows.Event{Kind: callflows.Done, Leg: ladderCaller, Command: 1}}
	sounds := toldStep{event: callflows.Event{Kind: callflows.Rang, Leg: ladderCalled, Early: true}}
	for _, c := range []struct {
		claim   string
		entries []messages.JournalEntry
		cdrs    []messages.CDR
		want    []string
		unknown string // is among what is said to be unknown
	}{
		{"a talk that the called ends", ladderJournal(route, ladderParked("node1"), signalled, created, ladderOf(callflows.Rang, ladderCalled), ladderOf(callflows.Answered, ladderCalled),
			ladderOf(callflows.Answered, ladderCaller), ladderEnd(ladderCalled, "NORMAL_CLEARING", 0, callflows.ReceivedBye, true), ladderEnd(ladderCaller, "NORMAL_CLEARING", 0, callflows.SentBye, true)), nil,
			[]string{invite, parked, "node node1 -> caller by edge1: 180 Ringing (node)", dialled, "called d2 -> node node1 by edge1: 18x rings (180 or 183) (node)",
				"called d2 -> node node1 by edge1: 200 OK (node)", "node node1 -> caller by edge1: 200 OK (node)", "called d2 -> node node1 by edge1: BYE NORMAL_CLEARING (node)",
				"node node1 -> caller by edge1: BYE NORMAL_CLEARING (node)"}, "ACK"},
		{"ringing with sound is told apart, and once", ladderJournal(route, ladderParked("node1"), created, sounds, sounds), nil,
			[]string{invite, parked, dialled, "called d2 -> node node1 by edge1: 18x rings, with sound (180 or 183 with a description) (node)"}, "Which ringing"},
		{"busy goes to the caller", ladderJournal(route, ladderParked("node1"), created, ladderEnd(ladderCalled, "USER_BUSY", 486, callflows.ReceivedRefusal, false),
			ladderEnd(ladderCaller, "USER_BUSY", 486, callflows.SentRefusal, false)), nil,
			[]string{invite, parked, dialled, "called d2 -> node node1 by edge1: 486 USER_BUSY (node)", "node node1 -> caller by edge1: 486 USER_BUSY (node)"}, ""},
		{"the caller gives up", ladderJournal(route, ladderParked("node1"), created, ladderEnd(ladderCaller, "ORIGINATOR_CANCEL", 487, callflows.ReceivedCancel, false),
			ladderEnd(ladderCalled, "ORIGINATOR_CANCEL", 0, callflows.SentCancel, false)), nil,
			[]string{invite, parked, dialled, "caller -> node node1 by edge1: CANCEL ORIGINATOR_CANCEL (node)", "node node1 -> called d2 by edge1: CANCEL ORIGINATOR_CANCEL (node)"}, ""},
		{"an entry that was lost is drawn from what comes later", ladderJournal(route, ladderParked("node1"), ladderEnd(ladderCalled, "NORMAL_CLEARING", 0, callflows.SentBye, true)), nil,
			[]string{invite, "node node1 -> called d2 by edge1: INVITE (node)", "called d2 -> node node1 by edge1: 200 OK (node)", parked, "node node1 -> called d2 by edge1: BYE NORMAL_CLEARING (node)"}, ""},
		{"an older release's entry says whose doing the end was", ladderJournal(nil, ladderParked("node1"), toldStep{event: callflows.Event{Kind: callflows.HungUp, Leg: ladderCaller,
			End: &callflows.LegEnd{Cause: "NORMAL_CLEARING", By: callflows.ByFarEnd, AnsweredAt: &monday, CreatedAt: monday}}}), nil,
			[]string{"node node1 -> caller by edge1: 200 OK (node)", parked, "caller -> node node1 by edge1: BYE NORMAL_CLEARING (node)"}, "routing's entry is missing"},
		{"a leg that vanished has no message", ladderJournal(route, ladderParked("node1"), toldStep{event: callflows.Event{Kind: callflows.HungUp, Leg: ladderCaller,
			End: &callflows.LegEnd{Cause: "MEDIA_TIMEOUT", By: callflows.ByUs, Estimated: true, CreatedAt: monday}}}), nil,
			[]string{invite, parked, "caller: the leg is gone; its node did not tell how MEDIA_TIMEOUT (node)"}, ""},
		{"routing's refusal is what routing has said", ladderJournal(&routing.Decision{Verdict: messages.Reject, Code: 404, Phrase: "Not Found", Cause: "UNALLOCATED_NUMBER"}), nil,
			[]string{invite, "edge1 -> caller: 404 Not Found UNALLOCATED_NUMBER (routing)"}, "verified it as 101"},
		{"a call that no node has told of", ladderJournal(&two), nil,
			[]string{invite, "edge1: told to try, in this order: node1, node2 (routing)"}, "Whether a media node was reached"},
		{"a transfer by the called phone", ladderJournal(route, ladderParked("node1"), toldStep{event: callflows.Event{Kind: callflows.Transferred, Leg: ladderCaller, ByLeg: ladderCalled, Target: "103"}}), nil,
			[]string{invite, parked, "called d2 -> node node1 by edge1: REFER to 103 (node)"}, ""},
		{"a transfer that the node refused", ladderJournal(route, ladderParked("node1"), toldStep{event: callflows.Event{Kind: callflows.TransferRefused, Leg: ladderCalled, Cause: "no such talk"}}), nil,
			[]string{invite, parked, "called d2 -> node node1 by edge1: REFER refused: no such talk (node)"}, ""},
		{"a move to another node", ladderJournal(route, ladderParked("node1"), toldStep{event: callflows.Event{Kind: callflows.MoveOrdered, Node: "node2"}},
			toldStep{event: callflows.Event{Kind: callflows.LegsMoved, Legs: []callflows.MovedLeg{{Leg: ladderCaller}, {Leg: ladderCalled, Lost: true}}}},
			toldStep{event: callflows.Event{Kind: callflows.Moved, Node: "node2"}}, ladderEnd(ladderCaller, "NORMAL_CLEARING", 0, callflows.ReceivedBye, false)), nil,
			[]string{invite, parked, "node node2 -> caller by edge1: re-INVITE by the new node, and answered: the leg is moved (node)", "called d2: the new node has not got this leg (node)",
				"node node2: has the call from here on (node)", "caller -> node node2 by edge1: BYE NORMAL_CLEARING (node)"}, ""},
		{"a record alone", nil, []messages.CDR{
			{Call: "call-1", Leg: ladderCaller, Role: messages.RoleCaller, Node: "node1", Device: "d1", To: "102", StartedAt: monday, EndedAt: monday.Add(time.Second), SIPCode: 486, Cause: "USER_BUSY"},
			{Call: "call-1", Leg: ladderThird, Role: messages.RoleCallee, Node: "node1", Trunk: "t1", To: "+15550100", StartedAt: monday, EndedAt: monday.Add(time.Second), SIPCode: 486, Cause: "USER_BUSY"}},
			[]string{"caller -> node node1: INVITE to 102 (record)", "node node1 -> called t1: INVITE to +15550100 (record)", "node node1 -> caller: 486 USER_BUSY (record)",
				"called t1 -> node node1: 486 USER_BUSY (record)"}, "routing's entry is missing"},
		{"nothing", nil, nil, []string{}, "Nothing is kept"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			l := explain.DrawLadder("call-1", c.entries, c.cdrs)
			if got := drawn(l); !slices.Equal(got, c.want) {
				t.Errorf("drawn:\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
			}
			if !strings.Contains(strings.Join(l.Unknown, " "), c.unknown) {
				t.Errorf("unknown: got %q, want %q among it", l.Unknown, c.unknown)
			}
			places := map[string]bool{}
			for _, column := range l.Columns {
				places[column.ID] = true
			}
			for _, a := range l.Arrows {
				if !places[a.From] || !places[a.To] || a.Via != "" && !places[a.Via] {
					t.Errorf("%s -> %s by %q leads to no column", a.From, a.To, a.Via)
				}
			}
		})
	}
}

// TestLadderTellsWhatItLeavesOut: a journal of any length gives a bounded ladder that says how much more there was.
func TestLadderTellsWhatItLeavesOut(t *testing.T) {
	steps := []toldStep{ladderParked("node1")}
	for range explain.MaxArrows + 4 {
		steps = append(steps, toldStep{event: callflows.Event{Kind: callflows.TransferRefused, Leg: ladderCaller, Cause: "again"}})
	}
	l := explain.DrawLadder("call-1", ladderJournal(nil, steps...), nil)
	if len(l.Arrows) != explain.MaxArrows || l.More != 5 {
		t.Errorf("got %d arrows and %d more, want %d and 5", len(l.Arrows), l.More, explain.MaxArrows)
	}
	if _, err := json.Marshal(l); err != nil {
		t.Error(err)
	}
}

// TestLadderAgreesWithTheRecords: a leg that a record says was refused with a code ends in the ladder with the same code.
func TestLadderAgreesWithTheRecords(t *testing.T) {
	entries := ladderJournal(nil, ladderParked("node1"), ladderEnd(ladderCalled, "USER_BUSY", 486, callflows.ReceivedRefusal, false))
	record := messages.CDR{Call: "call-1", Leg: ladderCalled, Role: messages.RoleCallee, Node: "node1", SIPCode: 486, Cause: "USER_BUSY", StartedAt: monday, EndedAt: monday}
	l := explain.DrawLadder("call-1", entries, []messages.CDR{record})
	var ends []explain.Arrow
	for _, a := range l.Arrows {
		if a.Leg == ladderCalled && a.Cause != "" {
			ends = append(ends, a)
		}
	}
	if len(ends) != 1 || ends[0].Code != record.SIPCode || ends[0].Cause != record.Cause {
		t.Errorf("got %+v, want one end with %d %s", ends, record.SIPCode, record.Cause)
	}
}
