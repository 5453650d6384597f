package callflows

import (
	"cmp"

	"tandem/because"
	"tandem/messages"
)

// Somebody can order that a live call is recorded from now on, and that this ends. The element at work goes on meanwhile, and knows
// nothing of it: the node's answers are heard here.
//
//	RecordOrdered ─► start_recording ... Done, or Done with Away: there is nowhere to record to
//	RecordEndOrdered ─► stop_recording ... Done: the recording is kept; Refused: it goes on

// recordOrdered begins a recording. A call that is recorded already goes on being so: asking twice is asking once.
func (s *step) recordOrdered() {
	by := clip(cmp.Or(s.event.By, somebody), messages.MaxName)
	switch {
	case s.state.Recording.File != "":
	case !s.mayTape():
		s.explain("record_not_now", "by", by)
	default:
		n, call := s.state.Commands+1, &s.state.Call
		s.state.Recording = Tape{File: messages.RecordingFile(messages.RecordingCall, call.Tenant, "", call.ID, n), Leg: s.state.DrivenLeg(), N: n, At: s.event.At}
		s.explain("record_ordered", "by", by)
		s.order(Command{Kind: StartRecording, File: s.state.Recording.File})
	}
}

// mayTape says whether there is a talk to be recorded by order, and nothing against it: a call for help is nobody's to record but the
// emergency services', and one on its way to another node is recorded when it is there.
func (s *step) mayTape() bool {
	driven := s.state.leg(s.state.DrivenLeg())
	up := s.state.Phase == Running || s.state.Phase == Talking
	return up && driven != nil && !driven.HungUp && (driven.Answered || s.state.Answered) && s.state.FlowID != EmergencyFlow && s.state.Call.FlowID != EmergencyFlow &&
		!s.state.Summoning() && !s.state.OnTheMove()
}

// recordEndOrdered ends it.
func (s *step) recordEndOrdered() {
	if s.state.Recording.File == "" || s.state.Recording.Stop != 0 || s.state.Phase != Running && s.state.Phase != Talking {
		return
	}
	s.explain("record_end_ordered", "by", clip(cmp.Or(s.event.By, somebody), messages.MaxName))
	s.stopTape()
}

func (s *step) stopTape() {
	s.state.Recording.Stop = s.order(Command{Kind: StopRecording, File: s.state.Recording.File, Leg: s.state.Recording.Leg})
}

// taped hears what the node says to orders about a recording that no element waits for. Whether one that was told to end before a gap
// has ended is not known: it is told again.
func (s *step) taped() {
	t := &s.state.Recording
	switch {
	case t.File == "" || s.answers():
	case s.event.Kind == Resumed && t.Stop != 0:
		s.explain("record_end_again")
		s.stopTape()
	case s.event.Command == 0:
	case s.event.Kind == Done && s.event.Away && s.event.Command == t.N:
		*t = Tape{}
		s.explain("recording_nowhere")
	case s.event.Kind == Refused && s.event.Command == t.N:
		*t = Tape{}
		s.explain("record_refused", "detail", s.event.Cause)
	case s.event.Kind == Done && s.event.Command == t.Stop:
		s.fileTape()
	case s.event.Kind == Refused && s.event.Command == t.Stop:
		t.Stop = 0
		s.explain("record_goes_on", "detail", s.event.Cause)
	}
}

func recordOrderReasons() because.Catalog {
	return because.Catalog{
		"record_ordered":     "{by} ordered that the call is recorded from here on.",
		"record_end_ordered": "{by} ordered that the recording of the call ends here.",
		"record_not_now":     "{by} ordered that the call is recorded. It cannot be at the moment: it is not answered, it is for help, or it is on its way to another node.",
		"record_refused":     "The media node does not record the call: {detail}.",
		"record_end_again":   "Whether the recording has ended is not known: the media node is told to end it once more.",
		"record_goes_on":     "The media node does not end the recording: {detail}.",
	}
}
