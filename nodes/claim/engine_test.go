package claim

import (
	"context"
	"errors"
	"testing"
	"time"

	"tandem/esl"
)

// engine is a stand-in or a real FreeSWITCH, seeded as a node's configuration does.
type engine struct {
	address, password string
	epochs            int // contended claims
}

const patience = 20 * time.Second // of a test that waits for an event

func (e engine) dial(t *testing.T) (*esl.Conn, Node) {
	t.Helper()
	conn, err := esl.Dial(t.Context(), esl.Options{Address: e.address, Password: e.password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, OnNode(conn)
}

// read reads both places, and waits while the engine has not been seeded yet.
func (e engine) read(t *testing.T, n Node) (owner, standby Holder) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		owner, standby, err := Read(t.Context(), n)
		if err == nil {
			return owner, standby
		}
		if !errors.Is(err, ErrUnset) || time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // its being seeded is no event
	}
}

// checkEngine makes the claims that hold on the stand-in and on a real FreeSWITCH alike, in this order.
func checkEngine(t *testing.T, e engine) {
	t.Run("both places are seeded", func(t *testing.T) {
		_, n := e.dial(t)
		if owner, standby := e.read(t, n); owner != (Holder{}) || standby != (Holder{}) {
			t.Errorf("owner %s, standby %s", owner, standby)
		}
	})
	t.Run("a variable that is not set is neither read nor swapped", func(t *testing.T) {
		_, n := e.dial(t)
		_, before := n.Get(t.Context(), "tandem_no_such")
		swapped := n.Swap(t.Context(), "tandem_no_such", "1@w@h:1", Seed)
		_, after := n.Get(t.Context(), "tandem_no_such")
		if !errors.Is(before, ErrUnset) || swapped != nil || !errors.Is(after, ErrUnset) {
			t.Errorf("%v, %v, %v", before, swapped, after)
		}
	})
	t.Run("every form of a claim is carried", func(t *testing.T) { carried(t, e) })
	t.Run("of eight workers one wins each epoch", func(t *testing.T) { contended(t, e) })
	t.Run("an owner keeps its lease until it is deposed", func(t *testing.T) { deposed(t, e) })
	t.Run("a lost connection deposes nobody", func(t *testing.T) { reconnected(t, e) })
	t.Run("an owner that leaves is replaced by its standby", func(t *testing.T) { handedOver(t, e) })
	t.Run("round trips", func(t *testing.T) { roundTrips(t, e) })
}

func carried(t *testing.T, e engine) {
	_, n := e.dial(t)
	_, seen := e.read(t, n)
	for _, me := range []Holder{
		{1, "w1", "127.0.0.1:4000"}, {2, "host-2.example:31_a", "media-1.example:65535"}, {3, "w", "[::1]:4000"},
		{4, "w", "[2001:db8::7]:1"}, {5, "W", "[::ffff:10.0.0.1]:80"}, {6, "w", "H:1"}, {maxEpoch / 2, "w", "h:1"},
	} {
		me.Epoch += seen.Epoch
		got, err := TakeStandby(t.Context(), n, seen, me)
		if err != nil || got != me {
			t.Fatalf("%s: got %s, %v", me, got, err)
		}
		seen = me
	}
	// Names differ by case, and the swap compares bytes.
	wrong := Holder{seen.Epoch, "W", "h:1"}
	var lost *LostError
	if _, err := TakeStandby(t.Context(), n, wrong, wrong.By("thief", "h:1", 0)); !errors.As(err, &lost) || lost.Holder != seen {
		t.Errorf("from another value: %v", err)
	}
	if err := LeaveStandby(t.Context(), n, seen); err != nil {
		t.Error(err)
	}
}

// owned takes the node for a worker and keeps it, on a connection of its own, until the test ends. It returns after the first
// renewal. Each good renewal gives a sign, and holders are those by whom the worker is deposed.
func owned(t *testing.T, e engine, worker string) (o ownership) {
	t.Helper()
	var n Node
	o.conn, n = e.dial(t)
	seen, _ := e.read(t, n)
	o.me, o.signs = seen.By(worker, "127.0.0.1:4000", 0), make(chan struct{}, 1000)
	o.lease = &Lease{Sign: func() { o.signs <- struct{}{} }}
	before := time.Now()
	if _, err := Take(t.Context(), n, seen, o.me); err != nil {
		t.Fatal(err)
	}
	o.lease.Renewed(before)
	o.holders = keepOn(t, n, o.me, o.lease)
	await(t, o.signs)
	await(t, o.signs)
	return o
}

type ownership struct {
	conn    *esl.Conn
	me      Holder
	lease   *Lease
	signs   chan struct{}
	holders chan Holder
}

// keepOn runs Keep until the test ends.
func keepOn(t *testing.T, n Node, me Holder, lease *Lease) (holders chan Holder) {
	ctx, cancel := context.WithCancel(t.Context())
	ended, holders := make(chan struct{}), make(chan Holder, 1)
	go func() {
		defer close(ended)
		_ = Keep(ctx, n, me, lease, func(h Holder) { holders <- h })
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return holders
}

func deposed(t *testing.T, e engine) {
	o := owned(t, e, "first")
	for range 3 {
		await(t, o.signs)
	}
	if !o.lease.Valid(time.Now()) {
		t.Error("not valid after a renewal")
	}
	_, n := e.dial(t)
	next := o.me.By("second", "127.0.0.1:4001", 0)
	if _, err := Take(t.Context(), n, o.me, next); err != nil {
		t.Fatal(err)
	}
	claimed := time.Now()
	if by := await(t, o.holders); by != next {
		t.Errorf("deposed by %s", by)
	}
	t.Logf("deposed %v after the claim", time.Since(claimed))
	if o.lease.Valid(time.Now()) {
		t.Error("still valid")
	}
}

func reconnected(t *testing.T, e engine) {
	o := owned(t, e, "survivor")
	if err := o.conn.Close(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(o.lease.Until())) // the passing of time is the event
	if o.lease.Valid(time.Now()) {
		t.Error("the lease does not run out")
	}
	_, n := e.dial(t)
	if owner, _ := e.read(t, n); owner != o.me {
		t.Fatalf("owned by %s", owner)
	}
	for len(o.signs) > 0 {
		<-o.signs
	}
	later := keepOn(t, n, o.me, o.lease)
	for range 3 {
		await(t, o.signs) // two renewals count now, for certain
	}
	if !o.lease.Valid(time.Now()) {
		t.Error("the lease does not come back")
	}
	if len(o.holders)+len(later) > 0 {
		t.Error("deposed")
	}
}

func handedOver(t *testing.T, e engine) {
	o := owned(t, e, "leaver")
	_, n := e.dial(t)
	o.lease.End()
	if err := Leave(t.Context(), n, o.me); err != nil {
		t.Fatal(err)
	}
	owner, standby := e.read(t, n)
	view := View{Worker: "heir", Link: "127.0.0.1:4001", OwnerClaim: owner, StandbyClaim: standby, Highest: o.me}
	got, err := view.Next().Make(t.Context(), n)
	if want := (Holder{o.me.Epoch + 1, "heir", "127.0.0.1:4001"}); err != nil || got != want {
		t.Fatalf("got %s, %v", got, err)
	}
	if by := await(t, o.holders); by.Epoch < o.me.Epoch {
		t.Errorf("deposed by %s", by)
	}
}

// await is the next value of a channel.
func await[T any](t *testing.T, values <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-values:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return value
}
