package callflows

import (
	"slices"
	"strconv"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// reach tries to reach one user alone: where he forwards all calls, or at his devices.
func (e ringElement) reach(s *step, r ringSettings, id string) {
	u := s.config.Tenant.User(id)
	if u == nil {
		s.explain("user_missing", "user", id)
		s.nobodyToRing()
		return
	}
	set := s.config.Tenant.SettingsOf(id)
	switch {
	case set.RejectAnonymous && s.hidden():
		s.rejectAnonymous(u)
		return
	case set.ForwardAll.Active():
		e.forward(s, r, u, "", set.ForwardAll)
		return
	case set.DoNotDisturb:
		s.because = append(s.because, undisturbed(u, set))
		e.userBusy(s, r, u, set)
		return
	}
	devices := s.config.Tenant.DevicesOf(id)
	if len(devices) == 0 {
		s.explain("user_without_device", "user", u.Name)
		if set.ForwardNoAnswer.Active() {
			e.forward(s, r, u, DivertedOnNoAnswer, set.ForwardNoAnswer)
			return
		}
		s.nobodyToRing()
		return
	}
	c := Command{Kind: FindContacts, Talking: set.NoCallWaiting || r.own().SkipBusy}
	for _, d := range devices {
		c.Devices = append(c.Devices, d.ID)
	}
	s.await(stageFinding, c)
}

// own are the settings of the one target, if it has some.
func (r ringSettings) own() ringTarget {
	if len(r.Targets) == 1 {
		return r.Targets[0]
	}
	return ringTarget{}
}

func (s *step) nobodyToRing() {
	s.explain("nobody_to_ring")
	s.exit("unavailable", "USER_NOT_REGISTERED", messages.FaultTenant)
}

// rejectAnonymous refuses a caller who hides his number: 433 Anonymity Disallowed, RFC 5079.
func (s *step) rejectAnonymous(u *tenants.User) {
	const anonymityDisallowed = 433
	s.explain("anonymous_rejected", "user", u.Name)
	s.state.Refusal = anonymityDisallowed
	s.exit("rejected", "CALL_REJECTED", messages.FaultCaller)
}

func undisturbed(u *tenants.User, set tenants.UserSettings) because.Reason {
	return because.New("do_not_disturb", "user", u.Name, "set", sinceWhen(set.DisturbSince))
}

// userBusy forwards a call that finds a user busy, or leaves.
func (e ringElement) userBusy(s *step, r ringSettings, u *tenants.User, set tenants.UserSettings) {
	if set.ForwardBusy.Active() {
		e.forward(s, r, u, DivertedOnBusy, set.ForwardBusy)
		return
	}
	s.exit("busy", "USER_BUSY", messages.FaultCallee)
}

// ringUser dials every contact of the one user. A contact of a device that was not asked for is not dialled.
func (e ringElement) ringUser(s *step, r ringSettings) {
	id := s.rungNow(r.single())
	u := s.config.Tenant.User(id)
	if u == nil {
		s.nobodyToRing()
		return
	}
	set, own := s.config.Tenant.SettingsOf(id), r.own()
	if set.NoCallWaiting && len(s.event.Talking) > 0 {
		s.explain("call_waiting_off", "user", u.Name)
		e.userBusy(s, r, u, set)
		return
	}
	var places []callee
	for _, d := range s.config.Tenant.DevicesOf(id) {
		places = append(places, callee{device: d.ID, skipBusy: own.SkipBusy, confirm: own.Confirm || s.confirms()})
	}
	targets, busy := s.targetsOf(r, places)
	switch {
	case len(targets) == 0 && busy:
		e.userBusy(s, r, u, set)
	case len(targets) == 0 && set.ForwardNoAnswer.Active():
		e.forward(s, r, u, DivertedOnNoAnswer, set.ForwardNoAnswer)
	case len(targets) == 0:
		s.exit("unavailable", "USER_NOT_REGISTERED", messages.FaultCallee)
	default:
		seconds := r.Seconds
		if own.Seconds > 0 {
			seconds = own.Seconds
		}
		if set.ForwardNoAnswer.Active() && set.NoAnswerSeconds > 0 {
			seconds = set.NoAnswerSeconds
		}
		s.dial(Command{Kind: Ring, Targets: targets, InOrder: r.Strategy != "at_once", Wait: time.Duration(seconds) * time.Second})
	}
}

// confirms says whether who is rung because of a forwarding must accept the call.
func (s *step) confirms() bool {
	return slices.ContainsFunc(s.chain(), func(f Forwarding) bool { return f.Confirm })
}

// userRang goes where the user forwards calls that he did not take, or leaves.
func (e ringElement) userRang(s *step, r ringSettings) {
	id := s.rungNow(r.single())
	u := s.config.Tenant.User(id)
	if u == nil {
		s.ringEnded()
		return
	}
	set := s.config.Tenant.SettingsOf(id)
	exit := exitOfCause(s.event.Cause)
	if s.notAccepted() {
		exit = "no_answer"
	}
	switch {
	case exit == "busy" && set.ForwardBusy.Active():
		s.explain("ring_busy", "cause", s.event.Cause)
		e.forward(s, r, u, DivertedOnBusy, set.ForwardBusy)
	case exit != "busy" && set.ForwardNoAnswer.Active():
		e.forward(s, r, u, DivertedOnNoAnswer, set.ForwardNoAnswer)
	default:
		s.ringEnded()
	}
}

// callee is one that may be dialled: a device, or a number outside.
type callee struct {
	device, number string
	delay, seconds int
	confirm        bool
	skipBusy       bool
	by             string // id of the user who forwards to here
	times          int    // how often the call was passed on to come here
	way            *Way   // of a number
}

// targetsOf makes legs of places, in their order: one for each contact that was found. busy says that one was left out because it
// is in a call.
func (s *step) targetsOf(r ringSettings, places []callee) (targets []Target, busy bool) {
	left := 0
	add := func(p callee, t Target) {
		if len(targets) == MaxTargets {
			left++
			return
		}
		t.Leg = legID(s.state.Call, s.state.Commands+1, len(targets))
		t.Accept, t.Wait = r.acceptance(p.confirm), time.Duration(p.seconds)*time.Second
		if r.Strategy == "at_once" {
			t.Delay = time.Duration(p.delay) * time.Second
		}
		targets = append(targets, t)
	}
	for _, p := range places {
		if p.device == "" {
			add(p, s.targetOutside(p))
			continue
		}
		name := s.config.Tenant.Device(p.device).Name
		if p.skipBusy && slices.Contains(s.event.Talking, p.device) {
			s.explain("skipped_busy", "device", name)
			busy = true
			continue
		}
		registered := false
		for _, c := range s.event.Contacts {
			if c.Device == p.device {
				registered = true
				add(p, Target{URI: c.URI, Edge: c.Edge, Device: p.device})
			}
		}
		if !registered {
			s.explain("device_not_registered", "device", name)
		}
	}
	if left > 0 {
		s.explain("too_many_targets", "limit", strconv.Itoa(MaxTargets))
	}
	return targets, busy
}
