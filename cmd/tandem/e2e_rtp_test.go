package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/messages"
	"tandem/sipptest"
	"tandem/stack"
	"tandem/tenants"
)

// What is heard of calls that leave one real engine for another: as many talks as TANDEM_MOVE_CALLS says (make
// move-test-freeswitch), some otherwise, and beside them a caller in a menu and one on hold.
const (
	heardAtOnce   = 10
	firstVoice    = 0x20 // those of the phones; sounds of our own are none of them
	voices        = 0x50
	soundPeriod   = 20 * time.Millisecond
	heardEachSide = time.Second // of sound before and after, of which half at least is to come
	dialsMenu     = "601"
	dialsHold     = "602"
)

// loudSound is a WAV file that is heard: a square wave of 400 Hz.
func loudSound(length time.Duration) []byte {
	b := soundOf(length)
	const head, halfWave = 44, 10
	for i := 0; head+2*i+1 < len(b); i++ {
		level := int16(16000)
		if i/halfWave%2 == 0 {
			level = -level
		}
		binary.LittleEndian.PutUint16(b[head+2*i:], uint16(level)) //nolint:gosec // two's complement
	}
	return b
}

// heardCall is a call whose phones have sound.
type heardCall struct {
	kind   string  // talk, menu, hold
	talks  []*talk // of the caller first
	voices []byte  // of the phones
}

// realEngines is a world of two real FreeSWITCHes, and a company in it.
func realEngines(t *testing.T, name string) *company {
	t.Helper()
	where, found := stack.FindFreeSWITCH()
	if !found || stack.IsAddress(where) {
		t.Skip("no FreeSWITCH on this machine: set TANDEM_FREESWITCH to the path of its binary to make these calls on the real engine")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	w, err := newWorld(ctx, t, stack.ForTest(t), worldOptions{Name: name, Nodes: 2, FreeSWITCH: where})
	must(t, err)
	w.tellOnFailure(t)
	return joining(t, w)
}

// speaker is a phone with a voice of its own.
func speaker(t *testing.T, p *sipptest.Phone, voice byte) *talker {
	t.Helper()
	sound, err := sipptest.Speak(p.Address, voice)
	must(t, err)
	t.Cleanup(func() { _ = sound.Close() })
	return speaks(t, p, sound)
}

// bring brings a sound of the company's.
func (c *company) bring(t *testing.T, name string, sound []byte) {
	t.Helper()
	answer := c.w.ask(within(t), t, http.MethodPost, "/v1/tenants/"+c.id+"/media?name="+name, string(sound))
	body, err := io.ReadAll(answer.Body)
	must(t, err)
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("the sound %s: %d %s", name, answer.StatusCode, body)
	}
}

// speakUp makes the calls: n talks, one in a menu, one on hold.
func (c *company) speakUp(t *testing.T, n int) (calls []*heardCall) {
	t.Helper()
	c.bring(t, "welcome", loudSound(30*time.Second))
	c.bring(t, "music", loudSound(30*time.Second))
	users := c.manyUsers(t, n+1)
	c.flow(t, dialsMenu, "main", map[string]tenants.Element{
		"main": element("menu", map[string]any{"prompt": "welcome", "attempts": 1, "seconds": 60}, map[string]string{"1": "bye", "timeout": "wrong", "invalid": "wrong"}),
		"bye":  element("hangup", map[string]any{"cause": "NORMAL_CLEARING"}, nil), "wrong": element("hangup", map[string]any{"cause": "CALL_REJECTED"}, nil)})
	c.flow(t, dialsHold, "music", map[string]tenants.Element{
		"music": element("music_on_hold", map[string]any{"prompt": "music"}, map[string]string{"next": "ring"}), "ring": ringing("at_once", 10, users[n])})
	c.publish(t)
	c.register(t, users...)
	for i := range n + 2 {
		calls = append(calls, c.speak(t, i, n, users))
	}
	return calls
}

// speak makes the call number i: after n talks the one on hold, and the one in the menu.
func (c *company) speak(t *testing.T, i, n int, users []string) *heardCall {
	t.Helper()
	h := &heardCall{kind: "talk", voices: []byte{voiceOf(2 * i), voiceOf(2*i + 1)}}
	number := fmt.Sprint(300 + i)
	if i == n {
		h.kind, number = "hold", dialsHold
	}
	if i > n {
		h.kind, number, h.voices = "menu", dialsMenu, h.voices[:1]
	}
	caller := *c.users["one"]
	caller.Port, caller.Address = 0, addressOf(2*i+1)
	var callee *talker
	if h.kind != "menu" {
		callee = speaker(t, c.users[users[i]], h.voices[1])
	}
	h.talks = append(h.talks, speaker(t, &caller, h.voices[0]).call(number))
	if callee != nil {
		h.talks = append(h.talks, callee.answered())
	}
	if h.kind == "hold" { // once they hear one another: before, nobody is there to be held
		awaitThat(t, "who is to hold hears nothing", func(context.Context) (bool, error) { return h.heard(0, h.voices[1], time.Time{}), nil })
		h.talks[0].hold("sendonly")
	}
	return h
}

// heard says whether a phone has heard a voice since a moment.
func (h *heardCall) heard(i int, voice byte, since time.Time) bool {
	return slices.ContainsFunc(h.talks[i].of.sound.Heard(), func(p sipptest.Heard) bool { return p.Voice == voice && p.At.After(since) })
}

func voiceOf(i int) byte { return byte(firstVoice + i%voices) }

// wanted says whether a packet is what the phone number i of a call is to hear at the moment; a phone that holds hears nothing.
func (h *heardCall) wanted(i int, p sipptest.Heard) bool {
	if h.kind == "talk" {
		return p.Voice == h.voices[1-i]
	}
	return p.Loud() && !slices.Contains(h.voices, p.Voice)
}

// listeners are the numbers of the phones that are to hear something before and after. Who was on hold hears no music at the new engine
// (docs/moving.md), until who holds comes back.
func (h *heardCall) listeners() []int {
	switch h.kind {
	case "talk":
		return []int{0, 1}
	case "hold":
		return nil
	}
	return []int{0}
}

// hearing is what one phone heard of what it was to hear, in one direction of one call.
type hearing struct {
	first, last sipptest.Heard // of the old engine
	again       sipptest.Heard // first of the new one
	before      int            // packets within heardEachSide of the last
	after       int            // and of the first of the new one
	strange     int            // packets that are nobody's in this call
}

func (h *heardCall) hears(i int) (x hearing) {
	for _, p := range h.talks[i].of.sound.Heard() {
		if p.Loud() && h.kind == "talk" && p.Voice != h.voices[1-i] {
			x.strange++
		}
		if !h.wanted(i, p) {
			continue
		}
		if x.first.At.IsZero() {
			x.first = p
		}
		switch {
		case p.From == x.first.From:
			x.last = p
		case x.again.At.IsZero():
			x.again = p
		}
	}
	for _, p := range h.talks[i].of.sound.Heard() {
		switch {
		case !h.wanted(i, p):
		case p.From == x.first.From && x.last.At.Sub(p.At) < heardEachSide:
			x.before++
		case p.From == x.again.From && p.At.Sub(x.again.At) < heardEachSide:
			x.after++
		}
	}
	return x
}

// enough is half of the packets of heardEachSide.
const enough = int(heardEachSide / soundPeriod / 2)

// awaitSound waits until all phones have heard something for a while: at the old engine, or at the new one.
func awaitSound(t *testing.T, what string, calls []*heardCall, done func(hearing) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := await(ctx, what, func(context.Context) (bool, error) { return len(notYet(calls, done)) == 0, nil }); err != nil {
		t.Fatalf("%v:\n%s", err, strings.Join(notYet(calls, done), "\n"))
	}
}

// notYet tells of the phones that are not done.
func notYet(calls []*heardCall, done func(hearing) bool) (missing []string) {
	for n, h := range calls {
		for _, i := range h.listeners() {
			if x := h.hears(i); !done(x) {
				missing = append(missing, fmt.Sprintf("call %d (%s), phone %d: %d packets up to %v, then %d from %v on", n, h.kind, i, x.before, x.last.At, x.after, x.again.At))
			}
		}
	}
	return missing
}

// TestTalksAreHeardOnWhenTheyMove between two real engines.
func TestTalksAreHeardOnWhenTheyMove(t *testing.T) {
	c := realEngines(t, "rtpmoves")
	heardOn(t, c, "move", boundMoveGap, func(from string) { c.emptyByMoving(t, from) })
}

// TestTalksAreHeardOnWhenTheirNodeIsKilled: the other real engine takes them over.
func TestTalksAreHeardOnWhenTheirNodeIsKilled(t *testing.T) {
	c := realEngines(t, "rtprescue")
	heardOn(t, c, "rescue", boundRescue, func(from string) { must(t, c.w.nodes[from].Kill()) })
}

// heardOn lets calls leave their engine and measures how long nobody hears anything.
func heardOn(t *testing.T, c *company, named string, bound time.Duration, leave func(from string)) {
	t.Helper()
	calls := c.speakUp(t, movedCalls(t, heardAtOnce))
	c.settled(t, len(calls))
	from := c.liveNode(t)
	legs := 0
	for _, h := range calls {
		legs += len(h.talks)
	}
	c.w.awaitDialogs(t, legs)
	awaitSound(t, "not all phones hear something", calls, func(x hearing) bool { return x.last.At.Sub(x.first.At) >= heardEachSide })
	leave(from)
	awaitSound(t, "not all phones hear something again", calls, func(x hearing) bool { return !x.again.At.IsZero() && time.Since(x.again.At) >= heardEachSide })

	var silences []time.Duration
	directions, goingOn, strange := 0, 0, 0
	for n, h := range calls {
		for _, i := range h.listeners() {
			x := h.hears(i)
			directions++
			strange += x.strange
			if h.kind == "talk" {
				silences = append(silences, x.again.At.Sub(x.last.At))
			}
			if x.before >= enough && x.after >= enough {
				goingOn++
			} else {
				t.Errorf("call %d (%s), phone %d: %d packets within %v before, %d after", n, h.kind, i, x.before, heardEachSide, x.after)
			}
			t.Logf("call %d (%s), phone %d: silence of %v", n, h.kind, i, x.again.At.Sub(x.last.At))
		}
	}
	wrong := 0
	for i, h := range calls {
		wrong += c.endHeard(t, h, i%2 == 1, from)
	}
	p99 := percentile(silences, 99)
	for _, f := range []figure{{named + "_talks", float64(len(calls) - 2)}, {named + "_directions_heard_on_share", float64(goingOn) / float64(directions)},
		{named + "_silence_p50_ms", milliseconds(percentile(silences, 50))}, {named + "_silence_p99_ms", milliseconds(p99)},
		{named + "_strange_packets", float64(strange)}, {named + "_cdrs_wrong", float64(wrong)}} {
		fmt.Println(f)
	}
	if p99 >= bound || strange != 0 || wrong != 0 {
		t.Errorf("p99 of the silence is %v, packets of other calls %d, wrong records %d", p99, strange, wrong)
	}
}

// liveNode is the node that all live calls are on.
func (c *company) liveNode(t *testing.T) (node string) {
	t.Helper()
	var answer struct{ Calls []callView }
	must(t, c.w.get(within(t), "/v1/tenants/"+c.id+"/calls?live", &answer))
	for _, call := range answer.Calls {
		if node != "" && call.Node != node {
			t.Fatalf("calls are on %s and on %s", node, call.Node)
		}
		node = call.Node
	}
	return node
}

// endHeard ends a call in its own way, and counts what is wrong with its records.
func (c *company) endHeard(t *testing.T, h *heardCall, calleeEnds bool, from string) (wrong int) {
	t.Helper()
	ends, told := h.talks[0], h.talks[len(h.talks)-1]
	if calleeEnds {
		ends, told = told, ends
	}
	switch h.kind {
	case "menu": // what he keys now counts
		h.talks[0].of.sound.Key('1')
		h.talks[0].ended()
	case "hold": // and who holds comes back
		left := time.Now()
		h.talks[0].hold("sendrecv")
		awaitThat(t, "who was on hold does not hear who held", func(context.Context) (bool, error) { return h.heard(1, h.voices[0], left), nil })
		fallthrough
	default:
		ends.bye()
		told.ended()
	}
	for _, d := range h.talks {
		if err := sipptest.CheckDialog(d.messages()); err != nil {
			t.Errorf("%s: %v", h.kind, err)
		}
	}
	x := c.w.story(t, h.talks[0].id, len(h.talks))
	movedOnce(t, x, from)
	if len(x.Legs) != len(h.talks) || slices.ContainsFunc(x.Legs, func(l messages.CDR) bool { return l.Cause != "NORMAL_CLEARING" || len(l.Segments) != 2 }) {
		t.Errorf("%s: the records are\n%s", h.kind, legsOf(x))
		wrong++
	}
	return wrong
}
