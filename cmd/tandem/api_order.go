package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"tandem/because"
	"tandem/callflows"
	"tandem/messages"
	"tandem/provisioning/api"
	"tandem/rabbit"
	"tandem/routing"
	"tandem/tenants"
)

// startBody asks for a call that nobody has dialled (click to call).
type startBody struct {
	User       string     `json:"user,omitempty" doc:"Whose phones ring first. Either user or device."`
	Device     string     `json:"device,omitempty" doc:"Which one rings first."`
	To         string     `json:"to" example:"102" doc:"Whom whoever answers calls, as dialled at his phone."`
	Seconds    int        `json:"seconds,omitempty" minimum:"1" maximum:"120" doc:"How long the first phones ring. 30 unless given."`
	AutoAnswer bool       `json:"auto_answer,omitempty" doc:"The first phones are asked to answer by themselves (Call-Info and Alert-Info). One that does not obey rings."`
	Show       *startShow `json:"show,omitempty" doc:"Who calls, as the first phones show it. Otherwise the number that is called next."`
	Call       string     `json:"call,omitempty" doc:"The id of the call, a UUID of your own: the same once more is the same call. Otherwise it is made of the Idempotency-Key, or at random."`
	By         string     `json:"by,omitempty" doc:"Who wants it, besides whose key it is."`
}

// startShow is who calls, as the first phones show it.
type startShow struct {
	Number string `json:"number,omitempty"`
	Name   string `json:"name,omitempty"`
}

// startedBody is what became of it.
type startedBody struct {
	Call        string `json:"call"`
	State       string `json:"state" enum:"ringing,ordered,ended"`
	Detail      string `json:"detail"`
	Explanation string `json:"explanation"`
}

// callRinging is the state of an ordered call whose first phones ring.
const callRinging = "ringing"

const maxStartBody = 4096 // bytes

func (w *worker) startOperation(a *api.API, words because.Catalog) {
	api.AddHandler[startBody, startedBody](a, api.CallsOriginate, huma.Operation{OperationID: "start-call", Method: "POST", Path: "/v1/tenants/{tenant}/calls", DefaultStatus: http.StatusAccepted,
		Summary: "Start a call (click to call)", Tags: []string{"calls"},
		Description: "The phones of the user or device ring first, wherever they are registered. Whoever answers calls the number: decided, limited and shown as if he had dialled it. Emergency services are called by who needs them, and not by this.",
		Errors:      []int{http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}}, func(c *gin.Context) { w.startAPI(c, words) })
}

// startAPI begins a call. Whichever worker is asked, the owner of the node carries it out.
func (w *worker) startAPI(c *gin.Context, words because.Catalog) {
	var asked startBody
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxStartBody)
	if err := c.ShouldBindJSON(&asked); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"user": "anna", "to": "102"}.`)
		return
	}
	if why := asked.fault(); why != "" {
		problem(c, http.StatusUnprocessableEntity, "call_invalid", why)
		return
	}
	ctx := c.Request.Context()
	order := &messages.CallStart{Type: messages.CallStartV1, Call: startID(ctx, c.GetHeader("Idempotency-Key"), asked.Call), Tenant: c.Param("tenant"),
		Seconds: cmp.Or(asked.Seconds, int(callflows.OrderedWait/time.Second)), AutoAnswer: asked.AutoAnswer, By: api.By(ctx, asked.By), At: time.Now().UTC()}
	if asked.Show != nil {
		order.ShowNumber, order.ShowName = asked.Show.Number, asked.Show.Name
	}
	if w.startedBefore(c, order.Call, order.Tenant) {
		return
	}
	d, status, code, why := w.decideStart(order, asked, words)
	if why != "" {
		problem(c, status, code, why)
		return
	}
	if err := order.Validate(); err != nil {
		var refusal *messages.Refusal
		errors.As(err, &refusal)
		problem(c, http.StatusUnprocessableEntity, "call_invalid", "The call cannot be started: "+refusal.Field+" "+refusal.Detail+".")
		return
	}
	d.sent()
	w.log.InfoContext(ctx, "a call is ordered", slog.String("call_id", order.Call), slog.String("tenant_id", order.Tenant), slog.String("by", order.By))
	w.answerStart(c, order)
}

// fault says what is wrong with the question itself, or "".
func (b *startBody) fault() string {
	_, talk := callflows.ReadConsulted(b.To)
	switch {
	case (b.User == "") == (b.Device == ""):
		return "Name either the user or the device whose phones ring first."
	case b.To == "" || len(b.To) > messages.MaxDialled || strings.Trim(b.To, numberLetters) != "" || talk:
		return "The number to call is not 1 to 64 letters, digits, +, *, #, ., _ and -."
	case b.Seconds < 0 || b.Seconds > messages.MaxOrderedSeconds:
		return "The first phones ring for 1 to 120 seconds."
	case b.Show != nil && (len(b.Show.Number) > messages.MaxDialled || strings.Trim(b.Show.Number, numberLetters) != ""):
		return "The number to show is not one of letters, digits, +, *, #, ., _ and -."
	case b.Call != "" && uuid.Validate(b.Call) != nil:
		return "The id of a call is a UUID."
	}
	return ""
}

const numberLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+*#._-"

// startID is the id of a call that is to begin: the same for the same request.
func startID(ctx context.Context, key, wanted string) string {
	switch {
	case wanted != "":
		return strings.ToLower(wanted)
	case key == "":
		return uuid.NewString()
	}
	sum := sha256.Sum256([]byte(api.CallerOf(ctx).Actor + "\n" + key))
	sum[6] = sum[6]&0x0f | 0x80 // version 8, RFC 9562 5.8
	sum[8] = sum[8]&0x3f | 0x80 // variant
	id, err := uuid.FromBytes(sum[:16])
	if err != nil { // sixteen bytes are one
		return hex.EncodeToString(sum[:16])
	}
	return id.String()
}

// startedBefore answers for a call that is there already, or over.
func (w *worker) startedBefore(c *gin.Context, call, tenant string) bool {
	known := startedBody{Call: call, State: callRinging, Detail: "The call has begun already. " + whyOf(call), Explanation: explanationOf(call)}
	if live, ok := w.facts.calls.Get(call, time.Now()); ok {
		if live.Tenant != tenant {
			problem(c, http.StatusConflict, "call_id_used", "Another call has this id.")
			return true
		}
		c.JSON(http.StatusAccepted, known)
		return true
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestWait)
	defer cancel()
	past, err := w.store.Call(ctx, call)
	switch {
	case err == nil && past.Tenant != tenant:
		problem(c, http.StatusConflict, "call_id_used", "Another call has this id.")
		return true
	case err == nil && past.EndedAt != nil, w.facts.calls.HasEnded(call):
		known.State, known.Detail = callEnded, "The call was over already. "+whyOf(call)
		c.JSON(http.StatusAccepted, known)
		return true
	}
	return false
}

// decideStart decides the call as one that is dialled at the first phone, and fills the order. why says why there is none.
func (w *worker) decideStart(order *messages.CallStart, asked startBody, words because.Catalog) (d *decided, status int, code, why string) {
	snapshot := w.source.Current()
	t := snapshot.Tenant(order.Tenant)
	if t == nil {
		return nil, http.StatusConflict, "tenant_not_live", "Nothing of this tenant is live yet."
	}
	now := time.Now().UTC()
	first := w.startDevices(t, asked, order, now)
	if first == nil {
		return nil, http.StatusUnprocessableEntity, "no_phone", "There is no such user with a device, or no such device, in what is live."
	}
	d = w.newDecided(now)
	d.request = routing.Request{Call: order.Call, Source: netip.IPv6Loopback(), Transport: "api", SIPCallID: order.Call, AuthUser: first.Username, AuthRealm: t.Domain,
		To: routing.URI{User: asked.To, Host: t.Domain}, From: routing.URI{User: first.Username, Host: t.Domain}}
	d.facts = w.facts.routing(snapshot, d.request, t.ID, now)
	d.decision = routing.Decide(snapshot, d.facts, d.request)
	decision := d.decision
	node := nodeAt(snapshot, decision.Nodes)
	switch {
	case decision.Verdict == messages.Reject:
		said := "The call may not be made."
		if n := len(decision.Because); n > 0 {
			said = words.Words(decision.Because[n-1])
		}
		if decision.Code == http.StatusServiceUnavailable {
			return nil, http.StatusServiceUnavailable, "no_node", said
		}
		return nil, http.StatusUnprocessableEntity, "call_refused", said
	case decision.FlowID == callflows.EmergencyFlow:
		return nil, http.StatusUnprocessableEntity, "emergency", "The emergency services are called by who needs them, at the phone itself: it is known where that stands."
	case decision.Caller.Device == "" || node == "":
		return nil, http.StatusUnprocessableEntity, "call_refused", "No call can be started by what stands for a trunk."
	}
	caller := decision.Caller
	order.Node, order.Version, order.Flow, order.Dialled = node, decision.Version, decision.FlowID, decision.Dialled
	order.Device, order.Number, order.Name, order.Private = caller.Device, caller.Number, caller.Name, caller.Private
	return d, 0, "", ""
}

// startDevices names the devices that ring first, and gives the one that counts as the caller's: one that is registered, if any is.
func (w *worker) startDevices(t *tenants.Tenant, asked startBody, order *messages.CallStart, now time.Time) (first *tenants.Device) {
	there := func(d *tenants.Device) {
		if len(order.Devices) == messages.MaxOrderedDevices {
			return
		}
		order.Devices = append(order.Devices, d.ID)
		if first == nil || len(w.facts.registrations.Contacts(first.Username, t.Domain, now)) == 0 {
			first = d
		}
	}
	if d := t.Device(asked.Device); asked.Device != "" && d != nil {
		there(d)
	}
	if asked.User != "" {
		for _, d := range t.DevicesOf(asked.User) {
			there(t.Device(d.ID))
		}
	}
	return first
}

// nodeAt names the first of the nodes at these SIP URIs.
func nodeAt(s *tenants.Snapshot, uris []string) string {
	for _, uri := range uris {
		for _, n := range s.Nodes() {
			if n.SIPURI == uri {
				return n.Name
			}
		}
	}
	return ""
}

// answerStart has the order carried out, and answers when the call is heard of, or at last when it should have been.
func (w *worker) answerStart(c *gin.Context, order *messages.CallStart) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), orderWait)
	defer cancel()
	answer := startedBody{Call: order.Call, State: callRinging, Detail: "The first phones ring. " + whyOf(order.Call), Explanation: explanationOf(order.Call)}
	sent, repeat, look := false, time.NewTicker(orderRepeat), time.NewTicker(orderPoll)
	defer repeat.Stop()
	defer look.Stop()
	for {
		owned, rings := w.startCall(order)
		if !owned {
			err := w.rabbit.Publish(ctx, rabbit.ExchangeEvents, string(order.MessageType()), order)
			if sent = sent || err == nil; !sent {
				problem(c, http.StatusServiceUnavailable, "rabbitmq_away", "Another worker has the media node for this call, and the order cannot reach it while RabbitMQ is away. Nothing was done: try again shortly.")
				return
			}
		}
		for again := false; !again; {
			_, live := w.facts.calls.Get(order.Call, time.Now())
			switch {
			case owned && rings || !owned && live:
				c.JSON(http.StatusAccepted, answer)
				return
			case owned || w.facts.calls.HasEnded(order.Call):
				problem(c, http.StatusConflict, "nobody_rings", "No phone rings. "+whyOf(order.Call))
				return
			}
			select {
			case <-look.C:
			case <-repeat.C:
				again = true
			case <-ctx.Done():
				answer.State, answer.Detail = callOrdered, "The order went to every worker, and that the call has begun was not heard of within "+orderWait.String()+". Ask again with the same id or Idempotency-Key: twice does no harm."
				c.JSON(http.StatusAccepted, answer)
				return
			}
		}
	}
}

// startCall carries an order out if this worker owns the call's node. rings says that phones ring for it.
func (w *worker) startCall(m *messages.CallStart) (owned, rings bool) {
	call := callflows.Call{ID: m.Call, Tenant: m.Tenant, Version: m.Version, Leg: callflows.OrderedLeg(m.Call), Node: m.Node, FlowID: m.Flow, Dialled: m.Dialled, SIPCallID: m.Call,
		Caller: callflows.Caller{Device: m.Device, Number: m.Number, Name: m.Name, Private: m.Private},
		Ordered: &callflows.Ordered{By: m.By, Devices: m.Devices, Wait: time.Duration(m.Seconds) * time.Second, AutoAnswer: m.AutoAnswer, Hears: m.Hears,
			Shows: callflows.CallerID{Number: m.ShowNumber, Name: m.ShowName}}}
	for _, n := range w.nodes.list() {
		if owned, rings = n.Order(call); owned {
			return owned, rings
		}
	}
	return false, false
}
