package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// A sweep over many worlds ends when it is told to, and says how many there were.
func TestASweepOfWorldsEndsWhenItIsTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if err := (&simCommand{Seeds: 1_000_000, From: 1}).run(ctx, &out); err == nil || !strings.Contains(out.String(), "figure sim_seeds 0\n") {
		t.Errorf("%v: %s", err, out.String())
	}
}
