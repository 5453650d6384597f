package link

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// pretend is an owner that proves itself, admits whoever comes, and then does what the test says.
func pretend(t testing.TB, then func(net.Conn, *frames)) (address string) {
	t.Helper()
	return pretendWith(t, secret(), then)
}

func pretendWith(t testing.TB, secret []byte, then func(net.Conn, *frames)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	t.Cleanup(func() { _ = listener.Close(); <-over })
	go func() {
		defer close(over)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(patient))
		from := handshakeFrames(conn)
		first, err := expect(from, frameHello)
		if err != nil {
			return
		}
		challenge := newChallenge()
		_, _ = conn.Write(appendFrame(nil, frameChallenge, challenge[:]))
		if _, err := expect(from, frameProof); err != nil {
			return
		}
		answer := welcome{status: statusAccepted, epoch: epoch, worker: "pretender"}.body()
		_, _ = conn.Write(appendFrame(nil, frameWelcome, answer, prove(secret, labelOwner, first, challenge[:], answer)))
		then(conn, from)
	}()
	return listener.Addr().String()
}

// stillServes shows that an honest standby is served, whatever happened before.
func stillServes(t *testing.T, s *Server, o *Owner) {
	t.Helper()
	p := newPicture()
	f := follow(t, options(s, p.handle))
	await(t, p.complete, "an honest standby's snapshot")
	shipped(t, o.Ship("call", []byte("state")))
	_ = f.Close()
}

func TestAStandbyWithAnotherSecretIsRefusedAndLearnsNothing(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory("call", "secret state").snapshot())
	for _, asked := range []string{node, "media-9"} { // which nodes there are is also no matter of strangers
		wrong := options(s, func(Record) { t.Error("a stranger was told a record") })
		wrong.Secret, wrong.Node = []byte("another secret, as long as this"), asked
		if _, err := Follow(t.Context(), wrong); !errors.Is(err, ErrHandshake) || errors.Is(err, ErrNotOwned) {
			t.Errorf("%v", err)
		}
	}
	if got := s.Stats(); got.Refused != 2 || got.Standbys+got.Declined != 0 {
		t.Errorf("%+v", got)
	}
	stillServes(t, s, o)
}

func TestAnOwnerWithAnotherSecretIsNotFollowed(t *testing.T) {
	address := pretendWith(t, []byte("another secret, as long as this"), func(net.Conn, *frames) {})
	_, err := Follow(t.Context(), FollowOptions{Address: address, Node: node, Worker: "standby", Epoch: epoch, Secret: secret(),
		Handle: func(Record) { t.Error("a record of a stranger was handled") }})
	if !errors.Is(err, ErrHandshake) {
		t.Error(err)
	}
}

// recorder keeps what one side wrote.
type recorder struct {
	net.Conn
	wrote bytes.Buffer
}

func (r *recorder) Write(b []byte) (int, error) {
	r.wrote.Write(b)
	return r.Conn.Write(b)
}

func TestARecordedHandshakeIsWorthNothing(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	honest := &recorder{Conn: raw(t, s.Addr())}
	if _, err := converse(honest, handshakeFrames(honest), options(s, func(Record) {})); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(honest.wrote.Bytes(), secret()) {
		t.Error("the secret was sent in clear")
	}
	_ = honest.Close()
	until(t, "the honest standby gone", func() bool { return s.Stats().Lost == 1 })

	thief := raw(t, s.Addr())
	_, _ = thief.Write(honest.wrote.Bytes())
	answers, _ := io.ReadAll(thief)
	if kind, _, size, err := cut(answers, limitHandshake); err != nil || kind != frameChallenge || len(answers) != size {
		t.Errorf("beside the challenge a replay was answered: %d bytes, kind %d, %v", len(answers), kind, err)
	}
	until(t, "the replay refused", func() bool { return s.Stats().Refused == 1 })
	stillServes(t, s, o)
}

// One who has no secret sends each side's own proof back to it.
func TestAProofSentBackIsWorthNothing(t *testing.T) {
	hello, challenge := newHello(node, "standby", epoch).body(), newChallenge()
	if bytes.Equal(prove(secret(), labelStandby, hello, challenge[:]), prove(secret(), labelOwner, hello, challenge[:])) {
		t.Error("both sides' proofs are equal")
	}
	if bytes.Equal(prove(secret(), "ab", []byte("c")), prove(secret(), "a", []byte("bc"))) {
		t.Error("parts can be moved into one another")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		from := handshakeFrames(conn)
		_, _ = expect(from, frameHello)
		challenge := newChallenge()
		_, _ = conn.Write(appendFrame(nil, frameChallenge, challenge[:]))
		proof, _ := expect(from, frameProof)
		_, _ = conn.Write(appendFrame(nil, frameWelcome, welcome{status: statusAccepted, epoch: epoch, worker: "mirror"}.body(), proof))
	}()
	o := FollowOptions{Address: listener.Addr().String(), Node: node, Worker: "standby", Epoch: epoch, Secret: secret(), Handle: func(Record) {}}
	if _, err := Follow(t.Context(), o); !errors.Is(err, ErrHandshake) {
		t.Error(err)
	}
}

func TestGarbageInsteadOfAHandshakeIsRefusedAtOnce(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	hello := newHello(node, "standby", epoch).body()
	cases := map[string][]byte{
		"another protocol":     []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"a huge length":        binary.BigEndian.AppendUint32(nil, 1<<32-1),
		"a length of nothing":  make([]byte, 4),
		"a length over limit":  binary.BigEndian.AppendUint32(nil, limitHandshake+1),
		"a record first":       appendRecord(nil, frameSet, "call", []byte("x")),
		"a proof first":        appendFrame(nil, frameProof, make([]byte, 32)),
		"another version":      appendFrame(nil, frameHello, append([]byte("tandem-link/9"), hello[len(protocol):]...)),
		"a short hello":        appendFrame(nil, frameHello, hello[:20]),
		"a hello that goes on": appendFrame(nil, frameHello, hello, []byte("x")),
		"a name beyond":        appendFrame(nil, frameHello, hello[:len(hello)-1]),
		"no name":              appendFrame(nil, frameHello, hello[:len(protocol)+8+challengeSize], []byte{0, 0}),
		"a short proof":        append(appendFrame(nil, frameHello, hello), appendFrame(nil, frameProof, []byte("x"))...),
		"an acknowledgement":   append(appendFrame(nil, frameHello, hello), appendAck(nil, 1)...),
	}
	for name, sent := range cases {
		conn := raw(t, s.Addr())
		_, _ = conn.Write(sent)
		begin := time.Now()
		_, _ = io.ReadAll(conn) // until the server closes
		if took := time.Since(begin); took >= HandshakeLimit {
			t.Errorf("%s: refused after %s", name, took)
		}
	}
	until(t, "all refused", func() bool { return s.Stats().Refused == uint64(len(cases)) })
	stillServes(t, s, o)
}

func TestSlowHandshakesKeepNobodyOut(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	begin := time.Now()
	var idle []net.Conn
	for range 2 * MaxHandshakes {
		conn := raw(t, s.Addr())
		_, _ = conn.Write([]byte{0})
		idle = append(idle, conn)
	}
	stillServes(t, s, o)
	for _, conn := range idle {
		_, _ = io.ReadAll(conn)
	}
	if took := time.Since(begin); took > HandshakeLimit+3*time.Second {
		t.Errorf("the last was closed after %s", took)
	}
	if s.Stats().Evicted < MaxHandshakes {
		t.Errorf("%+v", s.Stats())
	}
}

func TestAFollowersHandshakeIsBoundedInTime(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // its backlog accepts, and nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	asked := FollowOptions{Address: listener.Addr().String(), Node: node, Worker: "standby", Secret: secret(), Handle: func(Record) {}}
	begin := time.Now()
	if _, err := Follow(t.Context(), asked); !errors.Is(err, ErrHandshake) {
		t.Error(err)
	}
	if took := time.Since(begin); took > 4*HandshakeLimit {
		t.Errorf("it took %s", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Follow(ctx, asked); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a shorter context: %v", err)
	}
}

func TestAProvenStandbyThatBreaksTheProtocolIsCutOff(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	cases := map[string][]byte{
		"what was never sent":    appendAck(nil, 1<<60),
		"an acknowledgement cut": appendFrame(nil, frameAck, []byte{1}),
		"a record":               appendRecord(nil, frameSet, "call", nil),
		"a huge length":          binary.BigEndian.AppendUint32(nil, 1<<31),
		"a handshake":            appendFrame(nil, frameHello, nil),
		"a ping that talks":      appendFrame(nil, framePing, []byte{1}),
	}
	for name, sent := range cases {
		conn, from := proven(t, s)
		from.expand(conn, limitRecord, 0)
		_, _ = conn.Write(sent)
		begin := time.Now()
		for {
			kind, body, _, err := from.next()
			if err != nil {
				t.Errorf("%s: %v without a last word", name, err)
				break
			}
			if kind == frameNotice {
				if !errors.Is(noticed(body), ErrCutOff) {
					t.Errorf("%s: it is told %v", name, noticed(body))
				}
				if took := time.Since(begin); took >= StallLimit {
					t.Errorf("%s: it is told after %s", name, took)
				}
				break
			}
		}
	}
	if got := s.Stats().CutOff; got != uint64(len(cases)) {
		t.Errorf("%d cut off of %d", got, len(cases))
	}
	stillServes(t, s, o)
}

func TestAnAcknowledgementGoesBackNever(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	conn, from := proven(t, s)
	from.expand(conn, limitRecord, 0)
	ticket := o.Ship("call", []byte("x"))
	for position := uint64(0); position < ticket.position; {
		kind, _, size, err := from.next()
		if err != nil {
			t.Fatal(err)
		}
		if kind != framePing {
			position += uint64(size)
		}
	}
	_, _ = conn.Write(appendAck(nil, ticket.position))
	shipped(t, ticket)
	_, _ = conn.Write(appendAck(nil, ticket.position-1))
	begin := time.Now()
	until(t, "the standby cut off", func() bool { return s.Stats().CutOff == 1 })
	if took := time.Since(begin); took >= StallLimit {
		t.Errorf("cut off after %s: because it stalled", took)
	}
}

func TestAnOwnerThatBreaksTheProtocolIsNotTakenForDead(t *testing.T) {
	record := appendRecord(nil, frameSet, "call", []byte("state"))
	for _, c := range []struct {
		name string
		sent []byte
		want error
		told int
	}{
		{"an end between frames", record, ErrPeerClosed, 1},
		{"an end inside a frame", append(bytes.Clone(record), record[:len(record)-1]...), ErrMalformed, 1},
		{"an end inside a length", append(bytes.Clone(record), 0, 0), ErrMalformed, 1},
		{"a huge length", []byte{0xff, 0xff, 0xff, 0xff, frameSet}, ErrMalformed, 0},
		{"a value over the limit", binary.BigEndian.AppendUint32(nil, limitRecord+1), ErrMalformed, 0},
		{"no key", appendRecord(nil, frameSet, "", []byte("x")), ErrMalformed, 0},
		{"a key over the limit", appendRecord(nil, frameSet, string(make([]byte, MaxKey+1)), nil), ErrMalformed, 0},
		{"a key beyond the frame", appendFrame(nil, frameSet, []byte{0, 9, 'x'}), ErrMalformed, 0},
		{"a value that is forgotten", appendFrame(nil, frameForget, []byte{0, 1, 'x', 'y'}), ErrMalformed, 0},
		{"an unknown kind", appendFrame(nil, 77, nil), ErrMalformed, 0},
		{"an acknowledgement", appendAck(nil, 1), ErrMalformed, 0},
		{"an unknown notice", appendFrame(nil, frameNotice, []byte{99}), ErrMalformed, 0},
		{"an empty notice", appendFrame(nil, frameNotice), ErrMalformed, 0},
		{"a goodbye that talks", appendFrame(nil, frameGoodbye, []byte{1}), ErrMalformed, 0},
	} {
		address := pretend(t, func(conn net.Conn, _ *frames) {
			_, _ = conn.Write(c.sent)
			closeWrite(conn)
			_, _ = io.Copy(io.Discard, conn)
		})
		p := newPicture()
		f := follow(t, FollowOptions{Address: address, Node: node, Worker: "standby", Epoch: epoch, Secret: secret(), Silence: lenient, Handle: p.handle})
		await(t, f.Done(), c.name)
		if !errors.Is(f.Err(), c.want) || len(p.records()) != c.told {
			t.Errorf("%s: %v after %d records", c.name, f.Err(), len(p.records()))
		}
	}
}
