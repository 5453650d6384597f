package callflows

import (
	"encoding/json"

	"tandem/because"
	"tandem/tenants"
)

// switchElement switches something of the calling user's on or off: one Go type for three types of element.
type switchElement struct{ of *userSwitch }

// userSwitch is one thing that can be on or off.
type userSwitch struct {
	about   about
	setting SettingName
	isOn    func(tenants.UserSettings) bool
	say     func(user string, on bool) because.Reason
	reasons because.Catalog
}

type switchSettings struct {
	Do          string `json:"do"` // on, off, toggle
	PromptOn    string `json:"prompt_on"`
	PromptOff   string `json:"prompt_off"`
	PromptWrong string `json:"prompt_wrong"`
}

var dndSwitch = userSwitch{setting: SettingDoNotDisturb, isOn: func(s tenants.UserSettings) bool { return s.DoNotDisturb },
	say: func(user string, on bool) because.Reason {
		if on {
			return because.New("dnd_switched_on", "user", user)
		}
		return because.New("dnd_switched_off", "user", user)
	},
	reasons: because.Catalog{"dnd_switched_on": "{user} is not to be disturbed from now on.", "dnd_switched_off": "{user} may be disturbed again."},
	about:   switchAbout("dnd", "Do not disturb", "Switches do not disturb on or off for the calling user: whoever rings him finds him busy.")}

var callWaitingSwitch = userSwitch{setting: SettingCallWaiting, isOn: func(s tenants.UserSettings) bool { return !s.NoCallWaiting },
	say: func(user string, on bool) because.Reason {
		if on {
			return because.New("waiting_switched_on", "user", user)
		}
		return because.New("waiting_switched_off", "user", user)
	},
	reasons: because.Catalog{"waiting_switched_on": "{user} switches call waiting on.", "waiting_switched_off": "{user} switches call waiting off."},
	about:   switchAbout("call_waiting", "Call waiting", "Switches call waiting on or off for the calling user: without it, who is in a call is busy.")}

var rejectAnonymousSwitch = userSwitch{setting: SettingRejectAnonymous, isOn: func(s tenants.UserSettings) bool { return s.RejectAnonymous },
	say: func(user string, on bool) because.Reason {
		if on {
			return because.New("anonymous_switched_on", "user", user)
		}
		return because.New("anonymous_switched_off", "user", user)
	},
	reasons: because.Catalog{"anonymous_switched_on": "{user} takes no calls from people who hide their number from now on.", "anonymous_switched_off": "{user} takes calls from people who hide their number again."},
	about:   switchAbout("reject_anonymous", "No anonymous calls", "Switches on or off for the calling user that callers who hide their number are refused.")}

func switchAbout(name, title, description string) about {
	return about{name: name, title: title, description: description,
		settings: &schema{kind: recordValue, members: append([]member{
			{name: "do", schema: schema{kind: textValue, initial: "toggle", oneOf: []any{"on", "off", "toggle"}, description: "What happens to it."}},
		}, settingPrompts()...)},
		exits: settingExits(), behaviour: settingBehaviour,
		example: tenants.Element{Type: name, Settings: json.RawMessage(`{"do":"toggle"}`), Exits: map[string]string{"next": "end", "failed": "end"}}}
}

func (e switchElement) about() *about { return &e.of.about }

func (e switchElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[switchSettings](e.of.about.settings, settings)
}

func (e switchElement) enter(s *step, settings any) {
	if s.answerFirst() {
		e.set(s, settings.(switchSettings))
	}
}

func (e switchElement) on(s *step, settings any) {
	w := settings.(switchSettings)
	if s.answerDone() {
		e.set(s, w)
		return
	}
	prompt := w.PromptOff
	if u := s.userOfCaller(); u != nil && e.turnsOn(s, w, u) {
		prompt = w.PromptOn
	}
	s.saved(prompt, w.PromptWrong)
}

func (e switchElement) turnsOn(s *step, w switchSettings, u *tenants.User) bool {
	return w.Do == "on" || w.Do == "toggle" && !e.of.isOn(s.config.Tenant.SettingsOf(u.ID))
}

func (e switchElement) set(s *step, w switchSettings) {
	u := s.callingUser()
	if u == nil {
		s.refuseSetting(w.PromptWrong)
		return
	}
	on := e.turnsOn(s, w, u)
	s.save(UserSetting{Name: e.of.setting, User: u.ID, On: on}, e.of.say(u.Name, on))
}

func (e switchElement) reasons() because.Catalog { return e.of.reasons }
