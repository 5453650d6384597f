package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/explain"
	"tandem/postgres"
	"tandem/provisioning"
)

// Bounds of a replay by HTTP: who asks waits for it. A longer one is for tandem replay.
const (
	replayWait     = 60 * time.Second
	maxReplayed    = 31 * 24 * time.Hour // of calls
	replayBodySize = 4096                // bytes
)

// replayAsked is the body of a request to replay.
type replayAsked struct {
	Since   string `json:"since" doc:"A time (RFC 3339), or how long ago: 24h."`
	Until   string `json:"until" required:"false" doc:"The same; absent: now."`
	Draft   bool   `json:"draft" required:"false" doc:"Under the drafts."`
	Version int64  `json:"version" required:"false" doc:"Under this version instead."`
}

const replayForm = `The body is not JSON of the form {"since": "24h", "until": "2006-01-02T15:04:05Z", "draft": true}, or with "version": 7 in place of draft.`

// replayAPI says which calls of a tenant would have gone differently under its drafts or another version: the summary that tandem
// replay --json prints.
func (w *worker) replayAPI(c *gin.Context) {
	var asked replayAsked
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, replayBodySize)
	if err := c.ShouldBindJSON(&asked); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", replayForm)
		return
	}
	command := &replayCommand{Tenant: c.Param("tenant"), Since: asked.Since, Until: asked.Until, Draft: asked.Draft, Version: asked.Version}
	of, err := command.period(time.Now())
	if err != nil {
		problem(c, http.StatusBadRequest, "period_invalid", "The calls to replay are not named: "+err.Error()+".")
		return
	}
	if of.Until.Sub(of.Since) > maxReplayed {
		problem(c, http.StatusBadRequest, "period_too_long", "Calls of at most 31 days are replayed at a time.")
		return
	}
	if !w.replaying.CompareAndSwap(false, true) { // one at a time: a worker has calls to drive
		c.Header("Retry-After", "10")
		problem(c, http.StatusTooManyRequests, "replay_under_way", "Another replay is under way at this worker. Try again in some seconds.")
		return
	}
	defer w.replaying.Store(false)
	ctx, cancel := context.WithTimeout(c.Request.Context(), replayWait)
	defer cancel()
	report, err := command.replay(ctx, w.store, of)
	w.answerReplay(c, report, err)
}

func (w *worker) answerReplay(c *gin.Context, report replayReport, err error) {
	var refused *provisioning.Error
	switch {
	case errors.As(err, &refused):
		refusedProblem(c, refused)
	case errors.Is(err, errNoTenant):
		problem(c, http.StatusNotFound, "tenant_unknown", "There is no such tenant.")
	case errors.Is(err, errNoVersion):
		problem(c, http.StatusNotFound, "version_unknown", "The tenant has no such version.")
	case errors.Is(err, context.DeadlineExceeded):
		problem(c, http.StatusUnprocessableEntity, "replay_too_long", "The replay takes longer than a minute. Ask for a shorter time, or run tandem replay.")
	case err != nil:
		w.log.ErrorContext(c.Request.Context(), "calls could not be replayed", slog.String("tenant_id", c.Param("tenant")), slog.Any("error", err))
		problem(c, http.StatusServiceUnavailable, "postgresql_away", "The ledger cannot be read at the moment. Try again shortly.")
	default:
		c.JSON(http.StatusOK, report)
	}
}

// replay replays the calls of a period.
func (c *replayCommand) replay(ctx context.Context, store *postgres.Store, of postgres.CallsOf) (r replayReport, err error) {
	words, err := explain.Catalog()
	if err != nil {
		return r, err
	}
	versions, err := newTenantVersions(ctx, store, c.Tenant)
	if err != nil {
		return r, err
	}
	under, err := c.under(ctx, store, versions)
	if err != nil {
		return r, err
	}
	began := time.Now()
	summary, err := replayAll(ctx, store, versions, of, under, explain.NewSummary(words))
	if err != nil {
		return r, err
	}
	r = replayReport{Tenant: c.Tenant, Since: of.Since.UTC(), Until: of.Until.UTC(), Under: c.underWords(), Faults: versions.faults, Summary: summary}
	r.CallsPerSecond = float64(summary.Calls) / max(time.Since(began).Seconds(), time.Microsecond.Seconds())
	return r, nil
}
