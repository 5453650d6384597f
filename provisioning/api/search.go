package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tandem/postgres"
)

type searchInput struct {
	Q     string   `query:"q" required:"true" minLength:"1" maxLength:"256" doc:"A number, a name, the id of a call, or a SIP Call-ID." example:"+4930901820"`
	Kinds []string `query:"kinds" enum:"call,tenant,user,device,number" doc:"Which kinds of things; all unless given."`
	Limit int      `query:"limit" minimum:"1" maximum:"50" default:"20" doc:"How many of each kind at most."`
}

// search is the one box of the admin: whatever support was told, it finds the calls.
func (a *API) search() {
	for _, of := range []struct{ path, suffix, where string }{{"/v1/search", "", "in one's own, and of tenants in all below"}, {"/v1/tenants/{tenant}/search", "-of-tenant", "at a tenant"}} {
		Add(a, CallsRead, huma.Operation{OperationID: "search" + of.suffix, Method: http.MethodGet, Path: of.path, Summary: "Find calls and what is configured, " + of.where,
			Description: "By number (however it is written), by name, by id or by SIP Call-ID. A user's name finds his calls of the last month too. The platform's people search everywhere.",
			Tags:        []string{"calls"}}, a.find)
	}
}

func (a *API) find(ctx context.Context, in *searchInput) (*struct{ Body postgres.Found }, error) {
	c := CallerOf(ctx)
	wants := func(kind string, scope Scope) bool {
		return (len(in.Kinds) == 0 || slices.Contains(in.Kinds, kind)) && c.May(scope)
	}
	q := strings.TrimSpace(in.Q)
	found, err := a.Service.Store.Search(ctx, postgres.Sought{Text: q, Numbers: asNumbers(q), Tenant: TenantOf(ctx), Limit: in.Limit, Calls: wants("call", CallsRead),
		Tenants: wants("tenant", TenantsRead), Users: wants("user", UsersRead), Devices: wants("device", DevicesRead), Live: wants("number", NumbersRead)})
	return &struct{ Body postgres.Found }{found}, err
}

// asNumbers are the ways in which what somebody has typed may stand in the ledger: as it is, and without what people put between digits,
// with and without a plus. What is no number gives none but itself.
func asNumbers(q string) []string {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -()/.\u00a0", r) {
			return -1
		}
		return r
	}, strings.TrimPrefix(strings.TrimPrefix(q, "sip:"), "tel:"))
	plain, _, _ = strings.Cut(plain, "@")
	all := []string{q}
	digits := strings.TrimPrefix(plain, "+")
	if digits != "" && strings.Trim(digits, "0123456789*#") == "" {
		all = append(all, plain, digits, "+"+digits)
		if rest, ok := strings.CutPrefix(digits, "00"); ok && rest != "" {
			all = append(all, "+"+rest)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
