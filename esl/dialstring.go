package esl

import (
	"strconv"
	"strings"
)

// Bounds of a dial string; FreeSWITCH takes 128 legs in a group (MAX_PEERS).
const (
	maxLegs      = 100
	maxVariables = 100
)

// Mode says how the legs of a dial string ring.
type Mode uint8

const (
	Simultaneous Mode = iota // all at once, the first to answer wins
	Sequential               // one after the other, until one answers
)

// DialString is what Bridge and Originate dial.
type DialString struct {
	Global []Var // for every leg: {...}
	Mode   Mode
	Legs   []DialLeg // 1 to 100
}

// DialLeg is one SIP destination, dialed by one INVITE.
type DialLeg struct {
	Vars    []Var  // for this leg, before the global ones: origination_uuid, leg_timeout, sip_h_X-...
	Profile string // of mod_sofia, e.g. "internal"
	URI     string // the Request-URI: sip:101@10.0.0.1:5060;alias=10.0.0.1~5060~1
	Path    string // the proxy to send it through, e.g. sip:127.0.0.1:5080; empty: straight to URI
}

// String renders the dial string for a log, or says why it is refused.
func (d DialString) String() string {
	b := newBuilder("dial string")
	d.render(b)
	text, err := b.finish(0)
	if err != nil {
		return err.Error()
	}
	return text
}

// Err is the refusal by Bridge or Originate, or nil.
func (d DialString) Err() error {
	b := newBuilder("dial string")
	d.render(b)
	_, err := b.finish(0)
	return err
}

// render appends the dial string (switch_ivr_originate.c). It never contains a
// quote, so that Originate can put one pair around it.
func (d DialString) render(b *builder) {
	start := b.text.Len()
	if len(d.Legs) == 0 || len(d.Legs) > maxLegs {
		b.check("legs", refuse("not 1 to "+strconv.Itoa(maxLegs), -1))
	}
	separator := ","
	switch d.Mode {
	case Simultaneous:
	case Sequential:
		separator = "|"
	default:
		b.check("mode", refuse("unknown", -1))
	}
	bracketed(b, "global", "{", "}", d.Global)
	for i, leg := range d.Legs {
		if i > 0 {
			b.add(separator)
		}
		leg.render(b, "leg "+strconv.Itoa(i+1))
	}
	if strings.Contains(b.text.String()[start:], enterpriseSeparator) {
		b.check("dial string", refuse("dial-string separator", -1))
	}
}

func (l DialLeg) render(b *builder, where string) {
	bracketed(b, where, "[", "]", l.Vars)
	b.add("sofia/").arg(where+" profile", l.Profile, checkProfile)
	b.add("/").arg(where+" uri", l.URI, checkURI)
	if l.Path == "" {
		return
	}
	if b.check(where+" path", checkURI(l.Path)) {
		// sofia_glue_get_destination decodes what follows ;fs_path= up to the
		// next ; or > and makes it both the next hop and the Route header.
		// Without the angle brackets ;lr would become a parameter of the
		// header instead of the URI, and ask for strict routing.
		path := l.Path
		if !hasParameter(path, "lr") {
			path += ";lr"
		}
		b.add(";fs_path=", escapeURI("<"+path+">"))
	}
}

func bracketed(b *builder, where, open, closing string, vars []Var) {
	switch {
	case len(vars) == 0:
		return
	case len(vars) > maxVariables:
		b.check(where+" variables", refuse("too many", -1))
		return
	}
	b.add(open)
	b.addVariables(where, vars, ',', checkSplitValue)
	b.add(closing)
}

// checkProfile accepts a profile's name; "gateway" would mean something else.
func checkProfile(s string) *offence {
	if strings.EqualFold(s, "gateway") {
		return refuse("reserved word", 0)
	}
	return checkChars(s, maxTokenBytes, func(c byte) bool { return isAlnum(c) || strings.IndexByte("-_.", c) >= 0 })
}

// hasParameter looks for a flag or parameter of a checked URI.
func hasParameter(uri, name string) bool {
	if at := strings.LastIndexByte(uri, '@'); at >= 0 {
		uri = uri[at:]
	}
	_, params, _ := strings.Cut(uri, ";")
	for param := range strings.SplitSeq(params, ";") {
		key, _, _ := strings.Cut(param, "=")
		if strings.EqualFold(key, name) {
			return true
		}
	}
	return false
}
