package esl

import (
	"net/netip"
	"strconv"
	"strings"
)

const maxURIBytes = 1 << 10

// checkURI accepts a SIP URI (RFC 3261 section 25.1) as far as a dial string
// carries it exactly: sip: or sips:, an optional user without password, a host
// name, IPv4 or [IPv6] address, an optional port, and parameters. Refused are
// headers (?...), the characters that dial strings split at, escapes of control
// characters, and parameters that steer mod_sofia (fs_path, fs_nat ...).
func checkURI(s string) *offence {
	if o := checkText(s, maxURIBytes); o != nil {
		return o
	}
	at := strings.IndexByte(s, ':') + 1
	if scheme := strings.ToLower(s[:at]); scheme != "sip:" && scheme != "sips:" {
		return refuse("not a sip or sips URI", 0)
	}
	if i := strings.IndexByte(s[at:], '@'); i >= 0 {
		if o := checkURIPart(s[at:at+i], "-_.!~*+=;"); o != nil {
			return shifted(o, at)
		}
		if o := checkNoSteering(s[at : at+i]); o != nil {
			return shifted(o, at)
		}
		at += i + 1
	}
	hostport, params, hasParams := strings.Cut(s[at:], ";")
	if !isHostPort(hostport) {
		return refuse("bad host or port", at)
	}
	if !hasParams {
		return nil
	}
	at += len(hostport) + 1
	for param := range strings.SplitSeq(params, ";") {
		if o := checkURIPart(param, "-_.!~*+=:/"); o != nil {
			return shifted(o, at)
		}
		at += len(param) + 1
	}
	return shifted(checkNoSteering(";"+params), len(s)-len(params)-1)
}

// checkURIPart accepts letters, digits, the given marks and percent escapes of
// anything but control characters.
func checkURIPart(s, marks string) *offence {
	if s == "" {
		return refuse("empty part of a URI", 0)
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isAlnum(c) || strings.IndexByte(marks, c) >= 0:
		case c == '%':
			if i+2 >= len(s) || unhex(s[i+1])|unhex(s[i+2]) >= 16 {
				return refuse("bad percent escape", i)
			}
			if decoded := unhex(s[i+1])<<4 | unhex(s[i+2]); decoded < ' ' || decoded == 0x7f {
				return refuse("escaped control character", i)
			}
			i += 2
		default:
			return refuse("character not allowed in a URI", i)
		}
	}
	return nil
}

// checkNoSteering refuses what mod_sofia looks for anywhere in a destination.
func checkNoSteering(s string) *offence {
	lower := strings.ToLower(s)
	for _, word := range [...]string{";fs_", "fs_path", enterpriseSeparator} {
		if i := strings.Index(lower, word); i >= 0 {
			return refuse("reserved parameter", i)
		}
	}
	return nil
}

func isHostPort(s string) bool {
	host, port := s, ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return false
		}
		address, err := netip.ParseAddr(s[1:end])
		if err != nil || !address.Is6() || address.Zone() != "" {
			return false
		}
		host, port = "", s[end+1:]
	} else if i := strings.IndexByte(s, ':'); i >= 0 {
		host, port = s[:i], s[i:]
	}
	if port != "" {
		n, err := strconv.ParseUint(strings.TrimPrefix(port, ":"), 10, 16)
		if err != nil || n == 0 || port[0] != ':' {
			return false
		}
	}
	if host == "" {
		return strings.HasPrefix(s, "[")
	}
	for i := range len(host) {
		if !isAlnum(host[i]) && host[i] != '-' && host[i] != '.' {
			return false
		}
	}
	return len(host) <= 253
}

// escapeURI percent-escapes all but letters and digits and the three marks
// that neither mod_sofia nor a dial string looks at.
func escapeURI(s string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		if c := s[i]; isAlnum(c) || c == '-' || c == '.' || c == '_' {
			out.WriteByte(c)
		} else {
			out.WriteByte('%')
			out.WriteByte(hex[c>>4])
			out.WriteByte(hex[c&15])
		}
	}
	return out.String()
}
