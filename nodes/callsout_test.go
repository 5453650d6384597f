package nodes

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/tenants"
)

// byTrunk is an order to dial one number by a trunk.
func byTrunk(change func(*callflows.Command)) callflows.Command {
	c := callflows.Command{Kind: callflows.Ring, N: 3, Leg: callerLeg, Wait: time.Minute, Progress: 6 * time.Second, Hunting: true,
		CallerID: callflows.CallerID{Number: "15550100", Nameless: true, Domain: "carrier.example"},
		Targets:  []callflows.Target{{Leg: "aaaaaaaa-2222-4222-8222-222222222222", URI: "sip:4930123@192.0.2.50", Edge: "sip:192.0.2.1:5070", Trunk: "first"}}}
	change(&c)
	return c
}

func TestWhatANodeIsToldOfATrunk(t *testing.T) {
	n := New(Options{Profile: "internal", Prompts: Prompts(Sounds{Folder: "/sounds"}), Snapshot: func() *tenants.Snapshot { return nil }})
	for _, c := range []struct {
		claim    string
		change   func(*callflows.Command)
		has, not []string
	}{
		{"number, domain, patience and the trunk's name", func(*callflows.Command) {},
			[]string{"sip_invite_domain=carrier.example", "leg_progress_timeout=6", "leg_timeout=60", "sip_h_X-Tandem-Trunk=first", "origination_caller_id_number=15550100", "origination_caller_id_name=15550100", "ignore_early_media=true"},
			[]string{"P-Asserted", "Privacy", "Diversion"}},
		{"an identity", func(c *callflows.Command) { c.CallerID.Asserted = "+15550100" }, []string{"sip_h_P-Asserted-Identity=<sip:+15550100@carrier.example>"}, []string{"Privacy"}},
		{"a caller who is withheld", func(c *callflows.Command) {
			c.CallerID.Number, c.CallerID.Asserted, c.CallerID.Private = "anonymous", "+15550100", true
		},
			[]string{"sip_invite_domain=anonymous.invalid", "sip_h_Privacy=id", "<sip:+15550100@carrier.example>", "origination_caller_id_name=anonymous"}, nil},
		{"who passed the call on", func(c *callflows.Command) { c.DivertedBy, c.Diversions = "+15550101", 2 }, []string{"sip_h_Diversion=<sip:+15550101@carrier.example>;reason=unconditional;counter=2"}, nil},
		{"the last way's early media", func(c *callflows.Command) { c.EarlyOK = true }, nil, []string{"ignore_early_media"}},
	} {
		t.Run(c.claim, func(t *testing.T) {
			dial, err := n.dialString(callflows.Call{}, byTrunk(c.change))
			if err != nil {
				t.Fatal(err)
			}
			text := dial.String()
			for _, part := range c.has {
				if !strings.Contains(text, part) {
					t.Errorf("%s is not in %s", part, text)
				}
			}
			for _, part := range c.not {
				if strings.Contains(text, part) {
					t.Errorf("%s is in %s", part, text)
				}
			}
		})
	}
	if _, err := n.dialString(callflows.Call{}, byTrunk(func(c *callflows.Command) { c.CallerID.Domain = "a]b,{x=y}" })); err == nil {
		t.Error("a domain that would be more than a value is dialled with")
	}
}

// outs notes what it is told.
type outs []string

func (o *outs) Out(call, tenant, trunk string, _ time.Time) {
	*o = append(*o, call+" "+tenant+" "+trunk)
}

func (*outs) Count(string, string, []string, time.Time) callflows.Counts { return callflows.Counts{} }

func TestACallIsOutByTheTrunkOfItsLiveLeg(t *testing.T) {
	var told outs
	n := New(Options{CallsOut: &told, Snapshot: func() *tenants.Snapshot { return nil }})
	s, c := n.shards[0], &call{}
	caller := callflows.Leg{ID: "a", Role: messages.RoleCaller, Trunk: "in"}
	leg := func(trunk string, over bool) callflows.Leg {
		return callflows.Leg{ID: trunk, Role: messages.RoleCallee, Trunk: trunk, Created: true, HungUp: over}
	}
	for _, state := range []callflows.State{
		{Legs: []callflows.Leg{caller}},
		{Legs: []callflows.Leg{caller, leg("first", false)}},
		{Legs: []callflows.Leg{caller, leg("first", false)}},
		{Legs: []callflows.Leg{caller, leg("first", true)}},
		{Legs: []callflows.Leg{caller, leg("first", true), leg("second", false)}},
		{Legs: []callflows.Leg{caller, {ID: "never", Role: messages.RoleCallee, Trunk: "third"}}}, // of a ring that is over
		{FlowID: callflows.EmergencyFlow, Legs: []callflows.Leg{caller, leg("emergency trunk", false)}},
		{Phase: callflows.Ended, Legs: []callflows.Leg{caller, leg("first", true), leg("second", false)}},
	} {
		state.Call = callflows.Call{ID: "c", Tenant: "t"}
		s.tellOut(c, state)
	}
	if want := []string{"c t first", "c t ", "c t second", "c t "}; !slices.Equal(told, want) {
		t.Errorf("it is told %q, want %q", told, want)
	}
	c.out, c.state.Call = "second", callflows.Call{ID: "c", Tenant: "t"}
	s.calls = map[string]*call{"a": c, "b": c}
	s.tellNoneOut()
	if told[len(told)-1] != "c t " || len(told) != 5 {
		t.Errorf("a call that another worker drives is told as %q", told)
	}
}

// moments notes what other workers are told of calls.
type moments struct{ out []string }

func (m *moments) AnnounceCall(e messages.CallEvent) {
	m.out = append(m.out, string(e.State)+" "+e.Out)
}
func (*moments) AnnounceNode(messages.NodeEvent) {}

// The other workers are told by which trunk a call is out, and when it is no more, so that they count it too; not by a worker that
// does not own the node.
func TestOtherWorkersAreToldThatACallIsOut(t *testing.T) {
	var told outs
	var others moments
	n := New(Options{CallsOut: &told, Announcer: &others, Snapshot: func() *tenants.Snapshot { return nil }})
	s, c := n.shards[0], &call{}
	legs := []callflows.Leg{{ID: "a", Role: messages.RoleCaller}, {ID: "b", Role: messages.RoleCallee, Trunk: "first", Created: true}}
	over := []callflows.Leg{legs[0], {ID: "b", Role: messages.RoleCallee, Trunk: "first", Created: true, HungUp: true}}
	facts := callflows.Call{ID: "c", Tenant: "t", Leg: "a"}
	s.tellOut(c, callflows.State{Call: facts, Legs: legs})
	s.tellOut(c, callflows.State{Call: facts, Legs: legs, Answered: true})
	s.tellOut(c, callflows.State{Call: facts, Legs: over, Answered: true})
	s.tellOut(c, callflows.State{Call: facts, Legs: legs})
	s.tellOut(c, callflows.State{Call: facts, Legs: over, Phase: callflows.Ended})
	n.role.Store(watching)
	s.tellOut(c, callflows.State{Call: facts, Legs: legs})
	if want := []string{"started first", "answered " + messages.OutByNone, "started first"}; !slices.Equal(others.out, want) {
		t.Errorf("they are told %q, want %q", others.out, want)
	}
}

// A phone in a browser refuses an offer without ICE and DTLS-SRTP; every other phone may refuse one with them.
func TestABrowserIsOfferedWhatBrowsersTake(t *testing.T) {
	n := New(Options{Profile: "internal", Prompts: Prompts(Sounds{Folder: "/sounds"}), Snapshot: func() *tenants.Snapshot { return nil }})
	for uri, want := range map[string]bool{
		"sip:k3l1@df7jal23ls0d.invalid;transport=ws;alias=192.0.2.7~50321~5":        true,
		"sip:k3l1@df7jal23ls0d.invalid;transport=ws;alias=192.0.2.7~50321~6":        true,
		"sip:ada@192.0.2.7:5060;transport=tcp;alias=192.0.2.7~50321~2":              false,
		"sip:ada@192.0.2.7:5061;transport=tls;alias=192.0.2.7~50321~3":              false,
		"sip:ada@192.0.2.7:5060;alias=192.0.2.7~5060~1":                             false,
		"sip:ada@192.0.2.7:5060;transport=ws":                                       false, // only the edge knows
		"sip:ada@192.0.2.7;x-alias=192.0.2.7~5060~5;alias=192.0.2.7~5060~1":         false,
		"sip:ada@192.0.2.7:5060;transport=ws;alias=192.0.2.7~5060~5;transport=tcp2": false,
	} {
		dial, err := n.dialString(callflows.Call{}, callflows.Command{Kind: callflows.Ring, N: 3, Leg: callerLeg, Wait: time.Minute,
			Targets: []callflows.Target{{Leg: "aaaaaaaa-2222-4222-8222-222222222222", URI: uri, Edge: "sip:192.0.2.1:5070", Device: "d"}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(dial.String(), "media_webrtc=true"); got != want {
			t.Errorf("%s is offered %s", uri, dial.String())
		}
	}
}
