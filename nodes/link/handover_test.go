package link

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"
)

func TestAHandOverComesAfterEverythingThatWasShipped(t *testing.T) {
	s, o, f, p := linked(t, newMemory("call", "state"))
	for i := range 20_000 {
		o.Ship("n", []byte(strconv.Itoa(i)))
	}
	if err := o.HandOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	ends(t, f, ErrHandedOver)
	if got := string(p.state()["n"]); got != "19999" {
		t.Errorf("the last record is %s", got)
	}
	if ticket := o.Ship("call", []byte("x")); !ticket.Refused() {
		t.Error("a record was taken after the hand-over")
	}
	if err := o.HandOver(t.Context()); !errors.Is(err, ErrNotHandedOver) || !errors.Is(err, ErrReleased) {
		t.Errorf("a second hand-over gives %v", err)
	}
	if _, err := Follow(t.Context(), options(s, func(Record) {})); !errors.Is(err, ErrNotOwned) {
		t.Errorf("following the former owner gives %v", err)
	}
	if stats := s.Stats(); stats.HandedOver != 1 || stats.Lost != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestAHandOverWaitsForTheSnapshot(t *testing.T) {
	s, p := listen(t, lenient), newPicture()
	reading, goOn := make(chan struct{}), make(chan struct{})
	o := s.Own(node, epoch, func(yield func(string, []byte) bool) {
		close(reading)
		<-goOn
		yield("late", []byte("state"))
	})
	f := follow(t, options(s, p.handle))
	await(t, reading, "the snapshot")
	result := make(chan error)
	go func() { result <- o.HandOver(t.Context()) }()
	until(t, "Ship refused", func() bool { return o.Ship("call", []byte("x")).Refused() })
	if err := o.HandOver(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("a hand-over beside another gives %v", err)
	}
	if _, err := Follow(t.Context(), options(s, func(Record) {})); !errors.Is(err, ErrBusy) {
		t.Errorf("following meanwhile gives %v", err)
	}
	close(goOn)
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	ends(t, f, ErrHandedOver)
	if !f.Complete() || string(p.state()["late"]) != "state" {
		t.Error("the picture is not whole")
	}
}

func TestAnOwnerThatCannotHandOverOwnsOn(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	if err := o.HandOver(t.Context()); !errors.Is(err, ErrNotHandedOver) || !errors.Is(err, ErrNoStandby) {
		t.Errorf("without a standby: %v", err)
	}

	held, goOn := make(chan struct{}), make(chan struct{})
	f := follow(t, options(s, func(r Record) {
		if r.Key == "held" {
			close(held)
			<-goOn
		}
	}))
	o.Ship("held", []byte("x"))
	await(t, held, "the record")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := o.HandOver(ctx); !errors.Is(err, ErrNotHandedOver) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a standby that is busy: %v", err)
	}
	close(goOn)
	shipped(t, o.Ship("call", []byte("x"))) // the standby was told nothing and follows on
	if err := f.Err(); err != nil {
		t.Error(err)
	}
	if err := o.HandOver(t.Context()); err != nil {
		t.Error(err)
	}
	ends(t, f, ErrHandedOver)
}

func TestAStandbyThatDiesDuringTheHandOverWasNotTold(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	conn, _ := proven(t, s)
	result := make(chan error)
	go func() { result <- o.HandOver(t.Context()) }()
	until(t, "Ship refused", func() bool { return o.Ship("call", []byte("x")).Refused() })
	_ = conn.Close()
	if err := <-result; !errors.Is(err, ErrNotHandedOver) {
		t.Fatal(err)
	}
	if o.Ship("call", []byte("x")).Refused() {
		t.Error("the owner may not go on")
	}
}

func TestAStandbyThatDiesAtTheGoodbyeMayHaveTakenOver(t *testing.T) {
	s := listen(t, lenient)
	o := s.Own(node, epoch, newMemory().snapshot())
	conn, from := proven(t, s)
	from.expand(conn, limitRecord, 0)
	result := make(chan error)
	go func() { result <- o.HandOver(t.Context()) }()
	var position uint64
	for kind := byte(0); kind != frameGoodbye; {
		var size int
		var err error
		if kind, _, size, err = from.next(); err != nil {
			t.Fatal(err)
		}
		if kind == framePing {
			continue
		}
		position += uint64(size)
		if kind != frameGoodbye { // that one it takes to its grave
			_, _ = conn.Write(appendAck(nil, position))
		}
	}
	_ = conn.Close()
	if err := <-result; !errors.Is(err, ErrHandOverUnknown) {
		t.Fatal(err)
	}
	if !o.Ship("call", []byte("x")).Refused() {
		t.Error("an owner that may have none of its node shipped")
	}
}

// The link may end after the last acknowledgement and before the goodbye: then nobody was told, whatever is acknowledged.
func TestAGoodbyeThatWasNeverSaidIsNotTakenForAcknowledged(t *testing.T) {
	_, o, _, _ := linked(t, newMemory())
	shipped(t, o.Ship("call", []byte("state")))
	o.current.Load().outbox.end(false) // what the end of a link does first
	if err := o.HandOver(t.Context()); !errors.Is(err, ErrNotHandedOver) {
		t.Error(err)
	}
}
