package routing

import (
	"math"
	"strconv"

	"tandem/messages"
)

// A media node that is loaded past its knee does not level off: it collapses, with the calls that it has. So new calls go
// elsewhere while another node is below its knee, and are refused when none is. Live calls stay where they are, and emergency
// calls pass: they take such nodes last.
//
// The knee is where any part of what the node tells of itself reaches its bound, in percent of what the node can take. A FreeSWITCH
// answers 503 by itself at its limits of sessions and of sessions a second, so the bounds lie below.
const (
	KneeSessionsPercent = 90 // of the sessions that the node is configured for (max-sessions)
	KneeRatePercent     = 80 // of the sessions a second that it is configured for (sessions-per-second)
	KneeCPUPercent      = 90 // of its machine's processors
)

// Busy is how loaded a node is, in percent. What is not known is 0: it keeps no call away.
type Busy struct {
	Sessions int `json:"sessions,omitempty"`
	Rate     int `json:"rate,omitempty"`
	CPU      int `json:"cpu,omitempty"`
}

// BusyOf makes the fact of what a node told of itself; nil is nothing.
func BusyOf(l *messages.NodeLoad) Busy {
	if l == nil {
		return Busy{}
	}
	return Busy{Sessions: percent(l.Sessions, l.MaxSessions), Rate: percent(l.SessionsPerSecond, l.MaxSessionsPerSecond),
		CPU: int(math.Round(100 - l.IdleCPUPercent))}
}

// percent is 0 without a limit.
func percent(part, limit int) int {
	if limit <= 0 {
		return 0
	}
	return part * 100 / limit
}

// Knee says which part of a node's load has reached its bound: in words, how much it is, and the bound. All are zero for a node
// below its knee.
func (b Busy) Knee() (what string, is, bound int) {
	switch {
	case b.Sessions >= KneeSessionsPercent:
		return "its sessions", b.Sessions, KneeSessionsPercent
	case b.Rate >= KneeRatePercent:
		return "its new sessions a second", b.Rate, KneeRatePercent
	case b.CPU >= KneeCPUPercent:
		return "its processors", b.CPU, KneeCPUPercent
	}
	return "", 0, 0
}

// overloaded says whether a node is past its knee, and tells.
func (d *decider) overloaded(n *Node) bool {
	what, is, bound := n.Busy.Knee()
	if what != "" {
		d.explain("node_overloaded", "node", n.Name, "what", what, "percent", strconv.Itoa(is), "bound", strconv.Itoa(bound))
	}
	return what != ""
}

// unplaced refuses a call that no node takes. 503 is right, for it is the platform's doing. Without Retry-After it says that this
// request failed, and not that the platform is to be left alone for a while (RFC 3261 21.5.4): the next call may find room.
func (d *decider) unplaced(someAreFull bool) {
	if someAreFull {
		d.reject(503, "Service Unavailable", "SWITCH_CONGESTION", 42, messages.FaultPlatform, "nodes_full")
		return
	}
	d.reject(503, "Service Unavailable", "NETWORK_OUT_OF_ORDER", 38, messages.FaultPlatform, "no_node")
}

// withinRate refuses a call past the tenant's calls a second. The code is 480 with the Q.850 cause that stands for it (RFC 3398
// 8.2.6.1): one that stands for congestion could make a carrier take its trunk out of service.
func (d *decider) withinRate() bool {
	limit := d.tenant.MaxCallsPerSecond
	if limit == 0 || d.facts.TenantRate < limit {
		return d.withinRatesAbove()
	}
	return d.reject(480, "Temporarily Unavailable", "NORMAL_UNSPECIFIED", 31, messages.FaultTenant, "tenant_over_rate",
		"tenant", d.tenant.Name, "calls", strconv.Itoa(d.facts.TenantRate), "limit", strconv.Itoa(limit))
}

// withinRatesAbove refuses a call past the calls a second that a reseller above the tenant may have with all its customers.
func (d *decider) withinRatesAbove() bool {
	for i := range d.facts.Above {
		a := &d.facts.Above[i]
		reseller := d.snapshot.Tenant(a.Tenant)
		if reseller == nil || reseller.MaxCallsPerSecond == 0 || a.Rate < reseller.MaxCallsPerSecond {
			continue
		}
		return d.reject(480, "Temporarily Unavailable", "NORMAL_UNSPECIFIED", 31, messages.FaultTenant, "reseller_over_rate",
			"reseller", reseller.Name, "tenant", d.tenant.Name, "calls", strconv.Itoa(a.Rate), "limit", strconv.Itoa(reseller.MaxCallsPerSecond))
	}
	return true
}
