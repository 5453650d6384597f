package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/postgres"
	"tandem/rabbit"
	"tandem/tenants"
)

// BenchmarkDecision is what a route worker does for one request between the broker's bytes and the broker's bytes: it reads,
// decides, journals and writes the answer. The broker is away, so that the ledger is full and drops the oldest entries; what it
// costs to send them is BenchmarkJournal of package rabbit.
//
//	go test ./cmd/tandem -run ^$ -bench Decision -cpu 1 -count 5
func BenchmarkDecision(b *testing.B) {
	w := offlineWorker(b, benchData())
	relaxGC()
	for i := range benchNodes {
		w.facts.nodes.Apply(&messages.NodeEvent{Type: messages.NodeEventV1, Node: fmt.Sprintf("bench%d", i+1),
			SIPURI: fmt.Sprintf("sip:192.0.2.%d:5060", i+1), State: messages.NodeUp, Worker: "bench"}, time.Now().Add(time.Hour/2))
	}
	large := json.RawMessage(`"` + strings.Repeat("x", messages.MaxJournalBytes*7/8) + `"`)
	for range 2 * rabbit.MaxHeldJournalBytes / len(large) {
		w.ledger.AddJournal(messages.JournalEntry{Call: "large", Source: messages.SourceRouting, Input: large})
	}
	bodies, err := benchBodies()
	must(b, err)
	asked := benchAMQP{bodies: bodies}
	n, before := 0, usedByBenchmark(b)
	b.ReportAllocs()
	for b.Loop() {
		n++
		m, err := messages.ParseRouteRequest(asked.body(n))
		if err != nil {
			b.Fatal(err)
		}
		answer, sent := w.decide(b.Context(), m, time.Now().UTC())
		if answer.Verdict != messages.Route {
			b.Fatalf("%+v", answer)
		}
		if _, err := messages.Encode(answer); err != nil {
			b.Fatal(err)
		}
		sent()
	}
	b.ReportMetric(float64((usedByBenchmark(b)-before).Nanoseconds())/float64(n), "cpu-ns/op")
}

// usedByBenchmark is what this process has used: on a busy machine it tells more than the clock.
func usedByBenchmark(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// benchData is the configuration that provisionBench makes, without PostgreSQL.
func benchData() tenants.Data {
	data := tenants.Data{LoadedAt: time.Now()}
	for i := range benchNodes {
		data.Nodes = append(data.Nodes, tenants.Node{Name: fmt.Sprintf("bench%d", i+1), SIPURI: fmt.Sprintf("sip:192.0.2.%d:5060", i+1)})
	}
	for t := range benchTenants {
		id := benchTenant(t)
		tenant := tenants.Tenant{ID: id, Name: "Tenant " + id, Domain: benchDomain(t), TimeZone: "UTC", Numbers: []string{benchNumberOf(t)},
			Published: tenants.Published{Version: 1}}
		for d := range benchDevices {
			name := benchUsername(d)
			tenant.Users = append(tenant.Users, tenants.User{ID: name, Name: "Desk " + benchExtension(d), Extension: benchExtension(d)})
			tenant.Devices = append(tenant.Devices, tenants.Device{ID: name, UserID: name, Name: "Phone " + benchExtension(d), Username: name})
			tenant.Published.Flows = append(tenant.Published.Flows, tenants.Flow{ID: "user-" + name, Name: "Desk " + benchExtension(d), Start: "e",
				Elements: map[string]tenants.Element{"e": {Type: "hangup"}}})
			tenant.Published.Routes = append(tenant.Published.Routes, tenants.Route{Dialled: benchExtension(d), FlowID: "user-" + name})
		}
		data.Tenants = append(data.Tenants, tenant)
	}
	data.Trunks = []tenants.Trunk{{ID: "bench", Name: "Bench", Addresses: []netip.Addr{benchTrunk}}}
	return data
}

// offlineWorker is a worker whose PostgreSQL and RabbitMQ are away: it decides from a local snapshot.
func offlineWorker(b *testing.B, data tenants.Data) *worker {
	b.Helper()
	const nobody = "127.0.0.1:1"
	silent := slog.New(slog.DiscardHandler)
	dir := b.TempDir()
	must(b, postgres.WriteSnapshot(dir, data))
	w := &worker{log: silent, meters: newMeters()}
	var err error
	w.store, err = postgres.Open(b.Context(), "postgres://tandem@"+nobody+"/tandem")
	must(b, err)
	b.Cleanup(w.store.Close)
	w.store.Log = silent
	w.rabbit, err = rabbit.Connect(b.Context(), rabbit.Options{URL: "amqp://tandem@" + nobody, Name: "bench", Logger: silent})
	must(b, err)
	b.Cleanup(w.rabbit.Close)
	w.ledger, err = w.rabbit.OpenLedger(rabbit.LedgerOptions{StateDir: dir})
	must(b, err)
	b.Cleanup(func() {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		_ = w.ledger.Close(over) // what it holds is of no use
	})
	w.source = &postgres.Source{Store: w.store, Dir: dir, Parse: callflows.ParseSettings, Log: silent}
	ctx, cancel := context.WithCancel(b.Context())
	b.Cleanup(cancel)
	go func() { _ = w.source.Run(ctx) }()
	<-w.source.Ready()
	w.facts = &facts{worker: w}
	return w
}
