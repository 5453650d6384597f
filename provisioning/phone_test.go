package provisioning_test

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"tandem/provisioning"
	"tandem/provisioning/phones"
)

// phoneWorld is a tenant whose user Ana has a device that is no phone yet.
func phoneWorld(t *testing.T) world {
	w := newWorld(t)
	w.Phones = provisioning.PhoneSettings{Keys: ring(t, ringKey(1)), URL: "https://phones.example.test/", Server: phones.Server{Host: "sip.example.test"}}
	w.tenant("one")
	w.user("one", "ana", "101")
	w.device("desk", "ana-desk")
	return w
}

func (w world) device(id, username string) {
	w.t.Helper()
	_, _, err := w.CreateDevice(w.ctx, "one", provisioning.NewDevice{ID: id, UserID: "ana", Name: id, Username: username})
	w.must(err)
}

func anything(*provisioning.Phone) bool { return true }

// aPhone makes a device a phone and gives the secret of its URL.
func (w world) aPhone(device, mac string) (secret string) {
	w.t.Helper()
	_, url, err := w.SetPhone(w.ctx, "one", device, provisioning.NewPhone{MAC: mac, Vendor: "yealink"}, anything)
	w.must(err)
	return secretIn(w.t, url)
}

func secretIn(t *testing.T, url string) string {
	t.Helper()
	found := regexp.MustCompile(`^https://phones\.example\.test/provision/([a-z2-7]{32})/$`).FindStringSubmatch(url)
	if found == nil {
		t.Fatalf("the URL is %q", url)
	}
	return found[1]
}

const deskFile = "001565aabbcc.cfg"

// fetched gives the password in the file that a phone gets.
func (w world) fetched(secret string) string {
	w.t.Helper()
	f, err := w.PhoneFile(w.ctx, provisioning.Asking{Secret: secret, File: deskFile, From: "192.0.2.1", UserAgent: "Yealink"})
	w.must(err)
	return passwordIn(f.Body)
}

func passwordIn(body string) string {
	_, rest, _ := strings.Cut(body, "account.1.password = ")
	password, _, _ := strings.Cut(rest, "\n")
	return password
}

// registers says whether a password is the device's.
func (w world) registers(device, username, password string) bool {
	w.t.Helper()
	conn, err := pgx.Connect(w.ctx, w.url)
	w.must(err)
	defer func() { _ = conn.Close(w.ctx) }()
	var ha1 string
	w.must(conn.QueryRow(w.ctx, `SELECT ha1 FROM devices WHERE tenant_id = 'one' AND id = $1`, device).Scan(&ha1))
	return ha1 == provisioning.HA1(username, "one.example", password)
}

func TestAPhoneGetsOnePasswordAndKeepsIt(t *testing.T) {
	w := phoneWorld(t)
	secret := w.aPhone("desk", "00:15:65:AA:BB:CC")
	first := w.fetched(secret)
	if len(first) != 26 || !w.registers("desk", "ana-desk", first) {
		t.Errorf("its password is %q, and it registers with it: %v", first, w.registers("desk", "ana-desk", first))
	}
	revision := w.snapshot().Revision()
	for range 3 {
		if again := w.fetched(secret); again != first {
			t.Errorf("then it is %q: a phone that fetches again would lose its registration", again)
		}
	}
	if got := w.snapshot().Revision(); got != revision {
		t.Errorf("fetching moved the revision from %d to %d: every worker reads for nothing", revision, got)
	}
}

// Until the phone has fetched its file, whatever registers as the device goes on.
func TestThePasswordIsMadeByTheFirstFetchAndByNothingElse(t *testing.T) {
	w := phoneWorld(t)
	_, byHand, err := w.CreateDevice(w.ctx, "one", provisioning.NewDevice{ID: "old", Name: "Old", Username: "old"})
	w.must(err)
	_, url, err := w.SetPhone(w.ctx, "one", "old", provisioning.NewPhone{MAC: "001565aabbcc", Vendor: "yealink"}, anything)
	w.must(err)
	look := provisioning.Asking{Secret: secretIn(t, url), File: deskFile, Look: true}
	seen, err := w.PhoneFile(w.ctx, look)
	w.must(err)
	if _, err := w.PreviewPhone(w.ctx, "one", "old"); err != nil || !w.registers("old", "old", byHand) {
		t.Errorf("looking changed the password, %v", err)
	}
	p, err := w.Service.Phone(w.ctx, "one", "old")
	if w.must(err); p.LastFetch != nil {
		t.Errorf("looking counts as fetching: %+v", p.LastFetch)
	}
	look.Look = false
	got, err := w.PhoneFile(w.ctx, look)
	if w.must(err); len(got.Body) != len(seen.Body) || w.registers("old", "old", byHand) || !w.registers("old", "old", passwordIn(got.Body)) {
		t.Errorf("fetching gave\n%s\nafter\n%s", got.Body, seen.Body)
	}
}

func TestTwoFetchesAtOnceGiveOnePassword(t *testing.T) {
	w := phoneWorld(t)
	secret := w.aPhone("desk", "001565aabbcc")
	passwords := make([]string, 8)
	var all sync.WaitGroup
	for i := range passwords {
		all.Go(func() {
			f, err := w.PhoneFile(w.ctx, provisioning.Asking{Secret: secret, File: deskFile})
			if err != nil {
				t.Error(err)
			}
			passwords[i] = passwordIn(f.Body)
		})
	}
	all.Wait()
	for _, p := range passwords {
		if p != passwords[0] || !w.registers("desk", "ana-desk", p) {
			t.Errorf("they are %q", passwords)
		}
	}
}

func TestAPasswordThatIsResetReachesThePhone(t *testing.T) {
	w := phoneWorld(t)
	secret := w.aPhone("desk", "001565aabbcc")
	first := w.fetched(secret)
	reset, err := w.ResetPassword(w.ctx, "one", "desk")
	w.must(err)
	if got := w.fetched(secret); got != reset || got == first {
		t.Errorf("the phone gets %q, the reset gave %q", got, reset)
	}
}

func TestAnotherKeyOpensNothingAndMakesNothing(t *testing.T) {
	w := phoneWorld(t)
	secret := w.aPhone("desk", "001565aabbcc")
	first := w.fetched(secret)
	stranger := world{Service: &provisioning.Service{Store: w.Store, Phones: w.Phones}, t: t, url: w.url, ctx: w.ctx}
	stranger.Phones.Keys = ring(t, ringKey(2))
	for range 2 {
		if _, err := stranger.PhoneFile(w.ctx, provisioning.Asking{Secret: secret, File: deskFile}); !errors.Is(err, provisioning.ErrSealed) {
			t.Errorf("a worker with another key gives %v", err)
		}
	}
	stranger.Phones.Keys = nil
	if _, err := stranger.PhoneFile(w.ctx, provisioning.Asking{Secret: secret, File: deskFile}); err == nil {
		t.Error("a worker without a key gives a file")
	}
	if !w.registers("desk", "ana-desk", first) || w.fetched(secret) != first {
		t.Error("the phone's password is another")
	}
	// The key is lost for good: a reset helps.
	stranger.Phones.Keys = ring(t, ringKey(2))
	reset, err := stranger.ResetPassword(w.ctx, "one", "desk")
	w.must(err)
	if got := stranger.fetched(secret); got != reset {
		t.Errorf("after a reset the phone gets %q, not %q", got, reset)
	}
}

func TestAKeyIsChangedWithoutAnyPhoneNoticing(t *testing.T) {
	w := phoneWorld(t)
	secret := w.aPhone("desk", "001565aabbcc")
	first := w.fetched(secret)
	for _, keys := range [][]string{{ringKey(2), ringKey(1)}, {ringKey(2)}, {ringKey(3), ringKey(2)}, {ringKey(3)}} {
		w.Phones.Keys = ring(t, keys...)
		for range 2 {
			if got := w.fetched(secret); got != first {
				t.Errorf("with %d keys the password is %q, not %q", len(keys), got, first)
			}
		}
	}
}

func TestASecretThatIsReplacedGivesNothing(t *testing.T) {
	w := phoneWorld(t)
	old := w.aPhone("desk", "001565aabbcc")
	password := w.fetched(old)
	url, err := w.RotatePhoneSecret(w.ctx, "one", "desk")
	w.must(err)
	if _, err := w.PhoneFile(w.ctx, provisioning.Asking{Secret: old, File: deskFile}); !errors.Is(err, provisioning.ErrNoPhone) {
		t.Errorf("the old one gives %v", err)
	}
	if got := w.fetched(secretIn(t, url)); got != password {
		t.Errorf("the new one gives another password: %q", got)
	}
	w.must(w.RemovePhone(w.ctx, "one", "desk"))
	if _, err := w.PhoneFile(w.ctx, provisioning.Asking{Secret: secretIn(t, url), File: deskFile}); !errors.Is(err, provisioning.ErrNoPhone) {
		t.Errorf("of a phone that is none any more it gives %v", err)
	}
	if !w.registers("desk", "ana-desk", password) {
		t.Error("it cannot register any more")
	}
}

func TestAPhoneIsReadAsItWasSet(t *testing.T) {
	w := phoneWorld(t)
	n := provisioning.NewPhone{MAC: "00-15-65-aa-bb-cc", Vendor: "snom", Model: "D735", TimeZone: "America/New_York", Codecs: []string{"opus", "pcma"},
		Keys: []phones.Key{{Type: "line"}, {Type: "blf", Label: "Ben", Value: "102"}}, Note: "Firmware 10.1"}
	set, url, err := w.SetPhone(w.ctx, "one", "desk", n, anything)
	w.must(err)
	if !strings.HasSuffix(url, "/001565aabbcc.xml") {
		t.Errorf("the URL of a phone that asks for what it is told is %s", url)
	}
	if set.MAC != "001565aabbcc" || set.Model != "D735" || len(set.Keys) != 2 || set.Keys[1].Label != "Ben" || set.Note != n.Note || set.Files[0] != "001565aabbcc.xml" || set.LastFetch != nil {
		t.Errorf("set was %+v", set)
	}
	secret := regexp.MustCompile(`[a-z2-7]{32}`).FindString(url)
	f, err := w.PhoneFile(w.ctx, provisioning.Asking{Secret: secret, File: "001565AABBCC.XML", From: "192.0.2.1", UserAgent: "snomD735\xff/10" + strings.Repeat("x", 999)})
	w.must(err)
	for _, want := range []string{">-18000</utc_offset>", ">opus,pcma,telephone-event<", "102@one.example", ">ana</user_realname>", ">101</user_idle_text>", "sip.example.test:5060"} {
		if !strings.Contains(f.Body, want) {
			t.Errorf("its file lacks %s\n%s", want, f.Body)
		}
	}
	n.Keys, n.Model = nil, ""
	again, url, err := w.SetPhone(w.ctx, "one", "desk", n, anything)
	if w.must(err); url != "" || len(again.Keys) != 0 {
		t.Errorf("setting it again gives the URL %q and %+v", url, again)
	}
	if l := again.LastFetch; l == nil || l.From != "192.0.2.1" || !strings.HasPrefix(l.UserAgent, "snomD735/10") || len(l.UserAgent) > 256 || l.File != "001565aabbcc.xml" || l.Count != 1 {
		t.Errorf("the last fetch is %+v", l)
	}
}

func TestThePreviewHasNoPassword(t *testing.T) {
	w := phoneWorld(t)
	password := w.fetched(w.aPhone("desk", "001565aabbcc"))
	all, err := w.PreviewPhone(w.ctx, "one", "desk")
	w.must(err)
	if len(all) != 1 || strings.Contains(all[0].Body, password) || !strings.Contains(all[0].Body, "account.1.password = xxxxxxxxxxxxxxxxxxxxxxxxxx\n") {
		t.Errorf("it is %+v", all)
	}
}

func TestWhatIsWrongWithAPhoneIsSaid(t *testing.T) {
	w := phoneWorld(t)
	w.device("other", "other")
	w.aPhone("other", "0004f2000001")
	good := provisioning.NewPhone{MAC: "001565aabbcc", Vendor: "yealink"}
	for want, change := range map[string]func(*provisioning.NewPhone){
		"mac invalid":       func(n *provisioning.NewPhone) { n.MAC = "001565aabbc" },
		"mac conflict":      func(n *provisioning.NewPhone) { n.MAC = "00:04:f2:00:00:01" },
		"vendor invalid":    func(n *provisioning.NewPhone) { n.Vendor = "acme" },
		"model invalid":     func(n *provisioning.NewPhone) { n.Model = "D735" },
		"time_zone invalid": func(n *provisioning.NewPhone) { n.TimeZone = "Mars/Olympus" },
		"codecs invalid":    func(n *provisioning.NewPhone) { n.Codecs = []string{"pcma", "pcma"} },
		"keys/1 invalid":    func(n *provisioning.NewPhone) { n.Keys = []phones.Key{{Type: "line"}, {Type: "blf", Value: "1\n2"}} },
		"keys invalid":      func(n *provisioning.NewPhone) { n.Keys = make([]phones.Key, phones.MaxKeys+1) },
		"note invalid":      func(n *provisioning.NewPhone) { n.Note = "a\nb" },
	} {
		n := good
		change(&n)
		_, _, err := w.SetPhone(w.ctx, "one", "desk", n, anything)
		var refused *provisioning.Error
		if !errors.As(err, &refused) || refused.Field+" "+string(refused.Code) != want {
			t.Errorf("want %s, got %v", want, err)
		}
	}
	for what, err := range map[string]error{
		"a device that is not there": func() error { _, _, err := w.SetPhone(w.ctx, "one", "nobody", good, anything); return err }(),
		"reading what is no phone":   func() error { _, err := w.Service.Phone(w.ctx, "one", "desk"); return err }(),
		"rotating what is no phone":  func() error { _, err := w.RotatePhoneSecret(w.ctx, "one", "desk"); return err }(),
		"previewing of no tenant":    func() error { _, err := w.PreviewPhone(w.ctx, "two", "other"); return err }(),
	} {
		var refused *provisioning.Error
		if !errors.As(err, &refused) || refused.Code != provisioning.NotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
	w.Phones.Keys = nil
	if _, _, err := w.SetPhone(w.ctx, "one", "desk", good, anything); err == nil || !strings.Contains(err.Error(), "TANDEM_SECRET_KEY") {
		t.Errorf("without a key: %v", err)
	}
}
