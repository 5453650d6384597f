package nodes

import (
	"encoding/json"
	"log/slog"
	"strings"

	"tandem/callflows"
	"tandem/esl"
	"tandem/messages"
)

// What a media node records is filed like the record of a leg: by the ledger, which says when it is safe; until then the
// standby holds it too, and gives it to its own ledger when it takes over. Its id is that of the command that recorded it, so
// filing it twice is filing it once.

// heldRecording is what became of a recording, until that is safe.
type heldRecording struct {
	messages.Recording
	told int // by which link to the owner; 0: it is our own
}

// recordingKey begins the keys of recordings on the link, and how the ledger names them when they are safe.
const recordingKey = "recording/"

// silenceThreshold is the energy of a frame below which FreeSWITCH takes it for silence: that of a quiet line with some noise.
const silenceThreshold = 200

// fileRecording hands over what became of a recording.
func (n *Node) fileRecording(r messages.Recording) {
	if owner := n.link.Load(); owner != nil {
		n.cdrsMu.Lock()
		n.recordings[r.ID] = heldRecording{Recording: r}
		n.cdrsMu.Unlock()
		owner.Ship(recordingKey+r.ID, encode(r))
	}
	n.options.Ledger.AddRecording(r)
}

// shippedRecording keeps a recording until the owner says that it is safe.
func (n *Node) shippedRecording(id string, body []byte) {
	n.cdrsMu.Lock()
	defer n.cdrsMu.Unlock()
	delete(n.recordings, id)
	if body == nil {
		return
	}
	var r messages.Recording
	if err := json.Unmarshal(body, &r); err != nil {
		n.log.Error("a shipped recording cannot be read", slog.String("recording", id), slog.Any("error", err))
		return
	}
	n.recordings[id] = heldRecording{r, n.following}
}

// safeRecording is told when a recording can no longer be lost with this process.
func (n *Node) safeRecording(key string) {
	id := strings.TrimPrefix(key, recordingKey)
	n.cdrsMu.Lock()
	_, held := n.recordings[id]
	delete(n.recordings, id)
	n.cdrsMu.Unlock()
	if owner := n.link.Load(); held && owner != nil {
		owner.Ship(key, nil)
	}
}

// has says whether there is what an order needs: the media folder, or an engine for speech.
func (n *Node) has(k callflows.CommandKind) bool {
	switch k {
	case callflows.Speak:
		return n.options.Speech.Engine != "" && n.options.Speech.Voice != ""
	case callflows.Record, callflows.StartRecording, callflows.StopRecording:
		return n.options.Media != ""
	default:
		return true
	}
}

// lacking answers an order that needs what is not there.
func lacking(command callflows.Command) callflows.Event {
	if command.Kind == callflows.Record {
		return callflows.Event{Kind: callflows.Recorded, Leg: command.Leg, Command: command.N, Ended: callflows.NotRecorded}
	}
	return callflows.Event{Kind: callflows.Done, Leg: command.Leg, Command: command.N, Away: true}
}

// recordedTo is a file's path on the node.
func (n *Node) recordedTo(file string) string {
	return strings.TrimSuffix(n.options.Media, "/") + "/incoming/" + file
}

// recording is what the node is to record.
func (n *Node) recording(command callflows.Command) esl.Recording {
	r := esl.Recording{File: n.recordedTo(command.File), Limit: command.Wait}
	if command.Silence > 0 {
		r.Threshold, r.Silence = silenceThreshold, command.Silence
	}
	return r
}

// recordVariables are for the leg of a recording: the keys that end it.
func recordVariables(command callflows.Command) []esl.Var {
	keys := command.Terminators
	if keys == "" {
		keys = "none"
	}
	return []esl.Var{{Name: "playback_terminators", Value: keys}}
}

// recordingEnded reads the end of record. It is told of a leg that is hanging up, too: what was said until then is a recording.
func recordingEnded(e *esl.Event, out callflows.Event) callflows.Event {
	out.Kind, out.Ended = callflows.Recorded, callflows.EndedByLimit
	out.LengthMS = number(e.Variable("record_ms"))
	switch {
	case e.Get("Answer-State") == "hangup":
		out.Ended = callflows.EndedByHangUp
	case e.Variable("playback_terminator_used") != "":
		out.Ended = callflows.EndedByKey
	case e.Variable("silence_hits_exhausted") == "true":
		out.Ended = callflows.EndedBySilence
	}
	return out
}
