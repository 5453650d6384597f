// Package routing decides what happens to an INVITE before it reaches a media node: who is calling, which tenant it is
// about, whether it may pass, which flow takes it, and which node. It is pure: the same snapshot, facts and request give
// the same decision, so the function that decides a call also explains it, dry-runs it and replays it.
//
//	Read(message) -> Request          foreign texts, read once
//	TenantOf(snapshot, request)       which tenant's facts are needed
//	Decide(snapshot, facts, request) -> Decision{..., Because}
//
// Guarantees:
//   - An emergency number that a device or a trunk dials passes every limit, block and suspension.
//   - Only an authenticated device or a known trunk address passes at all.
//   - A tenant is found through the device's realm or the owned number, never through what a caller writes elsewhere.
//   - A rejection has a SIP code, a Q.850 cause and a reason in words. 503 means that the platform is out of service or
//     overloaded, never that a tenant is over its limit: a carrier takes a whole trunk out of service for a 503.
//   - What goes into a header for the node is a token that this package has checked.
package routing

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"tandem/because"
	"tandem/callflows"
	"tandem/messages"
	"tandem/tenants"
)

// Facts are what a decision needs besides configuration. They are journalled with it.
type Facts struct {
	At          time.Time `json:"at,omitzero"`
	TenantCalls int       `json:"tenant_calls,omitempty"` // live calls of the tenant that TenantOf names, and of all below it
	TenantRate  int       `json:"tenant_rate,omitempty"`  // those of them that began within the last second
	Above       []Above   `json:"above,omitempty"`        // the resellers above it that have limits, the nearest first
	Joins       *Joins    `json:"joins,omitempty"`        // the live call that this one is to be joined with
	DeviceNode  string    `json:"device_node,omitempty"`  // on which the device that calls has a call already
	Nodes       []Node    `json:"nodes"`                  // nodes that are known to be there
}

// Above is what a reseller's limits are held against: the calls of all its customers together, and its own.
type Above struct {
	Tenant string `json:"tenant"`
	Calls  int    `json:"calls,omitempty"`
	Rate   int    `json:"rate,omitempty"`
}

// Node is a media node as it is now.
type Node struct {
	Name   string             `json:"name"`
	SIPURI string             `json:"sip_uri"`
	State  messages.NodeState `json:"state"`
	Calls  int                `json:"calls,omitempty"`
	Busy   Busy               `json:"busy,omitzero"`
}

// Decision is what Decide gives.
type Decision struct {
	Call       string           `json:"call,omitempty"`
	Tenant     string           `json:"tenant,omitempty"`
	Version    int64            `json:"version,omitempty"`
	Verdict    messages.Verdict `json:"verdict"`
	Nodes      []string         `json:"nodes,omitempty"`   // SIP URIs, best first
	FlowID     string           `json:"flow_id,omitempty"` // the flow that takes the call
	Caller     callflows.Caller `json:"caller"`
	Dialled    string           `json:"dialled"`
	Replaces   string           `json:"replaces,omitempty"`   // CALL.LEG whose place the caller takes
	Diversions int              `json:"diversions,omitempty"` // how often the call was diverted before it came
	Code       int              `json:"code,omitempty"`
	Phrase     string           `json:"phrase,omitempty"`
	Cause      string           `json:"cause,omitempty"` // FreeSWITCH's name of the Q.850 cause
	Q850       int              `json:"q850,omitempty"`
	Fault      messages.Fault   `json:"fault,omitempty"`
	Because    []because.Reason `json:"because,omitempty"`
}

// anonymous is the number of a caller who withholds his.
const anonymous = "anonymous"

// MaxNodes is how many nodes a decision names: an edge that has tried so many gives up.
const MaxNodes = 4

// TenantOf names the tenant whose facts Decide needs, or "".
func TenantOf(s *tenants.Snapshot, r Request) string {
	if t := tenantOf(s, &r); t != nil {
		return t.ID
	}
	return ""
}

func tenantOf(s *tenants.Snapshot, r *Request) *tenants.Tenant {
	t, _ := leadsTo(s, r)
	return t
}

// leadsTo finds a call's tenant, and for a number that comes from outside the flow that it starts, if any.
func leadsTo(s *tenants.Snapshot, r *Request) (*tenants.Tenant, tenants.FlowHead) {
	if r.AuthUser != "" {
		return s.TenantByDomain(r.AuthRealm), tenants.FlowHead{}
	}
	if r.across() {
		return s.Tenant(r.Between), tenants.FlowHead{}
	}
	if r.Between != "" {
		return s.NumberLeads(trunkNumber(r.To.User))
	}
	trunk := s.TrunkByAddress(r.Source)
	if trunk != nil && trunk.Tenant != "" {
		return s.Tenant(trunk.Tenant), tenants.FlowHead{} // whatever number is dialled: what a tenant's own trunk brings is the tenant's
	}
	return s.NumberLeads(numberFrom(trunk, r.dialledAt(trunk)))
}

// dialledAt is what a trunk has dialled. A carrier at which an edge has registered calls the contact, whose user is the trunk's id: then
// the number stands in the To header.
func (r *Request) dialledAt(trunk *tenants.Trunk) string {
	if trunk != nil && trunk.Registrar != "" && r.To.User == trunk.ID && r.Called != "" {
		return r.Called
	}
	return r.To.User
}

// numberFrom reads a number that a trunk wrote.
func numberFrom(trunk *tenants.Trunk, user string) string {
	if trunk != nil && trunk.Incoming != (tenants.NumberFormat{}) {
		return trunk.Incoming.Read(Dialled(user))
	}
	return trunkNumber(user)
}

// Decide decides one INVITE.
func Decide(s *tenants.Snapshot, f Facts, r Request) Decision {
	return decideCall(&decider{snapshot: s, facts: f, request: &r}, r)
}

// DecideUnexplained decides the same without saying why: for measuring what saying it costs.
func DecideUnexplained(s *tenants.Snapshot, f Facts, r Request) Decision {
	return decideCall(&decider{snapshot: s, facts: f, request: &r, unexplained: true}, r)
}

func decideCall(d *decider, r Request) Decision {
	s := d.snapshot
	d.tenant, d.flow = leadsTo(s, &r)
	d.Call, d.Verdict = r.Call, messages.Reject
	if !d.unexplained {
		d.Because = make([]because.Reason, 0, usualReasons)
	}
	if d.identify() {
		d.route()
	}
	return d.Decision
}

// usualReasons are given for a call that is routed: who calls, where to, by which node, and one that is down or full.
const usualReasons = 4

// decider is one call of Decide.
type decider struct {
	Decision
	snapshot *tenants.Snapshot
	facts    Facts
	request  *Request
	tenant   *tenants.Tenant
	flow     tenants.FlowHead // that the dialled number starts, if that has been found with its tenant
	trunk    *tenants.Trunk   // by which the caller comes; nil for a device
	names    [3]string        // all by which the caller may be blocked
	named    int              // how many they are

	unexplained bool
}

// name adds one by which the caller may be blocked.
func (d *decider) name(name string) {
	d.names[d.named] = name
	d.named++
}

func (d *decider) explain(code string, args ...string) {
	if d.unexplained {
		return
	}
	d.Because = append(d.Because, because.New(code, args...))
}

// reject ends the decision. It always returns false, so that a check can end with it.
func (d *decider) reject(code int, phrase, cause string, q850 int, fault messages.Fault, why string, args ...string) bool {
	d.Code, d.Phrase, d.Cause, d.Q850, d.Fault = code, phrase, cause, q850, fault
	d.explain(why, args...)
	return false
}

// identify finds out who is calling.
func (d *decider) identify() bool {
	if d.tenant != nil {
		d.Tenant, d.Version = d.tenant.ID, d.tenant.Published.Version
	}
	if d.request.AuthUser != "" {
		return d.identifyDevice()
	}
	if d.request.across() {
		return d.identifyAcross()
	}
	if d.request.Between != "" {
		return d.identifyTenant()
	}
	return d.identifyTrunk()
}

func (d *decider) identifyDevice() bool {
	r := d.request
	d.Dialled = Dialled(r.To.User)
	if d.tenant == nil {
		return d.reject(403, "Forbidden", "CALL_REJECTED", 21, messages.FaultTenant, "domain_unknown", "domain", r.AuthRealm)
	}
	device := d.tenant.DeviceByUsername(r.AuthUser)
	if device == nil {
		return d.reject(403, "Forbidden", "CALL_REJECTED", 21, messages.FaultTenant, "device_unknown", "device", r.AuthUser, "tenant", d.tenant.Name)
	}
	if trunk := d.snapshot.Ways().TrunkOfDevice(d.tenant.ID, device.ID); trunk != nil {
		return d.identifyRegistered(trunk)
	}
	d.Caller = callflows.Caller{Device: device.ID, Number: device.Username, Name: r.FromName, Private: r.Anonymous}
	if user := d.tenant.User(device.UserID); user != nil {
		d.Caller.Number, d.Caller.Name = user.Extension, user.Name
	}
	d.name(d.Caller.Number)
	d.name(device.Username)
	d.explain("caller_device", "device", device.Name, "number", d.Caller.Number, "tenant", d.tenant.Name)
	return true
}

// identifyRegistered is for a trunk that has logged in, such as a customer's PBX behind a NAT.
func (d *decider) identifyRegistered(trunk *tenants.Trunk) bool {
	if trunk.Disabled {
		return d.reject(403, "Forbidden", "CALL_REJECTED", 21, messages.FaultTenant, "trunk_off", "trunk", trunk.Name)
	}
	return d.byTrunk(trunk)
}

// identifyTenant is for a call that another tenant makes to a number of this one's: it came by a media node, and no carrier.
func (d *decider) identifyTenant() bool {
	r := d.request
	d.Dialled, d.Diversions = trunkNumber(r.To.User), diversions(r.Diverted)
	caller := d.snapshot.Tenant(r.Between)
	if caller == nil {
		return d.reject(403, "Forbidden", "CALL_REJECTED", 21, messages.FaultPlatform, "between_unknown", "tenant", r.Between)
	}
	d.trunk = &between
	number := trunkNumber(cmp.Or(r.Asserted, r.From.User))
	d.name(number)
	if r.Anonymous {
		number = anonymous
		d.name(number)
	}
	d.Caller = callflows.Caller{Trunk: callflows.BetweenTrunk, Number: number, Name: r.FromName}
	d.explain("caller_tenant", "number", number, "dialled", d.Dialled)
	return true
}

// between stands for the trunk of calls between tenants: they may not go out at the called tenant's cost.
var between = tenants.Trunk{ID: callflows.BetweenTrunk, Name: callflows.BetweenName}

func (d *decider) identifyTrunk() bool {
	r := d.request
	trunk := d.snapshot.TrunkByAddress(r.Source)
	d.Dialled = numberFrom(trunk, r.dialledAt(trunk))
	if d.snapshot.Emergency().Is(Dialled(r.To.User)) {
		d.Dialled = Dialled(r.To.User)
	}
	if trunk == nil {
		return d.reject(403, "Forbidden", "CALL_REJECTED", 21, messages.FaultCaller, "source_unknown", "address", r.Source.String())
	}
	return d.byTrunk(trunk)
}

// byTrunk takes the caller's number from what a trunk says.
func (d *decider) byTrunk(trunk *tenants.Trunk) bool {
	r := d.request
	d.Dialled = d.dialledBy(trunk, r.dialledAt(trunk))
	if d.snapshot.Emergency().Is(Dialled(r.To.User)) {
		d.Dialled = Dialled(r.To.User)
	}
	d.trunk, d.Diversions = trunk, diversions(r.Diverted)
	number := numberFrom(trunk, cmp.Or(r.Asserted, r.From.User))
	d.name(number)
	d.name(numberFrom(trunk, r.From.User))
	own := trunk.Tenant != ""
	if r.Anonymous { // who withholds his number is blocked by it all the same
		d.name(anonymous)
	}
	if r.Anonymous && !own { // of a tenant's own it is known, and goes no further
		number = anonymous
	}
	d.Caller = callflows.Caller{Trunk: trunk.ID, Number: number, Name: r.FromName, Private: r.Anonymous && own}
	if own {
		d.explain("caller_own_trunk", "trunk", trunk.Name, "number", number, "tenant", d.tenant.Name)
		return true
	}
	d.explain("caller_trunk", "trunk", trunk.Name, "number", number)
	return true
}

// dialledBy reads what a trunk dials. A tenant's own that has no form of its own writes numbers as the tenant's people do, if
// that makes one, and else as a carrier does.
func (d *decider) dialledBy(trunk *tenants.Trunk, user string) string {
	number := numberFrom(trunk, user)
	if trunk.Tenant == "" || trunk.Incoming != (tenants.NumberFormat{}) || d.tenant == nil || d.snapshot.Ways().Owns(d.tenant.ID, number) {
		return number
	}
	raw := Dialled(user)
	if d.tenant.Route(raw) != nil {
		return raw
	}
	if outside, ok := callflows.OutsideNumber(d.tenant, raw); ok {
		return outside
	}
	return number
}

// route finds the flow and the nodes for a caller who is known.
func (d *decider) route() {
	d.explainAnew()
	if d.request.across() {
		d.placeAcross()
		return
	}
	if d.snapshot.Emergency().Is(d.Dialled) {
		d.explain("emergency", "number", d.Dialled)
		d.FlowID = callflows.EmergencyFlow
		d.place(true)
		return
	}
	d.choose()
	if d.mayCall() && d.leads() && (d.request.anew() || d.withinLimit() && d.withinRate()) {
		d.place(false)
	}
}

// mayCall refuses suspended tenants and blocked callers.
func (d *decider) mayCall() bool {
	t := d.tenant
	if t == nil {
		return d.reject(404, "Not Found", "UNALLOCATED_NUMBER", 1, messages.FaultCaller, "number_unowned", "number", d.Dialled)
	}
	if t.Suspended {
		return d.reject(403, "Forbidden", "CALL_REJECTED", 21, messages.FaultTenant, "tenant_suspended", "tenant", t.Name)
	}
	if slices.ContainsFunc(d.names[:d.named], t.Blocked) {
		return d.reject(603, "Decline", "CALL_REJECTED", 21, messages.FaultCaller, "caller_blocked", "number", d.Caller.Number, "tenant", t.Name)
	}
	return true
}

// findFlow looks up what was dialled.
func (d *decider) findFlow() bool {
	if !token(d.Dialled) {
		return d.reject(404, "Not Found", "INVALID_NUMBER_FORMAT", 28, messages.FaultCaller, "number_unreadable")
	}
	if d.flow.ID != "" {
		d.FlowID = d.flow.ID
		d.explain("route_found", "number", d.Dialled, "flow", d.flow.Name)
		return true
	}
	to := callflows.Whither(d.tenant, d.snapshot.Ways(), d.Dialled)
	switch to.FlowID {
	case callflows.OutboundFlow:
		return d.callOut(to.Number)
	case "":
		return d.reject(404, "Not Found", "UNALLOCATED_NUMBER", 1, messages.FaultCaller, "number_unknown", "number", d.Dialled, "tenant", d.tenant.Name)
	}
	d.FlowID = to.FlowID
	if to.Rest != "" {
		d.explain("prefix_found", "prefix", to.Prefix, "rest", to.Rest, "flow", d.tenant.FlowHead(to.FlowID).Name)
		return true
	}
	d.explain("route_found", "number", d.Dialled, "flow", d.tenant.FlowHead(to.FlowID).Name)
	return true
}

// callOut sends a number outside to the flow that calls out, unless configuration alone says that it cannot be called. Limits
// are looked at when a way is taken.
func (d *decider) callOut(number string) bool {
	if d.trunk != nil && !d.trunk.MayCallOut {
		return d.reject(404, "Not Found", "UNALLOCATED_NUMBER", 1, messages.FaultCaller, "trunk_may_not_call", "trunk", d.trunk.Name, "number", number)
	}
	d.Dialled, d.FlowID = number, callflows.OutboundFlow
	out := callflows.WaysOut(d.tenant, d.snapshot.Ways(), number)
	switch out.Refused {
	case callflows.NotAllowed, callflows.Blocked:
		d.Because = append(d.Because, out.Because...)
		d.Code, d.Phrase, d.Cause, d.Q850, d.Fault = 403, "Forbidden", "CALL_REJECTED", 21, messages.FaultTenant
		return false
	case callflows.NoTrunk:
		d.Because = append(d.Because, out.Because...)
		d.Code, d.Phrase, d.Cause, d.Q850, d.Fault = 404, "Not Found", "NO_ROUTE_DESTINATION", 3, messages.FaultPlatform
		return false
	}
	d.explain("calls_out", "number", number)
	return true
}

// withinLimit refuses a call past the tenant's limit: busy, so that a carrier does not take its trunk out of service.
func (d *decider) withinLimit() bool {
	limit := d.tenant.MaxCalls
	if limit == 0 || d.facts.TenantCalls < limit {
		return d.withinLimitsAbove()
	}
	return d.reject(486, "Busy Here", "USER_BUSY", 17, messages.FaultTenant, "tenant_over_limit",
		"tenant", d.tenant.Name, "calls", strconv.Itoa(d.facts.TenantCalls), "limit", strconv.Itoa(limit))
}

// withinLimitsAbove refuses a call past what a reseller above the tenant may have with all its customers, in the same way.
func (d *decider) withinLimitsAbove() bool {
	for i := range d.facts.Above {
		a := &d.facts.Above[i]
		reseller := d.snapshot.Tenant(a.Tenant)
		if reseller == nil || reseller.MaxCalls == 0 || a.Calls < reseller.MaxCalls {
			continue
		}
		return d.reject(486, "Busy Here", "USER_BUSY", 17, messages.FaultTenant, "reseller_over_limit",
			"reseller", reseller.Name, "tenant", d.tenant.Name, "calls", strconv.Itoa(a.Calls), "limit", strconv.Itoa(reseller.MaxCalls))
	}
	return true
}
