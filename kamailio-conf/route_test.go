package kamailioconf_test

import (
	"strings"
	"testing"
	"time"

	kamailioconf "tandem/kamailio-conf"
	"tandem/messages"
	"tandem/sipptest"
)

func TestAWorkerDecidesEachCall(t *testing.T) {
	n := startNode(t, answers)
	e := startEdge(t, []string{n.address()}, nil, nil)
	e.worker.answerWith(byNumber(map[string]func(*messages.RouteRequest) [][]byte{
		"404": reject(404, "No Such Number", `Q.850;cause=1;text="Unallocated number"`),
		"603": reject(603, "Decline", `Q.850;cause=21`),
		"486": reject(486, "Busy Here", `Q.850;cause=17;text="User busy"`),
		"480": reject(480, "Temporarily Unavailable", `Q.850;cause=34`),
		"200": routeTo("X-Tandem-Call: c1\r\nX-Tandem-Tenant: t1\r\n", n.uri()),
	}))
	alice := e.phone("alice")
	for _, test := range []struct {
		number string
		code   int
		reason string
	}{
		{"404", 404, "Q.850;cause=1;"},
		{"603", 603, "Q.850;cause=21"},
		{"486", 486, "Q.850;cause=17;text=\"User busy\""},
		{"480", 480, "Q.850;cause=34"},
	} {
		t.Run(test.number, func(t *testing.T) {
			e.mustCall(t, alice, test.number, sipptest.Call{Expect: test.code, Checks: []sipptest.Check{{Header: "Reason", Pattern: test.reason}}})
			r := next(t, e.worker.requests)
			if r.AuthUser != "alice" || r.AuthRealm != domain || r.Edge != "edge1.test" || r.SourceAddress != "127.0.0.1" || r.SourcePort != alice.Port || r.Transport != "udp" {
				t.Errorf("the question does not say who asks: %+v", r)
			}
			if r.RequestURI != "sip:"+test.number+"@"+domain || r.FromURI != "sip:alice@"+domain || r.FromTag == "" || r.CSeq != 2 {
				t.Errorf("the question does not say what is dialled: %+v", r)
			}
			if !strings.HasPrefix(r.SDP, "v=0\r\n") || !strings.Contains(r.SDP, "m=audio") {
				t.Errorf("the question has no session description: %q", r.SDP)
			}
		})
	}
	t.Run("answered, both hang-ups through the edge", func(t *testing.T) {
		e.mustCall(t, alice, "200", sipptest.Call{ReInvite: true})
		invite := n.expect("INVITE")
		if got := invite.headers("X-Tandem-Call"); len(got) != 1 || got[0] != "c1" {
			t.Errorf("X-Tandem-Call at the node: %q", got)
		}
		if got := invite.headers("Record-Route"); len(got) != 2 {
			t.Errorf("the edge wants to stay on both sides: Record-Route %q", got)
		}
		if invite.header("Proxy-Authorization") != "" {
			t.Error("the phone's login reached the node")
		}
		again := n.expect("INVITE")
		if got := again.headers("Record-Route"); len(got) != 2 {
			t.Errorf("a re-INVITE is record-routed too: %q", got)
		}
		n.expect("BYE")
	})
}

func TestNodesAreTriedInOrder(t *testing.T) {
	alive := startNode(t, answers)
	busy := startNode(t, refuses(503))
	busy.extra = "Retry-After: 300\r\n"
	full := startNode(t, func(r request) []int { return []int{180, 503} })
	dead := startNode(t, nil)
	declines := startNode(t, refuses(603))
	declines.extra = "Retry-After: 300\r\nX-Tandem-Secret: 1\r\n"
	e := startEdge(t, []string{alive.address(), busy.address(), full.address(), dead.address(), declines.address()}, nil, func(v *kamailioconf.Values) {
		v.NodeWait = 400 * time.Millisecond
	})
	e.worker.answerWith(byNumber(map[string]func(*messages.RouteRequest) [][]byte{
		"1": routeTo("X-Tandem-Call: c1\r\n", dead.uri(), alive.uri()),
		"2": routeTo("X-Tandem-Call: c2\r\n", busy.uri(), alive.uri()),
		"3": routeTo("", busy.uri(), dead.uri()),
		"4": routeTo("", full.uri(), alive.uri()),
		"5": routeTo("", declines.uri(), alive.uri()),
		"6": routeTo("", "sip:not an address", alive.uri()),
	}))
	alice := e.phone("alice")
	for _, number := range []string{"1", "2"} {
		t.Run("the first is dead or says 503: "+number, func(t *testing.T) {
			e.mustCall(t, alice, number, sipptest.Call{})
			invite := alive.expect("INVITE")
			if got := invite.headers("X-Tandem-Call"); len(got) != 1 || got[0] != "c"+number {
				t.Errorf("the second node sees X-Tandem-Call %q", got)
			}
			if got := invite.headers("Record-Route"); len(got) != 2 {
				t.Errorf("the second node sees Record-Route %q", got)
			}
			alive.expect("BYE")
		})
	}
	for name, number := range map[string]string{"all fail": "3", "the node says 503 while it rings": "4"} {
		t.Run(name+": 500, and nothing of the node's", func(t *testing.T) {
			seen := e.mustCall(t, alice, number, sipptest.Call{Expect: 500, Checks: []sipptest.Check{{Header: "Reason", Pattern: "Q.850;cause=41"}}})
			if strings.Contains(seen.Messages(), "Retry-After") {
				t.Error("a node's Retry-After reached the phone")
			}
		})
	}
	t.Run("a refusal of the call is passed on and tries no other node", func(t *testing.T) {
		seen := e.mustCall(t, alice, "5", sipptest.Call{Expect: 603})
		if strings.Contains(seen.Messages(), "Retry-After") || strings.Contains(seen.Messages(), "X-Tandem") {
			t.Error("the node's own headers reached the phone")
		}
		none(t, alive.requests)
	})
	t.Run("a node that is no URI is passed over", func(t *testing.T) {
		e.mustCall(t, alice, "6", sipptest.Call{})
		alive.expect("BYE")
	})
}

// TestOnlyAGoodAnswerIsObeyed: whatever else comes back, the caller gets a defined answer within the time for it.
func TestOnlyAGoodAnswerIsObeyed(t *testing.T) {
	e := startEdge(t, nil, nil, func(v *kamailioconf.Values) { v.AnswerWait = 700 * time.Millisecond })
	good := reject(404, "No Such Number", "Q.850;cause=1")
	of := func(change func(*messages.RouteAnswer), r *messages.RouteRequest) []byte {
		a := &messages.RouteAnswer{Verdict: messages.Reject, Code: 603, Phrase: "Decline"}
		change(a)
		return encoded(a, r)
	}
	bad := map[string]func(*messages.RouteRequest) []byte{
		"broken":  func(r *messages.RouteRequest) []byte { return good(r)[0][:40] },
		"no-json": func(r *messages.RouteRequest) []byte { return []byte("hello") },
		"other-call": func(r *messages.RouteRequest) []byte {
			return of(func(a *messages.RouteAnswer) { a.CallID = "another" }, r)
		},
		"no-verdict": func(r *messages.RouteRequest) []byte {
			return of(func(a *messages.RouteAnswer) { a.Verdict = "maybe" }, r)
		},
		"code-200": func(r *messages.RouteRequest) []byte { return of(func(a *messages.RouteAnswer) { a.Code = 200 }, r) },
		"other-label": func(r *messages.RouteRequest) []byte {
			other := *r
			other.TLabel++
			return of(func(*messages.RouteAnswer) {}, &other)
		},
		"other-type": func(r *messages.RouteRequest) []byte {
			return []byte(strings.Replace(string(good(r)[0]), "route.answer.v1", "route.answer.v9", 1))
		},
	}
	e.worker.answerWith(func(r *messages.RouteRequest) [][]byte {
		number, _, _ := strings.Cut(strings.TrimPrefix(r.RequestURI, "sip:"), "@")
		name, then, _ := strings.Cut(number, "_")
		if name == "silence" {
			return nil
		}
		if name == "twice" {
			return [][]byte{good(r)[0], reject(404, "No Such Number Either", "")(r)[0]}
		}
		if then == "good" {
			return [][]byte{bad[name](r), good(r)[0]}
		}
		return [][]byte{bad[name](r)}
	})
	alice := e.phone("alice")
	for name := range bad {
		t.Run(name+" alone is 503", func(t *testing.T) {
			e.mustCall(t, alice, name, sipptest.Call{Expect: 503, Checks: []sipptest.Check{{Header: "Retry-After", Pattern: "5"}}})
		})
		t.Run(name+" before a good one does no harm", func(t *testing.T) {
			e.mustCall(t, alice, name+"_good", sipptest.Call{Expect: 404})
		})
	}
	t.Run("silence is 503", func(t *testing.T) { e.mustCall(t, alice, "silence", sipptest.Call{Expect: 503}) })
	t.Run("of two good ones only one counts", func(t *testing.T) { e.mustCall(t, alice, "twice", sipptest.Call{Expect: 404}) })
}

func TestAnAnswerAfterTheDeadlineIsIgnored(t *testing.T) {
	e := startEdge(t, nil, nil, func(v *kamailioconf.Values) { v.AnswerWait = 300 * time.Millisecond })
	asked := make(chan *messages.RouteRequest, seen)
	e.worker.answerWith(func(r *messages.RouteRequest) [][]byte { asked <- r; return nil })
	alice := e.phone("alice")
	e.mustCall(t, alice, "1", sipptest.Call{Expect: 503})
	late := next(t, asked)
	e.worker.send("targeted", late.ServerID, reject(404, "Late", "")(late)[0])
	// The edge goes on as if nothing had come.
	e.worker.answerWith(reject(486, "Busy Here", ""))
	e.mustCall(t, alice, "2", sipptest.Call{Expect: 486})
}

func TestACallerMayGiveUpAtAnyTime(t *testing.T) {
	n := startNode(t, rings)
	e := startEdge(t, []string{n.address()}, nil, nil)
	asked := make(chan *messages.RouteRequest, seen)
	e.worker.answerWith(func(r *messages.RouteRequest) [][]byte { asked <- r; return nil })
	alice := e.phone("alice")
	t.Run("while the call is being decided", func(t *testing.T) {
		e.mustCall(t, alice, "1", sipptest.Call{CancelAfter: 50 * time.Millisecond})
		late := next(t, asked)
		e.worker.send("targeted", late.ServerID, routeTo("", n.uri())(late)[0])
	})
	t.Run("while it rings", func(t *testing.T) {
		e.worker.answerWith(routeTo("", n.uri()))
		e.mustCall(t, alice, "2", sipptest.Call{CancelAfter: 50 * time.Millisecond, Ringing: true})
		if uri := n.expect("INVITE").uri(); uri != "sip:2@"+domain {
			t.Errorf("the call that was given up before its decision reached the node: %s", uri)
		}
		n.expect("CANCEL")
	})
}
