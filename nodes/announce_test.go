package nodes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

// heardLive keeps what a worker says of live calls.
type heardLive struct {
	calls   chan *messages.NodeCalls
	dialogs chan *messages.NodeDialogs
	away    atomic.Bool
}

func newHeardLive() *heardLive {
	return &heardLive{calls: make(chan *messages.NodeCalls, 1000), dialogs: make(chan *messages.NodeDialogs, 1000)}
}

func (h *heardLive) AnnounceCalls(m *messages.NodeCalls) error {
	if h.away.Load() {
		return errors.New("away")
	}
	h.calls <- m
	return nil
}

func (h *heardLive) AnnounceDialogs(m *messages.NodeDialogs) { h.dialogs <- m }
func (h *heardLive) NoteNews(*messages.NodeNews)             {}
func (h *heardLive) AnnounceNews(*messages.NodeNews)         {}

// hears waits for an announcement that is as wanted.
func hears[M messages.Message](t *testing.T, all chan M, what string, want func(M) bool) M {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case m := <-all:
			if err := m.Validate(); err != nil {
				t.Fatal(err)
			}
			if want(m) {
				return m
			}
		case <-deadline:
			t.Fatalf("not announced: %s", what)
		}
	}
}

func one(m *messages.NodeCalls) bool { return len(m.Calls) == 1 }

// dumpOfLeg is what the node says of a leg after the ACK.
func dumpOfLeg(leg, direction string, more map[string]string) string {
	d := map[string]string{"Unique-ID": leg, "Call-Direction": direction, "Answer-State": "answered", "variable_sip_call_id": "abc@phone",
		"variable_sip_full_from": "<sip:101@office.example>;tag=phone", "variable_sip_full_to": "<sip:102@office.example>;tag=node",
		"variable_sip_contact_uri": "101@192.0.2.7:5060", "variable_sip_cseq": "1"}
	for name, value := range more {
		d[name] = value
	}
	body, _ := json.Marshal(d)
	return string(body)
}

// answerHeaders are what CHANNEL_ANSWER of a caller's leg says of its dialog.
func answerHeaders() []string {
	return []string{"Answer-State: answered", "variable_sip_full_from: <sip:101@office.example>;tag=phone", "variable_sip_full_to: <sip:102@office.example>",
		"variable_sip_contact_uri: 101@192.0.2.7:5060"}
}

// calleeHeaders are what CHANNEL_ANSWER of a dialled leg says of its dialog.
func calleeHeaders() []string {
	return []string{"Answer-State: answered", "variable_sip_call_id: def@node", "variable_sip_full_from: <sip:101@office.example>;tag=node2",
		"variable_sip_full_to: <sip:102@192.0.2.8>;tag=callee", "variable_sip_recover_contact: <sip:102@192.0.2.8:5060>", "variable_sip_cseq: 77"}
}

// talk brings a call to where both legs are answered.
func talk(t *testing.T, f *fakeNode) (callee string) {
	t.Helper()
	callee = ring(t, f)
	f.event("CHANNEL_CREATE", callee, "outbound")
	f.event("CHANNEL_ANSWER", callee, "outbound", calleeHeaders()...)
	f.event("CHANNEL_ANSWER", callerLeg, "inbound", answerHeaders()...)
	f.event("CHANNEL_BRIDGE", callerLeg, "inbound", append(answerHeaders(), "Bridge-B-Unique-ID: "+callee)...)
	return callee
}

// TestAnOwnerAnnouncesItsCallsAndTheirDialogs: at once when it takes the node, when it is asked, and dialogs as soon as they
// are known, for which the tag that no event tells is looked up.
func TestAnOwnerAnnouncesItsCallsAndTheirDialogs(t *testing.T) {
	f, live := newFakeNode(t), newHeardLive()
	f.dump = dumpOfLeg(callerLeg, "inbound", nil)
	o := options(t, f, newWorld())
	o.Live = live
	n := New(o)
	run(t, n)
	<-f.up
	none := hears(t, live.calls, "an empty node", func(m *messages.NodeCalls) bool { return true })
	if none.Part != 0 || none.Of != 1 || none.N == 0 || none.Worker != "worker1" || len(none.Calls) != 0 {
		t.Errorf("%+v", none)
	}
	callee := talk(t, f)
	known := map[string]messages.Dialog{}
	for len(known) < 2 {
		m := hears(t, live.dialogs, "the dialogs of both legs", func(*messages.NodeDialogs) bool { return true })
		for _, d := range m.Dialogs {
			known[d.Leg] = d
		}
	}
	if d := known[callerLeg]; d.Local != "<sip:102@office.example>;tag=node" || d.Remote != "<sip:101@office.example>;tag=phone" || d.RemoteCSeq != 1 || d.Call != callID {
		t.Errorf("caller's dialog: %+v", d)
	}
	if d := known[callee]; d.Local != "<sip:101@office.example>;tag=node2" || d.LocalCSeq != 77 || d.Target != "sip:102@192.0.2.8:5060" {
		t.Errorf("callee's dialog: %+v", d)
	}
	n.Ask(nil)
	c := hears(t, live.calls, "the call", one).Calls[0]
	if c.Call != callID || c.Tenant != "office" || c.From != "101" || c.To != "102" || c.Flow != "sales" || c.Element != "ring" || c.Phase != string(callflows.Talking) || c.AnsweredAt.IsZero() || c.StartedAt.IsZero() {
		t.Errorf("%+v", c)
	}
	for i, want := range []string{callerLeg, callee} {
		if l := c.Legs[i]; l.ID != want || l.Dialog != known[want].Digest || l.AnsweredAt.IsZero() {
			t.Errorf("leg %d: %+v", i, l)
		}
	}
	n.Ask([]string{callee, "no such leg"})
	if m := hears(t, live.dialogs, "the dialog that was asked for", func(*messages.NodeDialogs) bool { return true }); len(m.Dialogs) != 1 || m.Dialogs[0] != known[callee] {
		t.Errorf("%+v", m)
	}
	f.event("CHANNEL_HANGUP_COMPLETE", callee, "outbound", "Hangup-Cause: NORMAL_CLEARING")
	f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: NORMAL_CLEARING")
	n.Ask(nil)
	hears(t, live.calls, "no call any more", func(m *messages.NodeCalls) bool { return len(m.Calls) == 0 })
}

// TestAChangedDialogIsTold: a re-INVITE of the phone changes what the node sends, which is looked up after the event.
func TestAChangedDialogIsTold(t *testing.T) {
	f, live := newFakeNode(t), newHeardLive()
	f.dump = dumpOfLeg(callerLeg, "inbound", map[string]string{"variable_rtp_local_sdp_str": "o=FreeSWITCH 1 8 IN IP4 h\r\nm=audio 1 RTP/AVP 0\r\na=recvonly\r\n"})
	o := options(t, f, newWorld())
	o.Live = live
	run(t, New(o))
	<-f.up
	ring(t, f)
	known := []string{"Answer-State: answered", "variable_sip_call_id: abc@phone", "variable_sip_full_from: <sip:101@office.example>;tag=phone",
		"variable_sip_full_to: <sip:102@office.example>;tag=node", "variable_sip_contact_uri: 101@192.0.2.7:5060", "variable_rtp_local_sdp_str: o=FreeSWITCH 1 7 IN IP4 h"}
	f.event("CHANNEL_ANSWER", callerLeg, "inbound", known...)
	hears(t, live.dialogs, "the dialog", func(m *messages.NodeDialogs) bool { return m.Dialogs[0].LocalSDP == "o=FreeSWITCH 1 7 IN IP4 h\n" })
	f.event("CHANNEL_HOLD", callerLeg, "inbound", append(known, "variable_sip_cseq: 2")...)
	hears(t, live.dialogs, "the new description, with the peer's new number", func(m *messages.NodeDialogs) bool {
		return slices.ContainsFunc(m.Dialogs, func(d messages.Dialog) bool {
			return d.Leg == callerLeg && d.RemoteCSeq == 2 && d.LocalSDP == "o=FreeSWITCH 1 8 IN IP4 h\nm=audio 1 RTP/AVP 0\na=recvonly\n"
		})
	})
}

// TestTheStandbyKnowsTheDialogs: it has heard the same events, and announces the calls as soon as it owns the node, with a
// higher epoch.
func TestTheStandbyKnowsTheDialogs(t *testing.T) {
	f := newFakeNode(t)
	f.dump = dumpOfLeg(callerLeg, "inbound", nil)
	lives := []*heardLive{newHeardLive(), newHeardLive()}
	first, stopFirst := workerThat(t, f, "worker1.a", func(o *Options) { o.Live = lives[0] })
	first.up(t)
	second, _ := workerThat(t, f, "worker2.b", func(o *Options) { o.Live = lives[1] })
	second.picture(t)
	callee := talk(t, f)
	before := hears(t, lives[0].dialogs, "the callee's dialog", func(m *messages.NodeDialogs) bool {
		return slices.ContainsFunc(m.Dialogs, func(d messages.Dialog) bool { return d.Leg == callee })
	})
	stopFirst()
	after := hears(t, lives[1].calls, "the call by its new owner", one)
	if after.Epoch <= before.Epoch || after.Worker != "worker2.b" {
		t.Errorf("%+v after epoch %d", after, before.Epoch)
	}
	i := slices.IndexFunc(after.Calls[0].Legs, func(l messages.NodeLeg) bool { return l.ID == callee })
	if i < 0 || after.Calls[0].Legs[i].Dialog == 0 {
		t.Errorf("the callee's dialog is not known: %+v", after.Calls[0].Legs)
	}
	hears(t, lives[1].dialogs, "the caller's dialog, looked up by the new owner", func(m *messages.NodeDialogs) bool {
		return slices.ContainsFunc(m.Dialogs, func(d messages.Dialog) bool { return d.Leg == callerLeg })
	})
}

// TestAnAdoptedCallIsAnnounced: with both workers dead, what the node holds is read again, dialogs included.
func TestAnAdoptedCallIsAnnounced(t *testing.T) {
	s := ringing()
	s.Legs[1].Created = false // the mark is from before there was a second leg
	f, live := holding(t, encodeMark(s, 9), callerLeg, s.Legs[1].ID), newHeardLive()
	var d map[string]string
	if err := json.Unmarshal([]byte(f.dump), &d); err != nil {
		t.Fatal(err)
	}
	d["Caller-Channel-Answered-Time"] = "1795332486052393"
	f.dump = dumpOfLeg(callerLeg, "inbound", d)
	o := options(t, f, newWorld())
	o.Live = live
	run(t, New(o))
	c := hears(t, live.calls, "the adopted call", one).Calls[0]
	if c.AnsweredAt.UnixMicro() != 1795332486052393 || c.Legs[0].Dialog == 0 {
		t.Errorf("%+v", c)
	}
	// The node says the same of every leg here.
	for _, leg := range []string{callerLeg, s.Legs[1].ID} {
		hears(t, live.dialogs, "the dialog of "+leg, func(m *messages.NodeDialogs) bool {
			return slices.ContainsFunc(m.Dialogs, func(d messages.Dialog) bool { return d.Leg == leg && complete(&d) })
		})
	}
}

// TestWhatCouldNotBeAnnouncedIsAnnouncedSoon: a worker that starts may own a node before it has reached the broker.
func TestWhatCouldNotBeAnnouncedIsAnnouncedSoon(t *testing.T) {
	f, live := newFakeNode(t), newHeardLive()
	live.away.Store(true)
	o := options(t, f, newWorld())
	o.Live = live
	run(t, New(o))
	<-f.up
	ring(t, f)
	live.away.Store(false)
	hears(t, live.calls, "the call", one)
}

// TestManyCallsAreToldInParts: each part names its share, together they name all, none twice.
func TestManyCallsAreToldInParts(t *testing.T) {
	const calls = 3*callsPerPart + 7
	f, live := newFakeNode(t), newHeardLive()
	o := options(t, f, newWorld())
	o.Live = live
	n := New(o)
	for i := range calls {
		leg := uuidNumber(i)
		s := n.shardOf(leg)
		s.mu.Lock()
		s.unsure = false
		s.newCall(callflows.Call{ID: uuidNumber(100000 + i), Tenant: "office", Leg: leg, Caller: callflows.Caller{Number: "\xff101"}})
		s.mu.Unlock()
	}
	for _, s := range n.shards {
		s.unsure = false
	}
	if err := n.announceCalls(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen, parts := map[string]bool{}, 1
	for got := 0; got < parts; got++ {
		m := hears(t, live.calls, "a part", func(*messages.NodeCalls) bool { return true })
		if parts = m.Of; m.Part != got {
			t.Errorf("part %d after %d", m.Part, got)
		}
		for _, c := range m.Calls {
			if seen[c.Call] {
				t.Errorf("%s is told twice", c.Call)
			}
			seen[c.Call] = true
		}
	}
	if len(seen) != calls || parts < 4 {
		t.Errorf("%d calls in %d parts", len(seen), parts)
	}
	n.shards[0].unsure = true
	if err := n.announceCalls(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(live.calls) != 0 {
		t.Error("announced without a certain picture")
	}
}

// uuidNumber is a uuid of its own for each number.
func uuidNumber(i int) string { return fmt.Sprintf("%08x-1111-4111-8111-%012x", i, i) }

// run runs a node until the test ends.
func run(t *testing.T, n *Node) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
}
