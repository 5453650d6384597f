package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	rest "tandem/provisioning/client"
)

// versionCommands manage the versions of a tenant's configuration.
type versionCommands struct {
	List     versionListCommand     `cmd:"" help:"List a tenant's versions, the newest first."`
	Show     versionShowCommand     `cmd:"" help:"Show what one version, or the drafts, consists of."`
	Diff     versionDiffCommand     `cmd:"" help:"Say in words what differs between two versions, or what publishing the drafts would change."`
	Publish  versionPublishCommand  `cmd:"" help:"Make the drafts the next version. New calls follow it within a second."`
	RollBack versionRollBackCommand `cmd:"" name:"rollback" help:"Publish an old version again, as a new one."`
	Canary   versionCanaryCommand   `cmd:"" help:"Try the drafts on a share of new calls before all get them, or change that share."`
	Promote  versionPromoteCommand  `cmd:"" help:"Give the version that is tried to all new calls."`
	Abandon  versionAbandonCommand  `cmd:"" help:"Give the version that is tried to no new calls any more."`
}

// versionListCommand lists versions.
type versionListCommand struct {
	client
	Tenant string `arg:"" help:"The tenant's id."`
	Limit  int    `default:"20" help:"At most so many."`
	Before int64  `help:"Those before this version."`
	// Outcomes has the ledger read, so it is not done unasked.
	Outcomes string `help:"Count what the calls of each version came to, for so long back, such as 1h; at most 24h."`
}

// Run lists.
func (c *versionListCommand) Run(ctx context.Context) error {
	head := "VERSION STATE PUBLISHED BY COMMENT"
	if c.Outcomes != "" {
		head = "VERSION STATE CALLS ANSWERED FAILED PUBLISHED BY COMMENT"
	}
	page, err := c.api().ListVersions(ctx, c.Tenant, rest.ListVersionsParams{Limit: int64(c.Limit), Before: c.Before, Outcomes: c.Outcomes})
	if done, err := told(c.client, page, err); done {
		return err
	}
	answer := page.Body
	if len(answer.Versions) == 0 {
		fmt.Println("Nothing was published.")
		return nil
	}
	var rows [][]string
	for _, v := range answer.Versions {
		row := []string{count(v.Version), versionState(v)}
		if o := v.Outcome; o != nil {
			row = append(row, count(o.Calls), count(o.Answered), count(o.Failed))
		}
		rows = append(rows, append(row, momentWords(v.PublishedAt), v.PublishedBy, v.Comment))
	}
	if err := table(head, rows); err != nil || !answer.More {
		return err
	}
	fmt.Printf("and more: --before %d\n", answer.Versions[len(answer.Versions)-1].Version)
	return nil
}

func momentWords(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// versionShowCommand shows one.
type versionShowCommand struct {
	client
	Tenant  string `arg:"" help:"The tenant's id."`
	Version string `arg:"" default:"live" help:"Its number, live or draft."`
}

// Run shows.
func (c *versionShowCommand) Run(ctx context.Context) error {
	answer, err := c.api().GetVersion(ctx, c.Tenant, c.Version)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	v := answer.Body
	fmt.Printf("%s of tenant %s.\n", versionTitle(v), plain(c.Tenant))
	for _, l := range [][2]string{{"published", clockWords(v.PublishedAt)}, {"by", v.PublishedBy}, {"comment", v.Comment}, {"refused", v.Refused}} {
		if l[1] != "" {
			fmt.Printf("  %-10s %s\n", l[0], plain(l[1]))
		}
	}
	for _, e := range v.Events {
		fmt.Printf("  %-10s %s\n", "trial", plain(eventWords(e)))
	}
	d := orZero(v.Document)
	var rows [][]string
	for _, f := range d.Flows {
		rows = append(rows, []string{"flow", f.ID, f.Name, howMany(len(f.Elements), "element", "elements")})
	}
	for _, s := range d.Schedules {
		rows = append(rows, []string{"schedule", s.ID, s.Name, howMany(len(s.Dates), "date of its own", "dates of their own")})
	}
	for _, l := range d.Lists {
		rows = append(rows, []string{"list", l.ID, l.Name, howMany(len(l.Entries), "entry", "entries")})
	}
	for _, r := range d.Routes {
		what := "leads to " + r.FlowID
		if r.Prefix {
			what = "and what begins with it " + what
		}
		rows = append(rows, []string{"route", r.Dialled, "", what})
	}
	for _, caller := range d.BlockedCallers {
		rows = append(rows, []string{"blocked", caller, "", ""})
	}
	if len(rows) == 0 {
		fmt.Println("There is nothing in it.")
		return nil
	}
	fmt.Println()
	return table("KIND ID NAME WHAT", rows)
}

func howMany(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// versionTitle names a version at the head of a sentence.
func versionTitle(v rest.VersionView) string {
	switch {
	case v.Draft:
		return "The drafts"
	case v.Version == 0:
		return "Nothing, since nothing was published,"
	case v.Live:
		return fmt.Sprintf("Version %d (live)", v.Version)
	case v.Share > 0:
		return fmt.Sprintf("Version %d (canary, %d %% of new calls)", v.Version, v.Share)
	}
	return fmt.Sprintf("Version %d", v.Version)
}

// versionDiffCommand compares two.
type versionDiffCommand struct {
	client
	Tenant string `arg:"" help:"The tenant's id."`
	From   string `arg:"" default:"live" help:"A version's number, live or draft."`
	To     string `arg:"" default:"draft" help:"The same."`
}

// Run compares.
func (c *versionDiffCommand) Run(ctx context.Context) error {
	diff, err := c.api().CompareVersions(ctx, c.Tenant, c.From, rest.CompareVersionsParams{To: c.To})
	if done, err := told(c.client, diff, err); done {
		return err
	}
	answer := diff.Body
	fmt.Printf("%s -> %s: %s\n", versionTitle(answer.From), versionTitle(answer.To), changedWords(answer.Changes))
	printChanges(answer.Changes)
	if answer.To.Refused != "" {
		fmt.Printf("These drafts cannot be published: %s\n", plain(answer.To.Refused))
	}
	return nil
}

func changedWords(changes []rest.ChangeView) string {
	if len(changes) == 0 {
		return "nothing differs."
	}
	return howMany(len(changes), "change", "changes") + "."
}

func printChanges(changes []rest.ChangeView) {
	for _, c := range changes {
		fmt.Printf("  - %s\n", plain(c.Words))
	}
}

// versionPublishCommand publishes the drafts.
type versionPublishCommand struct {
	client
	Tenant  string `arg:"" help:"The tenant's id."`
	By      string `env:"USER" default:"an operator" help:"Who publishes: it is kept with the version."`
	Comment string `help:"What and why: it is kept with the version."`
}

// Run publishes.
func (c *versionPublishCommand) Run(ctx context.Context) error {
	published, err := c.api().Publish(ctx, c.Tenant, rest.PublishBody{By: c.By, Comment: c.Comment})
	if done, err := told(c.client, published, err); done {
		return err
	}
	answer := published.Body
	if answer.Same {
		fmt.Printf("The drafts are version %d, which runs already. Nothing was published.\n", answer.Version)
		return nil
	}
	fmt.Printf("Version %d is published: %s\n", answer.Version, changedWords(answer.Changes))
	printChanges(answer.Changes)
	return nil
}

// versionRollBackCommand publishes an old version again.
type versionRollBackCommand struct {
	client
	Tenant  string `arg:"" help:"The tenant's id."`
	Version int64  `arg:"" help:"The version to go back to."`
	By      string `env:"USER" default:"an operator" help:"Who rolls back: it is kept with the new version."`
	Comment string `help:"Why: it is kept with the new version."`
	Drafts  string `enum:",keep,replace" default:"" help:"keep the drafts, or replace them by the old version. Unless given, they are replaced if nothing in them waits to be published."`
}

// Run rolls back.
func (c *versionRollBackCommand) Run(ctx context.Context) error {
	published, err := c.api().RollBack(ctx, c.Tenant, count(c.Version), rest.RollBack{By: c.By, Comment: c.Comment, Drafts: c.Drafts})
	if done, err := told(c.client, published, err); done {
		return err
	}
	answer := published.Body
	if answer.Same {
		fmt.Printf("What version %d says runs already, as version %d. Nothing was published.\n", c.Version, answer.Version)
	} else {
		fmt.Printf("Version %d is published again as version %d: %s\n", c.Version, answer.Version, changedWords(answer.Changes))
		printChanges(answer.Changes)
	}
	if answer.Abandoned != 0 {
		fmt.Printf("Version %d, which was being tried, is abandoned.\n", answer.Abandoned)
	}
	if len(answer.Adapted) > 0 {
		fmt.Printf("It is not quite version %d, because users are as they are today:\n", c.Version)
		printChanges(answer.Adapted)
	}
	switch {
	case answer.DraftsReplaced:
		fmt.Printf("The drafts are those of version %d now.\n", c.Version)
	case len(answer.Waiting) > 0:
		fmt.Println("The drafts stay as they were. Publishing them would change:")
		printChanges(answer.Waiting)
	default:
		fmt.Println("The drafts stay as they were, and publishing them would change nothing.")
	}
	return nil
}
