package postgres

import "time"

// CallRow is a call of the ledger.
type CallRow struct {
	Call       string     `json:"call" db:"call"`
	Tenant     string     `json:"tenant" db:"tenant_id"`
	SIPCallID  string     `json:"sip_call_id,omitempty" db:"sip_call_id" doc:"Of the caller's leg."`
	From       string     `json:"from" db:"from"`
	To         string     `json:"to" db:"to"`
	StartedAt  time.Time  `json:"started_at" db:"started_at"`
	AnsweredAt *time.Time `json:"answered_at,omitempty" db:"answered_at"`
	EndedAt    *time.Time `json:"ended_at,omitempty" db:"ended_at" doc:"End of the last leg that has reported."`
	Version    int64      `json:"version" db:"version" doc:"Of the tenant's configuration, that drove it."`
	SIPCode    int        `json:"sip_code,omitempty" db:"sip_code"`
	Cause      string     `json:"cause,omitempty" db:"cause" doc:"Why the caller's leg ended."`
	Fault      string     `json:"fault" db:"fault" enum:"none,caller,callee,tenant,carrier,platform" doc:"Whose fault a failure was."`
}

// CallRows are what a list of calls is made of.
func CallRows() Listing[CallRow] {
	return Listing[CallRow]{Columns: `c.call, coalesce(c.tenant_id, '') AS tenant_id, c.sip_call_id, c."from", c."to", c.started_at, c.answered_at, c.ended_at, c.version, c.sip_code, c.cause, c.fault`,
		From: `calls c`, Key: "call", Fields: map[string]Field{"call": {Column: "c.call"}, "started_at": {Column: "c.started_at", Type: "timestamptz"},
			"tenant": {Column: "c.tenant_id", FilterOnly: true}, "from": {Column: `c."from"`, FilterOnly: true}, "to": {Column: `c."to"`, FilterOnly: true},
			"fault": {Column: "c.fault", FilterOnly: true}, "sip_call_id": {Column: "c.sip_call_id", FilterOnly: true},
			"since": {Column: "c.started_at", Type: "timestamptz", Match: ">=", FilterOnly: true}, "until": {Column: "c.started_at", Type: "timestamptz", Match: "<", FilterOnly: true}}}
}

// CDRRow is the record of a leg.
type CDRRow struct {
	Leg        string     `json:"leg" db:"leg"`
	Call       string     `json:"call" db:"call"`
	Role       string     `json:"role" db:"role" enum:"caller,callee"`
	From       string     `json:"from" db:"from"`
	FromName   string     `json:"from_name,omitempty" db:"from_name"`
	To         string     `json:"to" db:"to"`
	Device     string     `json:"device,omitempty" db:"device"`
	Trunk      string     `json:"trunk,omitempty" db:"trunk"`
	StartedAt  time.Time  `json:"started_at" db:"started_at"`
	AnsweredAt *time.Time `json:"answered_at,omitempty" db:"answered_at"`
	EndedAt    time.Time  `json:"ended_at" db:"ended_at"`
	SIPCode    int        `json:"sip_code,omitempty" db:"sip_code"`
	Cause      string     `json:"cause" db:"cause"`
	Fault      string     `json:"fault" db:"fault" enum:"none,caller,callee,tenant,carrier,platform"`
	Version    int64      `json:"version" db:"version"`
	Estimated  bool       `json:"estimated" db:"estimated" doc:"Its node did not tell of its end."`
}

// CDRRows are what a list of records is made of.
func CDRRows() Listing[CDRRow] {
	return Listing[CDRRow]{Columns: `r.leg, r.call, r.role, r."from", r.from_name, r."to", r.device, r.trunk, r.started_at, r.answered_at, r.ended_at, r.sip_code, r.cause, r.fault, r.version, r.estimated`,
		From: `cdrs r`, Key: "leg", Fields: map[string]Field{"leg": {Column: "r.leg"}, "started_at": {Column: "r.started_at", Type: "timestamptz"},
			"tenant": {Column: "r.tenant_id", FilterOnly: true}, "call": {Column: "r.call", FilterOnly: true}, "device": {Column: "r.device", FilterOnly: true},
			"trunk": {Column: "r.trunk", FilterOnly: true}, "fault": {Column: "r.fault", FilterOnly: true},
			"since": {Column: "r.started_at", Type: "timestamptz", Match: ">=", FilterOnly: true}, "until": {Column: "r.started_at", Type: "timestamptz", Match: "<", FilterOnly: true}}}
}
