package main

import (
	"strings"
	"testing"
	"time"

	"tandem/messages"
	"tandem/sipptest"
	"tandem/tenants"
)

// sets makes a user's settings what is given, and waits until the worker goes by them.
func (c *company) sets(t *testing.T, user string, set tenants.UserSettings) {
	t.Helper()
	set.User = user
	_, err := c.w.Provisioning.SetUserSettings(within(t), c.id, set, "test")
	must(t, err)
	c.w.awaitRevision(t)
}

// codes gives the company the usual feature codes.
func (c *company) codes(t *testing.T) {
	t.Helper()
	_, err := c.w.Provisioning.AddFeatureCodes(within(t), c.id)
	must(t, err)
	c.publish(t)
}

// keys lets a user's phone call a feature code, which must be set, and waits until the worker goes by it.
func (c *company) keys(t *testing.T, user, code string) {
	t.Helper()
	x := c.w.story(t, succeed(t, c.call(t, user, code, sipptest.Call{CalleeEnds: true})), 1)
	expected{Verdict: "The call was answered", Tells: []string{"setting_saved", "exit_taken", "call_ended"},
		Legs: []leg{{Far: user + "-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)
	c.w.awaitRevision(t)
}

func on(to string) tenants.Forward { return tenants.Forward{On: true, To: to} }

func talked(user string) leg {
	return leg{Far: user + "-phone", Cause: "NORMAL_CLEARING", Answered: true}
}

// Of two targets the second rings a second later, and takes the call.
func TestATargetRingsLater(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.flow(t, "200", "group", map[string]tenants.Element{"group": element("ring", map[string]any{
		"targets": []any{map[string]any{"user": "two"}, map[string]any{"user": "three", "delay": 1}}, "seconds": 10}, nil)})
	c.publish(t)
	c.register(t, "two", "three")
	first, second := c.listen(t, "two", sipptest.Behaviour{NeverAnswer: true}), c.listen(t, "three", sipptest.Behaviour{})
	expected{Verdict: "The call was answered", Tells: []string{"ringing", "ringing_later", "leg_rang", "leg_answered", "talking", "call_ended"},
		Legs: []leg{talked("one"), {Far: "two-phone", Cause: "LOSE_RACE"}, talked("three")}}.check(t, w.story(t, succeed(t, c.call(t, "one", "200", sipptest.Call{}), first, second), 3))
}

// A user's calls go to a mobile outside, whose owner must key 1: so a machine that answers there does not take them.
func TestAForwardedCallIsAccepted(t *testing.T) {
	t.Parallel()
	c := callingOut(t, nil)
	c.publish(t)
	c.sets(t, "two", tenants.UserSettings{ForwardAll: tenants.Forward{On: true, To: c.outside(), Confirm: true}})
	mobile := listen(t, c.first, sipptest.Behaviour{Digits: "1", Checks: []sipptest.Check{{Header: "Diversion", Pattern: "<sip:[+]" + c.number[1:] + "@.*;reason=unconditional;counter=1"}}})
	caller := c.call(t, "one", "102", sipptest.Call{Talk: time.Second})
	expected{Verdict: "The call was answered", Tells: []string{"forwards_all", "way_taken", "ringing", "leg_answered", "must_accept", "talking", "call_ended"},
		Legs: []leg{talked("one"), answeredBy(c.firstID)}}.check(t, c.w.story(t, succeed(t, caller, mobile), 2))
}

func TestAForwardedCallThatIsNotAcceptedIsNotTaken(t *testing.T) {
	t.Parallel()
	c := callingOut(t, nil)
	c.publish(t)
	c.sets(t, "two", tenants.UserSettings{ForwardAll: tenants.Forward{On: true, To: c.outside(), Confirm: true}})
	machine := listen(t, c.first, sipptest.Behaviour{Digits: "2", HangUp: true}) // and its wrong key does not help it
	caller := c.call(t, "one", "102", sipptest.Call{Expect: 480})
	expected{Verdict: "The call was answered and not accepted", Fault: messages.FaultCallee, Tells: []string{"forwards_all", "must_accept", "leg_ended", "not_accepted", "call_ended"},
		Legs: []leg{{Far: "one-phone", Cause: "NO_ANSWER", Code: 480, Fault: messages.FaultCallee}, answeredBy(c.firstID)}}.check(t, c.w.story(t, succeed(t, caller, machine), 2))
}

// A call that finds a user busy, or is not answered, goes on to a colleague.
func TestCallsAreForwardedWhenBusyAndUnanswered(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		set   tenants.UserSettings
		two   sipptest.Behaviour
		tells string
		leg   leg
	}{
		"busy": {tenants.UserSettings{ForwardBusy: on("103")}, sipptest.Behaviour{Code: 486, Phrase: "Busy Here"}, "forwards_busy",
			leg{Far: "two-phone", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultCallee}},
		"no answer": {tenants.UserSettings{ForwardNoAnswer: on("103"), NoAnswerSeconds: 1}, sipptest.Behaviour{NeverAnswer: true}, "forwards_no_answer",
			leg{Far: "two-phone", Cause: "ALLOTTED_TIMEOUT", Fault: messages.FaultCallee}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := sharedWorld(t)
			c := w.company(t)
			c.publish(t)
			c.register(t, "two", "three")
			c.sets(t, "two", row.set)
			two, three := c.listen(t, "two", row.two), c.listen(t, "three", sipptest.Behaviour{})
			expected{Verdict: "The call was answered", Tells: []string{"ringing", "leg_ended", row.tells, "ringing", "talking", "call_ended"},
				Legs: []leg{talked("one"), row.leg, talked("three")}}.check(t, w.story(t, succeed(t, c.call(t, "one", "102", sipptest.Call{}), two, three), 3))
		})
	}
}

// Two users who forward to each other: the call ends with a reason, and no phone rings.
func TestForwardingInACircleEnds(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "two", "three")
	c.sets(t, "two", tenants.UserSettings{ForwardAll: on("103")})
	c.sets(t, "three", tenants.UserSettings{ForwardAll: on("102")})
	two, three := c.listen(t, "two", sipptest.Behaviour{}), c.listen(t, "three", sipptest.Behaviour{})
	caller := c.call(t, "one", "102", sipptest.Call{Expect: 483})
	expected{Verdict: "it would run in a circle", Fault: messages.FaultTenant, Tells: []string{"forwards_all", "forwards_all", "forward_circle", "call_ended"},
		Legs: []leg{{Far: "one-phone", Cause: "EXCHANGE_ROUTING_ERROR", Code: 483, Fault: messages.FaultTenant}}}.check(t, w.story(t, succeed(t, caller), 1))
	silent(t, two)
	silent(t, three)
}

// A user switches do not disturb on and off at his phone.
func TestDoNotDisturbByFeatureCode(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.codes(t)
	c.register(t, "two")
	c.keys(t, "two", "*78")
	expected{Verdict: "User two is not to be disturbed", Fault: messages.FaultCallee, Tells: []string{"do_not_disturb", "call_ended"},
		Legs: []leg{{Far: "one-phone", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultCallee}}}.check(t, w.story(t, succeed(t, c.call(t, "one", "102", sipptest.Call{Expect: 486})), 1))
	c.keys(t, "two", "*79")
	two := c.listen(t, "two", sipptest.Behaviour{})
	expected{Verdict: "The call was answered", Tells: []string{"ringing", "talking"}, Legs: []leg{talked("one"), talked("two")}}.
		check(t, w.story(t, succeed(t, c.call(t, "one", "102", sipptest.Call{}), two), 2))
}

// A user forwards at his phone, and calls a number that he has kept.
func TestForwardingAndSpeedDialByFeatureCode(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.codes(t)
	c.register(t, "three")
	c.keys(t, "two", "*21103")
	c.keys(t, "one", "*755102")
	three := c.listen(t, "three", sipptest.Behaviour{})
	expected{Verdict: "The call was answered", Tells: []string{"prefix_found", "speed_dialled", "jumped", "forwards_all", "ringing", "talking", "call_ended"},
		Legs: []leg{talked("one"), talked("three")}}.check(t, w.story(t, succeed(t, c.call(t, "one", "*05", sipptest.Call{}), three), 2))
	c.keys(t, "two", "*22")
	expected{Verdict: "Phone two is not registered", Fault: messages.FaultCallee, Tells: []string{"speed_dialled", "device_not_registered"},
		Legs: []leg{{Far: "one-phone", Cause: "USER_NOT_REGISTERED", Code: 480, Fault: messages.FaultCallee}}}.check(t, w.story(t, succeed(t, c.call(t, "one", "*05", sipptest.Call{Expect: 480})), 1))
}

// Who hides his number is refused by a user who takes no such calls: 433, RFC 5079.
func TestAnonymousCallersAreRefused(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.sets(t, "two", tenants.UserSettings{RejectAnonymous: true})
	caller := c.call(t, "one", "102", sipptest.Call{Expect: 433, Headers: []string{"Privacy: id"}})
	expected{Verdict: "takes no calls from people who hide their number", Fault: messages.FaultCaller, Tells: []string{"anonymous_rejected", "call_ended"},
		Legs: []leg{{Far: "one-phone", Cause: "CALL_REJECTED", Code: 433, Fault: messages.FaultCaller}}}.check(t, w.story(t, succeed(t, caller), 1))
}

// Without call waiting, a user who talks is busy.
func TestWhoTalksIsBusyWithoutCallWaiting(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "two")
	c.sets(t, "two", tenants.UserSettings{NoCallWaiting: true})
	two := c.listen(t, "two", sipptest.Behaviour{})
	first := c.call(t, "one", "102", sipptest.Call{Talk: 4 * time.Second})
	c.awaitTold(t, "talking")
	expected{Verdict: "has call waiting switched off", Fault: messages.FaultCallee, Tells: []string{"call_waiting_off", "call_ended"},
		Legs: []leg{{Far: "three-phone", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultCallee}}}.check(t, w.story(t, succeed(t, c.call(t, "three", "102", sipptest.Call{Expect: 486})), 1))
	expected{Verdict: "The call was answered", Tells: []string{"talking"}, Legs: []leg{talked("one"), talked("two")}}.check(t, w.story(t, succeed(t, first, two), 2))
}

// A user logs in at another's phone with extension and PIN: it rings for her, and calls from it are hers. Then he logs out.
func TestAUserLogsInAtAnotherPhone(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	must(t, w.Provisioning.SetPIN(within(t), c.id, "three", "4711"))
	c.codes(t)
	c.register(t, "two")
	login := c.call(t, "two", "*70103", sipptest.Call{Digits: "4711#", DigitMode: sipptest.INFO, CalleeEnds: true})
	expected{Verdict: "The call was answered", Tells: []string{"hot_desk_pin", "hot_desk_checks", "hot_desk_in", "setting_saved", "call_ended"}, Legs: []leg{talked("two")}}.
		check(t, w.story(t, succeed(t, login), 1))
	c.w.awaitRevision(t)
	two := c.listen(t, "two", sipptest.Behaviour{})
	expected{Verdict: "The call was answered", Tells: []string{"flow_started", "device_not_registered", "ringing", "talking"}, Legs: []leg{talked("one"), talked("two")}}.
		check(t, w.story(t, succeed(t, c.call(t, "one", "103", sipptest.Call{}), two), 2))
	c.register(t, "one")
	one := c.listen(t, "one", sipptest.Behaviour{Checks: []sipptest.Check{{Header: "From", Pattern: "sip:103@"}}})
	succeed(t, c.call(t, "two", "101", sipptest.Call{}), one)
	c.keys(t, "two", "*71")
	expected{Verdict: "Phone three is not registered", Fault: messages.FaultCallee, Tells: []string{"device_not_registered"},
		Legs: []leg{{Far: "one-phone", Cause: "USER_NOT_REGISTERED", Code: 480, Fault: messages.FaultCallee}}}.check(t, w.story(t, succeed(t, c.call(t, "one", "103", sipptest.Call{Expect: 480})), 1))
}

// A wrong PIN lets nobody in.
func TestAWrongPINLetsNobodyIn(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	must(t, w.Provisioning.SetPIN(within(t), c.id, "three", "4711"))
	c.flow(t, "370", "login", map[string]tenants.Element{"login": element("hot_desk", map[string]any{"extension": "103", "attempts": 1}, map[string]string{"next": "end", "failed": "end"}),
		"end": element("hangup", map[string]any{"cause": "NORMAL_CLEARING"}, nil)})
	c.publish(t)
	login := c.call(t, "two", "370", sipptest.Call{Digits: "4712#", DigitMode: sipptest.INFO, CalleeEnds: true})
	x := w.story(t, succeed(t, login), 1)
	expected{Verdict: "The call was answered", Tells: []string{"hot_desk_pin", "hot_desk_wrong", "exit_taken", "call_ended"}, Legs: []leg{talked("two")}}.check(t, x)
	if strings.Contains(x.Text(), "4712") {
		t.Error("the PIN is in the explanation")
	}
}

var answersByItself = []sipptest.Check{{Header: "Call-Info", Pattern: "answer-after=0"}, {Header: "Alert-Info", Pattern: "info=alert-autoanswer"}}

// A caller speaks to two phones that answer by themselves, and lets them go by hanging up.
func TestAPageReachesManyPhones(t *testing.T) {
	t.Parallel()
	pages(t, sharedWorld(t))
}

func pages(t *testing.T, w *world) {
	t.Helper()
	c := w.company(t)
	c.flow(t, "500", "page", map[string]tenants.Element{"page": element("page", map[string]any{"users": []string{"one", "two", "three"}}, nil)})
	c.publish(t)
	c.register(t, "two", "three")
	two, three := c.listen(t, "two", sipptest.Behaviour{Checks: answersByItself}), c.listen(t, "three", sipptest.Behaviour{Checks: answersByItself})
	caller := c.call(t, "one", "500", sipptest.Call{Talk: 2 * time.Second})
	expected{Verdict: "The call was answered", Tells: []string{"answering", "paging", "leg_answered", "leg_answered", "caller_hung_up", "call_ended"},
		Legs: []leg{talked("one"), talked("two"), talked("three")}}.check(t, w.story(t, succeed(t, caller, two, three), 3))
}

// An intercom reaches one, who can speak too; one who is in a call is left alone.
func TestAnIntercomReachesOnePhone(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.codes(t)
	c.register(t, "two")
	two := c.listen(t, "two", sipptest.Behaviour{Checks: answersByItself})
	first := c.call(t, "one", "*80102", sipptest.Call{Talk: 4 * time.Second})
	c.awaitTold(t, "talking")
	expected{Verdict: "is left out: it is in a call", Fault: messages.FaultCallee, Tells: []string{"skipped_busy", "call_ended"},
		Legs: []leg{{Far: "three-phone", Cause: "USER_NOT_REGISTERED", Code: 480, Fault: messages.FaultCallee}}}.check(t, w.story(t, succeed(t, c.call(t, "three", "*80102", sipptest.Call{Expect: 480})), 1))
	expected{Verdict: "The call was answered", Tells: []string{"prefix_found", "ringing", "leg_answered", "talking", "call_ended"}, Legs: []leg{talked("one"), talked("two")}}.
		check(t, w.story(t, succeed(t, first, two), 2))
}

// Who answers in a group must key 1: the first to answer does not, and is left; the second does.
func TestWhoKeysGetsTheCall(t *testing.T) {
	t.Parallel()
	accepts(t, sharedWorld(t))
}

func accepts(t *testing.T, w *world) {
	t.Helper()
	c := w.company(t)
	c.flow(t, "200", "group", map[string]tenants.Element{"group": element("ring", map[string]any{
		"targets": []any{map[string]any{"user": "two", "confirm": true}, map[string]any{"user": "three", "confirm": true}}, "seconds": 10}, nil)})
	c.publish(t)
	c.register(t, "two", "three")
	machine := c.listen(t, "two", sipptest.Behaviour{})
	person := c.listen(t, "three", sipptest.Behaviour{After: 500 * time.Millisecond, Digits: "1"})
	caller := c.call(t, "one", "200", sipptest.Call{Talk: time.Second})
	expected{Verdict: "The call was answered", Tells: []string{"leg_answered", "must_accept", "leg_answered", "must_accept", "talking", "call_ended"},
		Legs: []leg{talked("one"), {Far: "two-phone", Cause: "LOSE_RACE", Answered: true}, talked("three")}}.check(t, w.story(t, succeed(t, caller, machine, person), 3))
}
