package callflows

import (
	"slices"
	"testing"

	"tandem/tenants"
)

// underway plays the prompt of a flow's only element, main, under version 7.
func underway(t *testing.T) (State, Event) {
	t.Helper()
	config := demo(t, tenants.Flow{ID: "main", Name: "Main", Start: "main", Elements: map[string]tenants.Element{
		"main": {Type: "play", Settings: []byte(`{"prompt":"hello"}`)}}})
	c := call("main")
	out := Step(config, State{}, Event{Kind: Parked, Leg: callerLeg, At: started, Call: &c})
	out = Step(config, out.State, Event{Kind: Done, Leg: callerLeg, At: started, Command: 1})
	if out.State.Stage != "playing" || out.State.DrivenBy() != 7 || out.State.Version != 0 {
		t.Fatalf("it is %+v", out.State)
	}
	return out.State, Event{Kind: Played, Leg: callerLeg, At: started, Command: out.State.Awaited}
}

// other is the configuration under version 8, whose flow main has this element.
func other(t *testing.T, key, kind, settings string) Config {
	t.Helper()
	config := demo(t, tenants.Flow{ID: "main", Name: "Main", Start: key, Elements: map[string]tenants.Element{key: {Type: kind, Settings: []byte(settings)}}})
	config.Tenant = config.Tenant.As(8)
	return config
}

func codes(out Outcome) (all []string) {
	for _, r := range out.Because {
		all = append(all, r.Code)
	}
	return all
}

// A call whose version could not be had goes on, says so once, and neither ends in silence nor orders two things at once.
func TestACallGoesOnUnderAnotherVersion(t *testing.T) {
	for name, c := range map[string]struct {
		config Config
		said   []string
		phase  Phase
	}{
		"the same element":      {other(t, "main", "play", `{"prompt":"bye"}`), []string{"version_missing", "exit_leads_nowhere"}, Ending},
		"another element":       {other(t, "main", "sleep", `{"seconds":3}`), []string{"version_missing", "element_anew", "sleeping"}, Running},
		"an element of another": {other(t, "new", "play", `{"prompt":"new"}`), []string{"version_missing", "flow_anew", "playing"}, Running},
		"no flow at all":        {Config{Tenant: (&tenants.Tenant{ID: "demo"}).As(8)}, []string{"version_missing", "flow_missing"}, Ending},
	} {
		t.Run(name, func(t *testing.T) {
			state, played := underway(t)
			early := Step(c.config, state, Event{Kind: Rang, Leg: "x", At: started})
			if len(early.Commands) != 0 || early.State.Version != 8 {
				t.Fatalf("while the prompt plays: %v, version %d", early.Commands, early.State.Version)
			}
			out := Step(c.config, early.State, played)
			if said := append(codes(early), codes(out)...); !slices.Equal(said, c.said) || out.State.Phase != c.phase || out.State.DrivenBy() != 8 || len(out.Commands) != 1 {
				t.Errorf("it says %v, orders %d and is %s under %d", said, len(out.Commands), out.State.Phase, out.State.DrivenBy())
			}
		})
	}
}

func TestThePlatformsOwnFlowsAreUnderNoVersion(t *testing.T) {
	config := demo(t)
	for _, flow := range []string{EmergencyFlow, OutboundFlow} {
		c := call(flow)
		c.Dialled, c.Version = map[string]string{EmergencyFlow: "112", OutboundFlow: "+12025550100"}[flow], 3
		out := Step(config, State{}, Event{Kind: Parked, Leg: callerLeg, At: started, Call: &c})
		if out.State.Version != 0 || slices.Contains(codes(out), "version_missing") {
			t.Errorf("%s: version %d, %v", flow, out.State.Version, codes(out))
		}
	}
}

// A call out that is transferred into a flow of its tenant's keeps to the version of that moment, whatever is published later.
func TestATransferredCallOutKeepsToTheVersionThatItWasLedBy(t *testing.T) {
	snapshot := func(revision, version int64, element tenants.Element) *tenants.Snapshot {
		data := tenants.Data{Revision: revision, Tenants: []tenants.Tenant{{ID: "demo", Name: "Demo", Domain: "demo.example", TimeZone: "UTC",
			Published: tenants.Published{Version: version, Routes: []tenants.Route{{Dialled: "200", FlowID: "main"}},
				Flows: []tenants.Flow{{ID: "main", Name: "Main", Start: "main", Elements: map[string]tenants.Element{"main": element}}}}}}}
		s, faults := tenants.NewSnapshot(data, ParseSettings)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		return s
	}
	before := snapshot(1, 7, tenants.Element{Type: "play", Settings: []byte(`{"prompt":"hello","early":true}`)})
	after := snapshot(2, 8, tenants.Element{Type: "sleep", Settings: []byte(`{"seconds":3}`)})
	c := call(OutboundFlow)
	config, _ := Pinned(before, State{Call: c})
	state := State{Call: c, Phase: Running, FlowID: OutboundFlow, Stage: stageMoving, Legs: []Leg{{ID: callerLeg, Created: true}},
		Transfer: Transfer{Leg: callerLeg, Target: "200", By: "Eve"}}
	out := Step(config, state, Event{Kind: Transferred, Leg: callerLeg, At: started, Moved: "1:order"})
	if out.State.Stage != "playing" || !out.State.Versioned() || out.State.DrivenBy() != 7 {
		t.Fatalf("it is %+v, says %v", out.State, codes(out))
	}
	if _, held := Pinned(after, out.State); held {
		t.Error("what was published since changes its flow")
	}
	if kept, held := Pinned(before, out.State); !held || kept.Tenant.Published.Version != 7 {
		t.Error("its version is not found")
	}
}

func TestAVersionThatIsNotKnownIsSaid(t *testing.T) {
	config := demo(t, tenants.Flow{ID: "main", Name: "Main", Start: "a", Elements: map[string]tenants.Element{"a": {Type: "sleep"}}})
	c := call("main")
	c.Version = 0
	if out := Step(config, State{}, Event{Kind: Parked, Leg: callerLeg, At: started, Call: &c}); out.State.DrivenBy() != 7 || codes(out)[0] != "version_unknown" {
		t.Errorf("version %d, %v", out.State.DrivenBy(), codes(out))
	}
}

// transferredIn is a call out that somebody has ordered to the number 300, whose only element, main, plays a prompt under version 7.
func transferredIn(t *testing.T) (State, Event) {
	t.Helper()
	config := demo(t, tenants.Flow{ID: "300", Name: "300", Start: "main", Elements: map[string]tenants.Element{"main": {Type: "play", Settings: []byte(`{"prompt":"hello"}`)}}})
	c := call(OutboundFlow)
	c.Dialled, c.Version = "+12025550100", 3
	state := Step(config, State{}, Event{Kind: Parked, Leg: callerLeg, At: started, Call: &c}).State
	state = Step(config, state, Event{Kind: TransferOrdered, By: "api", Target: "300", Leg: callerLeg, At: started}).State
	state = Step(config, state, Event{Kind: Transferred, Moved: "m1", Leg: callerLeg, At: started}).State
	if state.Stage != "answering" {
		t.Fatalf("it is %+v", state)
	}
	state = Step(config, state, Event{Kind: Done, Leg: callerLeg, At: started, Command: state.Awaited}).State
	return state, Event{Kind: Played, Leg: callerLeg, At: started, Command: state.Awaited}
}

// A call that began with a flow of the platform's is under a version from the transfer on that leads it to one of its tenant's.
func TestATransferLeadsToAVersion(t *testing.T) {
	state, played := transferredIn(t)
	if state.Stage != "playing" || !state.Versioned() || state.DrivenBy() != 7 || state.Call.Versioned() {
		t.Fatalf("it is under version %d, %+v", state.DrivenBy(), state)
	}
	flow := func(key, kind, settings string) Config {
		config := demo(t, tenants.Flow{ID: "300", Name: "300", Start: key, Elements: map[string]tenants.Element{key: {Type: kind, Settings: []byte(settings)}}})
		config.Tenant = config.Tenant.As(8)
		return config
	}
	for name, c := range map[string]struct {
		config Config
		said   []string
	}{
		"another element":       {flow("main", "sleep", `{"seconds":3}`), []string{"version_missing", "element_anew", "sleeping"}},
		"an element of another": {flow("new", "play", `{"prompt":"new"}`), []string{"version_missing", "transfer_leads", "playing"}},
	} {
		t.Run(name, func(t *testing.T) {
			if out := Step(c.config, state, played); !slices.Equal(codes(out), c.said) || len(out.Commands) != 1 || out.State.DrivenBy() != 8 {
				t.Errorf("it says %v, orders %d and is under %d", codes(out), len(out.Commands), out.State.DrivenBy())
			}
		})
	}
}

// A page goes on under another version, whatever that has in its place: nothing is ordered beside it, and it ends as it would have.
func TestAPageGoesOnUnderAnotherVersion(t *testing.T) {
	config := demo(t, tenants.Flow{ID: "main", Name: "Main", Start: "main", Elements: map[string]tenants.Element{
		"main": {Type: "page", Settings: []byte(`{"devices":["anna-desk"],"seconds":30}`)}}})
	c := call("main")
	state := Step(config, State{}, Event{Kind: Parked, Leg: callerLeg, At: started, Call: &c}).State
	state = Step(config, state, Event{Kind: Done, Leg: callerLeg, At: started, Command: state.Awaited}).State
	state = Step(config, state, Event{Kind: ContactsFound, Leg: callerLeg, At: started, Command: state.Awaited,
		Contacts: []Contact{{Device: "anna-desk", URI: "sip:anna-desk@192.0.2.44", Edge: "sip:192.0.2.1:5070"}}}).State
	listener := state.Legs[1].ID
	state = Step(config, state, Event{Kind: LegCreated, Leg: listener, At: started}).State
	if !state.Paging() {
		t.Fatalf("it is %+v", state)
	}
	for name, config := range map[string]Config{
		"another element": other(t, "main", "play", `{"prompt":"bye"}`),
		"no element":      other(t, "new", "play", `{"prompt":"bye"}`),
	} {
		t.Run(name, func(t *testing.T) {
			out := Step(config, state, Event{Kind: Resumed, Leg: callerLeg, At: started})
			if !slices.Equal(codes(out), []string{"version_missing", "page_lasts"}) || len(out.Commands) != 1 || out.Commands[0].Kind != SetTimer || !out.State.Paging() {
				t.Fatalf("taken up, it says %v and orders %v", codes(out), out.Commands)
			}
			limit := Step(config, out.State, Event{Kind: TimerFired, Leg: callerLeg, At: started, Command: out.Commands[0].N})
			if !slices.Equal(codes(limit), []string{"page_too_long"}) {
				t.Errorf("at its limit it says %v", codes(limit))
			}
			left := Step(config, out.State, Event{Kind: HungUp, Leg: listener, At: started.Add(autoAnswerWait), End: &LegEnd{Cause: "NORMAL_CLEARING", CreatedAt: started}})
			if said := codes(left); !slices.Contains(said, "page_unheard") {
				t.Errorf("unheard, it says %v", said)
			}
		})
	}
}
