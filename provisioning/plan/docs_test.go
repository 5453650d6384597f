package plan_test

import (
	"os"
	"strings"
	"testing"

	"tandem/callflows"
	"tandem/provisioning/plan"
)

func TestTheExampleInTheDocsIsRight(t *testing.T) {
	text, err := os.ReadFile("../../docs/plan.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, there := strings.Cut(string(text), "```yaml\n")
	example, _, closed := strings.Cut(rest, "```")
	if !there || !closed {
		t.Fatal("docs/plan.md has no example in YAML")
	}
	d, err := plan.Read([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	var owned []string
	for _, n := range d.Numbers {
		owned = append(owned, n.Number)
	}
	owned = append(owned, d.Users[0].Number)
	if faults := plan.Check(plan.Merge(plan.Document{}, d), owned); len(faults) > 0 {
		t.Errorf("it does not hold together: %v", faults)
	}
	for _, f := range d.Flows {
		if faults := callflows.Errors(callflows.CheckFlow(f, callflows.Around{})); len(faults) > 0 {
			t.Errorf("the flow %s has faults: %v", f.ID, faults)
		}
	}
	for _, section := range []string{"settings", "users", "user_settings", "voicemail_boxes", "devices", "whereabouts", "trunks", "outbound_routes", "schedules", "lists", "flows",
		"numbers", "routes", "blocked_callers"} {
		if !strings.Contains(example, "\n"+section+":") {
			t.Errorf("it does not show the section %s", section)
		}
	}
}
