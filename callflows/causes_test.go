package callflows

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tandem/messages"
	"tandem/tenants"
)

func TestWhoseFaultADialledLegsEndIs(t *testing.T) {
	for _, c := range []struct {
		cause         string
		device, trunk messages.Fault
	}{
		{"NORMAL_CLEARING", messages.FaultNone, messages.FaultNone},
		{"LOSE_RACE", messages.FaultNone, messages.FaultNone},
		{"PICKED_OFF", messages.FaultNone, messages.FaultNone},
		{"ORIGINATOR_CANCEL", messages.FaultCaller, messages.FaultCaller},
		{"USER_BUSY", messages.FaultCallee, messages.FaultCallee},
		{"CALL_REJECTED", messages.FaultCallee, messages.FaultCallee},
		{"NO_ANSWER", messages.FaultCallee, messages.FaultCallee},
		{"ALLOTTED_TIMEOUT", messages.FaultCallee, messages.FaultCallee},
		{"UNALLOCATED_NUMBER", messages.FaultCallee, messages.FaultCallee},
		{"USER_NOT_REGISTERED", messages.FaultCallee, messages.FaultCarrier},
		{"NORMAL_TEMPORARY_FAILURE", messages.FaultCallee, messages.FaultCarrier},
		{"RECOVERY_ON_TIMER_EXPIRE", messages.FaultCallee, messages.FaultCarrier},
		{"NETWORK_OUT_OF_ORDER", messages.FaultCallee, messages.FaultCarrier},
		{"DESTINATION_OUT_OF_ORDER", messages.FaultPlatform, messages.FaultCarrier},
		{"EXCHANGE_ROUTING_ERROR", messages.FaultPlatform, messages.FaultCarrier},
		{"MANAGER_REQUEST", messages.FaultPlatform, messages.FaultPlatform},
		{"SYSTEM_SHUTDOWN", messages.FaultPlatform, messages.FaultPlatform},
		{"OF_A_NEWER_RELEASE", messages.FaultCallee, messages.FaultCarrier},
		{"", messages.FaultCallee, messages.FaultCarrier},
	} {
		if got := faultOfCause(c.cause, false); got != c.device {
			t.Errorf("%s of a device's leg is the fault of %s, want %s", c.cause, got, c.device)
		}
		if got := faultOfCause(c.cause, true); got != c.trunk {
			t.Errorf("%s of a trunk's leg is the fault of %s, want %s", c.cause, got, c.trunk)
		}
	}
}

// A carrier takes its whole trunk out of service for a 503, and an edge tries the call on every other node.
func TestNoCauseThatAFlowMayGiveIsA503(t *testing.T) {
	known := 0
	for _, cause := range append(causes, "EXCHANGE_ROUTING_ERROR", "NUMBER_CHANGED", "INVALID_NUMBER_FORMAT", "USER_NOT_REGISTERED", "NORMAL_UNSPECIFIED",
		"SWITCH_CONGESTION", "NETWORK_OUT_OF_ORDER", "NORMAL_CIRCUIT_CONGESTION", "REQUESTED_CHAN_UNAVAIL", "GATEWAY_DOWN") {
		if !KnownCause(cause) {
			continue
		}
		known++
		if code := SIPCodeOf(cause); code == 503 || code < 400 || code > 699 {
			t.Errorf("a flow may give %s, which is %d", cause, code)
		}
	}
	if known < 8 {
		t.Errorf("only %d causes are known", known)
	}
	if code := SIPCodeOf(causeOfBrokenFlow); code != 480 {
		t.Errorf("a broken flow is %d", code)
	}
}

// fit is what a cleaned text may be made of: nothing of it is syntax in a dial string or a header.
var fit = regexp.MustCompile(`^[A-Za-z0-9.+*#_-]*$`)

func FuzzCleanNumber(f *testing.F) {
	for _, s := range []string{"Anna", "a\r\nb", "${x}", "\xff", strings.Repeat("é", 99), "İı"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		number := cleanNumber(s)
		if len(number) > MaxCallerNumber || !fit.MatchString(number) || number != cleanNumber(number) {
			t.Errorf("%q became the number %q", s, number)
		}
	})
}

func TestALegsIDIsAStableUUIDInTheCallersShard(t *testing.T) {
	c := call("main")
	seen := map[string]bool{}
	for n := range 20 {
		for k := range MaxTargets {
			id := legID(c, n, k)
			u, err := uuid.Parse(id)
			switch {
			case err != nil || u.Version() != 8 || u.Variant() != uuid.RFC4122 || u.String() != id:
				t.Fatalf("%s is no uuid of version 8: %v", id, err)
			case id[:8] != c.Leg[:8]:
				t.Fatalf("%s is in another shard than %s", id, c.Leg)
			case seen[id] || id == c.Leg:
				t.Fatalf("%s is there twice", id)
			case id != legID(c, n, k):
				t.Fatalf("%s is not stable", id)
			}
			seen[id] = true
		}
	}
	other := c
	other.ID = "another call"
	moved := c
	moved.Leg = "8adcdf28-8955-4dff-af12-e253ea683750"
	if seen[legID(other, 1, 0)] || seen[legID(moved, 1, 0)] {
		t.Error("another call has the same legs")
	}
	if got := legID(Call{Leg: "short"}, 1, 0); uuid.Validate(got) != nil {
		t.Errorf("%q", got)
	}
	// Frozen: a worker of another release names the same leg for the same command.
	if got, want := legID(c, 2, 0), "8adcdf28-77dc-8cc6-80a6-2a65f59ad072"; got != want {
		t.Errorf("the leg is %s, was %s in earlier releases", got, want)
	}
}

// What CheckFlow lets pass, ParseSettings and a snapshot take.
func FuzzParseSettings(f *testing.F) {
	for _, kind := range ElementTypes() {
		f.Add(kind, `{}`)
		f.Add(kind, `{"prompt":"a","users":["x"],"schedule":"s"}`)
	}
	f.Fuzz(func(t *testing.T, kind, settings string) {
		if !json.Valid([]byte(settings)) {
			return // it could not stand in a flow
		}
		parsed, err := ParseSettings(kind, json.RawMessage(settings))
		if err != nil {
			if err.Error() == "" || parsed != nil && kind == emergencyType {
				t.Errorf("%q", err)
			}
			return
		}
		s := tell(t, demo(t, flowOf(map[string]tenants.Element{"start": {Type: kind, Settings: json.RawMessage(settings)}})))
		s.parked()
	})
}

func TestEachCodeOfRespondIsWhatTheNodeMakesOfItsCause(t *testing.T) {
	for _, code := range respondAbout.settings.members[0].oneOf {
		if got := SIPCodeOf(causeOfCode(code.(int))); got != code || got == 503 {
			t.Errorf("a caller who is to get %d gets %d", code, got)
		}
	}
}
