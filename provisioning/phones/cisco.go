package phones

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// cisco writes the profile of a multiplatform phone. Source: Cisco, "IP Phone 7800 and 8800 Series Multiplatform Phones Administration
// Guide" and "Provisioning Guide": the flat profile, Ext 1, regional settings, and Phone > Line Key n with its extended function.
func cisco(p *Phone) string {
	x := newXML()
	x.comment(p.Note)
	x.open("flat-profile")
	set := func(name, value string) { x.leaf(name, value) }
	set("Station_Name", p.name())
	set("Station_Display_Name", p.name())
	set("Line_Enable_1_", "Yes")
	set("Display_Name_1_", p.name())
	set("User_ID_1_", p.Username)
	set("Auth_ID_1_", p.Username)
	set("Password_1_", p.Password)
	set("Proxy_1_", p.Domain)
	set("Use_Outbound_Proxy_1_", yes(p.Server.Host != ""))
	if p.Server.Host != "" {
		set("Outbound_Proxy_1_", p.Server.Host+":"+strconv.Itoa(p.Server.port()))
		set("Use_OB_Proxy_In_Dialog_1_", "Yes")
	}
	set("SIP_Transport_1_", strings.ToUpper(string(p.Server.transport())))
	set("Register_1_", "Yes")
	set("Register_Expires_1_", strconv.Itoa(p.expires()))
	set("NAT_Keep_Alive_Enable_1_", "Yes")
	set("Resync_From_SIP", "Yes")
	set("Auth_Resync-Reboot_1_", "No") // the edge cannot answer a challenge; a resync carries no orders but to fetch this file
	ciscoCodecs(set, p.codecs())
	if p.Time != "" {
		set("Primary_NTP_Server", p.Time)
	}
	set("Time_Zone", ciscoZone(p.Zone.Offset))
	set("Daylight_Saving_Time_Enable", yes(p.Zone.Save != 0))
	if p.Zone.Save != 0 {
		set("Daylight_Saving_Time_Rule", ciscoSummer(p.Zone))
	}
	for i, k := range p.keys() {
		ciscoKey(set, "_"+strconv.Itoa(i+1)+"_", k, p)
	}
	return x.String()
}

func yes(b bool) string {
	if b {
		return "Yes"
	}
	return "No"
}

// ciscoCodecs names three that are preferred; the others are on or off.
func ciscoCodecs(set func(name, value string), chosen []Codec) {
	names := map[Codec]string{Opus: "OPUS", G722: "G722", PCMA: "G711a", PCMU: "G711u", G729: "G729a"}
	for i, place := range []string{"Preferred_Codec_1_", "Second_Preferred_Codec_1_", "Third_Preferred_Codec_1_"} {
		if i < len(chosen) {
			set(place, names[chosen[i]])
		} else {
			set(place, "Unspecified")
		}
	}
	for _, c := range Codecs() {
		on := false
		for _, had := range chosen {
			on = on || had == c
		}
		set(names[c]+"_Enable_1_", yes(on))
	}
}

func ciscoZone(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	return fmt.Sprintf("GMT%s%02d:%02d", sign, int(d/time.Hour), int(d/time.Minute)%60)
}

// ciscoSummer is start=month/day/weekday/time: the weekday (7: Sunday) on or after a day of the month, or the last one (-1).
func ciscoSummer(z Zone) string {
	turn := func(t Turn) string {
		day := (t.Week-1)*7 + 1
		if t.Week == Last {
			day = -1
		}
		return fmt.Sprintf("%d/%d/%d/%d:%d:0", t.Month, day, t.monday(), t.Hour, t.Minute)
	}
	save := fmt.Sprintf("%d:%d:0", int(z.Save/time.Hour), int(z.Save/time.Minute)%60)
	return "start=" + turn(z.Start) + ";end=" + turn(z.End) + ";save=" + save
}

// ciscoKey makes a key a line (Extension 1), or switches the line off and gives the key a function of its own. Its function is a list of
// name=value divided by semicolons, so that its label stands in the key's short name instead.
func ciscoKey(set func(name, value string), place string, k Key, p *Phone) {
	if k.Type == KeyLine {
		set("Extension"+place, "1")
		set("Short_Name"+place, k.label())
		set("Extended_Function"+place, "")
		return
	}
	set("Extension"+place, "Disabled")
	function := ""
	switch k.Type {
	case KeyLamp:
		function = "fnc=blf+sd;sub=" + k.Value + "@" + p.Domain + ";ext=" + k.Value + "@" + p.Domain
	case KeySpeedDial:
		function = "fnc=sd;ext=" + k.Value + "@" + p.Domain
	case KeyNone, KeyLine:
	}
	set("Short_Name"+place, k.label())
	set("Extended_Function"+place, function)
}
