package main

import (
	"errors"
	"strings"
	"testing"

	"tandem/provisioning"
	"tandem/sipptest"
)

// emergency calls the emergency services, who must answer and see how to call back.
func (c *company) emergency(t *testing.T) {
	t.Helper()
	services := listen(t, c.w.emergencyPhone(t), sipptest.Behaviour{Checks: []sipptest.Check{{Header: "From", Pattern: c.number[1:]}}})
	caller := c.call(t, "one", provisioning.DemoTestNumber, sipptest.Call{})
	id := succeed(t, caller, services)
	expected{Verdict: "The call was answered", Tells: []string{"caller_device", "emergency", "nodes_chosen", "emergency_dialled", "ringing", "talking", "call_ended"},
		Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "emergency trunk", Cause: "NORMAL_CLEARING", Answered: true}},
	}.check(t, c.w.story(t, id, 2))
	clean(t, services)
}

func TestEmergencyNumberLeadsToTheEmergencyTrunk(t *testing.T) {
	t.Parallel()
	c := sharedWorld(t).company(t)
	must(t, c.w.Provisioning.BlockCaller(within(t), c.id, "one"))
	must(t, c.w.Provisioning.SetMaxCalls(within(t), c.id, 1))
	c.publish(t)
	c.emergency(t) // although its caller is blocked
}

// TestEmergencyCallNeedsNoWorker is not parallel: nobody else has a worker either.
func TestEmergencyCallNeedsNoWorker(t *testing.T) {
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	must(t, w.worker.Kill())
	services := listen(t, w.emergencyPhone(t), sipptest.Behaviour{Checks: []sipptest.Check{{Header: "P-Asserted-Identity", Pattern: "sip:one@" + c.domain}}})
	urgent := c.call(t, "one", provisioning.DemoTestNumber, sipptest.Call{})
	other := c.call(t, "three", "102", sipptest.Call{Expect: 503, Checks: []sipptest.Check{{Header: "Retry-After", Pattern: "[0-9]"}}})
	id := succeed(t, urgent, services, other)
	// Nobody decided, so nothing is told and recorded: the edge's own log is all there is.
	if _, err := explainCall(within(t), w.Store, w.words, id); !errors.Is(err, errNoCall) {
		t.Errorf("a call that no worker saw is told of: %v", err)
	}
	if !strings.Contains(endOf(w.edge.Log()), "put through without a decision") {
		t.Error("the edge's log does not tell of the emergency call")
	}
	must(t, w.restartWorker(within(t)))
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{})
	answered().want.check(t, w.story(t, succeed(t, c.call(t, "one", "102", sipptest.Call{}), callee), 2))
}

func TestUnknownCallerOfAnEmergencyNumber(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	// From the local network, somebody who cannot log in gets through: a wrong password must not cost a life.
	services := listen(t, w.emergencyPhone(t), sipptest.Behaviour{})
	stranger := &sipptest.Phone{Edge: w.Edge, User: "visitor", Domain: "nowhere.example", Password: "guessed", Address: strangerAddress}
	succeed(t, dial(t, stranger, "112", sipptest.Call{}), services)
}
