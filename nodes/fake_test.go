package nodes

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/tenants"
)

// patience bounds every wait of these tests.
const patience = 5 * time.Second

const (
	callerLeg = "aaaaaaaa-1111-4111-8111-111111111111"
	callID    = "99999999-2222-8222-8222-222222222222"
)

// fakeNode is an event socket under the test's control: it lets the test say what happens, and shows what was ordered.
type fakeNode struct {
	t        *testing.T
	listener net.Listener
	commands chan string // each command as one line
	channels string      // answer to show channels
	refuse   string      // a command that contains this is refused
	dump     string      // answer to uuid_dump

	mu   sync.Mutex
	conn net.Conn
	up   chan struct{} // one token for each subscription
}

func newFakeNode(t *testing.T) *fakeNode {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeNode{t: t, listener: l, commands: make(chan string, 100), up: make(chan struct{}, 10), channels: `{"row_count": 0}`}
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
		f.conn = c
		f.mu.Unlock()
		go f.serve(c)
	}
}

// drop cuts the connection, as a network would.
func (f *fakeNode) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn != nil {
		f.conn.Close()
	}
}

func (f *fakeNode) write(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _ = fmt.Fprint(f.conn, text)
}

func (f *fakeNode) serve(c net.Conn) {
	f.write("Content-Type: auth/request\n\n")
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
		f.answer(strings.Join(lines, "|"))
	}
}

func (f *fakeNode) answer(command string) {
	switch {
	case strings.HasPrefix(command, "auth"):
		f.write("Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
	case strings.HasPrefix(command, "event"):
		f.write("Content-Type: command/reply\nReply-Text: +OK event listener enabled plain\n\n")
		f.up <- struct{}{}
	case strings.HasPrefix(command, "api show channels"):
		f.write(fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s", len(f.channels), f.channels))
	case strings.HasPrefix(command, "api uuid_dump"):
		f.write(fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s", len(f.dump), f.dump))
	case strings.HasPrefix(command, "api uuid_exists"):
		there := fmt.Sprint(strings.Contains(f.channels, strings.TrimPrefix(command, "api uuid_exists ")))
		f.write(fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s", len(there), there))
	case strings.HasPrefix(command, "api"):
		f.commands <- command
		f.write("Content-Type: api/response\nContent-Length: 4\n\n+OK\n")
	case f.refuse != "" && strings.Contains(command, f.refuse):
		f.commands <- command
		f.write("Content-Type: command/reply\nReply-Text: -ERR refused by the test\n\n")
	default:
		f.commands <- command
		f.write("Content-Type: command/reply\nReply-Text: +OK\n\n")
	}
}

// event sends an event about a leg, with the headers of the call and further ones.
func (f *fakeNode) event(name, leg, direction string, more ...string) {
	now := time.Now().UnixMicro()
	headers := []string{"Event-Name: " + name, "Unique-ID: " + leg, "Call-Direction: " + direction, fmt.Sprint("Event-Date-Timestamp: ", now),
		fmt.Sprint("Caller-Channel-Created-Time: ", now-1_000_000)}
	if direction == "inbound" {
		headers = append(headers, "variable_sip_h_X-Tandem-Call: "+callID, "variable_sip_h_X-Tandem-Tenant: office",
			"variable_sip_h_X-Tandem-Version: 3", "variable_sip_h_X-Tandem-Flow: sales", "variable_sip_h_X-Tandem-Dialled: 102",
			"variable_sip_h_X-Tandem-Number: 101", "variable_sip_call_id: abc@phone", "variable_sip_network_ip: 127.0.0.1", "variable_sip_network_port: 5070")
	} else {
		headers = append(headers, "Other-Leg-Unique-ID: "+callerLeg)
	}
	body := strings.Join(append(headers, more...), "\n") + "\n\n"
	f.write(fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(body), body))
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
	reasons  chan string // codes, as they are journalled
	contacts func() []callflows.Contact
}

func (w *world) AddCDR(c messages.CDR) { w.cdrs <- c }

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
func (w *world) AnnounceNode(messages.NodeEvent) {}

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
	w := &world{cdrs: make(chan messages.CDR, 10), reasons: make(chan string, 1000)}
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
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		Own(ctx, Options{Node: tenants.Node{Name: "node1", SIPURI: "sip:127.0.0.1:5080", EventSocket: f.listener.Addr().String()},
			Password: "secret", Profile: "internal", Worker: "worker1", Snapshot: func() *tenants.Snapshot { return snapshot },
			Ledger: w, Contacts: w, Announcer: w, Prompts: Prompts("/sounds")})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	<-f.up
	return f, w
}
