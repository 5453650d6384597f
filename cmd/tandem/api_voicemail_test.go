package main

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"tandem/messages"
)

// leftBefore puts messages into a user's box that were left a while ago, one each minute, without a sound.
func (c *company) leftBefore(t *testing.T, user string, n int) {
	t.Helper()
	var all []messages.Recording
	for i := range n {
		r, ok := messages.ParseRecordingFile(messages.RecordingFile(messages.RecordingVoicemail, c.id, user, fmt.Sprintf("%s-call%d", c.id, i), 3))
		if !ok {
			t.Fatal("not the name of a recording")
		}
		r.Leg, r.From, r.FromName, r.LengthMS, r.At = "leg", "+12025550177", "Evil \x1b[2J\u202e", 4200, time.Now().Add(-time.Duration(i)*time.Minute)
		all = append(all, r)
	}
	_, err := c.w.Store.InsertRecordings(within(t), all)
	must(t, err)
}

// Messages are listed in pages, shown, marked and deleted by command and HTTP; what cannot be is told as a problem.
func TestMessagesByCommandAndHTTP(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := withBox(t, w)
	c.leftBefore(t, "two", 5)
	path := "/v1/tenants/" + c.id + "/voicemail/two"
	var seen []string
	for cursor, pages := "", 0; pages < 3; pages++ {
		status, answer := askAPI(t, http.MethodGet, w.HTTPAddress, path+"/messages?limit=2&cursor="+url.QueryEscape(cursor), nil)
		if status != http.StatusOK {
			t.Fatalf("page %d: %d %v", pages, status, answer)
		}
		for _, m := range answer["messages"].([]any) {
			seen = append(seen, m.(map[string]any)["id"].(string))
		}
		cursor, _ = answer["next"].(string)
		if (cursor == "") != (pages == 2) {
			t.Errorf("page %d: next is %q", pages, cursor)
		}
	}
	if len(seen) != 5 || seen[0] != c.id+"-call0.3" || seen[4] != c.id+"-call4.3" {
		t.Errorf("listed are %v", seen)
	}
	for query, code := range map[string]string{"/v1/tenants/nobody/voicemail": "tenant_unknown", path + "x/messages": "box_unknown", path + "/messages/gone.1": "message_unknown",
		path + "/messages?limit=0": "limit_out_of_range", path + "/messages?cursor=x": "cursor_invalid", path + "/messages/gone.1/sound": "message_unknown"} {
		if status, answer := askAPI(t, http.MethodGet, w.HTTPAddress, query, nil); status < 400 || answer["code"] != code {
			t.Errorf("%s: %d %v", query, status, answer)
		}
	}
	if status, answer := askAPI(t, http.MethodPost, w.HTTPAddress, path+"/messages/"+seen[1]+"/heard", struct{}{}); status != http.StatusOK || answer["heard_at"] == nil {
		t.Errorf("marked as heard: %d %v", status, answer)
	}
	for pin, want := range map[string]int{"1234": 422, "12": 422, "0000": 422, "1590": 200} {
		if status, answer := askAPI(t, http.MethodPost, w.HTTPAddress, path+"/pin", map[string]string{"pin": pin}); status != want || fmt.Sprint(answer["detail"]) == pin {
			t.Errorf("the PIN %s: %d %v", pin, status, answer)
		}
	}
	w.says(t, []string{"102", "User two", "4", "1"}, "voicemail", "boxes", c.id)
	w.says(t, []string{seen[0], "4.2", "Evil ?[2J?", "new", "heard", "--cursor "}, "voicemail", "list", c.id, "102", "--limit", "2")
	w.says(t, []string{"4.2 seconds: new", "tandem explain " + c.id + "-call0"}, "voicemail", "show", c.id, "two", seen[0])
	w.says(t, []string{"The message is deleted."}, "voicemail", "delete", c.id, "two", seen[0])
	if status, _ := askAPI(t, http.MethodGet, w.HTTPAddress, path+"/messages/"+seen[0], nil); status != http.StatusNotFound {
		t.Errorf("a deleted message: %d", status)
	}
}

// The sound of a message is given as the node wrote it.
func TestTheSoundOfAMessage(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := withBox(t, w)
	m := c.leave(t, "two")
	request, err := http.NewRequestWithContext(within(t), http.MethodGet, "http://"+w.HTTPAddress+"/v1/tenants/"+c.id+"/voicemail/two/messages/"+viewOfMessage(m).ID+"/sound", nil)
	must(t, err)
	request.Header.Set("Authorization", "Bearer "+testOperatorKey)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.ContentLength != m.Bytes || response.Header.Get("Content-Type") != "audio/wav" {
		t.Errorf("%s, %d bytes of %d, %s", response.Status, response.ContentLength, m.Bytes, response.Header.Get("Content-Type"))
	}
}
