package conformance

import (
	"strings"
	"testing"
	"time"

	"tandem/esl"
)

func digitClaims() []Claim {
	return []Claim{
		{"a key is one DTMF event however often its end is sent", oneEventAKey},
		{"a key with one end packet left counts, one without any does not", lostEnds},
		{"a key sent in RTP and in INFO comes twice", bothWays},
		{"a key in SIP INFO counts", infoKey},
		{"digits up to the terminator are collected", collectTerminator},
		{"as many digits as asked for need no terminator", collectMax},
		{"the first digit stops the prompt", firstDigitStops},
		{"no digits are a failure after every try", collectTimeout},
		{"digits that do not match are kept apart", collectInvalid},
	}
}

// keys are the digits that a channel's DTMF events brought.
func (e *engine) keys(uuid string) string {
	var keys strings.Builder
	for _, ev := range e.all() {
		if ev.Name() == "DTMF" && ev.Get("Unique-ID") == uuid {
			keys.WriteString(ev.Get("DTMF-Digit"))
		}
	}
	return keys.String()
}

func oneEventAKey(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	d.telephoneEvents("4471#", 3)
	ev := e.await("the last digit", func(ev *esl.Event) bool { return ev.Get("DTMF-Digit") == "#" })
	equal(t, "source", ev.Get("DTMF-Source"), "RTP")
	equal(t, "keys", e.keys(uuid), "4471#")
	if ev.Variable("sip_call_id") != "" {
		t.Error("a DTMF event carries variables")
	}
	d.Bye()
	e.event(uuid, "CHANNEL_DESTROY")
	equal(t, "keys in the end", e.keys(uuid), "4471#")
}

func lostEnds(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	d.telephoneEvents("7", 0)
	d.telephoneEventsFrom("8", 1, 9)
	e.await("the last digit", func(ev *esl.Event) bool { return ev.Get("DTMF-Digit") == "8" })
	equal(t, "keys", e.keys(uuid), "8")
	d.Bye()
}

func bothWays(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	d.telephoneEvents("5", 3)
	d.Info("5")
	e.until("the key twice", func() bool { return e.keys(uuid) == "55" })
	d.Bye()
}

func infoKey(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	for _, key := range []string{"5", "5", "#"} {
		d.Info(key)
	}
	e.await("the last digit", func(ev *esl.Event) bool { return ev.Get("DTMF-Digit") == "#" })
	equal(t, "keys", e.keys(uuid), "55#")
	d.Bye()
}

func question(variable string) esl.DigitsRequest {
	return esl.DigitsRequest{
		Min: 2, Max: 4, Tries: 1, Timeout: 5 * time.Second, DigitTimeout: 3 * time.Second,
		Prompt: "silence_stream://100", InvalidPrompt: "silence_stream://50", Variable: variable, Pattern: `^[0-9]+$`,
	}
}

func collectTerminator(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.PlayAndGetDigits(uuid, "ask", question("claim_digits")))
	e.await("the prompt's end", func(ev *esl.Event) bool { return ev.Name() == "PLAYBACK_STOP" && ev.Get("Unique-ID") == uuid })
	d.telephoneEvents("123#", 3)
	ev := e.done("ask")
	equal(t, "digits", ev.Variable("claim_digits"), "123")
	equal(t, "read_result", ev.Variable("read_result"), "success")
	equal(t, "terminator", ev.Variable("read_terminator_used"), "#")
	equal(t, "uuid_getvar", e.text(esl.UUIDGetvar(uuid, "claim_digits")), "123")
	d.Bye()
}

func collectMax(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	q := question("claim_digits")
	q.Min, q.Max = 1, 1
	e.send(esl.PlayAndGetDigits(uuid, "ask", q))
	e.event(uuid, "PLAYBACK_STOP")
	d.telephoneEvents("2", 3)
	ev := e.done("ask")
	equal(t, "digits", ev.Variable("claim_digits"), "2")
	equal(t, "read_result", ev.Variable("read_result"), "success")
	d.Bye()
}

func firstDigitStops(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	q := question("claim_digits")
	q.Prompt = "silence_stream://60000"
	e.send(esl.PlayAndGetDigits(uuid, "ask", q))
	e.event(uuid, "PLAYBACK_START")
	d.telephoneEvents("12#", 3)
	ev := e.done("ask")
	equal(t, "digits", ev.Variable("claim_digits"), "12")
	equal(t, "status", e.event(uuid, "PLAYBACK_STOP").Get("Playback-Status"), "break")
	d.Bye()
}

func collectTimeout(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	q := question("claim_digits")
	q.Tries, q.Timeout, q.DigitTimeout = 2, time.Second, time.Second
	e.send(esl.PlayAndGetDigits(uuid, "ask", q))
	ev := e.done("ask")
	equal(t, "digits", ev.Variable("claim_digits"), "")
	equal(t, "read_result", ev.Variable("read_result"), "failure")
	equal(t, "uuid_getvar", e.text(esl.UUIDGetvar(uuid, "claim_digits")), "_undef_")
	e.inOrder(uuid, "PLAYBACK_START", "PLAYBACK_STOP", "PLAYBACK_START", "PLAYBACK_STOP",
		"PLAYBACK_START", "PLAYBACK_STOP", "PLAYBACK_START", "PLAYBACK_STOP", "CHANNEL_EXECUTE_COMPLETE play_and_get_digits")
	d.Bye()
}

func collectInvalid(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	q := question("claim_digits")
	q.Pattern = `^[5-9]+$`
	e.send(esl.PlayAndGetDigits(uuid, "ask", q))
	e.event(uuid, "PLAYBACK_STOP")
	d.telephoneEvents("13#", 3)
	ev := e.done("ask")
	equal(t, "digits", ev.Variable("claim_digits"), "")
	equal(t, "wrong digits", ev.Variable("claim_digits_invalid"), "13")
	equal(t, "read_result", ev.Variable("read_result"), "success")
	d.Bye()
}
