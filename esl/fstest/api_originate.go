package fstest

import (
	"strings"
)

// apiOriginate is "{vars}dialstring &app(data)" or "dialstring exten ...". It
// answers when the call is answered, rings with early media, or has failed.
func apiOriginate(s *Server, arguments string) string {
	dialString, then := cutDialString(arguments)
	if dialString == "" || then == "" {
		return "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]\n"
	}
	plan, err := parseDialString(dialString)
	if err != nil {
		return "-ERR " + causeName(causeDestinationOutOfOrder) + "\n"
	}
	actions := parkAction
	if app, ok := strings.CutPrefix(then, "&"); ok {
		name, data, _ := strings.Cut(app, "(")
		actions = []action{{name, strings.TrimSuffix(data, ")")}}
	}
	d := s.newDial(nil, plan.vars)
	leg, cause := d.run(plan)
	if leg == nil {
		return "-ERR " + causeName(cause) + "\n"
	}
	leg.originator = nil
	leg.flipCallerID()
	leg.send(&redirect{actions: actions, direct: true})
	return "+OK " + leg.uuid + "\n"
}

// flipCallerID makes an originated leg look like a caller
// (switch_channel_flip_cid): who was called becomes who calls.
func (c *channel) flipCallerID() {
	p := &c.profile
	c.vars.set("pre_transfer_caller_id_number", p.callerNumber)
	c.vars.set("channel_cid_flipped", "yes")
	p.callerName, p.calleeName = p.calleeName, p.callerName
	p.callerNumber, p.calleeNumber = p.calleeNumber, p.callerNumber
}

// cutDialString splits at the first space outside brackets; a dial string in
// quotes ends with its quote.
func cutDialString(arguments string) (dialString, rest string) {
	arguments = strings.TrimSpace(arguments)
	if strings.HasPrefix(arguments, "'") {
		if end := strings.IndexByte(arguments[1:], '\''); end > 0 {
			return arguments[1 : end+1], strings.TrimSpace(arguments[end+2:])
		}
	}
	parts := splitOutside(arguments, ' ')
	return parts[0], strings.TrimSpace(strings.TrimPrefix(arguments, parts[0]))
}

func apiSchedHangup(s *Server, arguments string) string {
	words := strings.Fields(arguments)
	if len(words) < 2 {
		return "-USAGE: [+]<time> <uuid> [<cause>]\n"
	}
	c, ok := s.find(words[1])
	if !ok {
		return "-ERR No such channel!\n"
	}
	runSchedHangup(c, words[0]+" "+strings.Join(words[2:], " "))
	return "+OK\n"
}
