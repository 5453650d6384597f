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

// newAPICommands are those that the stand-in has.
func newAPICommands() map[string]apiCommand {
	return map[string]apiCommand{
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
	run, ok := s.commands[name]
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
