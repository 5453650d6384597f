package fstest

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDialStringsAreReadAsTheEngineReadsThem(t *testing.T) {
	for _, row := range []struct {
		text, vars string
		groups     string // targets by ",", groups by "|", each [vars]endpoint/rest
	}{
		{"sofia/internal/sip:b@h:5", "", "[]sofia/internal/sip:b@h:5"},
		{"{a=1,b='x,y'}sofia/i/x", "a=1;b=x,y", "[]sofia/i/x"},
		{"{^^:a=1,2:b=3}sofia/i/x", "a=1,2;b=3", "[]sofia/i/x"},
		{`{a=one\,two}sofia/i/x`, "a=one,two", "[]sofia/i/x"},
		{"[a=1]sofia/i/x,[b=2]sofia/i/y", "", "[a=1]sofia/i/x,[b=2]sofia/i/y"},
		{"[a=1]sofia/i/x|error/user_busy", "", "[a=1]sofia/i/x|[]error/user_busy"},
		{"{a=1}{b=2} [c=3][d=4]sofia/i/x", "a=1;b=2", "[c=3;d=4]sofia/i/x"},
		{"{n='<sip:x@y>'}sofia/i/<sip:a@b>", "n=<sip:x@y>", "[]sofia/i/<sip:a@b>"},
		{"{a=1", "", ""}, {"", "", ""}, {"{a=1}", "a=1", ""}, {"[a=1]", "", ""}, {",,|,", "", ""},
	} {
		plan, err := parseDialString(row.text)
		if (row.groups == "") != (err != nil) {
			t.Errorf("%q: %v", row.text, err)
		}
		var groups []string
		for _, g := range plan.groups {
			var targets []string
			for _, leg := range g {
				targets = append(targets, "["+joined(leg.vars)+"]"+leg.endpoint+"/"+leg.rest)
			}
			groups = append(groups, strings.Join(targets, ","))
		}
		if diff := cmp.Diff(row.vars+" "+row.groups, joined(plan.vars)+" "+strings.Join(groups, "|")); diff != "" {
			t.Errorf("%q:\n%s", row.text, diff)
		}
	}
}

func joined(vars []field) string {
	var parts []string
	for _, v := range vars {
		parts = append(parts, v.name+"="+v.value)
	}
	return strings.Join(parts, ";")
}

func TestDestinationsGoThroughTheirPath(t *testing.T) {
	for _, row := range []struct{ text, uri, path string }{
		{"sip:bob@10.0.0.1:5062", "sip:bob@10.0.0.1:5062", ""},
		{"bob@10.0.0.1", "sip:bob@10.0.0.1", ""},
		{"sip:b@h;ob;fs_path=%3Csip%3A127.0.0.1%3A5080%3Blr%3E", "sip:b@h;ob", "<sip:127.0.0.1:5080;lr>"},
		{"sip:b@h;fs_path=sip:1.2.3.4:5060;lr", "sip:b@h", "sip:1.2.3.4:5060"},
		{"sip:b@h;transport=ws;alias=1.2.3.4~5~5;fs_path=sip:1.2.3.4:5060;lr", "sip:b@h;transport=ws;alias=1.2.3.4~5~5", "sip:1.2.3.4:5060"},
		{"sip:b@h;transport=tcp", "", ""}, {"sip:", "", ""}, {"sip:b@h\r\nX: y", "", ""},
	} {
		uri, path, ok := parseDestination(row.text)
		if ok != (row.uri != "") || ok && (uri.String() != row.uri || path != row.path) {
			t.Errorf("%q: %s, %q, %v", row.text, uri.String(), path, ok)
		}
	}
}

func TestDescriptionsAreReadLeniently(t *testing.T) {
	const head = "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\n"
	for _, row := range []struct {
		text                      string
		codec, payload, te, hold  string
		port, direction, answered string
	}{
		{head + "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n", "PCMU", "0", "101", "", "4000", "sendrecv", ""},
		{head + "m=audio 4000 RTP/AVP 9 8 0\r\na=sendonly\r\n", "PCMA", "8", "", "hold", "4000", "sendonly", ""},
		{head + "m=audio 4000 RTP/AVP 96 97\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:97 pcmu/8000\r\n", "PCMU", "97", "", "", "4000", "sendrecv", ""},
		{"c=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 0\n", "PCMU", "0", "", "hold", "4000", "sendonly", ""},
		{head + "m=video 1 RTP/AVP 0\r\na=inactive\r\nm=audio 5000 RTP/AVP 0\r\n", "PCMU", "0", "", "", "5000", "sendrecv", ""},
		{head + "m=audio 4000 RTP/SAVP 0\r\n", "", "", "", "", "", "sendrecv", ""},
		{"garbage\n=\nm=\nm=audio\na=rtpmap:\n", "", "", "", "", "", "sendrecv", ""},
	} {
		m := parseSDP(row.text)
		got := []string{m.codec, m.payload, m.event, m.port, m.direction}
		if diff := cmp.Diff([]string{row.codec, row.payload, row.te, row.port, row.direction}, got); diff != "" {
			t.Errorf("%q:\n%s", row.text, diff)
		}
		if m.onHold() != (row.hold != "") {
			t.Errorf("%q: on hold %v", row.text, m.onHold())
		}
	}
}

func TestStreamsThatAreNotOursAreRefusedInTheAnswer(t *testing.T) {
	offer := parseSDP("c=IN IP4 1.2.3.4\nm=image 9 udptl t38\nm=audio 4000 RTP/AVP 8 96\na=rtpmap:96 telephone-event/8000\nm=video 4002 RTP/AVP 99\n")
	l := &sipLeg{ch: &channel{srv: &Server{sipHost: "127.0.0.1"}}, sdpID: 7}
	text := string(l.localSDP(&offer))
	for _, want := range []string{"m=image 0 udptl t38\r\n", "m=audio 9 RTP/AVP 8 96\r\n", "a=rtpmap:96 telephone-event/8000\r\n", "m=video 0 RTP/AVP 99\r\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if again := string(l.localSDP(&offer)); again == text || !strings.Contains(again, "o=standin 7 9 ") {
		t.Errorf("the version does not rise:\n%s", again)
	}
}

func TestTelephoneEventsAreReadBehindAnyRTPHeader(t *testing.T) {
	plain := []byte{0x80, 101, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1, 11, 0x80 | 10, 3, 0x20}
	csrc := append(append([]byte{0x81}, plain[1:12]...), append([]byte{1, 2, 3, 4}, plain[12:]...)...)
	extension := append(append([]byte{0x90}, plain[1:12]...), append([]byte{0xbe, 0xde, 0, 1, 1, 2, 3, 4}, plain[12:]...)...)
	want := telephoneEvent{payload: 101, timestamp: 9, event: 11, end: true, duration: 800}
	for name, packet := range map[string][]byte{"plain": plain, "csrc": csrc, "extension": extension} {
		if got, ok := parseTelephoneEvent(packet); !ok || got != want {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
		for n := range packet {
			parseTelephoneEvent(packet[:n]) // must not panic
		}
	}
	if _, ok := parseTelephoneEvent([]byte{0x40, 101, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1, 11, 0x8a, 3, 0x20}); ok {
		t.Error("another RTP version is read")
	}
}

func TestFilesHaveTheLengthThatTheirNamesSay(t *testing.T) {
	options, err := Options{Password: "x", FileLengths: map[string]time.Duration{"long*.wav": time.Minute}, DefaultFileLength: 3 * time.Second}.complete()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{options: options}
	for name, want := range map[string]time.Duration{
		"silence_stream://250": 250 * time.Millisecond, "silence_stream://250,400": 250 * time.Millisecond, "silence_stream://-1": forever,
		"tone_stream://%(1000,500,440,480);loops=2": 3 * time.Second, "tone_stream://%(100,0,350)": 100 * time.Millisecond,
		"tone_stream://%(100,0,350);loops=-1": forever, "local_stream://moh": forever, "/sounds/longest.wav": time.Minute,
		"ivr/hello.wav": 3 * time.Second, "file_string://silence_stream://100!ivr/hello.wav": 3100 * time.Millisecond,
	} {
		if got, ok := s.fileLength(name); !ok || got != want {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
	for _, name := range []string{"/no/such.wav", "/nonexistent/a/b.wav", ""} {
		if _, ok := s.fileLength(name); ok {
			t.Errorf("%q exists", name)
		}
	}
}

func TestVariablesExpandOnceAndForeignOnesNever(t *testing.T) {
	var v variables
	v.set("a", "1")
	v.set("b", "${a}")
	globals := func(name string) (string, bool) { return "g", name == "global" }
	for text, want := range map[string]string{"x${a}y": "x1y", "${b}": "${a}", "${none}": "", "${global}": "g", "${open": "${open", "$a": "$a"} {
		if got := v.expand(text, globals); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	for _, hostile := range []string{"${a}", "x$\\{a}", "$${a}"} {
		v.setForeign("h", hostile)
		if value, ok := v.get("h"); ok {
			t.Errorf("%q became %q", hostile, value)
		}
		if got := cleaned(hostile); expandable(got) >= 0 {
			t.Errorf("%q cleaned is %q", hostile, got)
		}
	}
}

func TestPlainEventsEscapeWhatTheEngineEscapes(t *testing.T) {
	for text, want := range map[string]string{
		"sofia/internal/a@b:1": "sofia/internal/a%40b%3A1", "Sun, 22 Nov": "Sun,%2022%20Nov", "a\r\nb": "a%0D%0Ab",
		"50% off": "50%25%20off", "%41": "%41", "%4g": "%254g", "ü": "%C3%BC",
	} {
		var b bytes.Buffer
		if writeEncoded(&b, text); b.String() != want {
			t.Errorf("%q: %q", text, b.String())
		}
	}
}

func TestTrueIsWhatFreeSWITCHCallsTrue(t *testing.T) {
	for text, want := range map[string]bool{"true": true, "YES": true, "on": true, "1": true, "42": true, "allow": true, "false": false, "0": false, "": false, "2x": false, "no": false} {
		if isTrue(text) != want {
			t.Errorf("%q", text)
		}
	}
}

func TestCausesTranslateBothWays(t *testing.T) {
	for _, status := range []int{403, 404, 480, 486, 488, 502, 503, 603, 604, 600} {
		if name := causeName(causeFromSIP(status)); name == "UNKNOWN" || name == "NONE" {
			t.Errorf("%d has no cause", status)
		}
	}
	for cause := range causeNames {
		if code := sipCode(cause); code < 400 || code > 699 {
			t.Errorf("%s becomes %d", causeName(cause), code)
		}
		if causeByName(strings.ToLower(causeName(cause))) != cause {
			t.Errorf("%s is not found by its name", causeName(cause))
		}
	}
	if causeByName("17") != causeUserBusy || causeByName("nonsense") != causeNormalClearing {
		t.Error("numbers and nonsense")
	}
}

func FuzzParseDialString(f *testing.F) {
	for _, seed := range []string{"{a=1}[b=2]sofia/i/sip:x@y|error/z", "{^^:a=b", "[[[", `{'\`, "<a=b>x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		plan, err := parseDialString(text)
		if err == nil && len(plan.groups) == 0 {
			t.Error("no target and no error")
		}
	})
}

func FuzzParseSDP(f *testing.F) {
	f.Add("v=0\r\nm=audio 1 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")
	f.Fuzz(func(_ *testing.T, text string) {
		offer := parseSDP(text)
		l := &sipLeg{ch: &channel{srv: &Server{sipHost: "127.0.0.1"}}}
		l.localSDP(&offer)
	})
}

func FuzzReadCommand(f *testing.F) {
	f.Add([]byte("sendmsg x\ncall-command: execute\n\n"))
	f.Add([]byte("sendevent CUSTOM\nContent-Length: 3\n\nabc"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		reader := bufio.NewReaderSize(bytes.NewReader(data), maxCommandLine)
		for range 16 {
			if _, err := readCommand(reader); err != nil {
				return
			}
		}
	})
}

// A browser refuses an answer without one of these lines (RFC 8829 5.11), and asks for ICE anew when they differ in the next (RFC 8445 4.4).
func TestABrowserGetsADescriptionThatItTakes(t *testing.T) {
	text := "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 0 126\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:x\r\n" +
		"a=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:126 telephone-event/8000\r\n"
	offer := parseSDP(text)
	if offer.codec != "PCMU" || offer.event != "126" || offer.onHold() {
		t.Errorf("%+v", offer)
	}
	l := &sipLeg{ch: &channel{srv: &Server{sipHost: "127.0.0.1"}}, sdpID: 7}
	answer := string(l.localSDP(&offer))
	for _, want := range []string{"m=audio 9 UDP/TLS/RTP/SAVPF 0 126\r\n", "a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:sha-256 07:2C:", "a=setup:active\r\n", "a=rtcp-mux\r\n", "a=mid:0\r\n", "a=candidate:"} {
		if !strings.Contains(answer, want) {
			t.Errorf("no %q in\n%s", want, answer)
		}
	}
	secure := func(text string) string {
		var lines []string
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "a=ice-") || strings.HasPrefix(line, "a=fingerprint") {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "")
	}
	again := parseSDP(strings.Replace(text, "sendrecv", "sendonly", 1))
	if hold := string(l.localSDP(&again)); secure(hold) != secure(answer) || !strings.Contains(hold, "a=recvonly\r\n") {
		t.Errorf("the next is\n%s", hold)
	}
}
