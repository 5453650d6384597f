package directory

import (
	"slices"
	"time"

	"tandem/messages"
)

// liveLeg is a leg as it was announced, with its dialog as it was told.
type liveLeg struct {
	LiveLeg
	announced uint32 // digest of the dialog that the node's owner has; 0: none
}

// lackedBy is a call whose leg's dialog has been announced and has not come, and the node that it is on.
type lackedBy struct{ call, node string }

// listLegs makes the legs of a call of what its node's owner lists, and keeps the dialogs that are known.
func (c *Calls) listLegs(node string, entry *messages.NodeCall, had []liveLeg) []liveLeg {
	legs := make([]liveLeg, len(entry.Legs))
	for i, l := range entry.Legs {
		legs[i] = liveLeg{LiveLeg{ID: l.ID, Role: l.Role, Device: l.Device, Trunk: l.Trunk, AnsweredAt: l.AnsweredAt,
			Parked: l.Parked, With: l.With, CallID: l.CallID, LocalTag: l.LocalTag, RemoteTag: l.RemoteTag}, l.Dialog}
	}
	for _, h := range had {
		if i := slices.IndexFunc(legs, func(l liveLeg) bool { return l.ID == h.ID }); i >= 0 {
			legs[i].Dialog = h.Dialog
			delete(c.lacking, h.ID)
		} else {
			c.dropLeg(h)
		}
	}
	for _, l := range legs {
		if l.lacks() {
			c.lack(l.ID, lackedBy{entry.Call, node})
		}
	}
	return legs
}

func (l *liveLeg) lacks() bool {
	return l.announced != 0 && (l.Dialog == nil || l.Dialog.Digest != l.announced)
}

func (c *Calls) lack(leg string, by lackedBy) {
	if c.lacking == nil {
		c.lacking = map[string]lackedBy{}
	}
	c.lacking[leg] = by
}

// Learn takes dialogs of answered legs. Those of calls that are not known are left: their announcement brings them. The
// message's dialogs are kept as they are.
func (c *Calls) Learn(m *messages.NodeDialogs) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range m.Dialogs {
		d := m.Dialogs[i] // so that one dialog does not keep its neighbours
		had := c.calls[d.Call]
		if had == nil || had.live.Node != m.Node {
			continue
		}
		at := slices.IndexFunc(had.legs, func(l liveLeg) bool { return l.ID == d.Leg })
		if at < 0 {
			if len(had.legs) >= messages.MaxCallLegs {
				continue
			}
			at = len(had.legs)
			had.legs = append(had.legs, liveLeg{LiveLeg: LiveLeg{ID: d.Leg}})
		}
		leg := &had.legs[at]
		if leg.Dialog != nil && d.At.Before(leg.Dialog.At) {
			continue
		}
		if leg.Dialog == nil {
			c.dialogs++
		}
		leg.Dialog, leg.announced = &d, d.Digest
		delete(c.lacking, d.Leg)
	}
}

// dropLeg forgets a leg that is over.
func (c *Calls) dropLeg(l liveLeg) {
	delete(c.lacking, l.ID)
	if l.Dialog != nil {
		c.dialogs--
	}
}

// Count is the number of live calls, and of dialogs that are held of their legs.
func (c *Calls) Count() (calls, dialogs int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.nodes {
		calls += len(n.calls)
	}
	return calls, c.dialogs
}

// TakeLacking gives legs whose dialogs have been announced and have not come, by node: at most limit of each. They are to be
// asked for; what is not answered is given again after the next announcement.
func (c *Calls) TakeLacking(limit int) map[string][]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	byNode := map[string][]string{}
	for leg, by := range c.lacking {
		if legs := byNode[by.node]; len(legs) < limit {
			byNode[by.node] = append(legs, leg)
			delete(c.lacking, leg)
		}
	}
	return byNode
}

// movedFor is how long the word of one node on a call keeps another node from claiming it by a mere listing: longer than
// the pause between two announcements.
const movedFor = time.Minute
