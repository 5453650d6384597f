package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	rest "tandem/provisioning/client"
	"tandem/webhooks"
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

// webhookListCommand lists webhooks.
type webhookListCommand struct {
	client
	Tenant string `arg:"" help:"Tenant."`
}

// Run lists.
func (c *webhookListCommand) Run(ctx context.Context) error {
	page, err := c.api().ListWebhooks(ctx, c.Tenant, rest.ListWebhooksParams{Limit: mostItems})
	if done, err := told(c.client, page, err); done {
		return err
	}
	if len(page.Body.Items) == 0 {
		fmt.Println("There are no webhooks.")
		return nil
	}
	var rows [][]string
	for _, w := range page.Body.Items {
		rows = append(rows, []string{w.ID, w.Name, webhookWords(w), count(w.Waiting), typesWords(w.Types), w.URL})
	}
	return table("WEBHOOK NAME STATE WAITING TYPES URL", rows)
}

// webhookWords say how a webhook's receiver fares.
func webhookWords(w rest.Webhook) string {
	switch {
	case w.DisabledBecause != "":
		return "disabled (" + string(w.DisabledBecause) + ")"
	case !w.FailingSince.IsZero():
		return fmt.Sprintf("failing for %s", time.Since(w.FailingSince).Round(time.Minute))
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
	answer, err := c.api().GetWebhook(ctx, c.Tenant, c.ID, rest.GetWebhookParams{})
	if done, err := told(c.client, answer, err); done {
		return err
	}
	w := answer.Body
	fmt.Printf("Webhook %s is %s.\n  url      %s\n  name     %s\n  types    %s\n  waiting  %d\n  failures %d in a row\n",
		plain(w.ID), webhookWords(w), plain(w.URL), plain(w.Name), plain(typesWords(w.Types)), w.Waiting, w.Failures)
	if w.DisabledBecause != "" {
		fmt.Println(webhooks.Disabling(w.DisabledBecause).Words() + " Enable it: tandem webhook set --enable " + plain(c.Tenant) + " " + plain(w.ID))
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
	made, err := c.api().CreateWebhook(ctx, c.Tenant, rest.NewWebhookBody{ID: c.ID, URL: c.URL, Name: c.Name, Types: c.Types})
	if done, err := told(c.client, made, err); done {
		return err
	}
	fmt.Printf("Webhook %s is there. Its secret is shown now and not again:\n%s\n", plain(made.Body.ID), plain(made.Body.Secret))
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
	had, err := c.api().GetWebhook(ctx, c.Tenant, c.ID, rest.GetWebhookParams{})
	if err != nil {
		return c.refused(err)
	}
	w := had.Body
	body := rest.WebhookBody{URL: w.URL, Name: w.Name, Types: w.Types, Disabled: w.DisabledBecause != ""}
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
	now, err := c.api().UpdateWebhook(ctx, c.Tenant, c.ID, rest.UpdateWebhookParams{IfMatch: had.ETag()}, body)
	if done, err := told(c.client, now, err); done {
		return err
	}
	fmt.Printf("Webhook %s is %s.\n", plain(now.Body.ID), webhookWords(now.Body))
	return nil
}

// webhookRemoveCommand removes one.
type webhookRemoveCommand struct{ webhookOf }

// Run removes it.
func (c *webhookRemoveCommand) Run(ctx context.Context) error {
	if _, err := c.api().DeleteWebhook(ctx, c.Tenant, c.ID, rest.DeleteWebhookParams{}); err != nil {
		return c.refused(err)
	}
	fmt.Printf("Webhook %s is gone.\n", plain(c.ID))
	return nil
}

// webhookSecretCommand replaces a secret.
type webhookSecretCommand struct{ webhookOf }

// Run replaces it.
func (c *webhookSecretCommand) Run(ctx context.Context) error {
	made, err := c.api().RotateWebhookSecret(ctx, c.Tenant, c.ID, rest.RotateWebhookSecretParams{})
	if done, err := told(c.client, made, err); done {
		return err
	}
	fmt.Printf("The new secret is shown now and not again; the old one signs beside it until %s:\n%s\n", made.Body.OldUntil.Format(time.RFC3339), plain(made.Body.Secret))
	return nil
}

// webhookTestCommand sends a test.
type webhookTestCommand struct{ webhookOf }

// Run sends it.
func (c *webhookTestCommand) Run(ctx context.Context) error {
	sent, err := c.api().TestWebhook(ctx, c.Tenant, c.ID, rest.TestWebhookParams{})
	if done, err := told(c.client, sent, err); done {
		return err
	}
	fmt.Printf("The test %s is on its way: tandem webhook deliveries %s %s\n", plain(sent.Body.Event), plain(c.Tenant), plain(c.ID))
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
	page, err := c.api().ListWebhookDeliveries(ctx, c.Tenant, c.ID, rest.ListWebhookDeliveriesParams{Limit: int64(c.Limit), State: rest.ListWebhookDeliveriesParamsState(c.State)})
	if done, err := told(c.client, page, err); done {
		return err
	}
	if len(page.Body.Items) == 0 {
		fmt.Println("Nothing was sent to it, and nothing waits for it.")
		return nil
	}
	var rows [][]string
	for _, d := range page.Body.Items {
		next := ""
		if !d.NextAt.IsZero() {
			next = d.NextAt.Local().Format(time.DateTime)
		}
		rows = append(rows, []string{count(d.ID), d.Type, d.Event, string(d.State), count(d.Attempts), d.Problem, d.CreatedAt.Local().Format(time.DateTime), next})
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
		if _, err := c.api().RedeliverWebhookEvent(ctx, c.Tenant, c.ID, c.Delivery); err != nil {
			return c.refused(err)
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
	sent, err := c.api().RedeliverWebhookRange(ctx, c.Tenant, c.ID, rest.RedeliverWebhookRangeRequest{From: c.From, Until: c.Until})
	if done, err := told(c.client, sent, err); done {
		return err
	}
	fmt.Printf("%s sent again.\n", howMany(int(sent.Body.Events), "event is", "events are"))
	return nil
}
