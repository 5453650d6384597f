package routing

import (
	"cmp"
	"slices"

	"tandem/callflows"
	"tandem/messages"
)

// across says whether a media node brings the INVITE so that a call of a tenant's meets another of its own, which is on another
// node: the edge takes such headers from nobody else.
func (r *Request) across() bool { return r.Between != "" && r.Replaces != "" }

// AcrossWanted says which live call a request from another node is to meet. It is false for any other request.
func AcrossWanted(r Request) (callflows.Wanted, bool) {
	errand, ok := callflows.ReadErrand(r.Replaces)
	if !ok || !r.across() {
		return callflows.Wanted{}, false
	}
	return errand.Wanted(), true
}

// identifyAcross takes the caller from what the node says.
func (d *decider) identifyAcross() bool {
	r := d.request
	errand, ok := callflows.ReadErrand(r.Replaces)
	switch {
	case d.tenant == nil:
		return d.reject(403, "Forbidden", "CALL_REJECTED", 21, messages.FaultPlatform, "between_unknown", "tenant", r.Between)
	case !ok || !token(r.Replaces):
		return d.reject(400, "Bad Request", "PROTOCOL_ERROR", 111, messages.FaultPlatform, "across_unreadable")
	}
	d.Dialled = Dialled(r.To.User)
	d.Caller = callflows.Caller{Trunk: callflows.AcrossTrunk, Number: Dialled(cmp.Or(r.Asserted, r.From.User)), Name: r.FromName, Private: r.Anonymous}
	d.explain("caller_node", "number", d.Caller.Number, "call", errand.Call)
	return true
}

// placeAcross sends the call to the node of the one that it is to meet, and to no other, whether that one takes new calls or not: it
// is part of a call that was let in. No limit of the tenant's refuses it.
func (d *decider) placeAcross() {
	d.choose()
	errand, _ := callflows.ReadErrand(d.request.Replaces)
	j := d.facts.Joins
	var node *Node
	if j != nil {
		if i := slices.IndexFunc(d.facts.Nodes, func(n Node) bool { return n.Name == j.Node && n.State != messages.NodeDown }); i >= 0 {
			node = &d.facts.Nodes[i]
		}
	}
	if node == nil {
		d.reject(481, "Call/Transaction Does Not Exist", "NO_ROUTE_DESTINATION", 3, messages.FaultCaller, "across_gone", "call", errand.Call)
		return
	}
	d.FlowID, d.Replaces, d.Verdict, d.Nodes = callflows.AcrossFlow, d.request.Replaces, messages.Route, []string{node.SIPURI}
	d.explain("node_of_call", "call", j.Call, "node", j.Node)
	d.explain("nodes_chosen", "nodes", node.Name)
}
