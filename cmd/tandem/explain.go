package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"tandem/because"
	"tandem/callflows"
	"tandem/explain"
	"tandem/messages"
	"tandem/postgres"
	"tandem/routing"
	"tandem/tenants"
)

// explainCommand explains a call that was made, or one that was not.
type explainCommand struct {
	Call        string    `arg:"" optional:"" help:"Tandem's id of the call, or its SIP Call-ID."`
	PostgresURL string    `required:"" env:"TANDEM_POSTGRES_URL" help:"PostgreSQL."`
	From        string    `help:"Dry run: user@domain of a device, or an outside number."`
	To          string    `help:"Dry run: what is dialled."`
	At          time.Time `help:"Dry run: when, as 2006-01-02T15:04:05Z; now unless given."`
	Digits      []string  `help:"Dry run: what the caller keys at each prompt, separated by commas."`
	Key         string    `env:"TANDEM_API_KEY" help:"Dry run: API key for that worker."`
	StateDir    string    `env:"TANDEM_STATE_DIR" hidden:"" type:"path"`
	API         string    `env:"TANDEM_API" help:"Dry run: API of a worker to ask how the media nodes are; otherwise each counts as up and idle."`
	NoAnswer    bool      `help:"Dry run: nobody answers. Otherwise the first who rings does."`
	JSON        bool      `name:"json" help:"Print JSON."`
}

// Run explains.
func (c *explainCommand) Run(ctx context.Context) error {
	dry := c.From != "" || c.To != ""
	if dry == (c.Call != "") {
		return errors.New("give a call, or --from and --to for a dry run")
	}
	store, err := postgres.Open(ctx, c.PostgresURL)
	if err != nil {
		return err
	}
	defer store.Close()
	words, err := explain.Catalog()
	if err != nil {
		return err
	}
	x, err := c.explain(ctx, store, words)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(x)
	}
	_, err = fmt.Print(x.Text())
	return err
}

func (c *explainCommand) explain(ctx context.Context, store *postgres.Store, words because.Catalog) (explain.Explanation, error) {
	if c.Call != "" {
		return explainCall(ctx, store, words, c.Call)
	}
	if c.From == "" || c.To == "" {
		return explain.Explanation{}, errors.New("a dry run needs both --from and --to")
	}
	return c.dryRun(ctx, store, words)
}

// dryRun asks with the configuration and the registrations as they are now. How the nodes are, only running workers know: unless
// one is asked, every configured node counts as up and idle.
func (c *explainCommand) dryRun(ctx context.Context, store *postgres.Store, words because.Catalog) (explain.Explanation, error) {
	if c.At.IsZero() {
		c.At = time.Now()
	}
	data, err := store.LoadData(ctx)
	if err != nil {
		return explain.Explanation{}, err
	}
	snapshot, _ := tenants.NewSnapshot(data, callflows.ParseSettings)
	contacts, err := registered(ctx, store, snapshot)
	if err != nil {
		return explain.Explanation{}, err
	}
	facts, err := c.facts(ctx, snapshot)
	if err != nil {
		return explain.Explanation{}, err
	}
	return explain.DryRun(words, snapshot, explain.Question{From: c.From, To: c.To, At: c.At.UTC(), Digits: c.Digits,
		NobodyAnswers: c.NoAnswer, Facts: facts, Contacts: contacts}), nil
}

// facts are the nodes as they are, or as they are configured.
func (c *explainCommand) facts(ctx context.Context, s *tenants.Snapshot) (routing.Facts, error) {
	var facts routing.Facts
	if c.API == "" {
		for _, n := range s.Nodes() {
			state := messages.NodeUp
			if n.Draining {
				state = messages.NodeDraining
			}
			facts.Nodes = append(facts.Nodes, routing.Node{Name: n.Name, SIPURI: n.SIPURI, State: state})
		}
		return facts, nil
	}
	asker := client{API: c.API, Key: c.Key, StateDir: c.StateDir}
	answer, err := asker.api().ListNodes(ctx)
	if err != nil {
		return facts, asker.refused(err)
	}
	for _, n := range answer.Body.Nodes {
		if state := messages.NodeState(n.State); state != nodeUnknown {
			facts.Nodes = append(facts.Nodes, routing.Node{Name: n.Name, SIPURI: n.SIPURI, State: state, Calls: int(n.Calls),
				Busy: routing.Busy{CPU: int(n.Judged.CPU), Sessions: int(n.Judged.Sessions), Rate: int(n.Judged.Rate)}})
		}
	}
	return facts, nil
}

// registered lists the contacts of every device that is registered now.
func registered(ctx context.Context, store *postgres.Store, s *tenants.Snapshot) (map[string][]callflows.Contact, error) {
	all, err := store.LoadRegistrations(ctx, time.Now())
	if err != nil {
		return nil, err
	}
	contacts := map[string][]callflows.Contact{}
	for _, r := range all {
		if t := s.TenantByDomain(r.Domain); t != nil && r.Event == messages.Registered {
			if d := t.DeviceByUsername(r.Username); d != nil {
				contacts[d.ID] = append(contacts[d.ID], callflows.Contact{Device: d.ID, URI: r.Contact, Edge: r.EdgeURI})
			}
		}
	}
	return contacts, nil
}
