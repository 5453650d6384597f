package webhooks

import (
	"fmt"
	"strings"
	"time"
)

// Page is docs/webhooks.md: what receivers read, with the types of events and the bounds as the code has them.
func Page() string {
	var p strings.Builder
	line := func(format string, values ...any) { fmt.Fprintf(&p, format+"\n", values...) }
	line("# Webhooks and the event stream")
	line("Tandem tells a tenant's own programs what happens: by a request to a URL of theirs (a webhook), or by a stream that they read. Both tell the same events. This page is made by `tandem events` from what the code declares; a test holds it up to date.")
	line("")
	line("## A message")
	line("A webhook gets each event as `POST` with a JSON body, signed as [Standard Webhooks](https://www.standardwebhooks.com) 1.0.0 says, so that a library for it can check the signature:")
	line("")
	line("```")
	line("POST /hooks HTTP/1.1")
	line("content-type: application/json")
	line("%s: evt_0f7c3b5a9d1e4c2f8a6b7d9e0c1f2a3b", HeaderID)
	line("%s: 1772443864", HeaderTimestamp)
	line("%s: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=", HeaderSignature)
	line("")
	line(`{"id":"evt_0f7c3b5a9d1e4c2f8a6b7d9e0c1f2a3b","type":"device.registered","timestamp":"2026-03-02T09:31:04Z","tenant":"acme","data":{"device":"desk-1","username":"anna","domain":"acme.example"}}`)
	line("```")
	line("- `%s` is the event's id, the same in each attempt, at each webhook and when it is sent again. An event may come more than once: keep the ids that you have taken.", HeaderID)
	line("- `%s` is when the attempt was made, `timestamp` in the body when it happened.", HeaderTimestamp)
	line("- `%s` has one signature for each secret that is valid, separated by spaces: `v1,` and the base64 of HMAC-SHA256 over `ID.TIMESTAMP.BODY`. The key is what follows `whsec_` in the secret, in base64. Refuse messages whose timestamp is more than %s from your clock, and compare signatures in constant time.", HeaderSignature, minutes(Tolerance))
	line("- A secret that was replaced signs beside the new one for %s.", hours(OldSecretFor))
	line("")
	line("## Delivery")
	line("Any answer 2xx within %s takes the message; redirects are not followed. Anything else is tried again:", inSeconds(AttemptFor))
	line("")
	line("| attempt | pause before it | since the first |")
	line("|---|---|---|")
	total := time.Duration(0)
	for i, d := range Delays() {
		total += d
		line("| %d | %s | %s |", i+1, d, total)
	}
	line("")
	line("- Each pause is up to %d %% longer or shorter, by chance. `Retry-After` makes it longer, up to %s.", int(Jitter*100), hours(MaxRetryAfter))
	line("- Events of one subject come in their order: a later one waits until the earlier one is taken or given up. A message that was given up lets those behind it go on.")
	line("- A receiver that does not answer, or answers 429, 502, 503 or 504, is left alone with all its messages for a moment that grows up to %s.", minutes(MaxPause))
	line("- 410 Gone disables the webhook at once. So does taking nothing for %d days, with at least %d attempts. Its waiting messages are kept and go on when it is enabled again.", int(DisableAfter.Hours()/24), MinFailures)
	line("- At most %d messages of a webhook and %d of a tenant are under way at once.", MaxOfWebhook, MaxOfTenant)
	line("- Events are kept for %d days, and the log of deliveries for %d: one event, or all of a time range, can be sent again while they are.", days(Keep), days(KeepLog))
	line("- Receivers are reached by HTTPS. Private, loopback and link-local addresses are refused, whatever a name resolves to.")
	line("")
	line("## The stream")
	line("`GET /v1/tenants/TENANT/events` is a stream of server-sent events: `event` is the type, `id` the event's id, `data` the body of the message. A client that was cut off sends the last id in `Last-Event-ID` and misses nothing for %d days; an id that is not kept any more is answered by an event `stream.gap` first. A line `: beat` comes every %s when nothing happens. Who reads too slowly is disconnected and may come again. The platform's own follow all tenants in one stream, `GET /v1/events`, which is read four times a second at most.", days(Keep), inSeconds(BeatEvery))
	line("")
	line("## Types of events")
	for _, t := range Types() {
		line("")
		line("### %s", t.Name)
		line("%s Its subject is %s.", t.Words, t.Subject)
		line("")
		line("| member of `data` | holds | meaning |")
		line("|---|---|---|")
		for _, f := range t.Fields {
			line("| `%s` | %s | %s |", f.Name, f.holds(), f.Words)
		}
		line("")
		line("```json")
		line("%s", t.Example)
		line("```")
	}
	return p.String()
}

func (f Field) holds() string {
	words := string(f.Kind)
	if len(f.Values) > 0 {
		words = strings.Join(f.Values, ", ")
	}
	if f.Optional {
		words += "; may be left out"
	}
	return words
}

func hours(d time.Duration) string     { return fmt.Sprintf("%d hours", int(d.Hours())) }
func minutes(d time.Duration) string   { return fmt.Sprintf("%d minutes", int(d.Minutes())) }
func inSeconds(d time.Duration) string { return fmt.Sprintf("%d seconds", int(d.Seconds())) }
func days(d time.Duration) int         { return int(d.Hours() / 24) }
