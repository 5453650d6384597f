package nodes

import (
	"strings"
	"time"

	"tandem/callflows"
	"tandem/esl"
	"tandem/messages"
)

// The node carries out a phone's REFER by itself (mod_sofia's sofia.c, sofia_handle_sip_i_refer), and our order to take a leg out
// likewise (switch_ivr.c, switch_ivr_session_transfer): the leg parks, and who it talked to is hung up. Each time the leg gets
// another transfer_source, which tells a transfer from what the channel still shows of the last one:
//
//	TIME:UUID:bl_xfer:103/tandem/XML          by REFER: 103 is the user of Refer-To; *across.CALL.LEG, which edges alone write, a talk
//	TIME:UUID:bl_xfer:park/default/inline     by our order
//	TIME:UUID:uuid_br:OTHER                   to another leg: REFER with Replaces, or our order
const (
	transferSource = "transfer_source"
	parkedMark     = ":bl_xfer:"
	orderedMark    = "/inline"
)

// denyRefer is the variable of a leg on which, and with whose party, the node refuses a REFER with Replaces.
const denyRefer = "deny_refer_requests"

// allowRefer lets the driven leg's party be joined with another by REFER, now that they talk. It is no order of the engine's: should
// it be lost, such a REFER is refused, and they go on talking.
func (s *shard) allowRefer(c *call) {
	leg := c.state.DrivenLeg()
	select {
	case s.outbox <- order{call: c, facts: c.state.Call, command: callflows.Command{Leg: leg}, built: esl.UUIDSetvar(leg, denyRefer, "false"), term: s.node.term.Load()}:
	default:
	}
}

// markLed lets a leg by which its call is driven now, and which is not the caller's, carry what a worker needs that knows nothing of the
// call. One that the node has joined with another call's by REFER may never be ordered anything that would bring it.
func (s *shard) markLed(c *call) {
	if c.state.DrivenLeg() != c.state.Call.Leg {
		s.mark(c)
	}
}

// mark lets the driven leg carry the call, with no order. What the leg carries proves whether the last owner's order was taken: until
// the node was asked for that, it is left as it is.
func (s *shard) mark(c *call) {
	if c.unmarked = c.unclear; c.unmarked {
		return
	}
	leg := c.state.DrivenLeg()
	built := esl.UUIDSetvarMulti(leg, esl.Var{Name: markVariable, Value: encodeMark(c.state, c.steps)}, esl.Var{Name: factsVariable, Value: encodeFacts(c.state.Call)})
	select {
	case s.outbox <- order{call: c, facts: c.state.Call, command: callflows.Command{Leg: leg}, built: built, term: s.node.term.Load()}:
	default:
	}
}

// transferOf reads from the leg's own event or dump what it was transferred to. It is false for a leg that was not.
func transferOf(h headers) (callflows.Event, bool) {
	source := h.Variable(transferSource)
	if !strings.Contains(source, parkedMark) {
		return callflows.Event{}, false
	}
	e := callflows.Event{Kind: callflows.Transferred, Leg: h.Get("Unique-ID"), Moved: source}
	if strings.HasSuffix(source, orderedMark) {
		return e, true
	}
	e.ByLeg, e.Target = h.Variable("last_bridge_to"), h.Get("Caller-Destination-Number")
	if _, talk := callflows.ReadConsulted(e.Target); !talk && !dialable(e.Target) {
		e.Target = "?" // it leads nowhere, and is not the order's
	}
	return e, true
}

// maxTransferTarget is the longest number that a call is transferred to.
const maxTransferTarget = 64

// dialable says whether a text from a Refer-To is a number or a name such as phones dial.
func dialable(target string) bool {
	return target != "" && len(target) <= maxTransferTarget &&
		strings.Trim(target, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+*#._-") == ""
}

// unheardTransfer is the transfer that a dump shows and that the call has not been told of, if there is one.
func unheardTransfer(c *call, d dump) (callflows.Event, bool) {
	e, transferred := transferOf(d)
	t := c.state.Transfer
	if !transferred || t.Parked && t.Source == e.Moved || e.Target == "" && t.Leg != e.Leg || c.state.Phase != callflows.Running && c.state.Phase != callflows.Talking {
		return e, false
	}
	e.At = d.at()
	return e, true
}

// orphaned says whether a leg has parked by a transfer, and belongs to no call that anybody knows: who transferred it is gone, and it
// carries nothing. It would wait for ever.
func (s *shard) orphaned(d headers) bool {
	_, transferred := transferOf(d)
	_, ours := callOf(d, s.node.options.Node.Name)
	return transferred && !ours && d.Get("Call-Direction") == "outbound"
}

// leftBehind is the leg of the same call that stays when this one has transferred it and goes, or "" (sofia.c: endpoint_disposition
// of a blind transfer, and of a leg that REFER with Replaces has replaced; transfer_to of who asked for that).
func leftBehind(h headers) string {
	switch h.Variable("endpoint_disposition") {
	case "BLIND_TRANSFER", "ATTENDED_TRANSFER":
	default:
		if !strings.HasPrefix(h.Variable("transfer_to"), "att:") {
			return ""
		}
	}
	if left := h.Variable("last_bridge_to"); shareDigits(left, h.Get("Unique-ID")) {
		return left
	}
	return ""
}

// elsewhere describes the leg of another call that an event is about as well: that which asked for a transfer, or is joined. Locks
// of two shards are never held at once: this is asked before the event's own shard is locked.
func (n *Node) elsewhere(e *esl.Event) *callflows.Party {
	other := ""
	switch e.Name() {
	case "CHANNEL_PARK":
		if event, transferred := transferOf(e); transferred && !shareDigits(event.ByLeg, event.Leg) {
			other = event.ByLeg
		}
	case "CHANNEL_BRIDGE":
		if leg, foreign := otherCallsLeg(e); foreign {
			other = leg
		}
	}
	if other == "" {
		return nil
	}
	return n.party(other)
}

// translate is the function of that name, with what other shards know.
func (s *shard) translate(e *esl.Event) (callflows.Event, bool) {
	event, ok := translate(e)
	switch p := s.elsewhere; {
	case p == nil:
	case event.Kind == callflows.Transferred && event.ByLeg == p.Leg:
		event.Device = p.Device
	case event.Kind == callflows.Joined && event.Other.Leg == p.Leg:
		event.Other = p
	}
	return event, ok
}

// TransferOrder is somebody's order to take a leg of a live call to a number.
type TransferOrder struct {
	ID   string // a second order with it is the same
	Call string
	Leg  string // channel uuid; empty: the leg that the flow drives
	To   string // as a device of the tenant's dials it
	By   string
}

// Transfer says whether this worker owns the node of such a call, and whether the transfer is under way: the call's explanation
// says why not.
func (n *Node) Transfer(o TransferOrder) (owned, taken bool) {
	for _, s := range n.shards {
		if there, begun := s.transfer(o); there {
			return true, begun
		}
	}
	return false, false
}

func (s *shard) transfer(o TransferOrder) (there, begun bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.node.role.Load() != owning { // or deposed meanwhile: the next owner gets the order too
		return false, false
	}
	for leg, c := range s.calls {
		if leg != c.state.Call.Leg || c.state.Call.ID != o.Call {
			continue
		}
		s.step(c, callflows.Event{Kind: callflows.TransferOrdered, At: time.Now().UTC(), Leg: o.Leg, Target: o.To, By: o.By, Order: o.ID})
		return true, c.state.Transfer.Order == o.ID
	}
	return false, false
}

// TransferRefused lets a call tell that a phone's transfer to another talk, which its edge has asked about, was not carried out by a
// worker. It says whether this worker owns the node of such a call.
func (n *Node) TransferRefused(m *messages.TransferRefused) bool {
	s := n.shardOf(m.Leg)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[m.Leg]
	if c == nil || c.late || c.state.Call.ID != m.Call || n.role.Load() != owning {
		return false
	}
	s.step(c, callflows.Event{Kind: callflows.TransferRefused, At: time.Now().UTC(), Leg: m.Leg, Order: m.ID, Cause: string(m.Why), There: m.Here,
		Other: &callflows.Party{Call: m.Other}})
	return true
}
