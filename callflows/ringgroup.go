package callflows

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// enterGroup looks up several who are to be rung.
func (e ringElement) enterGroup(s *step, r ringSettings) {
	g := s.group(r, true)
	if len(g.places) == 0 {
		s.leaveGroup(g)
		return
	}
	c := Command{Kind: FindContacts}
	for _, p := range g.places {
		if p.device != "" && !slices.Contains(c.Devices, p.device) {
			c.Devices = append(c.Devices, p.device)
		}
		if p.way != nil && !slices.Contains(c.Trunks, p.way.Trunk.ID) {
			c.Trunks = append(c.Trunks, p.way.Trunk.ID)
		}
		c.Talking = c.Talking || p.skipBusy
	}
	s.await(stageFinding, c)
}

// leaveGroup leaves when there is nobody to ring: what kept the users from being rung says how.
func (s *step) leaveGroup(g group) {
	switch {
	case g.busy:
		s.exit("busy", "USER_BUSY", messages.FaultCallee)
	case g.hiddenFrom != nil:
		s.rejectAnonymous(g.hiddenFrom)
	default:
		s.nobodyToRing()
	}
}

// ringGroup dials those who were found.
func (e ringElement) ringGroup(s *step, r ringSettings) {
	g := s.group(r, false)
	g.places = s.withinLimits(g.places)
	targets, busy := s.targetsOf(r, g.places)
	switch {
	case len(targets) > 0:
		s.dial(Command{Kind: Ring, Targets: targets, InOrder: r.Strategy != "at_once", Wait: time.Duration(r.Seconds) * time.Second})
	case busy || g.busy:
		s.exit("busy", "USER_BUSY", messages.FaultCallee)
	default:
		s.exit("unavailable", "USER_NOT_REGISTERED", messages.FaultCallee)
	}
}

// group is several who are to be rung, as configuration and their own settings have it.
type group struct {
	places     []callee
	busy       bool          // a user is left out who is not to be disturbed
	hiddenFrom *tenants.User // a user is left out who takes no anonymous calls
}

// gathering is one walk over those whom an element names.
type gathering struct {
	*step
	group
	say bool // explain what is left out: once for each entering
}

func (g *gathering) note(why ...because.Reason) {
	if g.say {
		g.because = append(g.because, why...)
	}
}

// group lists whom to ring, each device and number once, in the order of the settings or of their weights.
func (s *step) group(r ringSettings, say bool) group {
	g := &gathering{step: s, say: say}
	for _, t := range g.inOrder(r.all(), r.Strategy) {
		base := callee{delay: t.Delay, seconds: t.Seconds, confirm: t.Confirm, skipBusy: t.SkipBusy}
		switch {
		case t.User != "":
			g.user(t.User, base, nil)
		case t.Device != "":
			g.device(t.Device, base)
		default:
			g.number(t.Number, base)
		}
	}
	return g.group
}

// all are those whom the settings name, in their order.
func (r ringSettings) all() []ringTarget {
	var all []ringTarget
	for _, id := range r.Users {
		all = append(all, ringTarget{User: id, Weight: 1})
	}
	for _, id := range r.Devices {
		all = append(all, ringTarget{Device: id, Weight: 1})
	}
	return append(all, r.Targets...)
}

// add adds a place, unless it is there.
func (g *gathering) add(p callee) {
	if !slices.ContainsFunc(g.places, func(o callee) bool { return o.device == p.device && o.number == p.number }) {
		g.places = append(g.places, p)
	}
}

// user adds the devices of a user, or those of whom he forwards to. by are the users who have forwarded so far.
func (g *gathering) user(id string, base callee, by []string) {
	u := g.config.Tenant.User(id)
	if u == nil {
		g.note(because.New("user_missing", "user", id))
		return
	}
	set := g.config.Tenant.SettingsOf(id)
	switch {
	case set.RejectAnonymous && g.hidden():
		g.note(because.New("anonymous_rejected", "user", u.Name))
		g.hiddenFrom = u
		return
	case set.ForwardAll.Active():
		g.forward(u, set.ForwardAll, base, append(slices.Clone(by), id))
		return
	case set.DoNotDisturb:
		g.note(undisturbed(u, set))
		g.busy = true
		return
	}
	devices := g.config.Tenant.DevicesOf(id)
	if len(devices) == 0 {
		g.note(because.New("user_without_device", "user", u.Name))
	}
	base.skipBusy = base.skipBusy || set.NoCallWaiting
	for _, d := range devices {
		base.device = d.ID
		g.add(base)
	}
}

// forward follows one of several users to where he forwards all calls: to a user or a number, not to a flow.
func (g *gathering) forward(u *tenants.User, f tenants.Forward, base callee, by []string) {
	g.note(forwards(u, "", f))
	if n := g.passedOn() + len(by); n > MaxDiversions {
		g.note(because.New("diverted_too_often", "times", strconv.Itoa(n), "limit", strconv.Itoa(MaxDiversions)))
		return
	}
	base.by, base.times, base.confirm = u.ID, g.passedOn()+len(by), base.confirm || f.Confirm
	switch to := g.destinationOf(f.To); {
	case to.user != nil && slices.Contains(by, to.user.ID):
		g.note(because.New("forward_circle", "user", u.Name, "to", to.user.Name))
	case to.user != nil:
		g.user(to.user.ID, base, by)
	case to.number != "":
		g.outside(to.number, base)
	case to.flow != nil:
		g.note(because.New("forward_left_out", "user", u.Name, "to", f.To))
	default:
		g.note(because.New("forward_nowhere", "user", u.Name, "to", f.To))
	}
}

func (g *gathering) device(id string, base callee) {
	if g.config.Tenant.Device(id) == nil {
		g.note(because.New("device_missing", "device", id))
		return
	}
	base.device = id
	g.add(base)
}

func (g *gathering) number(dialled string, base callee) {
	number, ok := OutsideNumber(g.config.Tenant, dialled)
	if !ok {
		g.note(because.New("number_not_outside", "number", dialled))
		return
	}
	g.outside(number, base)
}

// outside adds a number, by the first way that serves it: there is no second attempt among several who are rung.
func (g *gathering) outside(number string, base callee) {
	out := WaysOut(g.config.Tenant, g.config.Ways, number)
	if out.Refused != "" {
		g.note(out.Because...)
		g.note(because.New("number_left_out", "number", number))
		return
	}
	for i := range out.Ways { // a trunk that registers is not looked for here
		if out.Ways[i].Destination != registeredThere {
			base.number, base.way = number, &out.Ways[i]
			g.add(base)
			return
		}
	}
	g.note(because.New("number_left_out", "number", number))
}

// withinLimits leaves out the numbers that limits keep from being called, and takes another way where one trunk is full.
func (s *step) withinLimits(places []callee) []callee {
	var left []callee
	for _, p := range places {
		if p.number == "" {
			left = append(left, p)
			continue
		}
		if s.tenantOver() || s.trunkOver(p.way.Trunk) {
			s.explain("number_left_out", "number", p.number)
			continue
		}
		left = append(left, p)
	}
	return left
}

// targetOutside is the leg to a number outside.
func (s *step) targetOutside(p callee) Target {
	o := p.way.Trunk.Outgoing
	written := o.Numbers.Write(p.number)
	id := s.callerFor(*p.way, p.by)
	if p.way.Trunk.ID == BetweenTrunk {
		s.explain("between_taken", "number", p.number, "shown", id.Number)
	} else {
		s.explain("way_taken", "trunk", p.way.Trunk.Name, "destination", p.way.Destination, "number", written, "shown", id.Number)
	}
	t := Target{URI: wayURI(*p.way, written), Edge: s.state.Call.Edge, Trunk: p.way.Trunk.ID, CallerID: &id, Between: s.between(*p.way)}
	if p.by != "" {
		t.Diverted = s.diversionBy(p.by, "", p.times)
	}
	return t
}

// inOrder gives the targets in the order in which they are rung. By weight, each place in the order goes to one of those that are
// left, with the chance that its weight has among theirs. What is drawn is made of the call's id, so that the same call has the same
// order wherever it is worked out.
func (g *gathering) inOrder(all []ringTarget, strategy string) []ringTarget {
	if strategy != "weighted" || len(all) < 2 {
		return all
	}
	rest, order := slices.Clone(all), make([]ringTarget, 0, len(all))
	var names []string
	for len(rest) > 0 {
		total := 0
		for _, t := range rest {
			total += max(1, t.Weight)
		}
		drawn := draw(g.state.Call.ID, g.state.Element, len(order), total)
		i := 0
		for ; drawn >= max(1, rest[i].Weight); i++ {
			drawn -= max(1, rest[i].Weight)
		}
		order, names = append(order, rest[i]), append(names, g.targetName(rest[i]))
		rest = slices.Delete(rest, i, i+1)
	}
	const told = 10
	if more := len(names) - told; more > 0 {
		names = append(names[:told], "and "+strconv.Itoa(more)+" more")
	}
	g.note(because.New("weighted_order", "order", strings.Join(names, ", ")))
	return order
}

// draw is a number below n, as good as random, that is the same for the same call, element and turn.
func draw(call, element string, turn, n int) int {
	sum := sha256.Sum256([]byte(call + "/" + element + "/" + strconv.Itoa(turn)))
	return int(binary.BigEndian.Uint64(sum[:8]) % uint64(n))
}

func (s *step) targetName(t ringTarget) string {
	switch {
	case t.User != "":
		if u := s.config.Tenant.User(t.User); u != nil {
			return u.Name
		}
	case t.Device != "":
		if d := s.config.Tenant.Device(t.Device); d != nil {
			return d.Name
		}
	}
	return t.User + t.Device + t.Number
}
