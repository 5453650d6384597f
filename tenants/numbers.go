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
	making *finder // what becomes shared, until settle
	shared *records
	later  finder
	odd    map[string]slot
}

// nobody is the owner of a number that has been taken away.
const nobody = 1<<32 - 1

// laterShare is how large later grows, as a part of shared, before all is put together anew.
const laterShare = 16

func newOwners(count int) owners {
	making := newFinder(count)
	return owners{making: &making}
}

// settle makes what has been put what snapshots share. headOf tells the flow that a number starts.
func (o *owners) settle(headOf func(slot) FlowHead) {
	o.shared, o.making = recordsOf(o.making, headOf), nil
}

// of says which tenant owns a number, by its place, and which of its flows the number starts.
func (o *owners) of(number string) (r record, owned bool) {
	key, exact := keyOf(number)
	if !exact {
		s, there := o.odd[number]
		return record{slot: s}, there && s.place != nobody
	}
	if s := o.later.exactly(key); s != nil {
		return record{slot: *s}, s.place != nobody
	}
	return o.shared.find(key)
}

// put gives a number that is nobody's to a tenant, and says who has it then. It is for what is not settled.
func (o *owners) put(number string, place, leads uint32) (owner uint32) {
	return o.give(o.making, number, place, leads)
}

// change gives a number that is nobody's to a tenant, and says who has it then. It changes nothing that is shared.
func (o *owners) change(number string, place, leads uint32) (owner uint32) {
	if r, owned := o.of(number); owned && place != nobody {
		return r.place
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
