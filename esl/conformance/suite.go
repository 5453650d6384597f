package conformance

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/esl"
)

// Target is an engine under test.
type Target struct {
	EventSocket string // host:port
	Password    string
	SIP         string // host:port of the profile
	Profile     string // its name
	// MissingFile is a sound file that does not exist.
	MissingFile string
	// Patience is how long a claim waits for what must come.
	Patience time.Duration
	// StandIn is true for esl/fstest.
	StandIn bool
}

// subscription is what Tandem subscribes to, and a little more.
var subscription = strings.Fields(`CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_PARK
	CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_HANGUP
	CHANNEL_HANGUP_COMPLETE CHANNEL_DESTROY DTMF PLAYBACK_START PLAYBACK_STOP HEARTBEAT`)

// engine is one claim's view of the target: a connection and all its events.
type engine struct {
	t      *testing.T
	target Target
	conn   *esl.Conn

	calls []string // the first eight digits of this claim's calls

	mu     sync.Mutex
	events []*esl.Event
	came   chan struct{}
}

// open connects to the target for one claim.
func open(t *testing.T, target Target) *engine {
	t.Helper()
	return openFor(t, target, append(slices.Clone(subscription), "CUSTOM tandem::claim")...)
}

// openFor connects with another subscription.
func openFor(t *testing.T, target Target, events ...string) *engine {
	t.Helper()
	e := &engine{t: t, target: target, came: make(chan struct{}, 1)}
	ctx, cancel := context.WithTimeout(context.Background(), target.Patience)
	defer cancel()
	conn, err := esl.Dial(ctx, esl.Options{
		Address: target.EventSocket, Password: target.Password,
		Events: events,
		Handle: func(_ int, ev *esl.Event) {
			e.mu.Lock()
			e.events = append(e.events, ev)
			e.mu.Unlock()
			select {
			case e.came <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	e.conn = conn
	t.Cleanup(func() { conn.Close() })
	return e
}

// phone starts a phone.
func (e *engine) phone() *Phone {
	e.t.Helper()
	return NewPhone(e.t, e.target.Patience)
}

// send sends a command and returns what the engine replied.
func (e *engine) send(cmd esl.Command) esl.Reply {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), e.target.Patience)
	defer cancel()
	reply, err := e.conn.Send(ctx, cmd)
	if err != nil {
		e.t.Fatalf("%s: %v", cmd.Name(), err)
	}
	return reply
}

// text sends an api command and returns its answer without the line's end.
func (e *engine) text(cmd esl.API) string {
	e.t.Helper()
	return e.send(cmd).Text
}

// await returns the first event that matches, among those that came and those
// that are to come.
func (e *engine) await(what string, match func(*esl.Event) bool) *esl.Event {
	e.t.Helper()
	deadline := time.After(e.target.Patience)
	for seen := 0; ; {
		e.mu.Lock()
		events := e.events[seen:]
		e.mu.Unlock()
		for _, ev := range events {
			if match(ev) {
				return ev
			}
		}
		seen += len(events)
		select {
		case <-e.came:
		case <-deadline:
			e.t.Fatalf("%s did not come within %v; %s", what, e.target.Patience, e.story(""))
		}
	}
}

// event waits for an event of a channel.
func (e *engine) event(uuid, name string) *esl.Event {
	e.t.Helper()
	return e.await(name, func(ev *esl.Event) bool { return ev.Name() == name && ev.Get("Unique-ID") == uuid })
}

// done waits for the end of the application with this id on a call of this claim.
func (e *engine) done(id string) *esl.Event {
	e.t.Helper()
	return e.await("CHANNEL_EXECUTE_COMPLETE of "+id, func(ev *esl.Event) bool {
		return ev.Name() == "CHANNEL_EXECUTE_COMPLETE" && ev.Get("Application-UUID") == id && e.ours(ev)
	})
}

// ours says whether an event is about a call of this claim.
func (e *engine) ours(ev *esl.Event) bool {
	return len(e.calls) == 0 || slices.ContainsFunc(e.calls, func(call string) bool { return strings.HasPrefix(ev.Get("Unique-ID"), call) })
}

// parked waits for the call of a phone to park and returns its uuid.
func (e *engine) parked(d *Dialog) (uuid string) {
	e.t.Helper()
	callID := d.invite.CallID().Value()
	uuid = e.await("CHANNEL_PARK", func(ev *esl.Event) bool {
		return ev.Name() == "CHANNEL_PARK" && ev.Variable("sip_call_id") == callID
	}).Get("Unique-ID")
	e.calls = append(e.calls, uuid[:8])
	return uuid
}

// answered makes a call, waits until it has parked, answers it, and waits until
// the phone has acknowledged.
func (e *engine) answered(p *Phone) (uuid string, d *Dialog) {
	e.t.Helper()
	d = p.Call(e.target.SIP, "1000")
	uuid = e.parked(d)
	e.send(esl.Answer(uuid, uuid+"/answer"))
	if res, _ := d.Final(); res.StatusCode != 200 {
		e.t.Fatalf("answer: %d", res.StatusCode)
	}
	e.done(uuid + "/answer")
	e.until("the ACK's arrival", func() bool { return e.text(esl.UUIDGetvar(uuid, "sip_to_tag")) != "_undef_" })
	return uuid, d
}

// until waits for something that only asking shows. It asks as often as the
// engine answers.
func (e *engine) until(what string, ok func() bool) {
	e.t.Helper()
	for deadline := time.Now().Add(e.target.Patience); !ok(); {
		if time.Now().After(deadline) {
			e.t.Fatalf("%s is not so after %v", what, e.target.Patience)
		}
	}
}

// story lists the events of a channel, or of all: name and application.
func (e *engine) story(uuid string) string {
	var lines []string
	for _, ev := range e.all() {
		if uuid == "" || ev.Get("Unique-ID") == uuid {
			lines = append(lines, strings.TrimSpace(ev.Get("Unique-ID")+" "+label(ev)))
		}
	}
	return "events:\n  " + strings.Join(lines, "\n  ")
}

func (e *engine) all() []*esl.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.events)
}

// label is an event's name, with its application if it has one.
func label(ev *esl.Event) string {
	if app := ev.Get("Application"); app != "" {
		return ev.Name() + " " + app
	}
	return ev.Name()
}

// labels are those of a channel's events so far, in order.
func (e *engine) labels(uuid string) []string {
	var labels []string
	for _, ev := range e.all() {
		if ev.Get("Unique-ID") == uuid {
			labels = append(labels, label(ev))
		}
	}
	return labels
}

// inOrder fails unless these labels came for the channel in this order, with
// anything else between them.
func (e *engine) inOrder(uuid string, want ...string) {
	e.t.Helper()
	rest := e.labels(uuid)
	for _, label := range want {
		at := slices.Index(rest, label)
		if at < 0 {
			e.t.Fatalf("no %q in its place; %s", label, e.story(uuid))
		}
		rest = rest[at+1:]
	}
}

// absent fails when the channel had such an event.
func (e *engine) absent(uuid, label string) {
	e.t.Helper()
	if slices.Contains(e.labels(uuid), label) {
		e.t.Errorf("there is a %q; %s", label, e.story(uuid))
	}
}

// equal compares a value with what the claim says.
func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, not %v", what, got, want)
	}
}
