package phoneserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tandem/provisioning"
	"tandem/provisioning/phones"
)

const right = "abcdefghijklmnopqrstuvwxyz234567"

// shelf is a phone's files; it notes what was asked.
type shelf struct {
	asked []provisioning.Asking
	err   error
}

func (s *shelf) PhoneFile(_ context.Context, a provisioning.Asking) (phones.File, error) {
	s.asked = append(s.asked, a)
	switch {
	case s.err != nil:
		return phones.File{}, s.err
	case a.Secret != right:
		return phones.File{}, provisioning.ErrNoPhone
	case a.File != "001565aabbcc.cfg":
		return phones.File{}, provisioning.ErrNoFile
	}
	return phones.File{Name: a.File, ContentType: "text/plain; charset=utf-8", Body: "#!version:1.0.0.1\n"}, nil
}

type desk struct {
	*Handler
	t     *testing.T
	shelf *shelf
	now   time.Time
	log   strings.Builder
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, shelf: &shelf{}, now: time.Unix(1_800_000_000, 0)}
	d.Handler = &Handler{Files: d.shelf, Log: slog.New(slog.NewTextHandler(&d.log, nil)), Now: func() time.Time { return d.now }}
	return d
}

// ask asks over HTTPS from an address.
func (d *desk) ask(method, path, from string, change ...func(*http.Request)) *http.Response {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), method, "https://phones.example.test"+path, nil)
	r.RemoteAddr, r.TLS = from, &tls.ConnectionState{}
	r.Header.Set("User-Agent", "Yealink SIP-T46U 108.86.0.20")
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result()
}

const (
	here = "192.0.2.1:4711"
	file = "/provision/" + right + "/001565aabbcc.cfg"
)

func plain(r *http.Request) { r.TLS = nil }

func TestAPhoneGetsItsFile(t *testing.T) {
	d := newDesk(t)
	answer := d.ask(http.MethodGet, file, here)
	body, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != 200 || string(body) != "#!version:1.0.0.1\n" || answer.Header.Get("Content-Type") != "text/plain; charset=utf-8" || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("it gets %d %v %q", answer.StatusCode, answer.Header, body)
	}
	want := provisioning.Asking{Secret: right, File: "001565aabbcc.cfg", From: "192.0.2.1", UserAgent: "Yealink SIP-T46U 108.86.0.20"}
	if len(d.shelf.asked) != 1 || d.shelf.asked[0] != want {
		t.Errorf("asked was %+v", d.shelf.asked)
	}
}

func TestAPhoneMayPutASlashTooMany(t *testing.T) {
	d := newDesk(t)
	for _, path := range []string{"/provision/" + right + "//001565aabbcc.cfg", "/provision/" + right + "///001565aabbcc.cfg"} {
		if got := d.ask(http.MethodGet, path, here).StatusCode; got != 200 {
			t.Errorf("%s gets %d", path, got)
		}
	}
}

// Behind a proxy that does not say for whom it asks all phones are one source.
func TestAProxyIsNotLockedOut(t *testing.T) {
	d := newDesk(t)
	d.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}
	d.lockOut(here)
	if got := d.ask(http.MethodGet, file, here).StatusCode; got != 200 {
		t.Errorf("it gets %d", got)
	}
}

func TestHEADIsAnsweredAsGETWouldBeButForTheFile(t *testing.T) {
	d := newDesk(t)
	answer := d.ask(http.MethodHead, file, here)
	body, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != 200 || len(body) != 0 || answer.Header.Get("Content-Length") != "18" || !d.shelf.asked[0].Look {
		t.Errorf("it gets %d %v %q", answer.StatusCode, answer.Header, body)
	}
	if answer := d.ask(http.MethodHead, file+"x", here); answer.StatusCode != 404 {
		t.Errorf("another gets %d", answer.StatusCode)
	}
}

// Whoever asks learns nothing of why he gets nothing.
func TestWhateverIsWrongGetsTheSame404(t *testing.T) {
	wrong := strings.Repeat("a", 32)
	same := ""
	for what, ask := range map[string]func(*desk) *http.Response{
		"secret":     func(d *desk) *http.Response { return d.ask("GET", "/provision/"+wrong+"/001565aabbcc.cfg", here) },
		"file":       func(d *desk) *http.Response { return d.ask("GET", "/provision/"+right+"/001565aabbcd.cfg", here) },
		"listing":    func(d *desk) *http.Response { return d.ask("GET", "/provision/"+right+"/", here) },
		"no file":    func(d *desk) *http.Response { return d.ask("GET", "/provision/"+right, here) },
		"root":       func(d *desk) *http.Response { return d.ask("GET", "/", here) },
		"above":      func(d *desk) *http.Response { return d.ask("GET", "/provision/", here) },
		"deeper":     func(d *desk) *http.Response { return d.ask("GET", file+"/x", here) },
		"up":         func(d *desk) *http.Response { return d.ask("GET", "/provision/"+right+"/..%2f001565aabbcc.cfg", here) },
		"long":       func(d *desk) *http.Response { return d.ask("GET", "/provision/"+strings.Repeat("a", 9999), here) },
		"PUT":        func(d *desk) *http.Response { return d.ask("PUT", file, here) },
		"POST":       func(d *desk) *http.Response { return d.ask("POST", file, here) },
		"OPTIONS":    func(d *desk) *http.Response { return d.ask("OPTIONS", file, here) },
		"plain":      func(d *desk) *http.Response { return d.ask("GET", file, here, plain) },
		"no address": func(d *desk) *http.Response { return d.ask("GET", file, "") },
		"locked out": func(d *desk) *http.Response { d.lockOut(here); return d.ask("GET", file, here) },
		"forged proto": func(d *desk) *http.Response {
			return d.ask("GET", file, here, plain, header("X-Forwarded-Proto", "https"))
		},
	} {
		d := newDesk(t)
		answer := ask(d)
		body, _ := io.ReadAll(answer.Body)
		seen := fmt.Sprintf("%d %v %q", answer.StatusCode, answer.Header, body)
		if answer.StatusCode != 404 || same != "" && seen != same {
			t.Errorf("%s: %s, and others %s", what, seen, same)
		}
		same = seen
		if strings.Contains(d.log.String(), right) {
			t.Errorf("%s: the log holds a secret", what)
		}
	}
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

// lockOut guesses from an address until it is locked out.
func (d *desk) lockOut(from string) {
	for i := range MaxGuesses {
		d.ask("GET", fmt.Sprintf("/provision/%032d/x", i), from)
	}
}

func TestAGuesserIsLockedOutForAWhile(t *testing.T) {
	d := newDesk(t)
	counted := map[string]int{}
	d.Count = func(answer string) { counted[answer]++ }
	for i := range MaxGuesses - 1 {
		d.ask("GET", fmt.Sprintf("/provision/%032d/x", i), here)
	}
	if got := d.ask("GET", file, here).StatusCode; got != 200 {
		t.Fatalf("after %d guesses the right secret gets %d", MaxGuesses-1, got)
	}
	d.ask("GET", "/.env", here)
	before := len(d.shelf.asked)
	if got := d.ask("GET", file, here).StatusCode; got != 404 || len(d.shelf.asked) != before {
		t.Errorf("after %d it gets %d, and the database is asked: %v", MaxGuesses, got, len(d.shelf.asked) != before)
	}
	if got := d.ask("GET", file, "192.0.2.2:1").StatusCode; got != 200 {
		t.Errorf("another source gets %d", got)
	}
	if got := fmt.Sprint(counted); got != "map[given:2 locked:1 nothing:10]" {
		t.Errorf("counted is %s", got)
	}
	if strings.Count(d.log.String(), "locked out") != 1 {
		t.Errorf("the log says %s", d.log.String())
	}
	d.now = d.now.Add(LockedFor)
	if got := d.ask("GET", file, here).StatusCode; got != 200 {
		t.Errorf("an hour later it gets %d", got)
	}
}

// An office has one address and fifty phones: one of them, with a secret that was replaced, must not take the others along.
func TestAPhoneThatAsksAgainAndAgainLocksOutNobody(t *testing.T) {
	d := newDesk(t)
	for range 100 * MaxGuesses {
		d.ask("GET", "/provision/"+strings.Repeat("a", 32)+"/001565aabbcc.cfg", here)
		d.ask("GET", "/provision/"+right+"/y000000000108.cfg", here)
		d.now = d.now.Add(time.Second)
	}
	if got := d.ask("GET", file, here).StatusCode; got != 200 {
		t.Errorf("then its neighbour gets %d", got)
	}
}

func TestGuessesOfLongAgoDoNotCount(t *testing.T) {
	d := newDesk(t)
	for i := range 5 * MaxGuesses {
		d.ask("GET", fmt.Sprintf("/provision/%032d/x", i), here)
		d.now = d.now.Add(2 * GuessWindow / MaxGuesses)
	}
	if got := d.ask("GET", file, here).StatusCode; got != 200 {
		t.Errorf("it gets %d", got)
	}
}

func TestAnIPv6NetworkIsOneSource(t *testing.T) {
	d := newDesk(t)
	for i := range MaxGuesses {
		d.ask("GET", fmt.Sprintf("/provision/%032d/x", i), fmt.Sprintf("[2001:db8::%x]:1", i+1))
	}
	if a, b := d.ask("GET", file, "[2001:db8::ffff]:1").StatusCode, d.ask("GET", file, "[2001:db8:0:1::1]:1").StatusCode; a != 404 || b != 200 {
		t.Errorf("the network gets %d, its neighbour %d", a, b)
	}
}

func TestWhatIsKeptOfSourcesIsBounded(t *testing.T) {
	var g guesses
	now := time.Unix(0, 0)
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range MaxSources + 1000 {
		for n := range MaxGuesses - 1 {
			g.wrong(address(i), fmt.Sprint(n), now)
		}
		g.wrong(address(0), "the same", now) // never quiet
	}
	if len(g.sources) != MaxSources {
		t.Errorf("%d sources are kept", len(g.sources))
	}
	listed := 0
	for s := g.oldest; s != nil; s = s.next {
		listed++
	}
	if listed != MaxSources {
		t.Errorf("%d are in the list", listed)
	}
	if g.sources[group(address(0))] == nil || g.sources[group(address(1))] != nil || g.sources[group(address(MaxSources))] == nil {
		t.Error("the one that was quiet for longest is not the one that was forgotten")
	}
}

func TestAProxysWordCountsIfItIsTrusted(t *testing.T) {
	for name, c := range map[string]struct {
		change []func(*http.Request)
		from   string // empty: 404
	}{
		"HTTPS":             {[]func(*http.Request){header("X-Forwarded-For", "198.51.100.7"), header("X-Forwarded-Proto", "https")}, "198.51.100.7"},
		"plain behind TLS":  {[]func(*http.Request){header("X-Forwarded-For", "198.51.100.7"), header("X-Forwarded-Proto", "http")}, ""},
		"nothing said":      {[]func(*http.Request){plain, header("X-Forwarded-For", "198.51.100.7")}, ""},
		"a forged list":     {[]func(*http.Request){plain, header("X-Forwarded-For", "203.0.113.1, 198.51.100.7"), header("X-Forwarded-Proto", "https")}, "198.51.100.7"},
		"two lines":         {[]func(*http.Request){plain, header("X-Forwarded-For", "203.0.113.1"), header("X-Forwarded-For", "198.51.100.7"), header("X-Forwarded-Proto", "https")}, "198.51.100.7"},
		"two proxies":       {[]func(*http.Request){plain, header("X-Forwarded-For", "198.51.100.7, 10.0.0.9"), header("X-Forwarded-Proto", "https")}, "198.51.100.7"},
		"no address":        {[]func(*http.Request){plain, header("X-Forwarded-For", "unknown"), header("X-Forwarded-Proto", "https")}, "10.0.0.1"},
		"the proxy by hand": {[]func(*http.Request){}, "10.0.0.1"},
	} {
		d := newDesk(t)
		d.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		answer := d.ask("GET", file, "10.0.0.1:80", c.change...)
		switch {
		case c.from == "" && answer.StatusCode != 404:
			t.Errorf("%s: %d", name, answer.StatusCode)
		case c.from != "" && (answer.StatusCode != 200 || d.shelf.asked[0].From != c.from):
			t.Errorf("%s: %d, %+v", name, answer.StatusCode, d.shelf.asked)
		}
	}
}

func TestPlainHTTPIsForThoseWhoAllowIt(t *testing.T) {
	d := newDesk(t)
	d.Plain = true
	if got := d.ask("GET", file, here, plain).StatusCode; got != 200 {
		t.Errorf("it gets %d", got)
	}
}

func TestAPhoneKeepsWhatItHasWhileTheDatabaseIsAway(t *testing.T) {
	d := newDesk(t)
	d.shelf.err = errors.New("away")
	for range 2 * MaxGuesses {
		if answer := d.ask("GET", file, here); answer.StatusCode != 503 || answer.Header.Get("Retry-After") == "" {
			t.Fatalf("it gets %d", answer.StatusCode)
		}
	}
	d.shelf.err = nil
	if got := d.ask("GET", file, here).StatusCode; got != 200 {
		t.Errorf("then it gets %d", got)
	}
}
