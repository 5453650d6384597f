package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tandem/callflows"
	"tandem/media"
	"tandem/postgres"
	"tandem/provisioning"
)

// Bounds of opening boxes by telephone.
const (
	pinTries     = 5                // wrong PINs in a row lock a box
	pinLock      = 15 * time.Minute // so long
	pinsAtOnce   = 2                // hashes that are worked out at once: each takes memory and some tens of milliseconds
	messagesTold = callflows.MaxMessagesListed
)

// mailboxes answers calls about their tenants' boxes.
type mailboxes struct {
	store  *postgres.Store
	hashes chan struct{}
}

func newMailboxes(store *postgres.Store) *mailboxes {
	return &mailboxes{store: store, hashes: make(chan struct{}, pinsAtOnce)}
}

// FindMessages lists the newest messages of a box, those that were not heard before the others, each the oldest first.
func (m *mailboxes) FindMessages(ctx context.Context, tenant, box string) ([]callflows.Message, error) {
	rows, err := m.store.Messages(ctx, tenant, box, postgres.MessagePage{Limit: messagesTold})
	if err != nil {
		return nil, err
	}
	all := make([]callflows.Message, 0, len(rows))
	for _, r := range slices.Backward(rows) {
		all = append(all, callflows.Message{ID: r.ID, Media: "Media:" + mediaOf(r), From: r.From, At: r.At, Heard: r.HeardAt != nil})
	}
	slices.SortStableFunc(all, func(a, b callflows.Message) int {
		switch {
		case a.Heard == b.Heard:
			return 0
		case b.Heard:
			return -1
		}
		return 1
	})
	return all, nil
}

// mediaOf is where a recording's sound is below the media folder.
func mediaOf(r postgres.RecordingRow) string {
	if r.Hash != "" {
		return media.Kept(r.Hash)
	}
	return media.Incoming(r.File)
}

// MarkMessage marks one. One that is gone already needs no mark.
func (m *mailboxes) MarkMessage(ctx context.Context, tenant, box, message string, mark callflows.Mark) (err error) {
	switch mark {
	case callflows.MarkHeard:
		_, err = m.store.MarkHeard(ctx, tenant, box, message)
	case callflows.MarkDeleted:
		_, err = m.store.DeleteMessage(ctx, tenant, box, message)
	default:
		err = fmt.Errorf("a message cannot be marked as %q", mark)
	}
	return err
}

// CheckPIN tries a PIN.
func (m *mailboxes) CheckPIN(ctx context.Context, tenant, box, pin string) (callflows.PINOutcome, error) {
	select {
	case m.hashes <- struct{}{}:
		defer func() { <-m.hashes }()
	case <-ctx.Done():
		return callflows.PINAway, ctx.Err()
	}
	right, locked, err := m.store.OpenBox(ctx, tenant, box, postgres.Lock{After: pinTries, For: pinLock}, func(hash string) bool {
		return provisioning.VerifyPIN(hash, pin)
	})
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		return callflows.PINNone, nil
	case err != nil:
		return callflows.PINAway, err
	case right:
		return callflows.PINRight, nil
	case locked:
		return callflows.PINLocked, nil
	}
	return callflows.PINWrong, nil
}
