package api_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"

	"tandem/postgres"
	"tandem/provisioning"
	"tandem/provisioning/api"
	"tandem/provisioning/phones"
)

// phoneWorld is a world in which ada has the device desk. Who is asked to fetch its files again stands in asked.
func phoneWorld(t *testing.T) (w *world, asked *[]string, contacts *int) {
	t.Helper()
	w = newWorld(t)
	keys, err := provisioning.ParseKeyring(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)))
	must(t, err)
	settings := provisioning.PhoneSettings{Keys: keys, URL: "https://phones.example.test", Server: phones.Server{Host: "sip.example.test"}}
	w.api.Service.Phones, w.owner.Phones = settings, settings
	_, _, err = w.owner.CreateDevice(w.ctx, "ada", provisioning.NewDevice{ID: "desk", Name: "Desk", Username: "desk"})
	must(t, err)
	asked, contacts = new([]string), new(int)
	w.api.Resync = func(_ context.Context, username, domain, event string) (int, error) {
		*asked = append(*asked, username+"@"+domain+" "+event)
		if *contacts < 0 {
			return 0, errors.New("away")
		}
		return *contacts, nil
	}
	return w, asked, contacts
}

const provisioningOfDesk = "/v1/tenants/ada/devices/desk/provisioning"

type phoneAnswer struct {
	Device    string
	URL       string
	Files     []string
	Phone     object
	LastFetch *object `json:"last_fetch"`
}

func aPhone() object {
	return object{"mac": "00:15:65:AA:BB:CC", "vendor": "yealink", "model": "T46U", "keys": []object{{"type": "line"}, {"type": "blf", "label": "Ben", "value": "102"}}}
}

func TestAPhoneIsSetUpAndShownWithoutItsSecrets(t *testing.T) {
	w, _, _ := phoneWorld(t)
	key := w.key("ada", api.DevicesRead, api.DevicesWrite, api.AuditRead)
	w.ask(key, "GET", provisioningOfDesk, nil).is(404, "not_found")
	var made, shown phoneAnswer
	w.ask(key, "PUT", provisioningOfDesk, aPhone()).into(200, &made)
	secret := regexp.MustCompile(`^https://phones\.example\.test/provision/([a-z2-7]{32})/$`).FindStringSubmatch(made.URL)
	if secret == nil || made.Device != "desk" || made.Phone["mac"] != "001565aabbcc" || made.Files[0] != "001565aabbcc.cfg" {
		t.Fatalf("made was %+v", made)
	}
	f, err := w.owner.PhoneFile(w.ctx, provisioning.Asking{Secret: secret[1], File: "001565aabbcc.cfg", From: "192.0.2.1", UserAgent: "Yealink"})
	must(t, err)
	_, rest, _ := strings.Cut(f.Body, "account.1.password = ")
	password, _, _ := strings.Cut(rest, "\n")
	read := w.ask(key, "GET", provisioningOfDesk, nil)
	read.into(200, &shown)
	if shown.URL != "" || shown.LastFetch == nil || (*shown.LastFetch)["from"] != "192.0.2.1" {
		t.Errorf("shown is %s", read.Text)
	}
	files := w.ask(key, "GET", provisioningOfDesk+"/files", nil)
	files.is(200, "")
	if !strings.Contains(files.Text, "linekey.2.value = 102") {
		t.Errorf("the preview is %s", files.Text)
	}
	audit := w.ask(key, "GET", "/v1/tenants/ada/audit", nil)
	audit.is(200, "")
	if !strings.Contains(audit.Text, `"phones"`) {
		t.Errorf("the audit has nothing of it: %s", audit.Text)
	}
	for what, text := range map[string]string{"the answer": read.Text, "the preview": files.Text, "the audit": audit.Text} {
		if strings.Contains(text, secret[1]) || strings.Contains(text, password) || strings.Contains(text, "sealed") {
			t.Errorf("%s holds a secret: %s", what, text)
		}
	}
}

func TestAnEditOfAPhoneThatSomebodyElseHasChangedIsRefused(t *testing.T) {
	w, _, _ := phoneWorld(t)
	key := w.key("ada", api.DevicesRead, api.DevicesWrite)
	w.ask(key, "PUT", provisioningOfDesk, aPhone(), "If-Match", "*").is(412, "stale")
	made := w.ask(key, "PUT", provisioningOfDesk, aPhone(), "If-None-Match", "*")
	made.is(200, "")
	w.ask(key, "PUT", provisioningOfDesk, aPhone(), "If-None-Match", "*").is(412, "stale")
	body := aPhone()
	body["note"] = "By the window."
	changed := w.ask(key, "PUT", provisioningOfDesk, body, "If-Match", made.Header.Get("ETag"))
	changed.is(200, "")
	w.ask(key, "PUT", provisioningOfDesk, aPhone(), "If-Match", made.Header.Get("ETag")).is(412, "stale")
	if got := w.ask(key, "GET", provisioningOfDesk, nil).Header.Get("ETag"); got == "" || got != changed.Header.Get("ETag") || got == made.Header.Get("ETag") {
		t.Errorf("its tag is %s, that of the change %s", got, changed.Header.Get("ETag"))
	}
}

func TestANewURLReplacesTheOldOne(t *testing.T) {
	w, _, _ := phoneWorld(t)
	key := w.key("ada", api.DevicesRead, api.DevicesWrite)
	w.ask(key, "POST", provisioningOfDesk+"/secret", nil).is(404, "not_found")
	var first, second struct{ URL string }
	w.ask(key, "PUT", provisioningOfDesk, aPhone()).into(200, &first)
	w.ask(key, "POST", provisioningOfDesk+"/secret", nil).into(200, &second)
	if second.URL == "" || first.URL == second.URL {
		t.Errorf("the URLs are %q and %q", first.URL, second.URL)
	}
	w.ask(key, "DELETE", provisioningOfDesk, nil).is(204, "")
	w.ask(key, "DELETE", provisioningOfDesk, nil).is(204, "")
	w.ask(key, "GET", provisioningOfDesk, nil).is(404, "not_found")
}

func TestAPhoneIsAskedToFetchAgainWhereItIsRegistered(t *testing.T) {
	w, asked, contacts := phoneWorld(t)
	key := w.key("ada", api.DevicesWrite)
	w.ask(key, "POST", provisioningOfDesk+"/resync", nil).is(404, "not_found")
	w.ask(key, "PUT", provisioningOfDesk, aPhone()).is(200, "")
	w.ask(key, "POST", provisioningOfDesk+"/resync", nil).is(409, "not_registered")
	*contacts = 2
	var done struct{ Contacts int }
	w.ask(key, "POST", provisioningOfDesk+"/resync", nil).into(202, &done)
	if done.Contacts != 2 || len(*asked) != 2 || (*asked)[1] != "desk@ada.example check-sync;reboot=false" {
		t.Errorf("%d contacts, %q", done.Contacts, *asked)
	}
	*contacts = -1
	w.ask(key, "POST", provisioningOfDesk+"/resync", nil).is(503, "edge_away")
}

func TestAPhoneOfAnotherTenantIsNotThere(t *testing.T) {
	w, asked, _ := phoneWorld(t)
	w.ask(w.key("ada"), "PUT", provisioningOfDesk, aPhone()).is(200, "")
	bob := w.key("bob")
	for _, c := range []struct{ method, path string }{{"GET", ""}, {"PUT", ""}, {"DELETE", ""}, {"POST", "/secret"}, {"GET", "/files"}, {"POST", "/resync"}} {
		var body any
		if c.method == "PUT" {
			body = aPhone()
		}
		w.ask(bob, c.method, provisioningOfDesk+c.path, body).is(404, "not_found")
	}
	// The same names in his own tenant lead nowhere either; and the hardware is on the platform once.
	w.ask(bob, "GET", "/v1/tenants/bob/devices/desk/provisioning/files", nil).is(404, "not_found")
	_, _, err := w.owner.CreateDevice(w.ctx, "bob", provisioning.NewDevice{ID: "desk", Name: "Desk", Username: "desk"})
	must(t, err)
	w.ask(bob, "PUT", "/v1/tenants/bob/devices/desk/provisioning", aPhone()).is(409, "conflict")
	if len(*asked) != 0 {
		t.Errorf("asked was %q", *asked)
	}
	// And beneath: the rows.
	ctx := postgres.WithScope(w.ctx, postgres.Scope{Tenant: "bob", Actor: "key/x"})
	if _, err := w.api.Service.Phone(ctx, "ada", "desk"); err == nil {
		t.Error("the database shows bob ada's phone")
	}
}

func TestWhatIsNoPhoneIsRefused(t *testing.T) {
	w, _, _ := phoneWorld(t)
	key := w.key("ada", api.DevicesWrite)
	for what, change := range map[string]func(object){
		"unknown member": func(o object) { o["password"] = "x" },
		"vendor":         func(o object) { o["vendor"] = "acme" },
		"mac":            func(o object) { o["mac"] = "00:15:65:aa:bb:cg" },
		"key":            func(o object) { o["keys"] = []object{{"type": "blf", "value": "1\r\n2"}} },
		"many keys":      func(o object) { o["keys"] = make([]object, 61) },
		"codec":          func(o object) { o["codecs"] = []string{"speex"} },
		"zone":           func(o object) { o["time_zone"] = "../../etc/passwd" },
	} {
		body := aPhone()
		change(body)
		if a := w.ask(key, "PUT", provisioningOfDesk, body); a.Status != 422 {
			t.Errorf("%s: %d %s", what, a.Status, a.Text)
		}
	}
	w.ask(key, "PUT", "/v1/tenants/ada/devices/nobody/provisioning", aPhone()).is(404, "not_found")
}

func TestVendorsAreListedWithWhatIsKnownOfThem(t *testing.T) {
	w := newWorld(t)
	var list struct{ Items []object }
	w.ask(w.key("ada", api.DevicesRead), "GET", "/v1/phone-vendors", nil).into(200, &list)
	if len(list.Items) != len(phones.Vendors()) {
		t.Errorf("%d vendors", len(list.Items))
	}
	for _, v := range list.Items {
		if v["tested"] != "untested on hardware" || v["event"] == "" || len(v["models"].([]any)) == 0 {
			t.Errorf("%v", v)
		}
	}
}
