package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/provisioning"
	"tandem/provisioning/api"
)

// versionEvent is what became of a version that was tried.
type versionEvent struct {
	Event   string    `json:"event"` // canary, share, promoted, abandoned
	Share   int       `json:"share"` // percent of new calls, from then on
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Comment string    `json:"comment,omitempty"`
}

// versionOutcome is what the calls that a version drove came to.
type versionOutcome struct {
	Calls    int `json:"calls"`
	Answered int `json:"answered"`
	Failed   int `json:"failed"` // by the tenant's configuration, a carrier or the platform
}

// maxOutcomes bounds the time of which outcomes are counted: the ledger is read for it.
const maxOutcomes = 24 * time.Hour

// outcomePeriod reads for how long outcomes are asked for; 0 is not at all. It is false when that was answered as unreadable.
func outcomePeriod(c *gin.Context) (time.Duration, bool) {
	text, asked := c.GetQuery("outcomes")
	if !asked {
		return 0, true
	}
	period, err := time.ParseDuration(text)
	if err != nil || period <= 0 || period > maxOutcomes {
		problem(c, http.StatusBadRequest, "outcomes_out_of_range", "outcomes is how far back to count, such as 1h, and at most "+maxOutcomes.String()+".")
		return 0, false
	}
	return period, true
}

// addTrials adds what became of versions that were tried, and what calls came to if a period is given.
func (w *worker) addTrials(ctx context.Context, s *provisioning.Service, tenant string, period time.Duration, all []versionView) error {
	var versions []int64
	for _, v := range all {
		versions = append(versions, v.Version)
	}
	events, err := s.VersionEvents(ctx, tenant, versions...)
	if err != nil {
		return err
	}
	for i, v := range all {
		for _, e := range events[v.Version] {
			all[i].Events = append(all[i].Events, versionEvent{e.Event, e.Share, e.At, e.By, e.Comment})
		}
	}
	if period == 0 {
		return nil
	}
	outcomes, err := w.store.VersionOutcomes(ctx, tenant, time.Now().Add(-period))
	for i := range all {
		all[i].Outcome = &versionOutcome{}
		for _, o := range outcomes {
			if o.Version == all[i].Version {
				all[i].Outcome = &versionOutcome{o.Calls, o.Answered, o.Failed}
			}
		}
	}
	return err
}

// canaryAPI gives the drafts to a share of new calls, or changes the share of the version that is tried.
func (w *worker) canaryAPI(c *gin.Context) {
	var asked provisioning.Canary
	if err := c.ShouldBindJSON(&asked); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"share": 5, "by": "who wants it", "comment": "what and why"}.`)
		return
	}
	asked.By = api.By(c.Request.Context(), asked.By)
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		done, err := s.Canary(ctx, c.Param("tenant"), asked)
		if err == nil {
			w.log.InfoContext(ctx, "a version is tried", slog.String("tenant_id", c.Param("tenant")), slog.Int64("version", done.Published.Version),
				slog.Int("share", done.Share), slog.Int("was", done.Was), slog.String("by", asked.By))
		}
		return gin.H{"version": done.Published.Version, "share": done.Share, "was": done.Was, "changes": viewOfChanges(done.Changes)}, err
	})
}

// promoteAPI gives the version that is tried to all new calls.
func (w *worker) promoteAPI(c *gin.Context) {
	w.verdictAPI(c, "promoted", (*provisioning.Service).Promote)
}

// abandonAPI gives it to none any more.
func (w *worker) abandonAPI(c *gin.Context) {
	w.verdictAPI(c, "abandoned", (*provisioning.Service).Abandon)
}

func (w *worker) verdictAPI(c *gin.Context, what string, give func(*provisioning.Service, context.Context, string, provisioning.Verdict) (provisioning.Publishing, error)) {
	var asked provisioning.Verdict
	if err := c.ShouldBindJSON(&asked); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"by": "who decides", "comment": "why", "version": 7}, in which the version may be left out.`)
		return
	}
	asked.By = api.By(c.Request.Context(), asked.By)
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		done, err := give(s, ctx, c.Param("tenant"), asked)
		if err == nil {
			w.log.InfoContext(ctx, "the trial of a version is over", slog.String("tenant_id", c.Param("tenant")), slog.Int64("version", done.Published.Version),
				slog.String("event", what), slog.String("by", asked.By))
		}
		return gin.H{"version": done.Published.Version, "event": what, "changes": viewOfChanges(done.Changes)}, err
	})
}
