package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

const (
	kamailioPath  = "/usr/sbin/kamailio"
	kamailioReady = 20 * time.Second
	// kamailioGrace is short: after an outage its shutdown may hang in shared
	// memory, and nothing of it is kept.
	kamailioGrace = 5 * time.Second
	// sharedMemoryMB is what a benchmark at saturation needs; 128 were too few.
	// Pages are taken only when they are used.
	sharedMemoryMB   = "512"
	privateMemoryMB  = "16"
	optionsReplySize = 4096
)

// KamailioOptions say which Kamailio to start.
type KamailioOptions struct {
	Config string // path of the finished configuration file
	Name   string // unique among those that run; empty: "kamailio"
	// Address is a UDP listener as host:port, which must answer OPTIONS with
	// any status once it works. Empty: the first UDP listener in Config.
	Address string
}

// udpListener finds the first UDP listener that a configuration opens itself.
var udpListener = regexp.MustCompile(`(?m)^\s*listen\s*=\s*"?udp:([0-9.]+:[0-9]+)`)

// StartKamailio starts a Kamailio and waits until it answers OPTIONS. An error
// quotes the line of Kamailio's log by which it is to be found.
func (s *Stack) StartKamailio(ctx context.Context, o KamailioOptions) (*Process, error) {
	if o.Name == "" {
		o.Name = "kamailio"
	}
	address, err := o.address()
	if err != nil {
		return nil, err
	}
	run, err := os.MkdirTemp(s.Dir, o.Name+"-")
	if err != nil {
		return nil, fmt.Errorf("folder of %s: %w", o.Name, err)
	}
	return s.Launch(ctx, Command{
		Name: o.Name, Path: kamailioPath,
		Arguments: []string{
			"-DD", "-E", "-f", o.Config, "-P", filepath.Join(run, "pid"), "-Y", run, "-w", run,
			"-m", sharedMemoryMB, "-M", privateMemoryMB,
		},
		Environment: serverEnvironment(run), Dir: run,
		Ready: answersOptions(address), Within: kamailioReady, Grace: kamailioGrace,
	})
}

func (o KamailioOptions) address() (string, error) {
	if o.Address != "" {
		return o.Address, nil
	}
	text, err := os.ReadFile(o.Config)
	if err != nil {
		return "", fmt.Errorf("configuration of %s: %w", o.Name, err)
	}
	found := udpListener.FindSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("configuration of %s: %s opens no UDP listener with a port: give its address", o.Name, o.Config)
	}
	return string(found[1]), nil
}

// CheckKamailio lets Kamailio read a configuration without running it. The
// error is Kamailio's own first complaint.
func CheckKamailio(ctx context.Context, config string) error {
	run, err := os.MkdirTemp("", "tandem-check-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(run)
	cmd := exec.CommandContext(ctx, kamailioPath, "-c", "-E", "-f", config, "-Y", run, "-m", sharedMemoryMB, "-M", privateMemoryMB)
	cmd.Env = serverEnvironment(run)
	output, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%s: %s", config, worstLine(string(output)))
	}
	return err
}

// answersOptions is a probe by OPTIONS over UDP (RFC 3261 section 11). Any
// answer with our Call-ID will do.
func answersOptions(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "udp", address)
		if err != nil {
			return err
		}
		defer conn.Close()
		deadline, _ := ctx.Deadline()
		// A datagram sent before the socket is there is refused or lost: ask
		// anew soon.
		if soon := time.Now().Add(200 * time.Millisecond); deadline.IsZero() || soon.Before(deadline) {
			deadline = soon
		}
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
		local := conn.LocalAddr()
		id := unique("ready", "-")
		_, err = fmt.Fprintf(conn, "OPTIONS sip:ready@%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;rport;branch=z9hG4bK%[3]s\r\n"+
			"Max-Forwards: 70\r\nFrom: <sip:ready@%[2]s>;tag=%[3]s\r\nTo: <sip:ready@%[1]s>\r\nCall-ID: %[3]s\r\n"+
			"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", address, local, id)
		if err != nil {
			return err
		}
		reply := make([]byte, optionsReplySize)
		n, err := conn.Read(reply)
		if err != nil {
			return err
		}
		if answer := string(reply[:n]); !regexp.MustCompile(`^SIP/2\.0 [2-6]`).MatchString(answer) {
			return fmt.Errorf("unexpected answer to OPTIONS: %s", shorten(answer))
		}
		return nil
	}
}
