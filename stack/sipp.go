package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	sippPath = "/usr/bin/sipp"
	// sippTimeout is how long a scenario may take when SIPp.Timeout is 0.
	sippTimeout = 30 * time.Second
	// sippGrace is what SIPp may take beyond its own timeout to write its logs.
	sippGrace = 3 * time.Second
	// Bounds of what a result holds.
	sippLogBytes   = 1 << 20
	sippErrorLines = 10
)

// SIPp is a run of SIPp, as a caller or as a phone that is called, on loopback
// and bounded in time. The zero value of all but Scenario is useful.
type SIPp struct {
	Scenario  string        // path of the XML file
	Remote    string        // host:port to send to; empty: waits to be called
	LocalPort int           // SIP port; 0: a free one
	MediaPort int           // 0: a free one
	Calls     int           // ends after so many calls; 0: 1
	Timeout   time.Duration // whole run; 0: 30 s
	Arguments []string      // added to the command line, such as -key NAME VALUE
}

// SIPpRun is a SIPp that was started.
type SIPpRun struct {
	// Port is its SIP port on 127.0.0.1.
	Port int

	process *Process
	within  time.Duration

	mu     sync.Mutex
	dir    string // empty once gathered
	result SIPpResult
	err    error
}

// SIPpResult is what a run came to.
type SIPpResult struct {
	// ExitCode is SIPp's own: 0 all calls went by the scenario, 1 at least one
	// failed, 97 ended by a command, 99 no call was made, 254 and 255 fatal;
	// -1: it had to be killed.
	ExitCode int
	// Errors are the last lines of its error log, oldest first.
	Errors []string
	// Messages is its log of SIP messages sent and received.
	Messages string
	// Logs are the lines that <log> actions of the scenario wrote.
	Logs string
}

// Err is nil when all calls went by the scenario, and says why not in a line.
func (r SIPpResult) Err() error {
	if r.ExitCode == 0 {
		return nil
	}
	return fmt.Errorf("sipp: exit code %d: %s", r.ExitCode, strings.Join(r.Errors, " | "))
}

// Run starts SIPp and waits for its end. The error says that it could not run;
// what it found out is in the result.
func (x SIPp) Run(ctx context.Context) (SIPpResult, error) {
	run, err := x.Start(ctx)
	if err != nil {
		return SIPpResult{}, err
	}
	return run.Wait(ctx)
}

// Start starts SIPp. One that waits to be called has its port open when Start
// returns. The caller must Wait.
func (x SIPp) Start(ctx context.Context) (*SIPpRun, error) {
	scenario, err := filepath.Abs(x.Scenario)
	if err != nil {
		return nil, fmt.Errorf("sipp: %w", err)
	}
	if _, err := os.Stat(scenario); err != nil {
		return nil, fmt.Errorf("sipp: scenario: %w", err)
	}
	if x.LocalPort == 0 {
		if x.LocalPort, err = FreeUDPPort(); err != nil {
			return nil, fmt.Errorf("sipp: %w", err)
		}
	}
	if x.MediaPort == 0 {
		if x.MediaPort, err = FreeUDPPort(); err != nil {
			return nil, fmt.Errorf("sipp: %w", err)
		}
	}
	if x.Timeout == 0 {
		x.Timeout = sippTimeout
	}
	dir, err := os.MkdirTemp("", "tandem-sipp-")
	if err != nil {
		return nil, fmt.Errorf("sipp: %w", err)
	}
	command := Command{
		Name: "sipp", Path: sippPath, Arguments: x.arguments(scenario),
		Environment: append(serverEnvironment(dir), "TERM=dumb"), Dir: dir, Log: filepath.Join(dir, "screen.log"),
		Grace: sippGrace,
	}
	if x.Remote == "" {
		command.Ready = opensPort(x.LocalPort)
	}
	process, err := launch(ctx, command)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &SIPpRun{Port: x.LocalPort, process: process, dir: dir, within: x.Timeout + sippGrace}, nil
}

func (x SIPp) arguments(scenario string) []string {
	arguments := []string{
		"-sf", scenario, "-i", "127.0.0.1", "-p", strconv.Itoa(x.LocalPort),
		"-mi", "127.0.0.1", "-mp", strconv.Itoa(x.MediaPort), "-m", strconv.Itoa(max(x.Calls, 1)),
		"-timeout", fmt.Sprintf("%dms", x.Timeout.Milliseconds()), "-timeout_error", "-nostdin",
		"-trace_err", "-error_file", "errors.log", "-trace_msg", "-message_file", "messages.log",
		"-trace_logs", "-log_file", "actions.log",
	}
	arguments = append(arguments, x.Arguments...)
	if x.Remote != "" {
		arguments = append(arguments, x.Remote)
	}
	return arguments
}

// Wait waits for the end, which SIPp's own timeout brings, and gathers what it
// left. When ctx ends or the timeout did not work it is killed. Further calls
// return the same.
func (r *SIPpRun) Wait(ctx context.Context) (SIPpResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dir == "" {
		return r.result, r.err
	}
	late := time.NewTimer(r.within)
	defer late.Stop()
	killed := false
	select {
	case <-r.process.Done():
	case <-late.C:
		killed = true
	case <-ctx.Done():
		killed = true
	}
	if killed {
		r.err = r.process.Kill()
	}
	r.result = r.gather(killed)
	r.err = errors.Join(r.err, ctx.Err(), os.RemoveAll(r.dir))
	r.dir = ""
	return r.result, r.err
}

// Seen is the text of the messages so far, of a run that goes on.
func (r *SIPpRun) Seen() string { return r.read("messages.log") }

// Stop ends a SIPp that need not finish (SIGTERM), and gathers as Wait does.
func (r *SIPpRun) Stop(ctx context.Context) (SIPpResult, error) {
	if err := r.process.Stop(ctx); err != nil {
		return SIPpResult{}, err
	}
	return r.Wait(ctx)
}

func (r *SIPpRun) gather(killed bool) SIPpResult {
	result := SIPpResult{ExitCode: -1, Messages: r.read("messages.log"), Logs: r.read("actions.log")}
	var exit *exec.ExitError
	switch {
	case killed:
		result.Errors = append(result.Errors, "killed: it did not end in time")
	case r.process.err == nil:
		result.ExitCode = 0
	case errors.As(r.process.err, &exit):
		result.ExitCode = exit.ExitCode()
	}
	lines := strings.FieldsFunc(r.read("errors.log"), func(c rune) bool { return c == '\n' || c == '\r' })
	if len(lines) == 0 && result.ExitCode != 0 {
		// What is wrong with a scenario or an argument is said on the screen.
		lines = []string{worstLine(r.read("screen.log"))}
	}
	if extra := len(lines) - sippErrorLines; extra > 0 {
		lines = lines[extra:]
	}
	result.Errors = append(result.Errors, lines...)
	return result
}

// read returns the end of one of SIPp's files, or nothing.
func (r *SIPpRun) read(name string) string {
	file, err := os.Open(filepath.Join(r.dir, name))
	if err != nil {
		return ""
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > sippLogBytes {
		_, _ = file.Seek(-sippLogBytes, io.SeekEnd)
	}
	text, _ := io.ReadAll(io.LimitReader(file, sippLogBytes))
	return string(text)
}

// opensPort is a probe that looks for a socket bound to the port, UDP or
// listening on TCP, in proc(5)'s tables: sending something would be taken for
// the call.
func opensPort(port int) func(context.Context) error {
	suffix := fmt.Sprintf(":%04X", port)
	return func(context.Context) error {
		for table, state := range map[string]string{"udp": "07", "tcp": "0A"} {
			text, err := os.ReadFile("/proc/net/" + table)
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(text)) {
				fields := strings.Fields(line)
				if len(fields) > 3 && strings.HasSuffix(fields[1], suffix) && fields[3] == state {
					return nil
				}
			}
		}
		return fmt.Errorf("port %d is not open yet", port)
	}
}
