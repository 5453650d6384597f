package webhooks

import "time"

// State is where a delivery stands.
type State string

const (
	Waiting   State = "waiting"   // an attempt is to come, or under way
	Delivered State = "delivered" // the receiver has taken it
	Failed    State = "failed"    // it was given up
)

// Delivery is what is decided about one event for one receiver.
type Delivery struct {
	State    State
	Attempts int       // that were made
	NextAt   time.Time // of the next, while it waits
}

// Answer is what came of one attempt.
type Answer struct {
	Status     int           // of HTTP; 0: there was no answer
	RetryAfter time.Duration // as the receiver asks; 0: it does not
	Problem    string        // why there was no answer, in words
	Body       string        // what it said, cut to MaxAnswer
	Took       time.Duration
}

// Statuses that mean more than that the message was not taken (RFC 9110 15.5.11, 15.6; RFC 6585 4).
const (
	statusGone           = 410
	statusTooMany        = 429
	statusBadGateway     = 502
	statusUnavailable    = 503
	statusGatewayTimeout = 504
)

// MaxAnswer is how much of a receiver's answer is kept, in bytes.
const MaxAnswer = 1024

// Taken says whether the receiver has taken the message.
func (a Answer) Taken() bool { return a.Status >= 200 && a.Status <= 299 }

// gone says whether the receiver wants no more.
func (a Answer) gone() bool { return a.Status == statusGone }

// throttled says whether the receiver is to be left alone for a while, whatever the message.
func (a Answer) throttled() bool {
	switch a.Status {
	case 0, statusTooMany, statusBadGateway, statusUnavailable, statusGatewayTimeout:
		return true
	}
	return false
}

// After is where a delivery stands after an attempt at a moment. One that does not wait stays as it is: an answer may come after
// somebody else has heard another.
func (d Delivery) After(a Answer, at time.Time, chance float64) Delivery {
	if d.State != Waiting {
		return d
	}
	d.Attempts++
	switch {
	case a.Taken():
		d.State, d.NextAt = Delivered, time.Time{}
	case a.gone(), d.Attempts >= MaxAttempts:
		d.State, d.NextAt = Failed, time.Time{}
	default:
		d.NextAt = at.Add(max(delay(d.Attempts, chance), min(a.RetryAfter, MaxRetryAfter)))
	}
	return d
}

// Disabling is why a receiver is no longer asked.
type Disabling string

const (
	Asked   Disabling = "asked"   // the tenant wants it so
	Gone    Disabling = "gone"    // the receiver has answered 410
	Failing Disabling = "failing" // it has taken nothing for DisableAfter
)

// Words says it to people.
func (d Disabling) Words() string {
	switch d {
	case Asked:
		return "It was disabled by hand."
	case Gone:
		return "The receiver answered 410 Gone: it wants no more messages."
	case Failing:
		return "The receiver has taken no message for five days."
	}
	return ""
}

// Health is what is known of a receiver. The zero value is that of one that has not failed since it last took a message.
type Health struct {
	Failures     int // in a row
	FailingSince time.Time
	LastFailure  time.Time
	PausedUntil  time.Time // nothing is sent to it before
}

// After is a receiver's health after an attempt, and why it is to be disabled, or "".
func (h Health) After(a Answer, at time.Time) (Health, Disabling) {
	if a.Taken() {
		return Health{}, ""
	}
	if h.Failures == 0 || at.Sub(h.LastFailure) > ForgetFailure {
		h = Health{FailingSince: at}
	}
	h.Failures++
	h.LastFailure = at
	if a.throttled() {
		pause := MaxPause
		if h.Failures <= 16 {
			pause = min(MaxPause, firstPause<<(h.Failures-1))
		}
		if until := at.Add(max(pause, min(a.RetryAfter, MaxRetryAfter))); until.After(h.PausedUntil) {
			h.PausedUntil = until
		}
	}
	switch {
	case a.gone():
		return h, Gone
	case h.Failures >= MinFailures && at.Sub(h.FailingSince) >= DisableAfter:
		return h, Failing
	}
	return h, ""
}

// Claim is a delivery that a worker has for itself for a while.
type Claim struct {
	Delivery int64
	Lease    int64 // of this claim: a later one has a higher number
	Attempts int   // made before
	Webhook  string
	URL      string
	Secrets  []string // the newest first
	Event    Event
}

// Lost says whether the event is not kept any more, so that there is nothing to send.
func (c Claim) Lost() bool { return len(c.Event.Data) == 0 }
