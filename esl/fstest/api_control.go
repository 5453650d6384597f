package fstest

import (
	"strings"
	"time"
)

func apiGlobalGetvar(s *Server, name string) string {
	if name == "" {
		var b strings.Builder
		for _, f := range s.globals.fields {
			b.WriteString(f.name + "=" + f.value + "\n")
		}
		return b.String()
	}
	value, _ := s.globals.get(name)
	return value
}

// apiGlobalSetvar is "name=value" or, as compare and swap, "name=value=expected":
// the latter replies +OK either way and does nothing to a variable that is not set.
func apiGlobalSetvar(s *Server, arguments string) string {
	parts := strings.SplitN(arguments, "=", 3)
	if parts[0] == "" {
		return "-USAGE: <var>=<value> [=<value2>]\n"
	}
	value := ""
	if len(parts) > 1 {
		value = parts[1]
	}
	if len(parts) == 3 && parts[2] != "" {
		if before, ok := s.globals.get(parts[0]); ok && before == parts[2] {
			s.globals.set(parts[0], value)
		}
		return "+OK"
	}
	s.globals.set(parts[0], value)
	return "+OK"
}

// apiHash is mod_hash: "insert|insert_ifempty|select|delete|delete_ifmatch/realm/key[/value]".
func apiHash(s *Server, arguments string) string {
	parts := strings.SplitN(arguments, "/", 4)
	if len(parts) < 3 {
		return "-ERR Usage: hash insert|insert_ifempty|select|delete|delete_ifmatch/realm/key[/value]\n"
	}
	key := parts[1] + "_" + parts[2]
	before, exists := s.hash[key]
	value := ""
	if len(parts) == 4 {
		value = parts[3]
	}
	switch operation := strings.ToLower(parts[0]); {
	case operation == "select":
		return before
	case operation == "delete" && !exists, operation == "delete_ifmatch" && len(parts) == 4 && !exists:
		return "-ERR Not found\n"
	case operation == "delete":
		delete(s.hash, key)
	case len(parts) < 4:
		return "-ERR Usage: hash insert|insert_ifempty|select|delete|delete_ifmatch/realm/key[/value]\n"
	case operation == "insert_ifempty" && exists:
		return "-ERR key already exists\n"
	case operation == "delete_ifmatch" && before != value:
		return "-ERR Doesn't match\n"
	case operation == "delete_ifmatch":
		delete(s.hash, key)
	case operation == "insert", operation == "insert_ifempty":
		if len(s.hash) >= maxHashEntries && !exists {
			return "-ERR memory error\n"
		}
		s.hash[key] = value
	default:
		return "-ERR Usage: hash insert|insert_ifempty|select|delete|delete_ifmatch/realm/key[/value]\n"
	}
	return "+OK\n"
}

func apiFsctl(s *Server, arguments string) string {
	words := strings.Fields(arguments + " - -")
	boolean := func(b bool) string {
		if b {
			return "true"
		}
		return "false"
	}
	switch words[0] {
	case "pause", "resume":
		on := words[0] == "pause"
		if words[1] != "outbound" {
			s.paused.inbound = on
		}
		if words[1] != "inbound" {
			s.paused.outbound = on
		}
		return "+OK\n"
	case "pause_check":
		switch words[1] {
		case "inbound":
			return boolean(s.paused.inbound)
		case "outbound":
			return boolean(s.paused.outbound)
		}
		return boolean(s.paused.inbound && s.paused.outbound)
	case "ready_check":
		return boolean(!s.closing)
	case "shutdown_check":
		return boolean(s.closing)
	case "hupall":
		return strings.Replace(apiHupall(s, ""), "hangup all channels with cause MANAGER_REQUEST", "", 1)
	case "verbose_events":
		return "+OK verbose_events is " + words[1] + " \n"
	case "last_sps":
		return "+OK last sessions per second: " + itoa(s.sessions.lastSecond) + "\n"
	case "max_sessions":
		return "+OK max sessions: " + itoa(s.options.MaxChannels) + "\n"
	case "sps":
		return "+OK sessions per second: 1000\n"
	case "loglevel":
		return "+OK log level: DEBUG [7]\n"
	case "shutdown":
		s.shutDown(words[1])
		return "+OK\n"
	default:
		return "-ERR Invalid command\n"
	}
}

// shutDown ends the engine: with its last call when it is to be "asap" (no new
// calls) or "elegant" (new calls still), else now.
func (s *Server) shutDown(how string) {
	s.paused.inbound = s.paused.inbound || how == "asap"
	s.draining = true
	if how != "asap" && how != "elegant" {
		for _, c := range s.order {
			c.hangup(causeSystemShutdown)
		}
	}
	s.closeWhenEmpty()
}

// closeWhenEmpty closes a server that is to shut down once it has no call left.
func (s *Server) closeWhenEmpty() {
	if s.draining && len(s.channels) == 0 {
		s.draining = false
		time.AfterFunc(0, func() { s.Close() }) // not from here: Close waits for us
	}
}

func apiHupall(s *Server, arguments string) string {
	cause := causeManagerRequest
	if arguments != "" {
		cause = causeByName(strings.Fields(arguments)[0])
	}
	for i := len(s.order) - 1; i >= 0; i-- {
		s.order[i].hangup(cause)
	}
	return "+OK hangup all channels with cause " + causeName(cause) + "\n"
}
