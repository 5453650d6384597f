package esl

import (
	"bytes"
	"context"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkParseCaptured frames and indexes recorded sessions; one operation
// is one event of about 5 kB and 120 headers, of which it reads seven.
func BenchmarkParseCaptured(b *testing.B) {
	var wire bytes.Buffer
	for name, raw := range captures(b) {
		if name != "10_bad_auth" { // ends inside a frame
			wire.Write(raw)
		}
	}
	b.ReportAllocs()
	reader := bytes.NewReader(wire.Bytes())
	fr := newFrameReader(reader, defaultMaxContentLength)
	var f frame
	var bytesRead, headers int
	for n := 0; n < b.N; {
		if err := fr.next(&f); err != nil {
			reader.Reset(wire.Bytes())
			fr.in.err = nil
			continue
		}
		if f.kind != typeEventPlain {
			continue
		}
		e, err := parseEvent(f.block, f.body)
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range [...]string{"Unique-ID", "Event-Sequence", "Application-UUID", "Caller-Destination-Number", "Hangup-Cause", "variable_sip_call_id", "Answer-State"} {
			e.raw(name)
		}
		bytesRead += len(f.body)
		headers += e.Len()
		n++
	}
	b.SetBytes(int64(bytesRead / b.N))
	b.ReportMetric(float64(headers)/float64(b.N), "headers/op")
}

// BenchmarkSend64 has 64 callers on one connection over TCP; one operation is
// one command and its reply.
func BenchmarkSend64(b *testing.B) {
	c := connect(b, Options{}, func(p *peer) {
		p.nc.SetDeadline(time.Time{})
		for {
			line, err := p.r.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) == 1 {
				p.reply("+OK")
			}
		}
	})
	b.ReportAllocs()
	b.ResetTimer()
	var failed atomic.Pointer[error]
	b.SetParallelism(32) // times GOMAXPROCS
	cmd := Answer(someUUID, "call/1")
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Send(context.Background(), cmd); err != nil {
				failed.Store(&err)
				return
			}
		}
	})
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
}
