package main

import (
	"context"
	"fmt"

	rest "tandem/provisioning/client"
)

// versionCanaryCommand gives the drafts to a share of new calls.
type versionCanaryCommand struct {
	client
	Tenant  string `arg:"" help:"The tenant's id."`
	Share   int    `arg:"" help:"Percent of new calls, 1 to 99. While a version is tried, its share is changed; otherwise the drafts become the version that is tried."`
	By      string `env:"USER" default:"an operator" help:"Who wants it: it is kept."`
	Comment string `help:"What and why: it is kept."`
}

// Run tries.
func (c *versionCanaryCommand) Run(ctx context.Context) error {
	tried, err := c.api().TryDrafts(ctx, c.Tenant, rest.Canary{Share: int64(c.Share), By: c.By, Comment: c.Comment})
	if done, err := told(c.client, tried, err); done {
		return err
	}
	answer := tried.Body
	switch {
	case answer.Was == answer.Share:
		fmt.Printf("Version %d is tried on %d %% of new calls already.\n", answer.Version, answer.Share)
		return nil
	case answer.Was != 0:
		fmt.Printf("Version %d is tried on %d %% of new calls, instead of %d %%.\n", answer.Version, answer.Share, answer.Was)
		return nil
	}
	fmt.Printf("The drafts are version %d, which %d %% of new calls get: %s\n", answer.Version, answer.Share, changedWords(answer.Changes))
	printChanges(answer.Changes)
	return nil
}

// versionVerdict is what promoting and abandoning have in common.
type versionVerdict struct {
	client
	Tenant  string `arg:"" help:"The tenant's id."`
	Version int64  `arg:"" optional:"" help:"The version that is tried, to be sure that it is the one that is meant."`
	By      string `env:"USER" default:"an operator" help:"Who decides: it is kept."`
	Comment string `help:"Why: it is kept."`
}

func (c *versionVerdict) verdict() rest.Verdict {
	return rest.Verdict{By: c.By, Comment: c.Comment, Version: c.Version}
}

// versionPromoteCommand gives the version that is tried to all.
type versionPromoteCommand struct{ versionVerdict }

// Run promotes.
func (c *versionPromoteCommand) Run(ctx context.Context) error {
	answer, err := c.api().PromoteCanary(ctx, c.Tenant, c.verdict())
	if done, err := told(c.client, answer, err); done {
		return err
	}
	fmt.Printf("All new calls get version %d now. For those that did not get it before: %s\n", answer.Body.Version, changedWords(answer.Body.Changes))
	printChanges(answer.Body.Changes)
	return nil
}

// versionAbandonCommand gives the version that is tried to none.
type versionAbandonCommand struct{ versionVerdict }

// Run abandons.
func (c *versionAbandonCommand) Run(ctx context.Context) error {
	answer, err := c.api().AbandonCanary(ctx, c.Tenant, c.verdict())
	if done, err := told(c.client, answer, err); done {
		return err
	}
	fmt.Printf("No new call gets version %d any more. It stays in the list, and the drafts stay as they are.\n", answer.Body.Version)
	return nil
}

// versionState says what a version is to new calls.
func versionState(v rest.VersionView) string {
	switch {
	case v.Live:
		return "live"
	case v.Share > 0:
		return fmt.Sprintf("canary, %d %%", v.Share)
	case len(v.Events) > 0 && v.Events[len(v.Events)-1].Event == "abandoned":
		return "abandoned"
	}
	return "-"
}

// eventWords says what became of a version that was tried.
func eventWords(e rest.VersionEvent) string {
	what := map[string]string{"canary": fmt.Sprintf("tried on %d %% of new calls", e.Share), "share": fmt.Sprintf("tried on %d %%", e.Share),
		"promoted": "promoted to all", "abandoned": "abandoned"}[e.Event]
	text := momentWords(e.At) + ": " + what + " by " + e.By
	if e.Comment != "" {
		text += " (" + e.Comment + ")"
	}
	return text
}
