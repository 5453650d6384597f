package esl

import (
	"strconv"
	"strings"
	"time"
)

// maxSleep bounds Sleep and the timeouts of PlayAndGetDigits.
const maxSleep = 24 * time.Hour

// execute begins a sendmsg that runs an application on a channel. id comes back
// as Application-UUID of the application's events; empty: FreeSWITCH makes one.
//
// An application that is not in FreeSWITCH's list hangs up the call, which is
// why the names are fixed here.
func execute(app, uuid, id string) *builder {
	b := newBuilder(app)
	b.add("sendmsg ").arg("uuid", uuid, checkUUID)
	b.add("\ncall-command: execute\nexecute-app-name: ", app)
	if id != "" {
		b.add("\nevent-uuid: ").arg("id", id, checkID)
	}
	return b
}

const argHeader = "\nexecute-app-arg: "

// finishExecute ends a sendmsg: its lines are the first, the call-command, the
// name, the id and the argument if there are any, and the empty one.
func finishExecute(b *builder, id string, hasArg bool) Message {
	lines := 4
	if id != "" {
		lines++
	}
	if hasArg {
		lines++
	}
	b.add("\n\n")
	return b.message(lines)
}

// Answer answers the call.
func Answer(uuid, id string) Message { return finishExecute(execute("answer", uuid, id), id, false) }

// RingReady sends 180 Ringing.
func RingReady(uuid, id string) Message {
	return finishExecute(execute("ring_ready", uuid, id), id, false)
}

// Respond refuses an unanswered call with a SIP code that no cause stands for: 400 to 699. The phrase is FreeSWITCH's own, or
// "Anonymity Disallowed" for 433 (RFC 5079). Hangup-Cause becomes what FreeSWITCH makes of the code (sofia_glue.c,
// sofia_glue_sip_cause_to_freeswitch).
func Respond(uuid, id string, code int) Message {
	b := execute("respond", uuid, id)
	b.check("code", checkRange(code, 400, 699))
	b.add(argHeader, strconv.Itoa(code))
	if code == 433 {
		b.add(" Anonymity Disallowed")
	}
	return finishExecute(b, id, true)
}

// PreAnswer sends 183 with media.
func PreAnswer(uuid, id string) Message {
	return finishExecute(execute("pre_answer", uuid, id), id, false)
}

// Park parks the call. It ends only by what ends a park (break, transfer, hang-up).
func Park(uuid, id string) Message { return finishExecute(execute("park", uuid, id), id, false) }

// Playback plays a file or stream (see checkPrompt). A missing file does not
// hang up: Application-Response says FILE NOT FOUND.
func Playback(uuid, id, file string) Message {
	b := execute("playback", uuid, id).add(argHeader).arg("file", file, checkPrompt)
	return finishExecute(b, id, true)
}

// Sleep does nothing for a while, in whole milliseconds.
func Sleep(uuid, id string, d time.Duration) Message {
	b := execute("sleep", uuid, id).add(argHeader)
	b.check("duration", checkDuration(d))
	b.add(milliseconds(d))
	return finishExecute(b, id, true)
}

// Set sets a channel variable. The value may hold anything but control
// characters, $ and \; to empty a variable use Unset.
func Set(uuid, id, name, value string) Message {
	b := execute("set", uuid, id).add(argHeader)
	b.arg("name", name, checkVariableName).add("=")
	b.arg("value", value, func(s string) *offence { return checkVariable(name, s, checkValue) })
	return finishExecute(b, id, true)
}

// Unset removes a channel variable.
func Unset(uuid, id, name string) Message {
	b := execute("unset", uuid, id).add(argHeader).arg("name", name, checkVariableName)
	return finishExecute(b, id, true)
}

// Bridge dials and connects. Without continue_on_fail on the channel a failure
// hangs it up with the other leg's cause.
func Bridge(uuid, id string, dial DialString) Message {
	b := execute("bridge", uuid, id).add(argHeader)
	dial.render(b)
	return finishExecute(b, id, true)
}

// Eavesdrop lets a channel hear another, until that one is gone. Who hears the channel, and whether its digits change that, is
// set by variables beforehand: eavesdrop_enable_dtmf, eavesdrop_whisper_aleg, eavesdrop_whisper_bleg.
func Eavesdrop(uuid, id, other string) Message {
	b := execute("eavesdrop", uuid, id).add(argHeader).arg("other uuid", other, checkUUID)
	return finishExecute(b, id, true)
}

// Hangup hangs up from the channel's own thread, after what is queued there.
// UUIDKill does it at once.
func Hangup(uuid, cause string) Message {
	b := newBuilder("hangup")
	b.add("sendmsg ").arg("uuid", uuid, checkUUID)
	b.add("\ncall-command: hangup\nhangup-cause: ").arg("cause", cause, checkCause)
	return b.add("\n\n").message(4)
}

// Locked makes the channel finish this application before it looks at its next
// message (event-lock). Without it a message that comes while an application
// runs is executed inside that one, which then goes on.
func (m Message) Locked() Message {
	if m.err == nil && strings.HasPrefix(m.text, "sendmsg ") {
		m.text = strings.TrimSuffix(m.text, "\n") + "event-lock: true\n\n"
	}
	return m
}

// DigitsRequest is what PlayAndGetDigits plays and waits for.
type DigitsRequest struct {
	Min, Max, Tries int           // 0 <= Min <= Max <= 64, 1 <= Tries <= 100
	Timeout         time.Duration // for the first digit; FreeSWITCH takes at least 1 s
	DigitTimeout    time.Duration // between digits; 0: as Timeout
	Terminators     string        // digits, or "none"; empty: "#"
	Prompt          string        // see Playback
	InvalidPrompt   string        // played after a wrong entry; empty: nothing
	Variable        string        // gets the digits; <Variable>_invalid gets wrong ones
	Pattern         string        // regular expression without blank, backslash, quote; empty: any digits
}

// PlayAndGetDigits plays a prompt and collects digits into a variable. Digits
// that do not match give read_result=success with the variable unset and
// <Variable>_invalid set; a timeout gives read_result=failure.
func PlayAndGetDigits(uuid, id string, r DigitsRequest) Message {
	const maxTries = 100
	b := execute("play_and_get_digits", uuid, id).add(argHeader)
	b.check("min", checkRange(r.Min, 0, maxDigitsBytes))
	b.check("max", checkRange(r.Max, max(1, r.Min), maxDigitsBytes))
	b.check("tries", checkRange(r.Tries, 1, maxTries))
	b.check("timeout", checkDuration(r.Timeout))
	b.check("digit timeout", checkDuration(r.DigitTimeout))
	if r.DigitTimeout == 0 {
		r.DigitTimeout = r.Timeout
	}
	if r.Terminators == "" {
		r.Terminators = "#"
	}
	if r.InvalidPrompt == "" {
		r.InvalidPrompt = "silence_stream://10" // an argument's place cannot stay empty
	}
	if r.Pattern == "" {
		r.Pattern = "^.*$"
	}
	b.add(strconv.Itoa(r.Min), " ", strconv.Itoa(r.Max), " ", strconv.Itoa(r.Tries), " ", milliseconds(r.Timeout), " ")
	b.arg("terminators", r.Terminators, checkTerminators).add(" ")
	b.arg("prompt", r.Prompt, checkPrompt).add(" ")
	b.arg("invalid prompt", r.InvalidPrompt, checkPrompt).add(" ")
	b.arg("variable", r.Variable, checkVariableName).add(" ")
	b.arg("pattern", r.Pattern, checkPattern).add(" ", milliseconds(r.DigitTimeout))
	return finishExecute(b, id, true)
}

func checkTerminators(s string) *offence {
	if s == "none" {
		return nil
	}
	return checkDigits(s)
}

// checkPattern accepts a regular expression over digits. $ may stand at the
// very end alone, so that no ${ can appear.
func checkPattern(s string) *offence {
	return checkChars(strings.TrimSuffix(s, "$"), maxTokenBytes, func(c byte) bool {
		return isAlnum(c) || strings.IndexByte("*#[](){}|+?.,^-", c) >= 0
	})
}

func checkRange(n, low, high int) *offence {
	if n < low || n > high {
		return refuse("out of range", -1)
	}
	return nil
}

func checkDuration(d time.Duration) *offence {
	if d < 0 || d > maxSleep {
		return refuse("out of range", -1)
	}
	return nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
