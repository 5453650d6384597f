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
	startLimit   = 2 * time.Minute
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
	Run(t, "freeswitch", target)
}

// startFreeSWITCH runs a binary with our own configuration in a folder of its own.
func startFreeSWITCH(t *testing.T, binary string, target Target, edgePorts ...uint16) Target {
	t.Helper()
	dir := t.TempDir()
	loopback := netip.MustParseAddr("127.0.0.1")
	socket := netip.AddrPortFrom(loopback, freePort(t))
	sip := netip.AddrPortFrom(loopback, freePort(t))
	target.EventSocket, target.SIP, target.Password = socket.String(), sip.String(), rand.Text()
	err := freeswitchconf.Write(dir, freeswitchconf.Values{
		Name: "claims", EventSocket: socket, Password: target.Password, SIP: sip, RTP: loopback, RTPStart: 31000, RTPEnd: 31999, Heartbeat: time.Second, EdgePorts: edgePorts,
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

// freePort is a loopback port that was free a moment ago, for TCP and for UDP:
// FreeSWITCH binds a SIP profile to both.
func freePort(t *testing.T) uint16 {
	t.Helper()
	const attempts = 100
	for range attempts {
		udp, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer udp.Close()
		tcp, err := net.Listen("tcp", udp.LocalAddr().String())
		if err != nil {
			continue
		}
		defer tcp.Close()
		return uint16(tcp.Addr().(*net.TCPAddr).Port)
	}
	t.Fatal("no port is free for TCP and UDP")
	return 0
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
			output, _ := os.ReadFile(filepath.Join(dir, "output"))
			log, _ := os.ReadFile(filepath.Join(dir, "log", "freeswitch.log"))
			t.Fatalf("FreeSWITCH is not up after %v:\n%s\n%s", startLimit, output, log)
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

// TestFreeSWITCHTakesSIPFromItsEdgesAlone checks the access list of our own
// configuration, by address and port.
func TestFreeSWITCHTakesSIPFromItsEdgesAlone(t *testing.T) {
	binary := os.Getenv("TANDEM_FREESWITCH")
	if !strings.Contains(binary, "/") {
		t.Skip("TANDEM_FREESWITCH names no binary")
	}
	edge, stranger := NewPhone(t, realPatience), NewPhone(t, realPatience)
	target := startFreeSWITCH(t, binary, Target{Profile: "internal", Patience: realPatience}, uint16(edge.port))
	if res, _ := stranger.Call(target.SIP, "1000").Final(); res.StatusCode != 403 {
		t.Errorf("a stranger gets %d", res.StatusCode)
	}
	e := open(t, target)
	d := edge.Call(target.SIP, "1000")
	e.text(esl.UUIDKill(e.parked(d), "USER_BUSY"))
	if res, _ := d.Final(); res.StatusCode != 486 {
		t.Errorf("the edge gets %d", res.StatusCode)
	}
}
