package directory

import (
	"slices"
	"testing"
	"time"

	"tandem/messages"
)

func TestWhoIsInACall(t *testing.T) {
	var k Talking
	k.Talks("one", "red", []string{"desk", "lobby"})
	k.Talks("two", "red", []string{"desk"})
	k.Talks("three", "blue", []string{"desk"})
	for _, c := range []struct {
		claim, call, tenant string
		asked, want         []string
	}{
		{"another call's devices", "four", "red", []string{"lobby", "desk", "hall"}, []string{"lobby", "desk"}},
		{"not the call that asks", "one", "red", []string{"lobby", "desk"}, []string{"desk"}},
		{"not another tenant's", "four", "blue", []string{"lobby", "desk"}, []string{"desk"}},
	} {
		if got := k.Among(c.call, c.tenant, c.asked); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.claim, got, c.want)
		}
	}
	k.Talks("one", "red", nil)
	k.Talks("two", "red", []string{"hall"})
	if got := k.Among("four", "red", []string{"lobby", "desk", "hall"}); !slices.Equal(got, []string{"hall"}) {
		t.Errorf("after the calls went on: %v", got)
	}
	k.Talks("two", "red", nil)
	k.Talks("three", "blue", nil)
	if len(k.calls)+len(k.devices) > 0 {
		t.Errorf("something is left: %v %v", k.calls, k.devices)
	}
}

func TestAnnouncedCallsSayWhoIsInOne(t *testing.T) {
	var c Calls
	now := time.Now()
	c.Apply(&messages.CallEvent{Type: messages.CallEventV1, Call: "one", Tenant: "red", State: messages.CallStarted, Node: "n", At: now, Epoch: 1, N: 1}, now)
	c.Announce(&messages.NodeCalls{Type: messages.NodeCallsV1, Node: "n", Worker: "w", Epoch: 1, N: 1, Of: 1, At: now, Calls: []messages.NodeCall{{Call: "one", Tenant: "red",
		StartedAt: now, Legs: []messages.NodeLeg{{ID: "a", Role: messages.RoleCaller, Device: "lobby"}, {ID: "b", Role: messages.RoleCallee, Device: "desk", AnsweredAt: now},
			{ID: "c", Role: messages.RoleCallee, Device: "hall"}}}}}, now)
	if got := c.Talking("two", "red", []string{"lobby", "desk", "hall"}, "us", now); !slices.Equal(got, []string{"lobby", "desk"}) {
		t.Errorf("got %v", got)
	}
	if got := c.Talking("one", "red", []string{"lobby"}, "us", now); len(got) > 0 {
		t.Errorf("the call that asks: %v", got)
	}
	if got := c.Talking("two", "red", []string{"lobby"}, "w", now); len(got) > 0 {
		t.Errorf("a call that the asker drives: %v", got)
	}
}
