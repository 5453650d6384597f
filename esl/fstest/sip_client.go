package fstest

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

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
