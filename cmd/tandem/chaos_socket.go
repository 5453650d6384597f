package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"tandem/nodes/claim"
)

// tap stands between the workers and a media node's event socket. It counts what reaches the node, and it lets a fault
// fall on one exact moment: when the owner would hear of something, or when it has ordered something.
//
//	worker ──commands──► tap ──► node        each command is noted with its time just before it goes on
//	worker ◄──events──── tap ◄── node        an owner that is to die does not hear of what the trap waits for
type tap struct {
	target   string
	listener net.Listener

	mu      sync.Mutex
	conns   map[*tapped]bool
	calls   map[string]string   // by call id: the number that was dialled
	legs    map[string]string   // by the uuid of the caller's leg: the call id
	taken   map[string]int      // by command id: how often it went to the node
	doubled []string            // commands that went more than once
	history map[string][]string // by call id: what was ordered and what came of it, for people
	trap    *trap
	watch   *caught
}

// tapped is one connection of a worker.
type tapped struct {
	pid        int
	near, node net.Conn
	gate       gate // for what the node says
	orders     gate // for what the worker says
}

// moment says what a trap waits for.
type moment int

const (
	unheard moment = iota // something happened, and the owner has not heard of it
	unsent                // the owner has ordered something, and the standby has its state, but the node has not got the order
	taken                 // the node has the order, and the owner does not know
)

// trap waits for one moment of one call of the owner's.
type trap struct {
	pid         int    // the owner's
	dialled     string // by the call that is meant
	event       string // unheard: the event's name
	application string // whose end, or whose order, is the moment; "hangup" for the order to hang up, "" for any
	moment      moment
	sprung      chan caught
}

// caught is the call that a trap has caught.
type caught struct {
	call, leg string
	pid       int            // the owner's
	first     chan time.Time // gets the time of the first command for the call that comes from another process
}

func newTap(target string) (*tap, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("tap: %w", err)
	}
	t := &tap{target: target, listener: listener, conns: map[*tapped]bool{}, calls: map[string]string{}, legs: map[string]string{},
		taken: map[string]int{}, history: map[string][]string{}}
	go t.accept()
	return t, nil
}

func (t *tap) address() string { return t.listener.Addr().String() }

func (t *tap) accept() {
	for {
		near, err := t.listener.Accept()
		if err != nil {
			return
		}
		go t.carry(near)
	}
}

func (t *tap) carry(near net.Conn) {
	defer near.Close()
	node, err := net.Dial("tcp", t.target)
	if err != nil {
		return
	}
	defer node.Close()
	c := &tapped{near: near, node: node, pid: processAt(near)}
	t.mu.Lock()
	t.conns[c] = true
	t.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { c.end(t.carryEvents(c)) })
	both.Go(func() { c.end(t.carryCommands(c)) })
	both.Wait()
	t.mu.Lock()
	delete(t.conns, c)
	t.mu.Unlock()
}

// end closes both sides: a process that has died takes both directions with it.
func (c *tapped) end(error) {
	_ = c.near.Close()
	_ = c.node.Close()
	c.gate.mend()
	c.orders.mend()
}

// of gives a process's connections.
func (t *tap) of(pid int) []*tapped {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*tapped
	for c := range t.conns {
		if c.pid == pid {
			all = append(all, c)
		}
	}
	return all
}

// carryEvents carries whole frames from the node.
func (t *tap) carryEvents(c *tapped) error {
	in := bufio.NewReaderSize(c.node, wireBuffer)
	for {
		frame, err := readFrame(in)
		if err != nil {
			c.gate.pass()
			return err
		}
		t.heard(c, frame)
		c.gate.pass()
		if _, err := c.near.Write(frame); err != nil {
			return err
		}
	}
}

// maxFrame is more than any frame of a node that drives calls.
const maxFrame = 1 << 20

func readFrame(in *bufio.Reader) ([]byte, error) {
	var frame []byte
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		frame = append(frame, line...)
		if name, value, ok := strings.Cut(string(line), ":"); ok && name == "Content-Length" {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil || length < 0 || length > maxFrame {
				return nil, fmt.Errorf("tap: a frame of %q bytes", value)
			}
		}
		if len(line) == 1 {
			break
		}
	}
	body := make([]byte, length)
	_, err := io.ReadFull(in, body)
	return append(frame, body...), err
}

// header reads one header of a frame.
func header(frame []byte, name string) string {
	_, rest, ok := bytes.Cut(frame, []byte("\n"+name+": "))
	if !ok {
		return ""
	}
	value, _, _ := bytes.Cut(rest, []byte("\n"))
	text, err := url.PathUnescape(string(value))
	if err != nil {
		return string(value)
	}
	return text
}

// heard learns which call was dialled how, and springs the trap.
func (t *tap) heard(c *tapped, frame []byte) {
	dialled, call, leg := header(frame, "variable_sip_h_X-Tandem-Dialled"), header(frame, "variable_sip_h_X-Tandem-Call"), header(frame, "Unique-ID")
	if dialled == "" || call == "" || header(frame, "Call-Direction") != "inbound" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls[call], t.legs[leg] = dialled, call
	t.remember(call, c.pid, "is told "+header(frame, "Event-Name")+" "+header(frame, "Application"))
	if p := t.trap; p != nil && p.moment == unheard && p.pid == c.pid && p.dialled == dialled && p.happens(frame, call) {
		t.spring(c, call, leg)
	}
}

// spring closes the owner's ears and says which call it is. The caller holds the lock.
func (t *tap) spring(c *tapped, call, leg string) {
	p := t.trap
	t.trap = nil
	c.gate.cut()
	t.watch = &caught{call: call, leg: leg, pid: p.pid, first: make(chan time.Time, 1)}
	p.sprung <- *t.watch
}

// carryCommands carries whole commands to the node. Those that come in one write go on in one write.
func (t *tap) carryCommands(c *tapped) error {
	var held []byte
	buffer := make([]byte, wireBuffer)
	for {
		n, err := c.near.Read(buffer)
		held = append(held, buffer[:n]...)
		if end := bytes.LastIndex(held, []byte("\n\n")); end >= 0 {
			if c.orders.pass() > claim.LeaseFor {
				return errStale
			}
			if on := t.ordered(c, held[:end+2]); len(on) > 0 {
				if _, failed := c.node.Write(on); failed != nil {
					return failed
				}
			}
			held = append(held[:0], held[end+2:]...)
		}
		if err != nil {
			c.orders.pass()
			return err
		}
	}
}

// errStale ends a connection as the worker's kernel does when the network between it and the node was cut for longer than its
// lease (esl.Options.Unacknowledged): what the node had not got by then never reaches it. This process acknowledges for the
// node, so it has to do it in the kernel's place.
var errStale = errors.New("tap: not acknowledged in time")

// ordered notes commands and gives those that are to go on.
func (t *tap) ordered(c *tapped, commands []byte) []byte {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, text := range bytes.SplitAfter(commands, []byte("\n\n")) {
		if len(text) == 0 {
			continue
		}
		command := string(text)
		id, call := t.callOf(command)
		if call == "" {
			continue
		}
		if p := t.trap; p != nil && p.moment != unheard && p.pid == c.pid && p.dialled == t.calls[call] && p.wants(command) {
			t.spring(c, call, t.legOf(call))
			if p.moment == unsent {
				return nil
			}
		}
		t.remember(call, c.pid, "orders "+orderOf(command))
		if w := t.watch; w != nil && w.call == call && w.pid != c.pid {
			w.first <- now
			t.watch = nil
		}
		if id == "" {
			continue
		}
		if t.taken[id]++; t.taken[id] > 1 {
			t.doubled = append(t.doubled, id+" "+strings.ReplaceAll(command, "\n", " | "))
		}
	}
	return commands
}

// happens says whether an event of a call is the one that the trap waits for.
func (p *trap) happens(frame []byte, call string) bool {
	if header(frame, "Event-Name") != p.event || p.application == "" {
		return header(frame, "Event-Name") == p.event
	}
	return header(frame, "Application") == p.application && strings.HasPrefix(header(frame, "Application-UUID"), call+"/")
}

// wants says whether a command is the one that the trap waits for.
func (p *trap) wants(command string) bool {
	if p.application == "hangup" {
		return strings.HasPrefix(command, "api uuid_kill ")
	}
	return strings.Contains(command, "\nexecute-app-name: "+p.application+"\n")
}

// callOf finds what a command orders, and for which call. A command without an id is an order to hang up, which may be
// repeated. Others are not orders for calls.
func (t *tap) callOf(command string) (id, call string) {
	if rest, ok := strings.CutPrefix(command, "api uuid_kill "); ok {
		leg, _, _ := strings.Cut(rest, " ")
		return "", t.legs[leg]
	}
	id = header([]byte(command), "event-uuid")
	call, _, _ = strings.Cut(id, "/")
	return id, call
}

func (t *tap) legOf(call string) string {
	for leg, one := range t.legs {
		if one == call {
			return leg
		}
	}
	return ""
}

// set waits for a moment.
func (t *tap) set(p trap) chan caught {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.sprung = make(chan caught, 1)
	t.trap, t.watch = &p, nil
	return p.sprung
}

// unset waits no longer.
func (t *tap) unset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trap, t.watch = nil, nil
}

// remember keeps what happened to a call.
func (t *tap) remember(call string, pid int, what string) {
	t.history[call] = append(t.history[call], fmt.Sprintf("%s process %d %s", time.Now().Format("15:04:05.000"), pid, what))
}

// tell adds to what happened to a call.
func (t *tap) tell(is caught, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remember(is.call, is.pid, what)
}

// story tells what happened to a call.
func (t *tap) story(call string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.history[call], "\n    ")
}

// orderOf names an order in a few words.
func orderOf(command string) string {
	if app := header([]byte(command), "execute-app-name"); app != "" {
		return app + " " + header([]byte(command), "event-uuid")
	}
	line, _, _ := strings.Cut(command, "\n")
	return line
}

// twice lists commands that went to the node more than once.
func (t *tap) twice() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.doubled...)
}

// processAt finds the process at the other end of a connection on this machine (proc(5)); 0 when there is none. A listing of
// /proc may miss what changes meanwhile, so it is made more than once.
func processAt(conn net.Conn) int {
	const attempts = 20
	near, ok := conn.RemoteAddr().(*net.TCPAddr)
	here, okHere := conn.LocalAddr().(*net.TCPAddr)
	if !ok || !okHere {
		return 0
	}
	for range attempts {
		inode := inodeOf(fmt.Sprintf(":%04X", near.Port), fmt.Sprintf(":%04X", here.Port))
		found, _ := filepath.Glob("/proc/[0-9]*/fd/*")
		for _, path := range found {
			if to, err := os.Readlink(path); err == nil && to == "socket:["+inode+"]" {
				pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
				return pid
			}
		}
	}
	return 0
}

// inodeOf finds a socket by the ends of its local and its remote address as /proc/net/tcp writes them.
func inodeOf(local, remote string) string {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) > 9 && strings.HasSuffix(fields[1], local) && strings.HasSuffix(fields[2], remote) && fields[9] != "0" {
			return fields[9]
		}
	}
	return ""
}
