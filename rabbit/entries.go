package rabbit

import (
	"encoding/json"
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
		*f.text = strings.ToValidUTF8(*f.text, "\uFFFD")
		if len(*f.text) > f.limit {
			*f.text = strings.ToValidUTF8((*f.text)[:f.limit], "")
		}
	}
}

// encodeEntry checks and encodes one entry. The parts that were cut say so.
func encodeEntry(e *messages.JournalEntry) ([]byte, error) {
	alone := messages.Journal{Type: messages.JournalV1, Worker: "w", Entries: []messages.JournalEntry{*e}}
	if err := alone.Validate(); err != nil {
		return nil, err
	}
	const others = 1 << 10 // usual bytes besides input and output
	body := e.Append(make([]byte, 0, len(e.Input)+len(e.Output)+others))
	if len(body) > maxJournalBody {
		e.Input, e.Output = json.RawMessage(`{"cut":"too_large"}`), json.RawMessage(`{"cut":"too_large"}`)
		body = e.Append(nil)
	}
	if len(body) > maxJournalBody {
		return nil, &messages.Refusal{Reason: "too_large", Field: "because", Detail: "an entry's reasons do not fit a message"}
	}
	return body, nil
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
		Batches: n.batches.Load(), HeldCDRs: len(l.cdrs), HeldEntries: len(l.entries),
	}
}
