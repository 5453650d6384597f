package sim

// Invariant is what must hold in every world, by name.
type Invariant string

// The invariants.
const (
	CallEnds         Invariant = "call_ends"          // every call ends, and its worker forgets it
	EndedIsSilent    Invariant = "ended_is_silent"    // a call that has ended orders nothing and changes no more
	TimersSettle     Invariant = "timers_settle"      // a timer that a call waits for fires, or the wait ends otherwise
	SameOutcome      Invariant = "same_outcome"       // the same input gives the same outcome, on another worker too, and is not changed
	NoSilence        Invariant = "no_silence"         // no caller waits for nothing, hears nothing and talks to nobody
	OneRecord        Invariant = "one_record"         // each leg that was there has one CDR
	OneMessage       Invariant = "one_message"        // what was recorded and is long enough is kept, once; nothing else is
	RecordsHold      Invariant = "records_hold"       // the ledger takes each CDR; started, answered and ended are in this order
	OneApplication   Invariant = "one_application"    // one application at a time is ordered on the caller's leg
	LimitsHold       Invariant = "limits_hold"        // MaxElements, MaxLegs, MaxTargets, and a tenant's live calls
	TenantsApart     Invariant = "tenants_apart"      // devices, prompts, trunks and records are the call's own tenant's
	NoCommandDoubled Invariant = "no_command_doubled" // no command reaches the node twice
	EverythingSaid   Invariant = "everything_said"    // who orders or ends something says why
	TalksStand       Invariant = "talks_stand"        // nobody is hung up who talks, unless that is ordered
	OneVersion       Invariant = "one_version"        // a call is driven by the version that routing decided with, unless that cannot be had
	OneDriver        Invariant = "one_driver"         // the owner of one node drives a call, at each moment
	OneJournal       Invariant = "one_journal"        // a call that moves goes on in its journal where it was
	PhonesTold       Invariant = "phones_told"        // a phone gets a BYE when its leg is over, and only then
	MovesUncharged   Invariant = "moves_uncharged"    // a move changes nothing of a record that is charged for
	NoPanic          Invariant = "no_panic"           // a step comes back
)

// Invariants lists all of them.
func Invariants() []Invariant {
	return []Invariant{CallEnds, EndedIsSilent, TimersSettle, SameOutcome, NoSilence, OneRecord, OneMessage, RecordsHold, OneApplication, LimitsHold,
		TenantsApart, NoCommandDoubled, EverythingSaid, TalksStand, OneVersion, OneDriver, OneJournal, PhonesTold, MovesUncharged, NoPanic}
}
