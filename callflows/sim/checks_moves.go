package sim

import (
	"time"

	"tandem/callflows"
)

// adrift is how long the far end of a leg may talk to a channel that nobody drives: until a call that was fetched is given up, and the
// workers' own outages besides.
const adrift = arrivalWait + 15*time.Second

// checkDriver checks who steps a call: the owner of the node that has it, and of no other.
func (w *world) checkDriver(k *worker, c *driven, event callflows.Event) {
	if k.node == nil { // the afterlife
		return
	}
	call := w.byID[c.facts.ID]
	switch {
	case event.Kind == callflows.Moved && c.state.Move.Away && call.driver != k.node:
		call.driver, call.came = k.node, k.w.now
		call.moved++
	case call.driver == nil:
		call.driver = k.node
	case call.driver != k.node:
		w.violate(OneDriver, c.facts.ID, "%s of %s takes %s, and %s drives it", k.name, k.node.name, event.Kind, call.driver.name)
	}
	c.steps++
	call.steps[k.node] = c.steps
}

// checkArrival checks what has come of a call from its last node.
func (w *world) checkArrival(k *worker, from *node, c *driven) {
	if w.plant.NewJournals {
		c.steps = 0
	}
	if n := w.byID[c.facts.ID].steps[from]; n != c.steps {
		w.violate(OneJournal, c.facts.ID, "%s goes on at entry %d, and %d were written at %s", k.name, c.steps, n, from.name)
	}
}

// checkKill looks at a channel that is hung up because its call is another node's, or over.
func (w *world) checkKill(c *channel) {
	id := c.call.facts.ID
	switch {
	case !c.held():
	case c.goneBy != "":
		w.violate(PhonesTold, id, "%s talks to %s, which hangs up without a word", short(c.uuid), c.node.name)
	case !w.overFor(c):
		w.violate(PhonesTold, id, "%s gets a BYE of %s, and its call goes on", short(c.uuid), c.node.name)
	}
}

// overFor says whether a leg's call is over, as far as any worker knows, or the leg is.
func (w *world) overFor(c *channel) bool {
	for _, k := range w.workers {
		d := k.calls[c.call.facts.Leg]
		if !k.alive || d == nil || k.role != owning || d.state.Phase == callflows.Ending || d.state.Phase == callflows.Ended {
			continue
		}
		for _, l := range d.state.Legs {
			if l.ID == c.uuid && !l.HungUp && !l.Behind {
				return false
			}
		}
	}
	return true
}

// comes says whether a channel's call may be on its way to its node.
func (w *world) comes(c *channel) bool {
	return c.movedBy != "" && w.now-c.came < adrift && c.call.driver != c.node
}

// judgeMoves checks what calls that have moved have left.
func (w *world) judgeMoves() {
	for _, c := range w.calls {
		for _, id := range c.order {
			w.judgeRecord(c, c.legs[id])
		}
	}
}

// judgeRecord checks that a move has changed nothing in a leg's record that is charged for.
func (w *world) judgeRecord(c *simCall, l *legFate) {
	r, there := w.ledger.records[l.id]
	if !there || len(l.nodes) < 2 {
		return
	}
	if s := r.cdr.Segments; len(s) > 0 {
		from := r.cdr.StartedAt
		for _, g := range s {
			if !g.From.Equal(from) || g.Until.Before(g.From) {
				w.violate(RecordsHold, c.facts.ID, "leg %s has a gap in its segments: %s", short(l.id), r.body)
			}
			from = g.Until
		}
		if !from.Equal(r.cdr.EndedAt) || s[len(s)-1].Node != r.cdr.Node {
			w.violate(RecordsHold, c.facts.ID, "the segments of leg %s end elsewhere: %s", short(l.id), r.body)
		}
	}
	if r.cdr.Estimated || c.moved == 0 || w.unseen(l) {
		return
	}
	switch {
	case !r.cdr.StartedAt.Equal(l.createdAt):
		w.violate(MovesUncharged, c.facts.ID, "leg %s began %s, and its record says %s", short(l.id), l.createdAt.Format(time.StampMilli), r.body)
	case l.answered != nil && (r.cdr.AnsweredAt == nil || !r.cdr.AnsweredAt.Equal(*l.answered)):
		w.violate(MovesUncharged, c.facts.ID, "leg %s was answered %s, and its record says %s", short(l.id), l.answered.Format(time.StampMilli), r.body)
	}
}

// justCome is how long after a call has come its channel may not carry anything of it yet.
const justCome = time.Second

// excuses says whether an invariant need not hold for a call: all that knew of it have died in the middle of its move. Those who come after
// them go on with what its channels carry, at whichever node, or hang them up. It must end all the same. One that had moved before has
// forgotten when, and on which nodes it was.
func (c *simCall) excuses(i Invariant) bool {
	switch i {
	case OneRecord, RecordsHold, OneMessage, NoSilence, NoCommandDoubled, OneApplication, TalksStand, PhonesTold, OneDriver:
		return c.shaken
	case MovesUncharged, OneJournal:
		return c.shaken || c.forgotten
	default:
		return false
	}
}

// shake notes the calls of whose move nobody knows any more when a worker dies: those that its node's other worker does not know of.
func (k *worker) shake() {
	if next := k.node.standby(); k.role != owning || next != nil && next.pictured && next.connected {
		return
	}
	for _, c := range k.order {
		call := k.w.byID[c.facts.ID]
		call.shaken = call.shaken || c.state.OnTheMove() || call.moved > 0 && k.w.now-call.came < justCome
		call.forgotten = call.forgotten || call.moved > 0
	}
	for _, a := range k.arrivals {
		a.move.call.shaken = true
	}
}
