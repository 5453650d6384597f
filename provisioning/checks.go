package provisioning

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds on what configuration may hold.
const (
	MaxName         = 256  // bytes of a name
	MaxComment      = 4096 // bytes of a publisher's comment
	MaxFlowElements = 500
	MaxFlowBytes    = 256 << 10 // of a flow as JSON
	MaxHours        = 200       // stretches of weekly hours in a schedule
	MaxDates        = 1000      // dates in a schedule
	MaxEntries      = 10_000    // entries of a list
	MaxEntry        = 128       // bytes of one
	MaxAddresses    = 256       // of one trunk
	MaxEmergency    = 32        // emergency numbers
	MaxLimit        = 1_000_000 // of a tenant's or node's calls
)

// The forms of values. The schema has the same.
var (
	idForm        = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
	userIDForm    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,58}$`)
	domainForm    = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	languageForm  = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)
	extensionForm = regexp.MustCompile(`^[0-9]{2,8}$`)
	numberForm    = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	dialledForm   = regexp.MustCompile(`^[0-9*#]{1,20}$`)
	sipURIForm    = regexp.MustCompile(`^sips?:([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(;transport=(udp|tcp|tls))?$`)
)

const maxDomain = 253 // RFC 1035 3.1, written without the root

// checks collects the first refusal of a use case, so that its validation reads as a list.
type checks struct{ err error }

func (c *checks) that(ok bool, field, detail string) {
	if c.err == nil && !ok {
		c.err = invalid(field, detail)
	}
}

func (c *checks) form(form *regexp.Regexp, field, value, detail string) {
	c.that(form.MatchString(value), field, detail)
}

func (c *checks) id(field, value string) {
	c.form(idForm, field, value, "is not 1 to 64 letters, digits or _ . -")
}

func (c *checks) name(field, value string) {
	c.that(value != "" && len(value) <= MaxName, field, fmt.Sprintf("is not 1 to %d bytes long", MaxName))
	c.printable(field, value)
}

func (c *checks) printable(field, value string) {
	ok := utf8.ValidString(value) && !strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) })
	c.that(ok, field, "has a character that cannot be shown")
}

func (c *checks) domain(field, value string) {
	c.that(len(value) <= maxDomain && domainForm.MatchString(value), field, "is not a domain in lower case")
}

func (c *checks) number(field, value string) {
	c.form(numberForm, field, value, "is not an E.164 number written with +")
}

func (c *checks) timeZone(field, value string) {
	_, err := time.LoadLocation(value)
	c.that(err == nil && value != "" && value != "Local", field, "is not a time zone such as Europe/Berlin")
}

func (c *checks) limit(field string, value int) {
	c.that(value >= 0 && value <= MaxLimit, field, fmt.Sprintf("is not within 0 to %d", MaxLimit))
}

func (c *checks) sipURI(field, value string) {
	c.form(sipURIForm, field, value, "is not a SIP URI without user, such as sip:192.0.2.9:5060")
	host := strings.TrimPrefix(strings.TrimPrefix(value, "sips:"), "sip:")
	host, _, _ = strings.Cut(host, ";")
	if _, port, err := net.SplitHostPort(host); err == nil {
		c.port(field, port)
	}
}

func (c *checks) address(field, value string) {
	host, port, err := net.SplitHostPort(value)
	_, ipErr := netip.ParseAddr(host)
	c.that(err == nil && (ipErr == nil || domainForm.MatchString(strings.ToLower(host))), field, "is not host:port")
	c.port(field, port)
}

func (c *checks) port(field, value string) {
	n, err := strconv.Atoi(value)
	c.that(err == nil && n >= 1 && n <= 65535, field, "has no port within 1 to 65535")
}
