package explain

import (
	"regexp"
	"strings"
	"testing"

	"tandem/because"
	"tandem/messages"
)

var namedArgument = regexp.MustCompile(`\{(\w+)`)

func TestAdviceIsForReasonsThatThereAre(t *testing.T) {
	words, err := Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for code, a := range advised() {
		template, known := words[code]
		if !known {
			t.Errorf("%s is no reason", code)
		}
		for _, name := range namedArgument.FindAllString(a.Words, -1) {
			if !strings.Contains(template, name) {
				t.Errorf("%s has no argument %s}", code, name)
			}
		}
	}
	for code := range words {
		if _, has := advised()[code]; has && kindOf(code) == "" && code != "hours_closed" && code != "exit_leads_nowhere" && code != "menu_without_choices" {
			t.Errorf("%s has advice and is no failure", code)
		}
	}
}

func TestAFailedCallIsAdvisedByWhatDecidedItLast(t *testing.T) {
	words, err := Catalog()
	if err != nil {
		t.Fatal(err)
	}
	failed := messages.CDR{Leg: "a", Role: messages.RoleCaller, SIPCode: 480, Cause: "NO_USER_RESPONSE", Fault: messages.FaultCallee}
	story := []messages.JournalEntry{{Source: messages.SourceRouting, Output: []byte(`{"flow_id":"main"}`)},
		{Source: messages.SourceCallflow, Because: []because.Reason{because.New("hours_closed", "schedule", "Hours"), because.New("device_not_registered", "device", "Desk"), because.New("call_ended")}}}
	x := Call(words, "c", story, []messages.CDR{failed})
	if len(x.Advice) != 2 || !strings.Contains(x.Advice[0].Words, "Check that Desk") || x.Advice[1].About != "schedule" || x.Flow != "main" {
		t.Errorf("advised: %+v, flow %s", x.Advice, x.Flow)
	}
	if x.Lines[1].Kind != Rejected || x.Lines[2].Kind != Ending {
		t.Errorf("kinds: %+v", x.Lines)
	}
	answered := failed.StartedAt
	failed.AnsweredAt, failed.Fault = &answered, messages.FaultNone
	if x := Call(words, "c", story, []messages.CDR{failed}); len(x.Advice) != 0 {
		t.Errorf("a call that went well is advised: %+v", x.Advice)
	}
}
