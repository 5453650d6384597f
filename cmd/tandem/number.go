package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// numberCommands look after the inventory.
type numberCommands struct {
	List     numberListCommand    `cmd:"" help:"List numbers: of all stocks, or of a reseller's and those at a tenant."`
	History  numberHistoryCommand `cmd:"" help:"Show what has happened to a number."`
	Add      numberAddCommand     `cmd:"" help:"Bring numbers into a stock."`
	Import   numberImportCommand  `cmd:"" help:"Bring a sheet of numbers (CSV) into a stock, all or none, and wait for it."`
	Assign   numberToCommand      `cmd:"" help:"Give numbers to a tenant, at once."`
	Retake   numberToCommand      `cmd:"" help:"Give numbers that rest back to the tenant who had them last."`
	Reserve  numberToCommand      `cmd:"" help:"Keep numbers back for a tenant."`
	Hand     numberHandCommand    `cmd:"" help:"Hand numbers to the stock of a reseller."`
	Free     numberStepCommand    `cmd:"" help:"Keep numbers back no longer."`
	Release  numberStepCommand    `cmd:"" help:"Take numbers from their tenant that are not used. They rest first."`
	Withdraw numberStepCommand    `cmd:"" help:"Take numbers from their tenant although they are used."`
	Block    numberStepCommand    `cmd:"" help:"Let nobody have numbers."`
	Unblock  numberStepCommand    `cmd:"" help:"Let numbers be given again."`
	Retire   numberStepCommand    `cmd:"" help:"Take numbers out of the inventory."`
}

// inventory names whose inventory a command is about.
type inventory struct {
	client
	Tenant string `name:"of" help:"As this tenant sees it; without it as the platform does."`
}

func (i inventory) path(rest string) string {
	if i.Tenant == "" {
		return "/v1" + rest
	}
	return "/v1/tenants/" + url.PathEscape(i.Tenant) + rest
}

// numberRow is a number as the API tells of it.
type numberRow struct {
	Number, State, Tenant, Holder, Country, Kind, Trunk, Note string
	ReservedFor                                               string `json:"reserved_for"`
	LastTenant                                                string `json:"last_tenant"`
	Until                                                     *time.Time
}

func printNumbers(all []numberRow) error {
	rows := make([][]string, 0, len(all))
	for _, n := range all {
		until := ""
		if n.Until != nil {
			until = n.Until.Format(time.DateOnly)
		}
		rows = append(rows, []string{n.Number, n.State, n.Tenant, n.Holder, n.ReservedFor, until, n.Country, n.Kind, n.Trunk, n.Note})
	}
	return table("NUMBER STATE TENANT HOLDER FOR UNTIL COUNTRY KIND TRUNK NOTE", rows)
}

// numberListCommand lists numbers.
type numberListCommand struct {
	inventory
	State  string `help:"Those in this state."`
	At     string `help:"Those that are live at this tenant."`
	Prefix string `help:"Those that begin so: +4930."`
	Limit  int    `default:"100" help:"At most so many, up to 200."`
	Cursor string `help:"From where the last list ended."`
}

// Run lists.
func (c *numberListCommand) Run(ctx context.Context) error {
	query := url.Values{"limit": {fmt.Sprint(c.Limit)}}
	for name, value := range map[string]string{"state": c.State, "assigned_to": c.At, "prefix": c.Prefix, "cursor": c.Cursor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	var answer struct {
		Items []numberRow
		Next  string
	}
	if _, done, err := c.ask(ctx, http.MethodGet, c.path("/numbers?"+query.Encode()), nil, &answer); err != nil || done {
		return err
	}
	if len(answer.Items) == 0 {
		fmt.Println("There are no such numbers.")
		return nil
	}
	if err := printNumbers(answer.Items); err != nil || answer.Next == "" {
		return err
	}
	fmt.Println("There are more: --cursor " + answer.Next)
	return nil
}

// numberHistoryCommand shows what has happened to a number.
type numberHistoryCommand struct {
	inventory
	Number string `arg:"" help:"The number, with +."`
}

// Run shows it.
func (c *numberHistoryCommand) Run(ctx context.Context) error {
	var answer struct {
		Items []struct {
			At                         time.Time
			Step, From, To, Tenant, By string
		}
	}
	if _, done, err := c.ask(ctx, http.MethodGet, c.path("/numbers/"+url.PathEscape(c.Number)+"/history?limit=200"), nil, &answer); err != nil || done {
		return err
	}
	var rows [][]string
	for _, s := range answer.Items {
		rows = append(rows, []string{s.At.Format(time.RFC3339), s.Step, s.From, s.To, s.Tenant, s.By})
	}
	return table("AT STEP FROM TO TENANT BY", rows)
}

// numberAddCommand brings numbers into a stock.
type numberAddCommand struct {
	inventory
	Numbers []string `arg:"" help:"Numbers, with +."`
	To      string   `help:"Give them to this tenant at once."`
	Country string   `help:"Their country: DE."`
	Kind    string   `help:"What they are: geographic, mobile, toll_free, ..."`
	Trunk   string   `help:"By which trunk their calls come."`
	Note    string   `help:"For whoever holds them."`
}

// Run adds them.
func (c *numberAddCommand) Run(ctx context.Context) error {
	type number struct {
		Number  string `json:"number"`
		Country string `json:"country,omitempty"`
		Kind    string `json:"kind,omitempty"`
		Trunk   string `json:"trunk,omitempty"`
		Note    string `json:"note,omitempty"`
		Tenant  string `json:"tenant,omitempty"`
	}
	var all []number
	for _, n := range c.Numbers {
		all = append(all, number{n, c.Country, c.Kind, c.Trunk, c.Note, c.To})
	}
	return c.change(ctx, "/numbers", map[string]any{"numbers": all})
}

// change asks for a change of numbers and prints them as they are then.
func (i inventory) change(ctx context.Context, path string, body any) error {
	var answer struct{ Items []numberRow }
	if _, done, err := i.ask(ctx, http.MethodPost, i.path(path), body, &answer); err != nil || done {
		return err
	}
	return printNumbers(answer.Items)
}

// numberStepCommand is a step that needs nothing but the numbers. Which one it is the command line says.
type numberStepCommand struct {
	inventory
	Numbers []string `arg:"" help:"Numbers, with +."`
}

// Run does it.
func (c *numberStepCommand) Run(ctx context.Context, asked *kong.Context) error {
	return c.change(ctx, "/numbers/"+asked.Selected().Name, map[string]any{"numbers": c.Numbers})
}

// numberToCommand is a step that names a tenant.
type numberToCommand struct {
	inventory
	To      string   `required:"" help:"The tenant."`
	Numbers []string `arg:"" help:"Numbers, with +."`
}

// Run does it.
func (c *numberToCommand) Run(ctx context.Context, asked *kong.Context) error {
	return c.change(ctx, "/numbers/"+asked.Selected().Name, map[string]any{"numbers": c.Numbers, "tenant": c.To})
}

// numberHandCommand hands numbers to another stock.
type numberHandCommand struct {
	inventory
	To      string   `help:"The reseller; without it the platform."`
	Numbers []string `arg:"" help:"Numbers, with +."`
}

// Run does it.
func (c *numberHandCommand) Run(ctx context.Context) error {
	return c.change(ctx, "/numbers/hand", map[string]any{"numbers": c.Numbers, "holder": c.To})
}

// numberImportCommand brings a sheet into a stock.
type numberImportCommand struct {
	inventory
	File    string `arg:"" type:"existingfile" help:"CSV; its first row names the columns: number, country, kind, trunk, tenant, note."`
	Country string `help:"Of numbers that are not written internationally: DE. Without it the tenant's."`
	DryRun  bool   `help:"Look at everything, and do nothing."`
}

// orderLook is how often an order is looked at that somebody waits for.
const orderLook = 500 * time.Millisecond

// Run sends the sheet and waits until it is in, or refused.
func (c *numberImportCommand) Run(ctx context.Context) error {
	sheet, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	query := url.Values{"dry_run": {fmt.Sprint(c.DryRun)}}
	if c.Country != "" {
		query.Set("country", strings.ToUpper(c.Country))
	}
	var o orderRow
	asked := c.inventory
	asked.JSON = false
	if _, _, err := asked.send(ctx, http.MethodPost, c.path("/number-imports?"+query.Encode()), "text/csv", sheet, &o, "", ""); err != nil {
		return err
	}
	for !o.over() {
		select {
		case <-ctx.Done():
			fmt.Println("It goes on without being watched: tandem order show " + o.ID)
			return ctx.Err()
		case <-time.After(orderLook):
		}
		if _, _, err := asked.ask(ctx, http.MethodGet, c.path("/orders/"+o.ID), nil, &o); err != nil {
			return err
		}
	}
	return (&orderShowCommand{inventory: c.inventory, Order: o.ID}).Run(ctx)
}
