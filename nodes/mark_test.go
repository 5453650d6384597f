package nodes

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem/callflows"
	"tandem/messages"
)

func ringingState() callflows.State {
	return callflows.State{Call: callflows.Call{ID: callID, Leg: callerLeg}, Phase: callflows.Running, FlowID: "main", Element: "ring", Entered: 3,
		Answered: true, Commands: 7, Awaited: 7, Stage: "ringing", Attempt: 2, Fault: messages.FaultCallee, CallerID: callflows.CallerID{Private: true}, Legs: []callflows.Leg{
			{ID: callerLeg, Role: messages.RoleCaller, Device: "reception-phone", Created: true, Answered: true},
			{ID: callerLeg[:8] + "-0000-8000-8000-000000000001", Role: messages.RoleCallee, Device: "sales-phone", Created: true, Rang: true},
			{ID: callerLeg[:8] + "-0000-8000-8000-000000000002", Role: messages.RoleCallee, Trunk: "carrier", Bridged: true},
		}}
}

// TestMarkCarriesTheState: what a channel carries gives the state back.
func TestMarkCarriesTheState(t *testing.T) {
	want := ringingState()
	got, steps, err := decodeMark(encodeMark(want, 12), want.Call)
	if err != nil || steps != 12 {
		t.Fatalf("steps %d, %v", steps, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestMarkNamesTheVersion: who goes on must not take the call to be under the version that it began with.
func TestMarkNamesTheVersion(t *testing.T) {
	for name, transfer := range map[string]callflows.Transfer{
		"as it began": {},
		"transferred": {Times: 1, Source: "cbf43926", Parked: true, Target: "300"},
	} {
		t.Run(name, func(t *testing.T) {
			want := ringingState()
			want.Version, want.Transfer = 1<<40, transfer
			got, _, err := decodeMark(encodeMark(want, 12), want.Call)
			if err != nil {
				t.Fatal(err)
			}
			got.Transfer.Source = transfer.Source // a hash: restoreTransfer
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMarkIsBounded: a call with many legs leaves out what does not fit, and the rest can be read.
func TestMarkIsBounded(t *testing.T) {
	s := ringingState()
	for i := range 60 {
		s.Legs = append(s.Legs, callflows.Leg{ID: fmt.Sprintf("%s-0000-8000-8000-0000000001%02d", callerLeg[:8], i), Role: messages.RoleCallee, Device: strings.Repeat("d", 60)})
	}
	mark := encodeMark(s, 1)
	if len(mark) > maxMark {
		t.Fatalf("%d bytes, at most %d", len(mark), maxMark)
	}
	got, _, err := decodeMark(mark, s.Call)
	if err != nil || len(got.Legs) < 3 || got.Legs[0].ID != callerLeg || got.Awaited != s.Awaited {
		t.Errorf("%+v %v", got, err)
	}
}

// FuzzDecodeMark: a channel variable is foreign once a phone or another program could write it. Whatever it holds, it is
// read or refused.
func FuzzDecodeMark(f *testing.F) {
	f.Add(encodeMark(ringingState(), 5))
	driven := ringingState()
	driven.Version, driven.Transfer.Times = 9, 1
	f.Add(encodeMark(driven, 5))
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, text string) {
		s, steps, err := decodeMark(text, callflows.Call{Leg: callerLeg})
		if err != nil {
			return
		}
		again, _, err := decodeMark(encodeMark(s, steps), s.Call)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if again.Phase != s.Phase || again.Commands != s.Commands || again.FlowID != s.FlowID || again.Version != s.Version {
			t.Errorf("%+v became %+v", s, again)
		}
	})
}
