package kamailioconf_test

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
)

// worker stands in for Tandem's workers: it answers edge.hello.v1 with a configuration and route.request.v1 by a table,
// and keeps what it saw. Everything that an edge writes must be accepted by messages.Parse.
type worker struct {
	t       *testing.T
	channel *amqp.Channel

	mu     sync.Mutex
	nodes  []string
	trunks []string
	// answer gives the bodies to send for a request, in order; nil: silence.
	answer func(*messages.RouteRequest) [][]byte
	refers func(*messages.TransferRequest) *messages.TransferAnswer // the same of transfers

	transfers     chan *messages.TransferRequest
	requests      chan *messages.RouteRequest // each question once
	asked         map[[2]string]bool          // by Call-ID and CSeq
	registrations chan *messages.Registration
	hellos        chan *messages.EdgeHello
	fenced        chan *messages.EdgeFenced
	byes          chan *messages.EdgeBye
}

const seen = 256 // messages that a test may leave unread

func startWorker(t *testing.T, url string) *worker {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{
		t:         t,
		transfers: make(chan *messages.TransferRequest, seen),
		asked:     map[[2]string]bool{}, requests: make(chan *messages.RouteRequest, seen), registrations: make(chan *messages.Registration, seen),
		hellos: make(chan *messages.EdgeHello, seen), fenced: make(chan *messages.EdgeFenced, seen), byes: make(chan *messages.EdgeBye, seen),
	}
	if w.channel, err = conn.Channel(); err != nil {
		t.Fatal(err)
	}
	w.declare()
	var consumers sync.WaitGroup
	for _, queue := range []string{"tandem.route", "test.events"} {
		deliveries, err := w.channel.Consume(queue, "", true, false, false, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		consumers.Go(func() {
			for d := range deliveries {
				w.take(d.Body)
			}
		})
	}
	t.Cleanup(func() {
		_ = conn.Close()
		consumers.Wait()
	})
	return w
}

// declare makes the topology with the arguments that all Tandem processes use.
func (w *worker) declare() {
	w.t.Helper()
	check := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	check(w.channel.ExchangeDeclare("tandem.requests", "direct", true, false, false, false, nil))
	check(w.channel.ExchangeDeclare("targeted", "direct", false, false, false, false, nil))
	check(w.channel.ExchangeDeclare("tandem.events", "topic", true, false, false, false, nil))
	check(w.channel.ExchangeDeclare("tandem.edges", "fanout", true, false, false, false, nil))
	check(w.channel.ExchangeDeclare("tandem.dead", "fanout", true, false, false, false, nil))
	_, err := w.channel.QueueDeclare("tandem.route", true, false, false, false, amqp.Table{
		"x-message-ttl": 1500, "x-dead-letter-exchange": "tandem.dead",
	})
	check(err)
	check(w.channel.QueueBind("tandem.route", "route.request.v1", "tandem.requests", false, nil))
	check(w.channel.QueueBind("tandem.route", "route.request.v1.again", "tandem.requests", false, nil))
	check(w.channel.QueueBind("tandem.route", "transfer.request.v1", "tandem.requests", false, nil))
	_, err = w.channel.QueueDeclare("test.events", false, true, true, false, nil)
	check(err)
	check(w.channel.QueueBind("test.events", "#", "tandem.events", false, nil))
}

// configure sets what edges get when they say hello, and tells those that are there.
func (w *worker) configure(nodes, trunks []string) {
	w.mu.Lock()
	w.nodes, w.trunks = nodes, trunks
	w.mu.Unlock()
	w.sendConfiguration()
}

func (w *worker) sendConfiguration() {
	w.mu.Lock()
	m := &messages.EdgeConfig{EventCategory: "edge", EventName: "config", Type: messages.EdgeConfigV1, Nodes: append([]string{}, w.nodes...), Trunks: append([]string{}, w.trunks...)}
	w.mu.Unlock()
	w.publish("tandem.edges", "", m)
}

func (w *worker) publish(exchange, key string, m messages.Message) {
	body, err := messages.Encode(m)
	if err != nil {
		w.t.Errorf("encode: %v", err)
		return
	}
	w.send(exchange, key, body)
}

func (w *worker) send(exchange, key string, body []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := w.channel.PublishWithContext(ctx, exchange, key, false, false, amqp.Publishing{ContentType: "application/json", Body: body}); err != nil {
		w.t.Errorf("publish: %v", err)
	}
}

// answerWith sets the table.
func (w *worker) answerWith(answer func(*messages.RouteRequest) [][]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = answer
}

func (w *worker) take(body []byte) {
	m, err := messages.Parse(body)
	if err != nil {
		w.t.Errorf("the edge wrote what package messages refuses: %v\n%s", err, body)
		return
	}
	switch m := m.(type) {
	case *messages.RouteRequest:
		question := [2]string{m.CallID, strconv.Itoa(m.CSeq)}
		w.mu.Lock()
		answer, again := w.answer, w.asked[question]
		w.asked[question] = true
		w.mu.Unlock()
		if answer != nil {
			for _, body := range answer(m) {
				w.send("targeted", m.ServerID, body)
			}
		}
		if !again { // an edge asks twice when a busy machine answers late
			w.requests <- m
		}
	case *messages.TransferRequest:
		w.mu.Lock()
		refers := w.refers
		w.mu.Unlock()
		if refers != nil {
			if answer := refers(m); answer != nil {
				w.publish("targeted", m.ServerID, answer)
			}
		}
		w.transfers <- m
	case *messages.Registration:
		w.registrations <- m
	case *messages.EdgeHello:
		w.sendConfiguration()
		w.hellos <- m
	case *messages.EdgeFenced:
		w.fenced <- m
	case *messages.EdgeBye:
		w.byes <- m
	}
}

// referTo answers questions about transfers.
func (w *worker) referTo(verdict messages.TransferVerdict, to string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refers = func(r *messages.TransferRequest) *messages.TransferAnswer {
		return &messages.TransferAnswer{EventCategory: messages.TransferAnswerCategory, EventName: messages.TransferAnswerName, TIndex: r.TIndex, TLabel: r.TLabel,
			CallID: r.CallID, Type: messages.TransferAnswerV1, Verdict: verdict, To: to}
	}
}

// referToNobody leaves them unanswered.
func (w *worker) referToNobody() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refers = nil
}

// reject is an answer that refuses.
func reject(code int, phrase, reason string) func(*messages.RouteRequest) [][]byte {
	return func(r *messages.RouteRequest) [][]byte {
		return [][]byte{encoded(&messages.RouteAnswer{Verdict: messages.Reject, Code: code, Phrase: phrase, Reason: reason}, r)}
	}
}

// routeTo is an answer that names nodes.
func routeTo(headers string, nodes ...string) func(*messages.RouteRequest) [][]byte {
	return func(r *messages.RouteRequest) [][]byte {
		return [][]byte{encoded(&messages.RouteAnswer{Verdict: messages.Route, Nodes: nodes, NodeHeaders: headers}, r)}
	}
}

// callOfTests is the id that workers of these tests give each call.
const callOfTests = "00000000-0000-4000-8000-000000000001"

// encoded completes an answer as the edge's question wants it.
func encoded(a *messages.RouteAnswer, r *messages.RouteRequest) []byte {
	a.EventCategory, a.EventName = messages.RouteAnswerCategory, messages.RouteAnswerName
	a.Type, a.TIndex, a.TLabel, a.Call = messages.RouteAnswerV1, r.TIndex, r.TLabel, callOfTests
	if a.CallID == "" {
		a.CallID = r.CallID
	}
	body, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	return body
}

// byNumber answers by the user part of the Request-URI.
func byNumber(table map[string]func(*messages.RouteRequest) [][]byte) func(*messages.RouteRequest) [][]byte {
	return func(r *messages.RouteRequest) [][]byte {
		user, _, _ := strings.Cut(strings.TrimPrefix(r.RequestURI, "sip:"), "@")
		if answer := table[user]; answer != nil {
			return answer(r)
		}
		return nil
	}
}

// next waits for a message.
func next[M any](t *testing.T, from chan M) M {
	t.Helper()
	select {
	case m := <-from:
		return m
	case <-time.After(15 * time.Second):
		t.Fatalf("no message of type %T came", *new(M))
		panic("unreachable")
	}
}

// none fails when a message is already there.
func none[M any](t *testing.T, from chan M) {
	t.Helper()
	select {
	case m := <-from:
		t.Fatalf("a message came that must not: %+v", m)
	default:
	}
}
