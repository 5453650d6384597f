package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/callflows"
	"tandem/directory"
	"tandem/messages"
	"tandem/routing"
	"tandem/tenants"
)

// TestADecisionKnowsTheLatestNewsOfNodes: they are made ready for routing once, and again when there is something new.
func TestADecisionKnowsTheLatestNewsOfNodes(t *testing.T) {
	f := &facts{worker: &worker{}}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	snapshot, _ := tenants.NewSnapshot(tenants.Data{}, callflows.ParseSettings)
	request := routing.Request{Call: "call"}
	tell := func(calls int) {
		f.nodes.Apply(&messages.NodeEvent{Node: "fs1", SIPURI: "sip:192.0.2.1:5080", State: messages.NodeUp, Calls: calls, Worker: "w", At: now,
			Load: &messages.NodeLoad{Sessions: 5, MaxSessions: 10, IdleCPUPercent: 100}}, now)
	}
	node := routing.Node{Name: "fs1", SIPURI: "sip:192.0.2.1:5080", State: messages.NodeUp, Calls: 1, Busy: routing.Busy{Sessions: 50}}
	if nodes := f.routing(snapshot, request, "demo", now).Nodes; nodes != nil {
		t.Errorf("%v, of which nothing was heard", nodes)
	}
	tell(1)
	for range 2 {
		if diff := cmp.Diff([]routing.Node{node}, f.routing(snapshot, request, "demo", now).Nodes); diff != "" {
			t.Error(diff)
		}
	}
	tell(2)
	node.Calls = 2
	if diff := cmp.Diff([]routing.Node{node}, f.routing(snapshot, request, "demo", now).Nodes); diff != "" {
		t.Error(diff)
	}
	node.State = messages.NodeDown
	if diff := cmp.Diff([]routing.Node{node}, f.routing(snapshot, request, "demo", now.Add(directory.NodeStaleAfter+1)).Nodes); diff != "" {
		t.Error(diff)
	}
}
