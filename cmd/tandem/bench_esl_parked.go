package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// eslParkedCommand is the media node of the measurement of memory, a process of its own: calls come in, are answered or
// rung as ordered, and then nothing more happens to them. Its events are recorded ones with other uuids and our headers.
// With Whole the calls go on to their end: a digit is keyed, the first phone answers, and the caller hangs up.
type eslParkedCommand struct {
	Captures string `required:"" type:"path"`
	Calls    int    `required:""`
	Whole    bool
}

// parkedAtOnce is how many calls are on their way to where they stay: fewer than a shard's outbox has room for.
const parkedAtOnce = 100

// Run serves until standard input ends.
func (c *eslParkedCommand) Run(context.Context) error {
	script, err := newParkedScript(c.Captures)
	if err != nil {
		return err
	}
	return serveEsl(func(conn *eslServed) error {
		p := &parkedNode{eslServed: conn, script: script, calls: c.Calls, whole: c.Whole}
		return conn.serve(p.answer)
	})
}

// parkedScript holds one recorded event for each thing that happens.
type parkedScript map[string][]byte

// newParkedScript takes the first recorded event of each name: of a caller's leg by the name alone, of a dialled leg with
// "dialled " before it.
func newParkedScript(folder string) (parkedScript, error) {
	sessions, err := eslCaptures(folder)
	if err != nil {
		return nil, err
	}
	script := parkedScript{}
	for _, frames := range sessions {
		for _, f := range frames {
			name := f.name
			if event := f.wire[f.body:]; eslHeader(event, "Call-Direction") == "outbound" {
				name = "dialled " + name
			}
			if script[name] == nil {
				script[name] = f.wire[f.body:]
			}
		}
	}
	for _, name := range []string{"CHANNEL_CREATE", "CHANNEL_PARK", "CHANNEL_ANSWER", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_BRIDGE", "CHANNEL_HANGUP_COMPLETE",
		"dialled CHANNEL_CREATE", "dialled CHANNEL_PROGRESS", "dialled CHANNEL_ANSWER", "dialled CHANNEL_HANGUP_COMPLETE"} {
		if script[name] == nil {
			return nil, errors.New("the recorded sessions lack " + name)
		}
	}
	return script, nil
}

// parkedNode drives one client's calls.
type parkedNode struct {
	*eslServed
	script   parkedScript
	calls    int // to be made
	made     int
	sequence int
	whole    bool
}

// answer answers a command and does what follows from it.
func (p *parkedNode) answer(command []string) error {
	words := strings.Fields(command[0])
	switch {
	case words[0] == "event":
		p.reply("+OK event listener enabled plain")
		for range parkedAtOnce {
			p.call()
		}
	case words[0] == "sendmsg":
		p.reply("+OK")
		p.execute(words[1], eslField(command, "execute-app-name"), eslField(command, "event-uuid"), eslField(command, "execute-app-arg"))
	case words[0] == "api" && words[1] == "show":
		p.response(`{"row_count":0}`)
	case words[0] == "api" && words[1] == "uuid_kill":
		return errors.New("a call was hung up")
	default:
		p.response("+OK")
	}
	return nil
}

// call makes the next call, if there is one more to make: in a menu or ringing, by turns.
func (p *parkedNode) call() {
	if p.made == p.calls {
		return
	}
	const spread = 0x9e3779b1 // odd, so that all calls differ in the digits that choose a shard
	leg := fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(p.made+1)*spread, p.made)
	flow := parkedMenu
	if p.made%2 == 1 {
		flow = parkedRing
	}
	p.made++
	headers := []string{
		"variable_sip_h_X-Tandem-Call: " + fmt.Sprintf("%08x-0000-8000-8000-%012x", p.made, p.made),
		"variable_sip_h_X-Tandem-Tenant: " + parkedTenant, "variable_sip_h_X-Tandem-Version: 3", "variable_sip_h_X-Tandem-Flow: " + flow,
		"variable_sip_h_X-Tandem-Dialled: %2B12025550100", "variable_sip_h_X-Tandem-Number: %2B12025550178", "variable_sip_h_X-Tandem-Trunk: carrier",
	}
	p.event("CHANNEL_CREATE", leg, nil, headers...)
	p.event("CHANNEL_PARK", leg, nil, headers...)
}

// parkedLegs finds the uuids of the legs that a dial string asks for.
var parkedLegs = regexp.MustCompile(`origination_uuid=([0-9a-f-]{36})`)

// execute does what an application would. A call that has come to rest makes place for the next.
func (p *parkedNode) execute(leg, application, id, argument string) {
	switch {
	case application == "play_and_get_digits" && p.whole:
		_, n, _ := strings.Cut(id, "/")
		p.event("CHANNEL_EXECUTE_COMPLETE", leg, map[string]string{"Application": application, "Application-UUID": id}, "variable_tandem_digits_"+n+": 1")
	case application == "play_and_get_digits":
		p.call()
	case application == "bridge" && p.whole:
		p.talk(leg, argument)
		p.call()
	case application == "bridge":
		for _, found := range parkedLegs.FindAllStringSubmatch(argument, -1) {
			p.event("dialled CHANNEL_CREATE", found[1], map[string]string{"Other-Leg-Unique-ID": leg})
			p.event("dialled CHANNEL_PROGRESS", found[1], map[string]string{"Other-Leg-Unique-ID": leg})
		}
		p.call()
	default:
		if application == "answer" {
			p.event("CHANNEL_ANSWER", leg, nil)
		}
		p.event("CHANNEL_EXECUTE_COMPLETE", leg, map[string]string{"Application": application, "Application-UUID": id})
	}
}

// talk rings all, lets the first answer, and ends the call after a while that takes no time.
func (p *parkedNode) talk(caller, dialString string) {
	of := map[string]string{"Other-Leg-Unique-ID": caller}
	legs := parkedLegs.FindAllStringSubmatch(dialString, -1)
	for _, leg := range legs {
		p.event("dialled CHANNEL_CREATE", leg[1], of)
		p.event("dialled CHANNEL_PROGRESS", leg[1], of)
	}
	for i, leg := range legs {
		if i == 0 {
			p.event("dialled CHANNEL_ANSWER", leg[1], of)
			continue
		}
		p.event("dialled CHANNEL_HANGUP_COMPLETE", leg[1], map[string]string{"Other-Leg-Unique-ID": caller, "Hangup-Cause": "LOSE_RACE"})
	}
	if len(legs) > 0 {
		p.event("CHANNEL_ANSWER", caller, nil)
		p.event("CHANNEL_BRIDGE", caller, map[string]string{"Bridge-B-Unique-ID": legs[0][1], "Answer-State": "answered"})
		p.event("dialled CHANNEL_HANGUP_COMPLETE", legs[0][1], of)
	}
	p.event("CHANNEL_HANGUP_COMPLETE", caller, nil)
}

// event writes a recorded event as one of another channel, with other values and with further headers.
func (p *parkedNode) event(name, leg string, values map[string]string, more ...string) {
	recorded := p.script[name]
	p.sequence++
	own := eslHeader(recorded, "Unique-ID")
	var out bytes.Buffer
	for line := range strings.SplitSeq(strings.TrimRight(string(recorded), "\n"), "\n") {
		header, _, _ := strings.Cut(line, ": ")
		if header == "Event-Sequence" {
			line = header + ": " + strconv.Itoa(p.sequence)
		}
		if value, ok := values[header]; ok {
			line = header + ": " + value
		}
		out.WriteString(strings.ReplaceAll(line, own, leg) + "\n")
	}
	for _, line := range more {
		out.WriteString(line + "\n")
	}
	out.WriteString("\n")
	_, _ = fmt.Fprintf(p.w, "Content-Length: %d\nContent-Type: text/event-plain\n\n%s", out.Len(), out.Bytes())
}
