package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"tandem/provisioning"
)

// browserPhone is what a phone in a browser needs to register.
type browserPhone struct {
	provisioning.BrowserPhone
	WebSockets []string `json:"websockets" nullable:"false" example:"[\"wss://edge1.example.com:7443/sip\"]" doc:"Where it connects: one is enough, the others are for when that is away."`
}

// browserPhones lets a user, and whoever may change devices, have his phone in a browser.
func (a *API) browserPhones() {
	Add(a, DevicesWrite.OrOwn(), huma.Operation{OperationID: "open-browser-phone", Method: http.MethodPost, Path: "/v1/tenants/{tenant}/users/{user}/browser-phone",
		Summary: "Give a user's phone in the browser its password", Tags: []string{"devices"},
		Description: "Makes the device if there is none yet. Each time the password is another, and a page that has an older one cannot register or call any more: a user has one phone in one window. Keep it in memory alone."},
		func(ctx context.Context, in *UserInput) (*struct{ Body browserPhone }, error) {
			at := a.Service.Phones.WebSockets
			if len(at) == 0 {
				return nil, Refuse(http.StatusConflict, "no_browser_phones", "This installation has no WebSocket for phones in browsers (TANDEM_PHONES_WEBSOCKETS).")
			}
			p, err := a.Service.BrowserPhone(ctx, TenantOf(ctx), in.User)
			return &struct{ Body browserPhone }{browserPhone{p, at}}, err
		})
}
