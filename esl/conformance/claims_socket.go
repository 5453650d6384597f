package conformance

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/percipia/eslgo"
	"github.com/percipia/eslgo/command"

	"tandem/esl"
)

func socketClaims() []Claim {
	return []Claim{
		{"a wrong password is refused and the connection ends", wrongPassword},
		{"nothing works before the password", nothingBeforePassword},
		{"exit is answered and followed by a disconnect notice", exitSaysGoodbye},
		{"unknown words, events and commands have their replies", unknownWords},
		{"a message to a dead call is refused", deadCall},
		{"a message without sense to a live call is accepted", senselessMessage},
		{"only what was subscribed to arrives", subscriptionFilters},
		{"a filter keeps other events out", filterKeepsOut},
		{"a custom event reaches other clients with its headers", customEvent},
		{"a background job keeps the client's id", backgroundJob},
		{"a heartbeat comes by itself", heartbeat},
		{"a call outlives the client that answered it", callOutlivesClient},
		{"an independent client can log in, ask and execute", independentClient},
	}
}

func wrongPassword(t *testing.T, target Target) {
	r := dialRaw(t, target)
	equal(t, "reply", r.command("auth not-"+target.Password), "-ERR invalid")
	if !r.ended() {
		t.Error("the connection stays open")
	}
}

func nothingBeforePassword(t *testing.T, target Target) {
	r := dialRaw(t, target)
	equal(t, "event", r.command("event plain ALL"), "-ERR command not found")
	equal(t, "api", r.command("api status"), "-ERR command not found")
}

func exitSaysGoodbye(t *testing.T, target Target) {
	r := openRaw(t, target)
	equal(t, "reply", r.command("exit"), "+OK bye")
	equal(t, "then", r.next().kind(), "text/disconnect-notice")
	if !r.ended() {
		t.Error("the connection stays open")
	}
}

func unknownWords(t *testing.T, target Target) {
	r := openRaw(t, target)
	for _, row := range []struct{ command, reply string }{
		{"frobnicate", "-ERR command not found"},
		{"event plain NO_SUCH_EVENT", "-ERR no keywords supplied"},
		{"event plain HEARTBEAT", "+OK event listener enabled plain"},
		{"nixevent HEARTBEAT", "+OK events nixed"},
		{"noevents", "+OK no longer listening for events"},
		{"filter Unique-ID nobody", "+OK filter added. [Unique-ID]=[nobody]"},
		{"filter delete Unique-ID nobody", "+OK filter deleted. [Unique-ID][nobody]"},
		{"linger", "-ERR not controlling a session"},
		{"api nosuchcommand x", "-ERR nosuchcommand Command not found!"},
		{"api originate", "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]"},
		{"api uuid_bridge", "-USAGE: <uuid> <other_uuid>"},
		{"api global_getvar no_such_variable", "-ERR no reply"},
	} {
		equal(t, row.command, r.command(row.command), row.reply)
	}
}

const nobody = "00000000-0000-0000-0000-00000000dead"

func deadCall(t *testing.T, target Target) {
	r := openRaw(t, target)
	equal(t, "sendmsg", r.command("sendmsg "+nobody, "call-command: execute", "execute-app-name: answer"), "-ERR invalid session id ["+nobody+"]")
	equal(t, "sendmsg to nobody", r.command("sendmsg", "call-command: execute", "execute-app-name: answer"), "-ERR invalid session id []")
	for _, row := range []struct{ command, reply string }{
		{"uuid_kill " + nobody, "-ERR No such channel!"},
		{"uuid_dump " + nobody + " json", "-ERR No such channel!"},
		{"uuid_getvar " + nobody + " a", "-ERR No such channel!"},
		{"uuid_setvar " + nobody + " a b", "-ERR No such channel!"},
		{"uuid_transfer " + nobody + " park inline", "-ERR No such channel!"},
		{"uuid_break " + nobody, "-ERR No such channel!"},
		{"uuid_bridge " + nobody + " " + nobody, "-ERR Invalid uuid"},
		{"uuid_exists " + nobody, "false"},
	} {
		equal(t, row.command, r.command("api "+row.command), row.reply)
	}
}

func senselessMessage(t *testing.T, target Target) {
	e := open(t, target)
	r := openRaw(t, target)
	d := e.phone().Call(target.SIP, "1000")
	uuid := e.parked(d)
	for _, lines := range [][]string{{"call-command: frobnicate"}, {"foo: bar"}, {"call-command: execute"}} {
		equal(t, lines[0], r.command(append([]string{"sendmsg " + uuid}, lines...)...), "+OK")
	}
	equal(t, "the call", e.text(esl.UUIDExists(uuid)), "true")
	e.text(esl.UUIDKill(uuid, "NORMAL_CLEARING"))
	d.Final()
}

func subscriptionFilters(t *testing.T, target Target) {
	e := open(t, target)
	r := openRaw(t, target)
	r.command("event plain CHANNEL_PARK CHANNEL_DESTROY")
	d := e.phone().Call(target.SIP, "1000")
	uuid := e.parked(d)
	e.text(esl.UUIDKill(uuid, "NORMAL_CLEARING"))
	d.Final()
	var names []string
	for len(names) < 2 {
		f := r.next()
		if strings.Contains(f.body, "Unique-ID: "+uuid) {
			name, _, _ := strings.Cut(f.body, "\n")
			names = append(names, strings.TrimPrefix(name, "Event-Name: "))
		}
	}
	equal(t, "events", strings.Join(names, " "), "CHANNEL_PARK CHANNEL_DESTROY")
}

func filterKeepsOut(t *testing.T, target Target) {
	r := openRaw(t, target)
	r.command("event plain CUSTOM tandem::claim")
	r.command("filter Claim-Side right")
	other := openRaw(t, target)
	for _, side := range []string{"left", "right"} {
		if reply := other.command("sendevent CUSTOM", "Event-Subclass: tandem::claim", "Claim-Side: "+side); !strings.HasPrefix(reply, "+OK ") {
			t.Fatalf("sendevent: %q", reply)
		}
	}
	if f := r.next(); !strings.Contains(f.body, "Claim-Side: right\n") {
		t.Errorf("the first event that came is\n%s", f.body)
	}
}

func customEvent(t *testing.T, target Target) {
	e := open(t, target)
	r := openRaw(t, target)
	r.command("sendevent CUSTOM", "Event-Subclass: tandem::claim", "Claim-Epoch: 7 of 9")
	ev := e.await("the custom event", func(ev *esl.Event) bool { return ev.Get("Event-Subclass") == "tandem::claim" })
	equal(t, "name", ev.Name(), "CUSTOM")
	equal(t, "header", ev.Get("Claim-Epoch"), "7 of 9")
}

func backgroundJob(t *testing.T, target Target) {
	r := openRaw(t, target)
	r.command("event plain BACKGROUND_JOB")
	equal(t, "reply", r.command("bgapi uuid_exists "+nobody, "Job-UUID: my-own-job"), "+OK Job-UUID: my-own-job")
	for {
		f := r.next()
		if f.kind() != "text/event-plain" || !strings.Contains(f.body, "Job-UUID: my-own-job\n") {
			continue
		}
		head, body, _ := strings.Cut(f.body, "\n\n")
		equal(t, "result", body, "false")
		for _, line := range []string{"Event-Name: BACKGROUND_JOB", "Job-Command: uuid_exists", "Job-Command-Arg: " + nobody, "Content-Length: 5"} {
			if !strings.Contains(head+"\n", line+"\n") {
				t.Errorf("no %q in\n%s", line, head)
			}
		}
		return
	}
}

func heartbeat(t *testing.T, target Target) {
	target.Patience += 25 * time.Second // the engine's own interval may be 20 s
	e := open(t, target)
	ev := e.await("a HEARTBEAT", func(ev *esl.Event) bool { return ev.Name() == "HEARTBEAT" })
	for _, header := range []string{"Core-UUID", "FreeSWITCH-Switchname", "Event-Sequence", "Event-Date-Timestamp", "Session-Count", "Max-Sessions", "Idle-CPU", "Uptime-msec"} {
		if ev.Get(header) == "" {
			t.Errorf("no %s", header)
		}
	}
}

func callOutlivesClient(t *testing.T, target Target) {
	e := open(t, target)
	p := e.phone()
	uuid, d := e.answered(p)
	e.conn.Close()
	later := open(t, target)
	equal(t, "the call", later.text(esl.UUIDExists(uuid)), "true")
	later.send(esl.Set(uuid, "later", "claim", "still here"))
	later.done("later")
	d.Bye()
	later.event(uuid, "CHANNEL_HANGUP_COMPLETE")
}

// independentClient is the smoke claim with percipia/eslgo, whose view of the
// protocol is not ours.
func independentClient(t *testing.T, target Target) {
	if raceDetector {
		t.Skip("eslgo v1.5.2 has a data race of its own between its log-in loop and Close")
	}
	e := open(t, target)
	d := e.phone().Call(target.SIP, "1000")
	uuid := e.parked(d)
	options := eslgo.DefaultInboundOptions
	options.Password = target.Password
	options.Network = "tcp"
	options.Logger = eslgo.NilLogger{}
	conn, err := options.Dial(target.EventSocket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), target.Patience)
	defer cancel()
	answered := make(chan string, 1)
	conn.RegisterEventListener(uuid, func(ev *eslgo.Event) {
		if ev.GetName() == "CHANNEL_ANSWER" {
			select {
			case answered <- ev.GetHeader("Unique-ID"):
			default:
			}
		}
	})
	if err := conn.EnableEvents(ctx); err != nil {
		t.Fatal(err)
	}
	raw, err := conn.SendCommand(ctx, command.API{Command: "uuid_exists", Arguments: uuid})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "uuid_exists", strings.TrimSpace(string(raw.Body)), "true")
	if err := conn.AnswerCall(ctx, uuid); err != nil {
		t.Fatal(err)
	}
	equal(t, "CHANNEL_ANSWER", receive(t, answered, target.Patience, "CHANNEL_ANSWER"), uuid)
	if res, _ := d.Final(); res.StatusCode != 200 {
		t.Errorf("the phone saw %d", res.StatusCode)
	}
	d.Bye()
}
