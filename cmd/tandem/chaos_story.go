package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// story is what the tap saw of one call, in both directions.
type story struct {
	dialled string
	began   time.Time
	lines   []line
}

// line is one thing that passed.
type line struct {
	at   time.Time
	what string
}

// remember keeps what happened to a call.
func (t *tap) remember(call string, c *tapped, what string) {
	if s := t.stories[call]; s != nil {
		s.lines = append(s.lines, line{time.Now(), fmt.Sprintf("process %d, connection %d %s", c.pid, c.number, what)})
	}
}

// tell adds to what happened to a call.
func (t *tap) tell(is caught, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.stories[is.call]; s != nil {
		s.lines = append(s.lines, line{time.Now(), fmt.Sprintf("process %d %s", is.pid, what)})
	}
}

// story tells what happened to a call.
func (t *tap) story(call string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.stories[call]; s != nil {
		return s.String()
	}
	return ""
}

// String tells a story, a line for each thing.
func (s *story) String() string {
	var b strings.Builder
	for _, l := range s.lines {
		fmt.Fprintf(&b, "%s %s\n    ", l.at.Format("15:04:05.000000"), l.what)
	}
	return b.String()
}

// stories tells of all calls to numbers that begin so, from a time on.
func (t *tap) storiesOf(prefix string, from time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var told []string
	for call, s := range t.stories {
		if strings.HasPrefix(s.dialled, prefix) && !s.began.Before(from) {
			told = append(told, s.began.Format("15:04:05.000000")+" call "+call+" to "+s.dialled+"\n    "+s.String()+"\n")
		}
	}
	slices.Sort(told)
	return strings.Join(told, "")
}

// begun counts the calls to numbers that begin so.
func (t *tap) begun(prefix string) (calls int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.stories {
		if strings.HasPrefix(s.dialled, prefix) {
			calls++
		}
	}
	return calls
}

// forget drops the stories of calls to numbers that begin so.
func (t *tap) forget(prefix string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for call, s := range t.stories {
		if strings.HasPrefix(s.dialled, prefix) {
			delete(t.stories, call)
		}
	}
}

// keepStories keeps what the tap saw of a round in which a phone failed or a command was doubled, if that is wanted.
func (c *chaos) keepStories(m *chaosCompany, f fault, s scene, from time.Time) {
	if c.keep == "" {
		return
	}
	name := filepath.Join(c.keep, fmt.Sprintf("%s-%s-%s.trace", from.Format("150405"), f, strings.ReplaceAll(s.name, " ", "-")))
	if err := os.WriteFile(name, []byte(c.tap.storiesOf(m.prefix, from)), 0o644); err != nil {
		say("a trace is not kept: %v", err)
	}
}

// orderOf names an order in a few words.
func orderOf(command string) string {
	if app := header([]byte(command), "execute-app-name"); app != "" {
		return app + " " + header([]byte(command), "event-uuid")
	}
	line, _, _ := strings.Cut(command, "\n")
	return line
}

// eventOf names an event in a few words.
func eventOf(frame []byte) string {
	words := []string{header(frame, "Event-Sequence"), header(frame, "Event-Name"), header(frame, "Unique-ID"), header(frame, "Application"),
		header(frame, "Application-UUID"), header(frame, "Hangup-Cause")}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}
