package esl

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
)

// Bounds of the memory that a connection reads into.
const (
	blockBytes    = 128 << 10 // read at once, some twenty events; above maxFrameHeaderBytes
	minReadBytes  = 8 << 10   // with less room than that, reading goes on in another block
	maxFreeBlocks = 64        // kept for reuse, for each connection
	lineBytes     = 32        // fewer than an event's lines have on average
)

// block is memory that the socket was read into and the events that were cut
// out of it, which share it. It is reused once all of them were released, and
// garbage once nobody refers to any.
type block struct {
	home  *blocks // nil: never reused
	buf   []byte
	lines []uint32 // of its events' indexes, one after the other
	keys  []byte

	cut  int64        // events so far: the reader's alone
	held atomic.Int64 // events not released; as long as it is read into, less cut
}

// release is called once for each event, and by retire.
func (b *block) release(n int64) {
	if b.held.Add(n) == 0 && b.home != nil {
		b.home.put(b)
	}
}

// retire says that no more events will be cut out of the block.
func (b *block) retire() { b.release(b.cut) }

// blocks are free for reuse. The one that was released last is taken first: it
// is most likely to be in the processor's cache.
type blocks struct {
	mu   sync.Mutex
	free []*block
}

// get is a block of at least size bytes.
func (f *blocks) get(size int) *block {
	if size > blockBytes {
		return &block{buf: make([]byte, size)}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if last := len(f.free) - 1; last >= 0 {
		b := f.free[last]
		f.free[last] = nil
		f.free = f.free[:last]
		b.lines, b.keys, b.cut = b.lines[:0], b.keys[:0], 0
		return b
	}
	return &block{home: f, buf: make([]byte, blockBytes)}
}

func (f *blocks) put(b *block) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.free) < maxFreeBlocks {
		f.free = append(f.free, b)
	}
}

// stream is a byte stream read into blocks, so that what is cut out of it need
// not be copied.
type stream struct {
	r          io.Reader
	free       blocks
	block      *block
	start, end int   // of what was read into block and not cut out yet
	err        error // of the last read, once what came with it has been cut out
}

// room makes place for n bytes from start on, and for some to be read.
func (s *stream) room(n int) {
	if s.block != nil && s.start+n <= len(s.block.buf) && s.end < len(s.block.buf) {
		return
	}
	b := s.free.get(max(n, s.end-s.start+minReadBytes))
	if s.block != nil {
		s.end = copy(b.buf, s.block.buf[s.start:s.end])
		s.block.retire()
	}
	s.block, s.start = b, 0
}

// fill reads once more, so that n bytes fit.
func (s *stream) fill(n int) error {
	if s.err != nil {
		return s.err
	}
	s.room(n)
	read, err := s.r.Read(s.block.buf[s.end:])
	s.end += read
	s.err = err
	if read == 0 && err == nil {
		s.err = io.ErrNoProgress
	}
	if read > 0 {
		return nil
	}
	return s.err
}

// line cuts out a line with its end, or what there is of one that is longer than
// limit. An unfinished one comes with the error.
func (s *stream) line(limit int) ([]byte, error) {
	for seen := 0; ; {
		if s.block != nil {
			if n := bytes.IndexByte(s.block.buf[s.start+seen:s.end], '\n'); n >= 0 {
				line := s.block.buf[s.start : s.start+seen+n+1]
				s.start += len(line)
				return line, nil
			}
			seen = s.end - s.start
		}
		if seen > limit {
			return s.block.buf[s.start:s.end], nil
		}
		if err := s.fill(seen + minReadBytes); err != nil {
			var rest []byte
			if s.block != nil {
				rest = s.block.buf[s.start:s.end]
			}
			return rest, err
		}
	}
}

// take cuts out n bytes. Nobody else will write to them until they are released.
func (s *stream) take(n int) ([]byte, error) {
	for s.end-s.start < n {
		if err := s.fill(n); err != nil {
			return nil, err
		}
	}
	taken := s.block.buf[s.start : s.start+n : s.start+n]
	s.start += n
	return taken, nil
}

// copy reads n bytes into memory of their own.
func (s *stream) copy(n int) ([]byte, error) {
	to := make([]byte, n)
	have := copy(to, s.block.buf[s.start:s.end])
	s.start += have
	if have == n {
		return to, nil
	}
	if s.err != nil {
		return nil, s.err
	}
	_, err := io.ReadFull(s.r, to[have:])
	return to, err
}

// skip passes over n bytes.
func (s *stream) skip(n int) error {
	for {
		passed := min(n, s.end-s.start)
		s.start += passed
		if n -= passed; n == 0 {
			return nil
		}
		if err := s.fill(minReadBytes); err != nil {
			return err
		}
	}
}
