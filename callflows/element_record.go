package callflows

import (
	"encoding/json"
	"maps"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// recordElement begins or ends the recording of the call: both sides, whatever the flow does next, until it is ended or the
// leg that it is made on is gone.
type recordElement struct{}

type recordSettings struct {
	Action string `json:"action"`
}

// What a record element does.
const (
	recordStart = "start"
	recordStop  = "stop"
)

var recordAbout = about{
	name: "record", title: "Record the call", description: "Begins or ends the recording of the call: both sides, whatever comes next in the flow. A recording ends with the call at the latest.",
	settings: &schema{kind: recordValue, members: []member{{name: "action", schema: schema{kind: textValue, initial: recordStart, oneOf: []any{recordStart, recordStop},
		description: "Whether to begin or to end it."}}}},
	exits: []Exit{
		{Name: "next", Description: "It is recorded, or no longer. A call that is recorded already goes on being so.", Required: true, Ends: "NORMAL_CLEARING"},
		{Name: "unavailable", Description: "Nothing can be recorded: the platform has no media folder.", Ends: "NORMAL_TEMPORARY_FAILURE"}},
	behaviour: Behaviour{EarlyMedia: "None.", Answer: "Answers before it records.", Ringback: "Unchanged: what follows decides.", HangUp: "A caller who hangs up ends the call and with it the recording, which is kept.",
		Transfer: notWhileAlone},
	example: tenants.Element{Type: "record", Settings: json.RawMessage(`{"action":"start"}`), Exits: map[string]string{"next": "ring", "unavailable": "ring"}},
}

func (recordElement) about() *about { return &recordAbout }

func (recordElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[recordSettings](recordAbout.settings, settings)
}

func (e recordElement) enter(s *step, settings any) {
	if s.answerFirst() {
		e.act(s, settings.(recordSettings))
	}
}

func (recordElement) act(s *step, r recordSettings) {
	taping := s.state.Recording.File != ""
	switch {
	case r.Action == recordStart && taping, r.Action == recordStop && !taping:
		s.explain("recording_as_it_is")
		s.exit("next", "NORMAL_CLEARING", messages.FaultTenant)
	case r.Action == recordStart:
		n := s.state.Commands + 1
		call := &s.state.Call
		s.state.Recording = Tape{File: messages.RecordingFile(messages.RecordingCall, call.Tenant, "", call.ID, n), Leg: s.state.DrivenLeg(), N: n, At: s.event.At}
		s.explain("recording_starts")
		s.await("starting", Command{Kind: StartRecording, File: s.state.Recording.File})
	default:
		s.explain("recording_stops")
		s.await("stopping", Command{Kind: StopRecording, File: s.state.Recording.File, Leg: s.state.Recording.Leg})
	}
}

func (e recordElement) on(s *step, settings any) {
	switch {
	case s.answerDone():
		e.act(s, settings.(recordSettings))
	case (s.completes("starting", Done) || s.completes("stopping", Done)) && s.event.Away:
		s.state.Recording = Tape{}
		s.explain("recording_nowhere")
		s.exit("unavailable", "NORMAL_TEMPORARY_FAILURE", messages.FaultPlatform)
	case s.completes("starting", Done):
		s.exit("next", "NORMAL_CLEARING", messages.FaultTenant)
	case s.completes("stopping", Done):
		s.fileTape()
		s.exit("next", "NORMAL_CLEARING", messages.FaultTenant)
	}
}

// fileTape keeps the recording of the call, which has ended.
func (s *step) fileTape() {
	tape := s.state.Recording
	s.state.Recording = Tape{}
	r, _ := messages.ParseRecordingFile(tape.File)
	r.Type, r.Leg, r.At = messages.RecordingV1, tape.Leg, tape.At
	r.From, r.FromName = s.shownCaller()
	s.explain("recording_kept")
	s.order(Command{Kind: FileRecording, Recording: &r})
}

// tapeEnds keeps the recording of the call when the leg that it is made on is gone. The node has closed the file by then.
func (s *step) tapeEnds(leg string) {
	if s.state.Recording.File != "" && s.state.Recording.Leg == leg {
		s.fileTape()
	}
}

func (recordElement) reasons() because.Catalog {
	own := because.Catalog{
		"recording_starts":   "From here on the call is recorded.",
		"recording_stops":    "The recording of the call ends here.",
		"recording_as_it_is": "The call is recorded already, or is not recorded: nothing changes.",
		"recording_kept":     "The recording of the call is kept.",
		"recording_nowhere":  "The call is not recorded: this platform has no media folder.",
	}
	maps.Copy(own, recordOrderReasons())
	return own
}
