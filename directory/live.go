package directory

import (
	"cmp"
	"slices"
	"time"

	"tandem/messages"
)

// LiveCall is one call that was seen on a media node and whose end was not. It is a copy: changing it changes nothing.
type LiveCall struct {
	Call       string // Tandem's id
	Tenant     string
	Node       string // the media node that it is on
	Worker     string // who drives it; empty until its owner has told
	From, To   string // the caller's number, and what was dialled
	Flow       string // the flow and the element at work, and the phase; empty until its owner has told
	Element    string
	Phase      string
	Waits      string             // why it cannot move to another node, when it is to
	Recorded   bool               // it is being recorded
	State      messages.CallState // CallStarted or CallAnswered
	StartedAt  time.Time          // UTC, by the node's clock; zero when its start was missed and its owner has not told yet
	AnsweredAt time.Time          // UTC; zero before the answer
	Legs       []LiveLeg          // the caller's first; empty until its owner has told
	// Uncertain says that nobody has spoken for the node for longer than UncertainAfter: the call may be over.
	Uncertain bool
}

// LiveLeg is one leg of a live call.
type LiveLeg struct {
	ID         string // its channel's uuid
	Role       messages.LegRole
	Device     string // who it leads to: a device of the tenant or a trunk
	Trunk      string
	AnsweredAt time.Time        // UTC; zero before the answer
	Dialog     *messages.Dialog // not to be changed; nil while it is not known
	Parked     string           // the slot that it is parked in
	With       string           // channel uuid of the leg that it talks to
	CallID     string           // of its SIP dialog, and its tags as far as they are known
	LocalTag   string
	RemoteTag  string
}

// CallFilter chooses live calls. What is empty chooses all.
type CallFilter struct {
	Tenant string
	Node   string
	State  messages.CallState
	Number string     // of the caller, or dialled
	Device string     // one of its legs is this device's
	Trunk  string     // one of its legs is by this trunk
	After  *LivePlace // those behind it
	Limit  int        // at most so many of the result, the oldest calls first; 0 for all
}

// LivePlace is a place in the list of live calls. It stays good when the call that it names is over.
type LivePlace struct {
	StartedAt time.Time
	Call      string
}

func (p LivePlace) compare(l LiveCall) int {
	return cmp.Or(p.StartedAt.Compare(l.StartedAt), cmp.Compare(p.Call, l.Call))
}

// chooses says whether a call is among those that are wanted, of its tenant and node.
func (f CallFilter) chooses(l LiveCall) bool {
	leg := func(of func(LiveLeg) string, id string) bool {
		return id == "" || slices.ContainsFunc(l.Legs, func(l LiveLeg) bool { return of(l) == id })
	}
	return (f.State == "" || f.State == l.State) && (f.Number == "" || f.Number == l.From || f.Number == l.To) &&
		leg(func(l LiveLeg) string { return l.Device }, f.Device) && leg(func(l LiveLeg) string { return l.Trunk }, f.Trunk) &&
		(f.After == nil || f.After.compare(l) < 0)
}

// List gives the live calls that the filter chooses, the oldest first. Calls that are only decided are not among them.
func (c *Calls) List(f CallFilter, now time.Time) []LiveCall {
	all := c.chosen(f, now)
	slices.SortFunc(all, func(a, b LiveCall) int { return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.Call, b.Call)) })
	if f.Limit > 0 && len(all) > f.Limit {
		all = all[:f.Limit]
	}
	return all
}

func (c *Calls) chosen(f CallFilter, now time.Time) (all []LiveCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := c.calls
	switch {
	case f.Tenant != "" && c.tenants[f.Tenant] == nil, f.Node != "" && c.nodes[f.Node] == nil:
		return nil
	case f.Tenant != "":
		from = c.tenants[f.Tenant].calls
	case f.Node != "":
		from = c.nodes[f.Node].calls
	}
	for _, had := range from {
		if had.live.Node != "" && (f.Node == "" || f.Node == had.live.Node) {
			if shown := c.show(had, now); f.chooses(shown) {
				all = append(all, shown)
			}
		}
	}
	return all
}

// Get gives one live call by Tandem's id. It is false for one that was not seen on a node, or has ended.
func (c *Calls) Get(call string, now time.Time) (LiveCall, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	had := c.calls[call]
	if had == nil || had.live.Node == "" {
		return LiveCall{}, false
	}
	return c.show(had, now), true
}

func (c *Calls) show(had *call, now time.Time) LiveCall {
	live := had.live
	for _, l := range had.legs {
		live.Legs = append(live.Legs, l.LiveLeg)
	}
	live.Uncertain = c.nodes[live.Node].uncertain(now)
	return live
}

// Talking gives those of a tenant's devices that are in another call than the one that asks, as far as nodes' owners have told: a
// caller's from the beginning, a called one from its answer. Calls that the worker but drives are left out: it knows better.
func (c *Calls) Talking(call, tenant string, devices []string, but string, now time.Time) (talking []string) {
	for _, live := range c.chosen(CallFilter{Tenant: tenant}, now) {
		if live.Call == call || live.Uncertain || live.Worker == but {
			continue
		}
		for _, l := range live.Legs {
			in := l.Role == messages.RoleCaller || !l.AnsweredAt.IsZero()
			if in && slices.Contains(devices, l.Device) && !slices.Contains(talking, l.Device) {
				talking = append(talking, l.Device)
			}
		}
	}
	return talking
}
