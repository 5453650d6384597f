package main

import (
	"context"
	"fmt"
	"time"

	"tandem/numbers"
	rest "tandem/provisioning/client"
)

// orderCommands look at what is carried out in the background.
type orderCommands struct {
	List   orderListCommand   `cmd:"" help:"List orders, the newest first."`
	Show   orderShowCommand   `cmd:"" help:"Show an order, and what was wrong with it. Exit code 1: it has failed, or a dry run has found faults."`
	Cancel orderCancelCommand `cmd:"" help:"End an order that is not over: nothing of it takes effect."`
}

func orderOver(o rest.OrderBody) bool { return numbers.OrderState(o.State).Over() }

func orderCells(o rest.OrderBody) []string {
	state := string(o.State)
	if o.DryRun {
		state += " (dry run)"
	}
	return []string{o.ID, o.Kind, state, fmt.Sprintf("%d/%d", o.Done, o.Total), count(o.Errors), o.CreatedAt.Format(time.RFC3339), o.CreatedBy}
}

const orderHead = "ORDER KIND STATE DONE ERRORS CREATED BY"

// orderListCommand lists orders.
type orderListCommand struct {
	inventory
	Limit int `default:"20" help:"At most so many, up to 200."`
}

// Run lists.
func (c *orderListCommand) Run(ctx context.Context) error {
	ask := func() (*rest.Answer[rest.PageBodyOrderBody], error) {
		if c.Tenant == "" {
			return c.api().ListOrders(ctx, rest.ListOrdersParams{Sort: "-created_at", Limit: int64(c.Limit)})
		}
		return c.api().ListOrdersOfTenant(ctx, c.Tenant, rest.ListOrdersOfTenantParams{Sort: "-created_at", Limit: int64(c.Limit)})
	}
	answer, err := ask()
	if done, err := told(c.client, answer, err); done {
		return err
	}
	var rows [][]string
	for _, o := range answer.Body.Items {
		rows = append(rows, orderCells(o))
	}
	return table(orderHead, rows)
}

// orderShowCommand shows an order with its errors.
type orderShowCommand struct {
	inventory
	Order string `arg:"" help:"The order's id."`
}

// shownErrors is how many errors of an order are printed; the API lists more.
const shownErrors = 50

// Run shows it.
func (c *orderShowCommand) Run(ctx context.Context) error {
	answer, err := c.order(ctx, c.Order)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	o := answer.Body
	if err := table(orderHead, [][]string{orderCells(o)}); err != nil {
		return err
	}
	if o.Errors == 0 {
		fmt.Println(plain(string(o.Result)))
		return nil
	}
	faults, err := c.faults(ctx)
	if err != nil {
		return c.refused(err)
	}
	var rows [][]string
	for _, f := range faults.Body.Items {
		rows = append(rows, []string{count(f.Line), f.Field, f.Code, f.Detail})
	}
	if err := table("LINE FIELD CODE WHAT", rows); err != nil {
		return err
	}
	return exitCode(1)
}

func (c *orderShowCommand) faults(ctx context.Context) (*rest.Answer[rest.PageBodyOrderErrorRow], error) {
	if c.Tenant == "" {
		return c.api().ListOrderErrors(ctx, c.Order, rest.ListOrderErrorsParams{Limit: shownErrors})
	}
	return c.api().ListOrderErrorsOfTenant(ctx, c.Tenant, c.Order, rest.ListOrderErrorsOfTenantParams{Limit: shownErrors})
}

// order asks for one.
func (i inventory) order(ctx context.Context, id string) (*rest.Answer[rest.OrderBody], error) {
	if i.Tenant == "" {
		return i.api().GetOrder(ctx, id)
	}
	return i.api().GetOrderOfTenant(ctx, i.Tenant, id)
}

// orderCancelCommand cancels an order.
type orderCancelCommand struct {
	inventory
	Order string `arg:"" help:"The order's id."`
}

// Run cancels it.
func (c *orderCancelCommand) Run(ctx context.Context) error {
	ask := func() (*rest.Answer[rest.OrderBody], error) {
		if c.Tenant == "" {
			return c.api().CancelOrder(ctx, c.Order)
		}
		return c.api().CancelOrderOfTenant(ctx, c.Tenant, c.Order)
	}
	answer, err := ask()
	if done, err := told(c.client, answer, err); done {
		return err
	}
	fmt.Println("Cancelled: nothing of it has taken effect.")
	return nil
}
