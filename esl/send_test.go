package esl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const someUUID = "8105d0fb-43f4-4543-8ec8-669226d2a63c"

// answerAll answers every command with what tells it from the others, replies
// and responses mixed, with events in between.
func answerAll(p *peer) {
	for n := 0; ; n++ {
		text, err := p.readCommand()
		if err != nil {
			return
		}
		if n%7 == 0 {
			p.event("Event-Name: CHANNEL_STATE", "Unique-ID: "+someUUID)
		}
		if name, ok := strings.CutPrefix(text, "api global_getvar "); ok {
			p.response(name + "\n")
		} else {
			p.reply("+OK " + text[strings.LastIndexByte(text, '=')+1:])
		}
	}
}

func TestRepliesReachTheirOwnCallersUnderConcurrency(t *testing.T) {
	c := connect(t, Options{Shards: 2, InFlight: 48}, answerAll)
	const callers, each = 64, 200
	var wg sync.WaitGroup
	wrong := make(chan string, callers)
	for caller := range callers {
		wg.Go(func() {
			for i := range each {
				name := fmt.Sprintf("v%d-%d", caller, i)
				var cmd Command = GlobalGetvar(name)
				want := name
				if (caller+i)%2 == 0 {
					cmd, want = Set(someUUID, "", "x", name), "+OK "+name
				}
				if r, err := c.Send(background(t), cmd); err != nil || r.Text != want {
					wrong <- fmt.Sprintf("%s: got %q, %v", want, r.Text, err)
					return
				}
			}
		})
	}
	wg.Wait()
	close(wrong)
	for w := range wrong {
		t.Error(w)
	}
	if s := c.Stats(); s.Replies != callers*each+1 || s.Commands != s.Replies || s.InFlight != 0 || s.LateReplies != 0 || s.BytesIn == 0 || s.BytesOut == 0 {
		t.Errorf("%+v", s)
	}
}

func TestATimedOutCommandKeepsItsPlace(t *testing.T) {
	got, release := make(chan string, 1), make(chan struct{})
	c := connect(t, Options{}, func(p *peer) {
		got <- p.command()
		<-release
		p.response("late")
		p.command()
		p.response("for the second")
		p.hold()
	})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { _, err := c.Send(ctx, Status()); first <- err }()
	wait(t, "first command", got)
	cancel()
	if err := wait(t, "first answer", first); !errors.Is(err, context.Canceled) || errors.Is(err, ErrNotSent) {
		t.Fatal(err)
	}
	close(release)
	if r, err := c.Send(background(t), Version()); err != nil || r.Text != "for the second" {
		t.Fatal(r.Text, err)
	}
	if s := c.Stats(); s.LateReplies != 1 {
		t.Fatalf("%+v", s)
	}
}

func TestACommandNobodyAnswersEndsTheConnection(t *testing.T) {
	c := connect(t, Options{CommandTimeout: 10 * time.Millisecond, HardLimit: 40 * time.Millisecond}, (*peer).hold)
	if _, err := c.Send(background(t), Status()); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if c.Err() != nil {
		t.Fatal("ended before the hard limit")
	}
	wait(t, "end", c.Done())
	if !errors.Is(c.Err(), ErrStuck) {
		t.Fatal(c.Err())
	}
}

func TestAPeerThatDiesFailsAllCommandsInFlight(t *testing.T) {
	c := connect(t, Options{CommandTimeout: time.Hour}, func(p *peer) {
		for range 50 {
			p.command()
		}
	})
	failed := make(chan error, 50)
	for range 50 {
		go func() { _, err := c.Send(context.Background(), Status()); failed <- err }()
	}
	for range 50 {
		if err := wait(t, "failure", failed); err == nil || errors.Is(err, ErrNotSent) {
			t.Fatal(err)
		}
	}
}

func TestCommandsInFlightAreBounded(t *testing.T) {
	got := make(chan string, 4)
	c := connect(t, Options{InFlight: 2}, func(p *peer) {
		for {
			text, err := p.readCommand()
			if err != nil {
				return
			}
			got <- text
		}
	})
	for range 2 {
		go c.Send(t.Context(), Status())
		wait(t, "command", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Send(ctx, Version()); !errors.Is(err, ErrNotSent) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if len(got) != 0 {
		t.Fatal("the third command was written")
	}
	c.Close()
}

func TestAReplyOfTheWrongKindEndsTheConnection(t *testing.T) {
	for name, serve := range map[string]func(*peer){
		"response to a message": func(p *peer) { p.command(); p.response("+OK"); p.hold() },
		"good reply to an api":  func(p *peer) { p.command(); p.reply("+OK"); p.hold() },
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, Options{}, serve)
			var cmd Command = Answer(someUUID, "")
			if strings.Contains(name, "api") {
				cmd = Status()
			}
			if _, err := c.Send(background(t), cmd); !errors.Is(err, ErrPairing) {
				t.Fatal(err)
			}
		})
	}
	t.Run("a refused api is answered with command/reply", func(t *testing.T) {
		c := connect(t, Options{}, func(p *peer) { p.command(); p.reply("-ERR permission denied"); p.hold() })
		r, err := c.Send(background(t), Status())
		var refusal *ReplyError
		if err != nil || !errors.As(r.Err(), &refusal) || refusal.Text != "-ERR permission denied" {
			t.Fatal(r, err)
		}
	})
}

func TestRefusedArgumentsAndDeadContextsWriteNothing(t *testing.T) {
	c := connect(t, Options{}, func(p *peer) {
		if text, err := p.readCommand(); err == nil {
			t.Errorf("peer got %q", text)
		}
	})
	var refused *ArgumentError
	if _, err := c.Send(background(t), Playback(someUUID, "", "a\nb")); !errors.As(err, &refused) {
		t.Error(err)
	}
	if _, err := c.Background(background(t), UUIDKill("x", "NORMAL_CLEARING")); !errors.As(err, &refused) {
		t.Error(err)
	}
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Send(dead, Status()); !errors.Is(err, ErrNotSent) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	c.Close()
}

func TestAJobsResultFindsItsCallerEvenBeforeTheAcknowledgement(t *testing.T) {
	other := make(chan *Event, 10)
	c := connect(t, Options{Handle: func(_ int, e *Event) { other <- e }}, func(p *peer) {
		for {
			text, err := p.readCommand()
			if err != nil {
				return
			}
			command, id, _ := strings.Cut(text, "\nJob-UUID: ")
			if !strings.HasPrefix(command, "bgapi uuid_getvar ") {
				p.t.Errorf("got %q", text)
			}
			p.write(jobFrame("somebody-else", "+OK not yours"))
			p.write(jobFrame(id, "+OK "+command[strings.LastIndexByte(command, ' ')+1:]+"\n"))
			p.reply("+OK Job-UUID: " + id)
		}
	})
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			name := fmt.Sprintf("v%d", i)
			if r, err := c.Background(background(t), UUIDGetvar(someUUID, name)); err != nil || r.Text != "+OK "+name || string(r.Body) != r.Text+"\n" {
				t.Error(r, err)
			}
		})
	}
	wg.Wait()
	for range 10 {
		if e := wait(t, "foreign job", other); e.Get("Job-UUID") != "somebody-else" {
			t.Fatal("own job reached Handle")
		}
	}
}

func TestJobsThatFail(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		c := connect(t, Options{}, func(p *peer) { p.command(); p.reply("-ERR permission denied"); p.hold() })
		var refusal *ReplyError
		if _, err := c.Background(background(t), Status()); !errors.As(err, &refusal) {
			t.Fatal(err)
		}
	})
	t.Run("the peer dies first", func(t *testing.T) {
		c := connect(t, Options{}, func(p *peer) { p.command(); p.reply("+OK") })
		if _, err := c.Background(context.Background(), Status()); err == nil || !errors.Is(err, c.Err()) {
			t.Fatal(err)
		}
	})
	t.Run("too late, so that the result goes to Handle", func(t *testing.T) {
		late, gaveUp := make(chan *Event, 1), make(chan struct{})
		c := connect(t, Options{JobTimeout: 10 * time.Millisecond, Handle: func(_ int, e *Event) { late <- e }}, func(p *peer) {
			_, id, _ := strings.Cut(p.command(), "Job-UUID: ")
			p.reply("+OK")
			<-gaveUp
			p.write(jobFrame(id, "+OK "+someUUID))
			p.hold()
		})
		if _, err := c.Background(context.Background(), Status()); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		close(gaveUp)
		if e := wait(t, "late result", late); string(e.Body()) != "+OK "+someUUID {
			t.Fatalf("%q", e.Body())
		}
	})
}

func TestTheRingOfWaitersKeepsOrderWhileItGrows(t *testing.T) {
	var r ring
	var pushed, popped []*waiter
	for round := range 40 {
		for range 7 {
			w := new(waiter)
			pushed = append(pushed, w)
			r.push(w)
		}
		for range 5 + round%2 {
			popped = append(popped, r.pop())
		}
	}
	for w := r.pop(); w != nil; w = r.pop() {
		popped = append(popped, w)
	}
	if len(popped) != len(pushed) {
		t.Fatal(len(popped), len(pushed))
	}
	for i := range pushed {
		if popped[i] != pushed[i] {
			t.Fatalf("place %d", i)
		}
	}
}

// writes counts the writes to a connection.
type writes struct {
	net.Conn
	n atomic.Int32
}

func (w *writes) Write(b []byte) (int, error) {
	w.n.Add(1)
	return w.Conn.Write(b)
}

func TestCommandsSentTogetherGoOutInOneWrite(t *testing.T) {
	got := make(chan string, 2)
	address := listen(t, func(p *peer) {
		p.greet()
		for range 2 {
			got <- p.command()
		}
		p.response("+OK")
		p.reply("+OK second")
		p.hold()
	})
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	counted := &writes{Conn: nc}
	c, err := open(background(t), counted, Options{Password: "secret"}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	before := counted.n.Load()
	first, second, err := c.SendTogether(background(t), UUIDSetvar(someUUID, "tandem_state", "x"), Answer(someUUID, "call/1"))
	if err != nil || first.Text != "+OK" || second.Text != "+OK second" {
		t.Fatalf("replies %q and %q, %v", first.Text, second.Text, err)
	}
	if n := counted.n.Load() - before; n != 1 {
		t.Errorf("%d writes, want 1", n)
	}
	if one, two := wait(t, "the first command", got), wait(t, "the second command", got); !strings.Contains(one, "uuid_setvar") || !strings.Contains(two, "answer") {
		t.Errorf("order: %q, %q", one, two)
	}
}

func TestARefusedCommandOfAPairSendsNeither(t *testing.T) {
	c := connect(t, Options{}, func(p *peer) { p.hold() })
	before := c.Stats().Commands
	if _, _, err := c.SendTogether(background(t), UUIDExists(someUUID), Answer("not a uuid", "call/1")); err == nil {
		t.Fatal("no error")
	}
	if c.Stats().Commands != before {
		t.Error("something was sent")
	}
}
