package claim

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// contended lets eight workers claim a node from the same state, again and again.
func contended(t *testing.T, e engine) {
	const workers = 8
	nodes := make([]Node, workers)
	for i := range nodes {
		_, nodes[i] = e.dial(t)
	}
	seen, _ := e.read(t, nodes[0])
	began := time.Now()
	for range e.epochs {
		holders, errs := make([]Holder, workers), make([]error, workers)
		var all sync.WaitGroup
		for i, n := range nodes {
			all.Go(func() {
				holders[i], errs[i] = Take(t.Context(), n, seen, seen.By(fmt.Sprintf("w%d", i), "127.0.0.1:4000", 0))
			})
		}
		all.Wait()
		winners := 0
		for i, err := range errs {
			var lost *LostError
			switch {
			case holders[i] != holders[0] || holders[i].Epoch != seen.Epoch+1:
				t.Fatalf("after %s worker %d sees %s, worker 0 %s", seen, i, holders[i], holders[0])
			case err == nil:
				winners++
			case !errors.As(err, &lost):
				t.Fatal(err)
			}
		}
		if winners != 1 {
			t.Fatalf("%d winners of epoch %d", winners, seen.Epoch+1)
		}
		seen = holders[0]
	}
	t.Logf("%d epochs, %d claims each: %v an epoch", e.epochs, workers, time.Since(began)/time.Duration(e.epochs))
}

// roundTrips measures one client on an idle engine.
func roundTrips(t *testing.T, e engine) {
	const samples = 300
	_, n := e.dial(t)
	seen, _ := e.read(t, n)
	takes, reads := make([]time.Duration, samples), make([]time.Duration, samples)
	for i := range samples {
		began := time.Now()
		me, err := Take(t.Context(), n, seen, seen.By("clock", "127.0.0.1:4000", 0))
		if err != nil {
			t.Fatal(err)
		}
		takes[i], seen = time.Since(began), me
		began = time.Now()
		if _, err := get(t.Context(), n, OwnerVariable); err != nil {
			t.Fatal(err)
		}
		reads[i] = time.Since(began)
	}
	slices.Sort(takes)
	slices.Sort(reads)
	t.Logf("claim (two round trips): p50 %v, p99 %v; renewal (one): p50 %v, p99 %v",
		takes[samples/2], takes[samples*99/100], reads[samples/2], reads[samples*99/100])
}
