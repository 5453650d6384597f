package tenants

import "math/bits"

// finder finds things of a slice by their names: an open table of 16 bytes a slot, four slots to a line of the processor's cache,
// and no pointers, so that a million names cost the garbage collector nothing. What a name of a finder belongs to is told by its
// place in the slice.
//
// A name of at most 16 characters out of those that phones dial (digits, +, * and #) is its own key, so that one look at one slot
// finds it. Of any other the slot has a hash, and the name itself is compared.
type finder struct {
	slots []slot // none for none
	held  int
}

// slot is empty when its key is 0.
type slot struct {
	key   uint64
	place uint32
	leads uint32 // where in its version's text the flow stands that the name leads to, or that it is the name of
}

// fill is how full a table becomes, in fifths.
const fill = 4

// newFinder makes room for so many names.
func newFinder(names int) finder {
	if names == 0 {
		return finder{}
	}
	return finder{slots: make([]slot, names*5/fill+1)}
}

// dialKey is the key of what can be dialled: four bits a character.
func dialKey(name string) (key uint64, ok bool) {
	const longest = 16
	if len(name) > longest {
		return 0, false
	}
	for i := range len(name) {
		var digit uint64
		switch c := name[i]; {
		case c >= '0' && c <= '9':
			digit = uint64(c-'0') + 1
		case c == '+':
			digit = 11
		case c == '*':
			digit = 12
		case c == '#':
			digit = 13
		default:
			return 0, false
		}
		key = key<<4 | digit
	}
	return key, key != 0
}

// hashed marks a key that is a hash: no key of what can be dialled begins with 16 characters of which the first is 15.
const hashed = 0xf << 60

func keyOf(name string) (key uint64, exact bool) {
	if key, ok := dialKey(name); ok {
		return key, true
	}
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	key = offset
	for i := range len(name) {
		key = (key ^ uint64(name[i])) * prime
	}
	return key | hashed, false
}

// spread is 2^64 by the golden ratio.
const spread = 0x9e3779b97f4a7c15

// nowhere is what a name leads to that leads to nothing.
const nowhere = 1<<32 - 1

// home is where a key is looked for first: spread over the table by a multiplication (Fibonacci hashing), of which the upper
// half says where.
func (f *finder) home(key uint64) int { return homeOf(key, len(f.slots)) }

func homeOf(key uint64, slots int) int {
	at, _ := bits.Mul64(key*spread, uint64(slots))
	return int(at)
}

// put gives the slot of a name, which is made if it is not there: then it is fresh.
func (f *finder) put(name string, nameAt func(place int) string) (s *slot, fresh bool) {
	if f.held*5 >= (len(f.slots)-1)*fill {
		f.grow()
	}
	if s := f.find(name, nameAt); s != nil {
		return s, false
	}
	key, _ := keyOf(name)
	s = f.empty(key)
	s.key = key
	f.held++
	return s, true
}

// empty is where a key that is not there goes.
func (f *finder) empty(key uint64) *slot {
	i := f.home(key)
	for f.slots[i].key != 0 {
		if i++; i == len(f.slots) {
			i = 0
		}
	}
	return &f.slots[i]
}

// grow doubles the table.
func (f *finder) grow() {
	const least = 4
	old := f.slots
	f.slots = make([]slot, max(2*len(old), least))
	for _, s := range old {
		if s.key != 0 {
			*f.empty(s.key) = s
		}
	}
}

// find gives the slot of a name, or nil. nameAt may be nil when all names are their own keys.
func (f *finder) find(name string, nameAt func(place int) string) *slot {
	if len(f.slots) == 0 {
		return nil
	}
	key, exact := keyOf(name)
	for i := f.home(key); f.slots[i].key != 0; {
		if s := &f.slots[i]; s.key == key && (exact || nameAt(int(s.place)) == name) {
			return s
		}
		if i++; i == len(f.slots) {
			i = 0
		}
	}
	return nil
}

// exactly gives the slot of what is its own key, or nil.
func (f *finder) exactly(key uint64) *slot {
	if f.held == 0 {
		return nil
	}
	for i := f.home(key); ; {
		s := &f.slots[i]
		if s.key == key {
			return s
		}
		if s.key == 0 {
			return nil
		}
		if i++; i == len(f.slots) {
			i = 0
		}
	}
}

// index makes a finder of all names; of two things with one name the later is found, as the last word on it.
func index(count int, nameAt func(place int) string) finder {
	f := newFinder(count)
	for i := range count {
		s, _ := f.put(nameAt(i), nameAt)
		s.place = uint32(i)
	}
	return f
}

// together puts the tables of finders that are not put into any more into one piece of memory: the collector of garbage looks at
// pieces, and ten thousand tenants have many.
func together(finders ...*finder) {
	count := 0
	for _, f := range finders {
		count += len(f.slots)
	}
	slots := make([]slot, 0, count)
	for _, f := range finders {
		from := len(slots)
		slots = append(slots, f.slots...)
		f.slots = slots[from:len(slots):len(slots)]
	}
}
