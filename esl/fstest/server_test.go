package fstest_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"

	"tandem/esl/conformance"
	"tandem/esl/fstest"
)

// TestMain looks for goroutines that outlive the tests. sipgo opens a socket of
// its own for a request that arrives while its phone is being closed.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/emiago/sipgo/sip.(*TransportUDP).readUDPConnection"))
}

const (
	password = "the stand-in's own"
	patience = 5 * time.Second
)

func start(t *testing.T, options fstest.Options) *fstest.Server {
	t.Helper()
	options.Password = password
	s, err := fstest.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// client is an event socket without a library.
type client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dial(t *testing.T, s *fstest.Server, events string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", s.EventSocketAddr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &client{t: t, conn: conn, in: bufio.NewReader(conn)}
	c.until("auth/request")
	c.send("auth " + password)
	c.until("+OK accepted")
	if events != "" {
		c.send("event plain " + events)
		c.until("+OK event listener enabled plain")
	}
	return c
}

func (c *client) send(lines ...string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, strings.Join(lines, "\n")+"\n\n"); err != nil {
		c.t.Fatal(err)
	}
}

// until reads to a line that contains text and returns it.
func (c *client) until(text string) string {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		line, err := c.in.ReadString('\n')
		if strings.Contains(line, text) {
			return strings.TrimRight(line, "\n")
		}
		if err != nil {
			c.t.Fatalf("no %q: %v", text, err)
		}
	}
}

// uuid waits for the next CHANNEL_PARK and returns whose it is.
func (c *client) uuid() string {
	c.t.Helper()
	c.until("Event-Name: CHANNEL_PARK")
	return strings.TrimPrefix(c.until("Unique-ID: "), "Unique-ID: ")
}

// end reads to the end of the connection and returns what came.
func (c *client) end() string {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(patience))
	rest, err := io.ReadAll(c.in)
	if err != nil && errors.Is(err, net.ErrClosed) {
		c.t.Fatal(err)
	}
	return string(rest)
}

func TestPasswordIsRequiredAndNotTheShippedOne(t *testing.T) {
	for _, bad := range []string{"", "Clue" + "Con"} {
		if s, err := fstest.Start(t.Context(), fstest.Options{Password: bad}); err == nil {
			s.Close()
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestAddressInUseIsAnError(t *testing.T) {
	s := start(t, fstest.Options{})
	if again, err := fstest.Start(t.Context(), fstest.Options{Password: password, SIPAddress: s.SIPAddr().String()}); err == nil {
		again.Close()
		t.Error("two on one SIP address")
	}
	if again, err := fstest.Start(t.Context(), fstest.Options{Password: password, EventSocketAddress: s.EventSocketAddr()}); err == nil {
		again.Close()
		t.Error("two on one event socket")
	}
}

func TestSIPFromOthersThanTheEdgeIsForbidden(t *testing.T) {
	edge, stranger := conformance.NewPhone(t, patience), conformance.NewPhone(t, patience)
	s := start(t, fstest.Options{AllowedSIPSources: []netip.AddrPort{netip.MustParseAddrPort(edge.Addr())}})
	if res, _ := stranger.Call(s.SIPAddr().String(), "1000").Final(); res.StatusCode != 403 {
		t.Errorf("a stranger gets %d", res.StatusCode)
	}
	c := dial(t, s, "CHANNEL_PARK")
	d := edge.Call(s.SIPAddr().String(), "1000")
	c.send("api uuid_kill " + c.uuid() + " USER_BUSY")
	if res, _ := d.Final(); res.StatusCode != 486 {
		t.Errorf("the edge gets %d", res.StatusCode)
	}
}

func TestAnyPortOfAnAllowedAddressIsAllowed(t *testing.T) {
	s := start(t, fstest.Options{AllowedSIPSources: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}})
	c := dial(t, s, "CHANNEL_PARK")
	d := conformance.NewPhone(t, patience).Call(s.SIPAddr().String(), "1000")
	c.send("api uuid_kill " + c.uuid())
	d.Final()
}

func TestMoreCallsThanChannelsAreRefused(t *testing.T) {
	s := start(t, fstest.Options{MaxChannels: 1})
	c := dial(t, s, "CHANNEL_PARK")
	p := conformance.NewPhone(t, patience)
	first := p.Call(s.SIPAddr().String(), "1000")
	id := c.uuid()
	res, _ := p.Call(s.SIPAddr().String(), "1000").Final()
	if h := res.GetHeader("Retry-After"); res.StatusCode != 503 || h == nil {
		t.Errorf("the second call gets %d, %v", res.StatusCode, h)
	}
	c.send("api uuid_kill " + id)
	first.Final()
}

func TestFullQueueOfASessionIsAnError(t *testing.T) {
	s := start(t, fstest.Options{})
	c := dial(t, s, "CHANNEL_PARK PLAYBACK_START")
	p := conformance.NewPhone(t, patience)
	d := p.Call(s.SIPAddr().String(), "1000")
	id := c.uuid()
	play := []string{"sendmsg " + id, "call-command: execute", "execute-app-name: playback", "execute-app-arg: silence_stream://-1", "event-lock: true"}
	c.send(play...)
	c.until("PLAYBACK_START")
	for range 256 {
		c.send(play...)
		if got := c.until("Reply-Text: "); got != "Reply-Text: +OK" {
			t.Fatal(got)
		}
	}
	c.send(play...)
	c.until("-ERR memory error")
	c.send("api uuid_kill " + id)
	d.Final()
}

func TestCloseHangsUpAndSaysGoodbye(t *testing.T) {
	s := start(t, fstest.Options{})
	c := dial(t, s, "CHANNEL_PARK CHANNEL_ANSWER CHANNEL_HANGUP_COMPLETE SHUTDOWN")
	d := conformance.NewPhone(t, patience).Call(s.SIPAddr().String(), "1000")
	c.send("sendmsg "+c.uuid(), "call-command: execute", "execute-app-name: answer")
	c.until("CHANNEL_ANSWER")
	d.Final()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rest := c.end()
	for _, want := range []string{"Event-Name: SHUTDOWN", "Event-Name: CHANNEL_HANGUP_COMPLETE", "Hangup-Cause: SYSTEM_SHUTDOWN", "text/disconnect-notice"} {
		if !strings.Contains(rest, want) {
			t.Errorf("no %q", want)
		}
	}
	select {
	case <-d.Byes:
	case <-time.After(patience):
		t.Error("no BYE")
	}
}

func TestShutdownAsapEndsWithTheLastCall(t *testing.T) {
	s := start(t, fstest.Options{})
	c := dial(t, s, "CHANNEL_PARK SHUTDOWN")
	p := conformance.NewPhone(t, patience)
	d := p.Call(s.SIPAddr().String(), "1000")
	id := c.uuid()
	c.send("api fsctl shutdown asap")
	c.until("+OK")
	if res, _ := p.Call(s.SIPAddr().String(), "1000").Final(); res.StatusCode != 503 {
		t.Errorf("a new call gets %d", res.StatusCode)
	}
	c.send("api uuid_kill " + id)
	d.Final()
	c.until("Event-Name: SHUTDOWN")
	c.until("text/disconnect-notice")
}

func TestKillDropsEverythingWithoutAWord(t *testing.T) {
	s := start(t, fstest.Options{})
	c := dial(t, s, "CHANNEL_PARK CHANNEL_ANSWER CHANNEL_HANGUP SHUTDOWN")
	p := conformance.NewPhone(t, patience)
	d := p.Call(s.SIPAddr().String(), "1000")
	c.send("sendmsg "+c.uuid(), "call-command: execute", "execute-app-name: answer")
	c.until("CHANNEL_ANSWER")
	d.Final()
	s.Kill()
	if rest := c.end(); strings.Contains(rest, "HANGUP") || strings.Contains(rest, "SHUTDOWN") || strings.Contains(rest, "disconnect") {
		t.Errorf("it said\n%s", rest)
	}
	select {
	case <-d.Byes:
		t.Error("a BYE")
	default:
	}
	if conn, err := net.Dial("tcp", s.EventSocketAddr()); err == nil {
		conn.Close()
		t.Error("the event socket is still there")
	}
}

func TestEndOfTheContextIsAClose(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, err := fstest.Start(ctx, fstest.Options{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, s, "SHUTDOWN")
	cancel()
	c.until("Event-Name: SHUTDOWN")
	c.until("text/disconnect-notice")
	s.Close()
}

func TestStrictDTMFIgnoresInfo(t *testing.T) {
	for _, row := range []struct {
		strict  bool
		setting string
		heard   bool
	}{{false, "", true}, {true, "", false}, {true, "rtp_liberal_dtmf=true", true}} {
		s := start(t, fstest.Options{StrictDTMF: row.strict})
		c := dial(t, s, "CHANNEL_PARK CHANNEL_ANSWER CHANNEL_EXECUTE_COMPLETE DTMF")
		d := conformance.NewPhone(t, patience).Call(s.SIPAddr().String(), "1000")
		id := c.uuid()
		if row.setting != "" {
			c.send("sendmsg "+id, "call-command: execute", "execute-app-name: set", "execute-app-arg: "+row.setting)
			c.until("Application: set")
		}
		c.send("sendmsg "+id, "call-command: execute", "execute-app-name: answer")
		c.until("CHANNEL_ANSWER")
		d.Final()
		d.Info("7")
		c.send("api uuid_recv_dtmf " + id + " #") // a key that is heard in any case
		heard := false
		for {
			key := c.until("DTMF-Digit: ")
			heard = heard || strings.HasSuffix(key, "7")
			if strings.HasSuffix(key, "%23") || strings.HasSuffix(key, "#") {
				break
			}
		}
		d.Bye()
		if heard != row.heard {
			t.Errorf("strict %v, %q: heard %v", row.strict, row.setting, heard)
		}
	}
}

func TestRTPPortsStayInTheirRange(t *testing.T) {
	s := start(t, fstest.Options{RTPPortMin: 42100, RTPPortMax: 42110})
	c := dial(t, s, "CHANNEL_PARK CHANNEL_ANSWER")
	d := conformance.NewPhone(t, patience).Call(s.SIPAddr().String(), "1000")
	c.send("sendmsg "+c.uuid(), "call-command: execute", "execute-app-name: answer")
	res, _ := d.Final()
	if body := string(res.Body()); !strings.Contains(body, "m=audio 421") {
		t.Errorf("the description:\n%s", body)
	}
	d.Bye()
}

func TestGarbageOnTheSIPPortHarmsNobody(t *testing.T) {
	s := start(t, fstest.Options{})
	conn, err := net.Dial("udp", s.SIPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, garbage := range []string{"", "\r\n\r\n", "\x00\x00\x00", "INVITE", "INVITE sip:x SIP/2.0\r\n\r\n",
		"INVITE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nContent-Length: -5\r\n\r\n", "SIP/2.0 999\r\n\r\n", "SIP/2.0 200 OK\r\nCSeq: x\r\n\r\n",
		"BYE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=\r\nFrom: \r\nTo: \r\nCall-ID: \r\nCSeq: 1 BYE\r\n\r\n",
		"ACK sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z\r\nFrom: <a>\r\nTo: <b>\r\nCall-ID: c\r\nCSeq: 1 ACK\r\n\r\n",
		"OPTIONS sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP h:99999;branch=z9\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n",
		strings.Repeat("a", 60000)} {
		if _, err := conn.Write([]byte(garbage)); err != nil {
			t.Fatal(err)
		}
	}
	c := dial(t, s, "CHANNEL_PARK")
	d := conformance.NewPhone(t, patience).Call(s.SIPAddr().String(), "1000")
	c.send("api uuid_kill " + c.uuid())
	d.Final()
}

func TestGarbageOnTheEventSocketEndsOnlyItsConnection(t *testing.T) {
	s := start(t, fstest.Options{})
	for _, garbage := range []string{strings.Repeat("x", 200_000), "sendevent CUSTOM\nContent-Length: -1\n\n", "sendevent CUSTOM\nContent-Length: 99999999999\n\n",
		strings.Repeat("a: b\n", 1000) + "\n", "\n\n\n\x00\n\n"} {
		c := dial(t, s, "")
		io.WriteString(c.conn, garbage)
	}
	c := dial(t, s, "")
	c.send("api status")
	c.until("is ready")
}

func TestRequestsThatAreNotCallsAreRefused(t *testing.T) {
	s := start(t, fstest.Options{})
	p := conformance.NewPhone(t, patience)
	d := p.Call(s.SIPAddr().String(), "1000", sip.NewHeader("Require", "precondition"))
	res, _ := d.Final()
	if h := res.GetHeader("Unsupported"); res.StatusCode != 420 || h == nil || h.Value() != "precondition" {
		t.Errorf("%d, %v", res.StatusCode, h)
	}
	d = p.Call(s.SIPAddr().String(), "1000", sip.NewHeader("Max-Forwards", "0"))
	if res, _ := d.Final(); res.StatusCode != 483 {
		t.Errorf("no hop left: %d", res.StatusCode)
	}
}
