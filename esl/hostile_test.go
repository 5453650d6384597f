package esl

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var hostileRounds = flag.Int("hostile", 100_000, "hostile values to try")

// bait are fragments that mean something to some layer of FreeSWITCH.
var bait = strings.Split("\r|\n|\n\n|\r\n|\x00|\x7f|\xff|\xc3|'|\"|\\|\\n|\\s|\\'|\\,|{|}|[|]|<|>|,|;|=|&|&park()|^^|^^;|^^~|:_:|$|${|${uuid}|${system ls}|$${x}|$\\{|%|%0d%0a|%7C|%[a=b]|ARRAY::a|ARRAY::"+
	"|api_hangup_hook|origination_nested_vars=true|unload mod_event_socket|RELOAD MOD_EVENT_SOCKET|exit|...|\nexecute-app-name: system|Content-Length: 5\n\n|"+
	" |  |a|O'Brien|Jörg|日本|sip:a@b|;fs_path=sip:x|fs_nat=yes|/|//|../|shell_stream://ls|~!#;*@+&|]sofia/x/sip:y@z|}sofia/x/sip:y@z|101|undef|inline", "|")

func hostile(random *rand.Rand) string {
	var s strings.Builder
	for range 1 + random.IntN(5) {
		if random.IntN(12) == 0 {
			s.WriteByte('|') // bait is split at it
		}
		s.WriteString(bait[random.IntN(len(bait))])
	}
	return s.String()
}

// mild is hostile for one value in three; the others are made of characters
// that are harmless somewhere, so that many get through the checks and the
// rendering is what is tested.
func mild(random *rand.Rand) string {
	harmless := []rune(`abc, ;=&<>"~!#*@+.:/-%()é `)
	switch random.IntN(3) {
	case 0:
		return hostile(random)
	case 1:
		harmless = []rune("abc019._-#*")
	}
	var s strings.Builder
	for range 1 + random.IntN(6) {
		s.WriteRune(harmless[random.IntN(len(harmless))])
	}
	return s.String()
}

func TestHostileValuesAddNoCommandHeaderVariableOrLeg(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	accepted := map[string]int{}
	for round := range *hostileRounds {
		a, b, c := mild(random), mild(random), mild(random)
		for _, cmd := range []Command{
			Set(someUUID, a, "caller_note", b), Set(someUUID, "", b, a), Playback(someUUID, "", a), UUIDSetvar(someUUID, "note", a),
			UUIDSetvarMulti(someUUID, Var{"one", a}, Var{"two", b}), UUIDKill(a, b), Hangup(someUUID, a), GlobalSetvarCAS("owner", a, b),
			Record(someUUID, a, Recording{File: b}), RecordSession(someUUID, "", a), StopRecordSession(someUUID, "", c), Speak(someUUID, "", a, b, c), Speak(someUUID, "", "e", "v", a),
			HashInsertIfEmpty(a, b, c), UUIDBridge(someUUID, a), GlobalGetvar(a), UUIDGetvar(someUUID, a),
			SendEvent("tandem::epoch", Var{"Tandem-Epoch", a}, Var{"Tandem-" + b, c}), SendEvent(a),
			PlayAndGetDigits(someUUID, "", DigitsRequest{Min: 1, Max: 4, Tries: 1, Timeout: time.Second, Terminators: c, Prompt: "a", Variable: "digits", Pattern: b}),
			PlayAndGetDigits(someUUID, a, DigitsRequest{Min: 1, Max: 4, Tries: 1, Timeout: time.Second, Prompt: b, InvalidPrompt: c, Variable: "digits"}),
			Answer(a, b), Set(someUUID, "", "origination_caller_id_name", a), Answer(someUUID, a).Locked(),
		} {
			text, api, err := cmd.wire()
			if err != nil {
				continue
			}
			accepted[cmd.Name()]++
			if offence := strayed(cmd, text, api); offence != "" {
				t.Fatalf("round %d: %s %q %q %q: %s:\n%s", round, cmd.Name(), a, b, c, offence, text)
			}
		}
		if text, _, err := UUIDSetvar(someUUID, "note", a).wire(); err == nil {
			if got := separate(strings.TrimSuffix(strings.TrimPrefix(text, "api uuid_setvar "), "\n\n"), ' ', 3); len(got) != 3 || got[2] != a {
				t.Fatalf("%q arrives as %q", a, got)
			}
		}
		if text, _, err := UUIDSetvarMulti(someUUID, Var{"one", a}, Var{"two", b}).wire(); err == nil {
			_, list, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(text, "api uuid_setvar_multi "), "\n\n"), " ")
			if got := separate(list, ';', 64); len(got) != 2 || got[0] != "one="+a || got[1] != "two="+b {
				t.Fatalf("%q %q arrive as %q", a, b, got)
			}
		}
		tryDialString(t, DialString{
			Global: []Var{{"note", a}, {"sip_h_X-Tandem-Note", b}},
			Mode:   Mode(random.IntN(2)),
			Legs: []DialLeg{
				{Vars: []Var{{"note", b}, {"origination_caller_id_name", c}}, Profile: "tandem", URI: "sip:1@h;p=x", Path: "sip:edge"},
				{Vars: []Var{{"sip_h_X-Tandem-Note", c}}, Profile: "tandem", URI: "sip:" + a},
				{Profile: "tandem", URI: "sip:2@h", Path: "sip:" + b},
			}[random.IntN(3):],
		}, accepted)
	}
	for _, name := range []string{"set", "uuid_setvar", "uuid_setvar_multi", "sendevent", "dial string", "playback", "play_and_get_digits", "hash", "global_setvar"} {
		if accepted[name] < *hostileRounds/1000 {
			t.Errorf("only %d of %s were accepted: the test tests nothing", accepted[name], name)
		}
	}
}

// strayed says how a command differs from one command with the headers and
// the first words that its builder writes.
func strayed(cmd Command, text string, api bool) string {
	all := readRequests(text)
	if len(all) != 1 {
		return "several commands"
	}
	r := all[0]
	allowed := "call-command execute-app-name execute-app-arg event-uuid hangup-cause event-lock"
	switch {
	case api:
		allowed = ""
		if !strings.HasPrefix(r.command, "api "+cmd.Name()) {
			return "another command"
		}
	case cmd.Name() == "sendevent":
		allowed = ""
		for _, h := range r.headers {
			if h[0] != "Event-Subclass" && !strings.HasPrefix(h[0], "Tandem-") || strings.HasPrefix(h[1], "ARRAY::") {
				return "header " + h[0]
			}
			allowed += h[0] + " "
		}
	case !strings.HasPrefix(r.command, "sendmsg ") || cmd.Name() != "hangup" && r.header("execute-app-name") != cmd.Name():
		return "another command"
	}
	seen := map[string]bool{}
	for _, h := range r.headers {
		if seen[h[0]] || !strings.Contains(" "+allowed+" ", " "+h[0]+" ") {
			return "header " + h[0]
		}
		seen[h[0]] = true
	}
	arg := r.header("execute-app-arg")
	switch {
	case expands(arg) || api && expands(r.command):
		return "expands"
	case strings.HasPrefix(arg, "%[") || strings.HasPrefix(arg, "^^") || strings.HasPrefix(arg, "ARRAY::"):
		return "prefix"
	case cmd.Name() == "play_and_get_digits" && len(separate(arg, ' ', 20)) != 10:
		return "wrong number of arguments"
	case cmd.Name() == "hash" && len(separate(r.command, '/', 10)) > 4:
		return "too many fields"
	case cmd.Name() == "global_setvar" && len(separate(r.command, '=', 10)) != 3:
		return "too many fields"
	}
	return ""
}

// tryDialString renders and reads back, through bridge and through originate.
func tryDialString(t *testing.T, d DialString, accepted map[string]int) {
	t.Helper()
	text, _, err := Bridge(someUUID, "", d).wire()
	if err != nil {
		if d.Err() == nil {
			t.Fatalf("bridge refuses what DialString accepts: %v", err)
		}
		return
	}
	accepted["dial string"]++
	if offence := strayed(Bridge(someUUID, "", d), text, false); offence != "" {
		t.Fatalf("%+v: %s", d, offence)
	}
	sameDial(t, d, readRequests(text)[0].header("execute-app-arg"))
	if text, _, err = Originate(d).wire(); err != nil {
		if !strings.Contains(err.Error(), "event socket's module") {
			t.Fatalf("originate refuses what bridge accepts: %v", err)
		}
		return
	}
	arguments := separate(strings.TrimSuffix(strings.TrimPrefix(text, "api originate "), "\n\n"), ' ', 10)
	if len(readRequests(text)) != 1 || len(arguments) != 2 || arguments[1] != "&park()" {
		t.Fatalf("%+v: originate gets %q", d, arguments)
	}
	sameDial(t, d, arguments[0])
}

func sameDial(t *testing.T, want DialString, text string) {
	t.Helper()
	got, err := dial(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	same := func(vars []Var, got [][2]string) bool {
		if len(vars) != len(got) {
			return false
		}
		for i, v := range vars {
			if got[i] != [2]string{v.Name, v.Value} {
				return false
			}
		}
		return true
	}
	if len(got.legs) != len(want.Legs) || !same(want.Global, got.vars) || len(want.Legs) > 1 && got.mode != want.Mode {
		t.Fatalf("%s: read as %+v", text, got)
	}
	for i, leg := range want.Legs {
		route := ""
		if leg.Path != "" {
			route = "<" + leg.Path
		}
		g := got.legs[i]
		if !same(leg.Vars, g.vars) || g.endpoint != "sofia" || g.profile != leg.Profile || g.uri != leg.URI || !strings.HasPrefix(g.route, route) || (route == "") != (g.route == "") {
			t.Fatalf("%s: leg %d read as %+v", text, i, g)
		}
	}
}

func FuzzDialString(f *testing.F) {
	f.Add("note", "a, b", "sip_h_X-A", "c;d", "tandem", "sip:101@10.0.0.1:5060;alias=10.0.0.1~5060~1", "sip:127.0.0.1:5080;lr")
	f.Add("a", "'", "b", "^^", "internal", "sip:[fd00::1]:5060", "")
	f.Add("a", "x~!#", "b", "y,;", "p", "sips:%41@h", "sip:e;transport=tcp")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2, profile, uri, path string) {
		leg := DialLeg{Vars: []Var{{name2, value2}, {"note", value1}}, Profile: profile, URI: uri, Path: path}
		tryDialString(t, DialString{Global: []Var{{name1, value1}, {"other", value2}}, Legs: []DialLeg{leg, {Profile: profile, URI: uri}}}, map[string]int{})
	})
}

func FuzzSetValue(f *testing.F) {
	for _, seed := range bait {
		f.Add("note", seed)
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		set := Set(someUUID, "id/1", name, value)
		if text, _, err := set.wire(); err == nil {
			if offence := strayed(set, text, false); offence != "" {
				t.Fatal(offence)
			}
			if got := readRequests(text)[0].header("execute-app-arg"); got != name+"="+value {
				t.Fatalf("%q arrives as %q", name+"="+value, got)
			}
		}
		if text, _, err := UUIDSetvar(someUUID, name, value).wire(); err == nil {
			if got := separate(strings.TrimSuffix(strings.TrimPrefix(text, "api uuid_setvar "), "\n\n"), ' ', 3); len(got) != 3 || got[1] != name || got[2] != value {
				t.Fatalf("%q %q arrive as %q", name, value, got)
			}
		}
		if clean := CleanName(value); clean != "" && (checkSplitValue(clean) != nil || checkName(clean) != nil) {
			t.Fatalf("CleanName leaves %q", clean)
		}
	})
}
