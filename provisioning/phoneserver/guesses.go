package phoneserver

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Bounds of guessing.
const (
	MaxGuesses  = 10 // different secrets of one source that are wrong, within GuessWindow
	GuessWindow = 10 * time.Minute
	LockedFor   = time.Hour
	MaxSources  = 20_000 // of which guesses are remembered; beyond it the one that was quiet for longest is forgotten
	groupIPv6   = 64     // bits of an address that tell one source from another: one who has one such network has all of it
)

// guesses remembers who guessed. The zero value is empty and ready.
type guesses struct {
	mu      sync.Mutex
	seed    maphash.Seed
	sources map[netip.Prefix]*source
	oldest  *source // a list by when they guessed last
	newest  *source
}

type source struct {
	key         netip.Prefix
	since       time.Time // of the window
	lockedUntil time.Time
	tried       []uint64 // hashes of what was tried
	prev, next  *source
}

// group is the source that an address belongs to.
func group(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = groupIPv6
	}
	p, _ := a.Prefix(bits) // a valid address has it
	return p
}

// locked says whether a source is locked out.
func (g *guesses) locked(a netip.Addr, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.sources[group(a)]
	return s != nil && now.Before(s.lockedUntil)
}

// wrong takes a wrong secret into account, and says whether it was the one that locks the source out.
func (g *guesses) wrong(a netip.Addr, secret string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.touch(group(a), now)
	if now.Sub(s.since) > GuessWindow {
		s.since, s.tried = now, nil
	}
	if hash := maphash.String(g.seed, secret); !slices.Contains(s.tried, hash) {
		s.tried = append(s.tried, hash)
	}
	if len(s.tried) < MaxGuesses || now.Before(s.lockedUntil) {
		return false
	}
	s.lockedUntil, s.tried = now.Add(LockedFor), nil
	return true
}

// touch gives the memory of a source, as the newest.
func (g *guesses) touch(key netip.Prefix, now time.Time) *source {
	if g.sources == nil {
		g.sources, g.seed = map[netip.Prefix]*source{}, maphash.MakeSeed()
	}
	s := g.sources[key]
	if s == nil {
		for len(g.sources) >= MaxSources {
			delete(g.sources, g.oldest.key)
			g.unlink(g.oldest)
		}
		s = &source{key: key, since: now}
		g.sources[key] = s
	} else {
		g.unlink(s)
	}

	if s.prev = g.newest; s.prev != nil {
		s.prev.next = s
	} else {
		g.oldest = s
	}
	g.newest = s
	return s
}

func (g *guesses) unlink(s *source) {
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		g.oldest = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	} else {
		g.newest = s.prev
	}
	s.prev, s.next = nil, nil
}
