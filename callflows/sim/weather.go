package sim

import (
	"time"

	"tandem/callflows"
)

// weather says which faults a world has. A world in five has none.
type weather struct {
	shared    bool          // two workers share the node; otherwise one has it alone
	deaths    int           // workers that die
	gaps      int           // connections that break for a while: what the node tells meanwhile is lost
	restarts  int           // restarts of the node: all legs are gone
	stalls    int           // connections on which everything comes late for a while
	doubled   int           // in a hundred events, so many come again later
	jitter    time.Duration // events of different channels overtake each other within it
	refused   int           // in a hundred commands, so many are refused
	outage    bool          // look-ups find nothing for a while
	stale     int           // in a hundred contacts, so many are of phones that are gone
	skew      time.Duration // of the node's clock to the workers'
	impatient int           // in a hundred callers, so many hang up at a random moment
	busy      bool          // many callers, who fetch each other's calls
}

func (w *world) drawWeather() weather {
	x := weather{shared: w.chance(60), jitter: 2 * time.Millisecond, impatient: 50, busy: w.chance(25)}
	if w.plant.Deadly {
		x.shared, x.deaths, x.gaps = w.chance(40), 8, 2
		return x
	}
	if w.chance(20) {
		return x
	}
	if w.chance(40) {
		x.deaths = 1 + w.rng.IntN(3)
	}
	if w.chance(25) {
		x.gaps = 1 + w.rng.IntN(3)
	}
	if w.chance(10) {
		x.restarts = 1
	}
	if w.chance(25) {
		x.stalls = 1 + w.rng.IntN(3)
	}
	if w.chance(30) {
		x.doubled = 1 + w.rng.IntN(20)
	}
	if w.chance(40) {
		x.jitter = 40 * time.Millisecond
	}
	if w.chance(20) {
		x.refused = 1 + w.rng.IntN(10)
	}
	x.outage = w.chance(15)
	if w.chance(30) {
		x.stale = 20
	}
	if w.chance(30) {
		x.skew = w.between(-5*time.Second, 5*time.Second)
	}
	return x
}

// expectFaults books the faults that come at a time.
func (w *world) expectFaults() {
	for range w.weather.gaps {
		w.at(w.between(0, faultsWithin), func() { w.loseConnection() })
	}
	for range w.weather.stalls {
		w.at(w.between(0, faultsWithin), func() { pick(w, w.workers...).stall(w.between(10*time.Millisecond, 2*time.Second)) })
	}
	for range w.weather.restarts {
		w.at(w.between(time.Second, faultsWithin), func() { w.anyNode().restart() })
	}
	if w.chance(20) {
		w.at(w.between(0, faultsWithin), w.orderEnd)
	}
	for range w.rng.IntN(3) {
		w.at(w.between(0, faultsWithin), w.orderRecording)
	}
	for range w.rng.IntN(4) {
		w.at(w.between(0, faultsWithin), w.orderTransfer)
		w.at(w.between(0, faultsWithin), w.refuseTransfer)
	}
	for range w.weather.deaths {
		w.at(w.between(0, faultsWithin), func() { w.condemn() })
	}
}

// condemn lets a worker die after its next few effects: between any two of them.
func (w *world) condemn() {
	k := pick(w, w.workers...)
	if w.chance(70) {
		if owner := w.anyOwner(); owner != nil {
			k = owner
		}
	}
	if !k.alive {
		return
	}
	if w.chance(20) {
		k.die("now")
		return
	}
	k.dieAt = k.effects + 1 + w.rng.IntN(12)
	// Should nothing more happen to it, it dies all the same.
	w.after(30*time.Second, func() {
		if k.alive && k.dieAt > 0 {
			k.die("idle")
		}
	})
}

// orderEnd is somebody who orders the end of a call.
func (w *world) orderEnd() {
	k := w.anyOwner()
	if k == nil || len(k.order) == 0 {
		return
	}
	w.happened("end ordered")
	c := pick(w, k.order...)
	w.byID[c.facts.ID].endOrdered = true
	k.take(c, callflows.Event{Kind: callflows.EndOrdered, At: w.nodeTime(), Leg: c.facts.Leg, By: pick(w, hostile()...), Reason: pick(w, hostile()...)})
}

// orderRecording is somebody who wants a call recorded, or to be so no longer.
func (w *world) orderRecording() {
	k := w.anyOwner()
	if k == nil || len(k.order) == 0 {
		return
	}
	w.happened("recording ordered")
	c := pick(w, k.order...)
	k.take(c, callflows.Event{Kind: pick(w, callflows.RecordOrdered, callflows.RecordOrdered, callflows.RecordEndOrdered), At: w.nodeTime(), Leg: c.facts.Leg, By: pick(w, hostile()...)})
}

// loseConnection breaks a worker's connection to the node.
func (w *world) loseConnection() {
	k := pick(w, w.workers...)
	most := 300 * time.Millisecond
	if !w.weather.shared {
		most = 6 * time.Second
	}
	k.cut(w.between(time.Millisecond, most))
}

// outageNow says whether look-ups find nothing at the moment.
func (w *world) outageNow() bool {
	return w.weather.outage && w.now > 5*time.Second && w.now < 15*time.Second
}
