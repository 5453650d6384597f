package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tandem/explain"
	"tandem/postgres"
	"tandem/provisioning/api"
)

func (w *worker) ladderOperation(a *api.API) {
	api.AddHandler[api.Nothing, explain.Ladder](a, api.CallsRead, huma.Operation{OperationID: "draw-call", Method: "GET", Path: "/v1/calls/{call}/ladder", Summary: "Show the SIP of a call, as a ladder",
		Description: "Who sent what to whom, and who has reported it: the edge, routing, the media node or the leg's record. Nothing is guessed; unknown says what nobody has reported.",
		Tags:        []string{"calls"}, Parameters: []*huma.Param{api.Parameter("path", "call", "", "Tandem's id of the call, or its SIP Call-ID.")}}, w.ladder)
}

// ladder draws one call, by Tandem's id or the SIP Call-ID.
func (w *worker) ladder(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestWait)
	defer cancel()
	l, err := drawCall(ctx, w.store, c.Param("call"))
	if err == nil && !w.seesCall(ctx, l.Tenant) {
		err = errNoCall
	}
	switch {
	case errors.Is(err, errNoCall):
		problem(c, http.StatusNotFound, "call_unknown", "No call has this id or SIP Call-ID.")
	case err != nil:
		w.log.ErrorContext(ctx, "a call could not be drawn", slog.Any("error", err))
		problem(c, http.StatusServiceUnavailable, "journal_away", "The journal cannot be read at the moment. Try again shortly.")
	default:
		c.JSON(http.StatusOK, l)
	}
}

// drawCall reads what is kept about a call and draws it.
func drawCall(ctx context.Context, store *postgres.Store, id string) (explain.Ladder, error) {
	kept, err := keptOf(ctx, store, id)
	if err != nil {
		return explain.Ladder{}, err
	}
	l := explain.DrawLadder(kept.call.Call, kept.entries, kept.cdrs)
	l.Tenant = kept.call.Tenant
	return l, nil
}
