package main

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// wire is a TCP way from a worker to one of its neighbours, or from a neighbour to the worker. It leads through this process
// so that it can be cut as a network is: nothing passes, nobody is told, and what was under way arrives when it is mended.
type wire struct {
	address string // where it is entered
	target  string
	gate    *gate
	away    bool // what it leads to does not answer: it is not opened with its worker

	mu       sync.Mutex
	listener net.Listener
}

// gate lets bytes pass or wait. Several wires can share one.
type gate struct {
	mu     sync.Mutex
	closed chan struct{} // nil: open
}

func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == nil {
		g.closed = make(chan struct{})
	}
}

func (g *gate) mend() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != nil {
		close(g.closed)
		g.closed = nil
	}
}

// pass waits while the gate is closed, and says how long that was.
func (g *gate) pass() time.Duration {
	began := time.Now()
	for {
		g.mu.Lock()
		closed := g.closed
		g.mu.Unlock()
		if closed == nil {
			return time.Since(began)
		}
		<-closed
	}
}

// open lets connections in. A wire whose worker is dead is shut, for a dead process's port refuses them.
func (w *wire) open() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listener != nil {
		return nil
	}
	listener, err := net.Listen("tcp", w.address)
	if err != nil {
		return fmt.Errorf("wire to %s: %w", w.target, err)
	}
	w.listener = listener
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go w.carry(conn)
		}
	}()
	return nil
}

// shut refuses new connections; those that are there end with their ends.
func (w *wire) shut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listener != nil {
		_ = w.listener.Close()
		w.listener = nil
	}
}

func (w *wire) carry(near net.Conn) {
	defer near.Close()
	w.gate.pass()
	far, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer far.Close()
	var both sync.WaitGroup
	both.Go(func() { w.copy(far, near) })
	both.Go(func() { w.copy(near, far) })
	both.Wait()
}

const wireBuffer = 64 << 10

// copy carries one direction, its end included.
func (w *wire) copy(to, from net.Conn) {
	buffer := make([]byte, wireBuffer)
	for {
		n, err := from.Read(buffer)
		w.gate.pass()
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	// A process that has died takes both directions with it.
	_ = to.Close()
	_ = from.Close()
}
