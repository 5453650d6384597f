// Package reach says which addresses belong to the Internet at large.
//
// It guarantees that an address which Public takes is neither loopback, private nor link-local, nor of a network with a special
// purpose, however it is written (an IPv4 address within an IPv6 one included). It resolves no names: whoever connects asks it
// for the address that he is about to dial.
package reach

import "net/netip"

// special are the networks of which an address of the Internet at large is none, beyond what package netip knows by name.
// IANA's registries of special-purpose addresses list them (RFC 6890).
func special() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),       // this network, RFC 791
		netip.MustParsePrefix("100.64.0.0/10"),   // shared by carriers, RFC 6598
		netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
		netip.MustParsePrefix("192.0.2.0/24"),    // documentation, RFC 5737
		netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays, RFC 7526
		netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks, RFC 2544
		netip.MustParsePrefix("198.51.100.0/24"), // documentation
		netip.MustParsePrefix("203.0.113.0/24"),  // documentation
		netip.MustParsePrefix("240.0.0.0/4"),     // reserved, RFC 1112, and broadcast
		netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo among them: an IPv4 address within
		netip.MustParsePrefix("2001:db8::/32"),   // documentation
		netip.MustParsePrefix("2002::/16"),       // 6to4: an IPv4 address within
		netip.MustParsePrefix("3fff::/20"),       // documentation, RFC 9637
	}
}

// global is all of IPv6 that is assigned to hosts of the Internet. NAT64 (64:ff9b::/96), which has an IPv4 address within,
// is not of it.
func global() netip.Prefix { return netip.MustParsePrefix("2000::/3") }

// Public says whether an address is one of the Internet at large.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" || !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !global().Contains(a) {
		return false
	}
	for _, p := range special() {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
