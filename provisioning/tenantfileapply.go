package provisioning

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"tandem/postgres"
	"tandem/provisioning/plan"
	"tandem/tenants"
)

// applier carries a plan out, in the order of its changes.
type applier struct {
	state
	service *Service
	ctx     context.Context
	tx      *postgres.Tx
	merged  plan.Document
	own     tenants.Published // that is published
	by      string
	pins    map[string]hashedPIN // of boxes that get one
	done    *Applied
}

// versioned says whether anything changes that is published as people edit it.
func (w *applier) versioned() bool {
	return slices.ContainsFunc(w.done.Changes, func(c plan.Change) bool { return c.Versioned })
}

// needsVersion says whether anything changes that is published: users imply flows.
func (w *applier) needsVersion() bool {
	return slices.ContainsFunc(w.done.Changes, func(c plan.Change) bool { return c.Versioned || c.Section == plan.SectionUsers })
}

func (w *applier) carryOut() error {
	if err := w.tx.ExchangeNames(w.ctx); err != nil {
		return err
	}
	if err := w.freeTrunks(); err != nil {
		return err
	}
	if err := w.freePhones(); err != nil {
		return err
	}
	carried := map[[3]string]bool{} // a thing of which several fields change is carried out once
	for _, c := range w.done.Changes {
		key := [3]string{c.Section, c.ID, c.Action}
		switch {
		case c.Versioned:
			key = [3]string{"versioned"}
		case c.Section == plan.SectionSettings:
			_, member, _ := strings.Cut(strings.TrimPrefix(c.Path, "/"), "/")
			member, _, _ = strings.Cut(member, "/")
			key[1] = member
		}
		if carried[key] {
			continue
		}
		carried[key] = true
		if err := w.carry(c, key[1]); err != nil {
			return err
		}
	}
	return w.tx.SettleNames(w.ctx)
}

// freeTrunks lets addresses and devices go from one trunk to another, whichever is saved first.
func (w *applier) freeTrunks() error {
	freed := map[string]bool{}
	for _, c := range w.done.Changes {
		if c.Section != plan.SectionTrunks || c.Action == plan.Add || freed[c.ID] {
			continue
		}
		freed[c.ID] = true
		if err := w.tx.FreeTrunk(w.ctx, w.tenant.ID, c.ID); err != nil {
			return err
		}
	}
	return nil
}

// freePhones lets hardware addresses go from one device to another, whichever is saved first.
func (w *applier) freePhones() error {
	of := func(p plan.Phone) string { return p.Device }
	for _, c := range w.done.Changes {
		if c.Section != plan.SectionPhones || c.Action == plan.Add {
			continue
		}
		if byID(w.merged.Phones, c.ID, of).MAC == byID(w.current.Phones, c.ID, of).MAC {
			continue
		}
		if err := w.tx.FreePhone(w.ctx, w.tenant.ID, c.ID); err != nil {
			return err
		}
	}
	return nil
}

// phone makes a device a phone, or changes it. One that goes with its device is gone already.
func (w *applier) phone(c plan.Change) error {
	if c.Action == plan.Remove {
		return w.tx.DeletePhone(w.ctx, w.tenant.ID, c.ID)
	}
	row, err := checkPhone(c.ID, keptPhone(byID(w.merged.Phones, c.ID, func(p plan.Phone) string { return p.Device })))
	if err == nil && w.service.Phones.Keys == nil {
		err = conflict("phones/"+c.ID, "cannot be set: this installation has no key to keep phones' passwords with (TANDEM_SECRET_KEY)")
	}
	if err != nil {
		return err
	}
	if err := w.tx.SavePhone(w.ctx, w.tenant.ID, row); err != nil || c.Action == plan.Alter {
		return err
	}
	url, err := w.service.newSecret(w.ctx, w.tx, w.tenant.ID, row)
	w.done.Phones = append(w.done.Phones, NewPhoneURL{Device: c.ID, URL: url})
	return err
}

func (w *applier) carry(c plan.Change, id string) error {
	ctx, tx, tenant, gone := w.ctx, w.tx, w.tenant.ID, c.Action == plan.Remove
	if c.Versioned {
		return replaceDrafts(ctx, tx, tenant, w.own)
	}
	switch c.Section {
	case plan.SectionSettings:
		return w.setting(id)
	case plan.SectionUsers:
		return w.user(c)
	case plan.SectionUserSettings:
		return w.userSettings(id, gone)
	case plan.SectionBoxes:
		if gone {
			return tx.DropPIN(ctx, tenant, id)
		}
		w.done.PINs = append(w.done.PINs, NewPIN{User: id, PIN: w.pins[id].pin})
		return tx.SetPIN(ctx, tenant, id, w.pins[id].hash)
	case plan.SectionDevices:
		return w.device(c)
	case plan.SectionPhones:
		return w.phone(c)
	case plan.SectionWhereabouts:
		place := byID(w.merged.Whereabouts, id, func(p tenants.Whereabouts) string { return p.Device })
		place.Device = id // one that is gone has nothing else
		return tx.SetWhereabouts(ctx, tenant, place)
	case plan.SectionTrunks:
		return w.trunk(id, gone)
	case plan.SectionOutboundRoutes:
		route := byID(w.merged.OutboundRoutes, id, func(r plan.OutboundRoute) string { return r.Prefix })
		return tx.SetOutboundRoutes(ctx, tenant, id, route.Trunks)
	}
	return invalid(c.Path, "cannot be carried out by this release")
}

func (w *applier) setting(member string) error {
	ctx, tx, id, s := w.ctx, w.tx, w.tenant.ID, w.merged.Settings
	switch member {
	case "name", "time_zone", "language":
		return tx.SetTenant(ctx, id, *s.Name, *s.TimeZone, *s.Language)
	case "max_calls":
		return tx.SetMaxCalls(ctx, id, *s.MaxCalls)
	case "max_calls_per_second":
		return tx.SetMaxCallsPerSecond(ctx, id, *s.MaxCallsPerSecond)
	case "main_number", "dialling":
		return tx.SetDialling(ctx, id, *s.MainNumber, *s.Dialling)
	case "music_on_hold":
		return tx.SetMusicOnHold(ctx, id, *s.MusicOnHold)
	case "calling_out":
		return tx.SetCallingOut(ctx, id, *s.CallingOut)
	}
	return invalid("settings/"+member, "cannot be carried out by this release")
}

func (w *applier) user(c plan.Change) error {
	u := tenants.User(byID(w.merged.Users, c.ID, func(u plan.User) string { return u.ID }))
	switch c.Action {
	case plan.Add:
		return w.tx.InsertUser(w.ctx, w.tenant.ID, u)
	case plan.Alter:
		return w.tx.ReplaceUser(w.ctx, w.tenant.ID, u)
	}
	err := w.tx.DropUser(w.ctx, w.tenant.ID, c.ID)
	if postgres.Violated(err) == "routes_user_id_fkey" {
		return conflict("drafts", "have a route that is not published and leads to the user "+c.ID+": publish or remove it first")
	}
	return err
}

func (w *applier) userSettings(id string, gone bool) error {
	set := tenants.UserSettings{User: id}
	if !gone {
		set = keptSettings(byID(w.merged.UserSettings, id, func(s plan.UserSettings) string { return s.User }))
	}
	had := tenants.UserSettings{User: id}
	if i := slices.IndexFunc(w.settings, func(s tenants.UserSettings) bool { return s.User == id }); i >= 0 {
		had = w.settings[i]
	}
	set = dated(had, set, time.Now().UTC().Truncate(time.Microsecond))
	if _, err := w.tx.SettingChanged(w.ctx, w.tenant.ID, id, w.by, "", set); err != nil {
		return err
	}
	if gone {
		return w.tx.DropUserSettings(w.ctx, w.tenant.ID, id)
	}
	return w.tx.SaveUserSettings(w.ctx, w.tenant.ID, set, w.by)
}

func (w *applier) device(c plan.Change) error {
	if c.Action == plan.Remove {
		return w.tx.DropDevice(w.ctx, w.tenant.ID, c.ID)
	}
	of := func(v plan.Device) string { return v.ID }
	d := tenants.Device(byID(w.merged.Devices, c.ID, of))
	fresh := c.Action == plan.Add
	if !fresh && byID(w.current.Devices, c.ID, of).Username == d.Username {
		return w.tx.ReplaceDevice(w.ctx, w.tenant.ID, d)
	}
	password := rand.Text() // the user name is part of the hash
	w.done.Passwords = append(w.done.Passwords, NewPassword{Device: d.ID, Username: d.Username, Password: password})
	if fresh {
		return w.tx.InsertDevice(w.ctx, w.tenant.ID, d, HA1(d.Username, w.tenant.Domain, password))
	}
	if err := w.tx.ReplaceDevice(w.ctx, w.tenant.ID, d); err != nil {
		return err
	}
	return w.service.setPassword(w.ctx, w.tx, w.tenant, d.ID, d.Username, password)
}

func (w *applier) trunk(id string, gone bool) error {
	owner, there, err := w.tx.TrunkOwner(w.ctx, id)
	if err != nil {
		return err
	}
	if there && owner != w.tenant.ID {
		return conflict("trunks/"+id, "the id is taken")
	}
	if gone {
		return w.tx.DeleteTrunk(w.ctx, id)
	}
	err = w.tx.SaveTrunk(w.ctx, keptTrunk(byID(w.merged.Trunks, id, func(t plan.Trunk) string { return t.ID }), w.tenant.ID))
	if postgres.IsForeign(err) { // who asks for one tenant does not see another's
		return conflict("trunks/"+id, "the id is taken")
	}
	return err
}
