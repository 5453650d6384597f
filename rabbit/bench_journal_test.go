package rabbit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"tandem/because"
	"tandem/callflows"
	"tandem/messages"
	"tandem/routing"
)

// BenchmarkJournal is what one entry costs from AddJournal to the packed batch that goes to the broker.
//
//	go test ./rabbit -run ^$ -bench Journal -cpu 1 -count 5
func BenchmarkJournal(b *testing.B) {
	l := &Ledger{client: &Client{publishing: &link{}}, journal: journal{head: journalHead([]byte(`"bench"`))}, wake: make(chan struct{}, 1)}
	l.client.publishing.session.Store(&session{})
	all := make([]messages.JournalEntry, 4*JournalBatch) // far more than a packer looks back
	for i := range all {
		all[i] = routed(i)
	}
	n, packed := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		l.AddJournal(all[n%len(all)])
		if n++; n%JournalBatch == 0 {
			_, batch := l.take(b.Context())
			packed += len(l.packer.pack(persistent(messages.JournalV1, batch.message())).Body)
			l.settleJournal(batch, true)
		}
	}
	b.ReportMetric(float64(packed)/float64(n), "packed-B/op")
}

// routed is an entry as a route worker makes them: of a call from one desk phone to another.
func routed(n int) messages.JournalEntry {
	tenant, domain := fmt.Sprintf("bench-%03d", n/20%100), fmt.Sprintf("t%03d.example.com", n/20%100)
	caller, callee := strconv.Itoa(100+n%20), strconv.Itoa(100+(n+1)%20)
	source := netip.AddrFrom4([4]byte{198, 51, 100, byte(1 + n/20%100)})
	at := time.Unix(1_790_000_000, int64(n)*130_123).UTC()
	sum := sha256.Sum256([]byte(strconv.Itoa(n)))
	call := hex.EncodeToString(sum[:16])
	request := routing.Request{
		Call: call, Edge: "edge1.example.com", Source: source, Port: 5060, Transport: "udp", SIPCallID: fmt.Sprintf("5f3c9a1e7b2d-%d@%s", n, source),
		To: routing.URI{User: "desk" + callee, Host: domain}, From: routing.URI{User: "desk" + caller, Host: domain}, FromName: "Front Desk",
		AuthUser: "desk" + caller, AuthRealm: domain, UserAgent: "Deskphone X4/2.31.0 (8f:00:4b:11:22:33)",
		Media: routing.Media{SRTP: true, Codecs: []string{"G722/8000", "PCMA/8000", "PCMU/8000", "G729/8000", "opus/48000/2", "iLBC/8000", "speex/16000", "telephone-event/8000"}},
	}
	facts := routing.Facts{At: at, TenantCalls: n % 900}
	decision := routing.Decision{Verdict: messages.Route, FlowID: "user-desk" + callee, Dialled: callee,
		Caller: callflows.Caller{Device: "desk" + caller, Number: caller, Name: "Desk " + caller}}
	for i := range 4 {
		uri := fmt.Sprintf("sip:192.0.2.%d:5060", i+1)
		facts.Nodes = append(facts.Nodes, routing.Node{Name: fmt.Sprintf("bench%d", i+1), SIPURI: uri, State: messages.NodeUp})
		decision.Nodes = append(decision.Nodes, uri)
	}
	decision.Call, decision.Tenant, decision.Version = call, tenant, 1
	decision.Because = []because.Reason{
		because.New("caller_device", "device", "Phone "+caller, "number", caller, "tenant", "Tenant "+tenant),
		because.New("route_found", "number", callee, "flow", "Desk "+callee),
		because.New("nodes_chosen", "nodes", "bench2, bench1, bench4, bench3"),
	}
	entry, _ := routing.Journal(nil, facts, request, decision)
	return entry
}
