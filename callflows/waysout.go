package callflows

import (
	"strconv"
	"strings"

	"tandem/because"
	"tandem/tenants"
)

// OutboundFlow is the id of the platform's own flow for a number outside that somebody has dialled. No tenant can have a
// flow of this id.
const OutboundFlow = "*outbound"

// Bounds of calling out.
const (
	MaxAttempts   = 8  // destinations that are tried for one number
	MaxDiversions = 10 // how often a call may have been diverted before it goes out once more: RFC 5806, RFC 7044
	maxRejected   = 10 // trunks of which is said why they were not taken
)

// Way is one attempt that a call may make: a destination of a trunk.
type Way struct {
	Trunk       *tenants.Trunk
	Destination string // SIP URI; registeredThere until it is located
	edge        string // that holds its registration, once it is located
}

// registeredThere is the destination of a trunk that is called wherever it is registered.
const registeredThere = ""

// Out is what WaysOut gives: ways in the order in which they are tried, or why there is none.
type Out struct {
	Ways    []Way
	Refused Refusal // empty when there are ways
	Because []because.Reason
}

// Refusal says why a number is not called at all.
type Refusal string

const (
	NotAllowed Refusal = "not_allowed" // the tenant may not call out
	Blocked    Refusal = "blocked"     // not to this number
	NoTrunk    Refusal = "no_trunk"    // no trunk serves it
)

// WaysOut chooses the ways by which a tenant reaches a number in E.164, by configuration alone: limits are looked at when a
// way is taken. A tenant's own trunks come first. Rates would order what follows; there are none yet.
func WaysOut(t *tenants.Tenant, ways *tenants.Ways, number string) Out {
	if t == nil || !t.CallingOut.Allowed {
		return Out{Refused: NotAllowed, Because: []because.Reason{because.New("may_not_call_out", "tenant", tenantName(t), "number", number)}}
	}
	if prefix, blocked := t.CallingOut.Blocks(number); blocked {
		return Out{Refused: Blocked, Because: []because.Reason{because.New("prefix_blocked", "tenant", t.Name, "number", number, "prefix", prefix)}}
	}
	if owner := ways.Owner(number); owner != nil && owner.ID != t.ID {
		return Out{Ways: []Way{{Trunk: &betweenTrunk, Destination: betweenDestination}}}
	}
	var out Out
	serving := map[string]bool{}
	for _, trunk := range ways.Serving(t.ID, number) {
		serving[trunk.ID] = true
		out.take(trunk)
	}
	for _, trunk := range ways.Open(t.ID) {
		if !serving[trunk.ID] {
			out.reject(because.New("trunk_not_serving", "trunk", trunk.Name, "number", number))
		}
	}
	if len(out.Ways) == 0 {
		out.Refused = NoTrunk
		out.Because = append(out.Because, because.New("no_trunk", "number", number))
	}
	return out
}

// A number of another tenant's is called without a carrier: the media node sends the call to its edge, which asks for a decision
// as for any other call. It is a call of its own there, of the called tenant's.
const (
	BetweenTrunk       = "*between" // in place of a trunk's id; no trunk can have it
	BetweenName        = "Another customer"
	betweenProgress    = 30                           // seconds: the called tenant's flow may do much before anything rings
	betweenDestination = "sip:between.tandem.invalid" // no host has the name: the edge goes by the header
)

var betweenTrunk = tenants.Trunk{ID: BetweenTrunk, Name: BetweenName,
	Outgoing: &tenants.Outgoing{Destinations: []string{betweenDestination}, Seconds: betweenProgress, CallerID: tenants.CallerIDRule{Carried: tenants.CarriedPAI}}}

// OwnWay is the way by one trunk of the tenant's own, such as its PBX, whatever the number: its routes and what the tenant may
// do on the telephone network do not matter.
func OwnWay(t *tenants.Tenant, ways *tenants.Ways, id string) Out {
	var out Out
	if trunk := ways.Trunk(id); t != nil && trunk != nil && trunk.Tenant == t.ID && trunk.Outgoing != nil {
		out.take(trunk)
	}
	if len(out.Ways) == 0 {
		out.Refused = NoTrunk
		out.Because = append(out.Because, because.New("own_trunk_missing", "trunk", id))
	}
	return out
}

func (o *Out) take(trunk *tenants.Trunk) {
	if trunk.Disabled {
		o.reject(because.New("trunk_disabled", "trunk", trunk.Name))
		return
	}
	if len(trunk.Outgoing.Destinations) == 0 && trunk.Device != "" && len(o.Ways) < MaxAttempts {
		o.Ways = append(o.Ways, Way{Trunk: trunk, Destination: registeredThere})
	}
	for _, d := range trunk.Outgoing.Destinations {
		if len(o.Ways) < MaxAttempts {
			o.Ways = append(o.Ways, Way{Trunk: trunk, Destination: d})
		}
	}
}

func (o *Out) reject(why because.Reason) {
	if len(o.Because) < maxRejected {
		o.Because = append(o.Because, why)
	}
}

func tenantName(t *tenants.Tenant) string {
	if t == nil {
		return "nobody"
	}
	return t.Name
}

// Destination is where a number leads that is dialled at a tenant.
type Destination struct {
	FlowID string // of its route, or OutboundFlow; empty: it leads nowhere
	Number string // as dialled; in E.164 when it goes outside
	Prefix string // of the route, when it takes all numbers that begin so,
	Rest   string // and what follows it
}

// Whither says where a number leads. Emergency numbers have gone their way before.
func Whither(t *tenants.Tenant, ways *tenants.Ways, dialled string) Destination {
	route := t.Route(dialled)
	number, outside := OutsideNumber(t, dialled)
	if route == nil && outside {
		route = t.Route(number) // its own number, written as its people do
	}
	rest := ""
	if route == nil {
		route, rest = t.RouteByPrefix(dialled)
	}
	switch {
	case route != nil && rest != "":
		return Destination{FlowID: route.FlowID, Number: dialled, Prefix: route.Dialled, Rest: rest}
	case route != nil:
		return Destination{FlowID: route.FlowID, Number: dialled}
	case outside && !ways.Owns(t.ID, number): // a number of its own does not go out although nothing answers it
		return Destination{FlowID: OutboundFlow, Number: number}
	}
	return Destination{Number: dialled}
}

// OutsideNumber brings what was dialled into E.164 by the tenant's rules, or says that it is no number outside.
func OutsideNumber(t *tenants.Tenant, dialled string) (string, bool) {
	if t == nil {
		return "", false
	}
	return t.Dialling.E164(dialled)
}

// Counts are how many calls are out, as far as the worker that answers knows.
type Counts struct {
	Tenant Count            `json:"tenant"`
	Trunks map[string]Count `json:"trunks,omitempty"` // by trunk id
}

// Count is of one tenant or trunk.
type Count struct {
	Calls      int `json:"calls"`       // out now
	LastSecond int `json:"last_second"` // begun within the last second
}

// over says by which limit no more may begin, or "".
func (c Count) over(calls, perSecond int) (limit string, has, may int) {
	switch {
	case calls > 0 && c.Calls >= calls:
		return "calls", c.Calls, calls
	case perSecond > 0 && c.LastSecond >= perSecond:
		return "per_second", c.LastSecond, perSecond
	}
	return "", 0, 0
}

// wayURI is the Request-URI for a number at a destination.
func wayURI(w Way, number string) string {
	scheme, host, _ := strings.Cut(w.Destination, ":")
	if _, after, ok := strings.Cut(host, "@"); ok { // a contact
		host = after
	}
	return scheme + ":" + strings.ReplaceAll(number, "#", "%23") + "@" + host // RFC 3261 25.1: # is escaped in a user part
}

// hostOf is the host of a destination, without port and parameters.
func hostOf(destination string) string {
	_, host, _ := strings.Cut(destination, ":")
	if _, after, ok := strings.Cut(host, "@"); ok { // a contact
		host = after
	}
	host, _, _ = strings.Cut(host, ";")
	if strings.HasPrefix(host, "[") { // no dial string carries it: such a trunk has a domain of its own
		return ""
	}
	host, _, _ = strings.Cut(host, ":")
	return host
}

// attempted says how an attempt by a trunk ended.
type attempted struct {
	word  string // what the trunk's list of failover knows: a SIP code, timeout, unreachable
	exit  string // of the element, if the call does not go on
	cause string // that the caller is told then, if the exit leads nowhere
}

// judgeAttempt reads the end of an attempt that was not answered. rang says whether the far end had signalled ringing: who lets
// a call ring out has been reached, so that another way would only ring again.
func judgeAttempt(cause string, code int, rang bool) attempted {
	switch cause {
	case "ALLOTTED_TIMEOUT", "PROGRESS_TIMEOUT", "NO_ANSWER":
		if rang {
			return attempted{"no_answer", "no_answer", "NO_ANSWER"}
		}
		return attempted{tenants.FailoverTimeout, "failed", causeOfBrokenFlow}
	}
	if code == 0 {
		code = codeOfFailure(cause)
	}
	word := strconv.Itoa(code)
	switch {
	case code == 0, code >= 476 && code <= 478: // the edge's own, when it cannot resolve or send
		return attempted{tenants.FailoverUnreachable, "failed", causeOfBrokenFlow}
	case code == 486 || code == 600:
		return attempted{word, "busy", "USER_BUSY"}
	case code == 603 || code == 607 || code == 608: // RFC 8197, RFC 8688: the called side wants no such call
		return attempted{word, "rejected", "CALL_REJECTED"}
	case code == 484:
		return attempted{word, "unavailable", "INVALID_NUMBER_FORMAT"}
	case wrongNumber(code):
		return attempted{word, "unavailable", "UNALLOCATED_NUMBER"}
	case code == 480:
		return attempted{word, "unavailable", "USER_NOT_REGISTERED"}
	case code == 487:
		return attempted{word, "no_answer", "NO_ANSWER"}
	}
	return attempted{word, "failed", causeOfBrokenFlow}
}

// wrongNumber says whether a SIP code is about the number: RFC 3261 21.4.5, 21.4.9, 21.4.13, 21.4.17, 21.4.18, 21.6.3.
func wrongNumber(code int) bool {
	switch code {
	case 404, 410, 414, 416, 484, 485, 604:
		return true
	}
	return false
}

// codeOfFailure is the SIP code that a cause stands for when the node names none; 0 is that nobody was reached.
func codeOfFailure(cause string) int {
	switch cause {
	case "USER_BUSY", "CALL_REJECTED", "UNALLOCATED_NUMBER", "NUMBER_CHANGED", "INVALID_NUMBER_FORMAT":
		return SIPCodeOf(cause)
	case "NO_ROUTE_DESTINATION":
		return 604
	case "NO_USER_RESPONSE", "SUBSCRIBER_ABSENT":
		return 480
	case "RECOVERY_ON_TIMER_EXPIRE":
		return 408
	case "ORIGINATOR_CANCEL":
		return 487
	}
	return 0
}
