// Package fetch asks foreign HTTP servers on behalf of tenants' flows (callflows.Fetch).
//
// It guarantees:
//   - Fetch answers within its time, whatever becomes of the request, and never returns an error beside the answer.
//   - A connection is made only to an address that was checked as it is dialled: what a name resolves to is checked, not the
//     name, for the first request and for each redirect. Loopback, private, link-local and other special addresses are
//     refused unless the operator allows them, so that a flow reaches nothing of the platform's own (SSRF).
//   - Time, size of the answer, redirects, requests at once, in all and of one tenant, are bounded by the constants below.
//   - The same command asked twice carries the same Idempotency-Key: "<call id>/<n>".
//
// It refuses user names in URLs, schemes but http and https, redirects from https to http, and answers that are not UTF-8.
// It takes no proxy from the environment, keeps no cookies, and logs no URL.
package fetch

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"tandem/callflows"
	"tandem/reach"
)

// Bounds of asking.
const (
	MaxAtOnce         = 256      // requests at once
	MaxOfTenant       = 16       // of one tenant
	MaxRedirects      = 3        // that are followed
	maxAnswerHeader   = 16 << 10 // bytes
	maxIdle           = 64       // connections that are kept for later
	idleFor           = 30 * time.Second
	firstFreePort     = 1024            // below it only the ports of HTTP are asked
	maxConnectionTime = 5 * time.Second // until a server is reached
)

// Words of what went wrong, as the explanation of a call tells them.
const (
	wordsTime      = "no answer in time"
	wordsAddress   = "the address is not allowed"
	wordsPort      = "the port is not allowed"
	wordsName      = "the name is not known"
	wordsRefused   = "the server cannot be reached"
	wordsRedirect  = "too many redirects, or one that is not followed"
	wordsLong      = "the answer is too long"
	wordsText      = "the answer is no text"
	wordsURL       = "the URL cannot be asked"
	wordsBusy      = "too many requests are under way"
	wordsBusyOwn   = "too many requests of this tenant are under way"
	wordsBroken    = "the connection broke"
	wordsUntrusted = "the server's certificate is not trusted"
)

// Client asks. It is safe for concurrent use.
type Client struct {
	allowed []netip.Prefix
	http    *http.Client

	mu    sync.Mutex
	all   int
	owner map[string]int // by tenant
}

// New makes a client. allowed are networks that may be asked although they are private.
func New(allowed []netip.Prefix) *Client {
	c := &Client{allowed: allowed, owner: map[string]int{}}
	dialer := &net.Dialer{Timeout: maxConnectionTime, ControlContext: c.control}
	c.http = &http.Client{
		CheckRedirect: checkRedirect,
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, DisableCompression: true, MaxResponseHeaderBytes: maxAnswerHeader,
			MaxIdleConns: maxIdle, IdleConnTimeout: idleFor, TLSHandshakeTimeout: maxConnectionTime,
		},
	}
	return c
}

var (
	errAddress  = errors.New("fetch: " + wordsAddress)
	errPort     = errors.New("fetch: " + wordsPort)
	errRedirect = errors.New("fetch: " + wordsRedirect)
)

// control sees each address as it is dialled, after names were resolved.
func (c *Client) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return errAddress
	}
	for _, p := range c.allowed {
		if p.Contains(a.Addr().Unmap()) {
			return nil
		}
	}
	if !reach.Public(a.Addr()) {
		return errAddress
	}
	if port := a.Port(); port < firstFreePort && port != 80 && port != 443 {
		return errPort
	}
	return nil
}

func checkRedirect(to *http.Request, via []*http.Request) error {
	downgraded := via[0].URL.Scheme == "https" && to.URL.Scheme != "https"
	if len(via) > MaxRedirects || downgraded || to.URL.User != nil {
		return errRedirect
	}
	return nil
}

// Fetch asks, for at most wait. key names the command for the server.
func (c *Client) Fetch(ctx context.Context, tenant, call, key string, r callflows.Request, wait time.Duration) callflows.Reply {
	if words := c.begin(tenant); words != "" {
		return callflows.Reply{Error: words}
	}
	defer c.end(tenant)
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var body io.Reader
	if r.Body != "" {
		body = strings.NewReader(r.Body)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, r.URL, body)
	if err != nil || request.URL.User != nil || request.URL.Scheme != "http" && request.URL.Scheme != "https" {
		return callflows.Reply{Error: wordsURL}
	}
	request.Header.Set("User-Agent", "Tandem")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Idempotency-Key", key)
	request.Header.Set("X-Tandem-Call", call)
	request.Header.Set("X-Tandem-Tenant", tenant)
	if r.Body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return callflows.Reply{Error: words(ctx, err)}
	}
	defer response.Body.Close()
	return read(ctx, response, r.MaxBytes)
}

// read reads an answer within its bound.
func read(ctx context.Context, response *http.Response, limit int) callflows.Reply {
	text, err := io.ReadAll(io.LimitReader(response.Body, int64(limit)+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return callflows.Reply{Error: wordsTime}
	case err != nil:
		return callflows.Reply{Error: wordsBroken}
	case len(text) > limit:
		return callflows.Reply{Error: wordsLong}
	case !utf8.Valid(text):
		return callflows.Reply{Error: wordsText}
	}
	return callflows.Reply{Status: response.StatusCode, Body: string(text)}
}

// words says why there is no answer.
func words(ctx context.Context, err error) string {
	var unknown *net.DNSError
	var broken *net.OpError
	switch {
	case errors.Is(err, errAddress):
		return wordsAddress
	case errors.Is(err, errPort):
		return wordsPort
	case errors.Is(err, errRedirect):
		return wordsRedirect
	case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded):
		return wordsTime
	case errors.As(err, &unknown):
		return wordsName
	case errors.As(err, &broken) && broken.Op == "dial":
		return wordsRefused
	case strings.Contains(err.Error(), "x509:"):
		return wordsUntrusted
	}
	return wordsBroken
}

// begin takes a place for a request, or says why there is none.
func (c *Client) begin(tenant string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.all >= MaxAtOnce:
		return wordsBusy
	case c.owner[tenant] >= MaxOfTenant:
		return wordsBusyOwn
	}
	c.all++
	c.owner[tenant]++
	return ""
}

func (c *Client) end(tenant string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all--
	if c.owner[tenant]--; c.owner[tenant] == 0 {
		delete(c.owner, tenant)
	}
}

// Close ends the connections that are kept for later.
func (c *Client) Close() { c.http.CloseIdleConnections() }
