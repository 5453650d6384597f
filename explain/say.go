package explain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/routing"
	"tandem/tenants"
)

// said is what a call does, in the two forms of "now rings Sales phone instead of playing closed".
type said struct{ now, instead string }

// maxSaid is how many of several things are named.
const maxSaid = 3

// told says what a call would do instead of what it did. When both have the same words, it says in what they differ.
func told(was, would said, fields ...string) string {
	if was != would {
		return "now " + would.now + " instead of " + was.instead
	}
	if len(fields) == 0 {
		return "now " + would.now + ", not as before"
	}
	return "now " + would.now + ", with another " + strings.Join(fields, ", another ")
}

// sayDecision says where routing sends a call.
func sayDecision(s *tenants.Snapshot, d routing.Decision) said {
	if d.Verdict != messages.Route {
		rest := strconv.Itoa(d.Code) + " " + d.Phrase
		return said{"is refused with " + rest, "being refused with " + rest}
	}
	flow := d.FlowID
	if t := s.Tenant(d.Tenant); t != nil && t.Flow(flow) != nil {
		flow = t.Flow(flow).Name
	}
	switch d.FlowID {
	case callflows.OutboundFlow:
		return said{"goes out to " + d.Dialled, "going out to " + d.Dialled}
	case callflows.ReplaceFlow:
		return said{"takes the place of a phone in another call", "taking the place of a phone in another call"}
	case callflows.AcrossFlow:
		return said{"comes from another media node to meet a call", "coming from another media node to meet a call"}
	case callflows.EmergencyFlow:
		return said{"goes to the emergency services", "going to the emergency services"}
	}
	return said{"goes to the flow " + flow, "going to the flow " + flow}
}

// toldCommands says what a call would be ordered to do instead of what it was, each under its configuration.
func toldCommands(then callflows.Config, was []callflows.Command, under callflows.Config, would []callflows.Command) string {
	return told(sayCommands(then, was, would), sayCommands(under, would, was), otherFields(was, would)...)
}

// sayCommands says what commands do; those that other has too are left out.
func sayCommands(config callflows.Config, commands, other []callflows.Command) said {
	var all []said
	for _, c := range apart(commands, other) {
		all = append(all, sayCommand(config, c))
	}
	if len(all) == 0 {
		return said{"does nothing at this moment", "doing nothing at this moment"}
	}
	out := all[0]
	for _, more := range all[1:] {
		out.now, out.instead = out.now+" and "+more.now, out.instead+" and "+more.instead
	}
	return out
}

// apart gives the commands that another list does not have.
func apart(commands, other []callflows.Command) []callflows.Command {
	return slices.DeleteFunc(slices.Clone(commands), func(c callflows.Command) bool {
		return slices.ContainsFunc(other, func(o callflows.Command) bool { return reflect.DeepEqual(c, o) })
	})
}

// sayCommand says what one command does.
func sayCommand(config callflows.Config, c callflows.Command) said {
	both := func(now, instead, rest string) said { return said{now + rest, instead + rest} }
	switch c.Kind {
	case callflows.Answer:
		return both("answers", "answering", "")
	case callflows.SignalRinging:
		return both("lets the caller hear ringing", "letting the caller hear ringing", "")
	case callflows.Play:
		return both("plays ", "playing ", c.Prompt)
	case callflows.CollectDigits:
		return both("asks for digits", "asking for digits", " with the prompt "+c.Prompt)
	case callflows.FindContacts:
		return both("rings ", "ringing ", names(config, c.Devices, nil))
	case callflows.CountCalls:
		return both("calls out", "calling out", " by "+names(config, nil, c.Trunks))
	case callflows.Ring:
		return both("rings ", "ringing ", targets(config, c))
	case callflows.Summon:
		return both("rings first ", "ringing first ", targets(config, c))
	case callflows.HangUp:
		return both("hangs up", "hanging up", " with "+c.Cause)
	case callflows.Join:
		return both("joins another call", "joining another call", "")
	case callflows.Eavesdrop:
		return both("hears another call", "hearing another call", "")
	case callflows.FindCall:
		return both("looks for ", "looking for ", wanted(config, c.Wanted))
	case callflows.StopPlaying:
		return both("ends the prompt", "ending the prompt", "")
	case callflows.SetTimer:
		return both("waits ", "waiting ", duration(c.Wait))
	case callflows.Fetch:
		return both("asks ", "asking ", c.Fetch.Method+" "+c.Fetch.URL)
	case callflows.Announce:
		return both("begins an announcement", "beginning an announcement", "")
	case callflows.Invite:
		return both("lets ", "letting ", targets(config, c)+" listen")
	case callflows.SaveSetting:
		return both("sets ", "setting ", settingWords(c.Setting))
	case callflows.WriteCDR:
		return both("records a leg", "recording a leg", "")
	case callflows.Record:
		return both("records what the caller says", "recording what the caller says", " for up to "+duration(c.Wait))
	case callflows.StartRecording:
		return both("records the call", "recording the call", " from then on")
	case callflows.StopRecording:
		return both("stops recording the call", "stopping the recording of the call", "")
	case callflows.FileRecording:
		if c.Recording != nil && c.Recording.Discard {
			return both("keeps no message", "keeping no message", "")
		}
		return both("keeps the recording", "keeping the recording", "")
	case callflows.FindMessages, callflows.MarkMessage, callflows.CheckPIN:
		return both("opens the box ", "opening the box ", c.Box)
	case callflows.Speak:
		return both("says ", "saying ", c.Text)
	}
	return both("does ", "doing ", string(c.Kind))
}

// wanted says which call is looked for.
func wanted(config callflows.Config, w *callflows.Wanted) string {
	if w == nil {
		return "another call"
	}
	slot := w.Slot
	if slot == "" {
		slot = strconv.Itoa(w.First) + " to " + strconv.Itoa(w.Last)
	}
	switch w.What {
	case callflows.FreeSlot:
		return "a free slot, " + slot
	case callflows.ParkedIn:
		return "the call that is parked in " + slot
	case callflows.RingingAt:
		return "a call that rings at " + names(config, w.Devices, nil)
	case callflows.TalkingAt, callflows.OverheardAt:
		return "a talk at " + names(config, w.Devices, nil)
	case callflows.KnownAs, callflows.LegItself, callflows.LegWaiting:
	}
	return "another call"
}

// settingWords says what a setting is to be.
func settingWords(set *callflows.UserSetting) string {
	to := "off"
	if set.On {
		to = cmp.Or(set.Value, "on")
	}
	return string(set.Name) + set.Key + " of " + cmp.Or(set.User, set.Device) + " to " + to
}

// targets says whom a Ring dials, how and for how long.
func targets(config callflows.Config, c callflows.Command) string {
	var devices, trunks []string
	for _, t := range c.Targets {
		if t.Trunk != "" {
			trunks = append(trunks, t.Trunk)
		} else if !slices.Contains(devices, t.Device) { // which may be registered at several places
			devices = append(devices, t.Device)
		}
	}
	out := names(config, devices, trunks)
	if len(trunks) > 0 {
		out = c.Targets[0].URI + " by " + out
	}
	if c.InOrder {
		out += ", one after the other"
	}
	return out + " for up to " + duration(c.Wait)
}

// names gives devices and trunks by their names.
func names(config callflows.Config, devices, trunks []string) string {
	var all []string
	for _, id := range devices {
		if config.Tenant != nil && config.Tenant.Device(id) != nil {
			id = config.Tenant.Device(id).Name
		}
		all = append(all, id)
	}
	for _, id := range trunks {
		if t := config.Ways.Trunk(id); t != nil {
			id = t.Name
		}
		all = append(all, id)
	}
	if more := len(all) - maxSaid; more > 0 {
		return strings.Join(all[:maxSaid], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(all, ", ")
}

func duration(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s" }

// otherFields names what differs between two lists of commands that do the same things.
func otherFields(was, would []callflows.Command) []string {
	var fields []string
	wasApart, wouldApart := apart(was, would), apart(would, was)
	for i := range min(len(wasApart), len(wouldApart)) {
		a, b := wasApart[i], wouldApart[i]
		if a.CDR != nil && b.CDR != nil {
			fields = append(fields, otherMembers(a.CDR, b.CDR)...)
		} else {
			fields = append(fields, otherMembers(a, b)...)
		}
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// otherMembers names in which members of their JSON two values differ.
func otherMembers(was, would any) []string {
	a, b := members(was), members(would)
	var fields []string
	for name := range b {
		if string(a[name]) != string(b[name]) {
			fields = append(fields, fieldWords(name))
		}
	}
	for name := range a {
		if _, there := b[name]; !there {
			fields = append(fields, fieldWords(name))
		}
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// members are the parts of a value as JSON has them.
func members(v any) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	text, err := json.Marshal(v)
	if err != nil || json.Unmarshal(text, &m) != nil || m == nil {
		return map[string]json.RawMessage{}
	}
	return m
}

// fieldWords says a member of a command in words, where its name does not.
func fieldWords(member string) string {
	switch member {
	case "digits":
		return "rule for the digits"
	case "targets":
		return "place to dial"
	case "ringback":
		return "ringing tone"
	case "caller_id":
		return "caller ID"
	case "early_ok":
		return "rule for early media"
	case "hunting":
		return "number of attempts"
	case "progress_ns":
		return "wait for a sign of life"
	case "between":
		return "way to another tenant"
	case "diverted_by", "diversions":
		return "diversion"
	case "fetch":
		return "request"
	case "music":
		return "music on hold"
	case "n":
		return "number of the command"
	}
	return strings.ReplaceAll(member, "_", " ")
}
