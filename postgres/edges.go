package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// SawEdge notes that an edge has been heard of now. Edges that nobody has heard of for a day are forgotten.
func (s *Store) SawEdge(ctx context.Context, name string) error {
	if _, err := s.pool.Exec(ctx, `
		INSERT INTO edges (name, seen_at) VALUES (@name, now())
		ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at`, pgx.StrictNamedArgs{"name": name}); err != nil {
		return fmt.Errorf("postgres: edge: %w", err)
	}
	if _, err := s.pool.Exec(ctx, `DELETE FROM edges WHERE seen_at < now() - interval '1 day'`); err != nil {
		return fmt.Errorf("postgres: edge: %w", err)
	}
	return nil
}

// Registrar is the edge that registers at carriers: the first by name of those heard of within three minutes, which is three times
// as long as an edge is silent. Empty when there is none.
func (s *Store) Registrar(ctx context.Context) (name string, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT coalesce(min(name), '') FROM edges WHERE seen_at > now() - interval '3 minutes'`).Scan(&name)
	if err != nil {
		return "", fmt.Errorf("postgres: registrar: %w", err)
	}
	return name, nil
}
