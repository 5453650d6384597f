package provisioning

import (
	"context"
	"errors"
	"time"

	"tandem/numbers"
	"tandem/postgres"
)

// PortingAsk asks for a step of a porting order.
type PortingAsk struct {
	Step    numbers.PortStep
	Decider bool      // who asks deals with the other carrier
	On      time.Time // Schedule: the day
	Comment string
	By      string
	Match   func(postgres.Porting) bool // when it is not nil, it must hold of the order as it is
}

// StepPorting does a step of a porting order, and with its numbers what follows from it, at once: a number that is ported in is live at the tenant with the
// step's commit, and one that is ported out is live no more.
func (s *Service) StepPorting(ctx context.Context, tenantID, id string, a PortingAsk) (o postgres.Porting, err error) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	var c checks
	c.name("by", a.By)
	c.lines("comment", a.Comment, MaxPortNote)
	if a.Step == numbers.Schedule {
		c.day("on", a.On, now)
	}
	if c.err != nil {
		return o, c.err
	}
	err = s.withPorting(ctx, tenantID, id, func(tx *postgres.Tx, p postgres.Porting) error {
		if a.Match != nil && !a.Match(p) {
			return &Error{Code: Stale, Field: "porting", Detail: "has been changed meanwhile: read it again"}
		}
		if err := a.step(ctx, tx, p, now); err != nil {
			return err
		}
		o, err = tx.Porting(ctx, tenantID, id, false)
		return err
	})
	if postgres.IsForbidden(err) {
		return o, conflict("numbers", "one of them is not to be had")
	}
	return o, err
}

func (a PortingAsk) step(ctx context.Context, tx *postgres.Tx, p postgres.Porting, now time.Time) error {
	var on time.Time
	if p.ScheduledOn != nil {
		on = *p.ScheduledOn
	}
	state, err := p.State.After(numbers.PortAsk{Step: a.Step, Decider: a.Decider, On: a.On, Comment: a.Comment, Now: now}, on)
	if err != nil {
		return refusedPorting(err)
	}
	if err := stepNumbers(ctx, tx, p, p.Direction.NumberStep(p.State, state), now); err != nil {
		return err
	}
	done := postgres.PortingStep{Step: string(a.Step), From: p.State, To: state, Comment: a.Comment, By: a.By}
	if a.Step == numbers.Schedule {
		day := a.On.UTC().Truncate(24 * time.Hour)
		p.ScheduledOn, done.On = &day, &day
	}
	return tx.StepPorting(ctx, p, done)
}

func refusedPorting(err error) error {
	var refused *numbers.Refusal
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Code {
	case numbers.PortNeedsDate:
		return invalid("on", refused.Words)
	case numbers.PortNeedsWords:
		return invalid("comment", refused.Words)
	case numbers.PortNoSuchStep:
		return invalid("step", refused.Words)
	}
	return conflict("porting", refused.Words)
}

// stepNumbers does with the numbers of a porting order what follows from its step. The tenant is locked.
func stepNumbers(ctx context.Context, tx *postgres.Tx, p postgres.Porting, step numbers.Step, now time.Time) error {
	switch step {
	case "":
		return nil
	case numbers.Announce:
		return announce(ctx, tx, p, now)
	}
	stock, err := tx.Stock(ctx, p.Numbers, true)
	if err != nil {
		return err
	}
	if len(stock) < len(p.Numbers) {
		return conflict("numbers", "one of them is not in the inventory: only a number that is yours can be ported")
	}
	for i := range stock {
		if stock[i].Tenant != p.Tenant && stock[i].ReservedFor != p.Tenant {
			return conflict("numbers", stock[i].Number.Number+" is not yours")
		}
		after, err := stock[i].Do(numbers.Ask{Step: step, Tenant: p.Tenant, Now: now})
		if err != nil {
			return refusedStep(stock[i].Number.Number, err)
		}
		stock[i].Number = after
	}
	switch step {
	case numbers.PortedOut:
		if err := tx.DropNumberUses(ctx, p.Tenant, p.Numbers); err != nil {
			return err
		}
		return tx.DropStock(ctx, p.Numbers, step)
	case numbers.PortFails:
		return tx.DropStock(ctx, p.Numbers, step)
	}
	return tx.SaveStock(ctx, stock, step)
}

// announce brings numbers that are to come into the inventory, in the stock of the tenant's reseller or the platform. One that is in it already is
// not to be ported in, whosever it is.
func announce(ctx context.Context, tx *postgres.Tx, p postgres.Porting, now time.Time) error {
	holder, err := tx.HolderFor(ctx, p.Tenant)
	if err != nil {
		return err
	}
	coming := make([]postgres.Stock, 0, len(p.Numbers))
	for _, number := range p.Numbers {
		n, err := numbers.Number{Number: number}.Do(numbers.Ask{Step: numbers.Announce, Tenant: p.Tenant, Holder: holder, Now: now})
		if err != nil {
			return refusedStep(number, err)
		}
		coming = append(coming, postgres.Stock{Number: n, Trunk: p.Trunk})
	}
	added, err := tx.InsertStock(ctx, coming, numbers.Announce)
	if err == nil && added < len(coming) {
		err = conflict("numbers", "one of them is on this platform already, or on its way to it")
	}
	return err
}
