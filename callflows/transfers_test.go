package callflows

import (
	"slices"
	"testing"
	"time"

	"tandem/messages"
	"tandem/tenants"
)

// A leg that was moved twice is told of the first move once more: what came of the second goes on.
func TestAMoveThatIsToldAgainAfterAnotherChangesNothing(t *testing.T) {
	config := demo(t, tenants.Flow{ID: "main", Name: "Main", Start: "main", Elements: map[string]tenants.Element{
		"main": {Type: "play", Settings: []byte(`{"prompt":"hello","early":true}`)}}})
	for name, target := range map[string]string{"by order": "", "by a phone": "?"} {
		t.Run(name, func(t *testing.T) {
			first := Event{Kind: Transferred, Leg: callerLeg, At: started, Moved: "1:order", Target: target}
			second := Event{Kind: Transferred, Leg: callerLeg, At: started.Add(time.Second), Moved: "2:order"}
			state := State{Call: call("main"), Phase: Running, FlowID: "main", Element: "main", Stage: "playing", Legs: []Leg{{ID: callerLeg, Created: true}},
				Transfer: Transfer{Times: 1, Source: "1:order", Parked: true, Target: "200"}}
			out := Step(config, state, second)
			if out.State.Stage != "playing" || out.State.Awaited == 0 {
				t.Fatalf("the second move: %+v", out.State)
			}
			if again := Step(config, out.State, first); len(again.Commands) != 0 || again.State.Awaited != out.State.Awaited || again.State.Phase != Running {
				t.Errorf("the first, told again, orders %v and says %v", again.Commands, codes(again))
			}
		})
	}
}

// A transfer that was ordered while what the call waited for was broken off after a gap, and that the node refuses, leaves nobody waiting.
func TestATransferThatIsRefusedDuringAGapLeavesNoSilence(t *testing.T) {
	config := demo(t, tenants.Flow{ID: "300", Name: "300", Start: "main", Elements: map[string]tenants.Element{
		"main": {Type: "play", Settings: []byte(`{"prompt":"hello","early":true}`)}}})
	state := State{Call: call("300"), Phase: Running, FlowID: "300", Element: "main", Stage: "playing", Commands: 1, Answered: true,
		Legs: []Leg{{ID: callerLeg, Created: true}}}
	ordered := Step(config, state, Event{Kind: TransferOrdered, By: "desk", Target: "300", At: started})
	out := Step(config, ordered.State, Event{Kind: Refused, Leg: callerLeg, Command: ordered.State.Awaited, Cause: "no", At: started})
	if !slices.Equal(codes(out), []string{"transfer_not_taken", "begins_anew", "playing"}) || len(out.Commands) != 1 || out.State.Awaited == 0 {
		t.Errorf("it says %v, then %v, and orders %v", codes(ordered), codes(out), out.Commands)
	}
}

// Whoever passes the emergency services on by his phone is rung back by them.
func TestTheEmergencyServicesAreNotPassedOn(t *testing.T) {
	config := demo(t, tenants.Flow{ID: "main", Name: "Main", Start: "main", Elements: map[string]tenants.Element{
		"main": {Type: "play", Settings: []byte(`{"prompt":"hello","early":true}`)}}})
	c := call(EmergencyFlow)
	c.Caller.Device = "desk"
	help := Leg{ID: "8adcdf28-0000-4000-8000-000000000001", Role: messages.RoleCallee, Created: true, Answered: true, Bridged: true}
	state := State{Call: c, Phase: Talking, FlowID: EmergencyFlow, Element: emergencyFlow.Start, Stage: stageRinging, Awaited: 1, Commands: 1, Answered: true,
		Legs: []Leg{{ID: callerLeg, Role: messages.RoleCaller, Device: "desk", Created: true, Answered: true}, help}}
	out := Step(config, state, Event{Kind: Transferred, Leg: help.ID, ByLeg: callerLeg, Target: "200", At: started, Moved: "1:refer"})
	if said := codes(out); !slices.Contains(said, "transfer_of_emergency") || !slices.Contains(said, "transfer_recalls") {
		t.Errorf("it says %v", said)
	}
}
