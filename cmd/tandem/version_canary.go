package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

func canaryPath(tenant string) string { return "/v1/tenants/" + url.PathEscape(tenant) + "/canary" }

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
	var answer struct {
		Version    int64
		Share, Was int
		Changes    []changeView
	}
	body := map[string]any{"share": c.Share, "by": c.By, "comment": c.Comment}
	if _, done, err := c.ask(ctx, http.MethodPut, canaryPath(c.Tenant), body, &answer); err != nil || done {
		return err
	}
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

func (c *versionVerdict) give(ctx context.Context, what string) (version int64, changes []changeView, done bool, err error) {
	var answer struct {
		Version int64
		Changes []changeView
	}
	body := map[string]any{"by": c.By, "comment": c.Comment, "version": c.Version}
	_, done, err = c.ask(ctx, http.MethodPost, canaryPath(c.Tenant)+"/"+what, body, &answer)
	return answer.Version, answer.Changes, done, err
}

// versionPromoteCommand gives the version that is tried to all.
type versionPromoteCommand struct{ versionVerdict }

// Run promotes.
func (c *versionPromoteCommand) Run(ctx context.Context) error {
	version, changes, done, err := c.give(ctx, "promote")
	if err != nil || done {
		return err
	}
	fmt.Printf("All new calls get version %d now. For those that did not get it before: %s\n", version, changedWords(changes))
	printChanges(changes)
	return nil
}

// versionAbandonCommand gives the version that is tried to none.
type versionAbandonCommand struct{ versionVerdict }

// Run abandons.
func (c *versionAbandonCommand) Run(ctx context.Context) error {
	version, _, done, err := c.give(ctx, "abandon")
	if err != nil || done {
		return err
	}
	fmt.Printf("No new call gets version %d any more. It stays in the list, and the drafts stay as they are.\n", version)
	return nil
}

// stateWords says what a version is to new calls.
func (v versionView) stateWords() string {
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
func (e versionEvent) eventWords() string {
	what := map[string]string{"canary": fmt.Sprintf("tried on %d %% of new calls", e.Share), "share": fmt.Sprintf("tried on %d %%", e.Share),
		"promoted": "promoted to all", "abandoned": "abandoned"}[e.Event]
	text := momentWords(&e.At) + ": " + what + " by " + e.By
	if e.Comment != "" {
		text += " (" + e.Comment + ")"
	}
	return text
}
