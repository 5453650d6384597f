package callflows

import (
	"cmp"
	"slices"
	"time"

	"tandem/because"
	"tandem/messages"
)

// A call can leave its media node for another (docs/decisions/0021):
//
//	at the old node   MoveOrdered ─► move_legs ... LegsMoved ─► hand_over, and nothing more is stepped there
//	                     │                 └─ MoveFailed, or the call ends: it stays where it is (leave_move)
//	                     └─ cannot go now: Move.Waits says why
//	at the new node   Moved ─► legs that talked are joined again (rejoin), or the element at work goes on
//
// While its legs are fetched the element at work waits: what it is told then counts as missed.

// Move is where a call is on its way to another node.
type Move struct {
	To     string    `json:"to,omitempty"`     // the node
	N      int       `json:"n,omitempty"`      // of the command that fetches its legs; 0: it is on no way
	Away   bool      `json:"away,omitempty"`   // handed over: the new node's owner drives it from there on
	Missed bool      `json:"missed,omitempty"` // what the element waited for has ended meanwhile
	Waits  MoveWaits `json:"waits,omitempty"`  // why it could not go when that was last asked for
	Tries  int       `json:"tries,omitempty"`  // how often it has come to nothing
	Dead   bool      `json:"dead,omitempty"`   // its node has died
	Died   time.Time `json:"died,omitzero"`    // when that was
}

// MoveWaits says why a call cannot leave its node at the moment.
type MoveWaits string

// Why calls wait.
const (
	WaitsUnanswered MoveWaits = "unanswered" // the caller's leg, or a dialled one, is not answered
	WaitsRinging    MoveWaits = "ringing"
	WaitsConference MoveWaits = "conference" // it pages, or listens in
	WaitsTransfer   MoveWaits = "transfer"   // one is under way
	WaitsJoined     MoveWaits = "joined"     // a leg talks to another call's, or is about to
	WaitsEmergency  MoveWaits = "emergency"  // it is for help, and is never moved
	WaitsDialog     MoveWaits = "dialog"     // a leg's SIP dialog is not known as a whole
	WaitsMedia      MoveWaits = "media"      // encrypted, fax or video
	WaitsSize       MoveWaits = "size"       // its state is too large for a message
	WaitsNowhere    MoveWaits = "nowhere"    // no other node can take it
)

// maxSegments bounds what is kept of the nodes that a call was on: the latest ones.
const maxSegments = 16

// MovedLeg is a leg of a call that moves, as the old node knew it.
type MovedLeg struct {
	Leg   string  `json:"leg"`
	Lost  bool    `json:"lost,omitempty"`  // the new node has not got it
	First *LegEnd `json:"first,omitempty"` // its times and parties
}

// OnTheMove says whether the call is on its way to another node.
func (s *State) OnTheMove() bool { return s.Move.N != 0 }

// WaitsToMove says why the call cannot leave its node now; empty: it can.
func (s *State) WaitsToMove() MoveWaits {
	if s.Call.FlowID == EmergencyFlow || s.FlowID == EmergencyFlow {
		return WaitsEmergency
	}
	if driven := s.leg(s.DrivenLeg()); driven == nil || s.Summoning() || !s.Answered && !driven.Answered {
		return WaitsUnanswered
	}
	switch {
	case s.Ringing():
		return WaitsRinging
	case s.Paging(), s.Stage == stageListening:
		return WaitsConference
	case s.Moving(), s.Transfer.Leg != "":
		return WaitsTransfer
	case s.Joined(), s.Stage == stageJoining:
		return WaitsJoined
	}
	live := 0
	for _, l := range s.Legs {
		switch {
		case l.HungUp || !l.Created:
			continue
		case l.With != nil || l.Joined || l.Taken:
			return WaitsJoined
		case l.ID != s.DrivenLeg() && !l.Answered && !l.Bridged:
			return WaitsRinging
		}
		live++
	}
	if live > 1 && s.Phase == Running {
		return WaitsConference // listeners of a page that leave
	}
	return ""
}

// moveOrdered has the call's legs fetched by another node, if it can go now.
func (s *step) moveOrdered() {
	m := &s.state.Move
	if s.state.Phase != Running && s.state.Phase != Talking || m.N != 0 || s.event.Node == "" || s.event.Node == s.state.Call.Node && s.event.Cause == "" {
		return
	}
	why := MoveWaits(s.event.Cause)
	if why == "" {
		why = s.state.WaitsToMove()
	}
	if why != "" {
		if why != m.Waits {
			s.explainWaits(why)
		}
		m.Waits = why
		return
	}
	m.Waits, m.To, m.Missed = "", s.event.Node, false
	s.explain("move_begins", "node", m.To)
	m.N = s.order(Command{Kind: MoveLegs, Node: m.To})
}

func (s *step) explainWaits(why MoveWaits) {
	switch why {
	case WaitsUnanswered:
		s.explain("move_waits_unanswered")
	case WaitsRinging:
		s.explain("move_waits_ringing")
	case WaitsConference:
		s.explain("move_waits_conference")
	case WaitsTransfer:
		s.explain("move_waits_transfer")
	case WaitsJoined:
		s.explain("move_waits_joined")
	case WaitsEmergency:
		s.explain("move_waits_emergency")
	case WaitsMedia:
		s.explain("move_waits_media")
	case WaitsSize:
		s.explain("move_waits_size")
	case WaitsNowhere:
		s.explain("move_waits_nowhere")
	default:
		s.explain("move_waits_dialog")
	}
}

// legsMoved hands the call over: the phones talk to the new node now.
func (s *step) legsMoved() {
	m := &s.state.Move
	if m.N == 0 || m.Away || s.event.Command != m.N {
		return
	}
	m.Away = true
	for i := range s.state.Legs {
		l := &s.state.Legs[i]
		if l.HungUp || !l.Created {
			continue
		}
		at := slices.IndexFunc(s.event.Legs, func(moved MovedLeg) bool { return moved.Leg == l.ID })
		if l.Behind = at < 0 || s.event.Legs[at].Lost; at >= 0 && l.First == nil {
			l.First = s.event.Legs[at].First
		}
	}
	s.explain("move_there", "node", m.To)
	s.order(Command{Kind: HandOver, Node: m.To, File: s.state.Recording.File})
}

// moveFailed lets the call stay where it is. A phone that knows nothing of the dialog is gone.
func (s *step) moveFailed() {
	m := &s.state.Move
	if m.N == 0 || m.Away || s.event.Command != m.N {
		return
	}
	if m.Dead {
		s.rescueTried()
		return
	}
	missed := m.Missed
	s.explain("move_failed", "node", m.To, "detail", clip(s.event.Cause, messages.MaxName))
	m.N, m.Missed = 0, false
	m.Tries++
	switch kind, settings := s.atWork(); {
	case s.event.SIPCode == dialogUnknown:
		s.end("NORMAL_UNSPECIFIED", "", because.New("move_peer_gone"))
	case missed && s.state.Phase == Talking:
		s.end("NORMAL_CLEARING", "", because.New("callee_hung_up"))
	case missed && kind != nil:
		s.explain("begins_anew", "element", s.state.Element)
		s.again(kind, settings)
	}
}

// dialogUnknown is the answer of a phone that knows no such dialog: RFC 3261 12.2.2.
const dialogUnknown = 481

// callMoveOff lets the new node drop the legs of a call that ends while they are fetched.
func (s *step) callMoveOff() {
	m := &s.state.Move
	if m.N == 0 || m.Away || s.state.Phase != Ending && s.state.Phase != Ended {
		return
	}
	s.explain("move_called_off", "node", m.To)
	// By its last words readers know that a call is told to its end.
	if i := slices.IndexFunc(s.because, func(r because.Reason) bool { return r.Code == "call_ended" }); i >= 0 {
		last := s.because[i]
		s.because = append(slices.Delete(s.because, i, i+1), last)
	}
	s.order(Command{Kind: LeaveMove, Node: m.To, Legs: m.N})
	m.N = 0
}

// arrived goes on with the call at its new node.
func (s *step) arrived() {
	from := s.state.Call.StartedAt
	if n := len(s.state.Segments); n > 0 {
		from = s.state.Segments[n-1].Until
	}
	segments := append(slices.Clone(s.state.Segments), messages.Segment{Node: s.state.Call.Node, From: from, Until: s.event.At})
	s.state.Segments = segments[max(0, len(segments)-maxSegments):]
	if s.state.Move.Dead && s.event.Node == s.state.Call.Node {
		s.explain("rescued_here", "node", s.event.Node)
	} else if s.state.Move.Dead {
		s.explain("rescued", "from", s.state.Call.Node, "node", s.event.Node)
	} else {
		s.explain("moved", "from", s.state.Call.Node, "node", s.event.Node)
	}
	missed := s.state.Move.Missed
	s.state.Call.Node, s.state.Move = s.event.Node, Move{}
	if s.loseBehind() {
		return
	}
	if s.goneMeanwhile() {
		return
	}
	s.secondPart()
	if s.state.Phase == Talking {
		for _, l := range s.state.Legs {
			if l.ID != s.state.DrivenLeg() && l.Created && !l.HungUp {
				s.state.leg(l.ID).Apart = true
				s.explain("move_rejoins", "device", s.deviceName(&l))
				s.await(stageRinging, Command{Kind: Rejoin, Other: &Party{Leg: l.ID, Call: s.state.Call.ID}, Music: s.music()})
			}
		}
		return
	}
	kind, settings := s.atWork()
	switch e, goes := kind.(interface{ goOn(*step, any) bool }); {
	case kind == nil:
		s.end(causeOfBrokenFlow, messages.FaultTenant, because.New("element_missing", "element", s.state.Element))
	case s.event.There && !missed: // what it waits for is no business of the node's
		s.explain("move_waits_on", "element", s.state.Element)
	case goes && e.goOn(s, settings):
	default:
		s.explain("move_goes_on", "element", s.state.Element)
		s.again(kind, settings)
	}
}

// hangUpApart hangs up who has not been joined again, as the node would whoever talks to a leg that ends.
func (s *step) hangUpApart() {
	if s.state.Phase != Ending {
		return
	}
	for i := range s.state.Legs {
		l := &s.state.Legs[i]
		if l.Apart && !l.HungUp {
			s.explain("move_not_rejoined", "who", s.legName(l))
			s.order(Command{Kind: HangUp, Leg: l.ID, Cause: cmp.Or(s.state.Cause, "NORMAL_CLEARING")})
		}
		l.Apart = false
	}
}

// loseBehind closes the legs that the new node has not got, and says whether the call ends with them.
func (s *step) loseBehind() bool {
	event, lost := s.event, false
	for _, l := range slices.Clone(s.state.Legs) {
		if !l.Behind || l.HungUp {
			continue
		}
		s.explain("move_leg_lost", "who", s.legName(&l))
		s.event = Event{Kind: HungUp, At: event.At, Leg: l.ID, End: &LegEnd{Cause: "NORMAL_UNSPECIFIED", Q850: 31, By: ByFarEnd, CreatedAt: s.state.Call.StartedAt, Estimated: true}}
		s.hungUp()
		lost = true
	}
	s.event = event
	if !lost || s.state.Phase == Ended {
		return lost
	}
	s.end("NORMAL_CLEARING", "", because.New("other_gone"))
	return true
}

// secondPart goes on with the recording of the call: what the old node has recorded is a part of its own.
func (s *step) secondPart() {
	if s.state.Recording.File == "" {
		return
	}
	leg, ends := s.state.Recording.Leg, s.state.Recording.Stop != 0
	s.fileTape()
	if ends {
		return // it was to end
	}
	n, call := s.state.Commands+1, &s.state.Call
	s.state.Recording = Tape{File: messages.RecordingFile(messages.RecordingCall, call.Tenant, "", call.ID, n), Leg: leg, N: n, At: s.event.At}
	s.explain("recording_goes_on")
	s.order(Command{Kind: StartRecording, File: s.state.Recording.File, Leg: leg})
}

// segments are the nodes that a leg was on, if there was more than one.
func (s *step) segments(l *Leg, c *messages.CDR) (all []messages.Segment) {
	if l.First == nil {
		return nil
	}
	if n := len(s.state.Segments); l.Behind && n > 0 { // it has ended where it was
		c.Node = s.state.Segments[n-1].Node
		return nil
	}
	last := c.StartedAt
	for _, g := range s.state.Segments {
		if !g.Until.After(c.StartedAt) {
			continue
		}
		if g.From.Before(c.StartedAt) {
			g.From = c.StartedAt
		}
		if last = g.Until; last.After(c.EndedAt) {
			last, g.Until = c.EndedAt, c.EndedAt
		}
		all = append(all, g)
	}
	return append(all, messages.Segment{Node: c.Node, From: last, Until: c.EndedAt})
}

// since puts what the leg's first channel told in place of what its last one tells of itself.
func (e *LegEnd) since(first *LegEnd) {
	if first == nil {
		return
	}
	e.CreatedAt, e.AnsweredAt, e.SIPCallID, e.From, e.FromName, e.To = first.CreatedAt, first.AnsweredAt, first.SIPCallID, first.From, first.FromName, first.To
}

func moveReasons() because.Catalog {
	return because.Catalog{
		"move_begins":           "The call moves to the media node {node}, which takes its legs over.",
		"move_waits_unanswered": "The call does not move to another media node yet: it is not answered.",
		"move_waits_ringing":    "The call does not move to another media node yet: it rings.",
		"move_waits_conference": "The call does not move to another media node: a page, or listening in, stays where it is.",
		"move_waits_transfer":   "The call does not move to another media node yet: it is being transferred.",
		"move_waits_joined":     "The call does not move to another media node: it talks to another call.",
		"move_waits_emergency":  "The call does not move to another media node: it is for help.",
		"move_waits_media":      "The call does not move to another media node: its media is encrypted, fax or video.",
		"move_waits_dialog":     "The call does not move to another media node yet: not all is known of a leg's SIP dialog.",
		"move_waits_size":       "The call does not move to another media node: too much is known of it for one message.",
		"move_waits_nowhere":    "The call does not move yet: no other media node can take it.",
		"move_there":            "The legs are at the media node {node}, which drives the call from here on.",
		"move_failed":           "The media node {node} could not take the call over ({detail}): it stays where it is.",
		"move_peer_gone":        "The phone knows nothing of the call any more.",
		"move_called_off":       "The call ends, and does not move to the media node {node}.",
		"move_crossed":          "A leg was passed on in the moment in which it moved to another media node, and is lost.",
		"moved":                 "The call has moved from the media node {from} to {node}.",
		"move_rejoins":          "The caller and {device} are joined again.",
		"move_goes_on":          "{element} goes on at the new media node: what was played begins anew.",
		"move_waits_on":         "{element} goes on waiting.",
		"move_not_rejoined":     "{who} has not been joined again since the move, and is hung up.",
		"move_leg_lost":         "{who} did not answer the new media node, and counts as gone.",
		"recording_goes_on":     "The recording of the call goes on as another part.",
	}
}
