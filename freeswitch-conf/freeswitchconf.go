// Package freeswitchconf holds Tandem's configuration of a FreeSWITCH media
// node (freeswitch.xml, with a comment at every decision) and writes it, with
// values, into a folder from which FreeSWITCH can be started.
//
// It guarantees that no value can say more than it should: whatever could end
// an XML attribute or start a pre-processor variable is refused. It does not
// start anything.
package freeswitchconf

import (
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed freeswitch.xml
var document []byte

// Values are what differs between nodes. Zero values mean the defaults that
// stand at the top of freeswitch.xml; the password has none.
type Values struct {
	Name        string         // FreeSWITCH-Switchname on every event
	EventSocket netip.AddrPort // where workers connect
	Password    string         // of the event socket; required
	Workers     []netip.Prefix // addresses that may connect to it
	SIP         netip.AddrPort // of the profile "internal"
	// Edges may send SIP, by address. EdgePorts, if any, are the source ports
	// that they use: needed where edges and phones share an address.
	Edges     []netip.Prefix
	EdgePorts []uint16
	RTP       netip.Addr
	// RTPStart and RTPEnd bound the UDP ports of media.
	RTPStart, RTPEnd uint16
	// StrictDTMF ignores digits in SIP INFO once RFC 4733 is agreed.
	StrictDTMF        bool
	MaxSessions       int
	SessionsPerSecond int
	Heartbeat         time.Duration // between HEARTBEAT events, in whole seconds
	MediaTimeout      time.Duration // a call without RTP for so long is hung up
}

// shippedPassword is the one of FreeSWITCH's own examples.
const shippedPassword = "Clue" + "Con"

// maxValue bounds one value.
const maxValue = 1024

var (
	errNoPassword = errors.New("freeswitchconf: the event socket needs a password, and not the one that FreeSWITCH ships with")
	errTooLong    = errors.New("freeswitchconf: value too long")
)

// folders are those that FreeSWITCH wants to find, by the flag that names them.
var folders = []struct{ flag, name string }{
	{"-conf", "conf"}, {"-log", "log"}, {"-db", "db"}, {"-run", "run"}, {"-temp", "tmp"}, {"-recordings", "recordings"},
	{"-cache", "cache"}, {"-storage", "storage"}, {"-certs", "certs"}, {"-sounds", "sounds"}, {"-scripts", "scripts"},
	{"-grammar", "grammar"}, {"-htdocs", "htdocs"},
}

// Write makes dir a FreeSWITCH's own folder: conf/freeswitch.xml,
// conf/values.xml and the empty folders beside them, readable by the owner alone.
func Write(dir string, v Values) error {
	values, err := v.render()
	if err != nil {
		return err
	}
	for _, f := range folders {
		if err := os.MkdirAll(filepath.Join(dir, f.name), 0o700); err != nil {
			return fmt.Errorf("freeswitchconf: %w", err)
		}
	}
	for name, data := range map[string][]byte{"freeswitch.xml": document, "values.xml": values} {
		if err := os.WriteFile(filepath.Join(dir, "conf", name), data, 0o600); err != nil {
			return fmt.Errorf("freeswitchconf: %w", err)
		}
	}
	return nil
}

// Arguments start FreeSWITCH in the foreground from a folder that Write made.
// -nc is needed where stdin is no terminal, -np keeps it from taking real-time
// priority. dir has to be absolute; the process should run with umask 077.
func Arguments(dir string) []string {
	arguments := []string{"-nf", "-nc", "-nonat", "-nonatmap", "-nocal", "-np"}
	for _, f := range folders {
		arguments = append(arguments, f.flag, filepath.Join(dir, f.name))
	}
	return arguments
}

// render writes values.xml.
func (v Values) render() ([]byte, error) {
	if v.Password == "" || v.Password == shippedPassword {
		return nil, errNoPassword
	}
	var b strings.Builder
	b.WriteString("<include>\n")
	for _, value := range v.list() {
		if value.text == "" {
			continue
		}
		if err := check(value.text); err != nil {
			return nil, fmt.Errorf("%w: %s", err, value.name)
		}
		fmt.Fprintf(&b, "  <X-PRE-PROCESS cmd=\"set\" data=\"tandem_%s=%s\"/>\n", value.name, value.text)
	}
	b.WriteString("</include>\n")
	return []byte(b.String()), nil
}

type value struct{ name, text string }

// list names every value that is set.
func (v Values) list() []value {
	list := []value{
		{"name", v.Name}, {"event_socket_password", v.Password}, {"workers", prefixes(v.Workers)}, {"edges", prefixes(v.Edges)},
		{"rtp_start", number(int64(v.RTPStart))}, {"rtp_end", number(int64(v.RTPEnd))},
		{"max_sessions", number(int64(v.MaxSessions))}, {"sessions_per_second", number(int64(v.SessionsPerSecond))},
		{"heartbeat_seconds", number(int64(v.Heartbeat / time.Second))}, {"media_timeout_ms", number(v.MediaTimeout.Milliseconds())},
	}
	if v.EventSocket.IsValid() {
		list = append(list, value{"event_socket_ip", v.EventSocket.Addr().String()}, value{"event_socket_port", number(int64(v.EventSocket.Port()))})
	}
	if v.SIP.IsValid() {
		list = append(list, value{"sip_ip", v.SIP.Addr().String()}, value{"sip_port", number(int64(v.SIP.Port()))})
	}
	if v.RTP.IsValid() {
		list = append(list, value{"rtp_ip", v.RTP.String()})
	}
	if v.StrictDTMF {
		list = append(list, value{"liberal_dtmf", "false"})
	}
	ports := make([]string, 0, len(v.EdgePorts))
	for _, port := range v.EdgePorts {
		ports = append(ports, number(int64(port)))
	}
	return append(list, value{"edge_ports", strings.Join(ports, ",")})
}

func number(n int64) string {
	if n <= 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func prefixes(list []netip.Prefix) string {
	texts := make([]string, 0, len(list))
	for _, p := range list {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ",")
}

// check refuses what an XML attribute or the pre-processor would read.
func check(text string) error {
	if len(text) > maxValue {
		return errTooLong
	}
	for _, r := range text {
		if r < ' ' || r > '~' || strings.ContainsRune(`"'<>&$\=;{}`, r) {
			return fmt.Errorf("freeswitchconf: character %q is not allowed", r)
		}
	}
	return nil
}
