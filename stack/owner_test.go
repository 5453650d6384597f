package stack

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// listeners are the hexadecimal addresses on which a TCP port listens.
func listeners(t *testing.T, port int) (addresses []string) {
	t.Helper()
	for _, table := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile("/proc/net/" + table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) < 4 || fields[3] != "0A" {
				continue
			}
			if address, hex, _ := strings.Cut(fields[1], ":"); hex == fmt.Sprintf("%04X", port) {
				addresses = append(addresses, address)
			}
		}
	}
	return addresses
}

// ownerVariable makes this test binary an owner of a stack, to be killed.
const ownerVariable = "TANDEM_TEST_OWNER"

type owned struct {
	Dir  string
	Pids []int
}

// ownStack starts a stack, says what it has, and waits to be killed.
func ownStack() {
	s, err := Start(context.Background(), Options{PostgreSQL: true, RabbitMQ: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	o := owned{Dir: s.Dir, Pids: tree(os.Getpid())[1:]}
	_ = json.NewEncoder(os.Stdout).Encode(o)
	_, _ = io.ReadAll(os.Stdin)
}

func TestKilledOwnerLeavesNothing(t *testing.T) {
	install(t, PostgreSQL, RabbitMQ)
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerVariable+"=yes", "TMPDIR=/tmp")
	stdin, err := owner.StdinPipe()
	must(t, err)
	defer stdin.Close()
	stdout, err := owner.StdoutPipe()
	must(t, err)
	owner.Stderr = t.Output()
	must(t, owner.Start())
	var o owned
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	must(t, err)
	must(t, json.Unmarshal(line, &o))
	if len(o.Pids) < 8 {
		t.Fatalf("the owner has only %v", o.Pids)
	}
	must(t, owner.Process.Kill())
	_ = owner.Wait()

	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for _, pid := range o.Pids {
		for alive(pid) {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("process %d outlived its killed owner", pid)
			}
		}
	}
	if _, err := os.Stat(o.Dir); err != nil {
		t.Fatalf("the folder should be there, to be swept: %v", err)
	}
	t.Setenv("TMPDIR", "/tmp")
	begun(t, Options{})
	if _, err := os.Stat(o.Dir); !os.IsNotExist(err) {
		t.Errorf("the next start did not sweep the folder: %v", err)
	}
}

func TestPortIsReservedButCanBeServed(t *testing.T) {
	for name, free := range map[string]func() (int, error){"TCP": FreePort, "UDP": FreeUDPPort} {
		t.Run(name, func(t *testing.T) {
			port, err := free()
			must(t, err)
			if err := reserve(port); err != errPortTaken {
				t.Errorf("reserved twice: %v", err)
			}
			server, err := net.Listen("tcp", loopback(port))
			must(t, err)
			defer server.Close()
			client, err := net.Dial("tcp", loopback(port))
			must(t, err)
			client.Close()
			phone, err := net.ListenPacket("udp", loopback(port))
			must(t, err)
			must(t, phone.Close())
		})
	}
}

func TestPortOfAnotherProgramIsNotTaken(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	defer udp.Close()
	if err := reserve(tcp.Addr().(*net.TCPAddr).Port); err != errPortTaken {
		t.Errorf("TCP: %v", err)
	}
	if err := probeUDP(udp.LocalAddr().(*net.UDPAddr).Port); err != errPortTaken {
		t.Errorf("UDP: %v", err)
	}
}
