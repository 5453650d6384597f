package directory

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

// ReservedFor is how long a slot that was given to a call is kept for it until the call is seen parked in it.
const ReservedFor = 10 * time.Second

// reservation is a slot that was given to a call.
type reservation struct {
	call string
	at   time.Time
}

// FindCall answers which live call of the asking call's tenant is the wanted one, or nil. The asking call is not found itself,
// nor is one that is joined with another already, where it rings or is parked. Of several the one that began first.
func (c *Calls) FindCall(asks callflows.Call, w callflows.Wanted, now time.Time) *callflows.Found {
	found := c.Find(asks.Tenant, asks.ID, w, now)
	if found != nil {
		found.Local = found.Node == asks.Node
	}
	return found
}

// Find is FindCall for who is not on a node yet. besides is a call that is not to be found.
func (c *Calls) Find(tenant, besides string, w callflows.Wanted, now time.Time) *callflows.Found {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tenants[tenant]
	if t == nil && w.What != callflows.FreeSlot {
		return nil
	}
	if w.What == callflows.FreeSlot {
		return c.reserve(tenant, besides, w, now)
	}
	var found *callflows.Found
	for id, had := range t.calls {
		if id == besides || had.live.Node == "" || w.Call != "" && w.Call != id {
			continue
		}
		if f := c.fits(t, had, w); f != nil && (found == nil || f.Since.Before(found.Since) || f.Since.Equal(found.Since) && f.Leg < found.Leg) {
			found = f
		}
	}
	return found
}

// fits says which leg of a call is the wanted one.
func (c *Calls) fits(t *tally, had *call, w callflows.Wanted) *callflows.Found {
	for i := range had.legs {
		l := &had.legs[i]
		at := slices.Contains(w.Devices, l.Device) && l.Device != ""
		switch w.What {
		case callflows.RingingAt:
			if at && l.rings() {
				return c.rungFor(had)
			}
		case callflows.ParkedIn:
			if l.Parked != "" && l.Parked == w.Slot && l.With == "" {
				return had.found(l)
			}
		case callflows.TalkingAt:
			if at && l.With != "" {
				return c.talksTo(t, l)
			}
		case callflows.KnownAs:
			if l.ID != w.Leg || len(w.Devices) > 0 && !at {
				continue
			}
			if l.rings() {
				return c.rungFor(had)
			}
			if f := c.talksTo(t, l); f != nil {
				f.Answered = true
				return f
			}
		case callflows.OverheardAt:
			if at && l.With != "" {
				return had.found(l)
			}
		case callflows.LegItself:
			if l.ID == w.Leg {
				return had.found(l)
			}
		case callflows.LegWaiting:
			if l.ID == w.Leg && l.With == "" {
				return had.found(l)
			}
		case callflows.FreeSlot:
		}
	}
	return nil
}

// rings says whether a leg rings: somebody else can answer for it.
func (l *liveLeg) rings() bool {
	return l.Role == messages.RoleCallee && l.AnsweredAt.IsZero() && l.With == ""
}

// rungFor gives the leg for which a call rings phones: that which is answered by none of them.
func (c *Calls) rungFor(had *call) *callflows.Found {
	for i := range had.legs {
		if l := &had.legs[i]; l.Role == messages.RoleCaller && l.With == "" {
			return had.found(l)
		}
	}
	for i := range had.legs { // a leg that was transferred and has no caller any more
		if l := &had.legs[i]; !l.AnsweredAt.IsZero() && l.With == "" {
			return had.found(l)
		}
	}
	return nil
}

// talksTo gives the leg that a leg talks to, in whichever call of the tenant's.
func (c *Calls) talksTo(t *tally, l *liveLeg) *callflows.Found {
	if l.With == "" {
		return nil
	}
	for _, had := range t.calls {
		for i := range had.legs {
			if other := &had.legs[i]; other.ID == l.With && other.With == l.ID {
				return had.found(other)
			}
		}
	}
	return nil
}

// found describes a leg of a call.
func (had *call) found(l *liveLeg) *callflows.Found {
	f := &callflows.Found{Party: callflows.Party{Leg: l.ID, Call: had.live.Call, Device: l.Device, Number: had.live.From}, Node: had.live.Node,
		Since: had.live.StartedAt, Slot: l.Parked}
	if l.Role == messages.RoleCallee {
		f.Number = had.live.To
	}
	return f
}

// reserve gives the first slot of a range in which nobody is parked, and keeps it for the call that asks.
func (c *Calls) reserve(tenant, asks string, w callflows.Wanted, now time.Time) *callflows.Found {
	taken := map[string]bool{}
	if t := c.tenants[tenant]; t != nil {
		for _, had := range t.calls {
			for _, l := range had.legs {
				if l.Parked != "" && had.live.Call != asks {
					taken[l.Parked] = true
				}
			}
		}
	}
	if c.slots == nil {
		c.slots = map[string]map[string]reservation{}
	}
	kept := c.slots[tenant]
	if kept == nil {
		kept = map[string]reservation{}
		c.slots[tenant] = kept
	}
	for slot, r := range kept {
		switch {
		case now.Sub(r.at) >= ReservedFor:
			delete(kept, slot)
		case r.call != asks:
			taken[slot] = true
		}
	}
	for n := w.First; n <= w.Last; n++ {
		slot := strconv.Itoa(n)
		if w.Slot != "" {
			slot = w.Slot
		}
		if !taken[slot] {
			kept[slot] = reservation{asks, now}
			return &callflows.Found{Slot: slot}
		}
		if w.Slot != "" {
			break
		}
	}
	return nil
}

// FindDialog answers whose leg has the SIP dialog that an INVITE with Replaces names (RFC 3891 3), among the live calls of a
// tenant. Tags are compared as far as they are known, in either order: phones that pick up by a lamp take them from a
// description of the dialog as another phone sees it (RFC 4235 4.1.2). It gives nil for none, and for more than one.
func (c *Calls) FindDialog(tenant, callID, toTag, fromTag string) *Dialog {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tenants[tenant]
	if t == nil || callID == "" {
		return nil
	}
	var found *Dialog
	for _, had := range t.calls {
		for i := range had.legs {
			l := &had.legs[i]
			if !l.hasDialog(callID, toTag, fromTag) {
				continue
			}
			if found != nil {
				return nil
			}
			found = had.dialog(l)
		}
	}
	return found
}

// FindTalk is FindDialog for a request in a dialog, which nothing but the dialog says the tenant of. It goes through all live calls.
func (c *Calls) FindTalk(callID, toTag, fromTag string) *Dialog {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found *Dialog
	for _, had := range c.calls {
		for i := range had.legs {
			l := &had.legs[i]
			if !l.hasDialog(callID, toTag, fromTag) {
				continue
			}
			if found != nil {
				return nil
			}
			found = had.dialog(l)
		}
	}
	return found
}

// hasDialog says whether a leg has this dialog, as far as its tags are known.
func (l *liveLeg) hasDialog(callID, toTag, fromTag string) bool {
	if l.Dialog == nil {
		return callID != "" && l.CallID == callID && (tagsMatch(toTag, fromTag, l.LocalTag, l.RemoteTag) || tagsMatch(toTag, fromTag, l.RemoteTag, l.LocalTag))
	}
	if callID == "" || l.Dialog.CallID != callID {
		return false
	}
	local, remote := tagOf(l.Dialog.Local), tagOf(l.Dialog.Remote)
	return tagsMatch(toTag, fromTag, local, remote) || tagsMatch(toTag, fromTag, remote, local)
}

func (had *call) dialog(l *liveLeg) *Dialog {
	return &Dialog{Call: had.live.Call, Leg: l.ID, Node: had.live.Node, Answered: !l.AnsweredAt.IsZero(), Caller: l.Role == messages.RoleCaller,
		Tenant: had.live.Tenant, Device: l.Device, Flow: had.live.Flow, Talks: l.With != "" && !l.AnsweredAt.IsZero()}
}

// Dialog is a leg by its SIP dialog.
type Dialog struct {
	Call, Leg, Node string
	Answered        bool
	Caller          bool // it opened its call
	Tenant          string
	Device          string // at its far end
	Flow            string // at work in the call
	Talks           bool   // it was answered and talks to somebody
}

// tagOf reads the tag of a From or To (RFC 3261 20.20): outside the URI.
func tagOf(party string) string {
	if at := strings.LastIndexByte(party, '>'); at >= 0 {
		party = party[at:]
	}
	_, rest, _ := strings.Cut(party, ";tag=")
	tag, _, _ := strings.Cut(rest, ";")
	return tag
}

func tagsMatch(to, from, local, remote string) bool {
	return (local == "" || to == local) && (remote == "" || from == remote) && (local != "" || remote != "")
}

// maxSearched bounds the live calls of a tenant among which a device's is looked for with every new call.
const maxSearched = 256

// NodeOfDevice is the node on which a device of a tenant has a live call, or "". Of a tenant with more than maxSearched live calls
// it is not looked for.
func (c *Calls) NodeOfDevice(tenant, device string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tenants[tenant]
	if t == nil || device == "" || len(t.calls) > maxSearched {
		return ""
	}
	node, since := "", time.Time{}
	for _, had := range t.calls {
		if had.live.Node == "" || !slices.ContainsFunc(had.legs, func(l liveLeg) bool { return l.Device == device }) {
			continue
		}
		if node == "" || had.live.StartedAt.Before(since) {
			node, since = had.live.Node, had.live.StartedAt
		}
	}
	return node
}
