package link

import (
	"context"
	"fmt"
)

// HandOver gives the node to its standby in order: Ship is refused from now on, all that was shipped is acknowledged, the
// snapshot is complete, and then the standby is told to take over, which it sees as ErrHandedOver. The caller has stopped
// to act on the node before, and does not act on it after nil.
//
// An error within ErrNotHandedOver says that the standby was not told: the caller owns on, and Ship is accepted again.
// ErrHandOverUnknown says that it may have been told: the caller must not act before it has asked the node.
func (o *Owner) HandOver(ctx context.Context) error {
	s, err := o.seal()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotHandedOver, err)
	}
	if err := s.settle(ctx); err != nil {
		o.unseal(s)
		return fmt.Errorf("%w: %w", ErrNotHandedOver, err)
	}
	position, said := s.outbox.mark(frameGoodbye)
	if !said {
		o.unseal(s)
		return fmt.Errorf("%w: %w", ErrNotHandedOver, ErrNoStandby)
	}
	s.goodbye.Store(position)
	s.rouse()
	err = s.acks.await(ctx, position)
	o.close()
	if err != nil {
		s.end(ErrReleased)
		return fmt.Errorf("%w: %w", ErrHandOverUnknown, err)
	}
	s.end(ErrHandedOver)
	o.server.counters.handedOver.Add(1)
	return nil
}

// seal refuses what is shipped and new standbys while the node is handed over.
func (o *Owner) seal() (*session, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.released:
		return nil, ErrReleased
	case o.handing:
		return nil, ErrBusy
	}
	s := o.current.Load()
	if s == nil {
		return nil, ErrNoStandby
	}
	o.handing = true
	o.refusing.Store(true)
	s.outbox.seal(true)
	return s, nil
}

func (o *Owner) unseal(s *session) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.handing = false
	o.refusing.Store(o.released)
	s.outbox.seal(false)
}

// settle waits until the standby has acknowledged the whole snapshot and all that was shipped.
func (s *session) settle(ctx context.Context) error {
	select {
	case <-s.pictured:
	case <-s.ended:
		return s.why
	case <-ctx.Done():
		return ctx.Err()
	}
	appended, _ := s.outbox.positions()
	return s.acks.await(ctx, appended)
}

// await is wait with a context instead of a limit; an error says why the position was not reached.
func (a *acks) await(ctx context.Context, position uint64) error {
	w, waiting := a.enlist(position)
	if !waiting {
		if a.reached.Load() >= position {
			return nil
		}
		return ErrNoStandby
	}
	told := false
	var err error = ErrNoStandby
	select {
	case told = <-w.told:
	case <-ctx.Done():
		told, err = a.giveUp(w), ctx.Err()
	}
	a.spare.Put(w)
	if told {
		return nil
	}
	return err
}
