package callflows

import (
	"cmp"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// Call is what is known about a call when it parks. It never changes.
type Call struct {
	ID         string    `json:"id"`
	Tenant     string    `json:"tenant"`
	Version    int64     `json:"version"` // configuration version that routing decided with
	Leg        string    `json:"leg"`     // channel uuid of the caller's leg
	Node       string    `json:"node"`
	Edge       string    `json:"edge"` // SIP URI of the edge that brought the call
	FlowID     string    `json:"flow_id"`
	Caller     Caller    `json:"caller"`
	Dialled    string    `json:"dialled"`
	SIPCallID  string    `json:"sip_call_id"`
	Replaces   string    `json:"replaces,omitempty"`   // CALL.LEG of the dialog that it takes the place of, RFC 3891
	Diversions int       `json:"diversions,omitempty"` // how often it was diverted before it came
	StartedAt  time.Time `json:"started_at"`
	Ordered    *Ordered  `json:"ordered,omitempty"` // nobody dialled it: it was ordered; never changed in place
}

// Caller is who opened the call: a device of the tenant, or a trunk.
type Caller struct {
	Device  string `json:"device,omitempty"` // device id
	Trunk   string `json:"trunk,omitempty"`  // trunk id
	Number  string `json:"number"`
	Name    string `json:"name,omitempty"`    // display name as sent: hostile
	Private bool   `json:"private,omitempty"` // the called must not learn who it is
}

// Config is the configuration that a call runs under: its tenant at the version that the call started with (Pinned).
type Config struct {
	Tenant    *tenants.Tenant
	Emergency tenants.Emergency
	Ways      *tenants.Ways
	// Unexplained leaves out the reasons: for measuring what saying them costs. Nothing else is different.
	Unexplained bool
}

// Phase is where a call is in its life.
type Phase string

const (
	Running Phase = "running" // an element is at work
	Talking Phase = "talking" // the caller talks to a leg
	Ending  Phase = "ending"  // hung up, but not all legs are gone
	Ended   Phase = "ended"
)

// State is all that must be known to carry on a call: encoding/json carries it to another worker. The zero State waits
// for Parked.
type State struct {
	Call     Call   `json:"call"`
	Version  int64  `json:"version,omitempty"` // that drives the call in place of Call.Version; see DrivenBy
	Phase    Phase  `json:"phase"`
	FlowID   string `json:"flow_id"`
	Element  string `json:"element"` // key of the element at work
	Entered  int    `json:"entered"` // elements entered so far
	Answered bool   `json:"answered"`
	Commands int    `json:"commands"`          // commands numbered so far
	Awaited  int    `json:"awaited"`           // the command whose answer the element waits for; 0 for none
	Stage    string `json:"stage,omitempty"`   // where the element is within itself
	Attempt  int    `json:"attempt,omitempty"` // the element's own count
	Legs     []Leg  `json:"legs"`
	// Driven is the channel uuid of the leg that the flow plays to and dials from; empty: the caller's. A transfer can make it
	// another leg of the call, which then goes on without its caller.
	Driven string `json:"driven,omitempty"`
	Guard  int    `json:"guard,omitempty"`  // the timer that looks after a leg that is joined or was left; 0 for none
	Sought *Party `json:"sought,omitempty"` // another call's leg, that the element is to go on with
	Slot   string `json:"slot,omitempty"`   // in which the driven leg is parked
	Missed bool   `json:"missed,omitempty"` // while its leg was taken the element's wait has ended

	Cause string         `json:"cause,omitempty"` // cause of the hang-up that we ordered
	Fault messages.Fault `json:"fault,omitempty"` // whose doing the end is, once it is known

	Keyed    string       `json:"keyed,omitempty"`    // what the element at work was keyed and goes on with; no secret
	Forwards []Forwarding `json:"forwards,omitempty"` // what users have done with the call, in order
	Chain    int          `json:"chain,omitempty"`    // those of Forwards from here on were taken in the element at work
	Rung     int          `json:"rung,omitempty"`     // index in Legs of the first leg of the last Ring
	Refusal  int          `json:"refusal,omitempty"`  // SIP code that an unanswered caller is to be refused with, should the call end here
	Transfer Transfer     `json:"transfer,omitzero"`  // the last one, if there was any

	// What the flow has settled for the rest of the call.
	Variables map[string]string `json:"variables,omitempty"` // by name
	CallerID  CallerID          `json:"caller_id,omitzero"`  // what is dialled from here on shows; what is empty is the caller's own
	Language  string            `json:"language,omitempty"`  // of prompts; empty: the tenant's

	Pivoted   *tenants.Flow `json:"pivoted,omitempty"`  // the flow that was fetched last; nothing in it ever changes
	Pivots    int           `json:"pivots,omitempty"`   // how many were
	Mailbox   Mailbox       `json:"mailbox,omitzero"`   // what voicemail_check has open
	Recording Tape          `json:"recording,omitzero"` // of the call, while it is recorded
	Choices   Choices       `json:"choices,omitzero"`   // what directory offers
	Music     string        `json:"music,omitempty"`    // prompt that whoever is put on hold hears; empty: the tenant's

	Move     Move               `json:"move,omitzero"`      // to another media node
	Segments []messages.Segment `json:"segments,omitempty"` // nodes that the call was on before; never changed in place
}

// Leg is one leg of the call.
type Leg struct {
	ID       string           `json:"id"`
	Role     messages.LegRole `json:"role"`
	Device   string           `json:"device,omitempty"`
	Trunk    string           `json:"trunk,omitempty"`
	Number   string           `json:"number,omitempty"`  // that it calls outside
	Created  bool             `json:"created,omitempty"` // the node has told of it
	Rang     bool             `json:"rang,omitempty"`
	Answered bool             `json:"answered,omitempty"`
	// CreatedAt and AnsweredAt serve when the node's last word on the leg, which carries them too, was lost.
	CreatedAt  time.Time `json:"created_at,omitzero"`
	AnsweredAt time.Time `json:"answered_at,omitzero"`
	Bridged    bool      `json:"bridged,omitempty"`
	HungUp     bool      `json:"hung_up,omitempty"`
	Cause      string    `json:"cause,omitempty"`
	SIPCode    int       `json:"sip_code,omitempty"` // that it ended with unanswered
	Early      bool      `json:"early,omitempty"`    // the caller hears its early media
	// With is the leg of another call that it talks to, if Joined, or is about to.
	With    *Party `json:"with,omitempty"`
	Joined  bool   `json:"joined,omitempty"`
	Taken   bool   `json:"taken,omitempty"`   // by the other call's doing
	Accepts bool   `json:"accepts,omitempty"` // who answers it must accept the call before the caller talks
	Held    *Party `json:"held,omitempty"`    // Taken: whom it talks to until then
	Past    *Party `json:"past,omitempty"`    // whom it was joined with last
	// PlacedAt is when the node told last that it was joined, left or transferred: older words on that are told again.
	PlacedAt time.Time `json:"placed_at,omitzero"`
	First    *LegEnd   `json:"first,omitempty"`  // what its channel told of it before the call moved to another node; never changed
	Behind   bool      `json:"behind,omitempty"` // the new node has not got it
	Apart    bool      `json:"apart,omitempty"`  // since the move it has not been joined again: no node would hang it up with its call
}

// Outcome is what a step gives.
type Outcome struct {
	State    State
	Commands []Command
	Because  []because.Reason
}

// DrivenLeg is the channel uuid of the leg that the flow plays to and dials from. The call ends with it.
func (s *State) DrivenLeg() string { return cmp.Or(s.Driven, s.Call.Leg) }

// leg finds a leg by its channel uuid, or nil.
func (s *State) leg(id string) *Leg {
	for i := range s.Legs {
		if s.Legs[i].ID == id {
			return &s.Legs[i]
		}
	}
	return nil
}

// ElementBefore is the key of the element at work when an event comes: where a step's first reasons belong. What a step
// says after an exit belongs to the element that the exit leads to.
func ElementBefore(config Config, s State, e Event) string {
	if s.Element == "" && e.Call != nil && e.Call.FlowID == OutboundFlow {
		return outboundFlow.Start
	}
	if s.Element == "" && e.Call != nil && e.Call.FlowID == ReplaceFlow {
		return replaceFlow.Start
	}
	if s.Element == "" && e.Call != nil && e.Call.FlowID == AcrossFlow {
		return acrossFlow.Start
	}
	if s.Element == "" && e.Kind == CallOrdered {
		return orderedFlow.Start
	}
	if s.Element != "" || e.Call == nil || config.Tenant == nil {
		return s.Element
	}
	if flow := config.Tenant.Flow(e.Call.FlowID); flow != nil {
		return flow.Start
	}
	return ""
}

// Ringing says whether the call waits for somebody to answer.
func (s *State) Ringing() bool { return s.Phase == Running && s.Stage == stageRinging }

// OutBy is the trunk by which the call is out, or is about to be, "" for none. A call for help counts against no limit. A leg that
// was dialled and of which the node has told nothing is out only while its ring lasts: afterwards it has never been.
func (s *State) OutBy() string {
	if s.Phase == Ended || s.FlowID == EmergencyFlow {
		return ""
	}
	trunk := ""
	for i, l := range s.Legs {
		there := l.Created || s.Ringing() && i >= s.Rung
		if there && !l.HungUp && l.Role == messages.RoleCallee && l.Trunk != "" && l.Trunk != AcrossTrunk {
			trunk = l.Trunk
		}
	}
	return trunk
}

// Moving says whether the call waits for what the node does with a leg that was taken out of its talk.
func (s *State) Moving() bool { return s.Stage == stageMoving }

// Joined says whether the call talks, or talked last, to another call's leg.
func (s *State) Joined() bool { return s.Phase == Talking && s.Stage == stageJoined }

// live says whether any leg is still there.
func (s *State) live() bool {
	for _, l := range s.Legs {
		if l.Created && !l.HungUp {
			return true
		}
	}
	return false
}

// Tape is a recording of the call that is under way.
type Tape struct {
	File string    `json:"file,omitempty"` // name among what comes in; empty: none
	Leg  string    `json:"leg,omitempty"`  // that it is made on
	N    int       `json:"n,omitempty"`    // of the command that began it
	At   time.Time `json:"at,omitzero"`
	Stop int       `json:"stop,omitempty"` // of the command that an order to end it has given; 0: none
}

// Choices are the users that the caller may choose from.
type Choices struct {
	Users []string `json:"users,omitempty"` // ids; never changed in place
	At    int      `json:"at,omitempty"`    // the one at hand
}

// Mailbox is a box that the caller has opened.
type Mailbox struct {
	Box      string    `json:"box,omitempty"`
	Messages []Message `json:"messages,omitempty"` // those that are played, in this order; never changed in place
	At       int       `json:"at,omitempty"`       // the one at hand
	Since    time.Time `json:"since,omitzero"`     // when it began to be played
	Finish   bool      `json:"finish,omitempty"`   // the caller wants no more
}
