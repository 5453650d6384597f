package nodes

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"tandem/callflows"
	"tandem/messages"
)

var origination = regexp.MustCompile(`origination_uuid=([0-9a-f-]{36})`)

// ring takes a call to the point where its only target is dialled, and returns that leg.
func ring(t *testing.T, f *fakeNode) string {
	t.Helper()
	f.event("CHANNEL_CREATE", callerLeg, "inbound")
	f.event("CHANNEL_PARK", callerLeg, "inbound")
	bridge := f.ordered("execute-app-name: bridge")
	found := origination.FindStringSubmatch(bridge)
	if found == nil {
		t.Fatalf("the dialled leg has no uuid of ours: %s", bridge)
	}
	if found[1][:8] != callerLeg[:8] {
		t.Errorf("leg %s is not in the shard of its call", found[1])
	}
	return found[1]
}

// TestCallFromParkToRecords: a call is driven from park to its end, and each leg gets one record.
func TestCallFromParkToRecords(t *testing.T) {
	f, w := own(t)
	callee := ring(t, f)
	f.event("CHANNEL_CREATE", callee, "outbound", "Caller-Destination-Number: 102")
	f.event("CHANNEL_PROGRESS", callee, "outbound")
	f.event("CHANNEL_ANSWER", callee, "outbound")
	f.event("CHANNEL_ANSWER", callerLeg, "inbound")
	f.event("CHANNEL_BRIDGE", callerLeg, "inbound", "Bridge-B-Unique-ID: "+callee)
	f.event("CHANNEL_HANGUP_COMPLETE", callee, "outbound", "Hangup-Cause: NORMAL_CLEARING", "variable_hangup_cause_q850: 16",
		"variable_sip_hangup_disposition: recv_bye", "Caller-Channel-Answered-Time: 1795332486052393")
	if c := w.cdr(t); c.Leg != callee || c.Role != messages.RoleCallee || c.Call != callID || c.Tenant != "office" || c.Device != "d2" || c.AnsweredAt == nil {
		t.Errorf("callee's record: %+v", c)
	}
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: bridge", "Application-UUID: "+callID+"/2", "Answer-State: answered",
		"variable_originate_disposition: SUCCESS")
	f.ordered("uuid_kill " + callerLeg + " NORMAL_CLEARING")
	f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: NORMAL_CLEARING", "variable_hangup_cause_q850: 16",
		"variable_sip_hangup_disposition: send_bye", "Caller-Channel-Answered-Time: 1795332486052393")
	if c := w.cdr(t); c.Leg != callerLeg || c.Fault != messages.FaultNone || c.SIPCallID != "abc@phone" || c.Version != 3 {
		t.Errorf("caller's record: %+v", c)
	}
}

// TestPanicEndsOneCall: a fault of ours ends that call with a reason, and the next call is served.
func TestPanicEndsOneCall(t *testing.T) {
	f, w := own(t)
	w.contacts = func() []callflows.Contact { panic("planted") }
	f.event("CHANNEL_CREATE", callerLeg, "inbound")
	f.event("CHANNEL_PARK", callerLeg, "inbound")
	f.ordered("uuid_kill " + callerLeg + " NORMAL_TEMPORARY_FAILURE")
	f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: NORMAL_TEMPORARY_FAILURE", "variable_hangup_cause_q850: 41")
	if c := w.cdr(t); c.Fault != messages.FaultPlatform || c.SIPCode != 503 {
		t.Errorf("record: fault %s, SIP %d; want platform, 503", c.Fault, c.SIPCode)
	}
	w.said(t, "step_panicked")
	w.contacts = nil
	next := callerLeg[:len(callerLeg)-1] + "9"
	f.event("CHANNEL_CREATE", next, "inbound")
	f.event("CHANNEL_PARK", next, "inbound")
	f.ordered("sendmsg " + next)
}

// TestFirstWordsOnACallThatIsOverBeginNothing: on a connection that is late a call's first events may come after its end was found out, and
// would begin it once more.
func TestFirstWordsOnACallThatIsOverBeginNothing(t *testing.T) {
	f, w := own(t)
	begin := func(leg string) {
		f.event("CHANNEL_CREATE", leg, "inbound")
		f.event("CHANNEL_PARK", leg, "inbound")
	}
	begin(callerLeg)
	f.ordered("execute-app-name: bridge")
	f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: ORIGINATOR_CANCEL", "variable_sip_hangup_disposition: recv_cancel")
	w.cdr(t)
	begin(callerLeg)
	next := callerLeg[:len(callerLeg)-1] + "9" // of the same shard
	begin(next)
	if bridge := f.ordered("execute-app-name: bridge"); !strings.Contains(bridge, "sendmsg "+next) {
		t.Errorf("the call that is over begins again: %s", bridge)
	}
}

// TestGapEndsCallsThatAreGone: after a lost connection a call whose channels are gone gets estimated records.
func TestGapEndsCallsThatAreGone(t *testing.T) {
	f, w := own(t)
	callee := ring(t, f)
	f.event("CHANNEL_CREATE", callee, "outbound")
	f.event("CHANNEL_PROGRESS", callee, "outbound")
	w.said(t, "leg_rang")
	f.drop()
	<-f.up
	for range 2 {
		if c := w.cdr(t); !c.Estimated {
			t.Errorf("record of %s is not marked as estimated", c.Leg)
		}
	}
}

// TestGapKeepsCallsThatAreThere: after a lost connection a call that is still there goes on.
func TestGapKeepsCallsThatAreThere(t *testing.T) {
	f, w := own(t)
	callee := ring(t, f)
	f.event("CHANNEL_CREATE", callee, "outbound")
	f.event("CHANNEL_PROGRESS", callee, "outbound")
	w.said(t, "leg_rang")
	f.channels = `{"row_count": 2, "rows": [{"uuid": "` + callerLeg + `"}, {"uuid": "` + callee + `"}]}`
	f.drop()
	<-f.up
	f.event("CHANNEL_HANGUP_COMPLETE", callee, "outbound", "Hangup-Cause: USER_BUSY", "variable_hangup_cause_q850: 17",
		"variable_sip_term_status: 486", "variable_sip_hangup_disposition: recv_refuse")
	if c := w.cdr(t); c.Estimated || c.SIPCode != 486 {
		t.Errorf("record: %+v; want the node's own word", c)
	}
}

// TestRefusedCommandEndsTheCall: what the node refuses ends the call with that reason rather than in silence.
func TestRefusedCommandEndsTheCall(t *testing.T) {
	f, w := own(t)
	f.refuse = "execute-app-name: bridge"
	f.event("CHANNEL_CREATE", callerLeg, "inbound")
	f.event("CHANNEL_PARK", callerLeg, "inbound")
	f.ordered("uuid_kill " + callerLeg + " NORMAL_TEMPORARY_FAILURE")
	w.said(t, "node_refused")
}

// TestHostileContactIsLeftOut: a contact that no dial string can carry does not keep the others from ringing.
func TestHostileContactIsLeftOut(t *testing.T) {
	f, w := own(t)
	w.contacts = func() []callflows.Contact {
		return []callflows.Contact{{Device: "d2", URI: "sip:102@127.0.0.1:5090],[x=${system(true)}]sofia/internal/evil"}, {Device: "d2", URI: "sip:102@127.0.0.1:5091"}}
	}
	f.event("CHANNEL_CREATE", callerLeg, "inbound")
	f.event("CHANNEL_PARK", callerLeg, "inbound")
	bridge := f.ordered("execute-app-name: bridge")
	if regexp.MustCompile(`system|evil|5090`).MatchString(bridge) {
		t.Errorf("the hostile contact was dialled: %s", bridge)
	}
}

// TestCallerGoneBeforePark: a caller who gives up before the node has parked him gets his record.
func TestCallerGoneBeforePark(t *testing.T) {
	f, w := own(t)
	f.event("CHANNEL_CREATE", callerLeg, "inbound")
	f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: ORIGINATOR_CANCEL", "variable_hangup_cause_q850: 16",
		"variable_sip_hangup_disposition: recv_cancel", "variable_sip_term_status: 487")
	if c := w.cdr(t); c.SIPCode != 487 || c.Fault != messages.FaultCaller {
		t.Errorf("record: SIP %d, fault %s; want 487, caller", c.SIPCode, c.Fault)
	}
}

// TestForeignChannelIsLeftAlone: a channel without our headers is not Tandem's call, and calls go on beside it.
func TestForeignChannelIsLeftAlone(t *testing.T) {
	const foreign = "aaaaaaaa-3333-4333-8333-333333333333"
	f, w := own(t)
	headers := "Event-Name: CHANNEL_PARK\nUnique-ID: " + foreign + "\nCall-Direction: inbound\n\n"
	f.write(fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(headers), headers))
	ring(t, f)
	w.said(t, "ringing")
	select {
	case c := <-f.commands:
		t.Errorf("an order besides those of the call: %s", c)
	default:
	}
}
