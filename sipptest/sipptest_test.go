package sipptest_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"tandem/sipptest"
	"tandem/stack"
)

// between lets one phone call another without anything between them.
func between(t *testing.T, c sipptest.Call, b sipptest.Behaviour) (caller, callee error, seen string) {
	t.Helper()
	if !stack.SIPTester.Installed() {
		t.Fatal("SIPp is not installed: run `make test`")
	}
	bob := &sipptest.Phone{User: "bob", Domain: "example.test"}
	listening, err := bob.Listen(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	alice := &sipptest.Phone{Edge: fmt.Sprintf("127.0.0.1:%d", listening.Port()), User: "alice", Domain: "example.test"}
	c.NoLogin = true
	calling, err := alice.Call(t.Context(), "100", c)
	if err != nil {
		t.Fatal(err)
	}
	caller = calling.Wait(t.Context())
	return caller, listening.Wait(t.Context()), listening.Messages()
}

func TestPhonesDoWhatTheyAreAskedTo(t *testing.T) {
	for _, test := range []struct {
		name string
		call sipptest.Call
		by   sipptest.Behaviour
	}{
		{"answered, the caller hangs up", sipptest.Call{}, sipptest.Behaviour{}},
		{"answered, the callee hangs up", sipptest.Call{CalleeEnds: true}, sipptest.Behaviour{HangUp: true, Talk: 200 * time.Millisecond}},
		{"answered late", sipptest.Call{}, sipptest.Behaviour{After: 500 * time.Millisecond}},
		{"busy", sipptest.Call{Expect: 486}, sipptest.Behaviour{Code: 486, Phrase: "Busy Here"}},
		{"declined with a reason", sipptest.Call{Expect: 603, Checks: []sipptest.Check{{Header: "Reason", Pattern: "Q.850;cause=21"}}},
			sipptest.Behaviour{Code: 603, Phrase: "Decline", Headers: []string{`Reason: Q.850;cause=21;text="Call rejected"`}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			caller, callee, _ := between(t, test.call, test.by)
			if caller != nil || callee != nil {
				t.Errorf("caller: %v; callee: %v", caller, callee)
			}
		})
	}
}

func TestAPhoneReportsWhatDidNotHappen(t *testing.T) {
	t.Run("another code", func(t *testing.T) {
		caller, _, _ := between(t, sipptest.Call{Expect: 486}, sipptest.Behaviour{Code: 603})
		if caller == nil || !strings.Contains(caller.Error(), "603") {
			t.Errorf("%v", caller)
		}
	})
	t.Run("another reason", func(t *testing.T) {
		caller, _, _ := between(t, sipptest.Call{Expect: 486, Checks: []sipptest.Check{{Header: "Reason", Pattern: "cause=17"}}},
			sipptest.Behaviour{Code: 486, Headers: []string{"Reason: Q.850;cause=16"}})
		if caller == nil {
			t.Error("a wrong reason was accepted")
		}
	})
	t.Run("nobody called", func(t *testing.T) {
		listening, err := (&sipptest.Phone{User: "bob"}).Listen(t.Context(), sipptest.Behaviour{Patience: 300 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if err := listening.Wait(t.Context()); err == nil {
			t.Error("a phone that was never called is content")
		}
	})
}

func TestDigitsInINFO(t *testing.T) {
	other, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	go answerAll(other, 9)
	alice := &sipptest.Phone{Edge: other.LocalAddr().String(), User: "alice", Domain: "example.test"}
	calling, err := alice.Call(t.Context(), "100", sipptest.Call{NoLogin: true, Digits: "1#", DigitMode: sipptest.INFO})
	if err != nil {
		t.Fatal(err)
	}
	if err := calling.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, digit := range []string{"Signal=1\r\n", "Signal=#\r\n"} {
		if !strings.Contains(strings.ReplaceAll(calling.Messages(), "\r", ""), strings.ReplaceAll(digit, "\r", "")) {
			t.Errorf("no %q was sent", digit)
		}
	}
}

// TestDigitsInRTP reads the telephone-events (RFC 4733) that SIPp plays towards the media address it was given.
func TestDigitsInRTP(t *testing.T) {
	media, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer media.Close()
	signalling, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer signalling.Close()
	go answerAll(signalling, media.LocalAddr().(*net.UDPAddr).Port)

	alice := &sipptest.Phone{Edge: signalling.LocalAddr().String(), User: "alice", Domain: "example.test"}
	calling, err := alice.Call(t.Context(), "100", sipptest.Call{NoLogin: true, Digits: "42"})
	if err != nil {
		t.Fatal(err)
	}
	if err := calling.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = media.SetReadDeadline(time.Now().Add(time.Second))
	var digits []byte
	last := uint32(0)
	packet := make([]byte, 2048)
	for {
		n, err := media.Read(packet)
		if err != nil {
			break
		}
		if n < 16 || packet[1]&0x7f != 96 { // 97 is the filler before the first digit
			continue
		}
		// One event has one timestamp, however many packets carry it (RFC 4733 2.5.1.1).
		if stamp := binary.BigEndian.Uint32(packet[4:8]); stamp != last {
			last = stamp
			digits = append(digits, packet[12])
		}
	}
	if string(digits) != "\x04\x02" {
		t.Errorf("digits %v, want [4 2]", digits)
	}
}

// answerAll answers each INVITE with a description that names the media port, and everything else with 200.
func answerAll(conn *net.UDPConn, mediaPort int) {
	buffer := make([]byte, 65536)
	for {
		n, from, err := conn.ReadFromUDP(buffer)
		if err != nil {
			return
		}
		request := string(buffer[:n])
		if strings.HasPrefix(request, "ACK ") {
			continue
		}
		head, _, _ := strings.Cut(request, "\r\n\r\n")
		var b strings.Builder
		b.WriteString("SIP/2.0 200 OK\r\n")
		for _, line := range strings.Split(head, "\r\n")[1:] {
			switch name, value, _ := strings.Cut(line, ":"); name {
			case "Via", "From", "Call-ID", "CSeq":
				b.WriteString(line + "\r\n")
			case "To":
				if !strings.Contains(value, "tag=") {
					line += ";tag=b"
				}
				b.WriteString(line + "\r\n")
			}
		}
		body := ""
		if strings.HasPrefix(request, "INVITE ") {
			body = fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\n", mediaPort)
			b.WriteString("Content-Type: application/sdp\r\n")
		}
		fmt.Fprintf(&b, "Contact: <sip:%s>\r\nContent-Length: %d\r\n\r\n%s", conn.LocalAddr(), len(body), body)
		_, _ = conn.WriteToUDP([]byte(b.String()), from)
	}
}
