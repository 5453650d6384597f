package sim

import (
	"fmt"
	"slices"
	"time"

	"tandem/callflows"
	"tandem/tenants"
)

// question is an HTTP request of a call that is under way (nodes, asking.go).
type question struct {
	command callflows.Command
	at      time.Time
}

// ask asks: the answer comes soon, late, or not at all, which is an answer too. One that is lost with its worker is asked again
// by the successor.
func (k *worker) ask(c *driven, q question) {
	w := k.w
	c.asked = append(c.asked, q)
	took := w.between(time.Millisecond, q.command.Wait)
	if w.chance(50) {
		took = w.between(time.Millisecond, 100*time.Millisecond)
	}
	reply := w.anyReply(c.config.Tenant, q.command.Fetch.Purpose)
	if w.chance(10) || w.outageNow() {
		w.happened("HTTP answer lost")
		took, reply = q.command.Wait, callflows.Reply{Error: "no answer in time"}
	}
	k.soon(took, func() {
		if c.state.Move.Away && !c.arriving {
			return
		}
		c.asked = slices.DeleteFunc(c.asked, func(other question) bool { return other.command.N == q.command.N })
		w.byID[c.facts.ID].waited = w.now
		if k.role == owning && c.state.Phase != callflows.Ended {
			k.take(c, callflows.Event{Kind: callflows.Fetched, At: q.at.Add(took), Leg: q.command.Leg, Command: q.command.N, Reply: &reply})
		}
	})
}

// asks says whether what the call waits for is the answer to a question that is under way.
func (c *driven) asks() bool {
	return slices.ContainsFunc(c.asked, func(q question) bool { return q.command.N == c.state.Awaited })
}

// anyReply draws an answer. A flow may be faulty, or refer to what is another tenant's.
func (w *world) anyReply(t *tenants.Tenant, purpose callflows.AskedFor) callflows.Reply {
	if w.chance(10) {
		return callflows.Reply{Status: pick(w, 204, 404, 500), Body: pick(w, "", "<html>", "{}")}
	}
	if purpose != callflows.ForPivot || t == nil || w.chance(10) {
		return callflows.Reply{Status: 200, Body: pick(w, "", "[]", `{"name":"Anna"}`, `{"name":"\u0000","customer":{"rank":7}}`, `{"name":{}}`)}
	}
	w.happened("flow fetched")
	f := w.anyFlow("*pivot", t, len(t.Published.AllFlows()), len(w.tenants))
	return callflows.Reply{Status: 200, Body: fmt.Sprintf(`{"start":%q,"elements":%s}`, f.Start, pack(f.Elements))}
}
