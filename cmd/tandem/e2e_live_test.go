package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem/messages"
	"tandem/provisioning"
	"tandem/sipptest"
	"tandem/stack"
)

// gauge reads one of a worker's metrics.
func gauge(ctx context.Context, address, name string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "tandem_"+name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("no metric %s", name)
}

// awaitFigures waits until a worker knows so many live calls and dialogs.
func awaitFigures(t *testing.T, address string, calls, dialogs float64) {
	t.Helper()
	var c, d float64
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := await(ctx, "it does not know all calls", func(ctx context.Context) (ok bool, err error) {
		if c, err = gauge(ctx, address, "directory_calls"); err != nil {
			return false, err
		}
		d, err = gauge(ctx, address, "directory_dialogs")
		return c == calls && d == dialogs, err
	})
	if err != nil {
		t.Fatalf("%v calls and %v dialogs, want %v and %v: %v", c, d, calls, dialogs, err)
	}
}

// startAs starts a worker with some of the roles and gives the address of its API.
func (w *world) startAs(t *testing.T, name string, roles ...string) (*stack.Process, string) {
	t.Helper()
	command, err := w.workerCommand(name)
	must(t, err)
	command.Environment = append(command.Environment, "TANDEM_ROLES="+strings.Join(roles, ","))
	command.Ready = serving("http://" + w.HTTPAddress + "/health")
	p, err := w.stack.Launch(within(t), command)
	must(t, err)
	return p, w.HTTPAddress
}

// overLimit is how a call beyond a limit of one is refused.
func (c *company) overLimit(t *testing.T) {
	t.Helper()
	refused := c.call(t, "three", "102", sipptest.Call{Expect: 486, Checks: reason("17")})
	expected{Verdict: "(SIP 486, USER_BUSY): " + c.name + " has 1 call up, and its limit is 1.", Fault: messages.FaultTenant,
		Tells: []string{"tenant_over_limit"}, Legs: []leg{{Far: "three-phone", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultTenant}},
	}.check(t, c.w.story(t, succeed(t, refused), 1))
}

// TestAWorkerThatStartsDuringCallsKnowsThem: a worker that has seen nothing of a call counts it, so that its tenant's limit
// holds; one that may have to carry it on knows the dialogs of both legs. So does one whose owner has died meanwhile, and a
// whole new set of workers reads them from the node.
func TestAWorkerThatStartsDuringCallsKnowsThem(t *testing.T) {
	t.Run("stand-in", func(t *testing.T) { startsDuringCalls(t, worldOptions{Name: "live"}) })
	t.Run("FreeSWITCH", func(t *testing.T) {
		where, found := stack.FindFreeSWITCH()
		if !found || stack.IsAddress(where) {
			t.Skip("no FreeSWITCH on this machine: set TANDEM_FREESWITCH to the path of its binary")
		}
		startsDuringCalls(t, worldOptions{Name: "live-freeswitch", FreeSWITCH: where})
	})
}

func startsDuringCalls(t *testing.T, o worldOptions) {
	const talk = 18 * time.Second
	o.Nodes, o.NoWorker = 1, true
	w, err := newWorld(within(t), t, stack.ForTest(t), o)
	must(t, err)
	w.tellOnFailure(t)
	owner, ownerAddress := w.startAs(t, "owner", roleCalls, roleJobs, roleAPI)
	first, _ := w.startAs(t, "router1", roleRoute, roleAPI)
	must(t, w.awaitNodes(within(t)))
	c := w.company(t)
	must(t, w.Provisioning.SetMaxCalls(within(t), c.id, 1))
	c.publish(t)
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{Patience: 2 * talk})
	caller := c.call(t, "one", "102", sipptest.Call{Talk: talk})
	c.awaitTold(t, "talking")
	awaitFigures(t, ownerAddress, 1, 2)

	must(t, first.Kill())
	router, routerAddress := w.startAs(t, "router2", roleRoute, roleAPI)
	must(t, w.awaitNodes(within(t)))
	c.overLimit(t)
	awaitFigures(t, routerAddress, 1, 0) // who carries no calls on needs no dialogs

	standby, standbyAddress := w.startAs(t, "standby", roleCalls, roleJobs, roleAPI)
	awaitFigures(t, standbyAddress, 1, 2)
	must(t, owner.Kill())
	c.overLimit(t)
	awaitFigures(t, standbyAddress, 1, 2)

	must(t, standby.Kill())
	must(t, router.Kill())
	_, routerAddress = w.startAs(t, "router3", roleRoute, roleAPI)
	_, heirAddress := w.startAs(t, "heir", roleCalls, roleJobs, roleAPI)
	must(t, w.awaitNodes(within(t)))
	awaitFigures(t, heirAddress, 1, 2)
	awaitFigures(t, routerAddress, 1, 0)
	c.overLimit(t)

	answered().want.check(t, w.story(t, succeed(t, caller, callee), 2))
	awaitFigures(t, heirAddress, 0, 0)
	awaitFigures(t, routerAddress, 0, 0)
	callee = c.listen(t, "two", sipptest.Behaviour{})
	answered().want.check(t, w.story(t, succeed(t, c.call(t, "one", "102", sipptest.Call{}), callee), 2))
}

// TestALimitHoldsOverTwoWorkers: whichever of two workers decides, the calls that the other has let pass count.
func TestALimitHoldsOverTwoWorkers(t *testing.T) {
	s := stack.ForTest(t)
	w, err := newWorld(within(t), t, s, worldOptions{Name: "limits", Nodes: 1, NoWorker: true})
	must(t, err)
	w.tellOnFailure(t)
	all := []string{roleRoute, roleCalls, roleJobs, roleAPI}
	_, one := w.startAs(t, "one", all...)
	_, two := w.startAs(t, "two", all...)
	must(t, w.awaitNodes(within(t)))
	c := w.company(t)
	must(t, w.Provisioning.SetMaxCalls(within(t), c.id, 1))
	c.publish(t)
	c.register(t, "two")
	for range 2 {
		callee := c.listen(t, "two", sipptest.Behaviour{})
		caller := c.call(t, "one", "102", sipptest.Call{Talk: 5 * time.Second})
		awaitFigures(t, one, 1, 2)
		awaitFigures(t, two, 1, 2)
		for range 4 { // requests go to the workers in turn
			c.overLimit(t)
		}
		answered().want.check(t, w.story(t, succeed(t, caller, callee), 2))
		awaitFigures(t, one, 0, 0)
		awaitFigures(t, two, 0, 0)
	}
}

// TestAResellersLimitHoldsOverItsCustomersAndWorkers: whichever of two workers decides, the calls of one customer count for the other.
// Emergency calls pass, and so does who is nobody's customer.
func TestAResellersLimitHoldsOverItsCustomersAndWorkers(t *testing.T) {
	w, err := newWorld(within(t), t, stack.ForTest(t), worldOptions{Name: "resellers", Nodes: 1, NoWorker: true})
	must(t, err)
	w.tellOnFailure(t)
	all := []string{roleRoute, roleCalls, roleJobs, roleAPI}
	_, one := w.startAs(t, "one", all...)
	_, two := w.startAs(t, "two", all...)
	must(t, w.awaitNodes(within(t)))
	reseller := w.company(t, func(n *provisioning.NewTenant) { n.Kind = provisioning.KindReseller })
	below := func(n *provisioning.NewTenant) { n.Parent = reseller.id }
	ada, bob, nobodys := w.company(t, below), w.company(t, below), w.company(t)
	must(t, w.Provisioning.SetMaxCalls(within(t), reseller.id, 1))
	must(t, w.Provisioning.SetMaxCalls(within(t), ada.id, 5))
	for _, c := range []*company{reseller, ada, bob, nobodys} {
		c.publish(t)
		c.register(t, "two")
	}
	callee := ada.listen(t, "two", sipptest.Behaviour{Patience: patience})
	caller := ada.call(t, "one", "102", sipptest.Call{Talk: 8 * time.Second})
	awaitFigures(t, one, 1, 2)
	awaitFigures(t, two, 1, 2)
	for range 4 { // requests go to the workers in turn
		refused := bob.call(t, "three", "102", sipptest.Call{Expect: 486, Checks: reason("17")})
		expected{Verdict: "(SIP 486, USER_BUSY): " + reseller.name + ", whose customer " + bob.name + " is, has 1 call up with all its customers, and its limit is 1.", Fault: messages.FaultTenant,
			Tells: []string{"route_found", "reseller_over_limit"}, Legs: []leg{{Far: "three-phone", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultTenant}},
		}.check(t, w.story(t, succeed(t, refused), 1))
	}
	succeed(t, reseller.call(t, "three", "102", sipptest.Call{Expect: 486})) // its own are among them
	bob.emergency(t)
	free := nobodys.listen(t, "two", sipptest.Behaviour{})
	succeed(t, nobodys.call(t, "one", "102", sipptest.Call{}), free)
	answered().want.check(t, w.story(t, succeed(t, caller, callee), 2))
	awaitFigures(t, one, 0, 0)
	awaitFigures(t, two, 0, 0)
	callee = bob.listen(t, "two", sipptest.Behaviour{})
	answered().want.check(t, w.story(t, succeed(t, bob.call(t, "one", "102", sipptest.Call{}), callee), 2))
}
