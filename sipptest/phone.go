package sipptest

import (
	"context"
	"fmt"
	"time"
)

// Registration says how to register. The zero value registers for five minutes and expects 200.
type Registration struct {
	Expires      int      // seconds; 0: 300
	Remove       bool     // Expires: 0, the contact goes
	Everything   bool     // with Remove: Contact: *, all contacts go
	Expect       int      // final code; 0: 200
	Unchallenged bool     // the final code comes without a challenge
	UserAgent    string   // SIPp when empty
	Headers      []string // whole header lines to be added
	Contact      string   // whole value, instead of the phone's own
	Checks       []Check  // on the final answer
}

const defaultExpires = 300

// Register registers, or finds out that it cannot. It returns when the final answer came.
func (p *Phone) Register(ctx context.Context, r Registration) error {
	_, err := p.RegisterSeen(ctx, r)
	return err
}

// RegisterSeen is Register, giving back what was seen as well.
func (p *Phone) RegisterSeen(ctx context.Context, r Registration) (*Running, error) {
	data := struct {
		Registration
		User, Domain, Contact, UserAgent, Headers string
		Challenged                                bool
	}{Registration: r, User: p.User, Domain: p.Domain, Contact: r.Contact, UserAgent: r.UserAgent, Headers: lines(r.Headers), Challenged: !r.Unchallenged}
	if data.Expect == 0 {
		data.Expect = 200
	}
	if data.UserAgent == "" {
		data.UserAgent = agent
	}
	switch {
	case r.Remove:
		data.Expires = 0
	case r.Expires == 0:
		data.Expires = defaultExpires
	}
	switch {
	case r.Contact != "":
	case r.Everything:
		data.Contact = "*"
	default:
		data.Contact = p.contact()
	}
	running, err := p.start(ctx, "register.xml", data, p.Edge, runWithin)
	if err != nil {
		return nil, err
	}
	return running, running.Wait(ctx)
}

// DigitMode says how a caller sends digits.
type DigitMode int

// The ways of sending digits.
const (
	RFC4733 DigitMode = iota // as telephone-event in RTP; SIPp needs root for it
	INFO                     // as application/dtmf-relay in INFO requests
)

// Call says what a call is to come to. The zero value is answered, talks for half a second and hangs up.
type Call struct {
	Expect int     // final code; 0: 200
	Checks []Check // on the final answer, such as {"Reason", "Q.850;cause=21"}

	NoLogin     bool          // as a carrier: no challenge is expected
	CancelAfter time.Duration // gives up so long after 100 Trying, or after RingFirst; 487 is expected
	Ringing     bool          // with CancelAfter: waits for 180 first
	Talk        time.Duration // between answer and hang-up; 0: half a second
	CalleeEnds  bool          // the other side hangs up, within Talk and a margin
	ReInvite    bool          // offers again before hanging up
	Hold        bool          // with ReInvite: the new offer puts the other side on hold (RFC 3264 8.4)
	Moved       bool          // another media node takes the dialog over, within Within, before Talk begins
	MoveRefused int           // with Moved: the code that its first attempt gets; after 481 no other is expected
	// SessionExpires is said when the session is refreshed, a moment after the dialog was taken over: seconds, RFC 4028. 0: it is not refreshed.
	SessionExpires int

	Digits     string // sent after the answer, and half a second of listening
	DigitMode  DigitMode
	DigitPause time.Duration // after each digit (INFO) or all of them (RFC 4733); 0: 200 ms

	From      string   // whole value without the tag, instead of the phone's own
	Target    string   // Request-URI, instead of sip:NUMBER@DOMAIN
	UserAgent string   // SIPp when empty
	Headers   []string // whole header lines to be added
	Within    time.Duration
}

// description is what the template "sdp" needs: the version rises with each offer (RFC 3264 8).
type description struct {
	SDPVersion int
	Hold       bool
}

type infoDigit struct {
	CSeq  int
	Digit string
}

type callData struct {
	Call
	Target, From, Contact, UserAgent, Headers string
	Challenged, Cancel, CancelAfterRinging    bool
	CancelAfterMS, TalkMS, DigitPauseMS       int64
	ListenMS                                  int64
	WaitForBye                                bool
	RTPDigits                                 []string
	InfoDigits                                []infoDigit
	ReInviteCSeq, RefreshCSeq, ByeCSeq        int
	RefreshMS                                 int64
	First, Second, Third                      description
	MovedMS                                   int64
}

const (
	defaultTalk       = 500 * time.Millisecond
	defaultDigitPause = 200 * time.Millisecond
	// listenTime is between the answer and the first digit: one that comes in the moment of the answer, before anything
	// asks for it, is lost on any media node.
	listenTime = 500 * time.Millisecond
	// SIPp plays each digit for 200 ms and pauses as long; before the first it plays 400 ms of filler. Its
	// telephone-events have the payload type 96, whatever is negotiated, so that is what the descriptions offer.
	digitTime  = 400 * time.Millisecond
	fillerTime = 400 * time.Millisecond
	// refreshAfter is between the takeover of a dialog and the refresh of its session.
	refreshAfter = 300 * time.Millisecond
)

// Call calls a number. It returns when SIPp has started.
func (p *Phone) Call(ctx context.Context, number string, c Call) (*Running, error) {
	d := callData{
		Call: c, Target: c.Target, From: c.From, Contact: p.contact(), UserAgent: c.UserAgent, Headers: lines(c.Headers),
		Challenged: !c.NoLogin, Cancel: c.CancelAfter > 0, CancelAfterRinging: c.Ringing,
		CancelAfterMS: c.CancelAfter.Milliseconds(), WaitForBye: c.CalleeEnds,
		First: description{SDPVersion: 1}, Second: description{SDPVersion: 2, Hold: c.Hold}, Third: description{SDPVersion: 3, Hold: c.Hold},
	}
	if d.Target == "" {
		d.Target = fmt.Sprintf("sip:%s@%s", number, p.Domain)
	}
	if d.From == "" {
		d.From = fmt.Sprintf("<sip:%s@%s>", p.User, p.Domain)
	}
	if d.UserAgent == "" {
		d.UserAgent = agent
	}
	if d.Expect == 0 {
		d.Expect = 200
	}
	talk, pause := c.Talk, c.DigitPause
	if talk == 0 {
		talk = defaultTalk
	}
	if pause == 0 {
		pause = defaultDigitPause
	}
	d.setDigits(pause)
	d.TalkMS, d.ListenMS = talk.Milliseconds(), listenTime.Milliseconds()
	within := c.Within
	if within == 0 {
		within = runMargin + talk + c.CancelAfter + listenTime + time.Duration(len(c.Digits))*(digitTime+pause)
	}
	d.MovedMS = within.Milliseconds()
	if c.CalleeEnds {
		d.TalkMS = within.Milliseconds()
	}
	return p.start(ctx, "caller.xml", d, p.Edge, within)
}

// setDigits numbers the requests within the dialog; the INVITE that was answered is number 2.
func (d *callData) setDigits(pause time.Duration) {
	next := 3
	switch {
	case d.Digits == "":
	case d.DigitMode == INFO:
		for _, digit := range d.Digits {
			d.InfoDigits = append(d.InfoDigits, infoDigit{next, string(digit)})
			next++
		}
		d.DigitPauseMS = pause.Milliseconds()
	default:
		d.RTPDigits = []string{d.Digits}
		d.DigitPauseMS = (fillerTime + time.Duration(len(d.Digits))*digitTime + pause).Milliseconds()
	}
	if d.ReInvite {
		d.ReInviteCSeq = next
		next++
	}
	if d.SessionExpires > 0 {
		d.RefreshCSeq, d.RefreshMS = next, refreshAfter.Milliseconds()
		next++
	}
	d.ByeCSeq = next
}

// Behaviour says what a phone does with the one call that it gets. The zero value rings, answers at once and waits for
// the caller to hang up.
type Behaviour struct {
	Silent      bool          // no 180
	Early       bool          // 183 with a description instead of 180
	After       time.Duration // until the final answer
	Code        int           // final code; 0: 200
	Phrase      string        // of a refusal
	Challenge   string        // realm: the first INVITE is answered with 407
	NeverAnswer bool          // expects CANCEL and answers 487
	HangUp      bool          // hangs up first, Talk after the answer
	Talk        time.Duration // 0: half a second
	Digits      string        // sent by INFO after the answer, and half a second of listening
	Headers     []string      // added to the final answer
	Checks      []Check       // on the INVITE
	Moved       bool          // after the answer another media node takes the dialog over
	MoveRefused int           // with Moved: the code that its first attempt gets; after 481 no other is expected
	Patience    time.Duration // until it was called and the call is over; 0: 20 s
}

const (
	defaultPatience = 20 * time.Second
	// ringTime is the least between 180 and the final answer: two datagrams in a row may overtake one another on their
	// way through the edge's processes, and SIPp does not forgive that.
	ringTime = 100 * time.Millisecond
)

// calleeDigit is a digit of a phone that was called; the label is where its wait for the answer begins.
type calleeDigit struct {
	infoDigit
	Label int
}

// firstDigitLabel numbers those labels, beyond the others of the scenario.
const firstDigitLabel = 20

// Listen waits for a call. Its port is open when it returns. A registered phone must listen before it can be called.
func (p *Phone) Listen(ctx context.Context, b Behaviour) (*Running, error) {
	patience, talk := b.Patience, b.Talk
	if patience == 0 {
		patience = defaultPatience
	}
	if talk == 0 {
		talk = defaultTalk
	}
	d := struct {
		Behaviour
		Contact, Headers            string
		Ring                        bool
		AfterMS, TalkMS, PatienceMS int64
		ListenMS                    int64
		InfoDigits                  []calleeDigit
		ByeCSeq                     int
		First, Third                description
		MovedMS                     int64
	}{
		ListenMS: listenTime.Milliseconds(), ByeCSeq: len(b.Digits) + 1,
		Behaviour: b, Contact: p.contact(), Headers: lines(b.Headers), Ring: !b.Silent && !b.Early, AfterMS: b.After.Milliseconds(),
		TalkMS: talk.Milliseconds(), PatienceMS: patience.Milliseconds(), First: description{SDPVersion: 1}, Third: description{SDPVersion: 2}, MovedMS: patience.Milliseconds(),
	}
	for i, digit := range b.Digits {
		d.InfoDigits = append(d.InfoDigits, calleeDigit{infoDigit{i + 1, string(digit)}, firstDigitLabel + i})
	}
	if !b.Silent && b.After < ringTime {
		d.AfterMS = ringTime.Milliseconds()
	}
	if d.Code == 0 {
		d.Code = 200
	}
	if d.Phrase == "" {
		d.Phrase = "Refused"
	}
	return p.start(ctx, "callee.xml", d, "", patience)
}

// AwaitNotify waits for one NOTIFY (RFC 6665) whose headers match, and answers it with a code; 0 is 200. Its port is open when it returns.
func (p *Phone) AwaitNotify(ctx context.Context, code int, checks ...Check) (*Running, error) {
	if code == 0 {
		code = 200
	}
	return p.start(ctx, "notified.xml", struct {
		Checks []Check
		Expect int
	}{checks, code}, "", defaultPatience)
}
