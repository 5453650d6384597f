package nodes

import (
	"time"

	"tandem/callflows"
)

// Order begins a call that somebody has ordered, if this worker owns its node, and says whether it does, and whether phones ring. One
// that has begun here already, or is over, is left as it is: an order may come any number of times.
func (n *Node) Order(call callflows.Call) (owned, rings bool) {
	if call.Ordered == nil || call.Node != n.options.Node.Name || n.role.Load() != owning || !n.mayWrite() {
		return false, false
	}
	s := n.shardOf(call.Leg)
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.role.Load() != owning { // deposed meanwhile: the next owner gets the order too
		return false, false
	}
	if c := s.calls[call.Leg]; c != nil || s.gone.has(call.Leg) {
		return true, c != nil
	}
	at := time.Now().UTC()
	call.StartedAt = at
	c := s.newCall(call)
	event := callflows.Event{Kind: callflows.CallOrdered, At: at, Leg: call.Leg, Call: &c.state.Call}
	if t := n.options.Snapshot().Tenant(call.Tenant); t != nil {
		for _, device := range call.Ordered.Devices {
			event.Contacts = append(event.Contacts, n.options.Contacts.Contacts(t, device, at)...)
		}
	}
	s.step(c, event)
	return true, c.state.Phase != callflows.Ended
}
