package callflows

import (
	"encoding/json"
	"strconv"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// voicemailCheckElement lets a user hear the messages of his box. What is keyed as a PIN is in no reason, no journal and no
// state: it goes from the event into the one command that asks whether it is right.
//
//	answering ─► boxing ─► pin ─► checking ─► listing ─► counting ─► listening ─► marking ─┐
//	               ▲ │      ▲ └──────┘ wrong                            ▲   │ 1: again    │
//	               └─┘      └─ another try                              └───┴─────────────┘ the next one
//
// A worker that takes the call up without its state begins anew, with the PIN.
type voicemailCheckElement struct{}

type voicemailCheckSettings struct {
	User     string `json:"user"`
	Ask      bool   `json:"ask"`
	Attempts int    `json:"attempts"`
	Seconds  int    `json:"seconds"`
}

// The keys of a caller who hears a message.
const (
	keyAgain  = "1"
	keyKeep   = "2"
	keyDelete = "3"
	keyNext   = "#"
	keyFinish = "*"
	boxKeys   = keyAgain + keyKeep + keyDelete + keyFinish + keyNext
)

// Digits of a PIN.
const (
	MinPINDigits = 4
	MaxPINDigits = 10
)

var voicemailCheckAbout = about{
	name: "voicemail_check", title: "Hear voicemail",
	description: "Lets a user hear the messages of his box, after his PIN: those not heard yet come first. While a message plays he keys 1 to hear it again, 2 to keep it, 3 to delete it, " +
		"# for the next and * to finish. Five wrong PINs in a row lock the box for a quarter of an hour.",
	settings: &schema{kind: recordValue, members: []member{
		{name: "user", schema: boxSchema("The user whose box it is. Left out: the one whose phone calls.")},
		{name: "ask", schema: schema{kind: flagValue, initial: false, description: "Ask for the extension of the box even when a user's own phone calls."}},
		{name: "attempts", schema: schema{kind: wholeValue, initial: 3, min: 1, max: MaxMenuAttempts, description: "How often the caller is asked for an extension, and for a PIN."}},
		{name: "seconds", schema: schema{kind: wholeValue, initial: 5, min: 1, max: MaxMenuSeconds, unit: "seconds", description: "How long to wait for a key after each prompt."}},
	}},
	exits: []Exit{
		{Name: "done", Description: "The caller has heard what there is, or has finished.", Ends: "NORMAL_CLEARING", Waits: true},
		{Name: "failed", Description: "No PIN was right, the box is locked or has no PIN, or there is no such box.", Ends: "CALL_REJECTED", Waits: true},
		{Name: "unavailable", Description: "What keeps messages does not answer.", Ends: "NORMAL_TEMPORARY_FAILURE", Waits: true}},
	behaviour: Behaviour{EarlyMedia: "None: it answers first.", Answer: "Answers before it asks.", Ringback: "None: prompts and messages.", HangUp: hangUpAnywhere, Transfer: notWhileAlone},
	example: tenants.Element{Type: "voicemail_check", Settings: json.RawMessage(`{"ask":true,"attempts":2}`),
		Exits: map[string]string{"done": "goodbye", "failed": "goodbye", "unavailable": "goodbye"}},
}

func (voicemailCheckElement) about() *about { return &voicemailCheckAbout }

func (voicemailCheckElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[voicemailCheckSettings](voicemailCheckAbout.settings, settings)
}

func (e voicemailCheckElement) enter(s *step, settings any) {
	s.state.Mailbox = Mailbox{}
	if s.answerFirst() {
		e.begin(s, settings.(voicemailCheckSettings))
	}
}

// begin finds out whose box it is.
func (e voicemailCheckElement) begin(s *step, v voicemailCheckSettings) {
	box := v.User
	if box == "" && !v.Ask && s.config.Tenant != nil {
		if d := s.config.Tenant.Device(s.state.Call.Caller.Device); d != nil {
			box = d.UserID
		}
	}
	if box == "" {
		e.askBox(s, v)
		return
	}
	e.open(s, v, box)
}

// open goes on with a box, if it is the tenant's.
func (e voicemailCheckElement) open(s *step, v voicemailCheckSettings, box string) {
	if s.config.Tenant == nil || s.config.Tenant.User(box) == nil {
		s.explain("box_unknown")
		s.exit("failed", "CALL_REJECTED", messages.FaultTenant)
		return
	}
	s.state.Mailbox, s.state.Attempt = Mailbox{Box: box}, 0
	e.askPIN(s, v, "voicemail/password")
}

func (voicemailCheckElement) askBox(s *step, v voicemailCheckSettings) {
	if s.state.Attempt++; s.state.Attempt > v.Attempts {
		s.explain("box_given_up", "attempts", strconv.Itoa(v.Attempts))
		s.exit("failed", "CALL_REJECTED", messages.FaultCaller)
		return
	}
	s.explain("box_asked", "attempt", strconv.Itoa(s.state.Attempt), "attempts", strconv.Itoa(v.Attempts))
	s.await("boxing", Command{Kind: CollectDigits, Prompt: "voicemail/mailbox", Language: s.language(), Digits: &DigitsWanted{
		Min: 2, Max: 8, Allowed: "0123456789", Terminator: "#", First: time.Duration(v.Seconds) * time.Second, Between: BetweenDigits}})
}

func (voicemailCheckElement) askPIN(s *step, v voicemailCheckSettings, prompt string) {
	if s.state.Attempt++; s.state.Attempt > v.Attempts {
		s.explain("pin_given_up", "attempts", strconv.Itoa(v.Attempts))
		s.exit("failed", "CALL_REJECTED", messages.FaultCaller)
		return
	}
	s.explain("pin_asked", "user", s.userName(s.state.Mailbox.Box), "attempt", strconv.Itoa(s.state.Attempt), "attempts", strconv.Itoa(v.Attempts))
	s.await("pin", Command{Kind: CollectDigits, Prompt: prompt, Language: s.language(), Digits: &DigitsWanted{Secret: true,
		Min: MinPINDigits, Max: MaxPINDigits, Allowed: "0123456789", Terminator: "#", First: time.Duration(v.Seconds) * time.Second, Between: BetweenDigits}})
}

func (e voicemailCheckElement) on(s *step, settings any) {
	v := settings.(voicemailCheckSettings)
	switch {
	case s.answerDone():
		e.begin(s, v)
	case s.completes("boxing", DigitsCollected):
		e.boxed(s, v)
	case s.completes("pin", DigitsCollected):
		e.keyed(s, v)
	case s.completes("checking", PINChecked):
		e.checked(s, v)
	case s.completes("refusing", Played):
		s.exit("failed", "CALL_REJECTED", messages.FaultCaller)
	case s.completes("listing", MessagesFound):
		e.listed(s)
	case s.completes("counting", Played):
		e.hear(s, v)
	case s.completes("listening", DigitsCollected):
		e.heard(s, v)
	case s.completes("marking", Done):
		e.marked(s, v)
	case s.completes("finishing", Played):
		s.exit("done", "NORMAL_CLEARING", messages.FaultNone)
	}
}

// boxed looks for the box of the extension that was keyed.
func (e voicemailCheckElement) boxed(s *step, v voicemailCheckSettings) {
	if s.event.Outcome == DigitsGood && s.config.Tenant != nil {
		if u := s.config.Tenant.UserByExtension(s.event.Digits); u != nil {
			e.open(s, v, u.ID)
			return
		}
	}
	s.explain("box_not_keyed")
	e.askBox(s, v)
}

// keyed asks whether the PIN is right.
func (e voicemailCheckElement) keyed(s *step, v voicemailCheckSettings) {
	if s.event.Outcome != DigitsGood {
		s.explain("pin_not_keyed")
		e.askPIN(s, v, "voicemail/password")
		return
	}
	s.explain("pin_checked")
	s.await("checking", Command{Kind: CheckPIN, Box: s.state.Mailbox.Box, Secret: s.event.Secret})
}

// checked goes on by what came of the PIN.
func (e voicemailCheckElement) checked(s *step, v voicemailCheckSettings) {
	refuse := Command{Kind: Play, Prompt: "voicemail/locked", Language: s.language()}
	switch s.event.PIN {
	case PINRight:
		s.explain("pin_right")
		s.await("listing", Command{Kind: FindMessages, Box: s.state.Mailbox.Box})
	case PINLocked:
		s.explain("pin_locked")
		s.await("refusing", refuse)
	case PINNone:
		s.explain("pin_none")
		s.await("refusing", refuse)
	case PINWrong:
		s.explain("pin_wrong")
		e.askPIN(s, v, "voicemail/wrong")
	case PINLost: // it was not his doing
		s.state.Attempt--
		s.explain("pin_lost")
		e.askPIN(s, v, "voicemail/password")
	default: // PINAway
		s.explain("box_away")
		s.exit("unavailable", "NORMAL_TEMPORARY_FAILURE", messages.FaultPlatform)
	}
}

// listed says how many messages are new.
func (voicemailCheckElement) listed(s *step) {
	if s.event.Away {
		s.explain("box_away")
		s.exit("unavailable", "NORMAL_TEMPORARY_FAILURE", messages.FaultPlatform)
		return
	}
	found := s.event.Messages[:min(len(s.event.Messages), MaxMessagesListed)]
	fresh := 0
	for _, m := range found {
		if !m.Heard {
			fresh++
		}
	}
	s.state.Mailbox.Messages, s.state.Mailbox.At = found, 0
	s.explain("messages_counted", "new", strconv.Itoa(fresh), "messages", strconv.Itoa(len(found)))
	s.await("counting", Command{Kind: Play, Prompt: "voicemail/you_have", Prompts: append(sayNumber(s.language(), fresh), "voicemail/new_messages"), Language: s.language()})
}

// hear plays the message at hand, or says that there are no more.
func (voicemailCheckElement) hear(s *step, v voicemailCheckSettings) {
	box := &s.state.Mailbox
	if box.At >= len(box.Messages) {
		s.explain("messages_over")
		s.await("finishing", Command{Kind: Play, Prompt: "voicemail/no_more", Language: s.language()})
		return
	}
	m := box.Messages[box.At]
	box.Since = s.event.At
	s.explain("message_played", "n", strconv.Itoa(box.At+1), "messages", strconv.Itoa(len(box.Messages)), "at", m.At.UTC().Format("2006-01-02 15:04 UTC"))
	s.await("listening", Command{Kind: CollectDigits, Prompt: m.Media, Prompts: []string{"voicemail/keys"}, Language: s.language(), Digits: &DigitsWanted{
		Min: 1, Max: 1, Allowed: boxKeys, First: time.Duration(v.Seconds) * time.Second, Between: BetweenDigits}})
}

// heard does what the key says. A node that does not find the file says so at once, as if nothing had been keyed: then the
// message was not heard.
func (e voicemailCheckElement) heard(s *step, v voicemailCheckSettings) {
	key := ""
	if s.event.Outcome == DigitsGood {
		key = s.event.Digits
	}
	if s.event.Outcome == DigitsTimeout && s.event.At.Sub(s.state.Mailbox.Since) < time.Duration(v.Seconds)*time.Second {
		s.explain("message_unplayed", "n", strconv.Itoa(s.state.Mailbox.At+1))
		s.state.Mailbox.At++
		e.hear(s, v)
		return
	}
	switch key {
	case keyAgain:
		s.explain("message_again")
		e.hear(s, v)
	case keyDelete:
		s.explain("message_deleted", "n", strconv.Itoa(s.state.Mailbox.At+1))
		e.mark(s, MarkDeleted)
	case keyFinish:
		s.explain("messages_left")
		s.state.Mailbox.Finish = true
		e.mark(s, MarkHeard)
	default: // keyKeep, keyNext, nothing, or what is no key
		s.explain("message_heard", "n", strconv.Itoa(s.state.Mailbox.At+1))
		e.mark(s, MarkHeard)
	}
}

func (voicemailCheckElement) mark(s *step, mark Mark) {
	box := &s.state.Mailbox
	if box.At >= len(box.Messages) { // cannot be: what is played is one of them
		s.exit("done", "NORMAL_CLEARING", messages.FaultNone)
		return
	}
	s.await("marking", Command{Kind: MarkMessage, Box: box.Box, Message: box.Messages[box.At].ID, Mark: mark})
}

// marked goes on with the next message.
func (e voicemailCheckElement) marked(s *step, v voicemailCheckSettings) {
	if s.event.Away {
		s.explain("message_unmarked", "n", strconv.Itoa(s.state.Mailbox.At+1))
	}
	if s.state.Mailbox.Finish {
		s.explain("messages_over")
		s.await("finishing", Command{Kind: Play, Prompt: "voicemail/goodbye", Language: s.language()})
		return
	}
	s.state.Mailbox.At++
	e.hear(s, v)
}

func (voicemailCheckElement) reasons() because.Catalog {
	return because.Catalog{
		"box_unknown":      "The box is that of a user who is not there.",
		"box_asked":        "The caller is asked for the extension of the box (attempt {attempt} of {attempts}).",
		"box_not_keyed":    "The caller keyed no extension that has a box.",
		"box_given_up":     "No box is opened after {attempts|attempt|attempts}.",
		"pin_asked":        "The caller is asked for the PIN of {user} (attempt {attempt} of {attempts}).",
		"pin_not_keyed":    "The caller keyed no PIN, or none of the right length.",
		"pin_checked":      "The PIN is checked.",
		"pin_right":        "The PIN is right.",
		"pin_wrong":        "The PIN is wrong.",
		"pin_locked":       "The box is locked for a while: too many wrong PINs came in a row.",
		"pin_none":         "The box has no PIN, so nobody can open it by telephone.",
		"pin_lost":         "The PIN was lost with the worker that had it and is asked for again.",
		"pin_given_up":     "The box stays closed after {attempts|attempt|attempts}.",
		"box_away":         "The messages cannot be reached at the moment.",
		"messages_counted": "The box holds {messages|message|messages} to be heard; new of them: {new}.",
		"message_played":   "Message {n} of {messages}, left at {at}, is played.",
		"message_unplayed": "Message {n} could not be played: the media node does not find its file. It counts as not heard.",
		"message_again":    "The caller wants to hear it again.",
		"message_heard":    "Message {n} was heard and is kept.",
		"message_deleted":  "The caller deletes message {n}.",
		"message_unmarked": "What becomes of message {n} could not be noted; it stays as it was.",
		"messages_left":    "The caller finishes.",
		"messages_over":    "There is nothing more to hear.",
	}
}
