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

func TestTheEdgeStartsAndLivesWithoutABroker(t *testing.T) {
	e := newEdge(t, nil)
	e.amqp.close()
	e.start()
	e.worker.configure([]string{"127.0.0.1:5080"}, []string{"127.0.0.77"})
	e.worker.answerWith(reject(404, "Not Found", ""))
	alice := e.phone("alice")
	carrier := &sipptest.Phone{Edge: e.values.Outside, User: "1", Domain: "carrier.test", Address: "127.0.0.77"}

	if err := alice.Register(t.Context(), sipptest.Registration{}); err != nil {
		t.Errorf("registering needs no broker: %v", err)
	}
	began := time.Now()
	e.mustCall(t, alice, "1", sipptest.Call{Expect: 503, Checks: []sipptest.Check{{Header: "Retry-After", Pattern: "5"}}})
	if took := time.Since(began); took > 1500*time.Millisecond {
		t.Errorf("503 took %s: it waited for an answer that could not come", took)
	}
	none(t, e.worker.registrations)

	if err := e.amqp.open(); err != nil {
		t.Fatal(err)
	}
	if hello := next(t, e.worker.hellos); hello.Edge != "edge1.test" || hello.URI != "sip:"+e.values.Inside {
		t.Errorf("%+v", hello)
	}
	if r := next(t, e.worker.registrations); r.Username != "alice" || r.Event != messages.Registered {
		t.Errorf("what could not be said during the outage: %+v", r)
	}
	e.await("its configuration", func() bool { return e.table("trunks", "127.0.0.77") != "" })
	e.mustCall(t, alice, "1", sipptest.Call{Expect: 404})
	e.mustCall(t, carrier, "1", sipptest.Call{Expect: 404, NoLogin: true})

	t.Run("and again", func(t *testing.T) {
		e.amqp.close()
		e.await("noticing", func() bool { return e.shared("heard") == "0" })
		e.mustCall(t, alice, "1", sipptest.Call{Expect: 503})
		if err := alice.Register(t.Context(), sipptest.Registration{Remove: true}); err != nil {
			t.Error(err)
		}
		if err := e.amqp.open(); err != nil {
			t.Fatal(err)
		}
		next(t, e.worker.hellos)
		if r := next(t, e.worker.registrations); r.Event != messages.Unregistered {
			t.Errorf("what could not be said during the outage: %+v", r)
		}
		e.mustCall(t, alice, "1", sipptest.Call{Expect: 404})
	})
}

func TestAConfigurationReplacesTheOneBefore(t *testing.T) {
	e := startEdge(t, []string{"192.0.2.1:5080", "192.0.2.2:5080"}, []string{"198.51.100.1"}, nil)
	generation := e.shared("generation")
	var many []string
	for i := range messages.MaxTrunks - 1 {
		many = append(many, fmt.Sprintf("203.0.%d.%d", 100+i/250, i%250))
	}
	e.worker.configure([]string{"192.0.2.2:5080"}, append(many, "2001:db8::1"))
	e.await("the new configuration", func() bool { return e.shared("generation") != generation })
	for key, there := range map[string]bool{
		"nodes 192.0.2.1:5080": false, "nodes 192.0.2.2:5080": true, "trunks 198.51.100.1": false, "trunks 203.0.100.0": true,
		"trunks " + many[len(many)-1]: true, "trunks 2001:db8::1": true,
	} {
		table, entry, _ := strings.Cut(key, " ")
		if got := e.table(table, entry) != ""; got != there {
			t.Errorf("%s: there is %v, want %v", key, got, there)
		}
	}
	for _, bad := range []string{`{"Event-Category":"edge","Event-Name":"config"}`, `{"Event-Category":"edge","Event-Name":"config","type":"edge.config.v9","nodes":[],"trunks":[]}`, `{"Event-Category":"other"}`} {
		e.worker.send("tandem.edges", "", []byte(bad))
	}
	before := e.shared("generation")
	e.worker.configure(nil, nil)
	e.await("an empty configuration", func() bool { return e.shared("generation") != before && e.table("nodes", "192.0.2.2:5080") == "" })
	e.await("the end of the last trunk", func() bool { return e.table("trunks", "203.0.100.0") == "" && e.table("trunks", "2001:db8::1") == "" })
}

// TestEmergencyCallsPass with everything behind the edge dead.
func TestEmergencyCallsPass(t *testing.T) {
	dead, failing := startNode(t, nil), startNode(t, refuses(500))
	alive := startNode(t, answers)
	e := startEdge(t, []string{dead.address(), failing.address(), alive.address()}, nil, func(v *kamailioconf.Values) {
		v.NodeWait, v.AnswerWait = 300*time.Millisecond, 500*time.Millisecond
	})
	alice := e.phone("alice")
	trunk := &sipptest.Phone{User: "psap", Domain: "emergency.test", Port: portOf(t, e.emergency)}
	viaTrunk := func(t *testing.T, p *sipptest.Phone, identity string, c sipptest.Call) {
		t.Helper()
		answering, err := trunk.Listen(t.Context(), sipptest.Behaviour{HangUp: c.CalleeEnds})
		if err != nil {
			t.Fatal(err)
		}
		e.mustCall(t, p, "112", c)
		if err := answering.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		seen := answering.Messages()
		if !strings.Contains(seen, "INVITE sip:112@"+e.emergency) || !strings.Contains(seen, "Record-Route") {
			t.Errorf("the trunk saw:\n%s", seen)
		}
		if got := strings.Contains(seen, "P-Asserted-Identity: <sip:alice@"+domain+">"); got != (identity != "") {
			t.Errorf("identity at the trunk: %v\n%s", got, seen)
		}
		if strings.Contains(seen, "Authorization") {
			t.Error("the phone's login reached the trunk")
		}
	}
	t.Run("decided like any other when that works", func(t *testing.T) {
		e.worker.answerWith(routeTo("X-Tandem-Call: c\r\n", alive.uri()))
		e.mustCall(t, alice, "112", sipptest.Call{})
		if r := next(t, e.worker.requests); r.AuthUser != "alice" {
			t.Errorf("%+v", r)
		}
		alive.expect("BYE")
	})
	for name, answer := range map[string]func(*messages.RouteRequest) [][]byte{
		"no worker answers":  nil,
		"a worker refuses":   reject(403, "Forbidden", ""),
		"no node answers":    routeTo("", dead.uri()),
		"the node gives 500": routeTo("", failing.uri()),
	} {
		t.Run(name, func(t *testing.T) {
			e.worker.answerWith(answer)
			viaTrunk(t, alice, "alice", sipptest.Call{})
		})
	}
	t.Run("the trunk may hang up", func(t *testing.T) {
		e.worker.answerWith(nil)
		viaTrunk(t, alice, "alice", sipptest.Call{CalleeEnds: true})
	})
	t.Run("a local phone with a wrong password", func(t *testing.T) {
		wrong := e.phone("alice")
		wrong.Password = "guess"
		viaTrunk(t, wrong, "", sipptest.Call{})
	})
	t.Run("a local phone that cannot log in, the second time", func(t *testing.T) {
		stranger := e.phone("stranger")
		stranger.Address = "127.0.0.88"
		e.mustCall(t, stranger, "112", sipptest.Call{NoLogin: true, Expect: 407})
		viaTrunk(t, stranger, "", sipptest.Call{NoLogin: true})
	})
	t.Run("with RabbitMQ and PostgreSQL away", func(t *testing.T) {
		e.amqp.close()
		e.postgres.close()
		e.await("noticing", func() bool { return e.shared("heard") == "0" })
		viaTrunk(t, alice, "alice", sipptest.Call{})
		bob := e.phone("bob") // not in the cache
		viaTrunk(t, bob, "", sipptest.Call{})
	})
}

func TestEmergencyNumbersAreNotForTheWholeInternet(t *testing.T) {
	e := startEdge(t, nil, nil, func(v *kamailioconf.Values) { v.LocalNetworks = []string{"192.0.2.0/24"} })
	wrong := e.phone("alice")
	wrong.Password = "guess"
	e.mustCall(t, wrong, "112", sipptest.Call{Expect: 403})
	stranger := e.phone("stranger")
	for range 2 {
		e.mustCall(t, stranger, "112", sipptest.Call{NoLogin: true, Expect: 407})
	}
}
