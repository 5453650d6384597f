package link

import (
	"io"
	"net"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// A call's state with its commands, about as large as they are.
func state() []byte { return make([]byte, 600) }

func ready(b *testing.B) *Owner {
	b.Helper()
	s := listen(b, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	complete := make(chan struct{})
	follow(b, options(s, func(r Record) {
		if r.Kind == KindComplete {
			close(complete)
		}
	}))
	await(b, complete, "the snapshot")
	return o
}

func quantiles(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	for _, q := range []struct {
		name string
		of   float64
	}{{"p50-us", 0.5}, {"p99-us", 0.99}} {
		b.ReportMetric(float64(took[int(float64(len(took)-1)*q.of)].Nanoseconds())/1000, q.name)
	}
}

// One record at a time, each acknowledged: what a step that orders something waits.
func BenchmarkShipAndWait(b *testing.B) {
	o, value := ready(b), state()
	took := make([]time.Duration, 0, b.N)
	b.ReportAllocs()
	for b.Loop() {
		begin := time.Now()
		if !o.Ship("3f2a7c1e-0000-4000-8000-000000000000", value).Wait(time.Second) {
			b.Fatal("not acknowledged")
		}
		took = append(took, time.Since(begin))
	}
	quantiles(b, took)
}

// The baseline of BenchmarkShipAndWait: the same bytes there and an acknowledgement back, on a bare connection.
func BenchmarkBareRoundTrip(b *testing.B) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	size := recordSize("3f2a7c1e-0000-4000-8000-000000000000", state())
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		for buffer := make([]byte, size); ; {
			if _, err := io.ReadFull(conn, buffer); err != nil {
				return
			}
			_, _ = conn.Write(buffer[:13])
		}
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	frame, answer := make([]byte, size), make([]byte, 13)
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		begin := time.Now()
		_, _ = conn.Write(frame)
		if _, err := io.ReadFull(conn, answer); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begin))
	}
	quantiles(b, took)
}

// Many calls at once, each with one record on the way: every ship is waited for.
func BenchmarkShipAndWaitOfManyCalls(b *testing.B) {
	o := ready(b)
	var calls atomic.Int64
	b.SetParallelism(256)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		key, value := "call-"+strconv.FormatInt(calls.Add(1), 10), state()
		for pb.Next() {
			if !o.Ship(key, value).Wait(time.Second) {
				b.Error("not acknowledged")
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ships/s")
}

// As many as go through, all acknowledged; every thousandth is waited for.
func BenchmarkShipStream(b *testing.B) {
	o, value := ready(b), state()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		ticket := o.Ship("3f2a7c1e-0000-4000-8000-000000000000", value)
		if n++; n%1000 == 0 && !ticket.Wait(time.Second) {
			b.Fatal("not acknowledged")
		}
	}
	if !o.Ship("last", value).Wait(time.Second) {
		b.Fatal("not acknowledged")
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ships/s")
}

func BenchmarkShipWithoutAStandby(b *testing.B) {
	o, value := listen(b, lenient).Own(node, epoch, newMemory().snapshot()), state()
	b.ReportAllocs()
	for b.Loop() {
		o.Ship("3f2a7c1e-0000-4000-8000-000000000000", value)
	}
}
