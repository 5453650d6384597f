package conformance

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem/esl/fstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestStandIn checks every claim against esl/fstest.
func TestStandIn(t *testing.T) {
	const password = "a password of this test"
	server, err := fstest.Start(t.Context(), fstest.Options{
		Password: password, Heartbeat: 500 * time.Millisecond, DefaultFileLength: 200 * time.Millisecond,
		GlobalVariables: map[string]string{seededGlobal: "nobody"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	Run(t, Target{
		EventSocket: server.EventSocketAddr(), Password: password, SIP: server.SIPAddr().String(), Profile: "internal",
		MissingFile: "/no/such.wav", Patience: 5 * time.Second, StandIn: true,
	})
}
