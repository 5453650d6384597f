// Package api is Tandem's REST API: who may ask for what, and how every answer looks. OpenAPI 3.1 is made of the same Go types that
// serve, so the document cannot say anything else than what happens.
//
// Guarantees:
//   - Each operation names its scope where it is added (Add); there is no way to add one without. A caller without the scope is
//     refused before anything of his request is read.
//   - A tenant that is not the caller's own or below it is not there, as far as he is told: 404, never 403. Beneath that, every
//     statement runs as a database role with row level security (postgres.OpenAPI).
//   - A request with an Idempotency-Key is carried out once, also when the worker dies between its change and its answer.
//   - Every refusal is a problem of RFC 9457 with a stable code and a sentence that helps. No problem repeats what was sent.
//   - Lists are had page by page, sorted and filtered by the fields that they name, and by no others.
//
// A secret (key, password, token) is in the answer that made it, and never again.
//
// A new operation is added in this order:
//  1. Add or AddHandler, with its scope.
//  2. Its request in examples/TAG.json, ids in paths as PathExamples has them; where it needs something of its own to be there, a hook in
//     cmd/tandem/contract_hooks_test.go. Its answer is written there by
//     `go run ./cmd/tandem stack -- go test ./cmd/tandem -run TestEveryExampleOfTheDocumentHolds -update-examples`, and read before it is committed.
//  3. `make generate`, which gives the Go client its method: before there is a command that calls it, since what prints the document is built with the commands.
package api
