package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func shell(t *testing.T, script string) Command {
	return Command{
		Name: "script", Path: "/bin/sh", Arguments: []string{"-c", script},
		Log: filepath.Join(t.TempDir(), "log"), Grace: 300 * time.Millisecond,
	}
}

// logHas is a probe for a line in the command's own output.
func logHas(c Command, text string) func(context.Context) error {
	return func(context.Context) error {
		content, err := os.ReadFile(c.Log)
		if err == nil && !bytes.Contains(content, []byte(text)) {
			err = errors.New("not said yet")
		}
		return err
	}
}

func TestStopIsOrderlyFirst(t *testing.T) {
	c := shell(t, `trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done`)
	c.Ready, c.Grace = logHas(c, "ready"), time.Minute
	p, err := launch(t.Context(), c)
	must(t, err)
	must(t, p.Stop(t.Context()))
	must(t, logHas(c, "bye")(t.Context()))
	if p.Running() {
		t.Error("still running")
	}
}

func TestStopKillsTheWholeTreeOfAStubbornProcess(t *testing.T) {
	// The inner shell leads a session of its own: no group holds both.
	c := shell(t, `trap '' TERM; setsid sh -c 'trap "" TERM; echo ready; while :; do sleep 0.01; done'; sleep 99`)
	c.Ready = logHas(c, "ready")
	p, err := launch(t.Context(), c)
	must(t, err)
	members := tree(p.Pid())
	if len(members) < 2 {
		t.Fatalf("tree is %v", members)
	}
	must(t, p.Stop(t.Context()))
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for _, pid := range members {
		for n := 0; alive(pid); n++ {
			if n == 400 {
				t.Fatalf("process %d of %v survived", pid, members)
			}
			<-tick.C
		}
	}
}

func TestPausedProcessCanBeStopped(t *testing.T) {
	c := shell(t, `trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done`)
	c.Ready, c.Grace = logHas(c, "ready"), time.Minute
	p, err := launch(t.Context(), c)
	must(t, err)
	p.Pause()
	must(t, p.Stop(t.Context()))
}

func TestWhatEndsTooEarlyIsQuotedByItsWorstLine(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"fatal before error", `echo "ERROR: small"; echo "FATAL: no room for data"; echo last; exit 1`, "FATAL: no room for data"},
		{"last line without severity", `echo one; echo two; exit 1`, "two"},
		{"silent", `exit 1`, "its log is empty"},
		{"port in use", `echo "bind: Address already in use"; exit 1`, "end the program that has it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := shell(t, test.script)
			c.Ready = func(context.Context) error { return errors.New("never") }
			_, err := launch(t.Context(), c)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, test.want)
			}
		})
	}
}

func TestWhatIsNeverReadyIsEnded(t *testing.T) {
	c := shell(t, `echo $$; exec sleep 99`)
	c.Within = 100 * time.Millisecond
	c.Ready = func(context.Context) error { return errors.New("no answer from it") }
	_, err := launch(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "not ready after 100ms (no answer from it)") {
		t.Errorf("got %v", err)
	}
	content, err := os.ReadFile(c.Log)
	must(t, err)
	var pid int
	if _, err := fmt.Sscan(string(content), &pid); err == nil && alive(pid) {
		t.Errorf("process %d is left", pid)
	}
}

func TestExitCodeOfTheCommandIsPreserved(t *testing.T) {
	s := &Stack{Dir: "/the/folder", AMQPURL: "amqp://here"}
	for _, test := range []struct {
		script string
		want   int
	}{
		{`exit 0`, 0},
		{`exit 7`, 7},
		{`kill -TERM $$`, 128 + int(syscall.SIGTERM)},
		{`test "$TANDEM_STACK_DIR $TANDEM_STATE_DIR $TANDEM_AMQP_URL" = "/the/folder /the/folder/state amqp://here"`, 0},
	} {
		if got, err := s.run(t.Context(), []string{"/bin/sh", "-c", test.script}); err != nil || got != test.want {
			t.Errorf("%s: got %d, %v, want %d", test.script, got, err, test.want)
		}
	}
	if _, err := s.run(t.Context(), []string{"/no/such/program"}); err == nil {
		t.Error("a command that does not exist ran")
	}
}

func TestCommandIsInterruptedWithItsChildrenWhenTheContextEnds(t *testing.T) {
	name := filepath.Join(t.TempDir(), "said")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := os.Stat(name); err == nil {
				cancel()
				return
			}
		}
	}()
	// Only a child that gets the signal itself ends: sh waits for it first.
	script := `sh -c 'trap "echo interrupted > $0; exit 3" INT; : > $0; while :; do sleep 0.01; done' "$0"; exit $?`
	code, err := (&Stack{}).run(ctx, []string{"/bin/sh", "-c", script, name})
	said, _ := os.ReadFile(name)
	if err != nil || code == 0 || string(said) != "interrupted\n" {
		t.Errorf("exit code %d, %v, said %q", code, err, said)
	}
}

func TestRunStartsMigratesRunsAndEndsEverything(t *testing.T) {
	name := filepath.Join(t.TempDir(), "folder")
	migrated := ""
	migrate := func(_ context.Context, postgresURL string) error {
		migrated = postgresURL
		return nil
	}
	code, err := Run(t.Context(), t.Output(), migrate, []string{"/bin/sh", "-c", `echo -n "$TANDEM_STACK_DIR" > "$0"; exit 5`, name})
	if err != nil || code != 5 || !strings.Contains(migrated, "/"+templateName+"?") {
		t.Errorf("exit code %d, %v, migrated %q", code, err, migrated)
	}
	folder, err := os.ReadFile(name)
	must(t, err)
	if _, err := os.Stat(string(folder)); len(folder) == 0 || !os.IsNotExist(err) {
		t.Errorf("the stack's folder %q is left: %v", folder, err)
	}
}
