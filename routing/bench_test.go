package routing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"tandem/callflows"
	"tandem/messages"
	"tandem/tenants"
)

// size makes a snapshot of n tenants with 50 devices and 20 routes each.
func size(b *testing.B, n int) *tenants.Snapshot {
	b.Helper()
	var d tenants.Data
	for i := range n {
		id := fmt.Sprintf("t%d", i)
		t := tenants.Tenant{ID: id, Name: id, Domain: id + ".example", TimeZone: "UTC", MaxCalls: 100, Numbers: []string{fmt.Sprintf("+1555%07d", i)}}
		for k := range 50 {
			t.Users = append(t.Users, tenants.User{ID: fmt.Sprint("u", k), Name: fmt.Sprint("User ", k), Extension: fmt.Sprint(100 + k)})
			t.Devices = append(t.Devices, tenants.Device{ID: fmt.Sprint("d", k), UserID: fmt.Sprint("u", k), Name: "Phone", Username: fmt.Sprint("phone-", k)})
		}
		t.Published = tenants.Published{Version: 1, Flows: []tenants.Flow{{ID: "f", Start: "a", Elements: map[string]tenants.Element{"a": {Type: "hangup"}}}}}
		for k := range 20 {
			t.Published.Routes = append(t.Published.Routes, tenants.Route{Dialled: fmt.Sprint(100 + k), FlowID: "f"})
		}
		d.Tenants = append(d.Tenants, t)
	}
	s, faults := tenants.NewSnapshot(d, callflows.ParseSettings)
	if len(faults) > 0 {
		b.Fatal(faults)
	}
	return s
}

func sizes(b *testing.B, run func(b *testing.B, s *tenants.Snapshot, tenantCount int)) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprintf("tenants=%d", n), func(b *testing.B) { run(b, size(b, n), n) })
	}
}

func BenchmarkDecide(b *testing.B) {
	sizes(b, func(b *testing.B, s *tenants.Snapshot, n int) {
		f := up("n1", "n2", "n3", "n4")
		r, err := Read(fromDevice(b, fmt.Sprintf("phone-7@t%d.example", n/2), "105"))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if Decide(s, f, r).Verdict != messages.Route {
				b.Fatal("refused")
			}
		}
	})
}

// BenchmarkReadAndDecide goes from the broker's bytes to the broker's bytes. What a worker does besides is in BenchmarkDecision of
// cmd/tandem.
func BenchmarkReadAndDecide(b *testing.B) {
	sizes(b, func(b *testing.B, s *tenants.Snapshot, n int) {
		f := up("n1", "n2", "n3", "n4")
		m := fromDevice(b, fmt.Sprintf("phone-7@t%d.example", n/2), "105")
		m.SDP, m.UserAgent, m.Contact = descriptions[2].sdp, "Phone/1.0", "<sip:phone-7@192.0.2.44:5060>"
		var written bytes.Buffer
		e := json.NewEncoder(&written)
		e.SetEscapeHTML(false) // nor does Kamailio
		if err := e.Encode(m); err != nil {
			b.Fatal(err)
		}
		body := written.Bytes()
		b.ReportAllocs()
		for b.Loop() {
			m, err := messages.ParseRouteRequest(body)
			if err != nil {
				b.Fatal(err)
			}
			r, err := Read(m)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := messages.Encode(Answer(m, Decide(s, f, r))); err != nil {
				b.Fatal(err)
			}
		}
	})
}
