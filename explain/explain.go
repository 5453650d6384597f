// Package explain says why a call went as it did, what would happen to one that has not been made, and what would have
// happened to one that was, under another configuration. It is pure.
//
// An explanation is made from the journal, which holds what the deciding functions gave as codes; the words are made here.
// A dry run and a replay call the deciding functions themselves: there is no second walker that could drift from the first.
package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/because"
	"tandem/callflows"
	"tandem/messages"
	"tandem/routing"
)

// Explanation is the story of one call.
type Explanation struct {
	Call    string         `json:"call"`
	Tenant  string         `json:"tenant"`
	Version int64          `json:"version"`          // configuration version that decided, and drove the call in the end
	Canary  int            `json:"canary,omitempty"` // percent of calls that got this version at the time, when it was on trial
	Verdict string         `json:"verdict"`          // one sentence: what happened
	Fault   messages.Fault `json:"fault"`            // whose doing a failure was
	Advice  []Advice       `json:"advice,omitempty"` // what can be done about a failure, the likeliest first
	Flow    string         `json:"flow,omitempty"`   // id of the flow that routing gave the call
	Lines   []Line         `json:"lines" nullable:"false"`
	Legs    []messages.CDR `json:"legs" nullable:"false"` // the legs that are over, caller's first

	reasons []because.Reason // of Lines
}

// Line is one reason, in words.
type Line struct {
	At      time.Time              `json:"at"`
	Source  messages.JournalSource `json:"source"`
	Flow    string                 `json:"flow,omitempty"`    // id of the flow that the element is of
	Element string                 `json:"element,omitempty"` // key of the element whose doing it is
	Exit    string                 `json:"exit,omitempty"`    // by which the call leaves the element, or would if it led anywhere
	Code    string                 `json:"code"`
	Words   string                 `json:"words"`
	Kind    Kind                   `json:"kind,omitempty" enum:"rejected,failed,outcome"`
}

// Catalog is the words for every reason that a release can give.
func Catalog() (because.Catalog, error) {
	flows, err := callflows.Reasons()
	if err != nil {
		return nil, err
	}
	return because.Merge(routing.Reasons(), flows, replayReasons())
}

// Call explains a call from its journal and its CDRs, in whichever order they come.
func Call(words because.Catalog, call string, entries []messages.JournalEntry, cdrs []messages.CDR) Explanation {
	return tell(words, call, "", entries, cdrs)
}

// tell explains a call, which began with a flow if the entries do not say with which.
func tell(words because.Catalog, call, flow string, entries []messages.JournalEntry, cdrs []messages.CDR) Explanation {
	flows := map[string]string{} // by the leg that a story is of: the flow that the call is in
	entries = inOrder(entries)
	x := Explanation{Call: call, Fault: messages.FaultNone, Lines: []Line{}, Legs: append([]messages.CDR{}, cdrs...)}
	slices.SortStableFunc(x.Legs, func(a, b messages.CDR) int {
		return cmp.Or(roleOrder(a.Role)-roleOrder(b.Role), a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.Leg, b.Leg))
	})
	for _, e := range entries {
		x.Flow = cmp.Or(flowOf(e), x.Flow)
		x.Tenant, x.Version = cmp.Or(e.Tenant, x.Tenant), cmp.Or(e.Version, x.Version)
		if _, begun := flows[e.Leg]; !begun {
			flows[e.Leg] = cmp.Or(flow, x.Flow)
		}
		element := e.Element
		for _, r := range e.Because {
			if r.Code == "version_on_trial" {
				x.Canary, _ = strconv.Atoi(r.Args.Get("share"))
			}
			l := Line{At: e.At, Source: e.Source, Element: element, Code: r.Code, Words: words.Words(r), Kind: kindOf(r.Code)}
			if e.Source == messages.SourceCallflow && element != "" {
				l.Flow = flows[e.Leg]
			}
			to := r.Args.Get("flow_id") // the call goes on with another flow
			switch {
			case r.Code == "exit_taken" || r.Code == "exit_leads_nowhere":
				l.Exit = r.Args.Get("exit")
			case to != "":
				flows[e.Leg] = to
			}
			if to != "" || r.Code == "exit_taken" || r.Code == "jumped" || r.Code == "summoned" { // the last two had no flow_id once
				element = r.Args.Get("element") // the rest of the step is its doing
			}
			x.Lines, x.reasons = append(x.Lines, l), append(x.reasons, r)
		}
	}
	x.judge()
	x.advise()
	return x
}

// inOrder gives entries in the order in which they were decided.
func inOrder(entries []messages.JournalEntry) []messages.JournalEntry {
	entries = slices.Clone(entries)
	began := map[string]time.Time{} // a call that an edge took to a second node has a story for each
	for _, e := range entries {
		if at, ok := began[e.Leg]; !ok || e.At.Before(at) {
			began[e.Leg] = e.At
		}
	}
	slices.SortStableFunc(entries, func(a, b messages.JournalEntry) int {
		return cmp.Or(order(a.Source)-order(b.Source), began[a.Leg].Compare(began[b.Leg]), cmp.Compare(a.Leg, b.Leg), a.N-b.N)
	})
	return entries
}

// order puts routing before the call flow: it came first.
func order(s messages.JournalSource) int {
	if s == messages.SourceRouting {
		return 0
	}
	return 1
}

func roleOrder(r messages.LegRole) int {
	if r == messages.RoleCaller {
		return 0
	}
	return 1
}

// Complete says whether the story is told to its end: a refusal, or the end of the last leg.
func (x Explanation) Complete() bool {
	if len(x.Lines) == 0 || len(x.Legs) == 0 {
		return false
	}
	last := x.Lines[len(x.Lines)-1]
	if last.Source == messages.SourceRouting {
		return x.Legs[0].Node == "" // what reached a node is told by its call flow, which may come after the record
	}
	return last.Code == "call_ended"
}

// judge sums the call up in one sentence.
func (x *Explanation) judge() {
	if len(x.Legs) == 0 || x.Legs[0].Role != messages.RoleCaller {
		x.Verdict = "The call is not over, or its record has not arrived."
		if len(x.Lines) == 0 {
			x.Verdict = "Nothing is known of this call."
		}
		x.judgeOrdered()
		return
	}
	caller := x.Legs[0]
	x.Fault = caller.Fault
	if caller.AnsweredAt != nil && x.tells("summoned") != "" {
		x.Verdict = fmt.Sprintf("The phone that rang first was answered after %s, and the call lasted %s.%s", seconds(caller.AnsweredAt.Sub(caller.StartedAt)),
			seconds(caller.EndedAt.Sub(*caller.AnsweredAt)), cmp.Or(x.ordered(), x.blame()))
		return
	}
	if caller.AnsweredAt != nil {
		x.Verdict = fmt.Sprintf("The call was answered after %s and lasted %s.%s", seconds(caller.AnsweredAt.Sub(caller.StartedAt)),
			seconds(caller.EndedAt.Sub(*caller.AnsweredAt)), cmp.Or(x.ordered(), x.blame()))
		return
	}
	code := ""
	if caller.SIPCode != 0 {
		code = fmt.Sprintf(" (SIP %d, %s)", caller.SIPCode, caller.Cause)
	}
	x.Verdict = "The call was not answered" + code + ": "
	if ordered := x.ordered(); ordered != "" {
		x.Verdict += strings.TrimSpace(ordered)
		return
	}
	x.Verdict += x.decisive() + x.blame()
}

// judgeOrdered is for a call that was ordered, is over, and never had a caller: whoever was to be called first was not reached.
func (x *Explanation) judgeOrdered() {
	if x.tells("call_ordered") == "" || x.tells("call_ended") == "" {
		return
	}
	x.Fault = messages.FaultCallee
	for _, l := range x.Legs {
		x.Fault = l.Fault
	}
	why := ""
	for _, code := range []string{"summon_unanswered", "summon_unregistered", "summon_left", "summon_lost", "end_ordered", "node_refused"} {
		why = cmp.Or(why, x.tells(code))
	}
	x.Verdict = strings.TrimSpace("The call that was ordered did not come about: " + why)
}

// tells gives the words of the first reason with a code, or "".
func (x *Explanation) tells(code string) string {
	for _, l := range x.Lines {
		if l.Code == code {
			return l.Words
		}
	}
	return ""
}

// ordered is who ended the call by an order, in words, when that was its end. It is nobody's failure.
func (x *Explanation) ordered() string {
	if x.Legs[0].Cause != callflows.CauseOfOrder {
		return ""
	}
	for _, l := range slices.Backward(x.Lines) {
		if l.Code == "end_ordered" {
			return " " + l.Words
		}
	}
	return ""
}

// blame names the side at fault.
func (x *Explanation) blame() string {
	switch x.Fault {
	case messages.FaultCaller:
		return " It ended by the caller's doing."
	case messages.FaultCallee:
		return " It failed on the called side."
	case messages.FaultTenant:
		return " It failed on the tenant's configuration or limits."
	case messages.FaultCarrier:
		return " It failed at the carrier."
	case messages.FaultPlatform:
		return " It failed on the platform."
	case messages.FaultNone:
	}
	return ""
}

// aftermath are the codes that tell of an end and do not explain it.
func aftermath(code string) bool {
	switch code {
	case "caller_hung_up_by_us", "call_ended", "leg_ended", "exit_leads_nowhere", "event_after_end", "exit_taken", "parked_again":
		return true
	}
	return false
}

// decisive is the last reason that explains the outcome.
func (x *Explanation) decisive() string {
	for i := len(x.Lines) - 1; i >= 0; i-- {
		if !aftermath(x.Lines[i].Code) {
			return x.Lines[i].Words
		}
	}
	return "no reason was recorded."
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
