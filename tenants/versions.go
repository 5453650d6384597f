package tenants

import (
	"slices"
)

// A tenant has one version that new calls get, perhaps a candidate that some of them get, and older ones under which calls are
// still up. All of them are in memory, so that a call ends under the version that it began with, on whichever worker:
//
//	Tenant (users, devices, limits ... as of now) ──┬── Published, version 8   At(8), the tenant itself
//	                                                ├── Versions: 9            At(9), the candidate
//	                                                └── Versions: 7            At(7), calls that are up
//
// At gives the tenant under one of them: what is always current is as it is now, and the versioned part is that version's. The
// versioned part is never changed once it is indexed, and snapshots share it, so a snapshot costs what has changed.

// Candidate is a version that a share of new calls get before all do. The zero value is none.
type Candidate struct {
	Version int64 `json:"version"`
	Share   int   `json:"share"` // of a hundred calls, 1 to 99
}

// parts are the indexes of one version's Published.
type parts struct {
	routes   finder // by what is dialled; a slot leads to the flow
	prefixes finder // Routes that serve what begins with them
	flows    finder // by id
	schedule finder // by id
	lists    finder // by id
	blocked  finder

	faults []Fault // what was left out
}

// detach makes what indexing writes into the version's own where another snapshot may be reading it.
func (p *Published) detach() {
	p.Lists, p.Schedules = slices.Clone(p.Lists), slices.Clone(p.Schedules)
}

// read is what a snapshot that may be nil and those after it have read.
func (s *Snapshot) read() *recent {
	if s == nil {
		return &recent{}
	}
	return s.recent
}

// known finds a tenant of a snapshot that may be nil.
func (s *Snapshot) known(id string) *Tenant {
	if s == nil {
		return nil
	}
	return s.tenants[id]
}

// indexVersions indexes every version of the tenant that is not there already, and says what was left out of any.
func (t *Tenant) indexVersions(before *Tenant, same *sharing) []Fault {
	t.views = make(map[int64]*Tenant, 1+len(t.Versions))
	t.indexOrShare(before, same)
	faults := t.faults
	t.views[t.Published.Version] = t
	for i := range t.Versions {
		view := *t
		view.Published, view.parts = t.Versions[i], parts{}
		view.indexOrShare(before, same)
		if t.views[view.Published.Version] == nil {
			t.views[view.Published.Version] = &view
			faults = append(faults, view.faults...)
		}
		t.Versions[i] = view.Published
	}
	return faults
}

// indexOrShare takes the versioned part over from an earlier snapshot, if that has the same.
func (t *Tenant) indexOrShare(before *Tenant, same *sharing) {
	if before != nil && before.location.String() == t.location.String() { // schedules follow the tenant's zone
		if same := before.At(t.Published.Version); same != nil && same.Published.PublishedAt.Equal(t.Published.PublishedAt) {
			t.Published, t.parts = same.Published, same.parts
			return
		}
	}
	faults := t.indexPublished(same)
	t.faults = slices.Clip(faults)
}

// At gives the tenant under a version of its configuration, or nil when that is not in memory.
func (t *Tenant) At(version int64) *Tenant {
	if version == t.Published.Version {
		return t
	}
	return t.views[version]
}

// With gives the tenant as it is, under the version of another view of it: one that this snapshot does not hold any more.
func (t *Tenant) With(pinned *Tenant) *Tenant {
	view := *t
	view.Published, view.parts = pinned.Published, pinned.parts
	return &view
}

// Under gives the tenant as it is, under a version that was read from elsewhere, and what was left out of that.
func (t *Tenant) Under(p Published, parse ParseSettings) (*Tenant, []Fault) {
	view := *t
	view.Published, view.parts = p, parts{}
	view.indexOrShare(nil, newSharing(parse, t.Published.packed.recent))
	return &view, view.faults
}

// As gives the same tenant and the same configuration under the number of another version, for asking what would have been.
func (t *Tenant) As(version int64) *Tenant {
	view := *t
	view.Published.Version = version
	return &view
}
