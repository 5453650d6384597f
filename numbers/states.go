package numbers

import "slices"

// State is where a number is in its life. The zero value is a number that is not in the inventory.
type State string

// The states. In Assigned, InUse and PortingOut a number is live: calls to it reach its tenant.
const (
	NotOurs    State = ""
	Available  State = "available"   // in stock, nobody's
	Reserved   State = "reserved"    // kept back until a time, for a tenant or for whoever its holder will say
	Assigned   State = "assigned"    // a tenant's; no published route leads from it
	InUse      State = "in_use"      // a tenant's, and a published route leads from it
	Ageing     State = "ageing"      // was a tenant's; rests until a time, so that the next one does not get its calls
	PortingIn  State = "porting_in"  // comes from another carrier, for a tenant
	PortingOut State = "porting_out" // goes to another carrier; live until it has gone
	Blocked    State = "blocked"     // in stock, and not to be given to anybody
)

// States lists those of numbers in the inventory, in the order of a number's life.
func States() []State {
	return []State{Available, Reserved, Assigned, InUse, Ageing, PortingIn, PortingOut, Blocked}
}

// Live says whether calls to a number in this state reach a tenant.
func (s State) Live() bool { return s == Assigned || s == InUse || s == PortingOut }

// Words is the state in words that support reads out.
func (s State) Words() string {
	switch s {
	case NotOurs:
		return "not in the inventory"
	case Available:
		return "available"
	case Reserved:
		return "reserved"
	case Assigned:
		return "assigned to a customer, and not routed yet"
	case InUse:
		return "in use"
	case Ageing:
		return "resting after its last customer"
	case PortingIn:
		return "on its way from another carrier"
	case PortingOut:
		return "on its way to another carrier"
	case Blocked:
		return "blocked"
	}
	return "in a state that this release does not know"
}

// Step is what happens to a number.
type Step string

// The steps.
const (
	Add       Step = "add"        // it comes into somebody's stock
	Hand      Step = "hand"       // it goes from one stock to another
	Reserve   Step = "reserve"    // it is kept back
	Free      Step = "free"       // it is kept back no longer
	Expire    Step = "expire"     // the time for which it was kept back is over
	Assign    Step = "assign"     // a tenant gets it: it is live
	Route     Step = "route"      // a published route leads from it
	Unroute   Step = "unroute"    // none does any more
	Release   Step = "release"    // its tenant gives it back, or it is taken from him; nothing leads from it
	Withdraw  Step = "withdraw"   // the same although something leads from it
	Age       Step = "age"        // the time of its rest is over
	Retake    Step = "retake"     // its last tenant gets it back
	Announce  Step = "announce"   // it is to be ported in
	PortedIn  Step = "ported_in"  // it is here, and live
	PortFails Step = "port_fails" // it does not come
	PortOut   Step = "port_out"   // it is to be ported out
	Keep      Step = "keep"       // it does not go
	PortedOut Step = "ported_out" // it has gone
	Block     Step = "block"      // nobody is to get it
	Unblock   Step = "unblock"    // it may be given again
	Retire    Step = "retire"     // it leaves the inventory
)

// Transition is one row of the table: a step leads from any of some states to one.
type Transition struct {
	Step Step
	From []State
	To   State
}

// Transitions is the table of all that can happen; whatever is not in it is refused.
func Transitions() []Transition {
	return []Transition{
		{Add, []State{NotOurs}, Available},
		{Hand, []State{Available}, Available},
		{Reserve, []State{Available}, Reserved},
		{Free, []State{Reserved}, Available},
		{Expire, []State{Reserved}, Available},
		{Assign, []State{Available, Reserved}, Assigned},
		{Route, []State{Assigned}, InUse},
		{Unroute, []State{InUse}, Assigned},
		{Release, []State{Assigned}, Ageing},
		{Withdraw, []State{Assigned, InUse}, Ageing},
		{Age, []State{Ageing}, Available},
		{Retake, []State{Ageing}, Assigned},
		{Announce, []State{NotOurs}, PortingIn},
		{PortedIn, []State{PortingIn}, Assigned},
		{PortFails, []State{PortingIn}, NotOurs},
		{PortOut, []State{Assigned, InUse}, PortingOut},
		{Keep, []State{PortingOut}, Assigned},
		{PortedOut, []State{PortingOut}, NotOurs},
		{Block, []State{Available, Reserved, Ageing}, Blocked},
		{Unblock, []State{Blocked}, Available},
		{Retire, []State{Available, Ageing, Blocked}, NotOurs},
	}
}

// After says in which state a number is after a step, by the table alone.
func (s State) After(step Step) (to State, ok bool) {
	for _, t := range Transitions() {
		if t.Step == step {
			return t.To, slices.Contains(t.From, s)
		}
	}
	return s, false
}
