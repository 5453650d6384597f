package conformance

import (
	"context"
	"testing"

	"tandem/esl"
)

func joinClaims() []Claim {
	return []Claim{
		{"a caller whose bridge still rings can be joined with another call, and his phones ring no more", joinRinging},
		{"the end of one ends the other, whichever it is", joinedEnd},
		{"one of two who talk can be joined with another call, and the one left is hung up", joinTalking},
		{"who is called can be joined with another call, and the caller is hung up", joinCallee},
		{"one who was joined can be joined with yet another", joinAgain},
		{"a leg that is gone is not joined, and nothing happens to the other", joinGone},
		{"a caller can be joined out of a prompt", joinOutOfPrompt},
		{"joining twice leaves them joined", joinTwice},
		{"who listens to a talk is left alone when it is over", eavesdropEnds},
		{"nobody listens to a leg that is gone, and a listener who hangs up leaves the talk as it is", eavesdropOfNobody},
	}
}

// inOneWrite sends commands together and gives the last reply's text.
func (e *engine) inOneWrite(commands ...esl.Command) string {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), e.target.Patience)
	defer cancel()
	replies, err := e.conn.SendInOneWrite(ctx, commands...)
	if err != nil {
		e.t.Fatal(err)
	}
	return replies[len(replies)-1].Text
}

// ties let a joined leg end with the other.
func ties(leg string) esl.API {
	return esl.UUIDSetvarMulti(leg, esl.Var{Name: "hangup_after_bridge", Value: "true"}, esl.Var{Name: "park_after_bridge", Value: "false"})
}

// ringing has a caller for whom a phone rings, as Tandem lets it ring.
func (e *engine) ringing() (a, b string, caller, callee *Dialog) {
	e.t.Helper()
	p, q := e.phone(), e.phone()
	caller = p.Call(e.target.SIP, "1000")
	a = e.parked(caller)
	b = fresh(a)
	e.send(esl.UUIDSetvarMulti(a, esl.Var{Name: "continue_on_fail", Value: "true"}, esl.Var{Name: "hangup_after_bridge", Value: "true"}))
	e.send(esl.Bridge(a, a+"/bridge", legTo(e.target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})))
	callee = q.Await()
	callee.Respond(180, "Ringing", false)
	e.event(b, "CHANNEL_PROGRESS")
	return a, b, caller, callee
}

func joinRinging(t *testing.T, target Target) {
	e := open(t, target)
	c, who := e.answered(e.phone())
	a, b, caller, callee := e.ringing()
	equal(t, "reply", e.inOneWrite(ties(c), esl.UUIDKill(b, "LOSE_RACE"), ties(a), esl.UUIDAnswer(a), esl.UUIDBridge(c, a)), "+OK "+a)
	if res, _ := caller.Final(); res.StatusCode != 200 {
		t.Errorf("the caller gets %d", res.StatusCode)
	}
	cancel := receive(t, callee.Cancels, target.Patience, "a CANCEL at the callee")
	if h := cancel.GetHeader("Reason"); h == nil || h.Value() != `SIP;cause=200;text="Call completed elsewhere"` {
		t.Errorf("Reason: %v", h)
	}
	ev := e.event(c, "CHANNEL_BRIDGE")
	equal(t, "first", ev.Get("Bridge-A-Unique-ID"), c)
	equal(t, "second", ev.Get("Bridge-B-Unique-ID"), a)
	e.absent(a, "CHANNEL_BRIDGE")
	// Which comes first is not fixed: the bridge looks every 20 ms whether a leg that it rings is gone (switch_ivr_originate.c), and the
	// event socket goes on with the next command meanwhile.
	e.inOrder(a, "CHANNEL_ANSWER", "CHANNEL_EXECUTE uuid_bridge")
	e.inOrder(a, "CHANNEL_EXECUTE_COMPLETE bridge", "CHANNEL_EXECUTE uuid_bridge")
	equal(t, "the phone's end", e.event(b, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "LOSE_RACE")
	equal(t, "bridge_to", e.text(esl.UUIDGetvar(a, "bridge_to")), c)
	equal(t, "bridge_to of the other", e.text(esl.UUIDGetvar(c, "bridge_to")), a)
	caller.Bye()
	receive(t, who.Byes, target.Patience, "a BYE at the other")
	e.event(c, "CHANNEL_DESTROY")
	e.inOrder(c, "CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE", "CHANNEL_HANGUP_COMPLETE")
	equal(t, "the other's cause", e.event(c, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "NORMAL_CLEARING")
}

func joinedEnd(t *testing.T, target Target) {
	for _, first := range []bool{true, false} {
		e := open(t, target)
		c, who := e.answered(e.phone())
		a, whom := e.answered(e.phone())
		equal(t, "reply", e.inOneWrite(ties(c), ties(a), esl.UUIDBridge(c, a)), "+OK "+a)
		e.event(c, "CHANNEL_BRIDGE")
		ends, other, leg := who, whom, a
		if !first {
			ends, other, leg = whom, who, c
		}
		ends.Bye()
		receive(t, other.Byes, target.Patience, "a BYE at the other")
		equal(t, "cause", e.event(leg, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "NORMAL_CLEARING")
		equal(t, "disposition", e.event(leg, "CHANNEL_HANGUP_COMPLETE").Variable("sip_hangup_disposition"), "send_bye")
		unbridged := e.event(c, "CHANNEL_UNBRIDGE")
		equal(t, "parted from", unbridged.Get("Bridge-B-Unique-ID"), a)
		e.absent(a, "CHANNEL_UNBRIDGE")
	}
}

func joinTalking(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.bridged("true")
	c, who := e.answered(e.phone())
	equal(t, "reply", e.inOneWrite(ties(c), ties(a), esl.UUIDBridge(c, a)), "+OK "+a)
	receive(t, callee.Byes, target.Patience, "a BYE at the one left")
	ev := e.event(c, "CHANNEL_BRIDGE")
	equal(t, "second", ev.Get("Bridge-B-Unique-ID"), a)
	equal(t, "cause", e.event(b, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "NORMAL_CLEARING")
	e.inOrder(a, "CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE", "CHANNEL_EXECUTE_COMPLETE bridge", "CHANNEL_EXECUTE uuid_bridge")
	equal(t, "the caller", e.text(esl.UUIDExists(a)), "true")
	who.Bye()
	receive(t, caller.Byes, target.Patience, "a BYE at the other")
}

func joinCallee(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.bridged("true")
	c, who := e.answered(e.phone())
	equal(t, "reply", e.inOneWrite(ties(c), ties(b), esl.UUIDBridge(c, b)), "+OK "+b)
	receive(t, caller.Byes, target.Patience, "a BYE at the one left")
	ev := e.event(c, "CHANNEL_BRIDGE")
	equal(t, "second", ev.Get("Bridge-B-Unique-ID"), b)
	equal(t, "cause", e.event(a, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "NORMAL_CLEARING")
	equal(t, "the callee", e.text(esl.UUIDExists(b)), "true")
	callee.Bye()
	receive(t, who.Byes, target.Patience, "a BYE at the other")
}

func joinAgain(t *testing.T, target Target) {
	e := open(t, target)
	c, first := e.answered(e.phone())
	a, whom := e.answered(e.phone())
	d, second := e.answered(e.phone())
	e.inOneWrite(ties(c), ties(a), esl.UUIDBridge(c, a))
	e.event(c, "CHANNEL_BRIDGE")
	equal(t, "reply", e.inOneWrite(ties(d), ties(a), esl.UUIDBridge(d, a)), "+OK "+a)
	receive(t, first.Byes, target.Patience, "a BYE at the one left")
	equal(t, "second", e.event(d, "CHANNEL_BRIDGE").Get("Bridge-B-Unique-ID"), a)
	equal(t, "parted from", e.event(c, "CHANNEL_UNBRIDGE").Get("Bridge-B-Unique-ID"), a)
	whom.Bye()
	receive(t, second.Byes, target.Patience, "a BYE at the other")
}

func joinGone(t *testing.T, target Target) {
	e := open(t, target)
	c, who := e.answered(e.phone())
	a, whom := e.answered(e.phone())
	whom.Bye()
	e.event(a, "CHANNEL_DESTROY")
	equal(t, "reply", e.inOneWrite(ties(c), esl.UUIDAnswer(a), esl.UUIDBridge(c, a)), "-ERR Invalid uuid")
	e.send(esl.Set(c, "after", "claim", "yes"))
	e.done("after")
	equal(t, "reply the other way about", e.inOneWrite(esl.UUIDBridge(a, c)), "-ERR Invalid uuid")
	e.send(esl.Set(c, "after2", "claim", "yes"))
	e.done("after2")
	who.Bye()
}

func joinOutOfPrompt(t *testing.T, target Target) {
	e := open(t, target)
	c, who := e.answered(e.phone())
	a, whom := e.answered(e.phone())
	e.send(esl.Playback(a, a+"/prompt", "silence_stream://60000"))
	e.await("the prompt", func(ev *esl.Event) bool {
		return ev.Name() == "CHANNEL_EXECUTE" && ev.Get("Application") == "playback" && ev.Get("Unique-ID") == a
	})
	equal(t, "reply", e.inOneWrite(ties(c), ties(a), esl.UUIDBridge(c, a)), "+OK "+a)
	e.event(c, "CHANNEL_BRIDGE")
	e.done(a + "/prompt")
	e.inOrder(a, "CHANNEL_EXECUTE_COMPLETE playback", "CHANNEL_EXECUTE uuid_bridge")
	who.Bye()
	receive(t, whom.Byes, target.Patience, "a BYE at the other")
}

func joinTwice(t *testing.T, target Target) {
	e := open(t, target)
	c, who := e.answered(e.phone())
	a, whom := e.answered(e.phone())
	e.inOneWrite(ties(c), ties(a), esl.UUIDBridge(c, a))
	e.event(c, "CHANNEL_BRIDGE")
	equal(t, "reply", e.inOneWrite(ties(c), ties(a), esl.UUIDBridge(c, a)), "+OK "+a)
	e.until("a second CHANNEL_BRIDGE", func() bool {
		bridges := 0
		for _, l := range e.labels(c) {
			if l == "CHANNEL_BRIDGE" {
				bridges++
			}
		}
		return bridges == 2
	})
	equal(t, "the first", e.text(esl.UUIDExists(c)), "true")
	equal(t, "the second", e.text(esl.UUIDExists(a)), "true")
	who.Bye()
	receive(t, whom.Byes, target.Patience, "a BYE at the other")
}

func eavesdropEnds(t *testing.T, target Target) {
	e := open(t, target)
	_, b, caller, callee := e.bridged("true")
	c, who := e.answered(e.phone())
	e.send(esl.UUIDSetvarMulti(c, esl.Var{Name: "eavesdrop_enable_dtmf", Value: "false"}, esl.Var{Name: "eavesdrop_whisper_bleg", Value: "true"}))
	e.send(esl.Eavesdrop(c, c+"/listen", b))
	e.await("the listening", func(ev *esl.Event) bool {
		return ev.Name() == "CHANNEL_EXECUTE" && ev.Get("Application") == "eavesdrop" && ev.Get("Unique-ID") == c
	})
	e.send(esl.Set(c, "after", "claim", "yes")) // it waits
	callee.Bye()
	receive(t, caller.Byes, target.Patience, "a BYE at the caller")
	e.done(c + "/listen")
	e.done("after")
	e.inOrder(c, "CHANNEL_EXECUTE eavesdrop", "CHANNEL_EXECUTE_COMPLETE eavesdrop", "CHANNEL_EXECUTE set")
	equal(t, "the listener", e.text(esl.UUIDExists(c)), "true")
	e.absent(c, "CHANNEL_BRIDGE")
	who.Bye()
}

func eavesdropOfNobody(t *testing.T, target Target) {
	e := open(t, target)
	c, who := e.answered(e.phone())
	a, whom := e.answered(e.phone())
	e.send(esl.Eavesdrop(c, c+"/nobody", fresh(c)))
	e.done(c + "/nobody")
	equal(t, "the listener", e.text(esl.UUIDExists(c)), "true")
	e.send(esl.Eavesdrop(c, c+"/listen", a))
	e.await("the listening", func(ev *esl.Event) bool {
		return ev.Name() == "CHANNEL_EXECUTE" && ev.Get("Application") == "eavesdrop" && ev.Get("Application-UUID") == c+"/listen"
	})
	who.Bye()
	e.event(c, "CHANNEL_HANGUP_COMPLETE")
	equal(t, "the other", e.text(esl.UUIDExists(a)), "true")
	whom.Bye()
}
