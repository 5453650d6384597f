package conformance

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tandem/esl"
)

func mediaClaims() []Claim {
	return []Claim{
		{"a file plays between its events", filePlays},
		{"a WAV file plays for as long as it is, through a link too: PCM, A-law and u-law", wavPlays},
		{"playback on an unanswered call is early media", playbackEarly},
		{"a missing file does not end the call", missingFile},
		{"uuid_break ends the file, not the call", breakEndsFile},
		{"a digit ends the file when it is a terminator", terminatorEndsFile},
		{"a hang-up ends a file, and what ended says so either way", hangupDuringFile},
		{"a BYE ends a file, and what ended says so either way", byeDuringFile},
		{"with event-lock commands run one after the other", lockedInOrder},
		{"without event-lock a command runs inside the one before", unlockedNests},
		{"sleep waits", sleepWaits},
	}
}

func filePlays(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Playback(uuid, "play", "silence_stream://200"))
	equal(t, "response", e.done("play").Get("Application-Response"), "FILE PLAYED")
	e.inOrder(uuid, "CHANNEL_EXECUTE playback", "PLAYBACK_START", "PLAYBACK_STOP", "CHANNEL_EXECUTE_COMPLETE playback")
	equal(t, "path", e.event(uuid, "PLAYBACK_START").Get("Playback-File-Path"), "silence_stream://200")
	equal(t, "status", e.event(uuid, "PLAYBACK_STOP").Get("Playback-Status"), "done")
	d.Bye()
}

// wavPlays tries the kinds of files that tenants may bring, as they stand in the media folder: as links to others.
func wavPlays(t *testing.T, target Target) {
	e, like := recorder(t, target)
	uuid, d := e.answered(e.phone())
	dir := filepath.Dir(like)
	for name, sound := range map[string]struct {
		tag, bytes uint16
		rate       uint32
	}{"pcm8": {1, 2, 8000}, "pcm16": {1, 2, 16000}, "alaw8": {6, 1, 8000}, "ulaw8": {7, 1, 8000}, "alaw16": {6, 1, 16000}, "ulaw16": {7, 1, 16000}} {
		file, link := filepath.Join(dir, name+"-kept.wav"), filepath.Join(dir, name+".wav")
		if err := errors.Join(os.WriteFile(file, halfSecond(sound.tag, sound.bytes, sound.rate), 0o644), os.Symlink(filepath.Base(file), link)); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		e.send(esl.Playback(uuid, name, link))
		equal(t, name, e.done(name).Get("Application-Response"), "FILE PLAYED")
		if played := time.Since(began); played < 400*time.Millisecond || played > 2*time.Second {
			t.Errorf("%s: half a second played for %s", name, played)
		}
	}
	d.Bye()
}

// halfSecond is a WAV file of silence, or of what a sample of 0 is.
func halfSecond(tag, size uint16, rate uint32) []byte {
	le, samples := binary.LittleEndian, rate/2
	format := le.AppendUint16(le.AppendUint16(nil, tag), 1)
	format = le.AppendUint32(le.AppendUint32(format, rate), rate*uint32(size))
	format = le.AppendUint16(le.AppendUint16(format, size), 8*size)
	body := []byte("WAVE")
	chunk := func(name string, of []byte) {
		body = append(le.AppendUint32(append(body, name...), uint32(len(of))), of...)
	}
	if tag != 1 {
		format = le.AppendUint16(format, 0)
	}
	chunk("fmt ", format)
	if tag != 1 {
		chunk("fact", le.AppendUint32(nil, samples))
	}
	chunk("data", make([]byte, samples*uint32(size)))
	return append(le.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func playbackEarly(t *testing.T, target Target) {
	e := open(t, target)
	d := e.phone().Call(target.SIP, "1000")
	uuid := e.parked(d)
	e.send(esl.Playback(uuid, "play", "silence_stream://100"))
	equal(t, "status", d.NextResponse().StatusCode, 183)
	e.done("play")
	e.inOrder(uuid, "CHANNEL_PARK", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_EXECUTE playback", "PLAYBACK_START")
	e.absent(uuid, "CHANNEL_ANSWER")
	e.text(esl.UUIDKill(uuid, "NORMAL_CLEARING"))
	d.Final()
}

func missingFile(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Playback(uuid, "play", target.MissingFile))
	equal(t, "response", e.done("play").Get("Application-Response"), "FILE NOT FOUND")
	e.absent(uuid, "PLAYBACK_START")
	equal(t, "the call", e.text(esl.UUIDExists(uuid)), "true")
	d.Bye()
}

func breakEndsFile(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Playback(uuid, "play", "silence_stream://60000"))
	e.event(uuid, "PLAYBACK_START")
	e.text(esl.UUIDBreak(uuid, false))
	ev := e.done("play")
	equal(t, "response", ev.Get("Application-Response"), "FILE PLAYED")
	equal(t, "status", e.event(uuid, "PLAYBACK_STOP").Get("Playback-Status"), "break")
	e.send(esl.Set(uuid, "after", "claim", "yes"))
	e.done("after")
	d.Bye()
}

func terminatorEndsFile(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Set(uuid, "set", "playback_terminators", "#"))
	e.done("set")
	e.send(esl.Playback(uuid, "play", "silence_stream://60000"))
	e.event(uuid, "PLAYBACK_START")
	d.telephoneEvents("1#", 3)
	ev := e.done("play")
	equal(t, "response", ev.Get("Application-Response"), "FILE PLAYED")
	equal(t, "terminator", ev.Variable("playback_terminator_used"), "#")
	equal(t, "keys", e.keys(uuid), "1#")
	d.Bye()
}

func hangupDuringFile(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Playback(uuid, "play", "silence_stream://60000"))
	e.event(uuid, "PLAYBACK_START")
	e.text(esl.UUIDKill(uuid, "NORMAL_CLEARING"))
	e.endedByHangup("play")
	e.event(uuid, "CHANNEL_DESTROY")
	e.inOrder(uuid, "CHANNEL_HANGUP", "PLAYBACK_STOP", "CHANNEL_EXECUTE_COMPLETE playback", "CHANNEL_EXECUTE_COMPLETE park", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY")
	receive(t, d.Byes, target.Patience, "a BYE")
}

// endedByHangup waits for the end of a file that a hang-up interrupted. The
// engine's answer depends on where its loop was: both have been seen.
func (e *engine) endedByHangup(id string) {
	e.t.Helper()
	if got := e.done(id).Get("Application-Response"); got != "PLAYBACK ERROR" && got != "FILE PLAYED" {
		e.t.Errorf("response: %s", got)
	}
}

func byeDuringFile(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Playback(uuid, "play", "silence_stream://60000"))
	e.event(uuid, "PLAYBACK_START")
	d.Bye()
	e.endedByHangup("play")
	e.event(uuid, "CHANNEL_HANGUP_COMPLETE")
}

// ends are the ids of the applications that ended on a channel, in order.
func (e *engine) ends(uuid string, ids ...string) []string {
	var ends []string
	for _, ev := range e.all() {
		id := ev.Get("Application-UUID")
		if ev.Get("Unique-ID") == uuid && ev.Name() == "CHANNEL_EXECUTE_COMPLETE" && slices.Contains(ids, id) {
			ends = append(ends, id)
		}
	}
	return ends
}

func lockedInOrder(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Playback(uuid, "long", "silence_stream://400").Locked())
	e.send(esl.Set(uuid, "quick", "claim", "yes").Locked())
	e.done("quick")
	if got := e.ends(uuid, "long", "quick"); !slices.Equal(got, []string{"long", "quick"}) {
		t.Errorf("ended in the order %v", got)
	}
	d.Bye()
}

func unlockedNests(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Playback(uuid, "long", "silence_stream://2000"))
	e.event(uuid, "PLAYBACK_START")
	e.send(esl.Set(uuid, "quick", "claim", "yes"))
	e.done("long")
	if got := e.ends(uuid, "long", "quick"); !slices.Equal(got, []string{"quick", "long"}) {
		t.Errorf("ended in the order %v", got)
	}
	d.Bye()
}

func sleepWaits(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Sleep(uuid, "sleep", 300_000_000))
	start := e.await("sleep", func(ev *esl.Event) bool { return label(ev) == "CHANNEL_EXECUTE sleep" })
	end := e.done("sleep")
	if took := end.Time().Sub(start.Time()); took < 250_000_000 {
		t.Errorf("it took %v", took)
	}
	d.Bye()
}
