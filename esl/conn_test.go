package esl

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

func TestTheHandshakeLogsInAndSubscribesWithSubclassesLast(t *testing.T) {
	got := make(chan string, 1)
	address := listen(t, func(p *peer) { got <- p.greet(); p.hold() })
	c, err := Dial(t.Context(), Options{Address: address, Password: "secret", Events: []string{"CUSTOM tandem::epoch", "CHANNEL_PARK", "BACKGROUND_JOB", "CUSTOM conference::maintenance", "DTMF"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if want := "event plain BACKGROUND_JOB CHANNEL_PARK DTMF CUSTOM tandem::epoch conference::maintenance"; <-got != want {
		t.Fatal("wrong subscription")
	}
}

func TestAUserLogsInWithUserauth(t *testing.T) {
	got := make(chan string, 1)
	address := listen(t, func(p *peer) {
		p.write("Content-Type: auth/request\n\n")
		got <- p.command()
		p.reply("-ERR invalid")
	})
	_, err := Dial(t.Context(), Options{Address: address, User: "worker@tandem", Password: "p:w@d"})
	if !errors.Is(err, ErrAuth) || <-got != "userauth worker@tandem:p:w@d" {
		t.Fatal(err)
	}
}

func TestFailedHandshakesSayWhy(t *testing.T) {
	greeting := "Content-Type: auth/request\n\n"
	cases := []struct {
		name  string
		serve func(p *peer)
		want  error
	}{
		{"wrong password", func(p *peer) { p.write(string(captures(t)["10_bad_auth"])); p.hold() }, ErrAuth},
		{"access list", func(p *peer) {
			p.write("Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n")
		}, ErrRejected},
		{"goodbye instead of a greeting", func(p *peer) { p.write("Content-Type: text/disconnect-notice\nContent-Length: 0\n\n") }, ErrDisconnectNotice},
		{"subscription refused", func(p *peer) {
			p.write(greeting)
			p.command()
			p.reply("+OK accepted")
			p.command()
			p.reply("-ERR permission denied")
			p.hold()
		}, ErrSubscribe},
		{"goodbye instead of a subscription", func(p *peer) {
			p.write(greeting)
			p.command()
			p.reply("+OK accepted")
			p.write("Content-Type: text/disconnect-notice\n\n")
			p.hold()
		}, ErrDisconnectNotice},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			conn, err := Dial(t.Context(), Options{Address: listen(t, c.serve), Password: "secret"})
			if !errors.Is(err, c.want) || conn != nil {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestADialToASilentPeerEndsWithItsContext(t *testing.T) {
	address := listen(t, func(p *peer) { p.hold() })
	ctx, cancel := context.WithCancel(t.Context())
	accepted := make(chan error, 1)
	go func() {
		_, err := Dial(ctx, Options{Address: address, Password: "secret", DialTimeout: patience})
		accepted <- err
	}()
	cancel()
	if err := wait(t, "end of dial", accepted); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), Options{Address: address, Password: "secret", DialTimeout: 20 * time.Millisecond}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestHostileCredentialsAndEventNamesAreRefusedBeforeAnythingIsWritten(t *testing.T) {
	address := listen(t, func(p *peer) {
		p.write("Content-Type: auth/request\n\n")
		if text, _ := p.readCommand(); text != "" {
			t.Errorf("peer got %q", text)
		}
	})
	for _, o := range []Options{
		{Password: ""}, {Password: "a\n\napi system x"}, {Password: "a\x00"}, {User: "no-domain", Password: "x"}, {User: "a:b@c", Password: "x"},
		{Password: "x", Events: []string{"ALL\n\napi"}}, {Password: "x", Events: []string{"CUSTOM a b"}}, {Password: "x", Events: []string{"DTMF tandem::epoch"}}, {Password: "x", Events: []string{"dtmf"}},
	} {
		o.Address = address
		_, err := Dial(t.Context(), o)
		var refused *ArgumentError
		if !errors.As(err, &refused) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestTheEndOfAConnectionHasAReason(t *testing.T) {
	cases := []struct {
		name string
		wire string
		want error
	}{
		{"disconnect notice", "Content-Type: text/disconnect-notice\nContent-Length: 4\n\nbye\n", ErrDisconnectNotice},
		{"reply to nothing", "Content-Type: command/reply\nReply-Text: +OK\n\n", ErrPairing},
		{"response to nothing", "Content-Type: api/response\nContent-Length: 0\n\n", ErrPairing},
		{"negative length", "Content-Type: text/event-plain\nContent-Length: -1\n\n", new(FrameError)},
		{"second greeting", "Content-Type: auth/request\n\n", new(FrameError)},
		{"an event of headers alone", eventFrame(strings.Repeat("a: b\n", maxEventHeaders+1)), new(FrameError)},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			c := connect(t, Options{}, func(p *peer) { p.write(tc.wire); p.hold() })
			wait(t, "end", c.Done())
			var wrong *FrameError
			if _, framing := tc.want.(*FrameError); framing != errors.As(c.Err(), &wrong) || !framing && !errors.Is(c.Err(), tc.want) {
				t.Fatalf("got %v, want %v", c.Err(), tc.want)
			}
		})
	}
}

func TestASilentPeerIsLeft(t *testing.T) {
	c := connect(t, Options{Silence: 30 * time.Millisecond}, (*peer).hold)
	wait(t, "end", c.Done())
	if !errors.Is(c.Err(), ErrSilent) {
		t.Fatal(c.Err())
	}
}

func TestCloseEndsEverythingAndMayBeRepeated(t *testing.T) {
	c := connect(t, Options{Shards: 4}, (*peer).hold)
	for range 3 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wait(t, "end", c.Done())
	if _, err := c.Send(background(t), Status()); !errors.Is(err, ErrNotSent) || !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

func TestAHandleMayCloseItsConnectionOnAnotherGoroutine(t *testing.T) {
	closed := make(chan error, 1)
	var c *Conn
	up := make(chan struct{})
	c = connect(t, Options{Handle: func(int, *Event) {
		<-up
		go func() { closed <- c.Close() }()
	}}, func(p *peer) { p.event("Event-Name: HEARTBEAT"); p.hold() })
	close(up)
	wait(t, "close", closed)
}

func TestAPeerThatDoesNotReadIsLeftAfterTheWriteTimeout(t *testing.T) {
	c := connect(t, Options{WriteTimeout: 30 * time.Millisecond, CommandTimeout: patience, InFlight: 1 << 16}, func(p *peer) {
		p.nc.(*net.TCPConn).SetReadBuffer(1)
		p.nc.SetReadDeadline(time.Now().Add(patience))
		<-t.Context().Done()
	})
	value := strings.Repeat("x", maxValueBytes)
	for c.Err() == nil {
		go c.Send(context.Background(), Set("00000000-0000-0000-0000-000000000000", "", "a", value))
		select {
		case <-c.Done():
		case <-time.After(time.Millisecond / 10): // paces the load, decides nothing
		}
	}
	var timeout net.Error
	if !errors.As(c.Err(), &timeout) || !timeout.Timeout() || errors.Is(c.Err(), ErrSilent) {
		t.Fatal(c.Err())
	}
}
