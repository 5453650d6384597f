package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"

	"tandem/provisioning/api"
	rest "tandem/provisioning/client"
	"tandem/tenants"
)

// trunkCommands manage trunks.
type trunkCommands struct {
	List   trunkListCommand   `cmd:"" help:"List trunks: whose they are, how they are reached, their calls."`
	Show   trunkShowCommand   `cmd:"" help:"Show one trunk."`
	Add    trunkAddCommand    `cmd:"" help:"Add a trunk."`
	Set    trunkSetCommand    `cmd:"" help:"Change a trunk: what is not named stays."`
	Remove trunkRemoveCommand `cmd:"" help:"Remove a trunk, with its addresses, routes and login."`
	Route  trunkRouteCommand  `cmd:"" help:"Say which trunks serve the numbers that begin with a prefix, in this order."`
	Test   trunkTestCommand   `cmd:"" help:"Ask the destinations of a trunk whether they are there (OPTIONS, from the worker's address)."`
}

// trunkListCommand lists trunks.
type trunkListCommand struct {
	client
	Tenant string `help:"Those of this tenant's own alone."`
}

// Run lists.
func (c *trunkListCommand) Run(ctx context.Context) error {
	ask := func() (*rest.Answer[rest.TrunksBody], error) {
		if c.Tenant == "" {
			return c.api().ListTrunks(ctx)
		}
		return c.api().ListTrunksOfTenant(ctx, c.Tenant)
	}
	answer, err := ask()
	if done, err := told(c.client, answer, err); done {
		return err
	}
	if len(answer.Body.Trunks) == 0 {
		fmt.Println("There are no trunks.")
		return nil
	}
	var rows [][]string
	for _, t := range answer.Body.Trunks {
		rows = append(rows, []string{t.ID, t.Name, t.Tenant, trunkWords(t), whenceWords(t), whitherWords(t), count(t.CallsOut)})
	}
	return table("TRUNK NAME TENANT STATE FROM TO CALLS-OUT", rows)
}

func trunkWords(v rest.TrunkView) string {
	if v.Disabled {
		return "disabled"
	}
	return "enabled"
}

// whenceWords say how a trunk calls.
func whenceWords(v rest.TrunkView) string {
	all := slices.Clone(v.Addresses)
	if v.Device != "" {
		all = append(all, fmt.Sprintf("device %s (%s)", v.Device, howMany(int(v.Registered), "contact", "contacts")))
	}
	return strings.Join(all, ", ")
}

// whitherWords say how it is called.
func whitherWords(v rest.TrunkView) string {
	switch {
	case v.Outgoing == nil:
		return ""
	case len(v.Outgoing.Destinations) == 0:
		return "where it is registered"
	}
	return strings.Join(v.Outgoing.Destinations, ", ")
}

// trunkShowCommand shows one.
type trunkShowCommand struct {
	client
	ID     string `arg:"" help:"The trunk's id."`
	Tenant string `help:"It is to be this tenant's own."`
}

// Run shows.
func (c *trunkShowCommand) Run(ctx context.Context) error {
	answer, err := c.trunk(ctx, c.Tenant, c.ID)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	printTrunk(answer.Body)
	return nil
}

// trunk asks for one.
func (c client) trunk(ctx context.Context, tenant, id string) (*rest.Answer[rest.TrunkView], error) {
	if tenant == "" {
		return c.api().GetTrunk(ctx, id)
	}
	return c.api().GetTrunkOfTenant(ctx, tenant, id)
}

// printTrunk tells of a trunk.
func printTrunk(v rest.TrunkView) {
	rows := [][2]string{{"tenant", v.Tenant}, {"state", trunkWords(v)}, {"from", whenceWords(v)}, {"to", whitherWords(v)}, {"registers at", v.Registrar},
		{"login", map[bool]string{true: "yes"}[v.HasLogin]}, {"may call out", map[bool]string{true: "yes"}[v.MayCallOut]}, {"calls out", count(v.CallsOut)}}
	if o := v.Outgoing; o != nil {
		failover := o.Failover
		if len(failover) == 0 {
			failover = tenants.DefaultFailover()
		}
		rows = append(rows, [2]string{"failover", strings.Join(failover, ", ")}, [2]string{"max calls", orNoLimit(o.MaxCalls)}, [2]string{"calls a second", orNoLimit(o.CallsPerSecond)},
			[2]string{"numbers", formWords(o.Numbers)}, [2]string{"shows", showWords(o.CallerID)})
	}
	fmt.Printf("%s (%s)\n", plain(v.Name), plain(v.ID))
	for _, r := range rows {
		if r[1] != "" {
			fmt.Printf("  %-15s %s\n", r[0], plain(r[1]))
		}
	}
}

func orNoLimit(n int64) string {
	if n == 0 {
		return "no limit"
	}
	return count(n)
}

func formWords(format *rest.NumberFormat) string {
	f := orZero(format)
	words := f.Form
	if words == "" {
		words = tenants.FormPlus
	}
	for _, part := range [][2]string{{"of ", f.Country}, {"without ", f.Strip}, {"after ", f.Add}} {
		if part[1] != "" {
			words += " " + part[0] + part[1]
		}
	}
	return words
}

// orZero is what a pointer leads to.
func orZero[T any](to *T) (value T) {
	if to != nil {
		value = *to
	}
	return value
}

func showWords(rule *rest.CallerIDRule) string {
	r := orZero(rule)
	words := r.Show
	if words == "" {
		words = tenants.CallerOwned
	}
	if r.Number != "" {
		words += ", else " + r.Number
	}
	return words
}

// trunkFlags are what add and set have in common. What is not given stays as it is.
type trunkFlags struct {
	Name        *string      `help:"Its name, as people read it."`
	Address     []netip.Addr `help:"Where it calls from; several, comma-separated."`
	Destination []string     `help:"Where it is called, such as sip:192.0.2.9:5060; several in the order in which they are tried."`
	Device      *string      `help:"The tenant's device as which it registers here; \"\" for none."`
	Registrar   *string      `help:"Where an edge registers for it, such as sip:carrier.example; \"\" for nowhere."`
	Failover    []string     `help:"What makes a call go on to the next way: SIP codes, classes such as 5xx, timeout, unreachable."`
	MaxCalls    *int64       `help:"Calls out at once; 0 for no limit."`
	PerSecond   *int64       `help:"Calls out within a second; 0 for no limit."`
	Numbers     *string      `help:"How it writes and is written numbers: e164, digits, or national:COUNTRY."`
	Show        *string      `help:"Whose number it is shown: owned, any, or trunk."`
	ShowNumber  *string      `help:"The trunk's own number, shown when no other may be."`
	PAI         *bool        `name:"pai" negatable:"" help:"Whether the identity is in P-Asserted-Identity too."`
	MayCallOut  *bool        `negatable:"" help:"Whether what comes in by a tenant's own may go out again."`
	Disabled    *bool        `negatable:"" help:"Whether it is out of use."`
	Username    *string      `help:"User of its login; \"\" removes the login. The password is read from standard input."`
	File        string       `help:"The whole trunk as JSON, instead of all this; - for standard input." type:"path"`
}

// apply changes a trunk by what is given.
func (f *trunkFlags) apply(t *rest.TrunkBody) error {
	if f.File != "" {
		text, err := readFile(f.File)
		if err != nil {
			return err
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		*t = rest.TrunkBody{}
		return d.Decode(t)
	}
	give(&t.Name, f.Name)
	give(&t.Device, f.Device)
	give(&t.Registrar, f.Registrar)
	give(&t.MayCallOut, f.MayCallOut)
	give(&t.Disabled, f.Disabled)
	if f.Address != nil {
		t.Addresses = []string{}
	}
	for _, address := range f.Address {
		t.Addresses = append(t.Addresses, address.String())
	}
	if t.Outgoing == nil && (f.Destination != nil || f.Failover != nil || f.MaxCalls != nil || f.PerSecond != nil || f.Show != nil || f.ShowNumber != nil || f.PAI != nil || t.Device != "") {
		t.Outgoing = &rest.Outgoing{}
	}
	if o := t.Outgoing; o != nil {
		give(&o.MaxCalls, f.MaxCalls)
		give(&o.CallsPerSecond, f.PerSecond)
		if o.CallerID == nil {
			o.CallerID = &rest.CallerIDRule{}
		}
		give(&o.CallerID.Show, f.Show)
		give(&o.CallerID.Number, f.ShowNumber)
		if f.Destination != nil {
			o.Destinations = f.Destination
		}
		if f.Failover != nil {
			o.Failover = f.Failover
		}
		if f.PAI != nil {
			o.CallerID.Carried = map[bool]string{true: tenants.CarriedPAI, false: tenants.CarriedFrom}[*f.PAI]
		}
	}
	if f.Numbers != nil {
		form, country, _ := strings.Cut(*f.Numbers, ":")
		formats := []**rest.NumberFormat{&t.Incoming}
		if t.Outgoing != nil {
			formats = append(formats, &t.Outgoing.Numbers)
		}
		for _, f := range formats {
			written := orZero(*f)
			written.Form, written.Country = form, country
			*f = &written
		}
	}
	return f.login(t)
}

// login reads a password, which no list of processes and no history of a shell is to show.
func (f *trunkFlags) login(t *rest.TrunkBody) error {
	if f.Username == nil {
		return nil
	}
	t.Login = &rest.TrunkLogin{Username: *f.Username}
	if *f.Username == "" {
		return nil
	}
	text, err := readFile("-")
	t.Login.Password = strings.TrimRight(string(text), "\r\n")
	return err
}

func give[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// readFile reads a file, or standard input, within bounds.
func readFile(path string) ([]byte, error) {
	in := os.Stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	return io.ReadAll(io.LimitReader(in, api.MaxBody))
}

// trunkAddCommand adds one.
type trunkAddCommand struct {
	client
	ID     string `arg:"" help:"Its id, unique among all trunks."`
	Tenant string `help:"Whose own it is, such as a customer's PBX; the platform's unless given."`
	trunkFlags
}

// Run adds.
func (c *trunkAddCommand) Run(ctx context.Context) error {
	t := rest.TrunkBody{Name: c.ID, Addresses: []string{}}
	if err := c.apply(&t); err != nil {
		return err
	}
	return c.put(ctx, c.Tenant, c.ID, t, rest.SetTrunkParams{IfNoneMatch: "*"})
}

// put sends a trunk with a precondition.
func (c client) put(ctx context.Context, tenant, id string, t rest.TrunkBody, when rest.SetTrunkParams) error {
	t.ID = id
	ask := func() (*rest.Answer[rest.TrunkView], error) {
		if tenant == "" {
			return c.api().SetTrunk(ctx, id, when, t)
		}
		return c.api().SetTrunkOfTenant(ctx, tenant, id, rest.SetTrunkOfTenantParams(when), t)
	}
	answer, err := ask()
	if done, err := told(c, answer, err); done {
		return err
	}
	printTrunk(answer.Body)
	return nil
}

// trunkSetCommand changes one.
type trunkSetCommand struct {
	client
	ID     string `arg:"" help:"The trunk's id."`
	Tenant string `help:"It is to be this tenant's own."`
	trunkFlags
}

// Run reads the trunk, changes it, and puts it back if nobody else has changed it meanwhile.
func (c *trunkSetCommand) Run(ctx context.Context) error {
	had, err := c.trunk(ctx, c.Tenant, c.ID)
	if err != nil {
		return c.refused(err)
	}
	v := had.Body
	t := rest.TrunkBody{Name: v.Name, Addresses: v.Addresses, Device: v.Device, Disabled: v.Disabled, Incoming: v.Incoming, MayCallOut: v.MayCallOut, Outgoing: v.Outgoing,
		RegisterSeconds: v.RegisterSeconds, Registrar: v.Registrar, Tenant: v.Tenant}
	if err := c.apply(&t); err != nil {
		return err
	}
	return c.put(ctx, c.Tenant, c.ID, t, rest.SetTrunkParams{IfMatch: v.Etag})
}

// trunkRemoveCommand removes one.
type trunkRemoveCommand struct {
	client
	ID     string `arg:"" help:"The trunk's id."`
	Tenant string `help:"It is to be this tenant's own."`
}

// Run removes.
func (c *trunkRemoveCommand) Run(ctx context.Context) error {
	ask := func() (*rest.Answer[rest.RemovedBody], error) {
		if c.Tenant == "" {
			return c.api().DeleteTrunk(ctx, c.ID, rest.DeleteTrunkParams{})
		}
		return c.api().DeleteTrunkOfTenant(ctx, c.Tenant, c.ID, rest.DeleteTrunkOfTenantParams{})
	}
	answer, err := ask()
	if done, err := told(c.client, answer, err); done {
		return err
	}
	fmt.Printf("The trunk %s is removed.\n", plain(c.ID))
	return nil
}

// trunkRouteCommand says who serves a prefix.
type trunkRouteCommand struct {
	client
	Prefix string   `arg:"" help:"The beginning of an E.164 number, such as +49; any for all numbers."`
	Trunks []string `arg:"" optional:"" help:"Trunks in the order in which they are tried; none removes the prefix."`
	Tenant string   `help:"For the calls of this tenant, by trunks of its own."`
}

// Run sets the row.
func (c *trunkRouteCommand) Run(ctx context.Context) error {
	prefix := c.Prefix
	if prefix == "any" {
		prefix = ""
	}
	body := rest.OutboundBody{Prefix: prefix, Trunks: slices.Concat([]string{}, c.Trunks)}
	ask := func() (*rest.Answer[rest.OutboundBody], error) {
		if c.Tenant == "" {
			return c.api().SetOutboundRoute(ctx, body)
		}
		return c.api().SetOutboundRouteOfTenant(ctx, c.Tenant, body)
	}
	answer, err := ask()
	if done, err := told(c.client, answer, err); done {
		return err
	}
	fmt.Printf("%s: %s.\n", plain(c.Prefix), plain(strings.Join(c.Trunks, ", ")))
	return nil
}

// errTrunkAway lets a script see that a destination did not answer.
var errTrunkAway = errors.New("not every destination answers")

// trunkTestCommand asks a trunk's destinations.
type trunkTestCommand struct {
	client
	ID string `arg:"" help:"The trunk's id."`
}

// Run asks.
func (c *trunkTestCommand) Run(ctx context.Context) error {
	answer, err := c.api().TestTrunk(ctx, c.ID)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	printTrunk(answer.Body.Trunk)
	away := answer.Body.Trunk.Device != "" && answer.Body.Trunk.Registered == 0
	for _, d := range answer.Body.Destinations {
		if d.Error != "" {
			away = true
			fmt.Printf("  %s: %s\n", plain(d.Destination), plain(d.Error))
			continue
		}
		fmt.Printf("  %s: %s after %d ms\n", plain(d.Destination), plain(d.Answer), d.TookMs)
	}
	if away {
		return errTrunkAway
	}
	return nil
}
