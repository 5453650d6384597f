package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Bounds of repeated requests.
const (
	KeepIdempotency = 24 * time.Hour // how long a key is remembered
	claimIdempotent = time.Minute    // after which a request that was begun and changed nothing may be begun again
	dropIdempotent  = 100            // forgotten keys that are removed with each new one, at most
	MaxIdempotent   = 1 << 20        // bytes of a sealed answer that is kept
)

// Repeat says what is known of a request with an Idempotency-Key.
type Repeat struct {
	Begun  bool   // it is this request that may be carried out now
	Other  bool   // the key was used with another request
	Done   bool   // its change was made
	Status int    // of the answer; 0: it is not known
	Answer []byte // sealed
}

// KeyHash is what is kept of an Idempotency-Key.
func KeyHash(key string) []byte {
	sum := sha256.Sum256([]byte("tandem idempotency " + key))
	return sum[:]
}

// BeginOnce notes that an actor's request is being carried out, or says what is known of it already. keyHash is of its key, request the
// SHA-256 of what it asks for.
func (s *Store) BeginOnce(ctx context.Context, actor string, keyHash, request []byte) (Repeat, error) {
	var begun bool
	err := s.pool.QueryRow(ctx, `
		WITH forgotten AS (
		    DELETE FROM idempotency WHERE (actor, key_hash) IN (
		        SELECT actor, key_hash FROM idempotency WHERE begun_at < now() - make_interval(secs => @keep) LIMIT @most)
		    RETURNING actor, key_hash)
		INSERT INTO idempotency AS i (actor, key_hash, request) SELECT @actor, @key_hash, @request
		 WHERE NOT EXISTS (SELECT FROM forgotten WHERE actor = @actor AND key_hash = @key_hash)
		ON CONFLICT (actor, key_hash) DO UPDATE SET begun_at = now()
		 WHERE i.request = excluded.request AND NOT i.done AND i.status IS NULL AND i.begun_at < now() - make_interval(secs => @claim)
		RETURNING true`,
		pgx.StrictNamedArgs{"actor": actor, "key_hash": keyHash, "request": request, "keep": KeepIdempotency.Seconds(),
			"claim": claimIdempotent.Seconds(), "most": dropIdempotent}).Scan(&begun)
	if err == nil {
		return Repeat{Begun: true}, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return Repeat{}, fmt.Errorf("postgres: begin once: %w", err)
	}
	var r Repeat
	err = s.pool.QueryRow(ctx, `
		SELECT request <> @request, done, coalesce(status, 0), answer FROM idempotency WHERE actor = @actor AND key_hash = @key_hash`,
		pgx.StrictNamedArgs{"actor": actor, "key_hash": keyHash, "request": request}).Scan(&r.Other, &r.Done, &r.Status, &r.Answer)
	if errors.Is(err, pgx.ErrNoRows) {
		return Repeat{}, nil // forgotten a moment ago: it counts as under way, and the asker tries again
	}
	if err != nil {
		return Repeat{}, fmt.Errorf("postgres: begin once: %w", err)
	}
	return r, nil
}

// EndOnce keeps the answer to a request, sealed; with status 0 it forgets the request, which has changed nothing.
func (s *Store) EndOnce(ctx context.Context, actor string, keyHash []byte, status int, answer []byte) error {
	if status == 0 {
		_, err := s.pool.Exec(ctx, `DELETE FROM idempotency WHERE actor = @actor AND key_hash = @key_hash AND NOT done`,
			pgx.StrictNamedArgs{"actor": actor, "key_hash": keyHash})
		return wrapped(err, "postgres: end once")
	}
	_, err := s.pool.Exec(ctx, `UPDATE idempotency SET status = @status, answer = @answer WHERE actor = @actor AND key_hash = @key_hash`,
		pgx.StrictNamedArgs{"actor": actor, "key_hash": keyHash, "status": status, "answer": answer})
	return wrapped(err, "postgres: end once")
}

// noteDone notes in a change's own transaction that the request that asked for it was carried out.
func noteDone(ctx context.Context, tx pgx.Tx) error {
	scope := ScopeOf(ctx)
	if scope.Once == nil {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE idempotency SET done = true WHERE actor = @actor AND key_hash = @key_hash`,
		pgx.StrictNamedArgs{"actor": scope.Actor, "key_hash": scope.Once})
	return wrapped(err, "postgres: note done")
}

// watchedTx is a transaction of which it is known whether it has changed anything.
type watchedTx struct {
	pgx.Tx
	wrote bool
}

func (t *watchedTx) watch(sql string) {
	sql = strings.TrimSpace(sql)
	t.wrote = t.wrote || !strings.HasPrefix(sql, "SELECT") || strings.HasPrefix(sql, "SELECT undo_change")
}

func (t *watchedTx) Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error) {
	t.watch(sql)
	return t.Tx.Exec(ctx, sql, arguments...)
}

func (t *watchedTx) Query(ctx context.Context, sql string, arguments ...any) (pgx.Rows, error) {
	t.watch(sql)
	return t.Tx.Query(ctx, sql, arguments...)
}

func (t *watchedTx) QueryRow(ctx context.Context, sql string, arguments ...any) pgx.Row {
	t.watch(sql)
	return t.Tx.QueryRow(ctx, sql, arguments...)
}

func (t *watchedTx) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	t.wrote = true
	return t.Tx.SendBatch(ctx, batch)
}

func (t *watchedTx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	t.wrote = true
	return t.Tx.CopyFrom(ctx, table, columns, rows)
}
