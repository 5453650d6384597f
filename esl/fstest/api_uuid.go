package fstest

import (
	"bytes"
	"strings"
)

const noSuchChannel = "-ERR No such channel!\n"

func apiUUIDExists(s *Server, id string) string {
	if _, ok := s.find(id); ok {
		return "true"
	}
	return "false"
}

func apiUUIDKill(s *Server, arguments string) string {
	id, name, _ := strings.Cut(arguments, " ")
	if id == "" {
		return "-USAGE: <uuid> [cause]\n"
	}
	c, ok := s.find(id)
	if !ok {
		return noSuchChannel
	}
	cause := causeNormalClearing
	if name != "" {
		cause = causeByName(name)
	}
	c.hangup(cause)
	return "+OK\n"
}

func apiUUIDGetvar(s *Server, arguments string) string {
	id, name, ok := strings.Cut(arguments, " ")
	if !ok {
		return "-USAGE: <uuid> <var>\n"
	}
	c, found := s.find(id)
	if !found {
		return noSuchChannel
	}
	if value, ok := c.vars.get(name); ok {
		return value
	}
	return "_undef_"
}

func apiUUIDSetvar(s *Server, arguments string) string {
	parts := strings.SplitN(arguments, " ", 3)
	if len(parts) < 2 {
		return "-USAGE: <uuid> <var> [value]\n"
	}
	c, ok := s.find(parts[0])
	if !ok {
		return noSuchChannel
	}
	value := ""
	if len(parts) == 3 {
		value = parts[2]
	}
	c.vars.set(parts[1], value)
	return "+OK\n"
}

// apiUUIDSetvarMulti is "uuid a=1;b=2".
func apiUUIDSetvarMulti(s *Server, arguments string) string {
	id, pairs, ok := strings.Cut(arguments, " ")
	if !ok {
		return "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"
	}
	c, found := s.find(id)
	if !found {
		return noSuchChannel
	}
	for _, pair := range strings.Split(pairs, ";") {
		name, value, _ := strings.Cut(pair, "=")
		c.vars.set(name, value)
	}
	return "+OK\n"
}

// apiUUIDDump shows a whole channel, as text or as "json".
func apiUUIDDump(s *Server, arguments string) string {
	id, format, _ := strings.Cut(arguments, " ")
	if id == "" {
		return "-USAGE: <uuid> [format]\n"
	}
	c, ok := s.find(id)
	if !ok {
		return noSuchChannel
	}
	e := s.newEvent("CHANNEL_DATA", "")
	c.addBasics(e)
	for _, f := range c.vars.fields {
		e.fields = append(e.fields, field{"variable_" + f.name, f.value})
	}
	s.fire(e)
	if strings.EqualFold(format, "json") {
		return string(e.asJSON())
	}
	var b bytes.Buffer
	for _, f := range e.fields {
		b.WriteString(f.name + ": " + f.value + "\n")
	}
	b.WriteByte('\n')
	return b.String()
}

// apiUUIDBridge is "uuid other [third]": the third is tried when the other will not do.
func apiUUIDBridge(s *Server, arguments string) string {
	ids := strings.Fields(arguments)
	if len(ids) < 2 {
		return "-USAGE: <uuid> <other_uuid>\n"
	}
	for _, other := range ids[1:min(len(ids), 3)] {
		if s.uuidBridge(ids[0], other) {
			return "+OK " + other + "\n"
		}
	}
	return "-ERR Invalid uuid\n"
}

// apiUUIDTransfer is "uuid [-bleg|-both] dest [dialplan] [context]".
func apiUUIDTransfer(s *Server, arguments string) string {
	words := strings.Fields(arguments)
	if len(words) < 2 || len(words) > 5 {
		return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
	}
	c, ok := s.find(words[0])
	if !ok {
		return noSuchChannel
	}
	words = words[1:]
	switch which := words[0]; {
	case which == "-bleg" && len(words) > 1:
		words = words[1:]
		if c.partner != nil {
			c = c.partner
		}
	case which == "-both" && len(words) > 1:
		words = words[1:]
		if c.partner != nil {
			c.partner.transferTo(words)
		}
	}
	c.transferTo(words)
	return "+OK\n"
}

// apiUUIDBreak stops the running file; "all" drops what is queued as well.
func apiUUIDBreak(s *Server, arguments string) string {
	id, flags, _ := strings.Cut(arguments, " ")
	if id == "" {
		return "-USAGE: <uuid> [all]\n"
	}
	c, ok := s.find(id)
	if !ok {
		return noSuchChannel
	}
	if strings.Contains(flags, "all") {
		c.queue = nil
	}
	c.broken = true
	c.notify()
	return "+OK\n"
}

func apiUUIDAnswer(s *Server, id string) string {
	c, ok := s.find(id)
	if !ok {
		return noSuchChannel
	}
	c.answer()
	c.notify()
	return "+OK\n"
}

// apiUUIDBroadcast plays a file, or runs "app::data", on the A-leg.
func apiUUIDBroadcast(s *Server, arguments string) string {
	words := strings.Fields(arguments)
	if len(words) < 2 {
		return "-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n"
	}
	c, ok := s.find(words[0])
	if !ok {
		return "-ERR invalid uuid\n"
	}
	app, data := "playback", words[1]
	if name, rest, found := strings.Cut(words[1], "::"); found {
		app, data = name, rest
	}
	c.enqueue(&command{line: "sendmsg", fields: []field{
		{"call-command", "execute"}, {"execute-app-name", app}, {"execute-app-arg", data},
	}})
	return "+OK Message sent\n"
}

// apiUUIDRecvDTMF presses keys in the phone's name.
func apiUUIDRecvDTMF(s *Server, arguments string) string {
	id, keys, _ := strings.Cut(arguments, " ")
	c, ok := s.find(id)
	if !ok {
		return "-ERR Cannot locate session!\n"
	}
	for _, key := range []byte(strings.ToUpper(strings.SplitN(keys, "@", 2)[0])) {
		if strings.IndexByte(eventKeys, key) >= 0 {
			c.pressed(digit{key: key, duration: 2000, source: "APP"})
		}
	}
	return "+OK " + id + " received DTMF " + keys + ".\n"
}

// apiUUIDAcknowledge stands for commands without an effect that signalling shows.
func apiUUIDAcknowledge(s *Server, arguments string) string {
	words := strings.Fields(arguments)
	for _, word := range words {
		if _, ok := s.find(word); ok {
			return "+OK Success\n"
		}
	}
	return noSuchChannel
}
