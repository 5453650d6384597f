package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/percipia/eslgo"
	"github.com/percipia/eslgo/command"

	"tandem/esl"
)

// eslPassword is none: the player lets everybody in.
const eslPassword = "bench"

// eslSubscription is written by each client; the player plays what it has.
const eslSubscription = "CHANNEL_CREATE"

// eslRead lists the headers that are read of each event, some of which most events lack.
func eslRead() [7]string {
	return [...]string{"Unique-ID", "Event-Sequence", "Application-UUID", "Caller-Destination-Number", "Hangup-Cause",
		"variable_sip_call_id", "Answer-State"}
}

// eslRun is what one client needed for one run.
type eslRun struct {
	events    int
	cpu, wall time.Duration
	allocated uint64 // bytes
	content   int64  // bytes of the headers that were read: equal for equal events
}

func (r eslRun) cpuEach() float64  { return microseconds(r.cpu) / float64(r.events) }
func (r eslRun) wallEach() float64 { return microseconds(r.wall) / float64(r.events) }

// eslMeter measures from its making to its end.
type eslMeter struct {
	cpu       time.Duration
	started   time.Time
	allocated uint64
}

func startEslMeter() (eslMeter, error) {
	runtime.GC() // what others left is not this client's to clean up
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	cpu, err := ownCPU()
	return eslMeter{cpu, time.Now(), m.TotalAlloc}, err
}

func (m eslMeter) end(events int, content int64) (eslRun, error) {
	wall := time.Since(m.started)
	cpu, err := ownCPU()
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	return eslRun{events, cpu - m.cpu, wall, after.TotalAlloc - m.allocated, content}, err
}

// ownCPU is this process's processor time, user and system.
func ownCPU() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// eslCount counts events until those that were promised have come, and the bytes of what was read of them.
type eslCount struct {
	expected int64
	done     chan struct{}
	seen     atomic.Int64
	content  atomic.Int64
}

func newEslCount(expected int) *eslCount {
	return &eslCount{expected: int64(expected), done: make(chan struct{})}
}

// add counts one event, whose headers had so many bytes.
func (c *eslCount) add(content int) {
	c.content.Add(int64(content))
	if c.seen.Add(1) == c.expected {
		close(c.done)
	}
}

// eslPatience bounds one run.
const eslPatience = 2 * time.Minute

func (c *eslCount) wait(ctx context.Context, lost <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, eslPatience)
	defer cancel()
	select {
	case <-c.done:
		return nil
	case <-lost:
		return errors.New("the connection ended")
	case <-ctx.Done():
		return fmt.Errorf("%d of %d events: %w", c.seen.Load(), c.expected, ctx.Err())
	}
}

// throughEsl reads with package esl; fewer than two shards mean inline delivery.
func throughEsl(shards int) func(ctx context.Context, address string, passes, events int) (eslRun, error) {
	return func(ctx context.Context, address string, passes, events int) (run eslRun, err error) {
		count := newEslCount(events)
		c, err := esl.Dial(ctx, esl.Options{
			Address: address, Password: eslPassword, Events: []string{eslSubscription}, Shards: shards,
			Valuable: func(*esl.Event) bool { return true }, // nothing is shed unseen
			Handle: func(_ int, e *esl.Event) {
				content := 0
				for _, name := range eslRead() {
					content += len(e.Get(name))
				}
				count.add(content)
				e.Release()
			},
		})
		if err != nil {
			return run, err
		}
		defer c.Close()
		m, err := startEslMeter()
		if err != nil {
			return run, err
		}
		if _, err := c.Send(ctx, esl.GlobalGetvar(eslPlay+strconv.Itoa(passes))); err != nil {
			return run, err
		}
		if err := count.wait(ctx, c.Done()); err != nil {
			return run, errors.Join(err, c.Err())
		}
		return m.end(events, count.content.Load())
	}
}

// throughEslgo reads with eslgo, which starts a goroutine for each event.
func throughEslgo(ctx context.Context, address string, passes, events int) (run eslRun, err error) {
	count := newEslCount(events)
	lost := make(chan struct{})
	options := eslgo.DefaultInboundOptions
	options.Logger, options.Password, options.OnDisconnect = eslgo.NilLogger{}, eslPassword, func() { close(lost) }
	c, err := options.Dial(address)
	if err != nil {
		return run, err
	}
	defer c.Close()
	c.RegisterEventListener(eslgo.EventListenAll, func(e *eslgo.Event) {
		content := 0
		for _, name := range eslRead() {
			content += len(e.GetHeader(name))
		}
		count.add(content)
	})
	if err := c.EnableEvents(ctx); err != nil {
		return run, err
	}
	m, err := startEslMeter()
	if err != nil {
		return run, err
	}
	if _, err := c.SendCommand(ctx, command.API{Command: "global_getvar", Arguments: eslPlay + strconv.Itoa(passes)}); err != nil {
		return run, err
	}
	if err := count.wait(ctx, lost); err != nil {
		return run, err
	}
	return m.end(events, count.content.Load())
}

// throughReadAndIndex is the least that a client can do: read the socket, find where each header of each event begins and
// ends, and give it to nobody. All memory is used again for the next event.
func throughReadAndIndex(_ context.Context, address string, passes, events int) (run eslRun, err error) {
	nc, err := net.Dial("tcp", address)
	if err != nil {
		return run, err
	}
	defer nc.Close()
	if err := nc.SetDeadline(time.Now().Add(eslPatience)); err != nil {
		return run, err
	}
	if _, err := io.WriteString(nc, "auth "+eslPassword+"\n\nevent plain "+eslSubscription+"\n\n"); err != nil {
		return run, err
	}
	m, err := startEslMeter()
	if err != nil {
		return run, err
	}
	if _, err := io.WriteString(nc, "api global_getvar "+eslPlay+strconv.Itoa(passes)+"\n\n"); err != nil {
		return run, err
	}
	const readAtOnce = 128 << 10 // as esl does
	b := bareReader{r: bufio.NewReaderSize(nc, readAtOnce)}
	for seen := 0; seen < events; {
		isEvent, err := b.next()
		if err != nil {
			return run, err
		}
		if isEvent {
			seen++
		}
	}
	return m.end(events, 0)
}

// bareReader reads and indexes one frame after the other.
type bareReader struct {
	r     *bufio.Reader
	body  []byte
	index []bareHeader
}

// bareHeader is a header of body: its name begins at name, its value is [value,end).
type bareHeader struct{ name, value, end int }

func (b *bareReader) next() (isEvent bool, err error) {
	length := 0
	for {
		line, err := b.r.ReadSlice('\n')
		if err != nil {
			return false, err
		}
		line = line[:len(line)-1]
		if len(line) == 0 {
			break
		}
		if text, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(text)); err != nil {
				return false, err
			}
		}
		isEvent = isEvent || string(line) == "Content-Type: text/event-plain"
	}
	if cap(b.body) < length {
		b.body = make([]byte, length)
	}
	b.body = b.body[:length]
	if _, err := io.ReadFull(b.r, b.body); err != nil {
		return false, err
	}
	if isEvent {
		b.headers()
	}
	return isEvent, nil
}

func (b *bareReader) headers() {
	b.index = b.index[:0]
	for at := 0; at < len(b.body); {
		n := bytes.IndexByte(b.body[at:], '\n')
		if n <= 0 {
			return
		}
		if colon := bytes.IndexByte(b.body[at:at+n], ':'); colon >= 0 {
			b.index = append(b.index, bareHeader{at, at + colon + 2, at + n})
		}
		at += n + 1
	}
}
