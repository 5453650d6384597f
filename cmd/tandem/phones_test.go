package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem/postgres"
)

// writePair writes a new certificate and its key, changed at a time.
func writePair(t *testing.T, pair *certificate, at time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(at.Unix()), NotAfter: at.Add(time.Hour), DNSNames: []string{"phones.example.test"}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	for path, block := range map[string]*pem.Block{pair.cert: {Type: "CERTIFICATE", Bytes: cert}, pair.key: {Type: "PRIVATE KEY", Bytes: private}} {
		must(t, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
		must(t, os.Chtimes(path, at, at))
	}
}

func TestThePhonesCertificateIsReadAnewWhenItChanges(t *testing.T) {
	dir := t.TempDir()
	pair := &certificate{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	if _, err := pair.get(nil); err == nil {
		t.Fatal("no files are a certificate")
	}
	writePair(t, pair, time.Unix(1_700_000_000, 0))
	first, err := pair.get(nil)
	must(t, err)
	must(t, os.WriteFile(pair.cert, []byte("half"), 0o600))
	if half, err := pair.get(nil); err != nil || half != first {
		t.Errorf("in the middle of a renewal: %v", err)
	}
	writePair(t, pair, time.Unix(1_800_000_000, 0))
	if second, err := pair.get(nil); err != nil || second == first {
		t.Errorf("the new one is not taken: %v", err)
	}
}

func TestAWorkerThatCouldNotServePhonesSafelyDoesNotStart(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(make([]byte, 32))
	good := phoneFlags{SecretKey: key, Address: "127.0.0.1:1", URL: "https://phones.example.com", Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Server: "sip.example.com:5061;transport=tls",
		Sockets: []string{"wss://edge1.example.com:7443/sip", "wss://edge2.example.com/sip"}}
	s, err := good.settings()
	must(t, err)
	if s.Server.Host != "sip.example.com" || s.Server.Port != 5061 || s.Server.Transport != "tls" || s.Keys == nil || s.URL != good.URL {
		t.Errorf("%+v", s)
	}
	if _, err := (phoneFlags{}).settings(); err != nil {
		t.Errorf("no phones at all: %v", err)
	}
	for want, change := range map[string]func(*phoneFlags){
		"TANDEM_SECRET_KEY is not set":       func(f *phoneFlags) { f.SecretKey = "" },
		"TANDEM_SECRET_KEY: ":                func(f *phoneFlags) { f.SecretKey = "hunter2" },
		"TANDEM_PHONES_URL is not":           func(f *phoneFlags) { f.URL = "http://phones.example.com" },
		"TANDEM_PHONES_URL":                  func(f *phoneFlags) { f.URL = "" },
		"belong together":                    func(f *phoneFlags) { f.Cert = "x" },
		"neither a certificate nor a proxy":  func(f *phoneFlags) { f.Proxies = nil },
		"TANDEM_PHONES_WEBSOCKETS":           func(f *phoneFlags) { f.Sockets = []string{"ws://edge1.example.com/sip"} },
		"WEBSOCKETS are not the wss:// URLs": func(f *phoneFlags) { f.Sockets = []string{"wss://edge1.example.com/sip; script-src *"} },
		"TANDEM_PHONES_SERVER: its port":     func(f *phoneFlags) { f.Server = "a:b" },
		"TANDEM_PHONES_SERVER: it is not":    func(f *phoneFlags) { f.Server = "a;transport=sctp" },
		"TANDEM_PHONES_SERVER: it is not ho": func(f *phoneFlags) { f.Server = "a\nb" },
	} {
		bad := good
		change(&bad)
		if _, err := bad.settings(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}

// With a certificate phones are served over HTTPS; while the database is away they are told to come again.
func TestPhonesAreServedOverHTTPS(t *testing.T) {
	dir := t.TempDir()
	pair := &certificate{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	writePair(t, pair, time.Now())
	address, err := freeAddress()
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	flags := phoneFlags{SecretKey: newSecretKey(), Address: address, URL: "https://phones.example.test", Cert: pair.cert, Key: pair.key}
	w := &worker{settings: serveCommand{Phones: flags}, log: slog.New(slog.DiscardHandler), meters: newMeters()}
	w.phones, err = flags.settings()
	must(t, err)
	w.store, err = postgres.Open(ctx, "postgres://nobody@127.0.0.1:1/none")
	must(t, err)
	defer w.store.Close()
	ended := make(chan error, 1)
	go func() { ended <- w.phoneFiles(ctx) }()
	defer func() { stop(); must(t, <-ended) }()

	roots := x509.NewCertPool()
	known, err := os.ReadFile(pair.cert)
	must(t, err)
	roots.AppendCertsFromPEM(known)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "phones.example.test"}}
	defer transport.CloseIdleConnections()
	phone := &http.Client{Transport: transport}
	must(t, await(t.Context(), "it does not listen", func(ctx context.Context) (bool, error) { return connects(address)(ctx) == nil, nil }))
	for path, want := range map[string]int{"/": 404, "/provision/": 404, "/provision/" + strings.Repeat("a", 32) + "/001565aabbcc.cfg": 503} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+path, nil)
		must(t, err)
		answer, err := phone.Do(request)
		must(t, err)
		must(t, answer.Body.Close())
		if answer.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, answer.StatusCode, want)
		}
	}
}
