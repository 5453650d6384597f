package tenants

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Change is what is different since an earlier snapshot: the tenants that were touched, whole, and all that is no tenant's.
type Change struct {
	LoadedAt  time.Time
	Revision  int64
	Tenants   []Tenant // new, or changed in any way
	Gone      []string // ids of tenants that are no more
	Trunks    []Trunk
	Outbound  []OutboundRoute
	Emergency Emergency
	Nodes     []Node
	Origin    string
}

// With gives the snapshot that follows on this one, and what it left out of the change. It takes over the change. Whatever is not
// touched is shared with this snapshot, which stays as it is: a change costs what changed.
func (s *Snapshot) With(c Change, parse ParseSettings) (*Snapshot, []Fault) {
	if s.contested {
		return s.merged(c, parse)
	}
	next := &Snapshot{data: Data{LoadedAt: c.LoadedAt, Revision: c.Revision, Trunks: c.Trunks, Outbound: c.Outbound, Emergency: c.Emergency, Nodes: c.Nodes, Origin: c.Origin},
		all: slices.Clone(s.all), tenants: maps.Clone(s.tenants), domains: maps.Clone(s.domains), numbers: s.numbers.next(), recent: s.recent}
	places := map[string]uint32{} // of those that are replaced
	for _, id := range c.Gone {
		next.dismiss(id)
	}
	for i := range c.Tenants {
		if place, was := next.dismiss(c.Tenants[i].ID); was {
			places[c.Tenants[i].ID] = place
		}
	}
	var faults []Fault
	same := newSharing(parse, next.recent)
	for i := range c.Tenants {
		t := &Tenant{}
		*t = c.Tenants[i]
		place, was := places[t.ID]
		if !was {
			place = uint32(len(next.all))
			next.all = append(next.all, nil)
		}
		found := t.index(s.known(t.ID), same)
		if !next.readmit(t, place) { // two tenants claim the same: whose it is must not depend on who came last
			return s.merged(c, parse)
		}
		faults = append(faults, found...)
	}
	if next.numbers.crowded() {
		next.numbers = next.putTogether()
	}
	return next, append(faults, next.indexPlatform()...)
}

// dismiss takes a tenant away, and says where it was.
func (s *Snapshot) dismiss(id string) (place uint32, was bool) {
	t := s.tenants[id]
	if t == nil {
		return 0, false
	}
	delete(s.tenants, id)
	if domain := strings.ToLower(t.Domain); s.domains[domain] == t {
		delete(s.domains, domain)
	}
	for i := range t.people.numbers.count() {
		n := t.number(i)
		if r, owned := s.numbers.of(n); owned && r.place == t.place {
			s.numbers.change(n, nobody, nowhere)
		}
	}
	s.all[t.place] = nil
	return t.place, true
}

// readmit makes a tenant findable at a place. It is false when another has what it claims.
func (s *Snapshot) readmit(t *Tenant, place uint32) bool {
	domain := strings.ToLower(t.Domain)
	if s.tenants[t.ID] != nil || domain == "" || s.domains[domain] != nil {
		return false
	}
	t.place = place
	s.all[place], s.tenants[t.ID], s.domains[domain] = t, t, t
	for i := range t.people.numbers.count() {
		n := t.number(i)
		if s.numbers.change(n, place, t.leads(n)) != place {
			return false
		}
	}
	return true
}

// putTogether makes one table of all numbers.
func (s *Snapshot) putTogether() owners {
	count := 0
	for _, t := range s.all {
		if t != nil {
			count += t.people.numbers.count()
		}
	}
	o := newOwners(count)
	for _, t := range s.all {
		if t == nil {
			continue
		}
		for i := range t.people.numbers.count() {
			n := t.number(i)
			o.put(n, t.place, t.leads(n))
		}
	}
	o.settle(s.headOf)
	return o
}

// merged makes the snapshot anew from everything.
func (s *Snapshot) merged(c Change, parse ParseSettings) (*Snapshot, []Fault) {
	data := s.Data()
	touched := map[string]bool{}
	for _, id := range c.Gone {
		touched[id] = true
	}
	for i := range c.Tenants {
		touched[c.Tenants[i].ID] = true
	}
	data.Tenants = slices.DeleteFunc(data.Tenants, func(t Tenant) bool { return touched[t.ID] })
	data.Tenants = append(data.Tenants, c.Tenants...)
	slices.SortStableFunc(data.Tenants, func(a, b Tenant) int { return strings.Compare(a.ID, b.ID) })
	data.LoadedAt, data.Revision, data.Trunks, data.Outbound, data.Emergency, data.Nodes, data.Origin = c.LoadedAt, c.Revision, c.Trunks, c.Outbound, c.Emergency, c.Nodes, c.Origin
	return NextSnapshot(s, data, parse)
}
