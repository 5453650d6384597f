package fetch

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tandem/webhooks"
)

func TestWhatBecomesOfAMessage(t *testing.T) {
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/good":
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %s", r.Method, r.Header.Get("webhook-id"), body)
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		case "/redirect":
			http.Redirect(w, r, elsewhere, http.StatusFound)
		case "/redirect-kept":
			http.Redirect(w, r, elsewhere, http.StatusPermanentRedirect)
		case "/busy":
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/long":
			fmt.Fprint(w, strings.Repeat("x", 10_000_000))
		case "/binary":
			fmt.Fprint(w, "\xff\x00")
		case "/broken":
			panic(http.ErrAbortHandler)
		}
	})
	p := NewPoster(loopback)
	defer p.Close()
	header := http.Header{}
	header.Set(webhooks.HeaderID, "evt_1")
	for path, want := range map[string]webhooks.Answer{
		"/good": {Status: 200, Body: "POST evt_1 {}"}, "/empty": {Status: 204}, "/broken": {Problem: wordsBroken}, "/gone": {Status: 410, Problem: "it answered 410 Gone"},
		"/busy": {Status: 429, RetryAfter: 2 * time.Minute, Problem: "it answered 429 Too Many Requests"}, "/long": {Status: 200, Body: strings.Repeat("x", webhooks.MaxAnswer)}, "/binary": {Status: 200, Body: "\uFFFD\x00"},
	} {
		got := p.Post(t.Context(), url+path, header, []byte("{}"))
		if got.Took <= 0 {
			t.Errorf("%s took %s", path, got.Took)
		}
		if got.Took = 0; got != want {
			t.Errorf("%s: %+v", path, got)
		}
	}
	for _, path := range []string{"/redirect", "/redirect-kept"} {
		if got := p.Post(t.Context(), url+path, header, nil); got.Taken() || got.Status < 300 || got.Status > 399 {
			t.Errorf("%s: %+v", path, got)
		}
	}
	for bad, want := range map[string]string{"http://127.0.0.1:1/": wordsRefused, "http://a:b@127.0.0.1/": wordsURL, "ftp://127.0.0.1/": wordsURL, "http://nobody.invalid/": wordsName} {
		if got := p.Post(t.Context(), bad, header, nil); got.Problem != want || got.Taken() {
			t.Errorf("%s: %+v", bad, got)
		}
	}
}

// What is not allowed is not even connected to, by whichever name it is called.
func TestAMessageReachesNoPrivateAddress(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") })
	p := NewPoster(nil)
	defer p.Close()
	for _, u := range []string{url, strings.Replace(url, "127.0.0.1", "localhost", 1), strings.Replace(url, "127.0.0.1", "[::ffff:127.0.0.1]", 1), "http://169.254.169.254/latest/meta-data"} {
		if got := p.Post(t.Context(), u, nil, nil); got.Problem != wordsAddress {
			t.Errorf("%s: %+v", u, got)
		}
	}
}

func TestAReceiverThatDoesNotAnswerIsGivenUp(t *testing.T) {
	held := make(chan struct{})
	url := serve(t, func(http.ResponseWriter, *http.Request) { <-held })
	defer close(held)
	p := NewPoster(loopback)
	defer p.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got := p.Post(ctx, url, nil, nil); got.Problem != wordsTime {
		t.Errorf("%+v", got)
	}
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for value, want := range map[string]time.Duration{
			"": 0, "120": 2 * time.Minute, "-5": 0, "99999999999": webhooks.MaxRetryAfter, "soon": 0,
			now.Add(time.Minute).UTC().Format(http.TimeFormat): time.Minute, now.Add(-time.Minute).UTC().Format(http.TimeFormat): 0, now.Add(1000 * time.Hour).UTC().Format(http.TimeFormat): webhooks.MaxRetryAfter,
		} {
			if got := retryAfter(value, now); got != want {
				t.Errorf("%q: %s, want %s", value, got, want)
			}
		}
	})
}
