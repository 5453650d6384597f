package kamailioconf_test

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	kamailioconf "tandem/kamailio-conf"
	"tandem/messages"
)

// carrier is a trunk's side that asks for many calls at once: a node of the tests, used the other way round.
type carrier struct {
	*node
	e     *edge
	calls int
	sdp   string
}

// startAgain starts an edge for which every address of these tests is a trunk, so that no login is between a call and its
// question.
func startAgain(t *testing.T, nodes []string, change func(*kamailioconf.Values)) (*edge, *carrier) {
	t.Helper()
	e := startEdge(t, nodes, []string{"127.0.0.1"}, change)
	return e, &carrier{node: startNode(t, nil), e: e, sdp: shortDescription}
}

// invite opens a call to a number and returns it.
func (c *carrier) invite(number string) outgoing {
	c.calls++
	text := strings.ReplaceAll(options(c.node, c.e.values.Outside, c.calls), "OPTIONS", "INVITE")
	text = strings.Replace(text, "sip:"+c.e.values.Outside, "sip:"+number+"@"+c.e.values.Outside, 1)
	text = strings.Replace(text, "CSeq:", "Contact: <"+c.uri()+">\r\nContent-Type: application/sdp\r\nCSeq:", 1)
	text = strings.Replace(text, "Content-Length: 0\r\n\r\n", fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(c.sdp), c.sdp), 1)
	c.sendTo(c.e.values.Outside, text)
	return outgoing{c, text, headersOf(text, "Call-ID")[0]}
}

const shortDescription = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

// outgoing is a call of the carrier's.
type outgoing struct {
	c    *carrier
	text string
	id   string // Call-ID
}

// acknowledge sends the ACK of a refusal: the INVITE's headers with the refusal's To (RFC 3261 17.1.1.3).
func (o outgoing) acknowledge(to string) {
	head, _, _ := strings.Cut(o.text, "Content-Type: ")
	text := strings.ReplaceAll(head, "INVITE", "ACK") + "CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
	o.c.sendTo(o.c.e.values.Outside, strings.Replace(text, "To: "+headersOf(text, "To")[0], "To: "+to, 1))
}

// expect waits for the call's refusal, and acknowledges it.
func (o outgoing) expect(code string) {
	o.c.t.Helper()
	for {
		reply := o.c.final()
		if headersOf(reply, "Call-ID")[0] != o.id {
			continue
		}
		o.acknowledge(headersOf(reply, "To")[0])
		if !strings.HasPrefix(reply, "SIP/2.0 "+code) {
			o.c.t.Errorf("the caller sees %s, want %s", reply, code)
		}
		return
	}
}

// questions keeps what a worker was asked, by Call-ID, and answers the nth question of a call by a function.
type questions struct {
	mu     sync.Mutex
	asked  map[string][]*messages.RouteRequest
	at     map[string][]time.Time
	answer func(r *messages.RouteRequest, nth int) [][]byte
}

func (e *edge) ask(answer func(r *messages.RouteRequest, nth int) [][]byte) *questions {
	q := &questions{asked: map[string][]*messages.RouteRequest{}, at: map[string][]time.Time{}, answer: answer}
	e.worker.answerWith(func(r *messages.RouteRequest) [][]byte {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.asked[r.CallID] = append(q.asked[r.CallID], r)
		q.at[r.CallID] = append(q.at[r.CallID], time.Now())
		return q.answer(r, len(q.asked[r.CallID]))
	})
	return q
}

func (q *questions) of(call outgoing) ([]*messages.RouteRequest, []time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.asked[call.id], q.at[call.id]
}

func (q *questions) all() (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, asked := range q.asked {
		n += len(asked)
	}
	return n
}

func TestAnUnansweredQuestionIsAskedOnceMore(t *testing.T) {
	e, c := startAgain(t, nil, nil)
	// About as long as an edge takes.
	c.sdp += strings.Repeat("a=candidate:1 1 UDP 2130706431 192.0.2.1 4000 typ host\r\n", messages.MaxSDP/60)
	swallowed := reject(404, "Not Found", "")
	q := e.ask(func(r *messages.RouteRequest, nth int) [][]byte {
		if strings.Contains(r.RequestURI, "sip:never@") || nth == 1 {
			return nil
		}
		return swallowed(r)
	})
	for number, want := range map[string]string{"once": "404", "never": "503"} {
		t.Run("answered "+number, func(t *testing.T) {
			call := c.invite(number)
			call.expect(want)
			asked, at := q.of(call)
			if len(asked) != 2 {
				t.Fatalf("asked %d times, want 2", len(asked))
			}
			if asked[0].SDP != c.sdp {
				t.Errorf("the description is not as it was sent: %q", asked[0].SDP)
			}
			if !reflect.DeepEqual(asked[0], asked[1]) {
				t.Errorf("two different questions:\n%+v\n%+v", asked[0], asked[1])
			}
			t.Logf("asked again after %s", at[1].Sub(at[0])) // the machine's load is part of it
			if left := e.control("htable.dump", "asked", "name"); left != "" {
				t.Errorf("%s still waits for an answer", left)
			}
		})
	}
}

// TestAnAnsweredQuestionIsNotAskedAgain: a later question, which is asked again, shows that the time of the one before is over.
func TestAnAnsweredQuestionIsNotAskedAgain(t *testing.T) {
	const wait = 400 * time.Millisecond
	e, c := startAgain(t, nil, func(v *kamailioconf.Values) { v.AskAgain = wait })
	answer := reject(404, "Not Found", "")
	q := e.ask(func(r *messages.RouteRequest, nth int) [][]byte {
		if strings.Contains(r.RequestURI, "sip:answered@") || nth == 2 {
			return answer(r)
		}
		return nil
	})
	answered := c.invite("answered")
	answered.expect("404")
	later := c.invite("later")
	later.expect("404")
	for call, want := range map[outgoing]int{answered: 1, later: 2} {
		if asked, _ := q.of(call); len(asked) != want {
			t.Errorf("%s was asked about %d times, want %d", call.id, len(asked), want)
		}
	}
	if _, at := q.of(later); len(at) == 2 && at[1].Sub(at[0]) < wait/2 {
		t.Errorf("asked again after %s, want %s", at[1].Sub(at[0]), wait)
	}
}

// TestOfTwoAnswersOneIsObeyed, whichever comes when, and the other is no news.
func TestOfTwoAnswersOneIsObeyed(t *testing.T) {
	n := startNode(t, refuses(486))
	e, c := startAgain(t, []string{n.address()}, nil)
	var first sync.Map
	e.ask(func(r *messages.RouteRequest, nth int) [][]byte {
		// Both answer when the second is asked: at the same instant, in two of the edge's processes.
		if nth == 1 {
			first.Store(r.CallID, r)
			return nil
		}
		before, _ := first.Load(r.CallID)
		return append(routeTo("X-Tandem-Call: first\r\n", n.uri())(before.(*messages.RouteRequest)), routeTo("X-Tandem-Call: second\r\n", n.uri())(r)...)
	})
	const calls = 30
	for range calls {
		c.invite("1").expect("486")
	}
	invites := map[string]int{}
	for range calls {
		invites[n.expect("INVITE").header("Call-ID")]++
	}
	if len(invites) != calls {
		t.Errorf("%d calls came to the node, want %d", len(invites), calls)
	}
	if again := e.shared("asked_again"); again != fmt.Sprint(calls) {
		t.Errorf("asked again %s times", again)
	}
	log, _ := os.ReadFile(e.kamailio.Log())
	for _, complaint := range []string{"nobody waits for", "t_continue", "ERROR", "CRITICAL"} {
		if strings.Contains(string(log), complaint) {
			t.Errorf("the edge complains: %s\n%s", complaint, tail(string(log), 10))
		}
	}
}

func TestWhenManyAreLateNoneIsAskedAgain(t *testing.T) {
	const most, burst, ticksASecond = 5, 40, 200
	e, c := startAgain(t, nil, func(v *kamailioconf.Values) { v.AskAgainAtMost, v.AnswerWait = most, 5*time.Second })
	q := e.ask(func(*messages.RouteRequest, int) [][]byte { return nil })
	second := func() { // from one second hand of the edge to the next
		now := func() int { n, _ := strconv.Atoi(e.shared("tick")); return n / ticksASecond }
		from := now()
		e.await("the next second", func() bool { return now() != from })
	}
	second()
	for range burst {
		c.invite("1")
	}
	e.await("all questions", func() bool { return q.all() >= burst })
	second()
	asked := q.all()
	if again := asked - burst; again < 1 || again > 2*most { // the burst may fall into two seconds
		t.Errorf("%d of %d asked again, want at most %d", again, burst, 2*most)
	}
	for range burst {
		c.invite("1")
	}
	e.await("all questions", func() bool { return q.all() >= asked+burst })
	second()
	if more := q.all() - asked; more != burst {
		t.Errorf("%d questions for %d calls in the second after", more, burst)
	}
}
