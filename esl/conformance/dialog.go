package conformance

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Dialog is one call at a phone, made or received.
type Dialog struct {
	phone    *Phone
	outgoing bool
	invite   *sip.Request
	server   *sip.ServerTx // of an incoming call
	client   sip.ClientTransaction
	localTag string
	answer   *sip.Response // the 2xx, ours or theirs
	seq      uint32
	version  int

	rtpSequence uint16
	recordRoute []string // Record-Route of our answer to an incoming call

	Responses chan *sip.Response // to our INVITE, in order
	Acks      chan *sip.Request
	Byes      chan *sip.Request
	Cancels   chan *sip.Request
	Notifies  chan string // bodies of NOTIFY requests, without the line's end
}

// follow passes the responses on, and acknowledges an answer at once.
func (d *Dialog) follow() {
	for {
		select {
		case res := <-d.client.Responses():
			if res.IsSuccess() {
				d.answer = res
				if !d.phone.slowAck {
					d.ack()
				}
			}
			d.Responses <- res
			if res.StatusCode >= 200 {
				return
			}
		case <-d.client.Done():
			return
		}
	}
}

// request builds a request inside the dialog, straight to the other's contact.
func (d *Dialog) request(method sip.RequestMethod, seq uint32) *sip.Request {
	var target sip.Uri
	var from, to sip.Header
	if d.outgoing {
		target = d.invite.Recipient
		if c := d.answer.Contact(); c != nil {
			target = c.Address
		}
		from, to = sip.HeaderClone(d.invite.From()), sip.HeaderClone(d.answer.To())
	} else {
		target = d.invite.Contact().Address
		ours, theirs := d.answer.To(), d.invite.From()
		from = &sip.FromHeader{DisplayName: ours.DisplayName, Address: ours.Address, Params: ours.Params.Clone()}
		to = &sip.ToHeader{DisplayName: theirs.DisplayName, Address: theirs.Address, Params: theirs.Params.Clone()}
	}
	req := sip.NewRequest(method, target)
	req.AppendHeader(from)
	req.AppendHeader(to)
	req.AppendHeader(sip.HeaderClone(d.invite.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: method})
	req.AppendHeader(&sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: "alice", Host: d.phone.host, Port: d.phone.port}})
	return req
}

func (d *Dialog) ack() {
	if err := d.phone.client.WriteRequest(d.request(sip.ACK, d.invite.CSeq().SeqNo)); err != nil {
		d.phone.t.Error(err)
	}
}

// again waits for the retransmission of the answer and acknowledges that one.
func (d *Dialog) again() {
	d.phone.t.Helper()
	repeated := make(chan struct{}, 8)
	d.client.OnRetransmission(func(*sip.Response) { repeated <- struct{}{} })
	receive(d.phone.t, repeated, d.phone.patience, "a second answer")
	d.ack()
}

// Do sends a request inside the dialog and returns its final response.
func (d *Dialog) Do(method sip.RequestMethod, contentType string, body []byte) *sip.Response {
	d.phone.t.Helper()
	d.seq++
	req := d.request(method, d.seq)
	if contentType != "" {
		req.AppendHeader(sip.NewHeader("Content-Type", contentType))
	}
	req.SetBody(body)
	ctx, cancel := context.WithTimeout(context.Background(), d.phone.patience)
	defer cancel()
	res, err := d.phone.client.Do(ctx, req)
	if err != nil {
		d.phone.t.Fatalf("%s: %v", method, err)
	}
	if method == sip.INVITE && res.IsSuccess() {
		if err := d.phone.client.WriteRequest(d.request(sip.ACK, d.seq)); err != nil {
			d.phone.t.Error(err)
		}
	}
	return res
}

// Bye hangs up.
func (d *Dialog) Bye() { d.Do(sip.BYE, "", nil) }

// byeWithReason hangs up and says why (RFC 3326).
func (d *Dialog) byeWithReason(reason string) {
	d.phone.t.Helper()
	d.seq++
	req := d.request(sip.BYE, d.seq)
	req.AppendHeader(sip.NewHeader("Reason", reason))
	ctx, cancel := context.WithTimeout(context.Background(), d.phone.patience)
	defer cancel()
	if _, err := d.phone.client.Do(ctx, req); err != nil {
		d.phone.t.Fatal(err)
	}
}

// Reinvite offers a new direction: "sendonly" is hold, "sendrecv" takes it back.
func (d *Dialog) Reinvite(direction string) *sip.Response {
	d.version++
	return d.Do(sip.INVITE, "application/sdp", d.phone.sdp(d.version, direction))
}

// Info sends a digit in a SIP INFO.
func (d *Dialog) Info(key string) {
	d.Do(sip.INFO, "application/dtmf-relay", []byte("Signal="+key+"\r\nDuration=160\r\n"))
}

// Cancel gives an unanswered call up (RFC 3261 9.1).
func (d *Dialog) Cancel() {
	req := sip.NewRequest(sip.CANCEL, d.invite.Recipient)
	via := d.invite.Via().Clone()
	req.AppendHeader(via)
	req.AppendHeader(sip.HeaderClone(d.invite.From()))
	req.AppendHeader(sip.HeaderClone(d.invite.To()))
	req.AppendHeader(sip.HeaderClone(d.invite.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: d.invite.CSeq().SeqNo, MethodName: sip.CANCEL})
	if _, err := d.phone.client.TransactionRequest(context.Background(), req); err != nil {
		d.phone.t.Error(err)
	}
}

// mediaAddr is where the engine wants RTP.
func (d *Dialog) mediaAddr() *net.UDPAddr {
	body := ""
	if d.outgoing {
		body = string(d.answer.Body())
	} else {
		body = string(d.invite.Body())
	}
	addr := &net.UDPAddr{}
	for _, line := range strings.Split(body, "\r\n") {
		if rest, ok := strings.CutPrefix(line, "c=IN IP4 "); ok {
			addr.IP = net.ParseIP(rest)
		}
		if rest, ok := strings.CutPrefix(line, "m=audio "); ok {
			addr.Port, _ = strconv.Atoi(strings.Fields(rest)[0])
		}
	}
	return addr
}

// Respond answers an incoming INVITE with a code; with media it carries a description.
func (d *Dialog) Respond(code int, reason string, media bool) {
	d.phone.t.Helper()
	var body []byte
	if media {
		body = d.phone.sdp(1, "")
	}
	res := sip.NewResponseFromRequest(d.invite, code, reason, body)
	res.To().Params.Remove("tag")
	res.To().Params.Add("tag", d.localTag)
	if media {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	}
	res.AppendHeader(&sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: "bob", Host: d.phone.host, Port: d.phone.port}})
	for _, route := range d.recordRoute {
		res.AppendHeader(sip.NewHeader("Record-Route", route))
	}
	if code >= 200 && code < 300 {
		d.answer = res
	}
	if err := d.server.Respond(res); err != nil {
		d.phone.t.Errorf("%d: %v", code, err)
	}
}

// Final waits for the final response to our INVITE, and returns it with the
// provisional ones that came before, without 100.
func (d *Dialog) Final() (final *sip.Response, provisional []int) {
	d.phone.t.Helper()
	for {
		res := d.NextResponse()
		if res.StatusCode >= 200 {
			return res, provisional
		}
		provisional = append(provisional, res.StatusCode)
	}
}

// NextResponse waits for the next response that is not 100.
func (d *Dialog) NextResponse() *sip.Response {
	d.phone.t.Helper()
	for {
		res := receive(d.phone.t, d.Responses, d.phone.patience, "a response to the INVITE")
		if res.StatusCode != 100 {
			return res
		}
	}
}

// receive waits for a value.
func receive[T any](t *testing.T, from <-chan T, patience time.Duration, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not come within %v", what, patience)
		var none T
		return none
	}
}
