package fstest

import (
	"time"

	"github.com/google/uuid"
)

// uuidBridge is switch_ivr_uuid_bridge: both channels leave what they do and
// meet; the first is the A-leg unless only the second has media.
func (s *Server) uuidBridge(first, second string) bool {
	a, ok := s.find(first)
	if !ok {
		return false
	}
	b, ok := s.find(second)
	if !ok || a == b || !a.media && !b.media {
		return false
	}
	if !a.media {
		a, b = b, a
	}
	now := itoa(int(time.Now().Unix()))
	for _, pair := range [][2]*channel{{a, b}, {b, a}} {
		one, other := pair[0], pair[1]
		one.vars.set("bridge_channel", other.name)
		one.vars.set("bridge_uuid", other.uuid)
		one.vars.set("signal_bond", other.uuid)
		one.vars.set("original_destination_number", one.profile.destination)
		one.vars.set("original_caller_id_name", one.profile.callerName)
		one.vars.set("original_caller_id_number", one.profile.callerNumber)
		source := now + ":" + uuid.NewString() + ":uuid_br:" + other.uuid
		one.vars.set("transfer_history", source)
		one.vars.set("transfer_source", source)
		one.profile.transferSource = source
	}
	a.vars.set("uuid_bridge", b.uuid)
	if b.direction == outbound {
		a.profile.calleeName, a.profile.calleeNumber = b.profile.calleeName, b.profile.calleeNumber
	}
	a.showOther("originatee", b)
	b.showOther("originator", a)
	a.send(&redirect{peer: b, lead: true})
	b.send(&redirect{peer: a})
	a.state, b.state = csHibernate, csHibernate
	return true
}

// softExecute is a channel's part in uuid_bridge (uuid_bridge_on_soft_execute):
// both reach CS_SOFT_EXECUTE, then the A-leg bridges.
func (c *channel) softExecute(r *redirect) {
	if c.direction == outbound {
		c.hitDialplan = false
	}
	c.enter(csHibernate)
	c.enter(csReset)
	c.enter(csSoftExecute)
	r.peer.notify()
	if !r.lead {
		for c.ready() && r.peer.up() {
			c.pause(time.Time{})
		}
		if c.ready() {
			c.hangup(causeDestinationOutOfOrder)
		}
		return
	}
	for c.ready() && r.peer.up() && r.peer.running != csSoftExecute {
		c.pause(time.Time{})
	}
	if !c.ready() {
		return
	}
	if !r.peer.up() {
		c.hangup(causeDestinationOutOfOrder)
		return
	}
	c.vars.unset("uuid_bridge")
	c.fire("CHANNEL_EXECUTE", field{"Application", "uuid_bridge"}, field{"Application-Data", r.peer.uuid})
	r.peer.fire("CHANNEL_EXECUTE", field{"Application", "uuid_bridge"}, field{"Application-Data", c.uuid})
	c.bridge(r.peer)
	if c.ready() {
		// CS_EXECUTE without anything left to execute ends the call.
		c.enter(csExecute)
		c.hangup(causeNormalClearing)
	}
}
