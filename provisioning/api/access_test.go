package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"tandem/postgres"
	"tandem/provisioning/api"
)

func TestNobodyIsServedWithoutAKeyThatCounts(t *testing.T) {
	w := newWorld(t)
	key := w.key("ada", api.KeysRead, api.KeysWrite)
	for secret, want := range map[string]int{"": 401, "tdm_guessed": 401, "tds_guessed": 401, operatorKey + "x": 401, key: 200} {
		w.ask(secret, "GET", "/v1/tenants/ada/keys", nil).is(want, "")
	}
	w.ask(key, "GET", "/v1/tenants/ada/people", nil).is(403, "scope_missing")

	var keys struct{ Items []postgres.Key }
	w.ask(key, "GET", "/v1/tenants/ada/keys", nil).into(200, &keys)
	if len(keys.Items) != 1 {
		t.Fatalf("%d keys, want its own alone", len(keys.Items))
	}
	w.ask(key, "DELETE", "/v1/tenants/ada/keys/"+keys.Items[0].ID, nil).is(204, "")
	w.ask(key, "GET", "/v1/tenants/ada/keys", nil).is(401, "unauthorized")
}

func TestATenantThatIsNotOnesOwnOrBelowIsNotThere(t *testing.T) {
	w := newWorld(t)
	reseller, customer := w.key("north"), w.key("ada")
	for _, c := range []struct {
		who, tenant string
		want        int
	}{{reseller, "north", 200}, {reseller, "ada", 200}, {reseller, "bob", 200}, {reseller, "eve", 404}, {reseller, "south", 404}, {reseller, "nobody", 404},
		{customer, "ada", 200}, {customer, "bob", 404}, {customer, "north", 404}} {
		w.ask(c.who, "GET", "/v1/tenants/"+c.tenant+"/people", nil).is(c.want, "")
	}
	w.ask(reseller, "GET", "/v1/people", nil).is(403, "platform_only")
}

func TestNobodyGivesAwayWhatHeHasNot(t *testing.T) {
	w := newWorld(t)
	little := w.key("ada", api.KeysWrite, api.PeopleWrite, api.PeopleRead, api.CallsRead)
	soon := time.Now().Add(time.Hour)
	w.ask(little, "POST", "/v1/tenants/ada/keys", object{"name": "n", "scopes": []string{"calls:read"}, "expires_at": soon}).is(201, "")
	w.ask(little, "POST", "/v1/tenants/ada/keys", object{"name": "n", "scopes": []string{"users:write"}, "expires_at": soon}).is(403, "scope_not_yours")
	w.ask(little, "POST", "/v1/tenants/ada/people", object{"name": "A", "email": "a@ada.example", "role": "tenant_admin"}).is(403, "scope_not_yours")
	w.ask(w.operator, "POST", "/v1/tenants/ada/people", object{"name": "A", "email": "a@ada.example", "role": "platform_admin"}).is(422, "invalid")
	for _, scope := range []string{"platform:read", "platform:write"} {
		of := func(scopes ...string) object { return object{"name": "n", "scopes": scopes, "expires_at": soon} }
		w.ask(w.operator, "POST", "/v1/tenants/ada/keys", of("calls:read", scope)).is(422, "platform_scope")
		w.ask(little, "POST", "/v1/tenants/ada/keys", of(scope)).is(422, "platform_scope")
		w.ask(w.operator, "POST", "/v1/keys", of(scope)).is(201, "")
	}
}

func TestARequestWithAnIdempotencyKeyIsCarriedOutOnce(t *testing.T) {
	w := newWorld(t)
	body := object{"name": "once", "scopes": []string{"calls:read"}, "expires_at": time.Now().Add(time.Hour)}
	first := w.ask(w.operator, "POST", "/v1/tenants/ada/keys", body, "Idempotency-Key", "key-of-this-test")
	first.is(201, "")
	again := w.ask(w.operator, "POST", "/v1/tenants/ada/keys", body, "Idempotency-Key", "key-of-this-test")
	again.is(201, "")
	if again.Text != first.Text || again.Header.Get("Idempotent-Replayed") != "true" {
		t.Fatalf("the second answer is another: %s, first %s", again.Text, first.Text)
	}
	body["name"] = "another"
	w.ask(w.operator, "POST", "/v1/tenants/ada/keys", body, "Idempotency-Key", "key-of-this-test").is(422, "idempotency_key_reused")
	var keys struct{ Items []postgres.Key }
	w.ask(w.operator, "GET", "/v1/tenants/ada/keys", nil).into(200, &keys)
	if len(keys.Items) != 1 {
		t.Fatalf("%d keys were made", len(keys.Items))
	}
}

func TestSigningIn(t *testing.T) {
	w := newWorld(t)
	const password = "correct horse battery"
	w.ask(w.operator, "POST", "/v1/tenants/ada/people", object{"name": "A", "email": "A@ada.example", "role": "tenant_admin", "password": password}).is(201, "")
	in := object{"email": "a@ada.example", "password": password}
	var session struct{ Token string }
	w.ask("", "POST", "/v1/sessions", in).into(201, &session)
	w.ask("", "POST", "/v1/sessions", object{"email": "a@ada.example", "password": "wrong"}).is(401, "sign_in_refused")
	w.ask("", "POST", "/v1/sessions", object{"email": "nobody@ada.example", "password": "wrong"}).is(401, "sign_in_refused")
	w.ask(session.Token, "GET", "/v1/tenants/ada/people", nil).is(200, "")
	w.ask(session.Token, "GET", "/v1/tenants/bob/people", nil).is(404, "not_found")

	// A second factor.
	var second struct{ Secret string }
	w.ask(session.Token, "POST", "/v1/self/totp", nil).into(200, &second)
	code := func(at time.Time) string {
		code, err := totp.GenerateCode(second.Secret, at)
		must(t, err)
		return code
	}
	now := time.Now()
	w.ask(session.Token, "POST", "/v1/self/totp/confirm", object{"code": code(now)}).is(204, "")
	w.ask("", "POST", "/v1/sessions", in).is(401, "code_needed")
	in["code"] = code(now)
	w.ask("", "POST", "/v1/sessions", in).is(401, "sign_in_refused") // a code passes once
	in["code"] = code(now.Add(30 * time.Second))
	w.ask("", "POST", "/v1/sessions", in).is(201, "")

	// Signed out.
	w.ask(session.Token, "DELETE", "/v1/self/session", nil).is(204, "")
	w.ask(session.Token, "GET", "/v1/self", nil).is(401, "unauthorized")
}

func TestWhoGuessesPasswordsIsLockedOut(t *testing.T) {
	w := newWorld(t)
	const password = "correct horse battery"
	w.ask(w.operator, "POST", "/v1/tenants/ada/people", object{"name": "A", "email": "a@ada.example", "role": "tenant_admin", "password": password}).is(201, "")
	for range postgres.MaxLoginFailures {
		w.ask("", "POST", "/v1/sessions", object{"email": "a@ada.example", "password": "wrong"}).is(401, "sign_in_refused")
	}
	w.ask("", "POST", "/v1/sessions", object{"email": "a@ada.example", "password": password}).is(429, "locked")
}

func TestActingAsATenantLeavesATrace(t *testing.T) {
	w := newWorld(t)
	const password = "correct horse battery"
	w.ask(w.operator, "POST", "/v1/people", object{"name": "S", "email": "s@platform.example", "role": "support", "password": password}).is(201, "")
	var session, acting struct{ Token string }
	w.ask("", "POST", "/v1/sessions", object{"email": "s@platform.example", "password": password}).into(201, &session)
	w.ask(session.Token, "POST", "/v1/tenants/ada/act-as", nil).into(201, &acting)
	w.ask(acting.Token, "GET", "/v1/tenants/bob/audit", nil).is(404, "not_found")
	var self struct {
		Actor    string `json:"actor"`
		ActingAs string `json:"acting_as"`
	}
	w.ask(acting.Token, "GET", "/v1/self", nil).into(200, &self)
	if self.ActingAs != "ada" || !strings.HasSuffix(self.Actor, " as ada") {
		t.Fatalf("self %+v", self)
	}
	w.ask(acting.Token, "POST", "/v1/tenants/ada/people", object{"name": "X", "email": "x@ada.example", "role": "tenant_admin"}).is(403, "") // support makes no people
}

func TestWhoActsAsATenantMayNoMoreThanAsHimselfAndNoLongerThanItIsHis(t *testing.T) {
	w := newWorld(t)
	const password = "correct horse battery"
	signIn := func(email string) (session struct{ Token string }) {
		w.ask("", "POST", "/v1/sessions", object{"email": email, "password": password}).into(201, &session)
		return session
	}
	w.ask(w.operator, "POST", "/v1/tenants/north/people", object{"name": "A", "email": "a@north.example", "role": "tenant_admin", "password": password}).is(201, "")
	var acting struct{ Token string }
	w.ask(signIn("a@north.example").Token, "POST", "/v1/tenants/north/act-as", nil).into(201, &acting)
	w.ask(acting.Token, "POST", "/v1/tenants", object{"name": "X", "domain": "x.example"}).is(403, "scope_missing")

	w.ask(w.operator, "POST", "/v1/tenants/north/people", object{"name": "R", "email": "r@north.example", "role": "reseller", "password": password}).is(201, "")
	w.ask(signIn("r@north.example").Token, "POST", "/v1/tenants/ada/act-as", nil).into(201, &acting)
	w.ask(acting.Token, "GET", "/v1/tenants/ada/users", nil).is(200, "")
	w.ask(w.operator, "POST", "/v1/tenants/ada/move", object{"parent": "south"}).is(200, "")
	w.ask(acting.Token, "GET", "/v1/tenants/ada/users", nil).is(401, "unauthorized")
}

func TestAuditTellsEveryChangeWithoutSecrets(t *testing.T) {
	w := newWorld(t)
	key := w.key("ada")
	var person postgres.Person
	w.ask(key, "POST", "/v1/tenants/ada/people", object{"name": "A", "email": "a@ada.example", "role": "tenant_admin", "password": "correct horse battery"}).into(201, &person)
	w.ask(key, "PUT", "/v1/tenants/ada/people/"+person.ID, object{"name": "B", "email": "a@ada.example", "role": "tenant_admin"}).is(200, "")
	var audit struct{ Items []postgres.AuditEntry }
	read := w.ask(key, "GET", "/v1/tenants/ada/audit?object=people", nil)
	read.into(200, &audit)
	if len(audit.Items) != 2 || audit.Items[0].Change != "updated" || audit.Items[1].Change != "created" || !strings.HasPrefix(audit.Items[0].Actor, "key/") ||
		!strings.Contains(string(audit.Items[0].Before), `"A"`) || !strings.Contains(string(audit.Items[0].After), `"B"`) || !audit.Items[0].Newest || audit.Items[1].Newest {
		t.Fatalf("audit %s", read.Text)
	}
	if strings.Contains(read.Text, "argon2") || strings.Contains(read.Text, "password_hash") {
		t.Fatalf("the audit tells a secret: %s", read.Text)
	}
	w.ask(key, "POST", "/v1/tenants/ada/audit/"+strconv.FormatInt(audit.Items[0].ID, 10)+"/undo", nil).is(409, "not_undoable")
	w.ask(w.key("bob"), "GET", "/v1/tenants/bob/audit?object=people", nil).into(200, &audit)
	if len(audit.Items) != 0 {
		t.Fatalf("bob sees %d changes of ada's", len(audit.Items))
	}
}

func TestProblemsNeverRepeatWhatWasSent(t *testing.T) {
	w := newWorld(t)
	const secret = "S3CRET-that-was-sent"
	for _, body := range []object{{"name": "A", "email": "a@ada.example", "role": "tenant_admin", "password": 5, "extra": secret},
		{"name": "A", "email": "a@ada.example", "role": secret}, {"name": "A", "email": "a@ada.example", "role": "tenant_admin", "password": []string{secret}}} {
		got := w.ask(w.operator, "POST", "/v1/tenants/ada/people", body)
		got.is(422, "invalid")
		if strings.Contains(got.Text, secret) {
			t.Errorf("%s", got.Text)
		}
		if got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("content type %s", got.Header.Get("Content-Type"))
		}
	}
}

func TestRateLimitIsToldAndHeld(t *testing.T) {
	w := newWorld(t)
	got := w.ask(w.operator, "GET", "/v1/self", nil)
	for _, name := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} {
		if got.Header.Get(name) == "" {
			t.Errorf("no %s", name)
		}
	}
	if got.Status != http.StatusOK {
		t.Fatal(got.Text)
	}
}
