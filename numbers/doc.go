// Package numbers is the inventory's rules: which states a telephone number can be in and how it comes from one to the next, how
// numbers are ported in and out, how an order goes, and what a sheet of numbers (CSV) says. It is pure.
//
// A number in the inventory has a holder, the platform or a reseller, in whose stock it is; and, while it is live, one tenant.
//
//	            add                  assign               route (published)
//	(not ours) -----> available ---------------> assigned <-----------------> in_use
//	    |   ^          |  ^  ^                    |  |  ^                       |
//	    |   | retire   |  |  | expire, free       |  |  | retake (same tenant)  | withdraw
//	    |   +----------+  |  +---- reserved ------|--+  |                       |
//	    |   |          |  |        (for a tenant) |     |                       |
//	    |   |   block  v  | unblock               v     |                       v
//	    |   +------- blocked <--------------------- ageing <--------------------+
//	    |                      block    age: not before its time --> available
//	    |
//	    | announce             ported in
//	    +----------> porting_in ------------> assigned
//	         <------------+ failed
//	assigned, in_use --port out--> porting_out (live still) --ported out--> (not ours)
//	                                   +--keep--> assigned
//
// Guarantees:
//   - Number.Do gives the number as it is after a step, or a Refusal in words and the number as it was; it never gives a number that
//     Number.Check finds fault with.
//   - Exactly the live states (assigned, in_use, porting_out) have a tenant. A number goes from one tenant to another only by being
//     nobody's in between.
//   - ageing and reserved end by themselves when their time has come, and not before.
//   - From each state a way leads back to available.
//   - ReadSheet reads any bytes, within bounds, and gives each fault its line, column, code and words.
//
// It refuses to know whose a number is that is not the asker's: see the callers in package provisioning.
package numbers
