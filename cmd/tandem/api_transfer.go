package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"tandem/messages"
	"tandem/nodes"
	"tandem/provisioning/api"
	"tandem/rabbit"
)

// callTransferring is what became of an order that the owner of the call's node has taken.
const callTransferring = "transferring"

// transferBody asks for a transfer.
type transferBody struct {
	To  string `json:"to" example:"102"`
	Leg string `json:"leg,omitempty" doc:"Absent: the one that the flow drives."`
	By  string `json:"by,omitempty" doc:"Who wants it, besides whose key it is."`
}

// transferOf is the order as a node takes it.
func transferOf(m *messages.CallOrder) nodes.TransferOrder {
	return nodes.TransferOrder{ID: m.ID, Call: m.Call, Leg: m.Leg, To: m.To, By: m.By}
}

// transferAPI takes a leg of a live call to a number. Whichever worker is asked, the owner of the call's node carries it out. The
// answer is 200 when this worker is the owner and the leg is on its way, 409 when it cannot be, and 202 when another worker was
// told.
func (w *worker) transferAPI(c *gin.Context) {
	var asked transferBody
	if err := c.ShouldBindJSON(&asked); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"to": "number", "leg": "leg, if not the one that the flow drives", "by": "who wants it"}.`)
		return
	}
	order := &messages.CallOrder{Type: messages.CallOrderV1, Call: c.Param("call"), Order: messages.OrderTransfer, By: api.By(c.Request.Context(), asked.By), ID: uuid.NewString(),
		Leg: asked.Leg, To: asked.To, At: time.Now().UTC()}
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
		problem(c, http.StatusConflict, "call_over", "The call is over.")
		return
	case call.State == callUnseen:
		problem(c, http.StatusConflict, "call_unseen", "This worker has not seen the call on a media node. Ask again shortly.")
		return
	}
	order.Call = call.Call
	w.log.InfoContext(c.Request.Context(), "a call is to be transferred", slog.String("call_id", order.Call), slog.String("by", order.By))
	owned, taken := w.transfer(order)
	switch {
	case taken:
		c.JSON(http.StatusOK, gin.H{"call": order.Call, "state": callTransferring, "detail": "The leg is on its way. " + whyOf(order.Call)})
	case owned:
		problem(c, http.StatusConflict, "not_transferred", "Nobody is transferred. "+whyOf(order.Call))
	default:
		w.passOn(c, order)
	}
}

func whyOf(call string) string { return "What comes of it: GET " + explanationOf(call) + "." }

// transfer carries the order out if this worker owns the call's node.
func (w *worker) transfer(m *messages.CallOrder) (owned, taken bool) {
	for _, n := range w.nodes.list() {
		if owned, taken = n.Transfer(transferOf(m)); owned {
			return owned, taken
		}
	}
	return false, false
}

// passOn sends the order to all workers.
func (w *worker) passOn(c *gin.Context, order *messages.CallOrder) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), orderWait)
	defer cancel()
	if err := w.rabbit.Publish(ctx, rabbit.ExchangeEvents, string(order.MessageType()), order); err != nil {
		problem(c, http.StatusServiceUnavailable, "rabbitmq_away", "Another worker drives this call, and the order cannot reach it while RabbitMQ is away. Nothing was done: try again shortly, or ask the worker that owns the node.")
		return
	}
	c.JSON(http.StatusAccepted, gin.H{"call": order.Call, "state": callOrdered, "detail": "The order went to the owner of the call's node. " + whyOf(order.Call)})
}
