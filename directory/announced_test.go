package directory_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tandem/directory"
	"tandem/messages"
)

// owner is what a node's owner does with its calls, and says of them.
type owner struct {
	node, worker string
	epoch, n     uint64
	live         map[string]*messages.NodeCall
}

func newOwner() *owner {
	return &owner{node: "fs1", worker: "w1", epoch: 1, live: map[string]*messages.NodeCall{}}
}

func (o *owner) event(id string, state messages.CallState, seconds int) *messages.CallEvent {
	o.n++
	e := news(id, state, seconds)
	e.Node, e.Epoch, e.N = o.node, o.epoch, o.n
	switch state {
	case messages.CallStarted:
		o.live[id] = &messages.NodeCall{Call: id, Tenant: "demo", StartedAt: e.At, Phase: "running",
			Legs: []messages.NodeLeg{{ID: id + "-a", Role: messages.RoleCaller, Dialog: 7}}}
	case messages.CallAnswered:
		o.live[id].AnsweredAt = e.At
	case messages.CallEnded:
		delete(o.live, id)
	}
	return e
}

// announce is all of it, in parts.
func (o *owner) announce(parts, seconds int) []*messages.NodeCalls {
	all := make([]*messages.NodeCalls, parts)
	for i := range all {
		all[i] = &messages.NodeCalls{Type: messages.NodeCallsV1, Node: o.node, Worker: o.worker, Epoch: o.epoch, N: o.n, Part: i, Of: parts, At: at(seconds)}
	}
	for id, c := range o.live {
		part := all[messages.PartOf(id, parts)]
		part.Calls = append(part.Calls, *c)
	}
	return all
}

func ids(calls []directory.LiveCall) (all []string) {
	for _, c := range calls {
		all = append(all, c.Call)
	}
	slices.Sort(all)
	return all
}

func TestAnAnnouncementMendsWhatLostEventsLeft(t *testing.T) {
	var c directory.Calls
	o := newOwner()
	for _, id := range []string{"old", "lost"} {
		c.Apply(o.event(id, messages.CallStarted, 0), at(0))
	}
	o.event("unheard", messages.CallStarted, 1)
	late := o.event("lost", messages.CallAnswered, 1)
	o.event("lost", messages.CallEnded, 2)
	c.Tentative("decided", "demo", at(2))
	list := o.announce(1, 2)[0]
	c.Apply(o.event("new", messages.CallStarted, 2), at(2)) // beside the announcement
	c.Announce(list, at(3))
	c.Apply(late, at(3))
	if diff := cmp.Diff([]string{"new", "old", "unheard"}, ids(c.List(directory.CallFilter{}, at(3)))); diff != "" {
		t.Error(diff)
	}
	if got := c.CountTenant("demo", at(3)); got != 4 {
		t.Errorf("%d calls count, want the decided one as well", got)
	}
	call, _ := c.Get("old", at(3))
	want := directory.LiveCall{Call: "old", Tenant: "demo", Node: "fs1", Worker: "w1", Phase: "running", State: messages.CallStarted, StartedAt: at(0),
		Legs: []directory.LiveLeg{{ID: "old-a", Role: messages.RoleCaller}}}
	if diff := cmp.Diff(want, call); diff != "" {
		t.Error(diff)
	}
}

func TestACallThatWasAdoptedAfterAnAnnouncementIsLiveAgain(t *testing.T) {
	var c directory.Calls
	o := newOwner()
	c.Apply(o.event("a", messages.CallStarted, 0), at(0))
	heir := newOwner()
	heir.worker, heir.epoch = "w2", 2
	c.Announce(heir.announce(1, 1)[0], at(1))
	if _, live := c.Get("a", at(1)); live {
		t.Error("live although its node's owner does not have it")
	}
	c.Apply(heir.event("a", messages.CallStarted, 0), at(2))
	if _, live := c.Get("a", at(2)); !live {
		t.Error("not live although its node's owner has found it")
	}
	c.Apply(heir.event("a", messages.CallEnded, 3), at(3))
	c.Apply(heir.event("a", messages.CallStarted, 3), at(3))
	if _, live := c.Get("a", at(3)); live {
		t.Error("live after its end")
	}
}

func TestAReplacedOwnerIsNotHeard(t *testing.T) {
	var c directory.Calls
	before, heir := newOwner(), newOwner()
	heir.worker, heir.epoch = "w2", 2
	c.Apply(heir.event("a", messages.CallStarted, 0), at(0))
	c.Announce(heir.announce(1, 0)[0], at(0))
	before.event("b", messages.CallStarted, 0)
	c.Announce(before.announce(1, 1)[0], at(1))
	if diff := cmp.Diff([]string{"a"}, ids(c.List(directory.CallFilter{}, at(1)))); diff != "" {
		t.Error(diff)
	}
	// An engine that was started anew counts owners anew.
	long := 1 + int(directory.UncertainAfter/time.Second)
	c.Announce(before.announce(1, long)[0], at(long))
	if diff := cmp.Diff([]string{"b"}, ids(c.List(directory.CallFilter{}, at(long)))); diff != "" {
		t.Error(diff)
	}
}

func TestAMovedCallIsNotTakenBackByAListing(t *testing.T) {
	var c directory.Calls
	o := newOwner()
	c.Apply(o.event("a", messages.CallStarted, 0), at(0))
	list := o.announce(1, 1)[0]
	other := newOwner()
	other.node = "fs2"
	c.Apply(other.event("a", messages.CallStarted, 2), at(2))
	c.Announce(list, at(3))
	if call, _ := c.Get("a", at(3)); call.Node != "fs2" || c.CountNode("fs1") != 0 || c.CountTenant("demo", at(3)) != 1 {
		t.Errorf("%+v", call)
	}
}

// A node whose owner is gone keeps its calls, which are said to be uncertain, are not counted, and are forgotten at last.
func TestCallsOfANodeThatNobodySpeaksForAreUncertain(t *testing.T) {
	var c directory.Calls
	o := newOwner()
	c.Apply(o.event("a", messages.CallStarted, 0), at(0))
	c.Announce(o.announce(1, 0)[0], at(0))
	seen := func(now time.Time) (live, uncertain bool, counted int) {
		call, ok := c.Get("a", now)
		return ok, call.Uncertain, c.CountTenant("demo", now)
	}
	check := func(when string, now time.Time, wantLive, wantUncertain bool, wantCounted int) {
		t.Helper()
		c.Sweep(now)
		live, uncertain, counted := seen(now)
		if live != wantLive || uncertain != wantUncertain || counted != wantCounted {
			t.Errorf("%s: live %v, uncertain %v, counted %d", when, live, uncertain, counted)
		}
	}
	check("spoken for", at(0).Add(directory.UncertainAfter), true, false, 1)
	check("silent", at(0).Add(directory.UncertainAfter+1), true, true, 0)
	c.Heard(nodeNews("fs1", "w1", messages.NodeDown, 40), at(40))
	check("said to be down", at(40), true, true, 0)
	c.Heard(nodeNews("fs1", "w1", messages.NodeUp, 50), at(50))
	check("spoken for again", at(50), true, false, 1)
	check("almost forgotten", at(50).Add(directory.CallsForgottenAfter-1), true, true, 0)
	check("forgotten", at(50).Add(directory.CallsForgottenAfter), false, false, 0)
}

func TestDialogsAreKeptWithTheirCallsAndAskedForWhenTheyAreLacking(t *testing.T) {
	var c directory.Calls
	o := newOwner()
	c.Apply(o.event("a", messages.CallStarted, 0), at(0))
	told := func(leg string, digest uint32, seconds int) *messages.NodeDialogs {
		return &messages.NodeDialogs{Type: messages.NodeDialogsV1, Node: "fs1", Worker: "w1", Epoch: 1,
			Dialogs: []messages.Dialog{{Call: "a", Leg: leg, Digest: digest, At: at(seconds)}}}
	}
	has := func(when string, digest uint32, lacking ...string) {
		t.Helper()
		call, _ := c.Get("a", at(5))
		if len(call.Legs) > 0 && call.Legs[0].Dialog != nil && call.Legs[0].Dialog.Digest != digest || digest != 0 && (len(call.Legs) == 0 || call.Legs[0].Dialog == nil) {
			t.Errorf("%s: %+v", when, call.Legs)
		}
		if diff := cmp.Diff(lacking, c.TakeLacking(9)["fs1"]); diff != "" {
			t.Errorf("%s: lacking %s", when, diff)
		}
	}
	c.Announce(o.announce(1, 1)[0], at(1)) // with digest 7
	has("announced", 0, "a-a")
	c.Learn(told("a-a", 7, 1))
	has("told", 7)
	c.Learn(told("a-a", 8, 3))
	has("changed", 8)
	if calls, dialogs := c.Count(); calls != 1 || dialogs != 1 {
		t.Errorf("%d calls, %d dialogs", calls, dialogs)
	}
	c.Learn(told("a-a", 7, 1))
	has("late", 8)
	c.Announce(o.announce(1, 4)[0], at(4)) // with digest 7 still
	has("another than announced", 8, "a-a")
	c.Learn(told("a-a", 8, 3))
	has("answered", 8)
	c.Announce(o.announce(1, 4)[0], at(4))
	c.Apply(o.event("a", messages.CallEnded, 5), at(5))
	c.Learn(told("a-a", 9, 6))
	calls, dialogs := c.Count()
	if _, live := c.Get("a", at(5)); live || len(c.TakeLacking(9)) != 0 || calls != 0 || dialogs != 0 {
		t.Error("left behind")
	}
}

// Whatever is lost, doubled or out of order, of two owners one after the other: the next announcement that arrives as a whole
// leaves exactly what is live.
func TestEveryWorkerIsRightAfterTheNextAnnouncement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, now := newOwner(), 0
		var soup []func(*directory.Calls)
		send := func(deliver func(*directory.Calls)) {
			for range rapid.SampledFrom([]int{0, 1, 1, 1, 2}).Draw(t, "copies") {
				soup = append(soup, deliver)
			}
		}
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			now++
			id := fmt.Sprint("call", rapid.IntRange(0, 5).Draw(t, "call"))
			call, live := o.live[id]
			switch rapid.SampledFrom([]string{"call", "call", "call", "announce", "take over"}).Draw(t, "what") {
			case "announce":
				for _, part := range o.announce(rapid.IntRange(1, 4).Draw(t, "parts"), now) {
					send(func(c *directory.Calls) { c.Announce(part, at(now)) })
				}
			case "take over":
				o.epoch, o.n, o.worker = o.epoch+1, 0, fmt.Sprint("w", o.epoch+1)
			default:
				state := messages.CallStarted
				if live && call.AnsweredAt.IsZero() && rapid.Bool().Draw(t, "answers") {
					state = messages.CallAnswered
				} else if live {
					state = messages.CallEnded
					id = call.Call
				} else if !live {
					id = fmt.Sprint(id, "/", now) // each call happens once
					if had := find(o.live, strings.Split(id, "/")[0]+"/"); had != "" {
						id, state = had, messages.CallEnded
					}
				}
				e := o.event(id, state, now)
				send(func(c *directory.Calls) { c.Apply(e, at(now)) })
			}
		}
		var c directory.Calls
		for _, deliver := range rapid.Permutation(soup).Draw(t, "order") {
			deliver(&c)
		}
		for _, part := range o.announce(rapid.IntRange(1, 4).Draw(t, "last parts"), now+1) {
			c.Announce(part, at(now+1))
		}
		got := c.List(directory.CallFilter{}, at(now+1))
		for _, call := range got {
			if want := o.live[call.Call]; want != nil && (call.State == messages.CallAnswered) == want.AnsweredAt.IsZero() {
				t.Fatalf("%+v", call)
			}
		}
		want := []string(nil)
		for id := range o.live {
			want = append(want, id)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, ids(got)); diff != "" {
			t.Fatal(diff)
		}
		if n := c.CountTenant("demo", at(now+1)); n != len(want) || c.CountNode("fs1") != n || !c.Announced("fs1") {
			t.Fatalf("%d calls count", n)
		}
	})
}

// find gives a live call by the beginning of its id.
func find(live map[string]*messages.NodeCall, prefix string) string {
	for id := range live {
		if strings.HasPrefix(id, prefix) {
			return id
		}
	}
	return ""
}

// TestMemoryOfALiveCall bounds what every worker holds of each call in the company: one with two answered legs whose
// dialogs are those of the goldens.
func TestMemoryOfALiveCall(t *testing.T) {
	const calls, limit = 1000, 6 << 10
	before := heap()
	var c directory.Calls
	o := newOwner()
	for i := range calls {
		id := fmt.Sprintf("5f0c7c2e-0b0a-4c57-8a3e-1f2d3c4b%04d", i)
		c.Apply(o.event(id, messages.CallStarted, 0), at(0)) // newer than the announcements: none ends another's call
		list := &messages.NodeCalls{Type: messages.NodeCallsV1, Node: "fs1", Worker: "w1", Epoch: 1, Of: messages.MaxParts, At: at(0)}
		list.Part = messages.PartOf(id, list.Of)
		call := messages.NodeCall{Call: id, Tenant: "demo", From: strings.Repeat("1", 12), To: strings.Repeat("2", 12), Flow: strings.Repeat("f", 36), Element: strings.Repeat("e", 8), Phase: "talking", StartedAt: at(0), AnsweredAt: at(1)}
		var dialogs []messages.Dialog
		for leg := range 2 {
			uuid := fmt.Sprintf("82633e02-8363-4395-9a39-e0fa%04d%04d", leg, i)
			call.Legs = append(call.Legs, messages.NodeLeg{ID: uuid, Role: messages.RoleCaller, Device: strings.Repeat("d", 36), AnsweredAt: at(1), Dialog: 9})
			dialogs = append(dialogs, wholeDialog(id, uuid))
		}
		list.Calls = []messages.NodeCall{call}
		c.Announce(parsed[*messages.NodeCalls](t, list), at(1))
		c.Learn(parsed[*messages.NodeDialogs](t, &messages.NodeDialogs{Type: messages.NodeDialogsV1, Node: "fs1", Worker: "w1", Epoch: 1, Dialogs: dialogs}))
		delete(o.live, id)
	}
	each := (heap() - before) / calls
	t.Logf("%d bytes for a live call with the dialogs of two legs", each)
	if each > limit {
		t.Errorf("more than %d", limit)
	}
	if got := c.CountNode("fs1"); got != calls {
		t.Errorf("%d calls", got)
	}
}

// parsed is a message as a worker gets it.
func parsed[T messages.Message](t *testing.T, m messages.Message) T {
	t.Helper()
	body, err := messages.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := messages.ParseAs[T](body)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// wholeDialog is one of an ordinary length.
func wholeDialog(call, leg string) messages.Dialog {
	sdp := "o=FreeSWITCH 1795309607 1795309610 IN IP4 192.0.2.10\nc=IN IP4 192.0.2.10\nm=audio 22904 RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=ptime:20\na=sendrecv\n"
	return messages.Dialog{Call: call, Leg: leg, Digest: 9, At: at(1), CallID: strings.Repeat("c", 40), Local: "<sip:102@demo.example.com>;tag=UvN9D0eXeyy5D",
		Remote: `"Alice" <sip:101@demo.example.com>;tag=t529959`, Target: "sip:101@192.0.2.7:5060;alias=198.51.100.9~49152~1",
		Routes:     "<sip:192.0.2.1:5070;r2=on;lr;ftag=t529959>,<sip:192.0.2.1:5060;r2=on;lr;ftag=t529959>",
		RemoteCSeq: 3, Edge: "192.0.2.1:5070", Transport: "udp", Profile: "internal", LocalSDP: sdp, RemoteSDP: sdp, Codec: "PCMU@8000h@20i@1c", EventSend: 101, EventReceive: 101}
}

func TestALateAnnouncementUndoesNothing(t *testing.T) {
	var c directory.Calls
	o := newOwner()
	started := o.event("a", messages.CallStarted, 0)
	c.Apply(started, at(0))
	c.Apply(o.event("b", messages.CallStarted, 0), at(0))
	early := o.announce(1, 1)[0]
	c.Apply(o.event("b", messages.CallEnded, 2), at(2))
	c.Apply(o.event("a", messages.CallAnswered, 1), at(2)) // by a clock that was set back
	o.live["a"].Phase = "talking"
	c.Announce(o.announce(1, 3)[0], at(3))
	c.Announce(early, at(4))
	c.Apply(started, at(4))
	if diff := cmp.Diff([]string{"a"}, ids(c.List(directory.CallFilter{}, at(4)))); diff != "" {
		t.Error(diff)
	}
	if call, _ := c.Get("a", at(4)); call.State != messages.CallAnswered || call.Phase != "talking" || !call.StartedAt.Equal(at(0)) {
		t.Errorf("%+v", call)
	}
	back := o.event("a", messages.CallAnswered, -5)
	c.Apply(back, at(5))
	if call, _ := c.Get("a", at(5)); !call.AnsweredAt.Equal(at(-5)) {
		t.Errorf("answered at %v: a clock was believed rather than the owner's numbers", call.AnsweredAt)
	}
}
