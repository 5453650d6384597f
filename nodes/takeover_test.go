package nodes

import (
	"testing"

	"tandem/messages"
	"tandem/nodes/link"
)

// secret is what the workers of these tests know each other by.
var secret = []byte("0123456789abcdef0123456789abcdef")

// pair starts two workers that share a fake node: the first owns it, the second stands by.
func pair(t *testing.T) (f *fakeNode, first, second *world, stopFirst func()) {
	t.Helper()
	f = newFakeNode(t)
	first, stopFirst = worker(t, f, "worker1.a")
	first.up(t)
	second, _ = worker(t, f, "worker2.b")
	second.picture(t)
	return f, first, second, stopFirst
}

func worker(t *testing.T, f *fakeNode, name string) (*world, func()) {
	t.Helper()
	server, err := link.Listen(t.Context(), link.Options{Address: "127.0.0.1:0", Secret: secret, Worker: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	w := newWorld()
	o := options(t, f, w)
	o.Worker, o.Link, o.Secret, o.Logger = name, server, secret, w.logger()
	return w, start(t, o)
}

// TestStandbyGoesOnWithARingingCall: the owner leaves while a phone rings; what the phone does then is answered by the
// standby, and each leg gets its record once.
func TestStandbyGoesOnWithARingingCall(t *testing.T) {
	f, first, second, stopFirst := pair(t)
	callee := ring(t, f)
	f.event("CHANNEL_CREATE", callee, "outbound")
	f.event("CHANNEL_PROGRESS", callee, "outbound")
	first.said(t, "leg_rang")
	stopFirst()
	second.up(t)
	f.event("CHANNEL_HANGUP_COMPLETE", callee, "outbound", "Hangup-Cause: USER_BUSY", "variable_hangup_cause_q850: 17",
		"variable_sip_term_status: 486", "variable_sip_hangup_disposition: recv_refuse")
	if c := second.cdr(t); c.Leg != callee || c.Call != callID || c.SIPCode != 486 {
		t.Errorf("callee's record: %+v", c)
	}
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: bridge", "Application-UUID: "+callID+"/2", "Answer-State: ringing",
		"variable_originate_disposition: USER_BUSY")
	f.ordered("uuid_kill " + callerLeg + " USER_BUSY")
	f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: USER_BUSY", "variable_hangup_cause_q850: 17")
	if c := second.cdr(t); c.Leg != callerLeg || c.Role != messages.RoleCaller {
		t.Errorf("caller's record: %+v", c)
	}
	select {
	case c := <-f.commands:
		t.Errorf("a command was doubled: %s", c)
	case c := <-first.cdrs:
		t.Errorf("a record from the worker that left: %+v", c)
	default:
	}
}
