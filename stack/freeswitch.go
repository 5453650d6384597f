package stack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// freeswitchVariable names a FreeSWITCH to use: the path of its binary, or
// host:port of a running one's event socket.
const freeswitchVariable = "TANDEM_FREESWITCH"

const (
	freeswitchReady = 60 * time.Second
	freeswitchGrace = 15 * time.Second
)

// FindFreeSWITCH returns the FreeSWITCH that TANDEM_FREESWITCH names, as it
// stands there (a path, or host:port of an event socket: see IsAddress), or
// else the binary of an installed one.
func FindFreeSWITCH() (where string, ok bool) {
	if named := os.Getenv(freeswitchVariable); named != "" {
		return named, IsAddress(named) || executable(named)
	}
	for _, path := range []string{
		"/usr/bin/freeswitch", "/usr/local/freeswitch/bin/freeswitch", "/opt/freeswitch/bin/freeswitch",
	} {
		if executable(path) {
			return path, true
		}
	}
	return "", false
}

// IsAddress tells host:port of a running FreeSWITCH from a binary's path.
func IsAddress(where string) bool {
	_, port, err := net.SplitHostPort(where)
	return err == nil && port != "" && !strings.Contains(where, "/")
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// FreeSWITCHOptions say which FreeSWITCH to start.
type FreeSWITCHOptions struct {
	Bin       string // path of the binary
	ConfigDir string // folder that holds freeswitch.xml
	Name      string // unique among those that run; empty: "freeswitch"
	// EventSocket is host:port of the event socket that the configuration
	// opens, and Password is its password.
	EventSocket, Password string
	// Arguments are added to the command line.
	Arguments []string
	// Environment is added to a minimal one, as "NAME=value".
	Environment []string
}

// StartFreeSWITCH starts a FreeSWITCH in the foreground, all of its files in
// the stack's folder, and waits until it says that it takes calls.
func (s *Stack) StartFreeSWITCH(ctx context.Context, o FreeSWITCHOptions) (*Process, error) {
	if o.Name == "" {
		o.Name = "freeswitch"
	}
	if IsAddress(o.Bin) || !executable(o.Bin) {
		return nil, fmt.Errorf("start %s: %q is not a program", o.Name, o.Bin)
	}
	run, err := os.MkdirTemp(s.Dir, o.Name+"-")
	if err != nil {
		return nil, fmt.Errorf("folder of %s: %w", o.Name, err)
	}
	// No console, no fork, no real-time priority, no NAT traversal, no
	// calibration of the clock. Nothing is written to where it is installed.
	arguments := []string{"-nc", "-nf", "-np", "-nonat", "-nonatmap", "-nocal", "-conf", o.ConfigDir}
	for _, place := range []string{"log", "db", "run", "temp", "storage", "recordings", "cache", "certs"} {
		folder := filepath.Join(run, place)
		if err := os.Mkdir(folder, 0o755); err != nil {
			return nil, fmt.Errorf("folder of %s: %w", o.Name, err)
		}
		arguments = append(arguments, "-"+place, folder)
	}
	return s.Launch(ctx, Command{
		Name: o.Name, Path: o.Bin, Arguments: append(arguments, o.Arguments...),
		Environment: append(serverEnvironment(run), o.Environment...), Dir: run,
		Ready: freeswitchAnswers(o.EventSocket, o.Password), Within: freeswitchReady, Grace: freeswitchGrace,
	})
}

// freeswitchAnswers is a probe by the event socket: the listener may open
// while other modules still load, so the core itself is asked
// (switch_core.c: fsctl ready_check). Without a password the greeting does.
func freeswitchAnswers(address, password string) func(context.Context) error {
	return func(ctx context.Context) error {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		defer conn.Close()
		if deadline, ok := ctx.Deadline(); ok {
			if err := conn.SetDeadline(deadline); err != nil {
				return err
			}
		}
		reader := textproto.NewReader(bufio.NewReader(conn))
		greeting, err := reader.ReadMIMEHeader()
		if err != nil {
			return err
		}
		if greeting.Get("Content-Type") != "auth/request" {
			return errors.New("the port is no event socket")
		}
		if password == "" {
			return nil
		}
		if _, err := fmt.Fprintf(conn, "auth %s\n\n", password); err != nil {
			return err
		}
		reply, err := reader.ReadMIMEHeader()
		if err != nil {
			return err
		}
		if text := reply.Get("Reply-Text"); !strings.HasPrefix(text, "+OK") {
			return fmt.Errorf("the event socket refused the password: %s", text)
		}
		if _, err := fmt.Fprint(conn, "api fsctl ready_check\n\n"); err != nil {
			return err
		}
		if _, err := reader.ReadMIMEHeader(); err != nil {
			return err
		}
		line, err := reader.R.ReadString('\n')
		if !strings.HasPrefix(line, "true") {
			return fmt.Errorf("not ready yet: %q (%v)", line, err)
		}
		return nil
	}
}
