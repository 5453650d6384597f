package conformance

import (
	"strings"
	"testing"

	"tandem/esl"
)

func pageClaims() []Claim {
	return []Claim{
		{"who is paged is dialled, listens, and is let go with the caller", pageHeard},
		{"a page goes on without one who declines or hangs up", pageWithout},
	}
}

// paged dials a phone into an announcement, as an intercom that answers by itself.
func (e *engine) paged(a, name string, p *Phone, user string) (b string, callee *Dialog) {
	e.t.Helper()
	b = fresh(a)
	dial := quiet(legTo(e.target, p, user, esl.Var{Name: "origination_uuid", Value: b}, esl.Var{Name: "originate_timeout", Value: "10"},
		esl.Var{Name: "sip_h_Call-Info", Value: "<sip:page.invalid>;answer-after=0"}))
	reply := e.send(esl.Detached(esl.OriginateIntoPage(dial, name)))
	if reply.Err() != nil {
		e.t.Fatal(reply.Err())
	}
	callee = p.Await()
	if h := callee.invite.GetHeader("Call-Info"); h == nil || h.Value() != "<sip:page.invalid>;answer-after=0" {
		e.t.Errorf("Call-Info: %v", h)
	}
	return b, callee
}

func pageHeard(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	a, caller := e.answered(p)
	name := "page-" + a
	e.send(esl.Page(a, a+"/page", name))
	e.await("the caller's conference", func(ev *esl.Event) bool { return label(ev) == "CHANNEL_EXECUTE conference" && ev.Get("Unique-ID") == a })
	one, bob := e.paged(a, name, q, "bob")
	two, carol := e.paged(a, name, r, "carol")
	bob.Respond(200, "OK", true)
	carol.Respond(200, "OK", true)
	e.event(one, "CHANNEL_ANSWER")
	e.event(two, "CHANNEL_ANSWER")
	e.inOrder(one, "CHANNEL_CREATE", "CHANNEL_ANSWER")
	if !target.StandIn {
		raw := openRaw(t, target)
		e.until("two who listen and one who speaks", func() bool {
			list := raw.command("api conference " + name + " list")
			return strings.Count(list, "hear|speak") == 1 && strings.Count(list, ";hear") == 3
		})
	}
	receive(t, bob.Acks, target.Patience, "the ACK") // or the BYE may overtake it on its way
	receive(t, carol.Acks, target.Patience, "the ACK")
	caller.Bye()
	receive(t, bob.Byes, target.Patience, "a BYE")
	receive(t, carol.Byes, target.Patience, "a BYE")
	equal(t, "cause", e.event(one, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "NORMAL_CLEARING")
}

func pageWithout(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	a, caller := e.answered(p)
	name := "page-" + a
	e.send(esl.Page(a, a+"/page", name))
	one, bob := e.paged(a, name, q, "bob")
	two, carol := e.paged(a, name, r, "carol")
	bob.Respond(486, "Busy Here", false)
	equal(t, "cause", e.event(one, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "USER_BUSY")
	carol.Respond(200, "OK", true)
	e.event(two, "CHANNEL_ANSWER")
	receive(t, carol.Acks, target.Patience, "the ACK")
	carol.Bye()
	e.event(two, "CHANNEL_HANGUP_COMPLETE")
	e.absent(a, "CHANNEL_HANGUP")
	caller.Bye()
	e.event(a, "CHANNEL_HANGUP_COMPLETE")
}
