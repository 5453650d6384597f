package main

import (
	"context"
	"strings"
	"testing"

	"tandem/messages"
	"tandem/postgres"
	"tandem/sipptest"
)

// A registration is found by who it is, is asked to fetch its files, and is forgotten by order: no call goes there, until the phone registers again.
func TestARegistrationIsForgottenByOrder(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "two", "three")
	path := "/v1/tenants/" + c.id + "/registrations"
	list := func(query string) (items []postgres.RegistrationRow) {
		t.Helper()
		var page struct{ Items []postgres.RegistrationRow }
		must(t, w.get(within(t), path+query, &page))
		return page.Items
	}
	awaitThat(t, "the registrations are not kept", func(context.Context) (bool, error) { return len(list("")) == 2, nil })
	of := list("?user=two")
	if len(of) != 1 || of[0].Username != "two" || of[0].Tenant != c.id || of[0].Device == "" || of[0].Edge == "" {
		t.Fatalf("of a user: %+v", of)
	}
	notified, err := c.users["two"].AwaitNotify(within(t), 0, sipptest.Check{Header: "Event", Pattern: "check-sync;reboot=false"})
	must(t, err)
	run := func(want string, arguments ...string) {
		t.Helper()
		if out, code := w.exits(t, append([]string{"registration"}, arguments...)...); code != 0 || !strings.Contains(out, want) {
			t.Fatalf("%v: exit code %d, want %q", arguments, code, want)
		}
	}
	run("The phone is asked.", "resync", of[0].ID, "--of", c.id)
	must(t, notified.Wait(within(t)))
	run("two", "list", "--of", c.id, "--device", of[0].Device)
	run("It is forgotten.", "remove", of[0].ID) // by the platform
	awaitThat(t, "the registration is kept on", func(context.Context) (bool, error) { return len(list("")) == 1, nil })
	gone := w.story(t, succeed(t, c.call(t, "one", "102", sipptest.Call{Expect: 480})), 1)
	if gone.Fault != messages.FaultCallee {
		t.Errorf("the fault of a call to a phone that is registered nowhere: %s", gone.Fault)
	}
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{})
	succeed(t, c.call(t, "one", "102", sipptest.Call{}), callee)
}
