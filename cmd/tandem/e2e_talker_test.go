package main

import (
	"crypto/md5" //nolint:gosec // digest authentication is made of it
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tandem/sipptest"
)

// talker is a phone that has several talks at once, puts them on hold and transfers them: what one run of SIPp cannot. It answers
// what it is called for, and every request in a talk.
type talker struct {
	t     *testing.T
	phone *sipptest.Phone
	conn  *net.UDPConn
	edge  *net.UDPAddr
	calls chan *talk      // that came and were answered
	rings chan *talk      // that came and wait for pickUp
	waits atomic.Bool     // calls are not answered before pickUp
	sound *sipptest.Sound // of its one talk; nil: it says that it has some, and has none

	mu    sync.Mutex
	talks map[string]*talk // by Call-ID
	heard []string         // all that came
}

// talk is one dialog of a talker (RFC 3261 12).
type talk struct {
	of            *talker
	id            string
	local, remote string // From and To of what it sends
	target        string
	routes        []string
	number        int          // of its last request
	answer        string       // to the INVITE that came
	again         string       // CSeq of the last INVITE in the talk that came
	answered      string       // to it
	version       atomic.Int64 // of its last description
	holds         atomic.Bool

	replies  chan string // final ones
	ringing  chan string // of what it calls: 180
	invite   string      // that came
	notified chan string // what a NOTIFY says (RFC 3420)
	over     chan struct{}
	once     sync.Once
	begun    sync.Once
}

// aMoment is how long a talker talks before it hangs up.
const aMoment = 500 * time.Millisecond

const (
	telephone = "v=0\r\no=- 1 %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP %s\r\na=%s\r\n"
	soundless = 9 // the port of who has no sound (RFC 863)
)

// talks lets a registered phone talk as a talker; who does not register must have an address.
func talks(t *testing.T, p *sipptest.Phone) *talker {
	t.Helper()
	return speaks(t, p, nil)
}

// speaks is talks with sound.
func speaks(t *testing.T, p *sipptest.Phone, sound *sipptest.Sound) *talker {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(p.Address), Port: p.Port})
	must(t, err)
	edge, err := net.ResolveUDPAddr("udp", p.Edge)
	must(t, err)
	k := &talker{t: t, phone: p, conn: conn, edge: edge, calls: make(chan *talk, 2*ringingAtOnce), rings: make(chan *talk, 2*ringingAtOnce),
		talks: map[string]*talk{}, sound: sound}
	done := make(chan struct{})
	go func() { defer close(done); k.serve() }()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return k
}

// talker registers a user's phone, and lets it talk.
func (c *company) talker(t *testing.T, user string) *talker {
	t.Helper()
	c.register(t, user)
	return talks(t, c.users[user])
}

func (k *talker) address() string { return k.conn.LocalAddr().String() }

func (k *talker) write(text string) { _, _ = k.conn.WriteToUDP([]byte(text), k.edge) }

func (k *talker) newTalk(id string) *talk {
	d := &talk{of: k, id: id, replies: make(chan string, 8), ringing: make(chan string, 8), notified: make(chan string, 8), over: make(chan struct{})}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.talks[id] = d
	return d
}

func (k *talker) find(id string) *talk {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.talks[id]
}

func (k *talker) serve() {
	buffer := make([]byte, 65536)
	for {
		size, _, err := k.conn.ReadFromUDP(buffer)
		if err != nil {
			return
		}
		text := string(buffer[:size])
		k.mu.Lock()
		k.heard = append(k.heard, text)
		k.mu.Unlock()
		d := k.find(field(text, "Call-ID"))
		switch {
		case strings.HasPrefix(text, "SIP/2.0 "):
			if d != nil && strings.HasPrefix(text, "SIP/2.0 180") {
				d.ringing <- text
			} else if d != nil && !strings.HasPrefix(text, "SIP/2.0 1") {
				d.replies <- text
			}
		case strings.HasPrefix(text, "ACK "):
			if d != nil && d.answer != "" { // before it, what we send may overtake our answer
				d.begun.Do(func() { k.calls <- d })
			}
		case d == nil && strings.HasPrefix(text, "INVITE "):
			k.called(text)
		case d != nil:
			d.request(text)
		}
	}
}

// called answers a call.
func (k *talker) called(invite string) {
	d := k.newTalk(field(invite, "Call-ID"))
	d.local, d.remote = field(invite, "To")+";tag=talker"+k.phone.User, field(invite, "From")
	d.invite, d.target, d.routes = invite, uriOf(field(invite, "Contact")), fields(invite, "Record-Route")
	k.write(response(invite, "180 Ringing", d.local, k.contact(), ""))
	d.answer = response(invite, "200 OK", d.local, k.contact(), d.describe())
	k.hearOf(invite)
	if k.waits.Load() {
		k.rings <- d
		return
	}
	d.pickUp()
}

// all is everything that came so far.
func (k *talker) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.heard)
}

// pickUp answers a call that rings.
func (d *talk) pickUp() {
	time.AfterFunc(100*time.Millisecond, func() { d.of.write(d.answer) }) // two datagrams in a row may overtake one another on their way
}

func (k *talker) contact() string {
	return "Contact: <sip:" + k.phone.User + "@" + k.address() + ">\r\n"
}

// request answers a request in the talk.
func (d *talk) request(text string) {
	switch method, _, _ := strings.Cut(text, " "); method {
	case "INVITE":
		if !strings.Contains(field(text, "To"), "tag=") { // sent again
			d.of.write(d.answer)
			return
		}
		if d.again == field(text, "CSeq") { // sent again
			d.of.write(d.answered)
			return
		}
		d.again, d.answered = field(text, "CSeq"), response(text, "200 OK", field(text, "To"), d.of.contact(), d.describe())
		if target := uriOf(field(text, "Contact")); target != "" { // RFC 3261 12.2.2
			d.of.mu.Lock()
			d.target = target
			d.of.mu.Unlock()
		}
		d.of.hearOf(text)
		d.of.write(d.answered)
		return
	case "NOTIFY":
		_, said, _ := strings.Cut(text, "\r\n\r\n")
		d.notified <- strings.TrimSpace(said)
	case "CANCEL":
		d.of.write(response(text, "200 OK", d.local, "", ""))
		text = d.invite
		d.of.write(response(text, "487 Request Terminated", d.local, "", ""))
		d.once.Do(func() { close(d.over) })
		return
	case "BYE":
		d.once.Do(func() { close(d.over) })
	}
	d.of.write(response(text, "200 OK", field(text, "To"), d.of.contact(), ""))
}

// describe is the talk's next description: each has the version after the last one's.
func (d *talk) describe() string {
	k, port, types, direction := d.of, soundless, "0", "sendrecv"
	if k.sound != nil {
		port, types = k.sound.Port(), "0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16"
	}
	if d.holds.Load() {
		direction = "sendonly"
	}
	return fmt.Sprintf(telephone, d.version.Add(1), k.phone.Address, k.phone.Address, port, types, direction)
}

// hearOf lets it speak to where a description says.
func (k *talker) hearOf(text string) {
	if m := whereHeard.FindStringSubmatch(text); k.sound != nil && m != nil {
		if to, err := netip.ParseAddrPort(m[1] + ":" + m[2]); err == nil {
			k.sound.To(to)
		}
	}
}

var whereHeard = regexp.MustCompile(`(?s)\nc=IN IP4 ([0-9.]+).*\nm=audio ([0-9]+) `)

// messages are the talk's as CheckDialog takes them.
func (d *talk) messages() string {
	var log strings.Builder
	for _, text := range d.of.all() {
		if field(text, "Call-ID") == d.id {
			log.WriteString("-----------------------------------------------\nUDP message received\n\n" + strings.ReplaceAll(text, "\r", ""))
		}
	}
	return log.String()
}

// call calls a number and returns when it is answered, with a login unless none is asked for.
func (k *talker) call(number string) *talk {
	k.t.Helper()
	d := k.dial(number)
	reply := d.reply("INVITE")
	if !strings.HasPrefix(reply, "SIP/2.0 200") {
		k.t.Fatalf("the call to %s: %s", number, reply)
	}
	d.accept(reply)
	return d
}

// accept begins the talk that an answer offers.
func (d *talk) accept(answer string) {
	d.remote, d.target, d.routes = field(answer, "To"), uriOf(field(answer, "Contact")), fields(answer, "Record-Route")
	slices.Reverse(d.routes)
	d.of.hearOf(answer)
	d.send("ACK", d.number, "", "")
}

// dial calls a number, with a login unless none is asked for, and returns when that has been sent.
func (k *talker) dial(number string) *talk {
	k.t.Helper()
	d := k.newTalk(fmt.Sprintf("%d@%s", time.Now().UnixNano(), k.address()))
	uri := "sip:" + number + "@" + k.phone.Domain
	d.local, d.remote, d.target = "<sip:"+k.phone.User+"@"+k.phone.Domain+">;tag=talker"+k.phone.User, "<"+uri+">", uri
	offer := d.describe()
	reply := d.ask("INVITE", "", offer)
	if !strings.HasPrefix(reply, "SIP/2.0 407") {
		d.replies <- reply
		return d
	}
	d.send("ACK", d.number, "", "")
	d.number++
	d.send("INVITE", d.number, k.login(field(reply, "Proxy-Authenticate"), "INVITE", uri), offer)
	return d
}

var challengeOf = regexp.MustCompile(`(\w+)="([^"]*)"`)

// login answers a challenge (RFC 7616 3.4.1).
func (k *talker) login(challenge, method, uri string) string {
	said := map[string]string{}
	for _, m := range challengeOf.FindAllStringSubmatch(challenge, -1) {
		said[m[1]] = m[2]
	}
	hash := func(parts ...string) string { return fmt.Sprintf("%x", md5.Sum([]byte(strings.Join(parts, ":")))) }
	proof := hash(hash(k.phone.User, said["realm"], k.phone.Password), said["nonce"], "00000001", "c0ffee", "auth", hash(method, uri))
	return fmt.Sprintf("Proxy-Authorization: Digest username=%q, realm=%q, nonce=%q, uri=%q, algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c0ffee\", response=%q\r\n",
		k.phone.User, said["realm"], said["nonce"], uri, proof)
}

// ask sends a request in the talk and waits for the final response.
func (d *talk) ask(method, headers, body string) string {
	d.of.t.Helper()
	d.number++
	d.send(method, d.number, headers, body)
	return d.reply(method)
}

// reply waits for the final response to the last request.
func (d *talk) reply(method string) string {
	d.of.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case reply := <-d.replies:
			if strings.HasPrefix(field(reply, "CSeq"), strconv.Itoa(d.number)+" ") {
				if method == "INVITE" && strings.Contains(d.remote, "tag=") {
					d.send("ACK", d.number, "", "")
				}
				return reply
			}
		case <-deadline:
			d.of.t.Fatalf("%s: no response", method)
		}
	}
}

func (d *talk) send(method string, number int, headers, body string) {
	k := d.of
	k.mu.Lock()
	target := d.target
	k.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s%s%d;rport\r\nMax-Forwards: 70\r\n", method, target, k.address(), method, url.QueryEscape(d.id), number)
	for _, r := range d.routes {
		b.WriteString("Route: " + r + "\r\n")
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n%s%s", d.local, d.remote, d.id, number, method, k.contact(), headers)
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	k.write(b.String())
}

// hold offers a direction of media: sendonly is hold, sendrecv its end.
func (d *talk) hold(direction string) {
	d.of.t.Helper()
	d.holds.Store(direction == "sendonly")
	reply := d.ask("INVITE", "", d.describe())
	if !strings.HasPrefix(reply, "SIP/2.0 200") {
		d.of.t.Fatalf("%s: %s", direction, reply)
	}
	d.of.hearOf(reply)
}

// refer asks for a transfer and gives the response's code.
func (d *talk) refer(to string) string {
	d.of.t.Helper()
	return strings.Fields(d.ask("REFER", "Refer-To: <sip:"+to+">\r\nReferred-By: "+d.local+"\r\n", ""))[1]
}

// replacing is a number whose call takes the place of this talk (RFC 3891).
func (d *talk) replacing(number string) string {
	tag := func(party string) string { _, t, _ := strings.Cut(party, ";tag="); return t }
	return number + "@" + d.of.phone.Domain + "?Replaces=" + url.QueryEscape(d.id+";to-tag="+tag(d.remote)+";from-tag="+tag(d.local))
}

// bye hangs up after a moment's talk, as the other phones of the tests do: who hangs up before the node has put the talk through has
// not talked.
func (d *talk) bye() {
	d.of.t.Helper()
	<-time.After(aMoment)
	if reply := d.ask("BYE", "", ""); !strings.HasPrefix(reply, "SIP/2.0 200") {
		d.of.t.Errorf("BYE: %s", reply)
	}
}

// told waits until a NOTIFY says this.
func (d *talk) told(text string) {
	d.of.t.Helper()
	select {
	case said := <-d.notified:
		if said != text {
			d.of.t.Errorf("the NOTIFY says %q, want %q", said, text)
		}
	case <-time.After(patience):
		d.of.t.Fatal("no NOTIFY")
	}
}

// ended waits until the other side has hung up.
func (d *talk) ended() {
	d.of.t.Helper()
	select {
	case <-d.over:
	case <-time.After(patience):
		d.of.t.Fatal("no BYE")
	}
}

// answered waits for the next call.
func (k *talker) answered() *talk {
	k.t.Helper()
	select {
	case d := <-k.calls:
		return d
	case <-time.After(patience):
		k.t.Fatal("nobody calls " + k.phone.User)
		return nil
	}
}

// fields are the values of a header, topmost first.
func fields(text, name string) (values []string) {
	head, _, _ := strings.Cut(text, "\r\n\r\n")
	for _, line := range strings.Split(head, "\r\n")[1:] {
		if n, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(n), name) {
			values = append(values, strings.TrimSpace(v))
		}
	}
	return values
}

func field(text, name string) string { return strings.Join(fields(text, name), ",") }

// uriOf is the URI in a Contact.
func uriOf(contact string) string {
	_, uri, _ := strings.Cut(contact, "<")
	uri, _, _ = strings.Cut(uri, ">")
	return uri
}

func response(request, status, to, contact, body string) string {
	var b strings.Builder
	b.WriteString("SIP/2.0 " + status + "\r\n")
	for _, name := range []string{"Via", "Record-Route"} {
		for _, v := range fields(request, name) {
			b.WriteString(name + ": " + v + "\r\n")
		}
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n%s", field(request, "From"), to, field(request, "Call-ID"), field(request, "CSeq"), contact)
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}
