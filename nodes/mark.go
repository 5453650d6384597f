package nodes

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"math"
	"slices"
	"strings"

	"tandem/callflows"
	"tandem/messages"
)

// A mark is what a caller's channel carries of its call: enough for a worker that knows nothing to go on. It is written
// to the channel together with each command that leads into a wait, so it also proves that the command was taken.
//
// It leaves out what the channel says by itself (the call's facts are in its variables) and legs that are over, whose
// records are written. What does not fit is left out leg by leg, the last first: such a leg gets its record when the node
// tells of it, without the device's name.
const (
	markVariable = "tandem_state"
	maxMark      = 512 // encoded bytes
	markVersion  = 1
	markTransfer = 2 // the version of a mark that tells of a transfer: older releases cannot read it
	markDriven   = 3 // that of one that names the configuration's version (callflows, State.Version), and may tell of a transfer
)

var errMark = errors.New("nodes: what the channel carries of its call cannot be read")

// phases and faults in the order of their numbers in a mark; a new one is added at the end.
func markPhases() []callflows.Phase {
	return []callflows.Phase{"", callflows.Running, callflows.Talking, callflows.Ending, callflows.Ended}
}

func markFaults() []messages.Fault {
	return []messages.Fault{"", messages.FaultNone, messages.FaultCaller, messages.FaultCallee, messages.FaultTenant, messages.FaultCarrier, messages.FaultPlatform}
}

// Flags of a leg in a mark.
const (
	legCallee = 1 << iota
	legCreated
	legRang
	legAnswered
	legBridged
	legEarly
)

// Flags of a call in a mark.
const (
	markAnswered = 1 << iota
	markPrivate  // whoever is dialled must not see who calls: that must not be forgotten with the rest of the caller ID
	markMoved    // a mark of markDriven tells of a transfer
)

// encodeMark writes a call's state and the number of its next journal entry.
func encodeMark(s callflows.State, steps int) string {
	for legs := len(s.Legs); ; legs-- {
		text := base64.RawURLEncoding.EncodeToString(appendMark(nil, s, steps, legs))
		if len(text) <= maxMark || legs == 0 {
			return text
		}
	}
}

func appendMark(b []byte, s callflows.State, steps, legs int) []byte {
	version := byte(markVersion)
	if s.Transfer.Times > 0 {
		version = markTransfer
	}
	if s.Version > 0 {
		version = markDriven
	}
	moved := s.Transfer.Times > 0
	b = append(b, version, byte(slices.Index(markPhases(), s.Phase)), byte(max(0, slices.Index(markFaults(), s.Fault))),
		bit(s.Answered, markAnswered)|bit(s.CallerID.Private, markPrivate)|bit(moved && version == markDriven, markMoved))
	for _, n := range []int{s.Entered, s.Commands, s.Awaited, s.Attempt, steps} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for _, text := range []string{s.FlowID, s.Element, s.Stage, s.Cause} {
		b = appendText(b, text)
	}
	if version == markDriven {
		b = binary.AppendUvarint(b, uint64(s.Version))
	}
	if moved {
		b = appendTransfer(b, s.Transfer)
	}
	for _, l := range s.Legs[:legs] {
		tail, err := hex.DecodeString(strings.ReplaceAll(l.ID, "-", ""))
		if l.HungUp || err != nil || len(tail) != 16 {
			continue
		}
		b = append(b, bit(l.Role == messages.RoleCallee, legCallee)|bit(l.Created, legCreated)|bit(l.Rang, legRang)|bit(l.Answered, legAnswered)|bit(l.Bridged, legBridged)|bit(l.Early, legEarly))
		b = append(b, tail...)
		b = appendText(appendText(b, l.Device), l.Trunk)
	}
	return b
}

func bit(set bool, flag byte) byte {
	if set {
		return flag
	}
	return 0
}

// appendText writes a text of at most 255 bytes. Ids are shorter; a longer text would not be one that we made.
func appendText(b []byte, text string) []byte {
	text = text[:min(len(text), 255)]
	return append(append(b, byte(len(text))), text...)
}

// decodeMark reads what encodeMark wrote, for a call whose facts are known.
func decodeMark(text string, call callflows.Call) (state callflows.State, steps int, err error) {
	if len(text) > maxMark {
		return state, 0, errMark
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return state, 0, errMark
	}
	r := &markReader{rest: b}
	version := r.byte()
	if version < markVersion || version > markDriven {
		return state, 0, errMark
	}
	phase, fault := int(r.byte()), int(r.byte())
	if phase >= len(markPhases()) || fault >= len(markFaults()) {
		return state, 0, errMark
	}
	flags := r.byte()
	state = callflows.State{Call: call, Phase: markPhases()[phase], Fault: markFaults()[fault], Answered: flags&markAnswered != 0,
		CallerID: callflows.CallerID{Private: flags&markPrivate != 0}}
	state.Entered, state.Commands, state.Awaited, state.Attempt, steps = r.number(), r.number(), r.number(), r.number(), r.number()
	state.FlowID, state.Element, state.Stage, state.Cause = r.text(), r.text(), r.text(), r.text()
	if version == markDriven {
		state.Version = r.long()
	}
	if version == markTransfer || version == markDriven && flags&markMoved != 0 {
		state.Transfer = r.transfer()
	}
	for len(r.rest) > 0 && !r.bad && len(state.Legs) < callflows.MaxLegs {
		state.Legs = append(state.Legs, r.leg())
	}
	if r.bad {
		return callflows.State{}, 0, errMark
	}
	return state, steps, nil
}

// markReader reads a mark's bytes. Once something is missing it reads zeros, and says so at the end.
type markReader struct {
	rest []byte
	bad  bool
}

func (r *markReader) take(n int) []byte {
	if r.bad || n > len(r.rest) {
		r.bad = true
		return make([]byte, n)
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *markReader) byte() byte { return r.take(1)[0] }

func (r *markReader) text() string { return string(r.take(int(r.byte()))) }

// maxMarkNumber bounds the counts in a mark: no call has more elements, commands or steps.
const maxMarkNumber = 1 << 20

func (r *markReader) number() int { return int(r.within(maxMarkNumber)) }

// long reads a number of the database's.
func (r *markReader) long() int64 { return int64(r.within(math.MaxInt64)) }

func (r *markReader) within(most uint64) uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > most {
		r.bad = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *markReader) leg() callflows.Leg {
	flags := r.byte()
	id := hex.EncodeToString(r.take(16))
	l := callflows.Leg{ID: id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:], Role: messages.RoleCaller,
		Created: flags&legCreated != 0, Rang: flags&legRang != 0, Answered: flags&legAnswered != 0, Bridged: flags&legBridged != 0, Early: flags&legEarly != 0}
	if flags&legCallee != 0 {
		l.Role = messages.RoleCallee
	}
	l.Device, l.Trunk = r.text(), r.text()
	return l
}

// Flags of a transfer in a mark.
const (
	transferReached = 1 << iota
	transferRecalled
)

// appendTransfer writes of a transfer what who goes on needs: where to, who is rung back, and which move of the node's it was, by
// its hash.
func appendTransfer(b []byte, t callflows.Transfer) []byte {
	b = append(b, bit(t.Reached, transferReached)|bit(t.Recalled, transferRecalled))
	b = binary.AppendUvarint(b, uint64(t.Times))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE([]byte(t.Source)))
	return appendText(appendText(b, t.Target), t.Device)
}

func (r *markReader) transfer() callflows.Transfer {
	flags := r.byte()
	t := callflows.Transfer{Times: r.number(), Reached: flags&transferReached != 0, Recalled: flags&transferRecalled != 0, Parked: true}
	t.Source = hex.EncodeToString(r.take(4))
	t.Target, t.Device = r.text(), r.text()
	return t
}

// restoreTransfer puts the channel's own name for its last move in place of the hash, if it is that one. Another by REFER is news;
// what another by order was for is not known any more.
func restoreTransfer(state *callflows.State, source string) {
	t := &state.Transfer
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(source)))
	if t.Times > 0 && t.Source == hex.EncodeToString(sum) || !strings.Contains(source, parkedMark) || strings.HasSuffix(source, orderedMark) {
		t.Source, t.Parked = source, source != ""
		return
	}
	t.Source, t.Parked = "", false
}
