// Package sim runs the engine in simulated worlds: tenants with random flows, callers, phones, a media node, and the
// workers that share it, under faults. A world is made of one seed and of nothing else: the same seed tells the same
// story, event for event.
//
//	seed ─► tenants, flows, phones, weather
//	callers ─► routing.Decide ─► node ─── events ───► owner ── callflows.Step ──► commands ─► node
//	                              │                     │ state, before its commands
//	                              └───── events ────► standby (takes over when the owner dies)
//
// The node does what package nodes and facts found on FreeSWITCH say; the workers apply the rules of package nodes:
// what is shipped before what is sent, what is sent again, what is adopted from the mark on a channel. Time is virtual,
// nothing runs beside anything else.
//
// Elements take part by themselves: their settings are drawn from the schema that each type declares (settings.go).
//
// After each step, and at the end of each world, invariants are checked (invariants.go). Each has a name, and a planted
// fault (plants.go) that proves that it can be broken and is then found.
//
// What is not simulated: media, SIP transactions, the link's and the claims' own protocols (nodes/link, nodes/claim have
// their own tests), the edges.
package sim
