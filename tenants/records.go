package tenants

import (
	"encoding/binary"
	"strings"
)

// records is a table of numbers that never changes once it is made: an open table like a finder's, in one text without pointers. Its
// slots are one line of the processor's cache each and hold all that a decision wants to know of a number, so that among a million
// numbers, of which hardly any is in a cache, a decision waits for memory once:
//
//	key (8 bytes), place (4), leads (4), then id and name of the flow that the number starts, the length before each
//
// An empty slot has the key 0. Where id and name are too long for a slot, the flow says them itself.
type records struct {
	text  string
	slots int
	held  int
}

// Where the parts of a slot begin.
const (
	recordPlace = 8
	recordLeads = 12
	recordHead  = 16
	recordSize  = 64
)

// headRoom is how long id and name of a flow may be together to stand in a slot, with a byte for the length of each.
const headRoom = recordSize - recordHead - 2

// recordsOf makes the table of a finder whose names are all their own keys.
func recordsOf(f *finder, headOf func(slot) FlowHead) *records {
	var text strings.Builder
	text.Grow(len(f.slots) * recordSize)
	var room [recordSize]byte
	for _, s := range f.slots { // each where it is: both tables have as many slots
		clear(room[:])
		binary.LittleEndian.PutUint64(room[:], s.key)
		binary.LittleEndian.PutUint32(room[recordPlace:], s.place)
		binary.LittleEndian.PutUint32(room[recordLeads:], s.leads)
		if s.key != 0 && s.leads != nowhere {
			if head := headOf(s); len(head.ID)+len(head.Name) <= headRoom {
				at := recordHead
				for _, part := range [...]string{head.ID, head.Name} {
					room[at] = byte(len(part))
					at += 1 + copy(room[at+1:], part)
				}
			}
		}
		text.Write(room[:])
	}
	return &records{text: text.String(), slots: len(f.slots), held: f.held}
}

// record is what a slot holds.
type record struct {
	slot
	head FlowHead // the zero value where the flow itself says it
}

// find gives the record of a key.
func (r *records) find(key uint64) (found record, there bool) {
	if r.held == 0 {
		return record{}, false
	}
	for i := homeOf(key, r.slots); ; {
		at := r.text[i*recordSize:][:recordSize]
		switch low := word(at, 0); uint64(low) | uint64(word(at, 4))<<32 {
		case key:
			found.slot = slot{key: key, place: word(at, recordPlace), leads: word(at, recordLeads)}
			if id := int(at[recordHead]); id > 0 {
				name := recordHead + 1 + id
				found.head = FlowHead{ID: at[recordHead+1 : name], Name: at[name+1:][:at[name]]}
			}
			return found, true
		case 0:
			return record{}, false
		}
		if i++; i == r.slots {
			i = 0
		}
	}
}

// word reads four bytes, the least first.
func word(s string, at int) uint32 {
	s = s[at:][:4]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}
