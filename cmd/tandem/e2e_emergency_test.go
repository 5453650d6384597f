package main

import (
	"errors"
	"strings"
	"testing"

	"tandem/provisioning"
	"tandem/sipptest"
	"tandem/tenants"
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

// A phone that asks for help by the service and not by a number (RFC 5031) reaches the services as if it had dialled one. They see
// whom to call back and where the device stands.
func TestEmergencyServiceWithoutANumber(t *testing.T) {
	t.Parallel()
	c := sharedWorld(t).company(t)
	ctx, p := within(t), c.w.Provisioning
	desk := "+1303555" + c.number[len(c.number)-4:]
	must(t, p.AddNumber(ctx, c.id, desk))
	must(t, p.SetWhereabouts(ctx, c.id, tenants.Whereabouts{Device: c.device("one"), Number: desk, Location: "https://places.example/hall"}))
	c.publish(t)
	services := listen(t, c.w.emergencyPhone(t), sipptest.Behaviour{Checks: []sipptest.Check{{Header: "From", Pattern: desk[1:]}, {Header: "To", Pattern: "sip:" + emergencyNumbers[0] + "@"},
		{Header: "Geolocation", Pattern: "<https://places.example/hall>"}}})
	id := succeed(t, c.call(t, "one", "", sipptest.Call{Target: "urn:service:sos"}), services)
	expected{Verdict: "The call was answered", Tells: []string{"caller_device", "emergency", "emergency_dialled", "callback_of_device", "emergency_location", "talking"},
		Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "emergency trunk", Cause: "NORMAL_CLEARING", Answered: true}},
	}.check(t, c.w.story(t, id, 2))
	clean(t, services)
}

// A device without a number of its own is called back at the tenant's main one.
func TestEmergencyCallbackFallsBackToTheMainNumber(t *testing.T) {
	t.Parallel()
	c := sharedWorld(t).company(t)
	ctx, p := within(t), c.w.Provisioning
	_, password, err := p.CreateDevice(ctx, c.id, provisioning.NewDevice{ID: "door", Name: "Door phone", Username: "door"})
	must(t, err)
	must(t, p.SetDialling(ctx, c.id, c.number, tenants.Dialling{}))
	c.publish(t)
	door := &sipptest.Phone{Edge: c.w.Edge, User: "door", Domain: c.domain, Password: password, Address: c.address}
	services := listen(t, c.w.emergencyPhone(t), sipptest.Behaviour{Checks: []sipptest.Check{{Header: "From", Pattern: c.number[1:]}}})
	id := succeed(t, dial(t, door, provisioning.DemoTestNumber, sipptest.Call{Headers: []string{"Privacy: id"}}), services)
	expected{Verdict: "The call was answered", Tells: []string{"emergency", "callback_of_tenant", "talking"},
		Legs: []leg{{Far: "door", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "emergency trunk", Cause: "NORMAL_CLEARING", Answered: true}},
	}.check(t, c.w.story(t, id, 2))
}
