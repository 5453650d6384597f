package callflows

import (
	"strconv"
	"strings"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// Forwarding is one time that a user's settings have passed a call on.
type Forwarding struct {
	User    string     `json:"user"` // id of who passes it on
	On      DivertedOn `json:"on,omitempty"`
	To      string     `json:"to"`                // as the user has set it
	Next    string     `json:"next,omitempty"`    // id of the user whom it goes to
	Number  string     `json:"number,omitempty"`  // number outside that it goes to, in E.164
	Confirm bool       `json:"confirm,omitempty"` // who answers there must accept it
}

// How an acceptance is asked for.
const (
	acceptKey    = "1"
	acceptPrompt = "tone:accept"
	acceptWait   = 15 * time.Second
)

// destination is where a forwarding leads; one of its members is set, or none if it leads nowhere.
type destination struct {
	user   *tenants.User
	flow   *tenants.Flow
	number string // outside, E.164
}

// destinationOf reads what a user has set as he would dial it: an extension of a user, what leads to a flow, or a number outside.
func (s *step) destinationOf(to string) destination {
	t := s.config.Tenant
	if u := t.UserByExtension(to); u != nil {
		return destination{user: u}
	}
	route := t.Route(to)
	number, outside := OutsideNumber(t, to)
	if route == nil && outside {
		route = t.Route(number) // the tenant's own number
	}
	if route == nil {
		route, _ = t.RouteByPrefix(to)
	}
	switch {
	case route != nil:
		return destination{flow: t.Flow(route.FlowID)}
	case outside && !s.config.Ways.Owns(t.ID, number):
		return destination{number: number}
	}
	return destination{}
}

// chain are the forwardings of the ring at work.
func (s *step) chain() []Forwarding {
	return s.state.Forwards[min(s.state.Chain, len(s.state.Forwards)):]
}

// forwarded is the last of them, or nil.
func (s *step) forwarded() *Forwarding {
	if c := s.chain(); len(c) > 0 {
		return &c[len(c)-1]
	}
	return nil
}

// rungNow is the user whose devices are rung, or to be rung: the one that the element names, or whom the last forwarding led to.
func (s *step) rungNow(named string) string {
	if f := s.forwarded(); f != nil {
		return f.Next
	}
	return named
}

// inChain says whether a user has had the call in this chain before.
func (s *step) inChain(named, user string) bool {
	for _, f := range s.chain() {
		if f.User == user || f.Next == user {
			return true
		}
	}
	return user == named
}

// passedOn is how often the call has been passed on, by others before it came and by users here.
func (s *step) passedOn() int { return s.state.Call.Diversions + len(s.state.Forwards) }

// forward passes the call on as a user has set it, and does what comes of it.
func (e ringElement) forward(s *step, r ringSettings, u *tenants.User, on DivertedOn, f tenants.Forward) {
	s.because = append(s.because, forwards(u, on, f))
	if n := s.passedOn(); n >= MaxDiversions {
		s.explain("diverted_too_often", "times", strconv.Itoa(n), "limit", strconv.Itoa(MaxDiversions))
		s.exit("failed", "EXCHANGE_ROUTING_ERROR", messages.FaultTenant)
		return
	}
	to := s.destinationOf(f.To)
	taken := Forwarding{User: u.ID, On: on, To: f.To, Number: to.number, Confirm: f.Confirm}
	switch {
	case to.user != nil && s.inChain(r.single(), to.user.ID):
		s.explain("forward_circle", "user", u.Name, "to", to.user.Name)
		s.exit("failed", "EXCHANGE_ROUTING_ERROR", messages.FaultTenant)
	case to.user != nil:
		taken.Next = to.user.ID
		s.forwardTaken(taken)
		e.reach(s, r, to.user.ID)
	case to.flow != nil:
		s.forwardTaken(taken)
		s.state.FlowID = to.flow.ID
		s.explain("forward_to_flow", "flow", to.flow.Name, "flow_id", to.flow.ID, "element", to.flow.Start)
		s.enter(to.flow, to.flow.Start)
	case to.number != "":
		s.forwardTaken(taken)
		s.state.Attempt = 0
		numberElement{}.call(s, s.forwardedNumber(r))
	default:
		s.explain("forward_nowhere", "user", u.Name, "to", f.To)
		s.exit("failed", causeOfBrokenFlow, messages.FaultTenant)
	}
}

func (s *step) forwardTaken(f Forwarding) {
	s.state.Forwards = append(s.state.Forwards[:len(s.state.Forwards):len(s.state.Forwards)], f) // the state before the step keeps its own
}

// forwardedNumber is how the number element is to call where the last forwarding leads.
func (s *step) forwardedNumber(r ringSettings) numberSettings {
	n := numberSettings{Seconds: r.Seconds}
	if f := s.forwarded(); f != nil {
		n.Number = f.Number
	}
	return n
}

// forwards says in words what a user has set.
func forwards(u *tenants.User, on DivertedOn, f tenants.Forward) because.Reason {
	set := sinceWhen(f.Since)
	switch on {
	case DivertedOnBusy:
		return because.New("forwards_busy", "user", u.Name, "to", f.To, "set", set)
	case DivertedOnNoAnswer:
		return because.New("forwards_no_answer", "user", u.Name, "to", f.To, "set", set)
	}
	return because.New("forwards_all", "user", u.Name, "to", f.To, "set", set)
}

// sinceWhen says when something was set.
func sinceWhen(at time.Time) string {
	if at.IsZero() {
		return "some time ago"
	}
	return at.UTC().Format("2006-01-02 15:04 UTC")
}

// cleanDialled makes what was dialled fit to be kept as a number: digits, * and #, with + before them.
func cleanDialled(dialled string) string {
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789*#+", r) {
			return r
		}
		return -1
	}, dialled)
	if len(clean) > maxNumberBytes || strings.LastIndexByte(clean, '+') > 0 {
		return ""
	}
	return clean
}

// hidden says whether the caller hides his number.
func (s *step) hidden() bool {
	c := s.state.Call.Caller
	return c.Private || c.Number == "" || c.Number == "anonymous"
}

// diversionBy is what a trunk is told of a user who passes the call on, or nil when he has no number that the outside knows.
func (s *step) diversionBy(user string, on DivertedOn, times int) *Diversion {
	number := s.config.Tenant.MainNumber
	if u := s.config.Tenant.User(user); u != nil && u.Number != "" {
		number = u.Number
	}
	if number == "" {
		return nil
	}
	return &Diversion{By: number, Times: times, On: on}
}

// acceptance is what whoever is dialled must do before he gets the call, if he must.
func (r ringSettings) acceptance(must bool) *Acceptance {
	if !must {
		return nil
	}
	prompt := r.AcceptPrompt
	if prompt == "" {
		prompt = acceptPrompt
	}
	return &Acceptance{Key: acceptKey, Prompt: prompt, Wait: acceptWait}
}

// ringAtWork are the settings of the ring element at work, or none.
func (s *step) ringAtWork() ringSettings {
	_, settings := s.element()
	r, _ := settings.(ringSettings)
	return r
}
