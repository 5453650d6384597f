package phones

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// yealink writes the phone's own file. Source: Yealink, "SIP-T2 Series_T4 Series_T5 Series IP Phones Administrator Guide" V84 to V86,
// chapters on accounts, outbound proxy, codecs, time and line keys, and "Auto Provisioning Guide". The first line is prescribed.
func yealink(p *Phone) string {
	f := &iniFile{}
	f.b.WriteString("#!version:1.0.0.1\n")
	f.comment(p.Note)
	const account = "account.1."
	f.set(account+"enable", "1")
	f.set(account+"label", literal(p.lineLabel()))
	f.set(account+"display_name", literal(p.name()))
	f.set(account+"user_name", p.Username)
	f.set(account+"auth_name", p.Username)
	f.set(account+"password", p.Password)
	f.set(account+"sip_server.1.address", p.Domain)
	f.number(account+"sip_server.1.port", p.Server.port())
	f.number(account+"sip_server.1.transport_type", yealinkTransport(p.Server.transport()))
	f.number(account+"sip_server.1.expires", p.expires())
	f.set(account+"outbound_proxy_enable", flag(p.Server.Host != ""))
	if p.Server.Host != "" {
		f.set(account+"outbound_proxy.1.address", p.Server.Host)
		f.number(account+"outbound_proxy.1.port", p.Server.port())
	}
	f.set(account+"nat.rport", "1")
	f.set(account+"nat.udp_update_enable", "1") // keeps a NAT's mapping open
	f.set(account+"nat.udp_update_time", "30")
	f.set("sip.notify_reboot_enable", "0") // check-sync fetches, and reboots only where it must
	yealinkCodecs(f, p.codecs())
	yealinkTime(f, p)
	for i, k := range p.keys() {
		yealinkKey(f, "linekey."+strconv.Itoa(i+1)+".", k)
	}
	return f.b.String()
}

// literal keeps the words by which a file says "nothing" from being read so.
func literal(s string) string {
	if strings.EqualFold(s, "%NULL%") || strings.EqualFold(s, "%EMPTY%") {
		return strings.Trim(s, "%")
	}
	return s
}

func yealinkTransport(t Transport) int {
	switch t {
	case TCP:
		return 1
	case TLS:
		return 2
	}
	return 0
}

func yealinkCodecs(f *iniFile, chosen []Codec) {
	for _, c := range Codecs() {
		priority := 0
		for i, had := range chosen {
			if had == c {
				priority = i + 1
			}
		}
		key := "account.1.codec." + string(c) + "."
		f.set(key+"enable", flag(priority > 0))
		f.number(key+"priority", priority)
	}
}

func yealinkTime(f *iniFile, p *Phone) {
	if p.Time != "" {
		f.set("local_time.ntp_server1", p.Time)
	}
	f.set("local_time.time_zone", clockOffset(p.Zone.Offset))
	f.set("local_time.summer_time", flag(p.Zone.Save != 0)) // 2 would be the phone's own table
	if p.Zone.Save == 0 {
		return
	}
	f.set("local_time.dst_time_type", "1") // by week
	turn := func(t Turn) string { return fmt.Sprintf("%d/%d/%d/%d", t.Month, t.Week, t.monday(), t.Hour) }
	f.set("local_time.start_time", turn(p.Zone.Start))
	f.set("local_time.end_time", turn(p.Zone.End))
	f.number("local_time.offset_time", int(p.Zone.Save/time.Minute))
}

// clockOffset is +1, -5 or +5:30.
func clockOffset(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	if m := int(d/time.Minute) % 60; m != 0 {
		return fmt.Sprintf("%s%d:%02d", sign, int(d/time.Hour), m)
	}
	return fmt.Sprintf("%s%d", sign, int(d/time.Hour))
}

// yealinkKey writes a line key by the guide's table of types: 0 none, 13 speed dial, 15 line, 16 BLF.
func yealinkKey(f *iniFile, key string, k Key) {
	types := map[KeyType]int{KeyNone: 0, KeySpeedDial: 13, KeyLine: 15, KeyLamp: 16}
	f.number(key+"type", types[k.Type])
	if k.Type == KeyNone {
		return
	}
	f.set(key+"line", "1")
	f.set(key+"value", k.Value)
	f.set(key+"label", literal(k.label()))
}
