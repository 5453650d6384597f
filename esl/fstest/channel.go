package fstest

import (
	"strconv"
	"time"

	"github.com/google/uuid"
)

// The states of a channel (switch_types.h, switch_channel_state_t).
const (
	csNew           = "CS_NEW"
	csInit          = "CS_INIT"
	csRouting       = "CS_ROUTING"
	csSoftExecute   = "CS_SOFT_EXECUTE"
	csExecute       = "CS_EXECUTE"
	csExchangeMedia = "CS_EXCHANGE_MEDIA"
	csConsumeMedia  = "CS_CONSUME_MEDIA"
	csHibernate     = "CS_HIBERNATE"
	csReset         = "CS_RESET"
	csHangup        = "CS_HANGUP"
	csReporting     = "CS_REPORTING"
	csDestroy       = "CS_DESTROY"
	csNone          = "CS_NONE"
)

var stateNumbers = map[string]int{
	csNew: 0, csInit: 1, csRouting: 2, csSoftExecute: 3, csExecute: 4, csExchangeMedia: 5, csConsumeMedia: 7,
	csHibernate: 8, csReset: 9, csHangup: 10, csReporting: 11, csDestroy: 12, csNone: 13,
}

// The call states of a channel (switch_types.h, switch_channel_callstate_t).
const (
	callDown     = "DOWN"
	callRinging  = "RINGING"
	callEarly    = "EARLY"
	callActive   = "ACTIVE"
	callHeld     = "HELD"
	callRingWait = "RING_WAIT"
	callHangup   = "HANGUP"
	callUnheld   = "UNHELD"
)

var callStateNumbers = map[string]int{
	callDown: 0, callRinging: 2, callEarly: 3, callActive: 4, callHeld: 5, callRingWait: 6, callHangup: 7, callUnheld: 8,
}

const (
	inbound  = "inbound"
	outbound = "outbound"
)

// channel is one leg: its state, its variables and what it is to do next.
type channel struct {
	srv       *Server
	uuid      string
	callUUID  string
	name      string
	direction string
	serial    int // session_id

	state     string // where the channel is going
	running   string // where its goroutine is
	callState string

	answered, early, ringing bool // as said to, or by, the peer
	media                    bool // a codec is agreed
	hitDialplan              bool
	held                     bool
	music                    []field // what it hears while its partner holds: PLAYBACK_START's fields
	hungup                   bool
	destroyed                bool
	cause                    int

	profile   profile
	other     *profile // the other leg, as Other-Leg-* shows it
	otherType string   // "originator" or "originatee"
	otherLeg  *channel // whose times Other-Leg-* shows; may be gone
	vars      variables
	times     times
	lastApp   field

	wake     chan struct{}
	queue    []*command // sendmsgs not yet run
	locked   int        // sendmsgs with event-lock that are running
	depth    int        // nested applications
	digits   []digit
	broken   bool   // uuid_break: stop the running file
	taped    []tape // record_session
	redirect *redirect

	originator *channel // the leg for which this one is being dialled
	dialled    []*channel
	partner    *channel // bridged with
	originated bool     // this one is the A-leg of its bridge
	exchanging bool     // the B-leg's goroutine is inside the bridge
	launched   bool     // an outbound leg's goroutine was started
	launchedAt time.Time
	accepted   bool // its answer was confirmed with a key

	leg *sipLeg
}

// redirect sends a channel elsewhere: uuid_transfer, uuid_bridge, the end of an originate.
type redirect struct {
	actions []action // run these one after the other
	peer    *channel // bridge with this one
	lead    bool     // and be the A-leg of that bridge
	dialled bool     // peer is bridged by its own goroutine (bridge application)
	direct  bool     // without CS_ROUTING: the application of an originate
}

// action is one step of a dialplan.
type action struct{ app, data string }

// parkAction is the whole dialplan: every call parks.
var parkAction = []action{{app: "park"}}

// digit is one key that the peer pressed.
type digit struct {
	key      byte
	duration int    // in samples at 8 kHz
	source   string // "RTP", "ENDPOINT" (SIP INFO) or "APP"
}

// times are the moments of a channel, zero if never reached.
type times struct {
	profileCreated, created, answered, progress, progressMedia time.Time
	hangup, transfer, bridged, lastHold                        time.Time
	holdTotal                                                  time.Duration
}

// newChannel registers a channel; an empty id makes one.
func (s *Server) newChannel(id, direction string) *channel {
	if _, taken := s.channels[id]; taken || id == "" {
		id = uuid.NewString()
	}
	s.sessions.total++
	s.sessions.second++
	s.sessions.peakSecond = max(s.sessions.peakSecond, s.sessions.second)
	now := time.Now()
	c := &channel{
		srv: s, uuid: id, callUUID: id, direction: direction, serial: s.sessions.total,
		state: csNew, running: csNew, callState: callDown,
		wake: make(chan struct{}, 1),
	}
	c.times.created, c.times.profileCreated = now, now
	s.channels[id] = c
	s.order = append(s.order, c)
	s.sessions.peak = max(s.sessions.peak, len(s.order))
	c.vars.set("direction", direction)
	if direction == outbound {
		c.vars.set("is_outbound", "true")
	}
	c.vars.set("uuid", id)
	c.vars.set("call_uuid", id)
	c.vars.set("session_id", strconv.Itoa(c.serial))
	return c
}

// gone says whether the channel can no longer be found by its uuid, which is
// from its hang-up on (switch_core_session_read_lock fails on a channel that is down).
func (c *channel) gone() bool { return c.destroyed || c.hungup }

// find returns a channel that api commands can still address.
func (s *Server) find(id string) (*channel, bool) {
	c, ok := s.channels[id]
	if !ok || c.gone() {
		return nil, false
	}
	return c, true
}

// notify wakes the channel's goroutine, and those that wait for it.
func (c *channel) notify() {
	for _, other := range []*channel{c, c.partner, c.originator} {
		if other != nil {
			select {
			case other.wake <- struct{}{}:
			default:
			}
		}
	}
}

// pause gives the lock away until the channel is notified or the deadline is
// reached (the zero deadline: never). Every other goroutine may have changed
// anything when it returns.
func (c *channel) pause(deadline time.Time) {
	var expired <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		expired = timer.C
	}
	c.srv.mu.Unlock()
	defer c.srv.mu.Lock()
	select {
	case <-c.wake:
	case <-expired:
	case <-c.srv.done:
	}
}

// stopped says that the server has ended: goroutines return without a word.
func (c *channel) stopped() bool {
	select {
	case <-c.srv.done:
		return true
	default:
		return false
	}
}

// ready is switch_channel_ready: up, and not called elsewhere.
func (c *channel) ready() bool { return !c.hungup && c.redirect == nil && !c.stopped() }

// up is switch_channel_up: not hung up.
func (c *channel) up() bool { return !c.hungup && !c.stopped() }

// enter moves the channel's goroutine into a state.
func (c *channel) enter(state string) {
	if c.hungup && stateNumbers[state] < stateNumbers[csHangup] {
		return
	}
	c.state, c.running = state, state
	if state == csRouting && c.direction == inbound && c.callState == callDown {
		c.setCallState(callRinging)
	}
	c.fire("CHANNEL_STATE")
}

// setCallState changes the call state and says so.
func (c *channel) setCallState(state string) {
	if c.callState == state {
		return
	}
	before := c.callState
	c.callState = state
	c.fireWith("CHANNEL_CALLSTATE",
		[]field{{"Original-Channel-Call-State", before}, {"Channel-Call-State-Number", strconv.Itoa(callStateNumbers[state])}}, nil)
}

// answerState is the Answer-State header.
func (c *channel) answerState() string {
	switch {
	case c.hungup:
		return "hangup"
	case c.answered:
		return "answered"
	case c.early:
		return "early"
	default:
		return "ringing"
	}
}

// send makes the channel leave what it does and go elsewhere.
func (c *channel) send(r *redirect) {
	c.redirect = r
	c.state = csRouting
	c.notify()
}

// stopSockets closes what the channel listens on.
func (c *channel) stopSockets() {
	if c.leg != nil && c.leg.digits != nil {
		c.leg.digits.close()
	}
}
