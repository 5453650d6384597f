package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"tandem/messages"
	"tandem/provisioning"
	"tandem/provisioning/phones"
	"tandem/provisioning/phoneserver"
	"tandem/rabbit"
)

// phoneFlags say how phones provision themselves.
type phoneFlags struct {
	SecretKey string         `name:"secret-key" env:"TANDEM_SECRET_KEY" help:"Keys that seal the passwords of phones: 32 bytes in base64 each, the newest first, divided by commas; the same for all workers."`
	Address   string         `name:"phones-address" env:"TANDEM_PHONES_ADDRESS" help:"host:port where phones fetch their files; without it none can."`
	URL       string         `name:"phones-url" env:"TANDEM_PHONES_URL" help:"URL under which phones reach that, such as https://phones.example.com."`
	Cert      string         `name:"phones-cert" env:"TANDEM_PHONES_CERT" help:"Certificate for it, and those between, as PEM. It is read anew when the file changes." type:"path"`
	Key       string         `name:"phones-key" env:"TANDEM_PHONES_KEY" help:"The certificate's key, as PEM." type:"path"`
	Proxies   []netip.Prefix `name:"phones-proxies" env:"TANDEM_PHONES_PROXIES" help:"Proxies before it, whose X-Forwarded-For and X-Forwarded-Proto are believed: 10.1.2.0/24."`
	Plain     bool           `name:"phones-plain" env:"TANDEM_PHONES_PLAIN" help:"Give phones their passwords over plain HTTP too, and let those in browsers use ws://. Whoever is on the way reads them."`
	Server    string         `name:"phones-server" env:"TANDEM_PHONES_SERVER" help:"Where phones send SIP: host[:port][;transport=udp|tcp|tls]; without it they find their tenant's domain by themselves."`
	Sockets   []string       `name:"phones-websockets" env:"TANDEM_PHONES_WEBSOCKETS" help:"Where phones in browsers reach the edges: wss://edge1.example.com:7443/sip; without it there are none."`
	Time      string         `name:"phones-time" env:"TANDEM_PHONES_TIME" help:"Host of a time server for phones."`
}

// webSocket is a URL that can stand in a security policy as it is.
var webSocket = regexp.MustCompile(`^wss?://[a-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9._/-]*$`)

// settings reads the flags. No error holds a key.
func (f phoneFlags) settings() (s provisioning.PhoneSettings, err error) {
	if s.Keys, err = provisioning.ParseKeyring(f.SecretKey); err != nil {
		return s, fmt.Errorf("TANDEM_SECRET_KEY: %w", err)
	}
	if s.Server, err = phoneServer(f.Server); err != nil {
		return s, fmt.Errorf("TANDEM_PHONES_SERVER: %w", err)
	}
	s.URL, s.Time, s.WebSockets = f.URL, f.Time, f.Sockets
	for _, at := range f.Sockets {
		if !webSocket.MatchString(at) || strings.HasPrefix(at, "ws:") && !f.Plain {
			return s, errors.New("TANDEM_PHONES_WEBSOCKETS are not the wss:// URLs at which browsers reach the edges")
		}
	}
	if f.Address == "" {
		return s, nil
	}
	u, err := url.Parse(f.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !f.Plain):
		return s, errors.New("TANDEM_PHONES_URL is not the https:// URL under which phones reach TANDEM_PHONES_ADDRESS")
	case s.Keys == nil:
		return s, errors.New("TANDEM_SECRET_KEY is not set: phones' passwords are kept with it")
	case (f.Cert == "") != (f.Key == ""):
		return s, errors.New("TANDEM_PHONES_CERT and TANDEM_PHONES_KEY belong together")
	case f.Cert == "" && len(f.Proxies) == 0 && !f.Plain:
		return s, errors.New("TANDEM_PHONES_ADDRESS has neither a certificate nor a proxy before it (TANDEM_PHONES_CERT, TANDEM_PHONES_PROXIES)")
	}
	return s, nil
}

// phoneServer reads host[:port][;transport=...].
func phoneServer(text string) (s phones.Server, err error) {
	host, transport, with := strings.Cut(text, ";transport=")
	if with {
		s.Transport = phones.Transport(transport)
	}
	s.Host = host
	if name, port, err := net.SplitHostPort(host); err == nil {
		s.Host = name
		if s.Port, err = strconv.Atoi(port); err != nil || s.Port < 1 {
			return s, errors.New("its port is no number")
		}
	}
	tried := phones.Phone{Vendor: phones.Yealink, MAC: "001565000001", Username: "u", Password: "p", Domain: "d", Server: s}
	if tried.Check() != nil {
		return s, errors.New("it is not host[:port][;transport=udp|tcp|tls]")
	}
	return s, nil
}

// phoneFiles serves phones until ctx ends, if they are to be served.
func (w *worker) phoneFiles(ctx context.Context) error {
	f := w.settings.Phones
	if f.Address == "" {
		return nil
	}
	handler := &phoneserver.Handler{Files: &provisioning.Service{Store: w.store, Phones: w.phones}, Log: w.log, Plain: f.Plain, Proxies: f.Proxies,
		Count: func(answer string) { w.meters.phones.WithLabelValues(answer).Inc() }}
	server := &http.Server{Addr: f.Address, Handler: handler, ReadHeaderTimeout: headerWait, ReadTimeout: requestWait, WriteTimeout: requestWait,
		IdleTimeout: requestWait, MaxHeaderBytes: maxPhoneHeaders, ErrorLog: slog.NewLogLogger(w.log.Handler(), slog.LevelDebug)}
	listen := server.ListenAndServe
	if f.Cert != "" {
		pair := &certificate{cert: f.Cert, key: f.Key}
		if _, err := pair.get(nil); err != nil {
			return err
		}
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get}
		listen = func() error { return server.ListenAndServeTLS("", "") }
	}
	ended := make(chan error, 1)
	go func() { ended <- listen() }()
	select {
	case err := <-ended:
		return fmt.Errorf("phones cannot be served on %s: %w", f.Address, err)
	case <-ctx.Done():
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWait)
		defer cancel()
		return server.Shutdown(limited)
	}
}

// maxPhoneHeaders bounds what a phone sends, in bytes.
const maxPhoneHeaders = 8 << 10

// certificate is a pair of files, read anew when one of them has changed: certificates are renewed while a worker runs.
type certificate struct {
	cert, key string

	mu      sync.Mutex
	read    [2]time.Time
	current *tls.Certificate
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var changed [2]time.Time
	for i, path := range []string{c.cert, c.key} {
		if info, err := os.Stat(path); err == nil {
			changed[i] = info.ModTime()
		}
	}
	if c.current != nil && changed == c.read {
		return c.current, nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	switch {
	case err == nil:
		c.current, c.read = &pair, changed
	case c.current == nil:
		return nil, fmt.Errorf("the phones' certificate: %w", err)
	}
	return c.current, nil // half of a renewal: the old one until the other half is there
}

// resync asks a device to fetch its files again, at each contact by the edge that holds it.
func (w *worker) resync(ctx context.Context, username, domain, event string) (contacts int, err error) {
	for _, known := range w.facts.registrations.Contacts(username, domain, time.Now()) {
		m := &messages.EdgeNotify{EventCategory: "edge", EventName: "notify", Type: messages.EdgeNotifyV1, Edge: known.Edge,
			Username: username, Domain: domain, Contact: known.URI, Event: event}
		if err := w.rabbit.Publish(ctx, rabbit.ExchangeEdges, "", m); err != nil {
			return contacts, fmt.Errorf("order a NOTIFY: %w", err)
		}
		contacts++
	}
	return contacts, nil
}
