package tenants

import (
	"maps"
	"slices"
)

// owners says whose each number is. Snapshots that follow one another share what has not changed between them:
//
//	shared   a million numbers, as they were some changes ago
//	later    what has changed since: asked first
//
// A number that no phone can dial, which the database refuses, is kept aside.
type owners struct {
	shared *finder
	later  finder
	odd    map[string]slot
}

// nobody is the owner of a number that has been taken away.
const nobody = 1<<32 - 1

// laterShare is how large later grows, as a part of shared, before all is put together anew.
const laterShare = 16

func newOwners(count int) owners {
	shared := newFinder(count)
	return owners{shared: &shared}
}

// of says which tenant owns a number, by its place, and which of its flows the number starts.
func (o *owners) of(number string) (place, leads uint32, owned bool) {
	if key, exact := keyOf(number); exact {
		s := o.later.exactly(key)
		if s == nil {
			s = o.shared.exactly(key)
		}
		if s == nil {
			return 0, 0, false
		}
		return s.place, s.leads, s.place != nobody
	}
	s, there := o.odd[number]
	return s.place, s.leads, there && s.place != nobody
}

// put gives a number that is nobody's to a tenant, and says who has it then. It changes what is shared.
func (o *owners) put(number string, place, leads uint32) (owner uint32) {
	return o.give(o.shared, number, place, leads)
}

// change gives a number that is nobody's to a tenant, and says who has it then. It changes nothing that is shared.
func (o *owners) change(number string, place, leads uint32) (owner uint32) {
	if owner, _, owned := o.of(number); owned && place != nobody {
		return owner
	}
	return o.give(&o.later, number, place, leads)
}

func (o *owners) give(to *finder, number string, place, leads uint32) (owner uint32) {
	if _, ok := dialKey(number); !ok {
		if has, there := o.odd[number]; there && has.place != nobody && place != nobody {
			return has.place
		}
		if o.odd == nil {
			o.odd = map[string]slot{}
		}
		o.odd[number] = slot{place: place, leads: leads}
		return place
	}
	s, fresh := to.put(number, nil)
	if fresh || s.place == nobody || place == nobody {
		s.place, s.leads = place, leads
	}
	return s.place
}

// next is a copy that can be changed without this one's seeing it.
func (o *owners) next() owners {
	return owners{shared: o.shared, later: finder{slots: slices.Clone(o.later.slots), held: o.later.held}, odd: maps.Clone(o.odd)}
}

// crowded says that too much has changed for the two to be asked one after the other.
func (o *owners) crowded() bool { return o.later.held > 1024+o.shared.held/laterShare }
