package webhooks

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"tandem/reach"
)

// MaxURL is how long a receiver's address may be, in bytes.
const MaxURL = 2048

// Target says why a URL can be no receiver's, in words that follow "url ", or nil. allowed are networks that the operator lets
// be asked although they are private; only there HTTP without TLS is taken, and addresses in place of names. What a name
// resolves to is checked when it is dialled.
func Target(raw string, allowed []netip.Prefix) error {
	u, err := url.Parse(raw)
	switch {
	case len(raw) > MaxURL:
		return errors.New("is longer than 2048 bytes")
	case err != nil || u.Host == "" || u.Opaque != "":
		return errors.New("is not a URL such as https://example.com/hooks")
	case u.User != nil:
		return errors.New("has a user name or password in it")
	case u.Fragment != "":
		return errors.New("has a fragment (#), which no receiver would see")
	case strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return errors.New("has a character that does not belong into a URL")
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	address, numeric := numericHost(host)
	open := false
	for _, p := range allowed {
		open = open || numeric && p.Contains(address.Unmap())
	}
	switch {
	case open && (u.Scheme == "http" || u.Scheme == "https"):
		return nil
	case u.Scheme != "https":
		return errors.New("does not begin with https://")
	case numeric && !reach.Public(address), host == "localhost", strings.HasSuffix(host, ".localhost"), strings.HasSuffix(host, ".local"), strings.HasSuffix(host, ".internal"):
		return errors.New("leads to a private address")
	case !numeric && !strings.Contains(host, "."):
		return errors.New("has no full domain name")
	case u.Port() != "" && u.Port() != "443" && (len(u.Port()) < 4 || len(u.Port()) == 4 && u.Port() < "1024"):
		return errors.New("has a port below 1024 that is not 443")
	}
	return nil
}

// numericHost reads a host that is an address. One that only resolvers would take for an address, such as 127.1 or 0x7f.1, is
// refused as an invalid one.
func numericHost(host string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a, true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last != "" && strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return netip.Addr{}, true
	}
	return netip.Addr{}, false
}
