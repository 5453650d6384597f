// Package stack starts private PostgreSQL, RabbitMQ, Kamailio and FreeSWITCH
// processes for tests and for the demo, and ends them again.
//
//	Install -> Start ----------------> Stack ----------------------> Close
//	           PostgreSQL | RabbitMQ   Start/Stop/Restart one of     last started,
//	           (in parallel)           them, StartKamailio,          first ended;
//	                                   StartFreeSWITCH, Launch       folder removed
//
// It guarantees:
//   - Everything lives in one folder and on free ports of 127.0.0.1. Services
//     which the machine already runs are never touched, stopped or configured.
//   - Start returns when PostgreSQL and RabbitMQ answer as tandem, or it
//     returns an error of one line that says what to do, with nothing left.
//   - A port stays this stack's while the program behind it is stopped, so that
//     "absent at start" and "restarted" happen on the same address.
//   - Close ends each process by its own kind of orderly stop, waits a bounded
//     time, and then kills its whole tree.
//   - A process whose owner was killed gets a stop signal from the kernel
//     (PR_SET_PDEATHSIG). The next Start removes the folder left behind.
//
// It refuses:
//   - to be a deployment: one machine, one node each, loopback only, and fsync
//     off unless Options.Durable;
//   - to catch signals: its owner passes a context that ends (as
//     signal.NotifyContext gives) to Run, or calls Close itself.
//
// A test asks ForTest for the stack that Run has put into its environment. A
// test that stops, freezes or kills a database starts its own with Start.
package stack
