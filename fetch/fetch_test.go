package fetch

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/callflows"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func serve(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return s.URL
}

func get(c *Client, url string) callflows.Reply {
	return c.Fetch(context.Background(), "t1", "call", "call/1", callflows.Request{Method: "GET", URL: url, MaxBytes: 100}, 5*time.Second)
}

// What is not allowed is not even connected to, by whichever name it is called.
func TestAnAddressOfThePlatformIsNotAsked(t *testing.T) {
	asked := false
	url := serve(t, func(http.ResponseWriter, *http.Request) { asked = true })
	c := New(nil)
	for _, u := range []string{url, strings.Replace(url, "127.0.0.1", "localhost", 1), strings.Replace(url, "127.0.0.1", "[::ffff:127.0.0.1]", 1), "http://169.254.169.254/latest/meta-data"} {
		if r := get(c, u); r.Error != wordsAddress {
			t.Errorf("%s: %+v", u, r)
		}
	}
	if asked {
		t.Error("it was asked")
	}
}

// A redirect is checked as the first request is.
func TestARedirectToThePlatformIsNotFollowed(t *testing.T) {
	inner := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") })
	inner = strings.Replace(inner, "127.0.0.1", "127.0.0.99", 1) // all of loopback leads here
	outer := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inner, http.StatusFound) })
	c := New([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")})
	if r := get(c, outer); r.Error != wordsAddress {
		t.Errorf("%+v", r)
	}
}

func TestAnswers(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/good":
			fmt.Fprintf(w, `{"key":%q,"call":%q,"tenant":%q}`, r.Header.Get("Idempotency-Key"), r.Header.Get("X-Tandem-Call"), r.Header.Get("X-Tandem-Tenant"))
		case "/long":
			fmt.Fprint(w, strings.Repeat("x", 101))
		case "/binary":
			fmt.Fprint(w, "\xff\xfe")
		case "/error":
			w.WriteHeader(http.StatusTeapot)
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		case "/once":
			http.Redirect(w, r, "/good", http.StatusFound)
		case "/scheme":
			http.Redirect(w, r, "ftp://localhost/", http.StatusFound)
		case "/broken":
			panic(http.ErrAbortHandler)
		}
	})
	c := New(loopback)
	for path, want := range map[string]callflows.Reply{
		"/good": {Status: 200, Body: `{"key":"call/1","call":"call","tenant":"t1"}`}, "/long": {Error: wordsLong}, "/binary": {Error: wordsText}, "/error": {Status: 418},
		"/circle": {Error: wordsRedirect}, "/once": {Status: 200, Body: `{"key":"call/1","call":"call","tenant":"t1"}`}, "/broken": {Error: wordsBroken}, "/scheme": {Error: wordsBroken},
	} {
		if got := get(c, url+path); got != want {
			t.Errorf("%s: %+v", path, got)
		}
	}
	for bad, want := range map[string]string{"http://a:b@127.0.0.1/": wordsURL, "ftp://127.0.0.1/": wordsURL, "http://127.0.0.1:1/": wordsRefused, "http://nobody.invalid/": wordsName, "\x00": wordsURL} {
		if got := get(c, bad); got.Error != want {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

func TestAnAnswerThatIsLateIsNone(t *testing.T) {
	held := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-held
	})
	defer close(held)
	c := New(loopback)
	if r := c.Fetch(context.Background(), "t1", "call", "call/1", callflows.Request{Method: "GET", URL: url, MaxBytes: 10}, 50*time.Millisecond); r.Error != wordsTime {
		t.Errorf("%+v", r)
	}
}

// One tenant's slow server takes no place of another's.
func TestATenantHasItsShareAlone(t *testing.T) {
	held, came := make(chan struct{}), make(chan struct{}, MaxOfTenant)
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			came <- struct{}{}
			<-held
		}
	})
	c := New(loopback)
	var all sync.WaitGroup
	for range MaxOfTenant {
		all.Go(func() { get(c, url+"/slow") })
	}
	for range MaxOfTenant {
		<-came
	}
	if r := get(c, url); r.Error != wordsBusyOwn {
		t.Errorf("beyond its share: %+v", r)
	}
	if r := c.Fetch(context.Background(), "t2", "call", "call/1", callflows.Request{Method: "GET", URL: url, MaxBytes: 10}, time.Second); r.Status != 200 {
		t.Errorf("another tenant: %+v", r)
	}
	close(held)
	all.Wait()
	if r := get(c, url); r.Status != 200 {
		t.Errorf("afterwards: %+v", r)
	}
}
