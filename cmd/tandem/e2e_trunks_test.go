package main

import (
	"crypto/md5" //nolint:gosec // digest authentication is made of it
	"fmt"
	"maps"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem/messages"
	"tandem/sipptest"
	"tandem/stack"
	"tandem/tenants"
)

// The carriers that are called, and what is dialled: a number of Germany, whose rules the companies of these tests dial by.
const (
	firstCarrier  = "127.0.0.5"
	secondCarrier = "127.0.0.6"
)

// callsOut is a company that may call out by two carriers, which serve the numbers of one prefix for this test alone.
type callsOut struct {
	*company
	prefix        string // "+4930..."
	first, second *sipptest.Phone
	firstID       string
	secondID      string
}

// callingOut makes it. Changes are to the two trunks before they are saved.
func callingOut(t *testing.T, change func(first, second *tenants.Outgoing)) *callsOut {
	t.Helper()
	w := sharedWorld(t)
	c := &callsOut{company: w.company(t)}
	n := strings.TrimPrefix(c.id, "company")
	c.prefix = fmt.Sprintf("+4930%04s", n)
	c.firstID, c.secondID = "first"+n, "second"+n
	first, second := &tenants.Outgoing{}, &tenants.Outgoing{}
	c.first, c.second = carrierLine(t, w, firstCarrier, first), carrierLine(t, w, secondCarrier, second)
	if change != nil {
		change(first, second)
	}
	ctx, p := within(t), w.Provisioning
	must(t, p.AddTrunk(ctx, tenants.Trunk{ID: c.firstID, Name: "First carrier", Outgoing: first}))
	must(t, p.AddTrunk(ctx, tenants.Trunk{ID: c.secondID, Name: "Second carrier", Outgoing: second}))
	must(t, p.SetOutboundRoutes(ctx, c.prefix, []string{c.firstID, c.secondID}))
	must(t, p.SetDialling(ctx, c.id, c.company.number, tenants.Dialling{Country: "DE"}))
	must(t, p.SetCallingOut(ctx, c.id, tenants.CallingOut{Allowed: true, BlockedPrefixes: []string{c.prefix + "666"}}))
	return c
}

// carrierLine is a carrier's phone, and the destination that leads to it.
func carrierLine(t *testing.T, w *world, address string, o *tenants.Outgoing) *sipptest.Phone {
	t.Helper()
	port, err := stack.FreeUDPPort()
	must(t, err)
	o.Destinations = []string{"sip:" + net.JoinHostPort(address, strconv.Itoa(port))}
	return &sipptest.Phone{Edge: w.Edge, User: "carrier", Address: address, Port: port}
}

// outside is a number of the prefix, as the company's people dial it.
func (c *callsOut) outside() string { return "0" + strings.TrimPrefix(c.prefix, "+49") + "11" }

// notOurs sees to it that a carrier gets nothing that is between edges and nodes.
func notOurs(t *testing.T, carrier *sipptest.Running) {
	t.Helper()
	if strings.Contains(strings.ToLower(carrier.Messages()), "x-tandem") {
		t.Errorf("the carrier gets headers of ours:\n%s", carrier.Messages())
	}
}

func answeredBy(trunk string) leg {
	return leg{Far: trunk, Cause: "NORMAL_CLEARING", Answered: true}
}

// TestCallGoesOnToTheNextCarrier: what is the first carrier's own trouble does not end a call.
func TestCallGoesOnToTheNextCarrier(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		first *sipptest.Behaviour // nil: nobody is there
		leg   leg
		word  string
	}{
		"out of service":     {&sipptest.Behaviour{Silent: true, Code: 503, Phrase: "Service Unavailable"}, leg{Cause: "NORMAL_TEMPORARY_FAILURE", Code: 503, Fault: messages.FaultCarrier}, "503"},
		"it has timed out":   {&sipptest.Behaviour{Silent: true, Code: 408, Phrase: "Request Timeout"}, leg{Cause: "RECOVERY_ON_TIMER_EXPIRE", Code: 408, Fault: messages.FaultCarrier}, "408"},
		"nobody answers":     {nil, leg{Cause: "PROGRESS_TIMEOUT", Fault: messages.FaultCarrier}, "timeout"},
		"out after it rang":  {&sipptest.Behaviour{Code: 500, Phrase: "Server Internal Error"}, leg{Cause: "NORMAL_TEMPORARY_FAILURE", Code: 500, Fault: messages.FaultCarrier}, "500"},
		"out after it spoke": {&sipptest.Behaviour{Early: true, Code: 502, Phrase: "Bad Gateway"}, leg{Cause: "NETWORK_OUT_OF_ORDER", Code: 502, Fault: messages.FaultCarrier}, "502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := callingOut(t, func(first, second *tenants.Outgoing) {
				first.Seconds, first.Numbers = 1, tenants.NumberFormat{Form: tenants.FormDigits, Add: "99"}
				second.Numbers = tenants.NumberFormat{Form: tenants.FormNational, Country: "DE"}
				second.CallerID.Carried = tenants.CarriedPAI
			})
			c.publish(t)
			phones := []*sipptest.Running{}
			if row.first != nil {
				row.first.Checks = []sipptest.Check{{Header: "To", Pattern: "sip:99" + c.prefix[1:] + "11@"}, {Header: "From", Pattern: "sip:" + c.number[1:] + "@" + firstCarrier}}
				phones = append(phones, listen(t, c.first, *row.first))
			}
			phones = append(phones, listen(t, c.second, sipptest.Behaviour{Checks: []sipptest.Check{
				{Header: "To", Pattern: "sip:" + c.outside() + "@"}, {Header: "From", Pattern: "sip:00" + c.number[1:] + "@" + secondCarrier},
				{Header: "P-Asserted-Identity", Pattern: "<sip:00" + c.number[1:] + "@" + secondCarrier + ">"}}}))
			caller := c.call(t, "one", c.outside(), sipptest.Call{})
			x := c.w.story(t, succeed(t, append([]*sipptest.Running{caller}, phones...)...), 3)
			row.leg.Far = c.firstID
			expected{Verdict: "The call was answered", Tells: []string{"caller_device", "calls_out", "nodes_chosen", "flow_started", "way_taken", "ringing", "leg_ended",
				"way_failed", "way_taken", "leg_answered", "talking", "call_ended"},
				Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, row.leg, answeredBy(c.secondID)}}.check(t, x)
			if text := x.Text(); !strings.Contains(text, "First carrier did not take the call ("+row.word+", ") {
				t.Errorf("it is not told of %s:\n%s", row.word, text)
			}
			for _, p := range phones {
				notOurs(t, p)
			}
		})
	}
}

// TestCallEndsAtTheFirstCarrier: a busy, wrong or silent number is so by any way.
func TestCallEndsAtTheFirstCarrier(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		first   sipptest.Behaviour
		code    int
		q850    string
		cause   string
		fault   messages.Fault
		leg     leg
		tells   string
		verdict string
	}{
		"busy": {sipptest.Behaviour{Code: 486, Phrase: "Busy Here"}, 486, "17", "USER_BUSY", messages.FaultCallee,
			leg{Cause: "USER_BUSY", Code: 486, Fault: messages.FaultCallee}, "number_busy", "is busy (486)"},
		"declined": {sipptest.Behaviour{Code: 603, Phrase: "Decline"}, 603, "21", "CALL_REJECTED", messages.FaultCallee,
			leg{Cause: "CALL_REJECTED", Code: 603, Fault: messages.FaultCallee}, "number_declined", "declined the call (603)"},
		"a wrong number": {sipptest.Behaviour{Silent: true, Code: 404, Phrase: "Not Found"}, 404, "1", "UNALLOCATED_NUMBER", messages.FaultCaller,
			leg{Cause: "UNALLOCATED_NUMBER", Code: 404, Fault: messages.FaultCaller}, "number_wrong", "First carrier knows no number"},
		"an incomplete number": {sipptest.Behaviour{Silent: true, Code: 484, Phrase: "Address Incomplete"}, 484, "28", "INVALID_NUMBER_FORMAT", messages.FaultCaller,
			leg{Cause: "INVALID_NUMBER_FORMAT", Code: 484, Fault: messages.FaultCaller}, "number_wrong", "First carrier knows no number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := callingOut(t, nil)
			c.publish(t)
			first, second := listen(t, c.first, row.first), listen(t, c.second, sipptest.Behaviour{})
			caller := c.call(t, "one", c.outside(), sipptest.Call{Expect: row.code, Checks: []sipptest.Check{{Header: "Reason", Pattern: "Q.850;cause=" + row.q850}}})
			x := c.w.story(t, succeed(t, caller, first), 2)
			silent(t, second)
			row.leg.Far = c.firstID
			expected{Verdict: row.verdict, Fault: row.fault, Tells: []string{"way_taken", "leg_ended", row.tells, "call_ended"},
				Legs: []leg{{Far: "one-phone", Cause: row.cause, Code: row.code, Fault: row.fault}, row.leg}}.check(t, x)
		})
	}
}

// A number that rings and is not answered was reached: the next carrier would only make it ring again.
func TestNumberThatRingsOutIsNotCalledAgain(t *testing.T) {
	t.Parallel()
	c := callingOut(t, nil)
	c.flow(t, "700", "out", map[string]tenants.Element{
		"out":     element("number", map[string]any{"number": c.outside(), "seconds": 1}, map[string]string{"no_answer": "instead"}),
		"instead": ringing("at_once", 5, "two"),
	})
	c.publish(t)
	c.register(t, "two")
	first, second := listen(t, c.first, sipptest.Behaviour{NeverAnswer: true}), listen(t, c.second, sipptest.Behaviour{})
	two := c.listen(t, "two", sipptest.Behaviour{})
	x := c.w.story(t, succeed(t, c.call(t, "one", "700", sipptest.Call{}), first, two), 3)
	silent(t, second)
	expected{Verdict: "The call was answered", Tells: []string{"way_taken", "leg_rang", "leg_ended", "number_no_answer", "exit_taken", "ringing", "talking"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: c.firstID, Cause: "ALLOTTED_TIMEOUT", Fault: messages.FaultCallee}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}},
	}.check(t, x)
}

// The last carrier's announcement is heard; that it then refuses is told as what it is, and one that answers is talked to.
func TestLastCarrierMaySpeakBeforeItAnswers(t *testing.T) {
	t.Parallel()
	t.Run("and refuses", func(t *testing.T) {
		t.Parallel()
		c := callingOut(t, nil)
		must(t, c.w.Provisioning.SetOutboundRoutes(within(t), c.prefix, []string{c.firstID}))
		c.publish(t)
		first := listen(t, c.first, sipptest.Behaviour{Early: true, After: 300 * time.Millisecond, Code: 404, Phrase: "Not Found"})
		caller := c.call(t, "one", c.outside(), sipptest.Call{Expect: 404})
		x := c.w.story(t, succeed(t, caller, first), 2)
		if !strings.Contains(caller.Messages(), "SIP/2.0 183") {
			t.Error("the caller does not hear the announcement")
		}
		expected{Verdict: "First carrier knows no number", Fault: messages.FaultCaller, Tells: []string{"way_taken", "early_media", "leg_ended", "number_wrong"}, Legs: []leg{
			{Far: "one-phone", Cause: "UNALLOCATED_NUMBER", Code: 404, Fault: messages.FaultCaller}, {Far: c.firstID, Cause: "UNALLOCATED_NUMBER", Code: 404, Fault: messages.FaultCaller}}}.check(t, x)
	})
	t.Run("and answers", func(t *testing.T) {
		t.Parallel()
		c := callingOut(t, nil)
		must(t, c.w.Provisioning.SetOutboundRoutes(within(t), c.prefix, []string{c.firstID}))
		c.publish(t)
		first := listen(t, c.first, sipptest.Behaviour{Early: true, After: 300 * time.Millisecond})
		x := c.w.story(t, succeed(t, c.call(t, "one", c.outside(), sipptest.Call{}), first), 2)
		expected{Verdict: "The call was answered", Tells: []string{"way_taken", "early_media", "leg_answered", "talking", "caller_hung_up", "call_ended"},
			Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, answeredBy(c.firstID)}}.check(t, x)
	})
}

// TestWhatMayNotBeCalled is refused before any node or carrier hears of it.
func TestWhatMayNotBeCalled(t *testing.T) {
	t.Parallel()
	c := callingOut(t, nil)
	poor := sharedWorld(t).company(t) // may not call out at all
	must(t, c.w.Provisioning.SetDialling(within(t), poor.id, "", tenants.Dialling{Country: "DE"}))
	c.publish(t)
	poor.publish(t)
	for name, row := range map[string]struct {
		by      *company
		number  string
		code    int
		q850    string
		cause   string
		fault   messages.Fault
		verdict string
		tells   string
	}{
		"a blocked prefix":          {c.company, strings.TrimSuffix(c.outside(), "11") + "66612", 403, "21", "CALL_REJECTED", messages.FaultTenant, c.name + " may not call " + c.prefix + "66612: numbers that begin with " + c.prefix + "666 are blocked.", "prefix_blocked"},
		"a number without a trunk":  {c.company, "00883510000000", 404, "3", "NO_ROUTE_DESTINATION", messages.FaultPlatform, "There is no trunk by which +883510000000 could be called.", "no_trunk"},
		"a tenant that may not":     {poor, c.outside(), 403, "21", "CALL_REJECTED", messages.FaultTenant, poor.name + " may not call numbers outside", "may_not_call_out"},
		"a number that is too long": {c.company, "0" + strings.Repeat("1", 20), 404, "1", "UNALLOCATED_NUMBER", messages.FaultCaller, "it is no number outside", "number_unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			caller := row.by.call(t, "one", row.number, sipptest.Call{Expect: row.code, Checks: reason(row.q850)})
			expected{Verdict: row.verdict, Fault: row.fault, Tells: []string{"caller_device", row.tells},
				Legs: []leg{{Far: "one-phone", Cause: row.cause, Code: row.code, Fault: row.fault}}}.check(t, c.w.story(t, succeed(t, caller), 1))
		})
	}
	poor.emergency(t)
}

// TestLimitsOfCallingOut: a trunk that is full is passed over, a tenant that has its calls out is busy.
func TestLimitsOfCallingOut(t *testing.T) {
	t.Parallel()
	c := callingOut(t, func(first, _ *tenants.Outgoing) { first.MaxCalls = 1 })
	must(t, c.w.Provisioning.SetCallingOut(within(t), c.id, tenants.CallingOut{Allowed: true, MaxCalls: 2}))
	c.publish(t)
	first, second := listen(t, c.first, sipptest.Behaviour{}), listen(t, c.second, sipptest.Behaviour{})
	one := c.call(t, "one", c.outside(), sipptest.Call{Talk: 4 * time.Second})
	c.awaitTold(t, "talking")
	two := c.call(t, "two", c.outside(), sipptest.Call{Talk: 4 * time.Second})
	c.awaitTold(t, "trunk_full")
	three := c.call(t, "three", c.outside(), sipptest.Call{Expect: 486, Checks: []sipptest.Check{{Header: "Reason", Pattern: "Q.850;cause=17"}}})
	expected{Verdict: c.name + " has 2 calls out, and its limit is 2.", Fault: messages.FaultTenant, Tells: []string{"ways_found", "tenant_calls_out_full", "call_ended"},
		Legs: []leg{{Far: "three-phone", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultTenant}}}.check(t, c.w.story(t, succeed(t, three), 1))
	expected{Verdict: "The call was answered", Tells: []string{"way_taken", "talking"},
		Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, answeredBy(c.firstID)}}.check(t, c.w.story(t, succeed(t, one, first), 2))
	expected{Verdict: "The call was answered", Tells: []string{"trunk_full", "way_taken", "talking"},
		Legs: []leg{{Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}, answeredBy(c.secondID)}}.check(t, c.w.story(t, succeed(t, two, second), 2))
	// They are over: there is room again.
	first = listen(t, c.first, sipptest.Behaviour{})
	expected{Verdict: "The call was answered", Tells: []string{"way_taken", "talking"},
		Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, answeredBy(c.firstID)}}.check(t, c.w.story(t, succeed(t, c.call(t, "one", c.outside(), sipptest.Call{}), first), 2))
}

// A call from outside that a tenant passes on: shown as the trunk lets it be, with who diverted it; a caller who is withheld is
// known to the carrier alone.
func TestWhoIsShownToACarrier(t *testing.T) {
	t.Parallel()
	t.Run("a call that is passed on", func(t *testing.T) {
		t.Parallel()
		c := callingOut(t, func(first, _ *tenants.Outgoing) {
			first.CallerID, first.Domain = tenants.CallerIDRule{Show: tenants.CallerAny, Carried: tenants.CarriedPAI}, "us.example"
		})
		c.flow(t, c.number, "out", map[string]tenants.Element{"out": element("number", map[string]any{"number": c.outside()}, nil)})
		c.publish(t)
		first := listen(t, c.first, sipptest.Behaviour{Checks: []sipptest.Check{{Header: "From", Pattern: `sip:\+12025550177@us.example`},
			{Header: "P-Asserted-Identity", Pattern: `sip:\+12025550177@us.example`}, {Header: "Diversion", Pattern: `<sip:\` + c.number + `@us.example>;reason=unconditional;counter=1`}}})
		x := c.w.story(t, succeed(t, c.w.incoming(t, "+12025550177", c.number, sipptest.Call{}), first), 2)
		expected{Verdict: "The call was answered", Tells: []string{"caller_trunk", "route_found", "way_taken", "talking"},
			Legs: []leg{{Far: "carrier", Cause: "NORMAL_CLEARING", Answered: true}, answeredBy(c.firstID)}}.check(t, x)
		notOurs(t, first)
	})
	t.Run("a caller who is withheld", func(t *testing.T) {
		t.Parallel()
		c := callingOut(t, func(first, _ *tenants.Outgoing) { first.CallerID.Carried = tenants.CarriedPAI })
		c.publish(t)
		first := listen(t, c.first, sipptest.Behaviour{Checks: []sipptest.Check{{Header: "From", Pattern: `sip:anonymous@anonymous.invalid`}, {Header: "Privacy", Pattern: "id"},
			{Header: "P-Asserted-Identity", Pattern: `sip:\` + c.number + "@" + firstCarrier}}})
		x := c.w.story(t, succeed(t, c.call(t, "one", c.outside(), sipptest.Call{Headers: []string{"Privacy: id"}}), first), 2)
		expected{Verdict: "The call was answered", Tells: []string{"way_taken", "talking"},
			Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, answeredBy(c.firstID)}}.check(t, x)
		for line := range strings.Lines(first.Messages()) {
			if strings.Contains(line, "User one") || strings.Contains(line, c.number[1:]) && !strings.HasPrefix(line, "P-Asserted-Identity") {
				t.Errorf("the carrier is told more than it may pass on: %s", line)
			}
		}
	})
}

// digestOf reads what an Authorization header answers a challenge without qop with (RFC 2617 3.2.2).
var digestOf = regexp.MustCompile(`(?i)Proxy-Authorization: *Digest .*username="([^"]*)", *realm="([^"]*)", *nonce="([^"]*)", *uri="([^"]*)",.*response="([0-9a-f]{32})"`)

// A carrier that challenges is answered by the edge; its password is in nothing that workers and nodes keep or write.
func TestCarrierThatChallengesIsAnswered(t *testing.T) {
	t.Parallel()
	const secret = "open-sesame-3141592653"
	t.Run("with the trunk's login", func(t *testing.T) {
		t.Parallel()
		c := callingOut(t, nil)
		must(t, c.w.Provisioning.SetTrunkLogin(within(t), c.firstID, "account", secret))
		c.publish(t)
		first := listen(t, c.first, sipptest.Behaviour{Challenge: "carrier.example"})
		x := c.w.story(t, succeed(t, c.call(t, "one", c.outside(), sipptest.Call{}), first), 2)
		expected{Verdict: "The call was answered", Tells: []string{"way_taken", "talking", "call_ended"},
			Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, answeredBy(c.firstID)}}.check(t, x)
		d := digestOf.FindStringSubmatch(first.Messages())
		hash := func(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }
		if d == nil || d[1] != "account" || d[5] != hash(hash("account:carrier.example:"+secret)+":"+d[3]+":"+hash("INVITE:"+d[4])) {
			t.Errorf("the challenge is answered with %q", d)
		}
		for _, p := range append([]*stack.Process{c.w.worker, c.w.edge}, slices.Collect(maps.Values(c.w.nodes))...) {
			text, err := os.ReadFile(p.Log())
			must(t, err)
			if strings.Contains(string(text), secret) {
				t.Errorf("the log of %s has the password", p.Name())
			}
		}
		if strings.Contains(x.Text(), secret) {
			t.Error("the explanation has the password")
		}
	})
	t.Run("without one it is the carrier's refusal", func(t *testing.T) {
		t.Parallel()
		c := callingOut(t, func(first, _ *tenants.Outgoing) { first.Failover = []string{"407"} })
		c.publish(t)
		second := listen(t, c.second, sipptest.Behaviour{})
		first := listen(t, c.first, sipptest.Behaviour{Silent: true, Code: 407, Phrase: "Proxy Authentication Required", Headers: []string{`Proxy-Authenticate: Digest realm="x", nonce="y"`}})
		x := c.w.story(t, succeed(t, c.call(t, "one", c.outside(), sipptest.Call{}), first, second), 3)
		expected{Verdict: "The call was answered", Tells: []string{"way_taken", "way_failed", "way_taken", "talking"},
			Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: c.firstID, Cause: "CALL_REJECTED", Code: 407, Fault: messages.FaultCarrier}, answeredBy(c.secondID)}}.check(t, x)
	})
}
