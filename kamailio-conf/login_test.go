package kamailioconf_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	kamailioconf "tandem/kamailio-conf"
	"tandem/messages"
	"tandem/sipptest"
)

func TestAPhoneRegistersWithItsPasswordAlone(t *testing.T) {
	e := startEdge(t, nil, nil, nil)
	t.Run("right password", func(t *testing.T) {
		alice := e.phone("alice")
		if err := alice.Register(t.Context(), sipptest.Registration{Expires: 120}); err != nil {
			t.Fatal(err)
		}
		r := next(t, e.worker.registrations)
		if r.Event != messages.Registered || r.Username != "alice" || r.Domain != domain || r.Edge != "edge1.test" || r.EdgeURI != "sip:"+e.values.Inside {
			t.Errorf("%+v", r)
		}
		want := fmt.Sprintf("sip:alice@127.0.0.1:%[1]d;alias=127.0.0.1~%[1]d~1", alice.Port)
		if r.Contact != want || r.SourceAddress != "127.0.0.1" || r.SourcePort != alice.Port || r.Transport != "udp" || r.CSeq != 2 || r.CallID == "" || r.UserAgent != "SIPp" {
			t.Errorf("%+v\nwant the contact %s", r, want)
		}
		if r.Expires < 110 || r.Expires > 120 || time.Since(time.Unix(r.At, 0)).Abs() > time.Minute {
			t.Errorf("expires %d at %d", r.Expires, r.At)
		}
		if err := alice.Register(t.Context(), sipptest.Registration{Remove: true}); err != nil {
			t.Fatal(err)
		}
		if gone := next(t, e.worker.registrations); gone.Event != messages.Unregistered || gone.Contact != want || gone.Expires != 0 {
			t.Errorf("%+v", gone)
		}
	})
	t.Run("all contacts go at once", func(t *testing.T) {
		one, two := e.phone("bob"), e.phone("bob")
		for _, p := range []*sipptest.Phone{one, two} {
			if err := p.Register(t.Context(), sipptest.Registration{}); err != nil {
				t.Fatal(err)
			}
			next(t, e.worker.registrations)
		}
		if err := two.Register(t.Context(), sipptest.Registration{Remove: true, Everything: true}); err != nil {
			t.Fatal(err)
		}
		gone := map[string]bool{}
		for range 2 {
			r := next(t, e.worker.registrations)
			if r.Event != messages.Unregistered || r.Username != "bob" {
				t.Errorf("%+v", r)
			}
			gone[r.Contact] = true
		}
		if len(gone) != 2 {
			t.Errorf("not both contacts went: %v", gone)
		}
	})
	t.Run("a contact that is not refreshed expires", func(t *testing.T) {
		if err := e.phone("alice").Register(t.Context(), sipptest.Registration{Expires: 1}); err != nil {
			t.Fatal(err)
		}
		added := next(t, e.worker.registrations)
		gone := next(t, e.worker.registrations)
		if gone.Event != messages.Expired || gone.Contact != added.Contact || gone.Username != "alice" || gone.Domain != domain || gone.Expires != 0 {
			t.Errorf("%+v", gone)
		}
	})
	for name, p := range map[string]*sipptest.Phone{
		"wrong password": {User: "alice", Domain: domain, Password: "guess"},
		"unknown user":   {User: "mallory", Domain: domain, Password: password},
		"unknown domain": {User: "alice", Domain: "other.test", Password: password},
		"hostile user":   {User: "a'or''='", Domain: domain, Password: password},
	} {
		t.Run(name, func(t *testing.T) {
			p.Edge = e.values.Outside
			if err := p.Register(t.Context(), sipptest.Registration{Expect: 403}); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("more contacts than allowed: the oldest yields", func(t *testing.T) {
		for i := range 11 {
			if err := e.phone("bob").Register(t.Context(), sipptest.Registration{}); err != nil {
				t.Fatalf("contact %d: %v", i, err)
			}
		}
		first, came := "", map[string]bool{} // one whose REGISTER was sent again is told of again
		for {
			said := next(t, e.worker.registrations)
			if said.Event == messages.Unregistered {
				if said.Contact != first {
					t.Errorf("%s yielded, the oldest is %s", said.Contact, first)
				}
				return
			}
			if first == "" {
				first = said.Contact
			}
			if came[said.Contact] = true; len(came) > 11 {
				t.Fatalf("none has yielded of %d contacts", len(came))
			}
		}
	})
	t.Run("hostile contacts", func(t *testing.T) {
		for contact, code := range map[string]int{
			"<sip:bob@127.0.0.1>, <sip:bob@127.0.0.2>":                    403,
			"<sip:bob@127.0.0.1:5060;x=" + strings.Repeat("y", 950) + ">": 400,
			"<sip:b\xfcb@127.0.0.1>":                                      400,
		} {
			if err := e.phone("bob").Register(t.Context(), sipptest.Registration{Contact: contact, Expect: code}); err != nil {
				t.Errorf("%.60q: %v", contact, err)
			}
		}
		bob := e.phone("bob")
		if err := bob.Register(t.Context(), sipptest.Registration{Contact: "<sip:bob@10.0.0.1:5062;alias=10.9.9.9~5060~1>"}); err != nil {
			t.Fatal(err)
		}
		for {
			r := next(t, e.worker.registrations)
			if r.Event != messages.Registered || !strings.HasPrefix(r.Contact, "sip:bob@10.0.0.1:5062") {
				continue // an earlier registration's, which came late: the edge's processes publish side by side
			}
			if want := fmt.Sprintf("sip:bob@10.0.0.1:5062;alias=127.0.0.1~%d~1", bob.Port); r.Contact != want {
				t.Errorf("a forged alias survives: %s, want %s", r.Contact, want)
			}
			break
		}
	})
}

func TestWhoGuessesPasswordsIsBanned(t *testing.T) {
	e := startEdge(t, nil, nil, func(v *kamailioconf.Values) { v.BanAfter = 3 })
	e.worker.answerWith(reject(404, "Not Found", ""))
	guesser := e.phone("alice")
	guesser.Address, guesser.Password = "127.0.0.66", "guess"
	for range 3 {
		if err := guesser.Register(t.Context(), sipptest.Registration{Expect: 403}); err != nil {
			t.Fatal(err)
		}
	}
	if e.table("banned", "127.0.0.66") == "" {
		t.Fatal("the guesser is not banned")
	}
	guesser.Password = password
	running, err := guesser.Call(t.Context(), "1", sipptest.Call{Expect: 404, Within: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Wait(t.Context()); err == nil {
		t.Error("a banned source gets an answer")
	}
	if strings.Contains(running.Messages(), "received") {
		t.Errorf("a banned source gets an answer:\n%s", running.Messages())
	}
	t.Run("others are not", func(t *testing.T) {
		e.mustCall(t, e.phone("alice"), "1", sipptest.Call{Expect: 404})
	})
	t.Run("its call for help passes", func(t *testing.T) {
		trunk := &sipptest.Phone{User: "psap", Domain: "emergency.test", Port: portOf(t, e.emergency)}
		answering, err := trunk.Listen(t.Context(), sipptest.Behaviour{})
		if err != nil {
			t.Fatal(err)
		}
		guesser.Password = "guess"
		e.mustCall(t, guesser, "112", sipptest.Call{})
		if err := answering.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestScannersAndFloodsGetNoAnswer(t *testing.T) {
	e := startEdge(t, nil, nil, func(v *kamailioconf.Values) { v.FloodPerSecond = 5 })
	scanner := e.phone("alice")
	scanner.Address = "127.0.0.67"
	running, err := scanner.Call(t.Context(), "1", sipptest.Call{UserAgent: "friendly-scanner", Within: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Wait(t.Context()); err == nil || strings.Contains(running.Messages(), "received") {
		t.Errorf("a scanner gets an answer:\n%s", running.Messages())
	}
	if e.table("banned", "127.0.0.67") == "" {
		t.Error("the scanner is not banned")
	}
	flood := startNode(t, nil)
	const sent = 40
	for i := range sent {
		flood.sendTo(e.values.Outside, options(flood, e.values.Outside, i))
	}
	got := 0
	for quiet := false; !quiet; {
		select {
		case <-flood.replies:
			got++
		case <-time.After(500 * time.Millisecond):
			quiet = true
		}
	}
	if got == 0 || got == sent {
		t.Errorf("%d of %d requests of a flood were answered", got, sent)
	}
}

// TestRegisteringSurvivesPostgreSQL: known users go on, others are told to come back.
func TestRegisteringSurvivesPostgreSQL(t *testing.T) {
	e := startEdge(t, nil, nil, nil)
	alice := e.phone("alice")
	if err := alice.Register(t.Context(), sipptest.Registration{}); err != nil {
		t.Fatal(err)
	}
	e.postgres.close()
	// What is cached is stale from now on, as after an outage of the broker.
	e.control("pv.shvSet", "epoch int 1", "")
	if err := alice.Register(t.Context(), sipptest.Registration{}); err != nil {
		t.Errorf("a known user with PostgreSQL away: %v", err)
	}
	bob := e.phone("bob")
	if err := bob.Register(t.Context(), sipptest.Registration{Expect: 503, Checks: []sipptest.Check{{Header: "Retry-After", Pattern: "30"}}}); err != nil {
		t.Errorf("an unknown user with PostgreSQL away: %v", err)
	}
	wrong := e.phone("alice")
	wrong.Password = "guess"
	if err := wrong.Register(t.Context(), sipptest.Registration{Expect: 403}); err != nil {
		t.Errorf("a wrong password with PostgreSQL away: %v", err)
	}
	t.Run("forgotten credentials do not come back from the cache", func(t *testing.T) {
		e.worker.publish("tandem.edges", "", &messages.EdgeForget{EventCategory: "edge", EventName: "forget", Type: messages.EdgeForgetV1, Username: "alice", Domain: domain})
		e.await("having forgotten", func() bool { return e.table("ha1", "alice@"+domain) == "" })
		if err := alice.Register(t.Context(), sipptest.Registration{Expect: 503}); err != nil {
			t.Error(err)
		}
	})
	t.Run("and both register when it is back", func(t *testing.T) {
		if err := e.postgres.open(); err != nil {
			t.Fatal(err)
		}
		e.await("PostgreSQL again", func() bool { return bob.Register(t.Context(), sipptest.Registration{}) == nil })
		if err := alice.Register(t.Context(), sipptest.Registration{}); err != nil {
			t.Error(err)
		}
	})
}

func TestAChangedPasswordCountsAtOnce(t *testing.T) {
	e := startEdge(t, nil, nil, nil)
	alice := e.phone("alice")
	if err := alice.Register(t.Context(), sipptest.Registration{}); err != nil {
		t.Fatal(err)
	}
	e.setPassword("alice", "changed")
	e.worker.publish("tandem.edges", "", &messages.EdgeForget{EventCategory: "edge", EventName: "forget", Type: messages.EdgeForgetV1, Username: "alice", Domain: domain})
	e.await("having forgotten", func() bool { return e.table("ha1", "alice@"+domain) == "" })
	if err := alice.Register(t.Context(), sipptest.Registration{Expect: 403}); err != nil {
		t.Error(err)
	}
	alice.Password = "changed"
	if err := alice.Register(t.Context(), sipptest.Registration{}); err != nil {
		t.Error(err)
	}
}
