package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tandem/media"
	"tandem/messages"
	"tandem/postgres"
	"tandem/sipptest"
	"tandem/tenants"
)

// box is a voicemail element for a user, after which the call ends.
func box(user string, settings map[string]any) map[string]tenants.Element {
	all := map[string]any{"user": user, "silence_seconds": 3, "min_seconds": 1}
	for name, value := range settings {
		all[name] = value
	}
	return map[string]tenants.Element{
		"box":     element("voicemail", all, map[string]string{"kept": "goodbye", "none": "goodbye", "unavailable": "goodbye"}),
		"goodbye": element("hangup", map[string]any{"cause": "NORMAL_CLEARING"}, nil)}
}

// awaitMessages waits until a user's box holds so many messages whose sound is kept.
func (c *company) awaitMessages(t *testing.T, user string, n int) []postgres.RecordingRow {
	t.Helper()
	var rows []postgres.RecordingRow
	awaitThat(t, "the messages are not in the box", func(ctx context.Context) (bool, error) {
		var err error
		rows, err = c.w.Store.Messages(ctx, c.id, user, postgres.MessagePage{})
		kept := 0
		for _, r := range rows {
			if r.State == "kept" {
				kept++
			}
		}
		return kept >= n, err
	})
	if len(rows) != n {
		t.Errorf("the box holds %d messages, want %d: %+v", len(rows), n, rows)
	}
	for _, r := range rows {
		info, err := os.Stat(filepath.Join(c.w.mediaDir(), media.Kept(r.Hash)))
		if err != nil || info.Size() != r.Bytes {
			t.Errorf("the sound of %s: %v", r.ID, err)
		}
	}
	return rows
}

// noMessages fails if a user's box holds any message, heard of or not.
func (c *company) noMessages(t *testing.T, user, call string) {
	t.Helper()
	awaitThat(t, "the call's recordings are not filed", func(ctx context.Context) (bool, error) {
		rows, err := c.w.Store.RecordingsOf(ctx, call)
		for _, r := range rows {
			if r.State == "new" || r.State == "discard" {
				return false, err
			}
		}
		return true, err
	})
	rows, err := c.w.Store.Messages(within(t), c.id, user, postgres.MessagePage{})
	must(t, err)
	if len(rows) != 0 {
		t.Errorf("the box holds %+v", rows)
	}
}

// The way that most messages take: from outside, in opening hours, through a menu, to a group in which nobody answers.
func TestAMessageIsLeftWhenNobodyInTheGroupAnswers(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	must(t, w.Provisioning.SaveSchedule(within(t), c.id, tenants.Schedule{ID: "always", Name: "Always", Weekly: allWeek()}))
	elements := box("one", nil)
	group := ringing("at_once", 1, "two", "three")
	group.Exits = map[string]string{"no_answer": "box", "unavailable": "box"}
	elements["hours"] = element("hours", map[string]any{"schedule": "always"}, map[string]string{"open": "menu", "closed": "box"})
	elements["menu"] = element("menu", map[string]any{"prompt": "tone:menu", "seconds": 5}, map[string]string{"1": "group", "timeout": "box", "invalid": "box"})
	elements["group"] = group
	c.flow(t, c.number, "hours", elements)
	c.publish(t)
	c.register(t, "two", "three")
	two, three := c.listen(t, "two", sipptest.Behaviour{NeverAnswer: true}), c.listen(t, "three", sipptest.Behaviour{NeverAnswer: true})
	caller := w.incoming(t, "+12025550177", c.number, sipptest.Call{Digits: "1", DigitMode: sipptest.INFO, CalleeEnds: true})
	x := w.story(t, succeed(t, caller, two, three), 3)
	expected{Verdict: "The call was answered", Fault: messages.FaultCallee, Tells: []string{"hours_open", "menu_chosen", "ringing", "ring_no_answer", "exit_taken", "voicemail_greets",
		"voicemail_records", "voicemail_kept", "voicemail_thanks", "exit_taken", "call_ended"}, Legs: []leg{
		{Far: "carrier", Cause: "NORMAL_CLEARING", Answered: true, Fault: messages.FaultCallee}, {Far: "two-phone", Cause: "ALLOTTED_TIMEOUT", Fault: messages.FaultCallee},
		{Far: "three-phone", Cause: "ALLOTTED_TIMEOUT", Fault: messages.FaultCallee}}}.check(t, x)
	m := c.awaitMessages(t, "one", 1)[0]
	if m.From != "+12025550177" || m.Call != x.Call || m.HeardAt != nil || m.LengthMS < 2500 || m.LengthMS > 4500 {
		t.Errorf("the message: %+v", m)
	}
}

// What a caller has said when he hangs up is kept; who hangs up before the beep has said nothing.
func TestACallerHangsUpOnVoicemail(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		greeting string
		talk     time.Duration
		tells    []string
		messages int
	}{
		"during the greeting":      {"silence:20000", time.Second, []string{"voicemail_greets", "caller_hung_up"}, 0},
		"while he is recorded":     {"silence:100", 3 * time.Second, []string{"voicemail_records", "voicemail_kept", "caller_hung_up"}, 1},
		"after he said too little": {"silence:100", 900 * time.Millisecond, []string{"voicemail_records", "voicemail_too_short", "caller_hung_up"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := sharedWorld(t)
			c := w.company(t)
			c.flow(t, "400", "box", box("two", map[string]any{"greeting": row.greeting, "silence_seconds": 20}))
			c.publish(t)
			x := w.story(t, succeed(t, c.call(t, "one", "400", sipptest.Call{Talk: row.talk})), 1)
			expected{Verdict: "The call was answered", Tells: row.tells, Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)
			if row.messages == 0 {
				c.noMessages(t, "two", x.Call)
				return
			}
			c.awaitMessages(t, "two", row.messages)
		})
	}
}

// leave leaves a message of some seconds in a user's box, by the extension 400.
func (c *company) leave(t *testing.T, user string) postgres.RecordingRow {
	t.Helper()
	succeed(t, c.call(t, "one", "400", sipptest.Call{Talk: 3 * time.Second}))
	return c.awaitMessages(t, user, 1)[0]
}

// withBox is a company whose user two has a box with the PIN 4711: 400 leaves a message, 401 hears them.
func withBox(t *testing.T, w *world) *company {
	t.Helper()
	c := w.company(t)
	c.flow(t, "400", "box", box("two", map[string]any{"greeting": "silence:100", "silence_seconds": 20}))
	c.flow(t, "401", "check", map[string]tenants.Element{
		"check":   element("voicemail_check", map[string]any{"user": "two", "attempts": 2, "seconds": 3}, map[string]string{"done": "goodbye", "failed": "no", "unavailable": "later"}),
		"goodbye": element("hangup", map[string]any{"cause": "NORMAL_CLEARING"}, nil),
		"no":      element("play", map[string]any{"prompt": "silence:800"}, map[string]string{"next": "away"}), // a phone still keys
		"away":    element("hangup", map[string]any{"cause": "CALL_REJECTED"}, nil),
		"later":   element("hangup", map[string]any{"cause": "NORMAL_UNSPECIFIED"}, nil)})
	c.publish(t)
	must(t, w.Provisioning.SetPIN(within(t), c.id, "two", "4711"))
	return c
}

// pinWord is the PIN by itself: ids and times may hold its digits.
var pinWord = regexp.MustCompile(`\b4711\b`)

// A message is heard after the right PIN, marked as heard, and deleted the next time.
func TestAUserHearsHisMessages(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := withBox(t, w)
	m := c.leave(t, "two")
	// A star ends the counting of messages, as it ends every prompt.
	hear := func(keys string, tells ...string) {
		x := w.story(t, succeed(t, c.call(t, "one", "401", sipptest.Call{Digits: "4711#*" + keys, DigitMode: sipptest.INFO, DigitPause: 600 * time.Millisecond, CalleeEnds: true})), 1)
		expected{Verdict: "The call was answered", Tells: append([]string{"pin_asked", "pin_checked", "pin_right", "messages_counted", "message_played"}, tells...),
			Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)
		if entries, err := w.Store.JournalOf(within(t), x.Call); err != nil || pinWord.MatchString(journalText(entries)) {
			t.Errorf("the journal holds the PIN (%v)", err)
		}
	}
	hear("*", "messages_left", "messages_over", "call_ended")
	rows := c.awaitMessages(t, "two", 1)
	if rows[0].ID != m.ID || rows[0].HeardAt == nil {
		t.Errorf("after it was heard: %+v", rows[0])
	}
	hear("3", "message_deleted", "messages_over", "call_ended")
	c.noMessages(t, "two", m.Call)
}

// journalText is all that a journal keeps of a call.
func journalText(entries []messages.JournalEntry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%s %s %v\n", e.Input, e.Output, e.Because)
	}
	return b.String()
}

// Wrong PINs are refused, and five in a row lock the box for a while, the right one included.
func TestWrongPINsAreRefused(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := withBox(t, w)
	try := func(pins string, tells ...string) {
		x := w.story(t, succeed(t, c.call(t, "one", "401", sipptest.Call{Digits: pins, DigitMode: sipptest.INFO, CalleeEnds: true})), 1)
		expected{Verdict: "The call was answered", Tells: append(tells, "flow_hangs_up", "call_ended"),
			Legs: []leg{{Far: "one-phone", Cause: "CALL_REJECTED", Answered: true}}}.check(t, x)
	}
	try("1111#2222#", "pin_asked", "pin_wrong", "pin_asked", "pin_wrong", "pin_given_up")
	try("3333#4444#", "pin_wrong", "pin_wrong", "pin_given_up")
	try("5555#", "pin_locked")
	try("4711#", "pin_locked")
}

// A caller finds a user by the letters of his name, and is put through.
func TestACallerFindsAUserByName(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.flow(t, "411", "directory", map[string]tenants.Element{
		"directory": element("directory", map[string]any{"seconds": 3}, map[string]string{"found": "goodbye", "none": "goodbye", "timeout": "goodbye"}),
		"goodbye":   element("hangup", map[string]any{"cause": "NORMAL_CLEARING"}, nil)})
	c.publish(t)
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{HangUp: true, Talk: 2 * time.Second})
	// TWO is 896: "User two" is the one of three users.
	caller := c.call(t, "one", "411", sipptest.Call{Digits: "896#1", DigitMode: sipptest.INFO, DigitPause: 400 * time.Millisecond, CalleeEnds: true})
	expected{Verdict: "The call was answered", Tells: []string{"directory_asked", "directory_matched", "directory_offered", "directory_connects", "jumped", "ringing", "talking", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, w.story(t, succeed(t, caller, callee), 2))
}

// A call that is recorded has two records of legs and one recording, which lasts as long as the talk.
func TestACallIsRecorded(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.flow(t, "420", "record", map[string]tenants.Element{
		"record": element("record", map[string]any{}, map[string]string{"next": "ring", "unavailable": "ring"}), "ring": ringing("at_once", 10, "two")})
	c.publish(t)
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{HangUp: true, Talk: 2 * time.Second})
	x := w.story(t, succeed(t, c.call(t, "one", "420", sipptest.Call{CalleeEnds: true}), callee), 2)
	expected{Verdict: "The call was answered", Tells: []string{"recording_starts", "exit_taken", "ringing", "talking", "recording_kept", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)
	awaitThat(t, "the recording is not kept", func(ctx context.Context) (bool, error) {
		rows, err := w.Store.RecordingsOf(ctx, x.Call)
		if len(rows) > 1 {
			return false, fmt.Errorf("%d recordings", len(rows))
		}
		return len(rows) == 1 && rows[0].State == "kept" && rows[0].Kind == "call" && rows[0].LengthMS >= 2000, err
	})
	// It is listed, heard and deleted over the API.
	base := "/v1/tenants/" + c.id + "/recordings"
	var page struct{ Items []postgres.CallRecording }
	must(t, w.get(within(t), base+"?call="+x.Call, &page))
	if len(page.Items) != 1 || page.Items[0].State != "kept" {
		t.Fatalf("listed: %+v", page)
	}
	heard := w.ask(within(t), t, http.MethodGet, base+"/"+page.Items[0].ID+"/sound", "")
	sound, err := io.ReadAll(heard.Body)
	must(t, err)
	if heard.StatusCode != http.StatusOK || int64(len(sound)) != page.Items[0].Bytes || heard.Header.Get("Content-Type") != "audio/wav" {
		t.Errorf("heard: %s, %d bytes of %d", heard.Status, len(sound), page.Items[0].Bytes)
	}
	if gone := w.ask(within(t), t, http.MethodDelete, base+"/"+page.Items[0].ID, ""); gone.StatusCode != http.StatusNoContent {
		t.Errorf("deleted: %s", gone.Status)
	}
	if gone := w.ask(within(t), t, http.MethodGet, base+"/"+page.Items[0].ID+"/sound", ""); gone.StatusCode != http.StatusNotFound {
		t.Errorf("heard after it was deleted: %s", gone.Status)
	}
}
