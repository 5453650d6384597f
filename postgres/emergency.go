package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// SetEmergency replaces the platform's way to the emergency services.
func (t *Tx) SetEmergency(ctx context.Context, e tenants.Emergency) error {
	return t.exec(ctx, "set emergency", `
		UPDATE emergency SET numbers = @numbers, test_number = @test_number, trunk_uri = @trunk_uri`,
		pgx.StrictNamedArgs{"numbers": e.Numbers, "test_number": e.TestNumber, "trunk_uri": e.TrunkURI})
}

// Emergency is the platform's way to the emergency services.
func (t *Tx) Emergency(ctx context.Context) (tenants.Emergency, error) {
	e, err := loadEmergency(ctx, t.tx)
	if err != nil {
		return e, fmt.Errorf("postgres: emergency: %w", err)
	}
	return e, nil
}

func loadEmergency(ctx context.Context, tx pgx.Tx) (tenants.Emergency, error) {
	var e tenants.Emergency
	err := tx.QueryRow(ctx, `SELECT numbers, test_number, trunk_uri FROM emergency`).
		Scan(&e.Numbers, &e.TestNumber, &e.TrunkURI)
	return e, err
}
