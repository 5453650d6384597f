package callflows

import (
	"cmp"

	"tandem/because"
	"tandem/messages"
)

// Legs of two calls can talk to each other. Each leg stays with the call that made it: only who talks to whom changes.
//
//	the call that wants it                        the call whose leg it wants
//	  Join ─► worker ─► node: is Leg there? ────────► Taken: its element waits
//	  Refused: the element goes on ◄── no ──────────► Released: its element goes on, or begins anew
//	  Joined: talking                ◄── yes ───────► Joined: talking, its element is over
//	  Parted                         ◄──────────────► Parted: the node hangs both up, or one is joined elsewhere

// Purpose is why legs are joined.
type Purpose string

// The purposes.
const (
	ForPickup   Purpose = "pickup"   // a call that rings elsewhere is answered
	ForUnpark   Purpose = "unpark"   // a parked call is fetched
	ForPull     Purpose = "pull"     // a talk goes on at another phone
	ForReplace  Purpose = "replace"  // an INVITE replaces a dialog, RFC 3891
	ForTransfer Purpose = "transfer" // a talk is passed on
)

// Party is a leg of another call. What the worker does not know of it is empty, but for its leg.
type Party struct {
	Leg    string `json:"leg"`              // channel uuid
	Call   string `json:"call,omitempty"`   // Tandem's id of the call
	Number string `json:"number,omitempty"` // who is at that leg
	Name   string `json:"name,omitempty"`   // hostile
	Device string `json:"device,omitempty"` // device id
}

// who names a party, for words.
func (p *Party) who() string {
	return clip(cmp.Or(p.Number, p.Name, "somebody"), messages.MaxName)
}

// stageJoining is the stage of an element that has ordered a Join.
const stageJoining = "joining"

// stageJoined is that of a call whose leg talks to another call's.
const stageJoined = "joined"

// join orders that a leg of the call talks to another call's, and waits. It ends in Joined, or in joinFailed.
func (s *step) join(leg string, other Party, purpose Purpose) {
	if l := s.state.leg(leg); l != nil {
		l.With, l.Joined, l.Taken = &other, false, false
	}
	s.explain("joining", "other", other.who(), "call", other.Call)
	s.await(stageJoining, Command{Kind: Join, Leg: leg, Other: &other, For: purpose})
	s.watch(Command{Kind: SetTimer, Wait: JoinWait})
}

// watch sets the timer that looks after joined legs, in place of the last.
func (s *step) watch(timer Command) { s.state.Guard = s.order(timer) }

// joinFailed says whether the event means that the join that the element waits for will not be.
func (s *step) joinFailed() bool { return s.joinLost }

// loseJoin notes that the join that the call has ordered will not be.
func (s *step) loseJoin() {
	s.joinLost = true
	for i := range s.state.Legs {
		if l := &s.state.Legs[i]; l.With != nil && !l.Joined && !l.Taken {
			s.release(l)
		}
	}
}

// guards says whether the event is the timer that looks after joined legs.
func (s *step) guards() bool {
	return s.event.Kind == TimerFired && s.event.Command != 0 && s.event.Command == s.state.Guard
}

// taken notes that another call is about to join one of the legs. The element at work waits meanwhile.
func (s *step) taken() {
	l, other := s.seen(), s.event.Other
	if l == nil || l.HungUp || other == nil || l.With != nil && l.With.Leg == other.Leg || s.state.Phase != Running && s.state.Phase != Talking {
		return
	}
	if l.Joined {
		l.Held = l.With
	}
	l.With, l.Joined, l.Taken = other, false, true
	s.explainTaken(s.event.For, other.who(), other.Call)
	s.watch(Command{Kind: SetTimer, Wait: JoinWait})
}

func (s *step) explainTaken(purpose Purpose, other, call string) {
	switch purpose {
	case ForUnpark:
		s.explain("taken_unpark", "other", other, "call", call)
	case ForPull:
		s.explain("taken_pull", "other", other, "call", call)
	case ForReplace:
		s.explain("taken_replace", "other", other, "call", call)
	case ForTransfer:
		s.explain("taken_transfer", "other", other, "call", call)
	case ForPickup:
		s.explain("taken_pickup", "other", other, "call", call)
	default:
		s.explain("taken", "other", other, "call", call)
	}
}

// released lets a leg be that was about to be joined.
func (s *step) released() {
	l := s.state.leg(s.event.Leg)
	if l == nil || l.HungUp || l.With == nil || l.Joined || s.event.Other == nil || l.With.Leg != s.event.Other.Leg {
		return
	}
	s.release(l)
}

func (s *step) release(l *Leg) {
	taken := l.Taken
	s.explain("not_joined", "other", l.With.who(), "call", l.With.Call)
	l.With, l.Joined, l.Taken, l.Held = l.Held, l.Held != nil, false, nil
	if !taken || !s.state.Missed {
		return
	}
	s.state.Missed = false
	if s.state.Phase == Talking {
		s.end("NORMAL_CLEARING", "", because.New("callee_hung_up"))
		return
	}
	if kind, settings := s.element(); kind != nil {
		s.explain("begins_anew", "element", s.state.Element)
		s.again(kind, settings)
	}
}

// joined notes that a leg talks to another call's. Whatever the flow was doing is over.
func (s *step) joined() {
	l, other := s.seen(), s.event.Other
	if l == nil || l.HungUp || other == nil || l.Joined && l.With.Leg == other.Leg || s.event.At.Before(l.PlacedAt) {
		return
	}
	l.PlacedAt = s.event.At
	if other.Call == "" && l.With != nil && l.With.Leg == other.Leg {
		other = l.With // which was told when more was known
	}
	l.With, l.Joined, l.Taken, l.Held, l.Past = other, true, false, nil, other
	s.explain("joined", "who", s.legName(l), "other", other.who(), "call", other.Call)
	if s.state.Phase != Running && s.state.Phase != Talking {
		return
	}
	if s.state.Phase == Running {
		s.leaveBehind()
	}
	s.state.Phase, s.state.Stage, s.state.Awaited, s.state.Missed, s.state.Guard, s.state.Fault = Talking, stageJoined, 0, false, 0, ""
	s.state.Slot = ""
}

// parted notes that they no longer talk; after a gap it may not be known with whom. The node hangs the leg up (hangup_after_bridge) unless it is joined elsewhere; a leg
// that is left behind all the same is hung up after a while.
func (s *step) parted() {
	l, other := s.state.leg(s.event.Leg), s.event.Other
	switch {
	case l == nil || l.HungUp || other == nil || s.event.At.Before(l.PlacedAt):
		return
	case l.Taken && l.Held != nil && l.Held.Leg == other.Leg:
		l.Held = nil
		return
	case l.Joined && (l.With.Leg == other.Leg || other.Leg == ""):
		s.explain("parted", "other", l.With.who(), "call", l.With.Call)
	case l.With != nil || s.state.Stage != stageJoined || other.Leg != "":
		return
	}
	l.With, l.Joined, l.PlacedAt = nil, false, s.event.At
	if s.state.Phase == Talking {
		s.watch(Command{Kind: SetTimer, Wait: PartedWait})
	}
}

// guard looks after legs that are not joined in time, and those that were left.
func (s *step) guard() {
	s.state.Guard = 0
	if s.state.Stage == stageJoining {
		s.loseJoin()
		return
	}
	for i := range s.state.Legs {
		if l := &s.state.Legs[i]; l.With != nil && !l.Joined && !l.HungUp {
			s.release(l)
			return
		}
	}
	if s.state.Phase == Talking && s.state.Stage == stageJoined && !s.state.outlives() {
		s.end("NORMAL_CLEARING", "", because.New("other_hung_up"))
	}
}

// suspended says whether the element at work must wait because the driven leg is being taken.
func (s *step) suspended() bool {
	l := s.state.leg(s.state.DrivenLeg())
	return l != nil && !l.HungUp && l.Taken
}

// outlives says whether a leg talks, or is about to, to another call's: then the call goes on without its caller's leg.
func (s *State) outlives() bool { return s.outliving() != nil }

// outliving gives such a leg, or nil.
func (s *State) outliving() *Leg {
	for i := range s.Legs {
		if l := &s.Legs[i]; l.With != nil && l.Created && !l.HungUp {
			return l
		}
	}
	return nil
}

// remaining is the leg that holds the call: the driven one while it is there.
func (s *State) remaining() string {
	if driven := s.leg(s.DrivenLeg()); driven != nil && !driven.HungUp {
		return driven.ID
	}
	for _, l := range s.Legs {
		if l.Created && !l.HungUp {
			return l.ID // the caller's is the first
		}
	}
	return s.Call.Leg
}

// legName says who is at a leg, in words.
func (s *step) legName(l *Leg) string {
	if l.Role == messages.RoleCaller {
		return "The caller"
	}
	return s.deviceName(l)
}

func joinReasons() because.Catalog {
	return because.Catalog{
		"joining":        "The call is put through to {other} (call {call}).",
		"joined":         "{who} talks to {other} (call {call}).",
		"parted":         "The talk to {other} (call {call}) is over.",
		"not_joined":     "{other} (call {call}) could not be put through.",
		"begins_anew":    "{element} begins anew.",
		"caller_left":    "The caller's phone is out of the call; another has its place ({cause}).",
		"other_hung_up":  "The other side hung up.",
		"other_gone":     "The other side was gone before they could talk.",
		"taken":          "{other} takes the call over (call {call}).",
		"taken_pickup":   "{other} picks the call up (call {call}).",
		"taken_unpark":   "{other} fetches the call (call {call}).",
		"taken_pull":     "{other} goes on with the talk at another phone (call {call}).",
		"taken_replace":  "{other} takes the place of a phone in the talk (call {call}).",
		"taken_transfer": "The call is passed on to {other} (call {call}).",
	}
}
