package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tandem/messages"
)

// ledgerOf fills a ledger with calls of a tenant, one each second but for each tenth, which begins with the one before, and gives
// their ids in order. Each has one routing entry and two steps.
func ledgerOf(t *testing.T, s *Store, tenant string, calls int) (ids []string) {
	t.Helper()
	var entries []messages.JournalEntry
	for i := range calls {
		id, at := fmt.Sprintf("%s-%05d", tenant, i), startedAt.Add(time.Duration(i-i%10/9)*time.Second)
		ids = append(ids, id)
		entry := func(source messages.JournalSource, leg string, n int) messages.JournalEntry {
			return messages.JournalEntry{Call: id, Tenant: tenant, Source: source, Leg: leg, N: n, At: at, Version: 3, Input: json.RawMessage(`{"kind":"x"}`), Output: json.RawMessage(`null`)}
		}
		entries = append(entries, entry(messages.SourceCallflow, "leg", 1), entry(messages.SourceCallflow, "leg", 0), entry(messages.SourceRouting, "", 0))
	}
	if _, err := s.InsertJournal(testContext(t), entries); err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestEachCallsJournalIsGivenOnceWholeAndInOrder(t *testing.T) {
	s := newStore(t)
	ledgerOf(t, s, "other", 3)
	all := ledgerOf(t, s, "one", 2*callsAtOnce+7)
	insertCDRs(t, s, cdr("leg-alone", "one-alone", messages.RoleCaller)) // of tenant one, at startedAt
	for name, c := range map[string]struct {
		of   CallsOf
		want []string
	}{
		"all":          {CallsOf{"one", startedAt, startedAt.Add(time.Hour)}, slices.Insert(slices.Clone(all), 1, "one-alone")},
		"some":         {CallsOf{"one", startedAt.Add(5 * time.Second), startedAt.Add(8 * time.Second)}, all[5:8]},
		"of no time":   {CallsOf{"one", startedAt.Add(time.Hour), startedAt.Add(2 * time.Hour)}, nil},
		"of no tenant": {CallsOf{"none", startedAt, startedAt.Add(time.Hour)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			err := s.EachJournal(testContext(t), c.of, func(call string, journal []messages.JournalEntry) error {
				got = append(got, call)
				if call == "one-alone" && len(journal) == 0 {
					return nil
				}
				if len(journal) != 3 || journal[0].Source != messages.SourceRouting || journal[1].N != 0 || journal[2].N != 1 || journal[2].Call != call || string(journal[2].Input) != `{"kind":"x"}` {
					t.Errorf("%s has the journal %+v", call, journal)
				}
				return nil
			})
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%v: got %d calls, want %d:\n%q\n%q", err, len(got), len(c.want), got, c.want)
			}
		})
	}
}

func TestTheFirstErrorEndsTheReadingOfJournals(t *testing.T) {
	s := newStore(t)
	ledgerOf(t, s, "one", 20)
	enough, n := errors.New("enough"), 0
	err := s.EachJournal(testContext(t), CallsOf{"one", startedAt, startedAt.Add(time.Hour)}, func(string, []messages.JournalEntry) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 3 {
		t.Errorf("got %v after %d calls", err, n)
	}
	if err := s.Ping(testContext(t)); err != nil { // the connection is back
		t.Error(err)
	}
}
