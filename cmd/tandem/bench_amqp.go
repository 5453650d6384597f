package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
	"tandem/rabbit"
)

// benchEdge is the routing key of the answers to the load: the Server-ID that an edge would have.
const benchEdge = "bench"

// benchAMQP is the load's own way to the broker, as an edge has it: one connection for requests, one for answers.
type benchAMQP struct {
	client          *rabbit.Client // declares, and sends what an owner of nodes would
	asking, hearing *amqp.Connection
	requests        *amqp.Channel
	answers         <-chan amqp.Delivery
	expected        atomic.Pointer[[]byte]
	bodies          []benchBody
}

// benchBody is a request that lacks its number in two places.
type benchBody struct{ head, middle, tail []byte }

func dialBench(ctx context.Context, url string) (b *benchAMQP, err error) {
	b = &benchAMQP{}
	defer func() {
		if err != nil {
			b.close()
			err = fmt.Errorf("the broker: %w", err)
		}
	}()
	if b.client, err = rabbit.Connect(ctx, rabbit.Options{URL: url, Name: "bench", Logger: slog.New(slog.DiscardHandler)}); err != nil {
		return b, err
	}
	if err := b.client.WaitConnected(ctx); err != nil {
		return b, err
	}
	if b.asking, err = amqp.Dial(url); err != nil {
		return b, err
	}
	if b.hearing, err = amqp.Dial(url); err != nil {
		return b, err
	}
	if b.requests, err = b.asking.Channel(); err != nil {
		return b, err
	}
	return b, b.listen()
}

// listen takes answers as the kazoo module does: from a queue of its own, without acknowledging.
func (b *benchAMQP) listen() error {
	ch, err := b.hearing.Channel()
	if err != nil {
		return err
	}
	q, err := ch.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		return err
	}
	if err := ch.QueueBind(q.Name, benchEdge, rabbit.ExchangeAnswers, false, nil); err != nil {
		return err
	}
	b.answers, err = ch.Consume(q.Name, "", true, true, false, false, nil)
	return err
}

func (b *benchAMQP) close() {
	if b.client != nil {
		b.client.Close()
	}
	for _, c := range []*amqp.Connection{b.asking, b.hearing} {
		if c != nil {
			_ = c.Close()
		}
	}
}

func (b *benchAMQP) brokerVersion() string { return fmt.Sprint(b.asking.Properties["version"]) }

// load asks one request after the other through RabbitMQ.
func (b *benchAMQP) load() *load {
	l := newLoad(b.ask)
	go func() { // ends with the connection
		for d := range b.answers {
			l.answered(benchNumber(d.Body), bytes.Contains(d.Body, *b.expected.Load()))
		}
	}()
	return l
}

// expect says what the right answers hold from now on: the echo's only one, or the route worker's nodes.
func (b *benchAMQP) expect(kind string) {
	part := []byte(`"verdict":"route"`)
	if kind == echoWorker {
		part = []byte(`"verdict":"reject"`)
	}
	b.expected.Store(&part)
}

func (b *benchAMQP) ask(n int) error {
	return b.requests.Publish(rabbit.ExchangeRequests, string(messages.RouteRequestV1), false, false, amqp.Publishing{Body: b.body(n)})
}

// body is request n.
func (b *benchAMQP) body(n int) []byte {
	body := b.bodies[n%len(b.bodies)]
	m := make([]byte, 0, len(body.head)+len(body.middle)+len(body.tail)+32)
	m = strconv.AppendInt(append(m, body.head...), int64(n), 10)
	m = strconv.AppendInt(append(m, body.middle...), int64(n), 10)
	return append(m, body.tail...)
}

// benchNumber reads the number of a request from its answer, or gives -1.
func benchNumber(answer []byte) int {
	_, rest, _ := bytes.Cut(answer, []byte(`"t_index":`))
	digits, _, _ := bytes.Cut(rest, []byte(","))
	n, err := strconv.Atoi(string(digits))
	if err != nil {
		return -1
	}
	return n
}

// announce tells workers of media nodes, as their owner does.
func (b *benchAMQP) announce(ctx context.Context) error {
	for i := range benchNodes {
		err := b.client.Publish(ctx, rabbit.ExchangeEvents, string(messages.NodeEventV1), &messages.NodeEvent{
			Type: messages.NodeEventV1, Node: fmt.Sprintf("bench%d", i+1), SIPURI: fmt.Sprintf("sip:192.0.2.%d:5060", i+1),
			State: messages.NodeUp, At: time.Now().UTC(), Worker: "bench",
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// configure tells the edge that the load is a trunk.
func (b *benchAMQP) configure(ctx context.Context, trunk netip.Addr) error {
	return b.client.Publish(ctx, rabbit.ExchangeEdges, "", &messages.EdgeConfig{EventCategory: "edge", EventName: "config",
		Type: messages.EdgeConfigV1, Nodes: []string{}, Trunks: []string{trunk.String()}})
}

// forgetLedger empties the ledger's queue: nobody reads it here, and what one round leaves would slow the next.
func (b *benchAMQP) forgetLedger() error {
	ch, err := b.asking.Channel()
	if err != nil {
		return err
	}
	_, err = ch.QueuePurge(rabbit.QueueLedger, false)
	return errors.Join(err, ch.Close())
}

// benchNodes is how many media nodes are announced.
const benchNodes = 4

// announcing repeats announce until ctx ends.
func (b *benchAMQP) announcing(ctx context.Context) {
	const every = time.Second
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		_ = b.announce(ctx) // a lost connection shows in the load
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// benchBodies writes one request for each device: what Kamailio asks when one device calls another of its tenant.
func benchBodies() ([]benchBody, error) {
	const number = 987654321
	var bodies []benchBody
	for t := range benchTenants {
		for d := range benchDevices {
			body, err := benchRequest(t, d, number)
			if err != nil {
				return nil, err
			}
			parts := bytes.Split(body, []byte(strconv.Itoa(number)))
			if len(parts) != 3 {
				return nil, fmt.Errorf("a request holds its number %d times", len(parts)-1)
			}
			bodies = append(bodies, benchBody{parts[0], parts[1], parts[2]})
		}
	}
	return bodies, nil
}

// kazooRequest is a request with what the kazoo module adds to it.
type kazooRequest struct {
	*messages.RouteRequest
	AppName    string `json:"App-Name"`
	AppVersion string `json:"App-Version"`
	Node       string `json:"Node"`
	MsgID      string `json:"Msg-ID"`
}

// benchRequest is the request of one device, some 2 kB as desk phones make it.
func benchRequest(tenant, device, number int) ([]byte, error) {
	domain, caller, callee := benchDomain(tenant), benchUsername(device), benchExtension((device+1)%benchDevices)
	source := fmt.Sprintf("198.51.100.%d", 1+tenant)
	r := kazooRequest{
		RouteRequest: &messages.RouteRequest{
			Type: messages.RouteRequestV1, ServerID: benchEdge, TIndex: number, TLabel: 1804289383,
			Edge: "edge1.example.com", Socket: "udp:192.0.2.9:5060", SourceAddress: source, SourcePort: 5060, Transport: "udp",
			CallID: fmt.Sprintf("5f3c9a1e7b2d-%d@%s", number, source), FromTag: "as58f4201b", CSeq: 102,
			RequestURI: "sip:" + callee + "@" + domain + ";user=phone", FromURI: "sip:" + caller + "@" + domain,
			FromName: "Front Desk", ToURI: "sip:" + callee + "@" + domain + ";user=phone", AuthUser: caller, AuthRealm: domain,
			Contact:   "sip:" + caller + "@" + source + ":5060;alias=" + source + "~5060~1",
			UserAgent: "Deskphone X4/2.31.0 (8f:00:4b:11:22:33)", PPreferredIdentity: []string{"\"Front Desk\" <sip:" + caller + "@" + domain + ">"},
			CallInfo: []string{"<http://" + domain + "/faces/" + caller + ".jpg>;purpose=icon"}, AlertInfo: []string{"<urn:alert:source:internal>"},
			SDP: benchSDP(source),
		},
		AppName: "kamailio", AppVersion: "5.6.3", Node: "kamailio@edge1.example.com", MsgID: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // nor does Kamailio
	err := e.Encode(r)
	return bytes.TrimSpace(out.Bytes()), err
}

// benchSDP is an offer with the codecs of a desk phone.
func benchSDP(address string) string {
	lines := []string{
		"v=0", "o=- 3839203920 3839203920 IN IP4 " + address, "s=-", "c=IN IP4 " + address, "b=AS:84", "t=0 0",
		"m=audio 11780 RTP/AVP 9 8 0 18 96 97 98 101", "a=rtpmap:9 G722/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000",
		"a=rtpmap:18 G729/8000", "a=fmtp:18 annexb=no", "a=rtpmap:96 opus/48000/2", "a=fmtp:96 useinbandfec=1;maxaveragebitrate=24000",
		"a=rtpmap:97 iLBC/8000", "a=fmtp:97 mode=30", "a=rtpmap:98 speex/16000", "a=rtpmap:101 telephone-event/8000",
		"a=fmtp:101 0-15", "a=ptime:20", "a=maxptime:60", "a=rtcp:11781", "a=sendrecv",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
		"a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj", "",
	}
	return strings.Join(lines, "\r\n")
}
