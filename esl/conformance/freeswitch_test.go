package conformance

import (
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tandem/esl"
	freeswitchconf "tandem/freeswitch-conf"
)

// Bounds of a real engine under test.
const (
	realPatience = 15 * time.Second
	startLimit   = 60 * time.Second
	stopLimit    = 30 * time.Second
)

// TestFreeSWITCH checks every claim against a real FreeSWITCH, when
// TANDEM_FREESWITCH names one.
func TestFreeSWITCH(t *testing.T) {
	where := os.Getenv("TANDEM_FREESWITCH")
	if where == "" {
		t.Skip("TANDEM_FREESWITCH names no FreeSWITCH: a binary, or the host:port of an event socket")
	}
	target := Target{Profile: "internal", MissingFile: "/no/such.wav", Patience: realPatience}
	if strings.Contains(where, "/") {
		target = startFreeSWITCH(t, where, target)
	} else {
		target.EventSocket = where
		target.Password, target.SIP = os.Getenv("TANDEM_FREESWITCH_PASSWORD"), os.Getenv("TANDEM_FREESWITCH_SIP")
	}
	Run(t, target)
}

// startFreeSWITCH runs a binary with our own configuration in a folder of its own.
func startFreeSWITCH(t *testing.T, binary string, target Target) Target {
	t.Helper()
	dir := t.TempDir()
	loopback := netip.MustParseAddr("127.0.0.1")
	socket := netip.AddrPortFrom(loopback, freePort(t, "tcp"))
	sip := netip.AddrPortFrom(loopback, freePort(t, "udp"))
	target.EventSocket, target.SIP, target.Password = socket.String(), sip.String(), rand.Text()
	err := freeswitchconf.Write(dir, freeswitchconf.Values{
		Name: "claims", EventSocket: socket, Password: target.Password, SIP: sip, RTP: loopback, RTPStart: 21000, RTPEnd: 21999, Heartbeat: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	output, err := os.Create(filepath.Join(dir, "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	cmd := exec.Command(binary, freeswitchconf.Arguments(dir)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, output, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopProcess(t, cmd) })
	awaitEngine(t, target, dir)
	return target
}

// freePort is a port that was free a moment ago.
func freePort(t *testing.T, network string) uint16 {
	t.Helper()
	if network == "tcp" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return uint16(l.Addr().(*net.TCPAddr).Port)
	}
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return uint16(c.LocalAddr().(*net.UDPAddr).Port)
}

// awaitEngine waits until the event socket and the profile are up.
func awaitEngine(t *testing.T, target Target, dir string) {
	t.Helper()
	deadline := time.Now().Add(startLimit)
	for {
		if conn, err := esl.Dial(context.Background(), esl.Options{Address: target.EventSocket, Password: target.Password}); err == nil {
			conn.Close()
			r := openRaw(t, target)
			if strings.Contains(r.command("api sofia status"), "RUNNING") {
				return
			}
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(dir, "output"))
			t.Fatalf("FreeSWITCH is not up after %v:\n%s", startLimit, log)
		}
		time.Sleep(100 * time.Millisecond) // a start is no event
	}
}

// stopProcess ends FreeSWITCH, by force if it does not listen.
func stopProcess(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(stopLimit):
		cmd.Process.Kill()
		<-ended
	}
}
