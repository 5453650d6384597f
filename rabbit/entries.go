package rabbit

import (
	"strings"
	"sync/atomic"

	"tandem/messages"
)

// clip cuts what phones and carriers wrote to the bounds that messages sets.
func clip(c *messages.CDR) {
	for _, f := range []struct {
		text  *string
		limit int
	}{
		{&c.SIPCallID, messages.MaxURI}, {&c.From, messages.MaxURI}, {&c.FromName, messages.MaxName}, {&c.To, messages.MaxURI},
	} {
		*f.text = fit(*f.text, f.limit)
	}
}

// fit cuts a text to so many bytes of UTF-8.
func fit(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "")
	}
	return text
}

type ledgerCounters struct {
	confirmedCDRs, spooledCDRs, drainedCDRs, lostCDRs, confirmedEntries, droppedEntries, batches atomic.Uint64
}

// LedgerStats are counts since the ledger was opened, and what it holds now.
type LedgerStats struct {
	ConfirmedCDRs    uint64
	SpooledCDRs      uint64
	DrainedCDRs      uint64 // confirmed from the spool, an earlier process's included
	LostCDRs         uint64 // neither sent nor spooled: they stand in the log
	ConfirmedEntries uint64
	DroppedEntries   uint64
	Batches          uint64 // journal messages confirmed
	HeldCDRs         int
	HeldEntries      int
}

// Stats returns the counts.
func (l *Ledger) Stats() LedgerStats {
	n := &l.counts
	l.mu.Lock()
	defer l.mu.Unlock()
	return LedgerStats{
		ConfirmedCDRs: n.confirmedCDRs.Load(), SpooledCDRs: n.spooledCDRs.Load(), DrainedCDRs: n.drainedCDRs.Load(),
		LostCDRs: n.lostCDRs.Load(), ConfirmedEntries: n.confirmedEntries.Load(), DroppedEntries: n.droppedEntries.Load(),
		Batches: n.batches.Load(), HeldCDRs: len(l.cdrs), HeldEntries: l.journal.entries,
	}
}
