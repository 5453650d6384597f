package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	rest "tandem/provisioning/client"
	"tandem/provisioning/plan"
)

// differs is the exit code of a plan with changes, as diff has 1 and terraform 2: 1 is for what failed.
const differs exitCode = 2

// planWait bounds a plan and its carrying out. The API itself answers sooner.
const planWait = 3 * time.Minute

// exportCommand gives a tenant as a file.
type exportCommand struct {
	client
	Tenant string `arg:"" help:"The tenant's id."`
	Drafts bool   `help:"The drafts, instead of what is published."`
	Format string `default:"yaml" enum:"yaml,json" help:"yaml or json."`
}

// Run exports.
func (c *exportCommand) Run(ctx context.Context) error {
	params := rest.ExportTenantParams{Format: rest.ExportTenantParamsFormat(c.Format), Version: map[bool]rest.ExportTenantParamsVersion{true: "draft", false: "live"}[c.Drafts]}
	answer, err := c.planning().ExportTenant(ctx, c.Tenant, params)
	if err != nil {
		return c.refused(err)
	}
	_, err = os.Stdout.Write(answer.Body)
	return err
}

// planCommand says what a file would change.
type planCommand struct {
	client
	File   string `arg:"" help:"The file, YAML or JSON; - reads it from the standard input."`
	Tenant string `help:"The tenant's id; without it, the one that the file names."`
	Out    string `help:"Keep the plan in this file, for tandem apply: it is refused when the tenant has changed since." type:"path"`
}

// Run plans. The exit code is 2 when something would change.
func (c *planCommand) Run(ctx context.Context) error {
	file, err := readFileArgument(c.File)
	if err != nil {
		return err
	}
	s := savedPlan{Tenant: c.Tenant, File: string(file)}
	if err := s.named(file); err != nil {
		return err
	}
	p, err := s.plan(ctx, c.client)
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := s.save(c.Out); err != nil {
			return err
		}
	}
	if !c.JSON {
		printPlan(p, s.Tenant)
	}
	if len(p.Changes) > 0 {
		return differs
	}
	return nil
}

// applyCommand makes a tenant what a file says.
type applyCommand struct {
	client
	File          string `arg:"" help:"The file, or a plan that tandem plan --out has kept."`
	Tenant        string `help:"The tenant's id; without it, the one that the file names."`
	Yes           bool   `short:"y" help:"Do not ask."`
	Again         bool   `help:"Apply it although the tenant has changed since the plan was made."`
	ReplaceDrafts bool   `help:"Drafts that are not published may be lost."`
	Comment       string `help:"Is kept with the version."`
}

// Run applies.
func (c *applyCommand) Run(ctx context.Context) error {
	file, err := readFileArgument(c.File)
	if err != nil {
		return err
	}
	s, kept := readSaved(file)
	if !kept {
		s = savedPlan{Tenant: c.Tenant, File: string(file)}
		if err := s.named(file); err != nil {
			return err
		}
		quiet := c.client
		quiet.JSON = false
		p, err := s.plan(ctx, quiet)
		if err != nil {
			return err
		}
		if !c.JSON {
			printPlan(p, s.Tenant)
		}
		if len(p.Changes) == 0 && !c.JSON {
			return nil
		}
		if err := c.agreed(); err != nil {
			return err
		}
	}
	return c.apply(ctx, s)
}

// agreed asks whoever sits at the terminal.
func (c *applyCommand) agreed() error {
	if c.Yes || c.JSON {
		return nil
	}
	nobody := errors.New("nobody can be asked here: say --yes, or apply a plan that was kept with tandem plan --out")
	if info, err := os.Stdin.Stat(); c.File == "-" || err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nobody
	}
	fmt.Print("Apply this? [y/N] ")
	answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		fmt.Println()
		return nobody
	}
	if word := strings.ToLower(strings.TrimSpace(answer)); word != "y" && word != "yes" {
		return errors.New("nothing was changed")
	}
	return nil
}

func (c *applyCommand) apply(ctx context.Context, s savedPlan) error {
	params := rest.ApplyTenantParams{Again: c.Again, Comment: c.Comment}
	if !c.Again {
		params.IfMatch = `"` + s.MadeOf + `"`
	}
	if c.ReplaceDrafts {
		params.Drafts = "replace"
	}
	answer, err := c.planning().ApplyTenant(ctx, s.Tenant, params, []byte(s.File))
	if done, err := told(c.client, answer, err); done {
		return err
	}
	printApplied(answer.Body)
	return nil
}

// planning is the client for what takes as long as a plan.
func (c client) planning() *rest.Client {
	api := c.api()
	api.Wait = planWait
	return api
}

// printPlan says what has to change.
func printPlan(p rest.PlanBody, tenant string) {
	if len(p.Changes) == 0 {
		fmt.Printf("Tenant %s is as the file says.\n", plain(tenant))
	} else {
		fmt.Printf("For tenant %s to be as the file says, tandem apply:\n", plain(tenant))
		for _, line := range p.Summary {
			fmt.Println("  " + plain(line))
		}
		fmt.Println("In this order:")
		for _, change := range p.Changes {
			fmt.Println("  " + plain(change.Words))
		}
	}
	if len(p.Waiting) > 0 {
		fmt.Println("There are drafts that are not published. Publish them, or say --replace-drafts, before flows, schedules, lists, routes or blocked callers change:")
		for _, change := range p.Waiting {
			fmt.Println("  " + plain(change.Words))
		}
	}
}

// printApplied says what came of it.
func printApplied(a rest.AppliedBody) {
	switch n := len(a.Changes); {
	case n == 0:
		fmt.Println("Nothing had to be done.")
	case n == 1:
		fmt.Println("Applied: 1 change.")
	default:
		fmt.Printf("Applied: %d changes.\n", n)
	}
	if a.Published > 0 {
		fmt.Printf("Version %d is published.\n", a.Published)
	}
	if len(a.Passwords)+len(a.Pins)+len(a.Phones) > 0 {
		fmt.Println("These are shown now and never again:")
	}
	for _, p := range a.Passwords {
		fmt.Printf("  device %s: user name %s, password %s\n", plain(p.Device), plain(p.Username), p.Password)
	}
	for _, p := range a.Phones {
		fmt.Printf("  phone of device %s: %s\n", plain(p.Device), plain(p.URL))
	}
	for _, p := range a.Pins {
		fmt.Printf("  voicemail box of user %s: PIN %s\n", plain(p.User), p.Pin)
	}
}

// savedPlan is a plan that was kept: the file, and what it was made of.
type savedPlan struct {
	Plan   int    `json:"tandem_plan"` // version of the form
	Tenant string `json:"tenant"`
	MadeOf string `json:"made_of"`
	File   string `json:"file"`
}

const planForm = 1

// named finds the tenant that a file is of. What is wrong with the file is told here, without asking anybody.
func (s *savedPlan) named(file []byte) error {
	d, err := plan.Read(file)
	if err != nil {
		return err
	}
	if s.Tenant = cmp.Or(s.Tenant, d.Tenant); s.Tenant == "" {
		return errors.New("the file names no tenant: say --tenant")
	}
	return nil
}

// plan asks what would change, and keeps what that was made of.
func (s *savedPlan) plan(ctx context.Context, c client) (p rest.PlanBody, err error) {
	answer, err := c.planning().PlanTenant(ctx, s.Tenant, []byte(s.File))
	if err != nil {
		return p, c.refused(err)
	}
	s.MadeOf = answer.Body.MadeOf
	if c.JSON {
		err = printJSON(answer.Raw)
	}
	return answer.Body, err
}

func (s *savedPlan) save(path string) error {
	s.Plan = planForm
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	const ownersAlone = 0o600
	return os.WriteFile(path, append(text, '\n'), ownersAlone)
}

// readSaved reads a plan that was kept, if it is one.
func readSaved(file []byte) (s savedPlan, kept bool) {
	err := json.Unmarshal(file, &s)
	return s, err == nil && s.Plan == planForm && s.Tenant != "" && s.MadeOf != ""
}

// readFileArgument reads a file within the bounds, or the standard input.
func readFileArgument(path string) ([]byte, error) {
	in := os.Stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	const most = 2*plan.MaxBytes + 1 // a plan that was kept has the file as a text
	return io.ReadAll(io.LimitReader(in, most))
}

func printJSON(text []byte) error {
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, text, "", "  "); err != nil {
		return err
	}
	_, err := fmt.Println(pretty.String())
	return err
}
