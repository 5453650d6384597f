package kamailioconf

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tandem/messages"
)

// Values are what differs between two edges. The zero value of an optional one means the default that it names.
type Values struct {
	Edge    string // unique name among all edges, such as edge1.example.com: a-z, 0-9, dot and hyphen
	Outside string // IP:port for phones and carriers, UDP and TCP
	Inside  string // IP:port for media nodes, UDP; reachable by nothing else
	// Advertise is the host:port that those outside must use, when Outside is behind a NAT; optional. Kamailio resolves
	// a name when it starts, and does not open the socket when it cannot.
	Advertise string

	// WebSocket is the IP:port at which phones in browsers connect (RFC 7118); optional. It is wss with a certificate. Without one it
	// is ws, for a proxy on the same machine that has the certificate: browsers call out of a page with TLS over wss alone.
	WebSocket string
	Origins   []string // whose pages may connect there, such as https://admin.example.com; needed with WebSocket
	TLS       string   // IP:port for phones over TLS; optional, needs a certificate
	// Certificate and Key are the paths of PEM files, the chain with its own first. Kamailio reads them when it starts and at `tls.reload`.
	Certificate, Key string

	AMQPURL     string // amqp://user:password@host:port/vhost
	PostgresURL string // postgres://user:password@host:port/database, a role that may read edge.credentials and no more

	EmergencyNumbers []string // as dialled, such as 112, 911, +112; none: no number is special
	EmergencyTrunk   string   // SIP URI such as sip:192.0.2.9:5060; needed with EmergencyNumbers
	LocalNetworks    []string // CIDRs whose callers may reach EmergencyTrunk without a login; default: private ones

	FloodPerSecond int           // requests of one source address per second beyond which it is ignored; default 50
	BanAfter       int           // failed logins of one source address within BanWindow; default 20
	BanWindow      time.Duration // default 5 minutes
	BanFor         time.Duration // default 1 hour

	AnswerWait  time.Duration // how long a worker may take to decide; default 1.5 s
	AskAgain    time.Duration // how long until another worker is asked, once; default 30 ms
	NodeWait    time.Duration // how long a media node may be silent before the next is tried; default 1 s
	KeepAlive   time.Duration // how long a WebSocket may be silent before it is asked whether it lives; default 30 s
	RegisterMin time.Duration // shortest registration; default 1 minute
	RegisterMax time.Duration // longest registration; default 1 hour

	// AskAgainAtMost is the number of questions without an answer within AskAgain, in one second, beyond which none is asked
	// again until a second has passed with fewer: then the workers are slow, and not one of them paused. Default 128.
	AskAgainAtMost int

	WebSocketsPerAddress int // connections of one source address at a time; default 100, as an office is behind one

	Debug int // Kamailio's log level: 0 warnings, 1 notices (default), 2 information, 3 everything
}

// What workers rest on when nothing else is given.
const (
	// AnswerWait is when the edge gives an INVITE up that nobody has answered.
	AnswerWait = 1500 * time.Millisecond
	// AskAgainWithin is when the edge has asked again at the latest, if it does.
	AskAgainWithin = askAgain + tick
)

// Defaults of the optional values.
const (
	askAgain         = 30 * time.Millisecond
	defaultFlood     = 50
	defaultBanAfter  = 20
	defaultBanWindow = 5 * time.Minute
	defaultBanFor    = time.Hour
	// Four paused workers' prefetch at one instant (rabbit.RoutePrefetch). A worker decides so many in some 20 ms.
	defaultAskAgainAtMost = 128
	defaultNodeWait       = time.Second
	defaultKeepAlive      = 30 * time.Second
	defaultWebSockets     = 100
	defaultRegisterMin    = time.Minute
	defaultRegisterMax    = time.Hour
	defaultDebug          = 1
	// pikeUnit is the sampling time of the pike module in kamailio.cfg, in seconds.
	pikeUnit = 2
	// noEmergency is in no user part of a URI (RFC 3261 25.1).
	noEmergency = "@"
)

// defaultLocal are the private and loopback networks (RFC 1918, RFC 6598, RFC 4193).
const defaultLocal = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,127.0.0.0/8,fc00::/7,::1/128"

var (
	edgeName   = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$`)
	number     = regexp.MustCompile(`^\+?[0-9*#]{2,15}$`)
	hostPort   = regexp.MustCompile(`^[A-Za-z0-9.-]+:[0-9]+$`)
	trunkURI   = regexp.MustCompile(`^sip:([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?(;transport=(udp|tcp))?$`)
	plainURL   = regexp.MustCompile(`^[A-Za-z0-9._~%:/@?&=+,-]+$`)
	plainPath  = regexp.MustCompile(`^[A-Za-z0-9._/+@-]+$`)
	plainField = regexp.MustCompile(`^[A-Za-z0-9._~-]*$`)
)

// maxControlPath is what a Unix socket's address may hold (unix(7): 108 with the final NUL).
const maxControlPath = 107

// page is what values.cfg.tmpl is filled with.
type page struct {
	Debug           int
	Outside, Inside string // IP:port
	Advertise       string // host:port or empty
	Secure          bool   // there is a certificate
	TLS, WebSocket  *listener
	Strings         []pair // replaced within strings too
	Numbers         map[string]int
}

// pair is a name and the text that replaces it. No name is the beginning of another: replacing is textual.
type pair struct{ Name, Text string }

func (v Values) rendered(dir string) (page, error) {
	if !edgeName.MatchString(v.Edge) {
		return page{}, fmt.Errorf("edge %q is no name of a-z, 0-9, dot and hyphen", v.Edge)
	}
	if control := dir + "/control"; !plainPath.MatchString(dir) || len(control) > maxControlPath {
		return page{}, fmt.Errorf("folder %q is too long for a control socket or has unusual letters", dir)
	}
	outside, err := netip.ParseAddrPort(v.Outside)
	if err != nil {
		return page{}, fmt.Errorf("outside: %w", err)
	}
	inside, err := netip.ParseAddrPort(v.Inside)
	if err != nil {
		return page{}, fmt.Errorf("inside: %w", err)
	}
	if v.Advertise != "" && !hostPort.MatchString(v.Advertise) {
		return page{}, fmt.Errorf("advertise %q is not host:port", v.Advertise)
	}
	amqp, err := v.amqp()
	if err != nil {
		return page{}, err
	}
	postgres, err := v.postgres()
	if err != nil {
		return page{}, err
	}
	numbers, trunk, trunkHost, err := v.emergency()
	if err != nil {
		return page{}, err
	}
	local, err := v.local()
	if err != nil {
		return page{}, err
	}
	tls, webSocket, err := v.listeners()
	if err != nil {
		return page{}, err
	}
	if err := v.durations(); err != nil {
		return page{}, err
	}
	p := page{Debug: either(v.Debug, defaultDebug), Outside: outside.String(), Inside: inside.String(), Advertise: v.Advertise,
		Secure: v.Certificate != "", TLS: tls, WebSocket: webSocket}
	p.Strings = []pair{
		{"TANDEM_EDGE", v.Edge},
		{"TANDEM_FOLDER", dir},
		{"TANDEM_CONTACT", cmp.Or(v.Advertise, outside.String())},
		{"TANDEM_OUTSIDE_SOCKET", outside.String()},
		{"TANDEM_AMQP", amqp},
		{"TANDEM_POSTGRES", postgres},
		{"TANDEM_INSIDE_SOCKET", inside.String()},
		{"TANDEM_INSIDE_HOST", inside.Addr().String()},
		{"TANDEM_EMERGENCY_NUMBERS", numbers},
		{"TANDEM_SOS", v.sos()},
		{"TANDEM_EMERGENCY_TRUNK", trunk},
		{"TANDEM_EMERGENCY_HOST", trunkHost},
		{"TANDEM_LOCAL_NETWORKS", local},
		{"TANDEM_ORIGINS", v.origins()},
		{"TANDEM_SECURE_SOCKET", v.TLS}, // named by what is there when it is set
		{"TANDEM_KEEP_ALIVE", seconds(v.KeepAlive, defaultKeepAlive)},
		{"TANDEM_BAN_WINDOW", seconds(v.BanWindow, defaultBanWindow)},
		{"TANDEM_BAN_SECONDS", seconds(v.BanFor, defaultBanFor)},
		{"TANDEM_REGISTER_MAX", seconds(v.RegisterMax, defaultRegisterMax)},
		{"TANDEM_ANSWER_WAIT", milliseconds(v.AnswerWait, AnswerWait)},
		{"TANDEM_INTERVAL", strconv.Itoa(int(tick.Microseconds())) + "u"},
		{"TANDEM_UNHEEDED", strconv.Itoa(unheeded)},
		{"TANDEM_RENEW", strconv.Itoa(renew)},
		{"TANDEM_RETRY", strconv.Itoa(retry)},
		{"TANDEM_GONE", strconv.Itoa(gone)},
		{"TANDEM_REGISTERS", strconv.Itoa(messages.MaxRegisters)},
	}
	p.Numbers = bounds()
	p.Numbers["TANDEM_INSIDE_PORT"] = int(inside.Port())
	p.Numbers["TANDEM_PIKE"] = pikeUnit * either(v.FloodPerSecond, defaultFlood)
	p.Numbers["TANDEM_BAN_AFTER"] = either(v.BanAfter, defaultBanAfter)
	p.Numbers["TANDEM_AGAIN_AT_MOST"] = either(v.AskAgainAtMost, defaultAskAgainAtMost)
	// The tick in which a question is asked has begun already.
	p.Numbers["TANDEM_AGAIN_AFTER"] = int(either(v.AskAgain, askAgain)/tick) + 1
	p.Numbers["TANDEM_SOCKET_PORT"] = 1 // of the WebSocket; without one it is in no file that is read
	if webSocket != nil {
		p.Numbers["TANDEM_SOCKET_PORT"] = webSocket.port
	}
	p.Numbers["TANDEM_SOCKETS_EACH"] = either(v.WebSocketsPerAddress, defaultWebSockets)
	p.Numbers["TANDEM_NODE_WAIT"] = int(either(v.NodeWait, defaultNodeWait).Milliseconds())
	p.Numbers["TANDEM_REGISTER_MIN"] = int(either(v.RegisterMin, defaultRegisterMin).Seconds())
	for name, n := range p.Numbers {
		if n <= 0 {
			return page{}, fmt.Errorf("%s must be above 0", strings.ToLower(strings.TrimPrefix(name, "TANDEM_")))
		}
	}
	return p, nil
}

// durations refuses those that would become 0 in Kamailio's unit: there it means for ever.
func (v Values) durations() error {
	for _, d := range []struct {
		name        string
		value, unit time.Duration
	}{
		{"ban window", v.BanWindow, time.Second}, {"ban", v.BanFor, time.Second},
		{"keepalive of WebSockets", v.KeepAlive, time.Second},
		{"shortest registration", v.RegisterMin, time.Second}, {"longest registration", v.RegisterMax, time.Second},
		{"wait for an answer", v.AnswerWait, time.Millisecond}, {"time until another worker is asked", v.AskAgain, tick}, {"wait for a node", v.NodeWait, time.Millisecond},
	} {
		if d.value != 0 && d.value < d.unit {
			return fmt.Errorf("the %s of %v is below %v", d.name, d.value, d.unit)
		}
	}
	return nil
}

// amqp is the broker's URL as librabbitmq reads it: a bare "/" is the virtual host without a name there.
func (v Values) amqp() (string, error) {
	u, err := url.Parse(v.AMQPURL)
	if err != nil || u.Scheme != "amqp" || u.Host == "" || !plainURL.MatchString(v.AMQPURL) {
		return "", fmt.Errorf("the broker's URL is not amqp://user:password@host:port/vhost with other letters percent-encoded")
	}
	return strings.TrimSuffix(v.AMQPURL, "/"), nil
}

// postgres is the database's URL as Kamailio reads it: it neither decodes percent signs nor knows parameters. Those
// are left to libpq's environment (PGSSLMODE and its like).
func (v Values) postgres() (string, error) {
	u, err := url.Parse(v.PostgresURL)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || u.Host == "" || len(u.Path) < 2 {
		return "", fmt.Errorf("the database's URL is not postgres://user:password@host:port/database")
	}
	password, _ := u.User.Password()
	for _, field := range []string{u.User.Username(), password, u.Path[1:]} {
		if !plainField.MatchString(field) {
			return "", fmt.Errorf("user, password and name of the database may hold only letters, digits and ._~-")
		}
	}
	host, port := u.Hostname(), u.Port()
	if !plainField.MatchString(host) {
		return "", fmt.Errorf("the database's host is no name or IPv4 address")
	}
	if port == "" {
		port = "5432"
	}
	return fmt.Sprintf("postgres://%s:%s@%s/%s", u.User.Username(), password, net.JoinHostPort(host, port), u.Path[1:]), nil
}

// emergency gives the numbers as alternatives of a regular expression, and the trunk as a URI and as host:port.
func (v Values) emergency() (numbers, trunk, host string, err error) {
	if len(v.EmergencyNumbers) == 0 {
		return noEmergency, "sip:127.0.0.1:9", "127.0.0.1:9", nil
	}
	var alternatives []string
	for _, n := range v.EmergencyNumbers {
		if !number.MatchString(n) {
			return "", "", "", fmt.Errorf("emergency number %q is not 2 to 15 digits", n)
		}
		// A class instead of a backslash, which Kamailio's strings would take away.
		n = strings.NewReplacer("+", "[+]", "*", "[*]").Replace(n)
		alternatives = append(alternatives, n)
	}
	if !trunkURI.MatchString(v.EmergencyTrunk) {
		return "", "", "", fmt.Errorf("emergency trunk %q is not sip:host:port", v.EmergencyTrunk)
	}
	host, _, _ = strings.Cut(strings.TrimPrefix(v.EmergencyTrunk, "sip:"), ";")
	return strings.Join(alternatives, "|"), v.EmergencyTrunk, host, nil
}

// sos is what urn:service:sos stands for (RFC 5031): the first emergency number.
func (v Values) sos() string {
	if len(v.EmergencyNumbers) == 0 {
		return noEmergency
	}
	return v.EmergencyNumbers[0]
}

func (v Values) local() (string, error) {
	if len(v.LocalNetworks) == 0 {
		return defaultLocal, nil
	}
	for _, n := range v.LocalNetworks {
		if _, err := netip.ParsePrefix(n); err != nil {
			return "", fmt.Errorf("local network: %w", err)
		}
	}
	return strings.Join(v.LocalNetworks, ","), nil
}

func either[N int | time.Duration](value, otherwise N) N {
	if value == 0 {
		return otherwise
	}
	return value
}

func seconds(d, otherwise time.Duration) string {
	return strconv.Itoa(int(either(d, otherwise).Seconds()))
}

func milliseconds(d, otherwise time.Duration) string {
	return strconv.Itoa(int(either(d, otherwise).Milliseconds()))
}
