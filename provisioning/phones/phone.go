package phones

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Bounds of what a phone's files hold.
const (
	MaxKeys     = 60  // keys of a phone; what a phone has not it passes over
	MaxLabel    = 40  // characters of a key's label
	MaxName     = 64  // characters of a name that a phone shows
	MaxNote     = 500 // characters of the note
	maxPassword = 64  // bytes; what the phones with the least room take
	maxHost     = 253 // RFC 1035 3.1, written without the root
)

// Transport is how a phone speaks SIP.
type Transport string

const (
	UDP Transport = "udp"
	TCP Transport = "tcp"
	TLS Transport = "tls"
)

// Codec is what a phone may speak.
type Codec string

const (
	PCMU Codec = "pcmu"
	PCMA Codec = "pcma"
	G722 Codec = "g722"
	G729 Codec = "g729"
	Opus Codec = "opus"
)

// Codecs are all that are known, the one with the best sound first.
func Codecs() []Codec { return []Codec{Opus, G722, PCMA, PCMU, G729} }

// DefaultCodecs are for a phone for which none were chosen: what every phone in the list of vendors has.
func DefaultCodecs() []Codec { return []Codec{G722, PCMA, PCMU} }

// KeyType is what a key of a phone does.
type KeyType string

const (
	KeyNone      KeyType = "none"       // stays dark
	KeyLine      KeyType = "line"       // the phone's own line
	KeyLamp      KeyType = "blf"        // shows whether somebody speaks (RFC 4235), and calls
	KeySpeedDial KeyType = "speed_dial" // calls
)

// Key is one key of a phone, by its place in the list.
type Key struct {
	Type  KeyType `json:"type"`
	Label string  `json:"label,omitempty"` // what stands beside it; empty: Value
	Value string  `json:"value,omitempty"` // of a lamp: an extension; of a speed dial: what is dialled
}

// Server is where phones send SIP.
type Server struct {
	Host      string    // a name or an address
	Port      int       // 0: 5060, and 5061 with TLS
	Transport Transport // empty: UDP
}

// Phone is all that the files of one phone are made of.
type Phone struct {
	Vendor   Vendor
	Model    string // one of the vendor's, or empty
	MAC      MAC
	Name     string // who sits there; shown on the display and to those who are called
	Label    string // beside the line key, such as 101
	Username string // digest user, and user part of the address of record
	Password string
	Domain   string // SIP domain and digest realm
	Server   Server // the outbound proxy; with no host phones find the domain by themselves (RFC 3263)
	Expires  int    // seconds of a registration
	Keys     []Key
	Zone     Zone
	Codecs   []Codec // in order
	Time     string  // host of a time server; empty: the phone's own
	Note     string  // for who reads the file, such as which firmware the phone should have
}

// ErrMalformed says that a value of a Phone cannot stand in a file.
var ErrMalformed = errors.New("phones: a value does not have its form")

// The forms of values that are not free text.
var (
	userForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
	hostForm     = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
	passwordForm = regexp.MustCompile(`^[A-Za-z0-9_.~-]{1,64}$`) // every format's plain characters
	lampForm     = regexp.MustCompile(`^[A-Za-z0-9*#][A-Za-z0-9_.*#-]{0,31}$`)
	dialForm     = regexp.MustCompile(`^\+?[0-9*#]{1,20}$`)
)

// CheckKey says in words what is wrong with a key, or "".
func CheckKey(k Key) string {
	switch k.Type {
	case KeyNone, KeyLine:
		if k.Value != "" {
			return "has a value, which a key of this type has not"
		}
	case KeyLamp:
		if !lampForm.MatchString(k.Value) {
			return "watches what is no extension"
		}
	case KeySpeedDial:
		if !dialForm.MatchString(k.Value) {
			return "dials what is no number: digits, * and #, perhaps with a + before them"
		}
	default:
		return "is of none of the types line, blf, speed_dial, none"
	}
	if clean(k.Label, MaxLabel+1) != k.Label || len([]rune(k.Label)) > MaxLabel {
		return fmt.Sprintf("has a label that is longer than %d characters or that cannot be shown", MaxLabel)
	}
	return ""
}

// Check refuses a Phone that has a value which its files could not hold.
func (p *Phone) Check() error {
	switch {
	case !known(p.Vendor):
		return malformed("vendor")
	case p.MAC == "" || !p.MAC.valid():
		return malformed("mac")
	case !userForm.MatchString(p.Username):
		return malformed("username")
	case !passwordForm.MatchString(p.Password) || len(p.Password) > maxPassword:
		return malformed("password")
	case !host(p.Domain):
		return malformed("domain")
	case p.Server.Host != "" && !host(p.Server.Host) || p.Server.Port < 0 || p.Server.Port > 65535:
		return malformed("server")
	case p.Time != "" && !host(p.Time):
		return malformed("time server")
	case p.Expires < 0 || len(p.Keys) > MaxKeys || len(p.Codecs) > len(Codecs()):
		return malformed("expires, keys or codecs")
	}
	switch p.Server.Transport {
	case "", UDP, TCP, TLS:
	default:
		return malformed("transport")
	}
	for _, k := range p.Keys {
		k.Label = "" // free text, which is cleaned
		if CheckKey(k) != "" {
			return malformed("key")
		}
	}
	return nil
}

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

func host(s string) bool { return len(s) <= maxHost && hostForm.MatchString(s) }

// MAC is a phone's hardware address: twelve hexadecimal digits in lower case.
type MAC string

// ParseMAC takes the ways in which it is written: 00:15:65:aa:bb:cc, 00-15-65-AA-BB-CC, 0015.65aa.bbcc and 001565aabbcc.
func ParseMAC(s string) (MAC, bool) {
	m := MAC(strings.ToLower(strings.NewReplacer(":", "", "-", "", ".", "").Replace(s)))
	if !m.valid() {
		return "", false
	}
	return m, true
}

func (m MAC) valid() bool {
	if len(m) != 12 {
		return false
	}
	for _, c := range m {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	// The lowest bit of the first byte is a group's, and no phone's (IEEE 802).
	return m != "000000000000" && strings.IndexByte("02468ace", m[1]) >= 0
}

// transport and port with their defaults.
func (s Server) transport() Transport {
	if s.Transport == "" {
		return UDP
	}
	return s.Transport
}

func (s Server) port() int {
	switch {
	case s.Port != 0:
		return s.Port
	case s.Transport == TLS:
		return 5061 // RFC 3261 19.1.2
	}
	return 5060
}

// label is what stands beside a key.
func (k Key) label() string {
	if l := clean(k.Label, MaxLabel); l != "" {
		return l
	}
	return k.Value
}

// keys are the phone's, or its line alone; a line key that says nothing says the line's label.
func (p *Phone) keys() []Key {
	all := slices.Clone(p.Keys)
	if len(all) == 0 {
		all = []Key{{Type: KeyLine}}
	}
	for i := range all {
		if all[i].Type == KeyLine && all[i].label() == "" {
			all[i].Label = p.lineLabel()
		}
	}
	return all
}

// codecs are the phone's, or those that every phone has.
func (p *Phone) codecs() []Codec {
	if len(p.Codecs) == 0 {
		return DefaultCodecs()
	}
	return p.Codecs
}

// name and lineLabel are cleaned, and never empty.
func (p *Phone) name() string {
	if n := clean(p.Name, MaxName); n != "" {
		return n
	}
	return p.Username
}

func (p *Phone) lineLabel() string {
	if l := clean(p.Label, MaxLabel); l != "" {
		return l
	}
	return p.Username
}

// expires has a default that keeps a NAT's mapping apart from the question: phones send keepalives.
func (p *Phone) expires() int {
	if p.Expires == 0 {
		return defaultExpires
	}
	return p.Expires
}

const defaultExpires = 600 // seconds
