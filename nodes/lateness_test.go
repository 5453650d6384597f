package nodes

import (
	"testing"
	"time"

	"tandem/nodes/claim"
	"tandem/nodes/link"
)

// TestLatenessIsThatOfTheLastSpells: what counts is how much later than the fastest ones the latest events came, whatever the
// clocks of the two machines say, and not for ever.
func TestLatenessIsThatOfTheLastSpells(t *testing.T) {
	for name, clocks := range map[string]time.Duration{"equal clocks": 0, "the node is ahead": -time.Hour, "the node is behind": time.Hour} {
		var l lateness
		begin := time.Now()
		if got := l.lately(begin); got != 0 {
			t.Errorf("%s: %s before any event", name, got)
		}
		for _, c := range []struct {
			at, late, want time.Duration
		}{
			{0, 2 * time.Millisecond, 0},
			{100 * time.Millisecond, 80 * time.Millisecond, 78 * time.Millisecond},
			{900 * time.Millisecond, 3 * time.Millisecond, 78 * time.Millisecond},
			{1500 * time.Millisecond, 5 * time.Millisecond, 78 * time.Millisecond}, // of the spell before
			{2600 * time.Millisecond, 4 * time.Millisecond, 3 * time.Millisecond},
			{9 * time.Second, 2 * time.Millisecond, 0},
		} {
			l.note(clocks+c.late, begin.Add(c.at))
			if got := l.lately(begin.Add(c.at)); (got - c.want).Abs() > time.Millisecond { // clocks drift
				t.Errorf("%s, at %s: %s late, want %s", name, c.at, got, c.want)
			}
		}
	}
}

// TestALateNodeIsWaitedFor: who follows a dead owner at a node that is late with its events waits longer for its last bytes.
func TestALateNodeIsWaitedFor(t *testing.T) {
	n := standby(t)
	if got := n.evidenceAfter(); got != evidenceWait {
		t.Errorf("%s at a node that is in time", got)
	}
	now := time.Now()
	n.late.note(0, now)
	n.late.note(nodeLooks+50*time.Millisecond, now)
	if got, want := n.evidenceAfter(), evidenceWait+100*time.Millisecond; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	n.late.note(time.Hour, now)
	if got := n.evidenceAfter(); got != maxEvidence {
		t.Errorf("%s, want %s", got, maxEvidence)
	}
	n.told(link.Record{Kind: link.KindComplete}, claim.Holder{})
	if got := n.evidenceAfter(); got != evidenceWait {
		t.Errorf("%s after this worker was away itself", got)
	}
}
