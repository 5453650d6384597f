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

// Pinned is the configuration of a call under a version, as a snapshot has it. It is false when the snapshot does not hold the
// version: then the configuration is that of the version that new calls get.
func Pinned(s *tenants.Snapshot, c Call, version int64) (config Config, held bool) {
	config = Config{Tenant: s.Tenant(c.Tenant), Emergency: s.Emergency(), Ways: s.Ways()}
	if config.Tenant == nil || !c.Versioned() {
		return config, true
	}
	view := config.Tenant.At(version)
	if view == nil {
		return config, false
	}
	config.Tenant = view
	return config, true
}

// Versioned says whether a call runs by anything of its tenant's that is versioned. The platform's own flows do not.
func (c Call) Versioned() bool {
	return c.FlowID != EmergencyFlow && c.FlowID != OutboundFlow && c.FlowID != ReplaceFlow
}

// DrivenBy is the configuration version that drives the call: the one that routing decided with, unless the state says that
// it could not be had.
func (s State) DrivenBy() int64 {
	if s.Version != 0 {
		return s.Version
	}
	return s.Call.Version
}

// keepVersion notices that the configuration is of another version than the call has run under, and says so.
func (s *step) keepVersion() {
	t := s.config.Tenant
	if t == nil || !s.state.Call.Versioned() || t.Published.Version == s.state.DrivenBy() {
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
// any more, its flow begins anew.
func (s *step) elsewhere() {
	if !s.answers() && s.event.Kind != Resumed {
		return
	}
	flow := s.flow(s.state.Call.FlowID)
	if flow == nil {
		s.end(causeOfBrokenFlow, messages.FaultPlatform, because.New("flow_missing", "flow", s.state.Call.FlowID))
		return
	}
	s.state.FlowID = flow.ID
	s.explain("flow_anew", "flow", flow.Name)
	s.enter(flow, flow.Start)
}
