package routing

import (
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

// DecideTransfer says what an edge does with a phone's REFER in one talk that names another; nil is a dialog that nobody knows, or
// knows yet. Two talks of one node are the node's own business, as are those that are not known: it refuses what it does not know,
// and the phone keeps both talks. Across nodes the phone must be a party of both.
func DecideTransfer(in, to *Talk) (verdict messages.TransferVerdict, number string) {
	switch {
	case in == nil || to == nil:
		return messages.TransferPass, ""
	case in.Tenant != to.Tenant:
		return messages.TransferRefuse, ""
	case in.Node == to.Node:
		return messages.TransferPass, ""
	case in.Device == "" || in.Device != to.Device || !in.Talks || !to.Talks:
		return messages.TransferRefuse, ""
	case in.Flow == callflows.EmergencyFlow || to.Flow == callflows.EmergencyFlow: // nobody is passed on to the emergency services, nor they
		return messages.TransferRefuse, ""
	}
	return messages.TransferAcross, callflows.Consulted{Call: to.Call, Leg: to.Leg}.Number()
}

// AnswerTransfer is what an edge is told of its REFER.
func AnswerTransfer(m *messages.TransferRequest, verdict messages.TransferVerdict, number string) *messages.TransferAnswer {
	return &messages.TransferAnswer{EventCategory: messages.TransferAnswerCategory, EventName: messages.TransferAnswerName,
		TIndex: m.TIndex, TLabel: m.TLabel, CallID: m.CallID, Type: messages.TransferAnswerV1, Verdict: verdict, To: number}
}
