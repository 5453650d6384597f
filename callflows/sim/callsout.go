package sim

import (
	"tandem/callflows"
	"tandem/messages"
)

// countOut counts the calls that are out but for one, as their worker drives them (nodes, steps.go, tellOut). What workers tell each
// other of them is the business of package directory.
func (k *worker) countOut(but, tenant string) *callflows.Counts {
	counts := &callflows.Counts{Trunks: map[string]callflows.Count{}}
	for _, c := range k.order {
		trunk := outBy(c.state)
		if trunk == "" || c.facts.ID == but {
			continue
		}
		of := counts.Trunks[trunk]
		of.Calls++
		counts.Trunks[trunk] = of
		if c.facts.Tenant == tenant {
			counts.Tenant.Calls++
		}
	}
	return counts
}

// outBy is the trunk that a call is out by, or "".
func outBy(s callflows.State) (trunk string) {
	for _, l := range s.Legs {
		if l.Trunk != "" && l.Role == messages.RoleCallee && !l.HungUp && s.Phase != callflows.Ended && s.FlowID != callflows.EmergencyFlow {
			trunk = l.Trunk
		}
	}
	return trunk
}

// checkTrunkLimit checks a call that has gone out. Where events are lost or late nobody knows for sure which calls are out.
func (k *worker) checkTrunkLimit(c *driven) {
	trunk := outBy(c.state)
	t := k.w.snapshot.Ways().Trunk(trunk)
	if t == nil || t.Outgoing == nil || t.Outgoing.MaxCalls == 0 || k.w.weather.deaths+k.w.weather.gaps+k.w.weather.restarts > 0 {
		return
	}
	if n := k.countOut("", "").Trunks[trunk].Calls; n > t.Outgoing.MaxCalls {
		k.w.violate(LimitsHold, c.facts.ID, "%d calls are out by %s, and its limit is %d", n, trunk, t.Outgoing.MaxCalls)
	}
}

// countedOut is what a call is told of the others that are out.
func (k *worker) countedOut(c *driven) *callflows.Counts {
	if k.w.plant.NoCount {
		return &callflows.Counts{}
	}
	return k.countOut(c.facts.ID, c.facts.Tenant)
}
