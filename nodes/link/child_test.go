package link

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"
)

// The environment that makes this test binary the other process of a test.
const (
	childRole    = "TANDEM_LINK_TEST_ROLE"
	childAddress = "TANDEM_LINK_TEST_ADDRESS"
	childSilence = 100 * time.Millisecond
)

// beChild is an owner that ships without end, or a standby; it says on standard output what happens.
func beChild(role string) int {
	ctx := context.Background()
	switch role {
	case "owner":
		s, err := Listen(ctx, Options{Address: "127.0.0.1:0", Secret: secret(), Worker: "child", Silence: lenient})
		if err != nil {
			return 1
		}
		o := s.Own(node, epoch, newMemory("call", "state").snapshot())
		fmt.Println(s.Addr())
		for {
			if !o.Ship("call", []byte("state")).Wait(time.Millisecond) {
				time.Sleep(time.Millisecond)
			}
		}
	case "standby":
		f, err := Follow(ctx, FollowOptions{Address: os.Getenv(childAddress), Node: node, Worker: "child", Epoch: epoch, Secret: secret(),
			Silence: childSilence, Handle: func(r Record) {
				if r.Kind == KindComplete {
					fmt.Println("complete")
				}
			}})
		if err != nil {
			return 1
		}
		<-f.Done()
		fmt.Println(f.Err())
	}
	return 0
}

type child struct {
	*exec.Cmd
	lines *bufio.Scanner
}

func start(t *testing.T, role, address string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0])}
	c.Env = append(os.Environ(), childRole+"="+role, childAddress+"="+address)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill() // wakes a stopped one too
		_ = c.Wait()
	})
	c.lines = bufio.NewScanner(out)
	return c
}

func (c *child) line(t *testing.T) string {
	t.Helper()
	if !c.lines.Scan() {
		t.Fatalf("the other process ended: %v", c.lines.Err())
	}
	return c.lines.Text()
}

func (c *child) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// pause stops the other process, and returns when it has stopped.
func (c *child) pause(t *testing.T) {
	t.Helper()
	c.signal(t, syscall.SIGSTOP)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(c.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("the other process did not stop: %v", err)
	}
}

// following is a standby here of an owner in another process.
func following(t *testing.T, silence time.Duration) (*child, *Follower) {
	t.Helper()
	owner, p := start(t, "owner", ""), newPicture()
	f := follow(t, FollowOptions{Address: owner.line(t), Node: node, Worker: "standby", Epoch: epoch, Secret: secret(),
		Silence: silence, Handle: p.handle})
	await(t, p.complete, "the snapshot")
	return owner, f
}

func TestAKilledOwnerIsNoticedAtOnce(t *testing.T) {
	var took []time.Duration
	for range 15 {
		owner, f := following(t, lenient)
		begin := time.Now()
		owner.signal(t, syscall.SIGKILL)
		ends(t, f, ErrPeerClosed)
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	t.Logf("from kill to Done: median %s, longest %s", took[len(took)/2], took[len(took)-1])
	// On a machine with something else to do single ones come later; a limit of silence would show in all.
	if took[0] > 5*time.Millisecond || took[len(took)/2] > 100*time.Millisecond {
		t.Errorf("from kill to Done: %v", took)
	}
}

func TestAPausedOwnerIsSilentWithinTheLimit(t *testing.T) {
	var took []time.Duration
	for range 5 {
		owner, f := following(t, childSilence)
		begin := time.Now()
		owner.signal(t, syscall.SIGSTOP)
		ends(t, f, ErrSilent)
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	t.Logf("from the pause to Done, with a limit of %s: median %s, longest %s", childSilence, took[len(took)/2], took[len(took)-1])
	if took[len(took)/2] < childSilence/2 || took[0] > 2*childSilence {
		t.Errorf("from the pause to Done: %v", took)
	}
}

// The one that was paused must not believe that the other is dead: not after a short pause, in which the owner has given
// it up, and not when the owner wrote to it all the time.
func TestAPausedStandbyLearnsThatTheOwnerLives(t *testing.T) {
	s := listen(t, 3*childSilence)
	o := s.Own(node, epoch, newMemory("call", "state").snapshot())
	standby := start(t, "standby", s.Addr())
	if got := standby.line(t); got != "complete" {
		t.Fatal(got)
	}
	standby.pause(t)
	for there := true; there; _, there = o.Standby() {
		o.Ship("call", make([]byte, 1000)).Wait(100 * time.Microsecond)
	}
	standby.signal(t, syscall.SIGCONT)
	if got := standby.line(t); got != ErrCutOff.Error() {
		t.Errorf("the standby that was paused found %q", got)
	}
	if got := s.Stats(); got.Silent != 1 {
		t.Errorf("%+v", got)
	}
}

// A pause that the owner bears is no reason for the standby to call the owner silent, though its own limit is over.
func TestAStandbyThatWasItselfPausedDoesNotBlameItsOwner(t *testing.T) {
	s := listen(t, lenient) // the owner is more patient than the standby
	o := s.Own(node, epoch, newMemory().snapshot())
	standby := start(t, "standby", s.Addr())
	if got := standby.line(t); got != "complete" {
		t.Fatal(got)
	}
	standby.pause(t)
	ticket := o.Ship("call", []byte("state"))
	if ticket.Wait(4 * childSilence) {
		t.Fatal("a paused standby acknowledged")
	}
	standby.signal(t, syscall.SIGCONT)
	if !ticket.Wait(patient) {
		t.Fatalf("the standby did not acknowledge: %s", standby.line(t))
	}
	if err := o.HandOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := standby.line(t); got != ErrHandedOver.Error() {
		t.Errorf("the standby that was paused found %q", got)
	}
}
