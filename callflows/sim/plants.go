package sim

import (
	"slices"

	"tandem/callflows"
	"tandem/messages"
	"tandem/routing"
)

// Plant is a fault that is put into a world on purpose, to see that the simulator finds it. The zero value is none.
type Plant struct {
	Name   string
	Breaks Invariant
	Step   func(*world) StepFunc // in place of callflows.Step
	Facts  func(*routing.Facts)  // changes what routing is told

	Moves         bool // all worlds have several nodes, and calls that move
	NewJournals   bool // a call that moves begins its journal anew
	Lingers       bool // the old node's owner drives a call on that it has handed over
	Abandons      bool // a call that has been adopted is taken for one that was not handed over
	LoseTimers    bool // no timer fires
	NoMark        bool // channels carry nothing of their calls
	Deadly        bool // all worlds have many deaths, so that what only these show is found sooner
	NoCount       bool // calls out are not counted
	NoPin         bool // workers drive calls by the version that they have at the moment
	BlindTakeover bool // a successor sends again without asking what has been taken
}

// changed makes a plant's Step of a function that changes the outcome.
func changed(change func(w *world, before callflows.State, e callflows.Event, out *callflows.Outcome)) func(*world) StepFunc {
	return func(w *world) StepFunc {
		return func(c callflows.Config, s callflows.State, e callflows.Event) callflows.Outcome {
			out := callflows.Step(c, s, e)
			change(w, s, e, &out)
			return out
		}
	}
}

// eachCommand makes a plant's Step that puts others in place of each command.
func eachCommand(change func(w *world, c callflows.Command) []callflows.Command) func(*world) StepFunc {
	return changed(func(w *world, _ callflows.State, _ callflows.Event, out *callflows.Outcome) {
		var all []callflows.Command
		for _, c := range out.Commands {
			all = append(all, change(w, c)...)
		}
		out.Commands = all
	})
}

// Plants lists the faults that the simulator is known to find, at least one for each invariant.
func Plants() []Plant {
	return slices.Concat(plantsOfCommands(), plantsOfStates(), []Plant{
		{Name: "a call that has moved begins its journal anew", Breaks: OneJournal, Moves: true, NewJournals: true},
		{Name: "a call is driven on at the node that it has left", Breaks: OneDriver, Moves: true, Lingers: true},
		{Name: "a call that has been adopted is given up", Breaks: PhonesTold, Moves: true, Abandons: true},
		{Name: "a moved leg forgets when it began", Breaks: MovesUncharged, Moves: true, Step: changed(func(_ *world, _ callflows.State, e callflows.Event, out *callflows.Outcome) {
			for i := range out.State.Legs {
				out.State.Legs[i].First = nil
			}
		})},
		{Name: "timers are lost", Breaks: TimersSettle, LoseTimers: true},
		{Name: "a successor sends all again", Breaks: NoCommandDoubled, BlindTakeover: true, Deadly: true},
		{Name: "channels carry no mark", Breaks: NoCommandDoubled, NoMark: true, Deadly: true},
		{Name: "workers drive by the version that they have", Breaks: OneVersion, NoPin: true},
		{Name: "calls out are not counted", Breaks: LimitsHold, NoCount: true},
		{Name: "another tenant's trunk is dialled", Breaks: TenantsApart, Step: eachCommand(strayTrunk)},
		{Name: "routing does not count calls", Breaks: LimitsHold, Facts: func(f *routing.Facts) { f.TenantCalls = 0 }},
		{Name: "routing does not count the calls of a reseller's other customers", Breaks: LimitsHold, Facts: func(f *routing.Facts) { f.Above = nil }},
	})
}

// plantsOfCommands change what is ordered.
func plantsOfCommands() []Plant {
	without := func(kind callflows.CommandKind) func(*world) StepFunc {
		return eachCommand(func(_ *world, c callflows.Command) []callflows.Command {
			if c.Kind == kind {
				return nil
			}
			return []callflows.Command{c}
		})
	}
	twice := func(kind callflows.CommandKind) func(*world) StepFunc {
		return eachCommand(func(_ *world, c callflows.Command) []callflows.Command {
			if c.Kind == kind {
				return []callflows.Command{c, c}
			}
			return []callflows.Command{c}
		})
	}
	return []Plant{
		{Name: "a record is swallowed", Breaks: OneRecord, Step: without(callflows.WriteCDR)},
		{Name: "a record is written twice", Breaks: OneRecord, Step: twice(callflows.WriteCDR)},
		{Name: "a message is swallowed", Breaks: OneMessage, Step: without(callflows.FileRecording)},
		{Name: "a message is kept twice", Breaks: OneMessage, Step: twice(callflows.FileRecording)},
		{Name: "a message gets another name", Breaks: OneMessage, Step: eachCommand(func(_ *world, c callflows.Command) []callflows.Command {
			if c.Recording != nil {
				r := *c.Recording
				r.ID += "0"
				c.Recording = &r
			}
			return []callflows.Command{c}
		})},
		{Name: "a prompt is swallowed", Breaks: NoSilence, Step: without(callflows.Play)},
		{Name: "a hang-up is swallowed", Breaks: NoSilence, Step: without(callflows.HangUp)},
		{Name: "a prompt is ordered twice", Breaks: NoCommandDoubled, Step: twice(callflows.Play)},
		{Name: "a prompt is ordered beside another", Breaks: OneApplication, Step: twice(callflows.Play)},
		{Name: "too many targets are dialled", Breaks: LimitsHold, Step: eachCommand(func(_ *world, c callflows.Command) []callflows.Command {
			for c.Targets = slices.Clone(c.Targets); len(c.Targets) > 0 && len(c.Targets) <= callflows.MaxTargets; {
				c.Targets = append(c.Targets, c.Targets[0])
			}
			return []callflows.Command{c}
		})},
		{Name: "another tenant's phone is dialled", Breaks: TenantsApart, Step: eachCommand(strayTarget)},
		{Name: "another tenant's prompt is played", Breaks: TenantsApart, Step: eachCommand(func(w *world, c callflows.Command) []callflows.Command {
			if c.Prompt != "" {
				c.Prompt = w.tenants[len(w.tenants)-1].ID + "/greeting"
			}
			return []callflows.Command{c}
		})},
		{Name: "a record names another tenant", Breaks: TenantsApart, Step: eachCommand(changedRecord(func(w *world, r *messages.CDR) {
			r.Tenant = w.tenants[len(w.tenants)-1].ID
		}))},
		{Name: "a record ends before it starts", Breaks: RecordsHold, Step: eachCommand(changedRecord(func(_ *world, r *messages.CDR) {
			r.StartedAt, r.EndedAt = r.EndedAt.Add(1), r.StartedAt
		}))},
	}
}

// strayTarget dials a phone of the world's last tenant.
func strayTarget(w *world, c callflows.Command) []callflows.Command {
	c.Targets = slices.Clone(c.Targets)
	if d := w.tenants[len(w.tenants)-1].AllDevices()[0].ID; len(c.Targets) > 0 {
		c.Targets[0].Device, c.Targets[0].URI = d, "sip:"+d+"@192.0.2.10:5060"
	}
	return []callflows.Command{c}
}

// strayTrunk dials by a trunk of another tenant's.
func strayTrunk(w *world, c callflows.Command) []callflows.Command {
	c.Targets = slices.Clone(c.Targets)
	for i := range c.Targets {
		for _, trunk := range w.snapshot.Trunks() {
			if c.Targets[i].Trunk != "" && trunk.Tenant != "" {
				c.Targets[i].Trunk = trunk.ID
			}
		}
	}
	return []callflows.Command{c}
}

func changedRecord(change func(*world, *messages.CDR)) func(*world, callflows.Command) []callflows.Command {
	return func(w *world, c callflows.Command) []callflows.Command {
		if c.CDR != nil {
			r := *c.CDR
			change(w, &r)
			c.CDR = &r
		}
		return []callflows.Command{c}
	}
}

// plantsOfStates change what a step makes of the call.
func plantsOfStates() []Plant {
	return []Plant{
		{Name: "a call never ends", Breaks: CallEnds, Step: changed(func(_ *world, _ callflows.State, _ callflows.Event, out *callflows.Outcome) {
			if out.State.Phase == callflows.Ended {
				out.State.Phase = callflows.Ending
			}
		})},
		{Name: "an ended call hangs up", Breaks: EndedIsSilent, Step: changed(func(_ *world, before callflows.State, e callflows.Event, out *callflows.Outcome) {
			if before.Phase == callflows.Ended && e.Kind == callflows.HungUp {
				out.Commands = append(out.Commands, callflows.Command{Kind: callflows.HangUp, N: before.Commands + 1, Leg: before.Call.Leg})
			}
		})},
		{Name: "a step remembers", Breaks: SameOutcome, Step: func(*world) StepFunc {
			steps := 0
			return func(c callflows.Config, s callflows.State, e callflows.Event) callflows.Outcome {
				steps++
				out := callflows.Step(c, s, e)
				out.State.Attempt += steps / 100
				return out
			}
		}},
		{Name: "a step changes what it is given", Breaks: SameOutcome, Step: func(*world) StepFunc {
			return func(c callflows.Config, s callflows.State, e callflows.Event) callflows.Outcome {
				out := callflows.Step(c, s, e)
				for i := range s.Legs {
					s.Legs[i].Rang = true
				}
				return out
			}
		}},
		{Name: "elements are not counted", Breaks: LimitsHold, Step: changed(func(_ *world, before callflows.State, _ callflows.Event, out *callflows.Outcome) {
			if before.Entered > 1 {
				out.State.Entered = 1
			}
		})},
		{Name: "who is passed on is forgotten", Breaks: NoSilence, Step: func(*world) StepFunc {
			return func(c callflows.Config, s callflows.State, e callflows.Event) callflows.Outcome {
				if e.Kind == callflows.Transferred {
					e.Kind = callflows.Unbridged
				}
				return callflows.Step(c, s, e)
			}
		}},
		{Name: "who talks is hung up", Breaks: TalksStand, Step: changed(func(_ *world, before callflows.State, e callflows.Event, out *callflows.Outcome) {
			if e.Kind == callflows.TransferOrdered && before.Phase == callflows.Talking && len(out.Commands) == 0 {
				out.State.Commands++
				out.Commands = append(out.Commands, callflows.Command{Kind: callflows.HangUp, N: out.State.Commands, Leg: before.DrivenLeg(), Cause: "NORMAL_CLEARING"})
			}
		})},
		{Name: "nothing is said", Breaks: EverythingSaid, Step: changed(func(_ *world, _ callflows.State, _ callflows.Event, out *callflows.Outcome) {
			out.Because = nil
		})},
		{Name: "a step panics", Breaks: NoPanic, Step: changed(func(_ *world, before callflows.State, e callflows.Event, _ *callflows.Outcome) {
			if e.Kind == callflows.Bridged && before.Answered {
				panic("planted")
			}
		})},
	}
}
