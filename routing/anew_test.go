package routing

import (
	"slices"
	"testing"

	"tandem/messages"
)

// TestACallWhoseNodeDiedBeginsAnew at another one, as a call of its own that no limit refuses.
func TestACallWhoseNodeDiedBeginsAnew(t *testing.T) {
	s, f := world(t), up("n1", "n2", "n3")
	f.TenantCalls = 2 // the first one is still counted
	first := fromDevice(t, "desk@red.example", "101")
	again := fromDevice(t, "desk@red.example", "101")
	again.AgainAfter, again.AgainNode = CallID(first), "n2.example:5080"
	if got := decide(t, s, f, first); got.Code != 486 {
		t.Fatalf("the limit of this test does not hold: %+v", got)
	}
	got := decide(t, s, f, again)
	if got.Verdict != messages.Route || len(got.Nodes) != 2 || slices.Contains(got.Nodes, "sip:n2.example:5080") {
		t.Errorf("goes to %v (%d)", got.Nodes, got.Code)
	}
	if got.Call == again.AgainAfter || got.Call != CallID(again) {
		t.Errorf("the id is %s, and was %s", got.Call, again.AgainAfter)
	}
	var words []string
	for _, reason := range got.Because {
		words = append(words, allWords(t).Words(reason))
	}
	if want := "The call rang as " + again.AgainAfter + " at the media node n2, which has died: it begins anew."; !slices.Contains(words, want) {
		t.Errorf("said %q", words)
	}
	t.Run("again, when that one has died too", func(t *testing.T) {
		third := fromDevice(t, "desk@red.example", "101")
		third.AgainAfter, third.AgainNode = got.Call, "n1.example:5080"
		if id := CallID(third); id == got.Call || id == again.AgainAfter {
			t.Errorf("the id is that of another: %s", id)
		}
	})
	t.Run("a call for help too", func(t *testing.T) {
		again := *again
		again.RequestURI, again.ToURI = "sip:112@red.example", "sip:112@red.example"
		if got := decide(t, s, f, &again); got.Verdict != messages.Route || slices.Contains(got.Nodes, "sip:n2.example:5080") {
			t.Errorf("goes to %v (%d)", got.Nodes, got.Code)
		}
	})
}
