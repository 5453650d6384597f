package callflows

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tandem/because"
	"tandem/tenants"
)

// A worker of this release goes on with a call that one of the last release began.
func TestAStateOfTheLastReleaseIsCarriedOn(t *testing.T) {
	const old = `{"call":{"id":"c","tenant":"demo","version":7,"leg":"8adcdf28-8955-4dff-af12-e253ea68375b","node":"n","edge":"e","flow_id":"main",
		"caller":{"device":"lobby","number":"lobby"},"dialled":"200","sip_call_id":"s","started_at":"2026-03-02T09:00:00Z"},"phase":"running","flow_id":"main",
		"element":"start","entered":1,"answered":true,"commands":2,"awaited":2,"stage":"playing","legs":[{"id":"8adcdf28-8955-4dff-af12-e253ea68375b","role":"caller","created":true}]}`
	config := demo(t, flowOf(map[string]tenants.Element{"start": el("play", `{"prompt":"a"}`, "next->set"),
		"set": el("set", `{"variables":[{"name":"a","value":"1"}]}`, "next->say"), "say": el("play", `{"prompt":"b"}`)}))
	var state State
	if err := json.Unmarshal([]byte(old), &state); err != nil {
		t.Fatal(err)
	}
	out := Step(config, state, Event{Kind: Played, Command: 2, At: started, Leg: callerLeg})
	if out.State.Element != "say" || out.State.Variables["a"] != "1" || state.Variables != nil {
		t.Errorf("the call is at %s with %v", out.State.Element, out.State.Variables)
	}
	if body := text(state); strings.Contains(body, "variables") || strings.Contains(body, "caller_id") || strings.Contains(body, "language") {
		t.Errorf("what is not set is written: %s", body)
	}
}

func TestAVariableNeverGrowsPastItsBoundAndTemplatesAreNotReadTwice(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := &step{state: &State{Call: call("main")}}
		s.state.Call.Caller.Name = rapid.OneOf(rapid.String(), rapid.Just("{var.a}{var.a}"), rapid.Just(strings.Repeat("é", 400))).Draw(rt, "name")
		for range rapid.IntRange(1, 40).Draw(rt, "sets") {
			name := rapid.StringMatching(`[a-f][0-9]?`).Draw(rt, "variable")
			value := s.expand(rapid.SampledFrom([]string{"{caller.name}{caller.name}", "{var.a}{var.a}x", "{var." + name + "}y", ""}).Draw(rt, "template"))
			before := len(s.state.Variables)
			if !s.keep(name, value) && before < MaxVariables {
				rt.Fatalf("there is room for %s beside %d", name, before)
			}
			if len(s.state.Variables) > MaxVariables {
				rt.Fatalf("%d variables", len(s.state.Variables))
			}
			for _, v := range s.state.Variables {
				if len(v) > MaxVariableBytes || v == "" {
					rt.Fatalf("a value of %d bytes", len(v))
				}
			}
		}
	})
	s := &step{state: &State{Call: call("main"), Variables: map[string]string{"a": "secret"}}}
	s.state.Call.Caller.Name = "{var.a}"
	if got := s.expand("<{caller.name}>"); got != "<{var.a}>" {
		t.Errorf("a phone's words were read as a template: %s", got)
	}
}

// Whatever a flow does with keyed digits, they are in no reason that set, collect or branch gives.
func TestKeyedDigitsAreInNoReason(t *testing.T) {
	const pin = "739184"
	s := tell(t, demo(t, flowOf(map[string]tenants.Element{
		"start": el("collect", `{"prompt":"a","variable":"pin"}`, "ok->set"),
		"set":   el("set", `{"variables":[{"name":"copy","value":"{var.pin}"}]}`, "next->ask"),
		"ask": el("branch", `{"cases":[{"exit":"no","variables":[{"name":"pin","begins_with":["8"]}]},{"exit":"no","variables":[{"name":"pin","not":true}]},
			{"exit":"yes","variables":[{"name":"pin","equals":["`+pin+`"]},{"name":"copy","matches":"`+pin+`"}]}]}`, "yes->bye"),
		"bye": el("hangup", ``)})))
	s.parked()
	s.event(Event{Kind: Done, Command: 1, Leg: callerLeg})
	out := s.event(Event{Kind: DigitsCollected, Command: 2, Outcome: DigitsGood, Digits: pin, Leg: callerLeg})
	if said(out, "branch_matched") != 1 {
		t.Fatalf("the case did not match: %v", out.Because)
	}
	if body := string(because.AppendReasons(nil, out.Because)); strings.Contains(body, pin) {
		t.Error(body)
	}
}

func BenchmarkParseSettings(b *testing.B) {
	settings := json.RawMessage(`{"users":["u"],"strategy":"at_once","seconds":25}`) // the flow that publishing implies for each user
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseSettings("ring", settings); err != nil {
			b.Fatal(err)
		}
	}
}

func TestWhatFollowsAPrefixIsAValue(t *testing.T) {
	config := demo(t, flowOf(map[string]tenants.Element{"start": el("play", `{"prompt":"a"}`)}))
	for _, c := range []struct{ dialled, want string }{{"*21030123", "<030123>"}, {"*21", "<>"}, {"*2199", "<>"}, {"200", "<>"}} {
		data := tenants.Data{Tenants: []tenants.Tenant{*config.Tenant}}
		data.Tenants[0].Published.Routes = []tenants.Route{{Dialled: "*21", Prefix: true, FlowID: "main"}, {Dialled: "*2199", FlowID: "main"}}
		snapshot, _ := tenants.NewSnapshot(data, ParseSettings)
		s := &step{state: &State{Call: call("main")}, config: Config{Tenant: snapshot.Tenant("demo")}}
		s.state.Call.Dialled = c.dialled
		if got := s.expand("<{dialled.rest}>"); got != c.want {
			t.Errorf("%s gives %s, want %s", c.dialled, got, c.want)
		}
	}
}
