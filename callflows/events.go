package callflows

import "time"

// EventKind names something that happened to a call.
type EventKind string

// The events, past tense.
const (
	Parked           EventKind = "parked"             // the caller's leg waits on a node; Call is set
	Answered         EventKind = "answered"           // Leg was answered
	Rang             EventKind = "rang"               // Leg's far end signalled ringing or early media
	LegCreated       EventKind = "leg_created"        // a dialled leg exists; Target names what it dials
	Bridged          EventKind = "bridged"            // the caller talks to Leg
	Unbridged        EventKind = "unbridged"          // they no longer talk
	HungUp           EventKind = "hung_up"            // Leg is gone; End is set
	Played           EventKind = "played"             // answers Play; Missing says that there was nothing to play
	DigitsCollected  EventKind = "digits_collected"   // answers CollectDigits; Digits and Outcome are set
	RingEnded        EventKind = "ring_ended"         // answers Ring: nobody talks (any more); Cause is set
	Done             EventKind = "done"               // answers a command that has no answer of its own kind
	ContactsFound    EventKind = "contacts_found"     // answers FindContacts
	CallsCounted     EventKind = "calls_counted"      // answers CountCalls; Counts is set
	TimerFired       EventKind = "timer_fired"        // answers SetTimer
	Fetched          EventKind = "fetched"            // answers Fetch; Reply is set
	Resumed          EventKind = "resumed"            // events may have been missed: what the element waits for may be over
	CallOrdered      EventKind = "call_ordered"       // somebody ordered that a call begins; Call, whose Ordered says how, and Contacts of its Devices are set
	EndOrdered       EventKind = "end_ordered"        // somebody ordered the call's end; By and Reason are set
	TransferOrdered  EventKind = "transfer_ordered"   // somebody ordered that Leg goes to the number Target; By is set
	Transferred      EventKind = "transferred"        // Leg was taken out of its talk and waits; Target is the number that it is to go to, if a phone said so
	TransferRefused  EventKind = "transfer_refused"   // the phone of Leg asked for a transfer to another talk in vain, or another's to this one if There; Cause says why
	Refused          EventKind = "refused"            // the node refused a command; Cause says how
	Taken            EventKind = "taken"              // another call is about to let its leg, Other, talk to Leg
	Released         EventKind = "released"           // it could not: Leg stays where it is
	Joined           EventKind = "joined"             // Leg talks to Other, a leg of another call
	Parted           EventKind = "parted"             // they no longer talk
	Overheard        EventKind = "overheard"          // Other, a leg of another call, hears Leg's talk; Mode is set
	CallFound        EventKind = "call_found"         // answers FindCall; Found is set unless there is none
	Recorded         EventKind = "recorded"           // answers Record; LengthMS and Ended are set
	MessagesFound    EventKind = "messages_found"     // answers FindMessages; Messages or Away is set
	PINChecked       EventKind = "pin_checked"        // answers CheckPIN; PIN is set
	Saved            EventKind = "saved"              // answers SaveSetting; Away says that it may not be kept, Cause that it is refused, and why
	MoveOrdered      EventKind = "move_ordered"       // the call is to leave its node for Node; Cause says what the node's owner knows against it
	LegsMoved        EventKind = "legs_moved"         // answers MoveLegs: Legs are at the new node
	MoveFailed       EventKind = "move_failed"        // answers MoveLegs: none of them is; Cause says why, SIPCode what a phone answered
	RescueOrdered    EventKind = "rescue_ordered"     // the call's node has died, at Since: Node is to take what was answered over
	RescueFailed     EventKind = "rescue_failed"      // no node can; Cause says why
	Moved            EventKind = "moved"              // Node has the call now; There says that what its element waits for is no business of a node's
	RecordOrdered    EventKind = "record_ordered"     // somebody ordered that the call is recorded; By is set
	RecordEndOrdered EventKind = "record_end_ordered" // somebody ordered that it is recorded no longer; By is set
)

// Event is one thing that happened. Only the fields that its kind names are set.
type Event struct {
	Kind    EventKind `json:"kind"`
	At      time.Time `json:"at"`                // by the node's clock
	Leg     string    `json:"leg,omitempty"`     // channel uuid
	Command int       `json:"command,omitempty"` // number of the command that this answers; 0 when none

	Call     *Call         `json:"call,omitempty"`     // Parked, CallOrdered
	Target   string        `json:"target,omitempty"`   // LegCreated: number presented on the leg; TransferOrdered, Transferred: as dialled
	Digits   string        `json:"digits,omitempty"`   // DigitsCollected
	Outcome  DigitsOutcome `json:"outcome,omitempty"`  // DigitsCollected
	Missing  bool          `json:"missing,omitempty"`  // Played
	Cause    string        `json:"cause,omitempty"`    // RingEnded, Refused
	SIPCode  int           `json:"sip_code,omitempty"` // RingEnded
	Contacts []Contact     `json:"contacts,omitempty"` // ContactsFound, CallOrdered
	Talking  []string      `json:"talking,omitempty"`  // ContactsFound: ids of the devices that are in another call
	Counts   *Counts       `json:"counts,omitempty"`   // CallsCounted; ContactsFound if trunks were named
	Reply    *Reply        `json:"reply,omitempty"`    // Fetched
	Early    bool          `json:"early,omitempty"`    // Bridged: with the leg's early media, before anybody answered; Rang: with sound
	End      *LegEnd       `json:"end,omitempty"`      // HungUp
	By       string        `json:"by,omitempty"`       // EndOrdered, RecordOrdered, RecordEndOrdered, TransferOrdered: who wants it
	Other    *Party        `json:"other,omitempty"`    // Taken, Released, Joined, Parted, Overheard: the other call's leg
	Mode     EavesdropMode `json:"mode,omitempty"`     // Overheard
	For      Purpose       `json:"for,omitempty"`      // Taken: what the other call is doing
	Found    *Found        `json:"found,omitempty"`    // CallFound
	Reason   string        `json:"reason,omitempty"`   // EndOrdered: in the words of who wants it

	ByLeg  string `json:"by_leg,omitempty"` // Transferred: the leg whose phone asked for it, which may be another call's
	Device string `json:"device,omitempty"` // Transferred: device id of ByLeg, if that is another call's
	Order  string `json:"order,omitempty"`  // TransferOrdered: id of the order, which may come twice
	There  bool   `json:"there,omitempty"`  // TransferRefused, Moved
	Moved  string `json:"moved,omitempty"`  // RingEnded, Transferred: the node's own name for the last move of the leg, if there was any

	LengthMS int          `json:"length_ms,omitempty"` // Recorded: milliseconds
	Ended    RecordingEnd `json:"ended,omitempty"`     // Recorded
	Messages []Message    `json:"messages,omitempty"`  // MessagesFound, the oldest first
	PIN      PINOutcome   `json:"pin,omitempty"`       // PINChecked
	Away     bool         `json:"away,omitempty"`      // MessagesFound, Done of MarkMessage: what keeps messages did not answer
	Secret   string       `json:"-"`                   // DigitsCollected that are secret

	Node string     `json:"node,omitempty"` // MoveOrdered, RescueOrdered, Moved
	Legs []MovedLeg `json:"legs,omitempty"` // LegsMoved

	Since time.Time `json:"since,omitzero"` // RescueOrdered, RescueFailed: when the node died
}

// RecordingEnd says how a recording ended.
type RecordingEnd string

// How recordings end.
const (
	EndedByKey     RecordingEnd = "key"
	EndedBySilence RecordingEnd = "silence"
	EndedByLimit   RecordingEnd = "limit"
	EndedByHangUp  RecordingEnd = "hang_up"     // the leg is about to be gone
	NotRecorded    RecordingEnd = "unavailable" // there is nowhere to record to
)

// Message is one message of a box.
type Message struct {
	ID    string    `json:"id"`
	Media string    `json:"media"` // its file, as a prompt of the kind Media names it
	From  string    `json:"from,omitempty"`
	At    time.Time `json:"at"`
	Heard bool      `json:"heard,omitempty"`
}

// PINOutcome says what came of a PIN.
type PINOutcome string

// What comes of a PIN.
const (
	PINRight  PINOutcome = "right"
	PINWrong  PINOutcome = "wrong"
	PINLocked PINOutcome = "locked" // too many wrong ones: nobody gets in for a while
	PINNone   PINOutcome = "none"   // the box has none, so nobody gets in by telephone
	PINAway   PINOutcome = "away"   // what keeps PINs did not answer
	PINLost   PINOutcome = "lost"   // what was keyed went with the worker that had it
)

// DigitsOutcome says how the collecting of digits ended.
type DigitsOutcome string

const (
	DigitsGood    DigitsOutcome = "good"    // Digits match what was asked for
	DigitsTimeout DigitsOutcome = "timeout" // nothing, or too little, was keyed in time
	DigitsInvalid DigitsOutcome = "invalid" // Digits do not match
)

// Contact is one place where a device can be reached now.
type Contact struct {
	Device string `json:"device"`         // device id
	URI    string `json:"uri"`            // SIP URI to dial
	Edge   string `json:"edge,omitempty"` // SIP URI of the edge that holds the registration
}

// LegEnd is a node's last word on a leg.
type LegEnd struct {
	Cause      string     `json:"cause"` // FreeSWITCH's name: NORMAL_CLEARING
	Q850       int        `json:"q850"`
	SIPCode    int        `json:"sip_code,omitempty"`
	By         EndedBy    `json:"by"`
	Message    SIPMessage `json:"message,omitempty"` // that ended it, unless the node did not say
	CreatedAt  time.Time  `json:"created_at"`
	AnsweredAt *time.Time `json:"answered_at,omitempty"`
	SIPCallID  string     `json:"sip_call_id,omitempty"`
	From       string     `json:"from,omitempty"` // as presented on the leg
	FromName   string     `json:"from_name,omitempty"`
	To         string     `json:"to,omitempty"`
	Estimated  bool       `json:"estimated,omitempty"` // found out after a gap, not told by the node
	Left       string     `json:"left,omitempty"`      // channel uuid of the leg that goes on without it: it has transferred that one
}

// SIPMessage names the message that ended a leg, and who sent it, as FreeSWITCH does (mod_sofia, sip_hangup_disposition).
type SIPMessage string

// What ends legs.
const (
	ReceivedBye     SIPMessage = "recv_bye"
	ReceivedRefusal SIPMessage = "recv_refuse"
	ReceivedCancel  SIPMessage = "recv_cancel"
	SentBye         SIPMessage = "send_bye"
	SentRefusal     SIPMessage = "send_refuse"
	SentCancel      SIPMessage = "send_cancel"
)

// EndedBy says which side ended a leg.
type EndedBy string

const (
	ByFarEnd EndedBy = "far_end" // the phone or carrier: BYE, CANCEL or a refusal
	ByUs     EndedBy = "us"      // Tandem or the node
)
