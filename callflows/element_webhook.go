package callflows

import (
	"encoding/json"
	"strconv"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// webhookElement tells a URL of the call.
type webhookElement struct{}

type webhookSettings struct {
	askSettings
	Wait bool `json:"wait"` // until it has answered, or its time is over
}

const stageAsking = "asking"

var webhookAbout = about{
	name: "webhook", title: "Webhook", description: "Tells a URL of the call, and goes on: at once, or when it has answered or its time is over. What it answers changes nothing; " +
		"the explanation says it.",
	settings: &schema{kind: recordValue, members: append(askMembers("about", "post", 5),
		member{name: "wait", schema: schema{kind: flagValue, initial: false, description: "Go on only when it has answered, or its time is over."}})},
	exits: nextExit("It is being told, or was told, or could not be."),
	behaviour: Behaviour{EarlyMedia: "None.", Answer: "Does not answer.",
		Ringback: "Unchanged. While it waits an answered caller hears silence.", HangUp: hangUpAnywhere + " The URL is told all the same.", Transfer: notWhileAlone},
	example: tenants.Element{Type: "webhook", Settings: json.RawMessage(`{"url":"https://crm.example/calls?from={caller.number}"}`), Exits: map[string]string{"next": "ring"}},
}

func (webhookElement) about() *about { return &webhookAbout }

func (webhookElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[webhookSettings](webhookAbout.settings, settings)
}

func (webhookElement) enter(s *step, settings any) {
	w := settings.(webhookSettings)
	c, ok := s.request(w.askSettings, ForWebhook, MaxFetched)
	switch {
	case !ok:
		s.explain("url_too_long", "url", whom(w.URL), "limit", strconv.Itoa(maxURLBytes))
		s.exit("next", "NORMAL_CLEARING", messages.FaultTenant)
	case w.Wait:
		s.explain("webhook_waits", "url", whom(c.Fetch.URL), "seconds", strconv.Itoa(w.Seconds))
		s.await(stageAsking, c)
	default:
		s.explain("webhook_told", "url", whom(c.Fetch.URL))
		s.order(c)
		s.exit("next", "NORMAL_CLEARING", messages.FaultTenant)
	}
}

func (webhookElement) on(s *step, _ any) {
	if !s.completes(stageAsking, Fetched) {
		return
	}
	s.explain("webhook_answered", "outcome", s.event.Reply.outcome())
	s.exit("next", "NORMAL_CLEARING", messages.FaultTenant)
}

func (webhookElement) reasons() because.Catalog {
	return because.Catalog{
		"webhook_told":     "{url} is told of the call.",
		"webhook_waits":    "{url} is told of the call, and may take {seconds|second|seconds} to answer.",
		"webhook_answered": "What came of it: {outcome}.",
		"url_too_long":     "{url} is not asked: with what the call put into it, the URL is longer than {limit} bytes.",
	}
}
