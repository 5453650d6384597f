package main

import (
	"strings"
	"testing"
	"time"

	"tandem/explain"
	"tandem/sipptest"
	"tandem/tenants"
)

// Numbers of the flows of these tests.
const (
	ringsTwo  = "200" // rings the user two
	picksUp   = "801" // picks up what rings at the user two
	parks     = "802"
	fetches   = "803" // fetches what is parked in the slot 701
	overhears = "804" // hears the user two; only the user three may
	pulls     = "805"
)

// joining is a company with the flows of these tests.
func joining(t *testing.T, w *world) *company {
	t.Helper()
	c := w.company(t)
	c.joins(t)
	return c
}

// joins gives the company the flows of these tests.
func (c *company) joins(t *testing.T) {
	t.Helper()
	c.flow(t, ringsTwo, "ring", map[string]tenants.Element{"ring": ringing("at_once", 15, "two")})
	c.flow(t, picksUp, "pickup", map[string]tenants.Element{"pickup": element("pickup", map[string]any{"users": []string{"two"}}, nil)})
	c.flow(t, parks, "park", map[string]tenants.Element{"park": element("park", map[string]any{"first": 701, "seconds": 5}, map[string]string{"timeout": "back"}),
		"back": ringing("at_once", 15, "two")})
	c.flow(t, fetches, "unpark", map[string]tenants.Element{"unpark": element("unpark", map[string]any{"slot": "701"}, nil)})
	c.flow(t, overhears, "listen", map[string]tenants.Element{"listen": element("eavesdrop",
		map[string]any{"users": []string{"two"}, "mode": "whisper", "allowed_users": []string{"three"}}, nil)})
	c.flow(t, pulls, "pull", map[string]tenants.Element{"pull": element("pull", map[string]any{}, nil)})
	c.publish(t)
}

// names says whether the explanation of a call names another.
func names(t *testing.T, x explain.Explanation, other string) {
	t.Helper()
	if !strings.Contains(x.Text(), other) {
		t.Errorf("the explanation of %s does not name the call %s:\n%s", x.Call, other, x.Text())
	}
}

func TestPickUpAGroupsRingingCall(t *testing.T) {
	t.Parallel()
	pickUp(t, sharedWorld(t))
}

func pickUp(t *testing.T, w *world) {
	t.Helper()
	c := joining(t, w)
	c.register(t, "two")
	rings := c.listen(t, "two", sipptest.Behaviour{NeverAnswer: true})
	caller := c.call(t, "one", ringsTwo, sipptest.Call{CalleeEnds: true})
	c.awaitTold(t, "leg_rang")
	picker := c.call(t, "three", picksUp, sipptest.Call{})
	called, picked := succeed(t, caller, rings), succeed(t, picker)
	if !strings.Contains(rings.Messages(), `text="Call completed elsewhere"`) {
		t.Error("the phone that rang is not told that another took the call")
	}
	first, second := w.story(t, called, 2), w.story(t, picked, 1)
	expected{Verdict: "The call was answered", Tells: []string{"leg_rang", "taken_pickup", "joined", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "LOSE_RACE"}}}.check(t, first)
	expected{Verdict: "The call was answered", Tells: []string{"fetch_found", "joining", "joined", "call_ended"}, Legs: []leg{
		{Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, second)
	names(t, first, second.Call)
	names(t, second, first.Call)
}

func TestParkAndFetch(t *testing.T) {
	t.Parallel()
	parkAndFetch(t, sharedWorld(t))
}

func parkAndFetch(t *testing.T, w *world) {
	t.Helper()
	c := joining(t, w)
	parked := c.call(t, "one", parks, sipptest.Call{Talk: 2 * time.Second})
	c.awaitTold(t, "parked_in")
	fetcher := c.call(t, "three", fetches, sipptest.Call{CalleeEnds: true})
	first, second := w.story(t, succeed(t, parked), 1), w.story(t, succeed(t, fetcher), 1)
	expected{Verdict: "The call was answered", Tells: []string{"parked_in", "taken_unpark", "joined", "caller_hung_up"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, first)
	expected{Verdict: "The call was answered", Tells: []string{"unpark_looks", "fetch_found", "joined", "call_ended"}, Legs: []leg{
		{Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, second)
	names(t, first, second.Call)
	names(t, second, first.Call)
}

func TestNobodyFetchesAParkedCall(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := joining(t, w)
	c.register(t, "two")
	back := c.listen(t, "two", sipptest.Behaviour{})
	parked := c.call(t, "one", parks, sipptest.Call{Talk: 7 * time.Second})
	expected{Verdict: "The call was answered", Tells: []string{"parked_in", "park_timeout", "exit_taken", "ringing", "talking"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.
		check(t, w.story(t, succeed(t, parked, back), 2))
}

// TestNobodyPicksUpAnothersCall: what rings or is parked at one tenant is not there for another.
func TestNobodyPicksUpAnotherTenantsCall(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c, foreign := joining(t, w), joining(t, w)
	c.register(t, "two")
	rings := c.listen(t, "two", sipptest.Behaviour{After: 3 * time.Second})
	caller := c.call(t, "one", ringsTwo, sipptest.Call{})
	c.awaitTold(t, "leg_rang")
	parked := c.call(t, "three", parks, sipptest.Call{Talk: 2 * time.Second})
	c.awaitTold(t, "parked_in")
	for _, number := range []string{picksUp, fetches, pulls} {
		x := w.story(t, succeed(t, foreign.call(t, "three", number, sipptest.Call{Expect: 480})), 1)
		if number != pulls && !strings.Contains(x.Text(), "There is no such call of this tenant") {
			t.Errorf("%s", x.Text())
		}
	}
	succeed(t, caller, rings, parked)
}

func TestListenIn(t *testing.T) {
	t.Parallel()
	listenIn(t, sharedWorld(t))
}

func listenIn(t *testing.T, w *world) {
	t.Helper()
	c := joining(t, w)
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{})
	caller := c.call(t, "one", ringsTwo, sipptest.Call{Talk: 4 * time.Second})
	c.awaitTold(t, "talking")
	refused := dial(t, c.secondPhone(t, "one"), overhears, sipptest.Call{Expect: 603})
	expected{Verdict: "CALL_REJECTED", Fault: "caller", Tells: []string{"eavesdrop_not_allowed"}, Legs: []leg{{Far: "one-mobile", Cause: "CALL_REJECTED", Code: 603, Fault: "caller"}}}.
		check(t, w.story(t, succeed(t, refused), 1))
	hears := c.call(t, "three", overhears, sipptest.Call{CalleeEnds: true}) // it ends with the talk
	first, second := w.story(t, succeed(t, caller, callee), 2), w.story(t, succeed(t, hears), 1)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "overheard", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, first)
	expected{Verdict: "The call was answered", Tells: []string{"eavesdrop_begins", "eavesdrop_over"}, Legs: []leg{
		{Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, second)
	names(t, first, second.Call)
	names(t, second, first.Call)
}

// TestATransferParks: who is called sends the caller to the park, and a third fetches him.
func TestATransferParks(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := joining(t, w)
	c.register(t, "two")
	two := c.talker(t, "two")
	one := c.call(t, "one", ringsTwo, sipptest.Call{Talk: 4 * time.Second})
	talk := two.answered()
	c.awaitTold(t, "talking")
	if code := talk.refer(parks + "@" + c.domain); code != "202" {
		t.Fatal("REFER: " + code)
	}
	talk.told("SIP/2.0 200 OK")
	talk.ended()
	c.awaitTold(t, "parked_in")
	three := c.call(t, "three", fetches, sipptest.Call{CalleeEnds: true})
	first, second := w.story(t, succeed(t, one), 2), w.story(t, succeed(t, three), 1)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "transferred", "parked_in", "taken_unpark", "joined"}, Legs: []leg{cleared("one-phone"), cleared("two-phone")}}.check(t, first)
	expected{Verdict: "The call was answered", Tells: []string{"fetch_found", "joined", "call_ended"}, Legs: []leg{cleared("three-phone")}}.check(t, second)
}

// TestACallerParksWhomHeCalled: the parked leg is not its call's caller's, whose is gone.
func TestACallerParksWhomHeCalled(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := joining(t, w)
	c.register(t, "two")
	one := c.talker(t, "one")
	two := c.listen(t, "two", sipptest.Behaviour{})
	talk := one.call(ringsTwo)
	c.awaitTold(t, "talking")
	if code := talk.refer(parks + "@" + c.domain); code != "202" {
		t.Fatal("REFER: " + code)
	}
	talk.told("SIP/2.0 200 OK")
	talk.ended()
	c.awaitTold(t, "parked_in")
	three := c.call(t, "three", fetches, sipptest.Call{Talk: time.Second})
	second := w.story(t, succeed(t, three, two), 1)
	first := w.story(t, talk.id, 2)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "transferred", "parked_in", "taken_unpark", "joined"}, Legs: []leg{cleared("one-phone"), cleared("two-phone")}}.check(t, first)
	expected{Verdict: "The call was answered", Tells: []string{"fetch_found", "joined", "call_ended"}, Legs: []leg{cleared("three-phone")}}.check(t, second)
	names(t, first, second.Call)
}
