package main

import (
	"strconv"
	"testing"
	"time"

	"tandem/sipptest"
	"tandem/tenants"
)

// account asks for an account, and goes on with the flow that rings the user two when it is the right one.
func account(name string) map[string]tenants.Element {
	return map[string]tenants.Element{
		"who": element("branch", map[string]any{"cases": []any{map[string]any{"exit": "hidden", "anonymous": true}, map[string]any{"exit": "here", "dialled": map[string]any{"begins_with": []string{"31"}}}}},
			map[string]string{"hidden": "refuse", "here": "wait"}),
		"refuse": element("respond", map[string]any{"code": 403}, nil),
		"wait":   element("sleep", map[string]any{"seconds": 1}, map[string]string{"next": "ask"}),
		"ask":    element("collect", map[string]any{"prompt": "tone:menu", "variable": "account", "min": 4, "max": 8, "attempts": 1}, map[string]string{"ok": "check", "timeout": "refuse", "invalid": "refuse"}),
		"check": element("branch", map[string]any{"cases": []any{map[string]any{"exit": "right", "variables": []any{map[string]any{"name": "account", "equals": []string{"4711"}}}}}},
			map[string]string{"right": "show", "otherwise": "refuse"}),
		"show": element("caller_id", map[string]any{"name": name}, map[string]string{"next": "go"}),
		"go":   element("jump", map[string]any{"flow": "user-two"}, nil),
	}
}

// A caller passes a branch, waits, keys an account that # ends, and is put through by another flow.
func TestAnAccountIsCollectedAndTheCallGoesOnWithAnotherFlow(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.flow(t, "310", "who", account("Account {var.account}"))
	c.publish(t)
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{HangUp: true, Talk: 2 * time.Second, Checks: []sipptest.Check{{Header: "From", Pattern: "Account 4711"}}})
	caller := c.call(t, "one", "310", sipptest.Call{Digits: "4711#", DigitMode: sipptest.INFO, CalleeEnds: true})
	expected{Verdict: "The call was answered", Tells: []string{"branch_rejected", "branch_matched", "sleep_rings", "sleeping", "answering", "collect_asked", "collected",
		"branch_matched", "caller_id_set", "jumped", "ringing", "talking", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, w.story(t, succeed(t, caller, callee), 2))
}

// Each code of respond is what the caller gets, with its Q.850 cause.
func TestAFlowRefusesWithASIPCode(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	codes := []struct {
		code        int
		cause, q850 string
	}{{403, "INCOMING_CALL_BARRED", "54"}, {404, "UNALLOCATED_NUMBER", "1"}, {410, "NUMBER_CHANGED", "22"}, {480, "NO_ANSWER", "19"},
		{484, "INVALID_NUMBER_FORMAT", "28"}, {486, "USER_BUSY", "17"}, {603, "CALL_REJECTED", "21"}}
	for _, row := range codes {
		c.flow(t, strconv.Itoa(row.code), "no", map[string]tenants.Element{"no": element("respond", map[string]any{"code": row.code}, nil)})
	}
	c.publish(t)
	for _, row := range codes {
		t.Run(strconv.Itoa(row.code), func(t *testing.T) {
			caller := c.call(t, "one", strconv.Itoa(row.code), sipptest.Call{Expect: row.code, Checks: []sipptest.Check{{Header: "Reason", Pattern: "Q.850;cause=" + row.q850 + ";"}}})
			expected{Verdict: "(SIP " + strconv.Itoa(row.code) + ", " + row.cause + ")", Tells: []string{"responded", "call_ended"},
				Legs: []leg{{Far: "one-phone", Cause: row.cause, Code: row.code}}}.check(t, w.story(t, succeed(t, caller), 1))
		})
	}
}
