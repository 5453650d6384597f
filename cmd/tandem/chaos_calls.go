package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"tandem/nodes/claim"
	"tandem/provisioning"
	"tandem/sipptest"
	"tandem/tenants"
)

// company is a tenant with its phones. There are several, so that the calls of one round may end while the next begins.
type chaosCompany struct {
	tenant     string
	domain     string
	prefix     string // of the numbers that lead to its flows
	callees    map[string]*sipptest.Phone
	callers    map[string]*sipptest.Phone // by the name of the scene; all are one user's
	registered time.Time
	over       chan struct{} // closed when the last round's calls are
}

// The callees of a company, by the scene that rings them. Each scene has its own, for a phone takes one call at a time.
func chaosCallees() []string { return []string{"a1", "a2", "a3", "b1", "b2", "b3", "b4"} }

const chaosCaller = "dialler"

// phoneAttempts is how often a phone may fail to start.
const phoneAttempts = 3

// newChaosCompany makes a company with one flow for each scene.
func (c *chaos) newChaosCompany(ctx context.Context, n int) (*chaosCompany, error) {
	id := "chaos" + strconv.Itoa(n)
	m := &chaosCompany{tenant: id, domain: id + ".example", prefix: "5" + strconv.Itoa(n), callees: map[string]*sipptest.Phone{},
		callers: map[string]*sipptest.Phone{}, over: make(chan struct{})}
	close(m.over)
	p := c.system.Provisioning
	if _, err := p.CreateTenant(ctx, provisioning.NewTenant{ID: id, Name: "Chaos " + strconv.Itoa(n), Domain: m.domain}); err != nil {
		return nil, err
	}
	number := "+1202555010" + strconv.Itoa(n)
	if err := p.AddNumber(ctx, id, number); err != nil {
		return nil, err
	}
	for i, user := range append(chaosCallees(), chaosCaller) {
		if _, err := p.CreateUser(ctx, id, provisioning.NewUser{ID: user, Name: user, Extension: strconv.Itoa(101 + i), Number: number}); err != nil {
			return nil, err
		}
		_, password, err := p.CreateDevice(ctx, id, provisioning.NewDevice{ID: user, UserID: user, Name: user, Username: user})
		if err != nil {
			return nil, err
		}
		phone := sipptest.Phone{Edge: c.system.Edge, User: user, Domain: m.domain, Password: password}
		if user != chaosCaller {
			m.callees[user] = &phone
			continue
		}
		for _, s := range append(scenes(), around()...) {
			own := phone
			m.callers[s.name] = &own
		}
	}
	for suffix, f := range chaosFlows() {
		f.ID, f.Name = "flow"+suffix, "Flow "+suffix
		if err := errors.Join(p.SaveFlow(ctx, id, f), p.SaveRoute(ctx, id, tenants.Route{Dialled: m.prefix + suffix, FlowID: f.ID})); err != nil {
			return nil, err
		}
	}
	_, err := p.Publish(ctx, id, "chaos", "")
	return m, err
}

// register makes the callees known to the edge, if that was long ago.
func (c *chaos) register(ctx context.Context, m *chaosCompany) error {
	if time.Since(m.registered) < chaosRegister/2 {
		return nil
	}
	for user, phone := range m.callees {
		if err := phone.Register(ctx, sipptest.Registration{Expires: int(chaosRegister / time.Second)}); err != nil {
			return fmt.Errorf("%s of %s could not register: %w", user, m.tenant, err)
		}
	}
	for user := range m.callees {
		if err := c.system.awaitRegistered(ctx, user, m.domain); err != nil {
			return err
		}
	}
	m.registered = time.Now()
	return nil
}

func flowElement(kind string, settings map[string]any, exits map[string]string) tenants.Element {
	text, err := json.Marshal(settings)
	if err != nil {
		panic(err) // strings and numbers
	}
	return tenants.Element{Type: kind, Settings: text, Exits: exits}
}

func ringAll(next string, users ...string) tenants.Element {
	var exits map[string]string
	if next != "" {
		exits = map[string]string{"busy": next, "no_answer": next, "unavailable": next, "failed": next}
	}
	return flowElement("ring", map[string]any{"users": users, "seconds": 20}, exits)
}

// chaosFlows are the flows by the ends of their numbers.
func chaosFlows() map[string]tenants.Flow {
	menu := func(ring string) tenants.Flow {
		return tenants.Flow{Start: "menu", Elements: map[string]tenants.Element{"ring": ringAll("", ring),
			"menu": flowElement("menu", map[string]any{"prompt": "tone:menu", "attempts": 5, "seconds": 10}, map[string]string{"1": "ring"})}}
	}
	play := func(ms, next string) tenants.Element {
		return flowElement("play", map[string]any{"prompt": "silence:" + ms}, map[string]string{"next": next})
	}
	over := flowElement("hangup", map[string]any{"cause": "NORMAL_CLEARING"}, nil)
	return map[string]tenants.Flow{
		"10": menu("a1"),
		"20": {Start: "one", Elements: map[string]tenants.Element{"one": play("300", "two"), "two": play("200", "over"), "over": over}},
		"30": {Start: "ring", Elements: map[string]tenants.Element{"ring": ringAll("next", "a1"), "next": ringAll("", "a2")}},
		"40": {Start: "ring", Elements: map[string]tenants.Element{"ring": ringAll("next", "a1", "a2"), "next": ringAll("", "a3")}},
		"50": {Start: "one", Elements: map[string]tenants.Element{"one": play("300", "over"), "over": over}},
		"60": {Start: "ring", Elements: map[string]tenants.Element{"ring": ringAll("", "b1")}},
		"70": menu("b2"),
		"90": {Start: "ring", Elements: map[string]tenants.Element{"ring": ringAll("", "a1")}},
		"80": {Start: "ring", Elements: map[string]tenants.Element{"ring": ringAll("", "b3", "b4")}},
	}
}

// scene is one call: who calls, and what the called do.
type scene struct {
	name        string
	suffix      string // of the number that is dialled
	event       string // that the fault waits for; empty: the end of application
	application string // whose end the fault waits for, or whose order
	moment      moment
	idle        bool // the call needs no command after the fault
	kill        bool // only when the owner is killed
	call        sipptest.Call
	callees     map[string]sipptest.Behaviour
}

// scenes are the calls on which a fault falls: something has happened that asks for a command, and the owner is gone.
func scenes() []scene {
	const talk = 300 * time.Millisecond
	byCallee := sipptest.Call{CalleeEnds: true}
	digit := sipptest.Call{CalleeEnds: true, Digits: "1", DigitMode: sipptest.INFO}
	busy, answers := sipptest.Behaviour{Code: 486, Phrase: "Busy Here"}, sipptest.Behaviour{HangUp: true, Talk: talk}
	return []scene{
		{name: "menu", suffix: "10", application: "play_and_get_digits", call: digit, callees: map[string]sipptest.Behaviour{"a1": answers}},
		{name: "play", suffix: "20", application: "playback", call: byCallee},
		{name: "ringing one", suffix: "30", application: "bridge", call: byCallee, callees: map[string]sipptest.Behaviour{"a1": busy, "a2": answers}},
		{name: "ringing many", suffix: "40", application: "bridge", call: byCallee,
			callees: map[string]sipptest.Behaviour{"a1": busy, "a2": busy, "a3": answers}},
		{name: "being hung up", suffix: "50", application: "playback", call: byCallee},
		{name: "hang-up unsent", suffix: "50", application: "hangup", moment: unsent, kill: true, call: byCallee},
		{name: "ring unsent", suffix: "10", application: "bridge", moment: unsent, kill: true, call: digit, callees: map[string]sipptest.Behaviour{"a1": answers}},
		{name: "ring unanswered", suffix: "10", application: "bridge", moment: taken, idle: true, kill: true, call: digit, callees: map[string]sipptest.Behaviour{"a1": answers}},
		{name: "bridged", suffix: "90", event: "CHANNEL_BRIDGE", idle: true, call: byCallee,
			callees: map[string]sipptest.Behaviour{"a1": {HangUp: true, Talk: 1500 * time.Millisecond}}},
	}
}

// around are calls that are up when a fault falls, in whatever phase they have come to. What their phones do is spread over
// the moments before and after it.
func around() []scene {
	some := func(from, to time.Duration) time.Duration { return from + rand.N(to-from) }
	var bridged sipptest.Call
	answers := sipptest.Behaviour{After: some(100*time.Millisecond, 1500*time.Millisecond)}
	if rand.N(2) == 0 {
		bridged.CalleeEnds, answers.HangUp, answers.Talk = true, true, some(200*time.Millisecond, 1500*time.Millisecond)
	} else {
		bridged.Talk = some(200*time.Millisecond, 1500*time.Millisecond)
	}
	// What is keyed while nobody asks is not heard: between two digits there is time for a cut-off owner to be replaced.
	pause := some(claim.ReplaceAfter+500*time.Millisecond, claim.ReplaceAfter+1500*time.Millisecond)
	return []scene{
		{name: "talk", suffix: "60", call: bridged, callees: map[string]sipptest.Behaviour{"b1": answers}},
		{name: "second digit", suffix: "70", call: sipptest.Call{Digits: "91", DigitMode: sipptest.INFO, DigitPause: pause, CalleeEnds: true},
			callees: map[string]sipptest.Behaviour{"b2": {HangUp: true, Talk: pause + 500*time.Millisecond}}}, // the caller pauses after the last digit too
		{name: "first of two", suffix: "80", call: sipptest.Call{Talk: some(200*time.Millisecond, time.Second)},
			callees: map[string]sipptest.Behaviour{"b3": {After: some(100*time.Millisecond, 1500*time.Millisecond)}, "b4": {NeverAnswer: true}}},
	}
}

// phoneRun is a phone at work in a round.
type phoneRun struct {
	who     string
	running *sipptest.Running
}

// begin lets a scene's phones listen and call.
func (m *chaosCompany) begin(ctx context.Context, s scene) (phones []phoneRun, err error) {
	start := func(who string, run func() (*sipptest.Running, error)) {
		if err != nil {
			return
		}
		for range phoneAttempts { // another program may take a port between its choice and its use
			var running *sipptest.Running
			if running, err = run(); err == nil {
				phones = append(phones, phoneRun{s.name + ", " + who, running})
				return
			}
		}
	}
	for user, b := range s.callees {
		b.Patience = chaosPatience
		start(user, func() (*sipptest.Running, error) { return m.callees[user].Listen(ctx, b) })
	}
	s.call.Within = chaosPatience
	start("caller", func() (*sipptest.Running, error) { return m.callers[s.name].Call(ctx, m.prefix+s.suffix, s.call) })
	return phones, err
}
