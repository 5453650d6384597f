// Package plan holds a tenant as one file, and says in words what has to change for a tenant to be as a file wants it.
//
// Guarantees:
//   - Read takes YAML or JSON that says each thing once and only what it knows: unknown and doubled members, aliases, and files
//     beyond the bounds are refused with the line and the path, all that is wrong at once.
//   - What a file leaves out as a section is left alone; a section that is there is meant as a whole, and an empty one ("[]")
//     removes all in it. "Nothing at all" is refused, because nobody can tell which of the two is meant.
//   - The same documents give the same changes in the same order. The order is one in which they can be carried out: nothing is
//     removed while something refers to it, and nothing refers to what is not there yet.
//   - Whatever differs in any field is a change; documents without a change between them are the same tenant.
//   - Write gives the same bytes for the same document, and Read gives it back.
//   - No secret is in a document: passwords and PINs of what is new are made when it is applied, and shown once.
//
// Numbers are assigned by a file, never acquired: whose a number is, the file cannot change.
//
//	file --Read--> Document --+
//	                          +-- Merge --> as it will be --Check--> faults
//	tenant as it is ----------+                 |
//	        |                                   v
//	        +---------------------------------Diff--> changes, in the order in which they are carried out
//
// What differs in flows, schedules, lists, routes and blocked callers, package versions says. The package does no I/O.
package plan
