package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tandem/because"
	"tandem/callflows"
	"tandem/directory"
	"tandem/explain"
	"tandem/messages"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/provisioning/api"
	"tandem/routing"
	"tandem/tenants"
)

// Bounds of what may be asked.
const (
	dryRunBody     = 4096 // bytes
	maxDryRunKeyed = 64   // prompts at which something is keyed
	maxDryRunText  = 256  // bytes of a number or name
)

// dryRunAsked asks what would happen to a call.
type dryRunAsked struct {
	From          string     `json:"from" doc:"user@domain of one of the tenant's devices, or the number of somebody outside."`
	To            string     `json:"to" doc:"What is dialled."`
	At            *time.Time `json:"at,omitempty" doc:"When; now unless given."`
	Digits        []string   `json:"digits,omitempty" doc:"What the caller keys at each prompt, in turn; an empty text: nothing."`
	NobodyAnswers bool       `json:"nobody_answers,omitempty" doc:"Every phone rings out. Otherwise the first that rings answers."`
	Draft         bool       `json:"draft,omitempty" doc:"Under the drafts. Otherwise as new calls go now."`
}

// againAsked asks what would happen to a call that was made, if it were made now.
type againAsked struct {
	NobodyAnswers bool `json:"nobody_answers,omitempty"`
	Draft         bool `json:"draft,omitempty"`
}

// dryRunOperations are the questions about calls that nobody makes: they change nothing and reach nobody.
func (w *worker) dryRunOperations(a *api.API, words because.Catalog) {
	tags := []string{"calls"}
	api.AddHandler[dryRunAsked, explain.Explanation](a, api.CallsRead, huma.Operation{OperationID: "dry-run-call", Method: "POST", Path: "/v1/tenants/{tenant}/dry-run",
		Summary: "What would happen to a call?", Description: "Decided by the functions that decide real calls, with the registrations and media nodes as they are. Nothing is sent anywhere.", Tags: tags},
		func(c *gin.Context) { w.dryRunAPI(c, words) })
	api.AddHandler[againAsked, explain.Explanation](a, api.CallsRead, huma.Operation{OperationID: "try-call-again", Method: "POST", Path: "/v1/calls/{call}/again",
		Summary: "What would happen to a call if it were made again now?", Description: "Asked as it came, with what its caller keyed. Nothing is sent anywhere.", Tags: tags,
		Parameters: []*huma.Param{api.Parameter("path", "call", "", "Tandem's id of the call, or its SIP Call-ID.")}},
		func(c *gin.Context) { w.againAPI(c, words) })
}

// dryRunAPI answers what would happen to a call of a tenant's.
func (w *worker) dryRunAPI(c *gin.Context, words because.Catalog) {
	var asked dryRunAsked
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, dryRunBody)
	if err := c.ShouldBindJSON(&asked); err != nil || asked.From == "" || asked.To == "" || len(asked.From) > maxDryRunText || len(asked.To) > maxDryRunText || len(asked.Digits) > maxDryRunKeyed {
		problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"from": "101@ada.example.com", "to": "102"}, with at, digits, nobody_answers and draft besides.`)
		return
	}
	q := explain.Question{From: asked.From, To: asked.To, Digits: asked.Digits, NobodyAnswers: asked.NobodyAnswers, At: time.Now().UTC()}
	if asked.At != nil {
		q.At = asked.At.UTC()
	}
	w.dryRun(c, words, q, c.Param("tenant"), asked.Draft)
}

// againAPI answers what would happen to a call that was made.
func (w *worker) againAPI(c *gin.Context, words because.Catalog) {
	var asked againAsked
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, dryRunBody)
	if err := c.ShouldBindJSON(&asked); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"draft": true}, or {}.`)
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestWait)
	defer cancel()
	call, err := w.store.Call(ctx, c.Param("call"))
	if err == nil && !w.seesCall(ctx, call.Tenant) {
		err = postgres.ErrNotFound
	}
	var entries []messages.JournalEntry
	if err == nil {
		entries, err = w.store.JournalOf(ctx, call.Call)
	}
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		callMissing(c)
		return
	case err != nil:
		w.log.ErrorContext(ctx, "a call could not be read", slog.Any("error", err))
		problem(c, http.StatusServiceUnavailable, "journal_away", "The journal cannot be read at the moment. Try again shortly.")
		return
	}
	q := explain.Question{NobodyAnswers: asked.NobodyAnswers, At: time.Now().UTC()}
	if !asAsked(&q, entries) {
		problem(c, http.StatusConflict, "journal_incomplete", "The journal does not hold how this call came, so it cannot be asked again as it was.")
		return
	}
	w.dryRun(c, words, q, call.Tenant, asked.Draft)
}

// asAsked makes the question of a call's journal: how it came, and what its caller keyed.
func asAsked(q *explain.Question, entries []messages.JournalEntry) (ok bool) {
	for _, e := range entries {
		switch e.Source {
		case messages.SourceRouting:
			if in, err := routing.ReadJournal(e); err == nil && q.Request == nil {
				q.Request, ok = &in.Request, true
			}
		case messages.SourceCallflow:
			var event callflows.Event
			if json.Unmarshal(e.Input, &event) == nil && event.Kind == callflows.DigitsCollected && len(q.Digits) < maxDryRunKeyed {
				q.Digits = append(q.Digits, event.Digits)
			}
		}
	}
	return ok
}

// errOtherTenant says that a question leads to a tenant that it was not asked of.
var errOtherTenant = errors.New("the call would be another tenant's")

// dryRun answers a question of a tenant's, under what is live or under the drafts.
func (w *worker) dryRun(c *gin.Context, words because.Catalog, q explain.Question, tenant string, draft bool) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestWait)
	defer cancel()
	x, err := w.answerDryRun(ctx, words, q, tenant, draft)
	var refused *provisioning.Error
	switch {
	case errors.As(err, &refused):
		refusedProblem(c, refused)
	case errors.Is(err, errOtherTenant):
		problem(c, http.StatusUnprocessableEntity, "not_this_tenants", "This call would not be one of this tenant's: name one of its devices, or one of its numbers as what is dialled.")
	case errors.Is(err, errNoTenant):
		problem(c, http.StatusNotFound, "tenant_unknown", "There is no such tenant.")
	case err != nil:
		w.log.ErrorContext(ctx, "a dry run failed", slog.String("tenant_id", tenant), slog.Any("error", err))
		problem(c, http.StatusServiceUnavailable, "postgresql_away", "The drafts cannot be read at the moment. Try again shortly.")
	default:
		c.JSON(http.StatusOK, x)
	}
}

func (w *worker) answerDryRun(ctx context.Context, words because.Catalog, q explain.Question, tenant string, draft bool) (x explain.Explanation, err error) {
	snapshot := w.source.Current()
	if draft {
		if snapshot, err = w.draftOf(ctx, tenant); err != nil {
			return x, err
		}
	}
	q.Facts = routing.Facts{Nodes: w.facts.routable(q.At), TenantCalls: w.facts.calls.CountOthers(tenant, "", q.At),
		Above: w.facts.countAbove(snapshot, tenant, "", q.At)}
	var trunks []string
	for _, t := range snapshot.Trunks() {
		trunks = append(trunks, t.ID)
	}
	q.Out = w.facts.out.Count("", tenant, trunks, time.Now())
	q.Contacts = registeredAt(&w.facts.registrations, snapshot.Tenant(tenant))
	x = explain.DryRun(words, snapshot, q)
	if x.Tenant != "" && x.Tenant != tenant { // another's flow is none of the asker's business
		return explain.Explanation{}, errOtherTenant
	}
	return x, nil
}

// draftOf is the platform as a tenant would have it with its drafts published.
func (w *worker) draftOf(ctx context.Context, tenant string) (*tenants.Snapshot, error) {
	document, err := (&provisioning.Service{Store: w.store}).Preview(ctx, tenant)
	if err != nil {
		return nil, err
	}
	versions, err := newTenantVersions(ctx, w.store, tenant)
	if err != nil {
		return nil, err
	}
	document.Version = cmp.Or(document.Version, versions.platform.Tenants[0].Published.Version)
	return versions.with("the draft", document), nil
}

// registeredAt lists the contacts of a tenant's devices.
func registeredAt(r *directory.Registrations, t *tenants.Tenant) map[string][]callflows.Contact {
	contacts := map[string][]callflows.Contact{}
	if t == nil {
		return contacts
	}
	now := time.Now()
	for _, d := range t.AllDevices() {
		for _, c := range r.Contacts(d.Username, t.Domain, now) {
			contacts[d.ID] = append(contacts[d.ID], callflows.Contact{Device: d.ID, URI: c.URI, Edge: c.EdgeURI})
		}
	}
	return contacts
}
