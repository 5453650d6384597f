package rabbit

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
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
	body, err := joinEntry(e)
	if err == nil && len(body) > maxJournalBody {
		e.Input, e.Output = json.RawMessage(`{"cut":"too_large"}`), json.RawMessage(`{"cut":"too_large"}`)
		body, err = joinEntry(e)
	}
	if err != nil {
		return nil, err
	}
	if len(body) > maxJournalBody {
		return nil, &messages.Refusal{Reason: "too_large", Field: "because", Detail: "an entry's reasons do not fit a message"}
	}
	return body, nil
}

// joinEntry writes what json.Marshal writes, without checking and compacting Input and Output again: they are most of an
// entry, and json.Marshal made them.
func joinEntry(e *messages.JournalEntry) ([]byte, error) {
	const input, output, end, null = `"input":`, `,"output":`, "}", "null"
	head := *e
	head.Input, head.Output = nil, nil
	body, err := json.Marshal(&head)
	if err != nil {
		return nil, err
	}
	body, ok := bytes.CutSuffix(body, []byte(input+null+output+null+end))
	if !ok {
		return nil, errEntry
	}
	body = slices.Grow(body, len(input)+len(e.Input)+len(output)+len(e.Output)+len(end)+2*len(null))
	for _, part := range []struct {
		name string
		raw  json.RawMessage
	}{{input, e.Input}, {output, e.Output}} {
		body = append(body, part.name...)
		if part.raw == nil {
			body = append(body, null...)
		}
		body = append(body, part.raw...)
	}
	return append(body, end...), nil
}

// errEntry can only come of a change to messages.JournalEntry.
var errEntry = errors.New("rabbit: input and output are not the last members of a journal entry")

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
