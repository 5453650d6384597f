package main

import (
	"strings"
	"testing"

	"tandem/sipptest"
	"tandem/tenants"
)

// sent is the first request of a method in a phone's messages.
func sent(messages, method string) string {
	_, rest, _ := strings.Cut(messages, "\n"+method+" ")
	head, _, _ := strings.Cut(rest, "-----------------------------------------------")
	return method + " " + head
}

// clean checks that an INVITE carries none of what is between the edge and the node, nor what a caller only claims.
func clean(t *testing.T, callee *sipptest.Running) {
	t.Helper()
	invite := sent(callee.Messages(), "INVITE")
	for line := range strings.Lines(invite) {
		name, _, _ := strings.Cut(strings.ToLower(line), ":")
		for _, foreign := range []string{"x-", "p-asserted", "p-preferred", "remote-party-id", "diversion", "history-info", "identity", "p-charg", "proxy-authorization"} {
			if strings.HasPrefix(name, foreign) {
				t.Errorf("the called phone gets %q", strings.TrimSpace(line))
			}
		}
	}
}

func TestHostileCallerChangesNothing(t *testing.T) {
	t.Parallel()
	forged := []string{"X-Tandem-Call: 11111111-1111-8111-8111-111111111111", "X-Tandem-Tenant: demo", "X-Tandem-Number: 999", "X-Tandem-Device: two-phone",
		"X-Tandem-Flow: *emergency", "X-Tandem-Dialled: 112", "x-tandem-version: 77",
		"P-Asserted-Identity: <sip:+12025550123@carrier.example>", "Remote-Party-ID: <sip:+12025550123@carrier.example>;party=calling",
		"Diversion: <sip:102@elsewhere.example>;reason=unconditional", "History-Info: <sip:102@elsewhere.example>;index=1", "X-Anything: at all"}
	for name, row := range map[string]struct {
		from    string // a display name
		headers []string
	}{
		"forged headers":          {"", forged},
		"a dial string":           {`"{origination_uuid=x,sip_h_X-Evil=1}\x5bleg_timeout=1]sofia/internal/sip:x@127.0.0.1 &park()"`, nil},
		"an expansion":            {`"${uuid_kill(all)} $${tandem_owner} ^^:a:b"`, nil},
		"line ends":               {`"a%0d%0aX-Tandem-Tenant: demo%0a%0abgapi uuid_kill"`, nil},
		"a quoted line end":       {`"a\r\nX-Tandem-Tenant: demo"`, nil},
		"a database's language":   {`"'; DROP TABLE calls; --"`, nil},
		"a page's language":       {`"<script>alert(1)</script>"`, nil},
		"another address":         {`"User two <sip:103@nowhere.example>"`, nil},
		"letters from everywhere": {`"Zoë Ünïcödé 漢字 🕿"`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := sharedWorld(t)
			c := w.company(t)
			c.publish(t)
			c.register(t, "two")
			call := sipptest.Call{Headers: row.headers}
			if row.from != "" {
				call.From = row.from + " <sip:one@" + c.domain + ">"
			}
			callee := c.listen(t, "two", sipptest.Behaviour{Checks: []sipptest.Check{{Header: "From", Pattern: "User one.*sip:101@"}}})
			id := succeed(t, c.call(t, "one", "102", call), callee)
			x := w.story(t, id, 2)
			answered().want.check(t, x)
			if x.Tenant != c.id || x.Legs[0].From != "101" || x.Legs[0].To != "102" || x.Legs[1].From != "101" {
				t.Errorf("tenant %s, from %s to %s, callee's leg from %s: want %s, 101, 102, 101", x.Tenant, x.Legs[0].From, x.Legs[0].To, x.Legs[1].From, c.id)
			}
			clean(t, callee)
		})
	}
}

// TestHostileCarrierChangesNothing: a carrier's display name is passed on, but nothing in it that a dial string, a header
// or a page could take for its own language; and its X-Tandem headers are forgeries like anybody's.
func TestHostileCarrierChangesNothing(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.flow(t, c.number, "ring", map[string]tenants.Element{"ring": ringing("at_once", 10, "two")})
	c.publish(t)
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{Checks: []sipptest.Check{{Header: "From", Pattern: `^ *"[A-Za-z0-9 .+-]*" <sip:[+]12025550144@[0-9.:]+>;tag=`}}})
	caller := dial(t, w.carrier(), c.number, sipptest.Call{NoLogin: true,
		From:    `"{sip_h_X-Evil=1}${uuid_kill(x)}%0d%0aX-Evil: 1,'|^^:<script>" <sip:+12025550155@carrier.example>`,
		Headers: []string{"X-Tandem-Tenant: demo", "X-Tandem-Dialled: 112", "X-Evil: 1", "P-Asserted-Identity: <sip:+12025550144@carrier.example>"}})
	x := w.story(t, succeed(t, caller, callee), 2)
	want := answered().want
	want.Tells[0], want.Legs[0].Far = "caller_trunk", "carrier"
	want.check(t, x)
	if x.Tenant != c.id || x.Legs[0].From != "+12025550144" || x.Legs[0].To != c.number {
		t.Errorf("tenant %s, from %s to %s: want %s, the asserted number, %s", x.Tenant, x.Legs[0].From, x.Legs[0].To, c.id, c.number)
	}
	clean(t, callee)
}
