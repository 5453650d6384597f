package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of a load.
const (
	loadWindow   = 1 << 16                // requests that may be under way at once
	drainWait    = 2 * time.Second        // for the answers to what is under way
	probeWait    = 300 * time.Millisecond // for the answer to a single request
	roomWait     = 3 * time.Second        // without any answer at saturation, until the load gives up
	arrivalsSeed = 1                      // the same arrivals for both workers
	mostLost     = 50                     // per mille of the requests that a measurement may lose before it says nothing
	drainLook    = 500 * time.Microsecond // how often it is looked
)

// measured is what one worker did under one load.
type measured struct {
	perSecond float64
	cpu       usage         // for one answer
	p50, p99  time.Duration // from when the request was due to its answer
	sent      int
	lost      int // requests without an answer
	wrong     int // answers that are not the expected one
}

func (m measured) check() error {
	if (m.lost+m.wrong)*1000 > m.sent*mostLost || m.sent == 0 {
		return fmt.Errorf("of %d requests %d got no answer and %d a wrong one", m.sent, m.lost, m.wrong)
	}
	return nil
}

// load sends numbered requests and times their answers. One goroutine sends; whoever receives calls answered.
type load struct {
	send  func(n int) error
	began time.Time
	due   []atomic.Int64 // by number modulo loadWindow: nanoseconds since began, 0 when nothing is under way
	next  atomic.Int64   // number of the next request
	room  chan struct{}  // holds one for each request under way at saturation

	mu    sync.Mutex // guards what follows
	took  []time.Duration
	count int
	wrong int
}

func newLoad(send func(n int) error) *load {
	return &load{send: send, began: time.Now(), due: make([]atomic.Int64, loadWindow)}
}

// answered takes the answer to request n. A second one, or one to a request that was given up, is ignored.
func (l *load) answered(n int, right bool) {
	now := time.Since(l.began)
	if n < 0 {
		return
	}
	due := l.due[n%loadWindow].Swap(0)
	if due == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, now-time.Duration(due))
	l.count++
	if !right {
		l.wrong++
	}
	select {
	case <-l.room:
	default:
	}
}

// begin starts a measurement: what is still under way from the one before is forgotten.
func (l *load) begin(outstanding int) {
	for i := range l.due {
		l.due[i].Store(0)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.room, l.took, l.count, l.wrong = make(chan struct{}, outstanding), nil, 0, 0
}

func (l *load) answers() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// ask sends the next request, which was due at a time since l.began.
func (l *load) ask(due time.Duration) error {
	n := int(l.next.Add(1))
	l.due[n%loadWindow].Store(int64(max(due, 1)))
	return l.send(n)
}

// overdue calls again for each request that has been under way for longer than an age.
func (l *load) overdue(age time.Duration, again func(n int) error) {
	newest := int(l.next.Load())
	for n := max(newest-loadWindow+1, 1); n <= newest; n++ {
		due := l.due[n%loadWindow].Load()
		if due != 0 && time.Since(l.began)-time.Duration(due) > age {
			_ = again(n) // a lost connection shows in what is sent next
		}
	}
}

// saturate keeps a number of requests under way: a closed loop. It counts after the warm-up.
func (l *load) saturate(ctx context.Context, outstanding int, warmUp, length time.Duration, cpu func() (usage, error)) (measured, error) {
	l.begin(outstanding)
	sending, stop := context.WithCancel(ctx)
	defer stop()
	sent, failed := 0, make(chan error, 1)
	go func() { failed <- l.keepBusy(sending, &sent) }()
	var m measured
	first, err := l.mark(ctx, warmUp, failed, cpu)
	if err != nil {
		return m, err
	}
	second, err := l.mark(ctx, length, failed, cpu)
	if err != nil {
		return m, err
	}
	stop()
	if err := <-failed; err != nil {
		return m, err
	}
	answers := second.answers - first.answers
	m.perSecond = float64(answers) / (second.at - first.at).Seconds()
	m.cpu = second.cpu.since(first.cpu, answers)
	return l.end(ctx, m, sent)
}

// keepBusy sends whenever there is room, until ctx ends.
func (l *load) keepBusy(ctx context.Context, sent *int) error {
	for ctx.Err() == nil {
		select {
		case l.room <- struct{}{}:
		default:
			select {
			case l.room <- struct{}{}:
			case <-ctx.Done():
				return nil
			case <-time.After(roomWait):
				return fmt.Errorf("no answer for %s", roomWait)
			}
		}
		if err := l.ask(time.Since(l.began)); err != nil {
			return err
		}
		*sent++
	}
	return nil
}

// mark is a moment of a measurement.
type mark struct {
	at      time.Duration
	answers int
	cpu     usage
}

// usage is processor time of the processes that take part. Unlike the time on the clock it hardly depends on what else the
// machine does.
type usage struct{ worker, broker, load time.Duration }

func (u usage) all() time.Duration { return u.worker + u.broker + u.load }

// since is what was used after an earlier moment, for one of so many answers.
func (u usage) since(earlier usage, answers int) usage {
	n := time.Duration(max(answers, 1))
	return usage{worker: (u.worker - earlier.worker) / n, broker: (u.broker - earlier.broker) / n, load: (u.load - earlier.load) / n}
}

// mark waits and looks.
func (l *load) mark(ctx context.Context, after time.Duration, failed <-chan error, cpu func() (usage, error)) (m mark, err error) {
	select {
	case <-time.After(after):
	case err := <-failed:
		return m, err
	case <-ctx.Done():
		return m, ctx.Err()
	}
	m.cpu, err = cpu()
	m.at, m.answers = time.Since(l.began), l.answers()
	return m, err
}

// pace sends at a rate whether or not answers come: an open loop, with exponentially distributed gaps, as calls arrive.
// Latency counts from when a request was due, so that a sender that was held up does not hide it.
func (l *load) pace(ctx context.Context, rate int, length time.Duration) (measured, error) {
	l.begin(0)
	arrivals := rand.New(rand.NewPCG(arrivalsSeed, arrivalsSeed))
	sent, start := 0, time.Since(l.began)
	due := start
	for {
		due += time.Duration(arrivals.ExpFloat64() / float64(rate) * float64(time.Second))
		if due-start > length {
			break
		}
		if wait := due - time.Since(l.began); wait > 0 {
			time.Sleep(wait)
		}
		if ctx.Err() != nil {
			return measured{}, ctx.Err()
		}
		if err := l.ask(due); err != nil {
			return measured{}, err
		}
		sent++
	}
	return l.end(ctx, measured{perSecond: float64(sent) / length.Seconds()}, sent)
}

// end waits for what is under way and completes the measurement.
func (l *load) end(ctx context.Context, m measured, sent int) (measured, error) {
	limited, cancel := context.WithTimeout(ctx, drainWait)
	defer cancel()
	for l.answers() < sent && limited.Err() == nil {
		time.Sleep(drainLook)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	m.sent, m.lost, m.wrong = sent, sent-l.count, l.wrong
	m.p50, m.p99 = percentile(l.took, 50), percentile(l.took, 99)
	if err := ctx.Err(); err != nil {
		return m, err
	}
	return m, m.check()
}

// times are those of the measurement that has ended.
func (l *load) times() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.took)
}

// settled sends one request and says whether the right answer came soon.
func (l *load) settled() bool {
	l.begin(0)
	if l.ask(time.Since(l.began)) != nil {
		return false
	}
	for end := time.Now().Add(probeWait); time.Now().Before(end) && l.answers() == 0; {
		time.Sleep(drainLook)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count == 1 && l.wrong == 0
}
