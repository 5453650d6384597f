package main

import (
	"context"
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"tandem/sipptest"
)

// contacts is where the worker believes a user's phone to be.
func (c *company) contacts(t *testing.T, user string) []json.RawMessage {
	t.Helper()
	var found struct{ Contacts []json.RawMessage }
	must(t, c.w.get(within(t), "/v1/contacts?"+url.Values{"username": {user}, "domain": {c.domain}}.Encode(), &found))
	return found.Contacts
}

// guess is a phone that does not know its password.
func (c *company) guess(user string) *sipptest.Phone {
	return &sipptest.Phone{Edge: c.w.Edge, User: user, Domain: c.domain, Password: "guessed", Address: c.address}
}

func TestPhoneRegistersWithItsPassword(t *testing.T) {
	t.Parallel()
	c := sharedWorld(t).company(t)
	must(t, c.guess("two").Register(within(t), sipptest.Registration{Expect: 403}))
	// The right one is reported after the wrong one, so what the wrong one had done would be known by then.
	c.register(t, "two")
	if n := len(c.contacts(t, "two")); n != 1 {
		t.Errorf("%d contacts, want that of the right password alone", n)
	}
	must(t, c.users["two"].Register(within(t), sipptest.Registration{Remove: true}))
	awaitThat(t, "the contact stays", func(context.Context) (bool, error) { return len(c.contacts(t, "two")) == 0, nil })
}

func TestPhoneCallsWithItsPassword(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "two")
	refused := dial(t, c.guess("one"), "102", sipptest.Call{Expect: 403})
	wrong := succeed(t, refused)
	callee := c.listen(t, "two", sipptest.Behaviour{})
	right := succeed(t, c.call(t, "one", "102", sipptest.Call{}), callee)
	answered().want.check(t, w.story(t, right, 2))
	// Nothing was asked, told or recorded of the wrong one: it ended at the edge, before the right one began.
	if _, err := explainCall(within(t), w.Store, w.words, wrong); err != errNoCall {
		t.Errorf("the refused login is told of: %v", err)
	}
	calls, err := w.callsOf(within(t), c.id)
	if err != nil || len(calls) != 1 {
		t.Errorf("%d calls (%v), want the right one alone", len(calls), err)
	}
}

// After a reset the old password is worth nothing at once, although the edge has cached it, and the new one works.
func TestPasswordIsForgottenWhenItChanges(t *testing.T) {
	t.Parallel()
	c := sharedWorld(t).company(t)
	old := *c.users["two"]
	c.register(t, "two") // the edge keeps the password now
	began := time.Now()
	password, err := c.w.Provisioning.ResetPassword(within(t), c.id, c.device("two"))
	must(t, err)
	awaitThat(t, "the old password works still", func(ctx context.Context) (bool, error) {
		return old.Register(ctx, sipptest.Registration{Expect: 403}) == nil, nil
	})
	if took := time.Since(began); took > 2*time.Second { // each attempt takes SIPp some tenths of a second
		t.Errorf("it was forgotten after %s", took)
	}
	c.users["two"].Password = password
	must(t, c.users["two"].Register(within(t), sipptest.Registration{}))
}
