package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tandem/numbers"
)

// orderCommands look at what is carried out in the background.
type orderCommands struct {
	List   orderListCommand   `cmd:"" help:"List orders, the newest first."`
	Show   orderShowCommand   `cmd:"" help:"Show an order, and what was wrong with it. Exit code 1: it has failed, or a dry run has found faults."`
	Cancel orderCancelCommand `cmd:"" help:"End an order that is not over: nothing of it takes effect."`
}

// orderRow is an order as the API tells of it.
type orderRow struct {
	ID, Kind, State     string
	DryRun              bool `json:"dry_run"`
	Done, Total, Errors int
	Result              json.RawMessage
	CreatedBy           string    `json:"created_by"`
	CreatedAt           time.Time `json:"created_at"`
}

func (o orderRow) over() bool { return numbers.OrderState(o.State).Over() }

func (o orderRow) cells() []string {
	state := o.State
	if o.DryRun {
		state += " (dry run)"
	}
	return []string{o.ID, o.Kind, state, fmt.Sprintf("%d/%d", o.Done, o.Total), strconv.Itoa(o.Errors), o.CreatedAt.Format(time.RFC3339), o.CreatedBy}
}

const orderHead = "ORDER KIND STATE DONE ERRORS CREATED BY"

// orderListCommand lists orders.
type orderListCommand struct {
	inventory
	Limit int `default:"20" help:"At most so many, up to 200."`
}

// Run lists.
func (c *orderListCommand) Run(ctx context.Context) error {
	var answer struct{ Items []orderRow }
	if _, done, err := c.ask(ctx, http.MethodGet, c.path("/orders?sort=-created_at&limit="+strconv.Itoa(c.Limit)), nil, &answer); err != nil || done {
		return err
	}
	var rows [][]string
	for _, o := range answer.Items {
		rows = append(rows, o.cells())
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
	path := c.path("/orders/" + url.PathEscape(c.Order))
	var o orderRow
	if _, done, err := c.ask(ctx, http.MethodGet, path, nil, &o); err != nil || done {
		return err
	}
	if err := table(orderHead, [][]string{o.cells()}); err != nil {
		return err
	}
	if o.Errors == 0 {
		fmt.Println(plain(string(o.Result)))
		return nil
	}
	var faults struct {
		Items []struct {
			Line                int
			Field, Code, Detail string
		}
	}
	if _, _, err := c.ask(ctx, http.MethodGet, path+"/errors?limit="+strconv.Itoa(shownErrors), nil, &faults); err != nil {
		return err
	}
	var rows [][]string
	for _, f := range faults.Items {
		rows = append(rows, []string{strconv.Itoa(f.Line), f.Field, f.Code, f.Detail})
	}
	if err := table("LINE FIELD CODE WHAT", rows); err != nil {
		return err
	}
	return exitCode(1)
}

// orderCancelCommand cancels an order.
type orderCancelCommand struct {
	inventory
	Order string `arg:"" help:"The order's id."`
}

// Run cancels it.
func (c *orderCancelCommand) Run(ctx context.Context) error {
	var o orderRow
	if _, done, err := c.ask(ctx, http.MethodPost, c.path("/orders/"+url.PathEscape(c.Order)+"/cancel"), nil, &o); err != nil || done {
		return err
	}
	fmt.Println("Cancelled: nothing of it has taken effect.")
	return nil
}
