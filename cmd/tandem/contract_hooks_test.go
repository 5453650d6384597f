package main

import (
	"net/http"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"
)

// contractHooks see to it that there is what an operation's example names, and that it is in the state that the operation needs: each has its
// own. Operations without one ask about what ada has.
func contractHooks() map[string]func(c *contract, r *contractRequest) {
	hooks := map[string]func(c *contract, r *contractRequest){
		"undo-change": func(c *contract, r *contractRequest) {
			c.make("PUT", "/v1/trunks/"+c.fresh("trunk"), member{"name": "Old line", "addresses": []string{"192.0.2.77"}}, "")
			r.ids["change"] = c.newestChange("/v1")
		},
		"undo-change-of-tenant": func(c *contract, r *contractRequest) {
			list := c.fresh("list")
			c.make("PUT", "/v1/tenants/ada/lists/"+list, member{"id": list, "name": "Old", "entries": []string{}}, "")
			r.ids["change"] = c.newestChange("/v1/tenants/ada")
		},
		"hang-up-call":  func(c *contract, r *contractRequest) { r.ids["call"] = c.call(c.t) },
		"transfer-call": func(c *contract, r *contractRequest) { r.ids["call"] = c.call(c.t) },
		"listen-to-call": func(c *contract, r *contractRequest) {
			r.ids["call"] = c.call(c.t)
			r.body = []byte(`{"user": "three", "mode": "whisper", "seconds": 20}`) // whose phone is registered
		},
		"record-call":           func(c *contract, r *contractRequest) { r.ids["call"] = c.call(c.t) },
		"end-recording-of-call": func(c *contract, r *contractRequest) { r.ids["call"] = c.call(c.t) },
		"draw-call":             func(c *contract, r *contractRequest) { r.ids["call"] = c.callUp() },
		"create-session": func(c *contract, r *contractRequest) {
			_, email := c.person("/v1")
			r.body, r.secret = []byte(`{"email": "`+email+`", "password": "`+contractPassword+`"}`), ""
		},
		"get-self": func(c *contract, r *contractRequest) { r.secret = c.session() },
		"act-as":   func(c *contract, r *contractRequest) { r.secret = c.session() },
		"set-own-password": func(c *contract, r *contractRequest) {
			r.secret = c.session()
			r.body = []byte(`{"current": "` + contractPassword + `", "new": "another correct horse"}`)
		},
		"delete-session": func(c *contract, r *contractRequest) { r.secret = c.session() },
		"begin-totp":     func(c *contract, r *contractRequest) { r.secret = c.session() },
		"confirm-totp":   func(c *contract, r *contractRequest) { r.secret, r.body = c.secondFactor(false) },
		"remove-totp":    func(c *contract, r *contractRequest) { r.secret, r.body = c.secondFactor(true) },
		"move-tenant": func(c *contract, r *contractRequest) {
			c.make("POST", "/v1/tenants", member{"id": "south", "kind": "reseller", "name": "South", "domain": "south.example.com"}, "")
			r.ids["tenant"] = c.tenant()
		},
		"apply-tenant": func(c *contract, r *contractRequest) {
			r.ids["tenant"] = c.tenant()
			r.header.Set("If-Match", c.send(testOperatorKey, "GET", "/v1/tenants/"+r.ids["tenant"]+"/export", "", nil, http.Header{}).header.Get("ETag"))
		},
		"plan-tenant":      func(c *contract, r *contractRequest) { r.ids["tenant"] = c.tenant() },
		"publish":          func(c *contract, r *contractRequest) { r.ids["tenant"] = c.published() },
		"try-drafts":       func(c *contract, r *contractRequest) { r.ids["tenant"] = c.published() },
		"promote-canary":   func(c *contract, r *contractRequest) { r.ids["tenant"] = c.tried() },
		"abandon-canary":   func(c *contract, r *contractRequest) { r.ids["tenant"] = c.tried() },
		"compare-versions": func(c *contract, r *contractRequest) { r.ids["tenant"] = c.published() },
		"roll-back": func(c *contract, r *contractRequest) {
			r.ids["tenant"] = c.published()
			c.make("POST", "/v1/tenants/"+r.ids["tenant"]+"/versions", member{"comment": "second"}, "")
		},
		"get-call":              func(c *contract, r *contractRequest) { r.ids["call"] = c.callUp() },
		"explain-call":          func(c *contract, r *contractRequest) { r.ids["call"] = c.callUp() },
		"try-call-again":        func(c *contract, r *contractRequest) { r.ids["call"] = c.callUp() },
		"list-live-calls":       func(c *contract, r *contractRequest) { r.ids["call"] = c.callUp() },
		"list-audit":            func(c *contract, r *contractRequest) { c.person("/v1") },
		"list-people":           func(c *contract, r *contractRequest) { c.person("/v1") },
		"list-numbers":          func(c *contract, r *contractRequest) { r.ids["number"] = c.number("/v1", "") },
		"list-orders":           func(c *contract, r *contractRequest) { r.ids["order"] = c.order(nil) },
		"list-orders-of-tenant": func(c *contract, r *contractRequest) { r.ids["order"] = c.order("ada") },
		"list-contacts": func(c *contract, r *contractRequest) {
			must(c.t, c.w.awaitRegistered(c.ctx, "grace-desk", "ada.example.com"))
		},
		"list-contacts-of-domain": func(c *contract, r *contractRequest) {
			must(c.t, c.w.awaitRegistered(c.ctx, "grace-desk", "ada.example.com"))
		},
		"unregister":              func(c *contract, r *contractRequest) { r.ids["registration"] = c.registration() },
		"unregister-of-tenant":    func(c *contract, r *contractRequest) { r.ids["registration"] = c.registration() },
		"get-webhook-delivery":    func(c *contract, r *contractRequest) { r.ids["delivery"] = c.delivery() },
		"redeliver-webhook-event": func(c *contract, r *contractRequest) { r.ids["delivery"] = c.delivery() },
		"list-webhook-deliveries": func(c *contract, r *contractRequest) { c.delivery() },
		"replay-calls":            func(c *contract, r *contractRequest) { r.ids["tenant"] = c.published() },
		"start-call": func(c *contract, r *contractRequest) {
			c.callUp()
			r.ids["tenant"] = "company1" // whose phones are registered
		},
		"list-live-calls-of-tenant": func(c *contract, r *contractRequest) {
			r.ids["call"] = c.callUp()
			r.ids["tenant"] = "company1" // the first, whose call it is
		},
		"list-keys": func(c *contract, r *contractRequest) {
			c.make("POST", "/v1/keys", member{"name": "monitoring", "scopes": []string{"platform:read"}, "expires_at": time.Now().Add(time.Hour)}, "")
		},
		"set-outbound-route": func(c *contract, r *contractRequest) { c.callOut("/v1/trunks/carrier-a", "192.0.2.20", member{}) },
		"set-outbound-route-of-tenant": func(c *contract, r *contractRequest) {
			c.callOut("/v1/tenants/ada/trunks/ada-line", "192.0.2.21", member{"tenant": "ada"})
		},
		"delete-user": func(c *contract, r *contractRequest) {
			r.ids["user"] = c.make("POST", "/v1/tenants/ada/users", member{"name": "Gone", "extension": "199"}, "id")
		},
		"delete-device": func(c *contract, r *contractRequest) {
			r.ids["device"] = c.make("POST", "/v1/tenants/ada/devices", member{"name": "Gone", "username": c.fresh("phone")}, "id")
		},
		"delete-webhook": func(c *contract, r *contractRequest) {
			r.ids["webhook"] = c.make("POST", "/v1/tenants/ada/webhooks", member{"url": "https://example.com/hooks/gone"}, "id")
		},
		"delete-route": func(c *contract, r *contractRequest) {
			r.ids["dialled"] = "*77"
			c.make("PUT", "/v1/tenants/ada/routes/*77", member{"flow_id": "reception"}, "")
		},
		"delete-trunk": func(c *contract, r *contractRequest) {
			r.ids["trunk"] = c.fresh("trunk")
			c.make("PUT", "/v1/trunks/"+r.ids["trunk"], member{"name": "Gone", "addresses": []string{"192.0.2.78"}}, "")
		},
		"delete-trunk-of-tenant": func(c *contract, r *contractRequest) {
			r.ids["trunk"] = c.fresh("trunk")
			c.make("PUT", "/v1/tenants/ada/trunks/"+r.ids["trunk"], member{"name": "Gone", "addresses": []string{"192.0.2.79"}, "tenant": "ada"}, "")
		},
		"cancel-order":           func(c *contract, r *contractRequest) { r.ids["order"] = c.order(nil) },
		"get-order":              func(c *contract, r *contractRequest) { r.ids["order"] = c.order(nil) },
		"list-order-errors":      func(c *contract, r *contractRequest) { r.ids["order"] = c.order(nil) },
		"get-order-of-tenant":    func(c *contract, r *contractRequest) { r.ids["order"] = c.order("ada") },
		"cancel-order-of-tenant": func(c *contract, r *contractRequest) { r.ids["order"] = c.order("ada") },
		"list-order-errors-of-tenant": func(c *contract, r *contractRequest) {
			r.ids["order"] = c.order("ada")
		},
		"import-numbers":           func(c *contract, r *contractRequest) { r.ids["number"] = c.number("") },
		"import-numbers-of-tenant": func(c *contract, r *contractRequest) { r.ids["number"] = c.number("") },
		"change-numbers":           func(c *contract, r *contractRequest) { r.ids["number"] = c.number("/v1", "") },
		"change-numbers-of-tenant": func(c *contract, r *contractRequest) { r.ids["number"] = c.number("/v1", "", "/assign") },
		"create-porting":           func(c *contract, r *contractRequest) { r.ids["number"] = c.number("") },
		"update-porting":           portingAfter(),
		"submit-porting":           portingAfter(),
		"cancel-porting":           portingAfter(),
		"accept-porting":           portingAfter("submit"),
		"reject-porting":           portingAfter("submit"),
		"schedule-porting":         portingAfter("submit", "accept"),
		"ported-porting":           portingAfter("submit", "accept", "schedule"),
		"add-porting-document":     portingAfter(),
		"get-brand-logo":           func(c *contract, r *contractRequest) { c.branded() },
		"get-public-brand":         func(c *contract, r *contractRequest) { c.branded() },
		"get-public-brand-logo":    func(c *contract, r *contractRequest) { c.branded() },
		"delete-brand":             func(c *contract, r *contractRequest) { c.branded() },
		"delete-brand-logo":        func(c *contract, r *contractRequest) { c.branded() },
		"set-brand-logo": func(c *contract, r *contractRequest) {
			c.branded()
			r.body = pngOf(c.t)
		},
		"set-box-greeting":    func(c *contract, r *contractRequest) { r.body = soundOf(time.Second) },
		"delete-box-greeting": func(c *contract, r *contractRequest) { c.greeting() },
		"get-box-greeting":    func(c *contract, r *contractRequest) { c.greeting() },
		"get-box":             func(c *contract, r *contractRequest) { c.greeting() },
		"add-media":           func(c *contract, r *contractRequest) { r.body = soundOf(time.Second) },
		"replace-media-sound": func(c *contract, r *contractRequest) { r.ids["media"], r.body = c.media(), soundOf(2*time.Second) },
		"update-media":        func(c *contract, r *contractRequest) { r.ids["media"] = c.media() },
		"delete-media":        func(c *contract, r *contractRequest) { r.ids["media"] = c.media() },
		"get-media-sound":     func(c *contract, r *contractRequest) { r.ids["media"] = c.shownSound() },
		"list-media-uses": func(c *contract, r *contractRequest) {
			c.make("PUT", "/v1/tenants/ada/flows/closed", member{"id": "closed", "name": "Closed", "start": "say", "elements": member{
				"say": member{"type": "play", "settings": member{"prompt": "menu/adas"}, "exits": member{"next": "end"}}, "end": member{"type": "hangup", "settings": member{"cause": "USER_BUSY"}}}}, "")
		},
		"redeliver-webhook-range": func(c *contract, r *contractRequest) {
			now := time.Now().UTC()
			r.body = []byte(`{"from": "` + now.Add(-time.Hour).Format(time.RFC3339) + `", "until": "` + now.Format(time.RFC3339) + `"}`)
		},
	}
	for _, id := range []string{"get", "update", "delete", "set"} {
		suffix := map[string]string{"set": "-person-password"}[id]
		for of, base := range map[string]string{"": "/v1", "-of-tenant": "/v1/tenants/ada"} {
			name := id + "-person" + of
			if suffix != "" {
				name = id + suffix + of
			}
			hooks[name] = func(c *contract, r *contractRequest) { r.ids["person"], _ = c.person(base) }
		}
	}
	for _, of := range []struct{ suffix, base string }{{"", "/v1"}, {"-of-tenant", "/v1/tenants/north"}} {
		hooks["revoke-key"+of.suffix] = func(c *contract, r *contractRequest) {
			base := strings.Replace(of.base, "north", "ada", 1)
			r.ids["key"] = c.make("POST", base+"/keys", member{"name": "gone", "scopes": []string{"calls:read"}, "expires_at": time.Now().Add(time.Hour)}, "id")
		}
		for step, before := range map[string][]string{"add": {}, "assign": {""}, "hand": {""}, "reserve": {""}, "block": {""}, "retire": {""}, "free": {"", "/reserve"}, "unblock": {"", "/block"},
			"release": {"", "/assign"}, "withdraw": {"", "/assign"}, "retake": {"", "/assign", "/release"}} {
			hooks[step+"-numbers"+of.suffix] = func(c *contract, r *contractRequest) {
				r.ids["number"] = c.number(of.base, before...)
			}
		}
		for _, op := range []string{"get-number", "describe-number", "list-number-history"} {
			hooks[op+of.suffix] = func(c *contract, r *contractRequest) {
				r.ids["number"] = c.number(of.base, "")
			}
		}
	}
	for _, kind := range []string{"list", "schedule", "flow"} {
		hooks["delete-"+kind] = func(c *contract, r *contractRequest) {
			r.ids["id"] = c.fresh(kind)
			body := member{"id": r.ids["id"], "name": "Gone", "entries": []string{}}
			switch kind {
			case "schedule":
				body = member{"id": r.ids["id"], "name": "Gone", "weekly": []member{}}
			case "flow":
				body = member{"id": r.ids["id"], "name": "Gone", "start": "end", "elements": member{"end": member{"type": "hangup", "settings": member{"cause": "USER_BUSY"}}}}
			}
			c.make("PUT", "/v1/tenants/ada/"+kind+"s/"+r.ids["id"], body, "")
		}
	}
	for _, op := range []string{"suspend-tenant", "reactivate-tenant", "set-tenant-limits", "set-tenant-settings"} {
		hooks[op] = func(c *contract, r *contractRequest) { r.ids["tenant"] = c.tenant() }
	}
	return hooks
}

// portingAfter is a new porting order of ada's, after these steps.
func portingAfter(steps ...string) func(c *contract, r *contractRequest) {
	return func(c *contract, r *contractRequest) {
		r.ids["porting"], r.ids["number"] = c.porting(steps...), c.number("")
	}
}

// tried is a new customer who tries a version.
func (c *contract) tried() string {
	id := c.published()
	c.make("PUT", "/v1/tenants/"+id+"/canary", member{"share": 10}, "")
	return id
}

// secondFactor is the token of somebody with a second factor that is set up, or on, and a body with its code.
func (c *contract) secondFactor(on bool) (token string, body []byte) {
	token = c.session()
	answer := c.send(token, "POST", "/v1/self/totp", "", nil, http.Header{})
	_, rest, _ := strings.Cut(string(answer.body), `"secret":"`)
	secret, _, _ := strings.Cut(rest, `"`)
	code := func(at time.Time) []byte {
		text, err := totp.GenerateCode(secret, at)
		must(c.t, err)
		return []byte(`{"code": "` + text + `"}`)
	}
	if !on {
		return token, code(time.Now())
	}
	if a := c.send(token, "POST", "/v1/self/totp/confirm", "application/json", code(time.Now()), http.Header{}); a.status != http.StatusNoContent {
		c.t.Fatalf("the second factor is not on: %d %s", a.status, a.body)
	}
	return token, code(time.Now().Add(totpStep)) // each code counts once, and the next one counts already
}

// totpStep is for how long a code counts (RFC 6238 4.1).
const totpStep = 30 * time.Second
