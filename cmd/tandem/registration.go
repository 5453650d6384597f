package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"tandem/postgres"
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
	query := url.Values{}
	for name, value := range map[string]string{"device": c.Device, "user": c.User, "address": c.Address, "user_agent": c.UserAgent} {
		if value != "" {
			query.Set(name, value)
		}
	}
	var rows [][]string
	for {
		query.Set("limit", fmt.Sprint(min(max(c.Limit-len(rows), 1), postgres.MaxPage)))
		var page struct {
			Items []postgres.RegistrationRow
			Next  string
		}
		if _, done, err := c.ask(ctx, http.MethodGet, registrationPath(c.Of, "")+"?"+query.Encode(), nil, &page); err != nil || done {
			return err
		}
		for _, r := range page.Items {
			rows = append(rows, []string{r.ID, r.Tenant, r.Device, fmt.Sprintf("%s:%d", r.Address, r.Port), r.Transport, r.UserAgent, r.Edge, time.Until(r.ExpiresAt).Round(time.Second).String()})
		}
		if page.Next == "" || len(rows) >= c.Limit {
			return table("ID TENANT DEVICE FROM TRANSPORT USER-AGENT EDGE EXPIRES", rows)
		}
		query.Set("cursor", page.Next)
	}
}

func registrationPath(of, more string) string {
	if of != "" {
		return "/v1/tenants/" + url.PathEscape(of) + "/registrations" + more
	}
	return "/v1/registrations" + more
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
	var answer struct{ State string }
	_, done, err := c.ask(ctx, http.MethodDelete, registrationPath(c.Of, "/"+url.PathEscape(c.Registration)), nil, &answer)
	if err != nil || done {
		return err
	}
	if answer.State != "removed" {
		fmt.Println("The edge is told, and has not said yet that it did it.")
		return nil
	}
	fmt.Println("It is forgotten.")
	return nil
}

// registrationResyncCommand asks a phone.
type registrationResyncCommand struct{ registrationArguments }

// Run asks.
func (c *registrationResyncCommand) Run(ctx context.Context) error {
	if err := c.tell(ctx, http.MethodPost, registrationPath(c.Of, "/"+url.PathEscape(c.Registration)+"/resync"), nil); err != nil {
		return err
	}
	fmt.Println("The phone is asked.")
	return nil
}
