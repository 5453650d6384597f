package esl

import (
	"strings"
)

// fixed is an api command without arguments from outside.
func fixed(line string) API {
	name, _, _ := strings.Cut(line, " ")
	return newBuilder(name).add(line).api()
}

// onChannel begins an api command whose first argument is a channel.
func onChannel(name, uuid string) *builder {
	return newBuilder(name).add(name, " ").arg("uuid", uuid, checkUUID)
}

// UUIDKill hangs up a channel at once.
func UUIDKill(uuid, cause string) API {
	return onChannel("uuid_kill", uuid).add(" ").arg("cause", cause, checkCause).api()
}

// UUIDAnswer answers a channel that is not answered yet. One that is answered already stays so.
func UUIDAnswer(uuid string) API { return onChannel("uuid_answer", uuid).api() }

// UUIDExists answers "true" or "false".
func UUIDExists(uuid string) API { return onChannel("uuid_exists", uuid).api() }

// UUIDDump answers all facts about a channel as one JSON object of strings.
func UUIDDump(uuid string) API { return onChannel("uuid_dump", uuid).add(" json").api() }

// UUIDGetvar answers a variable's value, "_undef_" when it is not set.
func UUIDGetvar(uuid, name string) API {
	return onChannel("uuid_getvar", uuid).add(" ").arg("name", name, checkVariableName).api()
}

// UUIDSetvar sets a variable without the channel's thread. The value may hold
// anything but control characters, $, \, the quote ' and blanks at its ends.
func UUIDSetvar(uuid, name, value string) API {
	b := onChannel("uuid_setvar", uuid).add(" ").arg("name", name, checkVariableName)
	return b.add(" ").arg("value", value, func(s string) *offence { return checkVariable(name, s, checkArgValue) }).api()
}

// UUIDUnsetvar removes a variable.
func UUIDUnsetvar(uuid, name string) API {
	return onChannel("uuid_setvar", uuid).add(" ").arg("name", name, checkVariableName).api()
}

// UUIDSetvarMulti sets 1 to 60 variables in one go; values as for UUIDSetvar.
func UUIDSetvarMulti(uuid string, vars ...Var) API {
	const maxVars = 60 // FreeSWITCH takes 64
	b := onChannel("uuid_setvar_multi", uuid).add(" ")
	if len(vars) == 0 || len(vars) > maxVars {
		b.check("variables", refuse("not 1 to 60", -1))
		return b.api()
	}
	b.addVariables("channel", vars, ';', checkArgValue)
	return b.api()
}

// UUIDBridge joins two channels that are up.
func UUIDBridge(uuid, other string) API {
	return onChannel("uuid_bridge", uuid).add(" ").arg("other uuid", other, checkUUID).api()
}

// UUIDTransferPark takes a channel out of what it does and parks it; with both
// also the channel that it is bridged to. There is no transfer to anything else.
func UUIDTransferPark(uuid string, both bool) API {
	b := onChannel("uuid_transfer", uuid)
	if both {
		b.add(" -both")
	}
	return b.add(" park inline").api()
}

// UUIDBreak stops what plays on a channel; all also drops what is queued there.
func UUIDBreak(uuid string, all bool) API {
	b := onChannel("uuid_break", uuid)
	if all {
		b.add(" all")
	}
	return b.api()
}

// Originate dials and parks the leg that answers; the reply is "+OK <uuid>" or
// "-ERR <cause>", after as long as the ringing takes: use Background. Give
// origination_uuid and originate_timeout among the variables.
func Originate(dial DialString) API {
	b := newBuilder("originate").add("originate '")
	dial.render(b)
	return b.add("' &park()").api()
}

// ShowChannels answers {"row_count":N,"rows":[...]}; without rows when N is 0.
func ShowChannels() API { return fixed("show channels as json") }

// ShowCalls answers the same of calls: two legs a row.
func ShowCalls() API { return fixed("show calls as json") }

// Status answers FreeSWITCH's status page.
func Status() API { return fixed("status") }

// Version answers FreeSWITCH's version line.
func Version() API { return fixed("version") }

// GlobalGetvar answers a global variable; unset reads "-ERR no reply".
func GlobalGetvar(name string) API {
	return newBuilder("global_getvar").add("global_getvar ").arg("name", name, checkVariableName).api()
}

// GlobalSetvarCAS sets a global variable if it holds old. The reply is +OK
// either way, and an unset variable stays unset: read it back.
func GlobalSetvarCAS(name, value, old string) API {
	b := newBuilder("global_setvar").add("global_setvar ").arg("name", name, checkVariableName)
	b.add("=").arg("value", value, checkToken)
	return b.add("=").arg("old value", old, checkToken).api()
}

// HashInsertIfEmpty sets a key of mod_hash that has no value: +OK, or
// "-ERR key already exists".
func HashInsertIfEmpty(realm, key, value string) API {
	return hash("insert_ifempty", realm, key).add("/").arg("value", value, checkToken).api()
}

// HashDeleteIfMatch deletes a key that has this value: +OK, "-ERR Doesn't
// match" or "-ERR Not found".
func HashDeleteIfMatch(realm, key, value string) API {
	return hash("delete_ifmatch", realm, key).add("/").arg("value", value, checkToken).api()
}

// HashSelect answers a key's value; no value reads "-ERR no reply".
func HashSelect(realm, key string) API { return hash("select", realm, key).api() }

// hash joins realm and key by _, as FreeSWITCH does: choose realms without it.
func hash(verb, realm, key string) *builder {
	b := newBuilder("hash").add("hash ", verb, "/").arg("realm", realm, checkToken)
	return b.add("/").arg("key", key, checkToken)
}

// PauseInbound makes new calls get 503 while live ones go on.
func PauseInbound() API { return fixed("fsctl pause inbound") }

// ResumeInbound undoes PauseInbound.
func ResumeInbound() API { return fixed("fsctl resume inbound") }

// InboundPaused answers "true" or "false"; Status says "is ready" either way.
func InboundPaused() API { return fixed("fsctl pause_check inbound") }

// ShutdownWhenEmpty refuses new calls with 503 and ends FreeSWITCH after the
// last call. Its reply may not come before that: use Background.
func ShutdownWhenEmpty() API { return fixed("fsctl shutdown asap") }
