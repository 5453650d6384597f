package explain

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/because"
	"tandem/callflows"
	"tandem/messages"
	"tandem/routing"
	"tandem/tenants"
)

// Question asks what would happen to a call.
type Question struct {
	From   string    // "user@domain" of a device, or the number of an outside caller
	To     string    // what is dialled
	At     time.Time // when
	Digits []string  // what the caller keys at each prompt, "" for nothing; then nothing
	// NobodyAnswers lets every target ring out. Otherwise the first target answers.
	NobodyAnswers bool
	// Request is a call that was made, in the place of From: it is asked once more, as it came.
	Request  *routing.Request
	Facts    routing.Facts
	Out      callflows.Counts               // calls that are out
	Contacts map[string][]callflows.Contact // by device id: who is registered
}

// Bounds of a dry run.
const maxDrySteps = 2000

// DryRun answers a question with the functions that decide real calls. Nothing is sent anywhere.
func DryRun(words because.Catalog, s *tenants.Snapshot, q Question) Explanation {
	q.Facts.At = q.At
	request, ok := q.request(s)
	if !ok {
		return Explanation{Verdict: "There is no trunk in the configuration by which an outside caller could call.", Fault: messages.FaultPlatform, Lines: []Line{}, Legs: []messages.CDR{}}
	}
	d := routing.Decide(s, q.Facts, request)
	run := &dryRun{question: q, at: q.At}
	run.note(messages.SourceRouting, "", d.Because)
	if d.Verdict == messages.Route {
		run.call(s, d)
	} else {
		run.cdrs = append(run.cdrs, RejectedCDR(q.At, request, d))
	}
	x := tell(words, d.Call, d.FlowID, run.entries, run.cdrs)
	x.Tenant, x.Version, x.Flow = d.Tenant, d.Version, d.FlowID
	if run.talking {
		x.Verdict, x.Fault = "The call would be answered.", messages.FaultNone
	}
	return x
}

// RejectedCDR is the record of a call that routing refused: its only leg never reached a node and carries the call's id.
func RejectedCDR(at time.Time, r routing.Request, d routing.Decision) messages.CDR {
	number := d.Caller.Number
	if number == "" {
		number = r.From.User
	}
	return messages.CDR{
		Type: messages.CDRV1, Leg: d.Call, Call: d.Call, Tenant: d.Tenant, Role: messages.RoleCaller, SIPCallID: r.SIPCallID,
		From: number, FromName: d.Caller.Name, To: d.Dialled, Device: d.Caller.Device, Trunk: d.Caller.Trunk, StartedAt: at, EndedAt: at,
		SIPCode: d.Code, Cause: d.Cause, Q850: d.Q850, Fault: d.Fault, Version: d.Version, Over: true,
	}
}

// request makes the INVITE that the question is about.
func (q Question) request(s *tenants.Snapshot) (routing.Request, bool) {
	if q.Request != nil {
		r := *q.Request
		r.Call = "dry-run"
		return r, true
	}
	r := routing.Request{Call: "dry-run", SIPCallID: "dry-run", To: routing.URI{User: q.To}}
	if user, domain, ok := strings.Cut(q.From, "@"); ok {
		r.AuthUser, r.AuthRealm = user, strings.ToLower(domain)
		r.From = routing.URI{User: user, Host: domain}
		r.Source = netip.IPv4Unspecified()
		return r, true
	}
	r.From = routing.URI{User: q.From}
	for _, t := range s.Trunks() {
		if len(t.Addresses) > 0 && t.Tenant == "" && !t.Disabled {
			r.Source = t.Addresses[0]
			return r, true
		}
	}
	return r, false
}

// dryRun plays the part of the media node and of everybody else for callflows.Step.
type dryRun struct {
	question Question
	at       time.Time
	entries  []messages.JournalEntry
	cdrs     []messages.CDR
	talking  bool
}

func (r *dryRun) note(source messages.JournalSource, element string, reasons []because.Reason) {
	r.entries = append(r.entries, messages.JournalEntry{Source: source, N: len(r.entries), At: r.at, Element: element, Because: reasons})
}

// call steps through the flow until somebody talks or the call is over.
func (r *dryRun) call(s *tenants.Snapshot, d routing.Decision) {
	call := callflows.Call{ID: d.Call, Tenant: d.Tenant, Version: d.Version, Leg: "00000000-dry-run", Node: d.Nodes[0],
		FlowID: d.FlowID, Caller: d.Caller, Dialled: d.Dialled, Diversions: d.Diversions, StartedAt: r.at}
	config, _ := callflows.Pinned(s, callflows.State{Call: call})
	var state callflows.State
	events := []callflows.Event{{Kind: callflows.Parked, Leg: call.Leg, Call: &call, At: r.at}}
	for steps := 0; len(events) > 0 && steps < maxDrySteps && !r.talking; steps++ {
		event := events[0]
		r.at = event.At
		out := callflows.Step(config, state, event)
		if len(out.Because) > 0 {
			r.note(messages.SourceCallflow, callflows.ElementBefore(config, state, event), out.Because)
		}
		state, events = out.State, events[1:]
		for _, c := range out.Commands {
			if c.Kind == callflows.WriteCDR {
				r.cdrs = append(r.cdrs, *c.CDR)
				continue
			}
			events = append(events, r.obey(state, c)...)
		}
		r.talking = state.Phase == callflows.Talking
	}
}

// obey answers a command as the world of the question would.
func (r *dryRun) obey(state callflows.State, c callflows.Command) []callflows.Event {
	done := callflows.Event{At: r.at, Leg: c.Leg, Command: c.N}
	switch c.Kind {
	case callflows.Answer:
		done.Kind = callflows.Done
		return []callflows.Event{{Kind: callflows.Answered, At: r.at, Leg: c.Leg}, done}
	case callflows.SignalRinging:
		done.Kind = callflows.Done
	case callflows.Play:
		done.Kind = callflows.Played
	case callflows.CollectDigits:
		r.collect(&done, c)
	case callflows.FindContacts:
		done.Kind = callflows.ContactsFound
		for _, device := range c.Devices {
			done.Contacts = append(done.Contacts, r.question.Contacts[device]...)
		}
		if len(c.Trunks) > 0 {
			done.Counts = &r.question.Out
		}
	case callflows.Announce: // it lasts as long as it may
		return nil
	case callflows.Invite:
		leg := c.Targets[0].Leg
		return []callflows.Event{{Kind: callflows.LegCreated, At: r.at, Leg: leg}, {Kind: callflows.Answered, At: r.at, Leg: leg}}
	case callflows.SaveSetting: // nothing is saved: the question is what would happen
		done.Kind = callflows.Saved
	case callflows.CountCalls:
		done.Kind, done.Counts = callflows.CallsCounted, &r.question.Out
	case callflows.Ring:
		return r.ring(done, c)
	case callflows.HangUp:
		code := cmp.Or(c.Code, callflows.SIPCodeOf(c.Cause))
		if state.Answered {
			code = 0
		}
		done.Kind, done.Command = callflows.HungUp, 0
		done.End = &callflows.LegEnd{Cause: c.Cause, SIPCode: code, By: callflows.ByUs, CreatedAt: state.Call.StartedAt}
		if state.Answered {
			done.End.AnsweredAt = &state.Call.StartedAt
		}
	case callflows.FindCall: // no other call is there, and every slot is free
		done.Kind = callflows.CallFound
		if w := c.Wanted; w != nil && w.What == callflows.FreeSlot {
			slot := w.Slot
			if slot == "" {
				slot = strconv.Itoa(w.First)
			}
			done.Found = &callflows.Found{Slot: slot}
		}
	case callflows.Join:
		done.Kind, done.Cause = callflows.Refused, "no other call"
	case callflows.Eavesdrop:
		done.Kind = callflows.Done
	case callflows.StopPlaying: // what plays has ended already
		return nil
	case callflows.SetTimer:
		done.Kind, done.At = callflows.TimerFired, r.at.Add(c.Wait)
	case callflows.Fetch:
		done.Kind, done.Reply = callflows.Fetched, &callflows.Reply{Error: "a dry run would ask " + c.Fetch.Method + " " + c.Fetch.URL + ", and asks nobody"}
	case callflows.Record: // he says as much as he may
		done.Kind, done.Ended, done.LengthMS, done.At = callflows.Recorded, callflows.EndedByLimit, int(c.Wait/time.Millisecond), r.at.Add(c.Wait)
	case callflows.StartRecording, callflows.StopRecording, callflows.FileRecording, callflows.MarkMessage, callflows.Speak:
		done.Kind = callflows.Done
	case callflows.FindMessages: // no dry run opens anybody's box
		done.Kind = callflows.MessagesFound
	case callflows.CheckPIN:
		done.Kind, done.PIN = callflows.PINChecked, callflows.PINRight
	case callflows.WriteCDR:
		return nil
	}
	return []callflows.Event{done}
}

// collect keys the next input of the question, or nothing.
func (r *dryRun) collect(done *callflows.Event, c callflows.Command) {
	done.Kind, done.Outcome = callflows.DigitsCollected, callflows.DigitsTimeout
	if len(r.question.Digits) == 0 {
		done.At = r.at.Add(c.Digits.First)
		return
	}
	done.Digits, done.Outcome = r.question.Digits[0], callflows.DigitsGood
	r.question.Digits = slices.Clone(r.question.Digits[1:])
	if done.Digits == "" { // that time he keyed nothing
		done.Outcome, done.At = callflows.DigitsTimeout, r.at.Add(c.Digits.First)
		return
	}
	if strings.Trim(done.Digits, c.Digits.Allowed) != "" {
		done.Outcome = callflows.DigitsInvalid
	}
}

// ring lets the first target answer, or every target ring out.
func (r *dryRun) ring(done callflows.Event, c callflows.Command) []callflows.Event {
	var events []callflows.Event
	for _, t := range c.Targets {
		events = append(events, callflows.Event{Kind: callflows.LegCreated, At: r.at, Leg: t.Leg}, callflows.Event{Kind: callflows.Rang, At: r.at, Leg: t.Leg})
	}
	if !r.question.NobodyAnswers {
		first := slices.MinFunc(c.Targets, func(a, b callflows.Target) int { return cmp.Compare(a.Delay, b.Delay) }).Leg
		return append(events, callflows.Event{Kind: callflows.Answered, At: r.at, Leg: first},
			callflows.Event{Kind: callflows.Bridged, At: r.at, Leg: first})
	}
	over := r.at.Add(c.Wait)
	for _, t := range c.Targets {
		events = append(events, callflows.Event{Kind: callflows.HungUp, At: over, Leg: t.Leg,
			End: &callflows.LegEnd{Cause: "NO_ANSWER", Q850: 19, By: callflows.ByUs, CreatedAt: r.at}})
	}
	done.Kind, done.At, done.Cause = callflows.RingEnded, over, "NO_ANSWER"
	return append(events, done)
}

// Text writes an explanation as lines for a terminal.
func (x Explanation) Text() string {
	var out strings.Builder
	out.WriteString(x.Verdict + "\n")
	for _, l := range x.Lines {
		where := string(l.Source)
		if l.Element != "" {
			where += "/" + l.Element
		}
		out.WriteString("  " + l.At.UTC().Format("15:04:05.000") + "  " + pad(where, 18) + "  " + l.Words + "\n")
	}
	if x.Version > 0 {
		out.WriteString("  decided with configuration version " + strconv.FormatInt(x.Version, 10))
		if x.Canary > 0 {
			out.WriteString(" (canary, " + strconv.Itoa(x.Canary) + " % of calls)")
		}
		out.WriteString("\n")
	}
	return out.String()
}

func pad(s string, width int) string {
	if len(s) >= width {
		return s
	}
	return s + strings.Repeat(" ", width-len(s))
}
