package sipptest

import "testing"

// TestMediaPortsAreOnePhonesAlone: SIPp binds its ports late, so that they are free is not enough.
func TestMediaPortsAreOnePhonesAlone(t *testing.T) {
	const phones = 300 // of 2,500 blocks: chance alone would give some of them twice
	taken := map[int]bool{}
	for range phones {
		first, held, err := mediaPorts(loopback)
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
		if taken[first] {
			t.Fatalf("port %d is given to two phones", first)
		}
		taken[first] = true
	}
}
