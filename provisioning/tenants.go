package provisioning

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/tenants"
)

// Defaults of a new tenant.
const (
	DefaultTimeZone = "UTC"
	DefaultLanguage = "en"
)

// NewTenant asks for a tenant. Name and Domain are required.
type NewTenant struct {
	ID       string `json:"id"` // empty: one is made
	Name     string `json:"name"`
	Domain   string `json:"domain"` // SIP domain and digest realm; it never changes
	TimeZone string `json:"time_zone"`
	Language string `json:"language"`
	MaxCalls int    `json:"max_calls"` // 0: no limit
	Kind     string `json:"kind"`      // reseller or customer; empty: customer
	Parent   string `json:"parent"`    // the reseller that it is of; empty: the platform's own
}

// The kinds of tenants.
const (
	KindReseller = "reseller" // has tenants below it
	KindCustomer = "customer"
)

// CreateTenant adds a tenant, which has no devices and no flows yet.
func (s *Service) CreateTenant(ctx context.Context, n NewTenant) (tenants.Tenant, error) {
	t := tenants.Tenant{ID: cmp.Or(n.ID, uuid.NewString()), Name: n.Name, Domain: n.Domain,
		TimeZone: cmp.Or(n.TimeZone, DefaultTimeZone), Language: cmp.Or(n.Language, DefaultLanguage), MaxCalls: n.MaxCalls}
	var c checks
	c.id("id", t.ID)
	c.name("name", t.Name)
	c.domain("domain", t.Domain)
	c.timeZone("time_zone", t.TimeZone)
	c.form(languageForm, "language", t.Language, "is not a language such as en or en-GB")
	c.limit("max_calls", t.MaxCalls)
	c.that(n.Kind == "" || n.Kind == KindCustomer || n.Kind == KindReseller, "kind", "is neither reseller nor customer")
	if c.err != nil {
		return t, c.err
	}
	return t, s.platform(ctx, func(tx *postgres.Tx) error { return tx.InsertTenant(ctx, t, cmp.Or(n.Kind, KindCustomer), n.Parent) })
}

// SetSuspended suspends a tenant at once, or lets it go on. Its devices stay registered and reach emergency numbers.
func (s *Service) SetSuspended(ctx context.Context, tenantID string, suspended bool) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		return tx.SetSuspended(ctx, tenantID, suspended)
	})
}

// SetMaxCalls limits a tenant's live calls at once; 0 means no limit.
func (s *Service) SetMaxCalls(ctx context.Context, tenantID string, maxCalls int) error {
	var c checks
	c.limit("max_calls", maxCalls)
	if c.err != nil {
		return c.err
	}
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		return tx.SetMaxCalls(ctx, tenantID, maxCalls)
	})
}

// SetMaxCallsPerSecond limits the calls of a tenant that begin within a second, at once; 0 means no limit.
func (s *Service) SetMaxCallsPerSecond(ctx context.Context, tenantID string, limit int) error {
	var c checks
	c.limit("max_calls_per_second", limit)
	if c.err != nil {
		return c.err
	}
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		return tx.SetMaxCallsPerSecond(ctx, tenantID, limit)
	})
}

// SetMusicOnHold says what a tenant's held callers hear, at once: the name of a prompt, or nothing for what the media node plays.
func (s *Service) SetMusicOnHold(ctx context.Context, tenantID, prompt string) error {
	var c checks
	if prompt != "" {
		c.form(callflows.PromptForm(), "music_on_hold", prompt, "is not the name of a prompt")
	}
	if c.err != nil {
		return c.err
	}
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		return tx.SetMusicOnHold(ctx, tenantID, prompt)
	})
}

// NewUser asks for a user. Name and Extension are required.
type NewUser struct {
	ID        string `json:"id"` // empty: one is made
	Name      string `json:"name"`
	Extension string `json:"extension"`
	Number    string `json:"number"` // shown to the outside, one of the tenant's; may be empty
}

// CreateUser adds a user. The extension can be dialled once the tenant is published.
func (s *Service) CreateUser(ctx context.Context, tenantID string, n NewUser) (tenants.User, error) {
	u := tenants.User{ID: cmp.Or(n.ID, uuid.NewString()), Name: n.Name, Extension: n.Extension, Number: n.Number}
	var c checks
	c.form(userIDForm, "id", u.ID, "is not 1 to 59 letters, digits or _ . -")
	c.name("name", u.Name)
	c.form(extensionForm, "extension", u.Extension, "is not 2 to 8 digits")
	if u.Number != "" {
		c.number("number", u.Number)
	}
	if c.err != nil {
		return u, c.err
	}
	return u, s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		if err := refuseEmergency(ctx, tx, "extension", u.Extension); err != nil {
			return err
		}
		return tx.InsertUser(ctx, tenantID, u)
	})
}

// refuseEmergency keeps emergency numbers out of tenants' plans: they always lead to the emergency services, so that
// anything else behind them could never be reached.
func refuseEmergency(ctx context.Context, tx *postgres.Tx, field, dialled string) error {
	e, err := tx.Emergency(ctx)
	if err != nil {
		return err
	}
	if e.Is(dialled) {
		return conflict(field, "is an emergency number")
	}
	return nil
}
