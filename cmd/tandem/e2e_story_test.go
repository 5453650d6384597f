package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tandem/explain"
	"tandem/messages"
)

// expected is what a call must have come to.
type expected struct {
	Verdict string         // what the sentence holds
	Fault   messages.Fault // none when empty
	Tells   []string       // codes that the explanation holds in this order, among others
	Legs    []leg          // the caller's first
}

// leg is one CDR.
type leg struct {
	Far      string // the device at its far end, or the trunk
	Cause    string
	Code     int
	Fault    messages.Fault // none when empty
	Answered bool
}

// check compares explanation and CDRs with what is expected.
func (e expected) check(t *testing.T, x explain.Explanation) {
	t.Helper()
	if e.Fault == "" {
		e.Fault = messages.FaultNone
	}
	if !strings.Contains(x.Verdict, e.Verdict) || e.Verdict == "" {
		t.Errorf("verdict %q, want %q in it", x.Verdict, e.Verdict)
	}
	if x.Fault != e.Fault {
		t.Errorf("fault %s, want %s", x.Fault, e.Fault)
	}
	rest := e.Tells
	for _, line := range x.Lines {
		if len(rest) > 0 && line.Code == rest[0] {
			rest = rest[1:]
		}
		if strings.HasPrefix(line.Words, line.Code) || strings.Contains(line.Words, "  ") || strings.ContainsAny(line.Words, "{}") {
			t.Errorf("the words %q of %s are unfit to be read out", line.Words, line.Code)
		}
	}
	if len(rest) > 0 {
		t.Errorf("the explanation does not tell of %q in the order %q", rest[0], e.Tells)
	}
	e.checkLegs(t, x)
	if t.Failed() {
		t.Logf("%s\n%s", x.Text(), legsOf(x))
	}
}

func (e expected) checkLegs(t *testing.T, x explain.Explanation) {
	t.Helper()
	var got []leg
	for i, l := range x.Legs {
		if want := messages.RoleCallee; (i > 0) != (l.Role == want) {
			t.Errorf("leg %d is the %s's", i, l.Role)
		}
		if l.Tenant != x.Tenant || l.Call != x.Call || l.Version != x.Version || l.EndedAt.Before(l.StartedAt) || l.Estimated {
			t.Errorf("the record of leg %s is not one of this call: %+v", l.Leg, l)
		}
		one := leg{Far: l.Device + l.Trunk, Cause: l.Cause, Code: l.SIPCode, Answered: l.AnsweredAt != nil}
		if l.Fault != messages.FaultNone {
			one.Fault = l.Fault
		}
		got = append(got, one)
	}
	byFar := func(a, b leg) int { return strings.Compare(a.Far, b.Far) }
	want := slices.Clone(e.Legs)
	for _, legs := range [][]leg{got, want} { // legs that are dialled at once come in any order
		if len(legs) > 1 {
			slices.SortStableFunc(legs[1:], byFar)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("records:\n%+v, want\n%+v", got, want)
	}
}

// story waits until a call is told to its end, with this many legs.
func (w *world) story(t *testing.T, id string, legs int) explain.Explanation {
	t.Helper()
	var x explain.Explanation
	var last error // PostgreSQL may just have come back: its first answer is that old connections are gone
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := await(ctx, "the call is not told to its end", func(ctx context.Context) (bool, error) {
		x, last = explainCall(ctx, w.Store, w.words, id)
		return last == nil && x.Complete() && len(x.Legs) >= legs, nil
	})
	if err != nil {
		t.Fatalf("%v (%v)\n%s\n%s", err, last, x.Text(), legsOf(x))
	}
	return x
}

func legsOf(x explain.Explanation) string {
	var out strings.Builder
	for _, l := range x.Legs {
		fmt.Fprintf(&out, "%s %s%s -> %s: %s, SIP %d, Q.850 %d, fault %s, answered %t, node %s, %s\n", l.Role, l.Device, l.Trunk, l.To, l.Cause, l.SIPCode, l.Q850,
			l.Fault, l.AnsweredAt != nil, l.Node, l.EndedAt.Sub(l.StartedAt))
	}
	return out.String()
}
