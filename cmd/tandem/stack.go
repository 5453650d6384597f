package main

import (
	"context"
	"os"

	"tandem/postgres"
	"tandem/stack"
)

// stackCommand runs a command, such as the tests, beside private servers.
type stackCommand struct {
	Command []string `arg:"" passthrough:"" help:"The command, after --."`
}

// Run installs what is missing, starts the servers, runs the command and ends the servers.
func (c *stackCommand) Run(ctx context.Context) error {
	command := c.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	code, err := stack.Run(ctx, os.Stderr, postgres.Migrate, command)
	if err != nil {
		return err
	}
	if code != 0 {
		return exitCode(code)
	}
	return nil
}

// installNodeCommand installs what make's targets need that run npm.
type installNodeCommand struct{}

// Run installs it, unless it is there.
func (c *installNodeCommand) Run(ctx context.Context) error {
	return stack.Install(ctx, os.Stderr, stack.Node)
}

// migrateCommand brings the schema up.
type migrateCommand struct {
	PostgresURL  string `required:"" env:"TANDEM_POSTGRES_URL" help:"PostgreSQL, as its owner."`
	EdgePassword string `env:"TANDEM_EDGE_PASSWORD" help:"Password for the role by which edges read credentials; unset leaves it as it is."`
}

// Run migrates.
func (c *migrateCommand) Run(ctx context.Context) error {
	if err := postgres.Migrate(ctx, c.PostgresURL); err != nil {
		return err
	}
	if c.EdgePassword == "" {
		return nil
	}
	store, err := postgres.Open(ctx, c.PostgresURL)
	if err != nil {
		return err
	}
	defer store.Close()
	return store.SetEdgePassword(ctx, c.EdgePassword)
}
