package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tandem/directory"
	"tandem/messages"
	"tandem/provisioning"
	"tandem/provisioning/api"
	"tandem/routing"
	"tandem/tenants"
)

// nodeUnknown is the state of a node of which nothing was heard.
const nodeUnknown messages.NodeState = "unknown"

// nodeView is a media node as the API shows it: as configured, and as its owner told last.
type nodeView struct {
	Name        string             `json:"name"`
	State       messages.NodeState `json:"state"`    // up, down, draining, unknown: what its owner says
	Draining    bool               `json:"draining"` // what the configuration wants
	Moving      bool               `json:"moving,omitempty" doc:"Its calls move to other nodes."`
	Calls       int                `json:"calls"`
	MaxCalls    int                `json:"max_calls"` // 0: no limit
	Owner       string             `json:"owner,omitempty"`
	Epoch       uint64             `json:"epoch,omitempty"`
	Load        *messages.NodeLoad `json:"load,omitempty"`       // as the node itself told last
	Busy        routing.Busy       `json:"busy"`                 // the same in percent
	Judged      routing.Busy       `json:"judged"`               // as much of it as this worker judges by
	Overloaded  string             `json:"overloaded,omitempty"` // what keeps new calls away, in words
	HeardAt     *time.Time         `json:"heard_at,omitempty"`
	SIPURI      string             `json:"sip_uri"`
	EventSocket string             `json:"event_socket"`
}

// viewOf joins what is configured and what is known.
func (w *worker) viewOf(n tenants.Node, known []directory.NodeFact) nodeView {
	v := nodeView{Name: n.Name, State: nodeUnknown, Draining: n.Draining, Moving: n.Moving, MaxCalls: n.MaxCalls, SIPURI: n.SIPURI, EventSocket: n.EventSocket}
	for _, k := range known {
		if k.Name != n.Name {
			continue
		}
		heard := k.HeardAt.UTC()
		v.State, v.Calls, v.Owner, v.Epoch, v.Load, v.Busy, v.HeardAt = k.State, w.facts.callsOn(k), k.Worker, k.Epoch, k.Load, routing.BusyOf(k.Load), &heard
		v.Judged = w.busy(k.Load)
		v.Overloaded, _, _ = v.Judged.Knee()
	}
	return v
}

// nodesBody is a list of media nodes.
type nodesBody struct {
	Nodes []nodeView `json:"nodes" nullable:"false"`
}

// nodeOperations are what can be asked about media nodes, and ordered of them.
func (w *worker) nodeOperations(a *api.API) {
	tags, name := []string{"nodes"}, []*huma.Param{api.Parameter("path", "name", "node1", "Name of the media node.")}
	api.AddHandler[api.Nothing, nodesBody](a, api.PlatformRead, huma.Operation{OperationID: "list-nodes", Method: "GET", Path: "/v1/nodes", Summary: "List media nodes", Tags: tags}, w.nodesAPI)
	api.AddHandler[api.Nothing, nodeView](a, api.PlatformRead, huma.Operation{OperationID: "get-node", Method: "GET", Path: "/v1/nodes/{name}", Summary: "Show a media node", Tags: tags, Parameters: name}, w.nodeAPI)
	api.AddHandler[api.Nothing, nodeView](a, api.PlatformWrite, huma.Operation{OperationID: "drain-node", Method: "POST", Path: "/v1/nodes/{name}/drain", Summary: "Give a media node no new calls", Tags: tags, Parameters: name}, func(c *gin.Context) { w.drain(c, true, false) })
	api.AddHandler[api.Nothing, nodeView](a, api.PlatformWrite, huma.Operation{OperationID: "move-calls-of-node", Method: "POST", Path: "/v1/nodes/{name}/move", Summary: "Give a media node no new calls, and move its live ones to others", Description: "POST drain ends the moving, and resume both.", Tags: tags, Parameters: name}, func(c *gin.Context) { w.drain(c, true, true) })
	api.AddHandler[api.Nothing, nodeView](a, api.PlatformWrite, huma.Operation{OperationID: "resume-node", Method: "POST", Path: "/v1/nodes/{name}/resume", Summary: "Give it new calls again", Tags: tags, Parameters: name}, func(c *gin.Context) { w.drain(c, false, false) })
}

// nodesAPI lists all media nodes.
func (w *worker) nodesAPI(c *gin.Context) {
	known, all := w.facts.nodes.List(time.Now()), []nodeView{}
	for _, n := range w.source.Current().Nodes() {
		all = append(all, w.viewOf(n, known))
	}
	c.JSON(http.StatusOK, nodesBody{Nodes: all})
}

// nodeAPI shows one.
func (w *worker) nodeAPI(c *gin.Context) {
	if v, ok := w.nodeView(c.Param("name")); ok {
		c.JSON(http.StatusOK, v)
		return
	}
	nodeMissing(c)
}

func nodeMissing(c *gin.Context) {
	problem(c, http.StatusNotFound, "node_unknown", "No media node has this name. GET /v1/nodes lists them.")
}

func (w *worker) nodeView(name string) (nodeView, bool) {
	for _, n := range w.source.Current().Nodes() {
		if n.Name == name {
			return w.viewOf(n, w.facts.nodes.List(time.Now())), true
		}
	}
	return nodeView{}, false
}

// drain changes whether a node takes new calls. It is configuration: the node's owner, whoever that is, tells everybody within a
// second. Asking twice is asking once.
func (w *worker) drain(c *gin.Context, draining, moving bool) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestWait)
	defer cancel()
	service := &provisioning.Service{Store: w.apiStore}
	change := service.ResumeNode
	switch {
	case moving:
		change = service.MoveCalls
	case draining:
		change = service.DrainNode
	}
	name := c.Param("name")
	var refused *provisioning.Error
	switch err := change(ctx, name); {
	case errors.As(err, &refused) && refused.Code == provisioning.NotFound:
		nodeMissing(c)
	case err != nil:
		w.log.ErrorContext(ctx, "a node could not be drained or resumed", slog.String("node", name), slog.Any("error", err))
		problem(c, http.StatusServiceUnavailable, "postgresql_away", "The configuration cannot be changed at the moment, and nothing was changed. Try again shortly.")
	default:
		v, _ := w.nodeView(name) // this worker may not have read the change yet
		v.Name, v.Draining, v.Moving = name, draining, moving
		w.log.InfoContext(ctx, "a node is drained or resumed", slog.String("node", name), slog.Bool("draining", draining), slog.Bool("moving", moving))
		c.JSON(http.StatusOK, v)
	}
}
