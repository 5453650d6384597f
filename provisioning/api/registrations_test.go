package api_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"tandem/postgres"
	"tandem/provisioning/api"
)

// edges are edges as the API orders something of them.
type edges struct {
	gone     bool
	err      error
	notified []string
}

func (e *edges) Unregister(context.Context, postgres.RegistrationRow) (bool, error) {
	return e.gone, e.err
}

func (e *edges) Notify(_ context.Context, r postgres.RegistrationRow, event string) error {
	e.notified = append(e.notified, r.Username+" "+event)
	return e.err
}

func TestRegistrationsAreFoundAndForgotten(t *testing.T) {
	w := newWorld(t)
	e := &edges{gone: true}
	w.api.Contacts = e
	w.ask(w.operator, "POST", "/v1/tenants/ada/users", object{"id": "u", "name": "U", "extension": "101"}).is(201, "")
	for i, d := range []string{"desk", "soft", "old"} {
		w.ask(w.operator, "POST", "/v1/tenants/ada/devices", object{"id": d, "name": d, "username": d + "-name", "user": map[string]string{"desk": "u"}[d]}).is(201, "")
		w.registers("ada", d+"-name", fmt.Sprintf("192.0.2.%d", i), map[string]string{"desk": "Yealink 100%", "soft": "Softphone_2", "old": "x"}[d], map[bool]string{true: "-1", false: "1"}[d == "old"])
	}
	w.registers("eve", "far", "192.0.2.1", "Yealink", "1")
	list := func(key, path string, want ...string) (ids []string) {
		t.Helper()
		next := ""
		for got := 0; ; {
			var page struct {
				Items []postgres.RegistrationRow
				Next  string
			}
			w.ask(key, "GET", path+"&limit=1&cursor="+next, nil).into(200, &page)
			for _, r := range page.Items {
				if got >= len(want) || r.Username != want[got] {
					t.Fatalf("%s: %s at %d, want %v", path, r.Username, got, want)
				}
				got, ids = got+1, append(ids, r.ID)
			}
			if next = page.Next; next == "" {
				if got != len(want) {
					t.Fatalf("%s: %d, want %v", path, got, want)
				}
				return ids
			}
		}
	}
	ada := w.key("ada")
	const of = "/v1/tenants/ada/registrations?sort=username"
	ids := list(ada, of, "desk-name", "soft-name")
	list(ada, of+"&user=u", "desk-name")
	list(ada, of+"&device=soft", "soft-name")
	list(ada, of+"&address=192.0.2.1", "soft-name")
	list(ada, of+"&user_agent=yealink", "desk-name")
	list(ada, of+"&user_agent=%25", "desk-name") // no pattern of his own
	list(ada, of+"&user_agent=phone_", "soft-name")
	list(ada, "/v1/tenants/ada/registrations?sort=-expires_at&username=desk-name", "desk-name")
	all := list(w.operator, "/v1/registrations?sort=username&address=192.0.2.1", "far", "soft-name")
	w.ask(ada, "GET", "/v1/registrations", nil).is(403, "platform_only")
	w.ask(ada, "GET", "/v1/tenants/ada/registrations/"+all[0], nil).is(404, "not_found")
	w.ask(ada, "DELETE", "/v1/tenants/ada/registrations/"+all[0], nil).is(404, "not_found")
	w.ask(w.key("ada", api.RegistrationsRead), "DELETE", "/v1/tenants/ada/registrations/"+ids[0], nil).is(403, "")

	w.ask(ada, "DELETE", "/v1/tenants/ada/registrations/"+ids[0], nil).is(200, "")
	e.gone = false
	w.ask(w.operator, "DELETE", "/v1/registrations/"+all[0], nil).is(202, "")
	w.ask(ada, "POST", "/v1/tenants/ada/registrations/"+ids[0]+"/resync", nil).is(202, "")
	if len(e.notified) != 1 || e.notified[0] != "desk-name check-sync;reboot=false" {
		t.Errorf("notified: %v", e.notified)
	}
	e.err = errors.New("the broker is away")
	w.ask(ada, "DELETE", "/v1/tenants/ada/registrations/"+ids[0], nil).is(503, "edge_away")
	w.ask(ada, "POST", "/v1/tenants/ada/registrations/"+ids[0]+"/resync", nil).is(503, "edge_away")
	w.api.Contacts = nil
	w.ask(ada, "DELETE", "/v1/tenants/ada/registrations/"+ids[0], nil).is(503, "no_edge")
}

// registers writes a registration that ends in so many hours.
func (w *world) registers(tenant, username, address, agent, hours string) {
	w.t.Helper()
	w.sql(`INSERT INTO registrations (username, domain, contact, tenant_id, event, at, cseq, expires_at, edge, edge_uri, call_id, source_address, source_port, transport, user_agent, path)
		VALUES (@username, @tenant || '.example', 'sip:' || @username || '@10.0.0.7', @tenant, 'registered', now(), 1, now() + @hours::int * interval '1 hour', 'edge1', 'sip:127.0.0.1', 'c', @address, 5060, 'udp', @agent, '')`,
		pgx.NamedArgs{"username": username, "tenant": tenant, "address": address, "agent": agent, "hours": hours})
}
