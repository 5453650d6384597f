package main

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/routing"
	"tandem/tenants"
)

// playedCall is a whole call as the engine was told of it, to be stepped again.
type playedCall struct {
	config callflows.Config
	events []callflows.Event
}

// callKind is one of the calls that are stepped.
type callKind struct {
	name   string
	at     time.Time
	device string // the caller's digest user, or empty for the carrier
	realm  string // the device\'s
	to     string
	keys   string // that the caller keys when he is asked
	fails  int    // legs that fail with 503 before one answers; -1: all are busy
}

// callKinds are calls of the first customer.
func callKinds(of *tenants.Tenant) []callKind {
	numbers, devices, users := of.AllNumbers(), of.AllDevices(), of.AllUsers()
	open := time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC) // ten in the morning of a Monday in New York
	return []callKind{
		{name: "a person's own number", at: open, to: numbers[3]},
		{name: "hours, branch, menu, group of five", at: open, to: numbers[0], keys: "1"},
		{name: "menu, group in order, busy, sorry", at: open, to: numbers[0], keys: "2", fails: -1},
		{name: "closed: an announcement", at: open.Add(12 * time.Hour), to: numbers[0]},
		{name: "extension to extension", at: open, device: devices[1].Username, realm: of.Domain, to: users[2].Extension},
		{name: "out by the second carrier", at: open, device: devices[1].Username, realm: of.Domain, to: "011442079460000", fails: 1},
	}
}

// play lives through a call: the node obeys at once, phones are registered once each, and who talks hangs up after a minute.
func (k callKind) play(s *tenants.Snapshot) (call playedCall, entries []messages.JournalEntry, err error) {
	r := routing.Request{Call: "4d0a9fd2-68a1-8b8f-a3c5-6dd1d9a1f7c4", Edge: "edge1.example.com", Source: customerCarrier, Port: 5060, Transport: "udp",
		SIPCallID: "a84b4c76e66710@198.51.100.7", To: routing.URI{User: k.to}, From: routing.URI{User: "+15551234567"}, FromName: "Somebody"}
	if k.device != "" {
		r.AuthUser, r.AuthRealm, r.From.User, r.Source = k.device, k.realm, k.device, netip.AddrFrom4([4]byte{203, 0, 113, 5})
	}
	f := routing.Facts{At: k.at, Nodes: []routing.Node{{Name: "node1", SIPURI: "sip:192.0.2.20:5080", State: messages.NodeUp}}}
	d := routing.Decide(s, f, r)
	if d.Verdict != messages.Route {
		return call, nil, fmt.Errorf("%s: it is refused: %+v", k.name, d)
	}
	first, _ := routing.Journal(nil, f, r, d)
	call.config = callflows.Config{Tenant: s.Tenant(d.Tenant), Emergency: s.Emergency(), Ways: s.Ways()}
	p := &player{kind: k, at: k.at, facts: callflows.Call{ID: d.Call, Tenant: d.Tenant, Version: d.Version, Leg: "8adcdf28-8955-4dff-af12-e253ea68375b", Node: "node1",
		Edge: "sip:192.0.2.1:5060", FlowID: d.FlowID, Caller: d.Caller, Dialled: d.Dialled, SIPCallID: r.SIPCallID, StartedAt: k.at}}
	entries = append(entries, first)
	var state callflows.State
	p.queue = []callflows.Event{{Kind: callflows.Parked, Leg: p.facts.Leg, Call: &p.facts, At: k.at}}
	for len(p.queue) > 0 && len(call.events) < maxPlayed {
		event := p.queue[0]
		p.queue = p.queue[1:]
		call.events = append(call.events, event)
		out := callflows.Step(call.config, state, event)
		entry, err := journalled(call.config, state, event, out, len(call.events)-1)
		if err != nil {
			return call, nil, err
		}
		entries = append(entries, entry)
		for _, c := range out.Commands {
			p.obey(c)
		}
		state = out.State
	}
	if state.Phase != callflows.Ended {
		return call, nil, fmt.Errorf("%s: after %d steps it is %s at %s", k.name, len(call.events), state.Phase, state.Element)
	}
	return call, entries, nil
}

// maxPlayed is more than any of the calls takes.
const maxPlayed = 200

// player is the node, the phones and the caller of a call.
type player struct {
	kind  callKind
	at    time.Time
	facts callflows.Call
	queue []callflows.Event
}

func (p *player) tell(after time.Duration, e callflows.Event) {
	p.at = p.at.Add(after)
	e.At = p.at
	if e.Leg == "" {
		e.Leg = p.facts.Leg
	}
	p.queue = append(p.queue, e)
}

func (p *player) obey(c callflows.Command) {
	const moment = 20 * time.Millisecond
	switch c.Kind {
	case callflows.Answer:
		p.tell(moment, callflows.Event{Kind: callflows.Answered})
		p.tell(0, callflows.Event{Kind: callflows.Done, Command: c.N})
	case callflows.Play:
		p.tell(3*time.Second, callflows.Event{Kind: callflows.Played, Command: c.N})
	case callflows.CollectDigits:
		p.tell(3*time.Second, callflows.Event{Kind: callflows.DigitsCollected, Command: c.N, Outcome: callflows.DigitsGood, Digits: p.kind.keys})
	case callflows.FindContacts:
		e := callflows.Event{Kind: callflows.ContactsFound, Command: c.N}
		for _, d := range c.Devices {
			e.Contacts = append(e.Contacts, callflows.Contact{Device: d, URI: "sip:" + d + "@203.0.113.9:5060", Edge: "sip:192.0.2.1:5060"})
		}
		p.tell(0, e)
	case callflows.CountCalls:
		p.tell(0, callflows.Event{Kind: callflows.CallsCounted, Command: c.N, Counts: &callflows.Counts{}})
	case callflows.Ring:
		p.ring(c)
	case callflows.HangUp:
		p.hangUp(moment, p.facts.Leg, callflows.ByUs, c.Cause, 0)
	case callflows.SetTimer:
		p.tell(c.Wait, callflows.Event{Kind: callflows.TimerFired, Command: c.N})
	default:
		p.tell(moment, callflows.Event{Kind: callflows.Done, Command: c.N})
	}
}

// ring lets the first target answer, or all fail.
func (p *player) ring(c callflows.Command) {
	for _, t := range c.Targets {
		p.tell(time.Millisecond, callflows.Event{Kind: callflows.LegCreated, Leg: t.Leg, Target: t.URI})
	}
	switch {
	case p.kind.fails < 0:
		for _, t := range c.Targets {
			p.hangUp(time.Millisecond, t.Leg, callflows.ByFarEnd, "USER_BUSY", 486)
		}
		p.tell(time.Millisecond, callflows.Event{Kind: callflows.RingEnded, Command: c.N, Cause: "USER_BUSY"})
		return
	case p.kind.fails > 0:
		p.kind.fails--
		p.hangUp(time.Millisecond, c.Targets[0].Leg, callflows.ByFarEnd, "NORMAL_TEMPORARY_FAILURE", 503)
		p.tell(time.Millisecond, callflows.Event{Kind: callflows.RingEnded, Command: c.N, Cause: "NORMAL_TEMPORARY_FAILURE"})
		return
	}
	for _, t := range c.Targets {
		p.tell(100*time.Millisecond, callflows.Event{Kind: callflows.Rang, Leg: t.Leg})
	}
	talks := c.Targets[0].Leg
	p.tell(5*time.Second, callflows.Event{Kind: callflows.Answered, Leg: talks})
	for _, t := range c.Targets[1:] {
		p.hangUp(0, t.Leg, callflows.ByUs, "LOSE_RACE", 0)
	}
	p.tell(0, callflows.Event{Kind: callflows.Answered})
	p.tell(0, callflows.Event{Kind: callflows.Bridged, Leg: talks})
	p.hangUp(time.Minute, p.facts.Leg, callflows.ByFarEnd, "NORMAL_CLEARING", 0)
	p.hangUp(time.Millisecond, talks, callflows.ByUs, "NORMAL_CLEARING", 0)
}

func (p *player) hangUp(after time.Duration, leg string, by callflows.EndedBy, cause string, code int) {
	p.tell(after, callflows.Event{Kind: callflows.HungUp, Leg: leg, End: &callflows.LegEnd{Cause: cause, Q850: 16, SIPCode: code, By: by, CreatedAt: p.facts.StartedAt,
		SIPCallID: p.facts.SIPCallID, From: p.facts.Caller.Number, To: p.facts.Dialled}})
}

// step steps the whole call again.
func (c *playedCall) step() {
	var state callflows.State
	for i := range c.events {
		state = callflows.Step(c.config, state, c.events[i]).State
	}
}

// steps measures the engine alone, and then what explaining costs a worker.
func (c *benchEngineCommand) steps(ctx context.Context) ([]figure, error) {
	s, faults := tenants.NewSnapshot(customers(1, customerNumbers), callflows.ParseSettings)
	if len(faults) > 0 {
		return nil, faults[0]
	}
	var calls []playedCall
	steps := 0
	for _, k := range callKinds(s.Tenant(customerID(0))) {
		call, _, err := k.play(s)
		if err != nil {
			return nil, err
		}
		fmt.Printf("  %d steps: %s\n", len(call.events), k.name)
		calls, steps = append(calls, call), steps+len(call.events)
	}
	rounds := 2000
	if c.Short {
		rounds = 20
	}
	var perSecond, allocations series
	for range c.Rounds {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		used, err := processorTimeUsed()
		if err != nil {
			return nil, err
		}
		for range rounds {
			for i := range calls {
				calls[i].step()
			}
		}
		now, err := processorTimeUsed()
		if err != nil {
			return nil, err
		}
		runtime.ReadMemStats(&after)
		perSecond = append(perSecond, float64(rounds*steps)/(now-used).Seconds())
		allocations = append(allocations, float64(after.Mallocs-before.Mallocs)/float64(rounds*steps))
	}
	fmt.Printf("  steps a second of one core %s  allocations a step %s\n", perSecond.spread(), allocations.spread())
	figures := []figure{{"steps_per_s_core", perSecond.median()}, {"step_allocs", allocations.median()}}
	more, err := c.explaining(ctx)
	return append(figures, more...), err
}
