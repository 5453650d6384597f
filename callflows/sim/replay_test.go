package sim

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"tandem/callflows"
	"tandem/explain"
	"tandem/messages"
	"tandem/routing"
	"tandem/tenants"
)

// journalled is a call whose steps are kept as package nodes journals them.
type journalled struct {
	call    callflows.Call
	entries []messages.JournalEntry
	before  string // the state before the last of them, and after it, as JSON: so workers carry it
	after   string
	broken  bool // a step did not go on from there: another worker had taken over from an earlier state
}

// journalOf lives through a world and keeps the journal of each call. then gives the platform as a call had it.
func journalOf(t *testing.T, o Options, seed uint64) (then func(callflows.Call) *tenants.Snapshot, _ map[string]*journalled) {
	t.Helper()
	calls := map[string]*journalled{}
	o.Plant.Step = func(w *world) StepFunc {
		then = func(c callflows.Call) *tenants.Snapshot { return w.asOf(t, c) }
		return func(c callflows.Config, s callflows.State, e callflows.Event) callflows.Outcome {
			out := callflows.Step(c, s, e)
			leg := out.State.Call.Leg
			if leg == "" {
				return out
			}
			if calls[leg] == nil {
				calls[leg] = &journalled{call: out.State.Call}
			}
			calls[leg].keep(t, c, s, e, out)
			return out
		}
	}
	Run(seed, o)
	return then, calls
}

// asOf is the platform as a call had it, with all versions of its tenant known.
func (w *world) asOf(t *testing.T, c callflows.Call) *tenants.Snapshot {
	t.Helper()
	data := w.snapshot.Data()
	data.Tenants = slices.Clone(data.Tenants)
	for i := range data.Tenants {
		x := &data.Tenants[i]
		x.Candidate, x.Versions = tenants.Candidate{}, nil
		if x.ID != c.Tenant {
			continue
		}
		x.Published = w.archive[edition{x.ID, c.Version}]
		for version := int64(1); version <= w.versions[x.ID]; version++ {
			if p, there := w.archive[edition{x.ID, version}]; there && version != c.Version {
				x.Versions = append(x.Versions, p)
			}
		}
	}
	s, faults := tenants.NewSnapshot(data, callflows.ParseSettings)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return s
}

func (j *journalled) keep(t *testing.T, c callflows.Config, s callflows.State, e callflows.Event, out callflows.Outcome) {
	t.Helper()
	if s.Phase == "" {
		s = callflows.State{}
	}
	before, input := string(packed(t, s)), packed(t, e)
	if n := len(j.entries); n > 0 && before == j.before && string(input) == string(j.entries[n-1].Input) {
		return // the same step again, which has the same key in the journal
	}
	// Calls that have moved are not compared here yet.
	j.broken = j.broken || len(j.entries) > 0 && before != j.after || len(out.State.Segments) > 0
	j.before, j.after = before, string(packed(t, out.State))
	j.entries = append(j.entries, messages.JournalEntry{Call: j.call.ID, Tenant: j.call.Tenant, Source: messages.SourceCallflow, Leg: j.call.Leg, N: len(j.entries),
		At: e.At, Version: out.State.DrivenBy(), Element: callflows.ElementBefore(c, s, e), Because: out.Because, Input: input, Output: packed(t, out.Commands)})
}

func packed(t *testing.T, v any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// routed is the journal's entry for a decision that leads to a call. It is false when none is found: a call's facts do not hold
// all that its request did.
func routed(s *tenants.Snapshot, c callflows.Call) (messages.JournalEntry, bool) {
	r := routing.Request{Call: c.ID, Source: netip.MustParseAddr("192.0.2.1"), To: routing.URI{User: c.Dialled}, From: routing.URI{User: c.Caller.Number}, FromName: c.Caller.Name}
	if t := s.Tenant(c.Tenant); t != nil && t.Device(c.Caller.Device) != nil {
		r.AuthUser, r.AuthRealm = t.Device(c.Caller.Device).Username, t.Domain
	} else {
		r.Source = carrierAddress()
	}
	f := routing.Facts{At: c.StartedAt, Nodes: []routing.Node{{Name: "node-1", SIPURI: "sip:192.0.2.20:5080", State: messages.NodeUp}}}
	d := routing.Decide(s, f, r)
	e, _ := routing.Journal(nil, f, r, d)
	return e, d.Verdict == messages.Route && d.FlowID == c.FlowID && d.Dialled == c.Dialled
}

// replayWorlds is how many worlds' calls are replayed.
const replayWorlds = 160

// Whatever flows there are, and whatever happens to calls and workers: under the configuration that it ran under, each call whose
// journal is whole is replayed to its end and is the same.
func TestEveryCallIsReplayedToTheSame(t *testing.T) {
	o := story(t)
	replayed, steps, visited := 0, 0, map[string]bool{}
	for seed := range uint64(replayWorlds) {
		then, calls := journalOf(t, o, seed)
		for leg, j := range calls {
			snapshot := then(j.call)
			first, ok := routed(snapshot, j.call)
			if j.broken || !ok {
				continue
			}
			r := explain.Replay(snapshot, snapshot, append([]messages.JournalEntry{first}, j.entries...))
			if r.Outcome != explain.Same || r.Steps != len(j.entries)+1 {
				t.Fatalf("seed %d, leg %s: %s after %d of %d steps: %s", seed, leg, r.Outcome, r.Steps, len(j.entries)+1, packed(t, r))
			}
			replayed, steps = replayed+1, steps+r.Steps
			visit(snapshot, j, visited)
		}
	}
	t.Logf("%d calls with %d steps", replayed, steps)
	if replayed < replayWorlds {
		t.Errorf("only %d calls of %d worlds were replayed", replayed, replayWorlds)
	}
	for _, kind := range callflows.ElementTypes() {
		if !visited[kind] {
			t.Errorf("no call was replayed through the element %s", kind)
		}
	}
}

// visit notes the types of the elements at which a call's steps began.
func visit(s *tenants.Snapshot, j *journalled, visited map[string]bool) {
	flow := s.Tenant(j.call.Tenant).Flow(j.call.FlowID)
	if flow == nil {
		return
	}
	for _, e := range j.entries {
		visited[flow.Elements[e.Element].Type] = true
		for _, why := range e.Because {
			if why.Code == "exit_taken" {
				visited[flow.Elements[why.Args.Get("element")].Type] = true
			}
		}
	}
}

// Under a configuration in which every flow refuses at once, what went otherwise is different, and says so.
func TestNoCallIsTheSameUnderFlowsThatRefuse(t *testing.T) {
	o := story(t)
	different := 0
	for seed := range uint64(replayWorlds / 4) {
		then, calls := journalOf(t, o, seed)
		for _, j := range calls {
			snapshot := then(j.call)
			under := refusing(t, snapshot)
			first, ok := routed(snapshot, j.call)
			if j.broken || !ok || !j.call.Versioned() || j.entries[0].Element == "" {
				continue
			}
			r := explain.Replay(snapshot, under, append([]messages.JournalEntry{first}, j.entries...))
			switch {
			case r.Outcome == explain.Different && r.Difference.N == 0 && r.Difference.Would[len(r.Difference.Would)-1].Code == "responded":
				different++
			case r.Outcome == explain.Same && (!isParked(j.entries[0]) || strings.Contains(string(j.entries[0].Output), `"NUMBER_CHANGED"`)): // it was refused so then, too
			default:
				t.Errorf("seed %d: a call that began with %s is %s", seed, j.entries[0].Output, packed(t, r))
			}
		}
	}
	if different == 0 {
		t.Error("no call was different")
	}
}

// refusing is the same platform with flows that refuse at once.
func refusing(t *testing.T, s *tenants.Snapshot) *tenants.Snapshot {
	t.Helper()
	data := s.Data()
	none := tenants.Data{Trunks: data.Trunks, Emergency: data.Emergency, Nodes: data.Nodes, Outbound: data.Outbound}
	for _, tenant := range data.Tenants {
		p := tenant.Published
		tenant.Published.Flows, tenant.Versions = nil, nil
		for _, f := range p.AllFlows() {
			tenant.Published.Flows = append(tenant.Published.Flows, tenants.Flow{ID: f.ID, Name: f.Name, Start: "x",
				Elements: map[string]tenants.Element{"x": {Type: "respond", Settings: json.RawMessage(`{"code":410}`)}}})
		}
		none.Tenants = append(none.Tenants, tenant)
	}
	under, faults := tenants.NewSnapshot(none, callflows.ParseSettings)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return under
}

// isParked says whether a call's first step was that it parked: who hung up before that met no flow.
func isParked(e messages.JournalEntry) bool {
	var event callflows.Event
	return json.Unmarshal(e.Input, &event) == nil && event.Kind == callflows.Parked
}
