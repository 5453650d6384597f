package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

// anySettings takes the settings of every element.
func anySettings(string, json.RawMessage) (any, error) { return nil, nil }

// run starts a source; the function that it gives stops it and waits.
func run(t *testing.T, s *Source) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(testContext(t))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := receive(t, "the source's end", done); !errors.Is(err, context.Canceled) {
			t.Errorf("Run gave %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func TestAChangeIsLiveWithinASecondOfItsCommit(t *testing.T) {
	s := newStore(t)
	addTenant(t, s, "one")
	seen := newLogs()
	source := &Source{Store: s, Dir: t.TempDir(), Parse: anySettings, Log: seen.logger()}
	if source.Current() != nil {
		t.Error("there is a snapshot before Run")
	}
	stop := run(t, source)
	receive(t, "the first snapshot", source.Ready())
	seen.await(t, "configuration is live")
	before := source.Current()
	change(t, s, func(tx *Tx) error { return tx.SetSuspended(testContext(t), "one", true) })
	committed := time.Now()
	seen.await(t, "configuration is live")
	took := time.Since(committed)
	if took > time.Second {
		t.Errorf("it took %v", took)
	}
	t.Logf("figure change_live_ms %d", took.Milliseconds())
	if !source.Current().Tenant("one").Suspended || before.Tenant("one").Suspended {
		t.Error("the new snapshot must have the change and the old one must not")
	}
	stop()
	local, err := ReadSnapshot(source.Dir)
	if err != nil || local.Data.Revision != source.Current().Revision() {
		t.Errorf("the local copy has revision %d, want %d (%v)", local.Data.Revision, source.Current().Revision(), err)
	}
}

func TestPostgreSQLAbsentAtStartTheLastLocalSnapshotIsUsedAndItsAgeIsKnown(t *testing.T) {
	address := newDatabase(t)
	addTenant(t, openStore(t, address), "fresh")
	line, away := newLine(t, address)
	dir := t.TempDir()
	old := dataOf(1)
	old.LoadedAt = time.Now().Add(-2 * time.Hour).UTC()
	if err := WriteSnapshot(dir, old); err != nil {
		t.Fatal(err)
	}
	seen := newLogs()
	store := openStore(t, away)
	store.Log = seen.logger()
	source := &Source{Store: store, Dir: dir, Parse: anySettings, Log: seen.logger()}
	run(t, source)
	receive(t, "the snapshot", source.Ready())
	if s := source.Current(); s.Tenant("one") == nil || !s.LoadedAt().Equal(old.LoadedAt) || !source.FromDisk() {
		t.Errorf("started with revision %d of %v", s.Revision(), s.LoadedAt())
	}
	if said := seen.await(t, "starting from the last local snapshot"); !strings.Contains(said, "age=2h0m0s") {
		t.Errorf("the log does not say its age: %s", said)
	}
	seen.await(t, "lost sight of") // it goes on trying
	line.join()
	seen.await(t, "from_disk=false")
	if s := source.Current(); s.Tenant("fresh") == nil || s.Tenant("one") != nil || source.FromDisk() {
		t.Errorf("PostgreSQL came back and revision %d runs", s.Revision())
	}
}

func TestPostgreSQLAbsentAtStartWithoutALocalSnapshotItWaitsAndSaysSo(t *testing.T) {
	address := newDatabase(t)
	line, away := newLine(t, address)
	seen := newLogs()
	source := &Source{Store: openStore(t, away), Dir: t.TempDir(), Parse: anySettings, Log: seen.logger()}
	run(t, source)
	seen.await(t, "no local snapshot; waiting for PostgreSQL")
	seen.await(t, "trying again")
	select {
	case <-source.Ready():
		t.Error("it is ready without a configuration")
	default:
	}
	line.join()
	receive(t, "the snapshot", source.Ready())
}

func TestATornLocalSnapshotIsReportedAndTheOneBeforeItUsed(t *testing.T) {
	_, away := newLine(t, newDatabase(t))
	dir := t.TempDir()
	for revision := range int64(2) {
		if err := WriteSnapshot(dir, dataOf(revision)); err != nil {
			t.Fatal(err)
		}
	}
	names, _ := snapshotNames(dir)
	spoil(t, dir+"/"+names[0], func(b []byte) []byte { return b[:len(b)/2] })
	seen := newLogs()
	store := openStore(t, away)
	store.Log = seen.logger()
	source := &Source{Store: store, Dir: dir, Parse: anySettings, Log: seen.logger()}
	run(t, source)
	seen.await(t, "it is torn")
	receive(t, "the snapshot", source.Ready())
	if got := source.Current().Revision(); got != 0 {
		t.Errorf("revision %d runs", got)
	}
}

func TestADatabaseWithoutASchemaCountsAsNoConfiguration(t *testing.T) {
	s := newStore(t)
	if _, err := s.pool.Exec(testContext(t), `ALTER TABLE tenants RENAME TO tenants_of_another_release`); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := WriteSnapshot(dir, dataOf(5)); err != nil {
		t.Fatal(err)
	}
	source := &Source{Store: s, Dir: dir, Parse: anySettings, Log: newLogs().logger()}
	run(t, source)
	receive(t, "the snapshot", source.Ready())
	if got := source.Current().Revision(); got != 5 {
		t.Errorf("revision %d runs", got)
	}
}

func TestAFaultyFlowIsLoggedAndTheRestLives(t *testing.T) {
	s := newStore(t)
	addTenant(t, s, "one")
	change(t, s, func(tx *Tx) error { return tx.Publish(testContext(t), "one", published(1), "tester", "") })
	seen := newLogs()
	refuse := func(kind string, _ json.RawMessage) (any, error) { return nil, errors.New("no such element") }
	source := &Source{Store: s, Dir: t.TempDir(), Parse: refuse, Log: seen.logger()}
	run(t, source)
	seen.await(t, "path=flows/main/elements/a/settings")
	receive(t, "the snapshot", source.Ready())
	if one := source.Current().Tenant("one"); one == nil || one.Flow("main") != nil {
		t.Error("the tenant must be there without the flow")
	}
}
