package callflows

import (
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// UserSetting is one setting of a user's that a call changes. Saving it twice is saving it once.
type UserSetting struct {
	Name   SettingName `json:"name"`
	User   string      `json:"user"`             // whose it is; of a log-out: who was logged in
	Device string      `json:"device,omitempty"` // SettingHotDesk
	On     bool        `json:"on"`
	Value  string      `json:"value,omitempty"` // number as the tenant's people dial it; empty: what there is stays
	Key    string      `json:"key,omitempty"`   // SettingSpeedDial: what stands for the number
}

// SettingName names a setting.
type SettingName string

// The settings that calls change.
const (
	SettingForwardAll      SettingName = "forward_all"
	SettingForwardBusy     SettingName = "forward_busy"
	SettingForwardNoAnswer SettingName = "forward_no_answer"
	SettingDoNotDisturb    SettingName = "do_not_disturb"
	SettingCallWaiting     SettingName = "call_waiting"
	SettingRejectAnonymous SettingName = "reject_anonymous"
	SettingHotDesk         SettingName = "hot_desk"
	SettingSpeedDial       SettingName = "speed_dial"
)

// SaveWait bounds the saving of a setting: what is not kept by then is told as not kept, although it may be a moment later.
const SaveWait = 2 * time.Second

// Prompts of the elements that change settings, unless the flow names others.
const (
	promptOn    = "tone:on"
	promptOff   = "tone:off"
	promptWrong = "tone:wrong"
)

// Stages of saving.
const (
	stageSaving     = "saving"
	stageConfirming = "confirming"
	stageRefusing   = "refusing"
)

// settingExits are those of every element that changes a setting.
func settingExits() []Exit {
	return []Exit{
		{Name: "next", Description: "It is set, and the caller has heard so.", Ends: "NORMAL_CLEARING", Waits: true},
		{Name: "failed", Description: "It could not be set, and the caller has heard so.", Ends: "NORMAL_CLEARING", Waits: true},
	}
}

// settingBehaviour is that of every element that changes a setting.
var settingBehaviour = Behaviour{EarlyMedia: "None: it answers first.", Answer: "Answers before it changes anything.", Ringback: "None: a tone or prompt says what came of it.",
	HangUp: "A caller who hangs up ends the call; what is being saved is saved.", Transfer: notWhileAlone}

// callingUser is the user at whose device the call began, or nil, which is said.
func (s *step) callingUser() *tenants.User {
	d := s.config.Tenant.Device(s.state.Call.Caller.Device)
	if d == nil {
		s.explain("setting_no_device")
		return nil
	}
	u := s.config.Tenant.User(d.UserID)
	if u == nil {
		s.explain("setting_no_user", "device", d.Name)
	}
	return u
}

// save orders a setting to be saved, which why says.
func (s *step) save(set UserSetting, why because.Reason) {
	s.because = append(s.because, why)
	s.await(stageSaving, Command{Kind: SaveSetting, Setting: &set})
}

// refuseSetting lets the caller hear that nothing was set.
func (s *step) refuseSetting(prompt string) {
	s.await(stageRefusing, Command{Kind: Play, Prompt: prompt, Language: s.language()})
}

// saved goes on with what came of saving. It is false for an event of another stage. confirm is what a caller hears to whom it was
// done, wrong what he hears otherwise.
func (s *step) saved(confirm, wrong string) bool {
	switch {
	case s.completes(stageSaving, Saved) && s.event.Away:
		s.explain("setting_away")
		s.refuseSetting(wrong)
	case s.completes(stageSaving, Saved) && s.event.Cause != "":
		s.explain("setting_refused", "why", clip(s.event.Cause, messages.MaxName))
		s.refuseSetting(wrong)
	case s.completes(stageSaving, Saved):
		s.explain("setting_saved")
		s.await(stageConfirming, Command{Kind: Play, Prompt: confirm, Language: s.language()})
	case s.completes(stageConfirming, Played):
		s.exit("next", "NORMAL_CLEARING", messages.FaultNone)
	case s.completes(stageRefusing, Played):
		s.exit("failed", "NORMAL_CLEARING", messages.FaultCaller)
	default:
		return false
	}
	return true
}

// settingReasons are the words that the elements that change settings share.
func settingReasons() because.Catalog {
	return because.Catalog{
		"setting_no_device": "The call does not come from a phone of this tenant: there is nobody whose setting it could change.",
		"setting_no_user":   "{device} belongs to no user: there is nobody whose setting it could change.",
		"setting_away":      "The setting could not be saved: the configuration cannot be changed at the moment.",
		"setting_refused":   "The setting was not saved: {why}.",
		"setting_saved":     "It is saved, and holds for new calls within a second.",
	}
}
