package callflows

import (
	"cmp"

	"tandem/because"
	"tandem/messages"
)

// CauseOfOrder ends a call that an administrator hangs up. FreeSWITCH has it for that (switch_types.h), gives it to calls that
// it ends in a planned stop itself, and answers an INVITE that is still open with 480 (mod_sofia.c, hangup_cause_to_sip).
const CauseOfOrder = "MANAGER_REQUEST"

// What stands for what was not said.
const (
	somebody = "somebody"
	noReason = "no reason was given"
)

// endOrdered ends the call by an administrator's order. One that is ending already goes on doing so: asking twice is harmless.
func (s *step) endOrdered() {
	if s.state.Phase != Running && s.state.Phase != Talking || s.state.Summoning() && !s.state.live() { // phones are about to ring: who wants no call asks again
		return
	}
	by, reason := clip(cmp.Or(s.event.By, somebody), messages.MaxName), clip(cmp.Or(s.event.Reason, noReason), messages.MaxName)
	s.end(CauseOfOrder, messages.FaultPlatform, because.New("end_ordered", "by", by, "reason", reason))
}
