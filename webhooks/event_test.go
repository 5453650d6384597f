package webhooks

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tandem/messages"
)

func TestEachTypeHasAnExampleThatItsFieldsAllow(t *testing.T) {
	form := regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)+$`)
	for _, kind := range Types() {
		if err := Check(kind.Name, []byte(kind.Example)); err != nil {
			t.Error(err)
		}
		if !form.MatchString(kind.Name) || kind.Words == "" || kind.Subject == "" || !Known(kind.Name) {
			t.Errorf("%s is not described", kind.Name)
		}
		schema, err := json.Marshal(kind.Schema())
		if err != nil || !bytes.Contains(schema, []byte(`"const":"`+kind.Name+`"`)) {
			t.Errorf("%s: %s, %v", kind.Name, schema, err)
		}
	}
}

func TestCheckSeesWhatIsWrong(t *testing.T) {
	for _, bad := range []string{`{}`, `{"webhook":1}`, `{"webhook":"a","more":1}`, `[]`, ``} {
		if Check(Test, []byte(bad)) == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	if Check("call.sung", []byte(`{}`)) == nil || Known("call.sung") {
		t.Error("a type that is not there is taken")
	}
}

// Whatever order the words of a call come in, each moment is told once, in order, and as its type says.
func TestMomentsAreToldOnceAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answered, ended := vectorAt.Add(time.Second), vectorAt.Add(time.Minute)
		c := Call{ID: "c", Tenant: "acme", StartedAt: vectorAt}
		var told []string
		words := []func(){
			func() { c.OnNode = true },
			func() { c.OnNode, c.AnsweredAt = true, &answered },
			func() { c.Cause, c.Fault, c.EndedAt = "NORMAL_CLEARING", "none", &ended },
			func() { c.Over = true },
		}
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(words)-1), 0, 12).Draw(t, "words") {
			words[i]()
			events, now := c.Moments()
			c.Told = now
			for _, e := range events {
				told = append(told, e.Type)
				if err := Check(e.Type, e.Data); err != nil {
					t.Fatal(err)
				}
			}
		}
		all := strings.Join(told, " ")
		want := ""
		over := c.Over && c.Cause != ""
		switch {
		case over && (c.AnsweredAt == nil || !strings.Contains(all, CallAnswered)):
			want = CallStarted + " " + CallEnded // an answer that was heard of after the end is not told
		case over:
			want = CallStarted + " " + CallAnswered + " " + CallEnded
		case c.AnsweredAt != nil:
			want = CallStarted + " " + CallAnswered
		case c.OnNode:
			want = CallStarted
		}
		if all != want {
			t.Fatalf("told %q, want %q", all, want)
		}
	})
}

func TestACallOfNoTenantIsToldToNobody(t *testing.T) {
	at := vectorAt
	if events, _ := (Call{ID: "c", StartedAt: at, EndedAt: &at, Cause: "X", Over: true, OnNode: true}).Moments(); events != nil {
		t.Error(events)
	}
}

func TestEventsSayWhatTheirTypesPromise(t *testing.T) {
	answered := vectorAt.Add(1500 * time.Millisecond)
	for _, e := range []Event{
		LegEnded(messages.CDR{Leg: "l", Call: "c", Tenant: "acme", Role: messages.RoleCallee, From: "1", To: "2", StartedAt: vectorAt, AnsweredAt: &answered,
			EndedAt: vectorAt.Add(4 * time.Second), Cause: "NORMAL_CLEARING", Q850: 16, Fault: messages.FaultNone, Device: "d", Trunk: "t"}),
		LegEnded(messages.CDR{Leg: "c", Call: "c", Tenant: "acme", Role: messages.RoleCaller, From: "\x00\"", StartedAt: vectorAt, EndedAt: vectorAt, SIPCode: 404, Cause: "NO", Fault: messages.FaultCaller, Estimated: true}),
		Published("acme", 3, "anna", "", vectorAt), TestOf("acme", "w", vectorAt),
	} {
		if err := Check(e.Type, e.Data); err != nil {
			t.Error(err)
		}
		e.ID = "evt_1"
		body, err := e.Body()
		again, _ := e.Body()
		if err != nil || !bytes.Equal(body, again) || !json.Valid(body) {
			t.Errorf("%s: %s, %v", e.Type, body, err)
		}
	}
}

func TestTargets(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, good := range []string{"https://example.com", "https://example.com/hooks?x=1", "https://example.com:8443/", "https://93.184.216.34/h", "https://1.example"} {
		if err := Target(good, nil); err != nil {
			t.Errorf("%s %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "example.com", "http://example.com", "ftp://example.com", "https://", "https://user:word@example.com", "https://example.com/#x", "https://localhost", "https://LOCALHOST./",
		"https://127.0.0.1", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://10.1.2.3", "https://169.254.169.254/latest", "https://2130706433/", "https://127.1/", "https://0x7f.1/", "https://0x7f000001",
		"https://metadata.google.internal/", "https://printer.local", "https://intranet/", "https://example.com:22/", "https://example.com:0999/", "https://exa mple.com", "https://ex\x00.com", "javascript:alert(1)",
		"https://example.com/" + strings.Repeat("x", MaxURL),
	} {
		if Target(bad, nil) == nil {
			t.Errorf("%.60q is taken", bad)
		}
	}
	for url, want := range map[string]bool{"http://127.0.0.1:8080/h": true, "https://127.0.0.1/": true, "http://10.0.0.1/": false, "http://localhost/": false, "ftp://127.0.0.1/": false} {
		if err := Target(url, loopback); (err == nil) != want {
			t.Errorf("%s with loopback allowed: %v", url, err)
		}
	}
}

func FuzzTarget(f *testing.F) {
	f.Add("https://example.com/h")
	f.Add("https://[::ffff:7f00:1]/")
	f.Fuzz(func(t *testing.T, raw string) {
		if Target(raw, nil) == nil && (!strings.HasPrefix(strings.ToLower(raw), "https://") || len(raw) > MaxURL || strings.Contains(raw, "@") && !strings.ContainsAny(raw[8:strings.IndexByte(raw, '@')], "/?")) {
			t.Errorf("%q is taken", raw)
		}
	})
}

const pageFile = "../docs/webhooks.md"

func TestThePageOfWebhooksIsUpToDate(t *testing.T) {
	body, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(body) != Page() {
		t.Error("docs/webhooks.md is not what package webhooks declares: make docs writes it anew")
	}
}
