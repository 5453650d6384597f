// Package provisioning holds the use cases by which Tandem's configuration changes: tenants, users, devices, numbers,
// flows, publishing, and the platform's nodes, trunks and emergency numbers.
//
// Guarantees:
//   - A use case is one transaction: it happens as a whole or not at all.
//   - What it refuses, it refuses with an *Error that says which field is at fault, in words for whoever asked. Any other
//     error means that the database could not be reached.
//   - Drafts become live by Publish alone, all at once and under a new version number; a published version never
//     changes. Users, devices and numbers are live at once.
//   - A device's password is made here, returned once and kept nowhere; that of a phone which provisions itself is kept sealed, with a
//     key that only the workers have, since the phone must get it again (docs/decisions/0016).
//
// How the versioned part moves:
//
//	SaveFlow, SaveSchedule, SaveList, SaveRoute, BlockCaller --> drafts --Publish--> version N --> workers
//	                                                               ^                  (frozen)
//	                                                               '-- edited on ------'
//
// RollBack publishes an old version N again as a new one, with the users of today.
package provisioning
