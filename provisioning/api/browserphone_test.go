package api_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"tandem/provisioning"
	"tandem/provisioning/api"
)

type browserAnswer struct {
	Device, Username, Domain, Password, Name, Extension string

	WebSockets []string
}

// TestAUserHasOnePhoneInABrowserAndItsLatestPasswordCounts.
func TestAUserHasOnePhoneInABrowserAndItsLatestPasswordCounts(t *testing.T) {
	w := newWorld(t)
	for _, u := range []object{{"id": "grace", "name": "Grace", "extension": "101"}, {"id": "alan", "name": "Alan", "extension": "102"}} {
		w.ask(w.operator, "POST", "/v1/tenants/ada/users", u).is(201, "")
	}
	const ofGrace, ofAlan = "/v1/tenants/ada/users/grace/browser-phone", "/v1/tenants/ada/users/alan/browser-phone"
	may := w.key("ada", api.DevicesWrite)
	w.ask(may, "POST", ofGrace, nil).is(409, "no_browser_phones")
	w.api.Service.Phones.WebSockets = []string{"wss://edge1.example.test:7443/sip"}

	var first, second browserAnswer
	w.ask(may, "POST", ofGrace, nil).into(200, &first)
	if first.Username != "browser-grace" || first.Domain != "ada.example" || first.Name != "Grace" || first.Extension != "101" || len(first.Password) < 26 || len(first.WebSockets) != 1 {
		t.Errorf("%+v", first)
	}
	w.ask(may, "POST", ofGrace, nil).into(200, &second)
	if second.Device != first.Device || second.Password == first.Password {
		t.Errorf("%+v after %+v", second, first)
	}
	conn, err := pgx.Connect(w.ctx, w.url)
	must(t, err)
	defer conn.Close(w.ctx)
	var ha1 string
	must(t, conn.QueryRow(w.ctx, "select ha1 from edge.credentials where username = $1 and domain = $2", first.Username, first.Domain).Scan(&ha1))
	if ha1 != provisioning.HA1(second.Username, second.Domain, second.Password) {
		t.Error("another password counts than the one that was given last")
	}

	t.Run("a user has his own, and nobody else's", func(t *testing.T) {
		w.ask(w.operator, "POST", "/v1/tenants/ada/people", object{"name": "Grace", "email": "grace@ada.example", "role": "user", "user": "grace", "password": "a long enough one"}).is(201, "")
		var session struct{ Token string }
		w.ask("", "POST", "/v1/sessions", object{"email": "grace@ada.example", "password": "a long enough one"}).into(201, &session)
		var self struct {
			Browser bool `json:"browser_phones"`
		}
		w.ask(session.Token, "GET", "/v1/self", nil).into(200, &self)
		if !self.Browser {
			t.Error("he is not told that there are phones in browsers")
		}
		w.ask(session.Token, "POST", ofGrace, nil).is(200, "")
		w.ask(session.Token, "POST", ofAlan, nil).is(404, "")
		w.ask(w.key("ada", api.DevicesRead, api.UsersRead, api.UsersWrite), "POST", ofAlan, nil).is(403, "scope_missing")
		w.ask(w.key("bob", api.DevicesWrite), "POST", ofAlan, nil).is(404, "")
	})
	t.Run("no device of another's is taken for it", func(t *testing.T) {
		w.ask(w.operator, "POST", "/v1/tenants/ada/devices", object{"id": "browser-alan", "name": "Door", "username": "door"}).is(201, "")
		w.ask(may, "POST", ofAlan, nil).is(409, "")
		w.ask(may, "POST", "/v1/tenants/ada/users/nobody/browser-phone", nil).is(404, "")
	})
}
