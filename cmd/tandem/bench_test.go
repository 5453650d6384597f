package main

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/routing"
	"tandem/tenants"
)

func TestMediansAndPercentiles(t *testing.T) {
	for _, c := range []struct {
		values series
		want   float64
	}{{nil, 0}, {series{3}, 3}, {series{9, 1, 5}, 5}, {series{4, 1, 2, 9}, 3}} {
		if got := c.values.median(); got != c.want {
			t.Errorf("median of %v: %v, want %v", c.values, got, c.want)
		}
	}
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[99-i] = time.Duration(i + 1)
	}
	if p50, p99 := percentile(hundred, 50), percentile(hundred, 99); p50 != 51 || p99 != 100 {
		t.Errorf("p50 %d, p99 %d", p50, p99)
	}
	if percentile(nil, 50) != 0 {
		t.Error("a percentile of nothing")
	}
}

// free is a worker whose processor time is not looked at.
func free() (usage, error) { return usage{}, nil }

func TestAtSaturationSoManyRequestsAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const outstanding, takes = 8, 10 * time.Millisecond
		var underWay atomic.Int64
		most := int64(0)
		var l *load
		l = newLoad(func(n int) error {
			most = max(most, underWay.Add(1))
			time.AfterFunc(takes, func() {
				underWay.Add(-1)
				l.answered(n, true)
			})
			return nil
		})
		m, err := l.saturate(t.Context(), outstanding, time.Second, time.Second, free)
		if err != nil {
			t.Fatal(err)
		}
		if most != outstanding || m.perSecond < 790 || m.perSecond > 810 || m.p50 != takes || m.lost != 0 {
			t.Errorf("%d under way, %+v", most, m)
		}
	})
}

func TestAtAFixedRateASlowSenderHidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate, stall = 100, 500 * time.Millisecond
		var l *load
		l = newLoad(func(n int) error {
			if n == 10 {
				time.Sleep(stall) // as a broker that reads nothing for a moment
			}
			l.answered(n, true)
			return nil
		})
		m, err := l.pace(t.Context(), rate, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if m.sent < 70 || m.sent > 130 {
			t.Errorf("%d requests in a second at %d/s", m.sent, rate)
		}
		if m.p99 < stall-50*time.Millisecond || m.p50 == 0 {
			t.Errorf("what waited for the sender does not show: p50 %v, p99 %v", m.p50, m.p99)
		}
	})
}

func TestAMeasurementWithLossesIsRefused(t *testing.T) {
	for name, answer := range map[string]func(l *load, n int){
		"half of the answers are missing": func(l *load, n int) {
			if n%2 == 0 {
				l.answered(n, true)
			}
		},
		"half of the answers are wrong":    func(l *load, n int) { l.answered(n, n%2 == 0) },
		"all answers are to other numbers": func(l *load, n int) { l.answered(n+1000, true) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l *load
				l = newLoad(func(n int) error { answer(l, n); return nil })
				if m, err := l.pace(t.Context(), 100, time.Second); err == nil {
					t.Errorf("taken: %+v", m)
				}
			})
		})
	}
	t.Run("no answers at saturation", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLoad(func(int) error { return nil })
			if m, err := l.saturate(t.Context(), 8, time.Second, time.Minute, free); err == nil {
				t.Errorf("taken: %+v", m)
			}
		})
	})
}

func TestAnAnswerCountsOnce(t *testing.T) {
	l := newLoad(func(int) error { return nil })
	l.begin(0)
	if err := l.ask(time.Nanosecond); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		l.answered(1, true)
	}
	l.answered(-1, true)
	if l.count != 1 {
		t.Errorf("counted %d times", l.count)
	}
}

// TestTheBenchmarkAsksWhatIsRouted: a request that a worker rejects would measure something else.
func TestTheBenchmarkAsksWhatIsRouted(t *testing.T) {
	bodies, err := benchBodies()
	if err != nil {
		t.Fatal(err)
	}
	b := benchAMQP{bodies: bodies}
	tenant := tenants.Tenant{ID: benchTenant(0), Domain: benchDomain(0), TimeZone: "UTC", Published: tenants.Published{
		Version: 1, Flows: []tenants.Flow{{ID: "f", Start: "e", Elements: map[string]tenants.Element{"e": {Type: "hangup"}}}}}}
	for d := range benchDevices {
		tenant.Devices = append(tenant.Devices, tenants.Device{ID: benchUsername(d), Username: benchUsername(d)})
		tenant.Published.Routes = append(tenant.Published.Routes, tenants.Route{Dialled: benchExtension(d), FlowID: "f"})
	}
	snapshot, faults := tenants.NewSnapshot(tenants.Data{Tenants: []tenants.Tenant{tenant}}, callflows.ParseSettings)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	facts := routing.Facts{Nodes: []routing.Node{{Name: "n", SIPURI: "sip:192.0.2.1", State: messages.NodeUp}}}
	for n := range benchDevices { // the first tenant's
		body := b.body(n)
		m, err := messages.ParseRouteRequest(body)
		if err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		request, err := routing.Read(m)
		if err != nil {
			t.Fatal(err)
		}
		d := routing.Decide(snapshot, facts, request)
		if d.Verdict != messages.Route || m.TIndex != n {
			t.Errorf("request %d is %d, decided as %+v", n, m.TIndex, d)
		}
		if len(body) < 1500 || len(body) > 2500 {
			t.Errorf("%d bytes are not what an edge asks with", len(body))
		}
		answer, err := messages.Encode(routing.Answer(m, d))
		if err != nil || benchNumber(answer) != n {
			t.Errorf("the number of %s: %d, %v", answer, benchNumber(answer), err)
		}
	}
}

func TestTheCarrierKnowsItsAnswers(t *testing.T) {
	const answer = "SIP/2.0 404 Not Found\r\nVia: SIP/2.0/UDP 127.0.0.1:5\r\nTo: <sip:1@h>;tag=x\r\nCall-ID: 17" + callIDTail + "\r\n\r\n"
	if code, n, to := sipStatus([]byte(answer)), sipNumber([]byte(answer)), sipHeader([]byte(answer), "To"); code != 404 || n != 17 || string(to) != "<sip:1@h>;tag=x" {
		t.Errorf("%d, %d, %s", code, n, to)
	}
	for _, other := range []string{"", "SIP/2.0 4", "OPTIONS sip:x SIP/2.0\r\n\r\n", "SIP/2.0 200 OK\r\nCall-ID: another@host\r\n\r\n"} {
		if n := sipNumber([]byte(other)); n != -1 {
			t.Errorf("%q is the answer to %d", other, n)
		}
	}
}

func TestProcessorTimeOfThisProcess(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	const enough = 50 * time.Millisecond
	for ctx.Err() == nil {
		used, err := cpuOf(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if used >= enough {
			return
		}
	}
	t.Error("ten busy seconds do not show")
}
