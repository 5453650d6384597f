// Package webhooks holds what Tandem's webhooks decide: which events there are and what they say, how a message is signed, when
// it is tried again, when it is given up, and when a receiver is no longer asked.
//
// It guarantees:
//   - A message is signed as Standard Webhooks 1.0.0 says, so that any library for it can check the signature.
//   - Its id is the event's, and the same in each attempt, for each receiver and when it is sent again: a receiver that keeps ids
//     takes each event once.
//   - Its body is the same to the byte in each attempt.
//   - Attempts go by the table Delays, which spans days; no answer of a receiver makes them come sooner.
//   - A moment in a call's life is told once and in order: started, answered, ended (Moments).
//
// It refuses secrets that are shorter or longer than the specification allows, and receivers that are not reached by HTTPS,
// unless the operator has allowed their address.
//
// The life of a delivery, one event for one receiver:
//
//	waiting --2xx-----------------------------------------> delivered
//	   |  ^
//	   |  '--any other answer, or none: after Delays[n]
//	   |
//	   '--the last attempt failed, 410, or the event is gone--> failed --asked for again--> waiting, as a new delivery
//
// A receiver that answers 410 is disabled at once, one that takes nothing for DisableAfter is too. What waits for it is kept, and
// goes on when it is enabled again within Keep.
package webhooks
