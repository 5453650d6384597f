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
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

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
	query := url.Values{"format": {c.Format}, "version": {map[bool]string{true: "draft", false: "live"}[c.Drafts]}}
	file, err := c.sendFile(ctx, http.MethodGet, "/v1/tenants/"+url.PathEscape(c.Tenant)+"/export?"+query.Encode(), nil, "")
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(file)
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
		p.print(s.Tenant)
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
			p.print(s.Tenant)
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
	query := url.Values{}
	tag := `"` + s.MadeOf + `"`
	if c.Again {
		query.Set("again", "true")
		tag = ""
	}
	if c.ReplaceDrafts {
		query.Set("drafts", "replace")
	}
	if c.Comment != "" {
		query.Set("comment", c.Comment)
	}
	answer, err := c.sendFile(ctx, http.MethodPost, s.path("apply")+"?"+query.Encode(), []byte(s.File), tag)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(answer)
	}
	var done appliedView
	if err := json.Unmarshal(answer, &done); err != nil {
		return err
	}
	done.print()
	return nil
}

// planView is a plan as the API tells it.
type planView struct {
	MadeOf  string     `json:"made_of"`
	Summary []string   `json:"summary"`
	Changes []planLine `json:"changes"`
	Waiting []planLine `json:"waiting"`
}

type planLine struct {
	Path  string `json:"path"`
	Words string `json:"words"`
}

func (p planView) print(tenant string) {
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

// appliedView is what came of a plan.
type appliedView struct {
	planView
	Published int64
	Passwords []struct{ Device, Username, Password string }
	PINs      []struct{ User, PIN string }
}

func (a appliedView) print() {
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
	if len(a.Passwords)+len(a.PINs) > 0 {
		fmt.Println("These are shown now and never again:")
	}
	for _, p := range a.Passwords {
		fmt.Printf("  device %s: user name %s, password %s\n", plain(p.Device), plain(p.Username), p.Password)
	}
	for _, p := range a.PINs {
		fmt.Printf("  voicemail box of user %s: PIN %s\n", plain(p.User), p.PIN)
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

func (s *savedPlan) path(what string) string {
	return "/v1/tenants/" + url.PathEscape(s.Tenant) + "/" + what
}

// plan asks what would change, and keeps what that was made of.
func (s *savedPlan) plan(ctx context.Context, c client) (p planView, err error) {
	answer, err := c.sendFile(ctx, http.MethodPost, s.path("plan"), []byte(s.File), "")
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(answer, &p); err != nil {
		return p, err
	}
	s.MadeOf = p.MadeOf
	if c.JSON {
		err = printJSON(answer)
	}
	return p, err
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

// fileRefusal is a refusal that tells places in a file.
type fileRefusal struct {
	refusal
	Errors []struct{ Message string } `json:"errors"`
}

func (r *fileRefusal) Error() string {
	if len(r.Errors) == 0 {
		return r.refusal.Error()
	}
	lines := []string{"the file cannot be taken (" + r.Code + "):"}
	for _, e := range r.Errors {
		lines = append(lines, plain(e.Message))
	}
	return strings.Join(lines, "\n  ")
}

// sendFile sends a file as it is, and gives what is answered as it is.
func (c client) sendFile(ctx context.Context, method, path string, file []byte, ifMatch string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, planWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.API, "/")+path, bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("--api: %w", err)
	}
	request.Header.Set("Content-Type", "application/yaml")
	if secret := c.secret(); secret != "" {
		request.Header.Set("Authorization", "Bearer "+secret)
	}
	if ifMatch != "" {
		request.Header.Set("If-Match", ifMatch)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("no worker answers at %s (name one with --api or TANDEM_API): %w", c.API, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if response.StatusCode < http.StatusBadRequest {
		return answer, nil
	}
	no := &fileRefusal{}
	if json.Unmarshal(answer, no) != nil || no.Code == "" {
		return nil, fmt.Errorf("%s answers %s", c.API, response.Status)
	}
	if c.JSON {
		_, _ = os.Stdout.Write(append(answer, '\n'))
	}
	return nil, no
}
