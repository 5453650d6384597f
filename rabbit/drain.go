package rabbit

import (
	"log/slog"
	"time"
)

// drain is the spool file that is being sent.
type drain struct {
	left    [][]byte // not confirmed yet
	sent    int      // of left, in this round
	open    bool
	damaged int
	retryAt time.Time
}

// next returns the messages of the spool that go with this round.
func (d *drain) next(l *Ledger) [][]byte {
	if !l.ready() || (!d.open && l.spool.empty()) || time.Now().Before(d.retryAt) {
		return nil
	}
	if !d.open {
		left, damaged, err := l.spool.load()
		if err != nil {
			l.client.log.Error("spool file cannot be read, it stays for a person to look at", slog.Any("error", err))
			d.end(l, true)
			return nil
		}
		d.open, d.left, d.damaged = true, left, damaged
	}
	if len(d.left) == 0 {
		d.end(l, d.damaged > 0)
		return nil
	}
	d.sent = min(len(d.left), cdrsAtOnce)
	return d.left[:d.sent]
}

// settle goes on behind the leading messages that the broker has taken.
func (d *drain) settle(l *Ledger, taken []bool) bool {
	if len(taken) == 0 {
		return true
	}
	for i, ok := range taken {
		if !ok {
			d.left = d.left[i:]
			d.retryAt = time.Now().Add(drainRetry)
			return false
		}
		l.counts.drainedCDRs.Add(1)
	}
	if d.left = d.left[len(taken):]; len(d.left) == 0 {
		d.end(l, d.damaged > 0)
	}
	return true
}

func (d *drain) end(l *Ledger, setAside bool) {
	if d.damaged > 0 {
		l.client.log.Error("spool file held unreadable lines, it is set aside", slog.Int("lines", d.damaged))
	}
	if err := l.spool.drop(setAside); err != nil {
		l.client.log.Error("drained spool file stays, its CDRs will be sent again", slog.Any("error", err))
	}
	*d = drain{}
}
