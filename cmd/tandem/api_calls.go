package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/directory"
	"tandem/messages"
	"tandem/postgres"
)

// Bounds of a list of live calls.
const (
	usualCalls = 1000
	maxCalls   = 10_000
)

// What became of an order.
const (
	callEnded   = "ended"   // the call is over
	callOrdered = "ordered" // its end is ordered, and was not heard of yet
)

// callUnseen is the state of a call that the ledger knows, without an end, and that was seen on no node.
const callUnseen messages.CallState = "unseen"

// callView is a live call as the API shows it.
type callView struct {
	Call        string             `json:"call"`
	State       messages.CallState `json:"state"` // started, answered, ended, unseen
	Tenant      string             `json:"tenant"`
	From        string             `json:"from"`
	To          string             `json:"to"`
	Node        string             `json:"node,omitempty"`
	Worker      string             `json:"worker,omitempty"`
	Flow        string             `json:"flow,omitempty"`
	Element     string             `json:"element,omitempty"`
	Phase       string             `json:"phase,omitempty"`
	StartedAt   *time.Time         `json:"started_at,omitempty"`
	AnsweredAt  *time.Time         `json:"answered_at,omitempty"`
	EndedAt     *time.Time         `json:"ended_at,omitempty"`
	Legs        []legView          `json:"legs"`
	Uncertain   bool               `json:"uncertain,omitempty"` // nobody has spoken for its node lately: it may be over
	Explanation string             `json:"explanation"`         // where it is explained
}

// legView is one leg of a live call.
type legView struct {
	Leg        string           `json:"leg"`
	Role       messages.LegRole `json:"role"`
	Device     string           `json:"device,omitempty"`
	Trunk      string           `json:"trunk,omitempty"`
	AnsweredAt *time.Time       `json:"answered_at,omitempty"`
}

func viewOfCall(l directory.LiveCall) callView {
	v := callView{Call: l.Call, State: l.State, Tenant: l.Tenant, From: l.From, To: l.To, Node: l.Node, Worker: l.Worker, Flow: l.Flow, Element: l.Element,
		Phase: l.Phase, StartedAt: orNone(l.StartedAt), AnsweredAt: orNone(l.AnsweredAt), Legs: []legView{}, Uncertain: l.Uncertain,
		Explanation: explanationOf(l.Call)}
	for _, leg := range l.Legs {
		if leg.Role == "" { // its owner has not told of it yet
			continue
		}
		v.Legs = append(v.Legs, legView{Leg: leg.ID, Role: leg.Role, Device: leg.Device, Trunk: leg.Trunk, AnsweredAt: orNone(leg.AnsweredAt)})
	}
	return v
}

func explanationOf(call string) string { return "/v1/calls/" + call + "/explanation" }

func orNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// callsAPI lists live calls: ?live, and tenant, node and limit to choose.
func (w *worker) callsAPI(c *gin.Context) {
	if _, live := c.GetQuery("live"); !live {
		problem(c, http.StatusBadRequest, "query_incomplete", "Only live calls can be listed so far: ask for ?live, with tenant and node to choose.")
		return
	}
	limit := usualCalls
	if text, given := c.GetQuery("limit"); given {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxCalls {
			problem(c, http.StatusBadRequest, "limit_out_of_range", "The limit is not within 1 to "+strconv.Itoa(maxCalls)+".")
			return
		}
	}
	live := w.facts.calls.List(directory.CallFilter{Tenant: c.Query("tenant"), Node: c.Query("node"), Limit: limit + 1}, time.Now())
	more := len(live) > limit
	all := []callView{}
	for _, l := range live[:min(len(live), limit)] {
		all = append(all, viewOfCall(l))
	}
	c.JSON(http.StatusOK, gin.H{"calls": all, "more": more})
}

// callAPI shows one call: as it is now, or that it is over.
func (w *worker) callAPI(c *gin.Context) {
	v, ok := w.callView(c)
	if !ok {
		return
	}
	if v.Node != "" && v.Worker == "" {
		v = w.detailed(c.Request.Context(), v)
	}
	c.JSON(http.StatusOK, v)
}

// How long the details of a live call are waited for, which an owner tells at most once a second, and how often they are looked
// for meanwhile.
const (
	detailWait = 1500 * time.Millisecond
	detailLook = 20 * time.Millisecond
)

// detailed asks the owner of a live call's node for what it has not told yet: a call that has just begun is known by its events
// alone. Without an answer the call is shown as it is known.
func (w *worker) detailed(ctx context.Context, v callView) callView {
	ctx, cancel := context.WithTimeout(ctx, detailWait)
	defer cancel()
	question := &messages.NodeAsk{Node: v.Node}
	w.facts.ask(ctx, question)
	w.nodes.ask(question)
	for {
		live, ok := w.facts.calls.Get(v.Call, time.Now())
		if !ok || live.Worker != "" {
			if ok {
				return viewOfCall(live)
			}
			return v
		}
		select {
		case <-ctx.Done():
			return v
		case <-time.After(detailLook):
		}
	}
}

// callView finds the call that a request names, by Tandem's id or its SIP Call-ID, live or in the ledger; otherwise it answers.
func (w *worker) callView(c *gin.Context) (callView, bool) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestWait)
	defer cancel()
	id := c.Param("call")
	if live, ok := w.facts.calls.Get(id, time.Now()); ok {
		return viewOfCall(live), true
	}
	past, err := w.store.Call(ctx, id)
	switch {
	case err == nil:
		if live, ok := w.facts.calls.Get(past.Call, time.Now()); ok {
			return viewOfCall(live), true
		}
		v := callView{Call: past.Call, State: messages.CallEnded, Tenant: past.Tenant, From: past.From, To: past.To, StartedAt: orNone(past.StartedAt),
			EndedAt: past.EndedAt, Legs: []legView{}, Explanation: explanationOf(past.Call)}
		if past.EndedAt == nil && !w.facts.calls.HasEnded(past.Call) {
			v.State = callUnseen
		}
		return v, true
	case w.facts.calls.HasEnded(id): // its records are on their way
		return callView{Call: id, State: messages.CallEnded, Legs: []legView{}, Explanation: explanationOf(id)}, true
	case errors.Is(err, postgres.ErrNotFound):
		problem(c, http.StatusNotFound, "call_unknown", "No call has this id. GET /v1/calls?live lists those that are up.")
	default:
		w.log.ErrorContext(ctx, "a call could not be read", slog.Any("error", err))
		problem(c, http.StatusServiceUnavailable, "journal_away", "No live call has this id, and whether there was one cannot be read at the moment. Try again shortly.")
	}
	return callView{}, false
}

// hangUpAPI ends a live call. Whichever worker is asked, the owner of the call's node carries it out. The answer is 200 when the
// call is over, whether by this order or before it, and 202 when its end was not heard of in time.
func (w *worker) hangUpAPI(c *gin.Context) {
	var asked struct{ By, Reason string }
	if err := c.ShouldBindJSON(&asked); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"by": "who wants it", "reason": "why"}.`)
		return
	}
	order := &messages.CallOrder{Type: messages.CallOrderV1, Call: c.Param("call"), Order: messages.OrderHangUp, By: asked.By, Reason: asked.Reason,
		At: time.Now().UTC()}
	var refusal *messages.Refusal
	if err := order.Validate(); errors.As(err, &refusal) {
		problem(c, http.StatusUnprocessableEntity, "order_invalid", "The order cannot be given: "+refusal.Field+" "+refusal.Detail+".")
		return
	}
	call, ok := w.callView(c)
	switch {
	case !ok:
		return
	case call.State == messages.CallEnded:
		c.JSON(http.StatusOK, gin.H{"call": call.Call, "state": callEnded, "detail": "The call was over already."})
		return
	case call.State == callUnseen:
		problem(c, http.StatusConflict, "call_unseen", "This worker has not seen the call on a media node: it has not reached one yet, or it is over and its records are on their way. Ask again shortly.")
		return
	}
	order.Call = call.Call
	w.log.InfoContext(c.Request.Context(), "a call is to be hung up", slog.String("call_id", order.Call), slog.String("by", order.By))
	ended, err := w.endCall(c.Request.Context(), order)
	switch {
	case err != nil:
		problem(c, http.StatusServiceUnavailable, "rabbitmq_away", "Another worker drives this call, and the order cannot reach it while RabbitMQ is away. Nothing was done: try again shortly, or ask the worker that owns the node.")
	case ended:
		c.JSON(http.StatusOK, gin.H{"call": order.Call, "state": callEnded, "detail": "The call is over."})
	default:
		c.JSON(http.StatusAccepted, gin.H{"call": order.Call, "state": callOrdered, "detail": "The order went to every worker, and the call's end was not heard of within " +
			orderWait.String() + ". Whether the owner of its node has carried it out is not known here. Ask again: twice does no harm."})
	}
}
