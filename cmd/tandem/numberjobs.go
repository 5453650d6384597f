package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"tandem/provisioning"
)

// How orders and numbers are looked after.
const (
	ordersEvery = 500 * time.Millisecond
	agingEvery  = time.Minute
	agingBatch  = 1000 // numbers in one statement
	agingWait   = time.Minute
)

// carryOutOrders works on orders, one after another; other workers take up others meanwhile.
func (w *worker) carryOutOrders(ctx context.Context) error {
	service := &provisioning.Service{Store: w.store}
	return every(ctx, ordersEvery, func(time.Time) {
		for ctx.Err() == nil {
			worked, err := service.WorkOrder(ctx)
			if err != nil && ctx.Err() == nil {
				w.log.WarnContext(ctx, "an order could not be carried out; it is tried again", slog.Any("error", err))
			}
			if !worked || err != nil {
				return
			}
		}
	})
}

// ageNumbers lets numbers be given again whose rest or reservation is over, and forgets old orders.
func (w *worker) ageNumbers(ctx context.Context) error {
	return every(ctx, agingEvery, func(now time.Time) {
		limited, cancel := context.WithTimeout(ctx, agingWait)
		defer cancel()
		err := errors.Join(inBatches(func() (int, error) { return w.store.AgeNumbers(limited, now, agingBatch) }),
			inBatches(func() (int, error) {
				return w.store.ForgetOrders(limited, now.Add(-provisioning.KeepOrders), agingBatch)
			}))
		if err != nil && ctx.Err() == nil {
			w.log.WarnContext(ctx, "numbers whose rest is over, or old orders, could not be looked after", slog.Any("error", err))
		}
	})
}

// inBatches does something until a batch is not full.
func inBatches(do func() (int, error)) error {
	for {
		if n, err := do(); err != nil || n < agingBatch {
			return err
		}
	}
}
