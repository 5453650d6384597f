package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/messages"
	"tandem/rabbit"
)

// How much the web admin has to show while it is measured.
const (
	manyCalls   = 100_000
	manyDevices = 10_000
	manyLive    = 500
	liveNode    = "bench"
	liveParts   = 8               // of what is told of it, so that each fits a message
	liveSpeaks  = 2 * time.Second // between the words of the owner of that node
)

// How quick the web admin is with as much as a large customer has: make admin-bench. The live calls are told by a node's owner that there
// is none of; the rest is in the database.
func TestTheAdminIsQuick(t *testing.T) {
	if os.Getenv("TANDEM_ADMIN_BENCH") == "" {
		t.Skip("make admin-bench runs it")
	}
	a := newAdminWorld(t)
	db, err := pgx.Connect(within(t), a.postgresURL)
	must(t, err)
	defer db.Close(context.Background())
	for _, statement := range []string{
		`INSERT INTO devices (tenant_id, id, name, username, ha1)
		 SELECT '%[1]s', 'bench-' || i, 'Phone ' || i, 'bench' || i, md5(i::text) FROM generate_series(1, %[3]d) AS i`,
		`INSERT INTO calls (call, tenant_id, sip_call_id, "from", "to", started_at, ended_at, version, cause, sip_code, fault)
		 SELECT 'bench-' || i, '%[1]s', 'bench-' || i || '@phones', '+1202555' || lpad((i %% 10000)::text, 4, '0'), '10' || i %% 10, now() - i * interval '7 seconds', now() - i * interval '7 seconds' + interval '40 seconds', 1,
		        CASE WHEN i %% 5 = 0 THEN 'USER_BUSY' ELSE 'NORMAL_CLEARING' END, CASE WHEN i %% 5 = 0 THEN 486 ELSE 0 END, CASE WHEN i %% 5 = 0 THEN 'callee' ELSE 'none' END
		   FROM generate_series(1, %[2]d) AS i`,
		`INSERT INTO cdrs (leg, call, tenant_id, role, node, sip_call_id, "from", from_name, "to", device, trunk, started_at, answered_at, ended_at, sip_code, cause, q850, fault, version, estimated)
		 SELECT 'bench-' || i, 'bench-' || i, '%[1]s', 'caller', 'node1', 'bench-' || i || '@phones', '+1202555' || lpad((i %% 10000)::text, 4, '0'), '', '10' || i %% 10, '', 'carrier', now() - i * interval '7 seconds', NULL,
		        now() - i * interval '7 seconds' + interval '40 seconds', 486, 'USER_BUSY', 17, 'callee', 1, false FROM generate_series(1, %[2]d) AS i`,
		`ANALYZE`,
	} {
		if len(statement) > 10 {
			statement = fmt.Sprintf(statement, a.c.id, manyCalls, manyDevices)
		}
		_, err := db.Exec(within(t), statement)
		must(t, err)
	}
	a.awaitRevision(t)
	defer a.tellLive(t)()
	a.browse("bench.mjs", "DEVICES="+fmt.Sprint(manyDevices), "LIVE="+fmt.Sprint(manyLive))
}

// tellLive lets the workers hear of many live calls until the function that it gives is called.
func (a *adminWorld) tellLive(t *testing.T) (end func()) {
	t.Helper()
	client, err := rabbit.Connect(within(t), rabbit.Options{URL: a.amqpURL, Name: "bench", Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	must(t, client.WaitConnected(within(t)))
	began := time.Now().UTC().Add(-time.Minute)
	tell := func(ctx context.Context, n uint64, calls int) {
		node := &messages.NodeEvent{Type: messages.NodeEventV1, Node: liveNode, SIPURI: "sip:192.0.2.99:5080", State: messages.NodeDraining, Calls: calls, At: time.Now().UTC(), Worker: liveNode, Epoch: 1}
		parts := make([]messages.NodeCalls, liveParts)
		for i := range parts {
			parts[i] = messages.NodeCalls{Type: messages.NodeCallsV1, Node: liveNode, Worker: liveNode, Epoch: 1, N: n, Part: i, Of: liveParts, At: time.Now().UTC(), Calls: []messages.NodeCall{}}
		}
		for i := range calls {
			id := fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
			m := &parts[messages.PartOf(id, liveParts)]
			m.Calls = append(m.Calls, messages.NodeCall{Call: id, Tenant: a.c.id, From: fmt.Sprintf("+1202555%04d", i), To: "101", Flow: "main", Element: "ring", Phase: "talking",
				StartedAt: began.Add(time.Duration(i) * time.Millisecond), AnsweredAt: began.Add(time.Second),
				Legs: []messages.NodeLeg{{ID: id + "-a", Role: messages.RoleCaller, Trunk: "carrier", AnsweredAt: began, With: id + "-b"}, {ID: id + "-b", Role: messages.RoleCallee, Device: "one-phone", AnsweredAt: began, With: id + "-a"}}})
		}
		_ = client.Publish(ctx, rabbit.ExchangeEvents, string(node.MessageType()), node) // what is lost is told again
		for i := range parts {
			if err := client.Publish(ctx, rabbit.ExchangeEvents, string(messages.NodeCallsV1), &parts[i]); err != nil && ctx.Err() == nil {
				t.Log(err)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		every := time.NewTicker(liveSpeaks)
		defer every.Stop()
		for n := uint64(1); ; n++ {
			tell(ctx, n, manyLive)
			select {
			case <-ctx.Done():
				return
			case <-every.C:
			}
		}
	}()
	return func() {
		cancel()
		<-done
		tell(context.Background(), 1<<40, 0)
		client.Close()
	}
}
