package nodes

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tandem/callflows"
	"tandem/esl"
	"tandem/messages"
	"tandem/tenants"
)

// What a real node tells of a REFER to 102: the leg that parks, and the one that is hung up.
const (
	referSource = "variable_transfer_source: 1795376032:9b017880-1325-4c2d-a832-fdec00a7affb:bl_xfer:102/tandem/XML"
	referNumber = "Caller-Destination-Number: 102"
	referGone   = "variable_endpoint_disposition: BLIND_TRANSFER"
)

// transferable are options under which 102 leads to the flow that rings the sales phone.
func transferable(t *testing.T, f *fakeNode, w *world) Options {
	t.Helper()
	o := options(t, f, w)
	snapshot, faults := tenants.NewSnapshot(tenants.Data{Tenants: []tenants.Tenant{{
		ID: "office", Name: "Office", Domain: "office.example", TimeZone: "UTC",
		Users:   []tenants.User{{ID: "u1", Name: "Reception", Extension: "101"}, {ID: "u2", Name: "Sales", Extension: "102"}},
		Devices: []tenants.Device{{ID: "d1", UserID: "u1", Name: "Reception", Username: "101"}, {ID: "d2", UserID: "u2", Name: "Sales phone", Username: "102"}},
		Published: tenants.Published{Version: 3, Routes: []tenants.Route{{Dialled: "102", FlowID: "sales"}}, Flows: []tenants.Flow{{ID: "sales", Name: "Sales", Start: "ring",
			Elements: map[string]tenants.Element{"ring": {Type: "ring", Settings: []byte(`{"users":["u2"],"seconds":20}`)}}}}},
	}}}, callflows.ParseSettings)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	o.Snapshot = func() *tenants.Snapshot { return snapshot }
	return o
}

// talking takes a call to the point where both talk, and returns the callee's leg.
func talking(t *testing.T, f *fakeNode) string {
	t.Helper()
	callee := ring(t, f)
	f.event("CHANNEL_CREATE", callee, "outbound")
	f.event("CHANNEL_ANSWER", callee, "outbound")
	f.event("CHANNEL_ANSWER", callerLeg, "inbound")
	f.event("CHANNEL_BRIDGE", callerLeg, "inbound", "Bridge-B-Unique-ID: "+callee, "Answer-State: answered")
	f.ordered("uuid_setvar " + callerLeg + " deny_refer_requests false")
	return callee
}

// TestCalleesReferRingsTheNumber: the end of the bridge is no end of the call when the leg was moved.
func TestCalleesReferRingsTheNumber(t *testing.T) {
	f := newFakeNode(t)
	w := newWorld()
	start(t, transferable(t, f, w))
	<-f.up
	callee := talking(t, f)
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: bridge", "Application-UUID: "+callID+"/2", "Answer-State: answered",
		"variable_originate_disposition: SUCCESS", referSource)
	f.event("CHANNEL_PARK", callerLeg, "inbound", "Answer-State: answered", referSource, referNumber, "variable_last_bridge_to: "+callee)
	if bridge := f.ordered("execute-app-name: bridge"); !strings.Contains(bridge, "sendmsg "+callerLeg) {
		t.Errorf("the caller dials: %s", bridge)
	}
	w.said(t, "transferred")
	select {
	case c := <-f.commands:
		t.Errorf("ordered besides: %s", c)
	default:
	}
}

// findsTalk finds a leg on another node for whoever asks for one of the sales phone's.
type findsTalk chan callflows.Wanted

func (f findsTalk) FindCall(_ callflows.Call, w callflows.Wanted, _ time.Time) *callflows.Found {
	f <- w
	return &callflows.Found{Party: callflows.Party{Leg: "cccccccc-0000-4000-8000-000000000001", Call: "other"}, Node: "elsewhere", Answered: true}
}

// TestReferToATalkOnAnotherNodeCallsThere: the number that an edge writes in place of the other dialog is longer than one that is
// dialled, and names a leg that must be the transferor's own.
func TestReferToATalkOnAnotherNodeCallsThere(t *testing.T) {
	f := newFakeNode(t)
	w := newWorld()
	o, finder := transferable(t, f, w), make(findsTalk, 1)
	o.Finder = finder
	start(t, o)
	<-f.up
	callee := talking(t, f)
	talk := callflows.Consulted{Call: callID, Leg: "cccccccc-0000-4000-8000-000000000002"}
	source := strings.Replace(referSource, "102", talk.Number(), 1)
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: bridge", "Application-UUID: "+callID+"/2", "Answer-State: answered",
		"variable_originate_disposition: SUCCESS", source)
	f.event("CHANNEL_PARK", callerLeg, "inbound", "Answer-State: answered", source, "Caller-Destination-Number: "+talk.Number(), "variable_last_bridge_to: "+callee)
	if bridge := f.ordered("execute-app-name: bridge"); !strings.Contains(bridge, "sip_h_X-Tandem-Replaces="+talk.Call+"."+talk.Leg+".transfer") {
		t.Errorf("the other node is called: %s", bridge)
	}
	if wanted := <-finder; wanted.Leg != talk.Leg || wanted.Call != talk.Call || len(wanted.Devices) != 1 {
		t.Errorf("looked for: %+v", wanted)
	}
	w.said(t, "transferred_attended")
}

// TestARefusedTransferIsTold: once, in the call that the leg belongs to, by the owner of its node.
func TestARefusedTransferIsTold(t *testing.T) {
	f := newFakeNode(t)
	w := newWorld()
	n := New(transferable(t, f, w))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); n.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	<-f.up
	callee := talking(t, f)
	m := messages.TransferRefused{ID: "r1", Call: callID, Leg: callee, Why: messages.TransferNotOwn}
	if !n.TransferRefused(&m) {
		t.Error("the owner does not know the call")
	}
	w.said(t, "transfer_not_own")
	m.Leg = "dddddddd-0000-4000-8000-000000000001"
	if n.TransferRefused(&m) {
		t.Error("a leg that nobody has is known")
	}
	if m.Leg, m.Call = callee, "other"; n.TransferRefused(&m) {
		t.Error("the leg is another call's")
	}
}

// TestCallersReferDrivesTheCallee: the leg that stays is ordered, and carries what a worker that knows nothing needs. Which of the two
// is told of first is not fixed.
func TestCallersReferDrivesTheCallee(t *testing.T) {
	for name, parksFirst := range map[string]bool{"the caller goes first": false, "the callee parks first": true} {
		t.Run(name, func(t *testing.T) {
			f := newFakeNode(t)
			w := newWorld()
			start(t, transferable(t, f, w))
			<-f.up
			callee := talking(t, f)
			carries := make(chan string, 8)
			f.beforeAnswers(func(command string) {
				if strings.HasPrefix(command, "api uuid_setvar_multi "+callee) {
					carries <- command
				}
			})
			gone := func() {
				f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: NORMAL_CLEARING", "variable_hangup_cause_q850: 16",
					"variable_sip_hangup_disposition: send_bye", "Caller-Channel-Answered-Time: 1795332486052393", referGone, "variable_last_bridge_to: "+callee)
			}
			if !parksFirst {
				gone()
			}
			f.event("CHANNEL_PARK", callee, "outbound", "Answer-State: answered", referSource, referNumber, "variable_last_bridge_to: "+callerLeg)
			if bridge := f.ordered("execute-app-name: bridge"); !strings.Contains(bridge, "sendmsg "+callee) {
				t.Errorf("the callee dials: %s", bridge)
			}
			if set := <-carries; !strings.Contains(set, markVariable+"=") || !strings.Contains(set, factsVariable+"=") {
				t.Errorf("the leg that is driven now carries: %s", set)
			}
			if parksFirst {
				gone()
			}
			if c := w.cdr(t); c.Leg != callerLeg || c.Role != messages.RoleCaller || c.Cause != "NORMAL_CLEARING" {
				t.Errorf("the caller's record: %+v", c)
			}
		})
	}
}

// TestLegThatIsJoinedByReferCarriesItsCall: the caller has joined the callee with another call's leg, and is gone. Nothing is ordered of the
// callee any more, and a worker that knows nothing must know whose it is all the same.
func TestLegThatIsJoinedByReferCarriesItsCall(t *testing.T) {
	f := newFakeNode(t)
	w := newWorld()
	start(t, transferable(t, f, w))
	<-f.up
	callee := talking(t, f)
	carries := make(chan string, 8)
	f.beforeAnswers(func(command string) {
		if strings.HasPrefix(command, "api uuid_setvar_multi "+callee) {
			carries <- command
		}
	})
	f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: NORMAL_CLEARING", "variable_hangup_cause_q850: 16",
		"variable_sip_hangup_disposition: send_bye", "Caller-Channel-Answered-Time: 1795332486052393", "variable_transfer_to: att:bbbbbbbb-other", "variable_last_bridge_to: "+callee)
	if set := <-carries; !strings.Contains(set, markVariable+"=") || !strings.Contains(set, factsVariable+"=") {
		t.Errorf("the leg that is driven now carries: %s", set)
	}
}

// TestTransferThatNobodyHeardOfIsCarriedOn: the node has parked the caller while no worker was there.
func TestTransferThatNobodyHeardOfIsCarriedOn(t *testing.T) {
	s := ringing()
	s.Phase, s.Answered, s.Legs[1].Answered, s.Legs[1].Bridged, s.Legs[1].Device = callflows.Talking, true, true, true, "d1"
	f := holding(t, encodeMark(s, 9), callerLeg)
	var headers map[string]string
	if err := json.Unmarshal([]byte(f.dump), &headers); err != nil {
		t.Fatal(err)
	}
	headers["variable_transfer_source"] = strings.TrimPrefix(referSource, "variable_transfer_source: ")
	headers["Caller-Destination-Number"], headers["variable_last_bridge_to"] = "102", calleeLeg
	body, err := json.Marshal(headers)
	if err != nil {
		t.Fatal(err)
	}
	f.dump = string(body)
	w := newWorld()
	start(t, transferable(t, f, w))
	<-f.up
	w.said(t, "transferred")
	f.ordered("execute-app-name: bridge")
}

// TestLegThatWasTransferredInAGapIsTakenOn: a phone was answered, talked, and was transferred by the caller, who is gone, all while the
// worker's connection was lost. The call goes on with the phone.
func TestLegThatWasTransferredInAGapIsTakenOn(t *testing.T) {
	f := newFakeNode(t)
	w := newWorld()
	start(t, transferable(t, f, w))
	<-f.up
	callee := ring(t, f)
	f.event("CHANNEL_CREATE", callee, "outbound")
	f.event("CHANNEL_PROGRESS", callee, "outbound")
	w.said(t, "leg_rang")
	body, err := json.Marshal(map[string]string{"Event-Name": "CHANNEL_DATA", "Unique-ID": callee, "Call-Direction": "outbound", "Answer-State": "answered",
		"Event-Date-Timestamp": fmt.Sprint(time.Now().UnixMicro()), "variable_transfer_source": strings.TrimPrefix(referSource, "variable_transfer_source: "),
		"Caller-Destination-Number": "102", "variable_last_bridge_to": callerLeg})
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	f.channels, f.dump = fmt.Sprintf(`{"row_count": 1, "rows": [{"uuid": %q, "direction": "outbound"}]}`, callee), string(body)
	f.mu.Unlock()
	f.drop()
	<-f.up
	if c := w.cdr(t); c.Leg != callerLeg || !c.Estimated {
		t.Errorf("the caller's record: %+v", c)
	}
	w.said(t, "transferred")
	if bridge := f.ordered("execute-app-name: bridge"); !strings.Contains(bridge, "sendmsg "+callee) {
		t.Errorf("the phone that was transferred dials: %s", bridge)
	}
}

// TestLegThatNobodyKnowsDoesNotWait: a leg talked on with another call's when its workers died, and carries nothing of its own call. When it is
// passed on it parks, and nobody would go on with it.
func TestLegThatNobodyKnowsDoesNotWait(t *testing.T) {
	f := newFakeNode(t)
	const leg = "9b017880-77aa-4c2d-a832-fdec00a7affb"
	source := strings.TrimPrefix(referSource, "variable_transfer_source: ")
	body, err := json.Marshal(map[string]string{"Event-Name": "CHANNEL_DATA", "Unique-ID": leg, "Call-Direction": "outbound", "Answer-State": "answered",
		"Event-Date-Timestamp": fmt.Sprint(time.Now().UnixMicro()), "variable_transfer_source": source, "Caller-Destination-Number": "102"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	start(t, transferable(t, f, w))
	<-f.up
	f.mu.Lock()
	f.dump = string(body)
	f.mu.Unlock()
	f.event("CHANNEL_PARK", leg, "outbound", "Answer-State: answered", "Caller-Destination-Number: 102", referSource)
	f.ordered("uuid_kill " + leg + " NORMAL_TEMPORARY_FAILURE")
}

// TestLegThatWasTakenOutIsNotForgottenForItsListeners: a worker without a standby died when it had taken the caller out of his page. Who
// listened is still there, and says nothing of him.
func TestLegThatWasTakenOutIsNotForgottenForItsListeners(t *testing.T) {
	s := ringing()
	s.Answered, s.Stage, s.Legs[1].Answered = true, "moving", true
	f, w := ownThat(t, holding(t, encodeMark(s, 9), callerLeg, calleeLeg))
	f.ordered("uuid_break " + callerLeg)
	w.said(t, "moved_resumed")
}

// TestTransferThatIsOrderedDuringAGapIsOrderedOnce: somebody orders it while what the call waited for is being broken off.
func TestTransferThatIsOrderedDuringAGapIsOrderedOnce(t *testing.T) {
	s := ringing()
	s.Stage, s.Answered, s.Legs = "finding", true, s.Legs[:1]
	f := holding(t, encodeMark(s, 9), callerLeg)
	w := newWorld()
	n := New(transferable(t, f, w))
	f.beforeAnswers(func(command string) {
		if strings.HasPrefix(command, "api uuid_break") {
			n.Transfer(TransferOrder{ID: "one", Call: callID, To: "102", By: "Eve"})
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.Run(ctx)
	}()
	defer func() { cancel(); <-ended }()
	w.up(t)
	w.said(t, "transfer_ordered")
	f.ordered("uuid_transfer " + callerLeg)
	for len(w.reasons) > 0 {
		if code := <-w.reasons; code == "transfer_ordered_again" {
			t.Error("it is ordered twice")
		}
	}
}

// TestTransferThatWasOrderedInAGapIsOrderedOnce: it was sent as soon as the node was there again, before the call is taken up.
func TestTransferThatWasOrderedInAGapIsOrderedOnce(t *testing.T) {
	state := ringing()
	state.Call = callflows.Call{ID: callID, Leg: callerLeg, Tenant: "office", Version: 3, FlowID: "sales"}
	state.Stage, state.Answered, state.Legs = "finding", true, state.Legs[:1]
	f, w := holding(t, "", callerLeg), newWorld()
	n := New(transferable(t, f, w))
	conn, err := esl.Dial(t.Context(), esl.Options{Address: f.listener.Addr().String(), Password: "secret", Events: subscription(), Handle: func(int, *esl.Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := n.shardOf(callerLeg)
	s.mu.Lock()
	c := s.newCall(state.Call)
	c.state = state
	s.mu.Unlock()
	n.gaps.Add(1)
	n.up.Store(conn)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.send(ctx)
	}()
	defer func() { cancel(); <-ended }()
	n.Transfer(TransferOrder{ID: "one", Call: callID, To: "102", By: "Eve"})
	f.ordered("uuid_transfer " + callerLeg)
	for queued := true; queued; { // until the node's answer is read
		s.mu.Lock()
		queued = c.queued != 0
		s.mu.Unlock()
	}
	n.reconcile(t.Context(), conn)
	for len(w.reasons) > 0 {
		if code := <-w.reasons; code == "transfer_ordered_again" {
			t.Error("it is ordered twice")
		}
	}
}

// TestMarkCarriesATransfer: where to, who is rung back, and which move it was.
func TestMarkCarriesATransfer(t *testing.T) {
	s := ringingState()
	s.Transfer = callflows.Transfer{Times: 2, Source: "1:a:bl_xfer:+4930555/tandem/XML", Parked: true, Target: "+4930555", Device: "sales-phone", Recalled: true}
	got, _, err := decodeMark(encodeMark(s, 1), s.Call)
	if err != nil {
		t.Fatal(err)
	}
	if restoreTransfer(&got, s.Transfer.Source); got.Transfer != s.Transfer {
		t.Errorf("%+v became %+v", s.Transfer, got.Transfer)
	}
	if restoreTransfer(&got, "2:b:bl_xfer:103/tandem/XML"); got.Transfer.Parked {
		t.Error("a transfer that came later is taken for the one that is known")
	}
}

// TestHostileReferToIsNoNumber: what is no number leads nowhere, and is not taken for an order of ours.
func TestHostileReferToIsNoNumber(t *testing.T) {
	for _, target := range []string{"", "1 2", "a@b", "${x}", "{a=b}1", strings.Repeat("1", 65), "1,2", "\xff"} {
		if dialable(target) {
			t.Errorf("%q is dialled", target)
		}
	}
}
