package directory_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tandem/directory"
	"tandem/messages"
)

func nodeNews(node, worker string, state messages.NodeState, seconds int) *messages.NodeEvent {
	return &messages.NodeEvent{
		Type: messages.NodeEventV1, Node: node, SIPURI: "sip:" + node + ":5080", State: state, Calls: seconds, At: at(seconds), Worker: worker,
	}
}

func TestANodeIsUsableWhileItsOwnerIsHeard(t *testing.T) {
	var n directory.Nodes
	n.Apply(nodeNews("fs2", "w1", messages.NodeUp, 0), at(0))
	n.Apply(nodeNews("fs1", "w1", messages.NodeDraining, 5), at(5))
	fact := func(name string, state messages.NodeState, calls int) directory.NodeFact {
		return directory.NodeFact{Name: name, SIPURI: "sip:" + name + ":5080", State: state, Calls: calls, Worker: "w1", HeardAt: at(calls)}
	}
	for _, tt := range []struct {
		name string
		at   time.Time
		want []directory.NodeFact
	}{
		{"both are fresh", at(10), []directory.NodeFact{fact("fs1", messages.NodeDraining, 5), fact("fs2", messages.NodeUp, 0)}},
		{"one is stale", at(16), []directory.NodeFact{fact("fs1", messages.NodeDraining, 5), fact("fs2", messages.NodeDown, 0)}},
		{"both are forgotten", at(0).Add(2 * directory.NodeForgottenAfter), []directory.NodeFact{}},
	} {
		if diff := cmp.Diff(tt.want, n.List(tt.at)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestTheListIsThatOfItsMoment: whatever was listed before, by whomever, changes nothing.
func TestTheListIsThatOfItsMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var asked directory.Nodes
		news := []func(*directory.Nodes){}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			name := rapid.SampledFrom([]string{"fs1", "fs2", "fs3"}).Draw(t, "node")
			second := rapid.SampledFrom([]int{0, 1, 14, 15, 16, 30, 3599, 3600, 3601, 7300}).Draw(t, "second")
			if rapid.Bool().Draw(t, "news") {
				told := func(n *directory.Nodes) { n.Apply(nodeNews(name, "w1", messages.NodeUp, second), at(second)) }
				news = append(news, told)
				told(&asked)
				continue
			}
			var fresh directory.Nodes
			for _, told := range news {
				told(&fresh)
			}
			moment := at(second).Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "ns")))
			if diff := cmp.Diff(fresh.List(moment), asked.List(moment)); diff != "" {
				t.Fatalf("at %d: %s", second, diff)
			}
		}
	})
}

func TestTheListIsMadeOnce(t *testing.T) {
	var n directory.Nodes
	n.Apply(nodeNews("fs1", "w1", messages.NodeUp, 0), at(0))
	n.List(at(1))
	if allocations := testing.AllocsPerRun(10, func() { n.List(at(2)) }); allocations != 0 {
		t.Errorf("%g allocations for a list that was made before", allocations)
	}
}

func TestLateNewsOfTheSameOwnerIsIgnoredAndANewOwnerIsHeard(t *testing.T) {
	var n directory.Nodes
	n.Apply(nodeNews("fs1", "w1", messages.NodeDraining, 100), at(100))
	n.Apply(nodeNews("fs1", "w1", messages.NodeUp, 99), at(101))
	if got := n.List(at(101))[0].State; got != messages.NodeDraining {
		t.Errorf("late news made it %s", got)
	}
	n.Apply(nodeNews("fs1", "w2", messages.NodeUp, 50), at(102)) // its clock is behind
	if got := n.List(at(102))[0].State; got != messages.NodeUp {
		t.Errorf("the new owner's news left it %s", got)
	}
}

func TestNodesAreBounded(t *testing.T) {
	var n directory.Nodes
	for i := range 2 * messages.MaxNodes {
		n.Apply(nodeNews(string(rune('A'+i)), "w1", messages.NodeUp, 0), at(0))
	}
	if got := len(n.List(at(1))); got != messages.MaxNodes {
		t.Errorf("%d nodes", got)
	}
}
