package numbers

import (
	"errors"
	"fmt"
	"time"
)

// Number is one number of the inventory.
type Number struct {
	Number      string    // E.164 with "+"
	Holder      string    // in whose stock it is: a reseller's id; empty: the platform's
	State       State     //
	Tenant      string    // whose it is while it is live
	ReservedFor string    // for whom it is kept back, or comes from another carrier; empty: for nobody in particular
	LastTenant  string    // whose it was last, while it ages
	Until       time.Time // when it is reserved, or ages, no longer
	Since       time.Time // when it came into its state
}

// Ask is a step with what it needs. Now is always needed.
type Ask struct {
	Step   Step
	Tenant string    // Reserve: for whom (may be empty); Assign, Retake, Announce, PortedIn: who gets it
	Holder string    // Add, Announce: in whose stock; Hand: in whose then
	Until  time.Time // Reserve, Release, Withdraw
	Now    time.Time
}

// Code says what kind of refusal a Refusal is.
type Code string

// The codes of refusals.
const (
	WrongState  Code = "number_state"       // the step does not lead from the state
	ForAnother  Code = "number_reserved"    // it is kept back for another tenant
	NotYet      Code = "number_not_yet"     // its time has not come
	NotTheLast  Code = "number_not_last"    // only who had it last can get it back
	Incomplete  Code = "number_incomplete"  // the step lacks something
	SameHolder  Code = "number_same_holder" // it is in that stock already
	routedFirst      = "a published route leads from it: take the route out and publish, or withdraw the number"
)

// Refusal says why a step does not lead on.
type Refusal struct {
	Code  Code
	Words string // fit for whoever asked, after "The number "
}

func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Words }

func refuse(code Code, words string) error { return &Refusal{code, words} }

// Do gives the number as it is after a step. With an error, which is a *Refusal, it is as it was.
func (n Number) Do(a Ask) (Number, error) {
	to, ok := n.State.After(a.Step)
	if !ok {
		return n, refuse(WrongState, n.wrongState(a.Step))
	}
	if err := n.mayDo(a); err != nil {
		return n, err
	}
	after := n.changed(a, to)
	if err := after.Check(); err != nil {
		return n, refuse(Incomplete, err.Error())
	}
	return after, nil
}

func (n Number) wrongState(step Step) string {
	if n.State == InUse && step == Release {
		return "is in use: " + routedFirst
	}
	return "is " + n.State.Words()
}

// mayDo holds what the table cannot say.
func (n Number) mayDo(a Ask) error {
	switch a.Step {
	case Expire, Age:
		if a.Now.Before(n.Until) {
			return refuse(NotYet, "is "+n.State.Words()+" until "+n.Until.UTC().Format(time.RFC3339))
		}
	case Reserve:
		if !a.Until.After(a.Now) {
			return refuse(Incomplete, "can be reserved only until a time that is to come")
		}
	case Release, Withdraw:
		if a.Until.Before(a.Now) {
			return refuse(Incomplete, "cannot rest until a time that is past")
		}
	case Assign:
		if n.State == Reserved && n.ReservedFor != "" && n.ReservedFor != a.Tenant {
			return refuse(ForAnother, "is reserved for another customer")
		}
	case PortedIn:
		if n.ReservedFor != a.Tenant {
			return refuse(ForAnother, "is on its way to another customer")
		}
	case Retake:
		if n.LastTenant != a.Tenant {
			return refuse(NotTheLast, "can go back only to the customer who had it last")
		}
	case Hand:
		if n.Holder == a.Holder {
			return refuse(SameHolder, "is in that stock already")
		}
	case Add, Free, Route, Unroute, Announce, PortFails, PortOut, Keep, PortedOut, Block, Unblock, Retire:
	}
	return nil
}

// changed is the number after a step that is allowed.
func (n Number) changed(a Ask, to State) Number {
	after := Number{Number: n.Number, Holder: n.Holder, State: to, Since: a.Now}
	switch a.Step {
	case Add, Hand:
		after.Holder = a.Holder
	case Announce:
		after.Holder, after.ReservedFor = a.Holder, a.Tenant
	case Reserve:
		after.ReservedFor, after.Until = a.Tenant, a.Until
	case Assign, Retake, PortedIn:
		after.Tenant = a.Tenant
	case Route, Unroute, PortOut, Keep:
		after.Tenant = n.Tenant
	case Release, Withdraw:
		after.LastTenant, after.Until = n.Tenant, a.Until
	case PortFails, PortedOut, Retire:
		after.Holder = ""
	case Free, Expire, Age, Block, Unblock:
	}
	return after
}

// Check says what is wrong with a number, whatever has led to it. The schema has the same rules.
func (n Number) Check() error {
	switch {
	case n.State.Live() != (n.Tenant != ""):
		return errors.New("has a customer exactly while it is live")
	case n.State == PortingIn && n.ReservedFor == "":
		return errors.New("comes from another carrier for a customer")
	case n.ReservedFor != "" && n.State != Reserved && n.State != PortingIn:
		return fmt.Errorf("is kept for a customer although it is %s", n.State.Words())
	case n.State == Ageing && n.LastTenant == "":
		return errors.New("rests after a customer")
	case n.LastTenant != "" && n.State != Ageing:
		return errors.New("remembers its last customer only while it rests")
	case (n.State == Reserved || n.State == Ageing) == n.Until.IsZero():
		return errors.New("has an end exactly while it is reserved or rests")
	case n.State == NotOurs && n.Holder != "":
		return errors.New("is in nobody's stock when it is not ours")
	}
	return nil
}
