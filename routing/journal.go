package routing

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tandem/messages"
)

// Journalled is the input of a routing decision in its journal entry: all that Decide needs besides the configuration
// version.
type Journalled struct {
	Request Request
	Facts   Facts
}

// Journal makes the entry that keeps a decision. Input and Output are written to room, which is given back as it has grown:
// the next entry may overwrite it when this one has been written. They leave out what the entry has: the call, the tenant,
// the time, the version and the reasons.
func Journal(room []byte, f Facts, r Request, d Decision) (messages.JournalEntry, []byte) {
	e := messages.JournalEntry{Call: d.Call, Tenant: d.Tenant, Source: messages.SourceRouting, At: f.At, Version: d.Version, Because: d.Because}
	r.Call, f.At = "", time.Time{}
	d.Call, d.Tenant, d.Version, d.Because = "", "", 0, nil
	room = r.Append(append(room[:0], `{"request":`...))
	room = append(f.Append(append(room, `,"facts":`...)), '}')
	input := len(room)
	room = d.Append(room)
	e.Input, e.Output = room[:input:input], room[input:]
	return e, room
}

// ReadJournal gives back what Journal kept of a decision's input, the time to the precision that the entry has come with. It
// reads entries of older releases as well, which repeated what the entry has. The error says that the input is not there,
// as with one that was too large to be kept, or cannot be read.
func ReadJournal(e messages.JournalEntry) (Journalled, error) {
	var in struct {
		Request *Request `json:"request"`
		Facts   *Facts   `json:"facts"`
	}
	if err := json.Unmarshal(e.Input, &in); err != nil {
		return Journalled{}, fmt.Errorf("routing: read journal: %w", err)
	}
	if in.Request == nil || in.Facts == nil {
		return Journalled{}, errors.New("routing: read journal: the entry has no input")
	}
	in.Request.Call, in.Facts.At = e.Call, e.At
	return Journalled{*in.Request, *in.Facts}, nil
}
