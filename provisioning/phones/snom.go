package phones

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// snom writes the settings of a phone. Source: Snom, "Service Hub: Provisioning, XML based auto-provisioning" and the list of settings
// (user_*, codec_priority_list, utc_offset, dst, fkey).
func snom(p *Phone) string {
	x := newXML()
	x.comment(p.Note)
	x.open("settings")
	x.open("phone-settings", attr{"e", "2"}) // errors in one setting do not stop the others
	set := func(name, value string) { x.leaf(name, value, attr{"perm", ""}) }
	user := func(name, value string) { x.leaf("user_"+name, value, attr{"idx", "1"}, attr{"perm", ""}) }
	user("active", "on")
	user("realname", p.name())
	user("idle_text", p.lineLabel())
	user("name", p.Username)
	user("pname", p.Username)
	user("pass", p.Password)
	user("host", p.Domain)
	user("outbound", snomProxy(p))
	user("expiry", strconv.Itoa(p.expires()))
	x.leaf("codec_priority_list", snomCodecs(p.codecs()), attr{"idx", "1"}, attr{"perm", ""})
	set("challenge_checksync", "off") // the edge cannot answer a challenge; a check-sync carries no orders but to fetch this file
	set("challenge_reboot", "on")
	if p.Time != "" {
		set("ntp_server", p.Time)
	}
	set("utc_offset", strconv.Itoa(int(p.Zone.Offset/time.Second)))
	set("dst", snomSummer(p.Zone))
	x.end()
	x.open("functionKeys")
	for i, k := range p.keys() {
		x.leaf("fkey", snomKey(k, p.Domain), attr{"idx", strconv.Itoa(i)}, attr{"context", "1"}, attr{"label", k.label()}, attr{"perm", ""})
	}
	return x.String()
}

// snomProxy is where requests go; without a host the phone finds the domain, and the transport is all that is said.
func snomProxy(p *Phone) string {
	if p.Server.Host == "" {
		return p.Domain + ";transport=" + string(p.Server.transport())
	}
	return p.Server.Host + ":" + strconv.Itoa(p.Server.port()) + ";transport=" + string(p.Server.transport())
}

func snomCodecs(chosen []Codec) string {
	var names []string
	for _, c := range chosen {
		names = append(names, string(c))
	}
	return strings.Join(append(names, "telephone-event"), ",")
}

// snomSummer is "seconds MM.WW.DD hh:mm:ss MM.WW.DD hh:mm:ss": month, week (05: the last) and weekday (07: Sunday).
func snomSummer(z Zone) string {
	if z.Save == 0 {
		return ""
	}
	turn := func(t Turn) string {
		return fmt.Sprintf("%02d.%02d.%02d %02d:%02d:00", t.Month, t.Week, t.monday(), t.Hour, t.Minute)
	}
	return fmt.Sprintf("%d %s %s", int(z.Save/time.Second), turn(z.Start), turn(z.End))
}

func snomKey(k Key, domain string) string {
	switch k.Type {
	case KeyLine:
		return "line"
	case KeyLamp:
		return "blf <sip:" + strings.ReplaceAll(k.Value, "#", "%23") + "@" + domain + ">" // RFC 3261 25.1: no # in a user part
	case KeySpeedDial:
		return "speed " + k.Value
	case KeyNone:
	}
	return "none"
}
