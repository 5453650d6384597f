package directory_test

import (
	"testing"

	"tandem/directory"
	"tandem/messages"
)

func TestACallIsTakenFromItsFirstSignOnANode(t *testing.T) {
	var c directory.Calls
	for _, step := range []struct {
		name  string
		do    func()
		taken bool
	}{
		{"never heard of", func() {}, false},
		{"decided", func() { c.Tentative("a", "demo", at(0)) }, false},
		{"on a node", func() { c.Apply(news("a", messages.CallStarted, 1), at(1)) }, true},
		{"over", func() { c.Apply(news("a", messages.CallEnded, 2), at(2)) }, true},
	} {
		step.do()
		if taken := c.Taken("a"); taken != step.taken {
			t.Errorf("%s: taken %t", step.name, taken)
		}
	}
	if c.Taken("b") {
		t.Error("a call is taken for another")
	}
}
