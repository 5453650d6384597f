package fstest

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// version is what the stand-in says of itself where FreeSWITCH says its version.
const version = "1.11.0-standin"

// apiCommand answers an api command; arguments are what follows its name.
type apiCommand func(s *Server, arguments string) string

// apiCommands are those that the stand-in has.
var apiCommands map[string]apiCommand

func init() { // breaks the cycle originate -> applications -> transfer -> originate
	apiCommands = map[string]apiCommand{
		"status":                 apiStatus,
		"version":                func(*Server, string) string { return "FreeSWITCH Version " + version + "~64bit (stand-in, no audio)\n" },
		"hostname":               func(s *Server, _ string) string { return s.hostname },
		"uptime":                 func(s *Server, _ string) string { return itoa(int(time.Since(s.started).Seconds())) },
		"strepoch":               func(*Server, string) string { return itoa(int(time.Now().Unix())) },
		"echo":                   func(_ *Server, text string) string { return text },
		"create_uuid":            func(*Server, string) string { return uuid.NewString() },
		"sofia":                  apiSofia,
		"reloadxml":              func(*Server, string) string { return "+OK [Success]\n" },
		"global_getvar":          apiGlobalGetvar,
		"global_setvar":          apiGlobalSetvar,
		"hash":                   apiHash,
		"fsctl":                  apiFsctl,
		"show":                   apiShow,
		"hupall":                 apiHupall,
		"originate":              apiOriginate,
		"uuid_exists":            apiUUIDExists,
		"uuid_kill":              apiUUIDKill,
		"uuid_getvar":            apiUUIDGetvar,
		"uuid_setvar":            apiUUIDSetvar,
		"uuid_setvar_multi":      apiUUIDSetvarMulti,
		"uuid_dump":              apiUUIDDump,
		"uuid_bridge":            apiUUIDBridge,
		"uuid_transfer":          apiUUIDTransfer,
		"uuid_break":             apiUUIDBreak,
		"break":                  apiUUIDBreak,
		"uuid_answer":            apiUUIDAnswer,
		"uuid_pre_answer":        apiUUIDAnswer,
		"uuid_park":              func(s *Server, id string) string { return apiUUIDTransfer(s, id+" park inline") },
		"uuid_broadcast":         apiUUIDBroadcast,
		"uuid_display":           apiUUIDAcknowledge,
		"uuid_recv_dtmf":         apiUUIDRecvDTMF,
		"uuid_send_dtmf":         apiUUIDAcknowledge,
		"uuid_record":            apiUUIDAcknowledge,
		"uuid_phone_event":       apiUUIDAcknowledge,
		"uuid_hold":              apiUUIDAcknowledge,
		"sched_hangup":           apiSchedHangup,
		"module_exists":          func(*Server, string) string { return "true" },
		"log":                    func(*Server, string) string { return "+OK\n" },
		"console":                func(*Server, string) string { return "+OK\n" },
		"load":                   func(*Server, string) string { return "+OK\n" },
		"sofia_count_reg":        func(*Server, string) string { return "-1" },
		"limit_usage":            func(*Server, string) string { return "0" },
		"uuid_media_reneg":       apiUUIDAcknowledge,
		"uuid_flush_dtmf":        apiUUIDAcknowledge,
		"uuid_session_heartbeat": apiUUIDAcknowledge,
	}
}

// runAPI runs "name arguments" and returns its answer as the engine would.
func (s *Server) runAPI(text string) string {
	name, arguments, _ := strings.Cut(text, " ")
	if s.wanted("API", "") {
		e := s.newEvent("API", "")
		e.add("API-Command", name)
		e.add("API-Command-Argument", arguments)
		s.fire(e)
	}
	run, ok := apiCommands[name]
	if !ok {
		return "-ERR " + name + " Command not found!\n"
	}
	return run(s, arguments)
}

// upTime is how FreeSWITCH spells the time since its start.
func (s *Server) upTime() string {
	d := time.Since(s.started)
	return fmt.Sprintf("%d years, %d days, %d hours, %d minutes, %d seconds, %d milliseconds, %d microseconds",
		int(d.Hours())/8760, int(d.Hours())/24%365, int(d.Hours())%24, int(d.Minutes())%60, int(d.Seconds())%60,
		d.Milliseconds()%1000, d.Microseconds()%1000)
}

func apiStatus(s *Server, _ string) string {
	return fmt.Sprintf("UP %s\nFreeSWITCH (Version %s stand-in, no audio) is ready\n%d session(s) since startup\n"+
		"%d session(s) - peak %d, last 5min %d \n%d session(s) per Sec out of max 1000, peak %d, last 5min %d \n"+
		"%d session(s) max\nmin idle cpu 0.00/100.00\nCurrent Stack Size/Max 240K/240K\n",
		s.upTime(), version, s.sessions.total, len(s.order), s.sessions.peak, s.sessions.peak,
		s.sessions.lastSecond, s.sessions.peakSecond, s.sessions.peakSecond, s.options.MaxChannels)
}

func apiSofia(s *Server, arguments string) string {
	if !strings.HasPrefix(arguments, "status") {
		return "+OK\n"
	}
	const line = "=================================================================================================\n"
	return "                     Name\t   Type\t                                      Data\tState\n" + line +
		"                 " + s.options.Profiles[0] + "\tprofile\t           sip:mod_sofia@" + s.sip.hostPort() +
		"\tRUNNING (" + itoa(len(s.order)) + ")\n" + line + "1 profile 0 aliases\n\n"
}

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
		s.paused.inbound = s.paused.inbound || words[1] == "asap"
		return "+OK\n"
	default:
		return "-ERR Invalid command\n"
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
