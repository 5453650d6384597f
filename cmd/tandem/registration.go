package main

import (
	"context"
	"fmt"
	"time"

	"tandem/postgres"
	rest "tandem/provisioning/client"
)

// registrationCommands look at who is registered, and where.
type registrationCommands struct {
	List   registrationListCommand   `cmd:"" help:"List registrations, of a tenant or of all."`
	Remove registrationRemoveCommand `cmd:"" help:"Let the edge forget one; the phone may register again."`
	Resync registrationResyncCommand `cmd:"" help:"Ask one phone to fetch its files again."`
}

// registrationListCommand lists.
type registrationListCommand struct {
	client
	Of        string `help:"Of one tenant, by its id; without it those of all, for the platform."`
	Device    string `help:"Of a device, by its id."`
	User      string `help:"Of a user's devices, by his id."`
	Address   string `help:"From an address."`
	UserAgent string `help:"Of phones that say this of themselves somewhere: Yealink."`
	Limit     int    `default:"1000" help:"At most so many."`
}

// Run lists.
func (c *registrationListCommand) Run(ctx context.Context) error {
	params := rest.ListRegistrationsParams{Device: c.Device, User: c.User, Address: c.Address, UserAgent: c.UserAgent}
	var rows [][]string
	for {
		params.Limit = int64(min(max(c.Limit-len(rows), 1), postgres.MaxPage))
		page, err := c.page(ctx, params)
		if done, err := told(c.client, page, err); done {
			return err
		}
		for _, r := range page.Body.Items {
			rows = append(rows, []string{r.ID, r.Tenant, r.Device, fmt.Sprintf("%s:%d", r.Address, r.Port), r.Transport, r.UserAgent, r.Edge, time.Until(r.ExpiresAt).Round(time.Second).String()})
		}
		if params.Cursor = page.Body.Next; params.Cursor == "" || len(rows) >= c.Limit {
			return table("ID TENANT DEVICE FROM TRANSPORT USER-AGENT EDGE EXPIRES", rows)
		}
	}
}

func (c *registrationListCommand) page(ctx context.Context, params rest.ListRegistrationsParams) (*rest.Answer[rest.PageBodyRegistrationRow], error) {
	if c.Of == "" {
		return c.api().ListRegistrations(ctx, params)
	}
	return c.api().ListRegistrationsOfTenant(ctx, c.Of, rest.ListRegistrationsOfTenantParams(params))
}

// registrationArguments name one.
type registrationArguments struct {
	client
	Registration string `arg:"" help:"Its id, as list shows it."`
	Of           string `help:"Of which tenant; without it of any, for the platform."`
}

// registrationRemoveCommand removes one.
type registrationRemoveCommand struct{ registrationArguments }

// Run removes.
func (c *registrationRemoveCommand) Run(ctx context.Context) error {
	answer, err := c.remove(ctx)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	if answer.Body.State != "removed" {
		fmt.Println("The edge is told, and has not said yet that it did it.")
		return nil
	}
	fmt.Println("It is forgotten.")
	return nil
}

func (c *registrationRemoveCommand) remove(ctx context.Context) (*rest.Answer[rest.OrderedRegistrationBody], error) {
	if c.Of == "" {
		return c.api().Unregister(ctx, c.Registration)
	}
	return c.api().UnregisterOfTenant(ctx, c.Of, c.Registration)
}

// registrationResyncCommand asks a phone.
type registrationResyncCommand struct{ registrationArguments }

// Run asks.
func (c *registrationResyncCommand) Run(ctx context.Context) error {
	answer, err := c.resync(ctx)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	fmt.Println("The phone is asked.")
	return nil
}

func (c *registrationResyncCommand) resync(ctx context.Context) (*rest.Answer[rest.ResyncBody], error) {
	if c.Of == "" {
		return c.api().ResyncRegistration(ctx, c.Registration)
	}
	return c.api().ResyncRegistrationOfTenant(ctx, c.Of, c.Registration)
}
