package callflows

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// pageElement lets the caller speak through phones that answer by themselves: to many, who listen, or to one, who can speak too.
//
//	intercom: finding ──► ringing (as ring does) ──► talking
//	page:     answering ──► finding ──► paging ──► the caller hangs up, nobody listens any more, or the time is over
type pageElement struct{}

type pageSettings struct {
	Users     []string `json:"users"`
	Devices   []string `json:"devices"`
	Extension string   `json:"extension"`
	Mode      string   `json:"mode"` // page, intercom
	Seconds   int      `json:"seconds"`
}

// Bounds of paging.
const (
	maxPageSeconds = 600
	pageSeconds    = 60               // unless its settings say otherwise
	autoAnswerWait = 10 * time.Second // a phone that has not answered by itself by then does not
	stagePaging    = "paging"
)

var pageAbout = about{
	name: "page", title: "Page and intercom", description: "Lets the caller speak through phones that answer by themselves: a page goes to all of them at once, and they listen; " +
		"an intercom goes to one user, who can speak too. Who is in a call or not to be disturbed is left out. Forwarding does not act. " +
		"Phones must be set to obey the headers Call-Info (answer-after=0) and Alert-Info (info=alert-autoanswer); one that is not rings.",
	settings: &schema{kind: recordValue, members: []member{
		{name: "users", schema: schema{kind: listValue, max: maxRung, description: "Users whose devices answer.",
			items: &schema{kind: textValue, reference: RefersToUser, min: 1, max: maxID}}},
		{name: "devices", schema: schema{kind: listValue, max: maxRung, description: "Devices that answer, whosever they are.",
			items: &schema{kind: textValue, reference: RefersToDevice, min: 1, max: maxID}}},
		{name: "extension", schema: templateSchema("Extension of one more user, such as {dialled.rest} after a feature code.")},
		{name: "mode", schema: schema{kind: textValue, initial: "page", oneOf: []any{"page", "intercom"}, description: "Whether all listen, or one can speak too."}},
		{name: "seconds", schema: schema{kind: wholeValue, initial: pageSeconds, min: 1, max: maxPageSeconds, unit: "seconds", description: "How long a page lasts at most."}},
	}},
	exits: []Exit{
		{Name: "unavailable", Description: "No device is registered and free, or there is none.", Ends: "USER_NOT_REGISTERED"},
		{Name: "no_answer", Description: "Intercom: nobody answered.", Ends: "NO_ANSWER", Waits: true},
		{Name: "busy", Description: "Intercom: busy or declined.", Ends: "USER_BUSY or CALL_REJECTED"},
		{Name: "failed", Description: "Intercom: ringing failed.", Ends: causeOfBrokenFlow}},
	behaviour: Behaviour{EarlyMedia: "None for a page, which answers first; as with ring for an intercom.", Answer: "A page answers the caller at once, an intercom when the phone answers.",
		Ringback: "None for a page; as with ring for an intercom.", HangUp: "A caller who hangs up ends the page for all.", Transfer: notWhileAlone},
	example: tenants.Element{Type: "page", Settings: json.RawMessage(`{"users":["sales","support"],"mode":"page"}`),
		Exits: map[string]string{"unavailable": "sorry", "no_answer": "sorry", "busy": "sorry", "failed": "sorry"}},
}

func (pageElement) about() *about { return &pageAbout }

func (pageElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read(pageAbout.settings, settings, func(p *pageSettings) []FlowFault {
		if len(p.Users)+len(p.Devices) > 0 || p.Extension != "" {
			return nil
		}
		return []FlowFault{{Path: "/users", Code: "settings_contradict", Detail: "Neither users nor devices nor extension name anybody.", Mend: "Name at least one."}}
	})
}

func (e pageElement) enter(s *step, settings any) {
	p := settings.(pageSettings)
	if p.Mode == "intercom" || s.answerFirst() {
		e.find(s, p)
	}
}

// find looks up those who are to answer.
func (pageElement) find(s *step, p pageSettings) {
	devices := s.paged(p, true)
	if len(devices) == 0 {
		s.nobodyToRing()
		return
	}
	s.await(stageFinding, Command{Kind: FindContacts, Devices: devices, Talking: true})
}

// paged lists the devices that are to answer, without the caller's own.
func (s *step) paged(p pageSettings, say bool) (ids []string) {
	t := s.config.Tenant
	note := func(why because.Reason) {
		if say {
			s.because = append(s.because, why)
		}
	}
	add := func(id string) {
		if id != s.state.Call.Caller.Device && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	users := slices.Clone(p.Users)
	if extension := cleanDialled(s.expand(p.Extension)); extension != "" {
		if u := t.UserByExtension(extension); u != nil {
			users = append(users, u.ID)
		} else {
			note(because.New("hot_desk_nobody", "extension", extension))
		}
	}
	for _, id := range users {
		u := t.User(id)
		if u == nil {
			note(because.New("user_missing", "user", id))
			continue
		}
		if set := t.SettingsOf(id); set.DoNotDisturb {
			note(undisturbed(u, set))
			continue
		}
		for _, d := range t.DevicesOf(id) {
			add(d.ID)
		}
	}
	for _, id := range p.Devices {
		if t.Device(id) == nil {
			note(because.New("device_missing", "device", id))
			continue
		}
		add(id)
	}
	return ids
}

func (e pageElement) on(s *step, settings any) {
	p := settings.(pageSettings)
	switch {
	case s.answerDone():
		e.find(s, p)
	case s.completes(stageFinding, ContactsFound):
		e.begin(s, p)
	case s.completes(stageRinging, RingEnded):
		s.ringEnded()
	case s.completes(stagePaging, Done):
		s.end("NORMAL_CLEARING", messages.FaultNone, because.New("page_over"))
	case s.state.Stage == stagePaging && s.event.Kind == TimerFired && s.event.Command == s.state.Attempt:
		s.end("NORMAL_CLEARING", messages.FaultNone, because.New("page_too_long", "seconds", strconv.Itoa(p.Seconds)))
	case s.state.Stage == stagePaging && s.event.Kind == HungUp && s.nobodyListens():
		s.end("NORMAL_CLEARING", messages.FaultNone, because.New("page_unheard"))
	}
}

// begin rings those who were found.
func (e pageElement) begin(s *step, p pageSettings) {
	var places []callee
	for _, id := range s.paged(p, false) {
		places = append(places, callee{device: id, skipBusy: true})
	}
	targets, _ := s.targetsOf(ringSettings{Strategy: "at_once"}, places)
	for i := range targets {
		targets[i].AutoAnswer = true
	}
	switch {
	case len(targets) == 0:
		s.exit("unavailable", "USER_NOT_REGISTERED", messages.FaultCallee)
	case p.Mode == "intercom":
		s.dial(Command{Kind: Ring, Targets: targets, Wait: autoAnswerWait})
	case len(s.state.Legs)+len(targets) > MaxLegs:
		s.end("EXCHANGE_ROUTING_ERROR", messages.FaultTenant, because.New("too_many_legs", "limit", strconv.Itoa(MaxLegs)))
	default:
		s.page(targets, p)
	}
}

// page takes the caller into an announcement and dials those who are to hear it. The name of the announcement is the call's.
func (s *step) page(targets []Target, p pageSettings) {
	s.explain("paging", "phones", strconv.Itoa(len(targets)))
	name := "page-" + s.state.Call.ID + "-" + strconv.Itoa(s.state.Commands)
	s.await(stagePaging, Command{Kind: Announce, Room: name})
	s.state.Rung = len(s.state.Legs)
	for i, t := range targets {
		t.Leg = legID(s.state.Call, s.state.Commands+1, i)
		s.state.Legs = append(s.state.Legs, Leg{ID: t.Leg, Role: messages.RoleCallee, Device: t.Device})
		s.order(Command{Kind: Invite, Leg: t.Leg, Targets: []Target{t}, Room: name, Wait: autoAnswerWait, CallerID: s.presented("")})
	}
	s.pageLasts(p)
}

// Paging says whether the driven leg speaks to listeners. That is not broken off when the call is taken up after a gap: Resumed lets it
// go on, with its time anew.
func (s *State) Paging() bool { return s.Phase == Running && s.Stage == stagePaging }

// pageLasts bounds a page from now on.
func (s *step) pageLasts(p pageSettings) {
	s.explain("page_lasts", "seconds", strconv.Itoa(p.Seconds))
	s.state.Attempt = s.order(Command{Kind: SetTimer, Wait: time.Duration(p.Seconds) * time.Second})
}

// nobodyListens says whether all who were paged are gone, of whom the event is the last. A leg that has not come to be may still,
// shortly after the others.
func (s *step) nobodyListens() bool {
	soon := s.event.End != nil && s.event.At.Sub(s.event.End.CreatedAt) < autoAnswerWait
	return !slices.ContainsFunc(s.listeners(), func(l Leg) bool { return !l.HungUp && (l.Created || soon) })
}

// listeners are the legs that were dialled for a page. A call that was adopted from its channel has forgotten which are the page's:
// those of before are gone.
func (s *step) listeners() []Leg {
	legs := slices.Clone(s.state.Legs[min(s.state.Rung, len(s.state.Legs)):])
	return slices.DeleteFunc(legs, func(l Leg) bool { return l.ID == s.state.DrivenLeg() })
}

// endPage ends the legs of a page with its caller's: no bridge ties them to his.
func (s *step) endPage() {
	if s.state.Stage != stagePaging {
		return
	}
	for _, l := range s.listeners() {
		if !l.HungUp {
			s.order(Command{Kind: HangUp, Leg: l.ID, Cause: "NORMAL_CLEARING"})
		}
	}
}

func (pageElement) reasons() because.Catalog {
	return because.Catalog{
		"paging":        "The caller speaks to {phones|phone|phones}.",
		"page_lasts":    "The announcement may last {seconds|second|seconds} from now on.",
		"page_over":     "The announcement is over.",
		"page_too_long": "The announcement is over: {seconds|second|seconds} are its limit.",
		"page_unheard":  "Nobody listens to the announcement any more.",
	}
}
