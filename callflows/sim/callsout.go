package sim

import (
	"tandem/callflows"
)

// countOut counts the calls that are out but for one, as their worker drives them (nodes, steps.go, tellOut). What workers tell each
// other of them is the business of package directory.
func (k *worker) countOut(but, tenant string) *callflows.Counts {
	counts := &callflows.Counts{Trunks: map[string]callflows.Count{}}
	for _, c := range k.w.drivenNow() {
		trunk := c.state.OutBy()
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

// drivenNow are the calls that owners drive, of all nodes. One that has been handed over counts again when it is adopted.
func (w *world) drivenNow() (all []*driven) {
	if len(w.nodes) == 1 {
		if k := w.nodes[0].owner(); k != nil {
			return k.order
		}
		return nil
	}
	for _, n := range w.nodes {
		if k := n.owner(); k != nil {
			for _, c := range k.order {
				if !c.state.Move.Away {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

// checkTrunkLimit checks a call that has gone out. While calls move some count nowhere for a moment, and where events are lost or late nobody knows for sure which calls are out.
func (k *worker) checkTrunkLimit(c *driven) {
	trunk := c.state.OutBy()
	t := k.w.snapshot.Ways().Trunk(trunk)
	if len(k.w.nodes) > 1 || t == nil || t.Outgoing == nil || t.Outgoing.MaxCalls == 0 || k.w.weather.deaths+k.w.weather.gaps+k.w.weather.restarts > 0 {
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
