package webhooks

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func answers() *rapid.Generator[Answer] {
	return rapid.Custom(func(t *rapid.T) Answer {
		return Answer{
			Status:     rapid.SampledFrom([]int{0, 0, 200, 204, 299, 301, 400, 404, 410, 429, 500, 502, 503, 504}).Draw(t, "status"),
			RetryAfter: time.Duration(rapid.IntRange(-10, 200_000).Draw(t, "retry after")) * time.Second,
		}
	})
}

// Whatever a receiver answers, a delivery ends, never sooner than the table says, and never moves once it has ended.
func TestADeliveryEndsAfterSoManyAttempts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, at := Delivery{State: Waiting}, vectorAt
		for n := 1; ; n++ {
			a := answers().Draw(t, "answer")
			was := d
			d = d.After(a, at, rapid.Float64Range(0, 1).Draw(t, "chance"))
			switch {
			case d.Attempts != n || n > MaxAttempts:
				t.Fatalf("attempt %d is counted as %d", n, d.Attempts)
			case a.Taken() != (d.State == Delivered):
				t.Fatalf("%d makes it %s", a.Status, d.State)
			case a.Status == 410 && d.State != Failed:
				t.Fatal("410 does not end it")
			}
			if d.State != Waiting {
				if again := d.After(answers().Draw(t, "late answer"), at, 0.5); again != d {
					t.Fatalf("an answer that came late has moved %+v to %+v", d, again)
				}
				return
			}
			low := time.Duration(float64(Delays()[n]) * (1 - Jitter))
			high := max(time.Duration(float64(Delays()[n])*(1+Jitter)), min(a.RetryAfter, MaxRetryAfter))
			if pause := d.NextAt.Sub(at); pause < low || pause > high || pause < min(a.RetryAfter, MaxRetryAfter) {
				t.Fatalf("after %+v, attempt %d of %+v comes after %s", a, n, was, pause)
			}
			at = d.NextAt
		}
	})
}

func TestThePausesGrowOverDays(t *testing.T) {
	total := time.Duration(0)
	for i, d := range Delays() {
		if i > 0 && d <= Delays()[i-1] {
			t.Errorf("pause %d is not longer than the one before", i)
		}
		total += d
	}
	if total < 3*24*time.Hour || total > Keep/2 {
		t.Errorf("all attempts take %s", total)
	}
}

func TestAReceiversHealth(t *testing.T) {
	type step struct {
		after  time.Duration
		status int
	}
	days := func(status, n int) (steps []step) {
		for range n {
			steps = append(steps, step{12 * time.Hour, status})
		}
		return steps
	}
	for name, c := range map[string]struct {
		steps []step
		want  Disabling
	}{
		"410":                           {[]step{{0, 410}}, Gone},
		"410 among successes":           {[]step{{0, 200}, {0, 410}}, Gone},
		"four days of failure":          {days(500, 9), ""},
		"five days of failure":          {days(500, 12), Failing},
		"five days without an answer":   {days(0, 12), Failing},
		"one success in between":        {append(append(days(500, 6), step{0, 200}), days(500, 6)...), ""},
		"many failures in an hour":      {[]step{{0, 500}, {0, 500}, {0, 500}, {0, 500}, {0, 500}, {0, 500}, {0, 500}, {0, 500}, {0, 500}, {0, 500}, {time.Hour, 500}}, ""},
		"few failures, and far between": {[]step{{0, 500}, {ForgetFailure + 1, 500}, {ForgetFailure + 1, 500}, {ForgetFailure + 1, 500}, {ForgetFailure + 1, 500}}, ""},
	} {
		var h Health
		var got Disabling
		at := vectorAt
		for _, s := range c.steps {
			at = at.Add(s.after)
			h, got = h.After(Answer{Status: s.status}, at)
		}
		if got != c.want {
			t.Errorf("%s: disabled because %q, want %q", name, got, c.want)
		}
	}
}

// One success makes all forgotten, and nothing pauses a receiver for longer than it asks for or MaxPause.
func TestHealthIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h Health
		at := vectorAt
		for range rapid.IntRange(1, 60).Draw(t, "attempts") {
			a := answers().Draw(t, "answer")
			at = at.Add(time.Duration(rapid.IntRange(0, 100_000).Draw(t, "seconds")) * time.Second)
			was := h
			h, _ = h.After(a, at)
			switch limit := at.Add(max(MaxPause, min(a.RetryAfter, MaxRetryAfter))); {
			case a.Taken() && h != Health{}:
				t.Fatalf("a success leaves %+v", h)
			case h.PausedUntil.After(limit) && h.PausedUntil.After(was.PausedUntil):
				t.Fatalf("paused until %s", h.PausedUntil)
			}
		}
	})
}

func TestWordsForEachReason(t *testing.T) {
	for _, d := range []Disabling{Asked, Gone, Failing} {
		if d.Words() == "" {
			t.Errorf("%s has no words", d)
		}
	}
}
