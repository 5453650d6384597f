package tenants

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
)

// A flow in memory is a stretch of text until it is run. Ten thousand tenants have a million flows, nearly all of one element, and
// as maps they would be most of a worker's memory, which the collector of garbage would follow again and again. So the
// flows of a version stand one after the other in one text without pointers:
//
//	place (4 bytes), id, name, start, elements and 1, for each in the order of keys: key, type, settings, exits, for each: name, key
//
// with the length before each text. Number and flow are two looks at memory; what a decision reads of a flow, its
// FlowHead, stands at its beginning. Tenant.Flow reads the rest, see recent.go.
type packedFlows struct {
	text    string                 // of the flows
	blocked uint64                 // bits of all blocked callers: here, since each decision reads them
	at      []uint32               // where each flow stands in text
	read    []atomic.Pointer[Flow] // by place; nil for what is not in memory now
	recent  *recent
	parse   ParseSettings // nil until the version is indexed
}

// FlowHead is what is known of a flow without reading its elements. The zero value is none.
type FlowHead struct {
	ID   string
	Name string
}

// packing writes packedFlows.
type packing struct {
	text []byte
	at   []uint32
	keys []string // room to sort in
}

func (w *packing) put(s string) {
	w.text = append(binary.AppendUvarint(w.text, uint64(len(s))), s...)
}

// flow adds one.
func (w *packing) flow(f *Flow) {
	w.at = append(w.at, uint32(len(w.text)))
	w.text = binary.LittleEndian.AppendUint32(w.text, uint32(len(w.at)-1))
	w.put(f.ID)
	w.put(f.Name)
	w.put(f.Start)
	if f.Elements == nil {
		w.text = append(w.text, 0)
		return
	}
	w.text = binary.AppendUvarint(w.text, uint64(len(f.Elements))+1)
	w.keys = slices.AppendSeq(w.keys[:0], maps.Keys(f.Elements))
	slices.Sort(w.keys)
	for _, key := range w.keys {
		e := f.Elements[key]
		w.put(key)
		w.put(e.Type)
		w.put(string(e.Settings))
		w.text = binary.AppendUvarint(w.text, uint64(len(e.Exits)))
		for name, next := range e.Exits {
			w.put(name)
			w.put(next)
		}
	}
}

// unpacking reads it.
type unpacking struct {
	text string
	at   int
}

func (r *unpacking) number() int {
	const more, bits = 0x80, 7
	n := 0
	for shift := 0; ; shift += bits {
		b := r.text[r.at]
		r.at++
		n |= int(b&^more) << shift
		if b < more {
			return n
		}
	}
}

// skip passes over a text.
func (r *unpacking) skip() { r.at += r.number() }

func (r *unpacking) next() string {
	n := r.number()
	r.at += n
	return r.text[r.at-n : r.at]
}

// placeBytes stand before each flow.
const placeBytes = 4

// head reads what a decision needs to know of the flow at an offset.
func (p *packedFlows) head(offset uint32) FlowHead {
	r := unpacking{p.text, int(offset) + placeBytes}
	return FlowHead{ID: r.next(), Name: r.next()}
}

// placeOf is the place of the flow at an offset.
func (p *packedFlows) placeOf(offset uint32) int {
	t := p.text[offset:][:placeBytes]
	return int(uint32(t[0]) | uint32(t[1])<<8 | uint32(t[2])<<16 | uint32(t[3])<<24)
}

// id of the flow at a place.
func (p *packedFlows) id(place int) string {
	r := unpacking{p.text, int(p.at[place]) + placeBytes}
	return r.next()
}

// flow reads the flow at a place, as it was published.
func (p *packedFlows) flow(place int) Flow {
	r := unpacking{p.text, int(p.at[place]) + placeBytes}
	f := Flow{ID: r.next(), Name: r.next(), Start: r.next()}
	n := r.number()
	if n == 0 {
		return f
	}
	f.Elements = make(map[string]Element, n-1)
	for range n - 1 {
		key := r.next()
		e := Element{Type: r.next()}
		if settings := r.next(); settings != "" {
			e.Settings = json.RawMessage(settings)
		}
		if exits := r.number(); exits > 0 {
			e.Exits = make(map[string]string, exits)
			for range exits {
				name := r.next()
				e.Exits[name] = r.next()
			}
		}
		f.Elements[key] = e
	}
	return f
}

// ReadPublished reads a version's document into the form in which snapshots keep it: its flows are there by AllFlows alone.
func ReadPublished(document []byte) (Published, error) {
	var p Published
	if err := json.Unmarshal(document, &p); err != nil {
		return Published{}, fmt.Errorf("tenants: read a version: %w", err)
	}
	p.Pack()
	return p, nil
}

// Pack brings a version's flows into the form in which snapshots keep them: they are there by AllFlows alone then.
func (p *Published) Pack() {
	if len(p.Flows) == 0 {
		return
	}
	w := packing{at: make([]uint32, 0, len(p.Flows))}
	for i := range p.Flows {
		w.flow(&p.Flows[i])
	}
	p.packed, p.Flows = packedFlows{text: string(w.text), at: w.at}, nil
}

// AllFlows gives the version's flows, in whichever form they are there, without what their types make of their settings. They
// are the caller's own only where the version has been packed.
func (p *Published) AllFlows() []Flow {
	if len(p.Flows) > 0 || len(p.packed.at) == 0 {
		return p.Flows
	}
	flows := make([]Flow, len(p.packed.at))
	for i := range flows {
		flows[i] = p.packed.flow(i)
	}
	return flows
}

// MarshalJSON writes the version's document.
func (p Published) MarshalJSON() ([]byte, error) {
	type document Published
	p.Flows, p.Routes = p.AllFlows(), p.AllRoutes()
	return json.Marshal(document(p))
}
