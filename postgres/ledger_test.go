package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tandem/because"
	"tandem/messages"
)

var startedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func cdr(leg, call string, role messages.LegRole) messages.CDR {
	answered := startedAt.Add(3 * time.Second)
	return messages.CDR{Type: messages.CDRV1, Leg: leg, Call: call, Tenant: "one", Role: role, Node: "m1", SIPCallID: leg + "@192.0.2.7",
		From: "+12025550100", FromName: "Reception", To: "102", Device: "d", StartedAt: startedAt, AnsweredAt: &answered,
		EndedAt: startedAt.Add(time.Minute), Cause: "NORMAL_CLEARING", Q850: 16, Fault: messages.FaultNone, Version: 3}
}

func insertCDRs(t *testing.T, s *Store, cdrs ...messages.CDR) int {
	t.Helper()
	n, err := s.InsertCDRs(testContext(t), cdrs)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func cdrsOf(t *testing.T, s *Store, call string) []messages.CDR {
	t.Helper()
	got, err := s.CDRsOf(testContext(t), call)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestACDRThatArrivesTwiceIsKeptOnce(t *testing.T) {
	s := newStore(t)
	a, b := cdr("leg-a", "call", messages.RoleCaller), cdr("leg-b", "call", messages.RoleCallee)
	if n := insertCDRs(t, s, b, a, b); n != 2 { // twice in one batch
		t.Errorf("%d rows were written, want 2", n)
	}
	late := a
	late.Cause, late.Q850 = "USER_BUSY", 17
	if n := insertCDRs(t, s, late); n != 0 { // and again, and not as it was
		t.Errorf("%d rows were written, want 0", n)
	}
	if diff := cmp.Diff([]messages.CDR{a, b}, cdrsOf(t, s, "call")); diff != "" {
		t.Error(diff)
	}
	if n := insertCDRs(t, s); n != 0 {
		t.Errorf("an empty batch wrote %d rows", n)
	}
}

func TestTheSameBatchFromManyWritersAtOnceIsKeptOnce(t *testing.T) {
	s := newStore(t)
	const legs, writers, rounds = 200, 4, 5
	for round := range rounds {
		var batch []messages.CDR
		for i := range legs {
			batch = append(batch, cdr(fmt.Sprintf("leg-%d-%03d", round, i), fmt.Sprintf("call-%d-%d", round, i%7), messages.RoleCaller))
		}
		counts, begin := make([]int, writers), make(chan struct{})
		var all sync.WaitGroup
		for w := range writers {
			mine := slices.Clone(batch)
			if w%2 == 1 {
				slices.Reverse(mine) // would lock the rows the other way round
			}
			all.Go(func() {
				<-begin
				n, err := s.InsertCDRs(testContext(t), mine)
				if err != nil {
					t.Error(err)
				}
				counts[w] = n
			})
		}
		close(begin)
		all.Wait()
		if sum(counts) != legs {
			t.Errorf("%v rows are said to be written, want %d in all", counts, legs)
		}
	}
	var rows int
	if err := s.pool.QueryRow(testContext(t), `SELECT count(*) FROM cdrs`).Scan(&rows); err != nil || rows != legs*rounds {
		t.Errorf("%d rows are there, want %d (%v)", rows, legs*rounds, err)
	}
}

func TestARealCDRTakesThePlaceOfAnEstimateAndNeverTheOtherWayRound(t *testing.T) {
	s := newStore(t)
	real := cdr("leg", "call", messages.RoleCaller)
	estimate := real
	estimate.Estimated, estimate.EndedAt, estimate.AnsweredAt, estimate.Cause = true, startedAt.Add(time.Hour), nil, "LOSE_RACE"
	for what, c := range map[string]struct {
		arrive  []messages.CDR
		written []int
		want    messages.CDR
	}{
		"estimate, then real":     {[]messages.CDR{estimate, real}, []int{1, 1}, real},
		"real, then estimate":     {[]messages.CDR{real, estimate}, []int{1, 0}, real},
		"estimate, then estimate": {[]messages.CDR{estimate, estimate}, []int{1, 0}, estimate},
		"all of it":               {[]messages.CDR{estimate, real, estimate, real}, []int{1, 1, 0, 0}, real},
	} {
		t.Run(what, func(t *testing.T) {
			var written []int
			var together []messages.CDR
			for _, c := range c.arrive {
				c.Leg, c.Call = what, what
				written = append(written, insertCDRs(t, s, c))
				c.Leg, c.Call = what+" in one batch", what+" in one batch"
				together = append(together, c)
			}
			total := insertCDRs(t, s, together...)
			if diff := cmp.Diff(c.written, written); diff != "" {
				t.Error(diff)
			}
			for _, call := range []string{what, together[0].Call} {
				want := c.want
				want.Leg, want.Call = call, call
				if diff := cmp.Diff([]messages.CDR{want}, cdrsOf(t, s, call)); diff != "" {
					t.Error(diff)
				}
			}
			if sum(written) != total {
				t.Errorf("one batch wrote %d rows, one by one %d", total, sum(written))
			}
		})
	}
}

func sum(numbers []int) (s int) {
	for _, n := range numbers {
		s += n
	}
	return s
}

func TestABatchWithOneBadRowKeepsNothingAndSaysThatTheDataIsAtFault(t *testing.T) {
	s := newStore(t)
	bad := cdr("bad", "call", messages.RoleCaller)
	bad.EndedAt = bad.StartedAt.Add(-time.Second)
	_, err := s.InsertCDRs(testContext(t), []messages.CDR{cdr("good", "call", messages.RoleCaller), bad})
	if !IsRefused(err) {
		t.Errorf("got %v, want that the data is refused", err)
	}
	if got := cdrsOf(t, s, "call"); len(got) != 0 {
		t.Errorf("kept %d rows", len(got))
	}
	_, away := newLine(t, s.pool.Config().ConnString())
	if _, err := openStore(t, away).InsertCDRs(testContext(t), []messages.CDR{cdr("good", "call", messages.RoleCaller)}); err == nil || IsRefused(err) {
		t.Errorf("an absent server gave %v, which must not count as refused data", err)
	}
}

func entry(call string, source messages.JournalSource, n int) messages.JournalEntry {
	return messages.JournalEntry{Call: call, Tenant: "one", Source: source, N: n, At: startedAt.Add(time.Duration(n) * time.Second), Version: 3,
		Element: "menu", Because: []because.Reason{because.New("number_found", "number", "102")},
		Input:  json.RawMessage(`{"b": 1,  "a": 12345678901234567890.10, "a": "twice"}`),
		Output: json.RawMessage(`{"commands":[]}`)}
}

func insertJournal(t *testing.T, s *Store, entries ...messages.JournalEntry) int {
	t.Helper()
	n, err := s.InsertJournal(testContext(t), entries)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAJournalEntryIsKeptOnceAndByteForByte(t *testing.T) {
	s := newStore(t)
	routing, first, second := entry("call", messages.SourceRouting, 0), entry("call", messages.SourceCallflow, 0), entry("call", messages.SourceCallflow, 1)
	if n := insertJournal(t, s, second, routing, first, second); n != 3 {
		t.Errorf("%d entries were written, want 3", n)
	}
	if n := insertJournal(t, s, first, routing); n != 0 {
		t.Errorf("%d entries were written again", n)
	}
	got, err := s.JournalOf(testContext(t), "call")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]messages.JournalEntry{routing, first, second}, got); diff != "" {
		t.Error(diff)
	}
}

func TestHostileTextIsKeptAndBreaksNothing(t *testing.T) {
	s := newStore(t)
	c := cdr("leg", "call", messages.RoleCaller)
	c.FromName, c.From, c.SIPCallID = "\x00'; DROP TABLE cdrs; --", "\xff\xfe", strings.Repeat("é\x00", 340)
	e := entry("call", messages.SourceRouting, 0)
	e.Input = json.RawMessage("{\"request\": {\"from_name\": \"\\u0000 \\ud800\", \"sip_call_id\": \"x\\u0000y\", \"raw\": \"\xff\"}}")
	e.Output = nil
	insertCDRs(t, s, c)
	insertJournal(t, s, e)
	if got := cdrsOf(t, s, "call"); len(got) != 1 || got[0].FromName != "\uFFFD'; DROP TABLE cdrs; --" || got[0].From != "\uFFFD" {
		t.Errorf("got %+v", got)
	}
	got, err := s.JournalOf(testContext(t), "call")
	if err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	if want := strings.ReplaceAll(string(e.Input), "\xff", "\uFFFD"); string(got[0].Input) != want || string(got[0].Output) != "null" {
		t.Errorf("got %s and %s", got[0].Input, got[0].Output)
	}
}

func TestACallIsKnownFromWhateverArrivesFirst(t *testing.T) {
	a, b := cdr("leg-a", "call", messages.RoleCaller), cdr("leg-b", "call", messages.RoleCallee)
	b.To, b.StartedAt, b.EndedAt = "sip:sales@192.0.2.8", startedAt.Add(time.Second), startedAt.Add(2*time.Minute)
	e := entry("call", messages.SourceRouting, 0)
	e.At = startedAt.Add(-time.Second)
	e.Input = json.RawMessage(`{"request": {"sip_call_id": "leg-a@192.0.2.7"}}`)
	e.Output = json.RawMessage(`{"caller": {"number": "+12025550100"}, "dialled": "102"}`)
	want := Call{Call: "call", Tenant: "one", SIPCallID: "leg-a@192.0.2.7", From: "+12025550100", To: "102",
		StartedAt: e.At, EndedAt: &b.EndedAt, Version: 3}
	steps := []func(*Store){
		func(s *Store) { insertCDRs(t, s, a) },
		func(s *Store) { insertCDRs(t, s, b) },
		func(s *Store) { insertJournal(t, s, e) },
	}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		s := newStore(t)
		for _, i := range order {
			steps[i](s)
		}
		for _, id := range []string{"call", "leg-a@192.0.2.7", "leg-b@192.0.2.7"} {
			got, err := s.Call(testContext(t), id)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("in the order %v, by %s: %s", order, id, diff)
			}
		}
		for _, id := range []string{"other", ""} {
			if _, err := s.Call(testContext(t), id); !errors.Is(err, ErrNotFound) {
				t.Errorf("%q: got %v", id, err)
			}
		}
	}
}

func TestALiveCallIsFoundByItsNumbersFromItsRoutingAlone(t *testing.T) {
	s := newStore(t)
	e := entry("call", messages.SourceRouting, 0)
	e.Output = json.RawMessage(`{"caller": {"number": "+12025550100"}, "dialled": "102"}`)
	insertJournal(t, s, e)
	for _, number := range []string{"+12025550100", "102"} {
		calls, err := s.RecentCalls(testContext(t), 10, CallFilter{Number: number})
		if err != nil || len(calls) != 1 || calls[0].EndedAt != nil {
			t.Errorf("%s: got %v, %v", number, calls, err)
		}
	}
}

func TestRecentCallsAreTheLatestFirstAndBounded(t *testing.T) {
	s := newStore(t)
	var all []messages.CDR
	for i := range 20 {
		c := cdr(fmt.Sprintf("leg-%02d", i), fmt.Sprintf("call-%02d", i), messages.RoleCaller)
		c.StartedAt, c.EndedAt = startedAt.Add(time.Duration(i)*time.Hour), startedAt.Add(time.Duration(i)*time.Hour+time.Minute)
		switch {
		case i%5 == 0:
			c.From, c.To = "+12025550155", "+12025550155" // both: listed once
		case i%5 == 1:
			c.To = "+12025550155"
		}
		all = append(all, c)
	}
	insertCDRs(t, s, all...)
	for _, c := range []struct {
		limit  int
		filter CallFilter
		want   string
	}{
		{3, CallFilter{}, "call-19 call-18 call-17"},
		{5, CallFilter{Number: "+12025550155"}, "call-16 call-15 call-11 call-10 call-06"},
		{MaxRecentCalls * 10, CallFilter{Number: "+12025550155"}, "call-16 call-15 call-11 call-10 call-06 call-05 call-01 call-00"},
		{5, CallFilter{Number: "' OR true --"}, ""},
		{-1, CallFilter{}, ""},
	} {
		calls, err := s.RecentCalls(testContext(t), c.limit, c.filter)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, call := range calls {
			got = append(got, call.Call)
		}
		if diff := cmp.Diff(c.want, strings.Join(got, " "), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%d %+v: %s", c.limit, c.filter, diff)
		}
	}
}

func BenchmarkInsertCDRs(b *testing.B) {
	s := benchStore(b)
	batch := make([]messages.CDR, 256)
	n := 0
	for b.Loop() {
		for i := range batch {
			n++
			batch[i] = cdr(fmt.Sprintf("leg-%d", n), fmt.Sprintf("call-%d", n/2), messages.RoleCaller)
		}
		if _, err := s.InsertCDRs(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}
