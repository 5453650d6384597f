package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tandem/because"
	"tandem/callflows"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/provisioning/api"
	"tandem/tenants"
	"tandem/versions"
)

// usualVersions is how many versions are listed when nobody says how many.
const usualVersions = 50

// versionView is a version as the API shows it: one that was published, or the drafts as they would be.
type versionView struct {
	Version     int64              `json:"version,omitempty"`
	Draft       bool               `json:"draft,omitempty"`
	PublishedAt *time.Time         `json:"published_at,omitempty"`
	PublishedBy string             `json:"published_by,omitempty"`
	Comment     string             `json:"comment,omitempty"`
	Live        bool               `json:"live"`
	Share       int                `json:"share,omitempty"`   // percent of new calls that get it, while it is tried
	Events      []versionEvent     `json:"events,omitempty"`  // what became of it, if it was tried
	Outcome     *versionOutcome    `json:"outcome,omitempty"` // of the calls that it drove, if that was asked for
	Refused     string             `json:"refused,omitempty"` // why these drafts cannot be published
	Document    *tenants.Published `json:"document,omitempty"`
}

// changeView is a change with its words.
type changeView struct {
	Path   string         `json:"path"`
	Was    string         `json:"was,omitempty"` // the path before, of an element that got another key
	Change because.Reason `json:"change"`
	Words  string         `json:"words"`
}

func viewOfVersion(i postgres.VersionInfo) versionView {
	return versionView{Version: i.Version, PublishedAt: orNone(i.PublishedAt), PublishedBy: i.PublishedBy, Comment: i.Comment, Live: i.Live, Share: i.Share}
}

func viewOfDocument(d provisioning.Document) versionView {
	v := viewOfVersion(d.VersionInfo)
	v.Draft = d.Draft
	if d.Refused != nil {
		v.Refused = strings.TrimSuffix(d.Refused.Error(), ".") + "."
	}
	return v
}

func viewOfChanges(changes []versions.Change) []changeView {
	all := make([]changeView, 0, len(changes))
	for _, c := range changes {
		all = append(all, changeView{Path: c.Path, Was: c.Was, Change: c.Because, Words: c.Words()})
	}
	return all
}

// versionsBody is a list of versions.
type versionsBody struct {
	Versions []versionView `json:"versions" nullable:"false"`
	More     bool          `json:"more"`
}

// diffBody is what differs between two.
type diffBody struct {
	From    versionView  `json:"from"`
	To      versionView  `json:"to"`
	Changes []changeView `json:"changes" nullable:"false"`
}

// publishBody asks for the drafts to be published.
type publishBody struct {
	By      string `json:"by,omitempty" doc:"Who wants it, besides whose key it is."`
	Comment string `json:"comment,omitempty" doc:"What and why."`
}

// publishedBody is what came of publishing.
type publishedBody struct {
	Version        int64        `json:"version"`
	PublishedAt    *time.Time   `json:"published_at,omitempty"`
	Same           bool         `json:"same,omitempty" doc:"The drafts run already: there is no new version."`
	Share          int          `json:"share,omitempty"`
	Was            int          `json:"was,omitempty"`
	Event          string       `json:"event,omitempty"`
	Changes        []changeView `json:"changes" nullable:"false"`
	Adapted        []changeView `json:"adapted,omitempty"`
	DraftsReplaced bool         `json:"drafts_replaced,omitempty"`
	Waiting        []changeView `json:"waiting,omitempty"`
	Abandoned      int64        `json:"abandoned,omitempty"`
}

// versionOperations are what can be done with a tenant's versions.
func (w *worker) versionOperations(a *api.API) {
	tags, base := []string{"versions"}, "/v1/tenants/{tenant}/versions"
	version := api.Parameter("path", "version", "7", "Its number, or live, or draft.")
	outcomes := api.Parameter("query", "outcomes", "1h", "Count what the calls of that long came to.")
	api.AddHandler[api.Nothing, versionsBody](a, api.FlowsRead, huma.Operation{OperationID: "list-versions", Method: "GET", Path: base, Summary: "List a tenant's versions, the newest first", Tags: tags,
		Parameters: []*huma.Param{api.Count("limit", "How many."), api.Count("before", "Those before this number."), outcomes}}, w.versionsAPI)
	api.AddHandler[api.Nothing, versionView](a, api.FlowsRead, huma.Operation{OperationID: "get-version", Method: "GET", Path: base + "/{version}", Summary: "Show a version", Tags: tags, Parameters: []*huma.Param{version}}, w.versionAPI)
	api.AddHandler[api.Nothing, diffBody](a, api.FlowsRead, huma.Operation{OperationID: "compare-versions", Method: "GET", Path: base + "/{version}/diff", Summary: "Say in words what differs between two versions", Tags: tags,
		Parameters: []*huma.Param{version, api.Parameter("query", "to", "draft", "The other; the drafts unless given.")}}, w.diffAPI)
	api.AddHandler[publishBody, publishedBody](a, api.PublishWrite, huma.Operation{OperationID: "publish", Method: "POST", Path: base, Summary: "Make the drafts the version that new calls get", Tags: tags}, w.publishAPI)
	api.AddHandler[provisioning.RollBack, publishedBody](a, api.PublishWrite, huma.Operation{OperationID: "roll-back", Method: "POST", Path: base + "/{version}/rollback", Summary: "Publish an old version again", Tags: tags, Parameters: []*huma.Param{version}}, w.rollBackAPI)
	api.AddHandler[replayAsked, replayReport](a, api.CallsRead, huma.Operation{OperationID: "replay-calls", Method: "POST", Path: "/v1/tenants/{tenant}/replay", Summary: "Which calls would have gone differently?", Tags: tags}, w.replayAPI)
	api.AddHandler[provisioning.Canary, publishedBody](a, api.PublishWrite, huma.Operation{OperationID: "try-drafts", Method: "PUT", Path: "/v1/tenants/{tenant}/canary", Summary: "Give the drafts to a share of new calls", Tags: tags}, w.canaryAPI)
	api.AddHandler[provisioning.Verdict, publishedBody](a, api.PublishWrite, huma.Operation{OperationID: "promote-canary", Method: "POST", Path: "/v1/tenants/{tenant}/canary/promote", Summary: "Give the version that is tried to all new calls", Tags: tags}, w.promoteAPI)
	api.AddHandler[provisioning.Verdict, publishedBody](a, api.PublishWrite, huma.Operation{OperationID: "abandon-canary", Method: "POST", Path: "/v1/tenants/{tenant}/canary/abandon", Summary: "Give it to none any more", Tags: tags}, w.abandonAPI)
}

// versionsAPI lists a tenant's versions, the newest first: limit of them, before one. outcomes asks what the calls of that long came to.
func (w *worker) versionsAPI(c *gin.Context) {
	limit, err := strconv.Atoi(c.DefaultQuery("limit", strconv.Itoa(usualVersions)))
	if err != nil || limit < 1 || limit > provisioning.MaxVersions {
		problem(c, http.StatusBadRequest, "limit_out_of_range", "The limit is not within 1 to "+strconv.Itoa(provisioning.MaxVersions)+".")
		return
	}
	before, err := strconv.ParseInt(c.DefaultQuery("before", "0"), 10, 64)
	if err != nil || before < 0 {
		problem(c, http.StatusBadRequest, "version_invalid", "before is not the number of a version.")
		return
	}
	period, ok := outcomePeriod(c)
	if !ok {
		return
	}
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		listed, more, err := s.Versions(ctx, c.Param("tenant"), before, limit)
		all := make([]versionView, 0, len(listed))
		for _, i := range listed {
			all = append(all, viewOfVersion(i))
		}
		if err == nil {
			err = w.addTrials(ctx, s, c.Param("tenant"), period, all)
		}
		return gin.H{"versions": all, "more": more}, err
	})
}

// versionAPI shows one: by its number, live or draft.
func (w *worker) versionAPI(c *gin.Context) {
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		d, err := s.Version(ctx, c.Param("tenant"), c.Param("version"))
		v := viewOfDocument(d)
		v.Document = &d.Published
		one := []versionView{v}
		if err == nil && !d.Draft {
			err = w.addTrials(ctx, s, c.Param("tenant"), 0, one)
		}
		return one[0], err
	})
}

// diffAPI compares one version with another, the drafts unless ?to= says which.
func (w *worker) diffAPI(c *gin.Context) {
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		d, err := s.Compare(ctx, c.Param("tenant"), c.Param("version"), c.DefaultQuery("to", provisioning.DraftVersion))
		return gin.H{"from": viewOfDocument(d.From), "to": viewOfDocument(d.To), "changes": viewOfChanges(d.Changes)}, err
	})
}

// publishAPI makes a tenant's drafts its next version. Drafts that run already make none.
func (w *worker) publishAPI(c *gin.Context) {
	var asked publishBody
	if err := c.ShouldBindJSON(&asked); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"by": "who publishes", "comment": "what and why"}.`)
		return
	}
	asked.By = api.By(c.Request.Context(), asked.By)
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		done, err := s.PublishDrafts(ctx, c.Param("tenant"), asked.By, asked.Comment)
		if err == nil {
			w.log.InfoContext(ctx, "a version is published", slog.String("tenant_id", c.Param("tenant")), slog.Int64("version", done.Published.Version),
				slog.Bool("same", done.Same), slog.String("by", asked.By))
		}
		return gin.H{"version": done.Published.Version, "published_at": done.Published.PublishedAt, "same": done.Same, "changes": viewOfChanges(done.Changes)}, err
	})
}

// rollBackAPI publishes an old version again, as a new one.
func (w *worker) rollBackAPI(c *gin.Context) {
	var asked provisioning.RollBack
	if err := c.ShouldBindJSON(&asked); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"by": "who rolls back", "comment": "why", "drafts": "keep" or "replace" or ""}.`)
		return
	}
	var err error
	if asked.Version, err = strconv.ParseInt(c.Param("version"), 10, 64); err != nil {
		problem(c, http.StatusUnprocessableEntity, "version_invalid", "Name the version to go back to by its number.")
		return
	}
	asked.By = api.By(c.Request.Context(), asked.By)
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		done, err := s.RollBack(ctx, c.Param("tenant"), asked)
		if err == nil {
			w.log.InfoContext(ctx, "an old version is published again", slog.String("tenant_id", c.Param("tenant")), slog.Int64("version", done.Published.Version),
				slog.Int64("old_version", asked.Version), slog.Bool("same", done.Same), slog.String("by", asked.By))
		}
		return gin.H{"version": done.Published.Version, "published_at": done.Published.PublishedAt, "same": done.Same, "changes": viewOfChanges(done.Changes),
			"adapted": viewOfChanges(done.Adapted), "drafts_replaced": done.Replaced, "waiting": viewOfChanges(done.Waiting), "abandoned": done.Abandoned}, err
	})
}

// provision runs a use case and answers with what came of it.
func (w *worker) provision(c *gin.Context, use func(context.Context, *provisioning.Service) (any, error)) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestWait)
	defer cancel()
	answer, err := use(ctx, &provisioning.Service{Store: w.apiStore})
	var refused *provisioning.Error
	switch {
	case errors.As(err, &refused):
		refusedProblem(c, refused)
	case err != nil:
		w.log.ErrorContext(ctx, "the configuration could not be read or changed", slog.String("path", c.FullPath()), slog.String("tenant_id", c.Param("tenant")),
			slog.Any("error", err))
		problem(c, http.StatusServiceUnavailable, "postgresql_away", "The configuration cannot be read or changed at the moment. Try again shortly; asking twice publishes once.")
	default:
		c.JSON(http.StatusOK, answer)
	}
}

// refusedProblem answers that a use case was refused, with all that is wrong (RFC 9457 3.2).
func refusedProblem(c *gin.Context, refused *provisioning.Error) {
	code := "configuration_" + string(refused.Code)
	switch {
	case refused.Field == "tenant" && refused.Code == provisioning.NotFound:
		code = "tenant_unknown"
	case refused.Field == "trunk" && refused.Code == provisioning.NotFound:
		code = "trunk_unknown"
	case refused.Field == "trunk" && refused.Code == provisioning.Stale:
		code = "trunk_changed"
	case refused.Field == "version" && refused.Code == provisioning.NotFound:
		code = "version_unknown"
	case refused.Field == "version" && refused.Code == provisioning.Invalid:
		code = "version_invalid"
	case refused.Field == "version":
		code = "version_outdated"
	case refused.Field == "canary":
		code = "canary_conflict"
	}
	status := refused.Code.HTTPStatus()
	faults := callflows.Errors(refused.Faults)
	c.Header("Content-Type", "application/problem+json")
	c.JSON(status, gin.H{"status": status, "code": code, "title": http.StatusText(status), "detail": strings.TrimSuffix(refused.Error(), ".") + ".", "field": refused.Field,
		"faults": append([]callflows.FlowFault{}, faults...)})
}
