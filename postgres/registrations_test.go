package postgres

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/messages"
)

const registeredAt = 1_800_000_000 // Unix seconds

var now = time.Unix(registeredAt+60, 0)

func registration(username, contact string, event messages.RegistrationEvent, at int64, cseq int) messages.Registration {
	r := messages.Registration{Type: messages.RegistrationV1, Event: event, Edge: "edge1", EdgeURI: "sip:192.0.2.5:5060",
		Username: username, Domain: "one.example", Contact: contact, Expires: 3600, At: at, CallID: "c@192.0.2.7", CSeq: cseq,
		SourceAddress: "192.0.2.7", SourcePort: 5062, Transport: "udp", UserAgent: "Phone/1.0", Path: "<sip:192.0.2.5;lr>"}
	if event != messages.Registered {
		r.Expires = 0
	}
	return r
}

func save(t *testing.T, s *Store, events ...messages.Registration) {
	t.Helper()
	for _, e := range events {
		if err := s.SaveRegistration(testContext(t), e); err != nil {
			t.Fatal(err)
		}
	}
}

func live(t *testing.T, s *Store, now time.Time) []messages.Registration {
	t.Helper()
	all, err := s.LoadRegistrations(testContext(t), now)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestARegistrationIsLoadedAsItWasSaved(t *testing.T) {
	s := newStore(t)
	addTenant(t, s, "one")
	r := registration("phone", "sip:phone@192.0.2.7:5062", messages.Registered, registeredAt, 1)
	save(t, s, r, r)
	if diff := cmp.Diff([]messages.Registration{r}, live(t, s, now)); diff != "" {
		t.Error(diff)
	}
	var tenant string
	if err := s.pool.QueryRow(testContext(t), `SELECT tenant_id FROM registrations`).Scan(&tenant); err != nil || tenant != "one" {
		t.Errorf("it belongs to %q, %v", tenant, err)
	}
}

// Each story is told in several orders. What remains must be what the latest events say.
func TestAnOlderRegistrationEventDoesNotWinInWhateverOrderTheyArrive(t *testing.T) {
	s := newStore(t)
	const a, b = "sip:a@192.0.2.7", "sip:b@192.0.2.8"
	type event struct {
		contact string
		kind    messages.RegistrationEvent
		at      int64
		cseq    int
	}
	const registered, unregistered, expired = messages.Registered, messages.Unregistered, messages.Expired
	for what, c := range map[string]struct {
		events []event
		want   string // contacts and the CSeq of the event that made them
	}{
		"a refresh wins":                         {[]event{{a, registered, 0, 1}, {a, registered, 30, 2}}, a + " 2"},
		"CSeq decides within a second":           {[]event{{a, registered, 0, 1}, {a, registered, 0, 2}, {a, registered, 0, 3}}, a + " 3"},
		"gone stays gone":                        {[]event{{a, registered, 0, 1}, {a, unregistered, 10, 2}}, ""},
		"expired stays gone":                     {[]event{{a, registered, 0, 1}, {a, expired, 20, 1}}, ""},
		"back again":                             {[]event{{a, registered, 0, 1}, {a, unregistered, 10, 2}, {a, registered, 20, 3}}, a + " 3"},
		"all contacts are gone":                  {[]event{{a, registered, 0, 1}, {b, registered, 1, 1}, {"*", unregistered, 5, 9}}, ""},
		"all are gone and one is back":           {[]event{{a, registered, 0, 1}, {b, registered, 1, 1}, {"*", unregistered, 5, 9}, {b, registered, 6, 2}}, b + " 2"},
		"a new contact does not replace another": {[]event{{a, registered, 0, 1}, {b, registered, 1, 1}}, a + " 1, " + b + " 1"},
		"gone twice":                             {[]event{{a, registered, 0, 1}, {"*", unregistered, 5, 2}, {a, registered, 6, 3}, {"*", unregistered, 7, 4}}, ""},
	} {
		t.Run(what, func(t *testing.T) {
			order := rand.New(rand.NewPCG(1, 2))
			for try := range 12 {
				user := fmt.Sprintf("%s %d", what, try)
				var told []string
				for _, i := range order.Perm(len(c.events)) {
					e := c.events[i]
					r := registration(user, e.contact, e.kind, registeredAt+e.at, e.cseq)
					save(t, s, r)
					if order.IntN(2) == 0 {
						save(t, s, r) // twice
					}
					told = append(told, fmt.Sprintf("%s %s %d/%d", e.kind, e.contact, e.at, e.cseq))
				}
				var got []string
				for _, r := range live(t, s, now) {
					if r.Username == user {
						got = append(got, fmt.Sprintf("%s %d", r.Contact, r.CSeq))
					}
				}
				if joined := strings.Join(got, ", "); joined != c.want {
					t.Fatalf("got %q, want %q, after %s", joined, c.want, strings.Join(told, "; "))
				}
			}
		})
	}
}

func TestALateRegistrationAtTheMomentOfRemovingAllContactsBringsNothingBack(t *testing.T) {
	s := newStore(t)
	const rounds = 100
	var all sync.WaitGroup
	for i := range rounds {
		user, begin := fmt.Sprintf("phone%d", i), make(chan struct{})
		for _, r := range []messages.Registration{
			registration(user, "sip:a@192.0.2.7", messages.Registered, registeredAt, 1),
			registration(user, "*", messages.Unregistered, registeredAt+5, 2),
		} {
			all.Go(func() {
				<-begin
				if err := s.SaveRegistration(testContext(t), r); err != nil {
					t.Error(err)
				}
			})
		}
		close(begin)
	}
	all.Wait()
	if got := live(t, s, now); len(got) != 0 {
		t.Errorf("%d of %d contacts came back", len(got), rounds)
	}
}

func TestWhatHasExpiredIsNotLoadedAndIsForgottenInTime(t *testing.T) {
	s := newStore(t)
	r := registration("phone", "sip:a@192.0.2.7", messages.Registered, registeredAt, 1)
	save(t, s, r)
	end := r.ExpiresAt()
	for _, c := range []struct {
		now       time.Time
		live      int
		forgotten int64
	}{
		{end.Add(-time.Second), 1, 0},
		{end, 0, 0},
		{end.Add(RegistrationMemory), 0, 0},
		{end.Add(RegistrationMemory + time.Second), 0, 1},
	} {
		if got := live(t, s, c.now); len(got) != c.live {
			t.Errorf("at %v %d are live, want %d", c.now, len(got), c.live)
		}
		got, err := s.ForgetRegistrations(testContext(t), c.now)
		if err != nil || got != c.forgotten {
			t.Errorf("at %v %d are forgotten, want %d (%v)", c.now, got, c.forgotten, err)
		}
	}
}

func TestWhatAPhoneWritesCannotBreakTheQuery(t *testing.T) {
	s := newStore(t)
	r := registration("o'phone", "sip:a@192.0.2.7;x=\"\x00'--\xff", messages.Registered, registeredAt, 1)
	r.UserAgent = "'; DROP TABLE registrations; --\x00"
	save(t, s, r)
	got := live(t, s, now)
	if len(got) != 1 || got[0].UserAgent != "'; DROP TABLE registrations; --\uFFFD" || got[0].Contact != "sip:a@192.0.2.7;x=\"\uFFFD'--\uFFFD" {
		t.Errorf("got %+v", got)
	}
}
