package phones

import (
	"strconv"
	"time"
)

// The files of Poly's phones. Source: Poly, "UC Software Administrator Guide" 5.9 and 6.x and "PVOS Parameter Reference": the master
// configuration file, reg.x, voice.codecPref, tcpIpApp.sntp, lineKey.x, attendant.resourceList.x, voIpProt.SIP.specialEvent, and the
// contact directory whose field sd is the place among the speed dials.

// polyMaster names the other file. Software updates are left to whoever runs the phones.
func polyMaster(p *Phone) string {
	x := newXML()
	x.comment(p.Note)
	x.empty("APPLICATION", attr{"APP_FILE_PATH", ""}, attr{"CONFIG_FILES", string(p.MAC) + "-tandem.cfg"}, attr{"MISC_FILES", ""},
		attr{"LOG_FILE_DIRECTORY", ""}, attr{"OVERRIDES_DIRECTORY", ""}, attr{"CONTACTS_DIRECTORY", ""})
	return x.String()
}

func poly(p *Phone) string {
	x := newXML()
	x.comment(p.Note)
	x.open("PHONE_CONFIG")
	x.empty("ALL", polySettings(p)...)
	return x.String()
}

func polySettings(p *Phone) []attr {
	transport := map[Transport]string{UDP: "UDPOnly", TCP: "TCPOnly", TLS: "TLS"}[p.Server.transport()]
	port := strconv.Itoa(p.Server.port())
	all := []attr{
		{"reg.1.address", p.Username + "@" + p.Domain},
		{"reg.1.auth.userId", p.Username},
		{"reg.1.auth.password", p.Password},
		{"reg.1.displayName", p.name()},
		{"reg.1.label", p.lineLabel()},
		{"reg.1.lineKeys", "1"},
		{"reg.1.server.1.address", p.Domain},
		{"reg.1.server.1.port", port},
		{"reg.1.server.1.transport", transport},
		{"reg.1.server.1.expires", strconv.Itoa(p.expires())},
		{"nat.keepalive.interval", "30"},
		{"voIpProt.SIP.specialEvent.checkSync.alwaysReboot", "0"},
	}
	if p.Server.Host != "" {
		all = append(all, attr{"reg.1.outboundProxy.address", p.Server.Host}, attr{"reg.1.outboundProxy.port", port},
			attr{"reg.1.outboundProxy.transport", transport})
	}
	all = append(all, polyCodecs(p.codecs())...)
	all = append(all, polyTime(p)...)
	return append(all, polyKeys(p)...)
}

// polyCodecs gives each codec its place, and 0 to those that are not to be used.
func polyCodecs(chosen []Codec) (all []attr) {
	names := map[Codec]string{Opus: "Opus", G722: "G722", PCMA: "G711_A", PCMU: "G711_Mu", G729: "G729_AB"}
	for _, c := range Codecs() {
		place := 0
		for i, had := range chosen {
			if had == c {
				place = i + 1
			}
		}
		all = append(all, attr{"voice.codecPref." + names[c], strconv.Itoa(place)})
	}
	return all
}

func polyTime(p *Phone) (all []attr) {
	if p.Time != "" {
		all = append(all, attr{"tcpIpApp.sntp.address", p.Time}, attr{"tcpIpApp.sntp.address.overrideDHCP", "1"})
	}
	const sntp = "tcpIpApp.sntp."
	all = append(all, attr{sntp + "gmtOffset", strconv.Itoa(int(p.Zone.Offset / time.Second))}, attr{sntp + "gmtOffset.overrideDHCP", "1"},
		attr{sntp + "daylightSavings.enable", flag(p.Zone.Save != 0)})
	if p.Zone.Save == 0 {
		return all
	}
	all = append(all, attr{sntp + "daylightSavings.fixedDayEnable", "0"})
	for _, t := range []struct {
		name string
		turn Turn
	}{{"start", p.Zone.Start}, {"stop", p.Zone.End}} {
		key := sntp + "daylightSavings." + t.name + "."
		first := 1 // the first day of the month on which it may be
		if t.turn.Week < Last {
			first = (t.turn.Week-1)*7 + 1
		}
		all = append(all, attr{key + "month", strconv.Itoa(int(t.turn.Month))}, attr{key + "date", strconv.Itoa(first)},
			attr{key + "dayOfWeek", strconv.Itoa(t.turn.sunday())}, attr{key + "dayOfWeek.lastInMonth", flag(t.turn.Week == Last)},
			attr{key + "time", strconv.Itoa(t.turn.Hour)})
	}
	return all
}

// polyKeys puts the keys in our order (flexible line keys): lamps are resources, speed dials entries of the directory.
func polyKeys(p *Phone) []attr {
	all := []attr{{"lineKey.reassignment.enabled", "1"}}
	lamps, dials := 0, 0
	for i, k := range p.keys() {
		key := "lineKey." + strconv.Itoa(i+1) + "."
		switch k.Type {
		case KeyLine:
			all = append(all, attr{key + "category", "Line"}, attr{key + "index", "1"})
		case KeyLamp:
			lamps++
			resource := "attendant.resourceList." + strconv.Itoa(lamps) + "."
			all = append(all, attr{key + "category", "BLF"}, attr{key + "index", strconv.Itoa(lamps)},
				attr{resource + "address", k.Value + "@" + p.Domain}, attr{resource + "label", k.label()}, attr{resource + "type", "normal"})
		case KeySpeedDial:
			dials++
			all = append(all, attr{key + "category", "SpeedDial"}, attr{key + "index", strconv.Itoa(dials)})
		case KeyNone:
			all = append(all, attr{key + "category", "Unassigned"})
		}
	}
	return all
}

// polyDirectory is the directory that a phone has at first: its speed dials.
func polyDirectory(p *Phone) string {
	x := newXML()
	x.open("directory")
	x.open("item_list")
	dials := 0
	for _, k := range p.keys() {
		if k.Type == KeySpeedDial {
			dials++
			x.open("item")
			x.leaf("lb", k.label())
			x.leaf("ct", k.Value)
			x.leaf("sd", strconv.Itoa(dials))
			x.end()
		}
	}
	return x.String()
}
