package callflows

import (
	"time"

	"tandem/messages"
)

// CommandKind names an order.
type CommandKind string

// The commands, as orders.
const (
	Answer        CommandKind = "answer"         // answer the caller's leg
	SignalRinging CommandKind = "signal_ringing" // tell the caller that it rings
	Play          CommandKind = "play"           // play Prompt to the caller
	CollectDigits CommandKind = "collect_digits" // play Prompt and collect digits
	Ring          CommandKind = "ring"           // dial Targets and let the caller talk to the first that answers
	Summon        CommandKind = "summon"         // dial Targets; the first that answers waits to be driven, the others are let go
	HangUp        CommandKind = "hang_up"        // hang up Leg with Cause
	TakeOut       CommandKind = "take_out"       // take Leg out of what it does, to wait; who talks to it is hung up
	FindContacts  CommandKind = "find_contacts"  // where can Devices be reached
	CountCalls    CommandKind = "count_calls"    // how many calls are out by Trunks, and of the tenant
	SetTimer      CommandKind = "set_timer"      // answer after Wait
	Fetch         CommandKind = "fetch"          // ask an HTTP server; answered within Wait, whatever becomes of it
	WriteCDR      CommandKind = "write_cdr"      // a leg is over; CDR is its record
	Join          CommandKind = "join"           // let Leg talk to Other, a leg of another call, and to nobody else
	StopPlaying   CommandKind = "stop_playing"   // end what plays; the Play is answered then
	Eavesdrop     CommandKind = "eavesdrop"      // let the caller hear Other, a leg of another call, and be heard as Mode says
	FindCall      CommandKind = "find_call"      // which call of the tenant is the Wanted one

	Record         CommandKind = "record"          // record what the caller says into File, for Wait at most, until Silence or a key of Terminators
	StartRecording CommandKind = "start_recording" // record both sides into File from now on
	StopRecording  CommandKind = "stop_recording"  // end that
	FileRecording  CommandKind = "file_recording"  // keep what was recorded as Recording says: it must not be lost, and comes once however often it is ordered
	FindMessages   CommandKind = "find_messages"   // which messages does Box hold
	MarkMessage    CommandKind = "mark_message"    // Message of Box was heard, or is to be deleted
	CheckPIN       CommandKind = "check_pin"       // is Secret the PIN of Box
	Announce       CommandKind = "announce"        // let the caller speak in Room; it ends for all when he leaves
	Invite         CommandKind = "invite"          // dial the one of Targets, Leg, and let it listen in Room
	SaveSetting    CommandKind = "save_setting"    // Setting is to hold from now on
	Speak          CommandKind = "speak"           // say Text

	MoveLegs  CommandKind = "move_legs"  // let Node take the call's answered legs over
	LeaveMove CommandKind = "leave_move" // let Node drop what it has taken by the command Legs
	HandOver  CommandKind = "hand_over"  // the call is Node's from now on; what is recorded into File ends here
	Rejoin    CommandKind = "rejoin"     // let Leg talk to Other, another leg of the call, as they did at the last node
)

// Command is one order. Only the fields that its kind names are set. N is its number within the call: the answer carries
// it, and the node sees it as "<call id>/<n>".
type Command struct {
	Kind CommandKind `json:"kind"`
	N    int         `json:"n"`
	Leg  string      `json:"leg"` // the leg that it is for

	Prompt     string        `json:"prompt,omitempty"`      // Play, CollectDigits
	Language   string        `json:"language,omitempty"`    // Play, CollectDigits: of the prompt; empty: the node's own
	Digits     *DigitsWanted `json:"digits,omitempty"`      // CollectDigits
	Targets    []Target      `json:"targets,omitempty"`     // Ring
	InOrder    bool          `json:"in_order,omitempty"`    // Ring: one after the other rather than at once
	Ringback   bool          `json:"ringback,omitempty"`    // Ring: the caller is answered already and must hear ringing
	CallerID   CallerID      `json:"caller_id,omitzero"`    // Ring: what the dialled see
	EarlyOK    bool          `json:"early_ok,omitempty"`    // Ring: pass the target's early media to the caller
	Cause      string        `json:"cause,omitempty"`       // HangUp
	Devices    []string      `json:"devices,omitempty"`     // FindContacts: device ids
	Talking    bool          `json:"talking,omitempty"`     // FindContacts: which of Devices are in a call is asked too
	Trunks     []string      `json:"trunks,omitempty"`      // CountCalls, FindContacts: trunk ids
	Hunting    bool          `json:"hunting,omitempty"`     // Ring: another attempt follows if this one fails
	Progress   time.Duration `json:"progress_ns,omitempty"` // Ring: give up when nothing is signalled by then; 0 means never
	Location   string        `json:"location,omitempty"`    // Ring: where an emergency caller stands, a URI
	DivertedBy string        `json:"diverted_by,omitempty"` // Ring: the number that passes the call on
	Diversions int           `json:"diversions,omitempty"`  // Ring: how often it was passed on, this time included
	Code       int           `json:"code,omitempty"`        // HangUp: what an unanswered caller is refused with; 0: what Cause stands for
	Wait       time.Duration `json:"wait_ns,omitempty"`     // SetTimer, Fetch, Ring (per target), in nanoseconds
	Fetch      *Request      `json:"fetch,omitempty"`       // Fetch
	CDR        *messages.CDR `json:"cdr,omitempty"`         // WriteCDR
	Other      *Party        `json:"other,omitempty"`       // Join, Eavesdrop: the other call's leg
	Mode       EavesdropMode `json:"mode,omitempty"`        // Eavesdrop
	For        Purpose       `json:"for,omitempty"`         // Join
	Wanted     *Wanted       `json:"wanted,omitempty"`      // FindCall

	Prompts     []string            `json:"prompts,omitempty"`     // Play, CollectDigits: what follows Prompt, without a pause
	File        string              `json:"file,omitempty"`        // Record, StartRecording, StopRecording: name among what comes in
	Silence     time.Duration       `json:"silence_ns,omitempty"`  // Record: so much silence ends it
	Terminators string              `json:"terminators,omitempty"` // Record: the keys that end it
	Recording   *messages.Recording `json:"recording,omitempty"`   // FileRecording
	Box         string              `json:"box,omitempty"`         // FindMessages, MarkMessage, CheckPIN: user id; Play: whose own greeting comes before Prompt
	Message     string              `json:"message,omitempty"`     // MarkMessage: its id
	Mark        Mark                `json:"mark,omitempty"`        // MarkMessage
	Text        string              `json:"text,omitempty"`        // Speak
	Room        string              `json:"room,omitempty"`        // Announce, Invite: name of the announcement
	Music       string              `json:"music,omitempty"`       // Ring: the prompt that whoever is put on hold hears; empty: the node's own
	Setting     *UserSetting        `json:"setting,omitempty"`     // SaveSetting
	Node        string              `json:"node,omitempty"`        // MoveLegs, LeaveMove, HandOver
	Legs        int                 `json:"legs,omitempty"`        // LeaveMove: number of the MoveLegs
	// Secret is what the caller keyed for CheckPIN. It stands in no journal and travels to no other worker.
	Secret string `json:"-"`
}

// Mark is what becomes of a message.
type Mark string

// The marks.
const (
	MarkHeard   Mark = "heard"
	MarkDeleted Mark = "deleted"
)

// DigitsWanted says which digits to collect.
type DigitsWanted struct {
	Min     int    `json:"min"`
	Max     int    `json:"max"`
	Allowed string `json:"allowed"` // the digits that are good, each alone: "12*"
	// Terminator is the digit that ends the input and is no part of it; empty for none.
	Terminator string        `json:"terminator,omitempty"`
	First      time.Duration `json:"first_ns"`   // wait for the first digit after the prompt
	Between    time.Duration `json:"between_ns"` // wait between digits
	// Secret digits come as the event's Secret, and stand in no journal.
	Secret bool `json:"secret,omitempty"`
}

// Target is one place to dial.
type Target struct {
	Leg    string `json:"leg"` // the channel uuid that the leg gets
	URI    string `json:"uri"`
	Edge   string `json:"edge,omitempty"` // SIP URI of the edge to go through
	Device string `json:"device,omitempty"`
	Trunk  string `json:"trunk,omitempty"`
	Number string `json:"number,omitempty"` // that is called outside, in E.164 or as the tenant's own trunk takes it

	Between    string        `json:"between,omitempty"`     // the tenant that calls, when the number is another tenant's
	Across     string        `json:"across,omitempty"`      // on another node: which leg is to be joined there, as Errand writes it
	Delay      time.Duration `json:"delay_ns,omitempty"`    // it rings so much later than those of the Ring that ring at once
	Wait       time.Duration `json:"wait_ns,omitempty"`     // it rings so long, rather than the Ring's time
	Accept     *Acceptance   `json:"accept,omitempty"`      // who answers must accept the call
	AutoAnswer bool          `json:"auto_answer,omitempty"` // the phone is asked to answer by itself
	CallerID   *CallerID     `json:"caller_id,omitempty"`   // what it is told, rather than the Ring's
	Diverted   *Diversion    `json:"diverted,omitempty"`    // who passes the call on to it
}

// Acceptance is what must be keyed after the answer before the caller is let through: so a machine that answers takes no call.
type Acceptance struct {
	Key    string        `json:"key"` // one digit
	Prompt string        `json:"prompt"`
	Wait   time.Duration `json:"wait_ns"` // after the answer
}

// Diversion says who passes a call on: RFC 5806.
type Diversion struct {
	By    string     `json:"by"` // number
	Times int        `json:"times"`
	On    DivertedOn `json:"on,omitempty"`
}

// DivertedOn says in which case a call is passed on, as a Diversion header does (RFC 5806 3). Empty is always.
type DivertedOn string

const (
	DivertedOnBusy     DivertedOn = "user-busy"
	DivertedOnNoAnswer DivertedOn = "no-answer"
)

// CallerID is what a dialled phone or trunk is told of the caller. A private one shows neither number nor name.
type CallerID struct {
	Number   string `json:"number,omitempty"`
	Name     string `json:"name,omitempty"`
	Nameless bool   `json:"nameless,omitempty"` // no name is shown
	Asserted string `json:"asserted,omitempty"` // number for P-Asserted-Identity, RFC 3325
	Private  bool   `json:"private,omitempty"`  // the called must not learn the number
	Domain   string `json:"domain,omitempty"`   // host of the identities; empty: the node's
}

// Bounds of the engine.
const (
	MaxElements    = 200                    // elements that one call may enter
	MaxTargets     = 32                     // legs that one Ring may dial
	MaxLegs        = 256                    // legs of one call
	DefaultRinging = 30 * time.Second       // how long a target rings unless the element says otherwise
	MaxRinging     = 10 * time.Minute       // the longest that an element may ask for
	BetweenDigits  = 2 * time.Second        // wait between digits of one input
	LookupWait     = 500 * time.Millisecond // a look-up that takes longer counts as empty
	JoinWait       = 5 * time.Second        // legs of two calls that do not talk by then are not joined
	PartedWait     = 3 * time.Second        // a leg that was left, and that nobody has hung up by then, is hung up
	// MaxMessagesListed is how many messages of a box a caller can go through: the newest.
	MaxMessagesListed = 50
)
