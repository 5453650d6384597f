package admin

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, dist fs.FS, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	handler(dist, "wss://edge.example.com:7443/sip").ServeHTTP(w, r)
	return w
}

func page() fstest.MapFS {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	return fstest.MapFS{"index.html": file(`<meta nonce="` + nonceMark + `">`), "assets/a-1.js": file("plain"), "assets/a-1.js.gz": file("packed"), "secret": file("s")}
}

func TestABuildWithoutNodeSaysWhatIsMissing(t *testing.T) {
	w := get(t, fstest.MapFS{"README": {}}, "/admin/")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestEachPageHasItsOwnNonceAndNoInlineScript(t *testing.T) {
	first, second := get(t, page(), "/admin/calls/abc"), get(t, page(), "/admin")
	for _, w := range []*httptest.ResponseRecorder{first, second} {
		policy := w.Header().Get("Content-Security-Policy")
		_, rest, _ := strings.Cut(policy, "'nonce-")
		nonce, _, _ := strings.Cut(rest, "'")
		if len(nonce) < 20 || !strings.Contains(w.Body.String(), nonce) || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "script-src 'self';") ||
			!strings.Contains(policy, "connect-src 'self' wss://edge.example.com:7443/sip;") {
			t.Errorf("policy %s for %s", policy, w.Body)
		}
	}
	if first.Body.String() == second.Body.String() {
		t.Error("two pages share a nonce")
	}
}

func TestFilesAreKeptForEverAndThePageIsNot(t *testing.T) {
	for _, c := range []struct{ path, encoding, body, cache string }{
		{"/admin/assets/a-1.js", "", "plain", "public, max-age=31536000, immutable"},
		{"/admin/assets/a-1.js", "br, gzip", "packed", "public, max-age=31536000, immutable"},
		{"/admin/x", "", "<meta nonce=", "no-store"},
		{"/admin/assets/../secret", "", "<meta nonce=", "no-store"},
	} {
		w := get(t, page(), c.path, "Accept-Encoding", c.encoding)
		if !strings.HasPrefix(w.Body.String(), c.body) || w.Header().Get("Cache-Control") != c.cache || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %s, %v", c.path, w.Body, w.Header())
		}
	}
	if w := get(t, page(), "/admin/assets/gone.js"); w.Code != http.StatusNotFound {
		t.Errorf("a file that is not there: %d", w.Code)
	}
}
