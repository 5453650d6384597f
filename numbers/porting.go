package numbers

import (
	"slices"
	"time"
)

// Direction says which way numbers are ported.
type Direction string

// The directions.
const (
	In  Direction = "in"  // from another carrier to the tenant
	Out Direction = "out" // from the tenant to another carrier
)

// PortState is where a porting order is.
type PortState string

// The states of a porting order:
//
//	draft --submit--> submitted --accept--> accepted --schedule--> scheduled --ported--> ported
//	                   |    ^                  |                     |  ^ |
//	                   |    +--submit-- rejected <-----reject--------+  +-+ schedule
//	                   +------reject------^
//	all but ported: --cancel--> cancelled (once it is scheduled, only by who decides)
const (
	PortDraft     PortState = "draft"
	PortSubmitted PortState = "submitted"
	PortAccepted  PortState = "accepted"
	PortRejected  PortState = "rejected"
	PortScheduled PortState = "scheduled"
	PortPorted    PortState = "ported"
	PortCancelled PortState = "cancelled"
)

// PortStates lists them.
func PortStates() []PortState {
	return []PortState{PortDraft, PortSubmitted, PortAccepted, PortRejected, PortScheduled, PortPorted, PortCancelled}
}

// PortStep is what happens to a porting order.
type PortStep string

// The steps.
const (
	Submit   PortStep = "submit"
	Accept   PortStep = "accept"
	Reject   PortStep = "reject"
	Schedule PortStep = "schedule"
	Ported   PortStep = "ported"
	Cancel   PortStep = "cancel"
)

// PortTransition is one row of the table of porting orders.
type PortTransition struct {
	Step    PortStep
	From    []PortState
	To      PortState
	Decider bool // only who deals with the other carrier may do it, not the tenant
}

// PortTransitions is the table of all that can happen to a porting order.
func PortTransitions() []PortTransition {
	return []PortTransition{
		{Submit, []PortState{PortDraft, PortRejected}, PortSubmitted, false},
		{Accept, []PortState{PortSubmitted}, PortAccepted, true},
		{Reject, []PortState{PortSubmitted, PortAccepted, PortScheduled}, PortRejected, true},
		{Schedule, []PortState{PortAccepted, PortScheduled}, PortScheduled, true},
		{Ported, []PortState{PortScheduled}, PortPorted, true},
		{Cancel, []PortState{PortDraft, PortSubmitted, PortAccepted, PortRejected}, PortCancelled, false},
		{Cancel, []PortState{PortScheduled}, PortCancelled, true},
	}
}

// The codes of refusals of porting steps.
const (
	PortWrongState Code = "porting_state"     // the step does not lead from the state
	PortDecides    Code = "porting_decider"   // the step is not the tenant's to take
	PortNeedsDate  Code = "porting_date"      // a day is missing, or past
	PortNeedsWords Code = "porting_comment"   // a reason is missing
	PortNotYet     Code = "porting_not_yet"   // the day has not come
	PortNoSuchStep Code = "porting_step"      // there is no such step
	PortFrozen     Code = "porting_submitted" // it can be changed no more
)

// PortAsk is a step of a porting order with what it needs.
type PortAsk struct {
	Step    PortStep
	Decider bool      // who asks deals with the other carrier
	On      time.Time // Schedule: the day
	Comment string    // Reject: why
	Now     time.Time
}

// After gives the state after a step. on is the day for which the order is scheduled so far. With an error, which is a *Refusal, the
// state is as it was.
func (s PortState) After(a PortAsk, on time.Time) (PortState, error) {
	known, mine := false, true
	for _, t := range PortTransitions() {
		if t.Step != a.Step {
			continue
		}
		known = true
		if !slices.Contains(t.From, s) {
			continue
		}
		if t.Decider && !a.Decider {
			mine = false
			continue
		}
		if err := a.complete(on); err != nil {
			return s, err
		}
		return t.To, nil
	}
	switch {
	case !known:
		return s, refuse(PortNoSuchStep, "knows no such step")
	case !mine:
		return s, refuse(PortDecides, "is "+string(s)+": this step is taken by who deals with the other carrier")
	}
	return s, refuse(PortWrongState, "is "+string(s))
}

// complete holds what the table cannot say.
func (a PortAsk) complete(on time.Time) error {
	switch a.Step {
	case Schedule:
		if a.On.Before(day(a.Now)) {
			return refuse(PortNeedsDate, "needs a day that is not past")
		}
	case Reject:
		if a.Comment == "" {
			return refuse(PortNeedsWords, "is rejected with a reason alone")
		}
	case Ported:
		if day(a.Now).Before(day(on)) {
			return refuse(PortNotYet, "is scheduled for "+on.UTC().Format(time.DateOnly)+": schedule it for today first")
		}
	case Submit, Accept, Cancel:
	}
	return nil
}

func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// Editable says whether the numbers and documents of an order in this state may change.
func (s PortState) Editable() bool { return s == PortDraft || s == PortRejected }

// Open says whether an order in this state has hold of its numbers.
func (s PortState) Open() bool { return s == PortSubmitted || s == PortAccepted || s == PortScheduled }

// NumberStep says what a porting order's way from one state to another does to each of its numbers; empty: nothing.
func (d Direction) NumberStep(from, to PortState) Step {
	steps := map[Direction][3]Step{In: {Announce, PortedIn, PortFails}, Out: {PortOut, PortedOut, Keep}}[d]
	switch {
	case !from.Open() && to.Open():
		return steps[0]
	case to == PortPorted:
		return steps[1]
	case from.Open() && !to.Open():
		return steps[2]
	}
	return ""
}
