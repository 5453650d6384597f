package fstest

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// application is one that sendmsg or a dialplan can execute.
type application struct {
	run        func(c *channel, data string)
	needsMedia bool // the engine pre-answers before CHANNEL_EXECUTE (no SAF_SUPPORT_NOMEDIA)
}

// newApplications are those that the stand-in has; any other hangs the call up.
func newApplications() map[string]application {
	return map[string]application{
		"answer":               {run: func(c *channel, _ string) { c.answer() }},
		"pre_answer":           {run: func(c *channel, _ string) { c.preAnswer() }},
		"ring_ready":           {run: func(c *channel, _ string) { c.ringReady() }},
		"respond":              {run: runRespond},
		"hangup":               {run: runHangup},
		"set":                  {run: runSet},
		"unset":                {run: func(c *channel, data string) { c.vars.unset(data) }},
		"multiset":             {run: runMultiset},
		"multiunset":           {run: runMultiunset},
		"export":               {run: runExport},
		"sleep":                {run: runSleep},
		"park":                 {run: runPark},
		"transfer":             {run: runTransfer},
		"sched_hangup":         {run: runSchedHangup},
		"event":                {run: ignore},
		"log":                  {run: ignore},
		"info":                 {run: ignore},
		"flush_dtmf":           {run: func(c *channel, _ string) { c.digits = nil }},
		"start_dtmf":           {run: ignore, needsMedia: true},
		"stop_dtmf":            {run: ignore, needsMedia: true},
		"bridge":               {run: runBridge},
		"conference":           {run: runConference, needsMedia: true},
		"eavesdrop":            {run: runEavesdrop, needsMedia: true},
		"playback":             {run: runPlayback, needsMedia: true},
		"endless_playback":     {run: runEndlessPlayback, needsMedia: true},
		"gentones":             {run: runGentones, needsMedia: true},
		"play_and_get_digits":  {run: runPlayAndGetDigits, needsMedia: true},
		"record":               {run: runRecord, needsMedia: true},
		"send_dtmf":            {run: ignore, needsMedia: true},
		"queue_dtmf":           {run: ignore, needsMedia: true},
		"set_audio_level":      {run: ignore},
		"clear_digit_action":   {run: ignore},
		"wait_for_answer":      {run: runWaitForAnswer},
		"acknowledge_call":     {run: ignore},
		"set_profile_var":      {run: ignore},
		"sched_cancel":         {run: ignore},
		"stop_playback":        {run: ignore},
		"stop_record_session":  {run: runStopRecordSession},
		"record_session":       {run: runRecordSession, needsMedia: true},
		"speak":                {run: ignore, needsMedia: true},
		"record_session_pause": {run: ignore},
	}
}

// ignore stands for an application whose effect nobody can hear or see here.
func ignore(*channel, string) {}

// runPark waits for orders (switch_ivr.c, switch_ivr_park).
func runPark(c *channel, _ string) {
	var deadline time.Time
	cause := causeNormalClearing
	if text, ok := c.vars.get("park_timeout"); ok {
		seconds, name, hasCause := strings.Cut(text, ":")
		if hasCause {
			cause = causeByName(name)
		}
		deadline = time.Now().Add(time.Duration(atoi(seconds)) * time.Second)
		c.vars.unset("park_timeout")
		c.vars.unset("park_after_bridge")
	}
	c.fire("CHANNEL_PARK")
	c.idle(deadline, func() bool {
		c.drainDigits()
		return false
	})
	if c.ready() {
		c.hangup(cause) // park_timeout
	}
	if !c.stopped() {
		c.fire("CHANNEL_UNPARK")
	}
}

// runHangup is the hangup application; no argument means NORMAL_CLEARING.
func runHangup(c *channel, data string) {
	cause := causeNormalClearing
	if data != "" {
		cause = causeByName(data)
	}
	c.hangup(cause)
}

// runRespond answers an INVITE with a code of one's own: "486 Busy, really".
func runRespond(c *channel, data string) {
	number, reason, _ := strings.Cut(data, " ")
	code := atoi(number)
	if code == 0 {
		code = 488
	}
	if reason == "" {
		reason = sipPhrase(code)
	}
	c.leg.respondWith(code, reason)
}

// runSet is set: "name=value"; an empty value unsets (mod_dptools, base_set).
func runSet(c *channel, data string) {
	name, value, ok := strings.Cut(data, "=")
	if !ok || name == "" {
		return
	}
	if value == "_undef_" {
		value = ""
	}
	c.vars.set(name, value)
}

// runMultiset is multiset: "a=1 b=2", or "^^:a=1:b=2" with a separator of one's own.
func runMultiset(c *channel, data string) {
	for _, pair := range splitDelimited(data, ' ') {
		runSet(c, pair)
	}
}

func runMultiunset(c *channel, data string) {
	for _, name := range splitDelimited(data, ' ') {
		c.vars.unset(name)
	}
}

// splitDelimited splits at a separator, which a leading "^^X" replaces by X.
func splitDelimited(data string, separator byte) []string {
	if rest, ok := strings.CutPrefix(data, "^^"); ok && rest != "" {
		separator, data = rest[0], rest[1:]
	}
	return strings.Split(data, string(separator))
}

// runExport sets a variable here and on the legs that this one dials.
func runExport(c *channel, data string) {
	local := true
	if rest, ok := strings.CutPrefix(data, "nolocal:"); ok {
		local, data = false, rest
	}
	name, value, ok := strings.Cut(data, "=")
	if !ok || name == "" {
		return
	}
	exported := name
	if local {
		c.vars.set(name, value)
	} else {
		exported = "nolocal:" + name
		c.vars.set(exported, value)
	}
	if before, ok := c.vars.get("export_vars"); ok {
		exported = before + "," + exported
	}
	c.vars.set("export_vars", exported)
}

// runSleep waits so many milliseconds.
func runSleep(c *channel, data string) {
	ms := atoi(data)
	if ms <= 0 {
		return
	}
	c.idle(time.Now().Add(time.Duration(ms)*time.Millisecond), func() bool {
		c.drainDigits()
		return c.broken
	})
}

// runTransfer is the transfer application.
func runTransfer(c *channel, data string) {
	words := strings.Fields(data)
	if len(words) == 0 {
		return
	}
	c.transferTo(words)
}

// runSchedHangup hangs up later: "+30 ALLOTTED_TIMEOUT".
func runSchedHangup(c *channel, data string) {
	when, name, _ := strings.Cut(data, " ")
	cause := causeNormalClearing
	if name != "" {
		cause = causeByName(strings.Fields(name)[0])
	}
	seconds := atoi(strings.TrimPrefix(when, "+"))
	if !strings.HasPrefix(when, "+") {
		seconds -= int(time.Now().Unix())
	}
	if seconds <= 0 {
		c.hangup(cause)
		return
	}
	c.srv.after(time.Duration(seconds)*time.Second, func() { c.hangup(cause) })
}

// runWaitForAnswer waits until the leg has answered.
func runWaitForAnswer(c *channel, _ string) {
	c.idle(time.Time{}, func() bool { return c.answered })
}

// transferTo sends the channel to a dialplan: "park inline", "answer,park
// inline", or any number, which parks because every call does.
func (c *channel) transferTo(words []string) {
	actions := parkAction
	if len(words) > 1 && strings.EqualFold(words[1], "inline") {
		actions = inlineActions(words[0])
	}
	id := itoa(int(time.Now().Unix())) + ":" + uuid.NewString() + ":bl_xfer:" + strings.Join(words, "/")
	c.vars.set("transfer_history", id)
	c.vars.set("transfer_source", id)
	c.profile.transferSource = id
	c.profile.rdnis = c.profile.destination
	c.profile.destination = words[0]
	c.times.transfer = time.Now()
	c.send(&redirect{actions: actions})
}

// inlineActions reads an inline dialplan: "app:data,app:data", or "m:X:..." with X as separator.
func inlineActions(text string) []action {
	separator := byte(',')
	if rest, ok := strings.CutPrefix(text, "m:"); ok && len(rest) > 2 && rest[1] == ':' {
		separator, text = rest[0], rest[2:]
	}
	var actions []action
	for _, step := range strings.Split(text, string(separator)) {
		app, data, _ := strings.Cut(step, ":")
		if app != "" {
			actions = append(actions, action{app, data})
		}
	}
	return actions
}

// atoi reads a number as C's atoi does: what is no number is 0.
func atoi(text string) int {
	text = strings.TrimSpace(text)
	end := 0
	for end < len(text) && end < 10 && (text[end] >= '0' && text[end] <= '9' || end == 0 && (text[end] == '-' || text[end] == '+')) {
		end++
	}
	n, err := strconv.Atoi(text[:end])
	if err != nil {
		return 0
	}
	return n
}

func itoa(n int) string { return strconv.Itoa(n) }
