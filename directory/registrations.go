package directory

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"tandem/messages"
)

// Contact is one place where a device can be reached.
type Contact struct {
	URI       string // to call, as the edge wrote it
	Edge      string // name of the edge that holds it
	EdgeURI   string // where to send requests for it
	Path      string // RFC 3327, empty when there is none
	Transport string
	UserAgent string // hostile
	CallID    string
	CSeq      int
	At        int64 // Unix seconds at the edge, of its last registration
	ExpiresAt time.Time
}

// Registrations are the contacts of all devices. The zero value is empty and ready.
type Registrations struct {
	mu      sync.RWMutex
	devices map[address]*device
	refused uint64
}

// address is an address of record. Users are compared exactly and domains without case (RFC 3261 19.1.4).
type address struct{ username, domain string }

func addressOf(username, domain string) address { return address{username, strings.ToLower(domain)} }

type device struct {
	contacts []binding // live ones and tombstones
	cleared  *stamp    // of the newest "*": what is older is gone
}

// binding is a contact or, when gone, the memory of one.
type binding struct {
	Contact
	gone    bool
	expired bool // gone by itself, not by the device's wish
}

// stamp orders the events of one device.
type stamp struct {
	at     int64
	callID string
	cseq   int
}

// before reports whether s is surely older than t. Within one second CSeq decides, which is only comparable within one
// Call-ID (RFC 3261 10.3 step 7); else the order of arrival does.
func (s stamp) before(t stamp) bool {
	if s.at != t.at {
		return s.at < t.at
	}
	return s.callID == t.callID && s.cseq < t.cseq
}

func (b *binding) stamp() stamp { return stamp{b.At, b.CallID, b.CSeq} }

// Load applies a list of registrations, such as the database's. It does not forget what is known from newer events.
func (r *Registrations) Load(list []messages.Registration) {
	for i := range list {
		r.Apply(&list[i])
	}
}

// Apply takes a valid registration event into account.
func (r *Registrations) Apply(m *messages.Registration) {
	key := addressOf(m.Username, m.Domain)
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.devices[key]
	if d == nil {
		if len(r.devices) >= MaxDevices {
			r.refused++
			return
		}
		if r.devices == nil {
			r.devices = map[address]*device{}
		}
		d = &device{}
		r.devices[key] = d
	}
	s := stamp{m.At, m.CallID, m.CSeq}
	if d.cleared != nil && s.before(*d.cleared) {
		return
	}
	if m.Contact == "*" {
		if m.Event != messages.Registered {
			d.clear(s)
		}
		return
	}
	d.apply(m, s)
}

// clear removes every contact that is not newer.
func (d *device) clear(s stamp) {
	d.cleared = &s
	d.contacts = slices.DeleteFunc(d.contacts, func(b binding) bool { return !s.before(b.stamp()) })
}

func (d *device) apply(m *messages.Registration, s stamp) {
	b := binding{
		Contact: Contact{
			URI: m.Contact, Edge: m.Edge, EdgeURI: m.EdgeURI, Path: m.Path, Transport: m.Transport, UserAgent: m.UserAgent,
			CallID: m.CallID, CSeq: m.CSeq, At: m.At, ExpiresAt: m.ExpiresAt(),
		},
		gone:    m.Event != messages.Registered || m.Expires == 0,
		expired: m.Event == messages.Expired,
	}
	i := slices.IndexFunc(d.contacts, func(had binding) bool { return had.URI == m.Contact })
	if i < 0 {
		d.contacts = append(d.contacts, b)
		d.trim(m.At)
		return
	}
	had := &d.contacts[i]
	switch {
	case s.before(had.stamp()):
		return
	case b.expired && !had.gone && b.At == had.At:
		return // nothing expires in the second in which it is registered: this is the end of the one before
	}
	*had = b
	d.trim(m.At)
}

// trim forgets old tombstones, what expired long ago, and the oldest contacts beyond the bound.
func (d *device) trim(at int64) {
	horizon := at - int64(TombstoneFor/time.Second)
	d.contacts = slices.DeleteFunc(d.contacts, func(b binding) bool {
		return (b.gone && b.At < horizon) || b.ExpiresAt.Unix() < horizon
	})
	for _, gone := range []bool{false, true} {
		for d.count(gone) > MaxContacts {
			d.dropOldest(gone)
		}
	}
}

func (d *device) count(gone bool) (n int) {
	for i := range d.contacts {
		if d.contacts[i].gone == gone {
			n++
		}
	}
	return n
}

func (d *device) dropOldest(gone bool) {
	oldest := -1
	for i, b := range d.contacts {
		if b.gone == gone && (oldest < 0 || b.At < d.contacts[oldest].At) {
			oldest = i
		}
	}
	d.contacts = slices.Delete(d.contacts, oldest, oldest+1)
}

// Contacts returns where a device can be reached at that moment, the latest registration first. The slice is the caller's.
func (r *Registrations) Contacts(username, domain string, now time.Time) []Contact {
	r.mu.RLock()
	defer r.mu.RUnlock()
	d := r.devices[addressOf(username, domain)]
	if d == nil {
		return nil
	}
	var live []Contact
	for _, b := range d.contacts {
		if !b.gone && now.Before(b.ExpiresAt) {
			live = append(live, b.Contact)
		}
	}
	slices.SortStableFunc(live, func(a, b Contact) int { return cmp.Compare(b.At, a.At) })
	return live
}

// Sweep forgets what has expired. Calling it every minute or so keeps memory in bounds; Contacts does not need it.
func (r *Registrations) Sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	horizon := now.Add(-TombstoneFor)
	for key, d := range r.devices {
		d.contacts = slices.DeleteFunc(d.contacts, func(b binding) bool {
			if b.gone {
				return time.Unix(b.At, 0).Before(horizon)
			}
			return b.ExpiresAt.Before(horizon)
		})
		if d.cleared != nil && time.Unix(d.cleared.at, 0).Before(horizon) {
			d.cleared = nil
		}
		if len(d.contacts) == 0 && d.cleared == nil {
			delete(r.devices, key)
		}
	}
}

// Size returns how many devices are known and how many events were refused by MaxDevices.
func (r *Registrations) Size() (devices int, refused uint64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.devices), r.refused
}
