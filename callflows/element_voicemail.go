package callflows

import (
	"encoding/json"
	"strconv"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// voicemailElement takes a message for a user's box.
//
//	answering ─► greeting ─► recording ─┬─ long enough ─► kept ─► saying ─► exit kept
//	                            │       ├─ too short ───► discarded ─► exit none
//	                            │       └─ nowhere to record to ─► exit unavailable
//	                            └─ the caller is gone: what he said is kept all the same
//
// A message is named after the command that recorded it, so that it is kept once whoever orders it and however often. While
// it is recorded, Attempt is that command's number: it is on the channel's mark, so that a worker that knows nothing else
// knows of the file. A recording whose end nobody heard of is kept with a length that its file tells.
type voicemailElement struct{}

type voicemailSettings struct {
	User     string `json:"user"`
	Greeting string `json:"greeting"`
	Max      int    `json:"max_seconds"`
	Silence  int    `json:"silence_seconds"`
	Min      int    `json:"min_seconds"`
}

// Bounds of a message.
const (
	MaxMessageSeconds = 1800
	MaxSilenceSeconds = 60
	MaxLeastSeconds   = 30
	// DefaultLeast is what a message must have at least, unless the element says otherwise.
	DefaultLeast = 2 * time.Second
)

// Prompts that Tandem's own elements play. Where a tenant or the platform has none of the name, the node plays a tone.
const (
	promptGreeting = "voicemail/greeting"
	promptSaved    = "voicemail/saved"
	promptBeep     = "tone:beep"
)

var voicemailAbout = about{
	name: "voicemail", title: "Voicemail",
	description: "Takes a message for a user's box: a greeting, a beep, and what the caller says until he keys #, falls silent or hangs up.",
	settings: &schema{kind: recordValue, members: []member{
		{name: "user", required: true, schema: boxSchema("The user whose box it is.")},
		{name: "greeting", schema: withInitial(promptSchema("The prompt that greets the caller."), promptGreeting)},
		{name: "max_seconds", schema: schema{kind: wholeValue, initial: 120, min: 5, max: MaxMessageSeconds, unit: "seconds", description: "How long a message may be."}},
		{name: "silence_seconds", schema: schema{kind: wholeValue, initial: 5, min: 1, max: MaxSilenceSeconds, unit: "seconds", description: "How much silence ends the message."}},
		{name: "min_seconds", schema: schema{kind: wholeValue, initial: int(DefaultLeast / time.Second), min: 1, max: MaxLeastSeconds, unit: "seconds",
			description: "A shorter message is not kept."}},
	}},
	exits: []Exit{
		{Name: "kept", Description: "The message is kept, and the caller is still there.", Ends: "NORMAL_CLEARING", Waits: true},
		{Name: "none", Description: "The caller said nothing, or too little to be kept.", Ends: "NORMAL_CLEARING", Waits: true},
		{Name: "unavailable", Description: "No message can be taken: the user is gone, or the platform has no media folder.", Ends: "NORMAL_TEMPORARY_FAILURE", Waits: true}},
	behaviour: Behaviour{EarlyMedia: "None: it answers first.", Answer: "Answers before the greeting.", Ringback: "None: the greeting.",
		HangUp: "A caller who hangs up ends the call at any moment. Before the beep there is no message; after it, what he said is kept.", Transfer: notWhileAlone},
	example: tenants.Element{Type: "voicemail", Settings: json.RawMessage(`{"user":"anna","max_seconds":180}`), Exits: map[string]string{"kept": "goodbye", "none": "goodbye", "unavailable": "goodbye"}},
}

// boxSchema is the schema of a setting that names a user whose box is meant. The id becomes part of files' names.
func boxSchema(description string) schema {
	return schema{kind: textValue, reference: RefersToUser, min: 1, max: maxID, form: userID, formWords: "a user's id: letters, digits and _ . -, beginning with a letter or digit",
		description: description}
}

// withInitial gives a schema a default.
func withInitial(s schema, initial any) schema {
	s.initial = initial
	return s
}

func (voicemailElement) about() *about { return &voicemailAbout }

func (voicemailElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[voicemailSettings](voicemailAbout.settings, settings)
}

func (e voicemailElement) enter(s *step, settings any) {
	v := settings.(voicemailSettings)
	if s.config.Tenant == nil || s.config.Tenant.User(v.User) == nil {
		s.explain("voicemail_no_user", "user", v.User)
		s.exit("unavailable", "NORMAL_TEMPORARY_FAILURE", messages.FaultTenant)
		return
	}
	if s.answerFirst() {
		e.greet(s, v)
	}
}

func (voicemailElement) greet(s *step, v voicemailSettings) {
	s.explain("voicemail_greets", "greeting", v.Greeting, "user", s.userName(v.User))
	greeting := Command{Kind: Play, Prompt: v.Greeting, Prompts: []string{promptBeep}, Language: s.language()}
	if v.Greeting == promptGreeting { // the flow names no other: the box's own comes first, if it has one
		greeting.Box = v.User
	}
	s.await("greeting", greeting)
}

// record orders the recording.
func (voicemailElement) record(s *step, v voicemailSettings) {
	s.state.Attempt = s.state.Commands + 1
	s.explain("voicemail_records", "seconds", strconv.Itoa(v.Max), "silence", strconv.Itoa(v.Silence))
	s.await("recording", Command{Kind: Record, File: voicemailFile(s, v, s.state.Attempt), Terminators: "#",
		Wait: time.Duration(v.Max) * time.Second, Silence: time.Duration(v.Silence) * time.Second})
}

func voicemailFile(s *step, v voicemailSettings, n int) string {
	return messages.RecordingFile(messages.RecordingVoicemail, s.state.Call.Tenant, v.User, s.state.Call.ID, n)
}

func (e voicemailElement) on(s *step, settings any) {
	v := settings.(voicemailSettings)
	switch {
	case s.answerDone():
		e.greet(s, v)
	case s.completes("greeting", Played):
		e.record(s, v)
	case s.completes("recording", Recorded):
		e.recorded(s, v)
	case s.completes("kept", Done):
		s.explain("voicemail_thanks")
		s.await("saying", Command{Kind: Play, Prompt: promptSaved, Language: s.language()})
	case s.completes("saying", Played):
		s.exit("kept", "NORMAL_CLEARING", messages.FaultNone)
	case s.completes("discarded", Done):
		s.exit("none", "NORMAL_CLEARING", messages.FaultCaller)
	}
}

// recorded decides whether the message is kept. A caller who hung up is about to be gone: nothing more is ordered of his leg.
func (e voicemailElement) recorded(s *step, v voicemailSettings) {
	if s.event.Ended == NotRecorded {
		s.explain("voicemail_nowhere")
		s.exit("unavailable", "NORMAL_TEMPORARY_FAILURE", messages.FaultPlatform)
		return
	}
	length := max(0, min(s.event.LengthMS, messages.MaxRecordingMS))
	r, gone := e.message(s, v), s.event.Ended == EndedByHangUp
	r.LengthMS, r.Discard = max(length, 1), length < v.Min*1000
	r.At = r.At.Add(-time.Duration(length) * time.Millisecond)
	stage := "kept"
	if r.Discard {
		s.explain("voicemail_too_short", "ms", strconv.Itoa(length), "least", strconv.Itoa(v.Min))
		stage = "discarded"
	} else {
		s.explain("voicemail_kept", "seconds", strconv.Itoa(length/1000), "user", s.userName(v.User))
	}
	if gone {
		stage = "leaving" // his hang-up comes next
	}
	s.await(stage, Command{Kind: FileRecording, Recording: r})
}

// message is what is known of the recording under way.
func (voicemailElement) message(s *step, v voicemailSettings) *messages.Recording {
	r, _ := messages.ParseRecordingFile(voicemailFile(s, v, s.state.Attempt))
	r.Type, r.Leg, r.At, r.LeastMS = messages.RecordingV1, s.state.DrivenLeg(), s.event.At, v.Min*1000
	r.From, r.FromName = s.shownCaller()
	return &r
}

// shownCaller is who the called may know to have called.
func (s *step) shownCaller() (number, name string) {
	if c := s.state.Call.Caller; !c.Private {
		return clip(c.Number, messages.MaxURI), clip(c.Name, messages.MaxName)
	}
	return "", ""
}

// leaveBehind keeps what was recorded and of whose end nobody has told: the leg is gone, or another worker has it now.
func (e voicemailElement) leaveBehind(s *step, settings any) {
	if s.state.Stage != "recording" || s.state.Attempt == 0 {
		return
	}
	v := settings.(voicemailSettings)
	s.explain("voicemail_kept_unheard", "user", s.userName(v.User))
	s.order(Command{Kind: FileRecording, Recording: e.message(s, v)})
	s.state.Stage = "leaving"
}

// goOn goes on at another node: what is recorded there is another message.
func (e voicemailElement) goOn(s *step, settings any) bool {
	switch s.state.Stage {
	case "recording":
		e.leaveBehind(s, settings)
		e.record(s, settings.(voicemailSettings))
	case "saying":
		s.explain("voicemail_thanks")
		s.await("saying", Command{Kind: Play, Prompt: promptSaved, Language: s.language()})
	default:
		return false
	}
	return true
}

// leaveBehind lets the element at work keep what must not be lost with its leg, or with what this worker does not know.
func (s *step) leaveBehind() {
	kind, settings := s.element()
	if e, ok := kind.(interface{ leaveBehind(*step, any) }); ok {
		e.leaveBehind(s, settings)
	}
}

// userName says who a user is, in words.
func (s *step) userName(id string) string {
	if s.config.Tenant != nil {
		if u := s.config.Tenant.User(id); u != nil {
			return u.Name
		}
	}
	return id
}

func (voicemailElement) reasons() because.Catalog {
	return because.Catalog{
		"voicemail_greets":       "The caller is greeted by {greeting} and may leave a message for {user}.",
		"voicemail_records":      "The message is recorded: {seconds|second|seconds} at most, until the caller keys #, hangs up or is silent for {silence|second|seconds}.",
		"voicemail_kept":         "A message of {seconds|second|seconds} is kept for {user}.",
		"voicemail_thanks":       "The caller is told that the message is kept.",
		"voicemail_too_short":    "What the caller said ({ms} ms) is shorter than {least|second|seconds} and is not kept.",
		"voicemail_kept_unheard": "What was recorded until then is kept for {user}; its length is read from the file.",
		"voicemail_no_user":      "No message can be taken: there is no user {user}.",
		"voicemail_nowhere":      "No message can be taken: this platform has no media folder.",
	}
}
