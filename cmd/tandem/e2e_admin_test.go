package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tandem/provisioning"
	"tandem/sipptest"
	"tandem/stack"
	"tandem/tenants"
)

// Bounds of what a browser does.
const (
	browsing      = 5 * time.Minute
	adminPassword = "correct horse battery"

	canvasExtension = "700" // leads to the flow that is changed on the canvas
)

// adminWorld is what the browser's script needs of the world that it looks at.
type adminWorld struct {
	*world
	t *testing.T
	c *company
}

// newAdminWorld makes a company whose number leads to a phone that nobody has registered, and two people: one of the platform's, one of the
// company's.
func newAdminWorld(t *testing.T) *adminWorld {
	t.Helper()
	if os.Getenv("TANDEM_BROWSER") == "" {
		t.Skip("make e2e runs it: it needs Node and a Chromium, named by TANDEM_BROWSER")
	}
	return newAdminWorldIn(t, sharedWorld(t))
}

// newAdminWorldIn is the same in a world of one's own.
func newAdminWorldIn(t *testing.T, w *world) *adminWorld {
	t.Helper()
	a := &adminWorld{world: w, t: t, c: w.company(t)}
	a.c.flow(t, a.c.number, "ring", map[string]tenants.Element{"ring": ringing("at_once", 20, "two")})
	a.c.flow(t, canvasExtension, "ring", map[string]tenants.Element{"ring": ringing("at_once", 20, "two")})
	a.c.publish(t)
	a.c.register(t, "one")
	for path, person := range map[string]member{
		"/v1/people":                          {"name": "Platform", "email": "platform@" + a.c.domain, "role": "platform_admin", "password": adminPassword},
		"/v1/tenants/" + a.c.id + "/people":   {"name": "Company", "email": "company@" + a.c.domain, "role": "tenant_admin", "password": adminPassword},
		"/v1/tenants/" + a.c.id + "/webhooks": {"url": "https://example.com/hooks", "name": "CRM"},
	} {
		if status, _, text := w.request(t, "POST", path, person); status != http.StatusCreated {
			t.Fatalf("%s: %d %s", path, status, text)
		}
	}
	return a
}

// placed asks for a call at the phones.
type placed struct {
	From    string `json:"from"`    // a user of the company's, or an outside number; empty: nobody calls, a phone alone waits for one
	Name    string `json:"name"`    // display name, as it stands in the header
	To      string `json:"to"`      // what is dialled
	Answers string `json:"answers"` // the user whose phone answers; empty: nobody's
	Expect  int    `json:"expect"`  // final code; 0: 200
	TalkMS  int    `json:"talk_ms"`
	Ended   bool   `json:"ended"` // the other side, or the platform, ends the call
	// Answering is a user whose phone answers one call, which it does not make: the browser's own phone does.
	Answering string `json:"answering"`
}

// ServeHTTP places a call for the browser's script, waits for its end and tells how it went.
func (a *adminWorld) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	var p placed
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	id, err := a.place(r.Context(), p)
	answer := map[string]string{"sip_call_id": id}
	if err != nil {
		answer["error"] = err.Error()
	}
	_ = json.NewEncoder(out).Encode(answer)
}

func (a *adminWorld) place(ctx context.Context, p placed) (string, error) {
	if p.Answering != "" {
		answering, err := a.c.users[p.Answering].Listen(ctx, sipptest.Behaviour{HangUp: !p.Ended, Talk: time.Duration(p.TalkMS) * time.Millisecond})
		if err != nil {
			return "", err
		}
		err = answering.Wait(ctx)
		return callIDOf(answering.Messages()), err
	}
	call := sipptest.Call{Expect: p.Expect, Talk: time.Duration(p.TalkMS) * time.Millisecond, CalleeEnds: p.Ended}
	var answering *sipptest.Running
	var err error
	if p.Answers != "" {
		behaviour := sipptest.Behaviour{Talk: call.Talk, HangUp: p.From == ""}
		if answering, err = a.c.users[p.Answers].Listen(ctx, behaviour); err != nil {
			return "", err
		}
	}
	if p.From == "" {
		return "", answering.Wait(ctx)
	}
	phone := a.c.users[p.From]
	if phone == nil {
		phone = a.carrier()
		call.NoLogin, call.From = true, "<sip:"+p.From+"@carrier.example>"
	}
	if p.Name != "" {
		call.From = p.Name + " <sip:" + p.From + "@" + a.c.domain + ">"
	}
	calling, err := phone.Call(ctx, p.To, call)
	if err != nil {
		return "", err
	}
	if err = calling.Wait(ctx); err == nil && answering != nil {
		err = answering.Wait(ctx)
	}
	return callIDOf(calling.Messages()), err
}

// browse runs one of the scripts in admin/e2e.
func (a *adminWorld) browse(script string, environment ...string) {
	a.t.Helper()
	phones := httptest.NewServer(a)
	defer phones.Close()
	ctx, cancel := context.WithTimeout(a.t.Context(), browsing)
	defer cancel()
	command := exec.CommandContext(ctx, "node", script)
	command.Dir = filepath.Join("..", "..", "admin", "e2e")
	command.Env = append(os.Environ(), append(environment, "TANDEM_ADMIN=http://"+a.HTTPAddress+"/admin", "TANDEM_PHONES="+phones.URL, "COMPANY="+a.c.id, "COMPANY_NAME="+a.c.name,
		"COMPANY_NUMBER="+a.c.number, "COMPANY_DOMAIN="+a.c.domain, "PLATFORM_EMAIL=platform@"+a.c.domain, "COMPANY_EMAIL=company@"+a.c.domain, "ADMIN_PASSWORD="+adminPassword)...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		a.t.Fatalf("%s: %v", script, err)
	}
}

// What support does in a browser, from the sign-in to a call that succeeds; the script says each step.
func TestTheAdminInABrowser(t *testing.T) { newAdminWorld(t).browse("story.mjs") }

// The phone in the browser: it registers, calls, is called, holds, transfers, and tells what does not work.
func TestThePhoneInABrowser(t *testing.T) {
	a := newAdminWorld(t)
	a.c.register(t, "three")
	var environment []string
	if folder := os.Getenv("TANDEM_SCREENSHOTS"); folder != "" {
		environment = append(environment, "SCREENS="+folder)
	}
	a.browse("phone.mjs", environment...)
}

// A real engine's sound reaches the browser, and the browser's the engine.
func TestThePhoneInABrowserHearsFreeSWITCH(t *testing.T) {
	where, found := stack.FindFreeSWITCH()
	if os.Getenv("TANDEM_BROWSER") == "" || !found || stack.IsAddress(where) {
		t.Skip("it needs a Chromium, named by TANDEM_BROWSER, and a FreeSWITCH, whose binary TANDEM_FREESWITCH names")
	}
	w, err := newWorld(within(t), t, stack.ForTest(t), worldOptions{Name: "sound", Nodes: 1, FreeSWITCH: where})
	must(t, err)
	a := newAdminWorldIn(t, w)
	a.c.flow(t, "500", "menu", menu(3, 20))
	a.c.publish(t)
	a.browse("sound.mjs")
}

// Each main page, wide and narrow, light and dark, as an image: make screenshots.
func TestTheAdminsScreens(t *testing.T) {
	folder := os.Getenv("TANDEM_SCREENSHOTS")
	if folder == "" {
		t.Skip("make screenshots runs it")
	}
	a := newAdminWorld(t)
	a.furnish()
	demo, err := a.Provisioning.Demo(within(t))
	must(t, err)
	a.awaitRevision(t)
	phone := func(i int) *sipptest.Phone {
		p := demo.Phones[i]
		return &sipptest.Phone{Edge: a.Edge, User: p.Device.Username, Domain: p.Domain, Password: p.Password, Address: "127.0.2.2"}
	}
	reception, sales := phone(0), phone(1)
	must(t, sales.Register(within(t), sipptest.Registration{}))
	must(t, a.awaitRegistered(within(t), sales.User, sales.Domain))
	answering := listen(t, sales, sipptest.Behaviour{})
	succeed(t, dial(t, reception, provisioning.DemoMenu, sipptest.Call{Digits: "1"}), answering)
	succeed(t, dial(t, reception, "103", sipptest.Call{Expect: 480}))
	a.c.flow(t, canvasExtension, "ring", map[string]tenants.Element{"ring": ringing("at_once", 20, "one")})
	if status, _, text := a.request(t, "PUT", "/v1/tenants/"+a.c.id+"/canary", member{"share": 10, "comment": "the first phone rings"}); status != http.StatusOK {
		t.Fatalf("the trial: %d %s", status, text)
	}
	succeed(t, dial(t, reception, "999999", sipptest.Call{Expect: 404}))
	a.browse("screens.mjs", "SCREENS="+folder)
}
