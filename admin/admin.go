// Package admin serves the web admin: a single page over the public API, built by `make admin` into dist and embedded.
//
// Guarantees: nothing of it runs that is not one of its own files. The content security policy allows no inline script, no foreign server
// and no frame; styles that the page makes while it runs bear a nonce of that answer. Files whose names hold a hash of their content are kept
// by browsers for ever, the page itself never. It reads no cookie and knows no caller: all that is anybody's comes from the API.
//
// A Go build without Node has no admin in it. Then the page says so, and how to build one.
package admin

import (
	"bytes"
	"crypto/rand"
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed all:dist
var built embed.FS

// Path is where the admin is served.
const Path = "/admin"

// nonceMark stands in index.html where the nonce of an answer goes (vite.config.ts).
const nonceMark = "TANDEM-NONCE"

const missing = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Tandem</title><h1>The web admin is not part of this build</h1>
<p>It was built without Node. Install Node 20.19 or newer, run <code>make build</code> and start the worker again.</p><p>The API's documentation is at <a href="/docs">/docs</a>.</p></html>`

// Handler serves the admin below Path. The page may connect to the WebSockets that are named, and to where it came from, and to nothing else;
// each is a URL of letters that a policy can hold.
func Handler(webSockets ...string) http.Handler {
	dist, err := fs.Sub(built, "dist")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return handler(dist, strings.Join(webSockets, " "))
}

func handler(dist fs.FS, webSockets string) http.Handler {
	index, err := fs.ReadFile(dist, "index.html")
	if err != nil {
		index = []byte(missing)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // addresses of pages name calls
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		name := strings.TrimPrefix(path.Clean(r.URL.Path), Path+"/")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "The admin is only read.", http.StatusMethodNotAllowed)
		case strings.HasPrefix(name, "assets/") || name == "icon.svg":
			serveFile(w, r, dist, name)
		default: // each of its pages has an address, and is the same file
			servePage(w, index, webSockets)
		}
	})
}

func servePage(w http.ResponseWriter, index []byte, webSockets string) {
	nonce := rand.Text()
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-"+nonce+"'; img-src 'self' data:; font-src 'self'; "+
		"media-src 'self' blob:; connect-src "+strings.TrimSpace("'self' "+webSockets)+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Permissions-Policy", "microphone=(self), camera=(), geolocation=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(bytes.ReplaceAll(index, []byte(nonceMark), []byte(nonce)))
}

// serveFile serves a file, packed where the browser takes it so.
func serveFile(w http.ResponseWriter, r *http.Request, dist fs.FS, name string) {
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	text, err := fs.ReadFile(dist, name+".gz")
	if err == nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
	} else if text, err = fs.ReadFile(dist, name); err != nil {
		http.Error(w, "There is no such file. Load the page again.", http.StatusNotFound)
		return
	}
	h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if name == "icon.svg" { // its name says nothing of its content
		h.Set("Cache-Control", "public, max-age=86400")
	}
	_, _ = w.Write(text)
}
