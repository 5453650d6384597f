package fstest

import (
	"net/netip"
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
