package main

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/sipptest"
)

// TestALiveCallIsHeard: a supervisor's own phone rings, hears the talk of two others, and is let go when they are done. Both calls tell
// of it, the audit says who, and what cannot be is refused before anything rings.
func TestALiveCallIsHeard(t *testing.T) {
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "two", "three")
	talker := c.listen(t, "two", sipptest.Behaviour{Talk: 20 * time.Second})
	supervisor := c.listen(t, "three", sipptest.Behaviour{Checks: []sipptest.Check{{Header: "From", Pattern: "Listening"}}, Talk: 20 * time.Second})
	caller := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true})
	call := c.awaitTold(t, "talking")
	path := "/v1/calls/" + call + "/listen"
	for _, refused := range []struct {
		name   string
		body   map[string]any
		status int
		code   string
	}{
		{"a phone of the talk itself", map[string]any{"user": "two"}, http.StatusUnprocessableEntity, "hears_itself"},
		{"no such user", map[string]any{"user": "nobody"}, http.StatusUnprocessableEntity, "no_phone"},
		{"nobody is named", map[string]any{"mode": "listen"}, http.StatusUnprocessableEntity, "order_invalid"},
		{"a leg that is not there", map[string]any{"user": "three", "leg": "nowhere"}, http.StatusConflict, "nobody_talks"},
	} {
		if status, answer := askAPI(t, http.MethodPost, w.HTTPAddress, path, refused.body); status != refused.status || answer["code"] != refused.code {
			t.Errorf("%s: %d %v", refused.name, status, answer)
		}
	}
	status, answer := askAPI(t, http.MethodPost, w.HTTPAddress, path, map[string]any{"user": "three", "mode": "whisper", "by": "anna"})
	if status != http.StatusAccepted || answer["state"] != "ringing" {
		t.Fatalf("%d %v", status, answer)
	}
	listening, _ := answer["call"].(string)
	awaitThat(t, "nobody hears the talk", func(ctx context.Context) (bool, error) {
		x, err := explainCall(ctx, w.Store, w.words, call)
		return err == nil && strings.Contains(x.Text(), "hears the talk"), nil
	})
	w.says(t, []string{"The call is over."}, "call", "hangup", call)
	succeed(t, talker, caller, supervisor)
	expected{Verdict: "rang first was answered", Tells: []string{"call_ordered", "leg_answered", "summoned", "listen_looks", "eavesdrop_begins", "eavesdrop_over"},
		Legs: []leg{{Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, w.story(t, listening, 1))
	if did := c.audited(t, call); !slices.Contains(did, "whisper") {
		t.Errorf("the audit has %v", did)
	}
	if status, answer := askAPI(t, http.MethodPost, w.HTTPAddress, path, map[string]any{"user": "three"}); status != http.StatusConflict || answer["code"] != "call_over" {
		t.Errorf("afterwards: %d %v", status, answer)
	}
}

// TestALiveCallIsRecordedByOrder: from the order on until the other, and what was recorded is kept as one recording of the call.
func TestALiveCallIsRecordedByOrder(t *testing.T) {
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "two")
	talker := c.listen(t, "two", sipptest.Behaviour{Talk: 20 * time.Second})
	caller := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true})
	call := c.awaitTold(t, "talking")
	w.says(t, []string{"The call is recorded."}, "call", "record", call, "--by", "anna")
	w.says(t, []string{"The call is recorded."}, "call", "record", call, "--by", "anna") // asking twice is asking once
	awaitThat(t, "the call is not shown as recorded", func(context.Context) (bool, error) {
		_, live := askAPI(t, http.MethodGet, w.HTTPAddress, "/v1/calls/"+call, nil)
		return live["recorded"] == true, nil
	})
	w.says(t, []string{"not recorded any more"}, "call", "record", call, "--end")
	awaitThat(t, "the recording is not kept", func(context.Context) (bool, error) {
		_, page := askAPI(t, http.MethodGet, w.HTTPAddress, "/v1/tenants/"+c.id+"/recordings?call="+call, nil)
		items, _ := page["items"].([]any)
		return len(items) == 1, nil
	})
	w.says(t, []string{"The call is over."}, "call", "hangup", call)
	succeed(t, talker, caller)
	x := w.story(t, call, 2)
	for _, code := range []string{"record_ordered", "record_end_ordered", "recording_kept"} {
		n := 0
		for _, line := range x.Lines {
			if line.Code == code {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is told %d times\n%s", code, n, x.Text())
		}
	}
	if did := c.audited(t, call); !slices.Contains(did, "record") || !slices.Contains(did, "record_end") {
		t.Errorf("the audit has %v", did)
	}
}

// audited lists what the audit says was done to a call.
func (c *company) audited(t *testing.T, call string) (did []string) {
	t.Helper()
	_, page := askAPI(t, http.MethodGet, c.w.HTTPAddress, "/v1/tenants/"+c.id+"/audit?object=calls&object_id="+call, nil)
	items, _ := page["items"].([]any)
	for _, item := range items {
		var entry struct {
			Newest bool
			Actor  string
			After  struct{ Did string }
		}
		body, err := json.Marshal(item)
		must(t, err)
		must(t, json.Unmarshal(body, &entry))
		if entry.Newest || entry.Actor == "" {
			t.Errorf("what was done to a call cannot be undone, and has somebody who did it: %+v", entry)
		}
		did = append(did, entry.After.Did)
	}
	return did
}
