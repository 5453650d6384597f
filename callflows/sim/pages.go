package sim

import (
	"tandem/callflows"
	"tandem/messages"
)

// invited dials one who is to listen to the caller. A caller who has left meanwhile is not listened to by anybody for long.
func (n *node) invited(c *simCall, command callflows.Command) {
	w, t := n.w, command.Targets[0]
	w.checkTarget(c, t)
	temper := w.anyTemper(t)
	caller := n.channels[c.facts.Leg]
	if caller == nil || temper.mood == undialable || n.channels[t.Leg] != nil {
		return
	}
	leg := n.open(c, t.Leg, messages.RoleCallee, caller)
	caller.listening = append(caller.listening, leg)
	n.emit(leg, callflows.Event{Kind: callflows.LegCreated, Leg: leg.uuid, Target: t.URI})
	if temper.acts == 0 || temper.acts > command.Wait {
		leg.end = w.after(command.Wait, func() { n.hangUp(leg, callflows.ByUs, "NO_ANSWER", 0) })
		return
	}
	leg.end = w.after(temper.acts, func() {
		if temper.cause != "" {
			by := callflows.ByUs
			if temper.byThem {
				by = callflows.ByFarEnd
			}
			n.hangUp(leg, by, temper.cause, temper.code)
			return
		}
		n.answer(leg)
		if temper.talks > 0 {
			leg.end = w.after(temper.talks, func() { n.hangUp(leg, callflows.ByFarEnd, "NORMAL_CLEARING", 0) })
		}
	})
}
