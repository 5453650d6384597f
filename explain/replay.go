package explain

import (
	"bytes"
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"time"

	"tandem/because"
	"tandem/callflows"
	"tandem/messages"
	"tandem/routing"
	"tandem/tenants"
)

// A replay asks of a call that was made: would it have gone differently under another configuration? It is decided by the
// functions that decided the call, from what they had read, which the journal holds.
//
//	journal ──► routing.Decide, callflows.Step under the configuration of then ──► what the journal says? no ─► unfaithful
//	        └─► the same under another configuration ──► the same, to the end ─► same; from one step on something else ─► different
//
// Guarantees:
//   - Nothing is guessed. Where a call begins to ask for something else (another phone rung, other digits asked for), the
//     journal cannot say how that would have been answered: the replay ends there and says what would have come.
//   - A call is judged only if the configuration of then gives exactly what is journalled, to the end of the journal. Any other
//     is unfaithful: it is told apart with the reason, and nothing else is said of it.
//
// What is not versioned (users, devices, trunks, limits) is as it is now for both. Where that would have mattered the
// configuration of then does not give what is journalled either. Which media node took the call is not compared.

// Replay replays a call from its whole journal, in whichever order the entries come. then is the platform as the call's
// tenant had it when the call was made, nil when that is not known any more; under is the one that is tried. The version that
// decided the call is the one that then's tenant has published; further ones that steps name, those of a worker that could not
// get it, are found by Tenant.At.
func Replay(then, under *tenants.Snapshot, entries []messages.JournalEntry) Replayed {
	r := &replay{Replayed: Replayed{Outcome: Same}, then: then, under: under}
	entries = inOrder(entries)
	if len(entries) == 0 || entries[0].Source != messages.SourceRouting {
		r.unfaithful("replay_undecided")
	}
	if len(entries) > 0 {
		r.Call, r.At, r.Version = entries[0].Call, entries[0].At, entries[0].Version
	}
	if then == nil {
		r.unfaithful("replay_version_gone", "version", strconv.FormatInt(r.Version, 10))
	}
	if r.Outcome != Unfaithful && r.decide(entries[0]) {
		r.flows(entries[1:])
	}
	if r.Outcome == Unfaithful {
		r.Difference = nil
	}
	return r.Replayed
}

// replay is one call of Replay.
type replay struct {
	Replayed
	then, under *tenants.Snapshot
	was, would  routing.Decision
}

// unfaithful ends a replay, unless that has happened. It is always false.
func (r *replay) unfaithful(code string, args ...string) bool {
	if r.Outcome != Unfaithful {
		r.Outcome, r.Unfaithful = Unfaithful, because.New(code, args...)
	}
	return false
}

// differs notes where the call begins to go differently.
func (r *replay) differs(d Difference) {
	r.Outcome, r.Difference = Different, &d
}

// decide replays the routing decision. It is false when the replay ends with it.
func (r *replay) decide(e messages.JournalEntry) bool {
	in, err := routing.ReadJournal(e)
	if err != nil {
		return r.unfaithful("replay_unreadable", "detail", err.Error())
	}
	var kept routing.Decision
	if err := json.Unmarshal(e.Output, &kept); err != nil {
		return r.unfaithful("replay_unreadable", "detail", err.Error())
	}
	r.Steps++
	r.was = routing.Decide(r.then, in.Facts, in.Request)
	r.Dialled = r.was.Dialled
	if !sameDecision(kept, r.was) {
		kept.Tenant = r.was.Tenant
		return r.unfaithful("replay_decided_otherwise", "what", told(sayDecision(r.then, kept), sayDecision(r.then, r.was), otherMembers(bare(kept), bare(r.was))...))
	}
	r.would = routing.Decide(r.under, in.Facts, in.Request)
	if r.was.Verdict != r.would.Verdict || r.was.Code != r.would.Code || r.was.Cause != r.would.Cause {
		r.differs(r.otherDecision())
	}
	return true
}

// otherDecision is a difference that routing makes.
func (r *replay) otherDecision() Difference {
	return Difference{Source: messages.SourceRouting, Was: r.was.Because, Would: r.would.Because,
		Words: told(sayDecision(r.then, r.was), sayDecision(r.under, r.would))}
}

// sameDecision compares what two decisions lead to. The journal's leaves out what its entry has; the choice of a node is by
// what nodes were configured to take then.
func sameDecision(kept, now routing.Decision) bool {
	return reflect.DeepEqual(bare(kept), bare(now))
}

func bare(d routing.Decision) routing.Decision {
	d.Call, d.Tenant, d.Version, d.Because, d.Nodes = "", "", 0, nil, nil
	return d
}

// flows replays the call's flow on each node that took it.
func (r *replay) flows(entries []messages.JournalEntry) {
	steps := r.Steps
	for len(entries) > 0 {
		end := slices.IndexFunc(entries, func(e messages.JournalEntry) bool {
			return e.Source != messages.SourceCallflow || e.Leg != entries[0].Leg
		})
		if end < 0 {
			end = len(entries)
		}
		if entries[0].Source == messages.SourceCallflow && !r.flow(entries[:end]) {
			return
		}
		entries = entries[max(end, 1):]
	}
	if r.Steps == steps && r.Outcome == Same && r.was.Verdict == messages.Route && r.was.FlowID != r.would.FlowID { // it reached no node, or its steps are not there yet
		r.differs(r.otherDecision())
	}
}

// flow replays the steps on one node. It is false when the replay ends with them.
func (r *replay) flow(entries []messages.JournalEntry) bool {
	under := configOf(r.under, r.would.Tenant)
	var was, would callflows.State
	missing := false
	for i, e := range entries {
		missing = missing || e.N != 0 && (i == 0 || e.N != entries[i-1].N+1)
		event, ok := r.event(e)
		if !ok {
			return false
		}
		then, ok := r.configOfThen(e.Version)
		if !ok {
			return r.unfaithful("replay_version_gone", "version", strconv.FormatInt(e.Version, 10))
		}
		r.Steps++
		out := callflows.Step(then, was, event)
		if !sameCommands(e.Output, out.Commands) {
			return r.otherwise(then, e, out.Commands, missing)
		}
		if r.Outcome == Same {
			under = standIn(under, e.Version)
			other := callflows.Step(under, would, r.asRouted(event))
			if !reflect.DeepEqual(out.Commands, other.Commands) {
				before, after := ahead(then, out, event.At), ahead(under, other, event.At)
				r.differs(Difference{Source: messages.SourceCallflow, N: e.N, Element: callflows.ElementBefore(then, was, event),
					Was: before.Because, Would: after.Because, Words: toldCommands(then, before.Commands, under, after.Commands)})
			}
			would = other.State
		}
		was = out.State
	}
	return true
}

// configOfThen is the configuration that a step ran under. It is false when that is not there.
func (r *replay) configOfThen(version int64) (callflows.Config, bool) {
	c := configOf(r.then, r.was.Tenant)
	if c.Tenant == nil || version == r.Version {
		return standIn(c, version), true
	}
	c.Tenant = c.Tenant.At(version)
	return c, c.Tenant != nil
}

// standIn puts a configuration in the place of a version: what a call says of versions is then the same.
func standIn(c callflows.Config, version int64) callflows.Config {
	if c.Tenant != nil && c.Tenant.Published.Version != version {
		c.Tenant = c.Tenant.As(version)
	}
	return c
}

// event is what a step was about. It is false when that cannot be known.
func (r *replay) event(e messages.JournalEntry) (event callflows.Event, ok bool) {
	if err := json.Unmarshal(e.Input, &event); err != nil {
		return event, r.unfaithful("replay_unreadable", "detail", err.Error())
	}
	if event.Kind == "" { // too large to be kept
		return event, r.unfaithful("replay_unreadable", "detail", "a step has no input")
	}
	for _, why := range e.Because {
		if why.Code == "step_panicked" {
			return event, r.unfaithful("replay_step_failed", "detail", why.Args.Get("detail"))
		}
	}
	return event, true
}

// maxAhead bounds the steps of ahead.
const maxAhead = 4

// ahead goes on from a step that only answers the caller or lets him hear ringing, to what it does so for: there is one way in
// which these go on. It changes how a difference is told, and not whether there is one.
func ahead(config callflows.Config, out callflows.Outcome, at time.Time) callflows.Outcome {
	last := out.Commands
	for range maxAhead {
		if len(last) != 1 || last[0].Kind != callflows.Answer && last[0].Kind != callflows.SignalRinging || out.State.Awaited != last[0].N {
			break
		}
		next := callflows.Step(config, out.State, callflows.Event{Kind: callflows.Done, At: at, Leg: last[0].Leg, Command: last[0].N})
		last = next.Commands
		out = callflows.Outcome{State: next.State, Commands: slices.Concat(out.Commands, next.Commands), Because: slices.Concat(out.Because, next.Because)}
	}
	return out
}

// asRouted is an event as it would have come after the other routing decision: that decides which flow a call begins with.
func (r *replay) asRouted(event callflows.Event) callflows.Event {
	if event.Call == nil || r.was.FlowID == r.would.FlowID && r.was.Dialled == r.would.Dialled {
		return event
	}
	call := *event.Call
	call.FlowID, call.Dialled = r.would.FlowID, r.would.Dialled
	event.Call = &call
	return event
}

// otherwise says that a step does not give what is journalled, and why that may be.
func (r *replay) otherwise(config callflows.Config, e messages.JournalEntry, now []callflows.Command, missing bool) bool {
	if missing {
		return r.unfaithful("replay_steps_missing")
	}
	var kept []callflows.Command
	if err := json.Unmarshal(e.Output, &kept); err != nil {
		return r.unfaithful("replay_unreadable", "detail", err.Error())
	}
	return r.unfaithful("replay_stepped_otherwise", "element", cmp.Or(e.Element, "its beginning"), "what", toldCommands(config, kept, config, now))
}

// configOf is the configuration that the steps of a tenant's calls run under.
func configOf(s *tenants.Snapshot, tenant string) callflows.Config {
	return callflows.Config{Tenant: s.Tenant(tenant), Emergency: s.Emergency(), Ways: s.Ways()}
}

// sameCommands holds a step's commands against those of the journal. An older release may have written them in other words.
func sameCommands(kept json.RawMessage, now []callflows.Command) bool {
	text, err := json.Marshal(now)
	if err != nil {
		return false
	}
	if bytes.Equal(kept, text) {
		return true
	}
	var a, b []callflows.Command
	if json.Unmarshal(kept, &a) != nil || json.Unmarshal(text, &b) != nil || len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].CDR != nil && b[i].CDR != nil {
			b[i].CDR.Over = a[i].CDR.Over // which older releases did not say
		}
	}
	return len(a) == 0 || reflect.DeepEqual(a, b)
}
