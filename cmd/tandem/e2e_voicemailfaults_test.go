package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tandem/media"
	"tandem/messages"
	"tandem/sipptest"
	"tandem/stack"
)

// The owner of the node dies (kill -9) while it records: the message is kept by its standby, once and whole, and so is one whose
// caller hangs up while nobody follows the call at all.
func TestAMessageOutlivesItsWorkers(t *testing.T) {
	t.Parallel()
	if os.Getenv("TANDEM_STACK_DIR") == "" {
		stack.ForTest(t) // says how to run the tests
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s, err := stack.Start(ctx, stack.Options{PostgreSQL: true, RabbitMQ: true}) // of its own: two systems would change each other's password of the edges
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	w, err := newWorld(ctx, t, s, worldOptions{Name: "voicemail", Nodes: 1, OwnStack: true})
	must(t, err)
	w.tellOnFailure(t)
	c := withBox(t, w)
	first := w.worker
	second, err := w.startWorker(ctx, "worker2")
	must(t, err)
	w.worker = second
	w.logged(t, "the standby has the whole picture")
	w.awaitRevision(t)

	caller := c.call(t, "one", "400", sipptest.Call{Talk: 4 * time.Second})
	c.awaitTold(t, "voicemail_records")
	must(t, first.Kill())
	x := w.story(t, succeed(t, caller), 1)
	expected{Verdict: "The call was answered", Tells: []string{"voicemail_greets", "voicemail_records", "voicemail_kept", "caller_hung_up", "call_ended"},
		Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)
	m := c.awaitMessages(t, "two", 1)[0]
	if m.Call != x.Call || m.LengthMS < 3000 || m.LengthMS > 6000 {
		t.Errorf("the message: %+v", m)
	}

	caller = c.call(t, "one", "400", sipptest.Call{Talk: 3 * time.Second})
	awaitThat(t, "the second call does not record", func(ctx context.Context) (bool, error) {
		left, err := filepath.Glob(filepath.Join(w.mediaDir(), "incoming", "*.wav"))
		return len(left) > 0, err
	})
	must(t, second.Kill())
	succeed(t, caller)
	must(t, w.restartWorker(ctx))
	folder, err := media.Open(w.mediaDir())
	must(t, err)
	defer folder.Close()
	sweep := &filing{store: w.Store, folder: folder, log: newLogger()}
	must(t, sweep.sweep(ctx, time.Now().Add(time.Hour))) // as if nobody had written to it for an hour
	must(t, sweep.sweep(ctx, time.Now().Add(time.Hour)))
	c.awaitMessages(t, "two", 2)
}

// A file that is left, of which the ledger knows that it was discarded, goes; what is no recording of ours stays.
func TestWhatIsLeftIsClearedUp(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := withBox(t, w)
	m := c.leave(t, "two")
	dir := t.TempDir()
	folder, err := media.Open(dir)
	must(t, err)
	defer folder.Close()
	for _, name := range []string{m.File, "notes.wav", messages.RecordingFile(messages.RecordingVoicemail, c.id, "two", "nobody-told", 3)} {
		must(t, os.WriteFile(filepath.Join(dir, media.Incoming(name)), []byte("RIFF"), 0o600))
	}
	f := &filing{store: w.Store, folder: folder, log: newLogger()}
	must(t, f.sweep(within(t), time.Now().Add(time.Hour)))
	left, err := folder.Left(time.Now().Add(time.Hour))
	must(t, err)
	if len(left) != 2 {
		t.Errorf("left are %v", left)
	}
}
