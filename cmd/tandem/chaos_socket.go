package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
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
	calls   map[string]string // by call id: the number that was dialled
	legs    map[string]string // by the uuid of the caller's leg: the call id
	taken   map[string]int    // by command id: how often it went to the node
	doubled []string          // commands that went more than once
	stories map[string]*story // by call id: what was ordered and what came of it, for people
	lines   map[string]string // by the first digits of the uuids of its legs, which they share: the call id
	drivers map[string]int    // by call id: the process that ordered something last
	number  int               // of the last connection
	trap    *trap
	watch   *caught
}

// tapped is one connection of a worker.
type tapped struct {
	pid        int
	number     int
	near, node net.Conn
	gate       gate // for what the node says
	orders     gate // for what the worker says
}

func newTap(target string) (*tap, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("tap: %w", err)
	}
	t := &tap{target: target, listener: listener, conns: map[*tapped]bool{}, calls: map[string]string{}, legs: map[string]string{},
		taken: map[string]int{}, stories: map[string]*story{}, drivers: map[string]int{}, lines: map[string]string{}}
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
	t.number++
	c.number = t.number
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
			// The worker is dead. What it had ordered by then is in the kernel's hands and reaches the node all the same.
			_, _ = io.Copy(io.Discard, in)
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
	rest, on := commands, 0 // on is how much goes on whatever comes: up to the last order and the mark that goes with it
	for _, text := range bytes.SplitAfter(commands, []byte("\n\n")) {
		rest = rest[len(text):]
		if len(text) == 0 {
			continue
		}
		command := string(text)
		id, call := t.callOf(command)
		if call == "" {
			t.remember(t.about(command), c, "asks "+orderOf(command))
			continue
		}
		if p := t.trap; p != nil && p.moment != unheard && p.pid == c.pid && p.dialled == t.calls[call] && p.wants(command) {
			t.spring(c, call, t.legOf(call))
			if p.moment == unsent {
				return commands[:on]
			}
		}
		t.remember(call, c, "orders "+orderOf(command))
		t.drivers[call] = c.pid
		on = len(commands) - len(rest)
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

// sharedDigits is how many digits of their uuids the legs of one call share.
const sharedDigits = 8

// about finds the call that a command without an id speaks of: the second or third word is a leg's uuid.
func (t *tap) about(command string) string {
	for i, word := range strings.Fields(command) {
		if i > 2 || len(word) < sharedDigits {
			continue
		}
		if call := t.lines[word[:sharedDigits]]; call != "" {
			return call
		}
	}
	return ""
}

func (t *tap) legOf(call string) string {
	for leg, one := range t.legs {
		if one == call {
			return leg
		}
	}
	return ""
}

// twice lists commands that went to the node more than once.
func (t *tap) twice() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.doubled...)
}
