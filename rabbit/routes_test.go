package rabbit_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
	"tandem/rabbit"
)

func request(server string, index int) *messages.RouteRequest {
	return &messages.RouteRequest{
		Type: messages.RouteRequestV1, ServerID: server, TIndex: index, TLabel: 42,
		Edge: "edge1", Socket: "udp:192.0.2.1:5060", SourceAddress: "198.51.100.7", SourcePort: 5062, Transport: "udp",
		CallID: "a84b4c76e66710@pc33.example.com", FromTag: "1928301774", CSeq: 314159,
		RequestURI: "sip:102@demo.example.com", FromURI: "sip:101@demo.example.com", FromName: "Ada",
		ToURI: "sip:102@demo.example.com", AuthUser: "101", AuthRealm: "demo.example.com",
		Contact: "<sip:101@198.51.100.7:5062;transport=udp>", UserAgent: "Phone 1.0",
		SDP: "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\n" +
			"a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n",
	}
}

func requestBody(t testing.TB, r *messages.RouteRequest) []byte {
	t.Helper()
	body, err := messages.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func answer(r *messages.RouteRequest) *messages.RouteAnswer {
	return &messages.RouteAnswer{
		EventCategory: messages.RouteAnswerCategory, EventName: messages.RouteAnswerName,
		TIndex: r.TIndex, TLabel: r.TLabel, CallID: r.CallID, Type: messages.RouteAnswerV1,
		Verdict: messages.Route, Call: "5f0c7c2e-0b0a-4c57-8a3e-1f2d3c4b5a69", Nodes: []string{"sip:192.0.2.10:5080"},
		NodeHeaders: "X-Tandem-Call: 5f0c7c2e-0b0a-4c57-8a3e-1f2d3c4b5a69\r\nX-Tandem-Tenant: demo\r\n",
	}
}

// decider is what ServeRoutes wants.
type decider = func(context.Context, *messages.RouteRequest) (*messages.RouteAnswer, func())

// trivial decides without looking.
func trivial(_ context.Context, r *messages.RouteRequest) (*messages.RouteAnswer, func()) {
	return answer(r), nil
}

func routes(t *testing.T, c *rabbit.Client, decide decider) {
	t.Helper()
	background(t, func(ctx context.Context) error { return c.ServeRoutes(ctx, 8, decide, nil) })
}

func TestEdgesMayDeclareTheirExchangesAfterTheWorkers(t *testing.T) {
	url := broker(t)
	connected(t, url)
	ch := raw(t, url)
	for name, e := range map[string]struct {
		kind    string
		durable bool
	}{ // kamailio-conf/broker.cfg
		"targeted": {"direct", false}, "tandem.edges": {"fanout", true}, "tandem.events": {"topic", true}, "tandem.requests": {"direct", true},
	} {
		if err := ch.ExchangeDeclare(name, e.kind, e.durable, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnAnswerGoesToTheEdgeThatAsked(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	routes(t, c, trivial)
	ch := raw(t, url)
	one, two := edge(t, ch, "edge1-server"), edge(t, raw(t, url), "edge2-server")
	send(t, ch, rabbit.ExchangeRequests, "route.request.v1", requestBody(t, request("edge2-server", 7)))
	got, err := messages.ParseAs[*messages.RouteAnswer](receive(t, two, "answer").Body)
	if err != nil {
		t.Fatal(err)
	}
	if want := answer(request("edge2-server", 7)); cmp.Diff(want, got) != "" {
		t.Error(cmp.Diff(want, got))
	}
	send(t, ch, rabbit.ExchangeRequests, "route.request.v1", requestBody(t, request("edge1-server", 8)))
	if d := receive(t, one, "answer"); d.Type != "route.answer.v1" || d.DeliveryMode == amqp.Persistent {
		t.Errorf("properties %q, %d", d.Type, d.DeliveryMode)
	}
}

func TestTheEchoIsUnderstoodByAnEdge(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	background(t, func(ctx context.Context) error { return c.ServeEcho(ctx, 8) })
	ch := raw(t, url)
	answers := edge(t, ch, "edge1")
	asked := request("edge1", 77)
	asked.CallID, asked.FromName = `quoted"call\id`, `"t_index":666,"Server-ID":"elsewhere"`
	send(t, ch, rabbit.ExchangeRequests, "route.request.v1", requestBody(t, asked))
	got, err := messages.ParseAs[*messages.RouteAnswer](receive(t, answers, "answer").Body)
	if err != nil {
		t.Fatal(err)
	}
	if got.TIndex != 77 || got.TLabel != asked.TLabel || got.CallID != asked.CallID || got.Verdict != messages.Reject {
		t.Errorf("answer %+v", got)
	}
}

func TestWhatIsNoRequestIsDeadLetteredWithAReasonAndRoutingGoesOn(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	routes(t, c, trivial)
	ch := raw(t, url)
	answers, dead := edge(t, ch, "edge1"), deliveries(t, raw(t, url), rabbit.QueueDead)
	good := requestBody(t, request("edge1", 1))
	for _, tt := range []struct {
		name, reason string
		body         []byte
	}{
		{"no JSON", "not_json", []byte("INVITE sip:102@demo.example.com SIP/2.0")},
		{"empty", "not_json", nil},
		{"cut short", "not_json", good[:len(good)/2]},
		{"two values", "not_json", append(bytes.Clone(good), good...)},
		{"no version of this release", "unknown_type", []byte(`{"type":"route.request.v9"}`)},
		{"another message", "unknown_type", []byte(`{"type":"edge.hello.v1","edge":"edge1"}`)},
		{"a member missing", "missing", bytes.Replace(good, []byte(`"call_id":"a84b4c76e66710@pc33.example.com"`), []byte(`"call_id":""`), 1)},
		{"a number that is a string", "bad_value", bytes.Replace(good, []byte(`"cseq":314159`), []byte(`"cseq":"314159"`), 1)},
		{"oversized", "too_large", append(bytes.Clone(good), bytes.Repeat([]byte(" "), messages.MaxMessageBytes)...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			send(t, ch, rabbit.ExchangeRequests, "route.request.v1", tt.body)
			d := receive(t, dead, "dead letter")
			if d.Headers[rabbit.HeaderReason] != tt.reason || d.Headers[rabbit.HeaderQueue] != rabbit.QueueRoute {
				t.Errorf("headers %v, want reason %s", d.Headers, tt.reason)
			}
			if !bytes.Equal(d.Body, tt.body) {
				t.Errorf("body changed to %q", d.Body)
			}
			send(t, ch, rabbit.ExchangeRequests, "route.request.v1", good)
			receive(t, answers, "the next request's answer")
		})
	}
}

func TestALedgerMessageOfANewerReleaseIsDeadLettered(t *testing.T) {
	url := broker(t)
	connected(t, url)
	ch := raw(t, url)
	send(t, ch, rabbit.ExchangeLedger, "cdr.v2", []byte(`{"type":"cdr.v2"}`))
	d := receive(t, deliveries(t, ch, rabbit.QueueDead), "dead letter")
	if d.RoutingKey != "cdr.v2" || d.Exchange != rabbit.ExchangeLedger {
		t.Errorf("came as %q %q", d.Exchange, d.RoutingKey)
	}
}

func TestAPanicInADecisionCostsThatRequestAlone(t *testing.T) {
	url := broker(t)
	c, log := connected(t, url)
	routes(t, c, func(ctx context.Context, r *messages.RouteRequest) (*messages.RouteAnswer, func()) {
		if r.TIndex == 13 {
			panic("thirteen")
		}
		return answer(r), func() { panic("after the answer") }
	})
	ch := raw(t, url)
	answers, dead := edge(t, ch, "edge1"), deliveries(t, raw(t, url), rabbit.QueueDead)
	send(t, ch, rabbit.ExchangeRequests, "route.request.v1", requestBody(t, request("edge1", 13)))
	send(t, ch, rabbit.ExchangeRequests, "route.request.v1", requestBody(t, request("edge1", 14)))
	if d := receive(t, dead, "dead letter"); d.Headers[rabbit.HeaderReason] != rabbit.ReasonPanic {
		t.Errorf("headers %v", d.Headers)
	}
	if d := receive(t, answers, "answer"); !bytes.Contains(d.Body, []byte(`"t_index":14`)) {
		t.Errorf("answered %s", d.Body)
	}
	send(t, ch, rabbit.ExchangeRequests, "route.request.v1", requestBody(t, request("edge1", 15)))
	receive(t, answers, "the next answer")
	if log.count("thirteen") == 0 || log.count("routes_test.go") == 0 {
		t.Errorf("no panic with its stack in the log: %s", log)
	}
}

func TestWhatIsAskedAgainComesToEveryWorker(t *testing.T) {
	url := broker(t)
	type asked struct {
		worker string
		index  int
	}
	decided := make(chan asked, 1000)
	for _, name := range []string{"one", "two"} {
		c, _ := connected(t, url)
		routes(t, c, func(_ context.Context, r *messages.RouteRequest) (*messages.RouteAnswer, func()) {
			return answer(r), func() { decided <- asked{name, r.TIndex} }
		})
	}
	ch := raw(t, url)
	answers := edge(t, ch, "edge1")
	awaitConsumers(t, ch, 2*rabbit.RouteLanes)
	// Each worker's queue comes with a lane of its own, a moment sooner or later: until then one decides alone.
	const attempts = 100
	seen := map[asked]bool{}
	for i, both := 1, false; !both; i++ {
		if i > attempts {
			t.Fatal("no question came to both workers")
		}
		send(t, ch, rabbit.ExchangeRequests, rabbit.KeyRouteAgain, requestBody(t, request("edge1", i)))
		one := receive(t, decided, "a decision")
		seen[one] = true
		both = seen[asked{"one", one.index}] && seen[asked{"two", one.index}]
		receive(t, answers, "answer")
	}
	send(t, ch, rabbit.ExchangeRequests, rabbit.KeyRouteAgain, []byte("{"))
	send(t, ch, rabbit.ExchangeRequests, "route.request.v1", requestBody(t, request("edge1", 0)))
	for !seen[asked{"one", 0}] && !seen[asked{"two", 0}] {
		seen[receive(t, decided, "a decision about the next")] = true
	}
	if q, err := ch.QueueInspect(rabbit.QueueDead); err != nil || q.Messages != 0 {
		t.Errorf("what cannot be read is put aside each time that it is asked: %+v, %v", q, err)
	}
}

// awaitConsumers waits until so many consume requests.
func awaitConsumers(t *testing.T, ch *amqp.Channel, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		q, err := ch.QueueInspect(rabbit.QueueRoute)
		if err != nil {
			t.Fatal(err)
		}
		if q.Consumers == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d consumers, want %d", q.Consumers, n)
		}
	}
}

func TestAnAnswerThatComesTooLateIsNotSent(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	sent := make(chan int, 4)
	routes(t, c, func(_ context.Context, r *messages.RouteRequest) (*messages.RouteAnswer, func()) {
		if r.TIndex == 1 {
			<-time.After(rabbit.RouteBudget + time.Millisecond)
		}
		return answer(r), func() { sent <- r.TIndex }
	})
	ch := raw(t, url)
	answers := edge(t, ch, "edge1")
	// The lanes take turns, so that the fourth is decided after the first by the same one.
	for i := 1; i <= 4; i++ {
		send(t, ch, rabbit.ExchangeRequests, "route.request.v1", requestBody(t, request("edge1", i)))
	}
	for range 3 {
		if d := receive(t, answers, "answer"); bytes.Contains(d.Body, []byte(`"t_index":1,`)) {
			t.Errorf("answered %s", d.Body)
		}
	}
	if n := c.Stats().Late; n != 1 {
		t.Errorf("%d late answers counted", n)
	}
	for range 3 {
		if n := receive(t, sent, "word that an answer was sent"); n == 1 {
			t.Error("an answer that was not sent is told to be")
		}
	}
}

func TestRequestsThatADeadWorkerHeldGoToAnother(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	ch := raw(t, url)
	answers := edge(t, ch, "edge1")

	doomed, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	hands, err := doomed.Channel()
	if err != nil {
		t.Fatal(err)
	}
	held, err := hands.Consume(rabbit.QueueRoute, "", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	send(t, ch, rabbit.ExchangeRequests, "route.request.v1", requestBody(t, request("edge1", 5)))
	receive(t, held, "request at the first worker")
	if err := doomed.Close(); err != nil {
		t.Fatal(err)
	}
	routes(t, c, trivial)
	receive(t, answers, "answer")
}

func TestARequestThatNobodyTakesExpiresBeforeItsEdgeGivesUp(t *testing.T) {
	url := broker(t)
	connected(t, url)
	ch := raw(t, url)
	send(t, ch, rabbit.ExchangeRequests, "route.request.v1", requestBody(t, request("edge1", 5)))
	d := receive(t, deliveries(t, ch, rabbit.QueueDead), "dead letter")
	deaths, _ := d.Headers["x-death"].([]any)
	if len(deaths) != 1 || deaths[0].(amqp.Table)["reason"] != "expired" {
		t.Errorf("headers %v", d.Headers)
	}
}

func TestAReplyThatNobodyWaitsForHarmsNothing(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	ctx := contextFor(t)
	ch := raw(t, url)
	answers := edge(t, ch, "edge1")
	for range 100 {
		if err := c.Publish(ctx, rabbit.ExchangeAnswers, "an edge that is gone", answer(request("x", 1))); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Publish(ctx, rabbit.ExchangeAnswers, "edge1", answer(request("edge1", 2))); err != nil {
		t.Fatal(err)
	}
	if d := receive(t, answers, "answer"); !bytes.Contains(d.Body, []byte(`"t_index":2`)) {
		t.Errorf("answered %s", d.Body)
	}
	if q, err := ch.QueueInspect(rabbit.QueueDead); err != nil || q.Messages != 0 {
		t.Errorf("dead queue %+v, %v", q, err)
	}
}

// TestATransferIsAnsweredByItsOwnDecider: both kinds of question come by one queue.
func TestATransferIsAnsweredByItsOwnDecider(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	background(t, func(ctx context.Context) error {
		return c.ServeRoutes(ctx, 8, trivial, func(_ context.Context, r *messages.TransferRequest) *messages.TransferAnswer {
			return &messages.TransferAnswer{EventCategory: messages.TransferAnswerCategory, EventName: messages.TransferAnswerName, TIndex: r.TIndex, TLabel: r.TLabel,
				CallID: r.CallID, Type: messages.TransferAnswerV1, Verdict: messages.TransferPass}
		})
	})
	ch := raw(t, url)
	answers := edge(t, ch, "edge1")
	body, err := messages.Encode(&messages.TransferRequest{Type: messages.TransferRequestV1, ServerID: "edge1", TIndex: 5, TLabel: 6, Edge: "edge1",
		SourceAddress: "192.0.2.1", CallID: "a", FromTag: "1", ToTag: "2", Replaces: "b;to-tag=3;from-tag=4"})
	if err != nil {
		t.Fatal(err)
	}
	send(t, ch, rabbit.ExchangeRequests, "transfer.request.v1", body)
	got, err := messages.ParseAs[*messages.TransferAnswer](receive(t, answers, "answer").Body)
	if err != nil || got.TIndex != 5 || got.Verdict != messages.TransferPass {
		t.Errorf("%+v, %v", got, err)
	}
}
