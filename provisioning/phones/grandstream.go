package phones

import (
	"fmt"
	"strconv"
	"time"
)

// grandstream writes cfgMAC.xml with parameters by name. Source: Grandstream, "SIP Device Provisioning Guide" (the file's form, with the
// address in it), and the configuration templates that Grandstream publishes for GXP21xx and GRP261x (names and values).
func grandstream(p *Phone) string {
	x := newXML()
	x.comment(p.Note)
	x.open("gs_provision", attr{"version", "1"})
	x.leaf("mac", string(p.MAC))
	x.open("config", attr{"version", "2"})
	set := func(name, value string) { x.leaf("item", value, attr{"name", name}) }
	const account = "account.1."
	set(account+"enable", "Yes")
	set(account+"name", p.lineLabel())
	set(account+"sip.subscriber.name", p.name())
	set(account+"sip.userid", p.Username)
	set(account+"sip.subscriber.userid", p.Username)
	set(account+"sip.subscriber.password", p.Password)
	set(account+"sip.server.1.address", p.Domain)
	if p.Server.Host != "" {
		set(account+"sip.outboundProxy.1.address", p.Server.Host+":"+strconv.Itoa(p.Server.port()))
	}
	set(account+"sip.transport", map[Transport]string{UDP: "0", TCP: "1", TLS: "2"}[p.Server.transport()])
	set(account+"sip.registration", "Yes")
	set(account+"sip.keepAlive.enable", "Yes")
	for i := range Codecs() { // all places are written, or the phone would keep what it had there
		names := map[Codec]string{Opus: "OPUS", G722: "G.722", PCMA: "PCMA", PCMU: "PCMU", G729: "G.729A/B"}
		chosen := p.codecs()
		set(account+"codec.choice."+strconv.Itoa(i+1), names[chosen[min(i, len(chosen)-1)]])
	}
	set("sip.notify.challenge", "No") // the edge cannot answer a challenge; a check-sync carries no orders but to fetch this file
	if p.Time != "" {
		set("dateTime.ntp.server.1", p.Time)
	}
	set("dateTime.timezone", "customize")
	set("dateTime.timezone.custom", posixZone(p.Zone))
	for i, k := range p.keys() {
		grandstreamKey(set, "pks.vpk."+strconv.Itoa(i+1)+".", k)
	}
	return x.String()
}

// posixZone writes a zone as POSIX does (IEEE Std 1003.1, 8.3 TZ): its offsets are what is added to the local time, so they
// have the other sign.
func posixZone(z Zone) string {
	s := "STD" + posixOffset(-z.Offset)
	if z.Save == 0 {
		return s
	}
	rule := func(t Turn) string {
		return fmt.Sprintf(",M%d.%d.%d/%02d:%02d:00", t.Month, t.Week, t.Weekday, t.Hour, t.Minute)
	}
	return s + "DST" + posixOffset(-z.Offset-z.Save) + rule(z.Start) + rule(z.End)
}

func posixOffset(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	if m := int(d/time.Minute) % 60; m != 0 {
		return fmt.Sprintf("%s%d:%02d", sign, int(d/time.Hour), m)
	}
	return fmt.Sprintf("%s%d", sign, int(d/time.Hour))
}

func grandstreamKey(set func(name, value string), key string, k Key) {
	modes := map[KeyType]string{KeyNone: "None", KeyLine: "Line", KeyLamp: "BLF", KeySpeedDial: "SpeedDial"}
	set(key+"keyMode", modes[k.Type])
	if k.Type == KeyNone {
		return
	}
	set(key+"account", "Account1")
	set(key+"description", k.label())
	set(key+"value", k.Value)
}
