package api

import (
	"slices"
	"strings"
)

// Scope is what an operation asks of its caller.
type Scope string

// The scopes. A key has some of them, and never one that its maker had not.
const (
	Public Scope = "public" // for everybody, before he has signed in

	TenantsRead        Scope = "tenants:read"
	TenantsWrite       Scope = "tenants:write"  // make, limit, suspend and move tenants below one's own
	SettingsWrite      Scope = "settings:write" // a tenant's own settings
	UsersRead          Scope = "users:read"
	UsersWrite         Scope = "users:write"
	DevicesRead        Scope = "devices:read"
	DevicesWrite       Scope = "devices:write"
	RegistrationsRead  Scope = "registrations:read"
	RegistrationsWrite Scope = "registrations:write"
	NumbersRead        Scope = "numbers:read"
	NumbersWrite       Scope = "numbers:write"
	NumbersAdd         Scope = "numbers:add" // bring numbers into a stock, of which nobody checks whose they are: the platform's, and whom it trusts
	PortingRead        Scope = "porting:read"
	PortingWrite       Scope = "porting:write"
	PortingDecide      Scope = "porting:decide" // what the other carrier says: the platform's, and whom it trusts
	FlowsRead          Scope = "flows:read"     // and schedules, lists, routes, versions
	FlowsWrite         Scope = "flows:write"
	PublishWrite       Scope = "publish:write" // make drafts live, roll back, try versions
	MediaRead          Scope = "media:read"
	MediaWrite         Scope = "media:write"
	VoicemailRead      Scope = "voicemail:read"
	VoicemailWrite     Scope = "voicemail:write"
	RecordingsRead     Scope = "recordings:read" // what was recorded of calls
	RecordingsWrite    Scope = "recordings:write"
	TrunksRead         Scope = "trunks:read"
	TrunksWrite        Scope = "trunks:write"
	KeysRead           Scope = "keys:read"
	KeysWrite          Scope = "keys:write"
	PeopleRead         Scope = "people:read"
	PeopleWrite        Scope = "people:write"
	WebhooksRead       Scope = "webhooks:read"
	WebhooksWrite      Scope = "webhooks:write"
	CallsRead          Scope = "calls:read"
	CallsWrite         Scope = "calls:write"
	CallsOriginate     Scope = "calls:originate" // start calls that nobody dials
	CallsListen        Scope = "calls:listen"    // hear live calls, and speak in them
	CallsRecord        Scope = "calls:record"    // begin and end recordings of live calls
	AuditRead          Scope = "audit:read"
	AuditWrite         Scope = "audit:write" // undo
	OrdersRead         Scope = "orders:read"
	OrdersWrite        Scope = "orders:write"
	PlansRead          Scope = "plans:read"    // a tenant as a whole: export, plan
	PlansWrite         Scope = "plans:write"   // apply
	PlatformRead       Scope = "platform:read" // nodes, edges, emergency numbers, the platform's trunks
	PlatformWrite      Scope = "platform:write"

	// SelfAccess is what everybody who has signed in may do: his own session, password and second factor.
	SelfAccess Scope = "self"
)

// own marks a scope whose operation a user may also ask for without it, about himself: {user} in the path is he.
const own = "+own"

// OrOwn lets users ask too, about themselves alone.
func (s Scope) OrOwn() Scope { return s + own }

func (s Scope) split() (scope Scope, orOwn bool) {
	name, orOwn := strings.CutSuffix(string(s), own)
	return Scope(name), orOwn
}

// Scopes lists all that a key can have.
func Scopes() []Scope {
	return []Scope{TenantsRead, TenantsWrite, SettingsWrite, UsersRead, UsersWrite, DevicesRead, DevicesWrite, RegistrationsRead, RegistrationsWrite, NumbersRead,
		NumbersWrite, NumbersAdd, PortingRead, PortingWrite, PortingDecide, FlowsRead, FlowsWrite, PublishWrite, MediaRead, MediaWrite, VoicemailRead, VoicemailWrite, RecordingsRead, RecordingsWrite, TrunksRead, TrunksWrite, KeysRead, KeysWrite,
		PeopleRead, PeopleWrite, WebhooksRead, WebhooksWrite, CallsRead, CallsWrite, CallsOriginate, CallsListen, CallsRecord, AuditRead, AuditWrite, OrdersRead, OrdersWrite, PlansRead, PlansWrite, PlatformRead, PlatformWrite}
}

// ofPlatform says whether a scope opens what is the platform's, and so shows other tenants' things: no key of a tenant's has it.
func (s Scope) ofPlatform() bool { return s == PlatformRead || s == PlatformWrite }

// TenantScopes lists all that a tenant's key can have.
func TenantScopes() []Scope { return slices.DeleteFunc(Scopes(), Scope.ofPlatform) }

// The roles of people.
const (
	RolePlatformAdmin = "platform_admin"
	RoleSupport       = "support"
	RoleReseller      = "reseller"
	RoleTenantAdmin   = "tenant_admin"
	RoleUser          = "user"
)

// Roles lists them, the mightiest first.
func Roles() []string {
	return []string{RolePlatformAdmin, RoleSupport, RoleReseller, RoleTenantAdmin, RoleUser}
}

// ScopesOf is what a role may do, within the tenant of who has it and all below.
func ScopesOf(role string) []Scope {
	without := func(no ...Scope) []Scope {
		return slices.DeleteFunc(Scopes(), func(s Scope) bool { return slices.Contains(no, s) })
	}
	switch role {
	case RolePlatformAdmin:
		return Scopes()
	case RoleSupport: // mends what customers have; makes no tenants, keys or people, leaves the platform as it is, and hears nobody talk
		return without(TenantsWrite, KeysWrite, PeopleWrite, PlatformWrite, CallsListen, CallsRecord)
	case RoleReseller:
		return without(PlatformRead, PlatformWrite, NumbersAdd, PortingDecide)
	case RoleTenantAdmin:
		return without(TenantsWrite, PlatformRead, PlatformWrite, NumbersAdd, PortingDecide)
	}
	return nil
}
