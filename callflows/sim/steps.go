package sim

import (
	"slices"
	"time"

	"tandem/callflows"
)

// maxAnswers bounds the answers out of memory that one event leads to: those of the elements that a call may enter, and more.
const maxAnswers = 10 * callflows.MaxElements

// take takes a call one event further and carries out what comes of it (nodes, steps.go).
func (k *worker) take(c *driven, event callflows.Event) {
	if c.state.Move.Away && event.Kind != callflows.Moved && !k.w.plant.Lingers {
		if c.arriving {
			c.pin.hold(event)
		}
		return // it is another worker's
	}
	if !k.pinned(c) {
		c.pin.hold(event)
		return
	}
	if c.state.Phase == "" {
		facts := c.facts
		event.Call = &facts
		if event.Kind != callflows.Parked && event.Kind != callflows.HungUp {
			return
		}
	}
	var commands []callflows.Command
	steps, led := 0, c.state.DrivenLeg()
	for queue := []callflows.Event{event}; len(queue) > 0 && k.alive; queue = queue[1:] {
		if steps++; steps > maxAnswers {
			k.w.violate(LimitsHold, c.facts.ID, "one event leads to %d steps, and to more", maxAnswers)
			return
		}
		talked := c.state.Phase == callflows.Talking
		out, then := k.w.stepped(k, c, queue[0])
		c.arriving = false
		c.state, c.carried = out.State, then
		c.moving = c.moving && c.state.Moving()
		if c.state.Phase == callflows.Talking && !talked {
			k.allowRefer(c)
		}
		k.checkTrunkLimit(c)
		for _, command := range out.Commands {
			if answer, ok := k.carryOut(c, command, queue[0].At, &commands); ok {
				queue = append(queue, answer)
			}
		}
		if len(queue) == 1 {
			k.dispatch(c, commands)
			commands = nil
		}
	}
	if c.state.Move.Away {
		return
	}
	if event.Kind == callflows.Moved {
		k.markMoved(c)
	}
	if now := c.state.DrivenLeg(); now != led && now != c.facts.Leg {
		k.markLed(c, now)
	}
	if c.state.Phase == callflows.Ended && k.alive {
		k.ship(c)
		k.forget(c)
		k.w.afterlife(c)
	}
}

// carryOut does one command, or puts it among those for the node.
func (k *worker) carryOut(c *driven, command callflows.Command, at time.Time, commands *[]callflows.Command) (callflows.Event, bool) {
	if !k.alive {
		return callflows.Event{}, false
	}
	switch command.Kind {
	case callflows.WriteCDR:
		k.record(command)
	case callflows.FileRecording:
		k.fileTape(command)
		return callflows.Event{Kind: callflows.Done, At: at, Leg: command.Leg, Command: command.N}, c.state.Awaited == command.N
	case callflows.FindMessages, callflows.MarkMessage, callflows.CheckPIN:
		return k.w.askedOfBox(command, at), true
	case callflows.FindContacts:
		found := callflows.Event{Kind: callflows.ContactsFound, At: at, Leg: command.Leg, Command: command.N}
		for _, device := range command.Devices {
			found.Contacts = append(found.Contacts, k.w.contactsOf(c.config.Tenant, device)...)
			if command.Talking && k.w.inCall(c.facts.ID, device) {
				found.Talking = append(found.Talking, device)
			}
		}
		if len(command.Trunks) > 0 {
			found.Counts = k.countedOut(c)
		}
		return found, true
	case callflows.CountCalls:
		return callflows.Event{Kind: callflows.CallsCounted, At: at, Leg: command.Leg, Command: command.N, Counts: k.countedOut(c)}, true
	case callflows.FindCall:
		return callflows.Event{Kind: callflows.CallFound, At: at, Leg: command.Leg, Command: command.N, Found: k.findCall(c, *command.Wanted)}, true
	case callflows.SaveSetting:
		k.askAway(c, command, at)
	case callflows.MoveLegs:
		c.departure = nil
		k.node.departSoon()
	case callflows.LeaveMove:
		k.say(k.message(c, moveDrop, command.Legs, command.Node))
	case callflows.SetTimer:
		k.setTimer(c, command, at)
	case callflows.Fetch:
		k.ask(c, question{command: command, at: at})
	case callflows.Ring, callflows.Invite:
		for _, t := range command.Targets {
			k.bind(t.Leg, c)
		}
		*commands = append(*commands, command)
	default:
		*commands = append(*commands, command)
	}
	return callflows.Event{}, false
}

// askAway has a command answered by somebody slower than memory, who may be away. The standby asks again.
func (k *worker) askAway(c *driven, command callflows.Command, at time.Time) {
	w := k.w
	answer := callflows.Event{Kind: callflows.Saved, At: at, Leg: command.Leg, Command: command.N, Away: w.outageNow() || w.chance(10)}
	if !answer.Away && w.chance(10) {
		answer.Cause = "refused in this world"
	}
	k.await(c, wait{n: command.N, leg: command.Leg, due: w.now + w.between(time.Millisecond, callflows.SaveWait), at: at, answer: answer})
}

// setTimer starts a timer that a step ordered.
func (k *worker) setTimer(c *driven, command callflows.Command, at time.Time) {
	call := k.w.byID[c.facts.ID]
	fate := &timerFate{}
	call.timers[command.N] = fate
	k.await(c, wait{n: command.N, leg: command.Leg, due: k.w.now + command.Wait, at: at.Add(command.Wait)})
	k.w.after(command.Wait+silenceBound/2, func() { k.w.checkTimer(call, command.N, fate) })
}

// await waits for a timer. The standby knows of it, and waits anew when it takes over.
func (k *worker) await(c *driven, x wait) {
	c.waits = append(c.waits, x)
	k.soon(x.due-k.w.now, func() { k.fire(c, x) })
}

// fire ends the wait of a timer, once it is known what became of the last owner's orders (nodes, steps.go).
func (k *worker) fire(c *driven, x wait) {
	if c.unclear && c.state.Phase != callflows.Ended {
		k.soon(evidenceWait, func() { k.fire(c, x) })
		return
	}
	if c.state.Move.Away && !c.arriving {
		return // it travels with the call
	}
	c.waits = slices.DeleteFunc(c.waits, func(other wait) bool { return other.n == x.n })
	k.w.byID[c.facts.ID].waited = k.w.now
	if k.w.plant.LoseTimers {
		return
	}
	if fate := k.w.byID[c.facts.ID].timers[x.n]; fate != nil {
		fate.fired = true
	}
	if x.answer.Kind != "" {
		if k.role == owning && c.state.Phase != callflows.Ended {
			k.take(c, x.answer)
		}
		return
	}
	if k.role == owning && c.state.Phase != callflows.Ended {
		k.take(c, callflows.Event{Kind: callflows.TimerFired, At: x.at, Leg: x.leg, Command: x.n})
	}
}

// dispatch ships the state and hands the commands to the sender.
func (k *worker) dispatch(c *driven, commands []callflows.Command) {
	c.orders = append(c.orders, commands...)
	ready := k.w.now
	k.effect(func() { ready = k.ship(c) })
	if !k.alive || len(commands) == 0 {
		return
	}
	for _, command := range commands {
		m := markOf(c.state)
		if command.N != commands[len(commands)-1].N { // it says nothing of those that come after it
			m.state.Commands = command.N
		}
		k.outbox = append(k.outbox, order{driven: c, call: k.w.byID[c.facts.ID], command: command, gone: goneLegs(c, command), mark: m, ready: ready, until: k.w.now + resendWait})
		c.queued = command.N
	}
	k.pump()
}

// pump sends what waits, one after the other.
func (k *worker) pump() {
	if k.sending || len(k.outbox) == 0 || !k.connected {
		return
	}
	o := k.outbox[0]
	k.sending = true
	k.soon(o.ready-k.w.now, func() {
		if !k.connected { // it waits for the connection, but not for ever
			k.sending = false
			k.soon(o.until-k.w.now, k.giveUp)
			return
		}
		k.effect(func() { k.send(o) })
	})
}

// giveUp refuses what has waited too long.
func (k *worker) giveUp() {
	for len(k.outbox) > 0 && !k.connected && k.outbox[0].until <= k.w.now {
		o := k.outbox[0]
		k.sent(o)
		k.refuse(o, "the node could not be reached")
	}
}

// send writes one command and waits for the reply. When the connection ends meanwhile, its effect is unknown, and it is
// not sent again.
func (k *worker) send(o order) {
	w, link, life := k.w, k.link, k.life
	if o.command.Kind == "" {
		k.sent(o)
		w.after(roundTrip, func() { k.node.carry(o) })
		k.pump()
		return
	}
	if why := k.before(&o); why != "" || !k.alive || life != k.life {
		if k.alive && life == k.life {
			k.sent(o)
			k.refuse(o, why)
			k.pump()
		}
		return
	}
	w.tell(k.name, "sends %s %d", o.command.Kind, o.command.N)
	w.after(roundTrip, func() {
		if !k.node.up || link != k.link && life == k.life && w.chance(50) {
			return // lost with the connection; the last bytes of a process that died arrive
		}
		answer := k.node.obey(o)
		w.after(roundTrip, func() {
			if !k.alive || life != k.life || link != k.link {
				return
			}
			k.sent(o)
			if answer.refused == "" {
				o.driven.taken, o.driven.takenOn = o.command.N, link
				k.confirm(o)
			} else {
				k.released(o)
				k.refuse(o, answer.refused)
			}
			k.pump()
		})
	})
	k.soon(2*roundTrip, func() {
		if k.sending && link != k.link && len(k.outbox) > 0 && k.outbox[0].command.N == o.command.N {
			k.sent(o)
			k.pump()
		}
	})
}

// sent notes that a command no longer waits to be sent, whatever came of it.
func (k *worker) sent(o order) {
	k.sending = false
	k.outbox = k.outbox[1:]
	if o.driven.queued == o.command.N {
		o.driven.queued = 0
	}
}

// confirm notes that the node has taken a command.
func (k *worker) confirm(o order) {
	o.driven.orders = slices.DeleteFunc(o.driven.orders, func(c callflows.Command) bool { return c.N <= o.command.N })
	if o.driven.state.Phase != callflows.Ended {
		k.effect(func() { k.ship(o.driven) })
	}
}

// refuse tells the engine.
func (k *worker) refuse(o order, why string) {
	if o.driven.state.Phase == callflows.Ended || o.command.Kind == callflows.HangUp {
		return
	}
	k.take(o.driven, callflows.Event{Kind: callflows.Refused, At: k.w.workerTime(), Leg: o.command.Leg, Command: o.command.N, Cause: why})
}
