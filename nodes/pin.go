package nodes

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"tandem/callflows"
	"tandem/tenants"
)

// A call is driven by the version that routing decided with, to its end. Every snapshot holds the versions that calls may
// still use, and a call keeps hold of its own, so finding it is a look into memory. It is not there when routing ran on a worker
// that had the version earlier, or when a call is older than what snapshots keep. Then the version is fetched beside the
// shard, which goes on with its other calls; what the call hears meanwhile waits. One that cannot be had in time is replaced by
// the version that new calls get: the engine says so in the call's journal (callflows, pin.go).

// Bounds of getting a version that is not in memory.
const (
	versionWait = time.Second // then the call goes on under another: its caller hears nothing meanwhile
	maxWanted   = 1024        // versions that wait to be fetched; further calls go on under another at once
)

// Versions gets versions of tenants that the snapshot does not hold.
type Versions interface {
	// Version gives the tenant as it is now under one of its versions. Many calls may ask for the same at once.
	Version(ctx context.Context, tenant string, version int64) (*tenants.Tenant, error)
}

// wanted is a call that waits for its version.
type wanted struct {
	shard   *shard
	call    *call
	tenant  string
	version int64
}

// pin is what a call knows of the version that drives it.
type pin struct {
	snapshot *tenants.Snapshot // of which the call's configuration was made
	version  int64             // that was asked for, callflows.State.PinnedTo
	waits    bool              // for the version to be fetched
	lacking  bool              // it could not be had
	held     []callflows.Event // while it waits: events that are not a channel's
}

// pinned makes sure that the call's configuration is that of its version, with all that is not versioned as it is now. It is
// false while the version is being fetched: the call must not be stepped then.
func (s *shard) pinned(c *call) bool {
	snapshot, version := s.node.options.Snapshot(), c.state.PinnedTo()
	if c.pin.version != version {
		c.pin.version, c.pin.snapshot, c.pin.waits, c.pin.lacking = version, nil, false, false
	}
	if c.pin.waits { // what it has heard meanwhile comes first, whatever else makes the version known
		return false
	}
	if c.pin.snapshot == snapshot {
		return true
	}
	config, held := callflows.Pinned(snapshot, c.state)
	config.Unexplained = s.node.options.Unexplained
	had := c.config.Tenant
	switch {
	case held && config.Tenant != nil:
	case had != nil && (config.Tenant == nil || had.Published.Version == version): // the snapshot has let go of it, the call has not
		if config.Tenant == nil {
			config.Tenant = had
		} else {
			config.Tenant = config.Tenant.With(had)
		}
	case held, c.pin.lacking, version == 0, !s.want(c):
		if !held {
			s.node.log.Warn("a call goes on under another version of its tenant's configuration", slog.String("call_id", c.state.Call.ID),
				slog.String("tenant_id", c.state.Call.Tenant), slog.Int64("version", version), slog.Int64("now", config.Tenant.Published.Version))
		}
	default:
		return false
	}
	c.config, c.pin.snapshot = config, snapshot
	return true
}

// want has a call's version fetched. It is false when that cannot be.
func (s *shard) want(c *call) bool {
	if s.node.options.Versions == nil {
		return false
	}
	select {
	case s.node.wanting <- wanted{s, c, c.state.Call.Tenant, c.pin.version}:
		c.pin.waits = true
	default:
	}
	return c.pin.waits
}

// hold keeps an event for a call that waits for its version. Taking it up after one gap is enough, also if there were two.
func (c *call) hold(e callflows.Event) {
	if e.Kind == callflows.Resumed {
		c.pin.held = slices.DeleteFunc(c.pin.held, func(before callflows.Event) bool { return before.Kind == callflows.Resumed })
	}
	if len(c.pin.held) < maxKept {
		c.pin.held = append(c.pin.held, e)
	}
}

// fetch gets the versions that calls wait for.
func (n *Node) fetch(ctx context.Context) {
	var underWay sync.WaitGroup
	defer underWay.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case w := <-n.wanting:
			underWay.Go(func() { n.fetchOne(ctx, w) })
		}
	}
}

var errNotInTime = errors.New("nodes: the version did not come in time")

// fetchOne gets a call's version and lets the call go on, under another if it must be.
func (n *Node) fetchOne(ctx context.Context, w wanted) {
	bounded, cancel := context.WithTimeoutCause(ctx, versionWait, errNotInTime)
	defer cancel()
	t, err := n.options.Versions.Version(bounded, w.tenant, w.version)
	if ctx.Err() != nil {
		return // this worker leaves, and its successor asks
	}
	if err != nil {
		n.log.WarnContext(ctx, "a version of a tenant's configuration cannot be had", slog.String("tenant_id", w.tenant),
			slog.Int64("version", w.version), slog.Any("error", err))
	}
	w.shard.supply(w, t)
}

// supply gives a call the version that it has waited for, nil when that cannot be had, and steps what it has heard meanwhile.
func (s *shard) supply(w wanted, t *tenants.Tenant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := w.call
	if !c.pin.waits || c.pin.version != w.version {
		return // it goes on under what its owner has shipped
	}
	c.pin.waits, c.pin.lacking = false, t == nil
	if t != nil {
		c.config.Tenant = t
	}
	if s.node.role.Load() != owning || !s.pinned(c) {
		return
	}
	held := c.pin.held
	c.pin.held = nil
	for _, e := range held {
		if c.state.Phase != callflows.Ended {
			s.step(c, e)
		}
	}
	s.stepKept(c)
}
