package nodes

import (
	"errors"
	"testing"

	"tandem/callflows"
	"tandem/messages"
	"tandem/tenants"
)

// TestALegThatCannotBeHadIsRefusedBeforeTheNodeIsAsked: whatever a call's state says it has found.
func TestALegThatCannotBeHadIsRefusedBeforeTheNodeIsAsked(t *testing.T) {
	const own, other = "aaaaaaaa-1111-4111-8111-111111111111", "bbbbbbbb-2222-4222-8222-222222222222"
	for claim, row := range map[string]struct {
		change func(*call)
		want   error
	}{
		"another tenant's":      {func(c *call) { c.state.Call.Tenant = "blue" }, errNoOther},
		"one that has hung up":  {func(c *call) { c.state.Legs[0].HungUp = true }, errNoOther},
		"one whose call ends":   {func(c *call) { c.state.Phase = callflows.Ending }, errNoOther},
		"one not known yet":     {func(c *call) { c.late = true }, errNotAsked},
		"one of no call's legs": {func(c *call) { c.state.Legs = nil }, errNoOther},
	} {
		t.Run(claim, func(t *testing.T) {
			n := New(Options{Node: tenants.Node{Name: "fs1"}})
			c := &call{state: callflows.State{Call: callflows.Call{ID: "c2", Tenant: "red", Leg: other}, Phase: callflows.Running,
				Legs: []callflows.Leg{{ID: other, Role: messages.RoleCaller, Created: true}}}}
			row.change(c)
			n.shardOf(other).calls[other] = c
			o := order{facts: callflows.Call{ID: "c1", Tenant: "red", Leg: own}, command: callflows.Command{Kind: callflows.Join, N: 3, Leg: own, Other: &callflows.Party{Leg: other, Call: "c2"}}}
			if _, err := n.takeLeg(o); !errors.Is(err, row.want) {
				t.Errorf("%v", err)
			}
			if claim == "another tenant's" {
				o.command.Kind = callflows.Eavesdrop
				if err := n.overhear(o); !errors.Is(err, errNoOther) {
					t.Errorf("it is listened to: %v", err)
				}
			}
		})
	}
}

// TestWhatATakenLegNeeds: phones that ring for it are told that the call was answered elsewhere, it is answered, and a called leg that is taken carries what it takes to
// be adopted without its caller.
func TestWhatATakenLegNeeds(t *testing.T) {
	c := &call{state: callflows.State{Call: callflows.Call{ID: "c2", Tenant: "red", Leg: callerLeg}, Phase: callflows.Running, Legs: []callflows.Leg{
		{ID: callerLeg, Role: messages.RoleCaller, Created: true},
		{ID: "aaaaaaaa-2222-4111-8111-111111111111", Role: messages.RoleCallee, Created: true, Rang: true},
		{ID: "aaaaaaaa-3333-4111-8111-111111111111", Role: messages.RoleCallee, Created: true, HungUp: true},
		{ID: "aaaaaaaa-4444-4111-8111-111111111111", Role: messages.RoleCallee, Created: true, Answered: true}}}}
	names := func(leg int) (all []string) {
		for _, command := range c.beforeJoin(&c.state.Legs[leg]) {
			if err := command.Err(); err != nil {
				t.Error(err)
			}
			all = append(all, command.Name())
		}
		return all
	}
	if got := names(0); len(got) != 3 || got[0] != "uuid_kill" || got[1] != "uuid_setvar_multi" || got[2] != "uuid_answer" {
		t.Errorf("a caller's: %v", got)
	}
	if got := names(3); len(got) != 1 || got[0] != "uuid_setvar_multi" {
		t.Errorf("a called leg that talks: %v", got)
	}
}
