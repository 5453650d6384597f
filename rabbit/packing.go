package rabbit

import (
	"bytes"
	"compress/gzip"
	"io"

	fastgzip "github.com/klauspost/compress/gzip"
	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
)

// encodingGzip is the AMQP property content-encoding of a packed body (RFC 1952). Without it a body is as it is.
const encodingGzip = "gzip"

// packer compresses journal batches. Entries repeat one another: of the benchmark's, which are more alike than those of real
// calls, a tenth is left for the broker to keep and to write to its disks. In processor time it is no gain that could be
// measured: what the worker spends, the broker saves. The library that packs takes half the time of the standard one, which
// reads what it writes, as every release does. The zero value is useful; it is for one goroutine.
type packer struct {
	out    bytes.Buffer
	writer *fastgzip.Writer
}

// pack returns a publishing with the body packed.
func (p *packer) pack(m amqp.Publishing) amqp.Publishing {
	if p.writer == nil {
		p.writer, _ = fastgzip.NewWriterLevel(nil, fastgzip.BestSpeed) // a level that is known cannot fail
	}
	p.out.Reset()
	p.writer.Reset(&p.out)
	_, err := p.writer.Write(m.Body)
	if err == nil {
		err = p.writer.Close()
	}
	if err != nil { // a buffer cannot fail
		return m
	}
	m.ContentEncoding, m.Body = encodingGzip, bytes.Clone(p.out.Bytes())
	return m
}

// unpack gives the body as it was before pack. What is larger than a journal may be is refused before it takes memory.
func unpack(d *amqp.Delivery) ([]byte, error) {
	if d.ContentEncoding == "" {
		return d.Body, nil
	}
	broken := &messages.Refusal{Reason: "not_json", Detail: "the content-encoding is unknown or the body does not keep to it"}
	if d.ContentEncoding != encodingGzip {
		return nil, broken
	}
	reader, err := gzip.NewReader(bytes.NewReader(d.Body))
	if err != nil {
		return nil, broken
	}
	body, err := io.ReadAll(io.LimitReader(reader, messages.MaxJournalBytes+1))
	switch {
	case len(body) > messages.MaxJournalBytes:
		return nil, &messages.Refusal{Reason: "too_large", Detail: "unpacked it is larger than a journal may be"}
	case err != nil:
		return nil, broken
	}
	return body, nil
}
