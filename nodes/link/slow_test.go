package link

import (
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"
)

// stuck is a standby whose Handle does not return from the first record shipped until it is let go.
func stuck(t *testing.T, s *Server) (f *Follower, held, goOn chan struct{}) {
	t.Helper()
	held, goOn = make(chan struct{}), make(chan struct{})
	first := true
	f = follow(t, options(s, func(r Record) {
		if r.Kind == KindSet && !r.Snapshot && first {
			first = false
			close(held)
			<-goOn
		}
	}))
	return f, held, goOn
}

func TestShipNeverBlocksAndAStandbyThatDoesNotKeepUpIsCutOff(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	f, held, goOn := stuck(t, s)
	o.Ship("call", []byte("first"))
	await(t, held, "the first record")

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	value := make([]byte, MaxValue)
	bytes := 0
	for there := true; there && bytes < 4*MaxBacklog; _, there = o.Standby() {
		o.Ship("call", value)
		bytes += len(value)
	}
	runtime.ReadMemStats(&after)
	if bytes < 4*window || bytes > MaxBacklog+2*window { // one that waited would have stopped at the window
		t.Errorf("the standby was cut off after %d bytes", bytes)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8*MaxBacklog {
		t.Errorf("%d bytes were allocated", grown)
	}
	if ticket := o.Ship("call", value); ticket.Refused() || ticket.Wait(time.Hour) {
		t.Error("without its standby the owner cannot go on")
	}
	close(goOn)
	ends(t, f, ErrCutOff)
	if got := s.Stats().CutOff; got != 1 {
		t.Errorf("%d cut off", got)
	}
}

func TestAStandbyThatPingsAndAcknowledgesNothingIsCutOff(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	f, held, goOn := stuck(t, s)
	ticket := o.Ship("call", []byte("state"))
	await(t, held, "the record")
	begin := time.Now()
	if ticket.Wait(patient) {
		t.Fatal("acknowledged")
	}
	if took := time.Since(begin); took < StallLimit/2 {
		t.Errorf("cut off after %s", took)
	}
	close(goOn)
	ends(t, f, ErrCutOff)
}

func TestASnapshotWaitsForItsStandbyWithinBounds(t *testing.T) {
	s := listen(t, lenient)
	yielded := make(chan int, 1)
	o := s.Own(node, epoch, func(yield func(string, []byte) bool) {
		n := 0
		for value := make([]byte, 1000); yield("call", value); n++ {
		}
		yielded <- n
	})
	conn, _ := proven(t, s)
	go func() { // it pings and reads nothing
		for {
			if _, err := conn.Write(appendFrame(nil, framePing)); err != nil {
				return
			}
			<-time.After(PingEvery)
		}
	}()
	select {
	case n := <-yielded:
		if n*1000 > snapshotRoom+2*window {
			t.Errorf("%d bytes of the snapshot were taken", n*1000)
		}
	case <-time.After(patient):
		t.Fatal("the snapshot did not end with the link")
	}
	until(t, "the standby gone", func() bool { _, there := o.Standby(); return !there })
}

// A standby that comes back late finds the owner's word, and does not take the link's end for a death.
func TestALastWordFitsWhateverWasWritten(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	conn, from := proven(t, s)
	from.expand(conn, limitRecord, 0)
	for range 2000 {
		o.Ship("call", make([]byte, 1000))
	}
	until(t, "the standby cut off", func() bool {
		_, _ = conn.Write(appendFrame(nil, framePing))
		return s.Stats().CutOff == 1
	})
	var last byte
	for {
		kind, body, _, err := from.next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Errorf("after the last word: %v", err)
			}
			break
		}
		if last = kind; kind == frameNotice && !errors.Is(noticed(body), ErrCutOff) {
			t.Errorf("the notice says %v", noticed(body))
		}
	}
	if last != frameNotice {
		t.Errorf("the last frame is of kind %d", last)
	}
}

func TestASilentStandbyIsGivenUpAndTold(t *testing.T) {
	s := listen(t, MinSilence)
	o := s.Own(node, epoch, newMemory().snapshot())
	conn, from := proven(t, s)
	from.expand(conn, limitRecord, 0)
	begin := time.Now()
	for {
		kind, body, _, err := from.next()
		if err != nil {
			t.Fatal(err)
		}
		if kind == frameNotice {
			if !errors.Is(noticed(body), ErrCutOff) {
				t.Errorf("it is told %v", noticed(body))
			}
			break
		}
	}
	if took := time.Since(begin); took < MinSilence/2 {
		t.Errorf("given up after %s", took)
	}
	if _, there := o.Standby(); there || s.Stats().Silent != 1 {
		t.Errorf("%+v", s.Stats())
	}
}

func TestASilentOwnerIsNoticedInTime(t *testing.T) {
	address := pretend(t, func(conn net.Conn, _ *frames) { _, _ = io.Copy(io.Discard, conn) })
	const silence = 100 * time.Millisecond
	f := follow(t, FollowOptions{Address: address, Node: node, Worker: "standby", Epoch: epoch, Secret: secret(), Silence: silence,
		Handle: func(Record) {}})
	begin := time.Now()
	ends(t, f, ErrSilent)
	if took := time.Since(begin); took < silence/2 || took > 20*silence {
		t.Errorf("noticed after %s", took)
	}
}

func TestAnIdleLinkStaysUp(t *testing.T) {
	const silence = time.Second
	s := listen(t, silence)
	o := s.Own(node, epoch, newMemory().snapshot())
	asked := options(s, func(Record) {})
	asked.Silence = silence
	f := follow(t, asked)
	select {
	case <-f.Done():
		t.Fatal(f.Err())
	case <-time.After(silence + StallLimit): // longer than every limit
	}
	shipped(t, o.Ship("call", []byte("state")))
}

// An end that is found only after this side was itself away is not taken for the owner's death.
func TestAnEndFoundAfterAnAbsenceIsNoDeath(t *testing.T) {
	begin := time.Now()
	for _, c := range []struct {
		name string
		last time.Time
		want error
	}{
		{"present", begin, ErrPeerClosed},
		{"away", begin.Add(-time.Minute), ErrSilent},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		here := raw(t, listener.Addr().String())
		there, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = there.Close(), listener.Close()
		p := &patience{conn: here, limit: lenient, last: c.last}
		if _, err := p.Read(make([]byte, 1)); !errors.Is(ended(err), c.want) {
			t.Errorf("%s: %v", c.name, ended(err))
		}
	}
}
