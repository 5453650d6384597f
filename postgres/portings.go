package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/numbers"
)

// Porting is a porting order.
type Porting struct {
	Tenant      string            `db:"tenant_id"`
	ID          string            `db:"id"`
	Direction   numbers.Direction `db:"direction"`
	State       numbers.PortState `db:"state"`
	Carrier     string            `db:"carrier"` // the other one
	Account     string            `db:"account"`
	Subscriber  string            `db:"subscriber"`
	Address     string            `db:"address"`
	WantedOn    *time.Time        `db:"wanted_on"` // a day, as midnight in UTC
	ScheduledOn *time.Time        `db:"scheduled_on"`
	Trunk       string            `db:"trunk"`
	Note        string            `db:"note"`
	CreatedBy   string            `db:"created_by"`
	CreatedAt   time.Time         `db:"created_at"`
	ChangedAt   time.Time         `db:"changed_at"`
	Numbers     []string          `db:"numbers"`
}

const portingColumns = `tenant_id, id, direction, state, carrier, account, subscriber, address, wanted_on, scheduled_on, coalesce(trunk_id, '') AS trunk, note, created_by, created_at,
		       changed_at, (SELECT coalesce(array_agg(n.number ORDER BY n.number), '{}') FROM porting_numbers n WHERE n.tenant_id = p.tenant_id AND n.porting_id = p.id) AS numbers`

// Porting reads a porting order, and with lock keeps it from changing until the transaction ends. ErrNotFound when the tenant has none of this id.
func (t *Tx) Porting(ctx context.Context, tenantID, id string, lock bool) (Porting, error) {
	sql := `SELECT ` + portingColumns + ` FROM portings p WHERE tenant_id = @tenant_id AND id = @id`
	if lock {
		sql += ` FOR UPDATE`
	}
	rows, err := t.tx.Query(ctx, sql, pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id})
	if err != nil {
		return Porting{}, fmt.Errorf("postgres: porting: %w", err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Porting])
	if err != nil {
		return p, notFound("porting", err)
	}
	return p, nil
}

// Portings is the list of porting orders.
func Portings() Listing[Porting] {
	return Listing[Porting]{Columns: portingColumns, From: "portings p", Key: "id", Fields: map[string]Field{
		"id": {Column: "p.id"}, "created_at": {Column: "p.created_at", Type: "timestamptz"}, "state": {Column: "p.state", FilterOnly: true},
		"direction": {Column: "p.direction", FilterOnly: true}, "tenant": {Column: "p.tenant_id", FilterOnly: true}}}
}

// SavePorting adds a porting order, or replaces what it says, its numbers included. Direction and state stay as they are.
func (t *Tx) SavePorting(ctx context.Context, p Porting) error {
	if err := t.exec(ctx, "save porting", `
		INSERT INTO portings AS p (tenant_id, id, direction, carrier, account, subscriber, address, wanted_on, trunk_id, note, created_by)
		VALUES (@tenant_id, @id, @direction, @carrier, @account, @subscriber, @address, @wanted_on, @trunk, @note, @created_by)
		ON CONFLICT (tenant_id, id) DO UPDATE
		   SET carrier = excluded.carrier, account = excluded.account, subscriber = excluded.subscriber, address = excluded.address, wanted_on = excluded.wanted_on,
		       trunk_id = excluded.trunk_id, note = excluded.note, changed_at = clock_timestamp()`,
		pgx.StrictNamedArgs{"tenant_id": p.Tenant, "id": p.ID, "direction": string(p.Direction), "carrier": p.Carrier, "account": p.Account, "subscriber": p.Subscriber,
			"address": p.Address, "wanted_on": p.WantedOn, "trunk": orNull(p.Trunk), "note": p.Note, "created_by": text(p.CreatedBy)}); err != nil {
		return err
	}
	args := pgx.StrictNamedArgs{"tenant_id": p.Tenant, "id": p.ID, "numbers": p.Numbers}
	if err := t.exec(ctx, "save porting", `DELETE FROM porting_numbers WHERE tenant_id = @tenant_id AND porting_id = @id AND number <> ALL (@numbers)`, args); err != nil {
		return err
	}
	return t.exec(ctx, "save porting", `
		INSERT INTO porting_numbers (tenant_id, porting_id, number) SELECT @tenant_id, @id, unnest(@numbers::text[]) ON CONFLICT DO NOTHING`, args)
}

// PortingStep is one step in the history of a porting order.
type PortingStep struct {
	At      time.Time         `db:"at"`
	Step    string            `db:"step"`
	From    numbers.PortState `db:"from_state"`
	To      numbers.PortState `db:"to_state"`
	On      *time.Time        `db:"on_day"`
	Comment string            `db:"comment"`
	By      string            `db:"by"`
}

// StepPorting writes the state and day that a step has led to, and the step into the history.
func (t *Tx) StepPorting(ctx context.Context, p Porting, s PortingStep) error {
	if err := t.exec(ctx, "step porting", `
		UPDATE portings SET state = @state, scheduled_on = @on, changed_at = clock_timestamp() WHERE tenant_id = @tenant_id AND id = @id`,
		pgx.StrictNamedArgs{"tenant_id": p.Tenant, "id": p.ID, "state": string(s.To), "on": p.ScheduledOn}); err != nil {
		return err
	}
	return t.NotePorting(ctx, p, s)
}

// NotePorting writes something into the history of a porting order.
func (t *Tx) NotePorting(ctx context.Context, p Porting, s PortingStep) error {
	return t.exec(ctx, "note porting", `
		INSERT INTO porting_steps (tenant_id, porting_id, step, from_state, to_state, on_day, comment, by)
		VALUES (@tenant_id, @id, @step, @from, @to, @on, @comment, @by)`,
		pgx.StrictNamedArgs{"tenant_id": p.Tenant, "id": p.ID, "step": s.Step, "from": string(s.From), "to": string(s.To), "on": s.On, "comment": s.Comment, "by": text(s.By)})
}

// PortingSteps is the history of a porting order, the first step first.
func (t *Tx) PortingSteps(ctx context.Context, tenantID, id string) ([]PortingStep, error) {
	const most = 1000
	rows, err := t.tx.Query(ctx, `
		SELECT at, step, from_state, to_state, on_day, comment, by FROM porting_steps WHERE tenant_id = @tenant_id AND porting_id = @id ORDER BY n LIMIT @most`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id, "most": most})
	if err != nil {
		return nil, fmt.Errorf("postgres: steps of a porting: %w", err)
	}
	steps, err := pgx.CollectRows(rows, pgx.RowToStructByName[PortingStep])
	if err != nil {
		return nil, fmt.Errorf("postgres: steps of a porting: %w", err)
	}
	return steps, nil
}

// OpenPortings counts the porting orders of a tenant that are not over.
func (t *Tx) OpenPortings(ctx context.Context, tenantID string) (n int, err error) {
	err = t.tx.QueryRow(ctx, `SELECT count(*) FROM portings WHERE tenant_id = @tenant_id AND state NOT IN ('ported', 'cancelled')`,
		pgx.StrictNamedArgs{"tenant_id": tenantID}).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("postgres: open portings: %w", err)
	}
	return n, nil
}
