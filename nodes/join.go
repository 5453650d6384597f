package nodes

import (
	"context"
	"errors"
	"time"

	"tandem/callflows"
	"tandem/esl"
)

// Legs of two calls are joined by the owner of their node, who drives both. The call whose leg is wanted is told before the
// node is: from then on nothing else is ordered of that leg. What the node tells of the two legs it tells on one of them, and
// both calls hear it. No two shards' locks are ever held at once.

var (
	errNoOther  = errors.New("nodes: the other call's leg is not there any more")
	errTaken    = errors.New("nodes: the leg is being joined with another call's")
	errNotAsked = errors.New("nodes: the other call is not yet known to this worker")
)

// otherCallsLeg gives the second leg of a bridge when it is another call's: the legs of one call share the first digits of
// their uuids (callflows, legid.go).
func otherCallsLeg(e *esl.Event) (string, bool) {
	other := e.Get("Bridge-B-Unique-ID")
	return other, len(other) >= legDigits && !shareDigits(e.UniqueID(), other)
}

// legDigits is less than any uuid has.
const legDigits = 9

// across tells the call of a bridge's second leg what the event tells of the first, when it is another call's.
func (n *Node) across(e *esl.Event) {
	event, ok := translate(e)
	if !ok || event.Kind != callflows.Joined && event.Kind != callflows.Parted {
		return
	}
	leg := event.Other.Leg
	event.Leg, event.Other = leg, n.party(e.UniqueID())
	s := n.shardOf(leg)
	s.mu.Lock()
	defer s.mu.Unlock()
	h := heard{event: event, channel: e.UniqueID(), sequence: sequence(e)}
	c := s.calls[leg]
	switch {
	case c == nil || h.sequence != 0 && h.sequence <= c.stepped[h.channel]:
	case n.role.Load() == standingBy, c.late:
		c.keep(h)
	case n.role.Load() == owning:
		c.note(h.channel, h.sequence)
		s.step(c, event)
	}
}

// party is what this worker knows of a leg.
func (n *Node) party(leg string) *callflows.Party {
	s := n.shardOf(leg)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.calls[leg]; c != nil {
		return c.party(leg)
	}
	return &callflows.Party{Leg: leg}
}

// party describes one of the call's legs.
func (c *call) party(leg string) *callflows.Party {
	p := &callflows.Party{Leg: leg, Call: c.state.Call.ID}
	if caller := c.state.Call.Caller; leg == c.state.Call.Leg {
		p.Number, p.Name, p.Device = caller.Number, caller.Name, caller.Device
		return p
	}
	for _, l := range c.state.Legs {
		if l.ID != leg {
			continue
		}
		p.Device = l.Device
		if l.Device == "" {
			p.Number = c.state.Call.Dialled
		}
		if u := userOf(c.config.Tenant, l.Device); u != nil {
			p.Number, p.Name = u.Extension, u.Name
		}
	}
	return p
}

// takeLeg tells the call whose leg an order wants, and gives what is to be written to the node before the order. The error
// says that the leg cannot be had; a call of another tenant's is as one that is not there.
func (n *Node) takeLeg(o order) ([]esl.Command, error) {
	other := o.command.Other.Leg
	own := n.party(o.command.Leg)
	s := n.shardOf(other)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[other]
	if c == nil || c.state.Call.Tenant != o.facts.Tenant || c.state.Call.ID == o.facts.ID && other == o.command.Leg {
		return nil, errNoOther
	}
	if c.late {
		return nil, errNotAsked
	}
	if c.state.OnTheMove() {
		return nil, errTaken
	}
	leg := legOf(&c.state, other)
	if leg == nil || leg.HungUp || c.state.Phase != callflows.Running && c.state.Phase != callflows.Talking || n.role.Load() != owning {
		return nil, errNoOther
	}
	if c.state.Call.ID != o.facts.ID {
		s.step(c, callflows.Event{Kind: callflows.Taken, At: time.Now().UTC(), Leg: other, Other: own, For: o.command.For})
	}
	return c.beforeJoin(leg), nil
}

// beforeJoin is what a leg needs before it is joined: phones that ring for it are told that the call was answered elsewhere
// (RFC 3326: the node does so for LOSE_RACE, mod_sofia.c sofia_on_hangup), it is answered, since two legs of which one has no
// media cannot be joined (switch_ivr_bridge.c, switch_ivr_uuid_bridge), and its end must end the other although no worker
// may be there to say so.
func (c *call) beforeJoin(leg *callflows.Leg) []esl.Command {
	var all []esl.Command
	if leg.ID == c.state.DrivenLeg() {
		for _, l := range c.state.Legs {
			if l.ID != leg.ID && l.Created && !l.Answered && !l.HungUp {
				all = append(all, esl.UUIDKill(l.ID, "LOSE_RACE"))
			}
		}
	}
	variables := joinVariables()
	if leg.ID != c.state.Call.Leg { // it may outlive its call's caller, and every worker that knows of it
		variables = append(variables, esl.Var{Name: markVariable, Value: encodeMark(c.state, c.steps)}, esl.Var{Name: factsVariable, Value: encodeFacts(c.state.Call)})
	}
	all = append(all, esl.UUIDSetvarMulti(leg.ID, variables...))
	if !leg.Answered {
		all = append(all, esl.UUIDAnswer(leg.ID))
	}
	return all
}

// joinVariables let a joined leg end with the other.
func joinVariables() []esl.Var {
	return []esl.Var{{Name: "hangup_after_bridge", Value: "true"}, {Name: "park_after_bridge", Value: "false"}}
}

func legOf(state *callflows.State, id string) *callflows.Leg {
	for i := range state.Legs {
		if state.Legs[i].ID == id {
			return &state.Legs[i]
		}
	}
	return nil
}

// sendJoin writes a join: the mark and what both legs need go in the same write, and only the node's word on the join counts.
func (o order) sendJoin(ctx context.Context, c *esl.Conn) (esl.Reply, error) {
	variables := append(joinVariables(), esl.Var{Name: markVariable, Value: o.mark})
	if o.command.Leg != o.facts.Leg {
		variables = append(variables, esl.Var{Name: factsVariable, Value: encodeFacts(o.facts)})
	}
	commands := []esl.Command{esl.UUIDSetvarMulti(o.command.Leg, variables...)}
	commands = append(commands, o.with...)
	commands = append(commands, o.built)
	replies, err := c.SendInOneWrite(ctx, commands...)
	if err != nil {
		return esl.Reply{}, err
	}
	return replies[len(replies)-1], nil
}

// releaseLeg tells the call whose leg was wanted that nothing comes of it.
func (n *Node) releaseLeg(o order) {
	s := n.shardOf(o.command.Other.Leg)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[o.command.Other.Leg]
	if c == nil || c.late || c.state.Call.ID == o.facts.ID || n.role.Load() != owning {
		return
	}
	s.step(c, callflows.Event{Kind: callflows.Released, At: time.Now().UTC(), Leg: o.command.Other.Leg, Other: &callflows.Party{Leg: o.command.Leg}})
}

// eavesdropVariables say who hears one who listens in: who is listened to by what the node writes to its phone, the other side
// by what it reads from there (switch_ivr_async.c, eavesdrop_callback). The listener's digits change nothing.
func eavesdropVariables(mode callflows.EavesdropMode) []esl.Var {
	flag := func(set bool) string {
		if set {
			return "true"
		}
		return "false"
	}
	return []esl.Var{{Name: "eavesdrop_enable_dtmf", Value: "false"}, {Name: "eavesdrop_whisper_bleg", Value: flag(mode != callflows.Listen)},
		{Name: "eavesdrop_whisper_aleg", Value: flag(mode == callflows.Barge)}}
}

// overhear tells the call that is listened to.
func (n *Node) overhear(o order) error {
	other, own := o.command.Other.Leg, n.party(o.command.Leg)
	s := n.shardOf(other)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[other]
	if c == nil || c.state.Call.Tenant != o.facts.Tenant || c.late {
		return errNoOther
	}
	s.step(c, callflows.Event{Kind: callflows.Overheard, At: time.Now().UTC(), Leg: other, Other: own, Mode: o.command.Mode})
	return nil
}

// suspends says whether an order is for a leg that another call takes: then it is not carried out.
func (s *shard) suspends(o order) bool {
	switch o.command.Kind {
	case callflows.HangUp, callflows.TakeOut, "":
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	leg := legOf(&o.call.state, o.command.Leg)
	return leg != nil && leg.With != nil && (leg.Taken || leg.Joined)
}

// findCall answers a question after a call of the tenant's.
func (s *shard) findCall(c *call, command callflows.Command, at time.Time) callflows.Event {
	found := callflows.Event{Kind: callflows.CallFound, At: at, Leg: command.Leg, Command: command.N}
	if s.node.options.Finder != nil && command.Wanted != nil {
		found.Found = s.node.options.Finder.FindCall(c.state.Call, *command.Wanted, time.Now())
	}
	return found
}
