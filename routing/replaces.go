package routing

import (
	"strings"

	"tandem/callflows"
	"tandem/messages"
	"tandem/tenants"
)

// Joins is a live call of the same tenant that a new one is to be joined with: the dialog that its INVITE replaces (RFC 3891), or
// what the first element of its flow fetches. It decides which node is tried first.
type Joins struct {
	Call     string `json:"call"`
	Leg      string `json:"leg,omitempty"` // of a dialog: whose it is
	Node     string `json:"node"`
	Answered bool   `json:"answered,omitempty"` // of a dialog
	Caller   bool   `json:"caller,omitempty"`   // of a dialog: of the leg that opened the call
}

// Replaces is what an INVITE replaces (RFC 3891 6.1).
type Replaces struct {
	CallID, ToTag, FromTag string
	EarlyOnly              bool
}

// ReadReplaces reads a Replaces header. It is false for one that has no Call-ID or not both tags.
func ReadReplaces(text string) (Replaces, bool) {
	parts := strings.Split(text, ";")
	r := Replaces{CallID: strings.TrimSpace(parts[0])}
	for _, p := range parts[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "to-tag":
			r.ToTag = strings.TrimSpace(value)
		case "from-tag":
			r.FromTag = strings.TrimSpace(value)
		case "early-only":
			r.EarlyOnly = true
		}
	}
	return r, r.CallID != "" && r.ToTag != "" && r.FromTag != ""
}

// SeeksOf says which live call a new one looks for first, besides a dialog that it replaces. It is asked of every request, so
// that Decide has the fact.
func SeeksOf(s *tenants.Snapshot, r Request) (callflows.Wanted, bool) {
	t := tenantOf(s, &r)
	if t == nil || r.AuthUser == "" || r.Replaces != "" {
		return callflows.Wanted{}, false
	}
	device := t.DeviceByUsername(r.AuthUser)
	dialled := Dialled(r.To.User)
	route := t.Route(dialled)
	if route == nil {
		route, _ = t.RouteByPrefix(dialled)
	}
	if device == nil || route == nil {
		return callflows.Wanted{}, false
	}
	call := callflows.Call{FlowID: route.FlowID, Dialled: dialled, Caller: callflows.Caller{Device: device.ID, Number: device.Username}}
	if u := t.User(device.UserID); u != nil {
		call.Caller.Number, call.Caller.Name = u.Extension, u.Name
	}
	return callflows.Seeks(callflows.Config{Tenant: t, Ways: s.Ways()}, call)
}

// DeviceOf names the device that calls, or "".
func DeviceOf(s *tenants.Snapshot, r Request) string {
	if r.AuthUser == "" {
		return ""
	}
	if t := tenantOf(s, &r); t != nil {
		if d := t.DeviceByUsername(r.AuthUser); d != nil {
			return d.ID
		}
	}
	return ""
}

// leads finds the flow: that of what was dialled, unless the INVITE names a dialog whose place it takes.
func (d *decider) leads() bool {
	if d.request.Replaces != "" {
		return d.replace()
	}
	return d.findFlow()
}

// replace decides an INVITE with Replaces: only a device of the tenant may send one, and only for a dialog of a live call of the
// same tenant.
func (d *decider) replace() bool {
	r, ok := ReadReplaces(d.request.Replaces)
	j := d.facts.Joins
	switch {
	case d.Caller.Device == "":
		return d.reject(403, "Forbidden", "CALL_REJECTED", 21, messages.FaultCaller, "replaces_not_allowed")
	case !ok:
		return d.reject(400, "Bad Request", "PROTOCOL_ERROR", 111, messages.FaultCaller, "replaces_unreadable")
	case j == nil || j.Leg == "" || !token(j.Call+"."+j.Leg):
		return d.reject(481, "Call/Transaction Does Not Exist", "NO_ROUTE_DESTINATION", 3, messages.FaultCaller, "replaces_nothing")
	case j.Answered && r.EarlyOnly: // RFC 3891 3
		return d.reject(486, "Busy Here", "USER_BUSY", 17, messages.FaultCaller, "replaces_answered", "call", j.Call)
	case !j.Answered && j.Caller: // RFC 3891 3: an early dialog that we have not begun
		return d.reject(481, "Call/Transaction Does Not Exist", "NO_ROUTE_DESTINATION", 3, messages.FaultCaller, "replaces_caller", "call", j.Call)
	}
	d.FlowID, d.Replaces = callflows.ReplaceFlow, j.Call+"."+j.Leg
	d.explain("replaces", "call", j.Call)
	return true
}

// preferred is the node that is to be tried first, and why; "" for none.
func (d *decider) preferred() string {
	if j := d.facts.Joins; j != nil {
		d.explain("node_of_call", "call", j.Call, "node", j.Node)
		return j.Node
	}
	if node := d.facts.DeviceNode; node != "" {
		d.explain("node_of_device", "node", node)
		return node
	}
	return ""
}
