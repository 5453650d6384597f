package claim

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// world is one node, some workers and the network between them, in the fake time of package synctest. It notes whatever
// package doc says cannot happen.
type world struct {
	begun   time.Time
	seed    uint64
	loss    float64        // of replies, until it is calm
	running sync.WaitGroup // workers, and requests under way

	mu      sync.Mutex
	places  map[string]string // what the node holds
	starts  int               // of the node: requests to an earlier start are never executed
	upAgain time.Time         // the node is down before
	owners  []accepted        // every owner that the node has had, vacant ones and seeds as well
	workers []*worker
	wrong   []string
	claims  struct{ all, silent, strict int } // for the log
}

// accepted is one value of tandem_owner.
type accepted struct {
	holder Holder
	at     time.Time
	// strict says that the owner before was silent: its lease has run out at this very instant.
	strict bool
}

func newWorld(seed uint64, loss float64) *world {
	w := &world{begun: time.Now(), seed: seed, loss: loss}
	w.plant()
	return w
}

// calm says that nothing goes wrong any more.
func (w *world) calm() bool { return time.Since(w.begun) > troubled+longest }

// plant is what a start of the node does.
func (w *world) plant() {
	w.places = map[string]string{OwnerVariable: Seed, StandbyVariable: Seed}
	w.owners = append(w.owners, accepted{at: time.Now()})
}

// restart takes the node down for a time; it comes back with the seed, and without what was on its way.
func (w *world) restart(down time.Duration) {
	w.mu.Lock()
	for _, worker := range w.workers {
		worker.remember()
	}
	w.starts++
	w.upAgain = time.Now().Add(down)
	w.mu.Unlock()
	time.Sleep(down)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plant()
}

// execute is the node's side of one request.
func (w *world) execute(r request) (value string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch now := w.places[r.name]; {
	case w.starts != r.start || time.Now().Before(w.upAgain):
		return "", false
	case r.value == "":
		if r.renewal && now == r.old {
			r.from.renewed()
		}
		return now, true
	case now == r.old:
		w.places[r.name] = r.value
		if r.name == OwnerVariable {
			w.accept(r.from)
		}
	}
	return "", true
}

// accept notes a new owner; its epoch must have grown.
func (w *world) accept(from *worker) {
	before, now := w.owners[len(w.owners)-1].holder, time.Now()
	holder, err := Parse(w.places[OwnerVariable])
	if err != nil || holder.Epoch < before.Epoch || holder.Epoch == before.Epoch && !holder.Vacant() {
		w.note("%s after %s, %v", holder, before, err)
	}
	strict := false
	for _, old := range w.workers {
		if old.name == before.Worker && old != from && !holder.Vacant() {
			silence, unheard := from.silence(old, before, now)
			strict = silence >= ReplaceAfter && unheard <= 1
			w.claims.silent++
		}
	}
	w.claims.all++
	if strict {
		w.claims.strict++
	}
	w.owners = append(w.owners, accepted{holder, now, strict})
}

// note keeps what must not happen. The lock is held.
func (w *world) note(format string, arguments ...any) {
	const enough = 5
	if len(w.wrong) < enough {
		w.wrong = append(w.wrong, fmt.Sprintf("%v: ", time.Since(w.begun))+fmt.Sprintf(format, arguments...))
	}
}

// check looks at all leases at this instant.
func (w *world) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, byEpoch := time.Now(), map[uint64]Holder{}
	for _, worker := range w.workers {
		for _, holder := range worker.valid(now) {
			if other, ok := byEpoch[holder.Epoch]; ok {
				w.note("both %s and %s have a valid lease", other, holder)
			}
			byEpoch[holder.Epoch] = holder
			w.checkOverlap(holder, now)
		}
	}
}

// checkOverlap holds a valid lease against the claims that came after its own.
func (w *world) checkOverlap(holder Holder, now time.Time) {
	own := slices.IndexFunc(w.owners, func(a accepted) bool { return a.holder == holder })
	if own < 0 {
		w.note("%s has a lease and was never the owner", holder)
		return
	}
	for i, later := range w.owners[own+1:] {
		bound := Overlap
		if i == 0 && later.strict {
			bound = 0
		}
		if over := now.Sub(later.at); over > bound {
			w.note("%s has a valid lease %v after %s; strict: %v", holder, over, later.holder, later.strict)
		}
	}
}

// checkDeposed holds what a worker was told against what the node has held since its claim.
func (w *world) checkDeposed(me, by Holder) {
	w.mu.Lock()
	defer w.mu.Unlock()
	own := slices.IndexFunc(w.owners, func(a accepted) bool { return a.holder == me })
	if own < 0 || !slices.ContainsFunc(w.owners[own+1:], func(a accepted) bool { return a.holder == by }) {
		w.note("%s was deposed by %s, which never came after it", me, by)
	}
}

// checkSettled is for the end, when nothing has been wrong for long: one live worker owns the node, above what those who
// live now remembered when the node restarted, and another stands by.
func (w *world) checkSettled() {
	w.mu.Lock()
	defer w.mu.Unlock()
	var owners []Holder
	var above uint64
	alive := map[string]bool{}
	for _, worker := range w.workers {
		if worker.alive() {
			alive[worker.name] = true
			above = max(above, worker.remembered)
		}
		owners = append(owners, worker.valid(time.Now())...)
	}
	if len(owners) != 1 || owners[0].String() != w.places[OwnerVariable] || owners[0].Epoch <= above {
		w.note("in the end the node says %s, the leases are %v, and epoch %d was remembered", w.places[OwnerVariable], owners, above)
		return
	}
	standby, err := Parse(w.places[StandbyVariable])
	if err != nil || len(alive) > 1 && (!alive[standby.Worker] || standby.Worker == owners[0].Worker) {
		w.note("in the end the standby of %v is %s", owners, standby)
	}
}
