package main

import (
	"testing"
	"time"

	"tandem/messages"
	"tandem/provisioning"
	"tandem/sipptest"
)

// reason is the check of a refusal's Reason header (RFC 3326).
func reason(q850 string) []sipptest.Check {
	return []sipptest.Check{{Header: "Reason", Pattern: "^ *Q.850;cause=" + q850 + "$"}}
}

// incoming is a call from the trunk to an outside number.
func (w *world) incoming(t *testing.T, from, number string, call sipptest.Call) *sipptest.Running {
	t.Helper()
	call.NoLogin, call.From = true, "<sip:"+from+"@carrier.example>"
	return dial(t, w.carrier(), number, call)
}

func TestBlockedCallerIsDeclined(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	must(t, w.Provisioning.BlockCaller(within(t), c.id, provisioning.DemoBlockedCaller))
	must(t, w.Provisioning.BlockCaller(within(t), c.id, "three"))
	c.publish(t)
	want := expected{Verdict: "(SIP 603, CALL_REJECTED): " + c.name + " blocks calls from ", Fault: messages.FaultCaller, Tells: []string{"caller_blocked"}}

	outside := w.incoming(t, provisioning.DemoBlockedCaller, c.number, sipptest.Call{Expect: 603, Checks: reason("21")})
	want.Legs = []leg{{Far: "carrier", Cause: "CALL_REJECTED", Code: 603, Fault: messages.FaultCaller}}
	want.check(t, w.story(t, succeed(t, outside), 1))

	inside := c.call(t, "three", "101", sipptest.Call{Expect: 603, Checks: reason("21")})
	want.Legs[0].Far = "three-phone"
	want.check(t, w.story(t, succeed(t, inside), 1))
}

func TestAddressOfNobodyIsForbidden(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	stranger := &sipptest.Phone{Edge: w.Edge, User: "mallory", Domain: "nowhere.example", Password: "guessed", Address: strangerAddress}
	refused := succeed(t, dial(t, stranger, "101", sipptest.Call{Expect: 403}))
	if _, err := explainCall(within(t), w.Store, w.words, refused); err != errNoCall {
		t.Errorf("a stranger's call came as far as a worker: %v", err)
	}
}

func TestTenantOverItsLimitIsBusy(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	must(t, w.Provisioning.SetMaxCalls(within(t), c.id, 1))
	c.publish(t)
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{})
	first := c.call(t, "one", "102", sipptest.Call{Talk: 3 * time.Second})
	c.awaitTold(t, "talking")
	second := c.call(t, "three", "102", sipptest.Call{Expect: 486, Checks: reason("17")})
	expected{Verdict: "(SIP 486, USER_BUSY): " + c.name + " has 1 call up, and its limit is 1.", Fault: messages.FaultTenant,
		Tells: []string{"route_found", "tenant_over_limit"}, Legs: []leg{{Far: "three-phone", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultTenant}},
	}.check(t, w.story(t, succeed(t, second), 1))
	answered().want.check(t, w.story(t, succeed(t, first, callee), 2))

	// The first is over: there is room again.
	callee = c.listen(t, "two", sipptest.Behaviour{})
	answered().want.check(t, w.story(t, succeed(t, c.call(t, "one", "102", sipptest.Call{}), callee), 2))
}

func TestSuspendedTenantReachesEmergencyNumbersAlone(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	must(t, w.Provisioning.SetSuspended(within(t), c.id, true))
	w.awaitRevision(t)
	refused := c.call(t, "one", "102", sipptest.Call{Expect: 403, Checks: reason("21")})
	expected{Verdict: "(SIP 403, CALL_REJECTED): " + c.name + " is suspended.", Fault: messages.FaultTenant, Tells: []string{"caller_device", "tenant_suspended"},
		Legs: []leg{{Far: "one-phone", Cause: "CALL_REJECTED", Code: 403, Fault: messages.FaultTenant}},
	}.check(t, w.story(t, succeed(t, refused), 1))
	c.emergency(t)
}

func TestOtherTenantsExtensionIsNotFound(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c, other := w.company(t), w.company(t)
	_, err := w.Provisioning.CreateUser(within(t), other.id, provisioning.NewUser{ID: "hidden", Name: "Hidden", Extension: "555"})
	must(t, err)
	other.publish(t)
	c.publish(t)
	want := expected{Verdict: "(SIP 404, UNALLOCATED_NUMBER): " + c.name + " has no extension or number 555", Fault: messages.FaultCaller,
		Tells: []string{"caller_device", "number_unknown"}, Legs: []leg{{Far: "one-phone", Cause: "UNALLOCATED_NUMBER", Code: 404, Fault: messages.FaultCaller}}}
	for _, target := range []string{"sip:555@" + c.domain, "sip:555@" + other.domain} {
		caller := c.call(t, "one", "555", sipptest.Call{Target: target, Expect: 404, Checks: reason("1")})
		want.check(t, w.story(t, succeed(t, caller), 1))
	}
	// And its own extension is its own, whatever domain it writes.
	c.register(t, "two")
	other.register(t, "two")
	callee, foreign := c.listen(t, "two", sipptest.Behaviour{}), other.listen(t, "two", sipptest.Behaviour{})
	caller := c.call(t, "one", "102", sipptest.Call{Target: "sip:102@" + other.domain})
	answered().want.check(t, w.story(t, succeed(t, caller, callee), 2))
	silent(t, foreign)
}
