package tenants

import "time"

// UserSettings is what a user sets for himself. It is always current, never versioned. The zero value, but for User, is that of
// a user who has set nothing.
type UserSettings struct {
	User            string    `json:"user"` // its id
	ForwardAll      Forward   `json:"forward_all,omitzero"`
	ForwardBusy     Forward   `json:"forward_busy,omitzero"`
	ForwardNoAnswer Forward   `json:"forward_no_answer,omitzero"`
	NoAnswerSeconds int       `json:"no_answer_seconds,omitempty"` // how long it rings before ForwardNoAnswer; 0: as long as the flow says
	DoNotDisturb    bool      `json:"do_not_disturb,omitempty"`
	DisturbSince    time.Time `json:"do_not_disturb_since,omitzero"`
	NoCallWaiting   bool      `json:"no_call_waiting,omitempty"` // who talks already is busy
	RejectAnonymous bool      `json:"reject_anonymous,omitempty"`
	// SpeedDials are numbers as the tenant's people dial them, by the digits that stand for them.
	SpeedDials map[string]string `json:"speed_dials,omitempty"`
}

// Forward says where a user's calls go in one case.
type Forward struct {
	On      bool      `json:"on,omitempty"`
	To      string    `json:"to,omitempty"`      // as the tenant's people dial it: an extension or a number; kept while it is off
	Confirm bool      `json:"confirm,omitempty"` // who answers there must accept the call with a key
	Since   time.Time `json:"since,omitzero"`    // when it was set or switched last
}

// Active says whether calls are forwarded.
func (f Forward) Active() bool { return f.On && f.To != "" }

// SettingsOf gives what a user has set.
func (t *Tenant) SettingsOf(userID string) UserSettings {
	if s := t.settings[userID]; s != nil {
		return *s
	}
	return UserSettings{User: userID}
}

func (t *Tenant) indexSettings() {
	t.settings = nil
	if len(t.Settings) == 0 {
		return
	}
	t.settings = make(map[string]*UserSettings, len(t.Settings))
	for i := range t.Settings {
		t.settings[t.Settings[i].User] = &t.Settings[i]
	}
}

// UserByExtension finds a user by extension, or nil. It looks through all users: an index would cost each snapshot more than
// the rare question is worth.
func (t *Tenant) UserByExtension(extension string) *User {
	users := &t.people.users
	for i := range users.count() {
		if users.part(i, userExtension) == extension && extension != "" {
			u := t.user(i)
			return &u
		}
	}
	return nil
}
