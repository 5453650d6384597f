package directory_test

import (
	"testing"

	"tandem/directory"
	"tandem/messages"
)

func TestItIsKnownWhatBecameOfACallThatIsAskedAboutAgain(t *testing.T) {
	var c directory.Calls
	for _, step := range []struct {
		name           string
		do             func()
		decided, taken bool
	}{
		{"never heard of", func() {}, false, false},
		{"decided", func() { c.Tentative("a", "demo", at(0)) }, true, false},
		{"on a node", func() { c.Apply(news("a", messages.CallStarted, 1), at(1)) }, false, true},
		{"over", func() { c.Apply(news("a", messages.CallEnded, 2), at(2)) }, false, true},
	} {
		step.do()
		if decided, taken := c.Asked("a"); decided != step.decided || taken != step.taken {
			t.Errorf("%s: decided %t, taken %t", step.name, decided, taken)
		}
	}
	if decided, taken := c.Asked("b"); decided || taken {
		t.Error("a call is taken for another")
	}
}
