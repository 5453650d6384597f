package main

import (
	"context"
	"strings"
	"testing"

	"tandem/messages"
	"tandem/provisioning"
	"tandem/sipptest"
	"tandem/tenants"
)

// withPBX gives a company that calls out by one carrier a PBX, which may call out too, and two numbers of its own: the company's main
// one rings the user two, the other leads to the PBX.
func withPBX(t *testing.T, pbx tenants.Trunk) (c *callsOut, line string) {
	t.Helper()
	c = callingOut(t, nil)
	ctx, p := within(t), c.w.Provisioning
	line = "+1303555" + c.company.number[len(c.company.number)-4:]
	must(t, p.AddNumber(ctx, c.id, line))
	pbx.Tenant, pbx.Name, pbx.MayCallOut = c.id, "PBX", true
	must(t, p.AddTrunk(ctx, pbx))
	c.flow(t, line, "pbx", map[string]tenants.Element{"pbx": element("number", map[string]any{"trunk": pbx.ID, "seconds": 10}, map[string]string{"failed": "two"}), "two": ringing("at_once", 10, "two")})
	c.flow(t, c.number, "two", map[string]tenants.Element{"two": ringing("at_once", 10, "two")})
	c.publish(t)
	return c, line
}

// A customer's PBX at a fixed address, both ways: what it sends is the tenant's, shows a number of the tenant's alone, and what is
// dialled for it reaches it as it was dialled.
func TestPBXAtAnAddress(t *testing.T) {
	t.Parallel()
	address := "127.0.0.7"
	at := &tenants.Outgoing{}
	phone := carrierLine(t, sharedWorld(t), address, at)
	c, line := withPBX(t, tenants.Trunk{ID: "pbx-at", Addresses: addresses(address), Outgoing: at})
	t.Cleanup(func() { must(t, c.w.Provisioning.RemoveTrunk(context.Background(), "pbx-at")) })

	pbx := listen(t, phone, sipptest.Behaviour{Checks: []sipptest.Check{{Header: "To", Pattern: `sip:\` + line + "@"}}})
	x := c.w.story(t, succeed(t, c.w.incoming(t, "+12025550177", line, sipptest.Call{}), pbx), 2)
	expected{Verdict: "The call was answered", Tells: []string{"caller_trunk", "route_found", "way_taken", "talking"},
		Legs: []leg{{Far: "carrier", Cause: "NORMAL_CLEARING", Answered: true}, answeredBy("pbx-at")}}.check(t, x)
	notOurs(t, pbx)

	awaitTrunk(t, c.w, address)
	out := &sipptest.Phone{Edge: c.w.Edge, Domain: c.w.Edge, Address: address, User: strings.TrimPrefix(line, "+")}
	first := listen(t, c.first, sipptest.Behaviour{Checks: []sipptest.Check{{Header: "From", Pattern: "sip:" + line[1:] + "@|sip:\\" + line + "@"}}})
	y := c.w.story(t, succeed(t, dial(t, out, c.outside(), sipptest.Call{NoLogin: true, From: "<sip:" + line[1:] + "@pbx.example>"}), first), 2)
	expected{Verdict: "The call was answered", Tells: []string{"caller_own_trunk", "calls_out", "way_taken", "talking"},
		Legs: []leg{{Far: "pbx-at", Cause: "NORMAL_CLEARING", Answered: true}, answeredBy(c.firstID)}}.check(t, y)

	// A number that is not the tenant's is not shown: the main one is.
	first = listen(t, c.first, sipptest.Behaviour{Checks: []sipptest.Check{{Header: "From", Pattern: `sip:\` + c.number + "@"}}})
	succeed(t, dial(t, out, c.outside(), sipptest.Call{NoLogin: true, From: "<sip:+442079460000@pbx.example>"}), first)
}

// awaitTrunk waits until the edge takes an address for a trunk's.
func awaitTrunk(t *testing.T, w *world, address string) {
	t.Helper()
	awaitThat(t, "the edge does not know the trunk", func(ctx context.Context) (bool, error) {
		known, err := w.askEdge(ctx, "htable.dump", "trunks")
		return strings.Contains(known, address), err
	})
}

// A customer's PBX that registers, both ways; while it is not registered the flow goes on.
func TestPBXThatRegisters(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	_, password, err := w.Provisioning.CreateDevice(within(t), c.id, provisioning.NewDevice{ID: "pbx", Name: "PBX's login", Username: "pbx"})
	must(t, err)
	must(t, w.Provisioning.AddTrunk(within(t), tenants.Trunk{ID: c.id + "-pbx", Name: "PBX", Tenant: c.id, Device: "pbx"}))
	must(t, w.Provisioning.SetDialling(within(t), c.id, c.number, tenants.Dialling{Country: "US"}))
	c.flow(t, c.number, "pbx", map[string]tenants.Element{
		"pbx": element("number", map[string]any{"trunk": c.id + "-pbx", "seconds": 10}, map[string]string{"failed": "two"}), "two": ringing("at_once", 10, "two")})
	c.publish(t)
	c.register(t, "two")

	two := c.listen(t, "two", sipptest.Behaviour{})
	x := w.story(t, succeed(t, w.incoming(t, "+12025550177", c.number, sipptest.Call{}), two), 2)
	expected{Verdict: "The call was answered", Tells: []string{"route_found", "trunk_not_registered", "no_way_left", "exit_taken", "ringing", "talking"},
		Legs: []leg{{Far: "carrier", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)

	phone := &sipptest.Phone{Edge: w.Edge, User: "pbx", Domain: c.domain, Password: password, Address: c.address}
	must(t, phone.Register(within(t), sipptest.Registration{}))
	must(t, w.awaitRegistered(within(t), "pbx", c.domain))
	pbx := listen(t, phone, sipptest.Behaviour{Checks: []sipptest.Check{{Header: "To", Pattern: `sip:\` + c.number + "@"}}})
	x = w.story(t, succeed(t, w.incoming(t, "+12025550177", c.number, sipptest.Call{}), pbx), 2)
	expected{Verdict: "The call was answered", Tells: []string{"route_found", "way_taken", "talking"},
		Legs: []leg{{Far: "carrier", Cause: "NORMAL_CLEARING", Answered: true}, answeredBy(c.id + "-pbx")}}.check(t, x)
	notOurs(t, pbx)

	two = c.listen(t, "two", sipptest.Behaviour{Checks: []sipptest.Check{{Header: "From", Pattern: "sip:33@"}}})
	x = w.story(t, succeed(t, dial(t, phone, "102", sipptest.Call{From: "<sip:33@" + c.domain + ">"}), two), 2)
	expected{Verdict: "The call was answered", Tells: []string{"caller_own_trunk", "route_found", "talking"},
		Legs: []leg{{Far: c.id + "-pbx", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)

	// It may not call out: it was not allowed to.
	x = w.story(t, succeed(t, dial(t, phone, "+493012345678", sipptest.Call{Expect: 404, From: "<sip:33@" + c.domain + ">"})), 1)
	expected{Verdict: "calls that come in by it do not go out again", Fault: messages.FaultCaller, Tells: []string{"caller_own_trunk", "trunk_may_not_call"},
		Legs: []leg{{Far: c.id + "-pbx", Cause: "UNALLOCATED_NUMBER", Code: 404, Fault: messages.FaultCaller}}}.check(t, x)
}
