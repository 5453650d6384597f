package fstest

import (
	"path"
	"strconv"
	"strings"
	"time"
)

// forever is the length of a stream without end.
const forever time.Duration = -1

// How a file ended.
type playResult int

const (
	played    playResult = iota // to its end
	cutShort                    // by a digit or uuid_break: FreeSWITCH's BREAK
	notFound                    // there is no such file
	abandoned                   // the channel left: hang-up or transfer
)

// fileLength is how long a name plays; ok is false for one that does not exist.
func (s *Server) fileLength(name string) (length time.Duration, ok bool) {
	if strings.HasPrefix(name, "{") { // {timeout=...}file
		if end := strings.IndexByte(name, '}'); end > 0 {
			name = name[end+1:]
		}
	}
	kind, rest, stream := strings.Cut(name, "://")
	switch {
	case stream && kind == "silence_stream":
		ms, _, _ := strings.Cut(rest, ",")
		if n := atoi(ms); n > 0 {
			return time.Duration(n) * time.Millisecond, true
		}
		return forever, true
	case stream && kind == "tone_stream":
		return toneLength(rest), true
	case stream && kind == "local_stream":
		return forever, true
	case stream && kind == "file_string":
		for _, part := range strings.Split(rest, "!") {
			if l, ok := s.fileLength(part); ok && l > 0 {
				length += l
			}
		}
		return length, true
	}
	for _, pattern := range s.options.MissingFiles {
		if matches(pattern, name) {
			return 0, false
		}
	}
	for pattern, length := range s.options.FileLengths {
		if matches(pattern, name) {
			return length, true
		}
	}
	if length, ok := wavLength(name); ok {
		return length, true
	}
	return s.options.DefaultFileLength, name != ""
}

// matches compares a pattern with a whole name or with its last element.
func matches(pattern, name string) bool {
	whole, _ := path.Match(pattern, name)
	last, _ := path.Match(pattern, path.Base(name))
	return whole || last
}

// toneLength adds up "%(on,off,freq...)" in milliseconds, times "loops=N".
func toneLength(spec string) time.Duration {
	var total time.Duration
	for rest := spec; ; {
		start := strings.Index(rest, "%(")
		if start < 0 {
			break
		}
		rest = rest[start+2:]
		on, rest2, _ := strings.Cut(rest, ",")
		off, _, _ := strings.Cut(rest2, ",")
		total += time.Duration(atoi(on)+atoi(off)) * time.Millisecond
	}
	if total == 0 {
		total = defaultFileLength
	}
	if _, loops, ok := strings.Cut(spec, "loops="); ok {
		if n := atoi(loops); n < 0 {
			return forever
		} else if n > 0 {
			total *= time.Duration(n)
		}
	}
	return total
}

// play plays one file between its two events (switch_ivr_play_file). onDigit
// says of each digit whether it ends the file; without it digits stay queued.
func (c *channel) play(name string, onDigit func(digit) bool) playResult {
	if !c.media && !c.preAnswer() {
		return abandoned
	}
	length, ok := c.srv.fileLength(name)
	if !ok {
		return notFound
	}
	kind, _, stream := strings.Cut(name, "://")
	about := []field{{"Playback-File-Path", name}}
	if stream {
		about = []field{{"Playback-File-Type", kind}, {"Playback-File-Path", name}}
	}
	c.fire("PLAYBACK_START", about...)
	started := time.Now()
	var deadline time.Time
	if length != forever {
		deadline = started.Add(length)
	}
	cut := false
	c.idle(deadline, func() bool {
		for onDigit != nil && len(c.digits) > 0 && !cut {
			cut = onDigit(c.takeDigit())
		}
		cut = cut || c.broken
		return cut
	})
	if c.stopped() {
		return abandoned
	}
	c.endPlayback(about, time.Since(started), cut)
	switch {
	case cut:
		c.broken = false
		return cutShort
	case !c.ready():
		return abandoned
	default:
		return played
	}
}

// endPlayback fires PLAYBACK_STOP with the figures of what was played.
func (c *channel) endPlayback(about []field, took time.Duration, cut bool) {
	samples := took.Milliseconds() * 8
	c.vars.set("playback_last_offset_pos", strconv.FormatInt(samples, 10))
	c.vars.set("playback_seconds", strconv.FormatInt(int64(took/time.Second), 10))
	c.vars.set("playback_ms", strconv.FormatInt(took.Milliseconds(), 10))
	c.vars.set("playback_samples", strconv.FormatInt(samples, 10))
	status := "done"
	if cut {
		status = "break"
	}
	c.fire("PLAYBACK_STOP", append(about, field{"Playback-Status", status})...)
}

// isTerminator is mod_dptools, on_dtmf: playback_terminators, "*" by default.
func (c *channel) isTerminator(d digit) bool {
	terminators, ok := c.vars.get("playback_terminators")
	switch {
	case !ok:
		terminators = "*"
	case strings.EqualFold(terminators, "any"):
		terminators = "1234567890*#"
	case strings.EqualFold(terminators, "none"):
		terminators = ""
	}
	if strings.IndexByte(terminators, d.key) < 0 {
		return false
	}
	c.vars.set("playback_terminator_used", string(d.key))
	return true
}

// runPlayback is the playback application and its three answers.
func runPlayback(c *channel, data string) {
	name, _, _ := strings.Cut(data, "@@")
	c.vars.unset("playback_terminator_used")
	response := "PLAYBACK ERROR"
	switch c.play(name, c.isTerminator) {
	case played, cutShort:
		response = "FILE PLAYED"
	case notFound:
		response = "FILE NOT FOUND"
	}
	c.vars.set("current_application_response", response)
}

func runEndlessPlayback(c *channel, data string) {
	for c.ready() && c.play(data, func(digit) bool { return false }) == played {
	}
}

func runGentones(c *channel, data string) {
	c.play("tone_stream://"+data, c.isTerminator)
}
