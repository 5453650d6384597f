package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// IsWithin says whether a tenant is another one, or below it. Empty is the platform, which is above all.
func (t *Tx) IsWithin(ctx context.Context, tenantID, ancestor string) (within bool, err error) {
	err = t.tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM tenants WHERE id = @tenant_id) AND (@ancestor = '' OR EXISTS (SELECT FROM tenant_tree WHERE tenant_id = @tenant_id AND ancestor_id = @ancestor))`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "ancestor": ancestor}).Scan(&within)
	if err != nil {
		return false, fmt.Errorf("postgres: within: %w", err)
	}
	return within, nil
}

// HolderFor is in whose stock a tenant's numbers are that come from outside: a reseller's own, a customer's reseller's; empty: the platform's.
func (t *Tx) HolderFor(ctx context.Context, tenantID string) (holder string, err error) {
	err = t.tx.QueryRow(ctx, `SELECT coalesce(CASE kind WHEN 'reseller' THEN id ELSE parent_id END, '') FROM tenants WHERE id = @tenant_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID}).Scan(&holder)
	if err != nil {
		return "", notFound("holder", err)
	}
	return holder, nil
}

// IsReseller says whether a tenant can hold a stock.
func (t *Tx) IsReseller(ctx context.Context, tenantID string) (is bool, err error) {
	err = t.tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM tenants WHERE id = @tenant_id AND kind = 'reseller')`, pgx.StrictNamedArgs{"tenant_id": tenantID}).Scan(&is)
	if err != nil {
		return false, fmt.Errorf("postgres: is reseller: %w", err)
	}
	return is, nil
}

// AgeingDays is how long numbers of a stock rest after a tenant; the empty holder is the platform.
func (t *Tx) AgeingDays(ctx context.Context, holder string) (days int, err error) {
	if err := t.tx.QueryRow(ctx, `SELECT ageing_days(nullif(@holder::text, ''))`, pgx.StrictNamedArgs{"holder": holder}).Scan(&days); err != nil {
		return 0, fmt.Errorf("postgres: ageing days: %w", err)
	}
	return days, nil
}

// SetAgeingDays says how long numbers of a stock, and of those below that say nothing, rest.
func (t *Tx) SetAgeingDays(ctx context.Context, holder string, days int) error {
	return t.exec(ctx, "set ageing days", `
		INSERT INTO number_rules (tenant_id, ageing_days) VALUES (@tenant_id, @days)
		ON CONFLICT (holder) DO UPDATE SET ageing_days = excluded.ageing_days`, pgx.StrictNamedArgs{"tenant_id": orNull(holder), "days": days})
}

// MayNameTrunk says whether the platform (empty) or a reseller may say that a number's calls come by a trunk: his own, and the platform any.
func (t *Tx) MayNameTrunk(ctx context.Context, trunk, by string) (may bool, err error) {
	err = t.tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM trunks WHERE id = @trunk AND (@by = '' OR tenant_id = @by))`,
		pgx.StrictNamedArgs{"trunk": trunk, "by": by}).Scan(&may)
	if err != nil {
		return false, fmt.Errorf("postgres: trunk of numbers: %w", err)
	}
	return may, nil
}

// NumberUse is something of a tenant's that refers to one of its numbers.
type NumberUse struct {
	Number string
	What   string // draft_route, caller_number, main_number, emergency_number
	ID     string // of the user or device; empty for a route and for the main number
}

// NumberUses lists what refers to numbers of a tenant besides what is published, of the first numbers.
func (t *Tx) NumberUses(ctx context.Context, tenantID string, of []string) ([]NumberUse, error) {
	const most = 100
	rows, err := t.tx.Query(ctx, `
		SELECT number, 'draft_route', '' FROM routes WHERE tenant_id = @tenant_id AND number = ANY (@numbers)
		UNION ALL SELECT number, 'caller_number', id FROM users WHERE tenant_id = @tenant_id AND number = ANY (@numbers)
		UNION ALL SELECT main_number, 'main_number', '' FROM tenants WHERE id = @tenant_id AND main_number = ANY (@numbers)
		UNION ALL SELECT number, 'emergency_number', device_id FROM whereabouts WHERE tenant_id = @tenant_id AND number = ANY (@numbers)
		ORDER BY 1, 2, 3 LIMIT @most`, pgx.StrictNamedArgs{"tenant_id": tenantID, "numbers": of, "most": most})
	if err != nil {
		return nil, fmt.Errorf("postgres: uses of numbers: %w", err)
	}
	uses, err := pgx.CollectRows(rows, pgx.RowToStructByPos[NumberUse])
	if err != nil {
		return nil, fmt.Errorf("postgres: uses of numbers: %w", err)
	}
	return uses, nil
}

// DropNumberUses takes numbers out of all that refers to them at a tenant, besides what is published.
func (t *Tx) DropNumberUses(ctx context.Context, tenantID string, of []string) error {
	for _, statement := range []string{
		`DELETE FROM routes WHERE tenant_id = @tenant_id AND number = ANY (@numbers)`,
		`UPDATE users SET number = NULL WHERE tenant_id = @tenant_id AND number = ANY (@numbers)`,
		`UPDATE tenants SET main_number = NULL WHERE id = @tenant_id AND main_number = ANY (@numbers)`,
		`UPDATE whereabouts SET number = NULL WHERE tenant_id = @tenant_id AND number = ANY (@numbers)`,
	} {
		if err := t.exec(ctx, "drop uses of numbers", statement, pgx.StrictNamedArgs{"tenant_id": tenantID, "numbers": of}); err != nil {
			return err
		}
	}
	return nil
}
