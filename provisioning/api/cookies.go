package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Browsers hold their session in a cookie that no script can read. A cookie goes with every request to this host, whichever page has made
// it; so one that changes something must also come from a page of this host, as the browser says (Sec-Fetch-Site, Origin), and bring a
// text that only such a page could read (X-CSRF-Token).
const (
	ActingCookie = "tandem_acting" // of a session that acts as a tenant; it goes before SessionCookie
	CSRFHeader   = "X-CSRF-Token"
	cookiePath   = "/v1"
)

// cookie is one that a request was made with.
type cookie struct {
	name   string
	secure bool
}

// gone makes a browser forget it: the headers for it, none for the zero cookie.
func (c cookie) gone() []string {
	if c.name == "" {
		return nil
	}
	forget := http.Cookie{Name: c.name, Path: cookiePath, MaxAge: -1, HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteStrictMode}
	return []string{forget.String()}
}

// signedOut is the answer to who has signed out.
type signedOut struct {
	SetCookie []string `header:"Set-Cookie"`
}

// opened answers with a session: its token in a cookie or in the body.
func (a *API) opened(ctx context.Context, name string, inCookie bool, token string, expires time.Time) *sessionOutput {
	out := &sessionOutput{Body: sessionBody{Token: token, ExpiresAt: expires.UTC()}}
	if inCookie {
		out.Body.Token = ""
		secure := CallerOf(ctx).secure
		kept := http.Cookie{Name: name, Value: token, Path: cookiePath, Expires: expires, HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode}
		out.SetCookie = []string{kept.String()}
		if name == SessionCookie { // whoever signs in is himself, whomever the browser acted as before
			out.SetCookie = append(out.SetCookie, cookie{ActingCookie, secure}.gone()...)
		}
	}
	return out
}

// overTLS says whether a browser has asked over TLS, as the proxy tells that has the certificate. Who lies gets a cookie that his own
// browser does not keep.
func overTLS(ctx huma.Context) bool {
	return ctx.TLS() != nil || ctx.Header("X-Forwarded-Proto") == "https"
}

// byCookie finds the session of a browser in its cookies, the one that acts as a tenant first.
func (c *Caller) byCookie(ctx huma.Context) (secret string, ok bool, refused error) {
	cookies, err := http.ParseCookie(ctx.Header("Cookie"))
	if err != nil {
		return "", false, nil
	}
	for _, name := range []string{ActingCookie, SessionCookie} {
		for _, one := range cookies {
			if one.Name == name && strings.HasPrefix(one.Value, SessionPrefix) && !ok {
				secret, ok, c.cookie = one.Value, true, cookie{name: name, secure: c.secure}
			}
		}
	}
	if !ok {
		return "", false, nil
	}
	c.csrf = csrfOf(secret)
	if ctx.Method() == http.MethodGet {
		return secret, true, nil
	}
	if err := new(http.CrossOriginProtection).Check(asked(ctx)); err != nil || subtle.ConstantTimeCompare([]byte(ctx.Header(CSRFHeader)), []byte(c.csrf)) != 1 {
		return "", false, Refuse(http.StatusForbidden, "csrf", "This was not asked by a page of the admin's, or by one that is out of date. Reload it.")
	}
	return secret, true, nil
}

// asked is what CrossOriginProtection looks at.
func asked(ctx huma.Context) *http.Request {
	r := &http.Request{Method: ctx.Method(), Host: ctx.Host(), Header: http.Header{}}
	for _, name := range []string{"Sec-Fetch-Site", "Origin"} {
		if value := ctx.Header(name); value != "" {
			r.Header.Set(name, value)
		}
	}
	url := ctx.URL()
	r.URL = &url
	return r
}

// csrfOf is made of a session's token, so that nothing need be kept, and tells nothing of it.
func csrfOf(token string) string {
	sum := sha256.Sum256([]byte("csrf " + token))
	const enough = 16 // bytes
	return hex.EncodeToString(sum[:enough])
}
