package main

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tandem/callflows"
	"tandem/directory"
	"tandem/messages"
	"tandem/provisioning/api"
	"tandem/tenants"
)

// What became of an order to record.
const (
	callRecorded    = "recorded"     // it is recorded from now on
	callNotRecorded = "not_recorded" // it is not, or no longer
)

// listenBody asks that somebody's phone hears a live call.
type listenBody struct {
	User       string `json:"user,omitempty" doc:"Whose phones ring; whoever answers hears the call. Either user or device."`
	Device     string `json:"device,omitempty" doc:"Which phone rings."`
	Mode       string `json:"mode,omitempty" enum:"listen,whisper,barge" doc:"Who hears the one who listens: nobody (listen, unless given), the leg (whisper), or both sides (barge)."`
	Leg        string `json:"leg,omitempty" doc:"Which leg is heard, and whispered to: GET /v1/calls/CALL lists them. Otherwise the first that leads to a phone of the tenant's and talks."`
	Seconds    int    `json:"seconds,omitempty" minimum:"1" maximum:"120" doc:"How long the phone rings. 30 unless given."`
	AutoAnswer bool   `json:"auto_answer,omitempty" doc:"The phone is asked to answer by itself."`
	By         string `json:"by,omitempty" doc:"Who wants it, besides whose key it is."`
}

// recordBody says who wants a call recorded.
type recordBody struct {
	By string `json:"by,omitempty" doc:"Who wants it, besides whose key it is."`
}

func (w *worker) superviseOperations(a *api.API) {
	tags, call := []string{"calls"}, []*huma.Param{api.Parameter("path", "call", "", "Tandem's id of the call, or its SIP Call-ID.")}
	refusals := []int{http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}
	api.AddHandler[listenBody, startedBody](a, api.CallsListen, huma.Operation{OperationID: "listen-to-call", Method: "POST", Path: "/v1/calls/{call}/listen", DefaultStatus: http.StatusAccepted,
		Summary: "Let somebody's phone hear a live call", Tags: tags, Parameters: call, Errors: refusals,
		Description: "The phones of a user, or one phone, of the call's tenant ring; whoever answers hears the talk until it is over or he hangs up. That is a call of its own, whose id the answer has. It is written down in the audit before anything rings. The law of many countries wants those who talk to be told. Calls for help are not heard."}, w.listenAPI)
	api.AddHandler[recordBody, orderedBody](a, api.CallsRecord, huma.Operation{OperationID: "record-call", Method: "POST", Path: "/v1/calls/{call}/record", Summary: "Record a live call from now on", Tags: tags, Parameters: call, Errors: refusals,
		Description: "Both sides. It is kept as other recordings are when it is ended, or the call is over. 202 when another worker was told, which drives the call. Calls for help are not recorded."},
		func(c *gin.Context) { w.recordAPI(c, messages.OrderRecord) })
	api.AddHandler[api.Nothing, orderedBody](a, api.CallsRecord, huma.Operation{OperationID: "end-recording-of-call", Method: "DELETE", Path: "/v1/calls/{call}/record", Summary: "End the recording of a live call", Tags: tags, Parameters: call, Errors: refusals,
		Description: "Whoever has begun it: a flow, or an order. What was recorded is kept."}, func(c *gin.Context) { w.recordAPI(c, messages.OrderRecordEnd) })
}

// liveCall finds the live call that a request names and that can be driven; otherwise it answers.
func (w *worker) liveCall(c *gin.Context) (callView, bool) {
	call, ok := w.callView(c)
	switch {
	case !ok:
		return call, false
	case call.State == messages.CallEnded:
		problem(c, http.StatusConflict, "call_over", "The call is over.")
	case call.State == callUnseen:
		problem(c, http.StatusConflict, "call_unseen", "This worker has not seen the call on a media node. Ask again shortly.")
	default:
		return call, true
	}
	return call, false
}

// noted writes into the audit what somebody is about to do to a call. What cannot be written down is not done.
func (w *worker) noted(c *gin.Context, call callView, did gin.H) bool {
	if err := w.store.NoteCall(c.Request.Context(), call.Tenant, call.Call, did); err != nil {
		w.log.ErrorContext(c.Request.Context(), "what is done to a call could not be written down", slog.String("call_id", call.Call), slog.Any("error", err))
		problem(c, http.StatusServiceUnavailable, "audit_away", "Who does this cannot be written down at the moment, so it is not done. Try again shortly.")
		return false
	}
	return true
}

// recordAPI begins or ends the recording of a live call. Whichever worker is asked, the owner of the call's node carries it out. The
// answer is 200 when this worker is the owner and it is so, 409 when it cannot be, and 202 when another worker was told.
func (w *worker) recordAPI(c *gin.Context, what messages.OrderKind) {
	var asked recordBody
	begin := what == messages.OrderRecord
	if begin {
		if err := c.ShouldBindJSON(&asked); err != nil {
			problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"by": "who wants it"}.`)
			return
		}
	}
	order := &messages.CallOrder{Type: messages.CallOrderV1, Call: c.Param("call"), Order: what, By: api.By(c.Request.Context(), asked.By), At: time.Now().UTC()}
	if err := order.Validate(); err != nil {
		problem(c, http.StatusUnprocessableEntity, "order_invalid", "The order cannot be given: who wants it is no line of text.")
		return
	}
	call, ok := w.liveCall(c)
	if !ok || !w.noted(c, call, gin.H{"call": call.Call, "did": string(what), "by": order.By}) {
		return
	}
	order.Call = call.Call
	owned, recorded := w.record(order)
	switch {
	case !owned:
		w.passOn(c, order)
	case begin && !recorded:
		problem(c, http.StatusConflict, "not_recorded", "The call is not recorded. "+whyOf(order.Call))
	case begin:
		c.JSON(http.StatusOK, orderedBody{Call: order.Call, State: callRecorded, Detail: "The call is recorded."})
	default:
		c.JSON(http.StatusOK, orderedBody{Call: order.Call, State: callNotRecorded, Detail: "The call is not recorded any more. What was recorded is kept."})
	}
}

// record carries an order out if this worker owns the call's node, and says whether the call is recorded.
func (w *worker) record(m *messages.CallOrder) (owned, recorded bool) {
	for _, n := range w.nodes.list() {
		if owned, recorded = n.RecordCall(m.Call, m.By, m.Order == messages.OrderRecord); owned {
			return owned, recorded
		}
	}
	return false, false
}

// listenAPI lets somebody's phones ring, and whoever answers hear a live call.
func (w *worker) listenAPI(c *gin.Context) {
	var asked listenBody
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxStartBody)
	if err := c.ShouldBindJSON(&asked); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"user": "anna", "mode": "whisper"}.`)
		return
	}
	asked.Mode = cmp.Or(asked.Mode, string(callflows.Listen))
	if why := asked.fault(); why != "" {
		problem(c, http.StatusUnprocessableEntity, "order_invalid", why)
		return
	}
	call, ok := w.liveCall(c)
	if !ok {
		return
	}
	ctx := c.Request.Context()
	order := &messages.CallStart{Type: messages.CallStartV1, Call: startID(ctx, c.GetHeader("Idempotency-Key"), ""), Tenant: call.Tenant, Flow: callflows.ListenFlow, Dialled: callflows.ListenFlow,
		Seconds: cmp.Or(asked.Seconds, int(callflows.OrderedWait/time.Second)), AutoAnswer: asked.AutoAnswer, By: api.By(ctx, asked.By), At: time.Now().UTC()}
	if w.startedBefore(c, order.Call, order.Tenant) {
		return
	}
	if status, code, why := w.decideListen(ctx, order, asked, call); why != "" {
		problem(c, status, code, why)
		return
	}
	if err := order.Validate(); err != nil {
		problem(c, http.StatusUnprocessableEntity, "order_invalid", "The order cannot be given: a phone's facts are no lines of text.")
		return
	}
	if !w.noted(c, call, gin.H{"call": call.Call, "did": asked.Mode, "devices": order.Devices, "by": order.By, "listening": order.Call}) {
		return
	}
	w.log.InfoContext(ctx, "a call is to be heard", slog.String("call_id", call.Call), slog.String("tenant_id", order.Tenant), slog.String("by", order.By))
	w.answerStart(c, order)
}

// fault says what is wrong with the question itself, or "".
func (b *listenBody) fault() string {
	switch {
	case (b.User == "") == (b.Device == ""):
		return "Name either the user or the device whose phones ring."
	case !slices.Contains([]string{string(callflows.Listen), string(callflows.Whisper), string(callflows.Barge)}, b.Mode):
		return "The mode is none of listen, whisper and barge."
	case b.Seconds < 0 || b.Seconds > messages.MaxOrderedSeconds:
		return "The phone rings for 1 to 120 seconds."
	}
	return ""
}

// decideListen fills the order: which phones, which leg, on the node that has the call. why says why there is none.
func (w *worker) decideListen(ctx context.Context, order *messages.CallStart, asked listenBody, call callView) (status int, code, why string) {
	unprocessable := func(code, why string) (int, string, string) { return http.StatusUnprocessableEntity, code, why }
	t := w.source.Current().Tenant(order.Tenant)
	if t == nil {
		return http.StatusConflict, "tenant_not_live", "Nothing of this tenant is live yet."
	}
	if t.Suspended {
		return unprocessable("tenant_suspended", "The tenant is suspended.")
	}
	if call.Worker == "" {
		call = w.detailed(ctx, call)
	}
	live, ok := w.facts.calls.Get(call.Call, time.Now())
	switch {
	case !ok:
		return http.StatusConflict, "call_over", "The call is over."
	case live.Flow == callflows.EmergencyFlow:
		return unprocessable("emergency", "A call for help is heard by nobody else.")
	case live.Flow == callflows.ListenFlow:
		return unprocessable("listens_itself", "That call hears another one itself.")
	}
	leg := heardLeg(live, asked.Leg)
	if leg == nil {
		return http.StatusConflict, "nobody_talks", "Nobody talks in this call, or not at that leg."
	}
	first := w.startDevices(t, startBody{User: asked.User, Device: asked.Device}, order, time.Now())
	if first == nil {
		return unprocessable("no_phone", "There is no such user with a device, or no such device, in what is live.")
	}
	if slices.ContainsFunc(live.Legs, func(l directory.LiveLeg) bool { return l.Device != "" && slices.Contains(order.Devices, l.Device) }) {
		return unprocessable("hears_itself", "Such a phone is in the call itself.")
	}
	order.Node, order.Version, order.Device = live.Node, t.Published.Version, first.ID
	order.Number, order.Name = callerOf(t, first)
	order.Hears = callflows.Hearing{Call: live.Call, Leg: leg.ID, Mode: callflows.EavesdropMode(asked.Mode)}.String()
	order.ShowNumber, order.ShowName = live.From, "Listening"
	if strings.Trim(live.From, numberLetters) != "" || len(live.From) > messages.MaxDialled {
		order.ShowNumber = ""
	}
	return 0, "", ""
}

// heardLeg is the leg that is to be heard: the wanted one, or the first that leads to a phone of the tenant's, if it talks.
func heardLeg(live directory.LiveCall, wanted string) *directory.LiveLeg {
	var found *directory.LiveLeg
	for i := range live.Legs {
		l := &live.Legs[i]
		switch {
		case l.With == "" || wanted != "" && l.ID != wanted:
		case found == nil || found.Device == "" && l.Device != "":
			found = l
		}
	}
	return found
}

// callerOf is a device as others see it call.
func callerOf(t *tenants.Tenant, d *tenants.Device) (number, name string) {
	if u := t.User(d.UserID); u != nil {
		return u.Extension, u.Name
	}
	return d.Username, d.Name
}
