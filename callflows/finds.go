package callflows

import "time"

// Wanted says which live call of the tenant is looked for. Several that fit: the one that has waited longest.
type Wanted struct {
	What    Whereabouts `json:"what"`
	Devices []string    `json:"devices,omitempty"` // Ringing, Talking: it rings, or talks at, one of these; Known
	Slot    string      `json:"slot,omitempty"`    // ParkedIn; FreeSlot: this one alone
	First   int         `json:"first,omitempty"`   // FreeSlot: the range
	Last    int         `json:"last,omitempty"`
	Call    string      `json:"call,omitempty"` // Known: Tandem's id
	Leg     string      `json:"leg,omitempty"`  // Known: channel uuid of the leg
}

// Whereabouts is what a call is doing.
type Whereabouts string

// What a call can be looked for by.
const (
	RingingAt   Whereabouts = "ringing"   // it rings at a device; the leg that is found is the caller's
	ParkedIn    Whereabouts = "parked"    // it is parked in a slot; the leg is the parked one
	TalkingAt   Whereabouts = "talking"   // it talks at a device; the leg is that of whom the device talks to
	KnownAs     Whereabouts = "known"     // by its id; the leg is that which the named leg, if it is one of Devices' where any are named, talks to, or is rung for
	OverheardAt Whereabouts = "overheard" // it talks at a device; the leg is the device's
	LegItself   Whereabouts = "leg"       // by its id; the leg is the named one
	LegWaiting  Whereabouts = "waiting"   // the same, if it talks to nobody
	FreeSlot    Whereabouts = "free_slot" // no call: a slot in which none is parked, kept for the call that asks
)

// Found is a live call of the same tenant. The party is the leg to be joined with.
type Found struct {
	Party
	Node     string    `json:"node"`
	Local    bool      `json:"local,omitempty"`    // it is on the same node, so that legs can be joined
	Answered bool      `json:"answered,omitempty"` // the leg that is to be replaced was
	Slot     string    `json:"slot,omitempty"`     // FreeSlot, ParkedIn
	Since    time.Time `json:"since,omitzero"`
}
