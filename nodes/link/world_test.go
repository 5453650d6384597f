package link

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	patient = 10 * time.Second // for what must come at all
	lenient = 2 * time.Second  // a limit of silence that a loaded machine keeps
	node    = "media-1"
	epoch   = 7
)

func secret() []byte { return []byte("a secret of more than 16 bytes") }

// memory is an owner's state: what is shipped is in it before.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
}

func newMemory(keysAndValues ...string) *memory {
	m := &memory{values: map[string][]byte{}}
	for i := 0; i < len(keysAndValues); i += 2 {
		m.values[keysAndValues[i]] = []byte(keysAndValues[i+1])
	}
	return m
}

func (m *memory) set(key string, value []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if value == nil {
		delete(m.values, key)
		return
	}
	m.values[key] = value
}

// snapshot copies, then yields without the lock.
func (m *memory) snapshot() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		m.mu.Lock()
		all := maps.Clone(m.values)
		m.mu.Unlock()
		for key, value := range all {
			if !yield(key, value) {
				return
			}
		}
	}
}

// picture is what a standby has been told.
type picture struct {
	mu       sync.Mutex
	values   map[string][]byte
	told     []Record
	complete chan struct{}
}

func newPicture() *picture {
	return &picture{values: map[string][]byte{}, complete: make(chan struct{})}
}

func (p *picture) handle(r Record) {
	r.Value = bytes.Clone(r.Value)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, r)
	switch r.Kind {
	case KindSet:
		p.values[r.Key] = r.Value
	case KindForget, KindOversize:
		delete(p.values, r.Key)
	case KindComplete:
		close(p.complete)
	}
}

func (p *picture) records() []Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Record(nil), p.told...)
}

func (p *picture) state() map[string][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.values)
}

func listen(t testing.TB, silence time.Duration) *Server {
	t.Helper()
	s, err := Listen(t.Context(), Options{Address: "127.0.0.1:0", Secret: secret(), Worker: "owner", Silence: silence})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func options(s *Server, handle func(Record)) FollowOptions {
	return FollowOptions{Address: s.Addr(), Node: node, Worker: "standby", Epoch: epoch, Secret: secret(), Silence: lenient, Handle: handle}
}

func follow(t testing.TB, o FollowOptions) *Follower {
	t.Helper()
	f, err := Follow(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// linked is an owner with a standby that has its whole snapshot.
func linked(t testing.TB, m *memory) (*Server, *Owner, *Follower, *picture) {
	t.Helper()
	s, p := listen(t, lenient), newPicture()
	o := s.Own(node, epoch, m.snapshot())
	f := follow(t, options(s, p.handle))
	await(t, p.complete, "the snapshot")
	return s, o, f, p
}

func await(t testing.TB, what <-chan struct{}, name string) {
	t.Helper()
	select {
	case <-what:
	case <-time.After(patient):
		t.Fatalf("%s did not come", name)
	}
}

func ends(t testing.TB, f *Follower, why error) {
	t.Helper()
	await(t, f.Done(), "the end of the link")
	if !errors.Is(f.Err(), why) {
		t.Fatalf("the link ended with %v, not %v", f.Err(), why)
	}
}

func shipped(t testing.TB, ticket Ticket) {
	t.Helper()
	if !ticket.Wait(patient) {
		t.Fatal("the standby did not acknowledge")
	}
}

// until looks again and again, for what has no event to wait for.
func until(t testing.TB, name string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for begin := time.Now(); !is(); <-tick.C {
		if time.Since(begin) > patient {
			t.Fatalf("%s did not become so", name)
		}
	}
}

func raw(t testing.TB, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patient))
	return conn
}

// proven is a connection that has been admitted as the node's standby and does nothing by itself.
func proven(t testing.TB, s *Server) (net.Conn, *frames) {
	t.Helper()
	conn := raw(t, s.Addr())
	from := handshakeFrames(conn)
	if _, err := introduce(t.Context(), conn, from, options(s, func(Record) {})); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patient))
	return conn, from
}

func same(a, b map[string][]byte) string {
	var wrong []string
	for key, value := range a {
		if other, ok := b[key]; !ok || !bytes.Equal(value, other) {
			wrong = append(wrong, fmt.Sprintf("%s: %q and %q", key, value, other))
		}
	}
	for key := range b {
		if _, ok := a[key]; !ok {
			wrong = append(wrong, key+": only the standby has it")
		}
	}
	return strings.Join(wrong, "\n")
}
