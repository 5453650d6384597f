package kamailioconf_test

import (
	"testing"

	"tandem/messages"
	"tandem/sipptest"
)

// unregister orders the edge to forget a contact of alice's.
func (e *edge) unregister(change func(*messages.EdgeUnregister)) {
	m := &messages.EdgeUnregister{EventCategory: "edge", EventName: "unregister", Type: messages.EdgeUnregisterV1, Edge: e.values.Edge, Username: "alice", Domain: domain}
	change(m)
	e.worker.publish("tandem.edges", "", m)
}

// A contact is forgotten by order, told of as the phone's own word would be, newer than its registration of the same second, and comes back with
// its next one.
func TestAContactIsForgottenByOrder(t *testing.T) {
	e := startEdge(t, nil, nil, nil)
	alice := e.phone("alice")
	if err := alice.Register(t.Context(), sipptest.Registration{Expires: 120}); err != nil {
		t.Fatal(err)
	}
	registered := next(t, e.worker.registrations)
	for _, change := range []func(*messages.EdgeUnregister){ // not for this edge, or of nobody's
		func(m *messages.EdgeUnregister) { m.Edge = "edge2.test" },
		func(m *messages.EdgeUnregister) { m.Username = "alice' OR" },
	} {
		e.unregister(func(m *messages.EdgeUnregister) { m.Contact = registered.Contact; change(m) })
	}
	e.unregister(func(m *messages.EdgeUnregister) { m.Contact = registered.Contact })
	gone := next(t, e.worker.registrations)
	if gone.Event != messages.Unregistered || gone.Contact != registered.Contact || gone.CallID != registered.CallID || gone.Expires != 0 {
		t.Errorf("told: %+v, of %+v", gone, registered)
	}
	if gone.At < registered.At || gone.At == registered.At && gone.CSeq <= registered.CSeq {
		t.Errorf("%d/%d is not newer than %d/%d", gone.At, gone.CSeq, registered.At, registered.CSeq)
	}
	// What is not there (any more) is told as expired: somebody believes in it.
	e.unregister(func(m *messages.EdgeUnregister) { m.Contact = registered.Contact })
	if again := next(t, e.worker.registrations); again.Event != messages.Expired || again.Contact != registered.Contact {
		t.Errorf("told of what is not there: %+v", again)
	}
	if err := alice.Register(t.Context(), sipptest.Registration{Expires: 120}); err != nil {
		t.Fatal(err)
	}
	if back := next(t, e.worker.registrations); back.Event != messages.Registered {
		t.Errorf("told of the phone's next registration: %+v", back)
	}
}
