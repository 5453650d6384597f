package nodes

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"time"

	"tandem/callflows"
	"tandem/esl"
	"tandem/nodes/link"
	"tandem/routing"
)

// order is one built command on its way to the node.
type order struct {
	call    *call
	facts   callflows.Call // the call's, readable without the shard's lock
	command callflows.Command
	music   []esl.Var // of a ring: what the leg that dials is to carry of it
	built   esl.Command
	at      time.Time     // of the event that led to it
	mark    string        // what the channel of the driven leg is to carry from then on
	ticket  link.Ticket   // of the state that the standby must have first
	term    int64         // of ownership in which it was given
	with    []esl.Command // of a join and a hand-over: what is written with it, before it
	moved   bool          // the call was on another node before
}

var (
	errOutboxFull = errors.New("nodes: too many commands wait for this media node")
	errNoTarget   = errors.New("nodes: none of the contacts can be dialled")
)

// build makes a typed command of the engine's order. What came from phones passes the checks of package esl here.
func (n *Node) build(c callflows.Call, command callflows.Command) (esl.Command, error) {
	id := commandID(c, command.N)
	var built interface {
		esl.Command
		Err() error
	}
	switch command.Kind {
	case callflows.Answer:
		built = esl.Answer(command.Leg, id)
	case callflows.SignalRinging:
		built = esl.RingReady(command.Leg, id)
	case callflows.Play:
		built = esl.Playback(command.Leg, id, n.played(c.Tenant, ownBefore(command.Box, command.Prompt), command.Prompts, command.Language))
	case callflows.CollectDigits:
		built = esl.PlayAndGetDigits(command.Leg, id, n.digitsRequest(c.Tenant, command))
	case callflows.Ring:
		dial, err := n.dialString(c, command)
		if err != nil {
			return nil, err
		}
		built = esl.Bridge(command.Leg, id, dial)
	case callflows.HangUp:
		built = esl.UUIDKill(command.Leg, command.Cause)
		if command.Code != 0 {
			built = esl.Respond(command.Leg, id, command.Code)
		}
	case callflows.Announce:
		built = esl.Page(command.Leg, id, command.Room)
	case callflows.Invite:
		dial, err := n.dialString(c, command)
		if err != nil {
			return nil, err
		}
		dial.Global = append(dial.Global, esl.Var{Name: "originate_timeout", Value: seconds(command.Wait)})
		built = esl.Detached(esl.OriginateIntoPage(dial, command.Room))
	case callflows.Summon:
		dial, err := n.dialString(c, command)
		if err != nil {
			return nil, err
		}
		// Each leg carries the call's facts: who answers may do so while no worker is there.
		dial.Global = append(dial.Global, esl.Var{Name: "originate_timeout", Value: seconds(command.Wait)}, esl.Var{Name: factsVariable, Value: encodeFacts(c)})
		built = esl.Detached(esl.Originate(dial))
	case callflows.TakeOut:
		built = esl.UUIDTransferPark(command.Leg, false)
	case callflows.Join:
		if command.Other == nil {
			return nil, errNoOther
		}
		built = esl.UUIDBridge(command.Leg, command.Other.Leg)
	case callflows.Rejoin:
		if command.Other == nil {
			return nil, errNoOther
		}
		built = esl.UUIDBridge(command.Leg, command.Other.Leg)
	case callflows.HandOver:
		built = esl.UUIDBreak(command.Leg, true)
	case callflows.StopPlaying:
		built = esl.UUIDBreak(command.Leg, false)
	case callflows.Eavesdrop:
		if command.Other == nil {
			return nil, errNoOther
		}
		built = esl.Eavesdrop(command.Leg, id, command.Other.Leg)
	case callflows.Record:
		built = esl.Record(command.Leg, id, n.recording(command))
	case callflows.StartRecording:
		built = esl.RecordSession(command.Leg, id, n.recordedTo(command.File))
	case callflows.StopRecording:
		built = esl.StopRecordSession(command.Leg, id, n.recordedTo(command.File))
	case callflows.Speak:
		built = esl.Speak(command.Leg, id, n.options.Speech.Engine, n.options.Speech.Voice, command.Text)
	case callflows.FindContacts, callflows.FindCall, callflows.CountCalls, callflows.SetTimer, callflows.Fetch, callflows.WriteCDR, callflows.FileRecording,
		callflows.FindMessages, callflows.MarkMessage, callflows.CheckPIN, callflows.SaveSetting, callflows.MoveLegs, callflows.LeaveMove:
		return nil, errors.New("nodes: not a command for a media node: " + string(command.Kind))
	}
	return built, built.Err()
}

func (n *Node) digitsRequest(tenant string, command callflows.Command) esl.DigitsRequest {
	d := command.Digits
	variable := digitsVariable(command.N)
	if d.Secret {
		variable = secretVariable(command.N)
	}
	return esl.DigitsRequest{
		Min: d.Min, Max: d.Max, Tries: 1, Timeout: d.First, DigitTimeout: d.Between, Terminators: cmp.Or(d.Terminator, "none"),
		Prompt: n.played(tenant, command.Prompt, command.Prompts, command.Language), Variable: variable, Pattern: "^[" + d.Allowed + "]+$",
	}
}

// dialString dials the targets that can be dialled. A contact that a phone registered and that no dial string can carry
// is left out, so that it does not keep the others from ringing.
func (n *Node) dialString(c callflows.Call, command callflows.Command) (esl.DialString, error) {
	dial := esl.DialString{Mode: esl.Simultaneous, Global: append(n.dialVariables(command), n.musicVariables(c.Tenant, command)...)}
	if command.InOrder {
		dial.Mode = esl.Sequential
	}
	for _, t := range command.Targets {
		leg := esl.DialLeg{Profile: n.options.Profile, URI: t.URI, Path: t.Edge, Vars: n.legVariables(c.Tenant, command, t)}
		if t.Trunk != "" {
			leg.Vars = append(leg.Vars, trunkVariables(command, t)...)
		}
		if err := (esl.DialString{Legs: []esl.DialLeg{leg}}).Err(); err != nil {
			n.log.Warn("a contact cannot be dialled", slog.String("call_id", c.ID), slog.String("tenant_id", c.Tenant),
				slog.String("device_id", t.Device), slog.Any("error", err))
			continue
		}
		dial.Legs = append(dial.Legs, leg)
	}
	if len(dial.Legs) == 0 {
		return dial, errNoTarget
	}
	return dial, nil
}

// legVariables are for one leg: its id, when it rings and how long, and what must be keyed before its answer counts
// (switch_ivr_originate.c: leg_delay_start is added to leg_timeout, group_confirm_timeout replaces it after the answer).
func (n *Node) legVariables(tenant string, command callflows.Command, t callflows.Target) []esl.Var {
	vars := []esl.Var{{Name: "origination_uuid", Value: t.Leg}, {Name: "leg_timeout", Value: seconds(cmp.Or(t.Wait, command.Wait))}}
	add := func(name, value string) { vars = append(vars, esl.Var{Name: name, Value: value}) }
	if t.Delay > 0 {
		add("leg_delay_start", seconds(t.Delay))
	}
	if t.AutoAnswer { // RFC 3261 20.9; the parameter is what phones have agreed on, and so is the other header
		add("sip_h_Call-Info", "<sip:"+anonymousHost+">;answer-after=0")
		add("sip_h_Alert-Info", "<http://"+anonymousHost+">;info=alert-autoanswer;delay=0")
	}
	if inBrowser(t.URI) {
		add("media_webrtc", "true") // switch_core_media.c: the offer has ICE, DTLS-SRTP and one port, which browsers insist on
	}
	if a := t.Accept; a != nil {
		add("group_confirm_key", a.Key)
		add("group_confirm_file", n.options.Prompts(tenant, command.Language, a.Prompt))
		add("group_confirm_timeout", seconds(a.Wait))
	}
	if t.CallerID != nil {
		vars = append(vars, callerVariables(*t.CallerID)...)
	}
	return vars
}

// browserAlias is at the end of a contact that registered over a WebSocket: the edge writes where it saw it, and over what (nathelper;
// Kamailio's ip_addr.h, enum sip_protos: 5 is ws, 6 is wss).
var browserAlias = regexp.MustCompile(`;alias=[0-9A-Fa-f.:\[\]]+~[0-9]+~[56]$`)

// inBrowser says whether a contact is a phone in a browser.
func inBrowser(uri string) bool { return browserAlias.MatchString(uri) }

// seconds writes a time as the node reads it: whole seconds, at least one.
func seconds(d time.Duration) string { return strconv.Itoa(max(1, int(d/time.Second))) }

// anonymous is shown for a caller of whom nothing may be shown.
const (
	anonymous     = "anonymous"
	anonymousHost = "anonymous.invalid"
)

// dialVariables are the same for every leg of one Ring.
func (n *Node) dialVariables(command callflows.Command) []esl.Var {
	var vars []esl.Var
	if !command.EarlyOK {
		vars = append(vars, esl.Var{Name: "ignore_early_media", Value: "true"})
	}
	return append(vars, callerVariables(command.CallerID)...)
}

// musicVariables say what the one whom a leg puts on hold hears: the variable is read on the leg that holds
// (switch_core_media.c, switch_core_media_toggle_hold).
func (n *Node) musicVariables(tenant string, command callflows.Command) []esl.Var {
	if command.Music == "" {
		return nil
	}
	return []esl.Var{{Name: "hold_music", Value: n.options.Prompts(tenant, command.Language, command.Music)}}
}

// callerVariables say who calls.
func callerVariables(id callflows.CallerID) []esl.Var {
	// Both are always set: what is not set FreeSWITCH copies from the caller's leg, where it decodes percent escapes of a
	// display name into the From header of the dialled leg (mod_sofia, check_decode).
	number := cmp.Or(id.Number, anonymous)
	name := cmp.Or(esl.CleanName(id.Name), number)
	return []esl.Var{{Name: "origination_caller_id_number", Value: number}, {Name: "origination_caller_id_name", Value: name}}
}

// trunkVariables are for a leg that leaves by a trunk: how long it may give no sign (switch_ivr_originate.c,
// per_channel_progress_timelimit_sec), and what the trunk is told of the caller beside the From header. The edge knows the trunk
// by the header of its name, which goes no further.
func trunkVariables(command callflows.Command, t callflows.Target) []esl.Var {
	id := command.CallerID
	if t.CallerID != nil {
		id = *t.CallerID
	}
	var vars []esl.Var
	add := func(name, value string) { vars = append(vars, esl.Var{Name: name, Value: value}) }
	if command.Progress > 0 {
		add("leg_progress_timeout", seconds(command.Progress))
	}
	if command.Location != "" { // RFC 6442 4.1
		add("sip_h_Geolocation", "<"+command.Location+">")
	}
	if id.Domain == "" { // the emergency trunk, which is no configured one
		return vars
	}
	add("sip_h_"+routing.HeaderTrunk, t.Trunk)
	if t.Between != "" {
		add("sip_h_"+routing.HeaderBetween, t.Between)
	}
	if t.Across != "" {
		add("sip_h_"+routing.HeaderReplaces, t.Across)
	}
	host := id.Domain
	if id.Private { // RFC 3323 4.1.1.3
		host = anonymousHost
	}
	add("sip_invite_domain", host)
	if id.Asserted != "" {
		add("sip_h_P-Asserted-Identity", "<sip:"+id.Asserted+"@"+id.Domain+">") // RFC 3325 9.1
	}
	if id.Private {
		add("sip_h_Privacy", "id") // RFC 3325 9.3
	}
	diverted := t.Diverted
	if diverted == nil && command.DivertedBy != "" {
		diverted = &callflows.Diversion{By: command.DivertedBy, Times: command.Diversions}
	}
	if diverted != nil { // RFC 5806 3
		add("sip_h_Diversion", "<sip:"+diverted.By+"@"+id.Domain+">;reason="+cmp.Or(string(diverted.On), "unconditional")+";counter="+strconv.Itoa(diverted.Times))
	}
	return vars
}

// send writes a shard's commands to the node, one after the other, and tells the engine what the node refuses.
func (s *shard) send(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-s.outbox:
			err := s.sendOne(ctx, o)
			s.sent(o)
			if err != nil && ctx.Err() == nil {
				s.refuse(o, err)
			}
		}
	}
}

// sendOne sends a command, waiting a bounded time for a lost connection to come back. A command whose effect is unknown
// is not sent again: after the reconnection the node's channels say what came of it.
func (s *shard) sendOne(ctx context.Context, o order) error {
	if s.node.deceased.Load() {
		return nil
	}
	// Who follows this worker, should it end or be stopped now, must know of the order before the node does. When the standby
	// is slow to say that it has it, the kernel has it at least.
	if !o.ticket.Wait(shipWait) {
		o.ticket.Written(writeWait)
	}
	if o.command.Kind == callflows.Join {
		with, err := s.node.takeLeg(o)
		if err != nil {
			return err
		}
		o.with = with
	} else if s.suspends(o) {
		return errTaken
	}
	if o.command.Kind == callflows.Eavesdrop {
		if err := s.node.overhear(o); err != nil {
			return err
		}
	}
	deadline := time.Now().Add(resendWait)
	for {
		if s.node.role.Load() != owning || s.node.term.Load() != o.term || s.node.deceased.Load() {
			return nil // whoever owns the node now has the order in the call's state
		}
		if c := s.node.up.Load(); c != nil && s.node.mayWrite() {
			s.node.commands()
			reply, err := o.sendTo(ctx, c)
			if err == nil {
				s.tookOn(c, o)
				s.confirm(o)
				if o.command.Kind == callflows.Join && reply.Err() != nil {
					s.node.releaseLeg(o)
				}
				return reply.Err()
			}
			if !errors.Is(err, esl.ErrNotSent) {
				s.node.log.WarnContext(ctx, "a command's effect is unknown", slog.String("call_id", o.facts.ID),
					slog.String("tenant_id", o.facts.Tenant), slog.String("command", string(o.command.Kind)), slog.Any("error", err))
				return nil
			}
		}
		if time.Now().After(deadline) {
			return esl.ErrNotSent
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(resendPause):
		}
	}
}

// sent notes that a command no longer waits to be sent, whatever came of it.
func (s *shard) sent(o order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.call.queued == o.command.N {
		o.call.queued = 0
	}
}

// tookOn notes on which connection the node has taken an order: what comes of it is told there.
func (s *shard) tookOn(c *esl.Conn, o order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.command.N != 0 { // a write of our own, such as a mark, is no order
		o.call.taken, o.call.takenOn = o.command.N, c
	}
}

// confirm notes that the node has taken an order, and tells the standby.
func (s *shard) confirm(o order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.call.orders = slices.DeleteFunc(o.call.orders, func(c callflows.Command) bool { return c.N <= o.command.N })
	if o.call.state.Phase != callflows.Ended {
		s.ship(o.call)
	}
}

// mayWrite says whether this worker may write to the node at this moment. A worker that shares the node may while its
// lease lasts. To a dead one nothing is written.
func (n *Node) mayWrite() bool {
	lease := n.lease.Load()
	return n.options.Link == nil || n.deceased.Load() || lease != nil && lease.Valid(time.Now())
}

// sendTo writes an order to a node. In the same write the driven leg's channel gets its mark, and before a ring how it is to
// end: when this process dies, the channel carries the mark exactly if the order is on its way.
func (o order) sendTo(ctx context.Context, c *esl.Conn) (esl.Reply, error) {
	switch o.command.Kind {
	case callflows.HangUp, callflows.Invite, callflows.Summon, "":
		return c.Send(ctx, o.built)
	case callflows.Join:
		return o.sendJoin(ctx, c)
	case callflows.Rejoin:
		return o.sendRejoin(ctx, c)
	case callflows.HandOver:
		_, err := c.SendInOneWrite(ctx, append(o.with, o.built)...)
		return esl.Reply{}, err
	}
	variables := []esl.Var{{Name: markVariable, Value: o.mark}}
	if o.command.Leg != o.facts.Leg || o.moved {
		variables = append(variables, esl.Var{Name: factsVariable, Value: encodeFacts(o.facts)})
	}
	switch o.command.Kind {
	case callflows.Ring:
		variables = append(variables, ringVariables(o.command)...)
		variables = append(variables, o.music...)
	case callflows.Eavesdrop:
		variables = append(variables, eavesdropVariables(o.command.Mode)...)
	case callflows.Record:
		variables = append(variables, recordVariables(o.command)...)
	default: // what is ordered says all
	}
	set, reply, err := c.SendTogether(ctx, esl.UUIDSetvarMulti(o.command.Leg, variables...), o.built)
	if err == nil && set.Err() != nil {
		return set, nil
	}
	return reply, err
}

// ringVariables are for the caller's leg of a ring. A ring that fails must neither end the caller nor answer him with the
// callee's own code: what happens then is the flow's to decide, and a callee's 503 would make the edge try the call on
// another node (switch_channel_handle_cause; mod_sofia.c, sofia_on_hangup). A talk that ends must end the caller although
// no worker may be there to say so. What the edge and the caller put into X- and P- headers is not for the called. And who
// is answered already, by a menu, must hear that it rings.
func ringVariables(command callflows.Command) []esl.Var {
	vars := []esl.Var{{Name: "continue_on_fail", Value: "true"}, {Name: "sip_ignore_remote_cause", Value: "true"},
		{Name: "hangup_after_bridge", Value: "true"}, {Name: "sip_copy_custom_headers", Value: "false"}}
	// What an earlier ring has left would be taken for the outcome of this one.
	vars = append(vars, esl.Var{Name: "last_bridge_proto_specific_hangup_cause", Value: "none"})
	// A REFER with Replaces that names a call which still rings would send the other party on a way of the node's own.
	vars = append(vars, esl.Var{Name: denyRefer, Value: "true"})
	if command.Ringback {
		vars = append(vars, esl.Var{Name: "transfer_ringback", Value: tone("ring")})
	}
	return vars
}

// refuse tells the engine. A hang-up of a leg that is gone already is no news.
func (s *shard) refuse(o order, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.call.state.Phase == callflows.Ended || o.command.Kind == callflows.HangUp || o.command.Kind == "" {
		return
	}
	s.node.log.Warn("the media node refused a command", slog.String("call_id", o.facts.ID),
		slog.String("tenant_id", o.facts.Tenant), slog.String("command", string(o.command.Kind)), slog.Any("error", err))
	s.step(o.call, refused(o.command, o.at, err))
}
