package callflows

import (
	"strconv"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// A call runs to its end under the version that routing decided with. Whoever drives it finds the configuration by Pinned; what
// is not versioned is as it is at each step. A worker that cannot get the version drives the call by another, which the
// engine notices, says, and keeps to from then on.

// Pinned is the configuration of a call under the version that drives it, as a snapshot has it. It is false when the snapshot does
// not hold the version: then the configuration is that of the version that new calls get. Of a call that has not begun, the state
// needs to have nothing but Call.
func Pinned(s *tenants.Snapshot, state State) (config Config, held bool) {
	config = Config{Tenant: s.Tenant(state.Call.Tenant), Emergency: s.Emergency(), Ways: s.Ways()}
	if config.Tenant == nil || !state.Versioned() {
		return config, true
	}
	view := config.Tenant.At(state.DrivenBy())
	if view == nil {
		return config, false
	}
	config.Tenant = view
	return config, true
}

// Versioned says whether a call begins with anything of its tenant's that is versioned. The platform's own flows are not.
func (c Call) Versioned() bool {
	return c.FlowID != EmergencyFlow && c.FlowID != OutboundFlow && c.FlowID != ReplaceFlow && c.FlowID != AcrossFlow
}

// Versioned says whether the call runs by anything of its tenant's that is versioned: it began so, or a transfer has led it there.
func (s State) Versioned() bool { return s.Call.Versioned() || s.Version != 0 }

// pinNow keeps a call that began with a flow of the platform's to the version by which a transfer has led it to one of its tenant's.
func (s *step) pinNow(flow *tenants.Flow) {
	if flow.ID != OutboundFlow && !s.state.Versioned() {
		s.state.Version = s.config.Tenant.Published.Version
	}
}

// DrivenBy is the configuration version that drives the call: the one that routing decided with, unless the state names
// another: that could not be had, or a transfer out of a flow of the platform's came later.
func (s State) DrivenBy() int64 {
	if s.Version != 0 {
		return s.Version
	}
	return s.Call.Version
}

// PinnedTo is the configuration version that the call must be driven by, 0 for whichever is the newest: while it runs by nothing that
// is versioned, Call.Version binds nobody.
func (s State) PinnedTo() int64 {
	if !s.Versioned() {
		return 0
	}
	return s.DrivenBy()
}

// keepVersion notices that the configuration is of another version than the call has run under, and says so.
func (s *step) keepVersion() {
	t := s.config.Tenant
	if t == nil || !s.state.Versioned() || t.Published.Version == s.state.DrivenBy() {
		return
	}
	was := s.state.DrivenBy()
	s.state.Version = t.Published.Version
	if was == 0 {
		s.explain("version_unknown", "version", strconv.FormatInt(s.state.Version, 10))
		return
	}
	s.explain("version_missing", "version", strconv.FormatInt(was, 10), "now", strconv.FormatInt(s.state.Version, 10))
}

// misfits says whether the element at work has no use for the answer that it waits for: it is of another version than the one
// that asked. An element always goes on by its own answer.
func (s *step) misfits(awaited, commands int) bool {
	return s.state.Version != 0 && s.state.Phase == Running && s.answers() && s.state.Awaited == awaited && len(s.commands) == commands
}

// elsewhere goes on with a call whose element at work is not in the version that it is driven by now: once nothing is under way
// any more, its flow begins anew: after a transfer, that of the number that it was transferred to.
func (s *step) elsewhere() {
	if !s.answers() && s.event.Kind != Resumed {
		return
	}
	if s.state.Transfer.Times > 0 {
		s.goTo(s.state.Transfer.Target)
		return
	}
	flow := s.flow(s.state.Call.FlowID)
	if flow == nil {
		s.end(causeOfBrokenFlow, messages.FaultPlatform, because.New("flow_missing", "flow", s.state.Call.FlowID))
		return
	}
	s.state.FlowID = flow.ID
	s.explain("flow_anew", "flow", flow.Name, "flow_id", flow.ID, "element", flow.Start)
	s.enter(flow, flow.Start)
}
