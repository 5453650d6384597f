package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tandem/admin"
	"tandem/because"
	"tandem/explain"
	"tandem/messages"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/provisioning/api"
)

// Bounds of the HTTP server.
const (
	headerWait   = 5 * time.Second
	requestWait  = 10 * time.Second
	shutdownWait = 3 * time.Second
)

// api serves HTTP: health and metrics, which need no key, and the API.
func (w *worker) api(ctx context.Context) error {
	words, err := explain.Catalog()
	if err != nil {
		return err
	}
	if err := w.writeOperatorKey(); err != nil {
		return err
	}
	server := &http.Server{Addr: w.settings.HTTPAddress, Handler: w.routes(words), ReadHeaderTimeout: headerWait}
	following, stop := context.WithCancel(ctx)
	var streams sync.WaitGroup
	streams.Go(func() { w.streams.Run(following, w.store) })
	defer func() { stop(); streams.Wait() }()
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	select {
	case err := <-ended:
		return fmt.Errorf("the API cannot listen on %s: %w", w.settings.HTTPAddress, err)
	case <-ctx.Done():
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWait)
		defer cancel()
		return server.Shutdown(limited)
	}
}

func (w *worker) routes(words because.Catalog) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.Recovery())
	router.GET("/health", w.health)
	router.GET("/metrics", gin.WrapH(promhttp.HandlerFor(w.registry(), promhttp.HandlerOpts{})))
	w.operations(router, words)
	web := gin.WrapH(admin.Handler(w.phones.WebSockets...))
	router.GET(admin.Path, web)
	router.GET(admin.Path+"/*page", web)
	router.GET("/", func(c *gin.Context) { c.Redirect(http.StatusFound, admin.Path+"/") })
	router.NoRoute(func(c *gin.Context) {
		problem(c, http.StatusNotFound, "path_unknown", "There is nothing at this path.")
	})
	return router
}

// operations adds all operations of the API.
func (w *worker) operations(router *gin.Engine, words because.Catalog) {
	w.rest = w.openAPI(router)
	w.callOperations(w.rest, words)
	w.startOperation(w.rest, words)
	w.dryRunOperations(w.rest, words)
	w.nodeOperations(w.rest)
	w.versionOperations(w.rest)
	w.settingOperations(w.rest)
	w.trunkOperations(w.rest)
	w.voicemailOperations(w.rest)
}

// operatorKeyFile is the file in the state folder that holds the key of whoever operates this worker: he could as well ask the
// database. It is another one each time the worker starts.
const operatorKeyFile = "operator.key"

func (w *worker) writeOperatorKey() error {
	path := filepath.Join(w.settings.StateDir, operatorKeyFile)
	const ownersAlone = 0o600
	if err := os.WriteFile(path+".new", []byte(w.operatorKey), ownersAlone); err != nil {
		return fmt.Errorf("the operator's key: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("the operator's key: %w", err)
	}
	return nil
}

// openAPI adds the operations of package api, and those that this worker has beside.
func (w *worker) openAPI(router *gin.Engine) *api.API {
	return api.New(router, &api.API{Owner: w.store, Service: &provisioning.Service{Store: w.apiStore, Phones: w.phones, WebhookNetworks: w.settings.FetchAllow, Sounds: w.sounds()}, Resync: w.resync, Contacts: contacts{w}, Log: w.log, Operator: w.operatorKey,
		Streams: &w.streams, Limits: w.limits})
}

// health says what this worker reaches. It is 200 while calls can be decided, which needs neither server.
func (w *worker) health(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestWait)
	defer cancel()
	snapshot := w.source.Current()
	nodes := []gin.H{}
	for _, n := range w.facts.nodes.List(time.Now()) {
		nodes = append(nodes, gin.H{"name": n.Name, "sip_uri": n.SIPURI, "state": n.State, "calls": n.Calls})
	}
	c.JSON(http.StatusOK, gin.H{
		"worker": w.settings.Name, "roles": w.settings.Roles, "revision": snapshot.Revision(),
		"configuration_age_s":  int(time.Since(snapshot.LoadedAt()).Seconds()),
		"configuration_source": map[bool]string{true: "local snapshot", false: "postgresql"}[w.source.FromDisk()],
		"nodes":                nodes,
		"postgresql":           w.store.Ping(ctx) == nil, "rabbitmq": w.rabbit.Connected(),
	})
}

// contactsBody is where one device can be reached.
type contactsBody struct {
	Contacts []struct {
		URI       string    `json:"uri"`
		Edge      string    `json:"edge"`
		UserAgent string    `json:"user_agent"`
		ExpiresAt time.Time `json:"expires_at"`
	} `json:"contacts"`
}

// registrations lists where this worker believes that one device can be reached: of a tenant, or of any domain for the platform's people.
func (w *worker) registrations(c *gin.Context) {
	username, domain := c.Query("username"), c.Query("domain")
	if of := c.Param("tenant"); of != "" {
		if t := w.source.Current().Tenant(of); t != nil {
			domain = t.Domain
		}
	}
	if username == "" || domain == "" {
		problem(c, http.StatusBadRequest, "query_incomplete", "Name a username and a domain.")
		return
	}
	contacts := []gin.H{}
	for _, known := range w.facts.registrations.Contacts(username, domain, time.Now()) {
		contacts = append(contacts, gin.H{"uri": known.URI, "edge": known.Edge, "user_agent": known.UserAgent, "expires_at": known.ExpiresAt})
	}
	c.JSON(http.StatusOK, gin.H{"contacts": contacts})
}

// explanation explains one call, by Tandem's id or the SIP Call-ID.
func (w *worker) explanation(c *gin.Context, words because.Catalog) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestWait)
	defer cancel()
	x, err := explainCall(ctx, w.store, words, c.Param("call"))
	if err == nil && !w.seesCall(ctx, x.Tenant) {
		err = errNoCall
	}
	switch {
	case errors.Is(err, errNoCall):
		problem(c, http.StatusNotFound, "call_unknown", "No call has this id or SIP Call-ID.")
	case err != nil:
		w.log.ErrorContext(ctx, "a call could not be explained", slog.Any("error", err))
		problem(c, http.StatusServiceUnavailable, "journal_away", "The journal cannot be read at the moment. Try again shortly.")
	default:
		c.JSON(http.StatusOK, x)
	}
}

// problem answers as RFC 9457 says.
func problem(c *gin.Context, status int, code, detail string) {
	c.Header("Content-Type", "application/problem+json")
	c.JSON(status, gin.H{"status": status, "code": code, "title": http.StatusText(status), "detail": detail})
}

// errNoCall says that nothing is known of a call.
var errNoCall = errors.New("no call has this id or SIP Call-ID")

// kept is what the ledger holds of one call.
type kept struct {
	call    postgres.Call
	entries []messages.JournalEntry
	cdrs    []messages.CDR
}

// keptOf reads what is kept of a call, by Tandem's id or a SIP Call-ID; errNoCall when that is nothing.
func keptOf(ctx context.Context, store *postgres.Store, id string) (k kept, err error) {
	if k.call, err = store.Call(ctx, id); errors.Is(err, postgres.ErrNotFound) {
		return k, errNoCall
	}
	if err != nil {
		return k, err
	}
	if k.entries, err = store.JournalOf(ctx, k.call.Call); err != nil {
		return k, err
	}
	k.cdrs, err = store.CDRsOf(ctx, k.call.Call)
	return k, err
}

// explainCall reads what is kept about a call and explains it.
func explainCall(ctx context.Context, store *postgres.Store, words because.Catalog, id string) (explain.Explanation, error) {
	k, err := keptOf(ctx, store, id)
	if err != nil {
		return explain.Explanation{}, err
	}
	return explain.Call(words, k.call.Call, k.entries, k.cdrs), nil
}
