package nodes

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/nodes/claim"
	"tandem/tenants"
)

// patience bounds every wait of these tests.
const patience = 5 * time.Second

const (
	callerLeg = "aaaaaaaa-1111-4111-8111-111111111111"
	callID    = "99999999-2222-8222-8222-222222222222"
)

// fakeNode is an event socket under the test's control: it lets the test say what happens, and shows what was ordered.
// Several workers may be connected: all hear the events.
type fakeNode struct {
	t        *testing.T
	listener net.Listener
	commands chan string          // each command as one line
	channels string               // answer to show channels
	refuse   string               // a command that contains this is refused
	dump     string               // answer to uuid_dump
	before   func(command string) // if set, runs before a command is answered

	mu      sync.Mutex
	conns   map[net.Conn]bool // true: subscribed
	up      chan struct{}     // one token for each subscription
	number  int               // of the last event
	globals map[string]string
	marks   map[string]string // by channel
}

func newFakeNode(t *testing.T) *fakeNode {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeNode{t: t, listener: l, commands: make(chan string, 100), up: make(chan struct{}, 10), channels: `{"row_count": 0}`,
		conns: map[net.Conn]bool{}, globals: map[string]string{claim.OwnerVariable: claim.Seed, claim.StandbyVariable: claim.Seed}, marks: map[string]string{}}
	t.Cleanup(func() { l.Close(); f.drop() })
	go f.accept()
	return f
}

func (f *fakeNode) accept() {
	for {
		c, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.conns[c] = false
		f.mu.Unlock()
		go f.serve(c)
	}
}

// beforeAnswers sets what runs before a command is answered.
func (f *fakeNode) beforeAnswers(do func(command string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = do
}

// drop cuts the connections, as a network would.
func (f *fakeNode) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		c.Close()
		delete(f.conns, c)
	}
}

// write sends to every client that has subscribed.
func (f *fakeNode) write(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c, subscribed := range f.conns {
		if subscribed {
			_, _ = fmt.Fprint(c, text)
		}
	}
}

// say answers one client.
func (f *fakeNode) say(c net.Conn, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _ = fmt.Fprint(c, text)
}

func (f *fakeNode) response(c net.Conn, body string) {
	f.say(c, fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s", len(body), body))
}

func (f *fakeNode) serve(c net.Conn) {
	f.say(c, "Content-Type: auth/request\n\n")
	in := textproto.NewReader(bufio.NewReader(c))
	for {
		var lines []string
		for {
			line, err := in.ReadLine()
			if err != nil {
				return
			}
			if line == "" {
				break
			}
			lines = append(lines, line)
		}
		f.answer(c, strings.Join(lines, "|"))
	}
}

func (f *fakeNode) answer(c net.Conn, command string) {
	words := strings.Fields(command)
	f.mu.Lock()
	before := f.before
	f.mu.Unlock()
	if before != nil {
		before(command)
	}
	switch {
	case words[0] == "auth":
		f.say(c, "Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
	case words[0] == "event":
		f.say(c, "Content-Type: command/reply\nReply-Text: +OK event listener enabled plain\n\n")
		f.mu.Lock()
		f.conns[c] = true
		f.mu.Unlock()
		f.up <- struct{}{}
	case words[0] == "api":
		f.api(c, command, words[1:])
	case f.refuse != "" && strings.Contains(command, f.refuse):
		f.commands <- command
		f.say(c, "Content-Type: command/reply\nReply-Text: -ERR refused by the test\n\n")
	default:
		f.commands <- command
		f.say(c, "Content-Type: command/reply\nReply-Text: +OK\n\n")
	}
}

func (f *fakeNode) api(c net.Conn, command string, words []string) {
	switch words[0] {
	case "show":
		f.response(c, f.listed())
	case "uuid_dump":
		f.response(c, f.dump)
	case "uuid_exists":
		f.response(c, fmt.Sprint(strings.Contains(f.listed(), words[1])))
	case "global_getvar":
		f.mu.Lock()
		value := f.globals[words[1]]
		f.mu.Unlock()
		f.response(c, value)
	case "global_setvar":
		f.swap(words[1])
		f.response(c, "+OK")
	case "uuid_setvar_multi":
		if _, mark, ok := strings.Cut(command, markVariable+"="); ok {
			f.mu.Lock()
			f.marks[words[1]] = strings.TrimRight(strings.FieldsFunc(mark, func(r rune) bool { return r == ';' || r == ' ' })[0], "'")
			f.mu.Unlock()
		}
		f.response(c, "+OK")
	case "uuid_getvar":
		f.mu.Lock()
		mark := f.marks[words[1]]
		f.mu.Unlock()
		f.response(c, mark)
	default:
		f.commands <- command
		f.response(c, "+OK\n")
	}
}

// listed is the list of channels.
func (f *fakeNode) listed() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.channels
}

// list makes the node hold a call from now on.
func (f *fakeNode) list(caller, callee string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.channels = fmt.Sprintf(`{"row_count": 2, "rows": [{"uuid": %q, "direction": "inbound"}, {"uuid": %q, "direction": "outbound"}]}`, caller, callee)
}

// swap is FreeSWITCH's compare-and-swap: NAME=NEW=OLD.
func (f *fakeNode) swap(text string) {
	parts := strings.Split(text, "=")
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(parts) == 3 && f.globals[parts[0]] == parts[2] {
		f.globals[parts[0]] = parts[1]
	}
}

// event sends an event about a leg, with the headers of the call and further ones.
func (f *fakeNode) event(name, leg, direction string, more ...string) {
	now := time.Now().UnixMicro()
	f.mu.Lock()
	f.number++
	number := f.number
	f.mu.Unlock()
	headers := []string{"Event-Name: " + name, fmt.Sprint("Event-Sequence: ", number), "Unique-ID: " + leg, "Call-Direction: " + direction, fmt.Sprint("Event-Date-Timestamp: ", now),
		fmt.Sprint("Caller-Channel-Created-Time: ", now-1_000_000)}
	if direction == "inbound" {
		headers = append(headers, "variable_sip_h_X-Tandem-Call: "+callOfLeg(leg), "variable_sip_h_X-Tandem-Tenant: office",
			"variable_sip_h_X-Tandem-Version: 3", "variable_sip_h_X-Tandem-Flow: sales", "variable_sip_h_X-Tandem-Dialled: 102",
			"variable_sip_h_X-Tandem-Number: 101", "variable_sip_h_X-Tandem-Device: d1", "variable_sip_call_id: abc@phone", "variable_sip_network_ip: 127.0.0.1", "variable_sip_network_port: 5070")
	} else {
		headers = append(headers, "Other-Leg-Unique-ID: "+callerLeg)
	}
	body := strings.Join(append(headers, more...), "\n") + "\n\n"
	f.write(fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(body), body))
}

// callOfLeg gives each caller's leg a call of its own.
func callOfLeg(leg string) string {
	if leg == callerLeg {
		return callID
	}
	return callID[:24] + leg[24:]
}

// ordered waits for the next command that contains a text.
func (f *fakeNode) ordered(text string) string {
	f.t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case c := <-f.commands:
			if strings.Contains(c, text) {
				return c
			}
		case <-deadline:
			f.t.Fatalf("no command with %q", text)
		}
	}
}

// world is everything else that a node needs, kept for the test to look at.
type world struct {
	cdrs     chan messages.CDR
	tapes    chan messages.Recording
	reasons  chan string // codes, as they are journalled
	contacts func() []callflows.Contact
	ups      chan struct{} // this worker says that the node is up
	lines    chan string   // what it logs
}

func newWorld() *world {
	return &world{cdrs: make(chan messages.CDR, 10), tapes: make(chan messages.Recording, 10), reasons: make(chan string, 1000), ups: make(chan struct{}, 100), lines: make(chan string, 1000)}
}

// up waits until this worker drives the node.
func (w *world) up(t *testing.T) {
	t.Helper()
	select {
	case <-w.ups:
	case <-time.After(patience):
		t.Fatal("the worker does not drive the node")
	}
}

// picture waits until this worker stands by with the whole picture.
func (w *world) picture(t *testing.T) {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case line := <-w.lines:
			if strings.Contains(line, "whole picture") {
				return
			}
		case <-deadline:
			t.Fatal("the worker does not stand by")
		}
	}
}

// logger keeps what a worker logs.
func (w *world) logger() *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// Write keeps one line.
func (w *world) Write(line []byte) (int, error) {
	select {
	case w.lines <- string(line):
	default:
	}
	return len(line), nil
}

func (w *world) AddCDR(c messages.CDR) { w.cdrs <- c }

func (w *world) AddRecording(r messages.Recording) { w.tapes <- r }

func (w *world) AddJournal(e messages.JournalEntry) {
	for _, r := range e.Because {
		w.reasons <- r.Code
	}
}

// said waits until the journal holds a reason.
func (w *world) said(t *testing.T, code string) {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case c := <-w.reasons:
			if c == code {
				return
			}
		case <-deadline:
			t.Fatalf("the journal does not say %s", code)
		}
	}
}

func (w *world) AnnounceCall(messages.CallEvent) {}

func (w *world) AnnounceNode(e messages.NodeEvent) {
	if e.State == messages.NodeUp {
		select {
		case w.ups <- struct{}{}:
		default:
		}
	}
}

func (w *world) Contacts(_ *tenants.Tenant, device string, _ time.Time) []callflows.Contact {
	if w.contacts != nil {
		return w.contacts()
	}
	return []callflows.Contact{{Device: device, URI: "sip:102@127.0.0.1:5090", Edge: "sip:127.0.0.1:5070"}}
}

// cdr waits for the next CDR.
func (w *world) cdr(t *testing.T) messages.CDR {
	t.Helper()
	select {
	case c := <-w.cdrs:
		return c
	case <-time.After(patience):
		t.Fatal("no CDR")
	}
	return messages.CDR{}
}

// own starts owning a fake node whose only flow rings one phone, and waits until it is up.
func own(t *testing.T) (*fakeNode, *world) {
	t.Helper()
	return ownThat(t, newFakeNode(t))
}

// ownThat is own for a node that is prepared already.
func ownThat(t *testing.T, f *fakeNode) (*fakeNode, *world) {
	t.Helper()
	w := newWorld()
	start(t, options(t, f, w))
	<-f.up
	return f, w
}

// start runs a node until the test, or the returned function, ends it.
func start(t *testing.T, o Options) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		Own(ctx, o)
	}()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

// options own a fake node whose only flow rings one phone.
func options(t *testing.T, f *fakeNode, w *world) Options {
	t.Helper()
	snapshot, faults := tenants.NewSnapshot(tenants.Data{Tenants: []tenants.Tenant{{
		ID: "office", Name: "Office", Domain: "office.example", TimeZone: "UTC",
		Users:   []tenants.User{{ID: "u2", Name: "Sales", Extension: "102"}},
		Devices: []tenants.Device{{ID: "d2", UserID: "u2", Name: "Sales phone", Username: "102"}},
		Published: tenants.Published{Version: 3, Flows: []tenants.Flow{{ID: "sales", Name: "Sales", Start: "ring",
			Elements: map[string]tenants.Element{"ring": {Type: "ring", Settings: []byte(`{"users":["u2"],"seconds":20}`)}}}}},
	}}}, callflows.ParseSettings)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return Options{Node: tenants.Node{Name: "node1", SIPURI: "sip:127.0.0.1:5080", EventSocket: f.listener.Addr().String()},
		Password: "secret", Profile: "internal", Worker: "worker1", Snapshot: func() *tenants.Snapshot { return snapshot },
		Ledger: w, Contacts: w, Announcer: w, Prompts: Prompts(Sounds{Folder: "/sounds"})}
}
