package routing

import (
	"testing"

	"tandem/messages"
	"tandem/tenants"
)

func TestAPrefixTakesWhatItBeginsAndNeverAnEmergencyNumber(t *testing.T) {
	s := world(t, func(d *tenants.Data) {
		red := &d.Tenants[0]
		red.Dialling.Country, red.CallingOut.Allowed = "US", true
		for _, prefix := range []string{"*21", "1", "9", "11", "2"} {
			red.Published.Routes = append(red.Published.Routes, tenants.Route{Dialled: prefix, Prefix: true, FlowID: "red-flow"})
		}
	})
	for _, c := range []struct{ claim, dialled, flow, says string }{
		{"what follows a feature code", "*21030123", "red-flow", "What begins with *21 leads to the flow Front of red, here with 030123."},
		{"the code alone", "*21", "red-flow", "*21 leads to the flow Front of red."},
		{"an extension that begins with a prefix", "101", "red-flow", "101 leads to the flow Front of red."},
		{"an emergency number that begins with a prefix", "112", "*emergency", ""},
		{"another", "911", "*emergency", ""},
		{"a number outside, where the tenant gives its beginning away", "202-555-0123", "red-flow", "What begins with 2 leads to the flow Front of red, here with 025550123."},
	} {
		t.Run(c.claim, func(t *testing.T) {
			d := decide(t, s, up("n1"), fromDevice(t, "desk@red.example", c.dialled))
			if d.Verdict != messages.Route || d.FlowID != c.flow {
				t.Fatalf("%s leads to %q (%s): %s", c.dialled, d.FlowID, d.Verdict, said(d))
			}
			told := c.says == ""
			for _, r := range d.Because {
				told = told || allWords(t).Words(r) == c.says
			}
			if !told {
				t.Errorf("%+v does not say %q", d.Because, c.says)
			}
		})
	}
	if d := decide(t, s, up("n1"), fromDevice(t, "desk@blue.example", "*21")); d.Code != 404 {
		t.Errorf("another tenant's prefix takes the call: %+v", d)
	}
}
