package provisioning_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

func TestRoutesAreReplacedForTheirOwnerAlone(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	out := &tenants.Outgoing{Destinations: []string{"sip:192.0.2.30"}}
	for _, trunk := range []tenants.Trunk{{ID: "p1", Name: "P1", Outgoing: out}, {ID: "p2", Name: "P2", Outgoing: out}, {ID: "own", Name: "Own", Tenant: "one", Outgoing: out}} {
		w.must(w.AddTrunk(w.ctx, trunk))
	}
	served := func() (ids []string) {
		for _, trunk := range w.snapshot().Ways().Serving("one", "+493012345678") {
			ids = append(ids, trunk.ID)
		}
		return ids
	}
	w.must(w.SetOutboundRoutes(w.ctx, "", []string{"p1", "p2"}))
	w.must(w.SetOwnRoutes(w.ctx, "one", "", []string{"own"}))
	if got := served(); strings.Join(got, " ") != "own p1 p2" {
		t.Errorf("served by %v", got)
	}
	w.must(w.SetOutboundRoutes(w.ctx, "", []string{"p2", "p1"}))
	if got := served(); strings.Join(got, " ") != "own p2 p1" {
		t.Errorf("served by %v", got)
	}
	w.must(w.SetOutboundRoutes(w.ctx, "", nil))
	w.must(w.RemoveTrunk(w.ctx, "own"))
	w.must(w.RemoveTrunk(w.ctx, "own"))
	if got := served(); len(got) != 0 {
		t.Errorf("served by %v", got)
	}
}

// A trunk's password reaches edges, and nothing that workers load, keep or send.
func TestATrunksPasswordIsForEdgesAlone(t *testing.T) {
	w := newWorld(t)
	w.must(w.AddTrunk(w.ctx, tenants.Trunk{ID: "out", Name: "Out", Outgoing: &tenants.Outgoing{Destinations: []string{"sip:192.0.2.30"}}}))
	w.must(w.SetTrunkLogin(w.ctx, "out", "account", "open sesame"))
	conn, err := pgx.Connect(w.ctx, w.url)
	w.must(err)
	defer conn.Close(context.Background())
	var username, password string
	w.must(conn.QueryRow(w.ctx, `SELECT username, password FROM edge.trunk_logins WHERE trunk_id = 'out'`).Scan(&username, &password))
	if username != "account" || password != "open sesame" {
		t.Errorf("the edge reads %q, %q", username, password)
	}
	body, err := json.Marshal(w.snapshot().Data())
	w.must(err)
	if strings.Contains(string(body), "sesame") {
		t.Error("a worker has it")
	}
	w.must(w.SetTrunkLogin(w.ctx, "out", "", ""))
	if err := conn.QueryRow(w.ctx, `SELECT username, password FROM edge.trunk_logins WHERE trunk_id = 'out'`).Scan(&username, &password); err != pgx.ErrNoRows {
		t.Errorf("it is not removed: %v", err)
	}
}

// A flow may call by the tenant's own trunk, and knows no other.
func TestAFlowCallsByTheTenantsOwnTrunkAlone(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	w.tenant("two")
	out := &tenants.Outgoing{Destinations: []string{"sip:192.0.2.30"}}
	for _, trunk := range []tenants.Trunk{{ID: "platform", Name: "P", Outgoing: out}, {ID: "own", Name: "Own", Tenant: "one", Outgoing: out},
		{ID: "theirs", Name: "Theirs", Tenant: "two", Outgoing: out}, {ID: "silent", Name: "Not called", Tenant: "one"}} {
		w.must(w.AddTrunk(w.ctx, trunk))
	}
	for _, c := range []struct {
		trunk string
		good  bool
	}{{"own", true}, {"platform", false}, {"theirs", false}, {"silent", false}, {"ghost", false}} {
		err := w.SaveFlow(w.ctx, "one", tenants.Flow{ID: "f", Name: "F", Start: "n", Elements: map[string]tenants.Element{
			"n": {Type: "number", Settings: []byte(`{"number":"201","trunk":"` + c.trunk + `"}`)}}})
		if (err == nil) != c.good {
			t.Errorf("by the trunk %s: %v", c.trunk, err)
		}
	}
}
