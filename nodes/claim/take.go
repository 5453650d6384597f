package claim

import (
	"context"
	"errors"
	"fmt"
)

var (
	// ErrUnknown: the swap's reply was lost, and reading back did not tell. It may still be executed, so read again.
	ErrUnknown = errors.New("claim: outcome unknown")
	// ErrEpoch: the claim is not above the one that it would replace.
	ErrEpoch = errors.New("claim: epoch does not grow")
)

// LostError says that the place has another holder than the one who asked for it.
type LostError struct{ Holder Holder }

func (e *LostError) Error() string { return "claim: held by " + e.Holder.String() }

// Read reads both places of a node: two round trips.
func Read(ctx context.Context, n Node) (owner, standby Holder, err error) {
	if owner, err = get(ctx, n, OwnerVariable); err != nil {
		return Holder{}, Holder{}, err
	}
	if standby, err = get(ctx, n, StandbyVariable); err != nil {
		return Holder{}, Holder{}, err
	}
	return owner, standby, nil
}

// Take claims a node for me, whose epoch is above seen's (see Holder.By): one round trip on an event socket. It replaces seen and nobody
// else, and returns the owner after the attempt: me, or, with a *LostError, another. Any other error leaves it open who
// owns the node: read again, and claim it anew should it be me. The winner counts its Lease from an instant before the call.
func Take(ctx context.Context, n Node, seen, me Holder) (Holder, error) {
	return take(ctx, n, OwnerVariable, seen, me)
}

// TakeStandby claims the standby's place in the same way. Its epochs are its own.
func TakeStandby(ctx context.Context, n Node, seen, me Holder) (Holder, error) {
	return take(ctx, n, StandbyVariable, seen, me)
}

// Leave makes the owner's place vacant if h holds it, and keeps its epoch. The owner ends its Lease before. No error means
// that h does not hold the place any more, whoever does.
func Leave(ctx context.Context, n Node, h Holder) error { return leave(ctx, n, OwnerVariable, h) }

// LeaveStandby makes the standby's place vacant in the same way. The owner calls it as well, for a standby that is gone.
func LeaveStandby(ctx context.Context, n Node, h Holder) error {
	return leave(ctx, n, StandbyVariable, h)
}

func get(ctx context.Context, n Node, name string) (Holder, error) {
	text, err := n.Get(ctx, name)
	if err != nil {
		return Holder{}, err
	}
	h, err := Parse(text)
	if err != nil {
		return Holder{}, fmt.Errorf("%s: %w", name, err)
	}
	return h, nil
}

func take(ctx context.Context, n Node, name string, seen, me Holder) (Holder, error) {
	if me.Vacant() || me.Epoch <= seen.Epoch {
		return Holder{}, fmt.Errorf("%w: %s after %s", ErrEpoch, me, seen)
	}
	got, replied, err := swap(ctx, n, name, me, seen)
	switch {
	case err != nil:
		return Holder{}, err
	case got == me:
		return me, nil
	case got == seen && !replied: // it may be on its way still
		return Holder{}, fmt.Errorf("%w: %s still holds %s", ErrUnknown, got, name)
	}
	return got, &LostError{Holder: got}
}

func leave(ctx context.Context, n Node, name string, h Holder) error {
	if h.Vacant() {
		return nil
	}
	got, _, err := swap(ctx, n, name, Holder{Epoch: h.Epoch}, h)
	if err == nil && got == h {
		err = fmt.Errorf("%w: %s still holds %s", ErrUnknown, h, name)
	}
	return err
}

// swap replaces one holder by another and reads back, because the swap's own reply says nothing and may be lost. replied
// says that the swap was certainly executed before the reading.
func swap(ctx context.Context, n Node, name string, next, seen Holder) (got Holder, replied bool, err error) {
	if err := errors.Join(next.check(), seen.check()); err != nil {
		return Holder{}, false, err
	}
	var lost error
	if fast, ok := n.(atOnce); ok {
		var text string
		if text, lost = fast.SwapGet(ctx, name, next.String(), seen.String()); lost == nil {
			if got, err = Parse(text); err != nil {
				return Holder{}, false, fmt.Errorf("%w: %s: %w", ErrUnknown, name, err)
			}
			return got, true, nil
		}
	} else {
		lost = n.Swap(ctx, name, next.String(), seen.String())
	}
	got, err = get(ctx, n, name)
	if err != nil {
		return Holder{}, false, fmt.Errorf("%w: %w", ErrUnknown, errors.Join(lost, err))
	}
	return got, lost == nil, nil
}
