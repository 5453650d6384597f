package esl

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	mathrand "math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	freeswitchconf "tandem/freeswitch-conf"
	"tandem/stack"
)

var realValues = flag.Int("real", 10_000, "hostile values that a real FreeSWITCH is to keep")

const (
	realBatch     = 60 // values between two looks at the channel, as many as UUIDSetvarMulti takes
	realDials     = 100
	realPatience  = 30 * time.Second
	realSessions  = 500
	realRandomLow = 42 // seed
)

// realNode is a running FreeSWITCH with one parked channel.
type realNode struct {
	t       *testing.T
	conn    *Conn
	sip     string
	channel string // uuid of the parked leg
	parked  chan string
	done    chan string // ids of applications that are over
	apps    chan string // every application that was begun
	apis    chan string // every api command that was begun
}

// startRealNode runs the FreeSWITCH that TANDEM_FREESWITCH names and has it call itself.
func startRealNode(t *testing.T) *realNode {
	binary := os.Getenv("TANDEM_FREESWITCH")
	if binary == "" || stack.IsAddress(binary) {
		t.Skip("TANDEM_FREESWITCH names no FreeSWITCH binary")
	}
	s, err := stack.Start(t.Context(), stack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	loopback := netip.MustParseAddr("127.0.0.1")
	socket, sip := netip.AddrPortFrom(loopback, realPort(t, stack.FreePort)), netip.AddrPortFrom(loopback, realPort(t, stack.FreeUDPPort))
	dir, password := t.TempDir(), rand.Text()
	err = freeswitchconf.Write(dir, freeswitchconf.Values{
		Name: "hostile", EventSocket: socket, Password: password, SIP: sip, RTP: loopback, RTPStart: 23000, RTPEnd: 23999,
		Edges: []netip.Prefix{netip.PrefixFrom(loopback, 32)}, MaxSessions: realSessions, SessionsPerSecond: realSessions,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.StartFreeSWITCH(t.Context(), stack.FreeSWITCHOptions{
		Bin: binary, ConfigDir: filepath.Join(dir, "conf"), EventSocket: socket.String(), Password: password,
	}); err != nil {
		t.Fatal(err)
	}
	const many = 100_000
	n := &realNode{t: t, sip: sip.String(), parked: make(chan string, many), done: make(chan string, many), apps: make(chan string, many), apis: make(chan string, many)}
	n.conn, err = Dial(t.Context(), Options{Address: socket.String(), Password: password, Handle: n.handle, InFlight: 2000,
		Events: []string{"CHANNEL_PARK", "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "API"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.conn.Close() })
	n.dial(DialString{Legs: []DialLeg{{Profile: "internal", URI: "sip:keeper@" + n.sip}}})
	n.channel = wait(t, "park", n.parked)
	return n
}

func realPort(t *testing.T, free func() (int, error)) uint16 {
	port, err := free()
	if err != nil {
		t.Fatal(err)
	}
	return uint16(port)
}

func (n *realNode) handle(_ int, e *Event) {
	switch e.Name() {
	case "CHANNEL_PARK":
		if e.Get("Call-Direction") == "inbound" {
			n.parked <- e.UniqueID()
		}
	case "CHANNEL_EXECUTE":
		n.apps <- e.Get("Application")
	case "CHANNEL_EXECUTE_COMPLETE":
		n.done <- e.Get("Application-UUID")
	case "API":
		n.apis <- e.Get("API-Command")
	}
}

// dial has FreeSWITCH call itself. Nobody answers: the called leg stays parked, and the calling one early.
func (n *realNode) dial(d DialString) {
	go n.conn.Background(context.WithoutCancel(n.t.Context()), Originate(d)) //nolint:errcheck // ends with the connection
}

func (n *realNode) send(c Command) Reply {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), realPatience)
	defer cancel()
	reply, err := n.conn.Send(ctx, c)
	if err == nil {
		err = reply.Err()
	}
	if err != nil {
		n.t.Fatalf("%s: %v", c.Name(), err)
	}
	return reply
}

// dump is all that a channel holds.
func (n *realNode) dump(channel string) map[string]string {
	n.t.Helper()
	all := map[string]string{}
	if err := json.Unmarshal(n.send(UUIDDump(channel)).Body, &all); err != nil {
		n.t.Fatal(err)
	}
	return all
}

// begun empties one of the lists of what FreeSWITCH did.
func begun(list chan string) (all []string) {
	for {
		select {
		case one := <-list:
			all = append(all, one)
		default:
			return all
		}
	}
}

// TestARealFreeSWITCHKeepsHostileValuesAsTheyAre sends values that the builders accept, by the three ways to set a
// variable, and reads them back. Nothing else may be on the channel, and nothing else may have been executed.
func TestARealFreeSWITCHKeepsHostileValuesAsTheyAre(t *testing.T) {
	n := startRealNode(t)
	random := mathrand.New(mathrand.NewPCG(realRandomLow, 1))
	n.send(UUIDSetvar(n.channel, "tandem_note_0", "harmless"))
	n.set(map[string]string{"tandem_note_1": "harmless"}, 0)
	expected := n.dump(n.channel)
	begun(n.apps)
	begun(n.apis)
	refused, kept := 0, 0
	for round := 0; kept < *realValues; round++ {
		values := map[string]string{}
		for len(values) < realBatch {
			value := mild(random)
			name := fmt.Sprint("tandem_note_", len(values))
			if n.setting(round, name, value).Err() != nil {
				refused++
				continue
			}
			values[name] = value
		}
		n.set(values, round)
		got := n.dump(n.channel)
		for name, value := range values {
			if got["variable_"+name] != value {
				t.Fatalf("round %d: %q arrived as %q", round, value, got["variable_"+name])
			}
		}
		for name := range got {
			if _, known := expected[name]; !known && values[strings.TrimPrefix(name, "variable_")] == "" {
				t.Fatalf("round %d: the channel got %s = %q from one of %q", round, name, got[name], values)
			}
		}
		n.nothingElse(round)
		kept += len(values)
	}
	t.Logf("%d values kept, %d refused by the builders", kept, refused)
}

// setting is one of the three ways to set a variable.
func (n *realNode) setting(round int, name, value string) Command {
	switch round % 3 {
	case 0:
		return Set(n.channel, fmt.Sprintf("%d/%s", round, name), name, value)
	case 1:
		return UUIDSetvar(n.channel, name, value)
	}
	return UUIDSetvarMulti(n.channel, Var{name, value})
}

// set sets variables, in each round in another way.
func (n *realNode) set(values map[string]string, round int) {
	n.t.Helper()
	var all []Var
	for name, value := range values {
		if round%3 != 2 {
			n.send(n.setting(round, name, value))
			continue
		}
		// As many at once as one separator serves.
		if all = append(all, Var{name, value}); UUIDSetvarMulti(n.channel, all...).Err() != nil {
			n.send(UUIDSetvarMulti(n.channel, all[:len(all)-1]...))
			all = []Var{{name, value}}
		}
	}
	if len(all) > 0 {
		n.send(UUIDSetvarMulti(n.channel, all...))
	}
	if round%3 == 0 {
		for range values {
			wait(n.t, "end of set", n.done)
		}
	}
}

// nothingElse looks at what FreeSWITCH has done since the last time.
func (n *realNode) nothingElse(round int) {
	n.t.Helper()
	for _, application := range begun(n.apps) {
		if application != "set" {
			n.t.Fatalf("round %d: FreeSWITCH executed %s", round, application)
		}
	}
	for _, command := range begun(n.apis) {
		if !strings.HasPrefix(command, "uuid_setvar") && command != "uuid_dump" {
			n.t.Fatalf("round %d: FreeSWITCH ran %s", round, command)
		}
	}
}

// TestARealFreeSWITCHDialsWhatADialStringSays gives hostile values to variables of dialled legs, in both places.
func TestARealFreeSWITCHDialsWhatADialStringSays(t *testing.T) {
	n := startRealNode(t)
	random := mathrand.New(mathrand.NewPCG(realRandomLow, 2))
	var expected map[string]string
	for dialled := 0; dialled < realDials; {
		leg := uuid.NewString()
		global := []Var{{"tandem_one", mild(random)}, {"tandem_two", mild(random)}}
		own := []Var{{"origination_uuid", leg}, {"tandem_three", mild(random)}, {"tandem_four", mild(random)}}
		if expected == nil { // the first one is harmless, and says what else such a leg has
			global[0].Value, global[1].Value, own[1].Value, own[2].Value = "a", "b", "c", "d"
		}
		d := DialString{Global: global, Legs: []DialLeg{{Vars: own, Profile: "internal", URI: "sip:callee@" + n.sip}}}
		if Originate(d).Err() != nil {
			continue
		}
		n.dial(d)
		callee := wait(t, "park", n.parked)
		got := n.dump(leg)
		if expected == nil {
			expected = got
		}
		for _, v := range append(global, own[1:]...) {
			if got["variable_"+v.Name] != v.Value {
				t.Fatalf("%q arrived as %q, of %+v", v.Value, got["variable_"+v.Name], d)
			}
		}
		for name := range got {
			if _, known := expected[name]; !known {
				t.Fatalf("the leg got %s = %q from %+v", name, got[name], d)
			}
		}
		n.send(UUIDKill(leg, "NORMAL_CLEARING"))
		_, _ = n.conn.Send(t.Context(), UUIDKill(callee, "NORMAL_CLEARING")) // gone already, mostly
		dialled++
	}
}
