package link

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the other process of the tests that kill or pause one: see child_test.go.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(beChild(role))
	}
	goleak.VerifyTestMain(m)
}
