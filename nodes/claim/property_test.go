package claim

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// trouble is one thing that goes wrong in a world.
type trouble struct {
	At     int // milliseconds from the beginning
	Kind   string
	Worker int // -1: whoever owns the node then
	For    int // milliseconds
}

func (t trouble) String() string {
	return fmt.Sprintf("%d: %s %d for %d", t.At, t.Kind, t.Worker, t.For)
}

const (
	troubled = 3 * time.Second         // in which trouble begins
	longest  = 1500 * time.Millisecond // of a trouble
	settling = 3 * time.Second         // after which all is well again
)

// TestWhateverGoesWrong is the package's guarantees under any interleaving of pauses, cuts, deaths, restarts, lost replies
// and requests that arrive late.
func TestWhateverGoesWrong(t *testing.T) {
	var claims, silent, strict int
	rapid.Check(t, func(r *rapid.T) {
		kinds := []string{"pause", "pause", "cut", "mute", "both", "all", "reset", "reset", "kill", "restart"}
		troubles := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) trouble {
			return trouble{
				At: rapid.IntRange(0, int(troubled.Milliseconds())).Draw(r, "at"), Kind: rapid.SampledFrom(kinds).Draw(r, "kind"),
				Worker: rapid.IntRange(-1, 2).Draw(r, "worker"),
				// Most of what is interesting happens when somebody comes back just as he is replaced.
				For: rapid.OneOf(rapid.IntRange(380, 620), rapid.IntRange(1, int(longest.Milliseconds()))).Draw(r, "for"),
			}
		}), 3, 12).Draw(r, "troubles")
		workers := rapid.IntRange(1, 4).Draw(r, "workers")
		seed := rapid.Uint64().Draw(r, "seed")
		loss := rapid.Float64Range(0, 0.2).Draw(r, "loss")
		var w *world
		synctest.Test(t, func(*testing.T) {
			w = newWorld(seed, loss)
			w.live(workers, troubles)
		})
		claims, silent, strict = claims+w.claims.all, silent+w.claims.silent, strict+w.claims.strict
		for _, wrong := range w.wrong {
			r.Error(wrong)
		}
	})
	t.Logf("%d claims, %d of them from a worker that was alive or had been, %d of these in silence", claims, silent, strict)
	if strict == 0 {
		t.Error("no owner was replaced for its silence: nothing is shown")
	}
}

// live runs a world from its beginning to its end, and looks at it every millisecond.
func (w *world) live(workers int, troubles []trouble) {
	for range workers {
		w.join()
	}
	var all sync.WaitGroup
	restarts := 0
	for _, tr := range troubles {
		if tr.Kind == "restart" {
			if restarts++; restarts > 1 {
				continue // one is enough, and two at a time are not two
			}
		}
		all.Go(func() {
			time.Sleep(time.Duration(tr.At) * time.Millisecond)
			w.befall(tr)
		})
	}
	for range (troubled + longest + settling).Milliseconds() {
		time.Sleep(time.Millisecond)
		w.check()
	}
	all.Wait()
	w.checkSettled()
	for _, worker := range slices.Clone(w.workers) {
		worker.stop()
	}
	w.running.Wait()
}

// victim is the worker of that number; -1: the owner.
func (w *world) victim(number int) *worker {
	w.mu.Lock()
	defer w.mu.Unlock()
	if owner := w.owners[len(w.owners)-1].holder.Worker; number < 0 {
		number = max(0, slices.IndexFunc(w.workers, func(o *worker) bool { return o.name == owner }))
	}
	return w.workers[number%len(w.workers)]
}

// befall makes one trouble happen.
func (w *world) befall(tr trouble) {
	d := time.Duration(tr.For) * time.Millisecond
	if tr.Kind == "restart" {
		w.restart(max(d, LeaseFor)) // it takes longer than a lease
		return
	}
	worker := w.victim(tr.Worker)
	if tr.Kind == "kill" {
		if !worker.alive() {
			return
		}
		worker.kill()
		time.Sleep(d)
		w.join() // started again
		return
	}
	if tr.Kind == "reset" { // its links are closed, and it lives
		worker.leaves(true)
		time.Sleep(d)
		worker.leaves(!worker.alive())
		return
	}
	until := time.Now().Add(d)
	worker.mu.Lock()
	defer worker.mu.Unlock()
	later := func(old *time.Time) {
		if until.After(*old) {
			*old = until
		}
	}
	switch tr.Kind {
	case "pause":
		later(&worker.pause)
	case "cut":
		later(&worker.cut)
	case "mute":
		later(&worker.mute)
	case "all":
		later(&worker.cut)
		later(&worker.mute)
	case "both":
		later(&worker.pause)
		later(&worker.mute)
	}
}
