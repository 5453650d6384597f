package provisioning

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tandem/numbers"
	"tandem/postgres"
	"tandem/tenants"
)

// Bounds of the inventory's use cases.
const (
	MaxStepNumbers     = 1000 // numbers that one request changes; more are an order
	MaxNumberNote      = 512  // bytes
	MaxAgeingDays      = 3650
	MaxReserveDays     = 365
	DefaultReserveDays = 14
)

// NewNumber asks for a number in a stock. Number is required.
type NewNumber struct {
	Number  string `json:"number"`
	Country string `json:"country,omitempty"`
	Kind    string `json:"kind,omitempty"`
	Trunk   string `json:"trunk,omitempty"`
	Note    string `json:"note,omitempty"`
	Tenant  string `json:"tenant,omitempty"` // who gets it at once
}

// AddStock adds numbers to the stock of a reseller, or of the platform (empty), all or none of them, and gives them. One with a tenant is live
// there at once.
func (s *Service) AddStock(ctx context.Context, holder string, added []NewNumber) (all []postgres.Stock, err error) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	if err := checkCount(len(added)); err != nil {
		return nil, err
	}
	for _, n := range added {
		one, err := newStock(holder, n, now)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, s.platform(ctx, func(tx *postgres.Tx) error {
		if err := mayHold(ctx, tx, "number", holder); err != nil {
			return err
		}
		if err := mayName(ctx, tx, holder, added); err != nil {
			return err
		}
		count, err := tx.InsertStock(ctx, all, numbers.Add)
		if err != nil {
			return err
		}
		if count < len(all) {
			return conflict("number", "one of them is in the inventory already, or twice in this list")
		}
		return nil
	})
}

func checkCount(n int) error {
	var c checks
	c.that(n >= 1 && n <= MaxStepNumbers, "numbers", fmt.Sprintf("are not 1 to %d: more are an order", MaxStepNumbers))
	return c.err
}

// newStock checks one number and makes it what it is to be.
func newStock(holder string, n NewNumber, now time.Time) (postgres.Stock, error) {
	var c checks
	c.number("number", n.Number)
	c.described(n.Country, n.Kind, n.Note)
	if c.err != nil {
		return postgres.Stock{}, c.err
	}
	number, err := numbers.Number{Number: n.Number}.Do(numbers.Ask{Step: numbers.Add, Holder: holder, Now: now})
	if err == nil && n.Tenant != "" {
		number, err = number.Do(numbers.Ask{Step: numbers.Assign, Tenant: n.Tenant, Now: now})
	}
	return postgres.Stock{Number: number, Country: n.Country, Kind: n.Kind, Trunk: n.Trunk, Note: n.Note}, refusedStep(n.Number, err)
}

func (c *checks) described(country, kind, note string) {
	c.that(country == "" || len(country) == 2 && country[0] >= 'A' && country[0] <= 'Z' && country[1] >= 'A' && country[1] <= 'Z', "country",
		"is not two capital letters, such as DE")
	c.that(kind == "" || slices.Contains(numbers.Kinds(), kind), "kind", "is not a kind of number that there is")
	c.that(len(note) <= MaxNumberNote, "note", fmt.Sprintf("is longer than %d bytes", MaxNumberNote))
	c.printable("note", note)
}

// mayHold says whether a tenant can have a stock.
func mayHold(ctx context.Context, tx *postgres.Tx, field, holder string) error {
	if holder == "" {
		return nil
	}
	is, err := tx.IsReseller(ctx, holder)
	if err == nil && !is {
		err = conflict(field, "can be in the stock of the platform or of a reseller, and this tenant is none")
	}
	return err
}

// mayName checks that a holder names tenants and trunks of his own alone.
func mayName(ctx context.Context, tx *postgres.Tx, holder string, added []NewNumber) error {
	trunks, theirs := map[string]bool{}, map[string]bool{}
	for _, n := range added {
		trunks[n.Trunk], theirs[n.Tenant] = true, true
	}
	delete(trunks, "")
	delete(theirs, "")
	if err := lockTenants(ctx, tx, theirs); err != nil {
		return err
	}
	for tenant := range theirs {
		if err := mayGive(ctx, tx, holder, tenant); err != nil {
			return err
		}
	}
	for trunk := range trunks {
		if may, err := tx.MayNameTrunk(ctx, trunk, holder); err != nil || !may {
			return orElse(err, missing("trunk", "there is no such trunk"))
		}
	}
	return nil
}

// mayGive says whether numbers of a stock may go to a tenant: one of the holder's own tree.
func mayGive(ctx context.Context, tx *postgres.Tx, holder, tenant string) error {
	within, err := tx.IsWithin(ctx, tenant, holder)
	if err == nil && !within {
		err = missing("tenant", "there is no such tenant")
	}
	return err
}

// lockTenants locks tenants in the order that everybody locks them in.
func lockTenants(ctx context.Context, tx *postgres.Tx, which map[string]bool) error {
	ids := make([]string, 0, len(which))
	for id := range which {
		if id != "" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		if _, err := tx.LockTenant(ctx, id); err != nil {
			if errors.Is(err, postgres.ErrNotFound) {
				return missing("tenant", "there is no such tenant")
			}
			return err
		}
	}
	return nil
}

// refusedStep makes of a rule's refusal one that names the number.
func refusedStep(number string, err error) error {
	var refused *numbers.Refusal
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Code {
	case numbers.Incomplete, numbers.PortNeedsDate, numbers.PortNeedsWords, numbers.PortNoSuchStep:
		return invalid("number", number+" "+refused.Words)
	}
	return conflict("number", number+" "+refused.Words)
}

// AddNumber gives an E.164 number to a tenant: one that the platform, or a reseller above the tenant, has to give, or one that is new here. Adding it to the same tenant
// again does nothing.
func (s *Service) AddNumber(ctx context.Context, tenantID, number string) error {
	var c checks
	c.number("number", number)
	if c.err != nil {
		return c.err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	err := s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		found, err := tx.Stock(ctx, []string{number}, true)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return addNew(ctx, tx, tenantID, number, now)
		}
		return giveOld(ctx, tx, tenantID, found[0], now)
	})
	if postgres.IsForbidden(err) {
		return conflict("number", "is not to be had")
	}
	return err
}

func addNew(ctx context.Context, tx *postgres.Tx, tenantID, number string, now time.Time) error {
	holder, err := tx.HolderFor(ctx, tenantID)
	if err != nil {
		return err
	}
	one, err := newStock(holder, NewNumber{Number: number, Tenant: tenantID}, now)
	if err != nil {
		return err
	}
	count, err := tx.InsertStock(ctx, []postgres.Stock{one}, numbers.Add)
	if err == nil && count == 0 {
		err = conflict("number", "is not to be had")
	}
	return err
}

func giveOld(ctx context.Context, tx *postgres.Tx, tenantID string, n postgres.Stock, now time.Time) error {
	if n.Tenant == tenantID {
		return nil
	}
	if err := mayGive(ctx, tx, n.Holder, tenantID); err != nil {
		return conflict("number", "is not to be had")
	}
	step := numbers.Assign
	if n.State == numbers.Ageing && n.LastTenant == tenantID {
		step = numbers.Retake
	}
	after, err := n.Number.Do(numbers.Ask{Step: step, Tenant: tenantID, Now: now})
	if err != nil {
		return conflict("number", "belongs to a tenant already, or is not to be had yet")
	}
	n.Number = after
	return tx.SaveStock(ctx, []postgres.Stock{n}, step)
}

// SetAgeingDays says how long numbers of a stock rest after a tenant before the next one gets them, from now on. The empty holder is the platform, whose word
// counts where a reseller, and those above him, have said nothing.
func (s *Service) SetAgeingDays(ctx context.Context, holder string, days int) error {
	var c checks
	c.that(days >= 0 && days <= MaxAgeingDays, "ageing_days", fmt.Sprintf("is not within 0 to %d", MaxAgeingDays))
	if c.err != nil {
		return c.err
	}
	return s.platform(ctx, func(tx *postgres.Tx) error {
		if err := mayHold(ctx, tx, "ageing_days", holder); err != nil {
			return err
		}
		return tx.SetAgeingDays(ctx, holder, days)
	})
}

// AgeingDays is how long numbers of a stock rest.
func (s *Service) AgeingDays(ctx context.Context, holder string) (days int, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		days, err = tx.AgeingDays(ctx, holder)
		return err
	})
	return days, err
}

// NumberByID gives a number of the inventory, if it is one that the scope of ctx sees.
func (s *Service) NumberByID(ctx context.Context, number string) (r postgres.StockRow, err error) {
	p, err := postgres.List(ctx, s.Store, postgres.StockRows(), postgres.Query{Where: map[string]string{"number": number}, Limit: 1})
	if err == nil && len(p.Items) == 0 {
		err = missing("number", "is not in your inventory")
	}
	if err != nil {
		return r, err
	}
	return p.Items[0], nil
}
