package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/tenants"
)

// Bounds of what a user sets.
const (
	MaxSpeedDials      = 100
	MaxNoAnswerSeconds = 600
)

var (
	forwardForm  = regexp.MustCompile(`^\+?[0-9*#]{1,32}$`)
	speedKeyForm = regexp.MustCompile(`^[0-9]{1,2}$`)
)

// UserSettings gives what a user has set.
func (s *Service) UserSettings(ctx context.Context, tenantID, userID string) (set tenants.UserSettings, err error) {
	err = s.withUser(ctx, tenantID, userID, func(tx *postgres.Tx) error {
		set, err = tx.UserSettings(ctx, tenantID, userID)
		return err
	})
	return set, err
}

// SetUserSettings makes a user's settings what is given, and gives them as they are kept. by says who wants it, and is kept. What a
// time says of a forwarding or of do not disturb counts only where that is as it was.
func (s *Service) SetUserSettings(ctx context.Context, tenantID string, set tenants.UserSettings, by string) (tenants.UserSettings, error) {
	if err := errors.Join(checkPublisher(by, "", MaxComment), checkUserSettings(set)); err != nil {
		return set, firstRefusal(err)
	}
	err := s.withUser(ctx, tenantID, set.User, func(tx *postgres.Tx) error {
		had, err := tx.UserSettings(ctx, tenantID, set.User)
		if err != nil {
			return err
		}
		set = dated(had, set, time.Now().UTC().Truncate(time.Microsecond))
		if _, err := tx.SettingChanged(ctx, tenantID, set.User, by, "", set); err != nil {
			return err
		}
		return tx.SaveUserSettings(ctx, tenantID, set, by)
	})
	return set, err
}

// firstRefusal gives the first of joined refusals.
func firstRefusal(err error) error {
	var refused *Error
	if errors.As(err, &refused) {
		return refused
	}
	return err
}

// dated gives settings their times: those that they had where nothing has changed, now where something has.
func dated(had, set tenants.UserSettings, now time.Time) tenants.UserSettings {
	for _, f := range []struct{ had, set *tenants.Forward }{{&had.ForwardAll, &set.ForwardAll}, {&had.ForwardBusy, &set.ForwardBusy}, {&had.ForwardNoAnswer, &set.ForwardNoAnswer}} {
		f.set.Since = f.had.Since
		if *f.set != *f.had {
			f.set.Since = now
		}
	}
	set.DisturbSince = had.DisturbSince
	if set.DoNotDisturb != had.DoNotDisturb {
		set.DisturbSince = now
	}
	return set
}

func checkUserSettings(set tenants.UserSettings) error {
	var c checks
	for field, f := range map[string]tenants.Forward{"forward_all": set.ForwardAll, "forward_busy": set.ForwardBusy, "forward_no_answer": set.ForwardNoAnswer} {
		c.that(f.To == "" || forwardForm.MatchString(f.To), field+"/to", "is not an extension or number as it is dialled")
		c.that(!f.On || f.To != "", field+"/to", "is missing: a forwarding that is on leads somewhere")
	}
	c.that(set.NoAnswerSeconds >= 0 && set.NoAnswerSeconds <= MaxNoAnswerSeconds, "no_answer_seconds", fmt.Sprintf("is not within 0 to %d", MaxNoAnswerSeconds))
	c.that(len(set.SpeedDials) <= MaxSpeedDials, "speed_dials", fmt.Sprintf("are more than %d", MaxSpeedDials))
	for key, number := range set.SpeedDials {
		c.that(speedKeyForm.MatchString(key), "speed_dials", "have a key that is not one or two digits")
		c.that(forwardForm.MatchString(number), "speed_dials/"+key, "is not an extension or number as it is dialled")
	}
	return c.err
}

// SaveSetting carries out the order of a call to change a setting. id names the order: one that was carried out does nothing again.
// by is "device" and its id, and stands in the audit as device/ID.
// refused says in words why it can never be done.
func (s *Service) SaveSetting(ctx context.Context, tenantID, id, by string, change callflows.UserSetting) (refused string, err error) {
	save := func(tx *postgres.Tx) error {
		fresh, err := tx.SettingChanged(ctx, tenantID, change.User, by, id, change)
		if err != nil || !fresh {
			return err
		}
		if err := tx.AuditAs(ctx, strings.Replace(by, " ", "/", 1)); err != nil {
			return err
		}
		if change.Name == callflows.SettingHotDesk {
			return hotDesk(ctx, tx, tenantID, change)
		}
		had, err := tx.UserSettings(ctx, tenantID, change.User)
		if err != nil {
			return err
		}
		set, err := changed(had, change)
		if err != nil {
			return err
		}
		if err := checkUserSettings(set); err != nil {
			return err
		}
		return tx.SaveUserSettings(ctx, tenantID, dated(had, set, time.Now().UTC().Truncate(time.Microsecond)), by)
	}
	if change.User == "" { // a device of nobody's is given back
		err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error { return save(tx) })
	} else {
		err = s.withUser(ctx, tenantID, change.User, save)
	}
	var no *Error
	if errors.As(err, &no) {
		return no.Error(), nil
	}
	return "", err
}

func hotDesk(ctx context.Context, tx *postgres.Tx, tenantID string, change callflows.UserSetting) error {
	if change.On {
		return tx.LogIn(ctx, tenantID, change.Device, change.User)
	}
	return tx.LogOut(ctx, tenantID, change.Device)
}

// changed gives settings with one change.
func changed(set tenants.UserSettings, change callflows.UserSetting) (tenants.UserSettings, error) {
	forward := func(f *tenants.Forward) {
		f.On = change.On
		if change.Value != "" {
			f.To = change.Value
		}
	}
	switch change.Name {
	case callflows.SettingForwardAll:
		forward(&set.ForwardAll)
	case callflows.SettingForwardBusy:
		forward(&set.ForwardBusy)
	case callflows.SettingForwardNoAnswer:
		forward(&set.ForwardNoAnswer)
	case callflows.SettingDoNotDisturb:
		set.DoNotDisturb = change.On
	case callflows.SettingCallWaiting:
		set.NoCallWaiting = !change.On
	case callflows.SettingRejectAnonymous:
		set.RejectAnonymous = change.On
	case callflows.SettingSpeedDial:
		if set.SpeedDials == nil {
			set.SpeedDials = map[string]string{}
		}
		delete(set.SpeedDials, change.Key)
		if change.On {
			set.SpeedDials[change.Key] = change.Value
		}
	default:
		return set, invalid("setting", fmt.Sprintf("%q is none that a call can change", change.Name))
	}
	return set, nil
}

// withUser runs a use case for a user who is there.
func (s *Service) withUser(ctx context.Context, tenantID, userID string, fn func(*postgres.Tx) error) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		users, err := tx.Users(ctx, tenantID)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(users, func(u tenants.User) bool { return u.ID == userID }) {
			return missing("user", "there is no such user in this tenant")
		}
		return fn(tx)
	})
}

// featureFlow is a flow of one element that changes a setting, and hangs up.
func featureFlow(id, name, kind, settings string) tenants.Flow {
	return tenants.Flow{ID: id, Name: name, Start: "set", Elements: map[string]tenants.Element{
		"set": {Type: kind, Settings: json.RawMessage(settings), Exits: map[string]string{"next": "end", "failed": "end"}},
		"end": {Type: "hangup", Settings: json.RawMessage(`{"cause":"NORMAL_CLEARING"}`)},
	}}
}

// featureCode is one usual feature code.
type featureCode struct {
	dialled string
	prefix  bool
	flow    tenants.Flow
}

// featureCodes are the usual ones (docs/feature-codes.md).
func featureCodes() []featureCode {
	speedDial := func(settings string) tenants.Element {
		return tenants.Element{Type: "speed_dial", Settings: json.RawMessage(settings), Exits: map[string]string{"next": "end", "failed": "end",
			"no_answer": "sorry", "busy": "busy", "unavailable": "sorry", "rejected": "sorry"}}
	}
	speed := func(id, name, settings string) tenants.Flow {
		return tenants.Flow{ID: id, Name: name, Start: "speed", Elements: map[string]tenants.Element{"speed": speedDial(settings),
			"end":   {Type: "hangup", Settings: json.RawMessage(`{"cause":"NORMAL_CLEARING"}`)},
			"busy":  {Type: "hangup", Settings: json.RawMessage(`{"cause":"USER_BUSY"}`)},
			"sorry": {Type: "hangup", Settings: json.RawMessage(`{"cause":"UNALLOCATED_NUMBER"}`)}}}
	}
	meeting := func(id, name, kind, settings string) tenants.Flow { // whose exits end the call with what each stands for
		return tenants.Flow{ID: id, Name: name, Start: "meet", Elements: map[string]tenants.Element{"meet": {Type: kind, Settings: json.RawMessage(settings)}}}
	}
	intercom := tenants.Flow{ID: "code-intercom", Name: "Intercom", Start: "intercom", Elements: map[string]tenants.Element{
		"intercom": {Type: "page", Settings: json.RawMessage(`{"extension":"{dialled.rest}","mode":"intercom"}`)}}}
	return []featureCode{
		{"*80", true, intercom},
		{"**", true, meeting("code-pickup", "Pick up", "pickup", `{"extension":"{dialled.rest}"}`)},
		{"*84", false, meeting("code-pull", "Take over the talk", "pull", `{}`)},
		{"*85", false, meeting("code-park", "Park", "park", `{}`)},
		{"*86", true, meeting("code-unpark", "Fetch a parked call", "unpark", `{"slot":"{dialled.rest}"}`)},
		{"*97", false, meeting("code-voicemail", "Voicemail", "voicemail_check", `{}`)},
		{"*98", false, meeting("code-voicemail-any", "Voicemail of any box", "voicemail_check", `{"ask":true}`)},
		{"*21", true, featureFlow("code-forward-all", "Forward all calls", "forward_set", `{"kind":"all","do":"on"}`)},
		{"*22", false, featureFlow("code-forward-all-off", "Forward no calls", "forward_set", `{"kind":"all","do":"off"}`)},
		{"*61", true, featureFlow("code-forward-no-answer", "Forward unanswered calls", "forward_set", `{"kind":"no_answer","do":"on"}`)},
		{"*62", false, featureFlow("code-forward-no-answer-off", "Forward no unanswered calls", "forward_set", `{"kind":"no_answer","do":"off"}`)},
		{"*67", true, featureFlow("code-forward-busy", "Forward calls when busy", "forward_set", `{"kind":"busy","do":"on"}`)},
		{"*68", false, featureFlow("code-forward-busy-off", "Forward no calls when busy", "forward_set", `{"kind":"busy","do":"off"}`)},
		{"*43", false, featureFlow("code-call-waiting", "Call waiting", "call_waiting", `{"do":"toggle"}`)},
		{"*77", false, featureFlow("code-anonymous", "No anonymous calls", "reject_anonymous", `{"do":"toggle"}`)},
		{"*78", false, featureFlow("code-dnd", "Do not disturb", "dnd", `{"do":"on"}`)},
		{"*79", false, featureFlow("code-dnd-off", "Do not disturb off", "dnd", `{"do":"off"}`)},
		{"*70", true, featureFlow("code-login", "Log in at this phone", "hot_desk", `{"do":"login"}`)},
		{"*71", false, featureFlow("code-logout", "Log out of this phone", "hot_desk", `{"do":"logout"}`)},
		{"*0", true, speed("code-speed-dial", "Speed dial", `{"do":"call","digits":1}`)},
		{"*75", true, speed("code-speed-dial-set", "Keep a speed dial", `{"do":"set","digits":1}`)},
	}
}

// AddFeatureCodes adds drafts of the usual feature codes to a tenant: a flow, whose id begins with "code-", and a route for each. What
// is dialled already, it leaves as it is, and gives back. Publishing makes them work.
func (s *Service) AddFeatureCodes(ctx context.Context, tenantID string) (taken []string, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		routes, err := tx.Routes(ctx, tenantID)
		if err != nil {
			return err
		}
		for _, code := range featureCodes() {
			i := slices.IndexFunc(routes, func(r postgres.Route) bool { return r.Dialled == code.dialled })
			if i >= 0 && routes[i].FlowID != code.flow.ID {
				taken = append(taken, code.dialled)
				continue
			}
			if err := tx.SaveFlow(ctx, tenantID, code.flow); err != nil {
				return err
			}
			if err := tx.SaveRoute(ctx, tenantID, postgres.Route{Dialled: code.dialled, Prefix: code.prefix, FlowID: code.flow.ID}); err != nil {
				return err
			}
		}
		return nil
	})
	return taken, err
}
