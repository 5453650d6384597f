package esl

import (
	"bufio"
	"errors"
	"io"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/percipia/eslgo/command"
	"github.com/percipia/eslgo/command/call"
)

const otherUUID = "8105d0fb-0000-4543-8ec8-669226d2a63d"

func TestWhatCommandsLookLikeOnTheWire(t *testing.T) {
	execute := "sendmsg " + someUUID + "\ncall-command: execute\nexecute-app-name: "
	dial := DialString{
		Global: []Var{{"continue_on_fail", "true"}, {"sip_h_X-Tandem-Call", "c-1"}},
		Legs: []DialLeg{
			{Vars: []Var{{"origination_uuid", otherUUID}, {"leg_timeout", "20"}}, Profile: "internal", URI: "sip:101@10.0.0.1:5060;alias=10.0.0.1~5060~1", Path: "sip:127.0.0.1:5080"},
			{Vars: []Var{{"origination_caller_id_name", "Doe, Jane"}, {"leg_timeout", "5"}}, Profile: "internal", URI: "sip:102@[fd00::2]"},
		},
	}
	rendered := "{continue_on_fail=true,sip_h_X-Tandem-Call=c-1}" +
		"[origination_uuid=" + otherUUID + ",leg_timeout=20]sofia/internal/sip:101@10.0.0.1:5060;alias=10.0.0.1~5060~1;fs_path=%3Csip%3A127.0.0.1%3A5080%3Blr%3E" +
		",[^^~origination_caller_id_name=Doe, Jane~leg_timeout=5]sofia/internal/sip:102@[fd00::2]"
	sequential := DialString{Mode: Sequential, Legs: []DialLeg{{Profile: "p", URI: "sip:a@b", Path: "sip:e;LR;transport=tcp"}, {Profile: "p", URI: "sip:c@d"}}}
	cases := []struct {
		cmd  Command
		want string
	}{
		{Answer(someUUID, "call/1"), execute + "answer\nevent-uuid: call/1\n\n"},
		{RingReady(someUUID, ""), execute + "ring_ready\n\n"},
		{PreAnswer(someUUID, ""), execute + "pre_answer\n\n"},
		{Park(someUUID, "").Locked(), execute + "park\nevent-lock: true\n\n"},
		{Playback(someUUID, "call/2", "/prompts/welcome-1.wav"), execute + "playback\nevent-uuid: call/2\nexecute-app-arg: /prompts/welcome-1.wav\n\n"},
		{Playback(someUUID, "", "file_string://a.wav!silence_stream://100,0!tone_stream://%(500,0,440);loops=2"), execute + "playback\nexecute-app-arg: file_string://a.wav!silence_stream://100,0!tone_stream://%(500,0,440);loops=2\n\n"},
		{Sleep(someUUID, "", 1500*time.Millisecond), execute + "sleep\nexecute-app-arg: 1500\n\n"},
		{Set(someUUID, "", "note", "it's {fine}, [really]=1; \"ok\""), execute + "set\nexecute-app-arg: note=it's {fine}, [really]=1; \"ok\"\n\n"},
		{Unset(someUUID, "", "note"), execute + "unset\nexecute-app-arg: note\n\n"},
		{Bridge(someUUID, "call/3", dial), execute + "bridge\nevent-uuid: call/3\nexecute-app-arg: " + rendered + "\n\n"},
		{Bridge(someUUID, "", sequential), execute + "bridge\nexecute-app-arg: sofia/p/sip:a@b;fs_path=%3Csip%3Ae%3BLR%3Btransport%3Dtcp%3E|sofia/p/sip:c@d\n\n"},
		{Hangup(someUUID, "USER_BUSY"), "sendmsg " + someUUID + "\ncall-command: hangup\nhangup-cause: USER_BUSY\n\n"},
		{PlayAndGetDigits(someUUID, "call/4", DigitsRequest{Min: 1, Max: 4, Tries: 3, Timeout: 5 * time.Second, DigitTimeout: 2 * time.Second, Terminators: "#*", Prompt: "menu.wav", InvalidPrompt: "bad.wav", Variable: "digits", Pattern: "^[0-9]{1,4}$"}),
			execute + "play_and_get_digits\nevent-uuid: call/4\nexecute-app-arg: 1 4 3 5000 #* menu.wav bad.wav digits ^[0-9]{1,4}$ 2000\n\n"},
		{PlayAndGetDigits(someUUID, "", DigitsRequest{Max: 1, Tries: 1, Timeout: 3 * time.Second, Prompt: "menu.wav", Variable: "d"}),
			execute + "play_and_get_digits\nexecute-app-arg: 0 1 1 3000 # menu.wav silence_stream://10 d ^.*$ 3000\n\n"},
		{Record(someUUID, "call/5", Recording{File: "/media/incoming/vm+a.wav", Limit: 2 * time.Minute, Threshold: 200, Silence: 5 * time.Second}),
			execute + "record\nevent-uuid: call/5\nexecute-app-arg: /media/incoming/vm+a.wav 120 200 5\n\n"},
		{Record(someUUID, "", Recording{File: "/a.wav", Limit: time.Second}), execute + "record\nexecute-app-arg: /a.wav 1\n\n"},
		{RecordSession(someUUID, "", "/a.wav"), execute + "record_session\nexecute-app-arg: /a.wav\n\n"},
		{StopRecordSession(someUUID, "", "/a.wav"), execute + "stop_record_session\nexecute-app-arg: /a.wav\n\n"},
		{Speak(someUUID, "", "flite", "kal", "Hello, you."), execute + "speak\nexecute-app-arg: flite|kal|Hello, you.\n\n"},
		{UUIDKill(someUUID, "NORMAL_CLEARING"), "api uuid_kill " + someUUID + " NORMAL_CLEARING\n\n"},
		{UUIDSetvar(someUUID, "state", "a b;c,d"), "api uuid_setvar " + someUUID + " state a b;c,d\n\n"},
		{UUIDUnsetvar(someUUID, "state"), "api uuid_setvar " + someUUID + " state\n\n"},
		{UUIDSetvarMulti(someUUID, Var{"a", "1"}, Var{"b", "2,3"}), "api uuid_setvar_multi " + someUUID + " a=1;b=2,3\n\n"},
		{UUIDSetvarMulti(someUUID, Var{"a", "1;~"}, Var{"b", "2"}), "api uuid_setvar_multi " + someUUID + " ^^!a=1;~!b=2\n\n"},
		{UUIDGetvar(someUUID, "state"), "api uuid_getvar " + someUUID + " state\n\n"},
		{UUIDDump(someUUID), "api uuid_dump " + someUUID + " json\n\n"},
		{UUIDExists(someUUID), "api uuid_exists " + someUUID + "\n\n"},
		{UUIDBridge(someUUID, otherUUID), "api uuid_bridge " + someUUID + " " + otherUUID + "\n\n"},
		{UUIDTransferPark(someUUID, false), "api uuid_transfer " + someUUID + " park inline\n\n"},
		{UUIDTransferPark(someUUID, true), "api uuid_transfer " + someUUID + " -both park inline\n\n"},
		{UUIDBreak(someUUID, false), "api uuid_break " + someUUID + "\n\n"},
		{UUIDBreak(someUUID, true), "api uuid_break " + someUUID + " all\n\n"},
		{Originate(dial), "api originate '" + rendered + "' &park()\n\n"},
		{ShowChannels(), "api show channels as json\n\n"},
		{ShowCalls(), "api show calls as json\n\n"},
		{Status(), "api status\n\n"},
		{Version(), "api version\n\n"},
		{GlobalGetvar("tandem_owner"), "api global_getvar tandem_owner\n\n"},
		{GlobalSetvarCAS("tandem_owner", "w2:7", "w1:6"), "api global_setvar tandem_owner=w2:7=w1:6\n\n"},
		{HashInsertIfEmpty("tandem", "owner", "w1"), "api hash insert_ifempty/tandem/owner/w1\n\n"},
		{HashDeleteIfMatch("tandem", "owner", "w1"), "api hash delete_ifmatch/tandem/owner/w1\n\n"},
		{HashSelect("tandem", "owner"), "api hash select/tandem/owner\n\n"},
		{PauseInbound(), "api fsctl pause inbound\n\n"},
		{ResumeInbound(), "api fsctl resume inbound\n\n"},
		{InboundPaused(), "api fsctl pause_check inbound\n\n"},
		{ShutdownWhenEmpty(), "api fsctl shutdown asap\n\n"},
		{SendEvent("tandem::epoch", Var{"Tandem-Epoch", "7"}, Var{"Tandem-Worker", "w: 1"}), "sendevent CUSTOM\nEvent-Subclass: tandem::epoch\nTandem-Epoch: 7\nTandem-Worker: w: 1\n\n"},
	}
	for _, c := range cases {
		got, _, err := c.cmd.wire()
		if err != nil || got != c.want || c.cmd.Err() != nil {
			t.Errorf("%s:\n got %q %v\nwant %q", c.cmd.Name(), got, err, c.want)
		}
	}
}

func TestWhatIsRefusedAndWhere(t *testing.T) {
	leg := func(l DialLeg) Command {
		if l.Profile == "" {
			l.Profile = "internal"
		}
		if l.URI == "" {
			l.URI = "sip:1@h"
		}
		return Bridge(someUUID, "", DialString{Legs: []DialLeg{l}})
	}
	global := func(name, value string) Command {
		return Bridge(someUUID, "", DialString{Global: []Var{{name, value}}, Legs: []DialLeg{{Profile: "p", URI: "sip:1@h"}}})
	}
	digits := func(change func(*DigitsRequest)) Command {
		r := DigitsRequest{Min: 1, Max: 2, Tries: 1, Prompt: "a.wav", Variable: "d"}
		change(&r)
		return PlayAndGetDigits(someUUID, "", r)
	}
	cases := []struct {
		name string
		cmd  Command
		want string // of the error, after "esl: "
	}{
		{"line feed", Set(someUUID, "", "a", "x\ny"), "set: value refused: line break at byte 1"},
		{"carriage return", Set(someUUID, "", "a", "xy\r"), "set: value refused: line break at byte 2"},
		{"NUL", Set(someUUID, "", "a", "\x00"), "set: value refused: NUL at byte 0"},
		{"bad UTF-8", Set(someUUID, "", "a", "é\xff"), "set: value refused: bad UTF-8 at byte 2"},
		{"escape sequence", Set(someUUID, "", "a", "x\x1b[0m"), "set: value refused: control character at byte 1"},
		{"expansion", Set(someUUID, "", "a", "x${uuid}"), "set: value refused: expansion or escape character at byte 1"},
		{"backslash", Set(someUUID, "", "a", `a\n`), "set: value refused: expansion or escape character at byte 1"},
		{"array", Set(someUUID, "", "a", "ARRAY::1|:2"), "set: value refused: array prefix at byte 0"},
		{"nothing", Set(someUUID, "", "a", ""), "set: value refused: empty"},
		{"too long", Set(someUUID, "", "a", strings.Repeat("x", maxValueBytes+1)), "set: value refused: too long at byte 8192"},
		{"name with =", Set(someUUID, "", "a=b", "x"), "set: name refused: character not allowed at byte 1"},
		{"name of the body", Set(someUUID, "", "_body", "x"), "set: name refused: character not allowed at byte 0"},
		{"hook", Set(someUUID, "", "API_hangup_hook", "x"), "set: name refused: variable that executes at byte 0"},
		{"execute on", Set(someUUID, "", "execute_on_answer", "x"), "set: name refused: variable that executes at byte 0"},
		{"exec after bridge", Set(someUUID, "", "exec_after_bridge_app", "x"), "set: name refused: variable that executes at byte 0"},
		{"confirm by program", Set(someUUID, "", "group_confirm_key", "exec"), "set: value refused: variable that executes at byte 0"},
		{"program as ringback", Set(someUUID, "", "ringback", "shell_stream:///bin/ls"), "set: value refused: stream that executes at byte 0"},
		{"phrase as music", Set(someUUID, "", "hold_music", "phrase:x"), "set: value refused: scheme not allowed at byte 6"},
		{"uuid", Answer("x", ""), "answer: uuid refused: not a uuid"},
		{"uuid shape", Answer(strings.Replace(someUUID, "-", "0", 1), ""), "answer: uuid refused: not a uuid at byte 8"},
		{"id", Answer(someUUID, "a b"), "answer: id refused: character not allowed at byte 1"},
		{"cause", UUIDKill(someUUID, "BECAUSE"), "uuid_kill: cause refused: not a hang-up cause"},
		{"program", Playback(someUUID, "", "shell_stream://ls"), "playback: file refused: scheme not allowed at byte 12"},
		{"parent", Playback(someUUID, "", "/a/../../etc/passwd"), "playback: file refused: parent folder at byte 3"},
		{"blank in a file", Playback(someUUID, "", "a b.wav"), "playback: file refused: character not allowed at byte 1"},
		{"variables of a file", Playback(someUUID, "", "{a=b}c.wav"), "playback: file refused: character not allowed at byte 0"},
		{"program in a list", Playback(someUUID, "", "file_string://a.wav!say:x"), "playback: file refused: scheme not allowed at byte 23"},
		{"backwards", Sleep(someUUID, "", -1), "sleep: duration refused: out of range"},
		{"max below min", digits(func(r *DigitsRequest) { r.Max = 0 }), "play_and_get_digits: max refused: out of range"},
		{"no tries", digits(func(r *DigitsRequest) { r.Tries = 0 }), "play_and_get_digits: tries refused: out of range"},
		{"no prompt", digits(func(r *DigitsRequest) { r.Prompt = "" }), "play_and_get_digits: prompt refused: empty"},
		{"pattern with blank", digits(func(r *DigitsRequest) { r.Pattern = "1 2" }), "play_and_get_digits: pattern refused: character not allowed at byte 1"},
		{"pattern with expansion", digits(func(r *DigitsRequest) { r.Pattern = "${x}" }), "play_and_get_digits: pattern refused: character not allowed at byte 0"},
		{"terminators", digits(func(r *DigitsRequest) { r.Terminators = "x" }), "play_and_get_digits: terminators refused: character not allowed at byte 0"},
		{"recording without a path", StopRecordSession(someUUID, "", ""), "stop_record_session: file refused: not an absolute path at byte 0"},
		{"recording by a scheme", Record(someUUID, "", Recording{File: "http://a/b.wav"}), "record: file refused: not an absolute path at byte 0"},
		{"blank in a recording", RecordSession(someUUID, "", "/a.wav +5"), "record_session: file refused: character not allowed at byte 6"},
		{"half a second", Record(someUUID, "", Recording{File: "/a.wav", Limit: time.Second / 2}), "record: limit refused: not whole seconds within a day"},
		{"variable in speech", Speak(someUUID, "", "flite", "kal", "${x}"), "speak: text refused: character that is not spoken at byte 0"},
		{"no legs", Bridge(someUUID, "", DialString{}), "bridge: legs refused: not 1 to 100"},
		{"mode", Bridge(someUUID, "", DialString{Mode: 9, Legs: []DialLeg{{Profile: "p", URI: "sip:h"}}}), "bridge: mode refused: unknown"},
		{"quote", global("a", "O'Brien"), "bridge: global variable a refused: quote at byte 1"},
		{"brace", global("a", "x}y"), "bridge: global variable a refused: dial-string character at byte 1"},
		{"pipe", global("a", "x|y"), "bridge: global variable a refused: dial-string character at byte 1"},
		{"other delimiter", global("a", "^^;b"), "bridge: global variable a refused: dial-string separator at byte 0"},
		{"several originates", global("a", "b:_:c"), "bridge: global variable a refused: dial-string separator at byte 1"},
		{"nested", global("a", "Origination_Nested_Vars=true"), "bridge: global variable a refused: word that switches expansion on at byte 0"},
		{"nested by name", global("origination_nested_vars", "true"), "bridge: global variable name refused: variable that executes or reinterprets at byte 0"},
		{"trailing blank", global("a", "b "), "bridge: global variable a refused: blank at an end, which is not carried"},
		{"every separator", global("a", separators), "bridge: global variables refused: no separator left"},
		{"escapes in a name", global("origination_caller_id_name", "x%0d%0aEvil: 1"), "bridge: global variable origination_caller_id_name refused: percent escape at byte 1"},
		{"quotes in a name", global("effective_caller_id_name", `x" <sip:evil@h>`), "bridge: global variable effective_caller_id_name refused: character not allowed in a name at byte 1"},
		{"number", global("origination_caller_id_number", "1;x=y"), "bridge: global variable origination_caller_id_number refused: character not allowed at byte 1"},
		{"SIP's own header", global("sip_h_Route", "<sip:evil>"), "bridge: global variable sip_h_Route refused: SIP header not allowed"},
		{"leg uuid", leg(DialLeg{Vars: []Var{{"origination_uuid", "x"}}}), "bridge: leg 1 variable origination_uuid refused: not a uuid"},
		{"twice", leg(DialLeg{Vars: []Var{{"a", "1"}, {"A", "2"}}}), "bridge: leg 1 variable A refused: given twice"},
		{"gateway", leg(DialLeg{Profile: "gateway"}), "bridge: leg 1 profile refused: reserved word at byte 0"},
		{"profile", leg(DialLeg{Profile: "a/b"}), "bridge: leg 1 profile refused: character not allowed at byte 1"},
		{"another endpoint", leg(DialLeg{URI: "loopback/1"}), "bridge: leg 1 uri refused: not a sip or sips URI at byte 0"},
		{"tel", leg(DialLeg{URI: "tel:+1"}), "bridge: leg 1 uri refused: not a sip or sips URI at byte 0"},
		{"comma", leg(DialLeg{URI: "sip:1,2@h"}), "bridge: leg 1 uri refused: character not allowed in a URI at byte 5"},
		{"password", leg(DialLeg{URI: "sip:a:b@h"}), "bridge: leg 1 uri refused: character not allowed in a URI at byte 5"},
		{"no user", leg(DialLeg{URI: "sip:@h"}), "bridge: leg 1 uri refused: empty part of a URI at byte 4"},
		{"no host", leg(DialLeg{URI: "sip:a@"}), "bridge: leg 1 uri refused: bad host or port at byte 6"},
		{"port", leg(DialLeg{URI: "sip:a@h:0"}), "bridge: leg 1 uri refused: bad host or port at byte 6"},
		{"high port", leg(DialLeg{URI: "sip:a@h:65536"}), "bridge: leg 1 uri refused: bad host or port at byte 6"},
		{"IPv4 in brackets", leg(DialLeg{URI: "sip:a@[1.2.3.4]"}), "bridge: leg 1 uri refused: bad host or port at byte 6"},
		{"URI headers", leg(DialLeg{URI: "sip:a@h?X=y"}), "bridge: leg 1 uri refused: bad host or port at byte 6"},
		{"smuggled path", leg(DialLeg{URI: "sip:a@h;fs_path=sip%3Aevil"}), "bridge: leg 1 uri refused: reserved parameter at byte 7"},
		{"smuggled path in the user", leg(DialLeg{URI: "sip:a;fs_path=x@h"}), "bridge: leg 1 uri refused: reserved parameter at byte 5"},
		{"escaped line break", leg(DialLeg{URI: "sip:a%0d@h"}), "bridge: leg 1 uri refused: escaped control character at byte 5"},
		{"bad escape", leg(DialLeg{URI: "sip:a%4@h"}), "bridge: leg 1 uri refused: bad percent escape at byte 5"},
		{"several originates in a parameter", leg(DialLeg{URI: "sip:a@h;x=:_:y"}), "bridge: leg 1 uri refused: reserved parameter at byte 10"},
		{"bad path", leg(DialLeg{Path: "sip:e,sip:f"}), "bridge: leg 1 path refused: bad host or port at byte 4"},
		{"unload", UUIDSetvar(someUUID, "name", "Unload MOD_EVENT_SOCKET"), "uuid_setvar: command refused: name of the event socket's module at byte 61"},
		{"unload below the first line", Set(someUUID, "", "name", "unload mod_event_socket"), "set: command refused: name of the event socket's module at byte 118"},
		{"half of unload", leg(DialLeg{URI: "sip:mod_event_socket@h"}), "bridge: command refused: name of the event socket's module at byte 128"},
		{"quote in an api value", UUIDSetvar(someUUID, "a", "it's"), "uuid_setvar: value refused: quote at byte 2"},
		{"no variables", UUIDSetvarMulti(someUUID), "uuid_setvar_multi: variables refused: not 1 to 60"},
		{"third field", GlobalSetvarCAS("a", "b=c", "d"), "global_setvar: value refused: character not allowed at byte 1"},
		{"slash", HashInsertIfEmpty("r", "k/x", "v"), "hash: key refused: character not allowed at byte 1"},
		{"foreign event header", SendEvent("tandem::x", Var{"Content-Length", "5"}), "sendevent: header name refused: does not begin with Tandem- at byte 0"},
		{"foreign event", SendEvent("epoch"), "sendevent: subclass refused: not like module::name"},
		{"header twice", SendEvent("tandem::x", Var{"Tandem-A", "5"}, Var{"Tandem-a", "6"}), "sendevent: header name refused: given twice"},
		{"escape in an event", SendEvent("tandem::x", Var{"Tandem-A", "5%4A"}), "sendevent: header value refused: percent escape at byte 1"},
		{"array in an event", SendEvent("tandem::x", Var{"Tandem-A", "ARRAY::5"}), "sendevent: header value refused: array prefix at byte 0"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text, _, err := c.cmd.wire()
			var refused *ArgumentError
			if !errors.As(err, &refused) || err.Error() != "esl: "+c.want || c.cmd.Err() != err {
				t.Fatalf("\n got %v\nwant esl: %s", err, c.want)
			}
			if m, ok := c.cmd.(Message); ok {
				text = m.Locked().text
			}
			if text != "" {
				t.Fatalf("a refused command left %q", text)
			}
		})
	}
}

func TestWhatPhonesMayBeCalledIsMadeFitForSIP(t *testing.T) {
	for name, want := range map[string]string{
		"Jane Doe": "Jane Doe", "O'Brien": "O’Brien", "Doe, Jane": "Doe, Jane", " x ": "x", "Jörg 日本": "Jörg 日本", "a\r\nb": "ab",
		"x%0d%0aEvil: 1": "x0d0aEvil: 1", `"x" <sip:y>`: "x (sip:y)", "${system ls}": "(system ls)", "a|b[c]": "ab(c)", "\xff\x00": "",
		"reload mod_event_socket": "", "origination_nested_vars=true": "", "a:_:b": "", strings.Repeat("é", 50): strings.Repeat("é", 40),
	} {
		got := CleanName(name)
		if got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
		if got != "" && Originate(DialString{Global: []Var{{"origination_caller_id_name", got}}, Legs: []DialLeg{{Profile: "p", URI: "sip:h"}}}).Err() != nil {
			t.Errorf("%q is still refused", got)
		}
	}
}

// The words are those of eslgo, read by net/textproto as an independent judge.
func TestTheVocabularyIsThatOfEslgo(t *testing.T) {
	read := func(text string) (string, textproto.MIMEHeader) {
		r := textproto.NewReader(bufio.NewReader(strings.NewReader(text + "\r\n\r\n")))
		first, _ := r.ReadLine()
		headers, _ := r.ReadMIMEHeader()
		if headers.Get("Content-Type") == "text/plain" { // eslgo carries the argument as a body, which FreeSWITCH reads alike
			body, _ := io.ReadAll(r.R)
			headers.Set("Execute-App-Arg", strings.TrimSpace(string(body)))
			headers.Del("Content-Type")
		}
		headers.Del("Content-Length")
		for name, values := range headers {
			if values[0] == "" || name == "Event-Lock" && values[0] == "false" || name == "Loops" {
				headers.Del(name)
			}
		}
		return first, headers
	}
	for _, c := range []struct {
		ours   Command
		theirs command.Command
	}{
		{Playback(someUUID, "", "a.wav"), &call.Execute{UUID: someUUID, AppName: "playback", AppArgs: "a.wav"}},
		{Set(someUUID, "", "a", "b"), call.Set{UUID: someUUID, Key: "a", Value: "b"}},
		{Hangup(someUUID, "USER_BUSY"), call.Hangup{UUID: someUUID, Cause: "USER_BUSY"}},
		{UUIDExists(someUUID), command.API{Command: "uuid_exists", Arguments: someUUID}},
	} {
		text, _, err := c.ours.wire()
		if err != nil {
			t.Fatal(err)
		}
		first, headers := read(text)
		wantFirst, wantHeaders := read(c.theirs.BuildMessage())
		if first != wantFirst || len(headers) != len(wantHeaders) {
			t.Errorf("ours %q %v\ntheirs %q %v", first, headers, wantFirst, wantHeaders)
		}
		for name := range wantHeaders {
			if headers.Get(name) != wantHeaders.Get(name) {
				t.Errorf("%s: ours %q, theirs %q", name, headers.Get(name), wantHeaders.Get(name))
			}
		}
	}
}
