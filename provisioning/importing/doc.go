// Package importing turns what other telephone systems export into a tenant's file (package plan), and says what cannot be carried
// over.
//
// Guarantees:
//
//   - Nothing of a source is left out in silence: what cannot be carried over, or only in another way, is in the report, with its kind
//     and its place in the source.
//
//   - An import adds and replaces, and removes nothing: Onto lays what was read over the tenant as it is.
//
//   - Numbers are those that the tenant has; others are reported. Passwords and PINs are not carried over.
//
//   - Texts are read as UTF-8, UTF-16 or Latin-1. What looks like a formula of a spreadsheet is text, and stands in a report that is CSV
//     so that no spreadsheet takes it for one.
//
//   - The same files give the same document and the same report.
//
//     files --FusionPBX, Kazoo, CSV--> Result{Document, Report} --Onto(tenant as it is)--> the file that is planned and applied
//
// The package does no I/O and has no clock.
package importing
