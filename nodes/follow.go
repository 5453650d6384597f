package nodes

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"syscall"
	"time"

	"tandem/nodes/claim"
	"tandem/nodes/link"
)

// Between two attempts to reach an owner: who may be gone, and who has just been seen.
const (
	retryPause = 20 * time.Millisecond
	againPause = time.Millisecond
)

// standBy follows the owner until it is gone or has changed, and notes which. A link that ends without a word of the owner's
// says little: on a busy machine a tenth of a second's silence is no rarity, and who replaces an owner that lives may double
// its commands. So a silent owner is looked for, over and over, until it has been silent for as long as its lease can last.
// One that answers is followed on, with what was heard meanwhile.
//
// A link that was closed is the end of the owner's process if nothing listens there any more. Otherwise something in between
// has reset it, and the owner may live.
func (n *Node) standBy(ctx context.Context, owner claim.Holder) error {
	n.release() // an owner that has found out by itself that it is one no more
	n.become(standingBy)
	alive := time.Now() // the latest moment at which the owner certainly was
	followed := false   // it knows our secret, so a handshake that fails is no refusal
	for {
		err := n.follow(ctx, owner, &alive, &followed)
		n.gap.heard(alive, err)
		switch {
		case ctx.Err() != nil && n.rescues() && n.staying.Err() == nil:
			n.strand(true)
			return nil
		case ctx.Err() != nil:
			n.become(watching)
			return nil
		case errors.Is(err, link.ErrPeerClosed):
			there := n.presence(ctx, owner, lookWait)
			if there == present {
				pause(ctx, againPause)
				continue
			}
			n.claims.gone, n.claims.silent = owner, there == unknown
			return nil
		case followed && errors.Is(err, link.ErrNotOwned), errors.Is(err, link.ErrHandedOver), errors.Is(err, link.ErrReleased), errors.Is(err, syscall.ECONNREFUSED):
			n.claims.gone, n.claims.silent = owner, false
			return nil
		case errors.Is(err, link.ErrEpoch), errors.Is(err, link.ErrReplaced), errors.Is(err, link.ErrHandshake) && !timedOut(err) && !followed:
			n.become(watching)
			return err
		case time.Since(alive) >= claim.ReplaceAfter:
			n.log.WarnContext(ctx, "the owner of the media node is silent", slog.String("owner", owner.Worker), slog.Any("error", err))
			n.claims.gone, n.claims.silent = owner, true
			return nil
		}
		pause(ctx, retryPause)
	}
}

// timedOut tells a handshake that took too long from one that was refused.
func timedOut(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.Canceled)
}

// follow follows the owner over one link to its end, and says why it ended. The attempt is given up when the owner's lease
// is over.
func (n *Node) follow(ctx context.Context, owner claim.Holder, alive *time.Time, followed *bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	late := time.AfterFunc(time.Until(alive.Add(claim.ReplaceAfter)), cancel)
	defer late.Stop()
	n.following++
	f, err := link.Follow(ctx, link.FollowOptions{Address: owner.Link, Node: n.options.Node.Name, Worker: n.options.Worker, Epoch: owner.Epoch,
		Secret: n.options.Secret, Logger: n.log, Handle: func(r link.Record) { n.told(r, owner) }})
	if err != nil {
		return err
	}
	defer f.Close()
	*followed = true
	if !late.Stop() {
		return link.ErrSilent
	}
	n.log.InfoContext(ctx, "standing by for the media node", slog.String("owner", owner.Worker), slog.Uint64("epoch", owner.Epoch))
	<-f.Done()
	*alive = time.Now()
	if errors.Is(f.Err(), link.ErrSilent) {
		*alive = alive.Add(-link.DefaultSilence)
	}
	return f.Err()
}

// told takes what the owner ships.
func (n *Node) told(r link.Record, owner claim.Holder) {
	switch r.Kind {
	case link.KindSet:
		n.shipped(r.Key, r.Value)
	case link.KindForget:
		n.shipped(r.Key, nil)
	case link.KindOversize: // it is adopted from its channel
		n.shardOf(r.Key).shed(r.Key)
	case link.KindComplete:
		n.pictured()
		n.log.Info("the standby has the whole picture", slog.Uint64("epoch", owner.Epoch), slog.Int64("calls", n.live.Load()))
	}
}

// pictured forgets what an earlier link told of and this one does not: it came to its end in between. What was heard of calls
// before the owner told of them is kept with them now.
func (n *Node) pictured() {
	n.late.forget()
	for _, s := range n.shards {
		s.mu.Lock()
		unheard := s.unheard
		s.unsure, s.unheard = false, nil
		for _, e := range unheard {
			s.keep(e)
		}
		for leg, c := range s.calls {
			if leg == c.state.Call.Leg && c.told != 0 && c.told != n.following {
				s.drop(leg)
			}
		}
		s.mu.Unlock()
	}
	n.cdrsMu.Lock()
	defer n.cdrsMu.Unlock()
	for leg, held := range n.cdrs {
		if held.told != n.following {
			delete(n.cdrs, leg)
		}
	}
	for id, held := range n.recordings {
		if held.told != n.following {
			delete(n.recordings, id)
		}
	}
}
