package tenants

import (
	"sync"
	"sync/atomic"
)

// MaxReadFlows is how many flows a snapshot, and those that follow on it, have read in memory at once: of more, those that were
// read first are forgotten, and read again when they are asked for.
const MaxReadFlows = 1 << 14

// recent bounds how many flows are read.
type recent struct {
	mu   sync.Mutex
	held []*atomic.Pointer[Flow] // each holds a flow
	next int                     // the next to be forgotten once MaxReadFlows are held
}

// keep puts a flow that has been read where it is looked for, and gives the one that is there: another may have been faster.
func (r *recent) keep(where *atomic.Pointer[Flow], f *Flow) *Flow {
	r.mu.Lock()
	defer r.mu.Unlock()
	if there := where.Load(); there != nil {
		return there
	}
	where.Store(f)
	if len(r.held) < MaxReadFlows {
		r.held = append(r.held, where)
		return f
	}
	r.held[r.next].Store(nil)
	r.held[r.next] = where
	r.next = (r.next + 1) % MaxReadFlows
	return f
}

// whole gives the flow at a place with its settings parsed.
func (p *packedFlows) whole(place int) *Flow {
	if f := p.read[place].Load(); f != nil {
		return f
	}
	f := p.flow(place)
	for key, e := range f.Elements {
		e.Parsed, _ = p.parse(e.Type, e.Settings) // which has been tried when the snapshot was made
		f.Elements[key] = e
	}
	return p.recent.keep(&p.read[place], &f)
}
