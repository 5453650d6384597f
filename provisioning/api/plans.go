package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tandem/provisioning"
	"tandem/provisioning/plan"
	"tandem/versions"
)

// planWait bounds a plan and its carrying out: nobody else changes the tenant's configuration meanwhile.
const planWait = 2 * time.Minute

// The types of files.
const (
	typeYAML = "application/yaml" // RFC 9512
	typeJSON = "application/json"
)

// fileInput is a tenant as a file.
type fileInput struct {
	RawBody []byte `contentType:"application/yaml"`
}

// planChange is one change, in words.
type planChange struct {
	Path    string `json:"path" example:"/users/ada" doc:"JSON pointer into the file, by ids."`
	Section string `json:"section,omitempty" example:"users"`
	Action  string `json:"action,omitempty" enum:"add,change,remove"`
	Words   string `json:"words" example:"Adds user ada (extension 101)."`
}

// PlanBody is what has to change.
type PlanBody struct {
	MadeOf  string       `json:"made_of" doc:"Names the tenant as it was when the plan was made; it is the ETag, too."`
	Summary []string     `json:"summary" nullable:"false" doc:"In short, by sections."`
	Changes []planChange `json:"changes" nullable:"false" doc:"In the order in which they are carried out; none: the tenant is as the file says."`
	Waiting []planChange `json:"waiting" nullable:"false" doc:"Drafts that are not published. A plan that changes flows, schedules, lists, routes or blocked callers is refused because of them, unless they may be replaced."`
}

// appliedBody is what came of it.
type appliedBody struct {
	PlanBody
	Published int64                      `json:"published,omitempty" doc:"The version that was published; absent: nothing that is versioned has changed."`
	Passwords []provisioning.NewPassword `json:"passwords" nullable:"false" doc:"Of new devices, and of those with a new user name. They are not shown again."`
	Phones    []provisioning.NewPhoneURL `json:"phones" nullable:"false" doc:"The URLs of new phones. They are not shown again."`
	PINs      []provisioning.NewPIN      `json:"pins" nullable:"false" doc:"Of voicemail boxes that had none. They are not shown again."`
}

// plans export a tenant as a file, and make it what a file says.
func (a *API) plans() {
	tags, base := []string{"plans"}, "/v1/tenants/{tenant}"
	Add(a, PlansRead, huma.Operation{OperationID: "export-tenant", Method: http.MethodGet, Path: base + "/export", Summary: "Show a tenant as a file", Tags: tags,
		Description: "The file plans to nothing as long as the tenant stays as it is. It holds no secrets.",
		Responses:   map[string]*huma.Response{"200": {Description: "The file", Content: map[string]*huma.MediaType{typeYAML: {Schema: &huma.Schema{Type: huma.TypeString}}}}}}, a.exportTenant)
	Add(a, PlansRead, huma.Operation{OperationID: "plan-tenant", Method: http.MethodPost, Path: base + "/plan", Summary: "Say what has to change for a tenant to be as a file says", Tags: tags,
		Description: "Nothing is changed. The body is YAML or JSON; a section that is left out is left alone, an empty one removes all in it.", MaxBodyBytes: plan.MaxBytes}, a.planTenant)
	Add(a, PlansWrite, huma.Operation{OperationID: "apply-tenant", Method: http.MethodPost, Path: base + "/apply", Summary: "Make a tenant what a file says", Tags: tags,
		Description: "All of it is done, in one version, or nothing. If-Match names the tenant as the plan was made of it; limits are for those above the tenant to change.",
		Errors:      []int{http.StatusPreconditionRequired}, MaxBodyBytes: plan.MaxBytes}, a.applyTenant)
}

func (a *API) exportTenant(ctx context.Context, in *struct {
	Version string `query:"version" enum:"live,draft" default:"live" doc:"What is published, or the drafts instead."`
	Format  string `query:"format" enum:"yaml,json" default:"yaml"`
}) (*struct {
	ContentType string `header:"Content-Type"`
	ETag        string `header:"ETag" doc:"Names the tenant as it is: send it in If-Match when the file is applied."`
	Body        []byte
}, error) {
	e, err := a.Service.Export(ctx, TenantOf(ctx), in.Version)
	if err != nil {
		return nil, err
	}
	file, kind := []byte(nil), typeYAML
	if in.Format == "json" {
		kind = typeJSON
		file, err = json.MarshalIndent(e.Document, "", "  ")
	} else {
		file, err = e.Document.Write(exportComment(e))
	}
	if err != nil {
		return nil, err
	}
	return &struct {
		ContentType string `header:"Content-Type"`
		ETag        string `header:"ETag" doc:"Names the tenant as it is: send it in If-Match when the file is applied."`
		Body        []byte
	}{kind, quoted(e.MadeOf), file}, nil
}

func exportComment(e provisioning.Exported) string {
	comment := "A tenant of Tandem's. A section that is left out is left alone; an empty one ([]) removes all in it."
	if len(e.Waiting) > 0 {
		comment += "\nThere are drafts that are not published, and not in this file."
	}
	return comment
}

func quoted(tag string) string { return `"` + tag + `"` }

func readFile(file []byte) (plan.Document, error) {
	d, err := plan.Read(file)
	var refused *plan.Refused
	if !errors.As(err, &refused) {
		return d, err
	}
	p := &Problem{Status: http.StatusUnprocessableEntity, Title: http.StatusText(http.StatusUnprocessableEntity), Code: "file_unreadable"}
	for _, f := range refused.Faults {
		p.Errors = append(p.Errors, Fault{Location: f.Path, Message: f.String()})
	}
	p.Field, p.Detail = refused.Faults[0].Path, sentence(refused.Faults[0].String())
	return d, p
}

func (a *API) planTenant(ctx context.Context, in *fileInput) (*struct {
	ETag string `header:"ETag"`
	Body PlanBody
}, error) {
	wanted, err := readFile(in.RawBody)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, planWait)
	defer cancel()
	p, err := a.Service.Plan(ctx, TenantOf(ctx), wanted)
	if err != nil {
		return nil, err
	}
	return &struct {
		ETag string `header:"ETag"`
		Body PlanBody
	}{quoted(p.MadeOf), planBodyOf(p)}, nil
}

func planBodyOf(p provisioning.Planned) PlanBody {
	b := PlanBody{MadeOf: p.MadeOf, Summary: append([]string{}, p.Summary...), Changes: []planChange{}, Waiting: waiting(p.Waiting)}
	for _, c := range p.Changes {
		b.Changes = append(b.Changes, planChange{Path: c.Path, Section: c.Section, Action: c.Action, Words: c.Words()})
	}
	return b
}

func waiting(all []versions.Change) []planChange {
	out := []planChange{}
	for _, c := range all {
		out = append(out, planChange{Path: c.Path, Words: c.Words()})
	}
	return out
}

func (a *API) applyTenant(ctx context.Context, in *struct {
	fileInput
	IfMatch string `header:"If-Match" maxLength:"128" doc:"ETag of the plan. It is needed, unless again is true."`
	Again   bool   `query:"again" doc:"Apply the file whatever has changed since."`
	Drafts  string `query:"drafts" enum:"replace" doc:"replace: drafts that are not published may be lost."`
	Comment string `query:"comment" maxLength:"4096" doc:"Is kept with the version."`
}) (*struct{ Body appliedBody }, error) {
	if in.IfMatch == "" && !in.Again {
		return nil, Refuse(http.StatusPreconditionRequired, "plan_first", "Send the ETag of the plan in If-Match, or again=true.")
	}
	wanted, err := readFile(in.RawBody)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, planWait)
	defer cancel()
	caller := CallerOf(ctx)
	done, err := a.Service.Apply(ctx, TenantOf(ctx), provisioning.Apply{Wanted: wanted, MadeOf: strings.Trim(in.IfMatch, `"`), Again: in.Again, By: caller.Actor,
		Comment: in.Comment, Drafts: in.Drafts, May: func(changes []plan.Change) error { return mayPlan(caller, changes) }})
	if err != nil {
		return nil, err
	}
	return &struct{ Body appliedBody }{appliedBody{PlanBody: planBodyOf(done.Planned), Published: done.Published,
		Passwords: append([]provisioning.NewPassword{}, done.Passwords...), PINs: append([]provisioning.NewPIN{}, done.PINs...), Phones: append([]provisioning.NewPhoneURL{}, done.Phones...)}}, nil
}

// mayPlan keeps limits for those above a tenant.
func mayPlan(caller Caller, changes []plan.Change) error {
	for _, c := range changes {
		if !limits(c.Path) {
			continue
		}
		if caller.Home != "" && caller.Home == caller.About {
			return Refuse(http.StatusForbidden, "own_tenant", "The plan changes limits, at "+c.Path+": they are for those above the tenant to change. Leave them out of the file.")
		}
		if !caller.May(TenantsWrite) {
			return Refuse(http.StatusForbidden, "scope_missing", "The plan changes limits, at "+c.Path+": this needs the scope "+string(TenantsWrite)+" besides.")
		}
	}
	return nil
}

// limits says whether a path is of what a tenant may do, rather than of what it wants.
func limits(path string) bool {
	switch path {
	case "/settings/max_calls", "/settings/max_calls_per_second":
		return true
	}
	return strings.HasPrefix(path, "/settings/calling_out") && path != "/settings/calling_out/withheld"
}
