package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tandem/postgres"
)

// The beginnings of secrets say what they are, to people and to programs that look for lost secrets.
const (
	KeyPrefix      = "tdm_" // of an API key
	SessionPrefix  = "tds_" // of the token of a session
	OperatorPrefix = "tdo_" // of the key of a worker's own operator
	SessionCookie  = "tandem_session"
)

// NewSecret makes a secret with a prefix, of 130 random bits at least, and what is kept of it.
func NewSecret(prefix string) (secret string, hash []byte) {
	secret = prefix + rand.Text()
	return secret, HashSecret(secret)
}

// HashSecret is what is kept of a secret that NewSecret has made; such a one cannot be guessed, so the hash may be quick.
func HashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Caller is who asks.
type Caller struct {
	postgres.Caller
	Actor   string // key/ID, person/ID, operator: the name under which changes are written down
	Home    string // the tenant whose own he is: a session that acts as another's is that one's; empty: the platform's
	Address string
	Request string
	About   string // the tenant in the path of his request; empty: the path has none
	Session []byte // hash of the session's token; nil: a key
	may     []Scope
	cookie  cookie // by which he asks; the zero cookie: by none
	csrf    string // what he must send besides, when he asks by a cookie
	secure  bool   // he asks over TLS
}

// May says whether the caller has a scope.
func (c Caller) May(s Scope) bool { return slices.Contains(c.may, s) }

// Scopes lists what he may do.
func (c Caller) Scopes() []Scope { return slices.Clone(c.may) }

// IsPlatform says whether he is one of the platform's own, and does not act as a tenant.
func (c Caller) IsPlatform() bool { return c.Home == "" && c.Actor != "" }

type callerKey struct{}

// CallerOf is who asks for an operation; the zero Caller for a Public one.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// TenantOf is the tenant that an operation is about: the one in its path; empty: the path has none.
func TenantOf(ctx context.Context) string { return CallerOf(ctx).About }

const (
	maxSecret   = 256
	maxAddress  = 64
	requestSize = 12 // letters of a request's id
)

// identify finds out who asks, refuses him what he may not, and puts him and his scope into the context.
func (a *API) identify(scope Scope, orOwn bool) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		request := rand.Text()[:requestSize]
		ctx.SetHeader("X-Request-Id", request)
		ctx.SetHeader("Cache-Control", "no-store")
		address, _, err := net.SplitHostPort(ctx.RemoteAddr())
		if err != nil {
			address = ctx.RemoteAddr()
		}
		caller := Caller{Address: address[:min(len(address), maxAddress)], Request: request, About: ctx.Param("tenant"), secure: overTLS(ctx)}
		if scope == Public {
			next(huma.WithValue(ctx, callerKey{}, caller))
			return
		}
		tenant := caller.About
		refused := a.fill(ctx, &caller, tenant)
		switch {
		case refused != nil:
		case tenant != "" && !caller.Within:
			refused = NotHere("tenant")
		case scope == SelfAccess || caller.May(scope):
		case caller.Role == RoleUser && orOwn && ctx.Param("user") == caller.User && tenant == caller.Tenant:
		case caller.Role == RoleUser && orOwn:
			refused = NotHere("user")
		default:
			refused = Refuse(http.StatusForbidden, "scope_missing", "This needs the scope "+string(scope)+", which the key or role does not have.")
		}
		if refused != nil {
			a.refuse(ctx, refused)
			return
		}
		within := tenant
		if within == "" {
			within = caller.Home
		}
		if within == "" {
			within = postgres.Everybody
		}
		ctx = huma.WithValue(ctx, callerKey{}, caller)
		next(huma.WithContext(ctx, postgres.WithScope(ctx.Context(), postgres.Scope{Tenant: within, Actor: caller.Actor, Address: caller.Address, Request: request})))
	}
}

// fill finds out whose the secret of a request is.
func (a *API) fill(ctx huma.Context, c *Caller, tenant string) error {
	secret, ok := strings.CutPrefix(ctx.Header("Authorization"), "Bearer ")
	if ctx.Header("Authorization") == "" {
		var refused error
		if secret, ok, refused = c.byCookie(ctx); refused != nil {
			return refused
		}
	}
	if !ok || secret == "" || len(secret) > maxSecret {
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="tandem"`)
		return Refuse(http.StatusUnauthorized, "unauthorized", "Send an API key or a session's token: Authorization: Bearer KEY.")
	}
	if a.Operator != "" && subtle.ConstantTimeCompare([]byte(secret), []byte(a.Operator)) == 1 {
		c.Actor, c.Role, c.may = "operator", RolePlatformAdmin, Scopes()
		c.Within = true // a tenant that is not there is found to be missing by the operation
		return nil
	}
	var err error
	switch {
	case strings.HasPrefix(secret, SessionPrefix):
		c.Session = HashSecret(secret)
		c.Caller, err = a.Owner.CallerBySession(ctx.Context(), c.Session, tenant)
		c.Actor, c.Home, c.may = "person/"+c.Person, c.Tenant, ScopesOf(c.Role)
		if c.ActingAs != "" {
			c.Actor += " as " + c.ActingAs
			// As the tenant's own administrator, and never more than he may as himself.
			c.Home, c.may = c.ActingAs, slices.DeleteFunc(ScopesOf(RoleReseller), func(s Scope) bool { return !slices.Contains(ScopesOf(c.Role), s) })
		}
	default:
		c.Caller, err = a.Owner.CallerByKey(ctx.Context(), HashSecret(secret), tenant)
		c.Actor, c.Home = "key/"+c.Key, c.Tenant
		for _, s := range c.Caller.Scopes {
			if c.Home != "" && Scope(s).ofPlatform() {
				continue // keys that were made before such scopes were refused
			}
			c.may = append(c.may, Scope(s))
		}
	}
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		for _, forget := range c.cookie.gone() { // a browser forgets a session that is over, and with it whom it acted as
			ctx.AppendHeader("Set-Cookie", forget)
		}
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="tandem", error="invalid_token"`)
		return Refuse(http.StatusUnauthorized, "unauthorized", "The key or token is unknown, over or revoked.")
	case err != nil:
		a.Log.ErrorContext(ctx.Context(), "who asks cannot be found out", slog.Any("error", err))
		return Refuse(http.StatusServiceUnavailable, "away", "It cannot be found out at the moment who you are. Try again shortly.")
	}
	return nil
}

// refuse answers a request that goes no further.
func (a *API) refuse(ctx huma.Context, err error) {
	var p *Problem
	if !errors.As(err, &p) {
		p = newProblem(http.StatusInternalServerError, "The request failed")
	}
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	if err := a.huma.Marshal(ctx.BodyWriter(), "application/json", p); err != nil {
		a.Log.DebugContext(ctx.Context(), "a refusal was not read", slog.Any("error", err))
	}
}
