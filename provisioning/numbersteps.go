package provisioning

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem/numbers"
	"tandem/postgres"
)

// NumberChange asks for a step of some numbers: all of them, or none.
type NumberChange struct {
	Within  string // who asks: a tenant; empty: the platform
	Numbers []string
	Step    numbers.Step // one of AskedSteps
	Tenant  string       // Reserve (may be empty), Assign, Retake: whose they are to be
	Holder  string       // Hand: in whose stock they are to be; empty: the platform's
	Until   time.Time    // Reserve; zero: DefaultReserveDays from now
}

// AskedSteps are the steps that somebody can ask for; the others are time's, publishing's and porting's.
func AskedSteps() []numbers.Step {
	return []numbers.Step{numbers.Hand, numbers.Reserve, numbers.Free, numbers.Assign, numbers.Release, numbers.Withdraw, numbers.Retake, numbers.Block, numbers.Unblock, numbers.Retire}
}

// tenantSteps are those that the tenant may ask for, of what is his or kept for him.
func tenantSteps() []numbers.Step {
	return []numbers.Step{numbers.Assign, numbers.Release, numbers.Withdraw}
}

// StepNumbers does a step with numbers, all or none, and gives them as they are then. A number that is not the asker's to see is not there, whoever has it.
func (s *Service) StepNumbers(ctx context.Context, c NumberChange) (after []postgres.Stock, err error) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	if err := c.check(&now); err != nil {
		return nil, err
	}
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		stock, err := c.lock(ctx, tx)
		if err != nil {
			return err
		}
		after, err = c.do(ctx, tx, stock, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return after, nil
}

func (c *NumberChange) check(now *time.Time) error {
	if err := checkCount(len(c.Numbers)); err != nil {
		return err
	}
	c.Numbers = slices.Compact(slices.Sorted(slices.Values(c.Numbers)))
	var k checks
	for _, n := range c.Numbers {
		k.number("numbers", n)
	}
	k.that(slices.Contains(AskedSteps(), c.Step), "step", "is none that can be asked for")
	if c.Step == numbers.Reserve {
		if c.Until.IsZero() {
			c.Until = now.AddDate(0, 0, DefaultReserveDays)
		}
		c.Until = c.Until.UTC().Truncate(time.Microsecond)
		k.that(c.Until.After(*now) && c.Until.Before(now.AddDate(0, 0, MaxReserveDays+1)), "until", fmt.Sprintf("is not within %d days from now", MaxReserveDays))
	}
	k.that(c.Tenant != "" || c.Step != numbers.Assign && c.Step != numbers.Retake, "tenant", "is missing")
	if c.Tenant != "" {
		k.id("tenant", c.Tenant)
	}
	return k.err
}

// lock locks the tenants that a change concerns, and then the numbers: the order in which everybody locks, publishing included.
func (c *NumberChange) lock(ctx context.Context, tx *postgres.Tx) ([]postgres.Stock, error) {
	stock, err := tx.Stock(ctx, c.Numbers, false)
	if err != nil {
		return nil, err
	}
	locked := map[string]bool{c.Tenant: true}
	for _, n := range stock {
		locked[n.Tenant] = true
	}
	if err := lockTenants(ctx, tx, locked); err != nil {
		return nil, err
	}
	if stock, err = tx.Stock(ctx, c.Numbers, true); err != nil {
		return nil, err
	}
	stock = slices.DeleteFunc(stock, func(n postgres.Stock) bool { return !c.sees(n) })
	if len(stock) < len(c.Numbers) {
		return nil, missing("number", c.firstMissing(stock)+" is not in your inventory")
	}
	for _, n := range stock {
		if n.Tenant != "" && !locked[n.Tenant] {
			return nil, conflict("number", n.Number.Number+" has just changed: try again")
		}
	}
	return stock, nil
}

// sees says whether a number is the asker's to see. Row level security says the same beneath.
func (c *NumberChange) sees(n postgres.Stock) bool {
	return c.Within == "" || n.Holder == c.Within || n.Tenant == c.Within || n.ReservedFor == c.Within
}

func (c *NumberChange) firstMissing(stock []postgres.Stock) string {
	for i, number := range c.Numbers {
		if i >= len(stock) || stock[i].Number.Number != number {
			return number
		}
	}
	return ""
}

// do does the step with numbers that are locked.
func (c *NumberChange) do(ctx context.Context, tx *postgres.Tx, stock []postgres.Stock, now time.Time) ([]postgres.Stock, error) {
	until := map[string]time.Time{} // by holder
	for i := range stock {
		n := &stock[i]
		holds := c.Within == "" || n.Holder == c.Within
		if !holds && (!slices.Contains(tenantSteps(), c.Step) || c.Tenant != "" && c.Tenant != c.Within) {
			return nil, conflict("number", n.Number.Number+" is not in your stock: whoever holds it can do this")
		}
		if err := c.mayGo(ctx, tx, *n); err != nil {
			return nil, err
		}
		ask := numbers.Ask{Step: c.Step, Tenant: c.Tenant, Holder: c.Holder, Until: c.Until, Now: now}
		if c.Step == numbers.Release || c.Step == numbers.Withdraw {
			if _, known := until[n.Holder]; !known {
				days, err := tx.AgeingDays(ctx, n.Holder)
				if err != nil {
					return nil, err
				}
				until[n.Holder] = now.AddDate(0, 0, days)
			}
			ask.Until = until[n.Holder]
		}
		after, err := n.Do(ask)
		if err != nil {
			return nil, refusedStep(n.Number.Number, err)
		}
		if err := c.letGo(ctx, tx, n.Number); err != nil {
			return nil, err
		}
		n.Number = after
	}
	switch c.Step {
	case numbers.Retire:
		return stock, tx.DropStock(ctx, c.Numbers, c.Step)
	case numbers.Hand:
		return stock, tx.HandStock(ctx, stock, c.Step)
	}
	return stock, tx.SaveStock(ctx, stock, c.Step)
}

// mayGo checks where a number is to go.
func (c *NumberChange) mayGo(ctx context.Context, tx *postgres.Tx, n postgres.Stock) error {
	if c.Tenant != "" {
		if err := mayGive(ctx, tx, n.Holder, c.Tenant); err != nil {
			return err
		}
	}
	if c.Step != numbers.Hand {
		return nil
	}
	if c.Within != "" {
		if within, err := tx.IsWithin(ctx, c.Holder, c.Within); err != nil || !within {
			return orElse(err, missing("holder", "there is no such reseller"))
		}
	}
	return mayHold(ctx, tx, "holder", c.Holder)
}

// letGo looks at what refers to a number that its tenant is to lose: a release is refused, a withdrawal takes it out of that.
func (c *NumberChange) letGo(ctx context.Context, tx *postgres.Tx, n numbers.Number) error {
	switch c.Step {
	case numbers.Withdraw:
		return tx.DropNumberUses(ctx, n.Tenant, []string{n.Number})
	case numbers.Release:
		uses, err := tx.NumberUses(ctx, n.Tenant, []string{n.Number})
		if err == nil && len(uses) > 0 {
			err = conflict("number", n.Number+" is used: "+usesWords(uses)+". Take it out there, or withdraw the number")
		}
		return err
	}
	return nil
}

func usesWords(uses []postgres.NumberUse) string {
	var words []string
	for _, u := range uses {
		switch u.What {
		case "draft_route":
			words = append(words, "a route leads from it in the drafts")
		case "caller_number":
			words = append(words, "the user "+u.ID+" shows it")
		case "main_number":
			words = append(words, "it is the tenant's main number")
		case "emergency_number":
			words = append(words, "emergency services call the device "+u.ID+" back by it")
		}
	}
	return strings.Join(words, ", ")
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// DescribeNumber changes what is said of a number of one's own stock. nil leaves a member as it is; match, when it is not nil, must hold of the number as it is.
func (s *Service) DescribeNumber(ctx context.Context, within, number string, d NumberDescription, match func(postgres.Stock) bool) (after postgres.Stock, err error) {
	change := NumberChange{Within: within, Numbers: []string{number}}
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		stock, err := change.lock(ctx, tx)
		if err != nil {
			return err
		}
		after = stock[0]
		if within != "" && after.Holder != within {
			return conflict("number", number+" is not in your stock: whoever holds it can do this")
		}
		if match != nil && !match(after) {
			return &Error{Code: Stale, Field: "number", Detail: "has been changed meanwhile: read it again"}
		}
		for _, m := range []struct{ to, from *string }{{&after.Country, d.Country}, {&after.Kind, d.Kind}, {&after.Trunk, d.Trunk}, {&after.Note, d.Note}} {
			if m.from != nil {
				*m.to = *m.from
			}
		}
		var c checks
		c.described(after.Country, after.Kind, after.Note)
		if c.err != nil {
			return c.err
		}
		if d.Trunk != nil && *d.Trunk != "" {
			if may, err := tx.MayNameTrunk(ctx, *d.Trunk, within); err != nil || !may {
				return orElse(err, missing("trunk", "there is no such trunk"))
			}
		}
		return tx.DescribeStock(ctx, after)
	})
	return after, err
}

// NumberDescription is what is said of a number.
type NumberDescription struct {
	Country *string `json:"country,omitempty"`
	Kind    *string `json:"kind,omitempty"`
	Trunk   *string `json:"trunk,omitempty"`
	Note    *string `json:"note,omitempty"`
}
