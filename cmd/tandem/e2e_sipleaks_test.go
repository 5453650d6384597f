package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"tandem/provisioning"
	"tandem/sipptest"
)

// attempt is one way in which a tenant tries to get at another's phones, calls, messages or settings. It fails where it is not refused
// as docs/isolation.md says.
type attempt struct {
	name  string
	knows bool // it names what the victim's calls are called, so that it is told it back
	try   func(*testing.T, *hostile)
}

// dialling is an attempt by a call of its phone "one".
func dialling(name, number string, code int, tells string) attempt {
	return attempt{name: name, try: func(t *testing.T, h *hostile) {
		h.dials(t, h.users["one"], number, sipptest.Call{Expect: code}, tells)
	}}
}

// targeting is the same with the victim's address in the request.
func targeting(name, user string) attempt {
	return attempt{name: name, try: func(t *testing.T, h *hostile) {
		h.dials(t, h.users["one"], user, sipptest.Call{Expect: 404, Target: "sip:" + user + "@" + h.v.domain}, "number_unknown")
	}}
}

// keying is an attempt by a feature code that is answered, and refused by what is heard then.
func keying(name, code, digits, tells string) attempt {
	return attempt{name: name, try: func(t *testing.T, h *hostile) {
		h.dials(t, h.users["three"], code, sipptest.Call{Digits: digits, DigitMode: sipptest.INFO, Talk: time.Second, CalleeEnds: digits == ""}, tells)
	}}
}

// invitesInPlaceOf is an attempt by an INVITE that takes the place of one of the victim's phones.
func invitesInPlaceOf(name string, of func(*victim) *talk, further string) attempt {
	return attempt{name: name, knows: true, try: func(t *testing.T, h *hostile) {
		h.dials(t, h.users["three"], "102", sipptest.Call{Expect: 481, Headers: []string{of(h.v).replacesHeader() + further}}, "replaces_nothing")
	}}
}

// transferring is an attempt to pass one's own caller on to where one has no right to.
func transferring(name string, to func(*hostile) string) attempt {
	return attempt{name: name, try: func(t *testing.T, h *hostile) {
		one, two := h.talking(t)
		if code := two.refer(to(h)); code != "202" {
			t.Errorf("REFER: %s", code)
		}
		two.ended()
		two.of.answered().bye() // who has transferred is rung back
		h.ends(t, succeed(t, one), 3, "transfer_number_unknown")
		h.saw.WriteString(strings.Join(two.of.all(), "\n"))
	}}
}

// joiningTo is an attempt to let one's own caller talk to the victim.
func joiningTo(name string, of func(*victim) *talk, code string) attempt {
	return attempt{name: name, knows: true, try: func(t *testing.T, h *hostile) {
		one, two := h.talking(t)
		if got := two.refer(of(h.v).replacing("103")); got != code {
			t.Errorf("REFER: %s, want %s", got, code)
		}
		two.bye() // it goes on where it was
		h.ends(t, succeed(t, one), 2, "transfer_not_own")
	}}
}

// offDialog is an attempt by a request that is not offered outside of a dialog.
func offDialog(method, headers string) attempt {
	return attempt{name: method + " to a user " + strings.TrimSpace(strings.ReplaceAll(headers, "\r\n", " ")), try: func(t *testing.T, h *hostile) {
		for _, uri := range []string{"sip:three@" + h.v.domain, "sip:103@" + h.v.domain, "sip:three@" + h.v.three.address()} {
			if code := h.asks(t, h.users["one"], method, uri, headers, nil); code != "405" {
				t.Errorf("%s: %s", uri, code)
			}
		}
	}}
}

// forging is an attempt by a request that claims to be within a dialog with the victim's phone.
func forging(method, name, code string, dialog func(*hostile, *talk)) attempt {
	return attempt{name: method + " " + name, knows: true, try: func(t *testing.T, h *hostile) {
		got := h.asks(t, h.users["one"], method, "sip:two@"+h.v.two.address(), "", func(d *talk) { dialog(h, d) })
		if got != code {
			t.Errorf("%s: %s, want %s", method, got, code)
		}
	}}
}

// registering is an attempt by a registration.
func registering(name string, phone func(*hostile) *sipptest.Phone, r sipptest.Registration) attempt {
	return attempt{name: name, try: func(t *testing.T, h *hostile) {
		seen, err := phone(h).RegisterSeen(within(t), r)
		must(t, err)
		h.saw.WriteString(seen.Messages())
	}}
}

// luring is an attempt to have a call to one's own phone sent to the victim's: the contact names the victim's phone.
func luring(name string, contact func(address string) string) attempt {
	return attempt{name: name, try: func(t *testing.T, h *hostile) {
		h.leaves(t, "three")
		must(t, h.users["three"].Register(within(t), sipptest.Registration{Contact: contact(h.v.three.address())}))
		awaitThat(t, "the contact is not known", func(ctx context.Context) (bool, error) {
			contacts, err := h.w.registered(ctx, "three", h.domain)
			return len(contacts) == 1 && strings.Contains(contacts[0], h.v.three.address()), err
		})
		callee := h.listen(t, "three", sipptest.Behaviour{})
		h.ends(t, succeed(t, h.call(t, "one", "103", sipptest.Call{}), callee), 2, "talking") // it comes to where the registration came from
		h.leaves(t, "three")
		h.register(t, "three")
	}}
}

// leaves takes all registrations of a user's away.
func (c *company) leaves(t *testing.T, user string) {
	t.Helper()
	must(t, c.users[user].Register(within(t), sipptest.Registration{Remove: true, Everything: true}))
	awaitThat(t, "the contact stays", func(ctx context.Context) (bool, error) {
		contacts, err := c.w.registered(ctx, user, c.domain)
		return len(contacts) == 0, err
	})
}

// The victim's dialogs.
func itsTalk(v *victim) *talk { return v.talk }
func itsRing(v *victim) *talk { return v.rung }

// replacesHeader names a talk in an INVITE (RFC 3891 3).
func (d *talk) replacesHeader() string {
	tag := func(party string) string { _, t, _ := strings.Cut(party, ";tag="); return t }
	return "Replaces: " + d.id + ";to-tag=" + tag(d.remote) + ";from-tag=" + tag(d.local)
}

// guessed is a phone of the victim's name with a password of the hostile tenant's own.
func guessed(user string) func(*hostile) *sipptest.Phone {
	return func(h *hostile) *sipptest.Phone {
		p := *h.users[user]
		p.Domain, p.Port = h.v.domain, 0
		return &p
	}
}

func attempts() []attempt {
	var all []attempt
	for _, some := range [][]attempt{dialAttempts(), meetAttempts(), transferAttempts(), settingAttempts(), claimAttempts(), dialogAttempts()} {
		all = append(all, some...)
	}
	return all
}

// dialAttempts call what is the victim's.
func dialAttempts() []attempt {
	return []attempt{
		dialling("an extension", "555", 404, "number_unknown"),
		dialling("a user's id", "hidden", 404, "number_unknown"),
		dialling("a device's id", "hidden-phone", 404, "number_unknown"),
		dialling("a flow", "210", 404, "number_unknown"),
		targeting("an extension at the victim's domain", "555"),
		targeting("a user at the victim's domain", "hidden"),
		targeting("a flow at the victim's domain", "210"),
		{name: "a phone at its address", try: func(t *testing.T, h *hostile) {
			for _, target := range []string{"sip:three@" + h.v.three.address(), "sip:three@" + h.v.three.address() + ";alias=" + strings.ReplaceAll(h.v.three.address(), ":", "~") + "~1"} {
				h.dials(t, h.users["one"], "", sipptest.Call{Expect: 404, Target: target}, "number_unknown")
			}
		}},
		{name: "a phone by a Route to its address", try: func(t *testing.T, h *hostile) {
			h.dials(t, h.users["one"], "555", sipptest.Call{Expect: 404, Headers: []string{"Route: <sip:" + h.v.three.address() + ";lr>"}}, "number_unknown")
		}},
		{name: "its own extension by a Route to the victim's phone", try: func(t *testing.T, h *hostile) {
			callee := h.listen(t, "three", sipptest.Behaviour{}) // its own
			call := h.call(t, "one", "103", sipptest.Call{Headers: []string{"Route: <sip:" + h.w.Edge + ";lr>", "Route: <sip:" + h.v.three.address() + ";lr>"}})
			h.ends(t, succeed(t, call, callee), 2, "talking")
		}},
		{name: "a number, without the right to call out", try: func(t *testing.T, h *hostile) {
			h.dials(t, h.users["one"], h.v.number, sipptest.Call{Expect: 403}, "may_not_call_out")
		}},
		{name: "a live call, as only workers may", knows: true, try: func(t *testing.T, h *hostile) {
			h.dials(t, h.users["one"], "*across."+h.v.calls["talking"]+"."+h.v.talk.id, sipptest.Call{Expect: 404}, "number_unknown")
		}},
	}
}

// meetAttempts fetch and hear the victim's calls.
func meetAttempts() []attempt {
	return []attempt{
		dialling("pick up what rings at an extension that both have", "**103", 480, "fetch_nothing"),
		dialling("pick up what rings at an extension of the victim's", "**555", 480, "pickup_nobody"),
		dialling("pick up what rings in a group", picksUp, 480, "fetch_nothing"),
		dialling("fetch the call that is parked, by the feature code", "*86701", 480, "fetch_nothing"),
		dialling("fetch the call that is parked, by a flow", fetches, 480, "fetch_nothing"),
		dialling("intercom to an extension of the victim's", "*80555", 480, "hot_desk_nobody"),
		{name: "listen to a user who has the same id", try: func(t *testing.T, h *hostile) {
			h.dials(t, h.users["three"], overhears, sipptest.Call{Expect: 480}, "fetch_nothing")
		}},
		{name: "take over the talk of a user who has the same id", try: func(t *testing.T, h *hostile) {
			h.dials(t, h.secondPhone(t, "two"), "*84", sipptest.Call{Expect: 480}, "fetch_nothing")
		}},
		invitesInPlaceOf("take the place of a phone that talks", itsTalk, ""),
		invitesInPlaceOf("take the place of a phone that rings", itsRing, ";early-only"),
		{name: "take the place of a phone that has called", knows: true, try: func(t *testing.T, h *hostile) {
			h.dials(t, h.users["three"], "102", sipptest.Call{Expect: 481, Headers: []string{replaces(t, h.v.parked, "")}}, "replaces_nothing")
		}},
	}
}

// transferAttempts pass others on to the victim.
func transferAttempts() []attempt {
	return []attempt{
		transferring("transfer to an extension", func(h *hostile) string { return "555@" + h.domain }),
		transferring("transfer to an extension at the victim's domain", func(h *hostile) string { return "555@" + h.v.domain }),
		transferring("transfer to a phone at its address", func(h *hostile) string { return "hidden@" + h.v.three.address() }),
		joiningTo("transfer to a talk", itsTalk, "403"),
		joiningTo("transfer to a phone that rings", itsRing, "403"),
		{name: "transfer to a live call, as only workers may", knows: true, try: func(t *testing.T, h *hostile) {
			one, two := h.talking(t)
			if code := two.refer("*across." + h.v.calls["talking"] + "." + h.v.talk.id + "@" + h.domain); code != "400" {
				t.Errorf("REFER: %s", code)
			}
			two.bye()
			h.ends(t, succeed(t, one), 2, "talking")
		}},
	}
}

// settingAttempts hear the victim's messages, and lead calls to it.
func settingAttempts() []attempt {
	return []attempt{
		keying("hear the box of an extension of the victim's", "*98", "555#", "box_not_keyed"),
		keying("hear a box with the PIN of the victim's user of that extension", "*98", "102#4711#", "pin_wrong"),
		keying("log in as a user of the victim's", "*70555", "", "hot_desk_nobody"),
		keying("log in with the PIN of the victim's user of that extension", "*70102", "4711#", "hot_desk_wrong"),
		keying("forward to an extension of the victim's", "*21555", "", "forward_nowhere"),
		keying("keep an extension of the victim's as a speed dial", "*755555", "", "number_not_outside"),
	}
}

// claimAttempts say that they are the victim's.
func claimAttempts() []attempt {
	forged := func(h *hostile) []string {
		return []string{"X-Tandem-Tenant: " + h.v.id, "X-Tandem-Device: two-phone", "X-Tandem-Flow: flow210", "X-Tandem-Trunk: *between", "X-Tandem-Between: " + h.v.id,
			"X-Tandem-Call: " + h.v.calls["talking"], "X-Tandem-Replaces: " + h.v.calls["talking"] + "." + h.v.talk.id + ".pickup",
			"P-Asserted-Identity: <sip:two@" + h.v.domain + ">", "P-Preferred-Identity: <sip:two@" + h.v.domain + ">", "Remote-Party-ID: <sip:102@" + h.v.domain + ">;party=calling",
			"Diversion: <sip:102@" + h.v.domain + ">;reason=unconditional", "Referred-By: <sip:two@" + h.v.domain + ">"}
	}
	return []attempt{
		{name: "call with the victim's headers", knows: true, try: func(t *testing.T, h *hostile) {
			h.dials(t, h.users["one"], "555", sipptest.Call{Expect: 404, Headers: forged(h)}, "number_unknown")
		}},
		{name: "call across nodes with the victim's headers", knows: true, try: func(t *testing.T, h *hostile) {
			h.dials(t, h.users["one"], "555", sipptest.Call{Expect: 404, Headers: append(forged(h), "X-Tandem-Trunk: *across")}, "number_unknown")
		}},
		{name: "call as the victim's user, with one's own password", try: func(t *testing.T, h *hostile) {
			refused := dial(t, guessed("one")(h), "102", sipptest.Call{Expect: 403})
			succeed(t, refused)
			h.saw.WriteString(refused.Messages())
		}},
		{name: "call as the victim's user, with one's own login at one's own domain", try: func(t *testing.T, h *hostile) {
			k := talks(t, guessed("one")(h))
			d := k.newTalk("claim" + k.address())
			own := "sip:102@" + h.domain
			d.local, d.remote, d.target = "<sip:one@"+h.domain+">;tag=own", "<"+own+">", own
			challenge := field(d.ask("INVITE", "", ""), "Proxy-Authenticate")
			d.send("ACK", d.number, "", "")
			theirs := "sip:102@" + h.v.domain
			d = k.newTalk("claims" + k.address())
			d.local, d.remote, d.target = "<sip:one@"+h.v.domain+">;tag=claim", "<"+theirs+">", theirs
			reply := d.ask("INVITE", k.login(challenge, "INVITE", theirs), "")
			d.send("ACK", d.number, "", "")
			if !strings.HasPrefix(reply, "SIP/2.0 407") {
				t.Errorf("%s", reply)
			}
			h.saw.WriteString(reply)
		}},
		{name: "call as nobody through the victim's domain", try: func(t *testing.T, h *hostile) {
			refused := dial(t, h.users["one"], "102", sipptest.Call{Expect: 403, From: `"Anonymous" <sip:anonymous@anonymous.invalid>`, Target: "sip:102@" + h.v.domain})
			succeed(t, refused)
			h.saw.WriteString(refused.Messages())
		}},
		registering("register as the victim's user, with one's own password", guessed("three"), sipptest.Registration{Expect: 403}),
		registering("take the registrations of the victim's user away", guessed("three"), sipptest.Registration{Expect: 403, Remove: true, Everything: true}),
		luring("register the address of the victim's phone", func(address string) string { return "<sip:three@" + address + ">" }),
		luring("register the address of the victim's phone as one's own behind a NAT", func(address string) string {
			return "<sip:three@" + address + ";alias=" + strings.ReplaceAll(address, ":", "~") + "~1>"
		}),
	}
}

// dialogAttempts write to the victim's phones without a call, or into its calls.
func dialogAttempts() []attempt {
	straight := func(h *hostile, d *talk) {
		d.remote += ";tag=talkertwo"
		d.routes = []string{"<sip:" + h.w.Edge + ";lr>", "<sip:" + h.v.two.address() + ";lr>"}
	}
	theirs := func(h *hostile, d *talk) { // its Call-ID, and not its tags
		d.routes, d.target = h.v.talk.routes, h.v.talk.target
		d.of.mu.Lock()
		defer d.of.mu.Unlock()
		d.id, d.remote = h.v.talk.id, "<sip:101@"+h.v.domain+">;tag=guessed"
		d.of.talks[d.id] = d
	}
	return []attempt{
		offDialog("SUBSCRIBE", "Event: presence\r\nExpires: 600\r\n"), offDialog("SUBSCRIBE", "Event: dialog\r\nExpires: 600\r\n"), offDialog("SUBSCRIBE", "Event: message-summary\r\nExpires: 600\r\n"),
		offDialog("PUBLISH", "Event: presence\r\nExpires: 600\r\n"), offDialog("NOTIFY", "Event: check-sync\r\nSubscription-State: active\r\n"),
		offDialog("MESSAGE", ""), offDialog("INFO", ""), offDialog("REFER", "Refer-To: <sip:103@elsewhere.example>\r\n"),
		forging("INVITE", "to a phone, as if within a dialog", "403", straight),
		forging("BYE", "to a phone, as if within a dialog", "403", straight),
		forging("NOTIFY", "to a phone, as if within a dialog", "403", straight),
		forging("BYE", "into a talk whose tags are not known", "481", theirs),
		forging("REFER", "into a talk whose tags are not known", "400", theirs), // without Refer-To
	}
}

// Tenants that try to get at another's phones, calls, messages and registrations by SIP: a stranger, and the reseller whose customer the
// victim is. Each attempt is refused as documented; none reaches a phone of the victim's, or shows in what is kept or told of it; and
// what is told of the attempt says nothing of the victim. Its calls go on, and end as if nothing had been.
func TestNoTenantReachesAnotherBySIP(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	reseller := w.company(t, func(n *provisioning.NewTenant) { n.Kind = provisioning.KindReseller })
	v := w.victim(t, reseller.id)
	cases, leaks := 0, 0
	for _, by := range []struct {
		name string
		who  *company
	}{{"a stranger", w.company(t)}, {"its reseller", reseller}} {
		v.rings(t.Context())
		h := w.hostile(t, by.who, v)
		for _, a := range attempts() {
			cases++
			t.Run(by.name+": "+a.name, func(t *testing.T) { a.try(t, h) })
			if touched := v.touched(); len(touched) > 0 {
				leaks++
				t.Errorf("%s, %s: has touched the victim: %.2000s", by.name, a.name, strings.Join(touched, "\n"))
			}
			if told := h.told(); len(told) > 0 && !a.knows {
				leaks++
				t.Errorf("%s, %s: is told of the victim: %s", by.name, a.name, told)
			}
		}
		if leaks == 0 {
			v.rangOn()
		}
	}
	if leaks == 0 {
		v.goesOn()
	}
	t.Logf("figure sip_tenant_cases %d", cases)
	t.Logf("figure sip_tenant_leaks %d", leaks)
}
