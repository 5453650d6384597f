package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	rest "tandem/provisioning/client"
)

// numberCommands look after the inventory.
type numberCommands struct {
	List     numberListCommand    `cmd:"" help:"List numbers: of all stocks, or of a reseller's and those at a tenant."`
	History  numberHistoryCommand `cmd:"" help:"Show what has happened to a number."`
	Add      numberAddCommand     `cmd:"" help:"Bring numbers into a stock."`
	Sheet    numberSheetCommand   `cmd:"" help:"Do what a sheet (CSV) says with numbers: assign, release, change flows and the like; all or none, and wait for it."`
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

// mostItems is how many items of a list the API gives at once.
const mostItems = 200

// inventory names whose inventory a command is about.
type inventory struct {
	client
	Tenant string `name:"of" help:"As this tenant sees it; without it as the platform does."`
}

func printNumbers(all []rest.NumberBody) error {
	rows := make([][]string, 0, len(all))
	for _, n := range all {
		until := ""
		if !n.Until.IsZero() {
			until = n.Until.Format(time.DateOnly)
		}
		rows = append(rows, []string{n.Number, string(n.State), n.Tenant, n.Holder, n.ReservedFor, until, n.Country, n.Kind, n.Trunk, n.Note})
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
	answer, err := c.list(ctx)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	if len(answer.Body.Items) == 0 {
		fmt.Println("There are no such numbers.")
		return nil
	}
	if err := printNumbers(answer.Body.Items); err != nil || answer.Body.Next == "" {
		return err
	}
	fmt.Println("There are more: --cursor " + answer.Body.Next)
	return nil
}

func (c *numberListCommand) list(ctx context.Context) (*rest.Answer[rest.PageBodyNumberBody], error) {
	if c.Tenant == "" {
		return c.api().ListNumbers(ctx, rest.ListNumbersParams{Limit: int64(c.Limit), State: rest.ListNumbersParamsState(c.State), AssignedTo: c.At, Prefix: c.Prefix, Cursor: c.Cursor})
	}
	return c.api().ListNumbersOfTenant(ctx, c.Tenant, rest.ListNumbersOfTenantParams{Limit: int64(c.Limit), State: rest.ListNumbersOfTenantParamsState(c.State), AssignedTo: c.At, Prefix: c.Prefix, Cursor: c.Cursor})
}

// numberHistoryCommand shows what has happened to a number.
type numberHistoryCommand struct {
	inventory
	Number string `arg:"" help:"The number, with +."`
}

// Run shows it.
func (c *numberHistoryCommand) Run(ctx context.Context) error {
	ask := func() (*rest.Answer[rest.PageBodyNumberStepRow], error) {
		if c.Tenant == "" {
			return c.api().ListNumberHistory(ctx, c.Number, rest.ListNumberHistoryParams{Limit: mostItems})
		}
		return c.api().ListNumberHistoryOfTenant(ctx, c.Tenant, c.Number, rest.ListNumberHistoryOfTenantParams{Limit: mostItems})
	}
	answer, err := ask()
	if done, err := told(c.client, answer, err); done {
		return err
	}
	var rows [][]string
	for _, s := range answer.Body.Items {
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
	var body rest.NewNumbersInputBody
	for _, n := range c.Numbers {
		body.Numbers = append(body.Numbers, rest.Item{Number: n, Country: c.Country, Kind: rest.ItemKind(c.Kind), Trunk: c.Trunk, Note: c.Note, Tenant: c.To})
	}
	return change(ctx, c.inventory, body, c.api().AddNumbers, c.api().AddNumbersOfTenant)
}

// numbersOf are numbers as they are after a change.
type numbersOf = *rest.Answer[rest.NumbersOutputBody]

// change asks for a change of numbers, of the platform's or as a tenant asks, and prints them as they are then.
func change[Body any](ctx context.Context, i inventory, body Body, platform func(context.Context, Body) (numbersOf, error), tenant func(context.Context, string, Body) (numbersOf, error)) error {
	ask := func() (numbersOf, error) {
		if i.Tenant == "" {
			return platform(ctx, body)
		}
		return tenant(ctx, i.Tenant, body)
	}
	answer, err := ask()
	if done, err := told(i.client, answer, err); done {
		return err
	}
	return printNumbers(answer.Body.Items)
}

// numberStepCommand is a step that needs nothing but the numbers. Which one it is the command line says.
type numberStepCommand struct {
	inventory
	Numbers []string `arg:"" help:"Numbers, with +."`
}

// Run does it.
func (c *numberStepCommand) Run(ctx context.Context, asked *kong.Context) error {
	api, body := c.api(), rest.NumbersBody{Numbers: c.Numbers}
	switch asked.Selected().Name {
	case "free":
		return change(ctx, c.inventory, body, api.FreeNumbers, api.FreeNumbersOfTenant)
	case "release":
		return change(ctx, c.inventory, body, api.ReleaseNumbers, api.ReleaseNumbersOfTenant)
	case "withdraw":
		return change(ctx, c.inventory, body, api.WithdrawNumbers, api.WithdrawNumbersOfTenant)
	case "block":
		return change(ctx, c.inventory, body, api.BlockNumbers, api.BlockNumbersOfTenant)
	case "unblock":
		return change(ctx, c.inventory, body, api.UnblockNumbers, api.UnblockNumbersOfTenant)
	}
	return change(ctx, c.inventory, body, api.RetireNumbers, api.RetireNumbersOfTenant)
}

// numberToCommand is a step that names a tenant.
type numberToCommand struct {
	inventory
	To      string   `required:"" help:"The tenant."`
	Numbers []string `arg:"" help:"Numbers, with +."`
}

// Run does it.
func (c *numberToCommand) Run(ctx context.Context, asked *kong.Context) error {
	api, body := c.api(), rest.NumbersToBody{Numbers: c.Numbers, Tenant: c.To}
	switch asked.Selected().Name {
	case "assign":
		return change(ctx, c.inventory, body, api.AssignNumbers, api.AssignNumbersOfTenant)
	case "retake":
		return change(ctx, c.inventory, body, api.RetakeNumbers, api.RetakeNumbersOfTenant)
	}
	return change(ctx, c.inventory, rest.NumbersForBody{Numbers: c.Numbers, Tenant: c.To}, api.ReserveNumbers, api.ReserveNumbersOfTenant)
}

// numberHandCommand hands numbers to another stock.
type numberHandCommand struct {
	inventory
	To      string   `help:"The reseller; without it the platform."`
	Numbers []string `arg:"" help:"Numbers, with +."`
}

// Run does it.
func (c *numberHandCommand) Run(ctx context.Context) error {
	return change(ctx, c.inventory, rest.NumbersHandedBody{Numbers: c.Numbers, Holder: c.To}, c.api().HandNumbers, c.api().HandNumbersOfTenant)
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
	country := strings.ToUpper(c.Country)
	return c.carriedOut(ctx, c.File, func(sheet []byte) (*rest.Answer[rest.OrderBody], error) {
		if c.Tenant == "" {
			return c.api().ImportNumbers(ctx, rest.ImportNumbersParams{DryRun: c.DryRun, Country: country}, sheet)
		}
		return c.api().ImportNumbersOfTenant(ctx, c.Tenant, rest.ImportNumbersOfTenantParams{DryRun: c.DryRun, Country: country}, sheet)
	})
}

// numberSheetCommand does what a sheet says.
type numberSheetCommand struct {
	inventory
	File    string `arg:"" type:"existingfile" help:"CSV; its first row names the columns: number, step, tenant, flow."`
	Country string `help:"Of numbers that are not written internationally: DE. Without it the tenant's."`
	DryRun  bool   `help:"Look at everything, and do nothing."`
	Publish bool   `help:"Publish the drafts of tenants whose flows change, with all else that waits in them."`
}

// Run sends the sheet and waits until it is done, or refused.
func (c *numberSheetCommand) Run(ctx context.Context) error {
	country := strings.ToUpper(c.Country)
	return c.carriedOut(ctx, c.File, func(sheet []byte) (*rest.Answer[rest.OrderBody], error) {
		if c.Tenant == "" {
			return c.api().ChangeNumbers(ctx, rest.ChangeNumbersParams{DryRun: c.DryRun, Country: country, Publish: c.Publish}, sheet)
		}
		return c.api().ChangeNumbersOfTenant(ctx, c.Tenant, rest.ChangeNumbersOfTenantParams{DryRun: c.DryRun, Country: country, Publish: c.Publish}, sheet)
	})
}

// carriedOut sends a file, and waits until the order that it makes is over.
func (c inventory) carriedOut(ctx context.Context, file string, send func([]byte) (*rest.Answer[rest.OrderBody], error)) error {
	sheet, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	o, err := send(sheet)
	if err != nil {
		return c.refused(err)
	}
	for !orderOver(o.Body) {
		select {
		case <-ctx.Done():
			fmt.Println("It goes on without being watched: tandem order show " + o.Body.ID)
			return ctx.Err()
		case <-time.After(orderLook):
		}
		if o, err = c.order(ctx, o.Body.ID); err != nil {
			return c.refused(err)
		}
	}
	return (&orderShowCommand{inventory: c, Order: o.Body.ID}).Run(ctx)
}
