package sim

import (
	"fmt"
	"strings"
	"time"

	"tandem/because"
	"tandem/callflows"
	"tandem/messages"
	"tandem/routing"
	"tandem/tenants"
)

const (
	edgeURI = "sip:192.0.2.1:5070"
)

// simCall is what the world knows of a call, whoever drives it.
type simCall struct {
	facts     callflows.Call
	emergency bool
	over      bool // its caller's leg is gone

	hangsUpAt  int // after so many turns of it at the node; 0: not by count
	turns      int
	entered    int // the highest count of elements that any step gave
	received   map[int]bool
	legs       map[string]*legFate
	order      []string // of legs
	timers     map[int]*timerFate
	ended      bool // a step has ended it
	passedOn   bool // a phone has passed on who it talked to: where to is its own choice, in an emergency call too
	endOrdered bool // somebody has ordered its end
	strayed    bool // its version could not be had, and another drives it
	afterwards int  // steps after its end

	driver    *node         // whose owner drives it
	steps     map[*node]int // that its journal had when it was last stepped there
	shaken    bool          // who knew of its move is gone
	forgotten bool          // who knew of its last nodes is gone
	came      time.Duration // to its node
	moved     int           // how often it has moved

	waited  time.Duration // when it last stopped waiting for a timer or an answer
	version int64         // that has driven it; 0 before its first step
	excused bool          // a worker could not get its version
}

// legFate is what the world knows of a leg.
type legFate struct {
	id        string
	role      messages.LegRole
	endedAt   time.Duration
	gone      bool
	nodes     []*node       // that it was on, or was fetched by
	holder    *channel      // to which its far end talks
	createdAt time.Time     // when it first was, by the node's clock
	answered  *time.Time    // likewise
	lost      bool          // its far end has forgotten the dialog
	witnessed bool          // an owner has been told of it
	since     time.Duration // when that was first
}

// timerFate is what the world knows of a timer.
type timerFate struct{ fired bool }

// hostile are texts that a phone might write.
func hostile() []string {
	return []string{"", "Eve", "\xff\xfe", "a\x00b\r\nX: y", strings.Repeat("é", 900), "${system x}", "\ufffd", "<sip:a@b>"}
}

// expectCallers books the calls of the world.
func (w *world) expectCallers() {
	callers, within := 1+w.rng.IntN(6), callsWithin
	if len(w.nodes) > 1 {
		callers += 3
	}
	if w.weather.busy {
		callers, within = callers+9, callsWithin/4
	}
	for range callers {
		w.at(w.between(0, within), w.arrive)
	}
}

// arrive is an INVITE at the edge: routing decides, and the node parks it.
func (w *world) arrive() {
	if !w.anyUp() {
		return
	}
	t := pick(w, w.tenants...)
	if w.weather.busy && w.chance(85) {
		t = w.tenants[0]
	}
	w.place(w.anyRequest(t), nil)
}

// place has routing decide a request. It gives the call, if it reaches the node.
func (w *world) place(r routing.Request, joins *routing.Joins) *simCall {
	if !w.anyUp() {
		return nil
	}
	facts := routing.Facts{At: w.nodeTime(), TenantCalls: w.callsOf(routing.TenantOf(w.snapshot, r), false),
		Above: w.countAbove(routing.TenantOf(w.snapshot, r)), Joins: joins, Nodes: w.routable()}
	if w.plant.Facts != nil {
		w.plant.Facts(&facts)
	}
	d := routing.Decide(w.snapshot, facts, r)
	if w.trace != nil {
		w.tell("edge", "%s calls %s: %s %d %s%s", r.AuthUser, r.To.User, d.Verdict, d.Code, d.FlowID, w.saidRaw(d.Because))
	}
	if d.Verdict != messages.Route {
		w.result.Refused++
		return nil
	}
	c := &simCall{emergency: d.FlowID == callflows.EmergencyFlow, received: map[int]bool{}, legs: map[string]*legFate{},
		timers: map[int]*timerFate{}, steps: map[*node]int{}}
	at := w.nodeAt(d.Nodes[0])
	c.facts = callflows.Call{ID: d.Call, Tenant: d.Tenant, Version: d.Version, Leg: w.uuid(), Node: at.name, Edge: edgeURI, FlowID: d.FlowID,
		Caller: d.Caller, Dialled: d.Dialled, Replaces: d.Replaces, SIPCallID: r.SIPCallID, StartedAt: w.nodeTime()}
	w.calls, w.byID[c.facts.ID] = append(w.calls, c), c
	w.result.Calls++
	w.checkTenantLimit(c)
	if w.chance(w.weather.impatient) {
		c.hangsUpAt = 1 + w.rng.IntN(25)
	}
	at.invite(c)
	return c
}

func (w *world) saidRaw(reasons []because.Reason) string {
	var b strings.Builder
	for _, r := range reasons {
		b.WriteString(" | " + r.Code)
	}
	return b.String()
}

// anyRequest draws an INVITE for a tenant: from one of its devices, or from a carrier to its number.
func (w *world) anyRequest(t *tenants.Tenant) routing.Request {
	r := routing.Request{Call: w.uuid(), Edge: edgeURI, Port: 5060, Transport: "udp", SIPCallID: pick(w, "abc@192.0.2.44", "", strings.Repeat("x", 4000)),
		FromName: pick(w, hostile()...)}
	if w.chance(30) {
		r.Source, r.To.User, r.From.User = carrierAddress(), t.AllNumbers()[0], "+15559990000"
		return r
	}
	devices := t.AllDevices()
	device := devices[w.rng.IntN(len(devices))]
	r.AuthUser, r.AuthRealm, r.From.User = device.Username, t.Domain, device.Username
	r.To.User = fmt.Sprintf("2%02d", w.rng.IntN(len(t.Published.AllFlows())))
	switch {
	case w.chance(5):
		r.To.User = emergencyNumber
	case w.chance(3):
		r.To.User = "999999"
	case w.chance(15): // outside, and to other tenants of the platform
		r.To.User = pick(w, "+12025550199", "+493012345678", "+15550101", "+15550102", "+15550103")
	case len(w.nodes) > 1 && w.chance(65):
		r.To.User = pick(w, lasting()...)
	case w.weather.busy && w.chance(60):
		r.To.User = pick(w, append(meeting(), "301", "301", "303")...)
	}
	return r
}

// countAbove is what the limits of the resellers above a tenant are held against.
func (w *world) countAbove(tenant string) (above []routing.Above) {
	for t := w.snapshot.Tenant(tenant); t != nil && t.Parent != ""; {
		if t = w.snapshot.Tenant(t.Parent); t != nil && t.MaxCalls > 0 {
			above = append(above, routing.Above{Tenant: t.ID, Calls: w.callsOf(t.ID, false)})
		}
	}
	return above
}

// within says whether a tenant is another, or below it.
func (w *world) within(tenant, other string) bool {
	for t := w.snapshot.Tenant(tenant); t != nil; t = w.snapshot.Tenant(t.Parent) {
		if t.ID == other {
			return true
		}
	}
	return false
}

// callsOf counts the live calls of a tenant and of all below it.
func (w *world) callsOf(tenant string, withoutEmergency bool) int {
	n := 0
	for _, c := range w.calls {
		if w.within(c.facts.Tenant, tenant) && !c.over && !(withoutEmergency && c.emergency) {
			n++
		}
	}
	return n
}

// nodeTime is the time by the node's clock.
func (w *world) nodeTime() time.Time { return began().Add(w.now + w.weather.skew) }

// workerTime is the time by a worker's clock.
func (w *world) workerTime() time.Time { return began().Add(w.now) }

// keys is what a caller keys when he is asked: when each key comes, after the asking began.
func (w *world) keys(d callflows.DigitsWanted, prompt time.Duration) (keyed string, first, each time.Duration) {
	every := "0123456789*#ABCD"
	draw := func(from string, n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(from[w.rng.IntN(len(from))])
		}
		return b.String()
	}
	first, each = w.between(0, prompt+max(d.First-time.Millisecond, 0)), w.between(50*time.Millisecond, 400*time.Millisecond)
	switch w.rng.IntN(10) {
	case 0, 1, 2, 3:
		return draw(d.Allowed, min(d.Max, max(1, d.Min)+w.rng.IntN(max(1, d.Max-d.Min+1)))), first, each
	case 4:
		return draw(every, 1+w.rng.IntN(d.Max)), first, each // any key
	case 5:
		return draw(d.Allowed, d.Max), prompt + d.First + w.between(time.Millisecond, 2*time.Second), each // late
	case 6:
		return draw(every, 5+w.rng.IntN(60)), first, 5 * time.Millisecond // leans on the keys
	case 7:
		return draw(d.Allowed, max(1, d.Min-1)), first, d.Between + time.Second // gives up half way
	}
	return "", 0, 0
}
