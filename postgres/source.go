package postgres

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"tandem/tenants"
)

const (
	// startPatience is how long a start waits for PostgreSQL before it turns to the local snapshot.
	startPatience = 2 * time.Second
	// loadTimeout bounds the reading of one snapshot.
	loadTimeout = 2 * time.Minute
	// faultsLogged is how many faults of one snapshot are logged one by one.
	faultsLogged = 20
)

// Source keeps the current snapshot of the configuration in memory. Set the exported fields, then call Run once; Current
// and Ready may be called at any time from any goroutine.
type Source struct {
	Store *Store
	Dir   string // folder of the local snapshots
	Parse tenants.ParseSettings
	Log   *slog.Logger // nil means slog.Default()

	current  atomic.Pointer[tenants.Snapshot]
	once     sync.Once
	ready    chan struct{}
	readied  sync.Once
	fromDisk atomic.Bool
	fetches  singleflight.Group // of versions that the snapshot does not hold
}

// Current is the snapshot to decide from, or nil before Ready.
func (s *Source) Current() *tenants.Snapshot { return s.current.Load() }

// Ready is closed when there is a first snapshot, from PostgreSQL or from the disk.
func (s *Source) Ready() <-chan struct{} {
	s.once.Do(func() { s.ready = make(chan struct{}) })
	return s.ready
}

// FromDisk says whether Current is a local snapshot, because PostgreSQL has not answered since the start.
func (s *Source) FromDisk() bool { return s.fromDisk.Load() }

// Run publishes snapshots until ctx ends, and returns its error. It owns two goroutines besides, which end with it.
func (s *Source) Run(ctx context.Context) error {
	if s.Log == nil {
		s.Log = slog.Default()
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	var own sync.WaitGroup
	defer own.Wait()
	changes, written := make(chan struct{}, 1), make(chan struct{}, 1)
	own.Go(func() { _ = s.Store.WatchRevision(ctx, func(int64) { signal(changes) }) })
	own.Go(func() { s.keepLocalCopies(ctx, written) })
	if !s.FromDisk() {
		signal(written)
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changes:
		}
		// The watcher's first call tells nothing new, unless something changed since the start.
		if revision, err := s.Store.Revision(ctx); err == nil && revision == s.Current().Revision() && !s.FromDisk() {
			continue
		}
		if err := s.reload(ctx); err != nil {
			return err
		}
		signal(written)
	}
}

// signal leaves a mark for the reader of a channel of one place. A mark that is there already is enough.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// start gets the first snapshot, wherever from.
func (s *Source) start(ctx context.Context) error {
	data, err := s.firstLoad(ctx)
	if err == nil {
		s.publish(ctx, data, false)
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	local, missing := ReadSnapshot(s.Dir)
	for _, refused := range local.Refused {
		s.Log.ErrorContext(ctx, "a local snapshot is refused", slog.Any("error", refused))
	}
	if missing != nil {
		s.Log.WarnContext(ctx, "no configuration: PostgreSQL gives none and there is no local snapshot; waiting for PostgreSQL",
			slog.String("folder", s.Dir), slog.Any("error", err))
		return s.reload(ctx)
	}
	s.Log.WarnContext(ctx, "PostgreSQL gives no configuration; starting from the last local snapshot",
		slog.Duration("age", local.Age(time.Now()).Round(time.Second)), slog.Int64("revision", local.Data.Revision),
		slog.String("file", local.File), slog.Any("error", err))
	s.publish(ctx, local.Data, true)
	return nil
}

// firstLoad is impatient with a server that does not answer, but lets one that does take its time.
func (s *Source) firstLoad(ctx context.Context) (tenants.Data, error) {
	patience, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := s.Store.Ping(patience); err != nil {
		return tenants.Data{}, err
	}
	bounded, cancelLoad := context.WithTimeout(ctx, loadTimeout)
	defer cancelLoad()
	return s.Store.LoadData(bounded)
}

// reload publishes what PostgreSQL has, and tries until it can. Meanwhile the snapshot from before stays current.
func (s *Source) reload(ctx context.Context) error {
	var wait backoff
	for {
		bounded, cancel := context.WithTimeout(ctx, loadTimeout)
		err := s.readNext(ctx, bounded)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d := wait.next()
		s.Log.WarnContext(ctx, "the configuration cannot be read; trying again", slog.Duration("in", d),
			slog.Bool("have_snapshot", s.Current() != nil), slog.Any("error", err))
		if err := pause(ctx, d); err != nil {
			return err
		}
	}
}

// readNext reads what has changed, or all when that cannot be told apart, and publishes it.
func (s *Source) readNext(ctx, bounded context.Context) error {
	if now := s.Current(); now != nil {
		change, told, err := s.Store.LoadChange(bounded, now)
		if err != nil {
			return err
		}
		if told {
			snapshot, faults := now.With(change, s.Parse)
			s.publishSnapshot(ctx, snapshot, faults, false)
			return nil
		}
	}
	data, err := s.Store.LoadNext(bounded, s.Current())
	if err == nil {
		s.publish(ctx, data, false)
	}
	return err
}

func (s *Source) publish(ctx context.Context, data tenants.Data, fromDisk bool) {
	snapshot, faults := tenants.NextSnapshot(s.Current(), data, s.Parse)
	s.publishSnapshot(ctx, snapshot, faults, fromDisk)
}

func (s *Source) publishSnapshot(ctx context.Context, snapshot *tenants.Snapshot, faults []tenants.Fault, fromDisk bool) {
	for i, f := range faults {
		if i == faultsLogged {
			s.Log.ErrorContext(ctx, "more faults in the configuration are not listed", slog.Int("faults", len(faults)))
			break
		}
		s.Log.ErrorContext(ctx, "a fault in the configuration is left out", slog.String("tenant_id", f.Tenant),
			slog.String("path", f.Path), slog.String("detail", f.Detail))
	}
	s.fromDisk.Store(fromDisk)
	s.current.Store(snapshot)
	s.Ready()
	s.readied.Do(func() { close(s.ready) })
	s.Log.InfoContext(ctx, "configuration is live", slog.Int64("revision", snapshot.Revision()),
		slog.Bool("from_disk", fromDisk), slog.Int("faults", len(faults)))
}

// keepLocalCopies writes the current snapshot to the disk after each signal. A slow disk makes it skip snapshots, not
// fall behind, and never delays the next one in memory.
func (s *Source) keepLocalCopies(ctx context.Context, written <-chan struct{}) {
	for ctx.Err() == nil || len(written) > 0 {
		select {
		case <-ctx.Done():
			continue // a copy that was asked for before the end is still made
		case <-written:
		}
		began := time.Now()
		if err := WriteSnapshot(s.Dir, s.Current().Data()); err != nil {
			s.Log.ErrorContext(ctx, "the local snapshot could not be written; a start without PostgreSQL would use an older one",
				slog.String("folder", s.Dir), slog.Any("error", err))
		}
		_ = pause(ctx, time.Since(began)*copyRest) // at the end no more than what is asked for already
	}
}

// copyRest is how many times as long as the last copy took the next one waits: a copy is of everything, whatever has changed.
const copyRest = 9

// fetchTimeout bounds the reading of one version.
const fetchTimeout = 5 * time.Second

// ErrNoTenant says that the snapshot has no tenant of an id.
var ErrNoTenant = errors.New("postgres: no such tenant")

// Version gives a tenant as it is now under one of its versions: from memory, or else from PostgreSQL, which is asked once for
// all who wait for the same. ErrNotFound says that there is no such version.
func (s *Source) Version(ctx context.Context, tenant string, version int64) (*tenants.Tenant, error) {
	asked := s.fetches.DoChan(tenant+"/"+strconv.FormatInt(version, 10), func() (any, error) {
		now := s.Current().Tenant(tenant)
		if now == nil {
			return nil, ErrNoTenant
		}
		if view := now.At(version); view != nil {
			return view, nil
		}
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		p, err := s.Store.Version(bounded, tenant, version)
		if err != nil {
			return nil, err
		}
		view, faults := now.Under(p, s.Parse)
		s.Log.InfoContext(ctx, "a version that is not in memory was read", slog.String("tenant_id", tenant), slog.Int64("version", version),
			slog.Int("faults", len(faults)))
		return view, nil
	})
	select {
	case got := <-asked:
		view, _ := got.Val.(*tenants.Tenant)
		return view, got.Err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
