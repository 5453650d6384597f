package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tandem/provisioning"
)

// owner are the use cases that find out who somebody is; they run before there is a scope.
func (a *API) owner() *provisioning.Service { return &provisioning.Service{Store: a.Owner} }

// sessionBody is a session that was opened.
type sessionBody struct {
	Token     string    `json:"token,omitempty" doc:"Send it as Authorization: Bearer TOKEN. It is not shown again. Absent when it went into a cookie."`
	ExpiresAt time.Time `json:"expires_at"`
}

type sessionOutput struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      sessionBody
}

type signInInput struct {
	Body struct {
		Email    string `json:"email" minLength:"3" maxLength:"254" example:"ada@example.com"`
		Password string `json:"password" minLength:"1" maxLength:"256"`
		Code     string `json:"code,omitempty" maxLength:"6" doc:"Of the second factor, when it is on."`
		Cookie   bool   `json:"cookie,omitempty" doc:"For browsers: the token comes as a cookie that no script can read, and in no body."`
	}
}

// selfBody says who asks.
type selfBody struct {
	Actor    string  `json:"actor" example:"key/5c0f" doc:"The name under which changes are written down."`
	Role     string  `json:"role,omitempty" doc:"Of a person."`
	Tenant   string  `json:"tenant,omitempty" doc:"Whose own he is; absent: the platform's."`
	User     string  `json:"user,omitempty" doc:"Whose own things he sees, for the role user."`
	ActingAs string  `json:"acting_as,omitempty" doc:"The tenant that the session was opened for."`
	Scopes   []Scope `json:"scopes" nullable:"false"`
	Browser  bool    `json:"browser_phones,omitempty" doc:"This installation has phones in browsers."`
	CSRF     string  `json:"csrf,omitempty" doc:"For a session in a cookie: send it as X-CSRF-Token with all but GET."`
}

func (a *API) sessions() {
	Add(a, Public, huma.Operation{OperationID: "create-session", Method: http.MethodPost, Path: "/v1/sessions", Summary: "Sign in", Tags: []string{"self"},
		DefaultStatus: http.StatusCreated}, a.signIn)
	Add(a, SelfAccess, huma.Operation{OperationID: "delete-session", Method: http.MethodDelete, Path: "/v1/self/session", Summary: "Sign out", Tags: []string{"self"}},
		func(ctx context.Context, _ *struct{}) (*signedOut, error) {
			c := CallerOf(ctx)
			if c.Session == nil {
				return nil, Refuse(http.StatusConflict, "no_session", "A key has no session that could be ended.")
			}
			return &signedOut{c.cookie.gone()}, a.owner().Close(ctx, c.Session)
		})
	Add(a, SelfAccess, huma.Operation{OperationID: "get-self", Method: http.MethodGet, Path: "/v1/self", Summary: "Who am I, and what may I do?", Tags: []string{"self"}},
		func(ctx context.Context, _ *struct{}) (*struct{ Body selfBody }, error) {
			c := CallerOf(ctx)
			return &struct{ Body selfBody }{selfBody{Actor: c.Actor, Role: c.Role, Tenant: c.Home, User: c.User, ActingAs: c.ActingAs, Scopes: append([]Scope{}, c.may...), Browser: len(a.Service.Phones.WebSockets) > 0, CSRF: c.csrf}}, nil
		})
	Add(a, SelfAccess, huma.Operation{OperationID: "act-as", Method: http.MethodPost, Path: "/v1/tenants/{tenant}/act-as", Summary: "Open a session as a tenant's own administrator",
		Description: "What is done in it is written down under the name of who does it, and for whom.", Tags: []string{"self"}, DefaultStatus: http.StatusCreated}, a.actAs)
	Add(a, SelfAccess, huma.Operation{OperationID: "set-own-password", Method: http.MethodPut, Path: "/v1/self/password", Summary: "Change one's own password", Tags: []string{"self"}}, a.ownPassword)
	a.secondFactor()
}

func (a *API) signIn(ctx context.Context, in *signInInput) (*sessionOutput, error) {
	token, hash := NewSecret(SessionPrefix)
	_, expires, err := a.owner().Open(ctx, provisioning.SignIn{Email: in.Body.Email, Password: in.Body.Password, Code: in.Body.Code,
		Address: CallerOf(ctx).Address, Hash: hash})
	switch {
	case errors.Is(err, provisioning.ErrCodeNeeded):
		return nil, Refuse(http.StatusUnauthorized, "code_needed", "Send the code of your second factor too.")
	case errors.Is(err, provisioning.ErrLocked):
		return nil, Refuse(http.StatusTooManyRequests, "locked", "There were too many wrong tries. Wait a quarter of an hour.")
	case errors.Is(err, provisioning.ErrSignIn):
		return nil, Refuse(http.StatusUnauthorized, "sign_in_refused", "E-mail, password or code is wrong.")
	case err != nil:
		return nil, err
	}
	return a.opened(ctx, SessionCookie, in.Body.Cookie, token, expires), nil
}

func (a *API) actAs(ctx context.Context, in *struct {
}) (*sessionOutput, error) {
	c := CallerOf(ctx)
	if c.Person == "" || c.Role == RoleUser || c.ActingAs != "" {
		return nil, Refuse(http.StatusForbidden, "act_as_refused", "Only people act as a tenant, and not while they act as one already.")
	}
	token, hash := NewSecret(SessionPrefix)
	expires, err := a.owner().ActAs(ctx, c.Person, TenantOf(ctx), c.Address, hash)
	if err != nil {
		return nil, err
	}
	return a.opened(ctx, ActingCookie, c.cookie.name != "", token, expires), nil
}

func (a *API) ownPassword(ctx context.Context, in *struct {
	Body struct {
		Current string `json:"current" maxLength:"256"`
		New     string `json:"new" minLength:"10" maxLength:"256"`
	}
}) (*None, error) {
	c := CallerOf(ctx)
	if c.Person == "" {
		return nil, Refuse(http.StatusConflict, "no_person", "A key has no password.")
	}
	right, err := a.owner().HasPassword(ctx, c.Person, in.Body.Current)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, Refuse(http.StatusUnprocessableEntity, "password_wrong", "The current password is not this.")
	}
	return nil, a.owner().SetPersonPassword(ctx, c.Tenant, c.Person, in.Body.New)
}

type codeInput struct {
	Body struct {
		Code string `json:"code" minLength:"6" maxLength:"6" pattern:"^[0-9]{6}$"`
	}
}

func (a *API) secondFactor() {
	Add(a, SelfAccess, huma.Operation{OperationID: "begin-totp", Method: http.MethodPost, Path: "/v1/self/totp", Summary: "Set up a second factor (TOTP, RFC 6238)",
		Description: "It counts once a code of it was confirmed.", Tags: []string{"self"}},
		func(ctx context.Context, _ *struct{}) (*struct {
			Body struct {
				Secret string `json:"secret" doc:"For an authenticator; it is not shown again."`
				URI    string `json:"uri" doc:"The same as otpauth: URI, for a QR code."`
			}
		}, error) {
			out := &struct {
				Body struct {
					Secret string `json:"secret" doc:"For an authenticator; it is not shown again."`
					URI    string `json:"uri" doc:"The same as otpauth: URI, for a QR code."`
				}
			}{}
			person, err := personHere(ctx)
			if err == nil {
				out.Body.Secret, out.Body.URI, err = a.owner().BeginTOTP(ctx, person, "Tandem")
			}
			return out, err
		})
	for on, op := range map[bool]huma.Operation{
		true:  {OperationID: "confirm-totp", Method: http.MethodPost, Path: "/v1/self/totp/confirm", Summary: "Turn the second factor on", Tags: []string{"self"}},
		false: {OperationID: "remove-totp", Method: http.MethodPost, Path: "/v1/self/totp/remove", Summary: "Turn the second factor off", Tags: []string{"self"}},
	} {
		Add(a, SelfAccess, op, func(ctx context.Context, in *codeInput) (*None, error) {
			person, err := personHere(ctx)
			if err != nil {
				return nil, err
			}
			return nil, a.owner().ConfirmTOTP(ctx, person, in.Body.Code, on)
		})
	}
}

func personHere(ctx context.Context) (string, error) {
	if c := CallerOf(ctx); c.Person != "" {
		return c.Person, nil
	}
	return "", Refuse(http.StatusConflict, "no_person", "A key has no second factor.")
}

// platformOnly refuses everybody but the platform's people an operation without a tenant in its path.
func platformOnly(ctx context.Context) error {
	if TenantOf(ctx) == "" && !CallerOf(ctx).IsPlatform() {
		return Refuse(http.StatusForbidden, "platform_only", "This is the platform's own. Ask with your tenant in the path.")
	}
	return nil
}

// mayGive refuses to give somebody else a scope that one has not.
func mayGive(ctx context.Context, scopes []Scope) error {
	c := CallerOf(ctx)
	for _, s := range scopes {
		if !c.May(s) {
			return Refuse(http.StatusForbidden, "scope_not_yours", "The scope "+string(s)+" cannot be given by who does not have it.")
		}
	}
	return nil
}
