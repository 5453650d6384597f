package postgres

import (
	"fmt"
	"testing"
	"time"

	"tandem/messages"
	"tandem/stack"
)

// BenchmarkLedgerBatch is what a batch of 500 records of 250 calls costs, with the events that tell of them.
func BenchmarkLedgerBatch(b *testing.B) {
	s := newStoreB(b)
	at := time.Now().Add(-time.Hour)
	n := 0
	for b.Loop() {
		var cdrs []messages.CDR
		for range 250 {
			call := fmt.Sprint("call", n)
			n++
			cdrs = append(cdrs, callCDR(call, call+"a", messages.RoleCaller, true, at), callCDR(call, call+"b", messages.RoleCallee, false, at))
		}
		if _, err := s.InsertCDRs(b.Context(), cdrs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*2)/b.Elapsed().Seconds(), "records/s")
}

func newStoreB(b *testing.B) *Store {
	b.Helper()
	address := stack.ForTest(b).TestDatabase(b)
	if err := Migrate(b.Context(), address); err != nil {
		b.Fatal(err)
	}
	s, err := Open(b.Context(), address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	return s
}
