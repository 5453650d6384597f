package claim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// worker is a process of the world: the real Read, View, Move and Keep over a network that fails.
type worker struct {
	world      *world
	name, link string
	number     uint64
	stop       context.CancelFunc
	keepers    sync.WaitGroup

	mu               sync.Mutex
	pause, cut, mute time.Time // until then it is frozen; cut off the node; its signs are lost
	arrival          time.Time // of its last request at the node
	dead             bool
	highest          Holder
	tried            uint64
	remembered       uint64 // highest, when the node went down
	held             Holder
	leases           map[Holder]*Lease
	renewals, base   int // executed at the node: ever, and before held was
	heard            map[string]sign
	first            map[place]time.Time // when a claim was first read there
	gone             map[string]bool
}

// place is a variable and what it holds: the same claim can be made in both.
type place struct {
	name   string
	holder Holder
}

// sign is the last sign of life of another worker.
type sign struct {
	at     time.Time
	number int // of its renewals
}

// join starts a worker; every run of one has a name of its own.
func (w *world) join() {
	w.mu.Lock()
	defer w.mu.Unlock()
	number := len(w.workers)
	ctx, stop := context.WithCancel(context.Background())
	n := &worker{
		world: w, name: fmt.Sprintf("w%d", number), link: fmt.Sprintf("127.0.0.1:%d", 4000+number), stop: stop,
		number: uint64(number), leases: map[Holder]*Lease{}, heard: map[string]sign{}, first: map[place]time.Time{},
		gone: map[string]bool{},
	}
	w.workers = append(w.workers, n)
	w.running.Go(func() { n.run(ctx) })
}

func (w *worker) run(ctx context.Context) {
	defer w.keepers.Wait()
	for ctx.Err() == nil {
		w.gate()
		w.step(ctx)
		rest := time.Duration(10+w.chance(1).IntN(30)) * time.Millisecond
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
	}
}

// chance decides what happens at this instant: not by the order in which goroutines ask, so that a seed tells all.
func (w *worker) chance(of uint64) *rand.Rand {
	return rand.New(rand.NewPCG(w.world.seed+of, w.number+uint64(time.Since(w.world.begun))<<8))
}

// step looks at the node once and does what is to be done.
func (w *worker) step(ctx context.Context) {
	owner, standby, err := Read(ctx, w)
	if err != nil {
		return
	}
	view := w.view(owner, standby)
	if view.Role() == Standby {
		w.sign()
	}
	move, before := view.Next(), time.Now()
	w.try(move)
	holder, err := move.Make(ctx, w)
	if err == nil && move.Action == ClaimNode {
		w.own(ctx, holder, before)
	}
}

func (w *worker) try(m Move) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m.Action == ClaimNode {
		w.tried = max(w.tried, m.Mine.Epoch)
	}
}

// own begins an ownership.
func (w *worker) own(ctx context.Context, me Holder, before time.Time) {
	lease := &Lease{Sign: w.sign}
	w.mu.Lock()
	w.held, w.highest, w.base = me, higher(w.highest, me), w.renewals
	w.leases[me] = lease
	w.mu.Unlock()
	lease.Renewed(before)
	w.keepers.Go(func() {
		_ = Keep(ctx, renewing{w, me}, me, lease, func(by Holder) { w.world.checkDeposed(me, by) })
	})
}

// view is what the worker knows. It remembers what it has read.
func (w *worker) view(owner, standby Holder) View {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	owns, stands := place{OwnerVariable, owner}, place{StandbyVariable, standby}
	for _, p := range []place{owns, stands} {
		if _, ok := w.first[p]; !ok {
			w.first[p] = now
		}
	}
	v := View{
		Worker: w.name, Link: w.link, Held: w.held, OwnerClaim: owner, StandbyClaim: standby, Highest: w.highest, Tried: w.tried,
		OwnerGone: w.gone[owner.Worker], StandbyGone: w.gone[standby.Worker],
		OwnerSilent: w.since(owns, now), StandbySilent: w.since(stands, now),
	}
	w.highest = higher(w.highest, owner)
	return v
}

func higher(a, b Holder) Holder {
	if b.Epoch > a.Epoch {
		return b
	}
	return a
}

// since is how long a holder has been silent. The lock is held.
func (w *worker) since(p place, now time.Time) time.Duration {
	last := w.first[p]
	if heard := w.heard[p.holder.Worker].at; heard.After(last) {
		last = heard
	}
	return now.Sub(last)
}

// silence is the same for an owner that is being replaced now, with the number of its renewals that were not heard of.
func (w *worker) silence(old *worker, claim Holder, now time.Time) (silent time.Duration, unheard int) {
	old.mu.Lock()
	renewals, since := old.renewals, old.base
	old.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	owned := place{OwnerVariable, claim}
	if heard := w.heard[old.name]; heard.at.After(w.first[owned]) {
		since = heard.number
	}
	return w.since(owned, now), renewals - since
}

func (w *worker) hears(from *worker, number int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last := w.heard[from.name]; number >= last.number {
		w.heard[from.name] = sign{time.Now(), number}
	}
}

// renewed counts a renewal that the node has executed.
func (w *worker) renewed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.renewals++
}

// gate holds up a paused worker.
func (w *worker) gate() {
	for {
		w.mu.Lock()
		left := time.Until(w.pause)
		w.mu.Unlock()
		if left <= 0 {
			return
		}
		time.Sleep(left)
	}
}

// kill ends a worker; the kernel closes its links, which the others see at once.
func (w *worker) kill() {
	w.mu.Lock()
	w.dead = true
	w.mu.Unlock()
	w.stop()
	w.leaves(true)
}

// leaves tells all others that the worker's link to them was closed, or is there again.
func (w *worker) leaves(gone bool) {
	w.world.mu.Lock()
	others := w.world.workers
	w.world.mu.Unlock()
	for _, other := range others {
		other.mu.Lock()
		other.gone[w.name] = gone
		other.mu.Unlock()
	}
}

// remember keeps what the worker has seen when the node goes down.
func (w *worker) remember() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remembered = w.highest.Epoch
}

func (w *worker) alive() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.dead
}

// valid lists the claims that a live worker believes to hold.
func (w *worker) valid(now time.Time) (holders []Holder) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for holder, lease := range w.leases {
		if !w.dead && lease.Valid(now) {
			holders = append(holders, holder)
		}
	}
	return holders
}
