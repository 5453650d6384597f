package explain_test

import (
	"strings"
	"testing"

	"tandem/callflows"
	"tandem/explain"
	"tandem/messages"
	"tandem/routing"
	"tandem/tenants"
)

// A dry run calls out as a call would, by the same functions, and sends nothing to any carrier.
func TestDryRunOfACallOut(t *testing.T) {
	words, err := explain.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	data := office(t).Data()
	data.Tenants[0].Dialling = tenants.Dialling{Country: "DE"}
	data.Tenants[0].CallingOut = tenants.CallingOut{Allowed: true, BlockedPrefixes: []string{"+49900"}, MaxCalls: 3}
	data.Trunks = append(data.Trunks, tenants.Trunk{ID: "out", Name: "Way out", Outgoing: &tenants.Outgoing{Destinations: []string{"sip:192.0.2.30"}, MaxCalls: 5}})
	data.Outbound = []tenants.OutboundRoute{{Trunk: "out"}}
	s, faults := tenants.NewSnapshot(data, callflows.ParseSettings)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for name, c := range map[string]struct {
		q       explain.Question
		verdict string
		fault   messages.Fault
		says    string
	}{
		"answered":          {explain.Question{To: "03012345678"}, "The call would be answered.", messages.FaultNone, "The call goes out by Way out (sip:192.0.2.30) to +493012345678"},
		"nobody answers":    {explain.Question{To: "03012345678", NobodyAnswers: true}, "+493012345678 did not answer in time.", messages.FaultCallee, "Way out rings."},
		"a blocked prefix":  {explain.Question{To: "0900123456"}, "numbers that begin with +49900 are blocked", messages.FaultTenant, ""},
		"a trunk is full":   {explain.Question{To: "03012345678", Out: callflows.Counts{Trunks: map[string]callflows.Count{"out": {Calls: 5}}}}, "No way is left to call +493012345678.", messages.FaultPlatform, "it has 5 calls up, and its limit is 5"},
		"the tenant's full": {explain.Question{To: "03012345678", Out: callflows.Counts{Tenant: callflows.Count{Calls: 3}}}, "Office has 3 calls out, and its limit is 3.", messages.FaultTenant, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.q.From, c.q.At = "101@office.example", monday
			c.q.Facts = routing.Facts{Nodes: []routing.Node{{Name: "node1", SIPURI: "sip:127.0.0.1:5080", State: messages.NodeUp}}}
			x := explain.DryRun(words, s, c.q)
			if !strings.Contains(x.Verdict, c.verdict) || x.Fault != c.fault || !strings.Contains(x.Text(), c.says) {
				t.Errorf("the fault of %s:\n%s", x.Fault, x.Text())
			}
		})
	}
}
