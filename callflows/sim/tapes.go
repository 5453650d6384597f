package sim

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"tandem/callflows"
)

// tape is what the node has recorded in one go: a file that outlives node and workers.
type tape struct {
	call  *simCall
	leg   *legFate
	n     int // of the command that ordered it
	since time.Duration
	until time.Duration // 0: it goes on
}

// length is how long it is. One that nobody has ended was ended with its leg.
func (t *tape) length() time.Duration {
	if t.until == 0 {
		return t.leg.endedAt - t.since
	}
	return t.until - t.since
}

// record begins to record. The caller speaks for a while, and then keys #, or falls silent.
func (n *node) record(a *channel, x *app) {
	w := n.w
	w.happened("recording")
	w.tapes[x.command.File] = &tape{call: a.call, leg: a.call.legs[a.uuid], n: x.command.N, since: w.now}
	how := pick(w, callflows.EndedByKey, callflows.EndedBySilence)
	x.end = w.after(min(w.between(0, 9*time.Second), x.command.Wait), func() { n.finish(a, x, n.recorded(x, how)) })
}

// tape begins or ends the recording of a call.
func (n *node) tape(a *channel, command callflows.Command) {
	switch t := n.w.tapes[command.File]; {
	case command.Kind == callflows.StartRecording:
		n.w.tapes[command.File] = &tape{call: a.call, leg: a.call.legs[a.uuid], n: command.N, since: n.w.now}
	case command.Kind == callflows.StopRecording && t != nil:
		t.until = n.w.now
	}
}

// recorded ends a tape, and is what the node says of it.
func (n *node) recorded(x *app, how callflows.RecordingEnd) callflows.Event {
	t := n.w.tapes[x.command.File]
	t.until = n.w.now
	return callflows.Event{Kind: callflows.Recorded, Ended: how, LengthMS: int(t.length() / time.Millisecond)}
}

// fileTape hands over what became of a recording, as a leg's record is.
func (k *worker) fileTape(command callflows.Command) {
	r := heldRecord{call: command.Recording.Call, key: "recording/" + command.Recording.ID, tape: command.Recording, body: pack(command.Recording)}
	k.w.checkTape(k, r)
	k.hold(r)
}

// checkTape checks what is to become of a recording when it is filed.
func (w *world) checkTape(k *worker, r heldRecord) {
	m := r.tape
	if err := m.Validate(); err != nil {
		w.violate(RecordsHold, r.call, "the ledger refuses a recording: %v", err)
	}
	t := w.tapes[m.File]
	switch {
	case t == nil && w.channel(m.Leg) != nil && w.weather.refused == 0 && w.weather.restarts == 0 && w.weather.gaps == 0 && w.weather.deaths == 0 && w.roads.graves == 0:
		w.violate(OneMessage, r.call, "%s is filed, and nobody has recorded it", m.File)
	case t == nil: // the leg may have gone before the order to record reached the node
	case m.ID != t.call.facts.ID+"/"+strconv.Itoa(t.n):
		w.violate(OneMessage, r.call, "%s is filed as %s", m.File, m.ID)
	case m.Discard && t.length() >= time.Duration(m.LeastMS)*time.Millisecond:
		w.violate(OneMessage, r.call, "%s is discarded, and lasts %s", m.ID, t.length())
	}
	process := slices.Index(w.workers, k)*1000 + k.life
	if w.ledger.written[r.key] == nil {
		w.ledger.written[r.key] = map[int]bool{}
	}
	if w.ledger.written[r.key][process] {
		w.violate(OneMessage, r.call, "%s is filed a second time by the same worker", m.ID)
	}
	w.ledger.written[r.key][process] = true
}

// addTape keeps what became of a recording, once. Whoever knows its length knows more than who does not.
func (l *ledger) addTape(w *world, r heldRecord) {
	old, there := l.tapes[r.tape.ID]
	if there && old.tape.LengthMS > 0 {
		if r.tape.LengthMS > 0 && !bytes.Equal(old.body, r.body) {
			w.violate(OneMessage, r.call, "%s is filed as %s and as %s", r.tape.ID, old.body, r.body)
		}
		return
	}
	l.tapes[r.tape.ID] = r
}

// judgeTapes checks that each recording was filed, unless nobody who lived on could know of it. (Its file is there even then,
// and is taken up later. So it is when the call went on under another version, whose element has no use for the recording.)
func (w *world) judgeTapes() {
	for _, t := range w.tapes { // the order does not matter: all are told
		if _, there := w.ledger.tapes[t.call.facts.ID+"/"+strconv.Itoa(t.n)]; !there && !w.unseen(t.leg) && !t.inTheDark(w) && !t.call.strayed {
			w.violate(OneMessage, t.call.facts.ID, "recording %d of %s is not filed", t.n, t.length())
		}
	}
}

// inTheDark says whether a recording went on while nobody knew of its call what the channel does not carry.
func (t *tape) inTheDark(w *world) bool {
	end := t.until
	if end == 0 {
		end = t.leg.endedAt
	}
	for _, n := range t.leg.nodes {
		for _, d := range n.dark {
			if d.from <= end+lateness && t.since <= d.until {
				return true
			}
		}
	}
	return false
}

// askedOfBox answers for what keeps messages and PINs, now and then by nothing.
func (w *world) askedOfBox(command callflows.Command, at time.Time) callflows.Event {
	e := callflows.Event{At: at, Leg: command.Leg, Command: command.N, Away: w.outageNow()}
	if e.Away {
		w.happened("look-up without an answer")
	}
	switch command.Kind {
	case callflows.FindMessages:
		e.Kind = callflows.MessagesFound
		for i := range w.rng.IntN(4) {
			if !e.Away {
				e.Messages = append(e.Messages, callflows.Message{ID: "m" + strconv.Itoa(i), Media: "Media:kept/aa/aa.wav", At: began(), Heard: i > 1})
			}
		}
	case callflows.CheckPIN:
		e.Kind = callflows.PINChecked
		if e.Away {
			e.PIN, e.Away = callflows.PINAway, false
			return e
		}
		e.PIN = pick(w, callflows.PINRight, callflows.PINRight, callflows.PINRight, callflows.PINWrong, callflows.PINLocked, callflows.PINNone, callflows.PINAway, callflows.PINLost)
	default:
		e.Kind = callflows.Done
	}
	return e
}
