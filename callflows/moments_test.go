package callflows

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// moment is what may come between any two events of a story.
type moment struct {
	name string
	do   func(*script)
}

// moments are tried after every event of every script. Whichever comes, the legs hang up afterwards and the call ends.
func moments() []moment {
	return []moment{
		{"the caller hangs up", func(s *script) { s.hangUp(callerLeg, ByFarEnd) }},
		{"the called hang up first", func(s *script) {
			for _, l := range slices.Clone(s.state.Legs) {
				if l.ID != callerLeg {
					s.hangUp(l.ID, ByFarEnd)
				}
			}
		}},
		{"its end is ordered", func(s *script) { s.tell(Event{Kind: EndOrdered, By: "tester", Reason: "a test"}) }},
		{"events may have been missed", func(s *script) { s.tell(Event{Kind: Resumed, Leg: callerLeg}) }},
		{"events may have been missed, and the caller hangs up", func(s *script) {
			s.tell(Event{Kind: Resumed, Leg: callerLeg})
			s.hangUp(callerLeg, ByFarEnd)
		}},
		{"the node refuses what is awaited", func(s *script) {
			if s.state.Awaited != 0 {
				s.tell(Event{Kind: Refused, Leg: callerLeg, Command: s.state.Awaited, Cause: "no such thing"})
			}
		}},
		{"what is awaited is answered with something else", func(s *script) {
			s.tell(Event{Kind: Done, Leg: callerLeg, Command: s.state.Awaited})
			s.tell(Event{Kind: TimerFired, Leg: callerLeg, Command: s.state.Awaited})
		}},
	}
}

// Every script, cut off after each of its events by each thing that may come then: the guarantees of doc.go hold at each step, on a
// worker that has taken the call over as on the first, and when its legs are gone the call has ended, each leg has one record,
// and nothing comes of anything any more.
func TestAtEachMomentOfEachScriptACallEndsWell(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	tried := 0
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tried += eachMoment(t, string(body))
		})
	}
	if tried < 5000 {
		t.Errorf("only %d moments were tried", tried)
	}
}

// eachMoment plays a file, and from each event on what may come instead of the rest. The call is carried to another worker after
// each event; that the first would have done the same, the watcher holds each step to.
func eachMoment(t *testing.T, file string) (tried int) {
	t.Helper()
	s := &script{t: t, takeover: true}
	for block := range strings.SplitSeq(strings.TrimSpace(file), "\n\n") {
		input, _, isBlock := strings.Cut(block+"\n", "----\n")
		if !isBlock {
			continue
		}
		lines := slices.DeleteFunc(strings.Split(strings.TrimSuffix(input, "\n"), "\n"), func(line string) bool { return strings.HasPrefix(line, "#") })
		if len(lines) > 0 && strings.HasPrefix(lines[0], "flow") {
			s.run(lines)
			continue
		}
		for i, line := range lines {
			s.run([]string{line})
			if s.state.Phase == "" || s.state.Move.Away { // it is driven elsewhere
				continue
			}
			for _, m := range moments() {
				at := s.copied()
				m.do(at)
				if err := at.over(); err != nil {
					t.Errorf("after %q (line %d of %q), %s: %v", line, i+1, lines[0], m.name, err)
				}
				tried++
			}
		}
	}
	return tried
}

// copied is the story as it stands, to be told on in another way.
func (s *script) copied() *script {
	c, w := *s, *s.watcher
	w.records, w.recordings = maps.Clone(w.records), maps.Clone(w.recordings)
	c.watcher = &w
	return &c
}

func (s *script) tell(e Event) Outcome {
	s.now = s.now.Add(1)
	e.At = s.now
	return s.step(fmt.Sprintf("%s of %s", e.Kind, s.legName(e.Leg)), e)
}

// hangUp ends a leg that is there.
func (s *script) hangUp(leg string, by EndedBy) {
	l := s.state.leg(leg)
	if l == nil || !l.Created || l.HungUp {
		return
	}
	cause := "NORMAL_CLEARING"
	if !s.state.Answered && by == ByFarEnd {
		cause = "ORIGINATOR_CANCEL"
	}
	s.tell(Event{Kind: HungUp, Leg: leg, End: &LegEnd{Cause: cause, Q850: 16, By: by, CreatedAt: started}})
}

// over lets all legs hang up, the caller's last, and says what is wrong with the end of the call.
func (s *script) over() error {
	for _, l := range slices.Backward(slices.Clone(s.state.Legs)) {
		s.hangUp(l.ID, ByUs)
	}
	if s.state.Summoning() { // a phone of which nothing was ever told: its time is over
		s.tell(Event{Kind: TimerFired, Leg: callerLeg, Command: s.state.Attempt})
	}
	if s.state.Phase != Ended {
		return fmt.Errorf("all legs are gone, and the call is %s at %s", s.state.Phase, s.state.Element)
	}
	for _, l := range s.state.Legs {
		if l.Created && s.watcher.records[l.ID] != 1 {
			return fmt.Errorf("leg %s has %d records", s.legName(l.ID), s.watcher.records[l.ID])
		}
	}
	for _, e := range []Event{{Kind: Resumed, Leg: callerLeg}, {Kind: TimerFired, Leg: callerLeg, Command: max(1, s.state.Commands)}, {Kind: Parked, Leg: callerLeg, Call: &s.call},
		{Kind: EndOrdered, By: "tester"}, {Kind: HungUp, Leg: callerLeg, End: &LegEnd{Cause: "NORMAL_CLEARING", By: ByUs, CreatedAt: started}}} {
		if out := s.tell(e); len(out.Commands) > 0 || out.State.Phase != Ended {
			return fmt.Errorf("%s after the end gives %s", e.Kind, text(out.Commands))
		}
	}
	return nil
}
