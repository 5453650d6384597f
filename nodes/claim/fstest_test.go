package claim

import (
	"testing"
	"time"

	"tandem/esl/fstest"
)

const password = "a password of this test"

// standIn starts a stand-in that is seeded as a node is.
func standIn(t *testing.T, address string) *fstest.Server {
	t.Helper()
	server, err := fstest.Start(t.Context(), fstest.Options{
		Password: password, EventSocketAddress: address, GlobalVariables: map[string]string{OwnerVariable: Seed, StandbyVariable: Seed},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

func TestStandIn(t *testing.T) {
	server := standIn(t, "")
	checkEngine(t, engine{server.EventSocketAddr(), password, 1000})
}

// TestARestartedNodeIsClaimedAboveWhatIsRemembered: the variables are back at the seed, the epoch is not.
func TestARestartedNodeIsClaimedAboveWhatIsRemembered(t *testing.T) {
	server := standIn(t, "")
	e := engine{address: server.EventSocketAddr(), password: password}
	seen := Holder{}
	for range 6 {
		_, n := e.dial(t)
		next := seen.By("before", "127.0.0.1:4000", 0)
		if _, err := Take(t.Context(), n, seen, next); err != nil {
			t.Fatal(err)
		}
		seen = next
	}
	o := owned(t, e, "owner")
	server.Kill()
	standIn(t, e.address)

	_, n := e.dial(t)
	late := keepOn(t, n, o.me, o.lease)
	if by := await(t, late); by != (Holder{}) || o.lease.Valid(time.Now()) {
		t.Errorf("after the restart: deposed by %s, valid: %v", by, o.lease.Valid(time.Now()))
	}
	if len(o.holders) > 0 {
		t.Error("the restart itself deposed the owner")
	}
	owner, standby := e.read(t, n)
	got, err := View{Worker: "owner", Link: "127.0.0.1:4000", OwnerClaim: owner, StandbyClaim: standby, Highest: o.me}.Next().Make(t.Context(), n)
	if err != nil || got.Epoch != o.me.Epoch+1 {
		t.Errorf("got %s, %v", got, err)
	}
}
