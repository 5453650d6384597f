package api

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tandem/postgres"
	"tandem/provisioning"
)

// BrandBody is what can be said of a brand.
type BrandBody struct {
	Name         string `json:"name" minLength:"1" maxLength:"100" example:"Northern Voice"`
	PrimaryColor string `json:"primary_color" pattern:"^#[0-9a-f]{6}$" example:"#0b5d4e"`
	AccentColor  string `json:"accent_color" pattern:"^#[0-9a-f]{6}$" example:"#d9822b"`
	Domain       string `json:"domain,omitempty" maxLength:"253" example:"phone.north.example.com" doc:"Under which its people reach the admin. The platform sets it, since it must answer there."`
	EmailName    string `json:"email_name,omitempty" maxLength:"100" doc:"Of the sender of e-mails; absent: the name."`
	EmailAddress string `json:"email_address,omitempty" maxLength:"254" doc:"Of the sender of e-mails; absent: the platform's."`
}

// brand is how pages and e-mails look.
type brand struct {
	BrandBody
	Inherited   bool   `json:"inherited" doc:"It is that of somebody above the tenant, or the platform's."`
	PrimaryText string `json:"primary_text" enum:"#000000,#ffffff" doc:"The colour in which text on the primary colour is read best."`
	AccentText  string `json:"accent_text" enum:"#000000,#ffffff"`
	Logo        string `json:"logo,omitempty" doc:"Path of its picture; it changes with the picture. Absent: there is none."`
}

// publicBrand is what everybody sees who opens a page.
type publicBrand struct {
	Name         string `json:"name"`
	PrimaryColor string `json:"primary_color"`
	PrimaryText  string `json:"primary_text"`
	AccentColor  string `json:"accent_color"`
	AccentText   string `json:"accent_text"`
	Logo         string `json:"logo,omitempty" doc:"Path of its picture."`
}

// DomainInput names the domain whose brand is asked for.
type DomainInput struct {
	Domain string `query:"domain" maxLength:"253" example:"phone.north.example.com" doc:"Absent: the one under which this is asked."`
	host   string
}

// Resolve takes the domain from the request, if it is not said.
func (in *DomainInput) Resolve(ctx huma.Context) []error {
	in.host = in.Domain
	if in.host == "" {
		in.host = ctx.Host()
		if host, _, err := net.SplitHostPort(in.host); err == nil {
			in.host = host
		}
	}
	in.host = strings.ToLower(in.host)
	return nil
}

// logoOutput is a picture.
type logoOutput struct {
	ContentType string `header:"Content-Type"`
	ETag        string `header:"ETag"`
	NoSniff     string `header:"X-Content-Type-Options"`
	Policy      string `header:"Content-Security-Policy"`
	Caching     string `header:"Cache-Control"`
	Body        []byte
}

// brands are how a tenant's pages and e-mails look.
func (a *API) brands() {
	const base = "/v1/tenants/{tenant}/brand"
	tags := []string{"brands"}
	picture := map[string]*huma.Response{"200": {Description: "The picture", Content: map[string]*huma.MediaType{"*/*": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}}
	Add(a, SelfAccess, huma.Operation{OperationID: "get-brand", Method: http.MethodGet, Path: base, Summary: "Show the brand that holds for a tenant",
		Description: "Its own, or that of the nearest above it that has one, or the platform's.", Tags: tags},
		func(ctx context.Context, _ *struct{}) (*One[brand], error) {
			b, err := a.Service.Brand(ctx, TenantOf(ctx))
			return OneOf(brandFor(ctx, b), err)
		})
	Add(a, SettingsWrite, huma.Operation{OperationID: "set-brand", Method: http.MethodPut, Path: base, Summary: "Give a tenant a brand, or change it",
		Description: "It holds for all below that have none. Its logo stays.", Tags: tags},
		func(ctx context.Context, in *struct {
			Conditional
			Body BrandBody
		}) (*One[brand], error) {
			n := in.Body
			b, err := a.Service.SetBrand(ctx, postgres.Brand{Tenant: TenantOf(ctx), Name: n.Name, PrimaryColor: n.PrimaryColor, AccentColor: n.AccentColor, Domain: n.Domain,
				EmailName: n.EmailName, EmailAddress: n.EmailAddress}, CallerOf(ctx).Home == "", func(b postgres.Brand) bool { return in.Holds(brandFor(ctx, b)) })
			return OneOf(brandFor(ctx, b), err)
		})
	Add(a, SettingsWrite, huma.Operation{OperationID: "delete-brand", Method: http.MethodDelete, Path: base, Summary: "Take a tenant's brand away", Description: "That of who is above it holds then.", Tags: tags},
		func(ctx context.Context, _ *struct{}) (*None, error) {
			return nil, a.Service.RemoveBrand(ctx, TenantOf(ctx))
		})
	Add(a, SettingsWrite, huma.Operation{OperationID: "set-brand-logo", Method: http.MethodPut, Path: base + "/logo", Summary: "Give a tenant's brand a logo",
		Description: "PNG or JPEG, by its content; 256 KiB and 2000 by 2000 pixels at most. The tenant must have a brand of its own.", Tags: tags, MaxBodyBytes: provisioning.MaxLogoBytes + 1},
		func(ctx context.Context, in *struct {
			RawBody []byte `contentType:"application/octet-stream"`
		}) (*One[brand], error) {
			b, err := a.Service.SetLogo(ctx, TenantOf(ctx), in.RawBody)
			return OneOf(brandFor(ctx, b), err)
		})
	Add(a, SelfAccess, huma.Operation{OperationID: "get-brand-logo", Method: http.MethodGet, Path: base + "/logo", Summary: "Get the logo of the brand that holds for a tenant", Tags: tags, Responses: picture},
		func(ctx context.Context, _ *struct{}) (*logoOutput, error) {
			b, err := a.Service.Brand(ctx, TenantOf(ctx))
			return logoOf(ctx, a.Service, b, err)
		})
	Add(a, SettingsWrite, huma.Operation{OperationID: "delete-brand-logo", Method: http.MethodDelete, Path: base + "/logo", Summary: "Take the logo of a tenant's brand away", Tags: tags},
		func(ctx context.Context, _ *struct{}) (*None, error) {
			return nil, a.Service.RemoveLogo(ctx, TenantOf(ctx))
		})
	Add(a, Public, huma.Operation{OperationID: "get-public-brand", Method: http.MethodGet, Path: "/v1/brand", Summary: "Show the brand of a domain, to everybody",
		Description: "For the page on which people sign in. A domain that there is no brand of has the platform's.", Tags: tags},
		func(ctx context.Context, in *DomainInput) (*struct{ Body publicBrand }, error) {
			b, err := a.owner().BrandAt(ctx, in.host)
			if err != nil {
				return nil, err
			}
			shown := publicBrand{Name: b.Name, PrimaryColor: b.PrimaryColor, PrimaryText: provisioning.TextOn(b.PrimaryColor), AccentColor: b.AccentColor, AccentText: provisioning.TextOn(b.AccentColor)}
			if b.Logo != "" {
				shown.Logo = "/v1/brand/logo?domain=" + b.Domain + "&is=" + b.Logo[:logoTag]
			}
			return &struct{ Body publicBrand }{shown}, nil
		})
	Add(a, Public, huma.Operation{OperationID: "get-public-brand-logo", Method: http.MethodGet, Path: "/v1/brand/logo", Summary: "Get the logo of the brand of a domain", Tags: tags, Responses: picture},
		func(ctx context.Context, in *struct {
			DomainInput
			Is string `query:"is" maxLength:"64" doc:"Which picture; it is for caches alone."`
		}) (*logoOutput, error) {
			b, err := a.owner().BrandAt(ctx, in.host)
			return logoOf(ctx, a.owner(), b, err)
		})
}

// logoTag is how many characters of its hash tell a picture from others in its path.
const logoTag = 16

func brandFor(ctx context.Context, b postgres.Brand) brand {
	shown := brand{BrandBody: BrandBody{Name: b.Name, PrimaryColor: b.PrimaryColor, AccentColor: b.AccentColor, Domain: b.Domain, EmailName: b.EmailName, EmailAddress: b.EmailAddress},
		Inherited: b.Tenant != TenantOf(ctx)}
	if b.Name == "" {
		return shown // there is an error
	}
	shown.PrimaryText, shown.AccentText = provisioning.TextOn(b.PrimaryColor), provisioning.TextOn(b.AccentColor)
	if b.Logo != "" {
		shown.Logo = "/v1/tenants/" + TenantOf(ctx) + "/brand/logo?is=" + b.Logo[:logoTag]
	}
	return shown
}

func logoOf(ctx context.Context, s *provisioning.Service, b postgres.Brand, err error) (*logoOutput, error) {
	if err != nil {
		return nil, err
	}
	l, err := s.LogoOf(ctx, b)
	if err != nil {
		return nil, err
	}
	return &logoOutput{ContentType: l.ContentType, ETag: `"` + l.Hash + `"`, NoSniff: "nosniff", Policy: "default-src 'none'; sandbox", Caching: "max-age=3600", Body: l.Content}, nil
}
