package main

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"tandem/sipptest"
	"tandem/tenants"
)

// furnish gives the company what the pages of voicemail, recordings, sounds and opening hours are about: a message that a phone has left, a
// talk that was recorded, a prompt that a flow plays, and a schedule.
func (a *adminWorld) furnish() {
	t, c := a.t, a.c
	t.Helper()
	weekdays := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	must(t, a.Provisioning.SaveSchedule(within(t), c.id, tenants.Schedule{ID: "office", Name: "Office", Weekly: []tenants.Hours{{Days: weekdays, From: 9 * 60, Until: 12 * 60}, {Days: weekdays[:4], From: 13 * 60, Until: 17 * 60}},
		Dates: []tenants.Date{{Date: "2026-12-25", Name: "Christmas Day"}}}))
	must(t, a.Provisioning.SaveList(within(t), c.id, tenants.List{ID: "blocked", Name: "Blocked callers", Entries: []string{"+12025550199", "+12025550198"}}))
	request, err := http.NewRequestWithContext(within(t), http.MethodPost, "http://"+a.HTTPAddress+"/v1/tenants/"+c.id+"/media?name=welcome&language=en&kind=prompt", bytes.NewReader(soundOf(2*time.Second)))
	must(t, err)
	request.Header.Set("Authorization", "Bearer "+a.operatorKey)
	request.Header.Set("Content-Type", "audio/wav")
	answer, err := http.DefaultClient.Do(request)
	must(t, err)
	must(t, answer.Body.Close())
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("the prompt: %s", answer.Status)
	}
	for path, body := range map[string]member{
		"/v1/tenants/" + c.id + "/portings": {"direction": "in", "carrier": "Other Telecom", "subscriber": "Harbour Dental", "account": "4711-22", "numbers": []string{"+493012340001", "+493012340002"}, "wanted_on": time.Now().AddDate(0, 1, 0).Format(time.DateOnly)},
		"/v1/tenants":                       {"id": "new", "name": "Newcomer", "domain": "new.example"},
	} {
		if status, _, text := a.request(t, "POST", path, body); status != http.StatusCreated && status != http.StatusConflict {
			t.Fatalf("%s: %d %s", path, status, text)
		}
	}
	goodbye := element("hangup", map[string]any{"cause": "NORMAL_CLEARING"}, nil)
	c.flow(t, "420", "record", map[string]tenants.Element{
		"record": element("record", map[string]any{}, map[string]string{"next": "ring", "unavailable": "ring"}), "ring": ringing("at_once", 10, "one")})
	c.flow(t, "421", "box", box("one", nil))
	c.flow(t, "422", "hours", map[string]tenants.Element{"hours": element("hours", map[string]any{"schedule": "office"}, map[string]string{"open": "welcome", "closed": "welcome"}),
		"welcome": element("play", map[string]any{"prompt": "welcome"}, map[string]string{"next": "goodbye"}), "goodbye": goodbye})
	c.publish(t)
	succeed(t, c.call(t, "three", "420", sipptest.Call{Talk: time.Second}), c.listen(t, "one", sipptest.Behaviour{Talk: time.Second}))
	succeed(t, c.call(t, "three", "421", sipptest.Call{CalleeEnds: true}))
	c.awaitMessages(t, "one", 1)
}

// What a tenant's admin does with voicemail, recordings, sounds, hours, lists, papers and looks; then who sees what of it.
func TestTheAdminInABrowserPages(t *testing.T) {
	a := newAdminWorld(t)
	a.furnish()
	people := "/v1/tenants/" + a.c.id + "/people"
	for _, p := range []struct {
		path   string
		person member
	}{{"/v1/people", member{"name": "Support", "role": "support"}}, {people, member{"name": "Reseller", "role": "reseller"}}, {people, member{"name": "User", "role": "user", "user": "one"}}} {
		p.person["email"], p.person["password"] = p.person["role"].(string)+"@"+a.c.domain, adminPassword
		if status, _, text := a.request(t, "POST", p.path, p.person); status != http.StatusCreated {
			t.Fatalf("%s: %d %s", p.path, status, text)
		}
	}
	a.browse("pages.mjs")
	a.browse("roles.mjs")
}
