package nodes

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"tandem/callflows"
	"tandem/messages"
)

const calleeLeg = "aaaaaaaa-4444-8444-8444-444444444444"

// holding prepares a node that holds a call of which no worker knows: its channels, and what the caller's carries.
func holding(t *testing.T, mark string, channels ...string) *fakeNode {
	t.Helper()
	f := newFakeNode(t)
	var rows []string
	for _, c := range channels {
		direction := "outbound"
		if c == callerLeg {
			direction = "inbound"
		}
		rows = append(rows, fmt.Sprintf(`{"uuid": %q, "direction": %q}`, c, direction))
	}
	f.channels = fmt.Sprintf(`{"row_count": %d, "rows": [%s]}`, len(rows), strings.Join(rows, ","))
	headers := map[string]string{
		"Event-Name": "CHANNEL_DATA", "Unique-ID": callerLeg, "Call-Direction": "inbound", "Event-Date-Timestamp": "1795332486052393",
		"Caller-Channel-Created-Time": "1795332480000000", "variable_sip_h_X-Tandem-Call": callID, "variable_sip_h_X-Tandem-Tenant": "office",
		"variable_sip_h_X-Tandem-Version": "3", "variable_sip_h_X-Tandem-Flow": "sales", "variable_sip_h_X-Tandem-Dialled": "102",
		"variable_sip_h_X-Tandem-Number": "101", "variable_sip_call_id": "abc@phone", "variable_" + markVariable: mark,
	}
	body, err := json.Marshal(headers)
	if err != nil {
		t.Fatal(err)
	}
	f.dump = string(body)
	return f
}

// ringing is the state of a call whose only target rings.
func ringing() callflows.State {
	return callflows.State{Phase: callflows.Running, FlowID: "sales", Element: "ring", Entered: 1, Commands: 2, Awaited: 2, Stage: "ringing",
		Legs: []callflows.Leg{{ID: callerLeg, Role: messages.RoleCaller, Created: true}, {ID: calleeLeg, Role: messages.RoleCallee, Device: "d2", Created: true}}}
}

// TestRingingCallIsAdopted: a worker that starts goes on with a call that rings, and its legs get their records.
func TestRingingCallIsAdopted(t *testing.T) {
	f, w := ownThat(t, holding(t, encodeMark(ringing(), 9), callerLeg, calleeLeg))
	f.event("CHANNEL_HANGUP_COMPLETE", calleeLeg, "outbound", "Hangup-Cause: USER_BUSY", "variable_hangup_cause_q850: 17",
		"variable_sip_term_status: 486", "variable_sip_hangup_disposition: recv_refuse")
	if c := w.cdr(t); c.Leg != calleeLeg || c.Call != callID || c.Device != "d2" || c.SIPCode != 486 {
		t.Errorf("callee's record: %+v", c)
	}
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: bridge", "Application-UUID: "+callID+"/2", "Answer-State: ringing",
		"variable_originate_disposition: USER_BUSY")
	f.ordered("uuid_kill " + callerLeg + " USER_BUSY")
}

// TestRingThatEndedUnheardIsGoneOnWith: the target of a ring refused while nobody listened.
func TestRingThatEndedUnheardIsGoneOnWith(t *testing.T) {
	f := holding(t, encodeMark(ringing(), 9), callerLeg)
	f.dump = strings.Replace(f.dump, "{", `{"variable_originate_disposition":"USER_BUSY",`, 1)
	ownThat(t, f)
	f.ordered("uuid_kill " + callerLeg + " USER_BUSY")
}

// TestRingThatIsUnderWayIsLeftAlone: the node dials, and no leg of it is there at the moment. Its end is told.
func TestRingThatIsUnderWayIsLeftAlone(t *testing.T) {
	f := holding(t, encodeMark(ringing(), 9), callerLeg)
	f.dump = strings.Replace(f.dump, "{", `{"variable_originate_disposition":"failure",`, 1)
	f, w := ownThat(t, f)
	w.up(t)
	select {
	case c := <-f.commands:
		t.Errorf("ordered: %s", c)
	case code := <-w.reasons:
		if code != "leg_ended" { // the one that has gone
			t.Errorf("the journal says %s", code)
		}
	default:
	}
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: bridge", "Application-UUID: "+callID+"/2", "Answer-State: ringing",
		"variable_originate_disposition: USER_BUSY")
	f.ordered("uuid_kill " + callerLeg + " USER_BUSY")
}

// TestCallThatParkedUnheardBegins: a call that parked while no worker was there begins when one comes.
func TestCallThatParkedUnheardBegins(t *testing.T) {
	f, _ := ownThat(t, holding(t, "", callerLeg))
	f.ordered("execute-app-name: bridge")
}

// TestWaitingElementBeginsAnew: whether a prompt has ended cannot be known, so it is broken off and the element begins anew.
func TestWaitingElementBeginsAnew(t *testing.T) {
	s := ringing()
	s.Stage, s.Legs = "finding", s.Legs[:1]
	f, w := ownThat(t, holding(t, encodeMark(s, 9), callerLeg))
	f.ordered("uuid_break " + callerLeg)
	w.said(t, "resumed")
	if bridge := f.ordered("execute-app-name: bridge"); !strings.Contains(bridge, callID+"/4") {
		t.Errorf("commands are numbered anew: %s", bridge)
	}
}

// TestLegOfAnEarlierRingHoldsNothingUp: a phone that leaves, or was left behind, answers nothing that the call waits for.
func TestLegOfAnEarlierRingHoldsNothingUp(t *testing.T) {
	s := ringing()
	s.Stage = "finding"
	f, w := ownThat(t, holding(t, encodeMark(s, 9), callerLeg, calleeLeg))
	f.ordered("uuid_break " + callerLeg)
	w.said(t, "resumed")
	f.ordered("execute-app-name: bridge")
}

// TestUnreadableMarkBeginsAnew: a call whose state cannot be read is not left in silence.
func TestUnreadableMarkBeginsAnew(t *testing.T) {
	f, _ := ownThat(t, holding(t, "!!", callerLeg))
	f.ordered("execute-app-name: bridge")
}

// TestACallThatBeginsWhileTheNodeIsAskedIsNotResumed: the list of channels may have a call of which we are told a moment
// later. It goes on from there; what it waits for is not ordered once more.
func TestACallThatBeginsWhileTheNodeIsAskedIsNotResumed(t *testing.T) {
	f := holding(t, "", callerLeg)
	asked, answer := make(chan struct{}), make(chan struct{})
	f.beforeAnswers(func(command string) {
		if strings.HasPrefix(command, "api uuid_dump") {
			close(asked)
			<-answer
		}
	})
	f, w := ownThat(t, f)
	<-asked
	f.event("CHANNEL_CREATE", callerLeg, "inbound")
	f.event("CHANNEL_PARK", callerLeg, "inbound")
	w.said(t, "ringing")
	close(answer)
	f.ordered("execute-app-name: bridge")
	w.up(t)
	select {
	case c := <-f.commands:
		t.Errorf("ordered besides: %s", c)
	case code := <-w.reasons:
		t.Errorf("the journal says %s", code)
	default:
	}
}

// TestAChannelWithAListIsAdopted: FreeSWITCH writes a variable that was pushed to as a list.
func TestAChannelWithAListIsAdopted(t *testing.T) {
	f := holding(t, encodeMark(ringing(), 9), callerLeg, calleeLeg)
	f.dump = strings.Replace(f.dump, "{", `{"variable_originated_legs":["a;b;c","d;e;f"],`, 1)
	f, w := ownThat(t, f)
	f.event("CHANNEL_HANGUP_COMPLETE", calleeLeg, "outbound", "Hangup-Cause: USER_BUSY", "variable_hangup_cause_q850: 17")
	if c := w.cdr(t); c.Leg != calleeLeg || c.Device != "d2" {
		t.Errorf("callee's record: %+v", c)
	}
}

// TestACallThatIsNotListedYetIsAskedFor: the list of channels lags behind. A call that it lacks is adopted when the node tells
// of it, and what was told is not lost.
func TestACallThatIsNotListedYetIsAskedFor(t *testing.T) {
	f, w := ownThat(t, holding(t, encodeMark(ringing(), 9), calleeLeg))
	w.up(t)
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: park")
	f.event("CHANNEL_PROGRESS", callerLeg, "inbound")
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: bridge", "Application-UUID: "+callID+"/2", "Answer-State: ringing",
		"variable_originate_disposition: USER_BUSY")
	f.ordered("uuid_kill " + callerLeg + " USER_BUSY")
}

// TestAdoptedCallKnowsWhichLegsAreThere: the mark was written when the ring was ordered. Since then an earlier leg has gone,
// and the one that is rung has come to be; both get their records, whoever goes first.
func TestAdoptedCallKnowsWhichLegsAreThere(t *testing.T) {
	earlier, rung := callerLeg[:8]+"-1111-8111-8111-111111111111", callerLeg[:8]+"-2222-8222-8222-222222222222"
	s := ringing()
	s.Legs = append(s.Legs[:1], callflows.Leg{ID: earlier, Role: messages.RoleCallee, Device: "d1", Created: true},
		callflows.Leg{ID: rung, Role: messages.RoleCallee, Device: "d2"})
	f, w := ownThat(t, holding(t, encodeMark(s, 9), callerLeg, rung))
	if c := w.cdr(t); c.Leg != earlier || !c.Estimated {
		t.Errorf("the record of the leg that has gone: %+v", c)
	}
	f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: ORIGINATOR_CANCEL", "variable_sip_hangup_disposition: recv_cancel")
	if c := w.cdr(t); c.Leg != callerLeg {
		t.Errorf("the caller's record: %+v", c)
	}
	f.event("CHANNEL_HANGUP_COMPLETE", rung, "outbound", "Hangup-Cause: ORIGINATOR_CANCEL")
	if c := w.cdr(t); c.Leg != rung || c.Device != "d2" {
		t.Errorf("the record of the leg that was rung: %+v", c)
	}
}

// TestCallThatIsDrivenByAnotherLegIsAdopted: the caller is gone, and the flow goes on with a leg that the call has dialled. Its
// channel carries what the caller's headers said, and it is the one that is ordered.
func TestCallThatIsDrivenByAnotherLegIsAdopted(t *testing.T) {
	s := ringing()
	s.Driven, s.Stage, s.Legs[0].HungUp, s.Legs[1].Answered = calleeLeg, "finding", true, true
	f := holding(t, "", calleeLeg)
	facts := callflows.Call{ID: callID, Tenant: "office", Version: 3, Leg: callerLeg, Node: "node1", FlowID: "sales", Dialled: "102",
		Caller: callflows.Caller{Number: "101"}}
	headers := map[string]string{"Event-Name": "CHANNEL_DATA", "Unique-ID": calleeLeg, "Call-Direction": "outbound", "Event-Date-Timestamp": "1795332486052393",
		"Caller-Channel-Created-Time": "1795332480000000", "variable_" + factsVariable: encodeFacts(facts), "variable_" + markVariable: encodeMark(s, 9)}
	body, err := json.Marshal(headers)
	if err != nil {
		t.Fatal(err)
	}
	f.dump = string(body)
	f, w := ownThat(t, f)
	f.ordered("uuid_break " + calleeLeg)
	w.said(t, "resumed")
	if bridge := f.ordered("execute-app-name: bridge"); !strings.Contains(bridge, callID+"/4") || !strings.Contains(bridge, "sendmsg "+calleeLeg) {
		t.Errorf("the driven leg dials: %s", bridge)
	}
	f.event("CHANNEL_HANGUP_COMPLETE", calleeLeg, "outbound", "Hangup-Cause: NORMAL_CLEARING", "variable_hangup_cause_q850: 16",
		"variable_sip_hangup_disposition: recv_bye", "Caller-Channel-Answered-Time: 1795332486052393")
	if c := w.cdr(t); c.Leg != calleeLeg || c.Role != messages.RoleCallee || c.Device != "d2" {
		t.Errorf("the record of the leg that was driven: %+v", c)
	}
}
