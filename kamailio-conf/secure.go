package kamailioconf

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// listener is a socket that only some edges have.
type listener struct {
	Protocol  string // tcp or tls
	Address   string // IP:port
	Advertise string // host:port or empty
	port      int
}

// origin is what a browser writes into the header Origin (RFC 6454 7).
var origin = regexp.MustCompile(`^https?://[a-z0-9.-]+(:[0-9]{1,5})?$`)

// certificateFile is where the tls module reads which certificate to show. Kamailio is told of it by secure.cfg.
const certificateFile = "certificate.conf"

// listeners gives the sockets for phones over TLS and for those in browsers; nil: there is none.
func (v Values) listeners() (tls, webSocket *listener, err error) {
	if (v.Certificate == "") != (v.Key == "") {
		return nil, nil, errors.New("a certificate needs its key, and a key its certificate")
	}
	for _, path := range []string{v.Certificate, v.Key} {
		if path != "" && (!plainPath.MatchString(path) || !filepath.IsAbs(path)) {
			return nil, nil, fmt.Errorf("the certificate's path %q is not a whole path of usual letters", path)
		}
	}
	if v.TLS != "" {
		if v.Certificate == "" {
			return nil, nil, errors.New("phones over TLS need a certificate")
		}
		if tls, err = v.listener("tls", v.TLS); err != nil {
			return nil, nil, fmt.Errorf("TLS: %w", err)
		}
	}
	if v.WebSocket == "" {
		return tls, nil, nil
	}
	if len(v.Origins) == 0 {
		return nil, nil, errors.New("a WebSocket needs the origins of the pages that may connect")
	}
	for _, o := range v.Origins {
		if !origin.MatchString(o) {
			return nil, nil, fmt.Errorf("origin %q is not https://host or https://host:port", o)
		}
	}
	protocol := "tcp"
	if v.Certificate != "" {
		protocol = "tls"
	}
	if webSocket, err = v.listener(protocol, v.WebSocket); err != nil {
		return nil, nil, fmt.Errorf("WebSocket: %w", err)
	}
	return tls, webSocket, nil
}

// listener advertises the host that stands for the one outside, with the port of its own.
func (v Values) listener(protocol, address string) (*listener, error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	l := &listener{Protocol: protocol, Address: a.String(), port: int(a.Port())}
	if host, _, found := strings.Cut(v.Advertise, ":"); found {
		l.Advertise = net.JoinHostPort(host, fmt.Sprint(a.Port()))
	}
	return l, nil
}

// origins are alternatives of a regular expression; "-" matches no header that a browser writes.
func (v Values) origins() string {
	return cmp.Or(strings.ReplaceAll(strings.Join(v.Origins, "|"), ".", "[.]"), "-")
}

// writeCertificate writes what the tls module reads. Nobody is asked for a certificate of his own: phones log in.
func (v Values) writeCertificate(dir string) error {
	if v.Certificate == "" {
		return nil
	}
	text := fmt.Sprintf("[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\ncertificate = %[1]s\nprivate_key = %[2]s\n\n"+
		"[client:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\n", v.Certificate, v.Key)
	return os.WriteFile(filepath.Join(dir, certificateFile), []byte(text), 0o600)
}
