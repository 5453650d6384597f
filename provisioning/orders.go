package provisioning

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"tandem/numbers"
	"tandem/postgres"
	"tandem/tenants"
)

// Bounds of orders.
const (
	MaxOpenOrders    = 20 // of one tenant that are not over
	MaxOrderAttempts = 5  // workers that take an order up before it counts as one that kills them
	MaxOrderErrors   = 1000
	OrderLease       = 30 * time.Second
	orderRenew       = 2 * time.Second
	orderWait        = 15 * time.Minute // for one attempt
	KeepOrders       = 90 * 24 * time.Hour
)

// ImportNumbers is the kind of order that brings a sheet of numbers into a stock.
const ImportNumbers = "number_import"

// ImportRequest is what an import of numbers needs besides its sheet.
type ImportRequest struct {
	Dialling tenants.Dialling `json:"dialling"` // how numbers are written that are not international
}

// NewOrder asks for an order.
type NewOrder struct {
	ID     string // empty: one is made
	Tenant string // whose; empty: the platform's
	Kind   string
	DryRun bool // everything is looked at, and nothing done
	Body   []byte
	By     string
	// Country is that of numbers that are not written internationally; empty: the tenant's.
	Country string
	// Of ChangeNumbers: the asker may change flows, and has the drafts of those whose routes change published.
	Flows, Publish bool
}

// request is what the order's kind needs besides its body.
func (n NewOrder) request(d tenants.Dialling) ([]byte, error) {
	if n.Kind == ChangeNumbers {
		return json.Marshal(ChangeRequest{Dialling: d, Flows: n.Flows, Publish: n.Publish})
	}
	return json.Marshal(ImportRequest{Dialling: d})
}

// CreateOrder takes an order, which a worker with the role jobs will carry out.
func (s *Service) CreateOrder(ctx context.Context, n NewOrder) (o postgres.Order, err error) {
	n.ID = cmp.Or(n.ID, uuid.NewString())
	var c checks
	c.id("id", n.ID)
	c.that(n.Kind == ImportNumbers || n.Kind == ChangeNumbers, "kind", "is none that there is")
	c.that(len(n.Body) > 0 && len(n.Body) <= numbers.MaxSheetBytes, "body", fmt.Sprintf("is not 1 to %d bytes long", numbers.MaxSheetBytes))
	c.that(n.Country == "" || tenants.KnownCountry(n.Country), "country", "is none whose way of dialling is known, such as DE or US")
	c.name("created_by", n.By)
	if c.err != nil {
		return o, c.err
	}
	return o, s.platform(ctx, func(tx *postgres.Tx) error {
		if n.Kind == ImportNumbers {
			if err := mayHold(ctx, tx, "tenant", n.Tenant); err != nil {
				return err
			}
		}
		open, err := tx.OpenOrders(ctx, n.Tenant)
		if err != nil {
			return err
		}
		if open >= MaxOpenOrders {
			return conflict("kind", fmt.Sprintf("cannot be taken: %d orders are not over yet", open))
		}
		dialling := tenants.Dialling{Country: n.Country}
		if n.Country == "" && n.Tenant != "" {
			if dialling, err = tx.Dialling(ctx, n.Tenant); err != nil {
				return err
			}
		}
		body, err := n.request(dialling)
		if err != nil {
			return err
		}
		if err := tx.InsertOrder(ctx, postgres.Order{ID: n.ID, Tenant: n.Tenant, Kind: n.Kind, DryRun: n.DryRun, Request: body, CreatedBy: n.By}, n.Body); err != nil {
			return err
		}
		o, err = tx.Order(ctx, n.Tenant, n.ID)
		return err
	})
}

// Order gives an order of a tenant's; the empty tenant is the platform.
func (s *Service) Order(ctx context.Context, tenantID, id string) (o postgres.Order, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		o, err = tx.Order(ctx, tenantID, id)
		return noOrder(err)
	})
	return o, err
}

func noOrder(err error) error {
	if errors.Is(err, postgres.ErrNotFound) {
		return missing("order", "there is no such order")
	}
	return err
}

// OrderErrors lists what was wrong with an order, from the nth (from 1) on.
func (s *Service) OrderErrors(ctx context.Context, tenantID, id string, from, limit int) (faults []numbers.Fault, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		if _, err := tx.Order(ctx, tenantID, id); err != nil {
			return noOrder(err)
		}
		faults, err = tx.OrderErrors(ctx, tenantID, id, from, min(limit, MaxOrderErrors))
		return err
	})
	return faults, err
}

// CancelOrder ends an order that is not over: nothing of it takes effect.
func (s *Service) CancelOrder(ctx context.Context, tenantID, id string) (o postgres.Order, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		cancelled, err := tx.CancelOrder(ctx, tenantID, id)
		if err != nil {
			return err
		}
		if o, err = tx.Order(ctx, tenantID, id); err != nil {
			return noOrder(err)
		}
		if !cancelled {
			return conflict("order", "is over: it is "+string(o.State))
		}
		return nil
	})
	return o, err
}

// WorkOrder takes up one order, if there is one, and carries it out. worked says whether there was one. Any number of workers may do so at
// once. An error means that the order is left to the next attempt.
//
// All that an order does is one transaction, in which it is noted as done: what a worker leaves behind that dies is nothing at all, and a worker
// that was thought dead and wakes can commit nothing.
func (s *Service) WorkOrder(ctx context.Context) (worked bool, err error) {
	attempt := uuid.NewString()
	c, err := s.Store.ClaimOrder(ctx, attempt, OrderLease)
	if errors.Is(err, postgres.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, orderWait)
	defer cancel()
	if c.Attempts > MaxOrderAttempts {
		return true, s.failOrder(ctx, c.ID, attempt, "gave_up", fmt.Sprintf("Nobody has carried it out in %d attempts.", MaxOrderAttempts))
	}
	w := &orderWork{service: s, order: c, attempt: attempt}
	err = w.run(ctx)
	switch {
	case errors.Is(err, postgres.ErrOrderLost):
		return true, nil // it was cancelled, or somebody else has it
	case errors.Is(err, errMeanwhile):
		return true, s.Store.GiveUpOrder(ctx, c.ID, attempt)
	case err != nil && (postgres.IsRefused(err) || errors.As(err, new(*Error))):
		return true, s.failOrder(ctx, c.ID, attempt, "refused", "The order is refused: "+explained(err).Error()+".")
	}
	return true, err
}

// failOrder ends an order that has done nothing.
func (s *Service) failOrder(ctx context.Context, id, attempt, code, detail string) error {
	var faults numbers.Faults
	faults.Add(0, "", code, strings.ToValidUTF8(detail, "?"))
	err := s.Store.Change(ctx, func(tx *postgres.Tx) error {
		return tx.FinishOrder(ctx, id, attempt, postgres.OrderEnd{State: numbers.Failed, Result: struct{}{}, Faults: faults})
	})
	if errors.Is(err, postgres.ErrOrderLost) {
		return nil
	}
	return err
}
