package main

import (
	"context"
	"encoding/json"
	"net"
	"net/url"
	"strings"
	"testing"

	"tandem/provisioning"
	"tandem/tenants"
)

// registered gives the contacts of an account.
func (w *world) registered(ctx context.Context, username, domain string) (contacts []string, err error) {
	var found struct{ Contacts []struct{ URI string } }
	err = w.get(ctx, "/v1/contacts?"+url.Values{"username": {username}, "domain": {domain}}.Encode(), &found)
	for _, c := range found.Contacts {
		contacts = append(contacts, c.URI)
	}
	return contacts, err
}

// An edge registers for a trunk at a carrier that wants a password: here the carrier is a registrar that knows the account by digest,
// the edge's own. When the trunk is disabled the registration is taken back.
func TestEdgeRegistersAtACarrier(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	ctx, p := within(t), w.Provisioning
	host, _, err := net.SplitHostPort(w.Edge)
	must(t, err)
	const carrier = "registrar"
	_, err = p.CreateTenant(ctx, provisioning.NewTenant{ID: carrier, Name: "Carrier", Domain: host})
	must(t, err)
	_, password, err := p.CreateDevice(ctx, carrier, provisioning.NewDevice{ID: "account", Name: "Account", Username: "account"})
	must(t, err)
	trunk := tenants.Trunk{ID: "registers-out", Name: "Registers", Registrar: "sip:" + w.Edge}
	must(t, p.SetTrunk(ctx, provisioning.TrunkChange{Trunk: trunk, Login: &provisioning.TrunkLogin{Username: "account", Password: password}}))
	awaitThat(t, "the edge does not register", func(ctx context.Context) (bool, error) {
		contacts, err := w.registered(ctx, "account", host)
		return len(contacts) == 1 && strings.HasPrefix(contacts[0], "sip:"+trunk.ID+"@"+w.Edge), err
	})
	trunk.Disabled = true
	must(t, p.AddTrunk(ctx, trunk))
	awaitThat(t, "the registration is not taken back", func(ctx context.Context) (bool, error) {
		contacts, err := w.registered(ctx, "account", host)
		return len(contacts) == 0, err
	})
	text, err := json.Marshal(must1(w.askEdge(ctx, "uac.reg_dump"))) // what staff see of it
	must(t, err)
	if !strings.Contains(string(text), trunk.ID) {
		t.Errorf("the edge knows nothing of it: %s", text)
	}
}

func must1(text string, err error) string {
	if err != nil {
		return err.Error()
	}
	return text
}
