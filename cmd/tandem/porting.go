package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"tandem/provisioning"
	rest "tandem/provisioning/client"
)

// portingCommands look after porting orders.
type portingCommands struct {
	List     portingListCommand     `cmd:"" help:"List porting orders, of a tenant or of all."`
	Show     portingShowCommand     `cmd:"" help:"Show a porting order with its history and documents."`
	Create   portingCreateCommand   `cmd:"" help:"Make the draft of a porting order."`
	Set      portingSetCommand      `cmd:"" help:"Change a porting order that is a draft, or was rejected: what is not named stays."`
	Submit   portingStepCommand     `cmd:"" help:"Submit a porting order."`
	Cancel   portingStepCommand     `cmd:"" help:"Cancel a porting order."`
	Accept   portingStepCommand     `cmd:"" help:"Say that the other carrier has accepted a porting order."`
	Reject   portingStepCommand     `cmd:"" help:"Say that the other carrier has rejected a porting order, and why (--comment)."`
	Schedule portingScheduleCommand `cmd:"" help:"Say on which day numbers are ported."`
	Ported   portingStepCommand     `cmd:"" help:"Say that the numbers have been ported."`
	Attach   portingAttachCommand   `cmd:"" help:"Add a document to a porting order: PDF, JPEG, PNG or TIFF."`
	Document portingDocumentCommand `cmd:"" help:"Write a document of a porting order into a file."`
	Detach   portingDetachCommand   `cmd:"" help:"Remove a document from a porting order that is a draft, or was rejected."`
}

// portingListCommand lists.
type portingListCommand struct {
	client
	Of        string `help:"Of one tenant, by its id; without it those of all, for who decides."`
	State     string `help:"Those in a state: draft, submitted, accepted, rejected, scheduled, ported or cancelled."`
	Direction string `enum:",in,out" default:"" help:"Those that come (in), or go (out)."`
}

// Run lists.
func (c *portingListCommand) Run(ctx context.Context) error {
	const atOnce = 200
	params := rest.ListPortingsParams{Sort: "-created_at", Limit: atOnce, State: rest.ListPortingsParamsState(c.State), Direction: rest.ListPortingsParamsDirection(c.Direction)}
	var rows [][]string
	for {
		page, err := c.page(ctx, params)
		if done, err := told(c.client, page, err); done {
			return err
		}
		for _, p := range page.Body.Items {
			rows = append(rows, []string{p.ID, p.Tenant, string(p.Direction), string(p.State), p.Carrier, firstOf(p.Numbers), p.ScheduledOn})
		}
		if params.Cursor = page.Body.Next; params.Cursor == "" {
			return table("ORDER TENANT WAY STATE CARRIER NUMBERS DAY", rows)
		}
	}
}

func (c *portingListCommand) page(ctx context.Context, params rest.ListPortingsParams) (*rest.Answer[rest.PageBodyPortingOrder], error) {
	if c.Of == "" {
		return c.api().ListPortings(ctx, params)
	}
	return c.api().ListPortingsOfTenant(ctx, c.Of, rest.ListPortingsOfTenantParams{Sort: params.Sort, Limit: params.Limit, Cursor: params.Cursor,
		State: rest.ListPortingsOfTenantParamsState(c.State), Direction: rest.ListPortingsOfTenantParamsDirection(c.Direction)})
}

// firstOf is a list of numbers for one cell.
func firstOf(numbers []string) string {
	if len(numbers) > 1 {
		return fmt.Sprintf("%s and %d more", numbers[0], len(numbers)-1)
	}
	return strings.Join(numbers, "")
}

// portingOfTenant names whose orders are meant.
type portingOfTenant struct {
	client
	Tenant string `arg:"" help:"The tenant's id."`
}

// portingArguments name an order.
type portingArguments struct {
	portingOfTenant
	Porting string `arg:"" help:"The order's id."`
}

// portingShowCommand shows one.
type portingShowCommand struct{ portingArguments }

// Run shows it.
func (c *portingShowCommand) Run(ctx context.Context) error {
	answer, err := c.api().GetPorting(ctx, c.Tenant, c.Porting, rest.GetPortingParams{})
	if done, err := told(c.client, answer, err); done {
		return err
	}
	p := answer.Body
	for _, row := range [][2]string{{"order", p.ID}, {"way", string(p.Direction)}, {"state", string(p.State)}, {"carrier", p.Carrier}, {"account", p.Account}, {"subscriber", p.Subscriber}, {"address", p.Address},
		{"wanted on", p.WantedOn}, {"scheduled on", p.ScheduledOn}, {"trunk", p.Trunk}, {"note", p.Note}, {"numbers", strings.Join(p.Numbers, " ")}} {
		if row[1] != "" {
			fmt.Printf("%-13s %s\n", row[0], plain(row[1]))
		}
	}
	var rows [][]string
	for _, s := range p.History {
		rows = append(rows, []string{s.At.Format(time.RFC3339), s.Step, s.To, s.On, s.By, s.Comment})
	}
	fmt.Println()
	if err := table("AT STEP STATE DAY BY COMMENT", rows); err != nil || len(p.Documents) == 0 {
		return err
	}
	rows = nil
	for _, d := range p.Documents {
		rows = append(rows, []string{d.ID, d.Name, d.ContentType, count(d.Bytes)})
	}
	fmt.Println()
	return table("DOCUMENT NAME TYPE BYTES", rows)
}

// portingFlags are what an order says.
type portingFlags struct {
	Carrier    string   `help:"The other one: from which, or to which, the numbers go."`
	Account    string   `help:"The customer's there."`
	Subscriber string   `help:"As the other carrier knows him."`
	Address    string   `help:"His address."`
	WantedOn   string   `help:"Day: 2026-04-01."`
	Trunk      string   `help:"By which the numbers' calls will come."`
	Note       string   `help:"For whoever reads the order."`
	Number     []string `help:"Numbers, with +; again for each. They replace those that there are."`
}

// over puts what is named over what there is.
func (f portingFlags) over(text rest.PortingText) rest.PortingText {
	for _, m := range []struct {
		to *string
		is string
	}{{&text.Carrier, f.Carrier}, {&text.Account, f.Account}, {&text.Subscriber, f.Subscriber}, {&text.Address, f.Address}, {&text.WantedOn, f.WantedOn}, {&text.Trunk, f.Trunk}, {&text.Note, f.Note}} {
		if m.is != "" {
			*m.to = m.is
		}
	}
	if len(f.Number) > 0 {
		text.Numbers = f.Number
	}
	return text
}

// portingCreateCommand makes a draft.
type portingCreateCommand struct {
	portingOfTenant
	Direction string `arg:"" enum:"in,out" help:"in: the numbers come; out: they go."`
	portingFlags
}

// Run makes it.
func (c *portingCreateCommand) Run(ctx context.Context) error {
	t := c.over(rest.PortingText{Numbers: []string{}})
	return c.changed(c.api().CreatePorting(ctx, c.Tenant, rest.CreatePortingRequest{Direction: rest.CreatePortingRequestDirection(c.Direction), Carrier: t.Carrier, Account: t.Account, Subscriber: t.Subscriber,
		Address: t.Address, WantedOn: t.WantedOn, Trunk: t.Trunk, Note: t.Note, Numbers: t.Numbers}))
}

// changed tells of an order as it is after a change.
func (c portingOfTenant) changed(p *rest.Answer[rest.PortingOrder], err error) error {
	if done, err := told(c.client, p, err); done {
		return err
	}
	fmt.Printf("The porting order %s is %s.\n", plain(p.Body.ID), plain(string(p.Body.State)))
	return nil
}

// portingSetCommand changes a draft.
type portingSetCommand struct {
	portingArguments
	portingFlags
}

// Run changes it.
func (c *portingSetCommand) Run(ctx context.Context) error {
	had, err := c.api().GetPorting(ctx, c.Tenant, c.Porting, rest.GetPortingParams{})
	if err != nil {
		return c.refused(err)
	}
	p := had.Body
	text := c.over(rest.PortingText{Carrier: p.Carrier, Account: p.Account, Subscriber: p.Subscriber, Address: p.Address, WantedOn: p.WantedOn, Trunk: p.Trunk, Note: p.Note, Numbers: p.Numbers})
	return c.changed(c.api().UpdatePorting(ctx, c.Tenant, c.Porting, rest.UpdatePortingParams{IfMatch: had.ETag()}, text))
}

// portingStepCommand is one step, by the command's name.
type portingStepCommand struct {
	portingArguments
	Comment string `help:"For the order's history."`
}

// Run does it.
func (c *portingStepCommand) Run(ctx context.Context, asked *kong.Context) error {
	body := rest.PortingStepInputBody{Comment: c.Comment}
	switch asked.Selected().Name {
	case "submit":
		return c.changed(c.api().SubmitPorting(ctx, c.Tenant, c.Porting, rest.SubmitPortingParams{}, body))
	case "cancel":
		return c.changed(c.api().CancelPorting(ctx, c.Tenant, c.Porting, rest.CancelPortingParams{}, body))
	case "accept":
		return c.changed(c.api().AcceptPorting(ctx, c.Tenant, c.Porting, rest.AcceptPortingParams{}, body))
	case "reject":
		return c.changed(c.api().RejectPorting(ctx, c.Tenant, c.Porting, rest.RejectPortingParams{}, body))
	}
	return c.changed(c.api().PortedPorting(ctx, c.Tenant, c.Porting, rest.PortedPortingParams{}, body))
}

// portingScheduleCommand says the day.
type portingScheduleCommand struct {
	portingArguments
	On      string `arg:"" help:"Day: 2026-04-01."`
	Comment string `help:"For the order's history."`
}

// Run says it.
func (c *portingScheduleCommand) Run(ctx context.Context) error {
	return c.changed(c.api().SchedulePorting(ctx, c.Tenant, c.Porting, rest.SchedulePortingParams{}, rest.SchedulePortingRequest{On: c.On, Comment: c.Comment}))
}

// portingAttachCommand adds a document.
type portingAttachCommand struct {
	portingArguments
	File string `arg:"" type:"existingfile" help:"The document."`
}

// Run adds it.
func (c *portingAttachCommand) Run(ctx context.Context) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, provisioning.MaxDocumentBytes+1))
	if err != nil {
		return err
	}
	d, err := c.api().AddPortingDocument(ctx, c.Tenant, c.Porting, rest.AddPortingDocumentParams{Name: filepath.Base(c.File)}, content)
	if done, err := told(c.client, d, err); done {
		return err
	}
	fmt.Printf("%s is attached as %s.\n", plain(d.Body.Name), plain(d.Body.ID))
	return nil
}

// portingDocumentCommand downloads a document.
type portingDocumentCommand struct {
	portingArguments
	Document string `arg:"" help:"The document's id."`
	File     string `arg:"" help:"File that is to be made; it must not be there."`
}

// Run downloads it.
func (c *portingDocumentCommand) Run(ctx context.Context) error {
	const ownersAlone = 0o600
	file, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, ownersAlone)
	if err != nil {
		return err
	}
	d, err := c.api().GetPortingDocument(ctx, c.Tenant, c.Porting, c.Document)
	if err == nil {
		if _, err = file.Write(d.Body); err == nil {
			return file.Close()
		}
	}
	_, _ = file.Close(), os.Remove(c.File) // why it is not there is what counts
	return c.refused(err)
}

// portingDetachCommand removes a document.
type portingDetachCommand struct {
	portingArguments
	Document string `arg:"" help:"The document's id."`
}

// Run removes it.
func (c *portingDetachCommand) Run(ctx context.Context) error {
	gone, err := c.api().DeletePortingDocument(ctx, c.Tenant, c.Porting, c.Document)
	if done, err := told(c.client, gone, err); done {
		return err
	}
	fmt.Println("It is removed.")
	return nil
}
