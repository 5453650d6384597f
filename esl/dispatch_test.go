package esl

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestEventsOfACallAreHandledInOrderInOneShard(t *testing.T) {
	const calls, each = 50, 200
	var mu sync.Mutex
	shards, last := map[string]int{}, map[string]int{}
	all := make(chan struct{})
	total := 0
	connect(t, Options{Shards: 8, QueueLength: calls * each, Handle: func(shard int, e *Event) {
		mu.Lock()
		defer mu.Unlock()
		call := e.UniqueID()[:keyChars]
		if s, seen := shards[call]; seen && s != shard {
			t.Errorf("call %s in shards %d and %d", call, s, shard)
		}
		shards[call] = shard
		var n int
		if fmt.Sscan(e.Get("N"), &n); n != last[call]+1 {
			t.Errorf("call %s: %d after %d", call, n, last[call])
		}
		last[call] = n
		if total++; total == calls*each {
			close(all)
		}
	}}, func(p *peer) {
		var wire strings.Builder
		for n := range each {
			for call := range calls {
				leg := fmt.Sprintf("%08x-43f4-4543-8ec8-66922%07x", call*0x01010101, n%3) // three legs
				wire.WriteString(eventFrame("Event-Name: CHANNEL_STATE", "Unique-ID: "+leg, fmt.Sprintf("N: %d", n+1)))
			}
		}
		p.write(wire.String())
		p.hold()
	})
	wait(t, "all events", all)
	used := map[int]bool{}
	for _, shard := range shards {
		used[shard] = true
	}
	if len(used) < 4 {
		t.Errorf("only %d of 8 shards used", len(used))
	}
}

func TestEventsWithoutACallGoToTheFirstShardAndKeysCanBeChosen(t *testing.T) {
	for name, key := range map[string]func(*Event) string{"default": nil, "own": func(e *Event) string { return e.Get("K") }} {
		c := &Conn{o: Options{ShardKey: key}, shards: make([]*queue, 64)}
		if c.shard(event(t, "Event-Name: HEARTBEAT")) != 0 {
			t.Error(name)
		}
		if name == "own" && c.shard(event(t, "K: a", "Unique-ID: 1")) != c.shard(event(t, "K: a", "Unique-ID: 2")) {
			t.Error("own key is not used")
		}
		c.shard(event(t, "Unique-ID: short"))
	}
}

// slowConsumer blocks its only busy shard after the first event.
func slowConsumer(t *testing.T, o Options, serve func(*peer)) (c *Conn, entered chan *Event, release func()) {
	entered, gate := make(chan *Event, 10000), make(chan struct{})
	release = sync.OnceFunc(func() { close(gate) })
	o.Shards = 2
	o.Handle = func(_ int, e *Event) { entered <- e; <-gate }
	c = connect(t, o, serve)
	t.Cleanup(release)
	return c, entered, release
}

func TestAQueueFullOfValuableEventsEndsTheConnectionAndKeepsWhatCame(t *testing.T) {
	started := make(chan struct{})
	c, entered, release := slowConsumer(t, Options{QueueLength: 10}, func(p *peer) {
		p.event("Event-Name: CHANNEL_PARK", "Unique-ID: "+someUUID)
		<-started
		for range 11 {
			p.event("Event-Name: CHANNEL_STATE", "Unique-ID: "+someUUID)
		}
		p.hold()
	})
	wait(t, "first event", entered)
	close(started)
	wait(t, "end", c.Done())
	if !errors.Is(c.Err(), ErrOverflow) {
		t.Fatal(c.Err())
	}
	release()
	for range 10 {
		wait(t, "queued event", entered)
	}
}

func TestLowValueEventsAreShedBeforeTheyCrowdOutValuableOnes(t *testing.T) {
	started := make(chan struct{})
	c, entered, release := slowConsumer(t, Options{QueueLength: 10}, func(p *peer) {
		p.event("Event-Name: CHANNEL_PARK", "Unique-ID: "+someUUID)
		<-started
		for range 100 {
			p.event("Event-Name: PRESENCE_IN", "Unique-ID: "+someUUID)
		}
		for range 5 {
			p.event("Event-Name: DTMF", "Unique-ID: "+someUUID)
		}
		p.command()
		p.response("read to the end")
		p.hold()
	})
	wait(t, "first event", entered)
	close(started)
	if r, err := c.Send(background(t), Status()); err != nil || r.Text != "read to the end" {
		t.Fatal("the socket was not read on", r, err)
	}
	if s := c.Stats(); s.Shed != 95 || s.Queued != 10 || s.Events != 106 {
		t.Fatalf("%+v", s)
	}
	release()
	names := map[string]int{}
	for range 10 {
		names[wait(t, "queued event", entered).Name()]++
	}
	if names["PRESENCE_IN"] != 5 || names["DTMF"] != 5 {
		t.Fatal(names)
	}
}

func TestWhatIsValuable(t *testing.T) {
	for name, want := range map[string]bool{
		"CHANNEL_PARK": true, "CHANNEL_HANGUP_COMPLETE": true, "DTMF": true, "BACKGROUND_JOB": true, "HEARTBEAT": true, "CUSTOM": true, "SHUTDOWN": true,
		"PRESENCE_IN": false, "RE_SCHEDULE": false, "API": false, "PLAYBACK_START": false, "": false,
	} {
		if valuable(event(t, "Event-Name: "+name)) != want {
			t.Error(name)
		}
	}
}

func TestInlineHandlingIsInOrderAndUnqueued(t *testing.T) {
	got := make(chan string, 100)
	connect(t, Options{Handle: func(shard int, e *Event) { got <- fmt.Sprint(shard, e.Get("N")) }}, func(p *peer) {
		for n := range 100 {
			p.event("Event-Name: CUSTOM", fmt.Sprintf("N: %d", n))
		}
		p.hold()
	})
	for n := range 100 {
		if v := wait(t, "event", got); v != fmt.Sprint(0, fmt.Sprint(n)) {
			t.Fatal(n, v)
		}
	}
}

func TestCloseDropsWhatWasNotHandledYet(t *testing.T) {
	c, entered, release := slowConsumer(t, Options{}, func(p *peer) {
		for range 100 {
			p.event("Event-Name: CHANNEL_STATE", "Unique-ID: "+someUUID)
		}
		p.command()
		p.response("all written")
		p.hold()
	})
	wait(t, "first event", entered)
	if _, err := c.Send(background(t), Status()); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- c.Close() }()
	wait(t, "end", c.Done())
	release()
	wait(t, "close", closed)
	if len(entered) > 0 {
		t.Fatalf("%d events handled after Close", len(entered))
	}
}

func TestCloseWaitsForAHandlerThatIsBusy(t *testing.T) {
	c, entered, release := slowConsumer(t, Options{}, func(p *peer) {
		p.event("Event-Name: CHANNEL_STATE", "Unique-ID: "+someUUID)
		p.hold()
	})
	wait(t, "event", entered)
	closed := make(chan error, 1)
	go func() { closed <- c.Close() }()
	wait(t, "end", c.Done())
	select {
	case <-closed:
		t.Error("Close returned before Handle did")
	case <-time.After(20 * time.Millisecond): // long enough for a Close that does not wait
	}
	release()
	wait(t, "close", closed)
}
