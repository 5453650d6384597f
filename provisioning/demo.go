package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"tandem/postgres"
	"tandem/tenants"
)

// The demo tenant. Its numbers are from the range that the North American numbering plan keeps for fiction, its domain
// is from one that RFC 2606 keeps for examples.
const (
	DemoTenantID      = "demo"
	DemoDomain        = "demo.example"
	DemoMainNumber    = "+12025550100" // opening hours, then the menu
	DemoSalesNumber   = "+12025550101" // the ring group
	DemoBlockedCaller = "+12025550199"
	DemoGroup         = "200" // extension of the ring group
	DemoMenu          = "300" // extension of the menu
	DemoTestNumber    = "933" // tests the emergency way, as it does in North America
	demoTimeZone      = "America/New_York"
	demoMaxCalls      = 20
	demoMaxOutgoing   = 2
)

// DemoTenant is what one needs to use the demo tenant.
type DemoTenant struct {
	Tenant    tenants.Tenant    `json:"tenant"`
	Published tenants.Published `json:"published"`
	Phones    []DemoPhone       `json:"phones"` // Reception, Sales, Workshop
}

// DemoPhone is one of its devices with the password that it must register with from now on.
type DemoPhone struct {
	Device    tenants.Device `json:"device"`
	User      tenants.User   `json:"user"`
	Domain    string         `json:"domain"`
	Extension string         `json:"extension"`
	Password  string         `json:"password"`
}

// demoUsers are roles rather than persons.
func demoUsers() []NewUser {
	return []NewUser{
		{ID: "reception", Name: "Reception", Extension: "101", Number: DemoMainNumber},
		{ID: "sales", Name: "Sales", Extension: "102", Number: DemoSalesNumber},
		{ID: "workshop", Name: "Workshop", Extension: "103", Number: DemoMainNumber},
	}
}

// Demo makes the demo tenant, or brings it back to what it should be. The second time it makes nothing twice and
// publishes nothing new, but each phone gets a new password, since the old one is kept nowhere.
func (s *Service) Demo(ctx context.Context) (DemoTenant, error) {
	demo := DemoTenant{Tenant: tenants.Tenant{ID: DemoTenantID, Name: "Demo", Domain: DemoDomain, TimeZone: demoTimeZone,
		Language: DefaultLanguage, MaxCalls: demoMaxCalls, Numbers: []string{DemoMainNumber, DemoSalesNumber}}}
	if err := s.demoEmergency(ctx); err != nil {
		return demo, err
	}
	_, err := s.CreateTenant(ctx, NewTenant{ID: DemoTenantID, Name: "Demo", Domain: DemoDomain, TimeZone: demoTimeZone, MaxCalls: demoMaxCalls})
	if ignoreConflict(err, "id") != nil {
		return demo, err
	}
	for _, number := range demo.Tenant.Numbers {
		if err := s.AddNumber(ctx, DemoTenantID, number); err != nil {
			return demo, err
		}
	}
	if err := s.demoCallingOut(ctx); err != nil {
		return demo, err
	}
	for _, u := range demoUsers() {
		phone, err := s.demoPhone(ctx, u)
		if err != nil {
			return demo, err
		}
		demo.Phones = append(demo.Phones, phone)
		demo.Tenant.Users = append(demo.Tenant.Users, phone.User)
		demo.Tenant.Devices = append(demo.Tenant.Devices, phone.Device)
	}
	if err := s.demoDrafts(ctx); err != nil {
		return demo, err
	}
	demo.Published, err = s.Publish(ctx, DemoTenantID, "demo", "The demo tenant as it comes.")
	demo.Tenant.Published = demo.Published
	return demo, err
}

// demoEmergency adds the test number, and keeps whatever trunk is set.
func (s *Service) demoEmergency(ctx context.Context) error {
	return s.platform(ctx, func(tx *postgres.Tx) error {
		e, err := tx.Emergency(ctx)
		if err != nil || e.Is(DemoTestNumber) {
			return err
		}
		e.Numbers, e.TestNumber = append(slices.Clone(e.Numbers), DemoTestNumber), DemoTestNumber
		return tx.SetEmergency(ctx, e)
	})
}

// demoCallingOut lets the demo tenant call out, a few calls at a time, as soon as there is a trunk: as it comes there is none.
func (s *Service) demoCallingOut(ctx context.Context) error {
	if err := s.SetDialling(ctx, DemoTenantID, DemoMainNumber, tenants.Dialling{Country: "US"}); err != nil {
		return err
	}
	return s.SetCallingOut(ctx, DemoTenantID, tenants.CallingOut{Allowed: true, BlockedPrefixes: []string{"+1900", "+1976"}, MaxCalls: demoMaxOutgoing, PerSecond: 1})
}

// demoPhone makes a user with one phone, or gives the phone that is there a new password.
func (s *Service) demoPhone(ctx context.Context, n NewUser) (DemoPhone, error) {
	user := tenants.User(n)
	device := NewDevice{ID: n.ID + "-phone", UserID: n.ID, Name: n.Name + " phone", Username: n.ID}
	phone := DemoPhone{User: user, Domain: DemoDomain, Extension: n.Extension, Device: tenants.Device(device)}
	if _, err := s.CreateUser(ctx, DemoTenantID, n); ignoreConflict(err, "id") != nil {
		return phone, err
	}
	var err error
	if _, phone.Password, err = s.CreateDevice(ctx, DemoTenantID, device); err == nil {
		return phone, nil
	}
	if ignoreConflict(err, "id") != nil {
		return phone, err
	}
	phone.Password, err = s.ResetPassword(ctx, DemoTenantID, device.ID)
	return phone, err
}

// ignoreConflict lets through that something is there already.
func ignoreConflict(err error, field string) error {
	var refused *Error
	if errors.As(err, &refused) && refused.Code == Conflict && refused.Field == field {
		return nil
	}
	return err
}

func (s *Service) demoDrafts(ctx context.Context) error {
	if err := s.SaveSchedule(ctx, DemoTenantID, tenants.Schedule{ID: "office", Name: "Office hours", Weekly: []tenants.Hours{{
		Days: []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday},
		From: 8 * 60, Until: 18 * 60,
	}}, Dates: []tenants.Date{{Date: "2030-01-01", Name: "New Year"}}}); err != nil {
		return err
	}
	for _, f := range demoFlows() {
		if err := s.SaveFlow(ctx, DemoTenantID, f); err != nil {
			return err
		}
	}
	for _, r := range []tenants.Route{
		{Dialled: DemoGroup, FlowID: "group"},
		{Dialled: DemoMenu, FlowID: "menu"},
		{Dialled: DemoMainNumber, FlowID: "main"},
		{Dialled: DemoSalesNumber, FlowID: "group"},
	} {
		if err := s.SaveRoute(ctx, DemoTenantID, r); err != nil {
			return err
		}
	}
	if _, err := s.AddFeatureCodes(ctx, DemoTenantID); err != nil {
		return err
	}
	return s.BlockCaller(ctx, DemoTenantID, DemoBlockedCaller)
}

// demoFlows are the ring group, the menu, and the opening hours before the menu. Their prompts are tones,
// which every node has without sound files.
func demoFlows() []tenants.Flow {
	group := tenants.Element{Type: "ring", Settings: json.RawMessage(`{"users":["sales","workshop"],"strategy":"at_once","seconds":20}`)}
	menu := map[string]tenants.Element{
		"menu": {Type: "menu",
			Settings: json.RawMessage(`{"prompt":"tone:menu","invalid_prompt":"tone:wrong","attempts":3,"seconds":5}`),
			Exits:    map[string]string{"1": "group", "2": "reception", "timeout": "goodbye", "invalid": "goodbye"}},
		"group":     group,
		"reception": {Type: "ring", Settings: json.RawMessage(`{"users":["reception"],"strategy":"at_once","seconds":20}`)},
		"goodbye":   {Type: "hangup", Settings: json.RawMessage(`{"cause":"NORMAL_CLEARING"}`)},
	}
	main := map[string]tenants.Element{
		"hours": {Type: "hours", Settings: json.RawMessage(`{"schedule":"office"}`),
			Exits: map[string]string{"open": "menu", "closed": "closed"}},
		"closed": {Type: "play", Settings: json.RawMessage(`{"prompt":"tone:closed"}`), Exits: map[string]string{"next": "goodbye"}},
	}
	for key, e := range menu {
		main[key] = e
	}
	return []tenants.Flow{
		{ID: "group", Name: "Sales and Workshop", Start: "group", Elements: map[string]tenants.Element{"group": group}},
		{ID: "menu", Name: "Menu", Start: "menu", Elements: menu},
		{ID: "main", Name: "Main number", Start: "hours", Elements: main},
	}
}
