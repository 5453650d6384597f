package conformance

import (
	"fmt"
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
		socketClaims(),
		answerClaims(),
		mediaClaims(),
		digitClaims(),
		bridgeClaims(),
		failureClaims(),
		hangupClaims(),
		apiClaims(),
		edgeClaims(),
		dialogClaims(),
		groupClaims(),
		pageClaims(),
		recordClaims(),
		joinClaims(),
		referClaims(),
		moveClaims(),
	} {
		all = append(all, some...)
	}
	return all
}

// Run checks every claim against the target and prints two figures under its
// name: how many claims there are and how many held.
func Run(t *testing.T, name string, target Target) {
	t.Helper()
	claims, held := Claims(), 0
	for _, claim := range claims {
		if t.Run(claim.Name, func(t *testing.T) { claim.run(t, target) }) {
			held++
		}
	}
	fmt.Printf("figure conformance_claims %d\nfigure conformance_%s_held %d\n", len(claims), name, held)
}
