package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"tandem/callflows"
	"tandem/messages"
)

// stepped runs the engine once, and checks all that can be checked of one step. It gives the new state as it travels, too.
func (w *world) stepped(k *worker, c *driven, event callflows.Event) (out callflows.Outcome, then *carried) {
	call := w.byID[c.facts.ID]
	before := c.state
	if before.Phase == "" {
		before, c.carried = callflows.State{}, nil
	}
	if c.carried == nil {
		c.carried = carry(before)
	}
	defer func() {
		if fault := recover(); fault != nil {
			w.violate(NoPanic, c.facts.ID, "%s at %s: %v", event.Kind, before.Element, fault)
			out, then = callflows.Outcome{State: before}, c.carried
		}
	}()
	w.checkDriver(k, c, event)
	if leg := w.legs[event.Leg]; leg != nil && !leg.witnessed {
		leg.witnessed, leg.since = true, w.now
	}
	told := pack(event)
	out = w.step(c.config, before, event)
	then = carry(out.State)
	w.result.Steps++
	if w.trace != nil {
		w.tell(k.name, "%s %s%s", short(c.facts.Leg), told, w.said(out.Because))
		for _, command := range out.Commands {
			w.tell(k.name, "  -> %s", pack(command))
		}
	}
	w.checkSame(c, before, event, told, out)
	w.checkOutcome(c, before, event, out)
	w.checkVersion(c, out)
	w.countElements(c, before, event, out)
	call.entered = max(call.entered, out.State.Entered)
	call.ended = call.ended || out.State.Phase == callflows.Ended
	call.strayed = call.strayed || out.State.Version != 0 && (c.facts.Versioned() || before.Version != 0 && before.Version != out.State.Version)
	return out, then
}

// pack writes a value as it travels to another worker or to the journal.
func pack(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return body
}

// carried is a call's state as it travels to another worker, and as it arrives there.
type carried struct {
	packed []byte
	there  *callflows.State
}

func carry(s callflows.State) *carried { return &carried{packed: pack(s)} }

// arrived is the state on the other worker: nothing of it is shared with where it comes from.
func (c *carried) arrived() *callflows.State {
	if c.there == nil {
		there := unpack(c.packed)
		c.there = &there
	}
	return c.there
}

// same compares what two workers have, of which one has it by wire, where what is not UTF-8 and U+FFFD are one. What is written
// is compared only if the values differ: none and empty are written alike.
func same(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	one, other := pack(a), pack(b)
	plain := func(x []byte) []byte { return bytes.ReplaceAll(x, []byte(`\ufffd`), []byte("\ufffd")) }
	return bytes.Equal(one, other) || bytes.Equal(plain(one), plain(other))
}

// checkSame runs the step again: here, and as another worker would that has state and event by wire.
func (w *world) checkSame(c *driven, before callflows.State, event callflows.Event, told []byte, out callflows.Outcome) {
	if again := w.step(c.config, before, event); !reflect.DeepEqual(out, again) {
		w.violate(SameOutcome, c.facts.ID, "%s told twice gives another outcome", event.Kind)
	}
	var wired callflows.Event
	if err := json.Unmarshal(told, &wired); err != nil {
		w.violate(SameOutcome, c.facts.ID, "%s does not travel: %v", event.Kind, err)
		return
	}
	travelled := c.carried.arrived()
	if !same(&before, travelled) || !same(&event, &wired) {
		w.violate(SameOutcome, c.facts.ID, "the step of %s changed what it was given, or it does not survive its journey", event.Kind)
	}
	elsewhere := w.step(c.config, *travelled, wired)
	if !same(&out, &elsewhere) {
		w.violate(SameOutcome, c.facts.ID, "%s gives another outcome on another worker", event.Kind)
	}
}

// checkOutcome checks what one step gave.
func (w *world) checkOutcome(c *driven, before callflows.State, event callflows.Event, out callflows.Outcome) {
	id, s := c.facts.ID, out.State
	if before.Phase == callflows.Ended && (len(out.Commands) > 0 || !reflect.DeepEqual(before, s)) {
		w.violate(EndedIsSilent, id, "%s after the end gives %d commands", event.Kind, len(out.Commands))
	}
	// While what it waits for is broken off, it waits for nothing.
	if s.Phase == callflows.Running && s.Awaited == 0 && (before.Phase == "" || before.Awaited != 0) {
		w.violate(NoSilence, id, "after %s it waits for nothing at %s", event.Kind, s.Element)
	}
	if s.Entered < before.Entered || s.Entered > callflows.MaxElements+1 || len(s.Legs) > callflows.MaxLegs {
		w.violate(LimitsHold, id, "%d elements after %d, %d legs", s.Entered, before.Entered, len(s.Legs))
	}
	numbered, applications := before.Commands, 0
	for _, command := range out.Commands {
		if call := w.byID[id]; command.Kind != callflows.SetTimer && len(call.timers) > 0 && command.N > 0 {
			delete(call.timers, command.N) // a dead owner's, of which nothing stands on the channel
		}
		if len(out.Because) == 0 && command.Kind != callflows.FindContacts && command.Kind != callflows.CountCalls {
			w.violate(EverythingSaid, id, "%s is ordered without a reason", command.Kind)
		}
		w.checkTenants(c, command)
		if command.Kind == callflows.WriteCDR {
			continue
		}
		if numbered++; command.N != numbered {
			w.violate(NoCommandDoubled, id, "%s is number %d after %d", command.Kind, command.N, numbered-1)
		}
		if n := len(command.Targets); n > callflows.MaxTargets {
			w.violate(LimitsHold, id, "%d targets", n)
		}
		if command.Kind != callflows.HangUp && command.Kind != callflows.SetTimer && command.Kind != callflows.Fetch && command.Kind != callflows.FileRecording && command.Kind != callflows.SaveSetting && command.Kind != callflows.CheckPIN && command.Kind != callflows.StartRecording && command.Kind != callflows.StopRecording && command.Leg == c.facts.Leg {
			applications++
		}
	}
	if applications > 1 {
		w.violate(OneApplication, id, "one step orders %d at once", applications)
	}
	if before.Phase != s.Phase && len(out.Because) == 0 {
		w.violate(EverythingSaid, id, "the call is %s without a reason", s.Phase)
	}
	for _, r := range out.Because {
		if w.words != nil && w.words[r.Code] == "" {
			w.violate(EverythingSaid, id, "there are no words for %s", r.Code)
		}
	}
}

// checkTenants looks for what is another tenant's in a command. Names carry their tenant.
func (w *world) checkTenants(c *driven, command callflows.Command) {
	own := c.facts.Tenant
	foreign := func(name string, separators string) bool {
		i := strings.IndexAny(name, separators)
		if i < 0 || w.snapshot.Tenant(name[:i]) == nil {
			return false // the platform's own
		}
		return name[:i] != own
	}
	if foreign(command.Prompt, "/") {
		w.violate(TenantsApart, c.facts.ID, "the prompt %s is played to a call of %s", command.Prompt, own)
	}
	if set := command.Setting; set != nil && (foreign(set.User, "-") || foreign(set.Device, "-")) {
		w.violate(TenantsApart, c.facts.ID, "%s of %s at %s is set by a call of %s", set.Name, set.User, set.Device, own)
	}
	for _, d := range command.Devices {
		if foreign(d, "-") {
			w.violate(TenantsApart, c.facts.ID, "the device %s is looked up for a call of %s", d, own)
		}
	}
	for _, t := range command.Targets {
		if foreign(t.Trunk, "-") {
			w.violate(TenantsApart, c.facts.ID, "the trunk %s is dialled for a call of %s", t.Trunk, own)
		}
		if foreign(t.Device, "-") || foreign(strings.TrimPrefix(t.URI, "sip:"), "-") {
			w.violate(TenantsApart, c.facts.ID, "%s at %s is dialled for a call of %s", t.Device, t.URI, own)
		}
	}
	if r := command.Recording; r != nil && (r.Tenant != own || r.Call != c.facts.ID || foreign(r.Box, "-")) {
		w.violate(TenantsApart, c.facts.ID, "a recording of a call of %s is for %s of %s", own, r.Box, r.Tenant)
	}
	if foreign(command.Box, "-") {
		w.violate(TenantsApart, c.facts.ID, "the box %s is opened for a call of %s", command.Box, own)
	}
	if r := command.CDR; r != nil && (r.Tenant != own || r.Call != c.facts.ID || foreign(r.Device, "-") || w.legOf(c.facts.ID, r.Leg) == nil) {
		w.violate(TenantsApart, c.facts.ID, "a record of leg %s says tenant %s, call %s, device %s", short(r.Leg), r.Tenant, r.Call, r.Device)
	}
}

// legOf finds a leg of a call in the world, or nil.
func (w *world) legOf(call, leg string) *legFate {
	if c := w.byID[call]; c != nil {
		return c.legs[leg]
	}
	return nil
}

// countElements counts the types of the elements that were entered.
func (w *world) countElements(c *driven, before callflows.State, event callflows.Event, out callflows.Outcome) {
	if c.config.Tenant == nil {
		return
	}
	count := func(flow, key string) {
		if f := c.config.Tenant.Flow(flow); f != nil {
			if e, ok := f.Elements[key]; ok {
				w.result.Visited[e.Type]++
			}
		}
	}
	if before.Phase == "" && event.Kind == callflows.Parked {
		count(out.State.FlowID, callflows.ElementBefore(c.config, before, event))
	}
	for _, r := range out.Because {
		if r.Code == "exit_taken" {
			count(out.State.FlowID, r.Args.Get("element"))
		}
	}
}

// afterlife tells a call that has ended what may still come: it must not move.
func (w *world) afterlife(c *driven) {
	call := w.byID[c.facts.ID]
	if call.afterwards > 0 {
		return
	}
	call.afterwards++
	facts, at := c.facts, w.nodeTime()
	end := &callflows.LegEnd{Cause: "NORMAL_CLEARING", By: callflows.ByFarEnd, CreatedAt: at}
	for _, e := range []callflows.Event{
		pick(w, callflows.Event{Kind: callflows.Resumed, At: at, Leg: facts.Leg}, callflows.Event{Kind: callflows.Parked, At: at, Leg: facts.Leg, Call: &facts}),
		{Kind: pick(w, callflows.RingEnded, callflows.Played, callflows.TimerFired, callflows.Done), At: at, Leg: facts.Leg, Command: max(1, c.state.Commands)},
		{Kind: callflows.HungUp, At: at, Leg: pick(w, facts.Leg, "unknown"), End: end},
	} {
		w.stepped(&worker{w: w, name: "afterlife"}, c, e)
	}
}

// short names a leg in the story.
func short(leg string) string {
	if len(leg) < 13 {
		return leg
	}
	return leg[:13]
}

// words tell of an event at the node.
func words(c *channel, e callflows.Event, opens bool) string {
	kind := string(e.Kind)
	if opens {
		kind = "created"
	}
	who := "caller"
	if c.role == messages.RoleCallee {
		who = "callee"
	}
	text := fmt.Sprintf("%s %s %s", short(c.uuid), who, kind)
	if e.Command > 0 {
		text += fmt.Sprintf(" of %d", e.Command)
	}
	if e.End != nil {
		text += " " + strings.ToValidUTF8(e.End.Cause, "?") + " by " + string(e.End.By)
	}
	return text + strings.TrimRight(" "+e.Cause+" "+e.Digits, " ")
}
