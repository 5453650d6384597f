// Package migrations holds the schema of Tandem's database as numbered SQL files, in the form of golang-migrate.
//
// Guarantees:
//   - A released file never changes. The schema moves on by a new pair of files alone.
//   - Each file is one transaction: it applies as a whole or not at all.
//   - The previous release runs on the schema of the next: columns are added first, and dropped a release after the
//     last reader.
//
// The files are run by postgres.Migrate and by nothing else.
package migrations

import "embed"

// FS holds the files, NUMBER_name.up.sql and NUMBER_name.down.sql, at its root.
//
//go:embed *.sql
var FS embed.FS
