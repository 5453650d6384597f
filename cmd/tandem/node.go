package main

import (
	"context"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/tenants"
)

// nodeCommands manage media nodes.
type nodeCommands struct {
	Add nodeAddCommand `cmd:"" help:"Make a media node known, or change it. Workers and edges learn it within a second."`
}

// nodeAddCommand adds one.
type nodeAddCommand struct {
	Name        string `arg:"" help:"Name, unique among the nodes."`
	SIPURI      string `required:"" name:"sip-uri" env:"TANDEM_NODE_SIP_URI" help:"Where edges send calls: sip:ADDRESS:PORT."`
	EventSocket string `required:"" env:"TANDEM_NODE_EVENT_SOCKET" help:"Its event socket: ADDRESS:PORT."`
	MaxCalls    int    `env:"TANDEM_NODE_MAX_CALLS" help:"Past this many live calls it gets no new ones; 0 for no limit."`
	PostgresURL string `required:"" env:"TANDEM_POSTGRES_URL" help:"PostgreSQL."`
}

// Run adds the node.
func (c *nodeAddCommand) Run(ctx context.Context) error {
	store, err := postgres.Open(ctx, c.PostgresURL)
	if err != nil {
		return err
	}
	defer store.Close()
	service := &provisioning.Service{Store: store, ValidateFlow: callflows.ValidateFlow}
	return service.AddNode(ctx, tenants.Node{Name: c.Name, SIPURI: c.SIPURI, EventSocket: c.EventSocket, MaxCalls: c.MaxCalls})
}
