package sim

import (
	"bytes"
	"slices"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

// ledger keeps one record for each leg, as PostgreSQL does.
type ledger struct {
	records map[string]heldRecord
	tapes   map[string]heldRecord
	written map[string]map[int]bool // by leg: which process has written it
}

// heldRecord is a CDR as it travels.
type heldRecord struct {
	call string
	key  string
	cdr  *messages.CDR       // or
	tape *messages.Recording // what became of a recording
	body []byte
}

func newLedger() *ledger {
	return &ledger{records: map[string]heldRecord{}, tapes: map[string]heldRecord{}, written: map[string]map[int]bool{}}
}

// record writes a CDR: the standby has it first, and then it is a moment until it can no longer be lost.
func (k *worker) record(command callflows.Command) {
	r := heldRecord{call: command.CDR.Call, key: command.CDR.Leg, cdr: command.CDR, body: pack(command.CDR)}
	k.w.checkRecord(k, r)
	k.hold(r)
}

// hold keeps a record until it is safe.
func (k *worker) hold(r heldRecord) {
	w := k.w
	k.held = append(k.held, r)
	k.effect(func() {
		if s := k.node.standby(); s != nil {
			s.soon(shipping, func() { s.held = append(s.held, r) })
		}
	})
	k.effect(func() {
		k.soon(confirming, func() {
			w.ledger.add(w, r)
			k.held = slices.DeleteFunc(k.held, func(h heldRecord) bool { return h.key == r.key })
			if s := k.node.standby(); s != nil {
				s.soon(shipping, func() {
					s.held = slices.DeleteFunc(s.held, func(h heldRecord) bool { return h.key == r.key })
				})
			}
		})
	})
}

// add keeps a record. One that is there already must be the same, unless one of them was found out after a gap.
func (l *ledger) add(w *world, r heldRecord) {
	if r.tape != nil {
		l.addTape(w, r)
		return
	}
	old, there := l.records[r.cdr.Leg]
	if !there {
		l.records[r.cdr.Leg] = r
		return
	}
	if !w.alike(old, r) && !old.cdr.Estimated && !r.cdr.Estimated {
		w.violate(OneRecord, r.call, "leg %s has two: %s and %s", short(r.cdr.Leg), old.body, r.body)
	}
}

// alike says whether two records of a leg say the same. Each names the version that drove the call when it was written: where a dead owner
// has written one and its successor, who cannot get that version, writes it again, they differ in this, and the first is kept.
func (w *world) alike(old, r heldRecord) bool {
	if bytes.Equal(old.body, r.body) {
		return true
	}
	again := *r.cdr
	again.Version = old.cdr.Version
	return w.byID[r.call].excused && bytes.Equal(old.body, pack(again))
}

// checkRecord checks a record when it is written.
func (w *world) checkRecord(k *worker, r heldRecord) {
	c := r.cdr
	if err := c.Validate(); err != nil {
		w.violate(RecordsHold, r.call, "the ledger refuses it: %v", err)
	}
	if c.AnsweredAt != nil && (c.AnsweredAt.Before(c.StartedAt) || c.AnsweredAt.After(c.EndedAt)) {
		w.violate(RecordsHold, r.call, "leg %s started %s, was answered %s and ended %s", short(c.Leg),
			c.StartedAt.Format(time.StampMilli), c.AnsweredAt.Format(time.StampMilli), c.EndedAt.Format(time.StampMilli))
	}
	process := slices.Index(w.workers, k)*1000 + k.life
	if w.ledger.written[c.Leg] == nil {
		w.ledger.written[c.Leg] = map[int]bool{}
	}
	if w.ledger.written[c.Leg][process] {
		w.violate(OneRecord, r.call, "leg %s has a second one by the same worker", short(c.Leg))
	}
	w.ledger.written[c.Leg][process] = true
}

// checkCommand checks a command that reaches a caller's leg.
func (w *world) checkCommand(c *simCall, a *channel, command callflows.Command) {
	w.checkOnce(c, command)
	if a.app != nil && a.app.command.Kind != callflows.StartRecording && a.app.command.Kind != callflows.StopRecording { // which is over at once, and after which the next begins
		w.violate(OneApplication, c.facts.ID, "%s %d comes while %s %d is under way", command.Kind, command.N, a.app.command.Kind, a.app.command.N)
	}
}

// settledTalk is how long two have talked when all workers that were there have heard of it.
const settledTalk = 10 * time.Second

// checkTalk looks at a leg that is about to be hung up by order: nobody who talks is cut off, unless somebody wants it so.
func (w *world) checkTalk(c *simCall, a *channel) {
	if other := talksTo(a); other != nil && !c.endOrdered && !other.call.endOrdered && w.now-a.talksSince > settledTalk {
		w.violate(TalksStand, c.facts.ID, "%s is hung up by order in a talk of %s", short(a.uuid), (w.now - a.talksSince).Round(time.Millisecond))
	}
}

// checkOnce checks that a command has not come before.
func (w *world) checkOnce(c *simCall, command callflows.Command) {
	if c.received[command.N] {
		w.violate(NoCommandDoubled, c.facts.ID, "%s %d came twice", command.Kind, command.N)
	}
	c.received[command.N] = true
}

// checkTarget checks what is dialled.
func (w *world) checkTarget(c *simCall, t callflows.Target) {
	if p := w.phones[t.Device]; t.Device != "" && (p == nil || p.tenant != c.facts.Tenant) {
		w.violate(TenantsApart, c.facts.ID, "the node dials %s for a call of %s", t.Device, c.facts.Tenant)
	}
	if t.Trunk != "" && t.Device == "" && c.emergency && !c.passedOn && t.URI != "sip:"+emergencyNumber+"@192.0.2.112:5060" {
		w.violate(TenantsApart, c.facts.ID, "an emergency call goes to %s", t.URI)
	}
}

// checkTenantLimit checks a call that routing has let in: its tenant's limit, and those of the resellers above it over all their customers.
func (w *world) checkTenantLimit(c *simCall) {
	if c.emergency {
		return
	}
	for t := w.snapshot.Tenant(c.facts.Tenant); t != nil; t = w.snapshot.Tenant(t.Parent) {
		if n := w.callsOf(t.ID, true); t.MaxCalls > 0 && n > t.MaxCalls {
			w.violate(LimitsHold, c.facts.ID, "%s has %d calls, and its limit is %d", t.ID, n, t.MaxCalls)
		}
	}
}

// checkSilence looks at a caller who became idle a while ago.
func (w *world) checkSilence(a *channel, this int) {
	if a.gone || a.idle != this || a.app != nil || a.joined != nil || !a.held() {
		return
	}
	k := a.node.owner()
	if k == nil || !k.connected {
		w.after(silenceBound, func() { w.checkSilence(a, this) })
		return
	}
	// A timer, an answer, the call's version, or being taken up again: each takes a bounded time, in which nothing is wrong yet.
	if c := k.calls[a.uuid]; c == nil && k.unsure || w.comes(a) || c != nil && (len(c.waits) > 0 || c.asks() || c.pin.waits || c.resuming || c.state.OnTheMove()) {
		w.after(silenceBound, func() { w.checkSilence(a, this) })
		return
	}
	if quiet := w.now - a.call.waited; a.call.waited > 0 && quiet < silenceBound { // the next timer may be about to be set, or set again by a successor
		w.after(silenceBound-quiet, func() { w.checkSilence(a, this) })
		return
	}
	w.violate(NoSilence, a.call.facts.ID, "the caller %s has heard nothing for %s", short(a.uuid), silenceBound)
	a.node.hangUp(a, callflows.ByUs, "ALLOTTED_TIMEOUT", 0) // said once; the rest of the world goes on
}

// checkTimer looks at a timer that should have fired.
func (w *world) checkTimer(c *simCall, n int, fate *timerFate) {
	if fate.fired || c.timers[n] != fate || c.received[n] || c.over || c.ended {
		return
	}
	for _, at := range w.nodes {
		k := at.owner()
		if k == nil {
			continue
		}
		if d := k.calls[c.facts.Leg]; d != nil && d.state.Awaited == n && !d.state.OnTheMove() {
			w.violate(TimersSettle, c.facts.ID, "timer %d has not fired and is awaited still", n)
		}
	}
}

// judge checks a world that is over.
func (w *world) judge() {
	if len(w.result.Violations) >= maxViolations {
		return
	}
	for _, c := range w.calls {
		for _, n := range w.nodes {
			if n.channels[c.facts.Leg] != nil {
				w.violate(CallEnds, c.facts.ID, "its caller's leg is at %s for ever", n.name)
			}
		}
		for _, id := range c.order {
			w.judgeLeg(c, c.legs[id])
		}
	}
	w.judgeTapes()
	w.judgeMoves()
	for _, k := range w.workers {
		for _, d := range k.order {
			if k.role == owning {
				w.violate(CallEnds, d.facts.ID, "%s still has it, %s at %s", k.name, d.state.Phase, d.state.Element)
			}
		}
	}
}

// judgeLeg checks that a leg has its record, unless nobody who lived on could know of its end.
func (w *world) judgeLeg(c *simCall, l *legFate) {
	if !l.gone {
		return
	}
	if _, there := w.ledger.records[l.id]; there || w.unseen(l) {
		return
	}
	w.violate(OneRecord, c.facts.ID, "leg %s (%s) has none", short(l.id), l.role)
}

// lateness is how long after a leg's end its record may be in one worker's memory alone: as long as a connection is lost, and
// what is late on the next one. A leg that came and went while its owner's connection was lost is known to the standby alone, and begins to be
// witnessed when that takes over.
const lateness = 10 * time.Second

// unseen says whether a leg came and went without a worker that knew it and lived on.
func (w *world) unseen(l *legFate) bool {
	if !l.witnessed {
		return true
	}
	for _, n := range l.nodes {
		for _, d := range n.dark {
			if d.from <= max(l.endedAt, l.since)+lateness && l.endedAt <= d.until {
				return true
			}
		}
	}
	return false
}
