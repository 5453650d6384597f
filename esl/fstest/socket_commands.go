package fstest

import (
	"strings"

	"github.com/google/uuid"
)

// eventNames are the events that "event plain ..." accepts (switch_event.c, EVENT_NAMES).
const eventNames = " CUSTOM CLONE CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER " +
	"CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD " +
	"CHANNEL_UNHOLD CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA " +
	"CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID API " +
	"LOG INBOUND_CHAN OUTBOUND_CHAN STARTUP SHUTDOWN PUBLISH UNPUBLISH TALK NOTALK SESSION_CRASH " +
	"MODULE_LOAD MODULE_UNLOAD DTMF MESSAGE PRESENCE_IN NOTIFY_IN PRESENCE_OUT PRESENCE_PROBE " +
	"MESSAGE_WAITING MESSAGE_QUERY ROSTER CODEC BACKGROUND_JOB DETECTED_SPEECH DETECTED_TONE " +
	"PRIVATE_COMMAND HEARTBEAT TRAP ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE RE_SCHEDULE RELOADXML NOTIFY " +
	"PHONE_FEATURE PHONE_FEATURE_SUBSCRIBE SEND_MESSAGE RECV_MESSAGE REQUEST_PARAMS CHANNEL_DATA GENERAL " +
	"COMMAND SESSION_HEARTBEAT CLIENT_DISCONNECTED SERVER_DISCONNECTED SEND_INFO RECV_INFO " +
	"RECV_RTCP_MESSAGE SEND_RTCP_MESSAGE CALL_SECURE NAT RECORD_START RECORD_STOP PLAYBACK_START " +
	"PLAYBACK_STOP CALL_UPDATE FAILURE SOCKET_DATA MEDIA_BUG_START MEDIA_BUG_STOP CONFERENCE_DATA_QUERY " +
	"CONFERENCE_DATA CALL_SETUP_REQ CALL_SETUP_RESULT CALL_DETAIL DEVICE_STATE TEXT SHUTDOWN_REQUESTED " +
	"ALL "

func isEventName(name string) bool { return strings.Contains(eventNames, " "+name+" ") }

// handle answers one command (mod_event_socket.c, parse_command). Words match
// by prefix there, and so they do here.
func (c *connection) handle(cmd *command) {
	line := cmd.line
	lower := strings.ToLower(line)
	switch {
	case strings.HasPrefix(lower, "exit"), strings.HasPrefix(lower, "..."):
		c.reply("+OK bye", "")
		c.disconnect()
	case !c.authed:
		c.authenticate(lower, line)
	case strings.HasPrefix(lower, "filter "):
		c.handleFilter(line[len("filter "):])
	case strings.HasPrefix(lower, "sendmsg"):
		c.handleSendmsg(cmd)
	case strings.HasPrefix(lower, "sendevent"):
		c.handleSendevent(cmd)
	case strings.HasPrefix(lower, "api "):
		c.handleAPI(line[len("api "):])
	case strings.HasPrefix(lower, "bgapi "):
		c.handleBackground(cmd, line[len("bgapi "):])
	case strings.HasPrefix(lower, "noevents"):
		c.all, c.events, c.customs = false, map[string]bool{}, map[string]bool{}
		c.reply("+OK no longer listening for events", "")
	case strings.HasPrefix(lower, "nixevent"):
		c.handleNixevent(line[len("nixevent"):])
	case strings.HasPrefix(lower, "event"):
		c.handleEvent(line[len("event"):])
	case strings.HasPrefix(lower, "linger"), strings.HasPrefix(lower, "nolinger"):
		c.reply("-ERR not controlling a session", "")
	case strings.HasPrefix(lower, "divert_events"):
		c.reply("-ERR not controlling a session.", "")
	case strings.HasPrefix(lower, "nolog"):
		c.reply("+OK no longer logging", "")
	case strings.HasPrefix(lower, "log"):
		c.reply("+OK log level  [7]", "")
	default:
		c.reply("-ERR command not found", "")
	}
}

// authenticate is the only thing that a stranger can do.
func (c *connection) authenticate(lower, line string) {
	if !strings.HasPrefix(lower, "auth ") {
		c.reply("-ERR command not found", "")
		return
	}
	if line[len("auth "):] != c.srv.options.Password {
		c.reply("-ERR invalid", "")
		c.disconnect()
		return
	}
	c.authed = true
	c.reply("+OK accepted", "")
}

// handleEvent adds to the subscription: "plain|json NAME... CUSTOM subclass...".
func (c *connection) handleEvent(arguments string) {
	words := strings.Fields(arguments)
	if len(words) > 0 {
		switch strings.ToLower(words[0]) {
		case formatJSON:
			c.format, words = formatJSON, words[1:]
		case formatPlain, "xml", "yaml":
			c.format, words = formatPlain, words[1:]
		}
	}
	known, custom := 0, false
	for _, word := range words {
		name := strings.ToUpper(word)
		switch {
		case custom:
			c.customs[word] = true
			known++
		case name == "ALL":
			c.all = true
			known++
		case isEventName(name):
			c.events[name] = true
			custom = name == "CUSTOM"
			known++
		}
	}
	if known == 0 {
		c.reply("-ERR no keywords supplied", "")
		return
	}
	c.reply("+OK event listener enabled "+c.format, "")
}

// handleNixevent takes from the subscription.
func (c *connection) handleNixevent(arguments string) {
	custom := false
	for _, word := range strings.Fields(arguments) {
		name := strings.ToUpper(word)
		switch {
		case custom:
			delete(c.customs, word)
		case name == "CUSTOM":
			custom = true
		case name == "ALL":
			c.all, c.events = false, map[string]bool{}
		default:
			if c.all {
				c.all = false
				for _, other := range strings.Fields(eventNames) {
					c.events[other] = true
				}
			}
			delete(c.events, name)
		}
	}
	c.reply("+OK events nixed", "")
}

// handleFilter is "filter [add|delete] HEADER VALUE".
func (c *connection) handleFilter(arguments string) {
	header, value, hasValue := strings.Cut(strings.TrimLeft(arguments, " "), " ")
	switch {
	case strings.EqualFold(header, "delete") && hasValue:
		header, value, _ = strings.Cut(value, " ")
		kept := c.filters[:0]
		for _, f := range c.filters {
			if !strings.EqualFold(header, "all") && !(strings.EqualFold(f.header, header) && (value == "" || f.value == value)) {
				kept = append(kept, f)
			}
		}
		c.filters = kept
		c.reply("+OK filter deleted. ["+header+"]["+value+"]", "")
	case hasValue:
		if strings.EqualFold(header, "add") {
			header, value, _ = strings.Cut(value, " ")
		}
		if len(c.filters) < maxCommandHeaders {
			c.filters = append(c.filters, filter{header, value})
		}
		c.reply("+OK filter added. ["+header+"]=["+value+"]", "")
	default:
		c.reply("-ERR invalid syntax", "")
	}
}

// handleSendmsg queues a message for a session.
func (c *connection) handleSendmsg(cmd *command) {
	id := strings.TrimSpace(cmd.line[len("sendmsg"):])
	if id == "" {
		id = cmd.get("session-id")
	}
	ch, ok := c.srv.channels[id]
	switch {
	case !ok || ch.gone():
		c.reply("-ERR invalid session id ["+id+"]", "")
	case !ch.enqueue(cmd):
		c.reply("-ERR memory error", "")
	default:
		c.reply("+OK", "")
	}
}

// handleSendevent fires an event for everybody.
func (c *connection) handleSendevent(cmd *command) {
	id := uuid.NewString()
	name := strings.ToUpper(strings.TrimSpace(cmd.line[len("sendevent"):]))
	if !isEventName(name) || name == "ALL" {
		name = "CUSTOM"
	}
	e := c.srv.newEvent(name, cmd.get("Event-Subclass"))
	e.add("Command", cmd.line)
	for _, f := range cmd.fields {
		if !strings.EqualFold(f.name, "Event-Subclass") && !strings.EqualFold(f.name, "Content-Length") &&
			!strings.EqualFold(f.name, "Event-Name") {
			e.add(f.name, f.value)
		}
	}
	e.add("Event-UUID", id)
	e.body = cmd.body
	c.srv.fire(e)
	c.reply("+OK "+id, "")
}

// handleAPI runs an api command and answers it; the connection's events wait
// meanwhile, as there is one thread for both in the engine.
func (c *connection) handleAPI(text string) {
	c.inAPI = true
	body := c.srv.runAPI(text)
	c.respond(body)
	c.release()
}

// handleBackground runs an api command as a job.
func (c *connection) handleBackground(cmd *command, text string) {
	job := cmd.get("Job-UUID")
	if job == "" {
		job = uuid.NewString()
	}
	s := c.srv
	if s.jobs >= maxJobs {
		c.reply("-ERR memory error", "")
		return
	}
	s.jobs++
	c.reply("+OK Job-UUID: "+job, "Job-UUID: "+job+"\n")
	s.spawn(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		defer func() { s.jobs-- }()
		body := s.runAPI(text)
		if body == "" {
			body = "-ERR no reply\n"
		}
		name, arguments, _ := strings.Cut(text, " ")
		e := s.newEvent("BACKGROUND_JOB", "")
		e.add("Job-UUID", job)
		e.add("Job-Command", name)
		e.add("Job-Command-Arg", arguments)
		e.body = body
		s.fire(e)
	})
}
