package api_test

import (
	"net/http"
	"strings"
	"testing"

	"tandem/provisioning/api"
)

// browser is somebody who has signed in by a cookie.
type browser struct {
	w       *world
	cookies map[string]string
	csrf    string
}

func (b *browser) ask(method, path string, body any, headers ...string) answer {
	b.w.t.Helper()
	var all []string
	for name, value := range b.cookies {
		all = append(all, name+"="+value)
	}
	a := b.w.ask("", method, path, body, append([]string{"Cookie", strings.Join(all, "; "), api.CSRFHeader, b.csrf}, headers...)...)
	for _, line := range a.Header.Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		must(b.w.t, err)
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/v1" {
			b.w.t.Errorf("a script, or another site, can have the cookie %s", c.Name)
		}
		if b.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return a
}

// look reads who one is, and what must be sent with changes.
func (b *browser) look() (self struct {
	Actor, CSRF string
	ActingAs    string `json:"acting_as"`
}) {
	b.w.t.Helper()
	b.ask("GET", "/v1/self", nil).into(200, &self)
	b.csrf = self.CSRF
	return self
}

func newBrowser(w *world) *browser {
	w.t.Helper()
	const password = "correct horse battery"
	w.ask(w.operator, "POST", "/v1/people", object{"name": "S", "email": "s@platform.example", "role": "support", "password": password}).is(201, "")
	b := &browser{w: w, cookies: map[string]string{}}
	signedIn := b.ask("POST", "/v1/sessions", object{"email": "s@platform.example", "password": password, "cookie": true})
	signedIn.is(201, "")
	if strings.Contains(signedIn.Text, api.SessionPrefix) || len(b.cookies) != 1 {
		w.t.Fatalf("the token is where a script can read it: %s", signedIn.Text)
	}
	b.look()
	return b
}

func TestABrowsersSessionChangesNothingForOtherPages(t *testing.T) {
	w := newWorld(t)
	b := newBrowser(w)
	user := object{"id": "u1", "name": "U", "extension": "101"}
	csrf := b.csrf
	for what, headers := range map[string][]string{"no text of the page's": {api.CSRFHeader, ""}, "another's text": {api.CSRFHeader, csrf[:8] + "00000000" + csrf[16:]},
		"another site": {"Sec-Fetch-Site", "cross-site"}, "another site's page in an old browser": {"Origin", "https://elsewhere.example"}} {
		if a := b.ask("POST", "/v1/tenants/ada/users", user, headers...); a.Status != 403 || !strings.Contains(a.Text, `"csrf"`) {
			t.Errorf("%s: %d %s", what, a.Status, a.Text)
		}
	}
	b.ask("POST", "/v1/tenants/ada/users", user, "Sec-Fetch-Site", "same-origin").is(201, "")
	if a := w.ask("", "GET", "/v1/self", nil, "Cookie", "tandem_session=tds_guessed"); a.Status != 401 || !strings.Contains(a.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("a session that is none is kept: %d %v", a.Status, a.Header)
	}
	b.ask("DELETE", "/v1/self/session", nil).is(204, "")
	if len(b.cookies) != 0 {
		t.Errorf("the browser keeps %v", b.cookies)
	}
}

func TestABrowserActsAsATenantAndIsItselfAgain(t *testing.T) {
	b := newBrowser(newWorld(t))
	b.ask("POST", "/v1/tenants/ada/act-as", nil).is(201, "")
	if self := b.look(); self.ActingAs != "ada" || len(b.cookies) != 2 {
		t.Fatalf("acts as %q", self.ActingAs)
	}
	b.ask("GET", "/v1/tenants/bob/users", nil).is(404, "")
	b.ask("DELETE", "/v1/self/session", nil).is(204, "")
	if self := b.look(); self.ActingAs != "" {
		t.Fatalf("still acts as %q", self.ActingAs)
	}
	b.ask("GET", "/v1/tenants/bob/users", nil).is(200, "")
}

func TestOverTLSTheCookieIsSentOverTLSAlone(t *testing.T) {
	w := newWorld(t)
	newBrowser(w)
	a := w.ask("", "POST", "/v1/sessions", object{"email": "s@platform.example", "password": "correct horse battery", "cookie": true}, "X-Forwarded-Proto", "https")
	a.is(201, "")
	if !strings.Contains(a.Header.Get("Set-Cookie"), "; Secure") {
		t.Errorf("over TLS: %s", a.Header.Get("Set-Cookie"))
	}
}
