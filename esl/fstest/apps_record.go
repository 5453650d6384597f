package fstest

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// tape is a recording of a session that is under way.
type tape struct {
	file  string
	since time.Time
}

// canRecord says whether a file can be made, and makes it. A name that is no path is only a name: nothing is written.
func (s *Server) canRecord(file string) bool {
	if _, ok := s.fileLength(file); !ok {
		return false
	}
	if !filepath.IsAbs(file) {
		return true
	}
	return writeSilence(file, 0) == nil
}

// writeSilence writes a sound file of so much silence: 16 bits, 8 kHz, one channel. The samples are a hole in the file.
func writeSilence(file string, length time.Duration) error {
	samples := int64(length / (time.Second / 8000))
	header := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(36+2*samples))...)
	header = append(header, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"...)
	header = binary.LittleEndian.AppendUint32(header, 8000)
	header = binary.LittleEndian.AppendUint32(header, 16000)
	header = append(header, "\x02\x00\x10\x00data"...)
	header = binary.LittleEndian.AppendUint32(header, uint32(2*samples))
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(header); err != nil {
		return err
	}
	return f.Truncate(int64(len(header)) + 2*samples)
}

// runRecord is record: "PATH [LIMIT-SECONDS [THRESHOLD [SILENCE-SECONDS]]]". It hears nothing, so the silence limit ends
// it when there is one, and what it writes is silence. A bad path hangs the call up, as in FreeSWITCH.
func runRecord(c *channel, data string) {
	words := strings.Fields(data)
	if len(words) == 0 {
		return
	}
	c.vars.unset("playback_terminator_used")
	if !c.srv.canRecord(words[0]) {
		c.hangup(causeDestinationOutOfOrder)
		return
	}
	c.vars.set("silence_hits_exhausted", "false")
	c.fire("RECORD_START", field{"Record-File-Path", words[0]})
	started := time.Now()
	deadline, silence := recordLimits(words, started)
	cut := false
	c.idle(deadline, func() bool {
		for len(c.digits) > 0 && !cut {
			cut = c.isTerminator(c.takeDigit())
		}
		return cut || c.broken
	})
	if silence && !cut && !c.broken && c.ready() {
		c.vars.set("silence_hits_exhausted", "true")
	}
	c.broken = false
	if c.stopped() {
		return
	}
	c.keepTape(words[0], time.Since(started))
	c.fire("RECORD_STOP", field{"Record-File-Path", words[0]})
}

// recordLimits says when a recording ends by itself, and whether it is silence that ends it.
func recordLimits(words []string, started time.Time) (deadline time.Time, silence bool) {
	for _, at := range []int{1, 3} {
		if len(words) <= at || atoi(words[at]) <= 0 {
			continue
		}
		limit := started.Add(time.Duration(atoi(words[at])) * time.Second)
		if deadline.IsZero() || limit.Before(deadline) {
			deadline, silence = limit, at == 3
		}
	}
	return deadline, silence
}

// keepTape writes a finished recording, and its figures on the channel.
func (c *channel) keepTape(file string, took time.Duration) {
	if filepath.IsAbs(file) {
		_ = writeSilence(file, took) // it could be made before
	}
	c.vars.set("record_seconds", itoa(int(took/time.Second)))
	c.vars.set("record_ms", itoa(int(took.Milliseconds())))
	c.vars.set("record_samples", itoa(int(took.Milliseconds())*8))
}

// runRecordSession is record_session: PATH. It goes on beside whatever else the channel does, and without a word when it
// cannot be made. (The engine makes folders that are missing; the stand-in does not.)
func runRecordSession(c *channel, data string) {
	words := strings.Fields(data)
	if len(words) == 0 || slices.ContainsFunc(c.taped, func(t tape) bool { return t.file == words[0] }) {
		return
	}
	if !c.srv.canRecord(words[0]) {
		return
	}
	c.taped = append(c.taped, tape{words[0], time.Now()})
	c.fire("RECORD_START", field{"Record-File-Path", words[0]})
}

// runStopRecordSession is stop_record_session: PATH, or "all".
func runStopRecordSession(c *channel, data string) {
	c.stopTapes(func(t tape) bool { return data == "all" || t.file == data })
}

// stopTapes ends recordings of the session.
func (c *channel) stopTapes(which func(tape) bool) {
	var left []tape
	for _, t := range c.taped {
		if !which(t) {
			left = append(left, t)
			continue
		}
		c.keepTape(t.file, time.Since(t.since))
		c.fire("RECORD_STOP", field{"Record-File-Path", t.file}, field{"Record-Completion-Cause", "success-silence"})
	}
	c.taped = left
}
