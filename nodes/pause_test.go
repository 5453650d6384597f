package nodes

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"tandem/nodes/claim"
)

// The environment that makes this test binary the other worker of a test.
const childNode = "TANDEM_NODES_TEST_EVENT_SOCKET"

// TestBeTheOtherWorker is no test: it is the worker that TestAPausedOwnerOrdersNothingWhenItWakes stops. It says on standard
// output what it logs and journals.
func TestBeTheOtherWorker(t *testing.T) {
	address := os.Getenv(childNode)
	if address == "" {
		t.Skip("only as another test's other process")
	}
	w, _ := workerThat(t, newFakeNode(t), "worker1.a", func(o *Options) { o.Node.EventSocket = address })
	for {
		select {
		case line := <-w.lines:
			fmt.Print(line)
		case code := <-w.reasons:
			fmt.Println("because", code)
		case <-w.ups:
			fmt.Println("drives the node")
		}
	}
}

// other is a worker in another process.
type other struct {
	*exec.Cmd
	lines *bufio.Scanner
}

func startOther(t *testing.T, f *fakeNode) *other {
	t.Helper()
	o := &other{Cmd: exec.Command(os.Args[0], "-test.run=^TestBeTheOtherWorker$")}
	o.Env = append(os.Environ(), childNode+"="+f.listener.Addr().String())
	out, err := o.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = o.Process.Kill() // wakes a stopped one too
		_ = o.Wait()
	})
	o.lines = bufio.NewScanner(out)
	return o
}

// says waits until the other worker says something.
func (o *other) says(t *testing.T, text string) {
	t.Helper()
	for o.lines.Scan() {
		if strings.Contains(o.lines.Text(), text) {
			return
		}
	}
	t.Fatalf("the other worker ended, and did not say %q", text)
}

// pause stops the other process, and returns when it has stopped.
func (o *other) pause(t *testing.T) {
	t.Helper()
	var status syscall.WaitStatus
	if err := o.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, err := syscall.Wait4(o.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("the other process did not stop: %v", err)
	}
}

// TestAPausedOwnerOrdersNothingWhenItWakes: an owner is stopped (SIGSTOP) with orders in its buffers, replaced, and woken with
// all that the node has said meanwhile in its ears. Its lease is over, so none of its orders reaches the node: those that the
// node had not got are its successor's. What it could still write is what a thread of its had checked the lease for before
// it was stopped, and was about to write: that is the bound that docs/ARCHITECTURE.md names under Guarantees.
func TestAPausedOwnerOrdersNothingWhenItWakes(t *testing.T) {
	const second = "aaaaaaaa-7777-4777-8777-777777777777" // in the shard of the first, so its order waits behind it
	f := newFakeNode(t)
	asked, goOn := make(chan struct{}), make(chan struct{})
	f.beforeAnswers(func(command string) {
		if strings.Contains(command, "execute-app-name: bridge") && strings.Contains(command, "sendmsg "+callerLeg) {
			close(asked)
			<-goOn // this connection gets no reply meanwhile
		}
	})
	owner := startOther(t, f)
	owner.says(t, "drives the node")
	standby, _ := worker(t, f, "worker2.b")
	standby.picture(t)
	for _, leg := range []string{callerLeg, second} {
		f.event("CHANNEL_CREATE", leg, "inbound")
		f.event("CHANNEL_PARK", leg, "inbound")
		owner.says(t, "because ringing")
	}
	<-asked
	owner.pause(t)
	f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: ORIGINATOR_CANCEL", "variable_hangup_cause_q850: 16",
		"variable_sip_hangup_disposition: recv_cancel", "variable_sip_term_status: 487")
	close(goOn)
	f.ordered("sendmsg " + callerLeg)
	standby.up(t)
	f.ordered("sendmsg " + second) // by its successor
	if standby.cdr(t).Leg != callerLeg {
		t.Error("another leg's record")
	}
	if err := owner.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	owner.says(t, "another worker owns the media node now")
	owner.says(t, "whole picture") // it stands by, and has dropped what it held
	select {
	case c := <-f.commands:
		t.Errorf("ordered by the owner that was stopped: %s", c)
	default:
	}
	if got := f.global(claim.OwnerVariable); !strings.Contains(got, "worker2.b") {
		t.Errorf("the node is owned by %s", got)
	}
}
