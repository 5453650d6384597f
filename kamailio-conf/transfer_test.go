package kamailioconf_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem/messages"
	"tandem/sipptest"
)

// startNodeAt is startNode at another address of loopback.
func startNodeAt(t *testing.T, address string, reply func(request) []int) *node {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(address)})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, conn: conn, reply: reply, requests: make(chan request, seen), replies: make(chan string, seen)}
	done := make(chan struct{})
	go func() { defer close(done); n.serve() }()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return n
}

// within is a request inside the dialog of a call that a phone has made to the node, which the edge knows by its Route headers.
func (n *node) within(method string, invite request, number int, to string, headers ...string) string {
	routes := invite.headers("Record-Route")
	for i, j := 0, len(routes)-1; i < j; i, j = i+1, j-1 {
		routes[i], routes[j] = routes[j], routes[i]
	}
	return fmt.Sprintf("%[1]s %[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;branch=z9hG4bKw%[4]d\r\nMax-Forwards: 70\r\nRoute: %[5]s\r\n"+
		"From: %[6]s\r\nTo: %[7]s;tag=node\r\nCall-ID: %[8]s\r\nCSeq: %[4]d %[1]s\r\nContact: <sip:phone@%[3]s>\r\n%[9]sContent-Length: 0\r\n\r\n",
		method, to, n.address(), number, strings.Join(routes, ", "), invite.header("From"), invite.header("To"), invite.header("Call-ID"),
		strings.Join(append(headers, ""), "\r\n"))
}

// accepts is the reply function of a node that takes calls and transfers.
func accepts(r request) []int {
	if r.method() == "REFER" {
		return []int{202}
	}
	return answers(r)
}

// TestATransferReachesTheNodeInAFormOfOurs: what a phone writes into Refer-To ends in a dial string at the node, so the edge writes
// it anew; and no trunk may transfer.
func TestATransferReachesTheNodeInAFormOfOurs(t *testing.T) {
	n, phone, trunk := startNode(t, accepts), startNode(t, answers), startNodeAt(t, "127.0.0.78", answers)
	e := startEdge(t, []string{n.address()}, []string{"127.0.0.78"}, nil)
	e.worker.answerWith(routeTo("X-Tandem-Call: ours\r\n", n.uri()))
	e.worker.referTo(messages.TransferPass, "")
	e.mustCall(t, e.phone("alice"), "1", sipptest.Call{})
	invite := n.expect("INVITE")
	inside := "sip:103@" + e.values.Inside
	for i, row := range []struct {
		name    string
		headers []string
		code    string
		want    string // Refer-To at the node
	}{
		{"a number", []string{"Refer-To: <sip:103@example.test>", "Referred-By: <sip:boss@example.test>"}, "202", "<" + inside + ">"},
		{"in the short form, and another's address", []string{`r: "Carl" <sip:103@192.0.2.1:9;user=phone>;x=y`}, "202", "<" + inside + ">"},
		{"that replaces a dialog", []string{"Refer-To: <sip:103@example.test?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"}, "202", "<" + inside + "?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"},
		{"with a dial string", []string{"Refer-To: <sip:103,user/1@example.test>"}, "400", ""},
		{"with braces", []string{"Refer-To: <sip:{a=b}103@example.test>"}, "400", ""},
		{"with other headers", []string{"Refer-To: <sip:103@example.test?Replaces=a%3Bto-tag%3D1&Subject=x>"}, "400", ""},
		{"with an expansion", []string{"Refer-To: <sip:103@example.test?Replaces=${system}>"}, "400", ""},
		{"twice", []string{"Refer-To: <sip:103@example.test>", "Refer-To: <sip:104@example.test>"}, "400", ""},
		{"without a number", []string{"Refer-To: <sip:example.test>"}, "400", ""},
		{"without Refer-To", nil, "400", ""},
		{"to what stands for a talk on another node", []string{"Refer-To: <sip:*across.a.b@example.test>"}, "400", ""},
		{"to that, and replaces a dialog", []string{"Refer-To: <sip:*across.a.b@example.test?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>"}, "400", ""},
	} {
		phone.sendTo(e.values.Outside, phone.within("REFER", invite, 10+i, n.uri(), row.headers...))
		if reply := phone.final(); !strings.HasPrefix(reply, "SIP/2.0 "+row.code) {
			t.Errorf("%s: %s", row.name, reply)
		}
		if row.code != "202" {
			continue
		}
		refer := n.expect("REFER")
		if got := refer.headers("Refer-To"); len(got) != 1 || got[0] != row.want || len(refer.headers("r")) > 0 || strings.Contains(refer.text, "Referred-By") {
			t.Errorf("%s: the node gets\n%s", row.name, refer.text)
		}
	}
	trunk.sendTo(e.values.Outside, trunk.within("REFER", invite, 50, n.uri(), "Refer-To: <sip:103@example.test>"))
	if reply := trunk.final(); !strings.HasPrefix(reply, "SIP/2.0 403") {
		t.Errorf("a trunk's transfer: %s", reply)
	}
}

// TestATransferToAnotherDialogIsAskedAbout: a worker says whether the node can carry it out; without an answer the node gets it as it is,
// and refuses what it does not know.
func TestATransferToAnotherDialogIsAskedAbout(t *testing.T) {
	n, phone := startNode(t, accepts), startNode(t, answers)
	e := startEdge(t, []string{n.address()}, nil, nil)
	e.worker.answerWith(routeTo("X-Tandem-Call: ours\r\n", n.uri()))
	e.mustCall(t, e.phone("alice"), "1", sipptest.Call{})
	invite := n.expect("INVITE")
	asIs := "<sip:103@" + e.values.Inside + "?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"
	number := 10
	refer := func(t *testing.T, code, want string) {
		t.Helper()
		number++
		phone.sendTo(e.values.Outside, phone.within("REFER", invite, number, n.uri(), "Refer-To: <sip:103@example.test?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"))
		if reply := phone.final(); !strings.HasPrefix(reply, "SIP/2.0 "+code) {
			t.Fatal(reply)
		}
		if code != "202" {
			return
		}
		got := n.expect("REFER")
		if to := got.headers("Refer-To"); len(to) != 1 || to[0] != want || len(got.headers("Record-Route")) == 0 || len(got.headers("Route")) > 0 ||
			!strings.Contains(got.header("Contact"), ";alias=") {
			t.Errorf("the node gets\n%s", got.text)
		}
	}
	question := func(t *testing.T) {
		t.Helper()
		asked := next(t, e.worker.transfers)
		want := &messages.TransferRequest{Type: messages.TransferRequestV1, ServerID: asked.ServerID, TIndex: asked.TIndex, TLabel: asked.TLabel, Edge: e.values.Edge,
			SourceAddress: "127.0.0.1", CallID: invite.header("Call-ID"), FromTag: tagIn(invite.header("From")), ToTag: "node", Replaces: "a@b;to-tag=1;from-tag=2"}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Error(diff)
		}
		none(t, e.worker.transfers)
	}
	t.Run("both on its node", func(t *testing.T) {
		e.worker.referTo(messages.TransferPass, "")
		refer(t, "202", asIs)
		question(t)
	})
	t.Run("on two nodes", func(t *testing.T) {
		e.worker.referTo(messages.TransferAcross, "*across.call.leg-1")
		refer(t, "202", "<sip:*across.call.leg-1@"+e.values.Inside+">")
		question(t)
	})
	t.Run("not the phone's own", func(t *testing.T) {
		e.worker.referTo(messages.TransferRefuse, "")
		refer(t, "403", "")
		question(t)
	})
	t.Run("an answer that cannot be obeyed, and no other", func(t *testing.T) {
		e.worker.referTo(messages.TransferAcross, "103")
		refer(t, "202", asIs)
		question(t)
	})
	t.Run("no answer", func(t *testing.T) {
		e.worker.referToNobody()
		refer(t, "202", asIs)
		question(t)
	})
	t.Run("no broker", func(t *testing.T) {
		e.amqp.close()
		e.await("a broker that is away", func() bool { return e.shared("heard") == "0" })
		refer(t, "202", asIs)
	})
}

func tagIn(party string) string {
	_, tag, _ := strings.Cut(party, ";tag=")
	return tag
}

// TestANodesCallToTheEdgeItselfIsRefused: a node that does not know a dialog which a REFER names calls the address in it.
func TestANodesCallToTheEdgeItselfIsRefused(t *testing.T) {
	n := startNode(t, answers)
	e := startEdge(t, []string{n.address()}, nil, nil)
	n.sendTo(e.values.Inside, fmt.Sprintf("INVITE sip:103@%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bKn1\r\nMax-Forwards: 70\r\nFrom: <sip:a@%[2]s>;tag=1\r\n"+
		"To: <sip:103@%[1]s>\r\nCall-ID: nightmare\r\nCSeq: 1 INVITE\r\nContact: <sip:a@%[2]s>\r\nReplaces: a;to-tag=1;from-tag=2\r\nContent-Length: 0\r\n\r\n", e.values.Inside, n.address()))
	if reply := n.final(); !strings.HasPrefix(reply, "SIP/2.0 404") {
		t.Error(reply)
	}
}
