package plan

import (
	"net/netip"

	"tandem/tenants"
)

// Format is the version of the file's form that this release writes and reads.
const Format = 1

// Document is a tenant as a file says it. A section that is nil is left out; one that is there and empty holds nothing.
type Document struct {
	Format int    `json:"format"`
	Tenant string `json:"tenant,omitempty"` // its id; empty: whichever it is applied to

	Settings       *Settings             `json:"settings,omitempty"`
	Users          []User                `json:"users,omitzero"`
	UserSettings   []UserSettings        `json:"user_settings,omitzero"` // of those who have set something
	VoicemailBoxes []Box                 `json:"voicemail_boxes,omitzero"`
	Devices        []Device              `json:"devices,omitzero"`
	Phones         []Phone               `json:"phones,omitzero"` // devices that provision themselves
	Whereabouts    []tenants.Whereabouts `json:"whereabouts,omitzero"`
	Trunks         []Trunk               `json:"trunks,omitzero"` // the tenant's own
	OutboundRoutes []OutboundRoute       `json:"outbound_routes,omitzero"`
	Schedules      []tenants.Schedule    `json:"schedules,omitzero"`
	Lists          []tenants.List        `json:"lists,omitzero"`
	Flows          []tenants.Flow        `json:"flows,omitzero"`
	Numbers        []Number              `json:"numbers,omitzero"`
	Routes         []Route               `json:"routes,omitzero"`
	BlockedCallers []string              `json:"blocked_callers,omitzero"`
}

// Settings are a tenant's own. A member that is nil is left alone.
type Settings struct {
	Name              *string             `json:"name,omitempty"`
	TimeZone          *string             `json:"time_zone,omitempty"`
	Language          *string             `json:"language,omitempty"`
	MaxCalls          *int                `json:"max_calls,omitempty"`            // live calls at once; 0: no limit
	MaxCallsPerSecond *int                `json:"max_calls_per_second,omitempty"` // 0: no limit
	MainNumber        *string             `json:"main_number,omitempty"`          // one of the tenant's; empty: none
	MusicOnHold       *string             `json:"music_on_hold,omitempty"`        // a prompt; empty: what the media node plays
	Dialling          *tenants.Dialling   `json:"dialling,omitempty"`
	CallingOut        *tenants.CallingOut `json:"calling_out,omitempty"`
}

// User is a person or a role that can be rung.
type User struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Extension string `json:"extension"`
	Number    string `json:"number,omitempty"` // shown to the outside
}

// UserSettings are what a user has set for himself.
type UserSettings struct {
	User            string            `json:"user"`
	ForwardAll      Forward           `json:"forward_all,omitzero"`
	ForwardBusy     Forward           `json:"forward_busy,omitzero"`
	ForwardNoAnswer Forward           `json:"forward_no_answer,omitzero"`
	NoAnswerSeconds int               `json:"no_answer_seconds,omitempty"`
	DoNotDisturb    bool              `json:"do_not_disturb,omitempty"`
	NoCallWaiting   bool              `json:"no_call_waiting,omitempty"`
	RejectAnonymous bool              `json:"reject_anonymous,omitempty"`
	SpeedDials      map[string]string `json:"speed_dials,omitempty"`
}

// Forward says where a user's calls go in one case.
type Forward struct {
	On      bool   `json:"on,omitempty"`
	To      string `json:"to,omitempty"`
	Confirm bool   `json:"confirm,omitempty"`
}

// Box is a voicemail box that can be opened by telephone: one with a PIN. Every user has a box that takes messages.
type Box struct {
	User string `json:"user"`
}

// Device is something that registers.
type Device struct {
	ID       string `json:"id"`
	UserID   string `json:"user_id,omitempty"` // empty: nobody's
	Name     string `json:"name"`
	Username string `json:"username"`
}

// Phone is what a device's hardware is and shows. How its files are fetched is no part of it.
type Phone struct {
	Device   string     `json:"device"`
	MAC      string     `json:"mac"` // hardware address
	Vendor   string     `json:"vendor"`
	Model    string     `json:"model,omitempty"`
	TimeZone string     `json:"time_zone,omitempty"` // empty: the tenant's
	Codecs   []string   `json:"codecs,omitempty"`    // in order; none: the usual ones
	Keys     []PhoneKey `json:"keys,omitempty"`      // by place; none: the phone's line
	Note     string     `json:"note,omitempty"`
}

// PhoneKey is one key of a phone.
type PhoneKey struct {
	Type  string `json:"type"`
	Label string `json:"label,omitempty"`
	Value string `json:"value,omitempty"`
}

// Trunk is one of the tenant's own. Its login is no part of it.
type Trunk struct {
	ID         string               `json:"id"`
	Name       string               `json:"name"`
	Addresses  []netip.Addr         `json:"addresses,omitempty"`
	Disabled   bool                 `json:"disabled,omitempty"`
	MayCallOut bool                 `json:"may_call_out,omitempty"`
	Device     string               `json:"device,omitempty"`
	Registrar  string               `json:"registrar,omitempty"`
	Renew      int                  `json:"register_seconds,omitempty"`
	Incoming   tenants.NumberFormat `json:"incoming,omitzero"`
	Outgoing   *tenants.Outgoing    `json:"outgoing,omitempty"`
}

// OutboundRoute says which of the tenant's own trunks serve the numbers of a prefix, in this order.
type OutboundRoute struct {
	Prefix string   `json:"prefix"` // empty: any number
	Trunks []string `json:"trunks"`
}

// Number is one that the tenant has, and where calls to it lead.
type Number struct {
	Number string `json:"number"`
	FlowID string `json:"flow_id,omitempty"` // "user-" and a user's id: that user; empty: nowhere
}

// Route says where calls to what is dialled within the tenant lead.
type Route struct {
	Dialled string `json:"dialled"`
	Prefix  bool   `json:"prefix,omitempty"`
	FlowID  string `json:"flow_id"`
}

// Published gives what is versioned: what people edit, without what publishing adds for users.
func (d Document) Published() tenants.Published {
	p := tenants.Published{Flows: d.Flows, Schedules: d.Schedules, Lists: d.Lists, BlockedCallers: d.BlockedCallers}
	for _, n := range d.Numbers {
		if n.FlowID != "" {
			p.Routes = append(p.Routes, tenants.Route{Dialled: n.Number, FlowID: n.FlowID})
		}
	}
	for _, r := range d.Routes {
		p.Routes = append(p.Routes, tenants.Route(r))
	}
	return p
}

// SetPublished takes over what is versioned; owned are all numbers of the tenant.
func (d *Document) SetPublished(p tenants.Published, owned []string) {
	d.Flows, d.Schedules, d.Lists, d.BlockedCallers = some(p.Flows), some(p.Schedules), some(p.Lists), some(p.BlockedCallers)
	d.Numbers, d.Routes = []Number{}, []Route{}
	leads := map[string]string{}
	for _, r := range p.Routes {
		if r.Dialled != "" && r.Dialled[0] == '+' {
			leads[r.Dialled] = r.FlowID
			continue
		}
		d.Routes = append(d.Routes, Route(r))
	}
	for _, number := range owned {
		d.Numbers = append(d.Numbers, Number{Number: number, FlowID: leads[number]})
	}
}

// some is never nil.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
