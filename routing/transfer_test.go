package routing_test

import (
	"testing"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/routing"
)

// TestATransferCrossesNodesForAPartyOfBothTalks: whoever is not, or not yet, keeps both.
func TestATransferCrossesNodesForAPartyOfBothTalks(t *testing.T) {
	talk := func(node string, change func(*routing.Talk)) *routing.Talk {
		k := &routing.Talk{Call: "call-" + node, Leg: "leg-" + node, Node: node, Tenant: "demo", Device: "anna-desk", Flow: "main", Talks: true}
		if change != nil {
			change(k)
		}
		return k
	}
	for _, row := range []struct {
		name    string
		in, to  *routing.Talk
		verdict messages.TransferVerdict
		number  string
	}{
		{"on two nodes", talk("n1", nil), talk("n2", nil), messages.TransferAcross, "*across.call-n2.leg-n2"},
		{"on one node", talk("n1", nil), talk("n1", nil), messages.TransferPass, ""},
		{"on one node, of two phones", talk("n1", nil), talk("n1", func(k *routing.Talk) { k.Device = "ben-desk" }), messages.TransferPass, ""},
		{"in a talk that nobody knows", nil, talk("n2", nil), messages.TransferPass, ""},
		{"to a talk that nobody knows", talk("n1", nil), nil, messages.TransferPass, ""},
		{"to another tenant's on the same node", talk("n1", nil), talk("n1", func(k *routing.Talk) { k.Tenant = "other" }), messages.TransferRefuse, ""},
		{"to another tenant's on another node", talk("n1", nil), talk("n2", func(k *routing.Talk) { k.Tenant = "other" }), messages.TransferRefuse, ""},
		{"to another phone's", talk("n1", nil), talk("n2", func(k *routing.Talk) { k.Device = "ben-desk" }), messages.TransferRefuse, ""},
		{"of a trunk's", talk("n1", func(k *routing.Talk) { k.Device = "" }), talk("n2", func(k *routing.Talk) { k.Device = "" }), messages.TransferRefuse, ""},
		{"to one that rings", talk("n1", nil), talk("n2", func(k *routing.Talk) { k.Talks = false }), messages.TransferRefuse, ""},
		{"in one that talks to nobody", talk("n1", func(k *routing.Talk) { k.Talks = false }), talk("n2", nil), messages.TransferRefuse, ""},
		{"to the emergency services", talk("n1", nil), talk("n2", func(k *routing.Talk) { k.Flow = callflows.EmergencyFlow }), messages.TransferRefuse, ""},
		{"of the emergency services", talk("n1", func(k *routing.Talk) { k.Flow = callflows.EmergencyFlow }), talk("n2", nil), messages.TransferRefuse, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := routing.DecideTransfer(row.in, row.to)
			if d.Verdict != row.verdict || d.Number != row.number {
				t.Errorf("%s %s, want %s %s", d.Verdict, d.Number, row.verdict, row.number)
			}
			told := 0
			for _, refusal := range routing.TransferRefusals(&messages.TransferRequest{Edge: "edge1"}, row.in, row.to, d, time.Now().UTC()) {
				told++
				if err := refusal.Validate(); err != nil {
					t.Error(err)
				}
				if foreign := row.to != nil && row.to.Tenant != row.in.Tenant; foreign && (refusal.Here || refusal.Other != "") {
					t.Errorf("another tenant's call is told of, or to: %+v", refusal)
				}
			}
			if refused := d.Verdict == messages.TransferRefuse; refused && told == 0 {
				t.Error("no call is told of the refusal")
			}
		})
	}
}
