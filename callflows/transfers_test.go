package callflows

import (
	"testing"
	"time"

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
