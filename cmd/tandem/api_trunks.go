package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tandem/provisioning"
	"tandem/provisioning/api"
	"tandem/tenants"
)

// trunkView is a trunk as the API shows it. A password is never part of it.
type trunkView struct {
	tenants.Trunk
	HasLogin   bool `json:"has_login"`            // edges can answer its challenges
	CallsOut   int  `json:"calls_out"`            // now, as far as this worker knows
	Registered int  `json:"registered,omitempty"` // contacts, of one that registers here
	// ETag names this state of the trunk; a change may ask for it in If-Match (RFC 9110 13.1.1).
	ETag string `json:"etag"`
}

// trunkBody is what a change sends.
type trunkBody struct {
	tenants.Trunk
	Login *provisioning.TrunkLogin `json:"login" required:"false" doc:"Left out: it stays; without a user name: it is removed."`
}

// trunkTag is the entity tag of a trunk.
func trunkTag(t tenants.Trunk) string {
	text, err := json.Marshal(t)
	if err != nil {
		return `""` // it is made of texts, numbers and addresses
	}
	sum := sha256.Sum256(text)
	const enough = 12 // bytes
	return `"` + hex.EncodeToString(sum[:enough]) + `"`
}

// trunksBody is a list of trunks.
type trunksBody struct {
	Trunks []trunkView `json:"trunks" nullable:"false"`
}

// removedBody names what was removed.
type removedBody struct {
	Removed string `json:"removed"`
}

// outboundBody says which trunks serve the numbers that begin with a prefix, in order.
type outboundBody struct {
	Prefix string   `json:"prefix" example:"+49"`
	Trunks []string `json:"trunks" nullable:"false"`
}

// testedBody is how the destinations of a trunk answered.
type testedBody struct {
	Trunk        trunkView `json:"trunk"`
	Destinations []pinged  `json:"destinations" nullable:"false"`
}

// trunkOperations are about trunks: the platform's view, and a tenant's of its own.
func (w *worker) trunkOperations(a *api.API) {
	tags, trunk := []string{"trunks"}, []*huma.Param{api.Parameter("path", "trunk", "carrier-a", "Id of the trunk.")}
	conditions := append(trunk[:1:1], api.Parameter("header", "If-Match", "", "Entity tag that the trunk must still have."), api.Parameter("header", "If-None-Match", "", "* asks that it does not exist yet."))
	for _, of := range []struct {
		base, suffix, whose string
		read, write         api.Scope
	}{{"/v1", "", "all", api.PlatformRead, api.PlatformWrite}, {"/v1/tenants/{tenant}", "-of-tenant", "a tenant's own", api.TrunksRead, api.TrunksWrite}} {
		api.AddHandler[api.Nothing, trunksBody](a, of.read, huma.Operation{OperationID: "list-trunks" + of.suffix, Method: "GET", Path: of.base + "/trunks", Summary: "List " + of.whose + " trunks", Tags: tags}, w.trunksAPI)
		api.AddHandler[api.Nothing, trunkView](a, of.read, huma.Operation{OperationID: "get-trunk" + of.suffix, Method: "GET", Path: of.base + "/trunks/{trunk}", Summary: "Show a trunk", Tags: tags, Parameters: trunk, Responses: api.Tagged()}, w.trunkAPI)
		api.AddHandler[trunkBody, trunkView](a, of.write, huma.Operation{OperationID: "set-trunk" + of.suffix, Method: "PUT", Path: of.base + "/trunks/{trunk}", Summary: "Add a trunk, or change it", Tags: tags, Parameters: conditions, Responses: api.Tagged()}, w.setTrunkAPI)
		api.AddHandler[api.Nothing, removedBody](a, of.write, huma.Operation{OperationID: "delete-trunk" + of.suffix, Method: "DELETE", Path: of.base + "/trunks/{trunk}", Summary: "Remove a trunk", Tags: tags, Parameters: conditions}, w.dropTrunkAPI)
		api.AddHandler[outboundBody, outboundBody](a, of.write, huma.Operation{OperationID: "set-outbound-route" + of.suffix, Method: "PUT", Path: of.base + "/outbound-routes", Summary: "Say which trunks serve a prefix", Tags: tags}, w.outboundAPI)
	}
	api.AddHandler[api.Nothing, testedBody](a, api.PlatformWrite, huma.Operation{OperationID: "test-trunk", Method: "POST", Path: "/v1/trunks/{trunk}/test", Summary: "Ask each destination of a trunk whether it is there", Tags: tags, Parameters: trunk}, w.testTrunkAPI)
}

func (w *worker) viewOfTrunk(t tenants.Trunk, login bool) trunkView {
	v := trunkView{Trunk: t, HasLogin: login, ETag: trunkTag(t)}
	if w.facts == nil {
		return v
	}
	v.CallsOut = w.facts.out.Count("", "", []string{t.ID}, time.Now()).Trunks[t.ID].Calls
	if snapshot := w.source.Current(); snapshot != nil && t.Device != "" {
		v.Registered = len(w.facts.Contacts(snapshot.Tenant(t.Tenant), t.Device, time.Now()))
	}
	return v
}

// trunksAPI lists trunks, by id.
func (w *worker) trunksAPI(c *gin.Context) {
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		all, login, err := s.Trunks(ctx, c.Param("tenant"))
		views := make([]trunkView, 0, len(all))
		for _, t := range all {
			views = append(views, w.viewOfTrunk(t, login[t.ID]))
		}
		return gin.H{"trunks": views}, err
	})
}

// errNoTrunk says that there is none, or that it is not the tenant's.
func errNoTrunk() error {
	return &provisioning.Error{Code: provisioning.NotFound, Field: "trunk", Detail: "there is no such trunk"}
}

func findTrunk(ctx context.Context, s *provisioning.Service, c *gin.Context) (t tenants.Trunk, login bool, err error) {
	all, logins, err := s.Trunks(ctx, c.Param("tenant"))
	if err != nil {
		return t, false, err
	}
	i := slices.IndexFunc(all, func(t tenants.Trunk) bool { return t.ID == c.Param("trunk") })
	if i < 0 {
		return t, false, errNoTrunk()
	}
	return all[i], logins[all[i].ID], nil
}

// trunkAPI shows one.
func (w *worker) trunkAPI(c *gin.Context) {
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		t, login, err := findTrunk(ctx, s, c)
		v := w.viewOfTrunk(t, login)
		if err == nil {
			c.Header("ETag", v.ETag)
		}
		return v, err
	})
}

// precondition makes of If-Match and If-None-Match what they ask of the trunk as it is (RFC 9110 13.1); nil when nothing is asked.
func precondition(c *gin.Context) func(*tenants.Trunk) bool {
	match, none := c.GetHeader("If-Match"), c.GetHeader("If-None-Match")
	if match == "" && none == "" {
		return nil
	}
	return func(current *tenants.Trunk) bool {
		if none != "" && current != nil && (none == "*" || strings.Contains(none, trunkTag(*current))) {
			return false
		}
		return match == "" || current != nil && (match == "*" || strings.Contains(match, trunkTag(*current)))
	}
}

// setTrunkAPI adds a trunk, or puts it in place of the one with its id.
func (w *worker) setTrunkAPI(c *gin.Context) {
	var body trunkBody
	d := json.NewDecoder(c.Request.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", "The body is not a trunk in JSON: "+strings.TrimPrefix(err.Error(), "json: ")+".")
		return
	}
	body.Trunk.ID = c.Param("trunk")
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		err := s.SetTrunk(ctx, provisioning.TrunkChange{Trunk: body.Trunk, Login: body.Login, Within: c.Param("tenant"), Match: precondition(c)})
		if err != nil {
			return nil, err
		}
		w.log.InfoContext(ctx, "a trunk is set", slog.String("trunk_id", body.Trunk.ID), slog.String("tenant_id", body.Trunk.Tenant))
		t, login, err := findTrunk(ctx, s, c)
		v := w.viewOfTrunk(t, login)
		if err == nil {
			c.Header("ETag", v.ETag)
		}
		return v, err
	})
}

// dropTrunkAPI removes one, with its addresses, routes and login.
func (w *worker) dropTrunkAPI(c *gin.Context) {
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		if _, _, err := findTrunk(ctx, s, c); err != nil {
			return nil, err
		}
		err := s.DropTrunk(ctx, c.Param("trunk"), c.Param("tenant"), precondition(c))
		if err == nil {
			w.log.InfoContext(ctx, "a trunk is removed", slog.String("trunk_id", c.Param("trunk")), slog.String("tenant_id", c.Param("tenant")))
		}
		return gin.H{"removed": c.Param("trunk")}, err
	})
}

// outboundAPI says which trunks serve the numbers that begin with a prefix, in order.
func (w *worker) outboundAPI(c *gin.Context) {
	var body outboundBody
	if err := c.ShouldBindJSON(&body); err != nil {
		problem(c, http.StatusBadRequest, "body_unreadable", `The body is not JSON of the form {"prefix": "+49", "trunks": ["carrier-a"]}.`)
		return
	}
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		if tenant := c.Param("tenant"); tenant != "" {
			return body, s.SetOwnRoutes(ctx, tenant, body.Prefix, body.Trunks)
		}
		return body, s.SetOutboundRoutes(ctx, body.Prefix, body.Trunks)
	})
}

// testTrunkAPI asks each destination of a trunk whether it is there, by OPTIONS from this worker's own address.
func (w *worker) testTrunkAPI(c *gin.Context) {
	w.provision(c, func(ctx context.Context, s *provisioning.Service) (any, error) {
		t, login, err := findTrunk(ctx, s, c)
		if err != nil {
			return nil, err
		}
		answer := gin.H{"trunk": w.viewOfTrunk(t, login), "destinations": []pinged{}}
		if t.Outgoing != nil {
			answer["destinations"] = pingAll(ctx, t.Outgoing.Destinations)
		}
		return answer, nil
	})
}
