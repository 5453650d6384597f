package rabbit

import (
	"bytes"
	"compress/gzip"
	"errors"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
)

func TestAPackedBodyIsReadAsItWas(t *testing.T) {
	var p packer
	for name, body := range map[string]string{"a batch": `{"type":"journal.v1","entries":[]}`, "nothing": ""} {
		for range 2 { // the second comes from a packer that was used
			m := p.pack(amqp.Publishing{Body: []byte(body)})
			got, err := unpack(&amqp.Delivery{ContentEncoding: m.ContentEncoding, Body: m.Body})
			if err != nil || string(got) != body {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
	plain, err := unpack(&amqp.Delivery{Body: []byte("{}")})
	if err != nil || string(plain) != "{}" {
		t.Errorf("a body that is not packed: %q, %v", plain, err)
	}
}

func TestWhatCannotBeUnpackedIsRefused(t *testing.T) {
	var p packer
	zip := func(size int) []byte { return p.pack(amqp.Publishing{Body: bytes.Repeat([]byte(" "), size)}).Body }
	whole := zip(1000)
	for _, c := range []struct {
		name, encoding string
		body           []byte
		reason         string
	}{
		{"unpacked too large", encodingGzip, zip(messages.MaxJournalBytes + 1), "too_large"},
		{"a thousand times too large", encodingGzip, zip(1000 * messages.MaxJournalBytes), "too_large"},
		{"cut short", encodingGzip, whole[:len(whole)-1], "not_json"},
		{"not packed at all", encodingGzip, []byte("{}"), "not_json"},
		{"another encoding", "br", []byte("{}"), "not_json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := unpack(&amqp.Delivery{ContentEncoding: c.encoding, Body: c.body})
			var refusal *messages.Refusal
			if !errors.As(err, &refusal) || refusal.Reason != c.reason {
				t.Errorf("%v, want %s", err, c.reason)
			}
		})
	}
}

func FuzzUnpack(f *testing.F) {
	var p packer
	f.Add(p.pack(amqp.Publishing{Body: []byte(`{"type":"journal.v1"}`)}).Body)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := unpack(&amqp.Delivery{ContentEncoding: encodingGzip, Body: body})
		if len(got) > messages.MaxJournalBytes {
			t.Errorf("%d bytes came of %d", len(got), len(body))
		}
		if _, header := gzip.NewReader(bytes.NewReader(body)); header != nil && err == nil {
			t.Error("what is not gzip was taken")
		}
	})
}
