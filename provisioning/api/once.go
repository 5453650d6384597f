package api

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"tandem/postgres"
)

const (
	maxKey    = 128 // bytes of an Idempotency-Key
	minKey    = 8
	sealBytes = 32
)

func idempotencyParameter() *huma.Param {
	least, most := minKey, maxKey
	return &huma.Param{Name: "Idempotency-Key", In: "header", Description: "A text of your own, such as a UUID: repeated within 24 hours, the request is carried out once and answered the same.",
		Schema: &huma.Schema{Type: "string", MinLength: &least, MaxLength: &most}}
}

// kept is an answer as it is sealed.
type kept struct {
	Header map[string]string `json:"header"`
	Body   []byte            `json:"body"`
}

// once carries a request with an Idempotency-Key out once.
func (a *API) once(ctx huma.Context, next func(huma.Context)) {
	key := ctx.Header("Idempotency-Key")
	caller := CallerOf(ctx.Context())
	if key == "" || ctx.Method() == http.MethodGet || caller.Actor == "" {
		next(ctx)
		return
	}
	if len(key) < minKey || len(key) > maxKey {
		a.refuse(ctx, Refuse(http.StatusBadRequest, "idempotency_key_invalid", "The Idempotency-Key is not 8 to 128 bytes long."))
		return
	}
	g := humagin.Unwrap(ctx)
	body, err := io.ReadAll(io.LimitReader(g.Request.Body, ctx.Operation().MaxBodyBytes+1))
	if err != nil {
		a.refuse(ctx, Refuse(http.StatusBadRequest, "unreadable", "The body could not be read."))
		return
	}
	g.Request.Body = io.NopCloser(bytes.NewReader(body))
	request := sha256.Sum256(append([]byte(ctx.Method()+" "+g.Request.URL.RequestURI()+"\n"), body...))
	hash := postgres.KeyHash(key)
	known, err := a.Owner.BeginOnce(ctx.Context(), caller.Actor, hash, request[:])
	switch {
	case err != nil:
		a.refuse(ctx, a.problem(ctx.Context(), err))
	case known.Other:
		a.refuse(ctx, Refuse(http.StatusUnprocessableEntity, "idempotency_key_reused", "This Idempotency-Key was used with another request."))
	case known.Status != 0:
		a.repeat(ctx, key, known)
	case known.Done:
		a.refuse(ctx, Refuse(http.StatusConflict, "already_done", "This request was carried out, but its answer was lost: look at what it has made."))
	case !known.Begun:
		a.refuse(ctx, Refuse(http.StatusConflict, "in_progress", "This request is being carried out. Ask again in a moment."))
	default:
		a.first(ctx, g, key, hash, next)
	}
}

// first carries the request out and keeps its answer. A refusal that may pass is forgotten, so that the request can be repeated.
func (a *API) first(ctx huma.Context, g *gin.Context, key string, hash []byte, next func(huma.Context)) {
	scope := postgres.ScopeOf(ctx.Context())
	scope.Once = hash
	watched := &watchedWriter{ResponseWriter: g.Writer}
	g.Writer = watched
	next(huma.WithContext(ctx, postgres.WithScope(ctx.Context(), scope)))
	status := watched.Status()
	if status >= http.StatusInternalServerError || watched.body.Len() > postgres.MaxIdempotent {
		status = 0
	}
	answer := kept{Header: map[string]string{}, Body: watched.body.Bytes()}
	for _, name := range []string{"Content-Type", "ETag", "Location"} {
		if value := watched.Header().Get(name); value != "" {
			answer.Header[name] = value
		}
	}
	sealed, err := seal(key, answer)
	if err == nil {
		err = a.Owner.EndOnce(ctx.Context(), CallerOf(ctx.Context()).Actor, hash, status, sealed)
	}
	if err != nil {
		a.Log.ErrorContext(ctx.Context(), "the answer to a request with an Idempotency-Key was not kept", slog.Any("error", err))
	}
}

// repeat answers as the first time.
func (a *API) repeat(ctx huma.Context, key string, known postgres.Repeat) {
	answer, err := unseal(key, known.Answer)
	if err != nil {
		a.refuse(ctx, Refuse(http.StatusConflict, "already_done", "This request was carried out, but its answer was lost: look at what it has made."))
		return
	}
	for name, value := range answer.Header {
		ctx.SetHeader(name, value)
	}
	ctx.SetHeader("Idempotent-Replayed", "true")
	ctx.SetStatus(known.Status)
	if _, err := ctx.BodyWriter().Write(answer.Body); err != nil {
		a.Log.DebugContext(ctx.Context(), "a repeated answer was not read", slog.Any("error", err))
	}
}

// watchedWriter keeps a copy of what is answered.
type watchedWriter struct {
	gin.ResponseWriter
	body bytes.Buffer
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	if w.body.Len() <= postgres.MaxIdempotent {
		w.body.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// WriteString is for those who write strings.
func (w *watchedWriter) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// seal makes an answer readable for whoever has the request's key alone: it may hold a secret.
func seal(key string, k kept) ([]byte, error) {
	box, err := boxOf(key)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize())
	rand.Read(nonce) // never fails
	return box.Seal(nonce, nonce, text, nil), nil
}

func unseal(key string, sealed []byte) (k kept, err error) {
	box, err := boxOf(key)
	if err != nil {
		return k, err
	}
	if len(sealed) < box.NonceSize() {
		return k, errors.New("api: a kept answer is too short")
	}
	text, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], nil)
	if err != nil {
		return k, err
	}
	return k, json.Unmarshal(text, &k)
}

func boxOf(key string) (cipher.AEAD, error) {
	secret, err := hkdf.Key(sha256.New, []byte(key), nil, "tandem idempotent answer", sealBytes)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
