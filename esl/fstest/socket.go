package fstest

import (
	"bufio"
	"net"
	"strconv"
	"strings"
	"time"
)

// The formats in which a listener can ask for its events.
const (
	formatPlain = "plain"
	formatJSON  = "json"
)

// connection is one client of the event socket (a listener, in
// mod_event_socket's words).
type connection struct {
	srv  *Server
	conn net.Conn

	// Guarded by Server.mu.
	authed  bool
	all     bool
	events  map[string]bool // by event name
	customs map[string]bool // CUSTOM by subclass
	filters []filter
	format  string
	inAPI   bool     // events wait until the api command has been answered
	held    [][]byte // these events
	closing bool

	out outbox
}

// filter is one "filter" command: a header, and the value that it must or,
// with a leading "!", must not have.
type filter struct{ header, value string }

// accept takes event-socket clients in until the listener is closed. It does
// not need the lock.
func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closing || len(s.listeners) >= maxEventSocketConns {
			s.mu.Unlock()
			conn.Close()
			continue
		}
		c := &connection{srv: s, conn: conn, events: map[string]bool{}, customs: map[string]bool{}, format: formatPlain}
		c.out.ready = make(chan struct{}, 1)
		s.listeners[c] = struct{}{}
		c.out.put([]byte("Content-Type: auth/request\n\n"), true)
		s.spawn(c.write)
		s.spawn(c.serve)
		s.mu.Unlock()
	}
}

// write sends what is queued. It does not need the lock.
func (c *connection) write() {
	defer c.conn.Close()
	for {
		frames, more := c.out.take()
		if len(frames) > 0 {
			buffers := net.Buffers(frames)
			c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
			if _, err := buffers.WriteTo(c.conn); err != nil {
				c.out.end(true)
				return
			}
			continue
		}
		if !more {
			return
		}
		<-c.out.ready
	}
}

// serve reads commands until the client leaves. It does not need the lock.
func (c *connection) serve() {
	defer func() {
		c.srv.mu.Lock()
		delete(c.srv.listeners, c)
		c.srv.mu.Unlock()
		c.out.end(false)
	}()
	reader := bufio.NewReaderSize(c.conn, maxCommandLine)
	for {
		command, err := readCommand(reader)
		if err != nil {
			return
		}
		if command == nil {
			continue
		}
		c.srv.mu.Lock()
		c.handle(command)
		closing := c.closing
		c.srv.mu.Unlock()
		if closing {
			return
		}
	}
}

// reply answers a command. extra are further header lines, each with its "\n".
func (c *connection) reply(text, extra string) {
	if len(text) > maxReplyText {
		text = text[:maxReplyText]
	}
	c.out.put([]byte("Content-Type: command/reply\nReply-Text: "+text+"\n"+extra+"\n"), true)
}

// respond answers an api command.
func (c *connection) respond(body string) {
	if body == "" {
		body = "-ERR no reply\n"
	}
	c.out.put([]byte("Content-Type: api/response\nContent-Length: "+strconv.Itoa(len(body))+"\n\n"+body), true)
}

// sendEvent queues an event; one that does not fit is dropped, as by the engine.
func (c *connection) sendEvent(e *event) {
	body, kind := e.asPlain(), "text/event-plain"
	if c.format == formatJSON {
		body, kind = e.asJSON(), "text/event-json"
	}
	frame := make([]byte, 0, len(body)+64)
	frame = append(frame, "Content-Length: "+strconv.Itoa(len(body))+"\nContent-Type: "+kind+"\n\n"...)
	frame = append(frame, body...)
	if c.inAPI {
		if len(c.held) < maxQueuedFrames {
			c.held = append(c.held, frame)
		}
		return
	}
	if !c.out.put(frame, false) {
		c.srv.options.Logger.Warn("event dropped, a listener does not read")
	}
}

// release sends the events that waited for an api command to end.
func (c *connection) release() {
	c.inAPI = false
	for _, frame := range c.held {
		c.out.put(frame, true)
	}
	c.held = nil
}

// subscribed says whether the client asked for such events.
func (c *connection) subscribed(name, subclass string) bool {
	if !c.authed {
		return false
	}
	if c.all {
		return true
	}
	if name == "CUSTOM" {
		return c.customs[subclass] || (c.events["CUSTOM"] && len(c.customs) == 0)
	}
	return c.events[name]
}

// wants says whether the event passes subscription and filters: any positive
// filter that matches lets it in, any negative one that matches keeps it out.
func (c *connection) wants(e *event) bool {
	if !c.subscribed(e.name, e.subclass) {
		return false
	}
	if len(c.filters) == 0 {
		return true
	}
	positives, passed := 0, false
	for _, f := range c.filters {
		value, negative := strings.CutPrefix(f.value, "!")
		value = strings.TrimPrefix(value, "+")
		actual, ok := e.get(f.header)
		matches := ok && actual == value
		switch {
		case negative && matches:
			return false
		case !negative:
			positives++
			passed = passed || matches
		}
	}
	return passed || positives == 0
}

// farewell is the body of text/disconnect-notice. The real one advertises a
// conference; ours is plain.
const farewell = "Disconnected, goodbye.\n"

// disconnect says goodbye and lets the writer end after what is queued.
func (c *connection) disconnect() {
	c.closing = true
	c.out.put([]byte("Content-Type: text/disconnect-notice\nContent-Length: "+strconv.Itoa(len(farewell))+"\n\n"+farewell), true)
	c.out.end(false)
}

// close ends the connection: with what is queued, or at once.
func (c *connection) close(atOnce bool) {
	c.closing = true
	c.out.end(atOnce)
	if atOnce {
		c.conn.Close()
		return
	}
	c.conn.SetReadDeadline(time.Now()) // wakes serve
}
