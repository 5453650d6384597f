package sim

import (
	"slices"
	"time"

	"tandem/callflows"
	"tandem/tenants"
)

// Versions are published, tried, promoted and abandoned while calls are up. Routing has each at once, workers a while later, and one
// that needs a version that it has not got asks for it (nodes, pin.go). Whether any of this is drawn does not change what else
// happens in a world: it has a generator of its own.

// Times of configuration.
const (
	spreading   = 900 * time.Millisecond  // at most, until a worker has what was published
	versionWait = time.Second             // for a version that a worker has not got
	fetching    = 1400 * time.Millisecond // at most, until it comes
)

// pin is what a worker knows of the version that drives a call.
type pin struct {
	snapshot *tenants.Snapshot
	version  int64
	waits    bool
	lacking  bool
	held     []callflows.Event
}

// hold keeps an event for a call that waits for its version. Taking it up after one gap is enough, also if there were two.
func (p *pin) hold(e callflows.Event) {
	if e.Kind == callflows.Resumed {
		p.held = slices.DeleteFunc(p.held, func(before callflows.Event) bool { return before.Kind == callflows.Resumed })
	}
	p.held = append(p.held, e)
}

// edit draws from the generator of versions.
func (w *world) edit(do func()) {
	saved := w.rng
	w.rng = w.editor
	do()
	w.rng = saved
}

// expectVersions books what editors do.
func (w *world) expectVersions() {
	w.edit(func() {
		w.forgetful, w.away = w.chance(30), w.chance(20)
		if !w.chance(70) {
			return
		}
		for range 1 + w.rng.IntN(6) {
			w.at(w.between(0, callsWithin), func() { w.edit(w.publish) })
		}
	})
}

// databaseAway says whether nothing can be published, and no version fetched.
func (w *world) databaseAway() bool {
	return w.away && w.now > 12*time.Second && w.now < 24*time.Second
}

// publish changes a tenant's versions.
func (w *world) publish() {
	if w.databaseAway() {
		return
	}
	data := w.snapshot.Data()
	data.Tenants, data.Revision = slices.Clone(data.Tenants), data.Revision+1
	t := &data.Tenants[w.rng.IntN(len(data.Tenants))]
	t.Versions = slices.Clone(t.Versions)
	switch trial := t.Candidate.Share > 0; {
	case trial && w.chance(40):
		w.happened("version promoted")
		old := t.Published
		t.Published = t.At(t.Candidate.Version).Published
		t.Versions = append(t.Versions, old)
		t.Candidate = tenants.Candidate{}
	case trial && w.chance(50):
		w.happened("version abandoned")
		t.Candidate = tenants.Candidate{}
	case trial:
		t.Candidate.Share = 1 + w.rng.IntN(99)
	case w.chance(40):
		w.happened("version tried")
		p := w.nextVersion(t)
		t.Versions, t.Candidate = append(t.Versions, p), tenants.Candidate{Version: p.Version, Share: 1 + w.rng.IntN(99)}
	default:
		w.happened("version published")
		t.Versions = append(t.Versions, t.Published)
		t.Published = w.nextVersion(t)
	}
	t.Versions = slices.DeleteFunc(t.Versions, func(p tenants.Published) bool {
		return p.Version == t.Published.Version || w.forgetful && p.Version != t.Candidate.Version
	})
	snapshot, faults := tenants.NextSnapshot(w.snapshot, data, callflows.ParseSettings)
	for _, f := range faults {
		panic("sim: a version that does not hold together: " + f.Error())
	}
	w.tell("editor", "%s has version %d, and tries %d on %d %%", t.ID, t.Published.Version, t.Candidate.Version, t.Candidate.Share)
	w.snapshot = snapshot
	for _, k := range w.workers {
		k.soon(w.between(5*time.Millisecond, spreading), func() { k.learnVersions(snapshot) })
	}
}

// nextVersion draws a new version of a tenant.
func (w *world) nextVersion(t *tenants.Tenant) tenants.Published {
	w.versions[t.ID]++
	p := w.anyPublished(t, w.versions[t.ID], len(t.Published.AllFlows()), len(w.tenants))
	w.archive[edition{t.ID, p.Version}] = p
	return p
}

// edition names a version of a tenant.
type edition struct {
	tenant  string
	version int64
}

// learnVersions is told what was published.
func (k *worker) learnVersions(s *tenants.Snapshot) {
	if s.Revision() > k.snapshot.Revision() {
		k.snapshot = s
	}
}

// readVersions is what a process that starts does: it has what PostgreSQL has, or else what the process before it left.
func (k *worker) readVersions() {
	if k.snapshot == nil || !k.w.databaseAway() {
		k.snapshot = k.w.snapshot
	}
}

// pinnedBy is what says which version drives the call.
func (c *driven) pinnedBy() callflows.State {
	if c.state.Phase == "" {
		return callflows.State{Call: c.facts}
	}
	return c.state
}

// pinned makes sure that a call's configuration is that of its version (nodes, pin.go).
func (k *worker) pinned(c *driven) bool {
	state := c.pinnedBy()
	version := state.PinnedTo()
	if c.pin.version != version {
		c.pin.version, c.pin.snapshot, c.pin.waits, c.pin.lacking = version, nil, false, false
	}
	if c.pin.waits || c.pin.snapshot == k.snapshot {
		return !c.pin.waits
	}
	config, held := callflows.Pinned(k.snapshot, state)
	had := c.config.Tenant
	switch {
	case k.w.plant.NoPin:
		state.Version = k.w.published(c.facts.Tenant, k.snapshot)
		config, _ = callflows.Pinned(k.snapshot, state)
	case held:
	case had != nil && had.Published.Version == version:
		config.Tenant = config.Tenant.With(had)
	case c.pin.lacking:
	default:
		k.want(c)
		return false
	}
	c.config, c.pin.snapshot = config, k.snapshot
	return true
}

// published is the version that new calls of a tenant get.
func (w *world) published(tenant string, s *tenants.Snapshot) int64 {
	if t := s.Tenant(tenant); t != nil {
		return t.Published.Version
	}
	return 0
}

// want has a version fetched, and lets the call go on with it, or without it when it does not come.
func (k *worker) want(c *driven) {
	c.pin.waits = true
	var takes time.Duration
	k.w.edit(func() { takes = k.w.between(time.Millisecond, fetching) })
	version := c.pin.version
	k.soon(min(takes, versionWait), func() {
		if c.pin.waits && c.pin.version == version && k.calls[c.facts.Leg] == c {
			k.supply(c, takes < versionWait && !k.w.databaseAway())
		}
	})
}

func (k *worker) supply(c *driven, came bool) {
	w := k.w
	c.pin.waits, c.pin.lacking = false, !came
	if came {
		w.happened("version fetched")
		c.config.Tenant, _ = k.snapshot.Tenant(c.facts.Tenant).Under(w.archive[edition{c.facts.Tenant, c.pin.version}], callflows.ParseSettings)
	} else {
		w.happened("version not to be had")
		w.byID[c.facts.ID].excused = true
		w.tell(k.name, "%s cannot have version %d", short(c.facts.Leg), c.pin.version)
	}
	if k.role != owning || !k.pinned(c) {
		return
	}
	held := c.pin.held
	c.pin.held = nil
	for _, e := range held {
		if c.state.Phase != callflows.Ended && k.alive {
			k.take(c, e)
		}
	}
	k.takeKept(c)
}

// takeKept steps what was kept of a call.
func (k *worker) takeKept(c *driven) {
	kept := c.kept
	c.kept = nil
	for _, e := range kept {
		if k.alive {
			c.note(e)
			k.take(c, e.event)
		}
	}
}

// checkVersion checks that a call is driven by the version that routing decided with, unless a worker could not get it, and that
// what is said of it names the version that drives it.
func (w *world) checkVersion(c *driven, out callflows.Outcome) {
	t := c.config.Tenant
	if t == nil || !out.State.Versioned() || out.State.Phase == "" {
		return
	}
	call := w.byID[c.facts.ID]
	if call.version == 0 {
		call.version = c.facts.Version
		if !c.facts.Versioned() { // a transfer has led it to a flow of its tenant's
			call.version = t.Published.Version
		}
	}
	if t.Published.Version != call.version && !call.excused {
		w.violate(OneVersion, c.facts.ID, "version %d drives it, which began under %d", t.Published.Version, call.version)
	}
	call.version = t.Published.Version
	if out.State.Phase == callflows.Running && out.State.DrivenBy() != t.Published.Version {
		w.violate(OneVersion, c.facts.ID, "version %d drives it, and its state names %d", t.Published.Version, out.State.DrivenBy())
	}
}
