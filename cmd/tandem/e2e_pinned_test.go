package main

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem/explain"
	"tandem/routing"
	"tandem/sipptest"
	"tandem/stack"
	"tandem/tenants"
)

// menuTo is a menu whose digit 1 rings a user; anything else asks again.
func menuTo(user string) map[string]tenants.Element {
	return map[string]tenants.Element{
		"menu": element("menu", map[string]any{"prompt": "tone:menu", "invalid_prompt": "tone:wrong", "attempts": 3, "seconds": 30}, map[string]string{"1": "ring"}),
		"ring": ringing("at_once", 10, user),
	}
}

// menuCompany has a menu at 300 that leads to the user two, and registered phones of two and three.
func (w *world) menuCompany(t *testing.T) *company {
	t.Helper()
	c := w.company(t)
	c.flow(t, "300", "menu", menuTo("two"))
	c.publish(t)
	c.register(t, "two", "three")
	return c
}

// waiting lets a caller wait in the menu for a while, then choose 1: he keys a 9 first, which is none of the choices.
func (c *company) waiting(t *testing.T, wait time.Duration) *sipptest.Running {
	t.Helper()
	caller := c.call(t, "one", "300", sipptest.Call{Digits: "91", DigitMode: sipptest.INFO, DigitPause: wait})
	c.awaitTold(t, "menu_invalid")
	return caller
}

// another is one more phone of a user's, which takes no calls.
func (c *company) another(user string) *sipptest.Phone {
	p := *c.users[user]
	p.Port = 0
	return &p
}

// leadsTo lets a new caller choose 1 and gives the call's story: the user's phone must ring.
func (c *company) leadsTo(t *testing.T, user string) explain.Explanation {
	t.Helper()
	callee := c.listen(t, user, sipptest.Behaviour{HangUp: true, Talk: 2 * time.Second})
	x := c.w.story(t, succeed(t, dial(t, c.another("one"), "300", sipptest.Call{Digits: "1", DigitMode: sipptest.INFO, CalleeEnds: true}), callee), 2)
	c.reached(t, x, user)
	return x
}

// reached checks whose phone a call has come to.
func (c *company) reached(t *testing.T, x explain.Explanation, user string) {
	t.Helper()
	if len(x.Legs) != 2 || x.Legs[1].Device != c.device(user) || x.Legs[1].AnsweredAt == nil {
		t.Errorf("it has not come to %s:\n%s\n%s", user, x.Text(), legsOf(x))
	}
}

// underVersion checks which version a call was driven by, at each step and in each record.
func (w *world) underVersion(t *testing.T, x explain.Explanation, version int64) {
	t.Helper()
	entries, err := w.Store.JournalOf(within(t), x.Call)
	must(t, err)
	for _, e := range entries {
		if e.Version != version {
			t.Errorf("the entry %s %d names version %d, want %d", e.Source, e.N, e.Version, version)
		}
	}
	for _, l := range x.Legs {
		if l.Version != version {
			t.Errorf("the record of %s%s names version %d, want %d", l.Device, l.Trunk, l.Version, version)
		}
	}
	if x.Version != version {
		t.Errorf("it is explained by version %d, want %d", x.Version, version)
	}
}

// TestACallInAMenuKeepsItsVersion although another is published while it waits there: it takes the old branch, and a new call the
// new one.
func TestACallInAMenuKeepsItsVersion(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.menuCompany(t)
	old := c.waiting(t, 4*time.Second)
	c.flow(t, "300", "menu", menuTo("three"))
	c.publish(t)
	two := c.listen(t, "two", sipptest.Behaviour{})
	w.underVersion(t, c.leadsTo(t, "three"), 2)
	x := w.story(t, succeed(t, old, two), 2)
	c.reached(t, x, "two")
	w.underVersion(t, x, 1)
}

// TestATakeoverKeepsACallsVersion: the worker that drives the call dies after another version was published.
func TestATakeoverKeepsACallsVersion(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	w, err := newWorld(ctx, t, stack.ForTest(t), worldOptions{Name: "pinned", Nodes: 1})
	must(t, err)
	w.tellOnFailure(t)
	c := w.menuCompany(t)
	old := c.waiting(t, 6*time.Second)
	c.flow(t, "300", "menu", menuTo("three"))
	c.publish(t)
	owner := w.worker
	w.worker, err = w.startWorker(ctx, "worker2") // whose first snapshot is of the new version
	must(t, err)
	w.logged(t, "the standby has the whole picture")
	must(t, owner.Kill())
	w.logged(t, "owning the media node")
	two := c.listen(t, "two", sipptest.Behaviour{})
	w.underVersion(t, c.leadsTo(t, "three"), 2)
	x := w.story(t, succeed(t, old, two), 2)
	c.reached(t, x, "two")
	w.underVersion(t, x, 1)
}

// TestAPinnedCallOutlivesItsWorkerWithPostgreSQLAway: the only worker dies, PostgreSQL is stopped, and the worker that starts from its
// local snapshot goes on with the call under its old version, and makes new calls under the new one.
func TestAPinnedCallOutlivesItsWorkerWithPostgreSQLAway(t *testing.T) {
	stack.ForTest(t) // says how to run the tests
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s, err := stack.Start(ctx, stack.Options{PostgreSQL: true, RabbitMQ: true})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	w, err := newWorld(ctx, t, s, worldOptions{Nodes: 1, OwnStack: true})
	must(t, err)
	w.tellOnFailure(t)
	c := w.menuCompany(t)
	old := c.waiting(t, 7*time.Second)
	c.flow(t, "300", "menu", menuTo("three"))
	c.publish(t)
	must(t, w.worker.Stop(ctx)) // in order, so that its local snapshot is written
	must(t, s.StopPostgreSQL(ctx))
	w.worker, err = w.startWorker(ctx, "worker1")
	must(t, err)
	w.logged(t, "starting from the last local snapshot")
	must(t, w.awaitNodes(ctx))
	w.logged(t, "a live call is adopted")
	for _, user := range []string{"two", "three"} { // who was registered before is in PostgreSQL alone
		awaitThat(t, "a phone that registers again is not known", func(ctx context.Context) (bool, error) {
			err := c.users[user].Register(ctx, sipptest.Registration{})
			return err == nil && len(c.contacts(t, user)) > 0, err
		})
	}
	two, three := c.listen(t, "two", sipptest.Behaviour{}), c.listen(t, "three", sipptest.Behaviour{HangUp: true, Talk: 2 * time.Second})
	fresh := succeed(t, dial(t, c.another("one"), "300", sipptest.Call{Digits: "1", DigitMode: sipptest.INFO, CalleeEnds: true}), three)
	kept := succeed(t, old, two)
	must(t, s.StartPostgreSQL(ctx))
	x := w.story(t, fresh, 2)
	c.reached(t, x, "three")
	w.underVersion(t, x, 2)
	x = w.story(t, kept, 2)
	c.reached(t, x, "two")
	w.underVersion(t, x, 1)
}

// TestAShareOfCallersGetsTheCanary, as their phones see it: what runs answers 486, and what is tried 603.
func TestAShareOfCallersGetsTheCanary(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	answers := func(code int) map[string]tenants.Element {
		return map[string]tenants.Element{"no": element("respond", map[string]any{"code": code}, nil)}
	}
	c.flow(t, c.number, "no", answers(486))
	c.publish(t)
	const callers = 12
	place := func(i int) (from string, place int) {
		from = "+12025558" + strconv.Itoa(100+i)
		return from, routing.Bucket(c.id, 2, from)
	}
	calls := func(share int) (tried string) {
		t.Helper()
		var phones []*sipptest.Running
		for i := range callers {
			from, at := place(i)
			code := 486
			if at < share {
				code = 603
			}
			phones = append(phones, w.incoming(t, from, c.number, sipptest.Call{Expect: code}))
		}
		for i, phone := range phones {
			id := succeed(t, phone)
			if _, at := place(i); at < share && tried == "" {
				tried = id
			}
		}
		return tried
	}
	middle := func() int { // about half of these callers are below it
		_, first := place(0)
		return max(1, min(99, first+1))
	}()

	c.flow(t, c.number, "no", answers(603))
	w.says(t, []string{"The drafts are version 2, which " + strconv.Itoa(middle) + " % of new calls get: 1 change."}, "version", "canary", c.id, strconv.Itoa(middle), "--by", "anna")
	w.awaitRevision(t)
	x := w.story(t, calls(middle), 1)
	w.underVersion(t, x, 2)
	expected{Verdict: "(SIP 603, CALL_REJECTED)", Tells: []string{"version_on_trial", "route_found", "responded"},
		Legs: []leg{{Far: "carrier", Cause: "CALL_REJECTED", Code: 603}}}.check(t, x)
	if want := "decided with configuration version 2 (canary, " + strconv.Itoa(middle) + " % of calls)"; !strings.Contains(x.Text(), want) {
		t.Errorf("the explanation does not say %q:\n%s", want, x.Text())
	}
	w.says(t, []string{"canary, " + strconv.Itoa(middle) + " %", "live"}, "version", "list", c.id, "--outcomes", "1h")
	w.says(t, []string{"Version 2 is tried on 99 % of new calls, instead of "}, "version", "canary", c.id, "99", "--by", "anna")
	w.awaitRevision(t)
	calls(99)
	status, answer := askAPI(t, http.MethodPost, w.HTTPAddress, "/v1/tenants/"+c.id+"/versions", map[string]string{"by": "ben"})
	if status != http.StatusConflict || answer["code"] != "canary_conflict" {
		t.Errorf("publishing meanwhile: %d %v", status, answer)
	}
	w.says(t, []string{"No new call gets version 2 any more."}, "version", "abandon", c.id, "2", "--by", "anna", "--comment", "Too early")
	w.awaitRevision(t)
	calls(0)
	w.says(t, []string{"abandoned by anna (Too early)", "tried on 99 % by anna"}, "version", "show", c.id, "2")
	w.says(t, []string{"The drafts are version 3"}, "version", "canary", c.id, "1", "--by", "anna")
	w.says(t, []string{"All new calls get version 3 now."}, "version", "promote", c.id, "--by", "ben")
	w.awaitRevision(t)
	calls(100)
}
