package main

import (
	"strings"
	"time"
)

// moment says what a trap waits for.
type moment int

const (
	unheard moment = iota // something happened, and the owner has not heard of it
	unsent                // the owner has ordered something, and the standby has its state, but the node has not got the order
	taken                 // the node has the order, and the owner does not know
)

// trap waits for one moment of one call of the owner's.
type trap struct {
	pid         int    // the owner's
	dialled     string // by the call that is meant
	event       string // unheard: the event's name
	application string // whose end, or whose order, is the moment; "hangup" for the order to hang up, "" for any
	moment      moment
	sprung      chan caught
}

// caught is the call that a trap has caught.
type caught struct {
	call, leg string
	pid       int            // the owner's
	stolen    bool           // another process drives the call already: it has taken the node before the fault
	first     chan time.Time // gets the time of the first command for the call that comes from another process
}

// set waits for a moment.
func (t *tap) set(p trap) chan caught {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.sprung = make(chan caught, 1)
	t.trap, t.watch = &p, nil
	return p.sprung
}

// unset waits no longer.
func (t *tap) unset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trap, t.watch = nil, nil
}

// heard learns which call was dialled how, and springs the trap.
func (t *tap) heard(c *tapped, frame []byte) {
	dialled, call, leg := header(frame, "variable_sip_h_X-Tandem-Dialled"), header(frame, "variable_sip_h_X-Tandem-Call"), header(frame, "Unique-ID")
	if len(leg) < sharedDigits {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if dialled == "" || call == "" || header(frame, "Call-Direction") != "inbound" {
		t.remember(t.lines[leg[:sharedDigits]], c, "is told "+eventOf(frame))
		return
	}
	t.calls[call], t.legs[leg], t.lines[leg[:sharedDigits]] = dialled, call, call
	if t.stories[call] == nil {
		t.stories[call] = &story{dialled: dialled, began: time.Now()}
	}
	t.remember(call, c, "is told "+eventOf(frame))
	if p := t.trap; p != nil && p.moment == unheard && p.pid == c.pid && p.dialled == dialled && p.happens(frame, call) {
		t.spring(c, call, leg)
	}
}

// spring closes the owner's ears and says which call it is. The caller holds the lock.
func (t *tap) spring(c *tapped, call, leg string) {
	p := t.trap
	t.trap = nil
	c.gate.cut()
	t.watch = &caught{call: call, leg: leg, pid: p.pid, stolen: t.drivers[call] != 0 && t.drivers[call] != p.pid, first: make(chan time.Time, 1)}
	p.sprung <- *t.watch
}

// happens says whether an event of a call is the one that the trap waits for.
func (p *trap) happens(frame []byte, call string) bool {
	if header(frame, "Event-Name") != p.event || p.application == "" {
		return header(frame, "Event-Name") == p.event
	}
	return header(frame, "Application") == p.application && strings.HasPrefix(header(frame, "Application-UUID"), call+"/")
}

// wants says whether a command is the one that the trap waits for.
func (p *trap) wants(command string) bool {
	if p.application == "hangup" {
		return strings.HasPrefix(command, "api uuid_kill ")
	}
	return strings.Contains(command, "\nexecute-app-name: "+p.application+"\n")
}
