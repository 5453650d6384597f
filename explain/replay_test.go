package explain

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tandem/because"
	"tandem/callflows"
	"tandem/messages"
	"tandem/tenants"
)

// For each type of element: a call through it is the same under a configuration that differs elsewhere, and where the element
// differs the replay ends there and says how.
func TestEachElementIsReplayed(t *testing.T) {
	shown := map[string]bool{}
	for _, c := range []struct {
		kind        string
		then, under elements
		change      func(*tenants.Data) // instead of under
		element     string
		words       string
	}{
		{kind: "answer", then: elements{"a": element("answer", `{}`, "next", "busy"), "busy": busy()}, under: elements{"a": busy()},
			element: "a", words: "now hangs up with USER_BUSY instead of answering and hanging up with USER_BUSY"},
		{kind: "branch", then: elements{"a": element("branch", `{"cases":[{"exit":"vip","caller_number":{"in_list":"vip"}}]}`, "vip", "ring", "otherwise", "busy"), "ring": ring(), "busy": busy()},
			change:  published(func(p *tenants.Published) { p.Lists[0].Entries = []string{"102"} }),
			element: "a", words: "now hangs up with USER_BUSY instead of ringing Sales phone"},
		{kind: "caller_id", then: elements{"a": element("caller_id", `{"prepend_name":"Shop: "}`, "next", "ring"), "ring": ring()},
			under:   elements{"a": element("caller_id", `{"prepend_name":"Sales: "}`, "next", "ring"), "ring": ring()},
			element: "ring", words: "now rings Sales phone for up to 20 s, with another caller ID"},
		{kind: "collect", then: elements{"a": element("collect", `{"prompt":"account","variable":"x","min":1,"max":1}`, "ok", "busy"), "busy": busy()},
			under:   elements{"a": element("collect", `{"prompt":"account","variable":"x","min":1,"max":4}`, "ok", "busy"), "busy": busy()},
			element: "a", words: "now asks for digits with the prompt account, with another rule for the digits"},
		{kind: "hangup", then: elements{"a": busy()}, under: elements{"a": element("hangup", `{"cause":"CALL_REJECTED"}`)},
			element: "a", words: "now hangs up with CALL_REJECTED instead of hanging up with USER_BUSY"},
		{kind: "hours", then: elements{"a": element("hours", `{"schedule":"hours"}`, "open", "ring", "closed", "closed"), "ring": ring(), "closed": element("play", `{"prompt":"closed"}`)},
			change:  published(func(p *tenants.Published) { p.Schedules[0].Weekly[0].From = 11 * 60 }),
			element: "a", words: "now answers and plays closed instead of ringing Sales phone"},
		{kind: "jump", then: elements{"a": element("jump", `{"flow":"day"}`)}, under: elements{"a": element("jump", `{"flow":"night"}`)},
			element: "a", words: "now hangs up with USER_BUSY instead of ringing Sales phone"},
		{kind: "language", then: elements{"a": element("language", `{"language":"fr"}`, "next", "play"), "play": element("play", `{"prompt":"closed"}`)},
			under:   elements{"a": element("language", `{"language":"de"}`, "next", "play"), "play": element("play", `{"prompt":"closed"}`)},
			element: "play", words: "now plays closed, with another language"},
		{kind: "menu", then: elements{"a": element("menu", `{"prompt":"menu"}`, "1", "ring", "2", "busy"), "ring": ring(), "busy": busy()},
			under:   elements{"a": element("menu", `{"prompt":"menu"}`, "1", "busy", "2", "ring"), "ring": ring(), "busy": busy()},
			element: "a", words: "now hangs up with USER_BUSY instead of ringing Sales phone"},
		{kind: "number", then: elements{"a": element("number", `{"number":"+493012345","seconds":30}`)}, under: elements{"a": element("number", `{"number":"+493054321","seconds":30}`)},
			element: "a", words: "now rings sip:+493054321@192.0.2.1 by Carrier for up to 30 s instead of ringing sip:+493012345@192.0.2.1 by Carrier for up to 30 s"},
		{kind: "play", then: elements{"a": element("play", `{"prompt":"closed"}`)}, under: elements{"a": element("play", `{"prompt":"lunch"}`)},
			element: "a", words: "now plays lunch instead of playing closed"},
		{kind: "respond", then: elements{"a": element("respond", `{"code":486}`)}, under: elements{"a": element("respond", `{"code":404}`)},
			element: "a", words: "now hangs up with UNALLOCATED_NUMBER instead of hanging up with USER_BUSY"},
		{kind: "ring", then: elements{"a": ring()}, under: elements{"a": element("ring", `{"users":["anna"],"devices":["d2"]}`)},
			element: "a", words: "now rings Desk phone, Sales phone instead of ringing Sales phone"},
		{kind: "set", then: elements{"a": element("set", `{"variables":[{"name":"line","value":"x"}]}`, "next", "b"), "b": element("branch", `{"cases":[{"exit":"x","variables":[{"name":"line","equals":["x"]}]}]}`, "x", "ring", "otherwise", "busy"), "ring": ring(), "busy": busy()},
			under:   elements{"a": element("set", `{"variables":[{"name":"line","value":"y"}]}`, "next", "b"), "b": element("branch", `{"cases":[{"exit":"x","variables":[{"name":"line","equals":["x"]}]}]}`, "x", "ring", "otherwise", "busy"), "ring": ring(), "busy": busy()},
			element: "a", words: "now hangs up with USER_BUSY instead of ringing Sales phone"},
		{kind: "eavesdrop", then: elements{"a": element("eavesdrop", `{"users":["sales"],"allowed_users":["anna"]}`, "nothing", "busy"), "busy": busy()}, under: elements{"a": element("eavesdrop", `{"users":["sales"],"allowed_users":["anna"]}`, "nothing", "ring"), "ring": ring()},
			element: "a", words: "now rings Sales phone instead of hanging up with USER_BUSY"},
		{kind: "pickup", then: elements{"a": element("pickup", `{"users":["sales"]}`, "nothing", "busy"), "busy": busy()}, under: elements{"a": element("pickup", `{"users":["sales"]}`, "nothing", "ring"), "ring": ring()},
			element: "a", words: "now rings Sales phone instead of hanging up with USER_BUSY"},
		{kind: "unpark", then: elements{"a": element("unpark", `{"slot":"701"}`, "nothing", "busy"), "busy": busy()}, under: elements{"a": element("unpark", `{"slot":"701"}`, "nothing", "ring"), "ring": ring()},
			element: "a", words: "now rings Sales phone instead of hanging up with USER_BUSY"},
		{kind: "pull", then: elements{"a": element("pull", ``, "nothing", "busy"), "busy": busy()}, under: elements{"a": element("pull", ``, "nothing", "ring"), "ring": ring()},
			element: "a", words: "now rings Sales phone instead of hanging up with USER_BUSY"},
		{kind: "park", then: elements{"a": element("park", `{"first":701}`, "timeout", "busy"), "busy": busy()}, under: elements{"a": element("park", `{"first":801}`, "timeout", "busy"), "busy": busy()},
			element: "a", words: "now looks for a free slot, 801 to 820 instead of looking for a free slot, 701 to 720"},
		{kind: "sleep", then: elements{"a": element("sleep", `{"seconds":3}`, "next", "busy"), "busy": busy()}, under: elements{"a": element("sleep", `{"seconds":5}`, "next", "busy"), "busy": busy()},
			element: "a", words: "now waits 5 s instead of waiting 3 s"},
		{kind: "call_waiting", then: elements{"a": element("call_waiting", `{"do":"on"}`, "next", "busy", "failed", "busy"), "busy": busy()}, under: elements{"a": element("call_waiting", `{"do":"off"}`, "next", "busy", "failed", "busy"), "busy": busy()},
			element: "a", words: "now sets call_waiting of anna to off instead of setting call_waiting of anna to on"},
		{kind: "dnd", then: elements{"a": element("dnd", `{"do":"on"}`, "next", "busy", "failed", "busy"), "busy": busy()}, under: elements{"a": element("dnd", `{"do":"off"}`, "next", "busy", "failed", "busy"), "busy": busy()},
			element: "a", words: "now sets do_not_disturb of anna to off instead of setting do_not_disturb of anna to on"},
		{kind: "reject_anonymous", then: elements{"a": element("reject_anonymous", `{"do":"on"}`, "next", "busy", "failed", "busy"), "busy": busy()}, under: elements{"a": element("reject_anonymous", `{"do":"off"}`, "next", "busy", "failed", "busy"), "busy": busy()},
			element: "a", words: "now sets reject_anonymous of anna to off instead of setting reject_anonymous of anna to on"},
		{kind: "forward_set", then: elements{"a": element("forward_set", `{"do":"on","number":"102"}`, "next", "busy", "failed", "busy"), "busy": busy()}, under: elements{"a": element("forward_set", `{"do":"off"}`, "next", "busy", "failed", "busy"), "busy": busy()},
			element: "a", words: "now sets forward_all of anna to off instead of setting forward_all of anna to 102"},
		{kind: "speed_dial", then: elements{"a": element("speed_dial", `{"do":"set","dialled":"5102"}`, "next", "busy", "failed", "busy"), "busy": busy()}, under: elements{"a": element("speed_dial", `{"do":"set","dialled":"5"}`, "next", "busy", "failed", "busy"), "busy": busy()},
			element: "a", words: "now sets speed_dial5 of anna to off instead of setting speed_dial5 of anna to 102"},
		{kind: "hot_desk", then: elements{"a": element("hot_desk", `{"do":"login","extension":"102"}`, "next", "busy", "failed", "busy"), "busy": busy()}, under: elements{"a": element("hot_desk", `{"do":"logout"}`, "next", "busy", "failed", "busy"), "busy": busy()},
			element: "a", words: "now sets hot_desk of anna to off instead of asking for digits with the prompt tone:accept"},
		{kind: "page", then: elements{"a": element("page", `{"users":["sales"]}`)}, under: elements{"a": element("page", `{"users":["sales"],"mode":"intercom"}`)},
			element: "a", words: "now rings Sales phone instead of answering and ringing Sales phone"},
		{kind: "webhook", then: elements{"a": element("webhook", `{"url":"http://crm.example/a"}`, "next", "ring"), "ring": ring()},
			under:   elements{"a": element("webhook", `{"url":"http://crm.example/b"}`, "next", "ring"), "ring": ring()},
			element: "a", words: "now asks POST http://crm.example/b instead of asking POST http://crm.example/a"},
		{kind: "lookup", then: elements{"a": element("lookup", `{"url":"http://crm.example","name":"/name"}`, "found", "ring", "not_found", "ring", "failed", "ring"), "ring": ring()},
			under:   elements{"a": element("lookup", `{"url":"http://crm.example","name":"/name"}`, "found", "ring", "not_found", "ring", "failed", "busy"), "ring": ring(), "busy": busy()},
			element: "a", words: "now hangs up with USER_BUSY instead of ringing Sales phone"},
		{kind: "pivot", then: elements{"a": element("pivot", `{"url":"http://flows.example","method":"get"}`, "failed", "ring"), "ring": ring()},
			under:   elements{"a": element("pivot", `{"url":"http://flows.example","method":"get"}`, "failed", "busy"), "ring": ring(), "busy": busy()},
			element: "a", words: "now hangs up with USER_BUSY instead of ringing Sales phone"},
		{kind: "music_on_hold", then: elements{"a": element("music_on_hold", `{"prompt":"music/a"}`, "next", "ring"), "ring": ring()},
			under:   elements{"a": element("music_on_hold", `{"prompt":"music/b"}`, "next", "ring"), "ring": ring()},
			element: "ring", words: "now rings Sales phone for up to 20 s, with another music on hold"},
		{kind: "voicemail", then: elements{"a": element("voicemail", `{"user":"anna","max_seconds":60}`, "kept", "busy"), "busy": busy()},
			under:   elements{"a": element("voicemail", `{"user":"anna","max_seconds":30}`, "kept", "busy"), "busy": busy()},
			element: "a", words: "now records what the caller says for up to 30 s instead of recording what the caller says for up to 60 s"},
		{kind: "voicemail_check", then: elements{"a": element("voicemail_check", `{"user":"anna"}`, "done", "busy"), "busy": busy()},
			under:   elements{"a": element("voicemail_check", `{"user":"anna","seconds":9}`, "done", "busy"), "busy": busy()},
			element: "a", words: "now asks for digits with the prompt voicemail/password, with another rule for the digits"},
		{kind: "say", then: elements{"a": element("say", `{"kind":"digits","value":"12"}`, "next", "busy"), "busy": busy()},
			under:   elements{"a": element("say", `{"kind":"text","value":"twelve"}`, "next", "busy"), "busy": busy()},
			element: "a", words: "now says twelve instead of playing say/digits/1"},
		{kind: "record", then: elements{"a": element("record", `{}`, "next", "ring"), "ring": ring()}, under: elements{"a": element("record", `{"action":"stop"}`, "next", "ring"), "ring": ring()},
			element: "a", words: "now rings Sales phone instead of recording the call from then on"},
		{kind: "directory", then: elements{"a": element("directory", `{"prompt":"name"}`, "none", "busy"), "busy": busy()},
			under:   elements{"a": element("directory", `{"prompt":"names"}`, "none", "busy"), "busy": busy()},
			element: "a", words: "now asks for digits with the prompt names instead of asking for digits with the prompt name"},
	} {
		shown[c.kind] = true
		t.Run(c.kind, func(t *testing.T) {
			then := shop(t, c.then)
			entries := play(t, then, asks())
			if r := Replay(then, shop(t, c.then, unrelated), entries); r.Outcome != Same || r.Steps != len(entries) {
				t.Errorf("what does not concern it makes it %s after %d of %d steps: %s", r.Outcome, r.Steps, len(entries), marshalled(t, r))
			}
			under := shop(t, c.then, unrelated)
			if c.change != nil {
				under = shop(t, c.then, c.change)
			} else {
				under = shop(t, c.under)
			}
			r := Replay(then, under, entries)
			if r.Outcome != Different || r.Difference.Element != c.element || r.Difference.Words != c.words || len(r.Difference.Would) == 0 {
				t.Errorf("want %q at %s, got %s", c.words, c.element, marshalled(t, r))
			}
		})
	}
	for _, kind := range callflows.ElementTypes() {
		if !shown[kind] {
			t.Errorf("no call through the element %s is replayed", kind)
		}
	}
}

// What routing decides is replayed too: who is refused, and which flow a number starts.
func TestRoutingIsReplayed(t *testing.T) {
	main := elements{"a": ring()}
	from := func(number string) func(*Question) {
		return func(q *Question) { q.From, q.To = number, "+12025550100" }
	}
	for claim, c := range map[string]struct {
		ask     Question
		change  func(*tenants.Published)
		outcome Outcome
		source  messages.JournalSource
		words   string
	}{
		"a caller who is blocked now": {asks(from("+12025550199")), func(p *tenants.Published) { p.BlockedCallers = []string{"+12025550199"} },
			Different, messages.SourceRouting, "now is refused with 603 Decline instead of going to the flow Main"},
		"another is not": {asks(from("+12025550198")), func(p *tenants.Published) { p.BlockedCallers = []string{"+12025550199"} }, Same, "", ""},
		"a number that leads nowhere now": {asks(), func(p *tenants.Published) { p.Routes = p.Routes[1:] }, Different, messages.SourceRouting,
			"now is refused with 404 Not Found instead of going to the flow Main"},
		"a number that leads somewhere now": {asks(func(q *Question) { q.To = "301" }), func(p *tenants.Published) { p.Routes = append(p.Routes, tenants.Route{Dialled: "301", FlowID: "day"}) },
			Different, messages.SourceRouting, "now goes to the flow Day instead of being refused with 404 Not Found"},
		"another flow that does the same": {asks(), func(p *tenants.Published) { p.Routes[0].FlowID = "day" }, Same, "", ""},
		"another flow that does not": {asks(), func(p *tenants.Published) { p.Routes[0].FlowID = "night" }, Different, messages.SourceCallflow,
			"now hangs up with USER_BUSY instead of ringing Sales phone"},
		"a call outside": {asks(func(q *Question) { q.To = "030123456" }), func(p *tenants.Published) { *p = tenants.Published{} }, Same, "", ""},
		"a number outside that is the tenant's to answer now": {asks(func(q *Question) { q.To = "030123456" }),
			func(p *tenants.Published) {
				p.Routes = append(p.Routes, tenants.Route{Dialled: "030123456", FlowID: "day"})
			},
			Different, messages.SourceCallflow, "now rings Sales phone instead of calling out by Carrier"},
		"a call for help": {asks(func(q *Question) { q.To = "112" }), func(p *tenants.Published) {
			*p = tenants.Published{BlockedCallers: []string{"101"}}
		}, Same, "", ""},
	} {
		t.Run(claim, func(t *testing.T) {
			then := shop(t, main)
			r := Replay(then, shop(t, main, published(c.change)), play(t, then, c.ask))
			if r.Outcome != c.outcome || c.outcome == Different && (r.Difference.Source != c.source || r.Difference.Words != c.words) {
				t.Errorf("want %s: %s; got %s", c.outcome, c.words, marshalled(t, r))
			}
		})
	}
}

func TestACallThatReachedNoNodeIsJudgedByItsFlow(t *testing.T) {
	then := shop(t, elements{"a": ring()})
	entries := play(t, then, asks())[:1]
	under := shop(t, elements{"a": ring()}, published(func(p *tenants.Published) { p.Routes[0].FlowID = "night" }))
	if r := Replay(then, under, entries); r.Outcome != Different || r.Difference.Words != "now goes to the flow Night instead of going to the flow Main" {
		t.Errorf("got %s", marshalled(t, r))
	}
}

// A call that the configuration of then does not give exactly is not judged, whatever would come of it.
func TestWhatCannotBeProvedIsNotJudged(t *testing.T) {
	main := elements{"a": element("answer", `{}`, "next", "ring"), "ring": ring()}
	step := func(n int, change func(*messages.JournalEntry)) func([]messages.JournalEntry) []messages.JournalEntry {
		return func(all []messages.JournalEntry) []messages.JournalEntry { change(&all[n]); return all }
	}
	for claim, c := range map[string]struct {
		spoil func([]messages.JournalEntry) []messages.JournalEntry
		code  string
		words string
	}{
		"no routing decision": {func(all []messages.JournalEntry) []messages.JournalEntry { return all[1:] }, "replay_undecided", ""},
		"nothing":             {func([]messages.JournalEntry) []messages.JournalEntry { return nil }, "replay_undecided", ""},
		"another decision": {step(0, func(e *messages.JournalEntry) {
			e.Output = json.RawMessage(strings.ReplaceAll(string(e.Output), `"main"`, `"day"`))
		}), "replay_decided_otherwise", "the call now goes to the flow Main instead of going to the flow Day"},
		"another caller": {step(0, func(e *messages.JournalEntry) {
			e.Output = json.RawMessage(strings.ReplaceAll(string(e.Output), `"Anna"`, `"Ann"`))
		}), "replay_decided_otherwise", "the call now goes to the flow Main, with another caller:"},
		"a decision too large to be kept": {step(0, func(e *messages.JournalEntry) { e.Input = json.RawMessage(`{"cut":"too_large"}`) }), "replay_unreadable", ""},
		"a step too large to be kept":     {step(3, func(e *messages.JournalEntry) { e.Input = json.RawMessage(`{"cut":"too_large"}`) }), "replay_unreadable", ""},
		"a step's outcome too large":      {step(1, func(e *messages.JournalEntry) { e.Output = json.RawMessage(`{"cut":"too_large"}`) }), "replay_unreadable", ""},
		"a step that gave something else": {step(1, func(e *messages.JournalEntry) { e.Output = json.RawMessage(`[{"kind":"play","n":1,"prompt":"x"}]`) }), "replay_stepped_otherwise", "at a, now answers instead of playing x"},
		"a step that failed": {step(2, func(e *messages.JournalEntry) {
			e.Because = []because.Reason{because.New("step_panicked", "detail", "nil")}
		}), "replay_step_failed", ""},
		"a step that is missing":        {func(all []messages.JournalEntry) []messages.JournalEntry { return slices.Delete(all, 2, 4) }, "replay_steps_missing", ""},
		"the beginning that is missing": {func(all []messages.JournalEntry) []messages.JournalEntry { return slices.Delete(all, 1, 2) }, "replay_steps_missing", ""},
		"a last step that gave something else": {func(all []messages.JournalEntry) []messages.JournalEntry {
			all[len(all)-1].Output = json.RawMessage(`null`)
			return all
		}, "replay_stepped_otherwise", ""},
	} {
		t.Run(claim, func(t *testing.T) {
			then := shop(t, main)
			r := Replay(then, shop(t, elements{"a": busy()}), c.spoil(play(t, then, asks())))
			words, err := Catalog()
			if err != nil {
				t.Fatal(err)
			}
			if said := words.Words(r.Unfaithful); r.Outcome != Unfaithful || r.Unfaithful.Code != c.code || r.Difference != nil || !strings.Contains(said, c.words) {
				t.Errorf("want %s, %q; got %s: %s", c.code, c.words, marshalled(t, r), said)
			}
		})
	}
	if r := Replay(nil, shop(t, main), play(t, shop(t, main), asks())); r.Outcome != Unfaithful || r.Unfaithful.Code != "replay_version_gone" || r.Version != 7 {
		t.Errorf("a version that is gone: %s", marshalled(t, r))
	}
}

// Whatever has become of a journal, its replay ends, and a call is the same only if each of its entries was replayed.
func TestADamagedJournalIsReplayedWithoutHarm(t *testing.T) {
	main := elements{"a": element("menu", `{"prompt":"menu"}`, "1", "ring"), "ring": ring()}
	then, under := shop(t, main), shop(t, elements{"a": busy()})
	whole := play(t, then, asks())
	rng := rand.New(rand.NewPCG(3, 4))
	const damage = `{}[]":,0129-aekz\`
	outcomes := map[Outcome]int{}
	for range 3000 {
		entries := slices.Clone(whole)
		for range 1 + rng.IntN(3) {
			e := &entries[rng.IntN(len(entries))]
			part := []*json.RawMessage{&e.Input, &e.Output}[rng.IntN(2)]
			*part = slices.Clone(*part)
			for range 1 + rng.IntN(2) {
				(*part)[rng.IntN(len(*part))] = damage[rng.IntN(len(damage))]
			}
		}
		r := Replay(then, then, entries)
		if r.Outcome == Different || r.Outcome == Same && r.Steps != len(entries) {
			t.Fatalf("under the same it is %s", marshalled(t, r))
		}
		outcomes[r.Outcome]++
		Replay(then, under, entries)
	}
	if outcomes[Unfaithful] == 0 || outcomes[Same] == 0 {
		t.Errorf("all are alike: %v", outcomes)
	}
}

// A phone that is the tenant's no more is not versioned: what it did cannot be proved by the version of then.
func TestAPhoneThatIsGoneMakesItsCallsUnfaithful(t *testing.T) {
	main := elements{"a": ring()}
	entries := play(t, shop(t, main), asks())
	now := func(d *tenants.Data) { d.Tenants[0].Devices = d.Tenants[0].Devices[:1] }
	if r := Replay(shop(t, main, now), shop(t, main, now), entries); r.Outcome != Unfaithful || r.Unfaithful.Code != "replay_stepped_otherwise" {
		t.Errorf("got %s", marshalled(t, r))
	}
}

// A call that an edge took to a second node has a flow on each; entries may come in any order.
func TestBothStoriesOfACallAreReplayedInAnyOrder(t *testing.T) {
	main := elements{"a": element("menu", `{"prompt":"menu"}`, "1", "ring"), "ring": ring()}
	then := shop(t, main)
	entries := play(t, then, asks())
	const first, second = "8adcdf28-8955-4dff-af12-e253ea68375b", "77777777-8955-4dff-af12-e253ea68375b"
	for _, e := range play(t, then, asks(func(q *Question) { q.NobodyAnswers = true }))[1:] {
		e.Leg = second
		for _, part := range []*json.RawMessage{&e.Input, &e.Output} {
			*part = json.RawMessage(strings.ReplaceAll(string(*part), first, second))
		}
		if strings.Contains(string(e.Output), `"ring"`) { // the ids of the legs that it dials are hashed from the caller's
			break
		}
		entries = append(entries, e)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	if r := Replay(then, then, entries); r.Outcome != Same || r.Steps != len(entries) {
		t.Errorf("%d of %d steps: %s", r.Steps, len(entries), marshalled(t, r))
	}
}

func TestASummaryIsTheSameInAnyOrder(t *testing.T) {
	words, err := Catalog()
	if err != nil {
		t.Fatal(err)
	}
	main := elements{"a": ring()}
	then, under := shop(t, main), shop(t, elements{"a": busy()})
	var all []Replayed
	for i := range 40 {
		q := asks(func(q *Question) { q.At = playedAt.AddDate(0, 0, i) })
		switch {
		case i%4 == 1:
			q.From, q.To = "+12025550150", "+12025550100"
		case i%4 == 2:
			q.To = "404"
		}
		entries := play(t, then, q)
		if i%8 == 7 {
			entries = entries[1:]
		}
		all = append(all, Replay(then, under, entries))
	}
	var want string
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		s := NewSummary(words)
		for _, r := range all {
			s.Add(r)
		}
		s.Sort()
		got := string(marshalled(t, s))
		if want == "" {
			want = got
		}
		if got != want {
			t.Fatalf("in another order it is\n%s\nnot\n%s", got, want)
		}
		if s.Calls != 40 || s.Same != 10 || s.Different != 25 || s.Unfaithful != 5 || len(s.Groups) != 3 || len(s.Groups[0].Examples) != MaxExamples {
			t.Fatalf("got %s", got)
		}
		if g := s.Groups[0]; g.Calls != 15 || g.Dialled != "300" || g.Words != "now hangs up with USER_BUSY instead of ringing Sales phone" || !g.Examples[0].At.Equal(playedAt) {
			t.Errorf("the first group is %s", marshalled(t, g))
		}
	}
}

// However many different things would happen, a summary stays small.
func TestASummaryIsBounded(t *testing.T) {
	s := NewSummary(because.Catalog{})
	for i := range 3 * MaxGroups {
		s.Add(Replayed{Outcome: Different, Dialled: strings.Repeat("1", i%(2*MaxGroups)), Difference: &Difference{Words: "x"}})
	}
	s.Add(Replayed{Outcome: Unfaithful, Unfaithful: because.New("replay_undecided")})
	if len(s.Groups) != MaxGroups+1 || s.Ungrouped != MaxGroups || s.Different != 3*MaxGroups {
		t.Errorf("%d groups, %d calls in none, %d different", len(s.Groups), s.Ungrouped, s.Different)
	}
}

// BenchmarkReplay replays a call through opening hours and a menu to a phone that answers, which would go differently at its end.
func BenchmarkReplay(b *testing.B) {
	main := elements{"a": element("hours", `{"schedule":"hours"}`, "open", "menu"), "menu": element("menu", `{"prompt":"menu"}`, "1", "ring"), "ring": ring()}
	later := elements{"a": main["a"], "menu": main["menu"], "ring": element("ring", `{"users":["sales"],"seconds":30}`)}
	then, under := shop(b, main), shop(b, later)
	entries := play(b, then, asks())
	b.ReportAllocs()
	for b.Loop() {
		if r := Replay(then, under, entries); r.Outcome != Different {
			b.Fatalf("%s", marshalled(b, r))
		}
	}
	b.ReportMetric(float64(len(entries)), "steps/call")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
