package callflows

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// directoryElement finds a user by the first letters of his name on the keypad, says the extensions that match one after the
// other, and goes on with the flow of the one that the caller chooses.
type directoryElement struct{}

type directorySettings struct {
	Prompt   string `json:"prompt"`
	Letters  int    `json:"letters"`
	Attempts int    `json:"attempts"`
	Seconds  int    `json:"seconds"`
	Connect  bool   `json:"connect"`
	Variable string `json:"variable"`
}

// Bounds of a directory.
const (
	MaxDirectoryLetters = 10
	maxDirectoryMatches = 8 // more are too many to listen to
)

var directoryAbout = about{
	name: "directory", title: "Directory by name",
	description: "Lets the caller key the first letters of a name (2 is A, B or C, and so on). The extension of each user who matches is said; 1 chooses it, any other key goes on to the next. " +
		"The call then goes on with that user's own flow.",
	settings: &schema{kind: recordValue, members: []member{
		{name: "prompt", schema: withInitial(promptSchema("The prompt that asks for the letters."), "directory/ask")},
		{name: "letters", schema: schema{kind: wholeValue, initial: 3, min: 1, max: MaxDirectoryLetters, unit: "letters", description: "How many letters at least."}},
		{name: "attempts", schema: schema{kind: wholeValue, initial: 3, min: 1, max: MaxMenuAttempts, description: "How often the caller is asked."}},
		{name: "seconds", schema: schema{kind: wholeValue, initial: 5, min: 1, max: MaxMenuSeconds, unit: "seconds", description: "How long to wait for a key after each prompt."}},
		{name: "connect", schema: schema{kind: flagValue, initial: true, description: "Go on with the flow of the user who was chosen. Otherwise the element leaves by found."}},
		{name: "variable", schema: withInitial(variableSchema("The variable that keeps the extension that was chosen."), "extension")},
	}},
	exits: []Exit{
		{Name: "found", Description: "The caller has chosen a user, and the call does not go on with his flow: connect is off, or he has none.", Ends: "NORMAL_CLEARING", Waits: true},
		{Name: "none", Description: "At the last attempt nobody matched, or none was chosen.", Ends: "NORMAL_CLEARING", Waits: true},
		{Name: "timeout", Description: "At the last attempt the caller keyed nothing, or too little.", Ends: "NORMAL_CLEARING", Waits: true}},
	behaviour: Behaviour{EarlyMedia: "None: it answers first.", Answer: "Answers before the prompt.", Ringback: "None: the prompts.", HangUp: hangUpAnywhere, Transfer: notWhileAlone},
	example: tenants.Element{Type: "directory", Settings: json.RawMessage(`{"letters":3}`),
		Exits: map[string]string{"found": "goodbye", "none": "operator", "timeout": "operator"}},
}

func (directoryElement) about() *about { return &directoryAbout }

func (directoryElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[directorySettings](directoryAbout.settings, settings)
}

func (e directoryElement) enter(s *step, settings any) {
	s.state.Choices = Choices{}
	if s.answerFirst() {
		e.ask(s, settings.(directorySettings))
	}
}

func (directoryElement) ask(s *step, d directorySettings) {
	s.state.Attempt++
	s.state.Choices = Choices{}
	s.explain("directory_asked", "prompt", d.Prompt, "letters", strconv.Itoa(d.Letters), "attempt", strconv.Itoa(s.state.Attempt), "attempts", strconv.Itoa(d.Attempts))
	s.await("asked", Command{Kind: CollectDigits, Prompt: d.Prompt, Language: s.language(), Digits: &DigitsWanted{
		Min: d.Letters, Max: MaxDirectoryLetters, Allowed: "23456789", Terminator: "#", First: time.Duration(d.Seconds) * time.Second, Between: BetweenDigits}})
}

func (e directoryElement) on(s *step, settings any) {
	d := settings.(directorySettings)
	switch {
	case s.answerDone():
		e.ask(s, d)
	case s.completes("asked", DigitsCollected):
		e.keyed(s, d)
	case s.completes("none", Played):
		e.ask(s, d)
	case s.completes("offered", DigitsCollected):
		e.offered(s, d)
	}
}

// keyed looks for users whose names begin so.
func (e directoryElement) keyed(s *step, d directorySettings) {
	if s.event.Outcome == DigitsTimeout || s.event.Outcome == DigitsGood && len(s.event.Digits) < d.Letters {
		s.explain("directory_timeout", "letters", strconv.Itoa(d.Letters))
		e.again(s, d, "timeout", messages.FaultCaller)
		return
	}
	var users []string
	if s.event.Outcome == DigitsGood && s.config.Tenant != nil {
		for _, u := range s.config.Tenant.AllUsers() {
			if u.Extension != "" && namedBy(u.Name, s.event.Digits) && len(users) < maxDirectoryMatches {
				users = append(users, u.ID)
			}
		}
	}
	s.explain("directory_matched", "users", strconv.Itoa(len(users)))
	if len(users) == 0 {
		e.again(s, d, "none", messages.FaultCaller)
		return
	}
	s.state.Choices = Choices{Users: users}
	e.offer(s, d)
}

// again asks once more, or gives up by an exit.
func (e directoryElement) again(s *step, d directorySettings, exit string, fault messages.Fault) {
	if s.state.Attempt >= d.Attempts {
		s.explain("directory_given_up", "attempts", strconv.Itoa(d.Attempts))
		s.exit(exit, "NORMAL_CLEARING", fault)
		return
	}
	if exit == "none" {
		s.explain("directory_nobody")
		s.await("none", Command{Kind: Play, Prompt: "directory/none", Language: s.language()})
		return
	}
	e.ask(s, d)
}

// offer says the extension of the user at hand. One who is gone meanwhile is passed over.
func (e directoryElement) offer(s *step, d directorySettings) {
	c := &s.state.Choices
	for ; c.At < len(c.Users); c.At++ {
		if s.config.Tenant == nil {
			break
		}
		u := s.config.Tenant.User(c.Users[c.At])
		if u == nil {
			continue
		}
		s.explain("directory_offered", "user", u.Name, "extension", u.Extension)
		s.await("offered", Command{Kind: CollectDigits, Prompt: "directory/extension", Prompts: append(sayDigits(u.Extension), "directory/choose"), Language: s.language(),
			Digits: &DigitsWanted{Min: 1, Max: 1, Allowed: menuDigits, First: time.Duration(d.Seconds) * time.Second, Between: BetweenDigits}})
		return
	}
	e.again(s, d, "none", messages.FaultCaller)
}

// offered goes on with the user who was chosen, or with the next.
func (e directoryElement) offered(s *step, d directorySettings) {
	c := &s.state.Choices
	var u *tenants.User
	if s.config.Tenant != nil && c.At < len(c.Users) {
		u = s.config.Tenant.User(c.Users[c.At])
	}
	if s.event.Outcome != DigitsGood || s.event.Digits != "1" || u == nil {
		c.At++
		e.offer(s, d)
		return
	}
	s.state.Choices = Choices{}
	if !s.keep(d.Variable, u.Extension) {
		s.explain("variables_full", "variable", d.Variable, "limit", strconv.Itoa(MaxVariables))
	}
	route := s.config.Tenant.Route(u.Extension)
	if !d.Connect || route == nil {
		s.explain("directory_found", "user", u.Name, "extension", u.Extension)
		s.exit("found", "NORMAL_CLEARING", messages.FaultNone)
		return
	}
	s.explain("directory_connects", "user", u.Name, "extension", u.Extension)
	s.jump(route.FlowID)
}

// namedBy says whether a word of a name begins with the letters of the keys (ITU-T E.161).
func namedBy(name, keys string) bool {
	for word := range strings.FieldsSeq(strings.ToUpper(name)) {
		var keyed strings.Builder
		for _, r := range word {
			if key := keyOf(r); key != 0 {
				keyed.WriteByte(key)
			}
		}
		if keys != "" && strings.HasPrefix(keyed.String(), keys) {
			return true
		}
	}
	return false
}

// keyOf is the key that a letter stands on; 0 for what is no letter. A letter with a mark stands where it stands without.
func keyOf(r rune) byte {
	const keys = "22233344455566677778889999"
	if plain := strings.IndexRune("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝ", r); plain >= 0 {
		r = rune("AAAAAAACEEEEIIIINOOOOOOUUUUY"[plain/2]) // each of them is two bytes
	}
	switch {
	case r >= 'A' && r <= 'Z':
		return keys[r-'A']
	case unicode.IsDigit(r) && r < 0x80:
		return byte(r)
	}
	return 0
}

func (directoryElement) reasons() because.Catalog {
	return because.Catalog{
		"directory_asked":    "The prompt {prompt} asks for the first {letters|letter|letters} of a name (attempt {attempt} of {attempts}).",
		"directory_timeout":  "The caller keyed nothing, or fewer than {letters|letter|letters}.",
		"directory_matched":  "The keys match {users|user|users}.",
		"directory_offered":  "The caller hears the extension of {user}, {extension}.",
		"directory_found":    "The caller chose {user}, {extension}.",
		"directory_connects": "The caller chose {user}: the call goes on with the flow of {extension}.",
		"directory_nobody":   "The caller is told that nobody was found or chosen.",
		"directory_given_up": "The directory gives up after {attempts|attempt|attempts}.",
	}
}
