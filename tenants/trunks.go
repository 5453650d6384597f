package tenants

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Trunk is a carrier or another system. It calls from fixed addresses, or registers here as a device of its tenant's, and is
// called if it has an Outgoing part.
type Trunk struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Addresses []netip.Addr `json:"addresses"`

	Tenant   string `json:"tenant,omitempty"`   // whose own it is, such as a customer's PBX or carrier; empty: the platform's
	Disabled bool   `json:"disabled,omitempty"` // it neither calls nor is called
	// MayCallOut lets calls that come in by a tenant's own trunk go out again at the tenant's cost, as a device's may: for a
	// PBX. A carrier that could do so would be an open door to fraud.
	MayCallOut bool `json:"may_call_out,omitempty"`
	// Device is the id of the tenant's device as which it registers here: then it calls with the device's password, and is
	// called where the device is registered unless it has destinations.
	Device    string       `json:"device,omitempty"`
	Registrar string       `json:"registrar,omitempty"`        // SIP URI where an edge registers for it, with its login; empty: nowhere
	Renew     int          `json:"register_seconds,omitempty"` // how long that registration lasts; 0: DefaultRenew
	Incoming  NumberFormat `json:"incoming,omitzero"`          // how it writes numbers to us
	Outgoing  *Outgoing    `json:"outgoing,omitempty"`         // nil: it is not called
}

// Outgoing says how a trunk is called.
type Outgoing struct {
	Destinations []string     `json:"destinations"` // SIP URIs without user, tried in this order; none: where its Device is registered
	Numbers      NumberFormat `json:"numbers,omitzero"`
	CallerID     CallerIDRule `json:"caller_id,omitzero"`
	MaxCalls     int          `json:"max_calls,omitempty"`        // calls out at once; 0 means no limit
	PerSecond    int          `json:"calls_per_second,omitempty"` // attempts within a second; 0 means no limit
	Failover     []string     `json:"failover,omitempty"`         // what makes a call go on to the next way; empty: DefaultFailover
	Seconds      int          `json:"seconds,omitempty"`          // until the trunk must signal progress; 0: DefaultProgress
	Domain       string       `json:"domain,omitempty"`           // host of the From header; empty: the destination's
}

// What makes a call go on, besides SIP codes ("408") and classes of them ("5xx").
const (
	FailoverTimeout     = "timeout"     // no progress within Seconds
	FailoverUnreachable = "unreachable" // the destination cannot be reached
)

// DefaultFailover is what goes on where a trunk does not say otherwise: whatever is the carrier's own trouble. A busy or
// wrong number is so by any way.
func DefaultFailover() []string { return []string{"408", "5xx", FailoverTimeout, FailoverUnreachable} }

// DefaultProgress is how long an attempt may take to signal progress. Carriers that hunt themselves need some seconds.
const DefaultProgress = 6 * time.Second

// DefaultRenew is how long a registration outward is asked for, in seconds.
const DefaultRenew = 600

// Progress is how long an attempt may take to signal progress.
func (o *Outgoing) Progress() time.Duration {
	if o.Seconds <= 0 {
		return DefaultProgress
	}
	return time.Duration(o.Seconds) * time.Second
}

// GoesOn says whether an attempt that ended with this word (a SIP code in digits, FailoverTimeout, FailoverUnreachable)
// is followed by the next.
func (o *Outgoing) GoesOn(word string) bool {
	list := o.Failover
	if len(list) == 0 {
		list = DefaultFailover()
	}
	return slices.ContainsFunc(list, func(entry string) bool {
		class, isClass := strings.CutSuffix(entry, "xx")
		return entry == word || isClass && len(word) == 3 && digits(word) && word[:1] == class
	})
}

// CallerIDRule says what a trunk is told of the caller.
type CallerIDRule struct {
	Show    string `json:"show,omitempty"`    // CallerOwned when empty
	Number  string `json:"number,omitempty"`  // the trunk's own, E.164: shown when nothing else may be
	Carried string `json:"carried,omitempty"` // where the identity goes: CarriedFrom when empty
}

// Values of CallerIDRule.Show.
const (
	CallerOwned = "owned" // the caller's number if the tenant owns it, else the user's, else the tenant's main one, else the trunk's
	CallerAny   = "any"   // the caller's number even if it is foreign, as for calls that are forwarded; else as CallerOwned
	CallerTrunk = "trunk" // always the trunk's own
)

// Values of CallerIDRule.Carried.
const (
	CarriedFrom = "from" // in the From header alone
	CarriedPAI  = "pai"  // in P-Asserted-Identity too (RFC 3325), also when the caller withholds it from the called
)

// OutboundRoute is one row of which trunks serve which numbers. Of the rows that a number begins with, those of the longest
// prefix count, in the order of Position. Rates would sort the rows of one position; there are none yet.
type OutboundRoute struct {
	Prefix   string `json:"prefix"` // "+49301"; empty: any number
	Position int    `json:"position"`
	Trunk    string `json:"trunk"`
}

// CallingOut is what a tenant may do on the telephone network. The zero value may do nothing.
type CallingOut struct {
	Allowed         bool     `json:"allowed,omitempty"`
	BlockedPrefixes []string `json:"blocked_prefixes,omitempty"` // E.164: "+88", "+1900"
	MaxCalls        int      `json:"max_calls,omitempty"`        // calls out at once; 0 means no limit
	PerSecond       int      `json:"calls_per_second,omitempty"` // 0 means no limit
	Shown           []string `json:"shown_numbers,omitempty"`    // E.164, of others, that the platform lets it show
	Withheld        bool     `json:"withheld,omitempty"`         // nobody outside learns who calls; emergency services do
}

// MayShow says whether the platform lets the tenant show a number that is not its own.
func (c CallingOut) MayShow(number string) bool { return slices.Contains(c.Shown, number) }

// Whereabouts say where a device stands, for emergency services.
type Whereabouts struct {
	Device   string `json:"device"`             // id
	Number   string `json:"number,omitempty"`   // that they call back, E.164; empty: the user's, else the tenant's main one
	Location string `json:"location,omitempty"` // in words, or as a URI of the trunk's
}

// Whereabouts finds those of a device, or nil.
func (t *Tenant) Whereabouts(device string) *Whereabouts {
	i := slices.IndexFunc(t.Places, func(w Whereabouts) bool { return w.Device == device })
	if i < 0 || device == "" {
		return nil
	}
	return &t.Places[i]
}

// Blocks gives the longest blocked prefix that a number begins with, and whether there is one.
func (c CallingOut) Blocks(number string) (prefix string, blocked bool) {
	for _, p := range c.BlockedPrefixes {
		if strings.HasPrefix(number, p) && (!blocked || len(p) > len(prefix)) {
			prefix, blocked = p, true
		}
	}
	return prefix, blocked
}

// Ways are the ways out: trunks, and which of them serve which numbers. A nil Ways has none.
type Ways struct {
	trunks   []*Trunk // in the order of configuration
	byID     map[string]*Trunk
	devices  map[trunkDevice]*Trunk
	platform map[string][]*Trunk            // by prefix
	own      map[string]map[string][]*Trunk // by tenant, by prefix
	snapshot *Snapshot
}

type trunkDevice struct{ tenant, device string }

// TrunkOfDevice finds the trunk that registers as a device, or nil. A disabled one is found too.
func (w *Ways) TrunkOfDevice(tenant, device string) *Trunk {
	if w == nil {
		return nil
	}
	return w.devices[trunkDevice{tenant, device}]
}

// Trunk finds a trunk by id, or nil.
func (w *Ways) Trunk(id string) *Trunk {
	if w == nil {
		return nil
	}
	return w.byID[id]
}

// Serving gives the trunks that serve a number for a tenant, best first: the tenant's own before the platform's, each once.
func (w *Ways) Serving(tenant, number string) []*Trunk {
	if w == nil {
		return nil
	}
	return append(longest(w.own[tenant], number), longest(w.platform, number)...)
}

// Open gives all trunks that a tenant could call by, whatever they serve: its own and the platform's.
func (w *Ways) Open(tenant string) []*Trunk {
	if w == nil {
		return nil
	}
	var all []*Trunk
	for _, t := range w.trunks {
		if t.Outgoing != nil && (t.Tenant == "" || t.Tenant == tenant) {
			all = append(all, t)
		}
	}
	return all
}

// Owner is the tenant that a number belongs to, or nil.
func (w *Ways) Owner(number string) *Tenant {
	if w == nil {
		return nil
	}
	return w.snapshot.TenantByNumber(number)
}

// Owns says whether a number belongs to a tenant.
func (w *Ways) Owns(tenant, number string) bool {
	if w == nil {
		return false
	}
	owner := w.snapshot.TenantByNumber(number)
	return owner != nil && owner.ID == tenant
}

func longest(table map[string][]*Trunk, number string) []*Trunk {
	for end := len(number); end >= 0 && table != nil; end-- {
		if found := table[number[:end]]; found != nil {
			return slices.Clone(found)
		}
	}
	return nil
}

// indexTrunks makes the indexes of trunks and routes, and says what it left out.
func (s *Snapshot) indexTrunks() []Fault {
	var faults []Fault
	w := &Ways{byID: map[string]*Trunk{}, devices: map[trunkDevice]*Trunk{}, platform: map[string][]*Trunk{}, own: map[string]map[string][]*Trunk{}, snapshot: s}
	s.ways = w
	for i := range s.data.Trunks {
		t := &s.data.Trunks[i]
		if t.Tenant != "" && s.tenants[t.Tenant] == nil {
			faults = append(faults, Fault{Path: "trunks/" + t.ID + "/tenant", Detail: "is not there"})
			continue
		}
		w.trunks, w.byID[t.ID] = append(w.trunks, t), t
		if t.Device != "" {
			w.devices[trunkDevice{t.Tenant, t.Device}] = t
		}
		for _, a := range t.Addresses {
			if other, taken := s.trunks[a.Unmap()]; taken {
				faults = append(faults, Fault{Path: "trunks/" + t.ID + "/addresses/" + a.String(), Detail: "belongs to trunk " + other.ID})
			} else if !t.Disabled {
				s.trunks[a.Unmap()] = t
			}
		}
	}
	routes := slices.Clone(s.data.Outbound)
	slices.SortStableFunc(routes, func(a, b OutboundRoute) int { return a.Position - b.Position })
	for _, r := range routes {
		t := w.byID[r.Trunk]
		if t == nil || t.Outgoing == nil {
			faults = append(faults, Fault{Path: "outbound_routes/" + r.Prefix + "/" + r.Trunk, Detail: "leads to a trunk that is not there or is not called"})
			continue
		}
		table := w.platform
		if t.Tenant != "" {
			if table = w.own[t.Tenant]; table == nil {
				table = map[string][]*Trunk{}
				w.own[t.Tenant] = table
			}
		}
		if !slices.Contains(table[r.Prefix], t) {
			table[r.Prefix] = append(table[r.Prefix], t)
		}
	}
	return faults
}
