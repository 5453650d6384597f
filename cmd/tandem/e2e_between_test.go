package main

import (
	"context"
	"strings"
	"testing"

	"tandem/messages"
	"tandem/sipptest"
	"tandem/stack"
	"tandem/tenants"
)

// neighbours are two companies of which the first may call out.
func neighbours(t *testing.T, w *world) (caller, called *company) {
	t.Helper()
	caller, called = w.company(t), w.company(t)
	for _, c := range []*company{caller, called} {
		must(t, w.Provisioning.SetDialling(within(t), c.id, c.number, tenants.Dialling{Country: "US"}))
		must(t, w.Provisioning.SetCallingOut(within(t), c.id, tenants.CallingOut{Allowed: true}))
	}
	return caller, called
}

// otherCall waits for the other tenant's part of a call, told to its end.
func (c *company) otherCall(t *testing.T, legs int) (id string) {
	t.Helper()
	awaitThat(t, "the called tenant has no call", func(ctx context.Context) (bool, error) {
		calls, err := c.w.callsOf(ctx, c.id)
		if err != nil || len(calls) == 0 {
			return false, err
		}
		id = calls[0].Call
		return true, nil
	})
	return id
}

// A number of another tenant's is called without a carrier: each side has its own call, explanation and records.
func TestCallBetweenTenants(t *testing.T) {
	t.Parallel()
	betweenTenants(t, sharedWorld(t))
}

// A real FreeSWITCH may have both ends, and so call itself through the edge.
func TestCallBetweenTenantsOnFreeSWITCH(t *testing.T) {
	where, found := stack.FindFreeSWITCH()
	if !found || stack.IsAddress(where) {
		t.Skip("no FreeSWITCH on this machine: set TANDEM_FREESWITCH to the path of its binary")
	}
	w, err := newWorld(within(t), t, stack.ForTest(t), worldOptions{Name: "between-freeswitch", Nodes: 1, FreeSWITCH: where})
	must(t, err)
	w.tellOnFailure(t)
	betweenTenants(t, w)
}

func betweenTenants(t *testing.T, w *world) {
	t.Helper()
	a, b := neighbours(t, w)
	b.flow(t, b.number, "ring", map[string]tenants.Element{"ring": ringing("at_once", 10, "two")})
	a.publish(t)
	b.publish(t)
	b.register(t, "two")
	two := b.listen(t, "two", sipptest.Behaviour{Checks: []sipptest.Check{{Header: "From", Pattern: `<sip:\` + a.number + `@`}}})
	x := a.w.story(t, succeed(t, a.call(t, "one", b.number[2:], sipptest.Call{ReInvite: true}), two), 2)
	expected{Verdict: "The call was answered", Tells: []string{"caller_device", "calls_out", "between_taken", "ringing", "talking", "call_ended"},
		Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "*between", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)
	y := b.w.story(t, b.otherCall(t, 2), 2)
	expected{Verdict: "The call was answered", Tells: []string{"caller_tenant", "route_found", "ringing", "talking", "call_ended"},
		Legs: []leg{{Far: "*between", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, y)
	if strings.Contains(y.Text(), a.name) || strings.Contains(x.Text(), b.name) {
		t.Errorf("one tenant is told the other's name:\n%s%s", x.Text(), y.Text())
	}
	notOurs(t, two)
}

// A caller who is withheld is so to the other tenant; the callee's end is told on both sides.
func TestCallBetweenTenantsThatIsBusy(t *testing.T) {
	t.Parallel()
	a, b := neighbours(t, sharedWorld(t))
	b.flow(t, b.number, "ring", map[string]tenants.Element{"ring": ringing("at_once", 10, "two")})
	a.publish(t)
	b.publish(t)
	b.register(t, "two")
	two := b.listen(t, "two", sipptest.Behaviour{Code: 486, Phrase: "Busy Here", Checks: []sipptest.Check{{Header: "From", Pattern: `anonymous`}}})
	caller := a.call(t, "one", b.number, sipptest.Call{Expect: 486, Headers: []string{"Privacy: id"}})
	x := a.w.story(t, succeed(t, caller, two), 2)
	expected{Verdict: "is busy (486)", Fault: messages.FaultCallee, Tells: []string{"between_taken", "leg_ended", "number_busy"},
		Legs: []leg{{Far: "one-phone", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultCallee}, {Far: "*between", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultCallee}}}.check(t, x)
	y := b.w.story(t, b.otherCall(t, 2), 2)
	expected{Verdict: "", Fault: messages.FaultCallee, Tells: []string{"caller_tenant", "ring_busy"},
		Legs: []leg{{Far: "*between", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultCallee}, {Far: "two-phone", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultCallee}}}.checkLegs(t, y)
	if strings.Contains(two.Messages(), a.number[1:]) {
		t.Error("the called phone is told who calls")
	}
}

// Two tenants that divert to each other: the call ends by itself.
func TestTenantsThatDivertToEachOther(t *testing.T) {
	t.Parallel()
	a, b := neighbours(t, sharedWorld(t))
	a.flow(t, a.number, "out", map[string]tenants.Element{"out": element("number", map[string]any{"number": b.number}, nil)})
	b.flow(t, b.number, "out", map[string]tenants.Element{"out": element("number", map[string]any{"number": a.number}, nil)})
	a.publish(t)
	b.publish(t)
	caller := a.call(t, "one", b.number, sipptest.Call{Expect: 480})
	succeed(t, caller)
	a.awaitTold(t, "number_unavailable")
}
