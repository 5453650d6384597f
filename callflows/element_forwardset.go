package callflows

import (
	"encoding/json"

	"tandem/because"
	"tandem/tenants"
)

// forwardSetElement switches a forwarding of the caller's own on or off.
type forwardSetElement struct{}

type forwardSetSettings struct {
	Kind        string `json:"kind"` // all, busy, no_answer
	Do          string `json:"do"`   // on, off, toggle
	Number      string `json:"number"`
	PromptOn    string `json:"prompt_on"`
	PromptOff   string `json:"prompt_off"`
	PromptWrong string `json:"prompt_wrong"`
}

var forwardSetAbout = about{
	name: "forward_set", title: "Set forwarding", description: "Switches a forwarding of the calling user's on or off, for feature codes such as *21. " +
		"It holds for new calls within a second.",
	settings: &schema{kind: recordValue, members: append([]member{
		{name: "kind", schema: schema{kind: textValue, initial: "all", oneOf: []any{"all", "busy", "no_answer"},
			description: "Which calls are forwarded: all, those that find the user busy, or those that he does not answer."}},
		{name: "do", schema: schema{kind: textValue, initial: "on", oneOf: []any{"on", "off", "toggle"}, description: "What happens to it."}},
		{name: "number", schema: withInitial(templateSchema("Where to, as the tenant's people dial it. Empty: where it went last."), "{dialled.rest}")},
	}, settingPrompts()...)},
	exits:     settingExits(),
	behaviour: settingBehaviour,
	example: tenants.Element{Type: "forward_set", Settings: json.RawMessage(`{"kind":"all","do":"on","number":"{dialled.rest}"}`),
		Exits: map[string]string{"next": "end", "failed": "end"}},
}

// settingPrompts are the members of every element that changes a setting.
func settingPrompts() []member {
	return []member{
		{name: "prompt_on", schema: withInitial(promptSchema("What the caller hears when it is on."), promptOn)},
		{name: "prompt_off", schema: withInitial(promptSchema("What he hears when it is off."), promptOff)},
		{name: "prompt_wrong", schema: withInitial(promptSchema("What he hears when it could not be set."), promptWrong)},
	}
}

func (forwardSetElement) about() *about { return &forwardSetAbout }

func (forwardSetElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[forwardSetSettings](forwardSetAbout.settings, settings)
}

func (e forwardSetElement) enter(s *step, settings any) {
	if s.answerFirst() {
		e.set(s, settings.(forwardSetSettings))
	}
}

func (e forwardSetElement) on(s *step, settings any) {
	f := settings.(forwardSetSettings)
	if s.answerDone() {
		e.set(s, f)
		return
	}
	prompt := f.PromptOff
	if u := s.userOfCaller(); u != nil && e.turnsOn(s, f, u) {
		prompt = f.PromptOn
	}
	s.saved(prompt, f.PromptWrong)
}

// userOfCaller is callingUser without words.
func (s *step) userOfCaller() *tenants.User {
	if d := s.config.Tenant.Device(s.state.Call.Caller.Device); d != nil {
		return s.config.Tenant.User(d.UserID)
	}
	return nil
}

// forwarding is what the user has set so far.
func (f forwardSetSettings) forwarding(set tenants.UserSettings) (SettingName, tenants.Forward) {
	switch f.Kind {
	case "busy":
		return SettingForwardBusy, set.ForwardBusy
	case "no_answer":
		return SettingForwardNoAnswer, set.ForwardNoAnswer
	}
	return SettingForwardAll, set.ForwardAll
}

// turnsOn says whether it will be on. The configuration of a call does not change, so that this is the same at each step.
func (forwardSetElement) turnsOn(s *step, f forwardSetSettings, u *tenants.User) bool {
	_, had := f.forwarding(s.config.Tenant.SettingsOf(u.ID))
	return f.Do == "on" || f.Do == "toggle" && !had.On
}

func (e forwardSetElement) set(s *step, f forwardSetSettings) {
	u := s.callingUser()
	if u == nil {
		s.refuseSetting(f.PromptWrong)
		return
	}
	name, had := f.forwarding(s.config.Tenant.SettingsOf(u.ID))
	set := UserSetting{Name: name, User: u.ID, On: e.turnsOn(s, f, u)}
	if !set.On {
		s.save(set, because.New("forward_off", "user", u.Name, "kind", f.Kind))
		return
	}
	to := cleanDialled(s.expand(f.Number))
	if to == "" {
		to = had.To
	}
	switch where := s.destinationOf(to); {
	case to == "":
		s.explain("forward_needs_number", "user", u.Name)
		s.refuseSetting(f.PromptWrong)
	case where == destination{}:
		s.explain("forward_nowhere", "user", u.Name, "to", to)
		s.refuseSetting(f.PromptWrong)
	case where.user != nil && where.user.ID == u.ID:
		s.explain("forward_to_oneself", "user", u.Name)
		s.refuseSetting(f.PromptWrong)
	default:
		set.Value = to
		s.save(set, because.New("forward_on", "user", u.Name, "kind", f.Kind, "to", to))
	}
}

func (forwardSetElement) reasons() because.Catalog {
	return because.Catalog{
		"forward_on":           "{user} lets calls ({kind}) be forwarded to {to}.",
		"forward_off":          "{user} switches forwarding ({kind}) off.",
		"forward_needs_number": "No number was dialled to which {user}'s calls could be forwarded, and there was none before.",
		"forward_to_oneself":   "{user} cannot forward to the own extension.",
	}
}
