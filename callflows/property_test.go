package callflows

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tandem/tenants"
)

// anyFlow draws a flow of up to six elements, with settings that fit, whose exits lead anywhere, or nowhere.
func anyFlow(t *rapid.T) tenants.Flow {
	n := rapid.IntRange(1, 6).Draw(t, "elements")
	f := tenants.Flow{ID: "main", Name: "Main", Start: "e0", Elements: map[string]tenants.Element{}}
	for i := range n {
		kind := elementOf(rapid.SampledFrom(ElementTypes()).Draw(t, "type"))
		e := tenants.Element{Type: kind.about().name, Settings: kind.about().example.Settings, Exits: map[string]string{}}
		drawn := asJSON(anyValue(t, kind.about().settings, false))
		settings, faults := kind.parse(drawn)
		if len(faults) == 0 {
			e.Settings = drawn
		} else {
			settings, _ = kind.parse(e.Settings)
		}
		for _, exit := range exitsOf(kind, settings) {
			if next := rapid.IntRange(-1, n-1).Draw(t, exit.Name); next >= 0 {
				e.Exits[exit.Name] = fmt.Sprintf("e%d", next)
			}
		}
		f.Elements[fmt.Sprintf("e%d", i)] = e
	}
	return f
}

var causes = []string{"NORMAL_CLEARING", "USER_BUSY", "NO_ANSWER", "ALLOTTED_TIMEOUT", "LOSE_RACE", "ORIGINATOR_CANCEL", "CALL_REJECTED",
	"NORMAL_TEMPORARY_FAILURE", "SUCCESS", "UNALLOCATED_NUMBER", "MANAGER_REQUEST", "", "\xff"}

// anyEvent draws an event that need not make sense: of any leg, for any command, at any time, in hostile words.
func anyEvent(t *rapid.T, s State, c Call) Event {
	kinds := []EventKind{Parked, Answered, Rang, LegCreated, Bridged, Unbridged, HungUp, Played, DigitsCollected, RingEnded, Done,
		ContactsFound, CallsCounted, TimerFired, Fetched, EndOrdered, RecordOrdered, RecordEndOrdered, TransferOrdered, Transferred, Refused, Recorded, MessagesFound, PINChecked, "of_a_newer_release"}
	legs := []string{callerLeg, callerLeg, "unknown-1", "unknown-2", ""}
	for _, l := range s.Legs {
		legs = append(legs, l.ID)
	}
	e := Event{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Leg: rapid.SampledFrom(legs).Draw(t, "leg"),
		At:      started.Add(time.Duration(rapid.Int64Range(-1e12, 1e13).Draw(t, "at"))),
		Command: rapid.SampledFrom([]int{s.Awaited, s.Awaited, s.Awaited, 0, 1, s.Commands, s.Commands + 1}).Draw(t, "command"),
		Digits:  rapid.SampledFrom([]string{"1", "2", "#", "", "9", "12"}).Draw(t, "digits"),
		Outcome: rapid.SampledFrom([]DigitsOutcome{DigitsGood, DigitsTimeout, DigitsInvalid, ""}).Draw(t, "outcome"),
		Cause:   rapid.SampledFrom(causes).Draw(t, "cause"), Missing: rapid.Bool().Draw(t, "missing")}
	e.LengthMS = rapid.SampledFrom([]int{0, 1, 1999, 2000, 60_000, -5, 1 << 40}).Draw(t, "length")
	e.Ended = rapid.SampledFrom([]RecordingEnd{EndedByKey, EndedBySilence, EndedByLimit, EndedByHangUp, NotRecorded, ""}).Draw(t, "ended")
	e.PIN = rapid.SampledFrom([]PINOutcome{PINRight, PINRight, PINWrong, PINLocked, PINNone, PINAway, PINLost, ""}).Draw(t, "pin")
	e.Away = rapid.Bool().Draw(t, "away")
	for range rapid.IntRange(0, 3).Draw(t, "messages") {
		e.Messages = append(e.Messages, Message{ID: hostile(t, "message"), Media: "Media:kept/aa/aa.wav", From: hostile(t, "sender"), Heard: rapid.Bool().Draw(t, "heard")})
	}
	if e.Kind == EndOrdered {
		e.By, e.Reason = hostile(t, "by"), hostile(t, "why")
	}
	if e.Kind == TransferOrdered || e.Kind == Transferred || e.Kind == RingEnded {
		e.By, e.Target, e.ByLeg = hostile(t, "by"), rapid.SampledFrom([]string{"", "300", "112", "+12025550100", "\xff"}).Draw(t, "target"), rapid.SampledFrom(legs).Draw(t, "by leg")
		e.Moved, e.Device = rapid.SampledFrom([]string{"", "m1", "m2", "m3"}).Draw(t, "moved"), rapid.SampledFrom([]string{"", "anna-desk", "gone"}).Draw(t, "by device")
	}
	e.SIPCode, e.Early = rapid.SampledFrom([]int{0, 200, 404, 480, 486, 503, 999, -1}).Draw(t, "code"), rapid.Bool().Draw(t, "early")
	if rapid.Bool().Draw(t, "has counts") {
		e.Counts = &Counts{Tenant: Count{Calls: rapid.IntRange(0, 3).Draw(t, "calls out")}, Trunks: map[string]Count{"a": {Calls: rapid.IntRange(0, 12).Draw(t, "calls by a")}}}
	}
	for range rapid.IntRange(0, 3).Draw(t, "contacts") {
		e.Contacts = append(e.Contacts, Contact{Device: rapid.SampledFrom([]string{"anna-desk", "anna-mobile", "ben-desk", "lobby", "gone"}).Draw(t, "device"),
			URI: rapid.String().Draw(t, "uri")})
	}
	if e.Kind == Fetched && rapid.IntRange(0, 9).Draw(t, "has reply") > 0 {
		e.Reply = anyReply(t)
	}
	if e.Kind == Parked || rapid.Bool().Draw(t, "has call") {
		e.Call = &c
	}
	if e.Kind == HungUp && rapid.IntRange(0, 9).Draw(t, "has end") > 0 {
		e.End = &LegEnd{Cause: e.Cause, By: rapid.SampledFrom([]EndedBy{ByFarEnd, ByUs}).Draw(t, "by"), SIPCode: rapid.SampledFrom([]int{0, 200, 486}).Draw(t, "sip"),
			Left: rapid.SampledFrom(legs).Draw(t, "left"), FromName: hostile(t, "name"), From: hostile(t, "from"), To: hostile(t, "to"), SIPCallID: hostile(t, "call id")}
		if rapid.Bool().Draw(t, "answered") {
			at := started
			e.End.AnsweredAt = &at
		}
	}
	return e
}

// anyReply draws what an HTTP server might answer, flows among it.
func anyReply(t *rapid.T) *Reply {
	bodies := []string{"", "null", "[]", "{}", `{"name":"\u0000\r\nX: y","customer":{"rank":7}}`, `{"name":{"a":1},"customer":[]}`, strings.Repeat(`{"a":`, 500), "\xff",
		`{"start":"a","elements":{"a":{"type":"number","settings":{"number":"+12025550100"}}}}`,
		`{"start":"a","elements":{"a":{"type":"pivot","settings":{"url":"https://flows.example"},"exits":{"failed":"a"}}}}`,
		`{"start":"a","elements":{"a":{"type":"ring","settings":{"users":["anna"]},"exits":{"no_answer":"b"}},"b":{"type":"hangup","settings":{"cause":"USER_BUSY"}}}}`}
	return &Reply{Status: rapid.SampledFrom([]int{0, 200, 200, 200, 204, 404, 500}).Draw(t, "status"), Body: rapid.SampledFrom(bodies).Draw(t, "body"),
		Error: rapid.SampledFrom([]string{"", "", "", "no answer in time", "\xff"}).Draw(t, "error")}
}

// hostile draws a text that a phone might write.
func hostile(t *rapid.T, label string) string {
	return rapid.SampledFrom([]string{"", "101", "\xff\xfe", "a\x00b\r\nX: y", strings.Repeat("é", 900), "${system x}", "\ufffd", "<sip:a@b>"}).Draw(t, label)
}

// Whatever happens in whatever order, the guarantees of doc.go hold.
func TestNoOrderOfEventsBreaksAGuarantee(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		config := demo(t, anyFlow(rt))
		w, c := newWatcher(config), call(rapid.SampledFrom([]string{"main", "main", "main", "gone", EmergencyFlow, OutboundFlow}).Draw(rt, "flow"))
		c.Dialled, c.Caller.Number = rapid.SampledFrom([]string{"200", "112", "+12025550100", "+19005550100", "\xff"}).Draw(rt, "dialled"), hostile(rt, "number")
		c.Caller.Name, c.SIPCallID = hostile(rt, "caller's name"), hostile(rt, "Call-ID")
		if (c.FlowID == EmergencyFlow || c.FlowID == OutboundFlow) && rapid.Bool().Draw(rt, "tenant unknown") {
			w.config.Tenant = nil
		}
		state := State{}
		if rapid.IntRange(0, 4).Draw(rt, "ordered") == 0 {
			c.Ordered = &Ordered{By: hostile(rt, "orderer"), Devices: []string{"anna-desk", "anna-mobile", "gone"}, Wait: OrderedWait}
		}
		if c.Ordered != nil && rapid.IntRange(0, 9).Draw(rt, "begins by its order") > 0 {
			begin := Event{Kind: CallOrdered, At: started, Leg: callerLeg, Call: &c}
			for _, device := range rapid.SliceOfN(rapid.SampledFrom(c.Ordered.Devices), 0, 3).Draw(rt, "registered") {
				begin.Contacts = append(begin.Contacts, contactOf(device))
			}
			state = must(rt, w, state, begin).State
		} else if rapid.IntRange(0, 9).Draw(rt, "parks first") > 0 {
			state = must(rt, w, state, Event{Kind: Parked, At: started, Leg: callerLeg, Call: &c}).State
		}
		for range rapid.IntRange(1, 60).Draw(rt, "events") {
			state = must(rt, w, state, anyEvent(rt, state, c)).State
		}
	})
}

func must(t *rapid.T, w *watcher, s State, e Event) Outcome {
	out, err := w.step(s, e)
	if err != nil {
		t.Fatalf("%v\nstate %s\nevent %s\noutcome %s", err, text(s), text(e), text(out))
	}
	return out
}

// A media node that keeps to what FreeSWITCH does (each leg's events in order, a dialled leg there before the bridge is
// over) brings every call to its end, whoever hangs up when: nothing waits for ever, and each leg that was there has
// exactly one record.
func TestEveryCallComesToItsEnd(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWatcher(demo(t, anyFlow(rt)))
		c := call(rapid.SampledFrom([]string{"main", "main", "main", EmergencyFlow, OutboundFlow}).Draw(rt, "flow"))
		c.Dialled = rapid.SampledFrom([]string{"112", "+12025550100"}).Draw(rt, "dialled")
		n := &node{t: rt, after: map[*happening][]*happening{}, created: map[string]bool{}, dialled: map[string]*happening{}, patience: rapid.IntRange(0, 80).Draw(rt, "patience")}
		n.will(Event{Kind: Parked, Leg: callerLeg, Call: &c})
		state := State{}
		for n.next() {
			out := must(rt, w, state, n.event)
			state = out.State
			for _, command := range out.Commands {
				n.obey(command)
			}
		}
		if state.Phase != Ended {
			rt.Fatalf("nothing more will happen, and the call is %s: %s", state.Phase, text(state))
		}
		for leg := range n.created {
			if w.records[leg] != 1 {
				rt.Fatalf("leg %s has %d records", leg, w.records[leg])
			}
		}
	})
}

// node plays a media node. What will happen is a set of happenings, each after some others; a random one that may
// happen does.
type node struct {
	t        *rapid.T
	coming   []*happening
	after    map[*happening][]*happening
	event    Event
	now      time.Time
	patience int // the caller hangs up after so many events
	gone     bool
	created  map[string]bool
	dialled  map[string]*happening // live dialled legs, and what tells of their creation
	ringing  *happening            // the end of the bridge under way
	ended    *happening            // of a talk to another call's leg: the node hangs the caller up after it
	found    int
}

type happening struct {
	event Event
	done  bool
}

// will books an event that comes after others.
func (n *node) will(e Event, after ...*happening) *happening {
	h := &happening{event: e}
	n.coming, n.after[h] = append(n.coming, h), after
	return h
}

// next draws what happens next. It is false when nothing more will.
func (n *node) next() bool {
	if n.ended != nil && n.ended.done && !n.gone {
		n.hangUp(ByUs, "NORMAL_CLEARING")
	}
	if n.patience--; n.patience < 0 && !n.gone && n.now != (time.Time{}) {
		n.hangUp(ByFarEnd, "ORIGINATOR_CANCEL")
	}
	var ready []*happening
	for _, h := range n.coming {
		blocked := h.done
		for _, a := range n.after[h] {
			blocked = blocked || !a.done
		}
		if !blocked {
			ready = append(ready, h)
		}
	}
	if len(ready) == 0 {
		return false
	}
	h := rapid.SampledFrom(ready).Draw(n.t, "happens")
	h.done = true
	n.now = started.Add(time.Duration(len(n.after)) * time.Second)
	n.event = h.event
	n.event.At = n.now
	if n.event.Kind == LegCreated {
		n.created[n.event.Leg] = true
	}
	return true
}

func (n *node) obey(c Command) {
	if n.gone && c.Kind != WriteCDR && c.Kind != HangUp && c.Kind != FindContacts && c.Kind != CountCalls && c.Kind != FindCall && c.Kind != Fetch && !ofMessages(c.Kind) {
		if rapid.Bool().Draw(n.t, "refused") { // or the answer is lost with the leg
			n.will(Event{Kind: Refused, Leg: c.Leg, Command: c.N, Cause: "invalid session id"})
		}
		return
	}
	answer := Event{Leg: c.Leg, Command: c.N}
	switch c.Kind {
	case Answer:
		answer.Kind = Done
		n.will(answer, n.will(Event{Kind: Answered, Leg: c.Leg}))
	case SignalRinging:
		answer.Kind = Done
		n.will(answer)
	case Play:
		answer.Kind, answer.Missing = Played, rapid.Bool().Draw(n.t, "missing")
		n.will(answer)
	case CollectDigits:
		answer.Kind, answer.Outcome = DigitsCollected, rapid.SampledFrom([]DigitsOutcome{DigitsGood, DigitsTimeout, DigitsInvalid}).Draw(n.t, "outcome")
		answer.Digits = string(c.Digits.Allowed[rapid.IntRange(0, len(c.Digits.Allowed)-1).Draw(n.t, "digit")])
		n.will(answer)
	case FindContacts:
		answer.Kind = ContactsFound
		for _, d := range c.Devices {
			for range rapid.IntRange(0, 2).Draw(n.t, "contacts") {
				answer.Contacts = append(answer.Contacts, Contact{Device: d, URI: "sip:" + d})
			}
		}
		n.will(answer)
	case CountCalls:
		answer.Kind = CallsCounted
		answer.Counts = &Counts{Tenant: Count{Calls: rapid.IntRange(0, 3).Draw(n.t, "calls out")}}
		n.will(answer)
	case Ring:
		n.ring(c, answer)
	case HangUp:
		if c.Leg != callerLeg {
			return // who listens goes by himself
		}
		if !n.gone {
			n.hangUp(ByUs, c.Cause)
		}
	case SetTimer:
		answer.Kind = TimerFired
		n.will(answer)
	case Announce: // it ends with the caller's leg, or with the timer
	case Invite:
		n.invited(c)
	case Fetch:
		answer.Kind, answer.Reply = Fetched, anyReply(n.t)
		n.will(answer)
	case Record:
		answer.Kind, answer.LengthMS = Recorded, rapid.SampledFrom([]int{0, 1500, 30_000}).Draw(n.t, "length")
		answer.Ended = rapid.SampledFrom([]RecordingEnd{EndedByKey, EndedBySilence, EndedByLimit, NotRecorded}).Draw(n.t, "ended")
		n.will(answer)
	case StartRecording, StopRecording, FileRecording, MarkMessage, Speak:
		answer.Kind, answer.Away = Done, rapid.Bool().Draw(n.t, "away")
		n.will(answer)
	case SaveSetting:
		answer.Kind, answer.Away, answer.Cause = Saved, rapid.IntRange(0, 3).Draw(n.t, "away") == 0, rapid.SampledFrom([]string{"", "", "refused"}).Draw(n.t, "refusal")
		n.will(answer)
	case FindMessages:
		answer.Kind, answer.Away = MessagesFound, rapid.IntRange(0, 4).Draw(n.t, "away") == 0
		for i := range rapid.IntRange(0, 3).Draw(n.t, "messages") {
			answer.Messages = append(answer.Messages, Message{ID: strconv.Itoa(i), Media: "Media:kept/aa/aa.wav", Heard: rapid.Bool().Draw(n.t, "heard")})
		}
		n.will(answer)
	case CheckPIN:
		answer.Kind, answer.PIN = PINChecked, rapid.SampledFrom([]PINOutcome{PINRight, PINWrong, PINLocked, PINNone, PINAway, PINLost}).Draw(n.t, "pin")
		n.will(answer)
	case FindCall:
		answer.Kind = CallFound
		if n.found++; rapid.Bool().Draw(n.t, "found") {
			answer.Found = &Found{Party: Party{Leg: otherLeg(fmt.Sprint(n.found)), Call: otherCall}, Node: "node-1", Local: rapid.Bool().Draw(n.t, "local"), Slot: "701"}
		}
		n.will(answer)
	case Join:
		n.join(c, answer)
	case Eavesdrop:
		answer.Kind = Done
		n.will(answer)
	case StopPlaying:
	case WriteCDR:
	}
}

// ofMessages says whether a command is none for the media node.
func ofMessages(k CommandKind) bool {
	return k == FileRecording || k == FindMessages || k == MarkMessage || k == CheckPIN || k == SaveSetting
}

// join lets the caller talk to another call's leg, or does not; then nobody says so, or the order is refused.
func (n *node) join(c Command, answer Event) {
	switch rapid.SampledFrom([]string{"joined", "joined", "refused", "lost"}).Draw(n.t, "join") {
	case "joined":
		joined := n.will(Event{Kind: Joined, Leg: c.Leg, Other: c.Other})
		n.ended = n.will(Event{Kind: Parted, Leg: c.Leg, Other: c.Other}, joined)
	case "refused":
		answer.Kind, answer.Cause = Refused, "gone"
		n.will(answer)
	case "lost":
	}
}

// invited dials one who is to listen: the leg may never come to be, or answers, and goes.
func (n *node) invited(c Command) {
	if !rapid.Bool().Draw(n.t, "comes to be") {
		return
	}
	if n.created == nil {
		n.created, n.dialled = map[string]bool{}, map[string]*happening{}
	}
	leg := c.Targets[0].Leg
	created := n.will(Event{Kind: LegCreated, Leg: leg})
	answered := n.will(Event{Kind: Answered, Leg: leg}, created)
	n.will(Event{Kind: HungUp, Leg: leg, End: &LegEnd{Cause: "NORMAL_CLEARING", By: ByFarEnd, CreatedAt: started}}, answered)
}

// ring dials: each leg may never come to be, fail, ring out, or be the one that answers.
func (n *node) ring(c Command, answer Event) {
	if n.created == nil {
		n.created, n.dialled = map[string]bool{}, map[string]*happening{}
	}
	winner := rapid.IntRange(-1, len(c.Targets)-1).Draw(n.t, "winner")
	var before []*happening
	answer.Kind, answer.Cause = RingEnded, rapid.SampledFrom([]string{"USER_BUSY", "ALLOTTED_TIMEOUT", "NORMAL_TEMPORARY_FAILURE", "PROGRESS_TIMEOUT"}).Draw(n.t, "cause")
	for i, target := range c.Targets {
		if i != winner && rapid.IntRange(0, 4).Draw(n.t, "dialled") == 0 {
			continue
		}
		created := n.will(Event{Kind: LegCreated, Leg: target.Leg})
		last := n.will(Event{Kind: Rang, Leg: target.Leg}, created)
		before, n.dialled[target.Leg] = append(before, created), last
		if i != winner {
			continue
		}
		answered := n.will(Event{Kind: Answered, Leg: target.Leg}, last)
		bridged := n.will(Event{Kind: Bridged, Leg: target.Leg}, answered)
		n.dialled[target.Leg], answer.Cause = answered, "SUCCESS"
		before = append(before, n.will(Event{Kind: Unbridged, Leg: callerLeg}, bridged))
	}
	for leg := range n.dialled {
		n.end(leg, "LOSE_RACE")
	}
	n.ringing = n.will(answer, before...)
}

// end books the end of a dialled leg, once.
func (n *node) end(leg, cause string) {
	if last := n.dialled[leg]; last != nil {
		delete(n.dialled, leg)
		n.will(Event{Kind: HungUp, Leg: leg, End: &LegEnd{Cause: cause, By: ByUs, CreatedAt: started}}, last)
	}
}

// hangUp ends the caller's leg. What the node would have told of it is not told any more, dialled legs go their way, and
// those that are on their way are there before the leg is gone.
func (n *node) hangUp(by EndedBy, cause string) {
	n.gone = true
	var first []*happening
	for _, h := range n.coming {
		switch {
		case h.done || h.event.Kind == ContactsFound || h.event.Kind == CallFound || h.event.Kind == CallsCounted || h.event.Kind == Refused || h.event.Kind == MessagesFound || h.event.Kind == PINChecked:
		case h.event.Kind == Recorded: // the node tells of the file before it tells of the leg
			h.event.Ended = EndedByHangUp
			first = append(first, h)
		case h.event.Leg == callerLeg || h.event.Kind == Bridged:
			h.done = true
		case h.event.Kind == LegCreated:
			first = append(first, h)
		}
	}
	n.will(Event{Kind: HungUp, Leg: callerLeg, End: &LegEnd{Cause: cause, By: by, CreatedAt: started}}, first...)
}
