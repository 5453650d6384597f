package conformance

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// Phone is a SIP phone on a loopback port. It has no audio: its RTP socket only
// sends telephone-events.
type Phone struct {
	t      *testing.T
	host   string
	port   int
	ua     *sipgo.UserAgent
	client *sipgo.Client
	rtp    *net.UDPConn

	mu       sync.Mutex
	dialogs  map[string]*Dialog // by Call-ID
	incoming chan *Dialog
	patience time.Duration

	codecs  string // the formats and their rtpmaps of the description; empty: PCMU
	name    string // display name; empty: Alice
	slowAck bool   // the first 200 is not acknowledged
	alias   string // parameter of that name of the contact URI of calls made; empty: none

	offered chan *sip.Request // INVITEs within a dialog
	refuses []int             // codes for the next of them, in order; 200 when none is left
	hungUp  chan *sip.Request // BYEs of dialogs that were not opened here
}

// NewPhone starts a phone that the test's end stops.
func NewPhone(t *testing.T, patience time.Duration) *Phone {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rtp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	ua, err := sipgo.NewUA(sipgo.WithUserAgent("claims"),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(quiet)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(quiet)))
	if err != nil {
		t.Fatal(err)
	}
	p := &Phone{
		t: t, host: "127.0.0.1", port: conn.LocalAddr().(*net.UDPAddr).Port, ua: ua, rtp: rtp,
		dialogs: map[string]*Dialog{}, incoming: make(chan *Dialog, 16), patience: patience,
		offered: make(chan *sip.Request, 16), hungUp: make(chan *sip.Request, 16),
	}
	server, err := sipgo.NewServer(ua, sipgo.WithServerLogger(quiet))
	if err != nil {
		t.Fatal(err)
	}
	p.client, err = sipgo.NewClient(ua, sipgo.WithClientLogger(quiet), sipgo.WithClientAddr(p.Addr()), sipgo.WithClientConnectionAddr(p.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	server.OnInvite(p.onInvite)
	server.OnAck(p.onAck)
	server.OnBye(p.onBye)
	server.OnNotify(p.onNotify)
	server.OnOptions(func(req *sip.Request, tx sip.ServerTransaction) {
		tx.Respond(sip.NewResponseFromRequest(req, 200, "OK", nil))
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.ServeUDP(conn)
	}()
	for pool := ua.TransportLayer().Pool("udp"); pool.Get(p.Addr()) == nil; { // until the socket is in use
		runtime.Gosched()
	}
	t.Cleanup(func() {
		rtp.Close()
		conn.Close()
		<-done
		ua.Close()
	})
	return p
}

// Addr is the phone's SIP address, host:port.
func (p *Phone) Addr() string { return net.JoinHostPort(p.host, strconv.Itoa(p.port)) }

// URI is where the phone is reached under a name.
func (p *Phone) URI(user string) string { return "sip:" + user + "@" + p.Addr() }

// sdp is the phone's session description; direction is "" or "sendonly" and the like.
func (p *Phone) sdp(version int, direction string) []byte {
	port := p.rtp.LocalAddr().(*net.UDPAddr).Port
	codecs := p.codecs
	if codecs == "" {
		codecs = "0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15"
	}
	text := fmt.Sprintf("v=0\r\no=phone 1 %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"+
		"m=audio %d RTP/AVP %s\r\n", version, p.host, p.host, port, codecs)
	if direction != "" {
		text += "a=" + direction + "\r\n"
	}
	return []byte(text)
}

func (p *Phone) newDialog(callID string) *Dialog {
	d := &Dialog{
		phone: p, version: 1, Responses: make(chan *sip.Response, 32), Acks: make(chan *sip.Request, 8),
		Byes: make(chan *sip.Request, 8), Cancels: make(chan *sip.Request, 8), Notifies: make(chan string, 8),
	}
	p.mu.Lock()
	p.dialogs[callID] = d
	p.mu.Unlock()
	return d
}

func (p *Phone) dialog(req *sip.Request) *Dialog {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dialogs[req.CallID().Value()]
}

// callWith calls 1000 with one more header.
func (p *Phone) callWith(engine, name, value string) *Dialog {
	p.t.Helper()
	return p.Call(engine, "1000", sip.NewHeader(name, value))
}

// Call sends an INVITE to user at the engine and returns at once.
func (p *Phone) Call(engine, user string, headers ...sip.Header) *Dialog {
	p.t.Helper()
	var uri sip.Uri
	if err := sip.ParseUri("sip:"+user+"@"+engine, &uri); err != nil {
		p.t.Fatal(err)
	}
	req := sip.NewRequest(sip.INVITE, uri)
	tag := sip.GenerateTagN(12)
	name := p.name
	if name == "" {
		name = "Alice"
	}
	from := sip.FromHeader{DisplayName: strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name), Address: sip.Uri{Scheme: "sip", User: "alice", Host: p.host, Port: p.port}, Params: sip.NewParams()}
	from.Params.Add("tag", tag)
	req.AppendHeader(&from)
	req.AppendHeader(&sip.ToHeader{Address: uri, Params: sip.NewParams()})
	callID := sip.CallIDHeader(sip.GenerateTagN(20) + "@claims")
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: sip.INVITE})
	contact := &sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: "alice", Host: p.host, Port: p.port, UriParams: sip.NewParams()}}
	if p.alias != "" {
		contact.Address.UriParams.Add("alias", p.alias)
	}
	req.AppendHeader(contact)
	for _, h := range headers {
		req.AppendHeader(h)
	}
	req.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	req.SetBody(p.sdp(1, ""))
	d := p.newDialog(callID.Value())
	d.outgoing, d.invite, d.localTag, d.seq = true, req, tag, 1
	tx, err := p.client.TransactionRequest(context.Background(), req)
	if err != nil {
		p.t.Fatal(err)
	}
	d.client = tx
	go d.follow()
	return d
}

// options sends OPTIONS outside a dialog.
func (p *Phone) options(engine string) *sip.Response {
	p.t.Helper()
	var uri sip.Uri
	if err := sip.ParseUri("sip:"+engine, &uri); err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.patience)
	defer cancel()
	res, err := p.client.Do(ctx, sip.NewRequest(sip.OPTIONS, uri))
	if err != nil {
		p.t.Fatal(err)
	}
	return res
}

// onInvite takes a call, or a re-INVITE, in.
func (p *Phone) onInvite(req *sip.Request, tx sip.ServerTransaction) {
	if _, inDialog := req.To().Params.Get("tag"); inDialog {
		p.mu.Lock()
		code := 200
		if len(p.refuses) > 0 {
			code, p.refuses = p.refuses[0], p.refuses[1:]
		}
		p.mu.Unlock()
		select {
		case p.offered <- req:
		default:
		}
		if code != 200 {
			tx.Respond(sip.NewResponseFromRequest(req, code, "No", nil))
			return
		}
		res := sip.NewResponseFromRequest(req, 200, "OK", p.sdp(2, ""))
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
		res.AppendHeader(&sip.ContactHeader{Address: sip.Uri{Scheme: "sip", Host: p.host, Port: p.port}})
		tx.Respond(res)
		return
	}
	d := p.newDialog(req.CallID().Value())
	d.invite, d.server, d.localTag, d.seq = req, tx.(*sip.ServerTx), sip.GenerateTagN(12), 100
	d.server.OnCancel(func(cancel *sip.Request) { d.Cancels <- cancel })
	p.incoming <- d
	<-d.server.Done()
}

func (p *Phone) onAck(req *sip.Request, _ sip.ServerTransaction) {
	if d := p.dialog(req); d != nil {
		select {
		case d.Acks <- req:
		default:
		}
	}
}

func (p *Phone) onBye(req *sip.Request, tx sip.ServerTransaction) {
	tx.Respond(sip.NewResponseFromRequest(req, 200, "OK", nil))
	if d := p.dialog(req); d != nil {
		d.Byes <- req
		return
	}
	select {
	case p.hungUp <- req:
	default:
	}
}

// Await returns the next call to the phone.
func (p *Phone) Await() *Dialog {
	p.t.Helper()
	select {
	case d := <-p.incoming:
		return d
	case <-time.After(p.patience):
		p.t.Fatal("no INVITE came to the phone")
		return nil
	}
}
