package postgres

import "time"

// StockRow is a number of the inventory in a list.
type StockRow struct {
	Number      string     `db:"number"`
	Holder      string     `db:"holder"`
	State       string     `db:"state"`
	Tenant      string     `db:"tenant"`
	ReservedFor string     `db:"reserved_for"`
	LastTenant  string     `db:"last_tenant"`
	Until       *time.Time `db:"until"`
	Since       time.Time  `db:"since"`
	Country     string     `db:"country"`
	Kind        string     `db:"kind"`
	Trunk       string     `db:"trunk"`
	Note        string     `db:"note"`
}

// StockRows is the list of numbers that the asker sees: of his stock, at him, or kept for him.
func StockRows() Listing[StockRow] {
	return Listing[StockRow]{
		Columns: `s.number, coalesce(s.holder_id, '') AS holder, s.state, coalesce(s.tenant_id, '') AS tenant, coalesce(s.reserved_for, '') AS reserved_for,
			coalesce(s.last_tenant_id, '') AS last_tenant, s.until, s.since, s.country, s.kind, coalesce(s.trunk_id, '') AS trunk, s.note`,
		From: "number_stock s", Key: "number",
		Fields: map[string]Field{
			"number": {Column: "s.number"}, "since": {Column: "s.since", Type: "timestamptz"}, "prefix": {Column: "s.number", Match: "^@", FilterOnly: true},
			"state": {Column: "s.state", FilterOnly: true}, "tenant": {Column: "s.tenant_id", FilterOnly: true}, "holder": {Column: "coalesce(s.holder_id, '')", FilterOnly: true},
			"country": {Column: "s.country", FilterOnly: true}, "kind": {Column: "s.kind", FilterOnly: true},
		}}
}

// NumberStepRow is one step in the history of a number.
type NumberStepRow struct {
	ID     int64     `db:"id" json:"id"`
	At     time.Time `db:"at" json:"at"`
	Step   string    `db:"step" json:"step"`
	From   string    `db:"from_state" json:"from,omitempty" doc:"Absent: it came into the inventory."`
	To     string    `db:"to_state" json:"to,omitempty" doc:"Absent: it left the inventory."`
	Tenant string    `db:"tenant" json:"tenant,omitempty" doc:"Whose it was, is or is to be."`
	By     string    `db:"by" json:"by,omitempty" doc:"Who did it; absent: time, or publishing."`
}

// NumberSteps is the history of numbers, as far as the asker had to do with them.
func NumberSteps() Listing[NumberStepRow] {
	return Listing[NumberStepRow]{Columns: "h.id, h.at, h.step, h.from_state, h.to_state, coalesce(h.tenant_id, '') AS tenant, h.by", From: "number_steps h", Key: "id",
		Fields: map[string]Field{"id": {Column: "h.id", Type: "bigint"}, "number": {Column: "h.number", FilterOnly: true}}}
}

// OrderRows is the list of orders.
func OrderRows() Listing[Order] {
	return Listing[Order]{
		Columns: "o.id, coalesce(o.tenant_id, '') AS tenant, o.kind, o.state, o.dry_run, o.request, o.total, o.done, o.errors, o.result, o.created_by, o.created_at, o.started_at, o.finished_at",
		From:    "orders o", Key: "id",
		Fields: map[string]Field{"id": {Column: "o.id"}, "created_at": {Column: "o.created_at", Type: "timestamptz"}, "tenant": {Column: "coalesce(o.tenant_id, '')", FilterOnly: true},
			"state": {Column: "o.state", FilterOnly: true}, "kind": {Column: "o.kind", FilterOnly: true}}}
}

// OrderErrorRow is one thing that was wrong with an order.
type OrderErrorRow struct {
	N      int    `db:"n" json:"n"`
	Line   int    `db:"line" json:"line" doc:"Of what was sent, from 1; 0: the order as a whole."`
	Field  string `db:"field" json:"field,omitempty" doc:"Column at fault."`
	Code   string `db:"code" json:"code" doc:"Stable: programs go by it."`
	Detail string `db:"detail" json:"detail" doc:"For people."`
}

// OrderErrorRows is the list of what was wrong with orders.
func OrderErrorRows() Listing[OrderErrorRow] {
	return Listing[OrderErrorRow]{Columns: "e.n, e.line, e.field, e.code, e.detail", From: "order_errors e", Key: "n",
		Fields: map[string]Field{"n": {Column: "e.n", Type: "integer"}, "order": {Column: "e.order_id", FilterOnly: true}, "code": {Column: "e.code", FilterOnly: true}}}
}
