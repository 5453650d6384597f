package nodes

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"tandem/callflows"
	"tandem/esl"
	"tandem/routing"
)

// digitsVariable names the channel variable in which the node leaves the digits of one command. Each command has its own,
// so that what an earlier menu collected is never taken for an answer to a later one.
func digitsVariable(command int) string { return "tandem_digits_" + strconv.Itoa(command) }

// secretVariable is that of digits that must be in no journal.
func secretVariable(command int) string { return "tandem_secret_" + strconv.Itoa(command) }

// subscription lists the events that driving calls needs: each costs the node's only event thread some 5 kB.
func subscription() []string {
	return []string{"CHANNEL_CREATE", "CHANNEL_PARK", "CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_ANSWER", "CHANNEL_BRIDGE",
		"CHANNEL_UNBRIDGE", "CHANNEL_HOLD", "CHANNEL_UNHOLD", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP_COMPLETE", "HEARTBEAT", "SHUTDOWN"}
}

// headers are what an event and a dump of a channel have in common.
type headers interface {
	Get(name string) string
	Variable(name string) string
}

// factsVariable is where a leg that is not its call's caller's, and that the flow drives, carries the facts of the call: those
// that the caller's leg has in its own headers.
const factsVariable = "tandem_call"

// encodeFacts writes a call's facts for a channel.
func encodeFacts(c callflows.Call) string { return base64.RawURLEncoding.EncodeToString(encode(c)) }

// callOf reads the call from an event or a dump of the leg that leads it. It is false for a channel that no edge sent with our
// headers, and that carries no call's facts: that one leads no call of Tandem's.
func callOf(e headers, node string) (callflows.Call, bool) {
	if e.Variable(goneVariable) != "" {
		return callflows.Call{}, false // another node has it
	}
	if e.Get("Call-Direction") != "inbound" {
		var c callflows.Call
		facts, err := base64.RawURLEncoding.DecodeString(e.Variable(factsVariable))
		ours := err == nil && json.Unmarshal(facts, &c) == nil && c.ID != "" && c.Node == node && shareDigits(c.Leg, e.Get("Unique-ID"))
		return c, ours && (c.Ordered == nil || e.Get("Answer-State") == "answered") // a phone that rings for an ordered call leads nothing yet
	}
	header := func(name string) string { return e.Variable("sip_h_" + name) }
	id := header(routing.HeaderCall)
	if id == "" {
		return callflows.Call{}, false
	}
	diversions, _ := strconv.Atoi(header(routing.HeaderDiversions))
	version, _ := strconv.ParseInt(header(routing.HeaderVersion), 10, 64) // 0 is "not known", and is said as such
	c := callflows.Call{
		ID: id, Tenant: header(routing.HeaderTenant), Version: version, Leg: e.Get("Unique-ID"), Node: node, FlowID: header(routing.HeaderFlow),
		Dialled: header(routing.HeaderDialled), Replaces: header(routing.HeaderReplaces), SIPCallID: e.Variable("sip_call_id"), StartedAt: microseconds(e.Get("Caller-Channel-Created-Time")),
		Diversions: diversions,
		Edge:       "sip:" + e.Variable("sip_network_ip") + ":" + e.Variable("sip_network_port"),
		Caller: callflows.Caller{Device: header(routing.HeaderDevice), Trunk: header(routing.HeaderTrunk), Number: header(routing.HeaderNumber),
			Name: e.Variable("sip_from_display"), Private: header(routing.HeaderPrivacy) == routing.PrivacyID},
	}
	return c, true
}

// translate turns a node's event into an event of the engine. It is false for what the engine need not know.
func translate(e *esl.Event) (callflows.Event, bool) {
	out := callflows.Event{At: e.Time(), Leg: e.UniqueID()}
	switch e.Name() {
	case "CHANNEL_CREATE":
		out.Kind, out.Target = callflows.LegCreated, e.Get("Caller-Destination-Number")
		return out, e.Get("Call-Direction") == "outbound"
	case "CHANNEL_PARK":
		if transferred, ok := transferOf(e); ok {
			transferred.At = out.At
			return transferred, true
		}
		out.Kind = callflows.Parked
		return out, e.Get("Call-Direction") == "inbound" || e.Variable(factsVariable) != ""
	case "CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA":
		out.Kind, out.Early = callflows.Rang, e.Name() == "CHANNEL_PROGRESS_MEDIA"
		return out, e.Get("Call-Direction") == "outbound"
	case "CHANNEL_ANSWER":
		out.Kind = callflows.Answered
	case "CHANNEL_BRIDGE":
		if other, foreign := otherCallsLeg(e); foreign {
			out.Kind, out.Other = callflows.Joined, &callflows.Party{Leg: other}
			break
		}
		out.Kind, out.Leg = callflows.Bridged, e.Get("Bridge-B-Unique-ID")
		out.Early = e.Get("Answer-State") == "early" // of the caller's leg, whose event this is
	case "CHANNEL_UNBRIDGE":
		if other, foreign := otherCallsLeg(e); foreign {
			out.Kind, out.Other = callflows.Parted, &callflows.Party{Leg: other}
			break
		}
		out.Kind = callflows.Unbridged
	case "CHANNEL_EXECUTE_COMPLETE":
		return executed(e, out)
	case "CHANNEL_HANGUP_COMPLETE":
		out.Kind, out.End = callflows.HungUp, legEnd(e)
	default:
		return out, false
	}
	return out, true
}

// executed translates the end of an application that we ordered. When the channel itself is hanging up, its
// CHANNEL_HANGUP_COMPLETE says all that matters: the application's own result would only blur who ended what.
func executed(e *esl.Event, out callflows.Event) (callflows.Event, bool) {
	_, n, ok := strings.Cut(e.Get("Application-UUID"), "/")
	command, err := strconv.Atoi(n)
	if !ok || err != nil || e.Get("Answer-State") == "hangup" && e.Get("Application") != "record" {
		return out, false
	}
	out.Command = command
	switch e.Get("Application") {
	case "playback":
		out.Kind, out.Missing = callflows.Played, strings.Contains(e.Get("Application-Response"), "NOT FOUND")
	case "play_and_get_digits":
		out.Kind = callflows.DigitsCollected
		out.Digits, out.Outcome = digits(e, digitsVariable(command))
		if secret, outcome := digits(e, secretVariable(command)); outcome != callflows.DigitsTimeout {
			out.Secret, out.Outcome = secret, outcome
		}
	case "record":
		out = recordingEnded(e, out)
	case "bridge":
		out.Kind, out.Cause = callflows.RingEnded, e.Variable(disposition)
		if out.Cause == "SUCCESS" { // bridged, perhaps with early media alone: how that ended is told elsewhere
			out.Cause = cmp.Or(e.Variable("last_bridge_hangup_cause"), out.Cause)
		}
		out.SIPCode = protocolCode(e.Variable("last_bridge_proto_specific_hangup_cause"))
		out.Moved = e.Variable(transferSource)
	default:
		out.Kind = callflows.Done
	}
	return out, true
}

// digits reads the result of play_and_get_digits. Wrong digits leave the variable unset and <variable>_invalid set; a
// timeout gives read_result=failure (mod_dptools, switch_play_and_get_digits).
func digits(e *esl.Event, variable string) (string, callflows.DigitsOutcome) {
	good, invalid := e.Variable(variable), e.Variable(variable+"_invalid")
	switch {
	case good != "":
		return good, callflows.DigitsGood
	case invalid != "":
		return invalid, callflows.DigitsInvalid
	}
	return "", callflows.DigitsTimeout
}

// legEnd is the node's last word on a channel.
func legEnd(e headers) *callflows.LegEnd {
	end := &callflows.LegEnd{
		Cause: e.Get("Hangup-Cause"), By: callflows.ByUs, CreatedAt: microseconds(e.Get("Caller-Channel-Created-Time")),
		SIPCallID: e.Variable("sip_call_id"), From: e.Get("Caller-Caller-ID-Number"), FromName: e.Get("Caller-Caller-ID-Name"),
		To: e.Get("Caller-Destination-Number"), Left: leftBehind(e),
	}
	if end.Cause == "" {
		end.Cause = "NORMAL_UNSPECIFIED"
	}
	end.Q850, _ = strconv.Atoi(e.Variable("hangup_cause_q850"))
	switch m := callflows.SIPMessage(e.Variable("sip_hangup_disposition")); m {
	case callflows.ReceivedBye, callflows.ReceivedRefusal, callflows.ReceivedCancel:
		end.By, end.Message = callflows.ByFarEnd, m
	case callflows.SentBye, callflows.SentRefusal, callflows.SentCancel:
		end.Message = m
	}
	if answered := microseconds(e.Get("Caller-Channel-Answered-Time")); !answered.IsZero() {
		end.AnsweredAt = &answered
		return end
	}
	end.SIPCode, _ = strconv.Atoi(e.Variable("sip_term_status"))
	if end.SIPCode == 0 && e.Get("Call-Direction") == "inbound" {
		end.SIPCode = callflows.SIPCodeOf(end.Cause)
	}
	return end
}

// protocolCode reads "sip:486".
func protocolCode(s string) int {
	code, _ := strconv.Atoi(strings.TrimPrefix(s, "sip:"))
	return code
}

// number reads a count; what is none is 0.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// microseconds reads a time as the node writes it; "0" and what is no number give the zero time.
func microseconds(s string) time.Time {
	us, err := strconv.ParseInt(s, 10, 64)
	if err != nil || us <= 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
