package esl

import (
	"strconv"
	"time"
)

// maxRecording bounds one recording.
const maxRecording = 24 * time.Hour

// Recording is what Record writes down.
type Recording struct {
	File      string        // absolute, on the node, with an extension that says the format; a folder that is missing ends the call
	Limit     time.Duration // in whole seconds; the recording ends within a second after it
	Threshold int           // energy below which a frame counts as silence; 0: silence ends nothing
	Silence   time.Duration // in whole seconds: how long a silence ends the recording; 0: three seconds
}

// Record records what the caller says. It ends by a key of playback_terminators ("*" unless set), by the limit, by
// silence (silence_hits_exhausted is true then), by uuid_break and by the end of the call. record_ms says how long it
// is; a phone that sends no media adds nothing to it. The file is closed before the application's end is told.
//
// A path that cannot be written hangs up the call with DESTINATION_OUT_OF_ORDER (mod_dptools.c, record_function).
func Record(uuid, id string, r Recording) Message {
	const maxThreshold = 100_000
	b := execute("record", uuid, id).add(argHeader).arg("file", r.File, checkRecording)
	b.check("limit", checkSeconds(r.Limit))
	b.check("silence", checkSeconds(r.Silence))
	b.check("threshold", checkRange(r.Threshold, 0, maxThreshold))
	b.add(" ", seconds(r.Limit))
	if r.Threshold > 0 {
		b.add(" ", strconv.Itoa(r.Threshold), " ", seconds(r.Silence))
	}
	return finishExecute(b, id, true)
}

// RecordSession records both sides of the call from now on, whatever else the channel does, until StopRecordSession or
// the end of the call. RECORD_STOP is told before the channel's hang-up is complete.
func RecordSession(uuid, id, file string) Message {
	return finishExecute(execute("record_session", uuid, id).add(argHeader).arg("file", file, checkRecording), id, true)
}

// StopRecordSession ends the recording into the file. Without an argument FreeSWITCH would crash.
func StopRecordSession(uuid, id, file string) Message {
	return finishExecute(execute("stop_record_session", uuid, id).add(argHeader).arg("file", file, checkRecording), id, true)
}

// Speak says a text by an engine for text to speech that the node has loaded. FreeSWITCH does not tell whether it has.
func Speak(uuid, id, engine, voice, text string) Message {
	b := execute("speak", uuid, id).add(argHeader)
	b.arg("engine", engine, checkWord).add("|").arg("voice", voice, checkWord).add("|").arg("text", text, checkSpoken)
	return finishExecute(b, id, true)
}

// checkWord accepts the name of an engine or of a voice.
func checkWord(s string) *offence {
	return checkChars(s, maxTokenBytes, func(c byte) bool { return isAlnum(c) || c == '-' || c == '_' })
}

// maxSpokenBytes bounds a text that is spoken.
const maxSpokenBytes = 1 << 10

// checkSpoken accepts letters, digits, blanks and the punctuation of speech, in any script: no character that
// FreeSWITCH, or an engine that reads marks in its text, gives a meaning.
func checkSpoken(s string) *offence {
	if s == "" {
		return refuse("empty", -1)
	}
	if o := checkText(s, maxSpokenBytes); o != nil {
		return o
	}
	for i := range len(s) {
		if c := s[i]; c < 0x80 && !isAlnum(c) && c != ' ' && c != '.' && c != ',' && c != '-' && c != '?' && c != '!' {
			return refuse("character that is not spoken", i)
		}
	}
	return nil
}

// checkRecording accepts an absolute path of a file that can be written: no scheme, no option.
func checkRecording(s string) *offence {
	if s == "" || s[0] != '/' {
		return refuse("not an absolute path", 0)
	}
	return checkSound(s)
}

func checkSeconds(d time.Duration) *offence {
	if d < 0 || d > maxRecording || d%time.Second != 0 {
		return refuse("not whole seconds within a day", -1)
	}
	return nil
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
