package phones

import (
	"strconv"
	"strings"
	"time"
)

// fanvil writes a phone's settings as XML. Source: Fanvil, "Auto Provision" and the XML configuration that the phones export (sysConf
// with sip/line, mm/capability, date and dsskey/internal/Fkey).
func fanvil(p *Phone) string {
	x := newXML()
	x.comment(p.Note)
	x.open("sysConf")
	x.leaf("Version", "2.0000000000")
	fanvilLine(x, p)
	fanvilTime(x, p)
	x.open("dsskey")
	x.open("internal", attr{"index", "1"})
	for i, k := range p.keys() {
		kind, value := fanvilKey(k)
		x.open("Fkey", attr{"index", strconv.Itoa(i + 1)})
		x.leaf("Type", kind)
		x.leaf("Value", value)
		x.leaf("Title", k.label())
		x.end()
	}
	return x.String()
}

func fanvilLine(x *xmlFile, p *Phone) {
	port := strconv.Itoa(p.Server.port())
	transport := map[Transport]string{UDP: "0", TCP: "1", TLS: "3"}[p.Server.transport()]
	x.open("sip")
	x.leaf("NotifyReboot", "1") // what makes it heed check-sync
	x.open("line", attr{"index", "1"})
	x.leaf("PhoneNumber", p.Username)
	x.leaf("DisplayName", p.name())
	x.leaf("SipName", p.lineLabel())
	x.leaf("RegisterAddr", p.Domain)
	x.leaf("RegisterPort", port)
	x.leaf("RegisterUser", p.Username)
	x.leaf("RegisterPswd", p.Password)
	x.leaf("RegisterTTL", strconv.Itoa(p.expires()))
	x.leaf("EnableReg", "1")
	x.leaf("ProxyAddr", p.Server.Host)
	x.leaf("ProxyPort", port)
	x.leaf("Transport", transport)
	x.leaf("NATUDPUpdate", "2") // an empty datagram: keeps a NAT's mapping open
	x.leaf("UDPUpdateTTL", "30")
	x.leaf("VoiceCodecMap", fanvilCodecs(p.codecs()))
	x.end()
	x.end()
}

func fanvilCodecs(chosen []Codec) string {
	var names []string
	for _, c := range chosen {
		names = append(names, strings.ToUpper(string(c)))
	}
	return strings.Join(names, ",")
}

// fanvilTime counts the offset in quarters of an hour.
func fanvilTime(x *xmlFile, p *Phone) {
	x.open("date")
	x.leaf("EnableSNTP", "1")
	if p.Time != "" {
		x.leaf("SNTPServer", p.Time)
	}
	x.leaf("TimeZone", strconv.Itoa(int(p.Zone.Offset/(15*time.Minute))))
	x.leaf("TimeZoneName", "UTC"+clockOffset(p.Zone.Offset))
	x.leaf("Enable_DST", flag(p.Zone.Save != 0))
	if p.Zone.Save != 0 {
		x.leaf("DSTType", "2") // by the rule that follows, and not by the phone's own table
		x.leaf("DSTRuleMode", "0")
		x.leaf("DSTMinOffset", strconv.Itoa(int(p.Zone.Save/time.Minute)))
		for _, t := range []struct {
			name string
			turn Turn
		}{{"DSTStart", p.Zone.Start}, {"DSTEnd", p.Zone.End}} {
			x.leaf(t.name+"Mon", strconv.Itoa(int(t.turn.Month)))
			x.leaf(t.name+"Week", strconv.Itoa(t.turn.Week))
			x.leaf(t.name+"Wday", strconv.Itoa(int(t.turn.Weekday)))
			x.leaf(t.name+"Hour", strconv.Itoa(t.turn.Hour))
		}
	}
	x.end()
}

// fanvilKey gives a key's type (0 none, 1 memory, 2 line) and value: a memory key names number, line and what it does (f: speed dial;
// bc: lamp, and a new call).
func fanvilKey(k Key) (kind, value string) {
	switch k.Type {
	case KeyLine:
		return "2", "SIP1"
	case KeyLamp:
		return "1", k.Value + "@1/bc"
	case KeySpeedDial:
		return "1", k.Value + "@1/f"
	case KeyNone:
	}
	return "0", ""
}
