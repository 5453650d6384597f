package rabbit

import (
	"encoding/json"
	"time"

	"tandem/messages"
)

// journal holds entries in the batches in which they are sent, oldest first. Each is written straight into the body of its
// batch: of every decision on every call there is one. It needs its owner's lock.
//
//	add ---> the last batch ---> full, or due ---> take ---> sent: reuse
//	                                 ^-------- putBack ------'
type journal struct {
	head    string // of each body: type and worker
	batches []batch
	entries int // of all batches
	bytes   int
	firstAt time.Time // when the oldest began to wait
	spare   []byte    // the room of a batch that was sent
	usual   int       // bytes of the batch that was taken last
}

// batch is one journal message, without its end.
type batch struct {
	body    []byte
	entries int
}

func (b *batch) full() bool { return b.entries >= JournalBatch }

// message is the whole body. It shares its bytes with the batch.
func (b batch) message() []byte { return append(b.body, "]}"...) }

// journalHead begins a journal message of a worker, whose name is a JSON string.
func journalHead(worker []byte) string {
	return `{"type":"` + string(messages.JournalV1) + `","worker":` + string(worker) + `,"entries":[`
}

// add writes an entry behind the others. One that is too large for a message loses its Input and Output; the error, a
// *messages.Refusal, says that its reasons are too large as well.
func (j *journal) add(e messages.JournalEntry) error {
	if j.entries == 0 {
		j.firstAt = time.Now()
	}
	if len(e.Input)+len(e.Output) > maxJournalBody || !j.write(&e) {
		e.Input, e.Output = json.RawMessage(`{"cut":"too_large"}`), json.RawMessage(`{"cut":"too_large"}`)
		if !j.write(&e) {
			return &messages.Refusal{Reason: "too_large", Field: "because", Detail: "an entry's reasons do not fit a message"}
		}
	}
	return nil
}

// write puts an entry into the last batch or, when that is full, into a new one. false means that it fits none.
func (j *journal) write(e *messages.JournalEntry) bool {
	if n := len(j.batches); n > 0 && !j.batches[n-1].full() && j.writeTo(&j.batches[n-1], e) {
		return true
	}
	room := j.spare
	if room == nil { // while batches wait for their confirms there is none, and growing by and by copies again and again
		room = make([]byte, 0, j.usual)
	}
	b := batch{body: append(room[:0], j.head...)}
	if !j.writeTo(&b, e) {
		return false
	}
	j.spare = nil
	j.batches = append(j.batches, b)
	j.bytes += len(j.head)
	return true
}

func (j *journal) writeTo(b *batch, e *messages.JournalEntry) bool {
	body := b.body
	if b.entries > 0 {
		body = append(body, ',')
	}
	body = e.Append(body)
	if len(body)-len(j.head) > maxJournalBody {
		return false
	}
	j.bytes += len(body) - len(b.body)
	j.entries++
	b.body = body
	b.entries++
	return true
}

// filled says whether the entry that was added last has made its batch full.
func (j *journal) filled() bool { return j.batches[len(j.batches)-1].full() }

// due says whether the oldest batch is to go: nothing more fits it, or it has waited.
func (j *journal) due() bool {
	return len(j.batches) > 1 || j.entries > 0 && (j.batches[0].full() || time.Since(j.firstAt) >= JournalFlush)
}

// take removes the oldest batch.
func (j *journal) take() batch {
	b := j.batches[0]
	j.batches[0] = batch{}
	if j.batches = j.batches[1:]; len(j.batches) == 0 {
		j.batches = nil
	}
	j.entries -= b.entries
	j.bytes -= len(b.body)
	j.usual = len(b.body) + len("]}")
	return b
}

// putBack makes a batch the oldest again.
func (j *journal) putBack(b batch) {
	j.batches = append([]batch{b}, j.batches...)
	j.entries += b.entries
	j.bytes += len(b.body)
}

// reuse takes the room of a batch that nobody needs any more.
func (j *journal) reuse(b batch) {
	if cap(b.body) <= 2*messages.MaxJournalBytes {
		j.spare = b.body
	}
}

// trim drops the oldest batches until no more than so many bytes are held, and says how many entries that were.
func (j *journal) trim(limit int) (dropped int) {
	for j.bytes > limit && len(j.batches) > 0 {
		b := j.take()
		dropped += b.entries
		j.reuse(b)
	}
	return dropped
}
