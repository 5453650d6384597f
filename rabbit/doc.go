// Package rabbit carries Tandem's messages over RabbitMQ.
//
// One Client per process keeps two connections, because a broker that is short of memory stops reading from every
// connection that publishes, and acknowledgements must still get through to empty its queues:
//
//	             Client
//	publishing link          consuming link
//	answers channel          one channel per consumer
//	events channel
//	confirmed channel
//
// Each link lives its own life:
//
//	            dialled, topology declared
//	away ------------------------------------> up
//	 ^  \                                      |
//	 |   '- refused, timed out: wait a         |  connection or publishing channel lost,
//	 |      jittered, growing, bounded while   |  heartbeats missed
//	 '-----------------------------------------'
//
// Guarantees:
//   - Nothing waits for the broker to be there at start. Whoever consumes is consuming again after each reconnection, on
//     a topology that has been declared anew.
//   - A change between connected and away is logged in one line, with the reason, and without credentials.
//   - Publish fails at once while away. PublishConfirmed returns nil only after the broker has taken responsibility.
//   - A CDR given to a Ledger is held until the broker has confirmed it or it is fsynced in the spool folder, from where
//     it is sent later, also by the next process. It may arrive twice: the ledger of CDRs is idempotent.
//   - A delivery is acknowledged only after its handler is done with it. What no release can read goes to the queue
//     tandem.dead with the header x-tandem-reason, body untouched, and so does what made a handler panic.
//   - What an edge asks again because nobody has answered comes to every route worker. A process that stood still for
//     PauseNoticed gives back the requests that it held, so that it answers none that is older than its edge waits.
//   - Every queue, batch, spool, retry and wait has a named bound.
//
// What can be lost: answers and events while the broker is away (an edge times out; whoever follows events is told that
// there was a gap), journal entries beyond MaxHeldJournalBytes, and CDRs of a process that dies in the instant between
// AddCDR and OnSafe, which is why the other holder of a call keeps them until then.
//
// Refused: messages beyond messages.MaxMessageBytes, before they are parsed.
package rabbit
