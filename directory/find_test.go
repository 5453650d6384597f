package directory_test

import (
	"testing"
	"time"

	"tandem/callflows"
	"tandem/directory"
	"tandem/messages"
)

// living is a directory with two tenants' calls:
//
//	demo   ringing  101 calls, the desk rings (from fs1)
//	       talking  102 at the mobile talks to the lobby (on fs2)
//	       parked   103 in slot 701
//	       joined   104 talks to joined2's 105
//	other  foreign  rings and is parked in the same way
func living() *directory.Calls {
	var d directory.Calls
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	answered := start.Add(time.Second)
	caller := func(id string, l messages.NodeLeg) messages.NodeLeg {
		l.ID, l.Role = id, messages.RoleCaller
		return l
	}
	callee := func(id, device string, l messages.NodeLeg) messages.NodeLeg {
		l.ID, l.Role, l.Device = id, messages.RoleCallee, device
		return l
	}
	tell := func(node, tenant, call, from string, seconds int, legs ...messages.NodeLeg) {
		d.News(&messages.NodeNews{Type: messages.NodeNewsV1, Node: node, Worker: "w", Epoch: 1, N: uint64(seconds), At: start, Calls: []messages.NodeCall{
			{Call: call, Tenant: tenant, From: from, To: "200", Phase: "running", StartedAt: start.Add(time.Duration(seconds) * time.Second), Legs: legs}}}, start)
	}
	tell("fs1", "demo", "ringing", "101", 1, caller("ringing-a", messages.NodeLeg{}),
		callee("ringing-b", "desk", messages.NodeLeg{CallID: "early@fs1", LocalTag: "fs", RemoteTag: "phone"}))
	tell("fs2", "demo", "talking", "102", 2, caller("talking-a", messages.NodeLeg{Device: "mobile", AnsweredAt: answered, With: "talking-b"}),
		callee("talking-b", "lobby", messages.NodeLeg{AnsweredAt: answered, With: "talking-a"}))
	tell("fs1", "demo", "parked", "103", 3, caller("parked-a", messages.NodeLeg{AnsweredAt: answered, Parked: "701"}))
	tell("fs1", "demo", "joined", "104", 4, caller("joined-a", messages.NodeLeg{Device: "tablet", AnsweredAt: answered, With: "joined2-a"}))
	tell("fs1", "demo", "joined2", "105", 5, caller("joined2-a", messages.NodeLeg{AnsweredAt: answered, With: "joined-a"}))
	tell("fs1", "other", "foreign", "101", 6, caller("foreign-a", messages.NodeLeg{AnsweredAt: answered, Parked: "702"}),
		callee("foreign-b", "desk", messages.NodeLeg{CallID: "foreign@fs1", LocalTag: "fs", RemoteTag: "phone"}))
	return &d
}

func TestACallIsFoundByWhatItDoesAmongItsTenantsAlone(t *testing.T) {
	d, now := living(), time.Date(2026, 3, 2, 9, 1, 0, 0, time.UTC)
	for claim, row := range map[string]struct {
		tenant, besides string
		wanted          callflows.Wanted
		leg, node       string // "": none
	}{
		"where it rings, its caller is found":           {"demo", "", callflows.Wanted{What: callflows.RingingAt, Devices: []string{"lobby", "desk"}}, "ringing-a", "fs1"},
		"another tenant's does not ring here":           {"other", "", callflows.Wanted{What: callflows.RingingAt, Devices: []string{"mobile"}}, "", ""},
		"a tenant without calls has none":               {"third", "", callflows.Wanted{What: callflows.RingingAt, Devices: []string{"desk"}}, "", ""},
		"one that talks does not ring":                  {"demo", "", callflows.Wanted{What: callflows.RingingAt, Devices: []string{"lobby"}}, "", ""},
		"the call that asks is not found":               {"demo", "ringing", callflows.Wanted{What: callflows.RingingAt, Devices: []string{"desk"}}, "", ""},
		"a parked call":                                 {"demo", "", callflows.Wanted{What: callflows.ParkedIn, Slot: "701"}, "parked-a", "fs1"},
		"a slot of another tenant's is empty here":      {"demo", "", callflows.Wanted{What: callflows.ParkedIn, Slot: "702"}, "", ""},
		"whom a caller's phone talks to":                {"demo", "", callflows.Wanted{What: callflows.TalkingAt, Devices: []string{"mobile"}}, "talking-b", "fs2"},
		"whom a called phone talks to":                  {"demo", "", callflows.Wanted{What: callflows.TalkingAt, Devices: []string{"lobby"}}, "talking-a", "fs2"},
		"whom a phone talks to in another call":         {"demo", "", callflows.Wanted{What: callflows.TalkingAt, Devices: []string{"tablet"}}, "joined2-a", "fs1"},
		"the phone itself, to be listened to":           {"demo", "", callflows.Wanted{What: callflows.OverheardAt, Devices: []string{"lobby"}}, "talking-b", "fs2"},
		"for whom a leg rings":                          {"demo", "", callflows.Wanted{What: callflows.KnownAs, Call: "ringing", Leg: "ringing-b"}, "ringing-a", "fs1"},
		"whom a leg of one's phone talks to":            {"demo", "", callflows.Wanted{What: callflows.KnownAs, Call: "talking", Leg: "talking-b", Devices: []string{"lobby"}}, "talking-a", "fs2"},
		"not whom a leg of another's phone talks to":    {"demo", "", callflows.Wanted{What: callflows.KnownAs, Call: "talking", Leg: "talking-b", Devices: []string{"desk"}}, "", ""},
		"whom a leg talks to":                           {"demo", "", callflows.Wanted{What: callflows.KnownAs, Call: "talking", Leg: "talking-b"}, "talking-a", "fs2"},
		"a leg of another tenant's is not to be had":    {"demo", "", callflows.Wanted{What: callflows.KnownAs, Call: "foreign", Leg: "foreign-b"}, "", ""},
		"nobody is replaced who talks to nobody":        {"demo", "", callflows.Wanted{What: callflows.KnownAs, Call: "parked", Leg: "parked-a"}, "", ""},
		"a leg that is joined already is not picked up": {"demo", "", callflows.Wanted{What: callflows.RingingAt, Devices: []string{"tablet"}}, "", ""},
	} {
		t.Run(claim, func(t *testing.T) {
			leg, node := "", ""
			if found := d.Find(row.tenant, row.besides, row.wanted, now); found != nil {
				leg, node = found.Leg, found.Node
			}
			if leg != row.leg || node != row.node {
				t.Errorf("found %q on %q, want %q on %q", leg, node, row.leg, row.node)
			}
		})
	}
	if f := d.FindCall(callflows.Call{ID: "x", Tenant: "demo", Node: "fs2"}, callflows.Wanted{What: callflows.ParkedIn, Slot: "701"}, now); f == nil || f.Local {
		t.Errorf("a call on another node: %+v", f)
	}
}

func TestASlotIsGivenOnce(t *testing.T) {
	d, now := living(), time.Date(2026, 3, 2, 9, 1, 0, 0, time.UTC)
	slot := func(tenant, call string, w callflows.Wanted) string {
		w.What = callflows.FreeSlot
		if found := d.Find(tenant, call, w, now); found != nil {
			return found.Slot
		}
		return ""
	}
	ranged := callflows.Wanted{First: 701, Last: 702}
	for _, row := range []struct{ tenant, call, want string }{{"demo", "x", "702"}, {"demo", "x", "702"}, {"demo", "y", ""}, {"demo", "parked", "701"}, {"other", "z", "701"}, {"third", "t", "701"}} {
		if got := slot(row.tenant, row.call, ranged); got != row.want {
			t.Errorf("%s of %s gets %q, want %q", row.call, row.tenant, got, row.want)
		}
	}
	if got := slot("demo", "y", callflows.Wanted{Slot: "701"}); got != "" {
		t.Errorf("a slot that is taken is given by name: %q", got)
	}
	if got := slot("demo", "y", callflows.Wanted{Slot: "*9"}); got != "*9" {
		t.Errorf("a slot by name: %q", got)
	}
	now = now.Add(directory.ReservedFor)
	if got := slot("demo", "y", ranged); got != "702" {
		t.Errorf("a slot that nobody took is kept for ever: %q", got)
	}
}

func TestADialogIsFoundByItsTags(t *testing.T) {
	d := living()
	d.Learn(&messages.NodeDialogs{Node: "fs2", Dialogs: []messages.Dialog{{Call: "talking", Leg: "talking-b", CallID: "up@fs2", Local: "<sip:a@b>;tag=fs", Remote: "<sip:c@d>;tag=phone"}}})
	for claim, row := range map[string]struct {
		tenant, id, to, from string
		leg                  string
	}{
		"as the node has it":          {"demo", "early@fs1", "fs", "phone", "ringing-b"},
		"as the phone has it":         {"demo", "early@fs1", "phone", "fs", "ringing-b"},
		"one that is answered":        {"demo", "up@fs2", "fs", "phone", "talking-b"},
		"not with another tag":        {"demo", "early@fs1", "fs", "guess", ""},
		"not with another Call-ID":    {"demo", "early@fs2", "fs", "phone", ""},
		"not with none":               {"demo", "", "fs", "phone", ""},
		"not another tenant's":        {"demo", "foreign@fs1", "fs", "phone", ""},
		"nor one's own as another":    {"other", "early@fs1", "fs", "phone", ""},
		"the other tenant's own":      {"other", "foreign@fs1", "fs", "phone", "foreign-b"},
		"not by one tag that is both": {"demo", "early@fs1", "fs", "fs", ""},
	} {
		t.Run(claim, func(t *testing.T) {
			leg := ""
			if found := d.FindDialog(row.tenant, row.id, row.to, row.from); found != nil {
				leg = found.Leg
			}
			if leg != row.leg {
				t.Errorf("found %q, want %q", leg, row.leg)
			}
			if row.leg == "" {
				return
			}
			if talk := d.FindTalk(row.id, row.to, row.from); talk == nil || talk.Leg != row.leg || talk.Tenant != row.tenant {
				t.Errorf("nothing but the dialog being known: %+v", talk)
			}
		})
	}
}

func TestAPhonesOtherCallIsOnANode(t *testing.T) {
	d := living()
	for device, node := range map[string]string{"mobile": "fs2", "tablet": "fs1", "nobody": "", "": ""} {
		if got := d.NodeOfDevice("demo", device); got != node {
			t.Errorf("%s: %q, want %q", device, got, node)
		}
	}
	if got := d.NodeOfDevice("other", "mobile"); got != "" {
		t.Errorf("another tenant's phone is on %q", got)
	}
}
