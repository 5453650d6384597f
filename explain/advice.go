package explain

import (
	"encoding/json"
	"slices"

	"tandem/because"
	"tandem/messages"
)

// Kind says what a line is to the story, besides a step of it.
type Kind string

const (
	Rejected Kind = "rejected" // what was looked at and not taken
	Failed   Kind = "failed"   // what was tried and did not work
	Ending   Kind = "outcome"  // how it ended
)

// Advice is something that can be done about a failure.
type Advice struct {
	Words string `json:"words"`
	About string `json:"about" enum:"device,user,flow,schedule,trunk,number,limits,tenant,nodes,emergency,media,dialling"` // where it is done
}

// advised are the codes about which something can be done: where, and what, with the words' arguments.
func advised() map[string]Advice {
	return map[string]Advice{
		"device_not_registered":   {"Check that {device} has power and network, and that its user name, password and domain are right. It can be called as soon as it is registered.", "device"},
		"device_missing":          {"The flow names a device that was removed: let it ring another one, and publish.", "flow"},
		"device_unknown":          {"The phone has the account of a device that was removed: set it up with one that is there.", "device"},
		"user_missing":            {"The flow names a user who was removed: let it ring somebody else, and publish.", "flow"},
		"user_without_device":     {"Give {user} a device.", "user"},
		"nobody_to_ring":          {"Nobody whom the element rings has a registered phone: register one, or lead its exit elsewhere, such as to voicemail.", "flow"},
		"do_not_disturb":          {"{user} has set do not disturb. Who wants to be called must switch it off.", "user"},
		"call_waiting_off":        {"{user} has call waiting switched off. It can be switched on in the user's settings.", "user"},
		"anonymous_rejected":      {"{user} takes no calls without a number. That can be switched off in the user's settings.", "user"},
		"forward_circle":          {"Forwards go round in a circle: take one of them away.", "user"},
		"forward_nowhere":         {"The forward of {user} leads nowhere: change or remove it.", "user"},
		"flow_missing":            {"A route leads to a flow that is not there: lead it to another, and publish.", "flow"},
		"element_missing":         {"The flow leads to an element that is not there: lead the exit elsewhere, and publish.", "flow"},
		"exit_leads_nowhere":      {"The exit {exit} leads nowhere. If callers should hear or reach something here, lead it on, and publish.", "flow"},
		"too_many_elements":       {"The flow runs in a circle: lead one of its exits out of it, and publish.", "flow"},
		"schedule_missing":        {"The flow asks for a schedule that is not there: give it one, and publish.", "flow"},
		"hours_closed":            {"If it should have been open, change the hours of {schedule}, and publish.", "schedule"},
		"flow_hangs_up":           {"The flow ends the call here on purpose. If callers should reach somebody, lead the way that they took elsewhere, and publish.", "flow"},
		"responded":               {"The flow refuses the call here on purpose. If it should not, change the element, and publish.", "flow"},
		"menu_given_up":           {"Callers who key nothing come to the exit timeout of the menu: lead it to somebody if they should reach one.", "flow"},
		"menu_without_choices":    {"Give the menu a digit that leads somewhere, and publish.", "flow"},
		"number_unowned":          {"Give the number to the tenant whose it is.", "number"},
		"number_unknown":          {"If {number} should work, lead it to a flow, or give it to a user as extension. If it is a number outside, set how this tenant writes such numbers.", "number"},
		"number_unreadable":       {"The phone has dialled something that is no number: look at its dial plan.", "device"},
		"number_not_outside":      {"Set how this tenant writes numbers outside (country, prefixes).", "dialling"},
		"number_wrong":            {"The carrier knows no such number: check it. If it is right, take it up with the carrier.", "trunk"},
		"caller_blocked":          {"The tenant blocks this caller. Take the number from the list if it should get through, and publish.", "flow"},
		"tenant_suspended":        {"The tenant is suspended: reactivate it if its calls should go.", "tenant"},
		"tenant_over_limit":       {"More calls were up than the tenant may have: raise the limit, or find out what takes up its lines.", "limits"},
		"reseller_over_limit":     {"More calls were up than the reseller may have with all its customers: raise its limit, or find out whose calls take up its lines.", "limits"},
		"reseller_over_rate":      {"Calls of the reseller's customers began faster than they may together: raise its limit, or find out who dials so fast.", "limits"},
		"tenant_over_rate":        {"Calls began faster than the tenant may: raise the limit, or find out what dials so fast.", "limits"},
		"tenant_calls_out_full":   {"More calls were out than the tenant may have: raise the limit.", "limits"},
		"tenant_calls_out_fast":   {"Calls out were made faster than the tenant may: raise the limit, or find out what dials so fast.", "limits"},
		"may_not_call_out":        {"Let the tenant call numbers outside, if it should.", "limits"},
		"prefix_blocked":          {"Numbers that begin with {prefix} are blocked for this tenant: unblock them if it should reach them.", "limits"},
		"domain_unknown":          {"The phone registers at a domain that no tenant has: correct it on the phone.", "device"},
		"source_unknown":          {"Add {address} to the trunk whose it is, if the call is wanted; otherwise it was rightly refused.", "trunk"},
		"trunk_disabled":          {"Enable the trunk, if calls should go by it.", "trunk"},
		"trunk_off":               {"Enable the trunk, if its calls should be taken.", "trunk"},
		"trunk_full":              {"The trunk has reached its limit of calls: raise it, or add another trunk.", "trunk"},
		"trunk_fast":              {"The trunk has reached its limit of calls a second: raise it, or add another trunk.", "trunk"},
		"trunk_not_registered":    {"The trunk's PBX is not registered: check its network, user name and password.", "trunk"},
		"trunk_not_serving":       {"Let a trunk serve this prefix.", "trunk"},
		"trunk_may_not_call":      {"Allow the trunk to call out, if its calls should go on to the outside.", "trunk"},
		"no_trunk":                {"Add a trunk that serves this number.", "trunk"},
		"own_trunk_missing":       {"The flow calls by a trunk that is not there: let it call by another, and publish.", "flow"},
		"way_failed":              {"Take it up with the carrier, with the time and the Call-ID of the leg below.", "trunk"},
		"last_way_failed":         {"Take it up with the carrier, with the time and the Call-ID of the leg below. A second trunk for this prefix would have been tried next.", "trunk"},
		"call_out_failed":         {"Take it up with the carrier, with the time and the Call-ID of the leg below.", "trunk"},
		"no_way_left":             {"Look above why each trunk was not taken. Another trunk for this prefix would help.", "trunk"},
		"no_node":                 {"Bring a media node up. Until then no call can be taken.", "nodes"},
		"nodes_full":              {"Add a media node, or raise the limits of those that are there.", "nodes"},
		"prompt_missing":          {"Upload the prompt {prompt}, or let the flow play another one.", "media"},
		"emergency_trunk_missing": {"Configure an emergency trunk at once: calls to emergency numbers fail.", "emergency"},
		"emergency_failed":        {"The emergency trunk has refused a call: take it up with its carrier at once.", "emergency"},
		"voicemail_nowhere":       {"Give the platform a media folder, so that messages can be kept.", "media"},
		"diverted_too_often":      {"Systems divert the call to each other: take one of the forwards away.", "user"},
		"pin_locked":              {"The box opens again by itself after a while; a new PIN opens it at once.", "user"},
	}
}

// maxAdvice is how much is advised at most: the last thing that went wrong, and the one before.
const maxAdvice = 2

// advise says what can be done about a call that failed. The last reasons decided it, so they come first.
func (x *Explanation) advise() {
	if len(x.Legs) == 0 || x.Legs[0].Role != messages.RoleCaller || x.Legs[0].AnsweredAt != nil && x.Fault == messages.FaultNone {
		return
	}
	all, said := advised(), map[string]bool{}
	var beside []Advice
	for _, r := range slices.Backward(x.reasons) {
		advice, known := all[r.Code]
		if !known || said[r.Code] {
			continue
		}
		said[r.Code] = true
		advice.Words = because.Catalog{r.Code: advice.Words}.Words(r)
		if followsFromOthers(r.Code) {
			beside = append(beside, advice)
		} else {
			x.Advice = append(x.Advice, advice)
		}
	}
	x.Advice = append(x.Advice, beside...)
	x.Advice = x.Advice[:min(len(x.Advice), maxAdvice)]
}

// followsFromOthers says whether a reason is the end that another has led to: what is advised about that one comes first.
func followsFromOthers(code string) bool {
	switch code {
	case "exit_leads_nowhere", "nobody_to_ring", "no_way_left", "flow_hangs_up":
		return true
	}
	return false
}

// kindOf says what a code is to the story.
func kindOf(code string) Kind {
	switch code {
	case "node_down", "node_draining", "node_full", "node_overloaded", "branch_rejected", "skipped_busy", "device_not_registered", "device_missing", "user_missing", "user_without_device",
		"trunk_disabled", "trunk_fast", "trunk_full", "trunk_not_registered", "trunk_not_serving", "own_trunk_missing", "do_not_disturb", "call_waiting_off", "anonymous_rejected",
		"forward_left_out", "number_left_out", "caller_id_not_shown", "recall_unregistered", "too_many_targets", "url_too_long":
		return Rejected
	case "way_failed", "last_way_failed", "call_out_failed", "ring_no_answer", "ring_busy", "ring_failed", "ring_unavailable", "nobody_to_ring", "number_busy", "number_declined", "number_no_answer",
		"number_unavailable", "number_wrong", "number_unknown", "number_unowned", "number_unreadable", "number_not_outside", "tenant_suspended", "tenant_over_limit", "tenant_over_rate", "reseller_over_limit", "reseller_over_rate",
		"tenant_calls_out_full", "tenant_calls_out_fast", "may_not_call_out", "prefix_blocked", "caller_blocked", "no_node", "nodes_full", "no_trunk", "no_way_left", "flow_missing", "element_missing",
		"too_many_elements", "schedule_missing", "prompt_missing", "node_refused", "step_panicked", "lookup_failed", "pivot_failed", "emergency_trunk_missing", "emergency_failed",
		"menu_given_up", "menu_invalid", "menu_timeout", "pin_wrong", "pin_locked", "domain_unknown", "device_unknown", "source_unknown", "request_unreadable", "trunk_off", "trunk_may_not_call",
		"park_full", "fetch_failed", "forward_circle", "forward_nowhere", "diverted_too_often", "not_accepted", "voicemail_nowhere", "too_many_legs":
		return Failed
	case "caller_hung_up", "caller_gave_up", "caller_hung_up_by_us", "callee_ended_call", "callee_hung_up", "other_hung_up", "node_hung_up", "ended_unattended", "call_ended", "end_ordered", "talking",
		"flow_hangs_up", "responded", "voicemail_kept", "parked_in":
		return Ending
	}
	return ""
}

// flowOf is the flow that a routing decision gave the call.
func flowOf(e messages.JournalEntry) string {
	var decided struct {
		FlowID string `json:"flow_id"`
	}
	if e.Source != messages.SourceRouting || json.Unmarshal(e.Output, &decided) != nil {
		return ""
	}
	return decided.FlowID
}
