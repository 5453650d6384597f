package messages_test

import (
	"testing"

	"tandem/messages"
)

func BenchmarkParseRouteRequest(b *testing.B) {
	body := content(b, "testdata/good/route.request.v1.maximal.json")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := messages.ParseRouteRequest(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeAnswer(b *testing.B) {
	m, err := messages.Parse(content(b, "testdata/good/route.answer.v1.route.json"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := messages.Encode(m); err != nil {
			b.Fatal(err)
		}
	}
}
