package fstest

import (
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// RFC 3261 17.1.1.1 and its table 4.
const (
	timerT1   = 500 * time.Millisecond
	timerT2   = 4 * time.Second
	timerT4   = 5 * time.Second
	timerB    = 64 * timerT1 // also F, H, J and L (RFC 6026)
	timerD    = 32 * time.Second
	maxMillis = 1 << 31
)

// serverTransaction answers one request, again and again if need be (RFC 3261
// 17.2, RFC 6026 for accepted INVITEs).
type serverTransaction struct {
	stack       *sipStack
	key         string
	request     *sip.Request
	destination string
	response    []byte // the last one
	final       int    // its status, 0 until there is a final one
	acked       bool
	onAck       func(ack *sip.Request)
	onLost      func() // no ACK came for a 2xx
	onCancel    func(cancel *sip.Request)
	resend      *time.Timer
	interval    time.Duration
	begun       time.Time
}

// transactionKey is RFC 3261 17.2.3: branch, sent-by and method, the ACK and
// the CANCEL counting as INVITE.
func transactionKey(via *sip.ViaHeader, method string) string {
	branch, _ := via.Params.Get("branch")
	return branch + "|" + via.Host + ":" + itoa(via.Port) + "|" + method
}

// handleRequest matches a request with its transaction, or starts one.
func (t *sipStack) handleRequest(req *sip.Request, source netip.AddrPort) {
	method := string(req.Method)
	if method == "ACK" {
		t.handleAck(req)
		return
	}
	key := transactionKey(req.Via(), method)
	if tx, ok := t.servers[key]; ok {
		if tx.response != nil {
			t.write(tx.destination, tx.response, nil)
		}
		return
	}
	if len(t.servers) >= maxTransactions {
		return
	}
	tx := &serverTransaction{stack: t, key: key, request: req, destination: responseAddress(req, source), begun: time.Now()}
	t.servers[key] = tx
	if method == "CANCEL" {
		t.handleCancel(tx)
		return
	}
	t.route(tx, source)
}

// handleAck ends the retransmission of a final response: a 2xx's ACK is a
// transaction of its own and is found by its dialog.
func (t *sipStack) handleAck(ack *sip.Request) {
	if tx, ok := t.servers[transactionKey(ack.Via(), "INVITE")]; ok && tx.final >= 300 {
		tx.confirm(ack)
		return
	}
	if leg, ok := t.dialogs[dialogKey(ack.CallID().Value(), tagOf(ack.To().Params))]; ok {
		leg.acknowledged(ack)
	}
}

// handleCancel answers a CANCEL and cancels its INVITE (RFC 3261 9.2).
func (t *sipStack) handleCancel(tx *serverTransaction) {
	invite, ok := t.servers[transactionKey(tx.request.Via(), "INVITE")]
	if !ok {
		tx.reply(481, "Call/Transaction Does Not Exist")
		return
	}
	tx.reply(200, "OK")
	if invite.final == 0 && invite.onCancel != nil {
		invite.onCancel(tx.request)
	}
}

// responseAddress is RFC 3261 18.2.2 with RFC 3581: the source, at the port of
// the Via unless it asks for rport.
func responseAddress(req *sip.Request, source netip.AddrPort) string {
	via := req.Via()
	if via.Params.Has("rport") {
		return source.String()
	}
	port := via.Port
	if port == 0 {
		port = 5060
	}
	return netip.AddrPortFrom(source.Addr(), uint16(port)).String()
}

// reply sends a response without body.
func (tx *serverTransaction) reply(status int, phrase string, headers ...field) {
	tx.send(status, phrase, "", headers, nil)
}

// send sends a response and, if it is final, keeps it for retransmissions.
func (tx *serverTransaction) send(status int, phrase, tag string, headers []field, body []byte) {
	if tx.final != 0 {
		return
	}
	tx.response = buildResponse(tx.stack.srv, tx.request, status, phrase, tag, headers, body)
	tx.stack.write(tx.destination, tx.response, nil)
	if status < 200 {
		return
	}
	tx.final = status
	tx.stack.srv.after(timerB, tx.end)
	if tx.request.Method == sip.INVITE {
		tx.interval = timerT1
		tx.resend = tx.stack.srv.after(tx.interval, tx.retransmit)
	}
}

// retransmit is timer G, and for a 2xx the UAS core of RFC 3261 13.3.1.4.
func (tx *serverTransaction) retransmit() {
	if tx.acked || tx.stack.servers[tx.key] != tx {
		return
	}
	tx.stack.write(tx.destination, tx.response, nil)
	tx.interval = min(2*tx.interval, timerT2)
	tx.resend = tx.stack.srv.after(tx.interval, tx.retransmit)
}

// confirm is the arrival of the ACK.
func (tx *serverTransaction) confirm(ack *sip.Request) {
	if tx.acked {
		return
	}
	tx.acked = true
	if tx.resend != nil {
		tx.resend.Stop()
	}
	if tx.onAck != nil {
		tx.onAck(ack)
	}
}

// end forgets the transaction.
func (tx *serverTransaction) end() {
	delete(tx.stack.servers, tx.key)
	if tx.resend != nil {
		tx.resend.Stop()
	}
	if !tx.acked && tx.final >= 200 && tx.final < 300 && tx.onLost != nil {
		tx.onLost()
	}
}

// clientTransaction sends one request until it is answered (RFC 3261 17.1).
type clientTransaction struct {
	stack       *sipStack
	key         string
	method      string
	data        []byte
	destination string
	provisional bool
	final       int
	ack         []byte // of a non-2xx to an INVITE, for its retransmissions
	makeAck     func(res *sip.Response) []byte
	onResponse  func(status int, phrase string, res *sip.Response) // res is nil for a failure of our own
	resend      *time.Timer
	interval    time.Duration
}

// request starts a client transaction.
func (t *sipStack) request(tx *clientTransaction, branch string) {
	tx.stack = t
	tx.key = branch + "|" + tx.method
	if len(t.clients) >= maxTransactions {
		t.srv.after(0, func() { tx.fail(503) })
		return
	}
	t.clients[tx.key] = tx
	t.write(tx.destination, tx.data, func() { tx.fail(503) })
	tx.interval = timerT1
	tx.resend = t.srv.after(tx.interval, tx.retransmit)
	t.srv.after(timerB, func() {
		if tx.final == 0 && !(tx.provisional && tx.method == "INVITE") {
			tx.fail(408)
		}
	})
}

// retransmit is timers A and E.
func (tx *clientTransaction) retransmit() {
	if tx.final != 0 || tx.provisional && tx.method == "INVITE" || tx.stack.clients[tx.key] != tx {
		return
	}
	tx.stack.write(tx.destination, tx.data, nil)
	tx.interval *= 2
	if tx.method != "INVITE" {
		tx.interval = min(tx.interval, timerT2)
	}
	tx.resend = tx.stack.srv.after(tx.interval, tx.retransmit)
}

// fail ends a transaction that got no answer, as if it had got this one.
func (tx *clientTransaction) fail(status int) {
	if tx.final != 0 {
		return
	}
	tx.finish(status, 0)
	if tx.onResponse != nil {
		tx.onResponse(status, sipPhrase(status), nil)
	}
}

// finish marks the transaction as answered and forgets it after a while.
func (tx *clientTransaction) finish(status int, linger time.Duration) {
	tx.final = status
	if tx.resend != nil {
		tx.resend.Stop()
	}
	tx.stack.srv.after(linger, func() { delete(tx.stack.clients, tx.key) })
}

// handleResponse matches a response with its request (RFC 3261 17.1.3).
func (t *sipStack) handleResponse(res *sip.Response) {
	branch, _ := res.Via().Params.Get("branch")
	method := string(res.CSeq().MethodName)
	tx, ok := t.clients[branch+"|"+method]
	if !ok {
		return
	}
	status := res.StatusCode
	switch {
	case tx.final != 0:
		if method == "INVITE" && status >= 200 && status < 300 {
			tx.onResponse(status, res.Reason, res) // a retransmitted 2xx wants its ACK again
		} else if tx.ack != nil {
			t.write(tx.destination, tx.ack, nil)
		}
		return
	case status < 200:
		tx.provisional = true
	case status < 300:
		tx.finish(status, timerB)
	default:
		linger := timerT4
		if method == "INVITE" {
			linger = timerD
			tx.ack = tx.makeAck(res)
			t.write(tx.destination, tx.ack, nil)
		}
		tx.finish(status, linger)
	}
	if tx.onResponse != nil {
		tx.onResponse(status, res.Reason, res)
	}
}

// tagOf reads a tag parameter.
func tagOf(params sip.HeaderParams) string {
	tag, _ := params.Get("tag")
	return tag
}

// dialogKey names a dialog by what both sides see of it.
func dialogKey(callID, ourTag string) string { return callID + "|" + ourTag }

// buildResponse writes a response to a request (RFC 3261 8.2.6). An empty tag
// makes one.
func buildResponse(s *Server, req *sip.Request, status int, phrase, tag string, headers []field, body []byte) []byte {
	var b strings.Builder
	b.WriteString("SIP/2.0 " + itoa(status) + " " + phrase + "\r\n")
	for i, h := range req.GetHeaders("Via") {
		value := h.Value()
		if i == 0 {
			value = stampVia(req, value)
		}
		b.WriteString("Via: " + value + "\r\n")
	}
	if status > 100 && status < 300 {
		for _, h := range req.GetHeaders("Record-Route") {
			b.WriteString("Record-Route: " + h.Value() + "\r\n")
		}
	}
	b.WriteString("From: " + req.From().Value() + "\r\n")
	to := req.To().Value()
	if status > 100 && !req.To().Params.Has("tag") {
		if tag == "" {
			tag = newTag()
		}
		to += ";tag=" + tag
	}
	b.WriteString("To: " + to + "\r\nCall-ID: " + req.CallID().Value() + "\r\nCSeq: " + req.CSeq().Value() + "\r\n")
	b.WriteString("User-Agent: " + userAgent + "\r\n")
	writeHeaders(&b, headers, body)
	return []byte(b.String())
}

// stampVia fills received and rport in (RFC 3261 18.2.1, RFC 3581).
func stampVia(req *sip.Request, value string) string {
	source, err := netip.ParseAddrPort(req.Source())
	if err != nil {
		return value
	}
	via := req.Via()
	if rport, ok := via.Params.Get("rport"); ok && rport == "" {
		value = strings.Replace(value, ";rport", ";rport="+itoa(int(source.Port())), 1)
	} else if via.Host == source.Addr().String() {
		return value
	}
	if !via.Params.Has("received") {
		value += ";received=" + source.Addr().String()
	}
	return value
}

// writeHeaders ends a message: its own headers, the length, the body.
func writeHeaders(b *strings.Builder, headers []field, body []byte) {
	for _, h := range headers {
		b.WriteString(h.name + ": " + oneLine(h.value) + "\r\n")
	}
	if len(body) > 0 {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	b.WriteString("Content-Length: " + itoa(len(body)) + "\r\n\r\n")
	b.Write(body)
}

// oneLine keeps a hostile value from starting a header of its own.
func oneLine(value string) string {
	return strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == 0 {
			return -1
		}
		return r
	}, value)
}
