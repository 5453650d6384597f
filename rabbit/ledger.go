package rabbit

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"tandem/messages"
)

// Bounds of a Ledger.
const (
	JournalFlush        = 50 * time.Millisecond            // how long an entry waits for company
	JournalBatch        = 512                              // entries that make a batch full
	maxJournalBody      = messages.MaxJournalBytes - 4<<10 // bytes of a batch, its envelope aside
	MaxHeldJournalBytes = 64 << 20                         // entries waiting in memory; the oldest make room
	MaxHeldCDRs         = 100_000                          // CDRs waiting in memory because the spool fails as well
	cdrsAtOnce          = 256                              // CDRs in flight together
	drainRetry          = time.Second                      // after draining the spool has failed, or writing to it
)

// LedgerOptions of OpenLedger.
type LedgerOptions struct {
	StateDir string // its folder "spool" belongs to the ledger; one process at a time
	// OnSafe, when not nil, is called once or more for each leg when its CDR can no longer be lost with this process:
	// the broker has confirmed it, or it is fsynced in the spool. It must return at once.
	OnSafe func(leg string)
}

// Ledger sends CDRs and journal entries to whoever writes them to the database. It is safe for concurrent use.
//
//	AddCDR ----> held in memory ----> published ----> confirmed: safe
//	                  |                   | no confirm within ConfirmWait, refused
//	                  | away              v
//	                  '-----------> spool, fsynced: safe ----> drained in order when the broker is back
//
//	AddJournal ----> held in memory, bounded ----> published in batches ----> confirmed
//	                          ^------------------------------' else
type Ledger struct {
	client *Client
	onSafe func(string)

	mu      sync.Mutex
	cdrs    []heldCDR
	journal journal
	closing bool
	// spoolRetryAt is when a spool that failed may be tried again.
	spoolRetryAt time.Time

	wake   chan struct{}
	done   chan struct{}
	abort  context.CancelFunc // ends the waiting for confirms
	spool  *spool
	drain  drain
	packer packer
	counts ledgerCounters
}

type heldCDR struct {
	leg  string
	body []byte
}

// OpenLedger starts a ledger on the client. What an earlier process has left in the spool is sent as soon as the broker
// is there. Close it before the client.
func (c *Client) OpenLedger(o LedgerOptions) (*Ledger, error) {
	s, err := openSpool(filepath.Join(o.StateDir, "spool"))
	if err != nil {
		return nil, err
	}
	worker, err := json.Marshal(c.name)
	if err != nil {
		return nil, err
	}
	l := &Ledger{
		client: c, onSafe: o.OnSafe, journal: journal{head: journalHead(worker)}, spool: s,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if l.onSafe == nil {
		l.onSafe = func(string) {}
	}
	var ctx context.Context
	ctx, l.abort = context.WithCancel(context.Background())
	go func() {
		defer close(l.done)
		l.run(ctx)
	}()
	return l, nil
}

// AddCDR takes a CDR and returns at once. Text beyond its bounds is cut: a phone's long name must not cost a CDR. One
// that is invalid all the same is sent nevertheless; the reader dead-letters it with the reason, where it can be mended.
func (l *Ledger) AddCDR(cdr messages.CDR) {
	cdr.Type = messages.CDRV1
	body, err := messages.Encode(&cdr)
	if err != nil {
		clip(&cdr)
		if body, err = messages.Encode(&cdr); err != nil {
			l.client.log.Error("CDR is invalid and will be dead-lettered", slog.String("tenant_id", cdr.Tenant),
				slog.String("call_id", cdr.Call), slog.String("leg_id", cdr.Leg), slog.Any("error", err))
			body, _ = json.Marshal(&cdr) // strings, numbers and times: cannot fail but for years beyond 9999
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing || len(l.cdrs) >= MaxHeldCDRs {
		// The log is the last place that is left.
		l.counts.lostCDRs.Add(1)
		l.client.log.Error("CDR could not be kept", slog.String("tenant_id", cdr.Tenant), slog.String("call_id", cdr.Call),
			slog.String("leg_id", cdr.Leg), slog.Bool("closed", l.closing), slog.String("cdr", string(body)))
		return
	}
	l.cdrs = append(l.cdrs, heldCDR{cdr.Leg, body})
	l.signal()
}

// SafeRecording is how OnSafe names a recording.
const SafeRecording = "recording/"

// AddRecording takes what became of a recording and returns at once. It is kept as CDRs are; OnSafe is told of it by its ID,
// after SafeRecording.
func (l *Ledger) AddRecording(r messages.Recording) {
	r.Type = messages.RecordingV1
	r.From, r.FromName = fit(r.From, messages.MaxURI), fit(r.FromName, messages.MaxName)
	body, err := messages.Encode(&r)
	if err != nil {
		l.client.log.Error("recording is invalid and will be dead-lettered", slog.String("tenant_id", r.Tenant), slog.String("call_id", r.Call), slog.Any("error", err))
		body, _ = json.Marshal(&r)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing || len(l.cdrs) >= MaxHeldCDRs {
		l.counts.lostCDRs.Add(1)
		l.client.log.Error("recording could not be kept; its file stays", slog.String("tenant_id", r.Tenant), slog.String("call_id", r.Call),
			slog.Bool("closed", l.closing), slog.String("recording", string(body)))
		return
	}
	l.cdrs = append(l.cdrs, heldCDR{SafeRecording + r.ID, body})
	l.signal()
}

// AddJournal takes an entry and returns at once; its Input and Output must be JSON, as json.Marshal writes it, and nothing of
// them is kept. An entry too large for a message loses its Input and Output and keeps its reasons. While the broker is away
// entries wait, up to MaxHeldJournalBytes; beyond it the oldest are dropped.
func (l *Ledger) AddJournal(e messages.JournalEntry) {
	err := e.Validate()
	if err == nil {
		err = l.addJournal(e)
	}
	if err != nil {
		l.counts.droppedEntries.Add(1)
		l.client.log.Error("journal entry is invalid", slog.String("tenant_id", e.Tenant), slog.String("call_id", e.Call), slog.Any("error", err))
	}
}

func (l *Ledger) addJournal(e messages.JournalEntry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		l.counts.droppedEntries.Add(1)
		return nil
	}
	if err := l.journal.add(e); err != nil {
		return err
	}
	l.counts.droppedEntries.Add(uint64(l.journal.trim(MaxHeldJournalBytes)))
	if l.journal.entries == 1 || l.journal.filled() {
		l.signal()
	}
	return nil
}

func (l *Ledger) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Close sends what is held and waits for its confirms, at most until ctx ends; then CDRs go to the spool and journal
// entries are lost. The error is that of ctx. What is added afterwards is not kept.
func (l *Ledger) Close(ctx context.Context) error {
	l.mu.Lock()
	l.closing = true
	l.signal()
	l.mu.Unlock()
	select {
	case <-l.done:
		l.abort()
		return nil
	case <-ctx.Done():
		l.abort()
		<-l.done // no more than an fsync away
		return ctx.Err()
	}
}
