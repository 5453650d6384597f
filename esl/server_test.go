package esl

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// patience bounds every wait of these tests; none is expected to last.
const patience = 10 * time.Second

// peer is the FreeSWITCH side of one connection, driven by the test.
type peer struct {
	t  testing.TB
	nc net.Conn
	r  *bufio.Reader
}

// command reads one command up to its empty line, which it cuts off.
func (p *peer) command() string {
	p.t.Helper()
	text, err := p.readCommand()
	if err != nil {
		p.t.Errorf("peer: %v", err)
	}
	return text
}

func (p *peer) readCommand() (string, error) {
	var all strings.Builder
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			return all.String(), err
		}
		if line == "\n" {
			return strings.TrimSuffix(all.String(), "\n"), nil
		}
		all.WriteString(line)
	}
}

func (p *peer) write(wire string) { io.WriteString(p.nc, wire) }
func (p *peer) reply(text string) {
	p.write("Content-Type: command/reply\nReply-Text: " + text + "\n\n")
}
func (p *peer) response(body string) {
	p.write(fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s", len(body), body))
}
func (p *peer) event(lines ...string) { p.write(eventFrame(lines...)) }

func eventFrame(lines ...string) string {
	body := strings.Join(lines, "\n") + "\n\n"
	return fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(body), body)
}

func jobFrame(id, result string) string {
	body := fmt.Sprintf("Event-Name: BACKGROUND_JOB\nJob-UUID: %s\nContent-Length: %d\n\n%s", id, len(result), result)
	return fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(body), body)
}

// listen accepts connections and hands each to serve.
func listen(t testing.TB, serve func(*peer)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		served := make(chan struct{}, 1000)
		n := 0
		for {
			nc, err := l.Accept()
			if err != nil {
				break
			}
			nc.SetDeadline(time.Now().Add(patience))
			n++
			go func() {
				defer func() { nc.Close(); served <- struct{}{} }()
				serve(&peer{t, nc, bufio.NewReader(nc)})
			}()
		}
		for range n {
			<-served
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return l.Addr().String()
}

// greet goes through the handshake and returns the subscription.
func (p *peer) greet() string {
	p.t.Helper()
	p.write("Content-Type: auth/request\n\n")
	if got := p.command(); got != "auth secret" {
		p.t.Errorf("login %q", got)
	}
	p.reply("+OK accepted")
	subscription := p.command()
	p.reply("+OK event listener enabled plain")
	return subscription
}

// hold waits until the client has gone.
func (p *peer) hold() { io.Copy(io.Discard, p.r) }

// connect dials a peer that is greeted and then serves.
func connect(t testing.TB, o Options, serve func(*peer)) *Conn {
	t.Helper()
	o.Address = listen(t, func(p *peer) { p.greet(); serve(p) })
	o.Password = "secret"
	c, err := Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// wait fails the test if ch does not deliver or close.
func wait[T any](t testing.TB, what string, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(patience):
		t.Fatalf("%s did not happen", what)
	}
	return v
}

func background(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
