package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tandem/postgres"
	"tandem/webhooks"
)

// Bounds of streams.
const (
	MaxStreams         = 2000 // of one worker
	MaxStreamsOfTenant = 20
	MaxStreamsOfAll    = 50 // over all tenants, of one worker
	// StreamFor is how long a stream lasts. Its client comes again, and is asked anew who it is: a key that was revoked ends so.
	StreamFor   = 15 * time.Minute
	streamBatch = 100              // events that are read at once
	streamWrite = 10 * time.Second // for a client to take what it is sent; a slower one is disconnected
	streamRead  = 5 * time.Second  // for the database to answer
	streamRetry = 2 * time.Second  // after which a client comes again
	// streamPace is the time between two reads of a stream over all tenants: with thousands of events a second it reads so often, and
	// more at once.
	streamPace     = 250 * time.Millisecond
	streamBatchAll = 2000 // events that such a stream reads at once
)

// ofAll is the tenant of streams over all tenants.
const ofAll = ""

// Streams wakes those who follow tenants' events. It holds none: each stream reads from the database at its client's pace, so that a
// slow client costs nobody's memory. The zero value is ready; nothing wakes until Run.
type Streams struct {
	mu       sync.Mutex
	ended    bool
	all      int
	ofTenant map[string]map[chan struct{}]bool // each with room for one token
}

// Run wakes streams until ctx ends, and ends them then.
func (s *Streams) Run(ctx context.Context, store *postgres.Store) {
	_ = store.Listen(ctx, postgres.EventsChannel, s.heard)
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.heard("")
}

// heard wakes a tenant's streams, or all.
func (s *Streams) heard(tenant string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for of, streams := range s.ofTenant {
		if tenant != "" && of != tenant && of != ofAll {
			continue
		}
		for woken := range streams {
			select {
			case woken <- struct{}{}:
			default:
			}
		}
	}
}

// over says whether the streams are to end.
func (s *Streams) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// follow takes a place for a stream; nil when there is none.
func (s *Streams) follow(tenant string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.all >= MaxStreams || len(s.ofTenant[tenant]) >= mostStreams(tenant) {
		return nil
	}
	if s.ofTenant == nil {
		s.ofTenant = map[string]map[chan struct{}]bool{}
	}
	if s.ofTenant[tenant] == nil {
		s.ofTenant[tenant] = map[chan struct{}]bool{}
	}
	woken := make(chan struct{}, 1)
	s.ofTenant[tenant][woken] = true
	s.all++
	return woken
}

func mostStreams(tenant string) int {
	if tenant == ofAll {
		return MaxStreamsOfAll
	}
	return MaxStreamsOfTenant
}

func (s *Streams) leave(tenant string, woken chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ofTenant[tenant], woken)
	if len(s.ofTenant[tenant]) == 0 {
		delete(s.ofTenant, tenant)
	}
	s.all--
}

type streamInput struct {
	LastEventID string   `header:"Last-Event-ID" maxLength:"64" doc:"Id of the last event that was read: the stream goes on behind it."`
	After       string   `query:"after" maxLength:"64" doc:"The same, for clients that cannot set the header."`
	Types       []string `query:"types" maxItems:"50" doc:"Only these types, separated by commas; absent: all."`
}

// streamEvents is the stream of a tenant's events.
func (a *API) streamEvents() {
	Add(a, WebhooksRead, huma.Operation{
		OperationID: "stream-events", Method: http.MethodGet, Path: "/v1/tenants/{tenant}/events", Summary: "Follow what happens, as server-sent events",
		Description: "Each event has its type as event, its id as id, and the message that webhooks get as data. It begins now, or behind Last-Event-ID. A stream lasts 15 minutes at most: come again with the last id, as browsers do by themselves.",
		Tags:        []string{"webhooks"},
		Responses:   map[string]*huma.Response{"200": {Description: "The stream.", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}}},
	}, a.openStream)
	Add(a, WebhooksRead, huma.Operation{
		OperationID: "stream-events-of-all", Method: http.MethodGet, Path: "/v1/events", Summary: "Follow what happens at all tenants, as server-sent events",
		Description: "For the platform's own. As the stream of a tenant, four times a second at most; name the types that you want. Whoever is behind is sent everything in turn.",
		Tags:        []string{"webhooks"},
		Responses:   map[string]*huma.Response{"200": {Description: "The stream.", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}}},
	}, func(ctx context.Context, in *streamInput) (*huma.StreamResponse, error) {
		if err := platformOnly(ctx); err != nil {
			return nil, err
		}
		return a.openStream(ctx, in)
	})
}

func (a *API) openStream(ctx context.Context, in *streamInput) (*huma.StreamResponse, error) {
	tenant := TenantOf(ctx)
	for _, kind := range in.Types {
		if !webhooks.Known(kind) {
			return nil, Refuse(http.StatusUnprocessableEntity, "invalid", "types has a type that there is none of: GET /v1/event-types lists them.")
		}
	}
	if a.Streams == nil {
		return nil, Refuse(http.StatusServiceUnavailable, "no_stream", "This worker has no stream of events.")
	}
	woken := a.Streams.follow(tenant) // before it is found out where to begin: what comes in between wakes
	if woken == nil {
		return nil, Refuse(http.StatusTooManyRequests, "too_many_streams", fmt.Sprintf("There may be %d such streams at once on a worker. Close one, or try again shortly.", mostStreams(tenant)))
	}
	s := &stream{api: a, tenant: tenant, types: in.Types, woken: woken}
	if err := s.begin(ctx, in.LastEventID+in.After); err != nil {
		a.Streams.leave(tenant, woken)
		return nil, err
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		defer a.Streams.leave(tenant, woken)
		out.SetHeader("Content-Type", "text/event-stream")
		out.SetHeader("X-Accel-Buffering", "no") // proxies hold nothing back
		s.run(out.Context(), out.BodyWriter())
	}}, nil
}

// stream is one client's.
type stream struct {
	api      *API
	tenant   string
	types    []string
	woken    chan struct{}
	position int64 // of the last event that was read
	gap      bool  // the event that the client had last is not kept
}

// begin finds out where to begin: behind an event, at the oldest that is kept when that one is not, or now.
func (s *stream) begin(ctx context.Context, after string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, streamRead)
	defer cancel()
	store := s.api.Service.Store
	if after == "" {
		s.position, err = store.LastPosition(ctx)
		return err
	}
	s.position, err = store.PositionOf(ctx, s.tenant, after)
	if errors.Is(err, postgres.ErrNotFound) {
		s.position, s.gap, err = 0, true, nil
	}
	return err
}

// run writes until the client goes, is too slow, or the time is over.
func (s *stream) run(ctx context.Context, w io.Writer) {
	ctx, cancel := context.WithTimeout(ctx, StreamFor)
	defer cancel()
	out := &streamWriter{w: w}
	if rw, ok := w.(http.ResponseWriter); ok {
		out.control = http.NewResponseController(rw)
	}
	begin := fmt.Sprintf("retry: %d\n: follows %s\n\n", streamRetry.Milliseconds(), cmp.Or(s.tenant, "all tenants"))
	if s.gap {
		begin += "event: stream.gap\ndata: {}\n\n"
	}
	out.write(begin)
	beat := time.NewTicker(webhooks.BeatEvery)
	defer beat.Stop()
	for out.err == nil && !s.api.Streams.over() {
		more, err := s.next(ctx, out)
		if err != nil && ctx.Err() == nil {
			s.api.Log.WarnContext(ctx, "a stream of events ended: they cannot be read", slog.String("tenant_id", s.tenant), slog.Any("error", err))
			return // the client comes again
		}
		if !s.paced(ctx) {
			return
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-s.woken:
		case <-beat.C:
			out.write(": beat\n\n")
		}
	}
}

// paced waits before the next read of a stream over all tenants. It is false when the stream is over.
func (s *stream) paced(ctx context.Context) bool {
	if s.tenant != ofAll {
		return true
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(streamPace):
		return true
	}
}

// read gives what is new, and says whether there may be more.
func (s *stream) read(ctx context.Context) (events []postgres.Positioned, more bool, err error) {
	store := s.api.Service.Store
	if s.tenant == ofAll {
		before := s.position
		events, s.position, err = store.EventsOfAllAfter(ctx, s.position, s.types, streamBatchAll)
		return events, s.position-before >= streamBatchAll, err
	}
	events, err = store.EventsAfter(ctx, s.tenant, s.position, streamBatch)
	if n := len(events); n > 0 {
		s.position = events[n-1].Position
	}
	return events, len(events) == streamBatch, err
}

// next writes what is new, and says whether there may be more.
func (s *stream) next(ctx context.Context, out *streamWriter) (more bool, err error) {
	limited, cancel := context.WithTimeout(ctx, streamRead)
	defer cancel()
	events, more, err := s.read(limited)
	if err != nil {
		return false, err
	}
	var text strings.Builder
	for _, e := range events {
		if len(s.types) > 0 && !slices.Contains(s.types, e.Type) {
			continue
		}
		body, err := e.Body()
		if err != nil || !json.Valid(body) {
			continue // it was written by the platform itself, and can be read
		}
		fmt.Fprintf(&text, "id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Type, body)
	}
	if text.Len() > 0 {
		out.write(text.String())
	}
	return more, nil
}

// streamWriter writes at once or fails.
type streamWriter struct {
	w       io.Writer
	control *http.ResponseController // nil: there is nothing to flush
	err     error
}

func (o *streamWriter) write(text string) {
	if o.err != nil {
		return
	}
	if o.control != nil {
		_ = o.control.SetWriteDeadline(time.Now().Add(streamWrite)) // where there is a connection
	}
	if _, o.err = io.WriteString(o.w, text); o.err != nil || o.control == nil {
		return
	}
	o.err = o.control.Flush()
}
