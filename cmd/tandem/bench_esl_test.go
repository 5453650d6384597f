package main

import (
	"bytes"
	"strings"
	"testing"
)

const captures = "../../esl/testdata/captures"

// TestReelHasFreshCallsInEachPass: what the measurement plays differs from pass to pass in the uuids of calls alone, and
// neighbouring events belong to different calls.
func TestReelHasFreshCallsInEachPass(t *testing.T) {
	sessions, err := eslCaptures(captures)
	must(t, err)
	reel, err := newReel(sessions)
	must(t, err)
	first := bytes.Clone(reel.next())
	second := eslFrames(reel.next())
	if len(second) != reel.events || reel.events < 100 {
		t.Fatalf("%d events in a reel of %d", len(second), reel.events)
	}
	seen, neighbours := map[string]bool{}, 0
	for i, f := range eslFrames(first) {
		a, b := string(f.wire[f.body:]), string(second[i].wire[second[i].body:])
		call := eslHeader([]byte(a), "Unique-ID")
		if call == "" {
			continue
		}
		seen[call[:8]] = true
		if i > 0 && strings.HasPrefix(eslHeader(second[i-1].wire[second[i-1].body:], "Unique-ID"), eslHeader([]byte(b), "Unique-ID")[:8]) {
			neighbours++
		}
		if eslHeader([]byte(a), "Core-UUID") != eslHeader([]byte(b), "Core-UUID") || len(a) != len(b) {
			t.Fatalf("event %d differs in more than the calls' uuids", i)
		}
		if seen[eslHeader([]byte(b), "Unique-ID")[:8]] {
			t.Fatalf("event %d belongs to a call of the pass before", i)
		}
	}
	if len(seen) != len(sessions) || neighbours > reel.events/4 {
		t.Errorf("%d calls of %d sessions, %d neighbours of one call", len(seen), len(sessions), neighbours)
	}
}

// TestReelIsReadAlike: the bare reader finds as many headers as there are lines.
func TestReelIsReadAlike(t *testing.T) {
	for _, f := range allFrames(t) {
		b := bareReader{body: f.wire[f.body:]}
		b.headers()
		head, _, _ := bytes.Cut(f.wire[f.body:], []byte("\n\n"))
		if lines := bytes.Count(head, []byte("\n")) + 1; len(b.index) != lines {
			t.Fatalf("%s: %d headers in %d lines", f.name, len(b.index), lines)
		}
	}
}

func allFrames(t *testing.T) (all []eslFrame) {
	t.Helper()
	sessions, err := eslCaptures(captures)
	must(t, err)
	for _, frames := range sessions {
		all = append(all, frames...)
	}
	return all
}
