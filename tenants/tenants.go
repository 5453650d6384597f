// Package tenants holds the configuration that decisions read: immutable snapshots of what PostgreSQL keeps.
//
// Guarantees:
//   - A Snapshot never changes once it is made: any number of goroutines may decide from it at once, and a decision that
//     began with one snapshot ends with it.
//   - A Tenant is reached through the indexes of its Snapshot alone (domain, number, trunk address), so that nothing
//     looked up for one tenant can be another's.
//   - What is versioned (flows, schedules, lists, routes, blocked callers) lives in Published and carries its version; what is
//     always current (devices, suspension, limits, ownership of numbers) lives in Tenant itself.
//
// The package does no I/O once a snapshot is made (making one reads the time-zone database). Package postgres loads
// snapshots; the local copy on disk is the same Data as JSON.
package tenants

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Data is a snapshot in the form in which it is loaded and kept on disk.
type Data struct {
	LoadedAt  time.Time       `json:"loaded_at"`
	Revision  int64           `json:"revision"` // grows with every change of configuration
	Tenants   []Tenant        `json:"tenants"`
	Trunks    []Trunk         `json:"trunks"`
	Outbound  []OutboundRoute `json:"outbound_routes,omitempty"`
	Emergency Emergency       `json:"emergency"`
	Nodes     []Node          `json:"nodes"`
	// Origin is the run of the database that the data was read from. Revisions of another tell nothing about what has changed.
	Origin string `json:"-"`
}

// Tenant is one customer: what is always current, and the published version of the rest.
type Tenant struct {
	// What each decision reads stands together, in two lines of the processor's cache: of a million numbers none is in it.
	ID                string    `json:"id"`
	MaxCalls          int       `json:"max_calls"`            // live calls at once; 0 means no limit
	MaxCallsPerSecond int       `json:"max_calls_per_second"` // calls that begin within a second; 0 means no limit
	Candidate         Candidate `json:"candidate,omitzero"`   // the version that some new calls get instead of Published
	Suspended         bool      `json:"suspended"`
	place             uint32    // in its snapshot
	Published         Published `json:"published"` // the version that new calls get, or the one that At was asked for
	parts                       // indexes of Published
	Name              string    `json:"name"`

	Parent   string `json:"parent,omitempty"` // the reseller whose customer it is, whose limits hold over all its customers; empty: the platform's own
	Domain   string `json:"domain"`           // SIP domain and digest realm, lower case
	TimeZone string `json:"time_zone"`
	Language string `json:"language"`
	// Users, Devices and Numbers are empty in a snapshot, which keeps them packed: see AllUsers.
	Users   []User   `json:"users"`
	Devices []Device `json:"devices"`
	Numbers []string `json:"numbers"` // E.164 with "+", owned by this tenant

	MainNumber string     `json:"main_number,omitempty"` // one of Numbers: shown for users without one; may be empty
	Dialling   Dialling   `json:"dialling,omitzero"`
	CallingOut CallingOut `json:"calling_out,omitzero"`

	MusicOnHold string `json:"music_on_hold,omitempty"` // the prompt that those who are put on hold hear; empty: what the media node plays

	Settings []UserSettings `json:"settings,omitempty"`    // of those users who have set something
	Places   []Whereabouts  `json:"whereabouts,omitempty"` // of devices that have some

	Versions []Published `json:"versions,omitempty"` // others that calls may still run under, Candidate's among them

	people   people
	location *time.Location
	users    finder                   // by id
	devices  finder                   // by id
	byName   finder                   // Devices by digest username
	views    map[int64]*Tenant        // this tenant under each of Versions; nil for none
	settings map[string]*UserSettings // by user id
}

// User is a person or a role that can be rung.
type User struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Extension string `json:"extension"` // short number within the tenant
	Number    string `json:"number"`    // E.164 shown to the outside; may be empty
}

// Device is something that registers.
type Device struct {
	ID       string `json:"id"`
	UserID   string `json:"user_id"` // may be empty
	Name     string `json:"name"`
	Username string `json:"username"` // digest user and user part of its address of record
}

// Published is one version of the versioned part. It never changes once it is published.
type Published struct {
	Version     int64 `json:"version"`
	packed      packedFlows
	routes      rows      // Routes as a snapshot keeps them
	PublishedAt time.Time `json:"published_at"`
	// Flows and Routes are empty in a snapshot, which keeps them packed: see AllFlows, AllRoutes and Tenant.Flow.
	Flows          []Flow     `json:"flows"`
	Schedules      []Schedule `json:"schedules"`
	Lists          []List     `json:"lists,omitempty"`
	Routes         []Route    `json:"routes"`
	BlockedCallers []string   `json:"blocked_callers"` // E.164, or a user name of ours
}

// Route says which flow a dialled extension or number starts.
type Route struct {
	Dialled string `json:"dialled"`          // extension, or E.164 with "+"
	Prefix  bool   `json:"prefix,omitempty"` // it serves all that begins with Dialled too: a feature code and what follows it
	FlowID  string `json:"flow_id"`
}

// Flow is a graph of elements, as data. Package callflows reads the settings.
type Flow struct {
	ID       string             `json:"id"`
	Name     string             `json:"name"`
	Start    string             `json:"start"` // key of the first element
	Elements map[string]Element `json:"elements"`
}

// Element is one step of a flow: its type, its settings by the type's schema, and where each exit leads.
type Element struct {
	Type     string            `json:"type"`
	Settings json.RawMessage   `json:"settings,omitempty"`
	Exits    map[string]string `json:"exits,omitempty"` // exit name -> key of the next element

	// Parsed is what the type made of Settings, in a flow that Tenant.Flow gives.
	Parsed any `json:"-"`
}

// Emergency is the platform's way to the emergency services. It is always open: no limit, block or suspension applies.
type Emergency struct {
	Numbers []string `json:"numbers"`
	// TestNumber is dialled to test the way without alarming anybody. It is one of Numbers.
	TestNumber string `json:"test_number"`
	TrunkURI   string `json:"trunk_uri"` // SIP URI without user: sip:192.0.2.9:5060
}

// Is says whether a dialled number is an emergency number.
func (e Emergency) Is(dialled string) bool {
	for _, n := range e.Numbers {
		if n == dialled {
			return true
		}
	}
	return false
}

// Node is a media node as configured; whether it is up is a fact, not configuration.
type Node struct {
	Name        string `json:"name"`
	SIPURI      string `json:"sip_uri"`          // sip:192.0.2.20:5080, where edges send calls
	EventSocket string `json:"event_socket"`     // host:port
	MaxCalls    int    `json:"max_calls"`        // past this it gets no new calls; 0 means no limit
	Draining    bool   `json:"draining"`         // it gets no new calls, until it is resumed
	Moving      bool   `json:"moving,omitempty"` // and its calls are to go to other nodes
}

// ParseSettings turns the settings of one element into its type's own value. Package callflows provides it.
type ParseSettings func(elementType string, settings json.RawMessage) (any, error)

// Snapshot is Data with its indexes.
type Snapshot struct {
	data    Data               // without tenants
	all     []*Tenant          // by place; nil where one is gone
	tenants map[string]*Tenant // by id
	domains map[string]*Tenant
	numbers owners
	// contested: two tenants claim the same, and whose it is goes by who comes first.
	contested bool
	trunks    map[netip.Addr]*Trunk
	nodes     map[string]*Node // by name
	ways      *Ways
	recent    *recent // flows that are read, also of the snapshots that follow
}

// Fault is one thing that NewSnapshot left out because it does not hold together. The rest of the tenant lives on.
type Fault struct {
	Tenant string // empty when it is the platform's
	Path   string // such as flows/main/elements/menu/settings
	Detail string
}

func (f Fault) Error() string {
	if f.Tenant == "" {
		return fmt.Sprintf("tenants: %s: %s", f.Path, f.Detail)
	}
	return fmt.Sprintf("tenants: tenant %s: %s: %s", f.Tenant, f.Path, f.Detail)
}

// NewSnapshot indexes data. A tenant, flow or route that does not hold together is left out and reported, so that one
// tenant's fault never stops another's calls. It takes over data: the caller must not touch it afterwards.
func NewSnapshot(data Data, parse ParseSettings) (*Snapshot, []Fault) {
	return NextSnapshot(nil, data, parse)
}

// NextSnapshot is NewSnapshot for data that follows on a snapshot: versions that both have are shared, and neither read nor
// indexed again. A previous snapshot of nil shares nothing.
func NextSnapshot(previous *Snapshot, data Data, parse ParseSettings) (*Snapshot, []Fault) {
	s := &Snapshot{data: data, all: make([]*Tenant, 0, len(data.Tenants)), tenants: make(map[string]*Tenant, len(data.Tenants)),
		domains: make(map[string]*Tenant, len(data.Tenants)), numbers: newOwners(countNumbers(data.Tenants))}
	s.data.Tenants = nil
	var faults []Fault
	s.recent = previous.read()
	same := newSharing(parse, s.recent)
	ids := idsOf(data.Tenants)
	for i := range data.Tenants {
		t := &Tenant{}
		*t = data.Tenants[i] // of its own, so that it can be replaced by itself
		t.ID, ids = ids[:len(t.ID)], ids[len(t.ID):]
		if s.tenants[t.ID] != nil {
			faults = append(faults, Fault{Tenant: t.ID, Path: "id", Detail: "is there twice; the first is used"})
			continue
		}
		faults = append(faults, t.index(previous.known(t.ID), same)...)
		faults = append(faults, s.admit(t)...)
	}
	s.numbers.settle(s.headOf)
	return s, append(faults, s.indexPlatform()...)
}

// idsOf puts the ids of tenants, which are in every decision, close together.
func idsOf(all []Tenant) string {
	var ids strings.Builder
	for i := range all {
		ids.WriteString(all[i].ID)
	}
	return ids.String()
}

func countNumbers(all []Tenant) (n int) {
	for i := range all {
		n += len(all[i].Numbers)
	}
	return n
}

// admit makes a tenant findable.
func (s *Snapshot) admit(t *Tenant) (faults []Fault) {
	t.place = uint32(len(s.all))
	s.all = append(s.all, t)
	s.tenants[t.ID] = t
	domain := strings.ToLower(t.Domain)
	switch other := s.domains[domain]; {
	case domain == "":
		s.contested = true
		faults = append(faults, Fault{Tenant: t.ID, Path: "domain", Detail: "is empty"})
	case other != nil:
		s.contested = true
		faults = append(faults, Fault{Tenant: t.ID, Path: "domain", Detail: "belongs to tenant " + other.ID})
	default:
		s.domains[domain] = t
	}
	for i := range t.people.numbers.count() {
		n := t.number(i)
		if owner := s.numbers.put(n, t.place, t.leads(n)); owner != t.place {
			s.contested = true
			faults = append(faults, Fault{Tenant: t.ID, Path: "numbers/" + n, Detail: "belongs to tenant " + s.all[owner].ID})
		}
	}
	return faults
}

// indexPlatform makes the indexes of what is no tenant's.
func (s *Snapshot) indexPlatform() []Fault {
	s.trunks, s.nodes = map[netip.Addr]*Trunk{}, map[string]*Node{}
	faults := s.indexTrunks()
	for i := range s.data.Nodes {
		if n := &s.data.Nodes[i]; s.nodes[n.Name] == nil {
			s.nodes[n.Name] = n
		}
	}
	return faults
}

// zone finds a time zone by its IANA name. "Local" is none: it would mean another zone on another machine.
func zone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, fmt.Errorf("tenants: %q is not a time zone", name)
	}
	return time.LoadLocation(name)
}

// index makes the tenant's indexes and says what it left out. before is the tenant in an earlier snapshot, or nil.
func (t *Tenant) index(before *Tenant, same *sharing) []Fault {
	var faults []Fault
	fault := func(path, detail string) { faults = append(faults, Fault{Tenant: t.ID, Path: path, Detail: detail}) }
	t.pack()
	location, err := same.zone(t.TimeZone)
	if err != nil {
		location = time.UTC
		fault("time_zone", "is not known; UTC is used")
	}
	t.location = location
	t.users, t.devices, t.byName = index(t.people.users.count(), t.userID), index(t.people.devices.count(), t.deviceID), newFinder(t.people.devices.count())
	for i := range t.people.devices.count() {
		s, fresh := t.byName.put(t.username(i), t.username)
		if !fresh {
			fault("devices/"+t.deviceID(i)+"/username", "belongs to device "+t.deviceID(int(s.place)))
			continue
		}
		s.place = uint32(i)
	}
	t.indexDevicesOf()
	together(&t.users, &t.devices, &t.byName)
	t.indexSettings()
	return append(faults, t.indexVersions(before, same)...)
}

// indexPublished makes the indexes of the versioned part.
func (t *Tenant) indexPublished(same *sharing) []Fault {
	var faults []Fault
	fault := func(path, detail string) { faults = append(faults, Fault{Tenant: t.ID, Path: path, Detail: detail}) }
	p, location := &t.Published, t.location
	p.detach()
	p.Pack()
	t.schedule, t.lists = index(len(p.Schedules), t.scheduleID), index(len(p.Lists), t.listID)
	t.blocked = index(len(p.BlockedCallers), t.blockedName)
	t.prefixes = finder{}
	for i := range p.Lists {
		p.Lists[i].index()
	}
	for i := range p.Schedules {
		s := &p.Schedules[i]
		s.location = location
		if s.TimeZone != "" {
			if own, err := same.zone(s.TimeZone); err == nil {
				s.location = own
			} else {
				fault("schedules/"+s.ID+"/time_zone", "is not known; the tenant's is used")
			}
		}
		for _, d := range s.Dates {
			if _, err := time.Parse(time.DateOnly, d.Date); err != nil {
				fault("schedules/"+s.ID+"/dates/"+d.Date, "is not a date (2006-01-02); it is never met")
			}
		}
	}
	t.indexFlows(same, fault)
	together(&t.routes, &t.prefixes, &t.flows, &t.schedule, &t.lists, &t.blocked)
	return faults
}

// indexFlows makes the indexes of flows and routes.
func (t *Tenant) indexFlows(same *sharing, fault func(path, detail string)) {
	p := &t.Published
	flows := p.AllFlows()
	p.packed.read, p.packed.recent, p.packed.parse, p.packed.blocked = make([]atomic.Pointer[Flow], len(flows)), same.recent, same.of, 0
	for _, b := range p.BlockedCallers {
		p.packed.blocked |= bitsOf(b)
	}
	p.packRoutes()
	t.flows, t.routes = newFinder(len(flows)), newFinder(p.routes.count())
	for i := range flows {
		f := &flows[i]
		if path, err := f.check(same); err != nil {
			fault("flows/"+f.ID+path, err.Error())
			continue
		}
		s, _ := t.flows.put(f.ID, t.flowID)
		s.place, s.leads = uint32(i), p.packed.at[i]
	}
	for i := range p.routes.count() {
		r := p.route(i)
		flow := t.flows.find(r.FlowID, t.flowID)
		if flow == nil {
			fault("routes/"+r.Dialled, "leads to a flow that is not there")
			continue
		}
		s, _ := t.routes.put(r.Dialled, t.dialled)
		s.place, s.leads = uint32(i), flow.leads
		if r.Prefix {
			s, _ := t.prefixes.put(r.Dialled, t.dialled)
			s.place = uint32(i)
		}
	}
}

// What finders ask for.
func (t *Tenant) userID(i int) string      { return t.people.users.part(i, userID) }
func (t *Tenant) deviceID(i int) string    { return t.people.devices.part(i, deviceID) }
func (t *Tenant) username(i int) string    { return t.people.devices.part(i, devUsername) }
func (t *Tenant) scheduleID(i int) string  { return t.Published.Schedules[i].ID }
func (t *Tenant) listID(i int) string      { return t.Published.Lists[i].ID }
func (t *Tenant) flowID(i int) string      { return t.Published.packed.id(i) }
func (t *Tenant) dialled(i int) string     { return t.Published.routes.part(i, 0) }
func (t *Tenant) blockedName(i int) string { return t.Published.BlockedCallers[i] }

// check says what does not hold together in a flow, and where.
func (f *Flow) check(same *sharing) (path string, err error) {
	if _, ok := f.Elements[f.Start]; !ok {
		return "/start", fmt.Errorf("names no element")
	}
	var room [8]string
	keys := slices.AppendSeq(room[:0], maps.Keys(f.Elements))
	slices.Sort(keys)
	for _, key := range keys {
		e := f.Elements[key]
		if err := same.parses(e.Type, e.Settings); err != nil {
			return "/elements/" + key + "/settings", err
		}
		for _, exit := range slices.Sorted(maps.Keys(e.Exits)) {
			if _, ok := f.Elements[e.Exits[exit]]; !ok {
				return "/elements/" + key + "/exits/" + exit, fmt.Errorf("leads to an element that is not there")
			}
		}
	}
	return "", nil
}

// Revision is the platform-wide revision that the snapshot was loaded at.
func (s *Snapshot) Revision() int64 { return s.data.Revision }

// Origin is the run of the database that the snapshot was read from; empty when it came from elsewhere.
func (s *Snapshot) Origin() string { return s.data.Origin }

// LoadedAt is when the snapshot was read from PostgreSQL.
func (s *Snapshot) LoadedAt() time.Time { return s.data.LoadedAt }

// Data gives what the snapshot was made from, tenants by id, for writing it to disk. It must not be changed. Versions in it are packed.
func (s *Snapshot) Data() Data {
	data := s.data
	data.Tenants = make([]Tenant, 0, len(s.tenants))
	for _, t := range s.all {
		if t != nil {
			data.Tenants = append(data.Tenants, t.unpacked())
		}
	}
	slices.SortFunc(data.Tenants, func(a, b Tenant) int { return strings.Compare(a.ID, b.ID) })
	return data
}

// Nodes are the configured media nodes. The slice must not be changed.
func (s *Snapshot) Nodes() []Node { return s.data.Nodes }

// Node finds a configured media node by name, or nil.
func (s *Snapshot) Node(name string) *Node { return s.nodes[name] }

// Trunks are the configured trunks. The slice must not be changed.
func (s *Snapshot) Trunks() []Trunk { return s.data.Trunks }

// Emergency is the way to the emergency services.
func (s *Snapshot) Emergency() Emergency { return s.data.Emergency }

// Tenant finds a tenant by id, or nil.
func (s *Snapshot) Tenant(id string) *Tenant { return s.tenants[id] }

// TenantByDomain finds the tenant whose SIP domain this is, or nil.
func (s *Snapshot) TenantByDomain(domain string) *Tenant { return s.domains[strings.ToLower(domain)] }

// TenantByNumber finds the tenant that owns an E.164 number, or nil.
func (s *Snapshot) TenantByNumber(number string) *Tenant {
	if r, owned := s.numbers.of(number); owned {
		return s.all[r.place]
	}
	return nil
}

// NumberLeads finds the tenant that owns an E.164 number, or nil, and the flow that the number starts as the tenant is
// Published, if any. It is TenantByNumber and Leads in one look.
func (s *Snapshot) NumberLeads(number string) (*Tenant, FlowHead) {
	r, owned := s.numbers.of(number)
	if !owned {
		return nil, FlowHead{}
	}
	if r.head.ID == "" {
		r.head = s.headOf(r.slot)
	}
	return s.all[r.place], r.head
}

// headOf is the flow that a number's slot leads to, if any.
func (s *Snapshot) headOf(of slot) FlowHead {
	if of.leads == nowhere {
		return FlowHead{}
	}
	return s.all[of.place].Published.packed.head(of.leads)
}

// TrunkByAddress finds the trunk that calls from an address, or nil. A disabled trunk is not found.
func (s *Snapshot) TrunkByAddress(a netip.Addr) *Trunk { return s.trunks[a.Unmap()] }

// Ways are the ways out to the telephone network.
func (s *Snapshot) Ways() *Ways { return s.ways }

// Location is the tenant's time zone.
func (t *Tenant) Location() *time.Location { return t.location }

// User finds a user by id, or nil.
func (t *Tenant) User(id string) *User { return read(t.user, t.users.find(id, t.userID)) }

// Device finds a device by id, or nil.
func (t *Tenant) Device(id string) *Device { return read(t.device, t.devices.find(id, t.deviceID)) }

// DeviceByUsername finds a device by its digest user name, or nil.
func (t *Tenant) DeviceByUsername(name string) *Device {
	return read(t.device, t.byName.find(name, t.username))
}

// at gives what a slot is of, or nil.
func at[T any](all []T, s *slot) *T {
	if s == nil {
		return nil
	}
	return &all[s.place]
}

// read makes a value of what a slot is of, or nil.
func read[T any](row func(place int) T, s *slot) *T {
	if s == nil {
		return nil
	}
	value := row(int(s.place))
	return &value
}

// DevicesOf lists a user's devices in the order of configuration.
func (t *Tenant) DevicesOf(userID string) []*Device {
	var all []*Device
	from, until := t.devicesWithin(userID)
	for i := from; i < until; i++ {
		if t.people.devices.part(i, deviceUser) == userID {
			d := t.device(i)
			all = append(all, &d)
		}
	}
	return all
}

// Route finds where a dialled extension or number leads as it is written, or nil. What begins with a prefix is found by
// RouteByPrefix, which is asked next.
func (t *Tenant) Route(dialled string) *Route {
	return read(t.Published.route, t.routes.find(dialled, t.dialled))
}

// Leads says which flow a dialled extension or number starts: that of its Route, found faster.
func (t *Tenant) Leads(dialled string) FlowHead {
	if s := t.routes.find(dialled, t.dialled); s != nil {
		return t.Published.packed.head(s.leads)
	}
	return FlowHead{}
}

// RouteByPrefix finds the route of the longest prefix that a dialled text begins with, and what follows the prefix. It is nil
// when there is none.
func (t *Tenant) RouteByPrefix(dialled string) (r *Route, rest string) {
	for n := min(len(dialled), maxPrefix); n > 0 && t.prefixes.held > 0; n-- {
		if s := t.prefixes.find(dialled[:n], t.dialled); s != nil {
			return read(t.Published.route, s), dialled[n:]
		}
	}
	return nil, ""
}

// maxPrefix is the length of the longest prefix that a route may have.
const maxPrefix = 20

// Flow finds a flow by id, or nil. It is not to be changed.
func (t *Tenant) Flow(id string) *Flow {
	s := t.flows.find(id, t.flowID)
	if s == nil {
		return nil
	}
	return t.Published.packed.whole(int(s.place))
}

// FlowHead finds what is known of a flow without reading its elements, by its id.
func (t *Tenant) FlowHead(id string) FlowHead {
	s := t.flows.find(id, t.flowID)
	if s == nil {
		return FlowHead{}
	}
	return t.Published.packed.head(s.leads)
}

// Schedule finds a schedule by id, or nil.
func (t *Tenant) Schedule(id string) *Schedule {
	return at(t.Published.Schedules, t.schedule.find(id, t.scheduleID))
}

// List finds a list by id, or nil.
func (t *Tenant) List(id string) *List { return at(t.Published.Lists, t.lists.find(id, t.listID)) }

// Blocked says whether calls from this number or user name are refused.
func (t *Tenant) Blocked(caller string) bool {
	bits := bitsOf(caller)
	return t.Published.packed.blocked&bits == bits && t.blocked.find(caller, t.blockedName) != nil
}

// bitsOf are two of 64 bits for a name.
func bitsOf(name string) uint64 {
	key, _ := keyOf(name)
	key *= spread
	return 1<<(key>>58) | 1<<(key>>52&63)
}

// leads is the offset of the flow that a number starts, or nowhere.
func (t *Tenant) leads(number string) uint32 {
	if s := t.routes.find(number, t.dialled); s != nil {
		return s.leads
	}
	return nowhere
}
