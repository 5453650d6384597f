package claim

import (
	"context"
	"time"
)

// Keep renews the lease of the owner me at once and then every RenewEvery, one round trip each, until ctx ends, whose error
// it returns, or until the owner is deposed: a renewal has read another holder. Then the lease is ended, deposed is called
// once with that holder, and Keep returns nil. A vacant holder means that the node has restarted, or was reset: claim it anew.
//
// A renewal that fails changes nothing: the lease runs out by itself. Under esl.Supervise, Keep runs once for each
// connection, with the same lease, until the connection's context ends.
//
// n is the connection that the owner's commands go by, and no other: a renewal that comes back proves that the node has read
// what was written before it, so an owner whose commands get stuck loses its lease and adds none. On a connection of its own
// it would go on. Commands that keep the node busy for as long as a lease do not belong on it: their replies come first.
func Keep(ctx context.Context, n Node, me Holder, lease *Lease, deposed func(Holder)) error {
	tick := time.NewTicker(RenewEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		if now, ok := renew(ctx, n, me, lease); !ok {
			lease.End()
			deposed(now)
			return nil
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return ctx.Err()
}

// renew makes one renewal; ok says that nobody else was read. Its reply is worthless once the lease that it would give has
// run out, so it is not waited for any longer.
func renew(ctx context.Context, n Node, me Holder, lease *Lease) (now Holder, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, LeaseFor)
	defer cancel()
	sent := time.Now()
	got, err := get(ctx, n, OwnerVariable)
	if err != nil {
		return Holder{}, true
	}
	if got != me {
		return got, false
	}
	lease.Renewed(sent)
	return me, true
}
