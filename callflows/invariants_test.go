package callflows

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"tandem/because"
)

// watcher holds what doc.go guarantees against every step of one call.
type watcher struct {
	config  Config
	words   because.Catalog
	lastN   int
	hangUps int
	records map[string]int // WriteCDR by leg

	recordings map[string]int // FileRecording by id
}

func newWatcher(config Config) *watcher {
	words, err := Reasons()
	if err != nil {
		panic(err)
	}
	return &watcher{config: config, words: words, records: map[string]int{}, recordings: map[string]int{}}
}

// step steps, and returns an error that says which guarantee is broken.
func (w *watcher) step(before State, e Event) (Outcome, error) {
	was, happened := text(before), text(e)
	out := Step(w.config, before, e)
	if text(before) != was || text(e) != happened {
		return out, fmt.Errorf("Step has changed its arguments")
	}
	if again := Step(w.config, before, e); !reflect.DeepEqual(out, again) {
		return out, fmt.Errorf("the same input gave another output: %s", text(again))
	}
	taken, err := travel(before)
	if err != nil {
		return out, err
	}
	told, err := travel(e)
	if err != nil {
		return out, err
	}
	if elsewhere := Step(w.config, taken, told); text(elsewhere) != text(out) {
		return out, fmt.Errorf("a worker that took over, or a replay of the journal, gives %s", text(elsewhere))
	}
	for _, check := range []func(State, Event, Outcome) error{w.ended, w.commands, w.application, w.legs, w.explained, w.declared} {
		if err := check(before, e, out); err != nil {
			return out, err
		}
	}
	return out, nil
}

// travel takes a state or an event to another worker, or to the journal.
func travel[T any](v T) (T, error) {
	var back T
	body, err := json.Marshal(v)
	if err != nil {
		return back, err
	}
	return back, json.Unmarshal(body, &back)
}

// text is a value as JSON, in which what is not UTF-8 and U+FFFD are one.
func text(v any) string {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(string(body), `\ufffd`, "\ufffd")
}

// ended: a call that has ended emits nothing and changes no more.
func (w *watcher) ended(before State, _ Event, out Outcome) error {
	if before.Phase != Ended {
		return nil
	}
	if len(out.Commands) > 0 || text(out.State) != text(before) {
		return fmt.Errorf("an ended call goes on: %s", text(out))
	}
	return nil
}

// commands: numbers grow without a gap, a leg has one record, a call one hang-up.
func (w *watcher) commands(before State, e Event, out Outcome) error {
	for _, c := range out.Commands {
		switch c.Kind {
		case WriteCDR:
			w.records[c.Leg]++
			closes := e.Kind == Moved || e.Kind == RescueOrdered || e.Kind == RescueFailed // legs whose last word nobody will hear
			if w.records[c.Leg] > 1 || e.Kind != HungUp && !closes || c.Leg != e.Leg && !closes || c.CDR.Leg != c.Leg {
				return fmt.Errorf("record %d of leg %s after %s of %s", w.records[c.Leg], c.Leg, e.Kind, e.Leg)
			}
			if err := c.CDR.Validate(); err != nil {
				return fmt.Errorf("the ledger would refuse the record: %w", err)
			}
			continue
		case HangUp:
			if before.Phase != Ending && c.Leg == before.DrivenLeg() { // after a gap the same is ordered once more
				w.hangUps++
			}
		case FileRecording:
			if err := c.Recording.Validate(); err != nil {
				return fmt.Errorf("the ledger would refuse the recording: %w", err)
			}
			if w.recordings[c.Recording.ID]++; w.recordings[c.Recording.ID] > 1 {
				return fmt.Errorf("recording %s is kept twice", c.Recording.ID)
			}
		}
		if c.N != w.lastN+1 || c.Leg == "" {
			return fmt.Errorf("command %d for leg %q follows %d", c.N, c.Leg, w.lastN)
		}
		w.lastN = c.N
	}
	if w.hangUps > 1 {
		return fmt.Errorf("the caller is hung up %d times", w.hangUps)
	}
	if out.State.Commands != w.lastN {
		return fmt.Errorf("the state counts %d commands, there were %d", out.State.Commands, w.lastN)
	}
	return nil
}

// application: the next is ordered only when the last was answered, and is awaited.
func (w *watcher) application(before State, e Event, out Outcome) error {
	var ordered int
	for _, c := range out.Commands {
		switch c.Kind {
		case HangUp, SetTimer, Invite, Fetch, WriteCDR, FileRecording, StopPlaying, MoveLegs, LeaveMove, HandOver: // these are not waited for
		case StartRecording:
			if e.Kind != Moved && e.Kind != RecordOrdered { // it begins beside what the element does: as a second part, or by somebody's order
				ordered++
			}
		case StopRecording:
			if e.Kind == RecordEndOrdered || e.Kind == Resumed && before.Recording.Stop != 0 { // likewise (the node does both while another application runs)
				break
			}
			if ordered++; out.State.Awaited != c.N {
				return fmt.Errorf("%s %d is ordered and %d awaited", c.Kind, c.N, out.State.Awaited)
			}
		default:
			ordered++
			if out.State.Awaited != c.N {
				return fmt.Errorf("%s %d is ordered and %d awaited", c.Kind, c.N, out.State.Awaited)
			}
		}
	}
	// After a gap the element begins anew: whether the awaited one is still under way is not known.
	if ordered > 1 || ordered == 1 && before.Awaited != 0 && e.Command != before.Awaited && e.Kind != Resumed && e.Kind != Transferred && e.Kind != TransferOrdered && e.Kind != Moved && e.Kind != MoveFailed && !before.Missed && !(before.Stage == stageJoining && e.Command == before.Guard) && before.Stage != stageQuiet && !(before.Summoning() && e.Kind == Parked) { // whoever answered waits: no Summon is under way
		return fmt.Errorf("%d applications are ordered while %d is awaited", ordered, before.Awaited)
	}
	switch s := out.State; s.Phase {
	case Running:
		if s.Awaited == 0 {
			return fmt.Errorf("the call runs and waits for nothing")
		}
	case Talking:
		if !s.Joined() && (s.Awaited == 0 || s.Stage != stageRinging && s.Stage != stageJoining && s.Stage != stageMoving) {
			return fmt.Errorf("the caller talks without a Ring")
		}
	case Ending, Ended, "":
		if s.Awaited != 0 {
			return fmt.Errorf("%s, and %d is awaited", s.Phase, s.Awaited)
		}
	}
	return nil
}

// legs: the call is over exactly when it ends and no leg is left; each leg that was there has its record by then.
func (w *watcher) legs(_ State, _ Event, out Outcome) error {
	s := out.State
	if len(s.Legs) > MaxLegs || s.Entered > MaxElements+1 {
		return fmt.Errorf("%d legs, %d elements", len(s.Legs), s.Entered)
	}
	for _, l := range s.Legs {
		if l.HungUp != (w.records[l.ID] == 1) {
			return fmt.Errorf("leg %s is hung up: %v, and has %d records", l.ID, l.HungUp, w.records[l.ID])
		}
		if s.Phase == Ended && l.Created && !l.HungUp {
			return fmt.Errorf("the call is over, and leg %s is not", l.ID)
		}
	}
	if s.Phase == Ending && !s.live() {
		return fmt.Errorf("no leg is left, and the call does not end")
	}
	return nil
}

// explained: every step that orders something says why, in words.
func (w *watcher) explained(before State, _ Event, out Outcome) error {
	for _, c := range out.Commands {
		if len(out.Because) == 0 && c.Kind != FindContacts {
			return fmt.Errorf("%s is ordered without a reason", c.Kind)
		}
	}
	if before.Phase != out.State.Phase && len(out.Because) == 0 {
		return fmt.Errorf("the call is %s without a reason", out.State.Phase)
	}
	for _, r := range out.Because {
		if words := w.words.Words(r); w.words[r.Code] == "" || strings.Contains(words, "  ") {
			return fmt.Errorf("reason %v is said as %q", r, words)
		}
	}
	return nil
}

// declared: a call ends at an exit that leads nowhere with the cause that the element's exit declares, and leaves an
// element by exits that it has.
func (w *watcher) declared(before State, e Event, out Outcome) error {
	element, flowID := ElementBefore(w.config, before, e), before.FlowID
	pivoted := before
	if flowID == "" && e.Call != nil {
		flowID = e.Call.FlowID
	}
	for _, r := range out.Because {
		switch r.Code {
		case "jumped":
			for _, f := range w.config.Tenant.Published.AllFlows() {
				if f.Name == r.Args.Get("flow") {
					flowID = f.ID
				}
			}
			element = r.Args.Get("element")
		case "summoned":
			flowID, element = before.Call.FlowID, r.Args.Get("element")
		case "transfer_leads":
			flowID = OutboundFlow
			for _, f := range w.config.Tenant.Published.AllFlows() {
				if f.Name == r.Args.Get("flow") {
					flowID = f.ID
				}
			}
			element = out.State.Element
			if flow := (&step{config: w.config}).flow(flowID); flow != nil {
				element = flow.Start
			}
		case "transfer_recalls":
			flowID, element = RecallFlow, recallFlow.Start
		case "pivoted":
			flowID, element, pivoted = PivotFlow, r.Args.Get("element"), out.State
		case "pivot_lost":
			flowID = before.Call.FlowID
			if flow := (&step{config: w.config, state: &pivoted}).flow(flowID); flow != nil {
				element = flow.Start
			}
		case "exit_taken", "exit_leads_nowhere":
			exit, err := w.exit(&pivoted, flowID, element, r.Args.Get("exit"))
			if err != nil {
				return err
			}
			if cause := r.Args.Get("cause"); !strings.Contains(exit.Ends, cause) {
				return fmt.Errorf("the exit %s of %s ends the call with %s, and says %s", exit.Name, element, cause, exit.Ends)
			}
			element = r.Args.Get("element")
		}
	}
	return nil
}

func (w *watcher) exit(state *State, flowID, key, name string) (Exit, error) {
	flow := (&step{config: w.config, state: state}).flow(flowID)
	if flow == nil {
		return Exit{}, fmt.Errorf("the call left %s of %q, which is not there", key, flowID)
	}
	e := flow.Elements[key]
	for _, exit := range exitsOf(elementOf(e.Type), e.Parsed) {
		if exit.Name == name {
			return exit, nil
		}
	}
	return Exit{}, fmt.Errorf("%s (%s) has left by %q, which is no exit of it", key, e.Type, name)
}
