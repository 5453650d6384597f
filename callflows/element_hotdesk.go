package callflows

import (
	"cmp"
	"encoding/json"
	"strconv"
	"time"

	"tandem/because"
	"tandem/tenants"
)

// hotDeskElement logs a user in at the phone that calls, or out: while he is logged in the phone is his.
//
//	extension ── digits ──► pin ── digits ──► checking ── right ──► saving ──► confirming
//	                         ▲                   │ wrong
//	                         └───────────────────┘
type hotDeskElement struct{}

type hotDeskSettings struct {
	Do              string `json:"do"` // login, logout
	Extension       string `json:"extension"`
	ExtensionPrompt string `json:"extension_prompt"`
	PINPrompt       string `json:"pin_prompt"`
	Attempts        int    `json:"attempts"`
	PromptOn        string `json:"prompt_on"`
	PromptOff       string `json:"prompt_off"`
	PromptWrong     string `json:"prompt_wrong"`
}

// Bounds of logging in.
const (
	maxHotDeskAttempts = 5
	maxExtensionDigits = 8
	maxPINDigits       = 16
	hotDeskWait        = 8 * time.Second
)

// Stages of logging in.
const (
	stageExtension = "extension"
	stagePIN       = "pin"
	stageChecking  = "checking"
)

var hotDeskAbout = about{
	name: "hot_desk", title: "Hot desk", description: "Logs a user in at the phone that calls, with extension and PIN, or out. While he is logged in the phone is his: " +
		"it rings with him, and calls from it are his. The PIN is that of his mailbox.",
	settings: &schema{kind: recordValue, members: append([]member{
		{name: "do", schema: schema{kind: textValue, initial: "login", oneOf: []any{"login", "logout"}, description: "What the caller wants."}},
		{name: "extension", schema: withInitial(templateSchema("Extension of who logs in. Empty: it is asked for."), "{dialled.rest}")},
		{name: "extension_prompt", schema: withInitial(promptSchema("Asks for the extension."), "tone:menu")},
		{name: "pin_prompt", schema: withInitial(promptSchema("Asks for the PIN."), "tone:accept")},
		{name: "attempts", schema: schema{kind: wholeValue, initial: 3, min: 1, max: maxHotDeskAttempts, unit: "attempts", description: "How many PINs may be tried."}},
	}, settingPrompts()...)},
	exits: settingExits(), behaviour: settingBehaviour,
	example: tenants.Element{Type: "hot_desk", Settings: json.RawMessage(`{"do":"login"}`), Exits: map[string]string{"next": "end", "failed": "end"}},
}

func (hotDeskElement) about() *about { return &hotDeskAbout }

func (hotDeskElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[hotDeskSettings](hotDeskAbout.settings, settings)
}

func (e hotDeskElement) enter(s *step, settings any) {
	s.state.Keyed = ""
	if s.answerFirst() {
		e.begin(s, settings.(hotDeskSettings))
	}
}

func (e hotDeskElement) on(s *step, settings any) {
	h := settings.(hotDeskSettings)
	prompt := h.PromptOn
	if h.Do == "logout" {
		prompt = h.PromptOff
	}
	switch {
	case s.answerDone():
		e.begin(s, h)
	case s.completes(stageExtension, DigitsCollected):
		e.named(s, h, s.event.Digits)
	case s.completes(stagePIN, DigitsCollected):
		e.keyed(s, h)
	case s.completes(stageChecking, PINChecked):
		e.checked(s, h)
	default:
		s.saved(prompt, h.PromptWrong)
	}
}

func (e hotDeskElement) begin(s *step, h hotDeskSettings) {
	d := s.config.Tenant.Device(s.state.Call.Caller.Device)
	switch {
	case d == nil:
		s.explain("setting_no_device")
		s.refuseSetting(h.PromptWrong)
	case h.Do == "logout":
		s.save(UserSetting{Name: SettingHotDesk, User: d.UserID, Device: d.ID}, because.New("hot_desk_out", "device", d.Name))
	default:
		e.named(s, h, cleanDialled(s.expand(h.Extension)))
	}
}

// named goes on with the extension of who logs in, or asks for it.
func (e hotDeskElement) named(s *step, h hotDeskSettings, extension string) {
	if extension == "" && s.state.Stage != stageExtension {
		s.explain("hot_desk_asks")
		s.await(stageExtension, Command{Kind: CollectDigits, Prompt: h.ExtensionPrompt, Language: s.language(),
			Digits: &DigitsWanted{Min: 1, Max: maxExtensionDigits, Allowed: "0123456789", Terminator: "#", First: hotDeskWait, Between: 3 * time.Second}})
		return
	}
	if s.config.Tenant.UserByExtension(extension) == nil {
		s.explain("hot_desk_nobody", "extension", cmp.Or(cleanNumber(extension), "that was keyed"))
		s.refuseSetting(h.PromptWrong)
		return
	}
	s.state.Keyed = extension
	e.askPIN(s, h)
}

func (e hotDeskElement) askPIN(s *step, h hotDeskSettings) {
	s.state.Attempt++
	s.explain("hot_desk_pin", "attempt", strconv.Itoa(s.state.Attempt), "attempts", strconv.Itoa(h.Attempts))
	s.await(stagePIN, Command{Kind: CollectDigits, Prompt: h.PINPrompt, Language: s.language(),
		Digits: &DigitsWanted{Min: 1, Max: maxPINDigits, Allowed: "0123456789", Terminator: "#", First: hotDeskWait, Between: 3 * time.Second, Secret: true}})
}

func (e hotDeskElement) keyed(s *step, h hotDeskSettings) {
	u := s.config.Tenant.UserByExtension(s.state.Keyed)
	switch {
	case u == nil:
		s.refuseSetting(h.PromptWrong)
	case s.event.Outcome != DigitsGood:
		e.again(s, h, "nothing was keyed")
	default:
		s.await(stageChecking, Command{Kind: CheckPIN, Box: u.ID, Secret: s.event.Secret})
		s.explain("hot_desk_checks", "user", u.Name)
	}
}

// again asks for the PIN once more, as often as the settings say.
func (e hotDeskElement) again(s *step, h hotDeskSettings, why string) {
	s.explain("hot_desk_wrong", "why", why)
	if s.state.Attempt >= h.Attempts {
		s.refuseSetting(h.PromptWrong)
		return
	}
	e.askPIN(s, h)
}

func (e hotDeskElement) checked(s *step, h hotDeskSettings) {
	u, d := s.config.Tenant.UserByExtension(s.state.Keyed), s.config.Tenant.Device(s.state.Call.Caller.Device)
	switch {
	case u == nil || d == nil:
		s.explain("setting_no_device")
		s.refuseSetting(h.PromptWrong)
	case s.event.PIN == PINRight:
		s.save(UserSetting{Name: SettingHotDesk, User: u.ID, Device: d.ID, On: true}, because.New("hot_desk_in", "user", u.Name, "device", d.Name))
	case s.event.PIN == PINWrong:
		e.again(s, h, "the PIN is wrong")
	case s.event.PIN == PINLost:
		e.again(s, h, "the PIN was lost with the worker that had it")
	case s.event.PIN == PINNone:
		s.explain("hot_desk_no_pin", "user", u.Name)
		s.refuseSetting(h.PromptWrong)
	case s.event.PIN == PINLocked:
		s.explain("hot_desk_locked", "user", u.Name)
		s.refuseSetting(h.PromptWrong)
	default:
		s.explain("setting_away")
		s.refuseSetting(h.PromptWrong)
	}
}

func (hotDeskElement) reasons() because.Catalog {
	return because.Catalog{
		"hot_desk_asks":   "The caller is asked for the extension of who logs in.",
		"hot_desk_nobody": "No user has the extension {extension}.",
		"hot_desk_pin":    "The caller is asked for the PIN (attempt {attempt} of {attempts}).",
		"hot_desk_checks": "The PIN of {user} is checked.",
		"hot_desk_wrong":  "The caller is not let in: {why}.",
		"hot_desk_no_pin": "{user} has no PIN, so nobody can log in as {user}.",
		"hot_desk_locked": "{user} is locked for a while, after too many wrong PINs.",
		"hot_desk_in":     "{user} logs in at {device}.",
		"hot_desk_out":    "{device} is given back to whose it is.",
	}
}
