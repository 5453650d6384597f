package main

import (
	"testing"

	"tandem/messages"
	"tandem/sipptest"
	"tandem/tenants"
)

func cleared(far string) leg { return leg{Far: far, Cause: "NORMAL_CLEARING", Answered: true} }

// TestCalleeTransfersTheCaller: who was called sends the caller to a colleague. The caller's phone notices nothing.
func TestCalleeTransfersTheCaller(t *testing.T) {
	t.Parallel()
	calleeTransfers(t, sharedWorld(t))
}

func calleeTransfers(t *testing.T, w *world) {
	c := w.company(t)
	c.publish(t)
	c.register(t, "three")
	two := c.talker(t, "two")
	three := c.listen(t, "three", sipptest.Behaviour{HangUp: true, Checks: []sipptest.Check{{Header: "From", Pattern: "sip:101@"}}})
	one := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
	talk := two.answered()
	c.awaitTold(t, "talking")
	if code := talk.refer("103@" + c.domain); code != "202" {
		t.Fatal("REFER: " + code)
	}
	talk.told("SIP/2.0 200 OK")
	talk.ended()
	expected{Verdict: "The call was answered", Tells: []string{"talking", "transferred", "transfer_leads", "ringing", "talking", "leg_ended", "call_ended"},
		Legs: []leg{cleared("one-phone"), cleared("two-phone"), cleared("three-phone")}}.check(t, w.story(t, succeed(t, one, three), 3))
	clean(t, three)
}

// TestCallerTransfersTheCallee: the call goes on without the leg that began it.
func TestCallerTransfersTheCallee(t *testing.T) {
	t.Parallel()
	callerTransfers(t, sharedWorld(t))
}

func callerTransfers(t *testing.T, w *world) {
	c := w.company(t)
	c.publish(t)
	c.register(t, "two", "three")
	one := c.talker(t, "one")
	two := c.listen(t, "two", sipptest.Behaviour{})
	three := c.listen(t, "three", sipptest.Behaviour{HangUp: true, Checks: []sipptest.Check{{Header: "From", Pattern: "User two.*sip:102@"}}})
	talk := one.call("102")
	c.awaitTold(t, "talking")
	if code := talk.refer("103@" + c.domain); code != "202" {
		t.Fatal("REFER: " + code)
	}
	talk.told("SIP/2.0 200 OK")
	talk.ended()
	succeed(t, three, two)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "transferred", "transfer_leads", "ringing", "talking_on", "driven_ended", "call_ended"},
		Legs: []leg{cleared("one-phone"), cleared("three-phone"), cleared("two-phone")}}.check(t, w.story(t, talk.id, 3))
}

// TestTransferToANumberOutside goes by the trunks and the rules for what the transferor's phone dials.
func TestTransferToANumberOutside(t *testing.T) {
	t.Parallel()
	t.Run("that may be called", func(t *testing.T) {
		t.Parallel()
		c := callingOut(t, nil)
		c.publish(t)
		two := c.talker(t, "two")
		carrier := listen(t, c.first, sipptest.Behaviour{HangUp: true})
		one := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
		talk := two.answered()
		c.awaitTold(t, "talking")
		talk.refer(c.outside() + "@" + c.domain)
		talk.told("SIP/2.0 200 OK")
		expected{Verdict: "The call was answered", Tells: []string{"transferred", "transfer_leads", "way_taken", "talking", "call_ended"},
			Legs: []leg{cleared("one-phone"), cleared(c.firstID), cleared("two-phone")}}.check(t, c.w.story(t, succeed(t, one, carrier), 3))
		notOurs(t, carrier)
	})
	t.Run("that is blocked: the transferor gets the call back", func(t *testing.T) {
		t.Parallel()
		c := callingOut(t, nil)
		c.publish(t)
		two := c.talker(t, "two")
		one := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
		talk := two.answered()
		c.awaitTold(t, "talking")
		talk.refer("0" + c.prefix[3:] + "66611@" + c.domain)
		talk.ended()
		two.answered().bye()
		expected{Verdict: "The call was answered", Tells: []string{"transferred", "prefix_blocked", "transfer_recalls", "ringing", "talking", "call_ended"},
			Legs: []leg{cleared("one-phone"), cleared("two-phone"), cleared("two-phone")}}.check(t, c.w.story(t, succeed(t, one), 3))
	})
}

// TestTransferThatReachesNobodyComesBack to who has transferred.
func TestTransferThatReachesNobodyComesBack(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "three")
	two := c.talker(t, "two")
	three := c.listen(t, "three", sipptest.Behaviour{Code: 486, Phrase: "Busy Here"})
	one := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
	talk := two.answered()
	c.awaitTold(t, "talking")
	talk.refer("103@" + c.domain)
	talk.ended()
	two.answered().bye()
	expected{Verdict: "The call was answered", Tells: []string{"transferred", "ring_busy", "transfer_recalls", "ringing", "talking", "leg_ended", "call_ended"},
		Legs: []leg{cleared("one-phone"), {Far: "three-phone", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultCallee}, cleared("two-phone"), cleared("two-phone")}}.
		check(t, w.story(t, succeed(t, one, three), 4))
}

// TestTransferFromATrunkIsRefused: a carrier would have a tenant pay for its calls. The talk goes on.
func TestTransferFromATrunkIsRefused(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.flow(t, c.number, "ring", map[string]tenants.Element{"ring": ringing("at_once", 10, "two")})
	c.publish(t)
	two := c.talker(t, "two")
	carrier := talks(t, &sipptest.Phone{Edge: w.Edge, User: "+12025550188", Domain: w.Edge, Address: carrierAddress})
	talk := carrier.call(c.number)
	answered := two.answered()
	c.awaitTold(t, "talking")
	if code := talk.refer("103@" + c.domain); code != "403" {
		t.Error("REFER: " + code)
	}
	talk.bye()
	answered.ended()
	expected{Verdict: "The call was answered", Tells: []string{"caller_trunk", "talking", "caller_hung_up", "call_ended"},
		Legs: []leg{cleared("carrier"), cleared("two-phone")}}.check(t, w.story(t, talk.id, 2))
}

// TestHoldAndItsEndPass, and a talk on hold can be transferred.
func TestHoldAndItsEndPass(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "three")
	two := c.talker(t, "two")
	three := c.listen(t, "three", sipptest.Behaviour{HangUp: true})
	one := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
	talk := two.answered()
	c.awaitTold(t, "talking")
	talk.hold("sendonly")
	talk.hold("sendrecv")
	talk.hold("sendonly")
	talk.refer("103@" + c.domain)
	talk.told("SIP/2.0 200 OK")
	talk.ended()
	expected{Verdict: "The call was answered", Tells: []string{"talking", "transferred", "talking", "call_ended"},
		Legs: []leg{cleared("one-phone"), cleared("three-phone"), cleared("two-phone")}}.check(t, w.story(t, succeed(t, one, three), 3))
}
