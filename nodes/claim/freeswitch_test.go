package claim

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	freeswitchconf "tandem/freeswitch-conf"
	"tandem/stack"
)

// TestFreeSWITCH checks the claims of TestStandIn against a real FreeSWITCH with the configuration that is shipped, when
// TANDEM_FREESWITCH names its binary.
func TestFreeSWITCH(t *testing.T) {
	if os.Getenv("TANDEM_FREESWITCH") == "" {
		t.Skip("TANDEM_FREESWITCH names no FreeSWITCH binary")
	}
	binary, ok := stack.FindFreeSWITCH()
	if !ok || stack.IsAddress(binary) {
		t.Skipf("%q is no binary, and a node in use is nothing to claim", binary)
	}
	s, err := stack.Start(t.Context(), stack.Options{Out: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	e := engine{address: netip.AddrPortFrom(loopback(), freePort(t, stack.FreePort)).String(), password: rand.Text(), epochs: 100}
	node := startFreeSWITCH(t, s, binary, e)
	checkEngine(t, e)

	t.Run("reloading the configuration changes no owner", func(t *testing.T) {
		o := owned(t, e, "reloaded")
		if reply := e.raw(t, "reloadxml"); !strings.HasPrefix(reply, "+OK") {
			t.Fatal(reply)
		}
		_, n := e.dial(t)
		if owner, _ := e.read(t, n); owner != o.me {
			t.Errorf("owned by %s", owner)
		}
	})
	t.Run("a restart takes longer than a lease, and the next claim is above what is remembered", func(t *testing.T) {
		o := owned(t, e, "restarted")
		if err := node.Kill(); err != nil {
			t.Fatal(err)
		}
		down := time.Now()
		startFreeSWITCH(t, s, binary, e)
		_, n := e.dial(t)
		owner, standby := e.read(t, n)
		t.Logf("seeded again after %v", time.Since(down))
		if owner != (Holder{}) || time.Since(down) < LeaseFor || o.lease.Valid(time.Now()) {
			t.Errorf("owned by %s after %v; valid: %v", owner, time.Since(down), o.lease.Valid(time.Now()))
		}
		view := View{Worker: "restarted", Link: o.me.Link, OwnerClaim: owner, StandbyClaim: standby, Highest: o.me}
		if got, err := view.Next().Make(t.Context(), n); err != nil || got.Epoch != o.me.Epoch+1 {
			t.Errorf("got %s, %v", got, err)
		}
	})
}

func loopback() netip.Addr { return netip.MustParseAddr("127.0.0.1") }

func freePort(t *testing.T, free func() (int, error)) uint16 {
	t.Helper()
	port, err := free()
	if err != nil {
		t.Fatal(err)
	}
	return uint16(port)
}

// startFreeSWITCH starts a node in a folder of its own.
func startFreeSWITCH(t *testing.T, s *stack.Stack, binary string, e engine) *stack.Process {
	t.Helper()
	dir := t.TempDir()
	err := freeswitchconf.Write(dir, freeswitchconf.Values{
		Name: "claimed", EventSocket: netip.MustParseAddrPort(e.address), Password: e.password,
		SIP: netip.AddrPortFrom(loopback(), freePort(t, stack.FreeUDPPort)), RTP: loopback(), RTPStart: 22000, RTPEnd: 22099,
	})
	if err != nil {
		t.Fatal(err)
	}
	node, err := s.StartFreeSWITCH(t.Context(), stack.FreeSWITCHOptions{
		Bin: binary, ConfigDir: filepath.Join(dir, "conf"), Name: "claimed-" + strconv.FormatInt(time.Now().UnixNano(), 36),
		EventSocket: e.address, Password: e.password,
	})
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// raw sends an api command for which package esl has no builder, because no worker has any business with it.
func (e engine) raw(t *testing.T, command string) string {
	t.Helper()
	conn, err := net.Dial("tcp", e.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	reader := textproto.NewReader(bufio.NewReader(conn))
	fmt.Fprintf(conn, "auth %s\n\napi %s\n\n", e.password, command)
	for {
		header, err := reader.ReadMIMEHeader()
		if err != nil {
			t.Fatal(err)
		}
		if length, err := strconv.Atoi(header.Get("Content-Length")); err == nil {
			body := make([]byte, length)
			if _, err := io.ReadFull(reader.R, body); err != nil {
				t.Fatal(err)
			}
			return string(body)
		}
	}
}
