package provisioning

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"tandem/numbers"
	"tandem/postgres"
	"tandem/tenants"
)

// Bounds of porting orders.
const (
	MaxPortNumbers   = 1000
	MaxPortAddress   = 1024 // bytes
	MaxPortNote      = 4096
	MaxOpenPortings  = 200                      // of one tenant that are neither ported nor cancelled
	maxPortingsAhead = 2 * 366 * 24 * time.Hour // a day that is further away is a mistake
)

// PortingText is what a porting order says. Carrier, Subscriber and Numbers are required.
type PortingText struct {
	Carrier    string     `json:"carrier"`           // the other one
	Account    string     `json:"account,omitempty"` // the customer's there
	Subscriber string     `json:"subscriber"`        // as the other carrier knows him
	Address    string     `json:"address,omitempty"`
	WantedOn   *time.Time `json:"wanted_on,omitempty"`
	Trunk      string     `json:"trunk,omitempty"` // by which the numbers' calls will come
	Note       string     `json:"note,omitempty"`
	Numbers    []string   `json:"numbers"`
}

func (p *PortingText) check(now time.Time) error {
	p.Numbers = slices.Compact(slices.Sorted(slices.Values(p.Numbers)))
	var c checks
	c.name("carrier", p.Carrier)
	c.that(len(p.Account) <= MaxName, "account", fmt.Sprintf("is longer than %d bytes", MaxName))
	c.printable("account", p.Account)
	c.name("subscriber", p.Subscriber)
	c.lines("address", p.Address, MaxPortAddress)
	c.lines("note", p.Note, MaxPortNote)
	c.that(len(p.Numbers) >= 1 && len(p.Numbers) <= MaxPortNumbers, "numbers", fmt.Sprintf("are not 1 to %d", MaxPortNumbers))
	for _, n := range p.Numbers {
		c.number("numbers", n)
	}
	if p.WantedOn != nil {
		c.day("wanted_on", *p.WantedOn, now)
	}
	return c.err
}

// lines checks a text of several lines.
func (c *checks) lines(field, value string, most int) {
	c.that(len(value) <= most, field, fmt.Sprintf("is longer than %d bytes", most))
	ok := utf8.ValidString(value) && !strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' })
	c.that(ok, field, "has a character that cannot be shown")
}

func (c *checks) day(field string, day, now time.Time) {
	c.that(day.After(now.Add(-48*time.Hour)) && day.Before(now.Add(maxPortingsAhead)), field, "is a day that is past, or too far away")
}

func (p PortingText) into(o *postgres.Porting) {
	o.Carrier, o.Account, o.Subscriber, o.Address, o.Note, o.Trunk, o.Numbers = p.Carrier, p.Account, p.Subscriber, p.Address, p.Note, p.Trunk, p.Numbers
	o.WantedOn = p.WantedOn
}

// CreatePorting makes the draft of a porting order. Numbers that are ported out must be the tenant's.
func (s *Service) CreatePorting(ctx context.Context, tenantID string, direction numbers.Direction, p PortingText, by string) (o postgres.Porting, err error) {
	o = postgres.Porting{Tenant: tenantID, ID: uuid.NewString(), Direction: direction, CreatedBy: by}
	var c checks
	c.that(direction == numbers.In || direction == numbers.Out, "direction", "is neither in nor out")
	c.name("created_by", by)
	if err := cmp.Or(c.err, p.check(time.Now())); err != nil {
		return o, err
	}
	p.into(&o)
	return o, s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		if err := namedTrunk(ctx, tx, tenantID, p.Trunk); err != nil {
			return err
		}
		open, err := tx.OpenPortings(ctx, tenantID)
		if err == nil && open >= MaxOpenPortings {
			err = conflict("porting", fmt.Sprintf("cannot be made: %d orders are not over yet", open))
		}
		if err != nil {
			return err
		}
		if err := tx.SavePorting(ctx, o); err != nil {
			return err
		}
		if err := tx.NotePorting(ctx, o, postgres.PortingStep{Step: "create", To: numbers.PortDraft, By: by}); err != nil {
			return err
		}
		o, err = tx.Porting(ctx, tenantID, o.ID, false)
		return err
	})
}

// namedTrunk checks that a tenant names a trunk of his own, or of the reseller's in whose stock his numbers are; the platform's trunks are the platform's to name.
func namedTrunk(ctx context.Context, tx *postgres.Tx, tenantID, trunk string) error {
	if trunk == "" {
		return nil
	}
	may, err := tx.MayNameTrunk(ctx, trunk, tenantID)
	if err == nil && !may {
		err = missing("trunk", "there is no such trunk")
	}
	return err
}

// EditPorting replaces what a porting order says that is a draft, or was rejected. match, when it is not nil, must hold of the order as it is.
func (s *Service) EditPorting(ctx context.Context, tenantID, id string, p PortingText, by string, match func(postgres.Porting) bool) (o postgres.Porting, err error) {
	if err := p.check(time.Now()); err != nil {
		return o, err
	}
	err = s.withPorting(ctx, tenantID, id, func(tx *postgres.Tx, had postgres.Porting) error {
		if match != nil && !match(had) {
			return &Error{Code: Stale, Field: "porting", Detail: "has been changed meanwhile: read it again"}
		}
		if !had.State.Editable() {
			return conflict("porting", "is "+string(had.State)+": what is submitted is not changed any more")
		}
		if err := namedTrunk(ctx, tx, tenantID, p.Trunk); err != nil {
			return err
		}
		p.into(&had)
		if err := tx.SavePorting(ctx, had); err != nil {
			return err
		}
		if err := tx.NotePorting(ctx, had, postgres.PortingStep{Step: "edit", From: had.State, To: had.State, By: by}); err != nil {
			return err
		}
		o, err = tx.Porting(ctx, tenantID, id, false)
		return err
	})
	return o, err
}

// withPorting runs a use case for one porting order, one at a time.
func (s *Service) withPorting(ctx context.Context, tenantID, id string, fn func(*postgres.Tx, postgres.Porting) error) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		p, err := tx.Porting(ctx, tenantID, id, true)
		if errors.Is(err, postgres.ErrNotFound) {
			return missing("porting", "there is no such porting order")
		}
		if err != nil {
			return err
		}
		return fn(tx, p)
	})
}

// PortingWhole is a porting order with all that belongs to it.
type PortingWhole struct {
	postgres.Porting
	History   []postgres.PortingStep
	Documents []postgres.Document
}

// Porting gives a porting order with its history and documents.
func (s *Service) Porting(ctx context.Context, tenantID, id string) (w PortingWhole, err error) {
	err = s.withPorting(ctx, tenantID, id, func(tx *postgres.Tx, p postgres.Porting) error {
		w.Porting = p
		if w.History, err = tx.PortingSteps(ctx, tenantID, id); err != nil {
			return err
		}
		w.Documents, err = tx.Documents(ctx, tenantID, id)
		return err
	})
	return w, err
}
