package fetch

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tandem/webhooks"
)

// Poster sends webhooks. It reaches what a Client reaches, follows no redirect, and reads no more of an answer than is kept.
// How many requests are under way at once is for its caller to bound.
type Poster struct{ http *http.Client }

// NewPoster makes a poster. allowed are networks that may be asked although they are private.
func NewPoster(allowed []netip.Prefix) *Poster {
	c := New(allowed)
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Poster{http: c.http}
}

// Post sends a body and says what came of it, within webhooks.AttemptFor.
func (p *Poster) Post(ctx context.Context, url string, header http.Header, body []byte) webhooks.Answer {
	ctx, cancel := context.WithTimeout(ctx, webhooks.AttemptFor)
	defer cancel()
	began := time.Now()
	a := p.post(ctx, url, header, body)
	a.Took = time.Since(began)
	return a
}

func (p *Poster) post(ctx context.Context, url string, header http.Header, body []byte) webhooks.Answer {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil || request.URL.User != nil || request.URL.Scheme != "http" && request.URL.Scheme != "https" {
		return webhooks.Answer{Problem: wordsURL}
	}
	maps.Copy(request.Header, header)
	request.Header.Set("User-Agent", "Tandem")
	request.Header.Set("Content-Type", "application/json")
	response, err := p.http.Do(request)
	if err != nil {
		return webhooks.Answer{Problem: words(ctx, err)}
	}
	defer response.Body.Close()
	a := webhooks.Answer{Status: response.StatusCode, RetryAfter: retryAfter(response.Header.Get("Retry-After"), time.Now())}
	// The status has said it: an answer that breaks off or is long is cut, and is no failure.
	said, _ := io.ReadAll(io.LimitReader(response.Body, webhooks.MaxAnswer))
	a.Body = strings.ToValidUTF8(string(said), "\uFFFD")
	if !a.Taken() {
		a.Problem = "it answered " + strconv.Itoa(a.Status) + " " + http.StatusText(a.Status)
	}
	return a
}

// retryAfter reads Retry-After: seconds, or a date (RFC 9110 10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil {
		return min(max(0, time.Duration(min(seconds, 1<<31))*time.Second), webhooks.MaxRetryAfter)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, at.Sub(now)), webhooks.MaxRetryAfter)
	}
	return 0
}

// Close ends the connections that are kept for later.
func (p *Poster) Close() { p.http.CloseIdleConnections() }
