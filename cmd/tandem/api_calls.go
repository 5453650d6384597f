package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tandem/because"
	"tandem/directory"
	"tandem/explain"
	"tandem/messages"
	"tandem/postgres"
	"tandem/provisioning/api"
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
	Waits       string             `json:"waits,omitempty"` // why it cannot move to another node, when it is to
	Recorded    bool               `json:"recorded,omitempty" doc:"It is being recorded."`
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
		Phase: l.Phase, StartedAt: orNone(l.StartedAt), AnsweredAt: orNone(l.AnsweredAt), Legs: []legView{}, Uncertain: l.Uncertain, Waits: l.Waits, Recorded: l.Recorded,
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

// callsAPI lists live calls: ?live, and tenant, node, state, number, device, trunk, cursor and limit to choose.
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
	of := cmp.Or(c.Param("tenant"), c.Query("tenant"))
	if home := api.CallerOf(c.Request.Context()).Home; of == "" {
		of = home // a reseller lists his own calls here, and a customer's under that one's path
	}
	if of != "" && !w.seesCall(c.Request.Context(), of) {
		problem(c, http.StatusNotFound, "not_found", "There is no such tenant.")
		return
	}
	after, ok := placeOf(c.Query("cursor"))
	if !ok {
		problem(c, http.StatusBadRequest, "cursor_invalid", "The cursor is not next of a list of live calls.")
		return
	}
	filter := directory.CallFilter{Tenant: of, Node: c.Query("node"), State: messages.CallState(c.Query("state")), Number: c.Query("number"), Device: c.Query("device"),
		Trunk: c.Query("trunk"), After: after, Limit: limit + 1}
	if filter.State != "" && filter.State != messages.CallStarted && filter.State != messages.CallAnswered {
		problem(c, http.StatusBadRequest, "state_invalid", "A live call is started or answered.")
		return
	}
	live := w.facts.calls.List(filter, time.Now())
	page := callsBody{Calls: []callView{}, More: len(live) > limit}
	for _, l := range live[:min(len(live), limit)] {
		page.Calls = append(page.Calls, viewOfCall(l))
	}
	if page.More {
		page.Next = cursorOf(live[limit-1])
	}
	c.JSON(http.StatusOK, page)
}

// cursorOf names a call's place in the list of live calls.
func cursorOf(l directory.LiveCall) string {
	return base64.RawURLEncoding.EncodeToString([]byte(l.StartedAt.UTC().Format(time.RFC3339Nano) + " " + l.Call))
}

// placeOf reads what cursorOf has written; nil for nothing.
func placeOf(cursor string) (*directory.LivePlace, bool) {
	if cursor == "" {
		return nil, true
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	at, call, cut := strings.Cut(string(text), " ")
	started, unread := time.Parse(time.RFC3339Nano, at)
	return &directory.LivePlace{StartedAt: started, Call: call}, err == nil && unread == nil && cut
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

// callsBody is a list of live calls.
type callsBody struct {
	Calls []callView `json:"calls" nullable:"false"`
	More  bool       `json:"more"`
	Next  string     `json:"next,omitempty" doc:"Cursor of the next page; absent on the last."`
}

// hangUpBody asks for the end of a call.
type hangUpBody struct {
	By     string `json:"by,omitempty" doc:"Who wants it, besides whose key it is."`
	Reason string `json:"reason,omitempty"`
}

// orderedBody is what became of an order.
type orderedBody struct {
	Call   string `json:"call"`
	State  string `json:"state" enum:"ended,ordered,transferring,recorded,not_recorded"`
	Detail string `json:"detail"`
}

// callOperations are what can be asked about calls, and ordered of them.
func (w *worker) callOperations(a *api.API, words because.Catalog) {
	tags, call := []string{"calls"}, api.Parameter("path", "call", "", "Tandem's id of the call, or its SIP Call-ID.")
	live := []*huma.Param{api.Needed("query", "live", "Must be there."), api.Parameter("query", "node", "", "Those on one media node."), api.Count("limit", "1 to 10000."),
		api.Parameter("query", "cursor", "", "next of the page before."), api.Parameter("query", "state", "", "started or answered."),
		api.Parameter("query", "number", "", "Those from this number, or to it."), api.Parameter("query", "device", "", "Those with a leg of this device's, by its id."),
		api.Parameter("query", "trunk", "", "Those with a leg by this trunk, by its id.")}
	api.AddHandler[api.Nothing, callsBody](a, api.CallsRead, huma.Operation{OperationID: "list-live-calls", Method: "GET", Path: "/v1/calls", Summary: "List live calls", Tags: tags,
		Parameters: append(live[:len(live):len(live)], api.Parameter("query", "tenant", "", "Those of one tenant."))}, w.callsAPI)
	api.AddHandler[api.Nothing, callsBody](a, api.CallsRead, huma.Operation{OperationID: "list-live-calls-of-tenant", Method: "GET", Path: "/v1/tenants/{tenant}/calls", Summary: "List a tenant's live calls", Tags: tags, Parameters: live}, w.callsAPI)
	api.AddHandler[api.Nothing, callView](a, api.CallsRead, huma.Operation{OperationID: "get-call", Method: "GET", Path: "/v1/calls/{call}", Summary: "Show a call, live or over", Tags: tags, Parameters: []*huma.Param{call}}, w.callAPI)
	api.AddHandler[api.Nothing, explain.Explanation](a, api.CallsRead, huma.Operation{OperationID: "explain-call", Method: "GET", Path: "/v1/calls/{call}/explanation", Summary: "Say why a call went as it did", Tags: tags, Parameters: []*huma.Param{call}},
		func(c *gin.Context) { w.explanation(c, words) })
	w.ladderOperation(a)
	w.superviseOperations(a)
	api.AddHandler[hangUpBody, orderedBody](a, api.CallsWrite, huma.Operation{OperationID: "hang-up-call", Method: "POST", Path: "/v1/calls/{call}/hangup", Summary: "End a live call", Description: "202 when its end was not heard of in time.", Tags: tags, Parameters: []*huma.Param{call}}, w.hangUpAPI)
	api.AddHandler[transferBody, orderedBody](a, api.CallsWrite, huma.Operation{OperationID: "transfer-call", Method: "POST", Path: "/v1/calls/{call}/transfer", Summary: "Take a leg of a live call to a number", Tags: tags, Parameters: []*huma.Param{call}}, w.transferAPI)
	contacts := []*huma.Param{api.Needed("query", "username", "Digest user of the device.")}
	api.AddHandler[api.Nothing, contactsBody](a, api.RegistrationsRead, huma.Operation{OperationID: "list-contacts", Method: "GET", Path: "/v1/tenants/{tenant}/contacts", Summary: "Where does this worker believe a device to be?", Tags: []string{"registrations"}, Parameters: contacts}, w.registrations)
	api.AddHandler[api.Nothing, contactsBody](a, api.PlatformRead, huma.Operation{OperationID: "list-contacts-of-domain", Method: "GET", Path: "/v1/contacts", Summary: "Where does this worker believe a device of any domain to be?", Tags: []string{"registrations"},
		Parameters: append(contacts, api.Needed("query", "domain", "Its SIP domain."))}, w.registrations)
}

// seesCall says whether calls of a tenant are the asker's to see. Calls of no tenant are the platform's.
func (w *worker) seesCall(ctx context.Context, tenant string) bool {
	sees, err := w.rest.Sees(ctx, tenant)
	if err != nil {
		w.log.ErrorContext(ctx, "whose a call is cannot be found out", slog.Any("error", err))
	}
	return sees && err == nil
}

// callView finds the call that a request names, by Tandem's id or its SIP Call-ID, live or in the ledger; otherwise it answers.
func (w *worker) callView(c *gin.Context) (callView, bool) {
	v, ok := w.anyCallView(c)
	if ok && !w.seesCall(c.Request.Context(), v.Tenant) {
		callMissing(c)
		return callView{}, false
	}
	return v, ok
}

func callMissing(c *gin.Context) {
	problem(c, http.StatusNotFound, "call_unknown", "No call has this id. GET /v1/calls?live lists those that are up.")
}

// anyCallView is callView, whosoever the call is.
func (w *worker) anyCallView(c *gin.Context) (callView, bool) {
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
		callMissing(c)
	default:
		w.log.ErrorContext(ctx, "a call could not be read", slog.Any("error", err))
		problem(c, http.StatusServiceUnavailable, "journal_away", "No live call has this id, and whether there was one cannot be read at the moment. Try again shortly.")
	}
	return callView{}, false
}

// hangUpAPI ends a live call. Whichever worker is asked, the owner of the call's node carries it out. The answer is 200 when the
// call is over, whether by this order or before it, and 202 when its end was not heard of in time.
func (w *worker) hangUpAPI(c *gin.Context) {
	var asked hangUpBody
	if err := c.ShouldBindJSON(&asked); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"by": "who wants it", "reason": "why"}.`)
		return
	}
	order := &messages.CallOrder{Type: messages.CallOrderV1, Call: c.Param("call"), Order: messages.OrderHangUp, By: api.By(c.Request.Context(), asked.By), Reason: asked.Reason,
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
