package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tandem/directory"
	"tandem/messages"
	"tandem/postgres"
	"tandem/rabbit"
)

// How long an edge may take to forget a contact, and how often it is looked for.
const (
	forgottenWait  = 2 * time.Second
	forgottenEvery = 20 * time.Millisecond
)

// contacts orders something of the edges that hold contacts.
type contacts struct{ w *worker }

// Notify orders a NOTIFY.
func (c contacts) Notify(ctx context.Context, r postgres.RegistrationRow, event string) error {
	return c.order(ctx, &messages.EdgeNotify{EventCategory: "edge", EventName: "notify", Type: messages.EdgeNotifyV1, Edge: r.Edge, Username: r.Username, Domain: r.Domain,
		Contact: r.Contact, Event: event})
}

// Unregister orders that a contact is forgotten, and waits a moment for the edge's word. Of an edge that nobody has heard of for minutes this
// worker gives the word itself: the contact cannot be reached through it.
func (c contacts) Unregister(ctx context.Context, r postgres.RegistrationRow) (gone bool, err error) {
	err = c.order(ctx, &messages.EdgeUnregister{EventCategory: "edge", EventName: "unregister", Type: messages.EdgeUnregisterV1, Edge: r.Edge, Username: r.Username, Domain: r.Domain, Contact: r.Contact})
	if err != nil {
		return false, err
	}
	if c.forgotten(ctx, r) {
		return true, nil
	}
	heard, err := c.w.store.EdgeHeard(ctx, r.Edge)
	if err != nil || heard {
		return false, err
	}
	word := &messages.Registration{Type: messages.RegistrationV1, Event: messages.Unregistered, Edge: r.Edge, EdgeURI: r.EdgeURI, Username: r.Username, Domain: r.Domain,
		Contact: r.Contact, At: time.Now().Unix(), CallID: r.CallID, CSeq: r.CSeq, SourceAddress: r.Address, SourcePort: r.Port, Transport: r.Transport, UserAgent: r.UserAgent}
	if err := c.w.rabbit.PublishConfirmed(ctx, rabbit.ExchangeEvents, string(messages.RegistrationV1), word); err != nil {
		return false, fmt.Errorf("tell of a registration: %w", err)
	}
	return c.forgotten(ctx, r), nil
}

func (c contacts) order(ctx context.Context, m messages.Message) error {
	if err := c.w.rabbit.Publish(ctx, rabbit.ExchangeEdges, "", m); err != nil {
		return fmt.Errorf("order an edge: %w", err)
	}
	return nil
}

// forgotten waits until this worker does not know the contact any more, or time is up.
func (c contacts) forgotten(ctx context.Context, r postgres.RegistrationRow) bool {
	ctx, cancel := context.WithTimeout(ctx, forgottenWait)
	defer cancel()
	tick := time.NewTicker(forgottenEvery)
	defer tick.Stop()
	for {
		known := c.w.facts.registrations.Contacts(r.Username, r.Domain, time.Now())
		if !slices.ContainsFunc(known, func(k directory.Contact) bool { return k.URI == r.Contact }) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}
