package esl

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// numbered is an event that says in every place which one it is.
func numbered(n int, random *rand.Rand) string {
	size := random.IntN(8 << 10)
	if random.IntN(200) == 0 {
		size = 2 * blockBytes
	}
	filler := strings.Repeat(fmt.Sprint(n, " "), size/8)
	return eventFrame(fmt.Sprint("N: ", n), "Filler: "+filler, fmt.Sprint("Last: ", n))
}

func whole(e *Event, n int) bool {
	want := fmt.Sprint(n)
	filler := e.Get("Filler")
	return e.Get("N") == want && e.Get("Last") == want && filler == strings.Repeat(want+" ", len(filler)/(len(want)+1)) && e.Len() == 3
}

func TestReleasedMemoryDoesNotShowThroughInWhatIsKept(t *testing.T) {
	const events, users = 3000, 4
	random := rand.New(rand.NewPCG(3, 5))
	var wire strings.Builder
	for n := range events {
		wire.WriteString(numbered(n, random))
	}
	type one struct {
		n int
		e *Event
	}
	queues := make([]chan one, users)
	var wg sync.WaitGroup
	for i := range queues {
		queues[i] = make(chan one, 20)
		random := rand.New(rand.NewPCG(uint64(i), 7))
		wg.Go(func() {
			var kept []one
			for o := range queues[i] {
				if !whole(o.e, o.n) {
					t.Errorf("event %d is not itself when it comes", o.n)
				}
				switch random.IntN(20) {
				case 0:
					kept = append(kept, o)
				case 1:
					kept = append(kept, one{o.n, o.e.Clone()})
					fallthrough
				default:
					o.e.Release()
					if o.e.Get("N") != "" || o.e.Len() != 0 || o.e.Name() != "" {
						t.Errorf("event %d can be read after its release", o.n)
					}
					o.e.Release() // harmless
				}
			}
			for _, o := range kept {
				if !whole(o.e, o.n) {
					t.Errorf("event %d changed while it was kept", o.n)
				}
			}
		})
	}
	fr := newFrameReader(&chunkReader{strings.NewReader(wire.String()), random}, defaultMaxContentLength)
	for n := range events {
		var f frame
		if err := fr.next(&f); err != nil {
			t.Fatal(err)
		}
		e, err := parseEvent(f.block, f.body)
		if err != nil {
			t.Fatal(err)
		}
		queues[n%users] <- one{n, e}
	}
	for _, q := range queues {
		close(q)
	}
	wg.Wait()
}

func TestReleasedEventsCostNoNewMemory(t *testing.T) {
	const events = 1000
	wire := []byte(strings.Repeat(eventFrame("Event-Name: CHANNEL_PARK", "Filler: "+strings.Repeat("x", 5000)), events))
	r := bytes.NewReader(wire)
	fr := newFrameReader(r, defaultMaxContentLength)
	read := func() {
		r.Reset(wire)
		fr.in.err = nil
		for {
			var f frame
			if err := fr.next(&f); err == io.EOF {
				return
			} else if err != nil {
				t.Fatal(err)
			}
			e, err := parseEvent(f.block, f.body)
			if err != nil {
				t.Fatal(err)
			}
			e.Release()
		}
	}
	if n := testing.AllocsPerRun(5, read); n > events+1 { // the Event itself, which is not reused
		t.Errorf("%v allocations for %d events", n, events)
	}
	if len(fr.in.free.free) > 1 {
		t.Errorf("%d blocks for a reader that never needs two", len(fr.in.free.free))
	}
}
