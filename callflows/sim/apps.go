package sim

import (
	"strings"
	"time"

	"tandem/callflows"
)

// silenceBound is how long a caller may wait without hearing anything or talking: longer than any gap in a world.
const silenceBound = 20 * time.Second

// app is an application on a caller's leg.
type app struct {
	command callflows.Command
	end     *happening // calls finish
}

// reply is what the node says to a command.
type reply struct{ refused string }

// obey takes one command of a call.
func (n *node) obey(o order) reply {
	w, c := n.w, o.call
	a := n.channels[o.command.Leg]
	if o.command.Kind == callflows.Invite {
		n.invited(c, o.command)
		return reply{}
	}
	if o.command.Kind == callflows.HandOver {
		return n.handOver(o)
	}
	if a == nil {
		return reply{"invalid session id"}
	}
	if o.command.Kind == callflows.HangUp {
		w.checkTalk(c, a)
		n.hangUp(a, callflows.ByUs, o.command.Cause, o.command.Code)
		return reply{}
	}
	if w.chance(w.weather.refused) {
		w.happened("command refused")
		return reply{"refused by the simulated node"}
	}
	if !w.plant.NoMark {
		a.mark = o.mark
	}
	switch o.command.Kind {
	case callflows.Join:
		w.checkOnce(c, o.command)
		return n.joinCalls(a, o.command, o.with)
	case callflows.Rejoin:
		w.checkOnce(c, o.command)
		return n.rejoin(a, o.command)
	case callflows.TakeOut:
		w.checkOnce(c, o.command)
		return n.takeLegOut(a)
	case callflows.StopPlaying:
		w.checkOnce(c, o.command)
		n.stopPlaying(a)
		return reply{}
	}
	if k := o.command.Kind; a.app != nil && (k == callflows.StartRecording || k == callflows.StopRecording) {
		w.checkOnce(c, o.command) // by somebody's order: the node does it beside what is under way
		n.tape(a, o.command)
		w.after(time.Millisecond, func() {
			if !a.gone {
				n.emit(a, callflows.Event{Kind: callflows.Done, Leg: a.uuid, Command: o.command.N})
			}
		})
		return reply{}
	}
	w.checkCommand(c, a, o.command)
	x := &app{command: o.command}
	if a.app != nil {
		a.queue = append(a.queue, x)
		return reply{}
	}
	n.start(a, x)
	return reply{}
}

// start begins an application.
func (n *node) start(a *channel, x *app) {
	w := n.w
	a.app = x
	a.idle++
	w.tell("node", "%s starts %s %d", short(a.uuid), x.command.Kind, x.command.N)
	switch x.command.Kind {
	case callflows.Answer:
		n.answer(a)
		x.end = w.after(time.Millisecond, func() { n.finish(a, x, callflows.Event{Kind: callflows.Done}) })
	case callflows.SignalRinging:
		x.end = w.after(time.Millisecond, func() { n.finish(a, x, callflows.Event{Kind: callflows.Done}) })
	case callflows.Play:
		d, missing := w.prompt(x.command.Prompt)
		x.end = w.after(d, func() { n.finish(a, x, callflows.Event{Kind: callflows.Played, Missing: missing}) })
	case callflows.CollectDigits:
		n.collect(a, x)
	case callflows.Ring:
		n.ring(a, x)
	case callflows.Announce: // until he leaves
	case callflows.Record:
		n.record(a, x)
	case callflows.StartRecording, callflows.StopRecording, callflows.Speak:
		n.tape(a, x.command)
		x.end = w.after(time.Millisecond, func() { n.finish(a, x, callflows.Event{Kind: callflows.Done}) })
	case callflows.Eavesdrop:
		x.end = w.after(w.between(time.Millisecond, 20*time.Second), func() { n.finish(a, x, callflows.Event{Kind: callflows.Done}) })
	default: // what another kind's application does is not known here: add it
		w.violate(CallEnds, a.call.facts.ID, "the simulated node does not know the command %s", x.command.Kind)
	}
}

// prompt says how long a prompt plays.
func (w *world) prompt(name string) (time.Duration, bool) {
	if strings.HasSuffix(name, "/missing") || w.chance(3) {
		return time.Millisecond, true
	}
	return w.between(100*time.Millisecond, 6*time.Second), false
}

// finish ends an application, tells of it, and starts the next.
func (n *node) finish(a *channel, x *app, event callflows.Event) {
	if a.gone || a.app != x {
		return
	}
	x.end.callOff()
	a.app = nil
	event.Leg, event.Command = a.uuid, x.command.N
	n.emit(a, event)
	n.idle(a)
	if a.app == nil && len(a.queue) > 0 {
		next := a.queue[0]
		a.queue = a.queue[1:]
		n.start(a, next)
	}
}

// idle watches a caller for whom nothing happens.
func (n *node) idle(a *channel) {
	a.idle++
	this := a.idle
	n.w.after(silenceBound, func() { n.w.checkSilence(a, this) })
}

// collect is play_and_get_digits: keys end the prompt; the last wanted key, or a pause, ends the collecting.
func (n *node) collect(a *channel, x *app) {
	w, want := n.w, *x.command.Digits
	prompt, _ := w.prompt(x.command.Prompt)
	keyed, first, each := a.keyed, time.Millisecond, time.Duration(0)
	if a.keyed == "" {
		keyed, first, each = w.keys(want, prompt)
	}
	a.keyed = ""
	took, rest := keyed[:min(len(keyed), want.Max)], keyed[min(len(keyed), want.Max):]
	terminated := false
	if i := strings.IndexAny(took, want.Terminator); want.Terminator != "" && i >= 0 {
		took, rest, terminated = keyed[:i], keyed[i+1:], true
	}
	ends := first + time.Duration(max(0, len(took)-1))*each
	switch late := first > prompt+want.First; {
	case terminated && !late:
		a.keyed, ends = rest, ends+each
	case took == "" || late:
		took, ends = "", prompt+want.First
		w.after(first, func() {
			if late && !a.gone {
				a.keyed = keyed // too late for this one
			}
		})
	case each > want.Between && len(took) > 1:
		took, ends = took[:1], first+want.Between
	case len(took) < want.Max:
		ends += want.Between
	default:
		a.keyed = rest
	}
	event := callflows.Event{Kind: callflows.DigitsCollected, Outcome: callflows.DigitsGood, Digits: took}
	switch {
	case len(took) < max(1, want.Min):
		event.Outcome, event.Digits = callflows.DigitsTimeout, ""
	case strings.Trim(took, want.Allowed) != "":
		event.Outcome = callflows.DigitsInvalid
	}
	x.end = w.after(ends, func() {
		if !a.held() { // his keys go to another node
			event.Outcome, event.Digits = callflows.DigitsTimeout, ""
		}
		n.finish(a, x, event)
	})
}

// breakOff is uuid_break all: what plays or collects ends now, and nothing waits behind it.
func (n *node) breakOff(uuid string) {
	a := n.channels[uuid]
	if a == nil || a.app == nil {
		return
	}
	a.queue = nil
	switch a.app.command.Kind {
	case callflows.Play:
		n.finish(a, a.app, callflows.Event{Kind: callflows.Played})
	case callflows.CollectDigits:
		n.finish(a, a.app, callflows.Event{Kind: callflows.DigitsCollected, Outcome: callflows.DigitsTimeout})
	case callflows.Record:
		n.finish(a, a.app, n.recorded(a.app, callflows.EndedByLimit))
	case callflows.Eavesdrop: // which goes on beneath what is ordered next (there is no order that ends it and nothing else)
		n.finish(a, a.app, callflows.Event{Kind: callflows.Done})
	default: // a ring cannot be broken off so, and the others are over in a moment
	}
}
