package conformance

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem/esl/fstest"
)

// TestMain looks for goroutines that outlive the tests. sipgo opens a socket of
// its own for a request that arrives while its phone is being closed.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/emiago/sipgo/sip.(*TransportUDP).readUDPConnection"))
}

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
	Run(t, "stand_in", Target{
		EventSocket: server.EventSocketAddr(), Password: password, SIP: server.SIPAddr().String(), Profile: "internal",
		MissingFile: "/no/such.wav", Patience: 5 * time.Second, StandIn: true,
	})
}
