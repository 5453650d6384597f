package nodes

import (
	"testing"
	"time"

	"tandem/callflows"
	"tandem/tenants"
)

// Whatever stands in a device's whereabouts, the call for help can be dialled: what cannot be sent as a location is left out.
func TestAnyLocationLetsACallForHelpOut(t *testing.T) {
	n := New(Options{Node: tenants.Node{Name: "node1"}, Profile: "internal", Snapshot: func() *tenants.Snapshot { return nil }})
	for _, location := range []string{"", "https://places.example/hall?floor=2&x=1,y='2'", "https://places.example/a_b~c:8080/@x?y=%20+z", "Main Street 1", "sip:desk@places.example", "https://x\r\nX: y", "pres:${system x}"} {
		data := tenants.Data{Emergency: tenants.Emergency{Numbers: []string{"112"}, TrunkURI: "sip:192.0.2.112"}, Tenants: []tenants.Tenant{{ID: "t", Domain: "t.example", TimeZone: "UTC",
			Devices: []tenants.Device{{ID: "d", Name: "D", Username: "d"}}, Places: []tenants.Whereabouts{{Device: "d", Location: location}}}}}
		s, _ := tenants.NewSnapshot(data, callflows.ParseSettings)
		call := callflows.Call{ID: callID, Tenant: "t", Leg: callerLeg, FlowID: callflows.EmergencyFlow, Dialled: "112", Edge: "sip:127.0.0.1:5070", Caller: callflows.Caller{Device: "d", Number: "101"}}
		out := callflows.Step(callflows.Config{Tenant: s.Tenant("t"), Emergency: s.Emergency(), Ways: s.Ways()}, callflows.State{}, callflows.Event{Kind: callflows.Parked, At: time.Unix(1, 0), Call: &call, Leg: callerLeg})
		if _, err := n.build(call, out.Commands[0]); err != nil {
			t.Errorf("%q: %v", location, err)
		}
	}
}
