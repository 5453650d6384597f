package conformance

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"tandem/esl"
)

func recordClaims() []Claim {
	return []Claim{
		{"a key ends a recording, whose file is whole when its end is told", keyEndsRecording},
		{"the limit ends a recording", limitEndsRecording},
		{"silence ends a recording, and says so", silenceEndsRecording},
		{"a caller who hangs up ends his recording before his hang-up is complete", hangupEndsRecording},
		{"uuid_break ends a recording, not the call", breakEndsRecording},
		{"a recording into a folder that is not there ends the call", recordingNowhere},
		{"a session that cannot be recorded goes on", sessionNowhere},
		{"a session is recorded beside what plays, until it is stopped", sessionRecorded},
		{"an order to record a talk, or to end that, is carried out while the talk goes on", talkRecorded},
		{"an order to record is carried out while a prompt plays", promptRecorded},
		{"a session that is recorded until its end tells of the file before its hang-up is complete", sessionRecordedToItsEnd},
		{"stopping a recording that is not there harms nothing", stopNothing},
		{"several files play as one", filesAsOne},
		{"who is put on hold hears the music of the leg that holds, until it holds no more", holdMusic},
	}
}

// recorder listens to recordings too.
func recorder(t *testing.T, target Target) (e *engine, file string) {
	t.Helper()
	e = openFor(t, target, append([]string{"RECORD_START", "RECORD_STOP"}, subscription...)...)
	dir, err := os.MkdirTemp("", "claim") // a test's own folder has its name, with characters that no path of ours has
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return e, filepath.Join(dir, "claim.wav")
}

// speak sends so much sound, PCMU in packets of 20 ms, loud when it is to be heard.
func (d *Dialog) speak(length time.Duration, loud bool) {
	d.phone.t.Helper()
	const packet = 20 * time.Millisecond
	to, tick := d.mediaAddr(), time.NewTicker(packet)
	defer tick.Stop()
	for range length / packet {
		d.sound(to, loud)
		<-tick.C // sound takes its time
	}
}

// recordedFor reads how long a recording is, in milliseconds.
func recordedFor(t *testing.T, ev *esl.Event) int {
	t.Helper()
	ms, err := strconv.Atoi(ev.Variable("record_ms"))
	if err != nil {
		t.Errorf("record_ms: %v", err)
	}
	return ms
}

// whole fails unless the file has the samples of so many milliseconds.
func whole(t *testing.T, file string, ms int) {
	t.Helper()
	const header, bytesPerMS = 44, 16
	info, err := os.Stat(file)
	if err != nil {
		t.Error(err)
	} else if int(info.Size()) < header+ms*bytesPerMS {
		t.Errorf("the file has %d bytes, which is less than %d ms", info.Size(), ms)
	}
}

func keyEndsRecording(t *testing.T, target Target) {
	e, file := recorder(t, target)
	uuid, d := e.answered(e.phone())
	e.text(esl.UUIDSetvar(uuid, "playback_terminators", "#"))
	e.send(esl.Record(uuid, "rec", esl.Recording{File: file, Limit: 30 * time.Second, Threshold: 200, Silence: 20 * time.Second}))
	e.event(uuid, "RECORD_START")
	d.speak(time.Second, true)
	d.telephoneEvents("1#", 3)
	ev := e.done("rec")
	equal(t, "terminator", ev.Variable("playback_terminator_used"), "#")
	equal(t, "silence", ev.Variable("silence_hits_exhausted"), "false")
	ms := recordedFor(t, ev)
	if ms < 500 {
		t.Errorf("%d ms are recorded", ms)
	}
	whole(t, file, ms)
	e.inOrder(uuid, "CHANNEL_EXECUTE record", "RECORD_START", "RECORD_STOP", "CHANNEL_EXECUTE_COMPLETE record")
	equal(t, "path", e.event(uuid, "RECORD_STOP").Get("Record-File-Path"), file)
	d.Bye()
}

func limitEndsRecording(t *testing.T, target Target) {
	e, file := recorder(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Record(uuid, "rec", esl.Recording{File: file, Limit: time.Second}))
	e.event(uuid, "RECORD_START")
	d.speak(2500*time.Millisecond, true)
	ev := e.done("rec")
	equal(t, "terminator", ev.Variable("playback_terminator_used"), "")
	if ms := recordedFor(t, ev); ms < 500 || ms > 2500 {
		t.Errorf("%d ms are recorded", ms)
	}
	d.Bye()
}

func silenceEndsRecording(t *testing.T, target Target) {
	e, file := recorder(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Record(uuid, "rec", esl.Recording{File: file, Limit: 20 * time.Second, Threshold: 200, Silence: time.Second}))
	e.event(uuid, "RECORD_START")
	d.speak(2*time.Second, false)
	equal(t, "silence", e.done("rec").Variable("silence_hits_exhausted"), "true")
	d.Bye()
}

func hangupEndsRecording(t *testing.T, target Target) {
	e, file := recorder(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Record(uuid, "rec", esl.Recording{File: file, Limit: 30 * time.Second}))
	e.event(uuid, "RECORD_START")
	d.speak(time.Second, true)
	d.Bye()
	ev := e.done("rec")
	equal(t, "state", ev.Get("Answer-State"), "hangup")
	ms := recordedFor(t, ev)
	if ms < 500 {
		t.Errorf("%d ms are recorded", ms)
	}
	whole(t, file, ms)
	equal(t, "cause", e.event(uuid, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "NORMAL_CLEARING")
	e.inOrder(uuid, "RECORD_STOP", "CHANNEL_EXECUTE_COMPLETE record", "CHANNEL_HANGUP_COMPLETE")
}

func breakEndsRecording(t *testing.T, target Target) {
	e, file := recorder(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Record(uuid, "rec", esl.Recording{File: file, Limit: 30 * time.Second}))
	e.event(uuid, "RECORD_START")
	d.speak(400*time.Millisecond, true)
	e.text(esl.UUIDBreak(uuid, true))
	d.speak(200*time.Millisecond, true)
	e.done("rec")
	equal(t, "the call", e.text(esl.UUIDExists(uuid)), "true")
	d.Bye()
}

func recordingNowhere(t *testing.T, target Target) {
	e, _ := recorder(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Record(uuid, "rec", esl.Recording{File: "/nonexistent/folder/claim.wav", Limit: 5 * time.Second}))
	equal(t, "cause", e.event(uuid, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "DESTINATION_OUT_OF_ORDER")
	e.absent(uuid, "RECORD_START")
	receive(t, d.Byes, target.Patience, "a BYE")
}

func sessionNowhere(t *testing.T, target Target) {
	e, _ := recorder(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.RecordSession(uuid, "start", "/dev/null/folder/claim.wav")) // other folders that are missing it makes
	e.done("start")
	e.absent(uuid, "RECORD_START")
	d.speak(500*time.Millisecond, true)
	equal(t, "the call", e.text(esl.UUIDExists(uuid)), "true")
	d.Bye()
}

func sessionRecorded(t *testing.T, target Target) {
	e, file := recorder(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.RecordSession(uuid, "start", file))
	e.done("start")
	e.event(uuid, "RECORD_START")
	e.send(esl.Playback(uuid, "play", "silence_stream://600"))
	d.speak(time.Second, true)
	e.done("play")
	e.send(esl.StopRecordSession(uuid, "stop", file))
	e.done("stop")
	equal(t, "path", e.event(uuid, "RECORD_STOP").Get("Record-File-Path"), file)
	whole(t, file, 300)
	d.Bye()
}

func sessionRecordedToItsEnd(t *testing.T, target Target) {
	e, file := recorder(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.RecordSession(uuid, "start", file))
	e.done("start")
	d.speak(time.Second, true)
	d.Bye()
	e.event(uuid, "CHANNEL_HANGUP_COMPLETE")
	e.inOrder(uuid, "RECORD_START", "RECORD_STOP", "CHANNEL_HANGUP_COMPLETE")
	whole(t, file, 300)
}

func talkRecorded(t *testing.T, target Target) {
	e, file := recorder(t, target)
	a, _, _, callee := e.bridged("true")
	e.send(esl.RecordSession(a, "tape", file))
	e.event(a, "RECORD_START")
	e.done("tape")
	e.send(esl.StopRecordSession(a, "stop", file))
	e.event(a, "RECORD_STOP")
	e.done("stop")
	e.absent(a, "CHANNEL_UNBRIDGE")
	callee.Bye()
	e.event(a, "CHANNEL_HANGUP_COMPLETE")
}

func promptRecorded(t *testing.T, target Target) {
	e, file := recorder(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Playback(uuid, "play", "silence_stream://8000"))
	e.event(uuid, "PLAYBACK_START")
	e.send(esl.RecordSession(uuid, "tape", file))
	e.event(uuid, "RECORD_START")
	e.done("tape")
	e.absent(uuid, "PLAYBACK_STOP")
	d.Bye()
	e.event(uuid, "CHANNEL_HANGUP_COMPLETE")
}

func stopNothing(t *testing.T, target Target) {
	e, file := recorder(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.StopRecordSession(uuid, "stop", file))
	e.done("stop")
	equal(t, "the call", e.text(esl.UUIDExists(uuid)), "true")
	d.Bye()
}

func filesAsOne(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Playback(uuid, "play", "file_string://silence_stream://100!tone_stream://%(100,0,800)!silence_stream://100"))
	equal(t, "response", e.done("play").Get("Application-Response"), "FILE PLAYED")
	d.Bye()
}

func holdMusic(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.bridged("true")
	const music = "tone_stream://%(200,0,440);loops=-1"
	e.text(esl.UUIDSetvar(a, "hold_music", music))
	e.text(esl.UUIDSetvar(b, "hold_music", "tone_stream://%(200,0,880);loops=-1"))
	caller.Reinvite("sendonly")
	e.event(a, "CHANNEL_HOLD")
	equal(t, "music", e.event(b, "PLAYBACK_START").Get("Playback-File-Path"), music)
	e.absent(a, "PLAYBACK_START")
	caller.Reinvite("sendrecv")
	e.event(a, "CHANNEL_UNHOLD")
	e.event(b, "PLAYBACK_STOP")
	callee.Bye()
	e.event(a, "CHANNEL_HANGUP_COMPLETE")
}
