package routing

import (
	"fmt"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

// Talk is one of the two talks of a phone that makes one of their other sides' (REFER with Replaces, RFC 3891), as the leg of that
// phone has it.
type Talk struct {
	Call, Leg, Node string
	Tenant, Device  string
	Flow            string // of the call, at work
	Talks           bool   // to somebody
}

// TransferDecision is what DecideTransfer gives.
type TransferDecision struct {
	Verdict messages.TransferVerdict
	Number  string               // across: what the node is told to transfer to
	Why     messages.TransferWhy // what the calls are told; empty: nothing
}

// DecideTransfer says what an edge does with a phone's REFER in one talk that names another; nil is a dialog that nobody knows, or
// knows yet. Two talks of one node are the node's own business, as are those that are not known: it refuses what it does not know,
// and the phone keeps both talks. Across nodes the phone must be a party of both.
func DecideTransfer(in, to *Talk) TransferDecision {
	refuse := func(why messages.TransferWhy) TransferDecision {
		return TransferDecision{Verdict: messages.TransferRefuse, Why: why}
	}
	switch {
	case in == nil || to == nil:
		return TransferDecision{Verdict: messages.TransferPass, Why: messages.TransferUnknown}
	case in.Tenant != to.Tenant:
		return refuse(messages.TransferNotOwn)
	case in.Node == to.Node:
		return TransferDecision{Verdict: messages.TransferPass}
	case in.Device == "" || in.Device != to.Device:
		return refuse(messages.TransferNotOwn)
	case in.Flow == callflows.EmergencyFlow || to.Flow == callflows.EmergencyFlow: // nobody is passed on to the emergency services, nor they
		return refuse(messages.TransferEmergency)
	case !in.Talks || !to.Talks:
		return refuse(messages.TransferNobody)
	}
	return TransferDecision{Verdict: messages.TransferAcross, Number: callflows.Consulted{Call: to.Call, Leg: to.Leg}.Number()}
}

// TransferRefusals are what the calls concerned are told of a decision, for their explanations. A call of another tenant's is told
// nothing, and not named.
func TransferRefusals(m *messages.TransferRequest, in, to *Talk, d TransferDecision, at time.Time) (all []*messages.TransferRefused) {
	if d.Why == "" || in == nil {
		return nil
	}
	id := fmt.Sprintf("%s:%d:%d", m.Edge, m.TIndex, m.TLabel)
	asked := &messages.TransferRefused{Type: messages.TransferRefusedV1, ID: id, Call: in.Call, Leg: in.Leg, Why: d.Why, At: at}
	if to == nil || to.Tenant != in.Tenant {
		return append(all, asked)
	}
	asked.Other = to.Call
	return append(all, asked, &messages.TransferRefused{Type: messages.TransferRefusedV1, ID: id, Call: to.Call, Leg: to.Leg, Here: true, Other: in.Call, Why: d.Why, At: at})
}

// AnswerTransfer is what an edge is told of its REFER.
func AnswerTransfer(m *messages.TransferRequest, d TransferDecision) *messages.TransferAnswer {
	return &messages.TransferAnswer{EventCategory: messages.TransferAnswerCategory, EventName: messages.TransferAnswerName,
		TIndex: m.TIndex, TLabel: m.TLabel, CallID: m.CallID, Type: messages.TransferAnswerV1, Verdict: d.Verdict, To: d.Number}
}
