package callflows

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem/messages"
	"tandem/tenants"
)

var update = flag.Bool("update", false, "write the outcomes of testdata/*.txt anew")

// TestScripts plays testdata/*.txt. A file is blocks: lines of input, ----, and the outcome that they have. Input is
//
//	flow                              the elements of the flow, one a line: key: type {settings} exit->key ...
//	                                  ID/key: ... is an element of another flow, ID, to jump to
//	                                  set USER {settings} is what a user has set; route DIALLED ID leads to a flow, DIALLED... what begins with it
//	call [to=112] [from=..] [name=..] [trunk=..] [flow=..] [ordered=DEVICE,...] [hears=CALL.LEG.MODE] [auto]     a new call
//	clock 2026-03-02T09:00:00Z        it is now
//	[+30s] ordered device ...         the call is ordered; phones are registered at these devices
//	[+30s] parked [LEG] | done N | played N [missing] | digits N good|timeout|invalid [keyed] | contacts N device ...
//	[+30s] created|rang|answered|bridged LEG | unbridged | ring_ended N CAUSE | refused N words
//	[+30s] end_ordered WHO [why] | record_ordered WHO | record_end_ordered WHO
//	[+30s] transfer_refused LEG ID WHY [there]
//	[+30s] transfer_ordered WHO LEG NUMBER | transferred LEG MOVE [to=NUMBER] [by=LEG] [device=..] | ring_ended N CAUSE moved=MOVE
//	[+30s] timer N | resumed
//	[+30s] saved N [away | why it was refused]
//	[+30s] recorded N MS key|silence|limit|hang_up|unavailable | messages N [away] [MESSAGE[*] ...] | pin N right|wrong ... | done N away
//	[+30s] hungup LEG CAUSE [by=far|us] [sip=486] [answered] [left=LEG]
//
//	[+30s] fetched N 200 {"name":"Anna"} | fetched N error words
//	[+30s] counted N [tenant=1] [TRUNK=3[/1]]      calls that are out, and begun within a second
//	[+30s] bridged LEG early | ring_ended N CAUSE [sip=503]
//	[+30s] taken LEG OTHER PURPOSE | released LEG OTHER | joined LEG OTHER | parted LEG OTHER     legs of another call
//	[+30s] move_ordered NODE [obstacle] | legs_moved N LEG ... | move_failed N CODE words | moved NODE [waiting] | rescue_ordered NODE | rescue_failed words
//	[+30s] overheard LEG OTHER MODE | found N [OTHER] [local] [answered] | found N slot=SLOT       what FindCall found; without OTHER, nothing
//
// N is the number of the command that is answered. A is the caller's leg, L1, L2 ... are the dialled ones in order, and
// any other name is a leg that the call does not know. Each event is a second after the last unless it says otherwise.
//
// Every script is played three times: as it is; with the call taken over by another worker after each event; and with
// each event but resumed told twice.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := string(body)
			if *update {
				want = play(t, want, script{})
				if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for name, mode := range map[string]script{"as it is": {}, "taken over at each step": {takeover: true}, "each event twice": {twice: true}} {
				t.Run(name, func(t *testing.T) {
					if got := play(t, want, mode); got != want {
						t.Errorf("the outcome is another; -update writes it anew\n%s", difference(want, got))
					}
				})
			}
		})
	}
}

// play gives a file with its outcomes written anew.
func play(t *testing.T, file string, s script) string {
	t.Helper()
	s.t = t
	var out []string
	for block := range strings.SplitSeq(strings.TrimSpace(file), "\n\n") {
		input, _, isBlock := strings.Cut(block+"\n", "----\n")
		if !isBlock {
			out = append(out, block)
			continue
		}
		outcome := s.run(strings.Split(strings.TrimSuffix(input, "\n"), "\n"))
		out = append(out, strings.TrimRight(input+"----\n"+outcome, "\n"))
	}
	return strings.Join(out, "\n\n") + "\n"
}

func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\nwas  %s\nis   %s", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines instead of %d", len(g), len(w))
}

// script is one file being played.
type script struct {
	t               *testing.T
	takeover, twice bool

	config  Config
	watcher *watcher
	call    Call
	state   State
	now     time.Time
}

func (s *script) run(lines []string) string {
	s.t.Helper()
	var out strings.Builder
	for i, line := range lines {
		if strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		switch words[0] {
		case "flow":
			return s.flow(lines[i+1:])
		case "call":
			s.begin(words[1:])
		case "clock":
			at, err := time.Parse(time.RFC3339, words[1])
			if err != nil {
				s.t.Fatalf("%s: %v", line, err)
			}
			s.now = at.Add(-time.Second)
		default:
			out.WriteString(s.event(line, words))
		}
	}
	return out.String()
}

// flow reads the flow and says what CheckFlow says. References are taken on trust, so that a call can find one missing.
func (s *script) flow(lines []string) string {
	flows := []tenants.Flow{{ID: "main", Name: "Main", Elements: map[string]tenants.Element{}}}
	var settings []tenants.UserSettings
	var routes []tenants.Route
	for _, line := range lines {
		if user, body, ok := strings.Cut(strings.TrimPrefix(line, "set "), " "); ok && strings.HasPrefix(line, "set ") {
			set := tenants.UserSettings{User: user}
			if err := json.Unmarshal([]byte(body), &set); err != nil {
				s.t.Fatalf("%s: %v", line, err)
			}
			settings = append(settings, set)
			continue
		}
		if words := strings.Fields(line); words[0] == "route" {
			dialled, prefix := strings.CutSuffix(words[1], "...")
			routes = append(routes, tenants.Route{Dialled: dialled, Prefix: prefix, FlowID: words[2]})
			continue
		}
		f := &flows[0]
		if id, rest, other := strings.Cut(line, "/"); other && !strings.ContainsAny(id, ": ") {
			i := slices.IndexFunc(flows, func(f tenants.Flow) bool { return f.ID == id })
			if i < 0 {
				i, flows = len(flows), append(flows, tenants.Flow{ID: id, Name: strings.ToUpper(id), Elements: map[string]tenants.Element{}})
			}
			f, line = &flows[i], rest
		}
		key, rest, _ := strings.Cut(line, ":")
		kind, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
		e := tenants.Element{Type: kind, Exits: map[string]string{}}
		if strings.HasPrefix(rest, "{") {
			d := json.NewDecoder(strings.NewReader(rest))
			if err := d.Decode(&e.Settings); err != nil {
				s.t.Fatalf("%s: %v", line, err)
			}
			rest = rest[d.InputOffset():]
		}
		for exit := range strings.FieldsSeq(rest) {
			name, next, _ := strings.Cut(exit, "->")
			e.Exits[name] = next
		}
		if f.Start == "" {
			f.Start = key
		}
		f.Elements[key] = e
	}
	var said strings.Builder
	faults := CheckFlow(flows[0], Around{Flows: flows})
	for _, f := range faults {
		if f.Warning {
			fmt.Fprintf(&said, "  warning %s: %s\n", f.Path, f.Code)
		} else {
			fmt.Fprintf(&said, "  error %s\n", f)
		}
	}
	if len(Errors(faults)) > 0 {
		return "refused\n" + said.String()
	}
	s.config = demoWith(s.t, settings, routes, flows...)
	s.begin(nil)
	return "good\n" + said.String()
}

func (s *script) begin(words []string) {
	s.call, s.state, s.now, s.watcher = call("main"), State{}, started.Add(-time.Second), newWatcher(s.config)
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "to":
			s.call.Dialled = value
		case "from":
			s.call.Caller.Number = value
		case "name":
			s.call.Caller.Name = strings.ReplaceAll(value, "_", " ")
		case "device":
			s.call.Caller.Device = value
		case "trunk":
			s.call.Caller = Caller{Trunk: value, Number: s.call.Caller.Number}
		case "private":
			s.call.Caller.Private = true
		case "diversions":
			s.call.Diversions, _ = strconv.Atoi(value)
		case "flow":
			s.call.FlowID = value
		case "hears":
			s.call.Ordered.Hears = value // after ordered=
		case "ordered":
			s.call.Ordered = &Ordered{By: "anna", Devices: strings.Split(value, ","), Wait: 20 * time.Second}
		case "auto":
			s.call.Ordered.AutoAnswer = true
		case "replaces":
			s.call.Replaces = value
		default:
			s.t.Fatalf("call %s: is not known", w)
		}
	}
}

func (s *script) event(line string, words []string) string {
	s.t.Helper()
	wait := time.Second
	if after, ok := strings.CutPrefix(words[0], "+"); ok {
		d, err := time.ParseDuration(after)
		if err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
		wait, words = d, words[1:]
	}
	s.now = s.now.Add(wait)
	e := s.parse(line, words)
	out := s.step(line, e)
	if s.twice && e.Kind != Resumed { // after each gap an element begins anew
		if again := s.step(line, e); len(again.Commands) > 0 || text(again.State) != text(out.State) {
			s.t.Errorf("%s: told twice, it has an effect twice: %s", line, text(again))
		}
	}
	return s.say(out)
}

func (s *script) step(line string, e Event) Outcome {
	s.t.Helper()
	out, err := s.watcher.step(s.state, e)
	if err != nil {
		s.t.Errorf("%s: %v", line, err)
	}
	s.state = out.State
	if s.takeover {
		if s.state, err = travel(s.state); err != nil {
			s.t.Fatal(err)
		}
	}
	return out
}

// parse reads an event.
func (s *script) parse(line string, words []string) Event {
	s.t.Helper()
	kinds := map[string]EventKind{"parked": Parked, "ordered": CallOrdered, "done": Done, "played": Played, "digits": DigitsCollected, "contacts": ContactsFound,
		"created": LegCreated, "rang": Rang, "answered": Answered, "bridged": Bridged, "unbridged": Unbridged, "ring_ended": RingEnded,
		"refused": Refused, "hungup": HungUp, "timer": TimerFired, "end_ordered": EndOrdered, "record_ordered": RecordOrdered, "record_end_ordered": RecordEndOrdered, "transfer_ordered": TransferOrdered, "transferred": Transferred, "resumed": Resumed, "counted": CallsCounted, "fetched": Fetched, "saved": Saved,
		"taken": Taken, "released": Released, "joined": Joined, "parted": Parted, "found": CallFound, "overheard": Overheard,
		"recorded": Recorded, "messages": MessagesFound, "pin": PINChecked, "transfer_refused": TransferRefused,
		"move_ordered": MoveOrdered, "legs_moved": LegsMoved, "move_failed": MoveFailed, "moved": Moved,
		"rescue_ordered": RescueOrdered, "rescue_failed": RescueFailed}
	e := Event{Kind: kinds[words[0]], At: s.now, Leg: callerLeg}
	words = words[1:]
	arg := func() string {
		if len(words) == 0 {
			s.t.Fatalf("%s: lacks something", line)
		}
		w := words[0]
		words = words[1:]
		return w
	}
	number := func() int {
		n, err := strconv.Atoi(arg())
		if err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
		return n
	}
	switch e.Kind {
	case Parked, CallOrdered:
		c := s.call
		e.Call = &c
		if e.Kind == CallOrdered {
			for _, device := range words {
				e.Contacts = append(e.Contacts, contactOf(device))
			}
		} else if len(words) > 0 {
			e.Leg = s.leg(words[0])
		}
	case Done, TimerFired:
		e.Command, e.Away = number(), slices.Contains(words, "away")
	case Saved:
		if e.Command, e.Away = number(), slices.Contains(words, "away"); !e.Away {
			e.Cause = strings.Join(words, " ")
		}
	case Recorded:
		e.Command, e.LengthMS, e.Ended = number(), number(), RecordingEnd(arg())
	case PINChecked:
		e.Command, e.PIN = number(), PINOutcome(arg())
	case MessagesFound:
		e.Command = number()
		for _, w := range words {
			if e.Away = e.Away || w == "away"; w != "away" {
				id, heard := strings.CutSuffix(w, "*")
				e.Messages = append(e.Messages, Message{ID: id, Media: "Media:kept/" + id + ".wav", From: "+15550100", At: started, Heard: heard})
			}
		}
	case Played:
		e.Command, e.Missing = number(), slices.Contains(words, "missing")
	case DigitsCollected:
		e.Command, e.Outcome, e.Digits = number(), DigitsOutcome(arg()), strings.Join(words, "")
	case ContactsFound:
		e.Command = number()
		for _, device := range words {
			if busy, ok := strings.CutPrefix(device, "talking="); ok {
				e.Talking = append(e.Talking, busy)
				continue
			}
			if trunk, ok := strings.CutPrefix(device, "out="); ok { // trunks with one call each
				if e.Counts == nil {
					e.Counts = &Counts{Trunks: map[string]Count{}}
				}
				e.Counts.Trunks[trunk] = Count{Calls: 1}
				continue
			}
			e.Contacts = append(e.Contacts, contactOf(device))
		}
	case TransferRefused:
		e.Leg, e.Order, e.Cause, e.Other = s.leg(arg()), arg(), arg(), &Party{}
		e.There = len(words) > 0 && arg() == "there"
		if e.Cause != string(messages.TransferUnknown) && (e.There || e.Cause != string(messages.TransferNotOwn)) {
			e.Other.Call = otherCall
		}
	case CallsCounted:
		e.Command, e.Counts = number(), &Counts{Trunks: map[string]Count{}}
		for _, w := range words {
			name, value, _ := strings.Cut(w, "=")
			var c Count
			if n, _ := fmt.Sscanf(value, "%d/%d", &c.Calls, &c.LastSecond); n == 0 {
				s.t.Fatalf("%s: %s is not known", line, w)
			}
			if name == "tenant" {
				e.Counts.Tenant = c
			} else {
				e.Counts.Trunks[name] = c
			}
		}
	case Fetched:
		e.Command, e.Reply = number(), &Reply{}
		if status := arg(); status == "error" {
			e.Reply.Error = strings.Join(words, " ")
		} else {
			e.Reply.Status, _ = strconv.Atoi(status)
			e.Reply.Body = strings.Join(words, " ")
		}
	case LegCreated, Rang, Answered, Bridged:
		e.Leg, e.Early = s.leg(arg()), slices.Contains(words, "early")
	case Taken, Released, Joined, Parted, Overheard, CallFound:
		s.parseJoin(&e, arg, number, &words)
	case RecordOrdered, RecordEndOrdered:
		e.By = arg()
	case EndOrdered:
		e.By, e.Reason = arg(), strings.Join(words, " ")
	case TransferOrdered:
		e.By, e.Leg, e.Target = arg(), s.leg(arg()), arg()
	case Transferred:
		e.Leg, e.Moved = s.leg(arg()), arg()
		for _, w := range words {
			switch name, value, _ := strings.Cut(w, "="); name {
			case "to":
				e.Target = value
			case "by":
				e.ByLeg = s.leg(value)
			case "device":
				e.Device = value
			default:
				s.t.Fatalf("%s: %s is not known", line, w)
			}
		}
	case Unbridged, Resumed:
	case MoveOrdered:
		e.Node, e.Cause = arg(), strings.Join(words, " ")
	case RescueOrdered:
		e.Node, e.Since = arg(), s.now.Add(-time.Second)
	case RescueFailed:
		e.Cause, e.Since = strings.Join(words, " "), s.now.Add(-time.Second)
	case LegsMoved:
		e.Command = number()
		answeredAt := started
		for _, leg := range words {
			e.Legs = append(e.Legs, MovedLeg{Leg: s.leg(leg), First: &LegEnd{CreatedAt: started, AnsweredAt: &answeredAt, From: "+15550100", To: "200"}})
		}
	case MoveFailed:
		e.Command, e.SIPCode, e.Cause = number(), number(), strings.Join(words, " ")
	case Moved:
		e.Node, e.There = arg(), slices.Contains(words, "waiting")
	case RingEnded, Refused:
		e.Command = number()
		if n := len(words) - 1; n > 0 && strings.HasPrefix(words[n], "moved=") {
			e.Moved, words = words[n][len("moved="):], words[:n]
		}
		if n := len(words) - 1; n > 0 && strings.HasPrefix(words[n], "sip=") {
			e.SIPCode, _ = strconv.Atoi(words[n][len("sip="):])
			words = words[:n]
		}
		e.Cause = strings.Join(words, " ")
	case HungUp:
		e.Leg, e.End = s.leg(arg()), &LegEnd{Cause: arg(), By: ByUs, CreatedAt: started}
		s.ending(line, &e, words)
	default:
		s.t.Fatalf("%s: is not known", line)
	}
	return e
}

func (s *script) ending(line string, e *Event, words []string) {
	s.t.Helper()
	if s.state.Phase == "" { // a call whose first event is its last comes with what is known of it
		c := s.call
		e.Call = &c
	}
	for _, w := range words {
		switch name, value, _ := strings.Cut(w, "="); name {
		case "by":
			e.End.By = map[string]EndedBy{"far": ByFarEnd, "us": ByUs}[value]
		case "sip":
			e.End.SIPCode, _ = strconv.Atoi(value)
		case "left":
			e.End.Left = s.leg(value)
		case "answered":
			at := started.Add(time.Second)
			e.End.AnsweredAt = &at
		default:
			s.t.Fatalf("%s: %s is not known", line, w)
		}
	}
}

// leg finds the uuid behind A, L1, L2 ...
func (s *script) leg(name string) string {
	if name == "A" {
		return callerLeg
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(name, "L")); err == nil && n < len(s.state.Legs) {
		return s.state.Legs[n].ID
	}
	return callerLeg[:8] + "-0000-8000-8000-00000000" + name
}

func (s *script) legName(id string) string {
	for i, l := range s.state.Legs {
		switch {
		case l.ID == id && i == 0:
			return "A"
		case l.ID == id:
			return "L" + strconv.Itoa(i)
		}
	}
	return id
}

// say writes an outcome: the state, the commands, the reasons in words.
func (s *script) say(out Outcome) string {
	var b strings.Builder
	phase := string(s.state.Phase)
	if phase == "" {
		phase = "nothing yet"
	}
	b.WriteString(phase)
	if s.state.Phase == Running || s.state.Phase == Talking {
		fmt.Fprintf(&b, ", %s (%s), awaits %d", s.state.Element, s.state.Stage, s.state.Awaited)
	}
	b.WriteString("\n")
	for _, r := range out.Because {
		words := s.watcher.words.Words(r)
		for _, l := range s.state.Legs {
			words = strings.ReplaceAll(words, l.ID, s.legName(l.ID))
		}
		b.WriteString("  " + words + "\n")
	}
	for _, c := range out.Commands {
		b.WriteString("  -> " + s.sayCommand(c) + "\n")
	}
	return b.String()
}

func (s *script) sayCommand(c Command) string {
	if c.Kind == WriteCDR {
		answered := ""
		for _, g := range c.CDR.Segments {
			answered += fmt.Sprintf(", %s for %v", g.Node, g.Until.Sub(g.From))
		}
		if c.CDR.AnsweredAt != nil {
			answered += ", answered"
		}
		return fmt.Sprintf("write_cdr %s %s: %s, sip %d, fault %s%s", s.legName(c.Leg), c.CDR.Role, c.CDR.Cause, c.CDR.SIPCode, c.CDR.Fault, answered)
	}
	words := []string{strconv.Itoa(c.N), string(c.Kind)}
	if c.Leg != callerLeg {
		words = append(words, s.legName(c.Leg))
	}
	add := func(yes bool, more ...string) {
		if yes {
			words = append(words, more...)
		}
	}
	add(c.Prompt != "", c.Prompt)
	add(c.Language != "", "in "+c.Language)
	if f := c.Fetch; f != nil {
		add(true, fmt.Sprintf("%s %s %s, at most %d bytes", f.Method, f.URL, f.Body, f.MaxBytes))
	}
	if d := c.Digits; d != nil {
		add(true, fmt.Sprintf("%d to %d of [%s] within %v, then %v", d.Min, d.Max, d.Allowed, d.First, d.Between))
		add(d.Terminator != "", "ended by "+d.Terminator)
	}
	for _, t := range c.Targets {
		add(true, s.legName(t.Leg)+"="+t.URI+" through "+t.Edge)
		add(t.AutoAnswer, "by itself")
		add(t.Delay > 0, "after "+t.Delay.String())
		add(t.Wait > 0, "alone for "+t.Wait.String())
		if t.Accept != nil {
			add(true, "to accept with "+t.Accept.Key+" within "+t.Accept.Wait.String()+" after "+t.Accept.Prompt)
		}
		if t.CallerID != nil {
			add(true, "told of "+t.CallerID.Number)
		}
		if t.Diverted != nil {
			add(true, fmt.Sprintf("diverted by %s for the %d. time %s", t.Diverted.By, t.Diverted.Times, t.Diverted.On))
		}
	}
	add(c.Wait > 0, "for "+c.Wait.String())
	add(c.InOrder, "in order")
	add(c.Ringback, "with ringback")
	add(c.EarlyOK, "with early media")
	add(c.CallerID.Number != "" || c.CallerID.Name != "", strings.TrimSpace("as "+c.CallerID.Number+" "+c.CallerID.Name))
	add(c.CallerID.Private, "as nobody")
	add(c.CallerID.Asserted != "", "asserting "+c.CallerID.Asserted)
	add(c.CallerID.Domain != "", "of "+c.CallerID.Domain)
	add(c.Progress > 0, "with a sign within "+c.Progress.String())
	add(c.Hunting, "hunting")
	for _, t := range c.Targets {
		add(t.Between != "" && t.Across == "", "between tenants, of "+t.Between)
		add(t.Across != "", "of "+t.Between+" across to "+t.Across)
	}
	add(c.Location != "", "at "+c.Location)
	add(c.Diversions > 0, fmt.Sprintf("diverted by %s for the %d. time", c.DivertedBy, c.Diversions))
	add(len(c.Trunks) > 0, c.Trunks...)
	add(c.Cause != "", c.Cause)
	add(len(c.Devices) > 0, c.Devices...)
	s.sayJoin(c, add)
	add(len(c.Prompts) > 0, "then "+strings.Join(c.Prompts, ", "))
	add(c.Digits != nil && c.Digits.Secret, "in secret")
	add(c.File != "", "into "+c.File)
	add(c.Silence > 0, "until silence of "+c.Silence.String())
	if r := c.Recording; r != nil {
		kept := "keep"
		if r.Discard {
			kept = "discard"
		}
		add(true, fmt.Sprintf("%s %s %s for [%s] from [%s] %d ms, at least %d", kept, r.Kind, r.ID, r.Box, r.From, r.LengthMS, r.LeastMS))
	}
	add(c.Box != "", "of the box "+c.Box)
	add(c.Message != "", "message "+c.Message+" "+string(c.Mark))
	add(c.Text != "", c.Text)
	add(c.Music != "", "with "+c.Music+" on hold")
	add(c.Talking, "and who talks")
	add(c.Room != "", "in "+c.Room)
	if set := c.Setting; set != nil {
		add(true, fmt.Sprintf("%s of %s%s: %v %s%s", set.Name, set.User, set.Device, set.On, set.Key, set.Value))
	}
	add(c.Code > 0, "refused with "+strconv.Itoa(c.Code))
	return strings.Join(words, " ")
}

func contactOf(device string) Contact {
	return Contact{Device: device, URI: "sip:" + device + "@192.0.2.44", Edge: "sip:192.0.2.1:5070"}
}
