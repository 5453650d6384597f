package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/explain"
	"tandem/messages"
)

// Callers who wait unanswered when their node dies.
const (
	ringingAtOnce = 20
	boundRering   = 2 * time.Second
)

// TestCallersRingAgainWhenTheirNodeDies: the phone that rings for them stops and rings again, from another node, and none of them hears
// more of it than that. Then each is answered.
func TestCallersRingAgainWhenTheirNodeDies(t *testing.T) {
	c := apart(t, "rering")
	callee, caller := c.talker(t, "two"), c.talker(t, "one")
	callee.waits.Store(true)
	var callers []*talk
	rang, tags := map[string]*talk{}, map[*talk]string{}
	for range ringingAtOnce {
		d := caller.dial(ringsTwo)
		tags[d] = rings(t, d, "")
		callers = append(callers, d)
		at := next(t, callee.rings)
		rang[at.id] = at
	}
	first := c.liveCalls(t, ringingAtOnce)
	node := first[0].Node
	for _, call := range first {
		if call.Node != node {
			t.Fatalf("calls of one tenant are on %s and %s", node, call.Node)
		}
	}
	died := time.Now()
	must(t, c.w.nodes[node].Kill())
	var took []time.Duration
	for _, d := range callers {
		rings(t, d, tags[d])
		took = append(took, time.Since(died))
	}
	slices.Sort(took)
	p99 := took[(len(took)*99-1)/100]
	t.Logf("rering_p50_ms %d, rering_p99_ms %d", took[len(took)/2].Milliseconds(), p99.Milliseconds())
	if p99 > boundRering {
		t.Errorf("rings again %v after the node's death, want %v", p99, boundRering)
	}
	for range callers {
		at := next(t, callee.rings)
		if rang[at.id] != nil {
			t.Fatal("a call has rung twice")
		}
		at.pickUp()
	}
	for _, d := range rang {
		select {
		case <-d.over:
		case <-time.After(patience):
			t.Fatal("a phone rings on for a dead node")
		}
	}
	for _, d := range callers {
		reply := d.reply("INVITE")
		if !strings.HasPrefix(reply, "SIP/2.0 200") {
			t.Fatalf("the caller sees\n%s", reply)
		}
		d.accept(reply)
	}
	for _, d := range callers {
		d.bye()
	}
	c.toldOfBoth(t, first, node)
}

// rings waits until a caller hears that it rings, at another place than before. It gives the place's tag.
func rings(t *testing.T, d *talk, before string) string {
	t.Helper()
	for {
		select {
		case reply := <-d.ringing:
			if tag := field(reply, "To"); tag != before {
				return tag
			}
		case reply := <-d.replies:
			t.Fatalf("the caller sees\n%s", reply)
		case <-time.After(patience):
			t.Fatal("it does not ring")
		}
	}
}

func next(t *testing.T, from chan *talk) *talk {
	t.Helper()
	select {
	case d := <-from:
		return d
	case <-time.After(patience):
		t.Fatal("nobody calls")
		return nil
	}
}

// liveCalls waits until so many calls of the company are live, and gives them.
func (c *company) liveCalls(t *testing.T, n int) []callView {
	t.Helper()
	var answer struct{ Calls []callView }
	awaitThat(t, "the calls are not live", func(ctx context.Context) (bool, error) {
		answer.Calls = nil
		err := c.w.get(ctx, "/v1/tenants/"+c.id+"/calls?live", &answer)
		return len(answer.Calls) == n, err
	})
	return answer.Calls
}

// toldOfBoth says whether each call that was cut short is closed and explained, and each that went on from one says so.
func (c *company) toldOfBoth(t *testing.T, before []callView, node string) {
	t.Helper()
	cut := map[string]bool{}
	for _, call := range before {
		cut[call.Call] = true
		x := c.w.story(t, call.Call, 1)
		if l := x.Legs[0]; l.Cause != "NETWORK_OUT_OF_ORDER" || l.Fault != messages.FaultPlatform || l.AnsweredAt != nil {
			t.Errorf("the call that rang at the dead node: %s\n%s", legsOf(x), x.Text())
		}
	}
	calls, err := c.w.callsOf(within(t), c.id)
	must(t, err)
	if len(calls) != 2*len(before) {
		t.Errorf("%d calls, want %d", len(calls), 2*len(before))
	}
	for _, call := range calls {
		if cut[call.Call] {
			continue
		}
		x := c.w.story(t, call.Call, 2)
		i := slices.IndexFunc(x.Lines, func(l explain.Line) bool { return l.Code == "node_died_ringing" })
		if i < 0 || !strings.Contains(x.Lines[i].Words, node) || !slices.ContainsFunc(before, func(b callView) bool { return strings.Contains(x.Lines[i].Words, b.Call) }) {
			t.Errorf("the call does not say what it goes on from:\n%s", x.Text())
		}
		if l := x.Legs[0]; l.Node == node || l.AnsweredAt == nil {
			t.Errorf("the call that goes on: %s", legsOf(x))
		}
	}
}
