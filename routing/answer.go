package routing

import (
	"strconv"

	"tandem/because"
	"tandem/messages"
)

// The headers that an edge adds to an INVITE for a node. Edges strip headers of these names from everyone else.
const (
	HeaderCall       = "X-Tandem-Call"
	HeaderTenant     = "X-Tandem-Tenant"
	HeaderVersion    = "X-Tandem-Version"
	HeaderFlow       = "X-Tandem-Flow"
	HeaderDialled    = "X-Tandem-Dialled"
	HeaderNumber     = "X-Tandem-Number" // the caller's
	HeaderDevice     = "X-Tandem-Device"
	HeaderTrunk      = "X-Tandem-Trunk"
	HeaderPrivacy    = "X-Tandem-Privacy"    // PrivacyID when the called must not learn who it is
	HeaderBetween    = "X-Tandem-Between"    // from a node to its edge: the tenant that calls a number of another's
	HeaderReplaces   = "X-Tandem-Replaces"   // CALL.LEG of the dialog that the call takes the place of; CALL.LEG.PURPOSE between two nodes
	HeaderDiversions = "X-Tandem-Diversions" // how often the call was diverted before it came
)

// PrivacyID is the one value of HeaderPrivacy.
const PrivacyID = "id"

// Answer puts a decision into the answer for the edge that asked.
func Answer(m *messages.RouteRequest, d Decision) *messages.RouteAnswer {
	a := &messages.RouteAnswer{
		EventCategory: messages.RouteAnswerCategory, EventName: messages.RouteAnswerName, TIndex: m.TIndex, TLabel: m.TLabel,
		CallID: m.CallID, Type: messages.RouteAnswerV1, Verdict: d.Verdict, Call: d.Call,
	}
	if d.Verdict == messages.Route {
		a.Nodes, a.NodeHeaders = d.Nodes, nodeHeaders(d)
		return a
	}
	a.Code, a.Phrase = d.Code, d.Phrase
	a.Reason = "Q.850;cause=" + strconv.Itoa(d.Q850) // RFC 3326
	return a
}

// nodeHeaders writes the headers for the node. A value that is no token is left out: the owner of the node then looks the
// call up by its id.
func nodeHeaders(d Decision) string {
	const usual = 512 // bytes
	out := make([]byte, 0, usual)
	out = appendHeader(out, HeaderCall, d.Call)
	out = appendHeader(out, HeaderTenant, d.Tenant)
	out = append(strconv.AppendInt(append(out, HeaderVersion+": "...), d.Version, 10), "\r\n"...)
	out = appendHeader(out, HeaderFlow, d.FlowID)
	out = appendHeader(out, HeaderDialled, d.Dialled)
	out = appendHeader(out, HeaderNumber, d.Caller.Number)
	out = appendHeader(out, HeaderDevice, d.Caller.Device)
	out = appendHeader(out, HeaderTrunk, d.Caller.Trunk)
	if d.Caller.Private {
		out = appendHeader(out, HeaderPrivacy, PrivacyID)
	}
	if d.Replaces != "" {
		out = appendHeader(out, HeaderReplaces, d.Replaces)
	}
	if d.Diversions > 0 {
		out = appendHeader(out, HeaderDiversions, strconv.Itoa(d.Diversions))
	}
	return string(out)
}

func appendHeader(out []byte, name, value string) []byte {
	if !token(value) {
		return out
	}
	out = append(append(out, name...), ": "...)
	return append(append(out, value...), "\r\n"...)
}

// Unreadable is the decision about a request that Read refused.
func Unreadable(call, field string) Decision {
	return Decision{Call: call, Verdict: messages.Reject, Code: 400, Phrase: "Bad Request", Cause: "PROTOCOL_ERROR", Q850: 111,
		Fault: messages.FaultCaller, Because: []because.Reason{because.New("request_unreadable", "field", field)}}
}

// Reasons are the words for all codes of this package.
func Reasons() because.Catalog {
	return because.Catalog{
		"request_unreadable":  "The INVITE cannot be read ({field}).",
		"domain_unknown":      "No tenant has the domain {domain}.",
		"device_unknown":      "{tenant} has no device {device} any more.",
		"source_unknown":      "{address} is no trunk's address, and the caller did not authenticate.",
		"version_on_trial":    "The call gets version {version} (canary, {share} % of calls).",
		"caller_device":       "The call comes from {device} ({number}) of {tenant}.",
		"caller_trunk":        "The call comes in over the trunk {trunk}, from {number}.",
		"emergency":           "{number} is an emergency number: no limit, block or suspension applies.",
		"number_unowned":      "No tenant owns the number {number}.",
		"tenant_suspended":    "{tenant} is suspended.",
		"caller_blocked":      "{tenant} blocks calls from {number}.",
		"number_unreadable":   "What was dialled is not a number.",
		"number_unknown":      "{tenant} has no extension or number {number}, and it is no number outside as its people write them.",
		"calls_out":           "{number} is a number outside: the call goes out.",
		"trunk_may_not_call":  "{trunk} may not call {number}: calls that come in by it do not go out again.",
		"caller_tenant":       "The call comes from {number}, of another customer of this platform: {dialled} is a number of this one.",
		"between_unknown":     "A call between customers names {tenant} as its caller's, which is not there.",
		"trunk_off":           "{trunk} may not call: it is disabled.",
		"caller_own_trunk":    "The call comes from {number} over {trunk}, a trunk of {tenant}.",
		"route_found":         "{number} leads to the flow {flow}.",
		"prefix_found":        "What begins with {prefix} leads to the flow {flow}, here with {rest}.",
		"tenant_over_limit":   "{tenant} has {calls|call|calls} up, and its limit is {limit}.",
		"tenant_over_rate":    "{tenant} has begun {calls|call|calls} within a second, and its limit is {limit} a second.",
		"reseller_over_limit": "{reseller}, whose customer {tenant} is, has {calls|call|calls} up with all its customers, and its limit is {limit}.",
		"reseller_over_rate":  "{reseller}, whose customer {tenant} is, has begun {calls|call|calls} with all its customers within a second, and its limit is {limit} a second.",
		"node_died_ringing":   "The call rang as {call} at the media node {node}, which has died: it begins anew.",
		"node_down":           "The media node {node} is down.",
		"node_draining":       "The media node {node} takes no new calls: it is being drained.",
		"node_full":           "The media node {node} is full ({calls|call|calls}).",
		"node_overloaded":     "The media node {node} takes no new calls while it is overloaded: {what} stand at {percent} %, and the bound is {bound} %.",
		"nodes_full":          "Every media node that is up is full or overloaded.",
		"no_node":             "No media node can take the call.",
		"nodes_chosen":        "The call goes to a media node, tried in this order: {nodes}.",

		"caller_node":          "The call of {number} comes from another media node, to meet the call {call} on that one's.",
		"across_unreadable":    "What the call from another media node is for cannot be read.",
		"across_gone":          "The call {call} that is to be met is over, or its media node is down.",
		"replaces":             "The caller takes the place of a phone in the call {call}.",
		"replaces_not_allowed": "Only a phone of the tenant's own may take the place of another.",
		"replaces_unreadable":  "What the INVITE says it replaces cannot be read.",
		"replaces_nothing":     "What the INVITE says it replaces is no call of this tenant.",
		"replaces_answered":    "The call {call}, which the INVITE replaces if nobody has answered it, has been answered.",
		"replaces_caller":      "The INVITE replaces the phone that calls in the call {call}, which nobody has answered yet.",
		"node_of_call":         "The call {call}, which this one is to be joined with, is on the media node {node}: that one is tried first.",
		"node_of_device":       "The phone has a call on the media node {node} already: that one is tried first.",
	}
}
