package link

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"
)

func TestRecordsComeInTheOrderInWhichTheyWereShipped(t *testing.T) {
	_, o, _, p := linked(t, newMemory())
	const records = 50_000
	var last Ticket
	for i := range records {
		last = o.Ship("call-"+strconv.Itoa(i%7), []byte(strconv.Itoa(i)))
	}
	shipped(t, last)
	told := p.records()[1:] // after KindComplete
	if len(told) != records {
		t.Fatalf("%d records came of %d", len(told), records)
	}
	for i, r := range told {
		if string(r.Value) != strconv.Itoa(i) || r.Key != "call-"+strconv.Itoa(i%7) || r.Snapshot || r.Kind != KindSet {
			t.Fatalf("record %d is %+v", i, r)
		}
	}
}

// What is shipped at once is more than the window; acknowledgements, and not the next ping, let the rest follow.
func TestMoreThanTheWindowGoesThroughWithoutPauses(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	follow(t, options(s, func(Record) {}))
	value, quickest := make([]byte, MaxValue/2), time.Hour
	const windows = 40
	for range 5 {
		begin := time.Now()
		var last Ticket
		for range windows * window / len(value) {
			last = o.Ship("call", value)
		}
		shipped(t, last)
		quickest = min(quickest, time.Since(begin))
	}
	if quickest > windows*PingEvery/2 {
		t.Errorf("%d windows took %s", windows, quickest)
	}
}

// acknowledgements are those that a follower sends when its owner writes some bytes at once.
func acknowledgements(t *testing.T, sent []byte, handle func(Record)) <-chan uint64 {
	t.Helper()
	acked := make(chan uint64, 1000)
	address := pretend(t, func(conn net.Conn, from *frames) {
		_, _ = conn.Write(sent)
		from.expand(conn, limitFromPeer, 0)
		for {
			kind, body, _, err := from.next()
			if err != nil {
				return
			}
			if kind == frameAck {
				acked <- binary.BigEndian.Uint64(body)
			}
		}
	})
	follow(t, FollowOptions{Address: address, Node: node, Worker: "standby", Epoch: epoch, Secret: secret(), Silence: lenient, Handle: handle})
	return acked
}

// A ping that came with a record, behind it, must not keep the acknowledgement back.
func TestAPingBehindARecordDoesNotDelayItsAcknowledgement(t *testing.T) {
	for name, frame := range map[string][]byte{"record": appendRecord(nil, frameSet, "call", []byte("state")),
		"goodbye": appendFrame(nil, frameGoodbye), "complete": appendFrame(nil, frameComplete)} {
		select {
		case got := <-acknowledgements(t, appendFrame(bytes.Clone(frame), framePing), func(Record) {}):
			if got != uint64(len(frame)) {
				t.Errorf("%s: acknowledged %d of %d bytes", name, got, len(frame))
			}
		case <-time.After(patient):
			t.Fatalf("%s: not acknowledged", name)
		}
	}
}

func TestManyRecordsAreNotKeptWaitingForTheLastOne(t *testing.T) {
	var sent []byte
	for range 2 * ackEvery / 1000 {
		sent = appendRecord(sent, frameSet, "call", make([]byte, 1000))
	}
	goOn := make(chan struct{})
	defer close(goOn)
	acked := acknowledgements(t, appendRecord(sent, frameSet, "last", nil), func(r Record) {
		if r.Key == "last" {
			<-goOn
		}
	})
	for {
		select {
		case position := <-acked:
			if position >= ackEvery {
				return
			}
		case <-time.After(patient):
			t.Fatal("nothing is acknowledged before the last record was handled")
		}
	}
}

func TestWaitersAreToldInWhateverOrderTheyCame(t *testing.T) {
	var a acks
	waiting := map[uint64]*waiter{}
	for _, position := range []uint64{5, 3, 9, 1, 7, 5} {
		waiting[position], _ = a.enlist(position)
	}
	told := func(position uint64) (is bool) {
		select {
		case is = <-waiting[position].told:
		default:
		}
		return is
	}
	a.reach(4)
	if !told(1) || !told(3) || told(5) || told(7) || told(9) {
		t.Error("at 4 the wrong ones were told")
	}
	if a.giveUp(waiting[7]) {
		t.Error("one that gave up was told")
	}
	a.reach(8)
	if !told(5) || told(7) || told(9) || a.giveUp(waiting[9]) || a.oldest != nil || a.newest != nil {
		t.Error("at 8 the wrong ones were told")
	}
	if _, listed := a.enlist(8); listed {
		t.Error("one waits for what is acknowledged")
	}
}

func TestAStandbyIsToldWhatARecordIs(t *testing.T) {
	m := newMemory("held", "by the owner")
	m.values["huge"] = make([]byte, MaxValue+1)
	_, o, f, p := linked(t, m)
	if f.Owner() != "owner" || !f.Complete() {
		t.Errorf("the follower has owner %q and complete %v", f.Owner(), f.Complete())
	}
	if worker, ok := o.Standby(); !ok || worker != "standby" {
		t.Errorf("the owner has standby %q, %v", worker, ok)
	}
	until(t, "the owner's view of its standby", o.Synced)
	before := len(p.records())

	o.Ship("set", []byte("value"))
	o.Ship("empty", []byte{})
	o.Ship("largest", make([]byte, MaxValue))
	o.Ship("oversize", make([]byte, MaxValue+1))
	shipped(t, o.Ship("set", nil))
	want := []Record{{Kind: KindSet, Key: "set", Value: []byte("value")}, {Kind: KindSet, Key: "empty", Value: []byte{}},
		{Kind: KindSet, Key: "largest", Value: make([]byte, MaxValue)}, {Kind: KindOversize, Key: "oversize"}, {Kind: KindForget, Key: "set"}}
	for i, r := range p.records()[before:] {
		if w := want[i]; r.Kind != w.Kind || r.Key != w.Key || !bytes.Equal(r.Value, w.Value) || r.Snapshot || (r.Value == nil) != (w.Value == nil) {
			t.Errorf("record %d: kind %d, key %s, %d bytes; want kind %d, key %s, %d bytes", i, r.Kind, r.Key, len(r.Value), w.Kind, w.Key, len(w.Value))
		}
	}
	for _, r := range p.records()[:before] {
		if !r.Snapshot || (r.Key == "huge") != (r.Kind == KindOversize) {
			t.Errorf("from the snapshot: %+v", r)
		}
	}
	if o.Backlog() != 0 {
		t.Errorf("a backlog of %d bytes with all acknowledged", o.Backlog())
	}
}

func TestShippingWithoutAStandbySucceedsAtOnceAndIsNotAcknowledged(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	ticket := o.Ship("call", []byte("state"))
	if ticket.Refused() || ticket.Wait(time.Hour) {
		t.Error("the record was refused or acknowledged")
	}
	if _, ok := o.Standby(); ok || o.Synced() || o.Backlog() != 0 {
		t.Error("a standby is said to be there")
	}
	if allocated := testing.AllocsPerRun(1000, func() { o.Ship("call", []byte("state")) }); allocated > 0 {
		t.Errorf("%v allocations", allocated)
	}
}

func TestShippingAndWaitingAllocatesNothing(t *testing.T) {
	s, value := listen(t, lenient), make([]byte, 600)
	o := s.Own(node, epoch, newMemory().snapshot())
	follow(t, options(s, func(Record) {}))
	shipped(t, o.Ship("call", value))
	allocated := testing.AllocsPerRun(1000, func() { shipped(t, o.Ship("call", value)) })
	if allocated > 2 { // the key on the standby's side; under the race detector sync.Pool forgets now and then
		t.Errorf("%v allocations", allocated)
	}
}

func TestAWrongKeyIsRefused(t *testing.T) {
	s, o, _, _ := linked(t, newMemory("", "empty key in the snapshot"))
	for _, key := range []string{"", string(make([]byte, MaxKey+1))} {
		if ticket := o.Ship(key, []byte("x")); !ticket.Refused() || ticket.Wait(time.Hour) {
			t.Errorf("a key of %d bytes was taken", len(key))
		}
	}
	shipped(t, o.Ship(string(make([]byte, MaxKey)), []byte("x")))
	if got := s.Stats().WrongKeys; got != 3 {
		t.Errorf("%d wrong keys counted", got)
	}
}

// Updates, removals and a standby that comes and goes, all at once: each picture that was completed equals the owner's
// state once all is quiet. Each change is in the memory before it is shipped.
func TestASnapshotLosesNoUpdateThatWasShippedMeanwhile(t *testing.T) {
	s, m := listen(t, lenient), newMemory()
	o := s.Own(node, epoch, m.snapshot())
	const writers, keys = 4, 50
	for key := range writers * keys * 20 { // so that a snapshot takes its time
		m.set(fmt.Sprintf("still-%d", key), bytes.Repeat([]byte("s"), 300))
	}
	for round := range 15 {
		var changing sync.WaitGroup
		stop := make(chan struct{})
		quiet := sync.OnceFunc(func() { close(stop); changing.Wait() })
		defer quiet()
		for writer := range writers {
			random := rand.New(rand.NewPCG(uint64(round), uint64(writer)))
			changing.Go(func() {
				pace := time.NewTicker(20 * time.Microsecond)
				defer pace.Stop()
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					case <-pace.C:
					}
					key, value := fmt.Sprintf("call-%d-%d", writer, random.IntN(keys)), fmt.Appendf(nil, "%d-%d-%d", round, writer, n)
					if random.IntN(4) == 0 {
						value = nil
					}
					m.set(key, value)
					o.Ship(key, value).Wait(10 * time.Millisecond)
				}
			})
		}
		p := newPicture()
		f := follow(t, options(s, p.handle))
		await(t, p.complete, "the snapshot")
		quiet()
		shipped(t, o.Ship("last", nil))
		if wrong := same(m.values, p.state()); wrong != "" {
			t.Fatalf("round %d: the owner and the standby differ:\n%s", round, wrong)
		}
		_ = f.Close()
	}
}

// The dangerous order, by hand: the snapshot has read a key's old value when the new one is shipped.
func TestASnapshotsOlderValueDoesNotOverwriteWhatWasShipped(t *testing.T) {
	s, p := listen(t, lenient), newPicture()
	read, goOn := make(chan struct{}), make(chan struct{})
	o := s.Own(node, epoch, func(yield func(string, []byte) bool) {
		close(read)
		<-goOn
		_ = yield("changed", []byte("old")) && yield("forgotten", []byte("old")) && yield("still", []byte("same"))
	})
	follow(t, options(s, p.handle))
	await(t, read, "the snapshot")
	o.Ship("changed", []byte("new"))
	shipped(t, o.Ship("forgotten", nil))
	close(goOn)
	await(t, p.complete, "the end of the snapshot")
	want := map[string][]byte{"changed": []byte("new"), "still": []byte("same")}
	if wrong := same(want, p.state()); wrong != "" {
		t.Error(wrong)
	}
}

func TestASecondConnectionReplacesTheFirst(t *testing.T) {
	s, o, first, _ := linked(t, newMemory("call", "state"))
	p := newPicture()
	second := options(s, p.handle)
	second.Worker = "other"
	follow(t, second)
	ends(t, first, ErrReplaced)
	await(t, p.complete, "the second standby's snapshot")
	shipped(t, o.Ship("call", []byte("newer")))
	if worker, _ := o.Standby(); worker != "other" || string(p.state()["call"]) != "newer" {
		t.Errorf("the standby is %s and has %q", worker, p.state()["call"])
	}
	if stats := s.Stats(); stats.Replaced != 1 || stats.Standbys != 2 {
		t.Errorf("%+v", stats)
	}
}

func TestNodesOfOneServerDoNotMix(t *testing.T) {
	s, o, _, p := linked(t, newMemory("a", "1"))
	other := s.Own("media-2", 1, newMemory("b", "2").snapshot())
	q := newPicture()
	second := options(s, q.handle)
	second.Node, second.Epoch = "media-2", 1
	follow(t, second)
	await(t, q.complete, "the second node's snapshot")
	shipped(t, o.Ship("c", []byte("3")))
	shipped(t, other.Ship("d", []byte("4")))
	one, two := newMemory("a", "1", "c", "3"), newMemory("b", "2", "d", "4")
	if wrong := same(one.values, p.state()) + same(two.values, q.state()); wrong != "" {
		t.Error(wrong)
	}
}

func TestFollowingIsDeclinedWithTheReason(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	for _, c := range []struct {
		name string
		ask  func(*FollowOptions)
		want error
	}{
		{"a node of somebody else", func(f *FollowOptions) { f.Node = "media-9" }, ErrNotOwned},
		{"an earlier epoch", func(f *FollowOptions) { f.Epoch-- }, ErrEpoch},
		{"a later epoch", func(f *FollowOptions) { f.Epoch++ }, ErrEpoch},
		{"a node that was released", func(*FollowOptions) { o.Release() }, ErrNotOwned},
	} {
		asked := options(s, func(Record) {})
		c.ask(&asked)
		if f, err := Follow(t.Context(), asked); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v", c.name, f, err)
		}
	}
	if got := s.Stats(); got.Declined != 4 || got.Standbys != 0 {
		t.Errorf("%+v", got)
	}
}

func TestReleasedNodesTellTheirStandbyAndShipNothing(t *testing.T) {
	for _, c := range []struct {
		name    string
		release func(*Server, *Owner)
	}{
		{"released", func(_ *Server, o *Owner) { o.Release() }},
		{"owned anew", func(s *Server, _ *Owner) { s.Own(node, epoch+1, newMemory().snapshot()) }},
		{"the server closes", func(s *Server, _ *Owner) { _ = s.Close() }},
	} {
		s, o, f, p := linked(t, newMemory())
		o.Ship("just", []byte("before"))
		c.release(s, o)
		ends(t, f, ErrReleased)
		if string(p.state()["just"]) != "before" {
			t.Errorf("%s: what was shipped before did not come", c.name)
		}
		if ticket := o.Ship("call", []byte("x")); !ticket.Refused() || ticket.Wait(time.Hour) {
			t.Errorf("%s: a record was taken", c.name)
		}
	}
}

func TestAFollowerEndsWithItsContextOrItsClose(t *testing.T) {
	s, o, f, _ := linked(t, newMemory())
	_ = f.Close()
	ends(t, f, ErrClosed)
	until(t, "the standby gone", func() bool { _, there := o.Standby(); return !there })

	ctx, cancel := context.WithCancel(t.Context())
	f, err := Follow(ctx, options(s, func(Record) {}))
	if err != nil {
		t.Fatal(err)
	}
	if f.Err() != nil {
		t.Errorf("a link that is up has the error %v", f.Err())
	}
	cancel()
	ends(t, f, ErrClosed)
	if !errors.Is(f.Err(), context.Canceled) {
		t.Errorf("the cause is not in %v", f.Err())
	}
	until(t, "the links counted", func() bool { return s.Stats().Lost == 2 })
}

func TestWaitingEndsWithTheLink(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	held, goOn := make(chan struct{}), make(chan struct{})
	f := follow(t, options(s, func(r Record) {
		if r.Key == "call" {
			close(held)
			<-goOn
		}
	}))
	ticket := o.Ship("call", []byte("state"))
	await(t, held, "the record")
	if ticket.Wait(0) || ticket.Wait(time.Millisecond) {
		t.Error("acknowledged before Handle returned")
	}
	result := make(chan bool)
	go func() { result <- ticket.Wait(time.Hour) }()
	o.Release()
	if <-result {
		t.Error("acknowledged by a link that ended")
	}
	close(goOn)
	ends(t, f, ErrReleased)
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	good := Options{Address: "127.0.0.1:0", Secret: secret(), Worker: "w"}
	for name, spoil := range map[string]func(*Options){
		"a short secret":     func(o *Options) { o.Secret = o.Secret[:MinSecret-1] },
		"no name":            func(o *Options) { o.Worker = "" },
		"a long name":        func(o *Options) { o.Worker = string(make([]byte, MaxName+1)) },
		"too little silence": func(o *Options) { o.Silence = MinSilence - 1 },
		"no address":         func(o *Options) { o.Address = "nowhere" },
	} {
		bad := good
		spoil(&bad)
		if s, err := Listen(t.Context(), bad); err == nil {
			_ = s.Close()
			t.Errorf("%s: accepted", name)
		}
	}
	handled := FollowOptions{Address: "127.0.0.1:1", Secret: secret(), Worker: "w", Node: node, Handle: func(Record) {}}
	for name, spoil := range map[string]func(*FollowOptions){
		"a short secret": func(o *FollowOptions) { o.Secret = nil },
		"no node":        func(o *FollowOptions) { o.Node = "" },
		"no handler":     func(o *FollowOptions) { o.Handle = nil },
	} {
		bad := handled
		spoil(&bad)
		if _, err := Follow(t.Context(), bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if s, err := Listen(t.Context(), good); err != nil {
		t.Error(err)
	} else {
		_ = s.Close()
	}
}

// TestWrittenIsWhatTheKernelHas: a record counts as written when the connection has taken it, whether the standby has read it
// or not, and not before.
func TestWrittenIsWhatTheKernelHas(t *testing.T) {
	s := listen(t, lenient)
	here, there := net.Pipe() // it takes nothing that is not read
	defer there.Close()
	session := newSession(s.Own(node, epoch, newMemory().snapshot()), here, "standby")
	ended := make(chan struct{})
	go func() { defer close(ended); session.write() }()
	ticket, _ := session.ship("call", []byte("state"))
	if ticket.Written(10 * time.Millisecond) {
		t.Fatal("written before the connection has taken it")
	}
	go func() { _, _ = io.Copy(io.Discard, there) }()
	if !ticket.Written(patient) {
		t.Fatal("not written")
	}
	if ticket.Wait(0) {
		t.Error("acknowledged by nobody")
	}
	session.end(ErrReleased)
	<-ended
	session.closing.Stop()
	here.Close()
}

// TestASignIsWrittenAtOnce: when Sign returns, the sign is in the kernel's hands, and the link goes on.
func TestASignIsWrittenAtOnce(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	o.Sign() // nobody is there
	conn, from := proven(t, s)
	from.expand(conn, limitRecord, 0)
	for { // until the session is the owner's: a sign to nobody is none
		kind, _, _, err := from.next()
		if err != nil {
			t.Fatal(err)
		}
		if kind == frameComplete {
			break
		}
	}
	const signs = 2 * int(StallLimit/PingEvery) // twice what goes out by itself before the link is cut off, as nothing is acknowledged
	for range signs {
		o.Sign() // if it meets the writer at work it is none, and the next ping comes by itself
		for kind := byte(0); kind != framePing; {
			var err error
			if kind, _, _, err = from.next(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
