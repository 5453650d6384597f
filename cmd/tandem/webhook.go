package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tandem/postgres"
	"tandem/provisioning/api"
)

// webhookCommands manage the receivers of a tenant's events.
type webhookCommands struct {
	List       webhookListCommand       `cmd:"" help:"List a tenant's webhooks."`
	Show       webhookShowCommand       `cmd:"" help:"Show one webhook, and how its receiver fares."`
	Add        webhookAddCommand        `cmd:"" help:"Add a webhook. Its secret is printed now and not again."`
	Set        webhookSetCommand        `cmd:"" help:"Change a webhook: what is not named stays."`
	Remove     webhookRemoveCommand     `cmd:"" help:"Remove a webhook, with its log."`
	Secret     webhookSecretCommand     `cmd:"" help:"Give a webhook another secret; the one before signs beside it for 24 hours."`
	Test       webhookTestCommand       `cmd:"" help:"Send a test to a webhook."`
	Deliveries webhookDeliveriesCommand `cmd:"" help:"List what was sent to a webhook and what waits for it, the newest first."`
	Again      webhookAgainCommand      `cmd:"" help:"Send one delivery's event once more, or all of a range of time."`
}

// webhookOf names a webhook.
type webhookOf struct {
	client
	Tenant string `arg:"" help:"Tenant."`
	ID     string `arg:"" help:"Webhook."`
}

func webhooksPath(tenant string) string {
	return "/v1/tenants/" + url.PathEscape(tenant) + "/webhooks"
}

func (c webhookOf) path() string { return webhooksPath(c.Tenant) + "/" + url.PathEscape(c.ID) }

// webhookListCommand lists webhooks.
type webhookListCommand struct {
	client
	Tenant string `arg:"" help:"Tenant."`
}

// Run lists.
func (c *webhookListCommand) Run(ctx context.Context) error {
	var page api.PageBody[postgres.Webhook]
	if _, done, err := c.ask(ctx, http.MethodGet, webhooksPath(c.Tenant)+"?limit=200", nil, &page); err != nil || done {
		return err
	}
	if len(page.Items) == 0 {
		fmt.Println("There are no webhooks.")
		return nil
	}
	var rows [][]string
	for _, w := range page.Items {
		rows = append(rows, []string{w.ID, w.Name, webhookWords(w), strconv.Itoa(w.Waiting), typesWords(w.Types), w.URL})
	}
	return table("WEBHOOK NAME STATE WAITING TYPES URL", rows)
}

// webhookWords say how a webhook's receiver fares.
func webhookWords(w postgres.Webhook) string {
	switch {
	case w.Because != "":
		return "disabled (" + string(w.Because) + ")"
	case w.Failing != nil:
		return fmt.Sprintf("failing for %s", time.Since(*w.Failing).Round(time.Minute))
	}
	return "well"
}

func typesWords(types []string) string {
	if len(types) == 0 {
		return "all"
	}
	return strings.Join(types, ",")
}

// webhookShowCommand shows one.
type webhookShowCommand struct{ webhookOf }

// Run shows it.
func (c *webhookShowCommand) Run(ctx context.Context) error {
	var w postgres.Webhook
	if _, done, err := c.ask(ctx, http.MethodGet, c.path(), nil, &w); err != nil || done {
		return err
	}
	fmt.Printf("Webhook %s is %s.\n  url      %s\n  name     %s\n  types    %s\n  waiting  %d\n  failures %d in a row\n",
		plain(w.ID), webhookWords(w), plain(w.URL), plain(w.Name), plain(typesWords(w.Types)), w.Waiting, w.Failures)
	if w.Because != "" {
		fmt.Println(w.Because.Words() + " Enable it: tandem webhook set --enable " + plain(c.Tenant) + " " + plain(w.ID))
	}
	return nil
}

// webhookAddCommand adds one.
type webhookAddCommand struct {
	client
	Tenant string   `arg:"" help:"Tenant."`
	URL    string   `arg:"" help:"Where its messages go: https://..."`
	ID     string   `name:"id" help:"Its id; one is made otherwise."`
	Name   string   `help:"What people call it."`
	Types  []string `help:"Which events it gets (tandem events lists them); all otherwise."`
}

// Run adds it.
func (c *webhookAddCommand) Run(ctx context.Context) error {
	var made struct{ ID, Secret string }
	body := api.NewWebhookBody{ID: c.ID, WebhookBody: api.WebhookBody{URL: c.URL, Name: c.Name, Types: c.Types}}
	if _, done, err := c.ask(ctx, http.MethodPost, webhooksPath(c.Tenant), body, &made); err != nil || done {
		return err
	}
	fmt.Printf("Webhook %s is there. Its secret is shown now and not again:\n%s\n", plain(made.ID), plain(made.Secret))
	return nil
}

// webhookSetCommand changes one.
type webhookSetCommand struct {
	webhookOf
	URL      *string  `help:"Where its messages go."`
	Name     *string  `help:"What people call it."`
	Types    []string `help:"Which events it gets."`
	AllTypes bool     `help:"It gets all events." xor:"types"`
	Enable   bool     `help:"It gets its messages; what waits goes on." xor:"disabled"`
	Disable  bool     `help:"It gets nothing." xor:"disabled"`
}

// Run changes it.
func (c *webhookSetCommand) Run(ctx context.Context) error {
	var w postgres.Webhook
	quiet := c.client
	quiet.JSON = false
	if _, _, err := quiet.ask(ctx, http.MethodGet, c.path(), nil, &w); err != nil {
		return err
	}
	body := api.WebhookBody{URL: w.URL, Name: w.Name, Types: w.Types, Disabled: w.Because != ""}
	tag := api.Tag(body)
	if c.URL != nil {
		body.URL = *c.URL
	}
	if c.Name != nil {
		body.Name = *c.Name
	}
	if len(c.Types) > 0 || c.AllTypes {
		body.Types = c.Types
	}
	body.Disabled = c.Disable || body.Disabled && !c.Enable
	var now postgres.Webhook
	if _, done, err := c.askIf(ctx, http.MethodPut, c.path(), body, &now, "If-Match", tag); err != nil || done {
		return err
	}
	fmt.Printf("Webhook %s is %s.\n", plain(now.ID), webhookWords(now))
	return nil
}

// webhookRemoveCommand removes one.
type webhookRemoveCommand struct{ webhookOf }

// Run removes it.
func (c *webhookRemoveCommand) Run(ctx context.Context) error {
	if err := c.tell(ctx, http.MethodDelete, c.path(), nil); err != nil {
		return err
	}
	fmt.Printf("Webhook %s is gone.\n", plain(c.ID))
	return nil
}

// webhookSecretCommand replaces a secret.
type webhookSecretCommand struct{ webhookOf }

// Run replaces it.
func (c *webhookSecretCommand) Run(ctx context.Context) error {
	var made struct {
		Secret   string
		OldUntil time.Time `json:"old_until"`
	}
	if _, done, err := c.ask(ctx, http.MethodPost, c.path()+"/secret", nil, &made); err != nil || done {
		return err
	}
	fmt.Printf("The new secret is shown now and not again; the old one signs beside it until %s:\n%s\n", made.OldUntil.Format(time.RFC3339), plain(made.Secret))
	return nil
}

// webhookTestCommand sends a test.
type webhookTestCommand struct{ webhookOf }

// Run sends it.
func (c *webhookTestCommand) Run(ctx context.Context) error {
	var sent struct{ Event string }
	if _, done, err := c.ask(ctx, http.MethodPost, c.path()+"/test", nil, &sent); err != nil || done {
		return err
	}
	fmt.Printf("The test %s is on its way: tandem webhook deliveries %s %s\n", plain(sent.Event), plain(c.Tenant), plain(c.ID))
	return nil
}

// webhookDeliveriesCommand lists deliveries.
type webhookDeliveriesCommand struct {
	webhookOf
	State string `enum:",waiting,delivered,failed" default:"" help:"Those in this state alone: waiting, delivered, failed."`
	Limit int    `default:"50" help:"How many at most."`
}

// Run lists.
func (c *webhookDeliveriesCommand) Run(ctx context.Context) error {
	query := url.Values{"limit": {strconv.Itoa(c.Limit)}}
	if c.State != "" {
		query.Set("state", c.State)
	}
	var page api.PageBody[postgres.DeliveryRow]
	if _, done, err := c.ask(ctx, http.MethodGet, c.path()+"/deliveries?"+query.Encode(), nil, &page); err != nil || done {
		return err
	}
	if len(page.Items) == 0 {
		fmt.Println("Nothing was sent to it, and nothing waits for it.")
		return nil
	}
	var rows [][]string
	for _, d := range page.Items {
		next := ""
		if d.NextAt != nil {
			next = d.NextAt.Local().Format(time.DateTime)
		}
		rows = append(rows, []string{strconv.FormatInt(d.ID, 10), d.Type, d.Event, d.State, strconv.Itoa(d.Attempts), d.Problem, d.CreatedAt.Local().Format(time.DateTime), next})
	}
	return table("DELIVERY TYPE EVENT STATE ATTEMPTS PROBLEM SINCE NEXT", rows)
}

// webhookAgainCommand sends events once more.
type webhookAgainCommand struct {
	webhookOf
	Delivery int64     `help:"The event of this delivery."`
	From     time.Time `help:"All events that were recorded from then on, RFC 3339."`
	Until    time.Time `help:"And before then; now unless given."`
}

// Run sends them.
func (c *webhookAgainCommand) Run(ctx context.Context) error {
	if c.Delivery != 0 {
		if err := c.tell(ctx, http.MethodPost, c.path()+"/deliveries/"+strconv.FormatInt(c.Delivery, 10)+"/again", nil); err != nil {
			return err
		}
		fmt.Println("It is sent again.")
		return nil
	}
	if c.From.IsZero() {
		return errors.New("name a --delivery, or a time --from")
	}
	if c.Until.IsZero() {
		c.Until = time.Now()
	}
	var sent struct{ Events int }
	if _, done, err := c.ask(ctx, http.MethodPost, c.path()+"/again", map[string]time.Time{"from": c.From, "until": c.Until}, &sent); err != nil || done {
		return err
	}
	fmt.Printf("%s sent again.\n", howMany(sent.Events, "event is", "events are"))
	return nil
}
