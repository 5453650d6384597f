// Package postgres keeps Tandem's configuration, registrations and ledger in PostgreSQL, and brings configuration to
// workers as snapshots.
//
// Guarantees:
//   - Configuration is read as of one moment (LoadData), and its revision grows once for each transaction that changed
//     it. Whoever watches (WatchRevision) learns of a change soon after its commit, and within one poll interval even
//     when the announcement is lost.
//   - A worker that has run before starts without PostgreSQL, from its last local snapshot, and says how old that is. A
//     local snapshot is whole or refused.
//   - What may arrive twice, late or out of order (registrations, CDRs, journal entries) may be saved any number of
//     times: a leg has one row, a journal entry one row, and an older registration event does not win.
//   - What a call returns without an error is committed.
//
// It refuses to wait without a bound: every wait ends with its context, and retries pause longer and longer up to a
// named maximum. Unreachable server and refused data are different errors: see IsRefused.
//
// How a Source comes by its first snapshot and keeps it fresh:
//
//	start --PostgreSQL answers-----------------> load --> publish --> local copy
//	  |                                            ^                      |
//	  +--no answer--> local snapshot? --yes--> publish (age logged)       |
//	  |                     |                      |                      v
//	  +<--pause, log--------+ no                   +--pause, log--> watch the revision
//	                                                                 |          ^
//	                                                                 +-changed--+
//
// SQL stands beside the one method that runs it. Each statement is one raw string literal, and a test prepares all of
// them against the migrated schema.
package postgres
