package phoneserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tandem/provisioning"
	"tandem/provisioning/phones"
)

// Prefix begins every path.
const Prefix = "/provision/"

// Bounds of a request.
const (
	fetchWait = 5 * time.Second
	maxPath   = 256 // bytes
)

// Files finds a phone's file. The errors that it knows are provisioning.ErrNoPhone and provisioning.ErrNoFile.
type Files interface {
	PhoneFile(context.Context, provisioning.Asking) (phones.File, error)
}

// Handler serves phones. Files and Log are required.
type Handler struct {
	Files   Files
	Log     *slog.Logger
	Plain   bool           // plain HTTP is allowed
	Proxies []netip.Prefix // whose X-Forwarded-For and X-Forwarded-Proto are believed
	Now     func() time.Time
	Count   func(answer string) // counts answers: given, nothing, locked, away; nil: nobody does

	guesses guesses
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from, secure := h.source(r)
	now := h.now()
	if !from.IsValid() || h.guesses.locked(from, now) {
		h.nothing(w, "locked")
		return
	}
	if !secure && !h.Plain {
		h.Log.WarnContext(r.Context(), "a phone's file was asked for over plain HTTP, which is not allowed", slog.String("from", from.String()))
		h.nothing(w, "nothing")
		return
	}
	secret, file, ok := parts(r)
	if !ok {
		h.guess(r.Context(), from, r.URL.Path, now)
		h.nothing(w, "nothing")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), fetchWait)
	defer cancel()
	found, err := h.Files.PhoneFile(ctx, provisioning.Asking{Secret: secret, File: file, From: from.String(), UserAgent: r.UserAgent(), Look: r.Method == http.MethodHead})
	switch {
	case errors.Is(err, provisioning.ErrNoPhone):
		h.guess(r.Context(), from, secret, now)
		h.nothing(w, "nothing")
	case errors.Is(err, provisioning.ErrNoFile):
		h.nothing(w, "nothing") // phones ask for more than they need
	case err != nil:
		h.Log.ErrorContext(ctx, "a phone could not be given its file", slog.String("from", from.String()), slog.Any("error", err))
		h.count("away")
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
	default:
		h.count("given")
		give(w, r, found)
	}
}

const retryAfter = time.Minute

func (h *Handler) now() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return time.Now()
}

func (h *Handler) count(answer string) {
	if h.Count != nil {
		h.Count(answer)
	}
}

// nothing is the one answer to all that is wrong.
func (h *Handler) nothing(w http.ResponseWriter, why string) {
	h.count(why)
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
}

func give(w http.ResponseWriter, r *http.Request, f phones.File) {
	header := w.Header()
	header.Set("Content-Type", f.ContentType)
	header.Set("Content-Length", strconv.Itoa(len(f.Body)))
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(f.Body)) // the phone may have gone
	}
}

// parts reads /provision/SECRET/FILE. What could be no secret and no file is not looked for.
func parts(r *http.Request) (secret, file string, ok bool) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || len(r.URL.Path) > maxPath {
		return "", "", false
	}
	rest, ok := strings.CutPrefix(r.URL.Path, Prefix)
	if !ok {
		return "", "", false
	}
	secret, file, ok = strings.Cut(rest, "/")
	file = strings.TrimLeft(file, "/") // many phones put one between the URL and the name, whether the URL ends with one or not
	if !ok || len(secret) != secretLength || strings.ContainsAny(file, "/\\\x00") {
		return "", "", false
	}
	return secret, file, true
}

// secretLength is that of 160 bits in base32.
const secretLength = 32

// guess takes a wrong secret into account. A proxy that does not say for whom it asks is not locked out: all phones would be.
func (h *Handler) guess(ctx context.Context, from netip.Addr, what string, now time.Time) {
	if h.trusted(from) {
		return
	}
	if h.guesses.wrong(from, what, now) {
		h.Log.WarnContext(ctx, "a source is locked out: it guesses phones' secrets", slog.String("from", from.String()), slog.Duration("for", LockedFor))
	}
}

// source is who asks, and whether over HTTPS. What a header says counts only from a proxy that is trusted: then the last address that is
// no such proxy's is whose it is.
func (h *Handler) source(r *http.Request) (from netip.Addr, secure bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	from, err = netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, false
	}
	from = from.Unmap().WithZone("")
	if !h.trusted(from) {
		return from, r.TLS != nil
	}
	secure = r.TLS != nil && len(r.Header.Values("X-Forwarded-Proto")) == 0 || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
	said := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(said) - 1; i >= 0 && i >= len(said)-maxHops; i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(said[i]))
		if err != nil {
			break // what stands before it is not believed either
		}
		if from = a.Unmap().WithZone(""); !h.trusted(from) {
			break
		}
	}
	return from, secure
}

const maxHops = 8

func (h *Handler) trusted(a netip.Addr) bool {
	for _, p := range h.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
