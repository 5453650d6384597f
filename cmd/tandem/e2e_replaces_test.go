package main

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"tandem/provisioning"
	"tandem/sipptest"
	"tandem/stack"
	"tandem/tenants"
)

var (
	callIDLine = regexp.MustCompile(`(?m)^Call-ID: *(\S+)`)
	fromTag    = regexp.MustCompile(`(?m)^From:.*;tag=([^;\s]+)`)
	toTag      = regexp.MustCompile(`(?m)^To:.*;tag=([^;\s]+)`)
)

// replaces is the header that names the dialog of a phone that is being called, as a lamp on another phone knows it.
func replaces(t *testing.T, phone *sipptest.Running, further string) string {
	t.Helper()
	var header string
	awaitThat(t, "the phone has no dialog", func(context.Context) (bool, error) {
		seen := phone.Seen()
		id, from, to := callIDLine.FindStringSubmatch(seen), fromTag.FindStringSubmatch(seen), toTag.FindStringSubmatch(seen)
		if id == nil || from == nil || to == nil {
			return false, nil
		}
		header = "Replaces: " + id[1] + ";to-tag=" + from[1] + ";from-tag=" + to[1] + further // RFC 3891 3: as the one who gets it has them
		return true, nil
	})
	return header
}

func TestReplacesPicksUpARingingCall(t *testing.T) {
	t.Parallel()
	replaceRinging(t, sharedWorld(t))
}

func replaceRinging(t *testing.T, w *world) {
	t.Helper()
	c := joining(t, w)
	c.register(t, "two")
	rings := c.listen(t, "two", sipptest.Behaviour{NeverAnswer: true})
	caller := c.call(t, "one", ringsTwo, sipptest.Call{CalleeEnds: true})
	c.awaitTold(t, "leg_rang")
	picker := c.call(t, "three", "102", sipptest.Call{Headers: []string{replaces(t, rings, ";early-only")}})
	called, picked := succeed(t, caller, rings), succeed(t, picker)
	if !strings.Contains(rings.Messages(), `text="Call completed elsewhere"`) {
		t.Error("the phone that rang is not told that another took the call")
	}
	first, second := w.story(t, called, 2), w.story(t, picked, 1)
	expected{Verdict: "The call was answered", Tells: []string{"leg_rang", "taken_replace", "joined", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "LOSE_RACE"}}}.check(t, first)
	expected{Verdict: "The call was answered", Tells: []string{"replaces", "node_of_call", "fetch_found", "joined", "call_ended"}, Legs: []leg{
		{Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, second)
	names(t, first, second.Call)
	names(t, second, first.Call)
}

func TestReplacesTakesThePlaceOfAPhoneThatTalks(t *testing.T) {
	t.Parallel()
	replaceTalking(t, sharedWorld(t))
}

func replaceTalking(t *testing.T, w *world) {
	t.Helper()
	c := joining(t, w)
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{})
	caller := c.call(t, "one", ringsTwo, sipptest.Call{CalleeEnds: true})
	c.awaitTold(t, "talking")
	header := replaces(t, callee, "")
	early := c.call(t, "three", "102", sipptest.Call{Expect: 486, Headers: []string{header + ";early-only"}})
	expected{Verdict: "(SIP 486", Fault: "caller", Tells: []string{"replaces_answered"}, Legs: []leg{{Far: "three-phone", Cause: "USER_BUSY", Code: 486, Fault: "caller"}}}.
		check(t, w.story(t, succeed(t, early), 1))
	other := c.call(t, "three", "102", sipptest.Call{Headers: []string{header}})
	first, second := w.story(t, succeed(t, caller, callee), 2), w.story(t, succeed(t, other), 1)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "taken_replace", "joined", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, first)
	expected{Verdict: "The call was answered", Tells: []string{"replaces", "joined", "call_ended"}, Legs: []leg{
		{Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, second)
	names(t, first, second.Call)
	names(t, second, first.Call)
}

func TestReplacesOfNothingOrOfAnotherTenantsCall(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c, foreign := joining(t, w), joining(t, w)
	c.register(t, "two")
	rings := c.listen(t, "two", sipptest.Behaviour{After: 2 * time.Second})
	caller := c.call(t, "one", ringsTwo, sipptest.Call{})
	c.awaitTold(t, "leg_rang")
	for _, row := range []struct {
		company *company
		header  string
		code    int
		tells   string
	}{
		{foreign, replaces(t, rings, ""), 481, "replaces_nothing"},
		{c, "Replaces: nobody@nowhere;to-tag=1;from-tag=2", 481, "replaces_nothing"},
		{c, "Replaces: nobody@nowhere", 400, "replaces_unreadable"},
	} {
		x := w.story(t, succeed(t, row.company.call(t, "three", "102", sipptest.Call{Expect: row.code, Headers: []string{row.header}})), 1)
		if !strings.Contains(x.Text(), w.words[row.tells]) {
			t.Errorf("%q is not told: %s", row.tells, x.Text())
		}
	}
	succeed(t, caller, rings)
}

func TestATalkGoesOnAtTheUsersOtherPhone(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := joining(t, w)
	mobile := c.secondPhone(t, "two")
	c.register(t, "two")
	desk := c.listen(t, "two", sipptest.Behaviour{})
	caller := c.call(t, "one", ringsTwo, sipptest.Call{CalleeEnds: true})
	c.awaitTold(t, "talking")
	pulled := dial(t, mobile, pulls, sipptest.Call{Talk: time.Second})
	first, second := w.story(t, succeed(t, caller, desk), 2), w.story(t, succeed(t, pulled), 1)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "taken_pull", "joined", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, first)
	expected{Verdict: "The call was answered", Tells: []string{"pull_looks", "fetch_found", "joined", "call_ended"}, Legs: []leg{
		{Far: "two-mobile", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, second)
	names(t, first, second.Call)
}

// TestTheCallersOtherPhonePulls: the phone that called is left, and the call lives on without its caller's leg.
func TestTheCallersOtherPhonePulls(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := joining(t, w)
	mobile := c.secondPhone(t, "one")
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{})
	caller := c.call(t, "one", ringsTwo, sipptest.Call{CalleeEnds: true})
	c.awaitTold(t, "talking")
	pulled := dial(t, mobile, pulls, sipptest.Call{Talk: time.Second})
	first, second := w.story(t, succeed(t, caller, callee), 2), w.story(t, succeed(t, pulled), 1)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "taken_pull", "joined", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, first)
	names(t, second, first.Call)
}

// secondPhone gives a user another phone, which is not registered.
func (c *company) secondPhone(t *testing.T, user string) *sipptest.Phone {
	t.Helper()
	name := user + "-mobile"
	_, password, err := c.w.Provisioning.CreateDevice(within(t), c.id, provisioning.NewDevice{ID: name, UserID: user, Name: "Mobile of " + user, Username: name})
	must(t, err)
	c.w.awaitRevision(t)
	return &sipptest.Phone{Edge: c.w.Edge, User: name, Domain: c.domain, Password: password, Address: c.address}
}

// TestAParkedCallOutlivesItsWorker: the owner of the node dies while a call is parked; its standby lets another fetch it.
func TestAParkedCallOutlivesItsWorker(t *testing.T) {
	w, err := newWorld(within(t), t, stack.ForTest(t), worldOptions{Name: "parked", Nodes: 1, NoWorker: true})
	must(t, err)
	w.tellOnFailure(t)
	all := []string{roleRoute, roleCalls, roleJobs, roleAPI}
	owner, _ := w.startAs(t, "one", all...)
	must(t, w.awaitNodes(within(t)))
	_, standbyAddress := w.startAs(t, "two", all...)
	must(t, w.awaitNodes(within(t)))
	c := w.company(t)
	c.flow(t, parks, "park", map[string]tenants.Element{"park": element("park", map[string]any{"first": 701, "seconds": 30}, nil)})
	c.flow(t, fetches, "unpark", map[string]tenants.Element{"unpark": element("unpark", map[string]any{"slot": "701"}, nil)})
	c.publish(t)
	parked := c.call(t, "one", parks, sipptest.Call{Talk: 8 * time.Second})
	c.awaitTold(t, "parked_in")
	awaitFigures(t, standbyAddress, 1, 1)
	must(t, owner.Kill())
	fetcher := c.call(t, "three", fetches, sipptest.Call{CalleeEnds: true})
	first, second := w.story(t, succeed(t, parked), 1), w.story(t, succeed(t, fetcher), 1)
	expected{Verdict: "The call was answered", Tells: []string{"parked_in", "taken_unpark", "joined", "caller_hung_up"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, first)
	expected{Verdict: "The call was answered", Tells: []string{"fetch_found", "joined", "call_ended"}, Legs: []leg{
		{Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, second)
}
