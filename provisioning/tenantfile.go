package provisioning

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tandem/postgres"
	"tandem/provisioning/phones"
	"tandem/provisioning/plan"
	"tandem/tenants"
	"tandem/versions"
)

// Exported is a tenant as a file.
type Exported struct {
	Document plan.Document
	MadeOf   string            // what it was made of: another after any change
	Waiting  []versions.Change // drafts that are not published, and not in it
}

// Planned is what has to change for a tenant to be as a file wants it.
type Planned struct {
	MadeOf  string            // what it was made of: another after any change
	Summary []string          // in short, by sections
	Changes []plan.Change     // in the order in which they are carried out
	Waiting []versions.Change // drafts that are not published; a plan that changes what is versioned throws them away, or is refused
}

// Apply asks for a tenant to be as a file wants it. By is required.
type Apply struct {
	Wanted  plan.Document
	MadeOf  string // of the plan that was agreed to: refused as stale when the tenant has changed since
	Again   bool   // whatever has changed since
	By      string
	Comment string
	Drafts  string // DraftsReplace throws drafts away that are not published; otherwise they refuse the plan
	// May judges the changes before any is made; nil takes all.
	May func([]plan.Change) error
}

// Applied is what came of it.
type Applied struct {
	Planned
	Published int64 // the version that was published; 0: nothing that is versioned has changed
	Passwords []NewPassword
	PINs      []NewPIN
	Phones    []NewPhoneURL
}

// NewPhoneURL is the URL that a new phone fetches its files from. It cannot be had again, only replaced.
type NewPhoneURL struct {
	Device string `json:"device"`
	URL    string `json:"url"`
}

// NewPassword is the password of a new device, or of one with a new user name. It cannot be had again.
type NewPassword struct {
	Device   string `json:"device"`
	Username string `json:"username"`
	Password string `json:"password"`
}

// NewPIN is the PIN of a voicemail box that had none. It cannot be had again.
type NewPIN struct {
	User string `json:"user"`
	PIN  string `json:"pin"`
}

// Export gives a tenant as a file, with what is live, or with the drafts instead (DraftVersion).
func (s *Service) Export(ctx context.Context, tenantID, version string) (e Exported, err error) {
	if version != LiveVersion && version != DraftVersion {
		return e, invalid("version", "is neither live nor draft")
	}
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		state, err := readState(ctx, tx, t)
		if err != nil {
			return err
		}
		e = Exported{Document: state.current, MadeOf: state.tag, Waiting: state.waiting}
		if version == DraftVersion {
			e.Document.SetPublished(state.drafts, state.numbers)
			e.Document, e.Waiting = e.Document.Normal(), nil
		}
		return nil
	})
	return e, err
}

// Plan says what has to change for a tenant to be as a file wants it, and changes nothing. What Apply would refuse because the file
// does not hold together, it refuses too.
func (s *Service) Plan(ctx context.Context, tenantID string, wanted plan.Document) (p Planned, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		state, err := readState(ctx, tx, t)
		if err != nil {
			return err
		}
		p, _, err = state.plan(ctx, tx, wanted)
		return err
	})
	return p, err
}

// state is a tenant as it is.
type state struct {
	tenant       tenants.Tenant
	current      plan.Document
	numbers      []string
	settings     []tenants.UserSettings
	live, drafts tenants.Published // own parts
	waiting      []versions.Change
	tag          string
}

func readState(ctx context.Context, tx *postgres.Tx, t tenants.Tenant) (st state, err error) {
	whole, err := tx.WholeTenant(ctx, t.ID)
	if err != nil {
		return st, err
	}
	live, _, err := liveVersion(ctx, tx, t)
	if err != nil {
		return st, err
	}
	drafts, _, err := draftDocument(ctx, tx, t.ID)
	if err != nil {
		return st, err
	}
	st = state{tenant: t, numbers: whole.Numbers, settings: whole.Settings, live: ownPart(live), drafts: ownPart(drafts)}
	st.waiting = versions.Diff(st.live, st.drafts)
	st.current = documentOf(whole)
	st.current.SetPublished(st.live, whole.Numbers)
	st.current = st.current.Normal()
	unpublished, err := json.Marshal(st.drafts)
	if err != nil {
		return st, err
	}
	st.tag = st.current.Tag(t.ID, strconv.FormatInt(live.Version, 10), string(unpublished))
	return st, nil
}

// documentOf gives what is not versioned.
func documentOf(w postgres.WholeTenant) plan.Document {
	d := plan.Document{Format: plan.Format, Tenant: w.ID, Settings: &plan.Settings{Name: &w.Name, TimeZone: &w.TimeZone, Language: &w.Language, MaxCalls: &w.MaxCalls,
		MaxCallsPerSecond: &w.MaxCallsPerSecond, MainNumber: &w.MainNumber, MusicOnHold: &w.MusicOnHold, Dialling: &w.Dialling, CallingOut: &w.CallingOut},
		Users: []plan.User{}, UserSettings: []plan.UserSettings{}, VoicemailBoxes: []plan.Box{}, Devices: []plan.Device{}, Phones: []plan.Phone{}, Trunks: []plan.Trunk{},
		OutboundRoutes: []plan.OutboundRoute{}, Whereabouts: append([]tenants.Whereabouts{}, w.Places...)}
	for _, u := range w.Users {
		d.Users = append(d.Users, plan.User(u))
	}
	for _, s := range w.Settings {
		d.UserSettings = append(d.UserSettings, fileSettings(s))
	}
	for _, box := range w.Boxes {
		d.VoicemailBoxes = append(d.VoicemailBoxes, plan.Box{User: box})
	}
	for _, v := range w.Devices {
		d.Devices = append(d.Devices, plan.Device(v))
	}
	for _, p := range w.Phones {
		d.Phones = append(d.Phones, filePhone(p))
	}
	for _, t := range w.Trunks {
		d.Trunks = append(d.Trunks, plan.Trunk{ID: t.ID, Name: t.Name, Addresses: t.Addresses, Disabled: t.Disabled, MayCallOut: t.MayCallOut, Device: t.Device,
			Registrar: t.Registrar, Renew: t.Renew, Incoming: t.Incoming, Outgoing: t.Outgoing})
	}
	for _, r := range w.Outbound {
		if last := len(d.OutboundRoutes) - 1; last >= 0 && d.OutboundRoutes[last].Prefix == r.Prefix {
			d.OutboundRoutes[last].Trunks = append(d.OutboundRoutes[last].Trunks, r.Trunk)
			continue
		}
		d.OutboundRoutes = append(d.OutboundRoutes, plan.OutboundRoute{Prefix: r.Prefix, Trunks: []string{r.Trunk}})
	}
	return d
}

func filePhone(p postgres.Phone) plan.Phone {
	phone := plan.Phone{Device: p.DeviceID, MAC: p.MAC, Vendor: p.Vendor, Model: p.Model, TimeZone: p.TimeZone, Codecs: p.Codecs, Note: p.Note}
	for _, k := range p.Keys {
		phone.Keys = append(phone.Keys, plan.PhoneKey(k))
	}
	return phone
}

func keptPhone(p plan.Phone) NewPhone {
	phone := NewPhone{MAC: p.MAC, Vendor: p.Vendor, Model: p.Model, TimeZone: p.TimeZone, Codecs: p.Codecs, Note: p.Note}
	for _, k := range p.Keys {
		phone.Keys = append(phone.Keys, phones.Key{Type: phones.KeyType(k.Type), Label: k.Label, Value: k.Value})
	}
	return phone
}

func fileSettings(s tenants.UserSettings) plan.UserSettings {
	forward := func(f tenants.Forward) plan.Forward { return plan.Forward{On: f.On, To: f.To, Confirm: f.Confirm} }
	return plan.UserSettings{User: s.User, ForwardAll: forward(s.ForwardAll), ForwardBusy: forward(s.ForwardBusy), ForwardNoAnswer: forward(s.ForwardNoAnswer),
		NoAnswerSeconds: s.NoAnswerSeconds, DoNotDisturb: s.DoNotDisturb, NoCallWaiting: s.NoCallWaiting, RejectAnonymous: s.RejectAnonymous, SpeedDials: s.SpeedDials}
}

func keptSettings(s plan.UserSettings) tenants.UserSettings {
	forward := func(f plan.Forward) tenants.Forward { return tenants.Forward{On: f.On, To: f.To, Confirm: f.Confirm} }
	return tenants.UserSettings{User: s.User, ForwardAll: forward(s.ForwardAll), ForwardBusy: forward(s.ForwardBusy), ForwardNoAnswer: forward(s.ForwardNoAnswer),
		NoAnswerSeconds: s.NoAnswerSeconds, DoNotDisturb: s.DoNotDisturb, NoCallWaiting: s.NoCallWaiting, RejectAnonymous: s.RejectAnonymous, SpeedDials: s.SpeedDials}
}

func keptTrunk(t plan.Trunk, tenantID string) tenants.Trunk {
	return tenants.Trunk{ID: t.ID, Name: t.Name, Addresses: t.Addresses, Tenant: tenantID, Disabled: t.Disabled, MayCallOut: t.MayCallOut, Device: t.Device,
		Registrar: t.Registrar, Renew: t.Renew, Incoming: t.Incoming, Outgoing: t.Outgoing}
}

// plan says what has to change, and gives the tenant as it will be.
func (st state) plan(ctx context.Context, tx *postgres.Tx, wanted plan.Document) (p Planned, merged plan.Document, err error) {
	if wanted.Tenant != "" && wanted.Tenant != st.tenant.ID {
		return p, merged, invalid("tenant", "is "+strconv.Quote(wanted.Tenant)+" in the file, which is another tenant")
	}
	emergency, err := tx.Emergency(ctx)
	if err != nil {
		return p, merged, err
	}
	merged = plan.Merge(st.current, wanted)
	p = Planned{MadeOf: st.tag, Changes: plan.Diff(st.current, merged), Waiting: st.waiting}
	if len(p.Changes) == 0 {
		return p, merged, nil
	}
	p.Summary = plan.Summary(st.current, merged)
	return p, merged, checkFile(merged, st.numbers, emergency)
}

// Apply makes a tenant what a file wants it to be, in one transaction and at most one version. It refuses with everything that does
// not hold together, as stale when the tenant is not as it was when the plan was made, and when drafts would be lost unasked.
func (s *Service) Apply(ctx context.Context, tenantID string, a Apply) (done Applied, err error) {
	if err := checkPublisher(a.By, a.Comment, MaxComment); err != nil {
		return done, err
	}
	if a.Drafts != DraftsAsFits && a.Drafts != DraftsReplace {
		return done, invalid("drafts", "is not replace")
	}
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		done = Applied{}
		st, err := readState(ctx, tx, t)
		if err != nil {
			return err
		}
		if !a.Again && a.MadeOf != st.tag {
			return &Error{Code: Stale, Field: "made_of", Detail: "the tenant has changed since the plan was made: plan again"}
		}
		if done.Planned, _, err = st.plan(ctx, tx, a.Wanted); err != nil || len(done.Changes) == 0 {
			return err
		}
		pins := newPINs(done.Changes) // before anybody waits: their hashes are slow
		if err := tx.HoldConfiguration(ctx, t.ID); err != nil {
			return err
		}
		held, err := readState(ctx, tx, t) // the tenant's lock keeps all but its trunks
		if err != nil {
			return err
		}
		if held.tag != st.tag {
			return &Error{Code: Stale, Field: "made_of", Detail: "the tenant has changed in this moment: plan again"}
		}
		return held.apply(ctx, tx, s, a, &done, pins)
	})
	if err != nil {
		return Applied{}, err
	}
	return done, nil
}

func (st state) apply(ctx context.Context, tx *postgres.Tx, s *Service, a Apply, done *Applied, pins map[string]hashedPIN) error {
	planned, merged, err := st.plan(ctx, tx, a.Wanted)
	if err != nil {
		return err
	}
	done.Planned = planned
	if a.May != nil {
		if err := a.May(planned.Changes); err != nil {
			return err
		}
	}
	w := &applier{service: s, ctx: ctx, tx: tx, state: st, merged: merged, own: merged.Published(), by: a.By, done: done, pins: pins}
	if !w.versioned() {
		w.own = st.live
	} else if len(st.waiting) > 0 && a.Drafts != DraftsReplace && len(versions.Diff(st.drafts, w.own)) > 0 {
		return conflict("drafts", fmt.Sprintf("have %s that %s not published and would be lost: publish them, or say that they may be replaced",
			counted(len(st.waiting), "edit"), map[bool]string{true: "is", false: "are"}[len(st.waiting) == 1]))
	}
	if err := w.carryOut(); err != nil {
		return err
	}
	if !w.needsVersion() {
		return nil
	}
	return w.publish(a.Comment)
}

// publish makes the version that all has led to.
func (w *applier) publish(comment string) error {
	if err := untried(w.tenant); err != nil {
		return err
	}
	users, err := w.tx.Users(w.ctx, w.tenant.ID)
	if err != nil {
		return err
	}
	document := w.own
	document.Version, document.Flows, document.Routes = 0, slices.Clone(w.own.Flows), nil
	if err := addImplied(&document, users); err != nil {
		return err
	}
	document.Routes = append(document.Routes, w.own.Routes...)
	done, err := publish(w.ctx, w.tx, w.tenant, document, w.by, comment)
	if err == nil && !done.Same {
		w.done.Published = done.Published.Version
	}
	return err
}

// checkFile holds a tenant as it will be against every bound and reference. All that is wrong is told at once.
func checkFile(d plan.Document, numbers []string, emergency tenants.Emergency) error {
	f := &fileFaults{}
	for _, fault := range plan.Check(d, numbers) {
		f.add(fault.Path, fault.Detail)
	}
	f.settings(d.Settings)
	f.people(d, emergency)
	f.trunks(d)
	f.versioned(d, emergency)
	if len(f.faults) == 0 {
		return nil
	}
	first := f.faults[0]
	refused := &Error{Code: Invalid, Field: strings.TrimPrefix(first.Path, "/"), Detail: strings.TrimSpace(first.Detail + " " + first.Mend), Faults: f.faults}
	if more := len(f.faults) - 1; more > 0 {
		refused.Detail += fmt.Sprintf(" (and %d more)", more)
	}
	return refused
}

// hashedPIN is a PIN with its hash.
type hashedPIN struct{ pin, hash string }

// newPINs makes a PIN for each voicemail box that gets one, by its user.
func newPINs(changes []plan.Change) map[string]hashedPIN {
	pins := map[string]hashedPIN{}
	for _, c := range changes {
		if c.Section == plan.SectionBoxes && c.Action == plan.Add {
			pin := newPIN()
			pins[c.ID] = hashedPIN{pin, HashPIN(pin)}
		}
	}
	return pins
}

// pinDigits is how long PINs are that are made here.
const pinDigits = 6

// newPIN makes a PIN that nobody guesses first.
func newPIN() string {
	for {
		digits := make([]byte, pinDigits)
		rand.Read(digits) // never fails
		for i, b := range digits {
			if b >= 250 { // of 256, so that each digit is as likely as the others
				rand.Read(digits[i : i+1])
			}
			digits[i] = '0' + digits[i]%10
		}
		if pin := string(digits); !guessed(pin) {
			return pin
		}
	}
}
