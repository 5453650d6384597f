package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/explain"
	"tandem/messages"
	"tandem/sipptest"
	"tandem/stack"
)

// None of the tests in this file is parallel: each changes what all others use, and mends it again.

// askAPI sends a request to a worker's API, as a program would.
func askAPI(t *testing.T, method, address, path string, body any) (status int, answer map[string]any) {
	t.Helper()
	sent, err := json.Marshal(body)
	must(t, err)
	request, err := http.NewRequestWithContext(within(t), method, "http://"+address+path, bytes.NewReader(sent))
	must(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+testOperatorKey)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	must(t, json.NewDecoder(response.Body).Decode(&answer))
	return response.StatusCode, answer
}

// again is a user's phone for one more call at the same time.
func (c *company) again(user string) *sipptest.Phone {
	p := c.users[user]
	return &sipptest.Phone{Edge: p.Edge, User: p.User, Domain: p.Domain, Password: p.Password, Address: p.Address}
}

// says runs a command and checks that it prints what it is to print.
func (w *world) says(t *testing.T, wants []string, arguments ...string) {
	t.Helper()
	out := w.tandem(t, append(arguments, "--api", "http://"+w.HTTPAddress)...)
	t.Logf("$ tandem %s\n%s", strings.Join(arguments, " "), out)
	for _, want := range wants {
		if !strings.Contains(out, want) {
			t.Errorf("tandem %s does not say %q", strings.Join(arguments, " "), want)
		}
	}
}

// awaitNode waits until the worker says that a node is in a state.
func (w *world) awaitNode(t *testing.T, name string, state messages.NodeState) {
	t.Helper()
	awaitThat(t, name+" does not become "+string(state), func(ctx context.Context) (bool, error) {
		var n nodeView
		err := w.get(ctx, "/v1/nodes/"+name, &n)
		return n.State == state, err
	})
}

// TestNodeIsDrained: calls that are up go on, new ones go elsewhere, whatever becomes of the worker, until the node is resumed.
func TestNodeIsDrained(t *testing.T) {
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "two", "three")
	callee := c.listen(t, "two", sipptest.Behaviour{})
	caller := c.call(t, "one", "102", sipptest.Call{Talk: 8 * time.Second})
	id := c.awaitTold(t, "talking")
	var up callView
	must(t, w.get(within(t), "/v1/calls/"+id, &up))
	preferred := up.Node
	w.says(t, []string{preferred, "up", "worker1"}, "node", "list")

	w.says(t, []string{preferred + " takes no new calls from now on. 1 call is left."}, "node", "drain", preferred)
	ordered := time.Now()
	w.awaitNode(t, preferred, messages.NodeDraining)
	t.Logf("the owner says so after %s", time.Since(ordered))
	w.says(t, []string{"is draining.", "It takes no new calls. 1 call is left.", id}, "node", "show", preferred)
	other := c.listen(t, "three", sipptest.Behaviour{})
	x := w.story(t, succeed(t, dial(t, c.again("one"), "103", sipptest.Call{}), other), 2)
	if x.Legs[0].Node == preferred || !slices.ContainsFunc(x.Lines, func(l explain.Line) bool { return l.Code == "node_draining" }) {
		t.Errorf("a new call went to %s: %s", x.Legs[0].Node, x.Text())
	}
	answered().want.check(t, w.story(t, succeed(t, caller, callee), 2))
	w.says(t, []string{"No call is left."}, "node", "drain", preferred, "--wait")
	w.says(t, []string{"It takes no new calls, and none is left: it can be stopped."}, "node", "show", preferred)

	// The node stays drained although the worker, and the node's own entry, come anew.
	must(t, w.worker.Stop(within(t)))
	var err error
	w.worker, err = w.startWorker(within(t), "worker1")
	must(t, err)
	w.awaitNode(t, preferred, messages.NodeDraining)

	w.says(t, []string{preferred + " takes new calls again."}, "node", "resume", preferred)
	w.awaitNode(t, preferred, messages.NodeUp)
	must(t, w.awaitNodes(within(t)))
	if again, _ := c.answeredBy(t); again != preferred {
		t.Errorf("the call was answered on %s, and %s is resumed", again, preferred)
	}
}

// TestCallIsHungUpThroughAWorkerThatDoesNotDriveIt: the order finds the owner of the call's node; both phones get their BYE, the
// explanation says who wanted it and why, and asking again is harmless.
func TestCallIsHungUpThroughAWorkerThatDoesNotDriveIt(t *testing.T) {
	w := sharedWorld(t)
	owner := w.HTTPAddress
	second, err := w.startWorker(within(t), "worker2")
	must(t, err)
	asked := w.HTTPAddress
	t.Cleanup(func() { w.HTTPAddress = owner; must(t, second.Stop(within(t))) })

	c := w.company(t)
	c.publish(t)
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{})
	caller := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true})
	id := c.awaitTold(t, "talking")
	awaitThat(t, "the second worker does not know the call", func(ctx context.Context) (bool, error) {
		var v callView
		err := w.get(ctx, "/v1/calls/"+id, &v)
		return v.State == messages.CallAnswered && v.Phase == "talking" && len(v.Legs) == 2, err
	})
	w.says(t, []string{"answered", c.id, "101", "102"}, "call", "list", "--tenant", c.id)
	var page callsBody
	must(t, w.get(within(t), "/v1/tenants/"+c.id+"/calls?live&limit=1&state=answered&number=102&device=two-phone", &page))
	if len(page.Calls) != 1 || page.Calls[0].Call != id || page.More || page.Next != "" {
		t.Errorf("%+v", page)
	}
	for query, code := range map[string]string{"cursor=zz": "cursor_invalid", "state=over": "state_invalid", "limit=0": "limit_out_of_range"} {
		if status, answer := askAPI(t, http.MethodGet, asked, "/v1/calls?live&"+query, nil); status != http.StatusBadRequest || answer["code"] != code {
			t.Errorf("%s: %d %v", query, status, answer)
		}
	}
	w.says(t, []string{"up, answered", "worker1.", "talking", "two-phone", "tandem explain " + id}, "call", "show", id)
	w.says(t, []string{"The call is over."}, "call", "hangup", id, "--by", "anna", "--reason", "a test")
	want := expected{Verdict: "Hung up by anna through the API (a test).", Fault: messages.FaultPlatform,
		Tells: []string{"talking", "end_ordered", "caller_hung_up_by_us", "call_ended"},
		Legs: []leg{{Far: "one-phone", Cause: "MANAGER_REQUEST", Answered: true, Fault: messages.FaultPlatform},
			{Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}
	x := w.story(t, succeed(t, caller, callee), 2)
	want.check(t, x)
	t.Log(x.Text())

	w.says(t, []string{"The call was over already."}, "call", "hangup", id)
	w.says(t, []string{"over", "ended"}, "call", "show", id)
	w.says(t, []string{"No call is up."}, "call", "list", "--tenant", c.id)
	for _, path := range []string{"/v1/calls/nobody/hangup", "/v1/nodes/nobody/drain"} {
		status, answer := askAPI(t, http.MethodPost, asked, path, map[string]string{"by": "anna"})
		if code, _ := answer["code"].(string); status != http.StatusNotFound || !strings.HasSuffix(code, "_unknown") || answer["detail"] == "" {
			t.Errorf("%s: %d %v", path, status, answer)
		}
	}
	request, err := http.NewRequestWithContext(within(t), http.MethodPost, "http://"+asked+"/v1/nodes/node1/drain", strings.NewReader("x=1"))
	must(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded") // as a page in a browser can
	request.Header.Set("Authorization", "Bearer "+testOperatorKey)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	response.Body.Close()
	if response.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("a form is answered %s", response.Status)
	}
}

// TestOrderOutlivesTheOwner: the owner of a call's node is frozen when its end is ordered; whoever takes the node over carries the
// order out while the asker waits.
func TestOrderOutlivesTheOwner(t *testing.T) {
	w := sharedWorld(t)
	first := w.HTTPAddress
	second, err := w.startWorker(within(t), "worker2")
	must(t, err)
	asked := w.HTTPAddress
	defer func() {
		w.worker.Resume()
		must(t, second.Stop(within(t)))
		w.HTTPAddress = first
		must(t, w.awaitNodes(within(t)))
	}()
	c := w.company(t)
	c.publish(t)
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{})
	caller := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true})
	id := c.awaitTold(t, "talking")
	var v callView
	must(t, w.get(within(t), "/v1/calls/"+id, &v))
	w.measures(t, `tandem_node_role{node="%s",role="standby"} 1`, `tandem_node_calls{node="%s"} 1`)(v.Node)

	w.worker.Pause()
	status, answer := askAPI(t, http.MethodPost, asked, "/v1/calls/"+id+"/hangup", map[string]string{"by": "anna"})
	if status != http.StatusOK || answer["state"] != callEnded {
		t.Errorf("the order is answered %d %v", status, answer)
	}
	w.worker.Resume()
	x := w.story(t, succeed(t, caller, callee), 2)
	if !strings.Contains(x.Verdict, "Hung up by anna through the API (no reason was given).") {
		t.Errorf("the verdict is %q", x.Verdict)
	}
}

// TestNodePastItsKneeTakesNoNewCalls: by what the node tells of itself; the call that is up is unharmed, and when there is room
// again the next one is taken.
func TestNodePastItsKneeTakesNoNewCalls(t *testing.T) {
	s := stack.ForTest(t)
	w, err := newWorld(within(t), t, s, worldOptions{Name: "knee", Nodes: 1, StandIn: []string{"--max-channels", "2", "--heartbeat", "1s"}})
	must(t, err)
	w.tellOnFailure(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "two")
	overloaded := func(want bool) {
		awaitThat(t, "the node's load does not become known", func(ctx context.Context) (bool, error) {
			var n nodeView
			err := w.get(ctx, "/v1/nodes/node1", &n)
			return n.Load != nil && (n.Overloaded != "") == want, err
		})
	}
	callee := c.listen(t, "two", sipptest.Behaviour{})
	caller := c.call(t, "one", "102", sipptest.Call{Talk: 8 * time.Second})
	c.awaitTold(t, "talking")
	overloaded(true)
	w.says(t, []string{"up (overloaded)", "sessions 100%"}, "node", "list")
	w.says(t, []string{"while another node can: its sessions are at their bound"}, "node", "show", "node1")
	w.says(t, []string{"The media node node1 takes no new calls while it is overloaded: its sessions stand at 100 %, and the bound is 90 %."},
		"explain", "--from", "three@"+c.domain, "--to", "102")
	refused := c.call(t, "three", "102", sipptest.Call{Expect: 503, Checks: reason("42")})
	expected{Verdict: "(SIP 503, SWITCH_CONGESTION): Every media node that is up is full or overloaded.", Fault: messages.FaultPlatform,
		Tells: []string{"node_overloaded", "nodes_full"}, Legs: []leg{{Far: "three-phone", Cause: "SWITCH_CONGESTION", Code: 503, Fault: messages.FaultPlatform}},
	}.check(t, w.story(t, succeed(t, refused), 1))
	answered().want.check(t, w.story(t, succeed(t, caller, callee), 2))
	overloaded(false)
	c.answeredBy(t)
}

// TestTenantBeginsCallsTooFast: past its calls a second a tenant's calls are refused, and one of another tenant is not.
func TestTenantBeginsCallsTooFast(t *testing.T) {
	w := sharedWorld(t)
	c := w.company(t)
	must(t, w.Provisioning.SetMaxCallsPerSecond(within(t), c.id, 1))
	c.publish(t)
	var phones []*sipptest.Running
	const calls = 3
	for range calls { // nobody is registered: each is over at once
		phones = append(phones, dial(t, c.again("one"), "102", sipptest.Call{Expect: 480}))
	}
	refused := 0
	for _, phone := range phones {
		if x := w.story(t, succeed(t, phone), 1); slices.ContainsFunc(x.Lines, func(l explain.Line) bool { return l.Code == "tenant_over_rate" }) {
			refused++
			expected{Verdict: c.name + " has begun 1 call within a second, and its limit is 1 a second.", Fault: messages.FaultTenant,
				Legs: []leg{{Far: "one-phone", Cause: "NORMAL_UNSPECIFIED", Code: 480, Fault: messages.FaultTenant}}}.check(t, x)
		}
	}
	if refused == 0 || refused == calls {
		t.Errorf("of %d calls at once %d were refused", calls, refused)
	}
}

// TestMetricsOfNodes: a worker tells what it is to a node and how the node is, before and after it takes the node over.
func TestMetricsOfNodes(t *testing.T) {
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "two")
	node, _ := c.answeredBy(t)
	w.measures(t, `tandem_node_up{node="%s"} 1`, `tandem_node_role{node="%s",role="owner"} 1`, `tandem_node_owner_info{node="%s",owner="worker1.`,
		`tandem_node_calls{node="%s"} 0`, `tandem_node_takeovers_total{how="start",node="%s"}`, `tandem_route_decisions_total{code="0",verdict="route"}`)(node)

	first := w.HTTPAddress
	second, err := w.startWorker(within(t), "worker2")
	must(t, err)
	secondAddress := w.HTTPAddress
	defer func() {
		must(t, w.restartWorker(within(t)))
		must(t, second.Stop(within(t)))
		must(t, w.awaitNodes(within(t)))
	}()
	w.measures(t, `tandem_node_role{node="%s",role="standby"} 1`, `tandem_node_owner_info{node="%s",owner="worker1.`)(node)
	callee := c.listen(t, "two", sipptest.Behaviour{})
	caller := c.call(t, "one", "102", sipptest.Call{Talk: 4 * time.Second})
	w.measures(t, `tandem_node_calls{node="%s"} 1`)(node) // the standby has it
	w.HTTPAddress = first
	w.measures(t, `tandem_node_calls{node="%s"} 1`)(node)
	must(t, w.worker.Stop(within(t)))
	w.HTTPAddress = secondAddress
	w.measures(t, `tandem_node_role{node="%s",role="owner"} 1`, `tandem_node_owner_info{node="%s",owner="worker2.`, `tandem_node_epoch{node="%s"} `,
		`tandem_node_takeovers_total{how="handover",node="%s"} 1`, `tandem_node_calls{node="%s"} 1`)(node)
	answered().want.check(t, w.story(t, succeed(t, caller, callee), 2))
	t.Log(w.metrics(t))
}

// metrics reads what the worker at HTTPAddress tells.
func (w *world) metrics(t *testing.T) string {
	t.Helper()
	request, err := http.NewRequestWithContext(within(t), http.MethodGet, "http://"+w.HTTPAddress+"/metrics", nil)
	must(t, err)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return string(body)
}

// measures waits until the metrics hold all of these lines, or beginnings of lines, for a node.
func (w *world) measures(t *testing.T, lines ...string) func(node string) {
	return func(node string) {
		t.Helper()
		for _, line := range lines {
			line = strings.ReplaceAll(line, "%s", node)
			awaitThat(t, "the metrics lack "+line, func(context.Context) (bool, error) {
				return strings.Contains(w.metrics(t), "\n"+line), nil
			})
		}
	}
}
