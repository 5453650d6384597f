package kamailioconf_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tandem/messages"
)

// dialog is a call that a trunk has made to a node that took it, as both ends know it.
type dialog struct {
	e      *edge
	phone  *node
	invite request // at the node
	id     string
}

// talk makes a call that is answered by a node.
func (e *edge) talk(c *carrier, n *node) dialog {
	e.t.Helper()
	call := c.invite("1")
	reply := c.final()
	if !strings.HasPrefix(reply, "SIP/2.0 200") {
		e.t.Fatalf("no call:\n%s", reply)
	}
	d := dialog{e, c.node, n.expect("INVITE"), call.id}
	d.say(n, "ACK", 1)
	return d
}

// say sends a request of the phone's within the dialog, to the contact of a node.
func (d dialog) say(to *node, method string, number int, headers ...string) {
	d.phone.sendTo(d.e.values.Outside, d.phone.within(method, d.invite, number, to.uri(), headers...))
}

// hear sends a request of a node's within the dialog to the phone.
func (d dialog) hear(from *node, method string, number int, body string, headers ...string) {
	inside := d.invite.headers("Record-Route")
	from.sendTo(d.e.values.Inside, fmt.Sprintf("%[1]s %[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;branch=z9hG4bKh%[4]s%[1]s%[5]d\r\nMax-Forwards: 70\r\nRoute: %[6]s\r\n"+
		"From: %[7]s;tag=node\r\nTo: %[8]s\r\nCall-ID: %[9]s\r\nCSeq: %[5]d %[1]s\r\nContact: <%[10]s>\r\n%[11]s%[12]sContent-Length: %[13]d\r\n\r\n%[14]s",
		method, d.phone.uri(), from.address(), strings.ReplaceAll(from.address(), ":", "p"), number, strings.Join(inside, ", "), d.invite.header("To"), d.invite.header("From"), d.id,
		from.uri(), strings.Join(append(headers, ""), "\r\n"), map[bool]string{true: "Content-Type: application/sdp\r\n"}[body != ""], len(body), body))
}

// silentAfter is the reply function of a node that takes calls and says nothing more.
func silentAfter(r request) []int {
	if r.method() == "INVITE" && !strings.Contains(r.header("To"), "tag=") {
		return []int{100, 200}
	}
	return nil
}

// TestAPhoneHangsUpThoughItsNodeIsDead, and the workers hear of it.
func TestAPhoneHangsUpThoughItsNodeIsDead(t *testing.T) {
	dead := startNode(t, silentAfter)
	e, c := startAgain(t, []string{dead.address()}, nil)
	e.worker.answerWith(routeTo("", dead.uri()))
	t.Run("and fenced", func(t *testing.T) {
		d := e.talk(c, dead)
		e.fence(dead)
		for range 2 { // the phone did not hear the first answer
			d.say(dead, "BYE", 2)
			if reply := c.final(); !strings.HasPrefix(reply, "SIP/2.0 200") || headersOf(reply, "CSeq")[0] != "2 BYE" {
				t.Errorf("the phone sees\n%s", reply)
			}
			if m := next(t, e.worker.byes); m.CallID != d.id || m.ToTag != "node" || m.FromTag != tagOf(d.invite.header("From")) || m.Edge != e.values.Edge || m.At == 0 {
				t.Errorf("said %+v", m)
			}
		}
		e.fenceStep(messages.FenceLift, dead.address(), 7)
	})
	t.Run("and fenced soon", func(t *testing.T) {
		d := e.talk(c, dead)
		began := time.Now()
		d.say(dead, "BYE", 2)
		dead.expect("BYE")
		e.fence(dead)
		if reply := c.final(); !strings.HasPrefix(reply, "SIP/2.0 200") {
			t.Errorf("the phone sees\n%s", reply)
		}
		t.Logf("answered after %v", time.Since(began))
		if m := next(t, e.worker.byes); m.CallID != d.id || m.ToTag != "node" {
			t.Errorf("said %+v", m)
		}
		e.fenceStep(messages.FenceLift, dead.address(), 7)
	})
	t.Run("and nobody knows", func(t *testing.T) {
		d := e.talk(c, dead)
		d.say(dead, "BYE", 2)
		if reply := c.final(); !strings.HasPrefix(reply, "SIP/2.0 408") {
			t.Errorf("the phone sees\n%s", reply)
		}
		none(t, e.worker.byes)
	})
}

func tagOf(header string) string {
	_, tag, _ := strings.Cut(header, "tag=")
	tag, _, _ = strings.Cut(tag, ";")
	return tag
}

// TestAPhoneKeepsItsTalkWhileItsNodeIsDead: what it wants of it is refused so that it asks again, and never with 408 or 481.
func TestAPhoneKeepsItsTalkWhileItsNodeIsDead(t *testing.T) {
	dead := startNode(t, silentAfter)
	e, c := startAgain(t, []string{dead.address()}, nil)
	e.worker.answerWith(routeTo("", dead.uri()))
	d := e.talk(c, dead)
	refused := func(t *testing.T, number int) {
		for _, row := range []struct{ method, want, header string }{
			{"INVITE", "491", ""}, {"UPDATE", "491", ""}, {"INFO", "500", "2"}, {"NOTIFY", "500", "2"},
		} {
			d.say(dead, row.method, number)
			reply := c.final()
			if retry := strings.Join(headersOf(reply, "Retry-After"), " "); !strings.HasPrefix(reply, "SIP/2.0 "+row.want) || retry != row.header {
				t.Errorf("%s: the phone sees\n%s", row.method, reply)
			}
			if row.method == "INVITE" {
				d.say(dead, "ACK", number)
			}
			number++
		}
	}
	t.Run("and nobody knows", func(t *testing.T) { refused(t, 10) })
	for len(dead.requests) > 0 {
		<-dead.requests
	}
	e.fence(dead)
	t.Run("and fenced", func(t *testing.T) {
		refused(t, 20)
		d.say(dead, "REFER", 30, "Refer-To: <sip:103@example.test>")
		if reply := c.final(); !strings.HasPrefix(reply, "SIP/2.0 491") {
			t.Errorf("the phone sees\n%s", reply)
		}
		d.say(dead, "ACK", 31) // of what was said before
		e.fenceStep(messages.FenceLook, "192.0.2.1:9", 1)
		if len(dead.requests) > 0 {
			t.Errorf("the fenced node gets\n%s", (<-dead.requests).text)
		}
	})
	none(t, e.worker.byes)
}

// TestAFencedNodeIsNotHeard, whatever it says; and it sees that it is refused.
func TestAFencedNodeIsNotHeard(t *testing.T) {
	fenced, other, bystander := startNode(t, silentAfter), startNode(t, answers), startNode(t, answers)
	e, c := startAgain(t, []string{fenced.address(), other.address()}, nil)
	e.worker.answerWith(routeTo("", fenced.uri()))
	d := e.talk(c, fenced)
	e.fence(fenced)
	for i, row := range []struct {
		method, want string
		headers      []string
	}{
		{"BYE", "200", nil}, {"BYE", "200", []string{"X-Tandem-Gone: 1"}}, {"INVITE", "481", nil}, {"INVITE", "481", []string{"X-Tandem-Move: FreeSWITCH 1 1 127.0.0.1"}},
		{"REFER", "481", []string{"Refer-To: <sip:1@example.test>"}}, {"INFO", "481", nil}, {"UPDATE", "481", nil},
	} {
		d.hear(fenced, row.method, 100+i, shortDescription, row.headers...)
		if reply := fenced.final(); !strings.HasPrefix(reply, "SIP/2.0 "+row.want) {
			t.Errorf("%s %v: the node sees\n%s", row.method, row.headers, reply)
		}
	}
	for i, row := range []struct{ method, want string }{{"INVITE", "403"}, {"OPTIONS", "200"}, {"REFER", "403"}, {"MESSAGE", "403"}} {
		fenced.sendTo(e.values.Inside, opening(fenced, row.method, bystander, 200+i, ""))
		if reply := fenced.final(); !strings.HasPrefix(reply, "SIP/2.0 "+row.want) {
			t.Errorf("%s: the node sees\n%s", row.method, reply)
		}
	}
	for _, who := range []*node{c.node, bystander, other} {
		if len(who.requests) > 0 {
			t.Errorf("it is heard:\n%s", (<-who.requests).text)
		}
	}
	t.Run("no call goes to it", func(t *testing.T) {
		e.worker.answerWith(routeTo("", fenced.uri(), other.uri()))
		c.invite("1")
		if reply := c.final(); !strings.HasPrefix(reply, "SIP/2.0 200") || !strings.Contains(reply, other.uri()) {
			t.Errorf("the caller sees\n%s", reply)
		}
		if len(fenced.requests) > 1 { // the ACK of the talk
			t.Errorf("it gets\n%s", (<-fenced.requests).text)
		}
	})
	t.Run("when the fence is lifted, it is heard", func(t *testing.T) {
		e.fenceStep(messages.FenceLift, fenced.address(), 7)
		d.hear(fenced, "BYE", 300, "")
		c.expect("BYE")
	})
	none(t, e.worker.byes)
}

// TestNobodyOutsideFences: headers and replies that look like the edge's own are those of whoever sends them.
func TestNobodyOutsideFences(t *testing.T) {
	n, outsider := startNode(t, rings), startNodeAt(t, "127.0.0.79", nil)
	e, c := startAgain(t, []string{n.address()}, nil)
	e.worker.answerWith(routeTo("X-Tandem-Call: first\r\n", n.uri()))
	call := c.invite("1")
	invite := n.expect("INVITE")
	call.ringing()
	// Whoever has seen the branch of an INVITE cannot have it begin anew, from outside or inside.
	for _, to := range []string{e.values.Outside, e.values.Inside} {
		outsider.sendTo(to, strings.Replace(outsider.response(invite, 599), "tag=node", "tag=gone", 1))
	}
	call.expect("599") // of tm's own: it is a refusal like any other
	if got := e.shared("begun_anew"); got != "0" {
		t.Errorf("%s calls have begun anew", got)
	}
}

// opening is a request of a node's that opens a dialog with a phone.
func opening(n *node, method string, to *node, number int, body string) string {
	contentType := ""
	if body != "" {
		contentType = "Content-Type: application/sdp\r\n"
	}
	return fmt.Sprintf("%[1]s %[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;rport;branch=z9hG4bKopen%[4]d\r\nMax-Forwards: 70\r\nFrom: <sip:n@%[3]s>;tag=node\r\nTo: <%[2]s>\r\n"+
		"Call-ID: opening-%[4]d@%[3]s\r\nCSeq: %[4]d %[1]s\r\nContact: <sip:%[3]s>\r\n%[5]sContent-Length: %[6]d\r\n\r\n%[7]s", method, to.uri(), n.address(), number, contentType, len(body), body)
}

// TestAPhoneStopsRingingForADeadNode: it is to ring again for another.
func TestAPhoneStopsRingingForADeadNode(t *testing.T) {
	dead := startNode(t, nil)
	e, _ := startAgain(t, []string{dead.address()}, nil)
	t.Run("that rings", func(t *testing.T) {
		phone := startNode(t, rings)
		dead.sendTo(e.values.Inside, opening(dead, "INVITE", phone, 1, shortDescription))
		invite := phone.expect("INVITE")
		ringing(t, dead)
		began := time.Now()
		e.fence(dead)
		if cancel := phone.expect("CANCEL"); cancel.header("Call-ID") != invite.header("Call-ID") || cancel.header("CSeq") != "1 CANCEL" || cancel.uri() != invite.uri() {
			t.Errorf("cancelled by\n%s", cancel.text)
		}
		t.Logf("silent %v after the fence", time.Since(began))
		e.await("an end of it", func() bool { return e.control("htable.dump", "opened", "name") == "" })
		e.fenceStep(messages.FenceLift, dead.address(), 7)
	})
	t.Run("that is answered in the gap", func(t *testing.T) {
		phone := startNode(t, func(r request) []int {
			if r.method() == "INVITE" {
				return []int{100, 180}
			}
			return []int{200}
		})
		dead.sendTo(e.values.Inside, opening(dead, "INVITE", phone, 2, shortDescription))
		invite := phone.expect("INVITE")
		ringing(t, dead)
		phone.sendTo(e.values.Outside, phone.response(invite, 200))
		dead.final()
		e.fence(dead)
		phone.sendTo(e.values.Outside, phone.response(invite, 200)) // as no ACK has come
		ack, bye := phone.expect("ACK"), phone.expect("BYE")
		if ack.header("CSeq") != "2 ACK" || bye.header("CSeq") != "3 BYE" || bye.header("Call-ID") != invite.header("Call-ID") || tagOf(bye.header("To")) != "node" ||
			bye.header("From") != invite.header("From") || bye.uri() != phone.uri() {
			t.Errorf("hung up by\n%s\n%s", ack.text, bye.text)
		}
		e.fenceStep(messages.FenceLift, dead.address(), 7)
	})
	t.Run("that talks, and has answered a re-INVITE of it", func(t *testing.T) {
		phone := startNode(t, answers)
		dead.sendTo(e.values.Inside, opening(dead, "INVITE", phone, 4, shortDescription))
		first := phone.expect("INVITE")
		dead.final()
		within := func(method string, number int) string {
			text := strings.ReplaceAll(opening(dead, method, phone, number, shortDescription), fmt.Sprintf("opening-%d", number), "opening-4")
			text = strings.Replace(text, "To: <"+phone.uri()+">", "To: <"+phone.uri()+">;tag=node", 1)
			return strings.Replace(text, "Max-Forwards", "Route: "+reversed(first.headers("Record-Route"))+"\r\nMax-Forwards", 1)
		}
		dead.sendTo(e.values.Inside, strings.Replace(within("ACK", 4), "open4", "open4a", 1))
		phone.expect("ACK")
		dead.sendTo(e.values.Inside, within("INVITE", 5))
		again := phone.expect("INVITE")
		dead.final()
		e.fence(dead)
		phone.sendTo(e.values.Outside, phone.response(again, 200))
		if ack := phone.expect("ACK"); ack.header("CSeq") != "5 ACK" {
			t.Errorf("acknowledged by\n%s", ack.text)
		}
		e.fenceStep(messages.FenceLook, "192.0.2.1:9", 1)
		for len(phone.requests) > 0 {
			if r := <-phone.requests; r.method() == "BYE" {
				t.Errorf("the talk ends by\n%s", r.text)
			}
		}
	})
}

// ringing waits until a node hears that its call rings.
func ringing(t *testing.T, n *node) {
	t.Helper()
	for !strings.HasPrefix(next(t, n.replies), "SIP/2.0 180") {
	}
}

func reversed(routes []string) string {
	var out []string
	for _, r := range routes {
		out = append([]string{r}, out...)
	}
	return strings.Join(out, ", ")
}

// TestAnotherNodeTakesTheDialogOfADeadOne: from then on the phone's requests go there, and its description counts on.
func TestAnotherNodeTakesTheDialogOfADeadOne(t *testing.T) {
	dead, taker := startNode(t, silentAfter), startNode(t, silentAfter)
	e, c := startAgain(t, []string{dead.address(), taker.address()}, nil)
	c.reply = func(r request) []int { return []int{200} }
	e.worker.answerWith(routeTo("", dead.uri()))
	d := e.talk(c, dead)
	e.fence(dead)
	description := strings.Replace(shortDescription, "o=- 1 1 IN", "o=- 77 5 IN", 1)
	d.hear(taker, "INVITE", 1000, description, "X-Tandem-Move: - 1 1 127.0.0.1")
	invite := c.expect("INVITE")
	if origin := line(invite.text, "o="); origin != "o=- 1 2 IN IP4 127.0.0.1" {
		t.Errorf("the phone sees %q", origin)
	}
	if reply := taker.final(); !strings.HasPrefix(reply, "SIP/2.0 200") {
		t.Fatalf("the node sees\n%s", reply)
	}
	d.say(taker, "BYE", 3) // goes on to the node that has it
	if bye := taker.expect("BYE"); bye.header("Call-ID") != d.id {
		t.Errorf("%s", bye.text)
	}
	e.fenceStep(messages.FenceLift, dead.address(), 7)
	t.Run("the old node has lost it", func(t *testing.T) {
		d.hear(dead, "BYE", 1100, "")
		if reply := dead.final(); !strings.HasPrefix(reply, "SIP/2.0 481") {
			t.Errorf("the node sees\n%s", reply)
		}
	})
	t.Run("a BYE that has crossed the takeover is answered here", func(t *testing.T) {
		d.say(dead, "BYE", 4)
		if reply := c.final(); !strings.HasPrefix(reply, "SIP/2.0 200") || headersOf(reply, "CSeq")[0] != "4 BYE" {
			t.Errorf("the phone sees\n%s", reply)
		}
		if m := next(t, e.worker.byes); m.CallID != d.id || m.ToTag != "node" {
			t.Errorf("said %+v", m)
		}
	})
}

func line(text, begins string) string {
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, begins) {
			return strings.TrimSpace(l)
		}
	}
	return ""
}
