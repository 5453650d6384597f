package webhooks

import "time"

// Delays are the pauses before each attempt: the first is made at once, the last some 76 hours later (the specification's own
// example of a schedule). What fails then is given up.
func Delays() [10]time.Duration {
	return [...]time.Duration{
		0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour,
		20 * time.Hour, 24 * time.Hour,
	}
}

// MaxAttempts is how often a delivery is tried.
const MaxAttempts = 10

// Jitter is by how much of itself a pause is made longer or shorter, by chance: receivers that failed together are not asked
// together again.
const Jitter = 0.2

// Bounds of what a receiver may say, and of its troubles.
const (
	MaxRetryAfter = 24 * time.Hour
	// DisableAfter is how long a receiver may take nothing at all before it is disabled, MinFailures how many attempts must have
	// failed in that time, and ForgetFailure after which pause without any attempt the time begins anew.
	DisableAfter  = 5 * 24 * time.Hour
	MinFailures   = MaxAttempts
	ForgetFailure = 48 * time.Hour
	// MaxPause bounds how long a receiver that is overloaded or cannot be reached is left alone with all its messages.
	MaxPause   = 5 * time.Minute
	firstPause = time.Second
)

// Bounds of sending.
const (
	AttemptFor   = 15 * time.Second // for one attempt, names and TLS included
	MaxOfWebhook = 4                // attempts of one webhook under way, over all workers
	MaxOfTenant  = 16               // of one tenant
)

// Bounds of the stream.
const (
	BeatEvery = 15 * time.Second // a sign of life while nothing happens
)

// Keep is how long events and the deliveries that wait are kept, KeepLog for how long what has become of deliveries. Both are
// longer than all attempts take.
const (
	Keep    = 7 * 24 * time.Hour
	KeepLog = 14 * 24 * time.Hour
)

// delay is the pause before the attempt of that number, from 0, with chance within 0 to 1.
func delay(attempt int, chance float64) time.Duration {
	d := float64(Delays()[attempt])
	return time.Duration(d * (1 - Jitter + 2*Jitter*min(max(chance, 0), 1)))
}
