package claim

import (
	"context"
	"errors"
	"time"
)

// request is one command of a worker on its way to the node.
type request struct {
	from             *worker
	start            int
	name, value, old string // a read without value
	renewal          bool   // a read by Keep; old is its claim
}

// replyWithin is how long a worker waits for the node; what it has sent may arrive later.
const replyWithin = 300 * time.Millisecond

var (
	errNoReply = errors.New("no reply")
	errDown    = errors.New("connection refused")
)

// Get is a read of the node.
func (w *worker) Get(ctx context.Context, name string) (string, error) {
	return w.call(ctx, request{from: w, name: name})
}

// Swap is a swap on the node.
func (w *worker) Swap(ctx context.Context, name, value, old string) error {
	_, err := w.call(ctx, request{from: w, name: name, value: value, old: old})
	return err
}

// renewing is the node as Keep sees it, so that the world can tell renewals from other reads.
type renewing struct {
	*worker
	me Holder
}

func (r renewing) Get(ctx context.Context, name string) (string, error) {
	return r.call(ctx, request{from: r.worker, name: name, old: r.me.String(), renewal: true})
}

// call carries a request to the node and its reply back. One worker's requests arrive in their order.
func (w *worker) call(ctx context.Context, r request) (string, error) {
	w.gate()       // paused before it is sent
	defer w.gate() // or with the reply in its buffer
	of := uint64(2)
	if r.renewal {
		of = 3
	}
	arrival, start, ok := w.send(of)
	if !ok {
		return "", errDown
	}
	r.start = start
	reply := make(chan string, 1)
	w.world.running.Go(func() {
		time.Sleep(time.Until(arrival))
		value, executed := w.world.execute(r)
		if delay, arrives := w.back(of); executed && arrives {
			time.Sleep(delay)
			reply <- value
		}
	})
	ctx, cancel := context.WithTimeout(ctx, replyWithin)
	defer cancel()
	select {
	case value := <-reply:
		return value, nil
	case <-ctx.Done():
		return "", errNoReply
	}
}

// send chooses when the node gets what is sent now.
func (w *worker) send(of uint64) (arrival time.Time, start int, ok bool) {
	w.world.mu.Lock()
	start, up := w.world.starts, !time.Now().Before(w.world.upAgain)
	w.world.mu.Unlock()
	if !up {
		return time.Time{}, 0, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	arrival = time.Now()
	if w.cut.After(arrival) {
		arrival = w.cut // the kernel sends it again when the way is whole
	}
	arrival = arrival.Add(w.delay(of))
	if !arrival.After(w.arrival) {
		arrival = w.arrival.Add(1)
	}
	w.arrival = arrival
	return arrival, start, true
}

// back chooses the way of a reply.
func (w *worker) back(of uint64) (delay time.Duration, arrives bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.delay(of), !time.Now().Before(w.cut) && (w.world.calm() || w.chance(4).Float64() >= w.world.loss)
}

// delay is short, and now and then long.
func (w *worker) delay(of uint64) time.Duration {
	random := w.chance(of)
	const often, long, short = 0.02, 250 * time.Millisecond, 2 * time.Millisecond
	if !w.world.calm() && random.Float64() < often {
		return time.Duration(random.Int64N(int64(long)))
	}
	return time.Duration(1 + random.Int64N(int64(short)))
}

// sign is a sign of life to all others. The kernel carries it even when the worker is paused.
func (w *worker) sign() {
	w.gate()
	w.mu.Lock()
	lost, delay, number := time.Now().Before(w.mute), w.delay(5), w.renewals
	w.mu.Unlock()
	if lost {
		return
	}
	w.world.mu.Lock()
	others := w.world.workers
	w.world.mu.Unlock()
	w.world.running.Go(func() {
		time.Sleep(delay)
		for _, other := range others {
			other.hears(w, number)
		}
	})
}
