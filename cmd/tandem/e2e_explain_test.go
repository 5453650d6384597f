package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"tandem/explain"
	"tandem/provisioning"
	"tandem/sipptest"
)

// tandem runs the command line in a process of its own, as an operator does.
func (w *world) tandem(t *testing.T, arguments ...string) string {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(within(t), self, arguments...)
	cmd.Env = append(os.Environ(), asTandem, "TANDEM_POSTGRES_URL="+w.postgresURL)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("tandem %q: %v\n%s%s", arguments, err, out.String(), complaints.String())
	}
	return out.String()
}

// codes are the reasons of an explanation up to the moment at which people talk.
func codes(t *testing.T, text string) []string {
	t.Helper()
	var x explain.Explanation
	must(t, json.Unmarshal([]byte(text), &x))
	var all []string
	for _, l := range x.Lines {
		all = append(all, l.Code)
		if l.Code == "talking" {
			break
		}
	}
	return all
}

// TestDemoTenantIsExplained: the demo tenant's menu, as a call and as a dry run of the same question, tell the same; and
// the command line and the API tell of the call what the test reads itself.
func TestDemoTenantIsExplained(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	demo, err := w.Provisioning.Demo(within(t))
	must(t, err)
	w.awaitRevision(t)
	phone := func(i int) *sipptest.Phone {
		p := demo.Phones[i]
		return &sipptest.Phone{Edge: w.Edge, User: p.Device.Username, Domain: p.Domain, Password: p.Password, Address: "127.0.2.1"}
	}
	caller, sales := phone(0), phone(1)
	must(t, sales.Register(within(t), sipptest.Registration{}))
	must(t, w.awaitRegistered(within(t), sales.User, sales.Domain))
	callee := listen(t, sales, sipptest.Behaviour{})
	id := succeed(t, dial(t, caller, provisioning.DemoMenu, sipptest.Call{Digits: "1"}), callee)
	x := w.story(t, id, 2)
	expected{Verdict: "The call was answered", Tells: []string{"caller_device", "menu_asked", "menu_chosen", "device_not_registered", "ringing", "talking", "call_ended"}, Legs: []leg{
		{Far: "reception-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "sales-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)

	told := w.tandem(t, "explain", x.Call)
	for _, line := range x.Lines {
		if !strings.Contains(told, line.Words) {
			t.Errorf("tandem explain does not say %q:\n%s", line.Words, told)
		}
	}
	var api explain.Explanation
	must(t, w.get(within(t), "/v1/calls/"+x.Call+"/explanation", &api))
	if api.Verdict != x.Verdict || len(api.Lines) != len(x.Lines) || len(api.Legs) != len(x.Legs) {
		t.Errorf("the API tells %+v, want %+v", api, x)
	}
	made := codes(t, w.tandem(t, "explain", "--json", x.Call))
	dry := codes(t, w.tandem(t, "explain", "--json", "--from", caller.User+"@"+caller.Domain, "--to", provisioning.DemoMenu, "--digits", "1"))
	if !slices.Equal(made, dry) {
		t.Errorf("the call tells\n%q, the dry run\n%q", made, dry)
	}

	var replayed replayReport // the draft is what is published
	must(t, json.Unmarshal([]byte(w.tandem(t, "replay", "--tenant", provisioning.DemoTenantID, "--since", "1h", "--draft", "--json")), &replayed))
	if s := replayed.Summary; s.Same == 0 || s.Different+s.Unfaithful != 0 {
		t.Errorf("of the demo tenant's calls %d go the same, %d differently, %d cannot be judged: %s", s.Same, s.Different, s.Unfaithful, groupsOf(t, s))
	}
}
