package callflows

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tandem/messages"
	"tandem/tenants"
)

func el(kind, settings string, exits ...string) tenants.Element {
	e := tenants.Element{Type: kind, Settings: json.RawMessage(settings), Exits: map[string]string{}}
	for _, x := range exits {
		name, next, _ := strings.Cut(x, "->")
		e.Exits[name] = next
	}
	return e
}

func flowOf(elements map[string]tenants.Element) tenants.Flow {
	return tenants.Flow{ID: "main", Name: "Main", Start: "start", Elements: elements}
}

// story steps through events with every guarantee held against each step.
type story struct {
	t     testing.TB
	w     *watcher
	state State
}

func tell(t testing.TB, config Config) *story { return &story{t: t, w: newWatcher(config)} }

func (s *story) event(e Event) Outcome {
	s.t.Helper()
	if e.At.IsZero() {
		e.At = started.Add(time.Second)
	}
	out, err := s.w.step(s.state, e)
	if err != nil {
		s.t.Fatal(err)
	}
	s.state = out.State
	return out
}

func (s *story) parked() Outcome {
	c := call("main")
	return s.event(Event{Kind: Parked, Leg: callerLeg, Call: &c})
}

func said(out Outcome, code string) int {
	n := 0
	for _, r := range out.Because {
		if r.Code == code {
			n++
		}
	}
	return n
}

func TestAFlowInACircleEndsByMaxElements(t *testing.T) {
	s := tell(t, demo(t, flowOf(map[string]tenants.Element{
		"start": el("hours", `{"schedule":"office"}`, "open->back", "closed->back"),
		"back":  el("hours", `{"schedule":"office"}`, "open->start", "closed->start")})))
	out := s.parked()
	if out.State.Phase != Ending || said(out, "too_many_elements") != 1 || said(out, "hours_open") != MaxElements {
		t.Errorf("the call is %s after %d elements", out.State.Phase, said(out, "hours_open"))
	}
	if out.State.Fault != messages.FaultTenant {
		t.Errorf("the fault is %q's", out.State.Fault)
	}
}

func TestACircleWithTheCallersDoingEndsToo(t *testing.T) {
	s := tell(t, demo(t, flowOf(map[string]tenants.Element{"start": el("play", `{"prompt":"a","early":true}`, "next->start")})))
	out := s.parked()
	for range MaxElements + 5 {
		out = s.event(Event{Kind: Played, Leg: callerLeg, Command: out.State.Awaited})
		if out.State.Phase == Ending {
			if out.State.Commands != MaxElements+1 || said(out, "too_many_elements") != 1 {
				t.Errorf("it ended after %d commands: %v", out.State.Commands, out.Because)
			}
			return
		}
	}
	t.Error("it goes on")
}

func contacts(device string, n int) []Contact {
	var all []Contact
	for i := range n {
		all = append(all, Contact{Device: device, URI: fmt.Sprintf("sip:%s-%d@192.0.2.44", device, i)})
	}
	return all
}

func TestARingDialsMaxTargetsAtMost(t *testing.T) {
	s := tell(t, demo(t, flowOf(map[string]tenants.Element{"start": el("ring", `{"devices":["lobby","ben-desk"]}`)})))
	s.parked()
	out := s.event(Event{Kind: ContactsFound, Command: 1, Contacts: append(contacts("ben-desk", 1), contacts("lobby", MaxTargets+5)...)})
	if n := len(out.Commands[0].Targets); n != MaxTargets || said(out, "too_many_targets") != 1 || said(out, "ringing") != MaxTargets {
		t.Errorf("%d targets, and %v", n, out.Because)
	}
	if said(out, "device_not_registered") != 0 {
		t.Error("a device whose contact was one too many is called not registered")
	}
}

func TestACallHasMaxLegsAtMost(t *testing.T) {
	s := tell(t, demo(t, flowOf(map[string]tenants.Element{
		"start": el("ring", `{"devices":["lobby"]}`, "no_answer->start", "busy->start", "unavailable->start", "failed->start")})))
	out := s.parked()
	for range MaxLegs {
		found := s.event(Event{Kind: ContactsFound, Command: out.State.Awaited, Contacts: contacts("lobby", MaxTargets)})
		if found.State.Phase == Ending {
			if said(found, "too_many_legs") != 1 || said(found, "ringing") != 0 || len(found.State.Legs) > MaxLegs {
				t.Errorf("%d legs, and %v", len(found.State.Legs), found.Because)
			}
			break
		}
		out = s.event(Event{Kind: RingEnded, Command: found.State.Awaited, Cause: "NO_ANSWER"})
	}
	if s.state.Phase != Ending {
		t.Fatalf("it goes on with %d legs", len(s.state.Legs))
	}
	for i := range MaxLegs { // legs of the node's own making
		s.event(Event{Kind: LegCreated, Leg: fmt.Sprintf("own-%d", i)})
	}
	if len(s.state.Legs) > MaxLegs {
		t.Errorf("%d legs", len(s.state.Legs))
	}
}

// A worker that takes over with a configuration that lacks the flow does not cut people off.
func TestWhoTalksIsNotCutOffWhenTheFlowIsGone(t *testing.T) {
	s := tell(t, demo(t, flowOf(map[string]tenants.Element{"start": el("ring", `{"devices":["lobby"]}`)})))
	s.parked()
	ring := s.event(Event{Kind: ContactsFound, Command: 1, Contacts: contacts("lobby", 1)}).Commands[0]
	leg := ring.Targets[0].Leg
	s.event(Event{Kind: Answered, Leg: leg})
	s.event(Event{Kind: Bridged, Leg: leg})
	s.w.config = Config{}
	if out := s.event(Event{Kind: Answered, Leg: callerLeg}); out.State.Phase != Talking || len(out.Commands) != 0 {
		t.Errorf("the call is %s: %v", out.State.Phase, out.Because)
	}
	s.event(Event{Kind: HungUp, Leg: leg, End: &LegEnd{Cause: "NORMAL_CLEARING", By: ByFarEnd}})
	if out := s.event(Event{Kind: RingEnded, Command: ring.N, Cause: "SUCCESS"}); out.State.Phase != Ending || said(out, "callee_hung_up") != 1 {
		t.Errorf("the call is %s: %v", out.State.Phase, out.Because)
	}
}

func TestWhoWaitsIsHungUpWhenTheFlowIsGone(t *testing.T) {
	s := tell(t, demo(t, flowOf(map[string]tenants.Element{"start": el("answer", ``)})))
	s.parked()
	s.w.config = Config{}
	if out := s.event(Event{Kind: Done, Command: 1, Leg: callerLeg}); out.State.Phase != Ending || said(out, "element_missing") != 1 {
		t.Errorf("the call is %s: %v", out.State.Phase, out.Because)
	}
}

// A node may dial under another uuid than it was told (it gives a random one to a uuid that is taken).
func TestALegThatNoCommandNamedMayTalkAndHasItsRecord(t *testing.T) {
	s := tell(t, demo(t, flowOf(map[string]tenants.Element{"start": el("ring", `{"devices":["lobby"]}`)})))
	s.parked()
	s.event(Event{Kind: ContactsFound, Command: 1, Contacts: contacts("lobby", 1)})
	const own = "11111111-2222-4333-8444-555555555555"
	s.event(Event{Kind: LegCreated, Leg: own})
	if out := s.event(Event{Kind: Bridged, Leg: own}); out.State.Phase != Talking {
		t.Errorf("the call is %s", out.State.Phase)
	}
	if out := s.event(Event{Kind: HungUp, Leg: own, End: &LegEnd{Cause: "NORMAL_CLEARING", By: ByFarEnd}}); len(out.Commands) != 1 {
		t.Errorf("its record is %v", out.Commands)
	}
}

func TestARecordKeepsItsBoundsWhateverPhonesWrote(t *testing.T) {
	long := strings.Repeat("é", 3000)
	c := call("main")
	c.Caller = Caller{Number: long, Name: long}
	c.Dialled, c.SIPCallID = long, long
	s := tell(t, demo(t, flowOf(map[string]tenants.Element{"start": el("hangup", ``)})))
	s.event(Event{Kind: Parked, Leg: callerLeg, Call: &c})
	s.event(Event{Kind: LegCreated, Leg: "b"})
	end := LegEnd{By: ByFarEnd, From: long, FromName: "\xff" + long, To: long, SIPCallID: long, CreatedAt: started.Add(time.Hour)}
	for _, leg := range []string{"b", callerLeg} { // story.event fails when a record would be refused
		if out := s.event(Event{Kind: HungUp, Leg: leg, End: &end}); len(out.Commands) != 1 {
			t.Errorf("leg %s has %d records", leg, len(out.Commands))
		}
	}
}

func TestStepCountsNothingFromAnotherCall(t *testing.T) {
	s := tell(t, demo(t, flowOf(map[string]tenants.Element{"start": el("answer", ``)})))
	s.parked()
	other := call("main")
	other.ID, other.Leg = "another", "another-leg"
	if out := s.event(Event{Kind: Parked, Leg: "another-leg", Call: &other}); out.State.Call.ID == "another" || len(out.State.Legs) != 1 {
		t.Errorf("it became %s", text(out.State))
	}
}

// A call that a worker has adopted from its channel has not been through begin, and its mark has no time of an answer.
func TestTheRecordsOfAnAdoptedCallKeepTheirBounds(t *testing.T) {
	c := call("main")
	c.SIPCallID, c.Dialled, c.Caller.Number = strings.Repeat("x", 4000), strings.Repeat("2", 4000), strings.Repeat("1", 4000)
	state := State{Call: c, Phase: Talking, FlowID: "main", Element: "start", Entered: 1, Commands: 2, Awaited: 2, Stage: stageRinging, Answered: true,
		Legs: []Leg{{ID: callerLeg, Role: messages.RoleCaller, Created: true, Answered: true},
			{ID: "b", Role: messages.RoleCallee, Created: true, Answered: true, Bridged: true}}}
	config := demo(t, flowOf(map[string]tenants.Element{"start": el("ring", `{"devices":["lobby"]}`)}))
	for _, leg := range []string{"b", callerLeg} {
		ended := started.Add(time.Minute)
		out := Step(config, state, Event{Kind: HungUp, At: ended, Leg: leg, End: &LegEnd{Cause: "NORMAL_UNSPECIFIED", By: ByUs, CreatedAt: started, Estimated: true}})
		state = out.State
		r := out.Commands[0].CDR
		if err := r.Validate(); err != nil {
			t.Errorf("the ledger refuses the record of %s: %v", leg, err)
		}
		if r.AnsweredAt == nil || !r.AnsweredAt.Equal(ended) {
			t.Errorf("%s was answered at %v; nobody knows when, so its talk has no length", leg, r.AnsweredAt)
		}
	}
}

func TestAnAnswerLiesBetweenStartAndEnd(t *testing.T) {
	before, end, after := started.Add(-time.Second), started.Add(time.Minute), started.Add(time.Hour)
	for _, c := range []struct{ told, kept time.Time }{{before, started}, {started, started}, {end, end}, {after, end}, {time.Time{}, end}} {
		if got := within(&c.told, started, end); !got.Equal(c.kept) {
			t.Errorf("an answer at %v is kept as %v", c.told, got)
		}
	}
	if within(nil, started, end) != nil {
		t.Error("a leg that was not answered is")
	}
}

// A worker that takes over does not know whether the hang-up was carried out.
func TestAHangUpThatIsOrderedAgainIsExplained(t *testing.T) {
	s := tell(t, demo(t, flowOf(map[string]tenants.Element{"start": el("hangup", ``)})))
	ending := s.parked().State
	if out := Step(s.w.config, ending, Event{Kind: Resumed, At: started, Leg: callerLeg}); said(out, "hung_up_again") != 1 || out.Commands[0].Kind != HangUp {
		t.Errorf("it says %v and orders %v", out.Because, out.Commands)
	}
}

func BenchmarkStep(b *testing.B) {
	config := demo(b, flowOf(map[string]tenants.Element{
		"start": el("hours", `{"schedule":"office"}`, "open->ask"),
		"ask":   el("menu", `{"prompt":"a"}`, "1->ring"),
		"ring":  el("ring", `{"users":["anna"]}`)}))
	c := call("main")
	end := &LegEnd{Cause: "NORMAL_CLEARING", By: ByFarEnd}
	first, second := legID(c, 4, 0), legID(c, 4, 1)
	events := []Event{{Kind: Parked, Leg: callerLeg, Call: &c}, {Kind: Answered, Leg: callerLeg}, {Kind: Done, Command: 1},
		{Kind: DigitsCollected, Command: 2, Outcome: DigitsGood, Digits: "1"},
		{Kind: ContactsFound, Command: 3, Contacts: append(contacts("anna-desk", 1), contacts("anna-mobile", 1)...)},
		{Kind: LegCreated, Leg: first}, {Kind: LegCreated, Leg: second}, {Kind: Rang, Leg: first}, {Kind: Answered, Leg: second},
		{Kind: Bridged, Leg: second}, {Kind: HungUp, Leg: first, End: end}, {Kind: HungUp, Leg: second, End: end}, {Kind: Unbridged},
		{Kind: RingEnded, Command: 4, Cause: "SUCCESS"}, {Kind: HungUp, Leg: callerLeg, End: end}}
	b.ReportAllocs()
	steps := 0
	for b.Loop() {
		state := State{}
		for _, e := range events {
			e.At = started
			state = Step(config, state, e).State
			steps++
		}
		if state.Phase != Ended {
			b.Fatalf("the call is %s", state.Phase)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/step")
}

// A flow that was published by an older release may break a rule of this one.
func TestAMenuWithoutChoicesLeavesByTimeoutAndAnAnswerThatNothingFollowsEnds(t *testing.T) {
	s := tell(t, demo(t, flowOf(map[string]tenants.Element{"start": el("menu", `{"prompt":"a"}`, "timeout->ask"), "ask": el("answer", ``)})))
	if out := s.parked(); said(out, "menu_without_choices") != 1 || out.State.Element != "ask" {
		t.Errorf("the call is at %s: %v", out.State.Element, out.Because)
	}
	if out := s.event(Event{Kind: Done, Command: 1, Leg: callerLeg}); said(out, "exit_leads_nowhere") != 1 || out.State.Cause != "NORMAL_CLEARING" {
		t.Errorf("the call is %s: %v", out.State.Phase, out.Because)
	}
}
