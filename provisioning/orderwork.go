package provisioning

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"tandem/postgres"
)

// orderWork is one attempt at an order.
type orderWork struct {
	service     *Service
	order       postgres.ClaimedOrder
	attempt     string
	done, total atomic.Int64
}

// run carries the order out, and keeps it meanwhile.
func (w *orderWork) run(ctx context.Context) error {
	working, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	keeping, release := context.WithCancel(working)
	var keeper sync.WaitGroup
	keeper.Go(func() { w.keep(keeping, lose) })
	letGo := func() { release(); keeper.Wait() }
	defer letGo()
	err := w.service.Store.Change(working, func(tx *postgres.Tx) error {
		if err := tx.By(working, w.order.CreatedBy); err != nil {
			return err
		}
		end, err := w.carryOut(working, tx)
		if err != nil {
			return err
		}
		letGo() // from here on the order's row is this transaction's
		return tx.FinishOrder(working, w.order.ID, w.attempt, end)
	})
	if errors.Is(context.Cause(working), postgres.ErrOrderLost) {
		return postgres.ErrOrderLost
	}
	return err
}

// keep renews the order's lease and tells how far it is, until ctx ends. Losing it stops the work.
func (w *orderWork) keep(ctx context.Context, lose context.CancelCauseFunc) {
	tick := time.NewTicker(orderRenew)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := w.service.Store.RenewOrder(ctx, w.order.ID, w.attempt, OrderLease, int(w.done.Load()), int(w.total.Load()))
		if errors.Is(err, postgres.ErrOrderLost) {
			lose(err)
			return
		}
	}
}

// carryOut does what the order's kind says.
func (w *orderWork) carryOut(ctx context.Context, tx *postgres.Tx) (postgres.OrderEnd, error) {
	switch w.order.Kind {
	case ImportNumbers:
		return w.importNumbers(ctx, tx)
	case ChangeNumbers:
		return w.changeNumbers(ctx, tx)
	}
	return postgres.OrderEnd{}, invalid("kind", fmt.Sprintf("%q is none that this release knows", w.order.Kind))
}
