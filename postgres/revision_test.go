package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

func revisionOf(t *testing.T, s *Store) int64 {
	t.Helper()
	revision, err := s.Revision(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

func TestTheRevisionGrowsOncePerChangeAndIsAnnouncedOnce(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(conn)
	if _, err := conn.Exec(ctx, `LISTEN tandem_config`); err != nil {
		t.Fatal(err)
	}
	before := revisionOf(t, s)
	change(t, s, func(tx *Tx) error { // many statements on several tables: one change
		if err := tx.InsertTenant(ctx, tenants.Tenant{ID: "one", Name: "One", Domain: "one.example", TimeZone: "UTC", Language: "en"}, "customer", ""); err != nil {
			return err
		}
		for _, number := range []string{"+12025550100", "+12025550101"} {
			if err := tx.InsertNumber(ctx, "one", number); err != nil {
				return err
			}
		}
		return tx.InsertUser(ctx, "one", tenants.User{ID: "u", Name: "U", Extension: "101"})
	})
	change(t, s, func(tx *Tx) error { return tx.SetSuspended(ctx, "one", true) })
	if got := revisionOf(t, s); got != before+2 {
		t.Errorf("two changes raised the revision from %d to %d", before, got)
	}
	var payloads []string
	for range 2 {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, n.Payload)
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if n, err := conn.WaitForNotification(short); err == nil {
		t.Errorf("a third announcement came: %s", n.Payload)
	}
	if payloads[0] == payloads[1] {
		t.Errorf("announcements %v", payloads)
	}
}

func TestWhatIsRolledBackAndWhatIsOnlyADraftDoNotRaiseTheRevision(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	addTenant(t, s, "one")
	before := revisionOf(t, s)
	undone := errors.New("undone")
	if err := s.Change(ctx, func(tx *Tx) error {
		if err := tx.SetSuspended(ctx, "one", true); err != nil {
			return err
		}
		return undone
	}); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	change(t, s, func(tx *Tx) error { return tx.BlockCaller(ctx, "one", "+12025550199") })
	if got := revisionOf(t, s); got != before {
		t.Errorf("the revision went from %d to %d", before, got)
	}
}

func TestAWatcherSeesEachRevisionAcrossALostConnection(t *testing.T) {
	address := newDatabase(t)
	direct := openStore(t, address)
	line, through := newLine(t, address)
	line.join()
	s := openStore(t, through)
	lost := newLogs()
	s.Log = lost.logger()
	addTenant(t, direct, "one")

	ctx, stop := context.WithCancel(testContext(t))
	defer stop()
	seen, done := make(chan int64, 100), make(chan error, 1)
	go func() { done <- s.WatchRevision(ctx, func(r int64) { seen <- r }) }()
	first := receive(t, "the first revision", seen)
	change(t, direct, func(tx *Tx) error { return tx.SetSuspended(ctx, "one", true) })
	if got := receive(t, "the announced revision", seen); got != first+1 {
		t.Errorf("after %d came %d", first, got)
	}
	line.cut()
	lost.await(t, "lost sight of the configuration's revision")
	change(t, direct, func(tx *Tx) error { return tx.SetSuspended(ctx, "one", false) }) // nobody hears of it
	line.join()
	if got := receive(t, "the revision that was missed", seen); got != first+2 {
		t.Errorf("after %d came %d", first+1, got)
	}
	stop()
	if err := receive(t, "the end", done); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAChangeWhoseAnnouncementIsLostIsSeenByComparing(t *testing.T) {
	s := newStore(t)
	ctx, stop := context.WithCancel(testContext(t))
	defer stop()
	seen, done := make(chan int64, 100), make(chan error, 1)
	go func() {
		w := watch{store: s, changed: func(r int64) { seen <- r }, last: -1, poll: 20 * time.Millisecond}
		done <- w.session(ctx)
	}()
	first := receive(t, "the first revision", seen)
	if _, err := s.pool.Exec(ctx, `UPDATE revision SET revision = revision + 1`); err != nil { // the trigger does not run
		t.Fatal(err)
	}
	if got := receive(t, "the revision", seen); got != first+1 {
		t.Errorf("after %d came %d", first, got)
	}
	stop()
	receive(t, "the end", done)
}
