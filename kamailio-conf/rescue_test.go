package kamailioconf_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	kamailioconf "tandem/kamailio-conf"
	"tandem/messages"
)

// order sends a step about the node at an address.
func (e *edge) order(step messages.FenceStep, id, address string, epoch uint64) {
	e.t.Helper()
	e.worker.publish("tandem.edges", "", &messages.EdgeFence{EventCategory: "edge", EventName: "fence", Type: messages.EdgeFenceV1, ID: id, Step: step,
		Node: "n1", Address: address, Epoch: epoch, Worker: "w1", At: time.Now().UTC()})
}

// fenceStep orders a step, and waits for what the edge says to it.
func (e *edge) fenceStep(step messages.FenceStep, address string, epoch uint64) *messages.EdgeFenced {
	e.t.Helper()
	e.order(step, "ask", address, epoch)
	m := next(e.t, e.worker.fenced)
	if m.ID != "ask" || m.Edge != e.values.Edge || m.Node != "n1" || m.Step != step || m.Address != address || m.At == 0 {
		e.t.Errorf("answered with %+v", m)
	}
	return m
}

// fence fences a node.
func (e *edge) fence(n *node) {
	e.t.Helper()
	if m := e.fenceStep(messages.FenceSet, n.address(), 7); m.Epoch != 7 {
		e.t.Fatalf("the node is not fenced: %+v", m)
	}
}

// routeAs is an answer that gives the call an id.
func routeAs(call string, nodes ...string) func(*messages.RouteRequest) [][]byte {
	return func(r *messages.RouteRequest) [][]byte {
		a := encoded(&messages.RouteAnswer{Verdict: messages.Route, Nodes: nodes, NodeHeaders: "X-Tandem-Tenant: t1\r\nX-Tandem-Call: " + call + "\r\n"}, r)
		return [][]byte{bytes.ReplaceAll(a, []byte(callOfTests), []byte(call))}
	}
}

// silence is the reply function of a node that has died.
func silence(request) []int { return nil }

func TestAnEdgeLooksWhetherANodeIsThere(t *testing.T) {
	alive, dead := startNode(t, answers), startNode(t, silence)
	e := startEdge(t, []string{alive.address(), dead.address()}, nil, nil)
	if m := e.fenceStep(messages.FenceLook, alive.address(), 3); !m.Reachable || m.Epoch != 0 {
		t.Errorf("a node that answers: %+v", m)
	}
	began := time.Now()
	if m := e.fenceStep(messages.FenceLook, dead.address(), 3); m.Reachable || m.Epoch != 0 {
		t.Errorf("a node that is silent: %+v", m)
	}
	if took := time.Since(began); took < 500*time.Millisecond || took > 1200*time.Millisecond {
		t.Errorf("given up after %v", took)
	}
	for range 3 {
		dead.expect("OPTIONS")
	}
	t.Run("each who asks is answered", func(t *testing.T) {
		want := map[string]bool{}
		for i := range 20 {
			id, n := fmt.Sprint("look ", i), alive
			if i%2 == 1 {
				n = dead
			}
			want[id] = n == alive
			e.order(messages.FenceLook, id, n.address(), 3)
		}
		for range len(want) {
			m := next(t, e.worker.fenced)
			if reachable, asked := want[m.ID]; !asked || reachable != m.Reachable {
				t.Errorf("%+v", m)
			}
			delete(want, m.ID)
		}
		if len(want) > 0 {
			t.Errorf("not answered: %v", want)
		}
	})
	t.Run("nobody else can answer for it", func(t *testing.T) {
		for range 30 { // of the looks above
			dead.expect("OPTIONS")
		}
		e.order(messages.FenceLook, "ask", dead.address(), 3)
		r := dead.expect("OPTIONS")
		alive.sendTo(e.values.Inside, alive.response(r, 200))
		dead.sendTo(e.values.Outside, dead.response(r, 200))
		if m := next(t, e.worker.fenced); m.Reachable {
			t.Errorf("%+v", m)
		}
	})
	t.Run("a fenced one that lives is seen", func(t *testing.T) {
		e.fence(alive)
		if m := e.fenceStep(messages.FenceLook, alive.address(), 3); !m.Reachable || m.Epoch != 7 {
			t.Errorf("%+v", m)
		}
	})
	if left := e.control("htable.dump", "looks", "name"); left != "" {
		t.Errorf("%s is still looked for", left)
	}
}

func TestAFenceGivesWayToAHigherEpochAlone(t *testing.T) {
	e := startEdge(t, nil, nil, nil)
	const address, far = "192.0.2.20:5080", 1<<31 - 1 // what an edge can count to
	for _, row := range []struct {
		step  messages.FenceStep
		epoch uint64
		want  uint64
	}{
		{messages.FenceLift, 9, 0}, {messages.FenceSet, 5, 5}, {messages.FenceSet, 5, 5}, {messages.FenceSet, 4, 5}, {messages.FenceLift, 4, 5}, {messages.FenceSet, 7, 7},
		{messages.FenceLift, 6, 7}, {messages.FenceLift, 7, 0}, {messages.FenceLift, 7, 0}, {messages.FenceSet, 7, 7}, {messages.FenceLift, 8, 0}, {messages.FenceSet, 0, 0},
		{messages.FenceSet, far, far}, {messages.FenceSet, 7, far}, {messages.FenceLift, 7, far}, {messages.FenceLift, far, 0},
	} {
		if m := e.fenceStep(row.step, address, row.epoch); m.Epoch != row.want || m.Reachable {
			t.Errorf("%s %d: %d stands, want %d", row.step, row.epoch, m.Epoch, row.want)
		}
	}
	t.Run("what is no address of a node is not taken", func(t *testing.T) {
		for i, address := range []string{e.values.Inside, "node.example:5080", "192.0.2.20", "192.0.2.20:5080\r\nX: y", "192.0.2.20:5080;x", ""} {
			e.worker.send("tandem.edges", "", fmt.Appendf(nil, `{"Event-Category":"edge","Event-Name":"fence","type":"edge.fence.v1","id":"%d","step":"fence","node":"n","address":%q,"epoch":1,"worker":"w"}`, i, address))
		}
		e.fenceStep(messages.FenceSet, "192.0.2.21:5080", 1)
		if got := e.shared("fences"); got != "1" {
			t.Errorf("%s fences stand", got)
		}
	})
	t.Run("there are not more than an edge has room for", func(t *testing.T) {
		const room = 256
		for i := range room {
			stands := e.fenceStep(messages.FenceSet, fmt.Sprintf("198.51.100.%d:5080", i), 1).Epoch
			if want := uint64(1); i < room-1 && stands != want || i == room-1 && stands != 0 {
				t.Fatalf("fence %d: %d stands", i, stands)
			}
		}
	})
}

// TestACallerRingsAnewWhenTheNodeDies: he waits on, and hears nothing but that it rings again.
func TestACallerRingsAnewWhenTheNodeDies(t *testing.T) {
	dead, other := startNode(t, rings), startNode(t, rings)
	e, c := startAgain(t, []string{dead.address(), other.address()}, nil)
	q := e.ask(func(r *messages.RouteRequest, nth int) [][]byte {
		if r.AgainAfter == "" {
			return routeAs("first", dead.uri(), other.uri())(r)
		}
		return routeAs("second", dead.uri(), other.uri())(r) // this worker has not heard of it
	})
	call := c.invite("+15550100")
	first := dead.expect("INVITE")
	call.ringing()
	began := time.Now()
	e.fence(dead)
	again := other.expect("INVITE")
	call.ringing()
	t.Logf("rings again %v after the fence", time.Since(began))
	if got := again.header("X-Tandem-Call"); got != "second" || len(again.headers("X-Tandem-Call")) != 1 || len(again.headers("X-Tandem-Tenant")) != 1 {
		t.Errorf("the node is told %q:\n%s", got, again.text)
	}
	for _, name := range []string{"Call-ID", "From", "To", "CSeq", "Contact"} {
		if first.header(name) != again.header(name) {
			t.Errorf("%s was %q and is %q", name, first.header(name), again.header(name))
		}
	}
	if first.uri() != again.uri() || body(first.text) != body(again.text) {
		t.Errorf("the INVITE has changed:\n%s\n%s", first.text, again.text)
	}
	asked, _ := q.of(call)
	wanted := *asked[0]
	wanted.AgainAfter, wanted.AgainNode = "first", dead.address()
	if got := *asked[len(asked)-1]; fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", wanted) {
		t.Errorf("asked\n%+v, want\n%+v", got, wanted)
	}
	t.Run("what the dead node says of it is not heard", func(t *testing.T) {
		dead.sendTo(e.values.Inside, dead.response(first, 200))
		dead.sendTo(e.values.Inside, dead.response(first, 486))
		other.sendTo(e.values.Inside, other.response(again, 200))
		reply := c.final()
		if !strings.HasPrefix(reply, "SIP/2.0 200") || !strings.Contains(reply, "<"+other.uri()+">") {
			t.Errorf("the caller sees\n%s", reply)
		}
	})
	e.await("nobody waits", func() bool { return e.control("htable.dump", "waiting", "name") == "" })
	acks := 0
	for len(dead.requests) > 0 {
		if r := <-dead.requests; r.method() == "ACK" {
			acks++
		} else if r.method() != "INVITE" {
			t.Errorf("the dead node gets\n%s", r.text)
		}
	}
	if acks > 1 {
		t.Errorf("the dead node gets %d ACKs", acks)
	}
}

// ringing waits until the caller hears that it rings.
func (o outgoing) ringing() {
	o.c.t.Helper()
	for {
		reply := next(o.c.t, o.c.replies)
		if !strings.HasPrefix(reply, "SIP/2.0 1") && headersOf(reply, "Call-ID")[0] == o.id {
			o.c.t.Fatalf("the caller sees\n%s", reply)
		}
		if strings.HasPrefix(reply, "SIP/2.0 180") && headersOf(reply, "Call-ID")[0] == o.id {
			return
		}
	}
}

func body(text string) string {
	_, after, _ := strings.Cut(text, "\r\n\r\n")
	return after
}

// TestWhatWorkersSayOfACallThatBeginsAnewIsObeyed, and what they do not say too.
func TestWhatWorkersSayOfACallThatBeginsAnewIsObeyed(t *testing.T) {
	dead := startNode(t, rings)
	helps := startNode(t, answers)
	e, c := startAgain(t, []string{dead.address()}, func(v *kamailioconf.Values) { v.EmergencyTrunk = helps.uri() })
	var second atomic.Value // func
	e.ask(func(r *messages.RouteRequest, nth int) [][]byte {
		if r.AgainAfter == "" { // also when it is asked a second time, before it is known that there was an answer
			return routeAs("first", dead.uri())(r)
		}
		return second.Load().(func(*messages.RouteRequest) [][]byte)(r)
	})
	nothing := func(*messages.RouteRequest) [][]byte { return nil }
	stale := func(r *messages.RouteRequest) [][]byte { // an answer to the first question comes late, and the node is no more
		late := encoded(&messages.RouteAnswer{Verdict: messages.Reject, Code: 404, Phrase: "Late"}, r)
		return append([][]byte{bytes.ReplaceAll(late, []byte(callOfTests), []byte("first"))}, reject(480, "Temporarily Unavailable", "")(r)...)
	}
	for _, row := range []struct {
		name, number string
		second       func(*messages.RouteRequest) [][]byte
		want         string
	}{
		{"a refusal", "1", reject(486, "Busy Here", "Q.850;cause=17"), "486"},
		{"no node but the dead one", "1", routeAs("second", dead.uri()), "500"},
		{"an answer to the first question", "1", stale, "480"},
		{"nothing", "1", nothing, "503"},
		{"a refusal of a call for help", "112", reject(486, "Busy Here", "Q.850;cause=17"), "200"},
		{"no node for a call for help", "112", routeTo("", dead.uri()), "200"},
		{"nothing of a call for help", "112", nothing, "200"},
	} {
		t.Run(row.name, func(t *testing.T) {
			second.Store(row.second)
			call := c.invite(row.number)
			call.ringing()
			e.fence(dead)
			if row.want == "200" {
				if reply := c.final(); !strings.HasPrefix(reply, "SIP/2.0 200") {
					t.Errorf("the caller sees\n%s", reply)
				}
			} else {
				call.expect(row.want)
			}
			e.fenceStep(messages.FenceLift, dead.address(), 7)
		})
	}
	if left := e.control("htable.dump", "asked", "name"); left != "" {
		t.Errorf("%s still waits for an answer", left)
	}
}

// TestACallerMayGiveUpWhileHisCallBeginsAnew: while it waits at the dead node, while workers are asked, and while it rings again.
func TestACallerMayGiveUpWhileHisCallBeginsAnew(t *testing.T) {
	dead, other := startNode(t, func(r request) []int {
		if r.method() == "INVITE" {
			return []int{100, 180}
		}
		return nil
	}), startNode(t, rings)
	e, c := startAgain(t, []string{dead.address(), other.address()}, nil)
	var silent atomic.Bool
	e.ask(func(r *messages.RouteRequest, nth int) [][]byte {
		switch {
		case r.AgainAfter == "":
			return routeAs("first", dead.uri())(r)
		case silent.Load():
			return nil
		}
		return routeAs("second", other.uri())(r)
	})
	for _, when := range []string{"before the fence", "while workers are asked", "while it rings again"} {
		t.Run(when, func(t *testing.T) {
			call := c.invite("1")
			call.ringing()
			silent.Store(when == "while workers are asked")
			anew := e.shared("begun_anew")
			if when == "before the fence" {
				call.cancel()
				dead.expect("CANCEL")
			}
			e.fence(dead)
			switch when {
			case "while workers are asked":
				e.await("the question", func() bool { return e.shared("begun_anew") != anew })
				call.cancel()
			case "while it rings again":
				call.ringing()
				call.cancel()
				other.expect("CANCEL")
			}
			call.over("487")
			e.fenceStep(messages.FenceLift, dead.address(), 7)
		})
	}
}

// over is expect for a call that was given up: the answer to the CANCEL comes before or after it.
func (o outgoing) over(code string) {
	o.c.t.Helper()
	for {
		reply := o.c.final()
		if strings.HasSuffix(headersOf(reply, "CSeq")[0], "CANCEL") || headersOf(reply, "Call-ID")[0] != o.id {
			continue
		}
		o.acknowledge(headersOf(reply, "To")[0])
		if !strings.HasPrefix(reply, "SIP/2.0 "+code) {
			o.c.t.Errorf("the caller sees\n%s", reply)
		}
		return
	}
}

// cancel gives the call up.
func (o outgoing) cancel() {
	head, _, _ := strings.Cut(o.text, "Content-Type: ")
	o.c.sendTo(o.c.e.values.Outside, strings.ReplaceAll(head, "INVITE", "CANCEL")+"CSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n")
}

// TestManyCallersRingAnew, each once.
func TestManyCallersRingAnew(t *testing.T) {
	const calls = 100 // workers and nodes of these tests hold so many
	dead, other := startNode(t, rings), startNode(t, rings)
	e, c := startAgain(t, []string{dead.address(), other.address()}, nil)
	e.ask(func(r *messages.RouteRequest, nth int) [][]byte {
		if r.AgainAfter == "" {
			return routeAs(r.CallID, dead.uri())(r)
		}
		return routeAs("anew", other.uri())(r)
	})
	for range calls {
		c.invite("1").ringing()
	}
	began := time.Now()
	e.fence(dead)
	invites := map[string]bool{}
	var last time.Duration
	for len(invites) < calls {
		invites[other.expect("INVITE").header("Call-ID")] = true
		last = time.Since(began)
	}
	t.Logf("%d callers are at another node %v after the fence", calls, last)
	if last > 2*time.Second {
		t.Errorf("that is too late")
	}
	if again := e.shared("begun_anew"); again != fmt.Sprint(calls) {
		t.Errorf("asked anew %s times", again)
	}
}
