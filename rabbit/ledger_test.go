package rabbit_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/because"
	"tandem/messages"
	"tandem/rabbit"
)

func cdr(leg string) *messages.CDR {
	start := time.Unix(1_790_000_000, 0).UTC()
	return &messages.CDR{
		Type: messages.CDRV1, Leg: leg, Call: "call-" + leg, Tenant: "demo", Role: messages.RoleCaller, Node: "fs1",
		From: "101", To: "102", StartedAt: start, EndedAt: start.Add(time.Minute), Cause: "NORMAL_CLEARING", Q850: 16,
		Fault: messages.FaultNone,
	}
}

func entry(n int) messages.JournalEntry {
	return messages.JournalEntry{
		Call: "call-1", Tenant: "demo", Source: messages.SourceRouting, N: n, At: time.Unix(1_790_000_000, 0).UTC(),
		Version: 3, Because: []because.Reason{because.New("number_unknown", "number", "999")},
		Input: json.RawMessage(`{}`), Output: json.RawMessage(`{}`),
	}
}

func openLedger(t *testing.T, c *rabbit.Client, dir string, onSafe func(string)) *rabbit.Ledger {
	t.Helper()
	l, err := c.OpenLedger(rabbit.LedgerOptions{StateDir: dir, OnSafe: onSafe})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := l.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return l
}

// books is a LedgerStore in memory.
type books struct {
	mu      sync.Mutex
	fail    func(legs []string) error // asked before each insert of CDRs
	legs    []string
	entries []int
	calls   int
	tapes   []string // ids of recordings
	changed chan struct{}
}

func newBooks() *books { return &books{changed: make(chan struct{}, 1000)} }

func (b *books) InsertCDRs(_ context.Context, all []messages.CDR) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	var legs []string
	for _, c := range all {
		legs = append(legs, c.Leg)
	}
	if b.fail != nil {
		if err := b.fail(legs); err != nil {
			b.changed <- struct{}{}
			return 0, err
		}
	}
	b.legs = append(b.legs, legs...)
	b.changed <- struct{}{}
	return len(all), nil
}

func (b *books) InsertJournal(_ context.Context, all []messages.JournalEntry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range all {
		b.entries = append(b.entries, e.N)
	}
	b.changed <- struct{}{}
	return nil
}

func (b *books) InsertRecordings(_ context.Context, all []messages.Recording) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range all {
		b.tapes = append(b.tapes, r.ID)
	}
	b.changed <- struct{}{}
	return nil
}

// until waits until the books satisfy the condition.
func (b *books) until(t *testing.T, what string, ok func(*books) bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		b.mu.Lock()
		done := ok(b)
		b.mu.Unlock()
		if done {
			return
		}
		select {
		case <-b.changed:
		case <-deadline:
			t.Fatalf("%s: legs %v, %d entries", what, b.legs, len(b.entries))
		}
	}
}

func (b *books) hasLegs(want ...string) func(*books) bool {
	return func(b *books) bool {
		return !slices.ContainsFunc(want, func(leg string) bool { return !slices.Contains(b.legs, leg) })
	}
}

func intake(t *testing.T, c *rabbit.Client, b *books) {
	t.Helper()
	background(t, func(ctx context.Context) error { return c.ConsumeLedger(ctx, 100, 20*time.Millisecond, b) })
}

func TestCDRsAndJournalReachTheBooks(t *testing.T) {
	c, _ := connected(t, broker(t))
	safe := make(chan string, 10)
	l := openLedger(t, c, t.TempDir(), func(leg string) { safe <- leg })
	b := newBooks()
	intake(t, c, b)
	l.AddCDR(*cdr("a"))
	l.AddJournal(entry(0))
	if leg := receive(t, safe, "confirm"); leg != "a" {
		t.Errorf("safe is %q", leg)
	}
	b.until(t, "both arrive", func(b *books) bool { return len(b.legs) == 1 && len(b.entries) == 1 })
	if s := l.Stats(); s.ConfirmedCDRs != 1 || s.SpooledCDRs != 0 || s.LostCDRs != 0 {
		t.Errorf("%+v", s)
	}
}

// recording is a message that was left.
func recording(id string) messages.Recording {
	call, n, _ := strings.Cut(id, "/")
	number, _ := strconv.Atoi(n)
	return messages.Recording{ID: id, Tenant: "demo", Kind: messages.RecordingVoicemail, Call: call, Leg: "leg", Box: "sales", From: "\xff",
		File: messages.RecordingFile(messages.RecordingVoicemail, "demo", "sales", call, number), At: time.Now(), LengthMS: 4000}
}

func TestARecordingReachesTheBooks(t *testing.T) {
	c, _ := connected(t, broker(t))
	safe := make(chan string, 10)
	l := openLedger(t, c, t.TempDir(), func(key string) { safe <- key })
	b := newBooks()
	intake(t, c, b)
	l.AddRecording(recording("call/4"))
	if key := receive(t, safe, "confirm"); key != rabbit.SafeRecording+"call/4" {
		t.Errorf("safe is %q", key)
	}
	b.until(t, "it arrives", func(b *books) bool { return slices.Equal(b.tapes, []string{"call/4"}) })
}

func TestJournalEntriesAreBatched(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	l := openLedger(t, c, t.TempDir(), nil)
	const n = 3*rabbit.JournalBatch + 1
	for i := range n {
		l.AddJournal(entry(i))
	}
	all := deliveries(t, raw(t, url), rabbit.QueueLedger)
	next, batches := 0, 0
	for next < n {
		m, err := messages.ParseAs[*messages.Journal](unzipped(t, receive(t, all, "batch")))
		if err != nil {
			t.Fatal(err)
		}
		batches++
		for _, e := range m.Entries {
			if e.N != next || e.Because[0].Args.Get("number") != "999" {
				t.Fatalf("entry %d is %+v", next, e)
			}
			next++
		}
	}
	if batches > 5 {
		t.Errorf("%d entries came in %d messages", n, batches)
	}
}

func unzipped(t *testing.T, d amqp.Delivery) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(d.Body))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestABatchOfLargeEntriesFitsAMessage(t *testing.T) {
	c, _ := connected(t, broker(t))
	l := openLedger(t, c, t.TempDir(), nil)
	b := newBooks()
	intake(t, c, b)
	large, huge := entry(0), entry(1)
	large.Input = json.RawMessage(`"` + strings.Repeat("x", messages.MaxJournalBytes*2/3) + `"`)
	huge.Input = json.RawMessage(`"` + strings.Repeat("x", 2*messages.MaxJournalBytes) + `"`)
	for range 3 {
		l.AddJournal(large)
	}
	l.AddJournal(huge)
	b.until(t, "four entries", func(b *books) bool { return len(b.entries) == 4 })
	if s := l.Stats(); s.DroppedEntries != 0 {
		t.Errorf("%+v", s)
	}
}

func TestAPhonesLongOrBrokenNameCostsNoCDR(t *testing.T) {
	c, _ := connected(t, broker(t))
	l := openLedger(t, c, t.TempDir(), nil)
	b := newBooks()
	intake(t, c, b)
	hostile := cdr("hostile")
	hostile.FromName, hostile.From, hostile.To = strings.Repeat("é", messages.MaxName), "\xff\xfe\r\n", strings.Repeat("1", 9999)
	l.AddCDR(*hostile)
	b.until(t, "the CDR", b.hasLegs("hostile"))
}

func TestAnInvalidCDRIsDeadLetteredNotLost(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	l := openLedger(t, c, t.TempDir(), nil)
	b := newBooks()
	intake(t, c, b)
	bad := cdr("bad")
	bad.Cause = ""
	l.AddCDR(*bad)
	l.AddCDR(*cdr("good"))
	b.until(t, "the good one", b.hasLegs("good"))
	d := receive(t, deliveries(t, raw(t, url), rabbit.QueueDead), "dead letter")
	if d.Headers[rabbit.HeaderReason] != "missing" || d.Headers[rabbit.HeaderQueue] != rabbit.QueueLedger {
		t.Errorf("headers %v", d.Headers)
	}
}

func TestWhatDoesNotBelongIntoTheLedgerIsDeadLettered(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	b := newBooks()
	intake(t, c, b)
	ch := raw(t, url)
	dead := deliveries(t, raw(t, url), rabbit.QueueDead)
	hello, _ := messages.Encode(&messages.EdgeHello{Type: messages.EdgeHelloV1, Edge: "edge1"})
	for reason, body := range map[string][]byte{
		"not_json": []byte(`{"type":"cdr.v1"`), "unknown_type": []byte(`{"type":"cdr.v7"}`), "missing": []byte(`{"type":"cdr.v1"}`),
		"too_large": make([]byte, messages.MaxJournalBytes+1),
	} {
		send(t, ch, rabbit.ExchangeLedger, "cdr.v1", body)
		if d := receive(t, dead, "dead letter"); d.Headers[rabbit.HeaderReason] != reason {
			t.Errorf("%s: headers %v", reason, d.Headers)
		}
	}
	send(t, ch, rabbit.ExchangeLedger, "journal.v1", hello)
	if d := receive(t, dead, "dead letter"); d.Headers[rabbit.HeaderReason] != "unknown_type" {
		t.Errorf("headers %v", d.Headers)
	}
	if b.calls != 0 {
		t.Error("something was stored")
	}
}

func TestWhileTheStoreFailsTheLedgerIsHeldInOrder(t *testing.T) {
	url := broker(t)
	c, log := connected(t, url)
	b := newBooks()
	var offered [][]string
	b.fail = func(legs []string) error {
		offered = append(offered, legs)
		if len(offered) < 4 {
			return errors.New("the database is away")
		}
		return nil
	}
	var want []string
	for i := range 30 {
		leg := fmt.Sprintf("leg-%02d", i)
		want = append(want, leg)
		if err := c.PublishConfirmed(contextFor(t), rabbit.ExchangeLedger, "cdr.v1", cdr(leg)); err != nil {
			t.Fatal(err)
		}
	}
	intake(t, c, b)
	b.until(t, "all legs", b.hasLegs(want...))
	if !slices.Equal(b.legs, want) {
		t.Errorf("stored %v", b.legs)
	}
	for i := 1; i < 4; i++ {
		if !slices.Equal(offered[0], offered[i]) {
			t.Errorf("attempt %d offered %v after %v", i, offered[i], offered[0])
		}
	}
	if log.count("ledger waits") != 1 {
		t.Errorf("log: %s", log)
	}
}

func TestACDRThatTheStoreRefusesIsDeadLetteredAlone(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	b := newBooks()
	b.fail = func(legs []string) error {
		if slices.Contains(legs, "leg-5") {
			return fmt.Errorf("constraint: %w", &messages.Refusal{Reason: "bad_value", Field: "tenant", Detail: "is not there"})
		}
		if slices.Contains(legs, "leg-7") {
			panic("seven")
		}
		return nil
	}
	var want []string
	for i := range 10 {
		leg := fmt.Sprintf("leg-%d", i)
		if i != 5 && i != 7 {
			want = append(want, leg)
		}
		if err := c.PublishConfirmed(contextFor(t), rabbit.ExchangeLedger, "cdr.v1", cdr(leg)); err != nil {
			t.Fatal(err)
		}
	}
	intake(t, c, b)
	b.until(t, "the others", b.hasLegs(want...))
	dead := deliveries(t, raw(t, url), rabbit.QueueDead)
	for _, reason := range []string{"bad_value", "panic"} {
		if d := receive(t, dead, "dead letter"); d.Headers[rabbit.HeaderReason] != reason {
			t.Errorf("headers %v, want %s", d.Headers, reason)
		}
	}
}

func TestCloseSendsWhatIsHeld(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	l, err := c.OpenLedger(rabbit.LedgerOptions{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		l.AddCDR(*cdr(fmt.Sprint(i)))
		l.AddJournal(entry(i))
	}
	if err := l.Close(contextFor(t)); err != nil {
		t.Fatal(err)
	}
	if s := l.Stats(); s.ConfirmedCDRs != 1000 || s.ConfirmedEntries != 1000 {
		t.Errorf("%+v", s)
	}
}
