package kamailioconf_test

import (
	"fmt"
	"testing"

	"tandem/messages"
	"tandem/sipptest"
)

// notify orders the edge to send a NOTIFY to a contact of alice's.
func (e *edge) notify(change func(*messages.EdgeNotify)) {
	m := &messages.EdgeNotify{EventCategory: "edge", EventName: "notify", Type: messages.EdgeNotifyV1, Edge: e.values.Edge, Username: "alice", Domain: domain, Event: "check-sync;reboot=false"}
	change(m)
	e.worker.publish("tandem.edges", "", m)
}

// registered registers a phone, and gives the contact that the workers hear of.
func (e *edge) registered(t *testing.T, p *sipptest.Phone, contact string) string {
	t.Helper()
	if err := p.Register(t.Context(), sipptest.Registration{Expires: 120, Contact: contact}); err != nil {
		t.Fatal(err)
	}
	return next(t, e.worker.registrations).Contact
}

func TestAPhoneIsAskedToFetchItsFilesAgain(t *testing.T) {
	e := startEdge(t, nil, nil, nil)
	for name, contact := range map[string]string{"at its own address": "", "behind a NAT": "<sip:alice@10.99.99.99:5555>"} {
		t.Run(name, func(t *testing.T) {
			alice := e.phone("alice")
			where := e.registered(t, alice, contact)
			phone, err := alice.AwaitNotify(t.Context(), 0, sipptest.Check{Header: "Event", Pattern: "^ *check-sync;reboot=false *$"},
				sipptest.Check{Header: "Subscription-State", Pattern: "terminated"}, sipptest.Check{Header: "To", Pattern: "sip:alice@" + domain},
				sipptest.Check{Header: "Contact", Pattern: fmt.Sprintf("<sip:%s;transport=udp>", e.values.Outside)})
			if err != nil {
				t.Fatal(err)
			}
			e.notify(func(m *messages.EdgeNotify) { m.Contact = where })
			if err := phone.Wait(t.Context()); err != nil {
				t.Fatalf("%v\n%s", err, phone.Messages())
			}
		})
	}
}

// What a worker orders passes to a contact that is registered at this edge, and nowhere else. The last order of all is a right one:
// when it has arrived the others have been dealt with, as one of Kamailio's processes takes them in turn.
func TestAnOrderToNotifySomethingElseIsNotTaken(t *testing.T) {
	e := startEdge(t, nil, nil, nil)
	alice, stranger := e.phone("alice"), e.phone("alice")
	where := e.registered(t, alice, "")
	if err := e.phone("bob").Register(t.Context(), sipptest.Registration{}); err != nil {
		t.Fatal(err)
	}
	bob := next(t, e.worker.registrations).Contact
	heard, err := stranger.AwaitNotify(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	phone, err := alice.AwaitNotify(t.Context(), 0, sipptest.Check{Header: "Event", Pattern: "^ *resync *$"})
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*messages.EdgeNotify){
		func(m *messages.EdgeNotify) { m.Edge = "edge2.test" },
		func(m *messages.EdgeNotify) { m.Event = "message-summary" },
		func(m *messages.EdgeNotify) { m.Username = "bob" },
		func(m *messages.EdgeNotify) { m.Domain = "other.test" },
		func(m *messages.EdgeNotify) { m.Contact = fmt.Sprintf("sip:alice@127.0.0.1:%d", stranger.Port) },
		func(m *messages.EdgeNotify) { m.Contact = bob },
	} {
		e.notify(func(m *messages.EdgeNotify) { m.Contact = where; change(m) })
	}
	e.notify(func(m *messages.EdgeNotify) { m.Contact, m.Event = where, "resync" })
	if err := phone.Wait(t.Context()); err != nil {
		t.Errorf("%v\n%s", err, phone.Messages())
	}
	if seen := heard.Seen(); seen != "" {
		t.Errorf("an address that is registered nowhere got\n%s", seen)
	}
	if err := heard.Stop(t.Context()); err != nil {
		t.Log(err)
	}
}
