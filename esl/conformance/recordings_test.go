package conformance

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/esl"
	"tandem/esl/fstest"
)

// recorded is one event of a recording: on which leg, what, and its headers.
type recorded struct {
	leg, label string
	headers    map[string]bool
}

// readRecording reads a file of testdata (see its README).
func readRecording(t *testing.T, name string) []recorded {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".events"))
	if err != nil {
		t.Fatal(err)
	}
	current := map[string]map[string]bool{}
	var events []recorded
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		mark, rest, _ := strings.Cut(line, " ")
		switch mark {
		case "+", "-":
			last := &events[len(events)-1]
			for _, header := range strings.Fields(rest) {
				if mark == "+" {
					last.headers[header] = true
				} else {
					delete(last.headers, header)
				}
			}
			current[last.leg] = last.headers
		default:
			headers := map[string]bool{}
			for header := range current[mark] {
				headers[header] = true
			}
			events = append(events, recorded{leg: mark, label: rest, headers: headers})
			current[mark] = headers
		}
	}
	return events
}

// notMade are events that the stand-in does not make: codecs, displays and
// echoes of commands.
var notMade = []string{"CODEC", "CALL_UPDATE", "PRIVATE_COMMAND"}

// notSaid are headers that the stand-in does not have, with the reason; Tandem
// must not rely on them.
var notSaid = []*regexp.Regexp{
	regexp.MustCompile(`^variable_rtp_audio_(in|out|rtcp)_`),                            // there is no audio
	regexp.MustCompile(`^variable_rtp_use_ssrc$`),                                       // nor a stream
	regexp.MustCompile(`^variable_remote_(video|text)_media_flow$`),                     // nor other media
	regexp.MustCompile(`^variable_original_caller_id_|^variable_group_dial_status$`),    // not read by anybody
	regexp.MustCompile(`^variable_originator_codec$|^variable_sip_to_port$`),            // depends on the phone
	regexp.MustCompile(`^variable_sip_contact_(user|params)$|^variable_sip_from_port$`), // depends on the phone
	regexp.MustCompile(`^Caller-Caller-ID-Name$`),                                       // an originated leg has none
	regexp.MustCompile(`^variable_digits_dialed$`),
}

// TestStandInTellsWhatRecordingsTell runs the recorded calls on the stand-in:
// each leg has the same events in the same order, and every event has at least
// the headers that the engine's has.
func TestStandInTellsWhatRecordingsTell(t *testing.T) {
	for name, play := range map[string]func(e *engine) (legs []string){
		"a_park_answer_playback_hangup_plain":     playAnswerPlayback,
		"b_bridge_app_plain":                      playBridge,
		"b_uuid_bridge_plain":                     playUUIDBridge,
		"01_play_and_get_digits_info":             playDigits,
		"04_bridge_simultaneous_ring":             playSimultaneous,
		"05_bridge_busy486":                       func(e *engine) []string { return playRefused(e, true, 486, true) },
		"05_bridge_busy_without_continue_on_fail": func(e *engine) []string { return playRefused(e, false, 486, false) },
		"05_bridge_noanswer":                      playNoAnswer,
		"05_bridge_unreachable":                   func(e *engine) []string { return playDial(e, "[leg_timeout=3]sofia/internal/sip:x@"+deadAddr(e.t)) },
		"05_bridge_badendpoint":                   func(e *engine) []string { return playDial(e, "nosuch/x") },
		"05_bridge_baduri":                        func(e *engine) []string { return playDial(e, "sofia/noprofile/sip:x@127.0.0.1") },
		"06_caller_cancel_while_parked":           playCancelParked,
		"06_caller_cancel_while_ringing":          playCancelRinging,
		"07_uuid_transfer":                        playTransfer,
	} {
		t.Run(name, func(t *testing.T) {
			want := readRecording(t, name)
			server, err := fstest.Start(t.Context(), fstest.Options{Password: "recordings", Heartbeat: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			target := Target{EventSocket: server.EventSocketAddr(), Password: "recordings", SIP: server.SIPAddr().String(), Profile: "internal", Patience: 5 * time.Second}
			e := openFor(t, target, "ALL")
			if name[0] != 'a' && name[0] != 'b' {
				e = openFor(t, target, subscription...)
			}
			if name[0] == 'b' {
				// Two threads move the states of a bridge: their place varies.
				want = slices.DeleteFunc(want, func(r recorded) bool { return r.label == "CHANNEL_STATE" })
			}
			compare(t, want, e, play(e))
		})
	}
}

// compare compares leg by leg.
func compare(t *testing.T, want []recorded, e *engine, legs []string) {
	t.Helper()
	for i, uuid := range legs {
		letter := string(rune('A' + i))
		var expected []recorded
		for _, r := range want {
			if r.leg == letter && !slices.Contains(notMade, strings.Fields(r.label)[0]) {
				expected = append(expected, r)
			}
		}
		if uuid == "" { // made by the engine: the one that is in no list
			uuid = e.otherThan(legs)
		}
		e.await("the last event of leg "+letter, func(ev *esl.Event) bool {
			return ev.Name() == "CHANNEL_DESTROY" && ev.Get("Unique-ID") == uuid
		})
		states := slices.ContainsFunc(expected, func(r recorded) bool { return r.label == "CHANNEL_STATE" })
		if states {
			e.await("CS_DESTROY", func(ev *esl.Event) bool {
				return ev.Get("Channel-State") == "CS_DESTROY" && ev.Get("Unique-ID") == uuid
			})
		}
		var got []*esl.Event
		var gotLabels, wantLabels []string
		for _, ev := range e.all() {
			if ev.Get("Unique-ID") == uuid && !slices.Contains(notMade, ev.Name()) && (states || ev.Name() != "CHANNEL_STATE") {
				got = append(got, ev)
				gotLabels = append(gotLabels, label(ev))
			}
		}
		for _, r := range expected {
			wantLabels = append(wantLabels, r.label)
		}
		if !slices.Equal(gotLabels, wantLabels) {
			t.Errorf("leg %s:\n got %s\nwant %s", letter, strings.Join(gotLabels, "\n     "), strings.Join(wantLabels, "\n     "))
			continue
		}
		for j, r := range expected {
			for header := range r.headers {
				if r.label == "CHANNEL_EXECUTE_COMPLETE answer" && (header == "variable_sip_cseq" || header == "variable_sip_to_tag") {
					continue // the ACK may come before or after
				}
				if _, has := got[j].Lookup(header); !has && !slices.ContainsFunc(notSaid, func(x *regexp.Regexp) bool { return x.MatchString(header) }) {
					t.Errorf("leg %s, %s (%d): no %s", letter, r.label, j, header)
				}
			}
		}
	}
}

// otherThan finds the channel that is none of these.
func (e *engine) otherThan(legs []string) string {
	e.t.Helper()
	return e.await("another leg", func(ev *esl.Event) bool {
		id := ev.Get("Unique-ID")
		return id != "" && !slices.Contains(legs, id)
	}).Get("Unique-ID")
}

func (e *engine) kill(uuid string) { e.text(esl.UUIDKill(uuid, "NORMAL_CLEARING")) }

func playAnswerPlayback(e *engine) []string {
	a, _ := e.answered(e.phone())
	e.send(esl.Set(a, "set", "my_var", "hello world"))
	e.done("set")
	e.send(esl.Playback(a, "play", "tone_stream://%(100,50,440,480);loops=1"))
	e.done("play")
	e.text(esl.UUIDDump(a))
	e.send(esl.Hangup(a, "NORMAL_CLEARING"))
	return []string{a}
}

func playBridge(e *engine) []string {
	a, b, _, _ := e.bridged("")
	e.kill(a)
	return []string{a, b}
}

func playUUIDBridge(e *engine) []string {
	a, _ := e.answered(e.phone())
	q := e.phone()
	b := fresh(a)
	r := openRaw(e.t, e.target)
	r.command("bgapi originate {origination_uuid=" + b + ",park_timeout=60}sofia/internal/" + q.URI("2000") + " &park()")
	callee := q.Await()
	callee.Respond(180, "Ringing", false)
	callee.Respond(200, "OK", true)
	e.event(b, "CHANNEL_PARK")
	e.text(esl.UUIDBridge(a, b))
	e.event(a, "CHANNEL_BRIDGE")
	e.await("the exchange", func(ev *esl.Event) bool {
		return ev.Get("Unique-ID") == b && ev.Get("Channel-State") == "CS_EXCHANGE_MEDIA"
	})
	e.kill(a)
	return []string{a, b}
}

// playDigits is the recorded menu: good, timed out twice, wrong twice.
func playDigits(e *engine) []string {
	a, d := e.answered(e.phone())
	ask := func(id, variable, pattern, prompt, sorry string, tries int) {
		e.send(esl.PlayAndGetDigits(a, id, esl.DigitsRequest{
			Min: 2, Max: 4, Tries: tries, Timeout: time.Second, DigitTimeout: 700 * time.Millisecond,
			Prompt: prompt, InvalidPrompt: sorry, Variable: variable, Pattern: pattern,
		}))
	}
	typed := func(keys string) {
		for _, key := range keys {
			d.Info(string(key))
		}
	}
	stops := func() int { return strings.Count(strings.Join(e.labels(a), " "), "PLAYBACK_STOP") }
	ask("good", "cp_digits", `^[0-9]+$`, "silence_stream://60000", "silence_stream://10", 1)
	e.event(a, "PLAYBACK_START")
	typed("123#")
	e.done("good")
	ask("timeout", "cp_digits2", `^[0-9]+$`, "silence_stream://50", "silence_stream://50", 2)
	e.done("timeout")
	before := stops()
	ask("invalid", "cp_digits3", `^[5-9]+$`, "silence_stream://50", "silence_stream://50", 2)
	for try := range 2 {
		e.until("the end of the prompt", func() bool { return stops() > before+2*try })
		typed("12#")
	}
	e.done("invalid")
	d.Bye()
	return []string{a}
}

func playSimultaneous(e *engine) []string {
	p, q, r := e.phone(), e.phone(), e.phone()
	a, _ := e.answered(p)
	one, two := fresh(a), fresh(a)
	dial := legTo(e.target, q, "b", esl.Var{Name: "origination_uuid", Value: one})
	dial.Legs = append(dial.Legs, legTo(e.target, r, "c", esl.Var{Name: "origination_uuid", Value: two}).Legs...)
	e.send(esl.Bridge(a, "bridge", dial))
	bob, carol := q.Await(), r.Await()
	bob.Respond(180, "Ringing", false)
	e.event(one, "CHANNEL_PROGRESS")
	carol.Respond(180, "Ringing", false)
	e.event(two, "CHANNEL_PROGRESS")
	carol.Respond(200, "OK", true)
	e.event(a, "CHANNEL_BRIDGE")
	receive(e.t, carol.Acks, e.target.Patience, "the ACK")
	carol.Bye()
	e.done("bridge")
	e.kill(a)
	return []string{a, two, one}
}

func playRefused(e *engine, goOn bool, code int, ring bool) []string {
	a, _ := e.answered(e.phone())
	q := e.phone()
	if goOn {
		e.send(esl.Set(a, "hab", "hangup_after_bridge", "false"))
		e.done("hab")
		e.send(esl.Set(a, "cof", "continue_on_fail", "true"))
		e.done("cof")
	}
	e.send(esl.Bridge(a, "bridge", legTo(e.target, q, "busy")))
	callee := q.Await()
	if ring {
		callee.Respond(180, "Ringing", false)
	}
	callee.Respond(code, "Busy Here", false)
	if goOn {
		e.done("bridge")
		e.kill(a)
	}
	return []string{a, ""}
}

func playNoAnswer(e *engine) []string {
	a, _ := e.answered(e.phone())
	q := e.phone()
	for _, v := range []string{"hangup_after_bridge", "continue_on_fail"} {
		e.send(esl.Set(a, v, v, map[string]string{"hangup_after_bridge": "false", "continue_on_fail": "true"}[v]))
		e.done(v)
	}
	e.send(esl.Bridge(a, "bridge", legTo(e.target, q, "noans", esl.Var{Name: "leg_timeout", Value: "1"})))
	q.Await().Respond(180, "Ringing", false)
	e.done("bridge")
	e.kill(a)
	return []string{a, ""}
}

// playDial dials something that cannot be dialled, with a raw dial string.
func playDial(e *engine, dial string) []string {
	a, _ := e.answered(e.phone())
	for _, v := range [][2]string{{"hangup_after_bridge", "false"}, {"continue_on_fail", "true"}} {
		e.send(esl.Set(a, v[0], v[0], v[1]))
		e.done(v[0])
	}
	openRaw(e.t, e.target).command("sendmsg "+a, "call-command: execute", "execute-app-name: bridge", "execute-app-arg: "+dial, "event-uuid: bridge")
	e.done("bridge")
	e.kill(a)
	if strings.HasPrefix(dial, "nosuch") {
		return []string{a}
	}
	return []string{a, ""}
}

func playCancelParked(e *engine) []string {
	d := e.phone().Call(e.target.SIP, "1000")
	a := e.parked(d)
	d.Cancel()
	d.Final()
	return []string{a}
}

func playCancelRinging(e *engine) []string {
	q := e.phone()
	d := e.phone().Call(e.target.SIP, "1000")
	a := e.parked(d)
	e.send(esl.RingReady(a, "ring"))
	e.done("ring")
	e.send(esl.Bridge(a, "bridge", legTo(e.target, q, "b")))
	q.Await().Respond(180, "Ringing", false)
	e.await("the callee's ringing", func(ev *esl.Event) bool { return ev.Name() == "CHANNEL_PROGRESS" && ev.Get("Unique-ID") != a })
	d.Cancel()
	d.Final()
	return []string{a, ""}
}

func playTransfer(e *engine) []string {
	q := e.phone()
	a, _ := e.answered(e.phone())
	e.send(esl.Bridge(a, "bridge", legTo(e.target, q, "b")))
	callee := q.Await()
	callee.Respond(180, "Ringing", false)
	callee.Respond(200, "OK", true)
	e.event(a, "CHANNEL_BRIDGE")
	receive(e.t, callee.Acks, e.target.Patience, "the ACK")
	e.text(esl.UUIDTransferPark(a, false))
	e.until("parked again", func() bool { return strings.Count(strings.Join(e.labels(a), " "), "CHANNEL_PARK") == 2 })
	e.kill(a)
	return []string{a, ""}
}
