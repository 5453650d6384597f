package directory

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"tandem/messages"
)

// MaxContacts is how many contacts of one device are kept; the oldest make room.
const MaxContacts = 10

// goneFor is how long it is remembered that a contact is gone, so that a late event does not bring it back.
const goneFor = time.Minute

// Contact is one place where a device can be reached.
type Contact struct {
	URI       string    `json:"uri"`
	EdgeURI   string    `json:"edge_uri"` // the edge that holds the registration
	Edge      string    `json:"edge"`
	UserAgent string    `json:"user_agent"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Registrations says where devices can be reached.
type Registrations struct {
	mu      sync.RWMutex
	devices map[device]*contacts
}

type device struct{ username, domain string }

type contacts struct {
	known   []known
	cleared order // a request to remove all contacts: nothing older comes back
}

// known is a contact, or the memory that it is gone.
type known struct {
	contact Contact
	at      order
	gone    bool
}

// order says which of two events about the same contact is newer.
type order struct {
	at   int64 // Unix seconds at the edge
	cseq int
}

func (o order) after(other order) bool {
	return cmp.Or(cmp.Compare(o.at, other.at), cmp.Compare(o.cseq, other.cseq)) > 0
}

// NewRegistrations returns an empty one.
func NewRegistrations() *Registrations { return &Registrations{devices: map[device]*contacts{}} }

// Apply takes one event.
func (r *Registrations) Apply(m messages.Registration) {
	key := device{m.Username, strings.ToLower(m.Domain)}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.devices[key]
	if c == nil {
		c = &contacts{}
		r.devices[key] = c
	}
	now := order{m.At, m.CSeq}
	if m.Contact == "*" {
		c.clear(now)
		return
	}
	c.apply(m, now)
	c.bound(m.At)
	if len(c.known) == 0 && c.cleared == (order{}) {
		delete(r.devices, key)
	}
}

// clear removes every contact that is not newer.
func (c *contacts) clear(at order) {
	if !at.after(c.cleared) {
		return
	}
	c.cleared = at
	c.known = slices.DeleteFunc(c.known, func(k known) bool { return !k.at.after(at) })
}

func (c *contacts) apply(m messages.Registration, at order) {
	if c.cleared != (order{}) && !at.after(c.cleared) {
		return
	}
	entry := known{at: at, gone: m.Event != messages.Registered, contact: Contact{URI: m.Contact, EdgeURI: m.EdgeURI, Edge: m.Edge,
		UserAgent: m.UserAgent, ExpiresAt: m.ExpiresAt()}}
	for i := range c.known {
		if c.known[i].contact.URI != m.Contact {
			continue
		}
		if c.known[i].at.after(at) {
			return
		}
		c.known[i] = entry
		return
	}
	c.known = append(c.known, entry)
}

// bound forgets what is over, and the oldest beyond MaxContacts.
func (c *contacts) bound(at int64) {
	c.known = slices.DeleteFunc(c.known, func(k known) bool {
		over := k.contact.ExpiresAt
		if k.gone {
			over = time.Unix(k.at.at, 0).Add(goneFor)
		}
		return over.Before(time.Unix(at, 0))
	})
	for len(c.known) > MaxContacts {
		oldest := 0
		for i := range c.known {
			if c.known[oldest].at.after(c.known[i].at) {
				oldest = i
			}
		}
		c.known = slices.Delete(c.known, oldest, oldest+1)
	}
}

// Contacts lists where a device can be reached, the most recently registered first.
func (r *Registrations) Contacts(username, domain string, now time.Time) []Contact {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c := r.devices[device{username, strings.ToLower(domain)}]
	if c == nil {
		return nil
	}
	there := slices.DeleteFunc(slices.Clone(c.known), func(k known) bool { return k.gone || !k.contact.ExpiresAt.After(now) })
	slices.SortStableFunc(there, func(a, b known) int { return cmp.Or(cmp.Compare(b.at.at, a.at.at), cmp.Compare(b.at.cseq, a.at.cseq)) })
	out := make([]Contact, 0, len(there))
	for _, k := range there {
		out = append(out, k.contact)
	}
	return out
}
