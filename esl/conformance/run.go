package conformance

import (
	"testing"
)

// Claim is one thing that Tandem relies on.
type Claim struct {
	Name string
	run  func(t *testing.T, target Target)
}

// Claims are all of them, by subject.
func Claims() []Claim {
	var all []Claim
	for _, some := range [][]Claim{
		socketClaims(), answerClaims(), mediaClaims(), digitClaims(), bridgeClaims(), failureClaims(), hangupClaims(), apiClaims(), edgeClaims(),
	} {
		all = append(all, some...)
	}
	return all
}

// Run checks every claim against the target.
func Run(t *testing.T, target Target) {
	t.Helper()
	for _, claim := range Claims() {
		t.Run(claim.Name, func(t *testing.T) { claim.run(t, target) })
	}
}
