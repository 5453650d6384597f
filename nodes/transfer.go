package nodes

import (
	"strings"

	"tandem/callflows"
	"tandem/esl"
)

// The node carries out a phone's REFER by itself (mod_sofia's sofia.c, sofia_handle_sip_i_refer), and our order to take a leg out
// likewise (switch_ivr.c, switch_ivr_session_transfer): the leg parks, and who it talked to is hung up. Each time the leg gets
// another transfer_source, which tells a transfer from what the channel still shows of the last one:
//
//	TIME:UUID:bl_xfer:103/tandem/XML          by REFER: 103 is the user of Refer-To
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
	if !dialable(e.Target) {
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
	if !transferred || t.Parked && t.Source == e.Moved || c.state.Phase != callflows.Running && c.state.Phase != callflows.Talking {
		return e, false
	}
	e.At = d.at()
	return e, true
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

// foreignTransferor gives the device at the leg that asked for a transfer, when it is another call's. Locks of two shards are never
// held at once: this is asked before the event's own shard is locked.
func (n *Node) foreignTransferor(e *esl.Event) string {
	if e.Name() != "CHANNEL_PARK" {
		return ""
	}
	event, transferred := transferOf(e)
	if !transferred || event.ByLeg == "" || shareDigits(event.ByLeg, event.Leg) {
		return ""
	}
	s := n.shardOf(event.ByLeg)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deviceAt(event.ByLeg)
}

// translate is the function of that name, with what other shards know.
func (s *shard) translate(e *esl.Event) (callflows.Event, bool) {
	event, ok := translate(e)
	if event.Kind == callflows.Transferred {
		event.Device = s.transferor
	}
	return event, ok
}

// deviceAt is the device id at a leg, or "".
func (s *shard) deviceAt(leg string) string {
	c := s.calls[leg]
	if c == nil {
		return ""
	}
	if leg == c.state.Call.Leg {
		return c.state.Call.Caller.Device
	}
	for _, l := range c.state.Legs {
		if l.ID == leg {
			return l.Device
		}
	}
	return ""
}
