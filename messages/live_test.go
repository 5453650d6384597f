package messages_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tandem/messages"
)

func TestAPartSplitIntoHalvesLosesNoCall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.IntRange(1, messages.MaxParts/2).Draw(t, "of")
		whole := &messages.NodeCalls{Type: messages.NodeCallsV1, Node: "fs1", Worker: "w", Of: of}
		whole.Part = rapid.IntRange(0, of-1).Draw(t, "part")
		for i := range 200 {
			if id := fmt.Sprint("call", i); messages.PartOf(id, of) == whole.Part {
				whole.Calls = append(whole.Calls, messages.NodeCall{Call: id, Tenant: "demo"})
			}
		}
		low, high := whole.Split()
		for _, half := range []*messages.NodeCalls{low, high} {
			if err := half.Validate(); err != nil {
				t.Fatalf("part %d of %d: %v", half.Part, half.Of, err)
			}
		}
		if len(low.Calls)+len(high.Calls) != len(whole.Calls) {
			t.Fatalf("%d and %d calls of %d", len(low.Calls), len(high.Calls), len(whole.Calls))
		}
	})
}

// The largest call that may be told fits into a message, so that splitting comes to an end; so does the largest dialog.
func TestTheLargestOfEachFitsIntoAMessage(t *testing.T) {
	name, uri := strings.Repeat("\x01", messages.MaxName), strings.Repeat("\x01", messages.MaxURI) // six bytes each in JSON
	call := messages.NodeCall{Call: "c", Tenant: name, From: uri, To: uri, Flow: name, Element: name, Phase: name}
	for range messages.MaxCallLegs {
		call.Legs = append(call.Legs, messages.NodeLeg{ID: strings.Repeat("a", 36), Role: "caller", Device: name, Trunk: name, Dialog: 1 << 31})
	}
	calls := &messages.NodeCalls{Type: messages.NodeCallsV1, Node: name, Worker: name, Of: 1, Calls: []messages.NodeCall{call}}
	if body, err := messages.Encode(calls); err != nil {
		t.Errorf("%d bytes: %v", len(body), err)
	}
	dialog := messages.Dialog{Call: name, Leg: name, CallID: uri, Local: uri, Remote: uri, Target: uri, Routes: uri}
	dialogs := &messages.NodeDialogs{Type: messages.NodeDialogsV1, Node: name, Worker: name, Dialogs: []messages.Dialog{dialog}}
	if body, err := messages.Encode(dialogs); err != nil {
		t.Errorf("%d bytes: %v", len(body), err)
	}
}

func TestWhatIsKeptOfASessionDescription(t *testing.T) {
	for _, tt := range []struct{ name, sdp, want string }{
		{"audio", "v=0\r\no=ua 1 2 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 15571 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=ssrc:1 cname:x\r\na=sendonly\r\n",
			"o=ua 1 2 IN IP4 192.0.2.7\nc=IN IP4 192.0.2.7\nm=audio 15571 RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=sendonly\n"},
		{"keys stay out", "o=u 1 1 IN IP4 h\nm=audio 1 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0|2^20\n",
			"o=u 1 1 IN IP4 h\nm=audio 1 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80\n"},
		{"long attributes are left out", "o=u 1 1 IN IP4 h\nm=audio 1 RTP/AVP 0\na=fmtp:96 " + strings.Repeat("x", messages.MaxDialogSDP), "o=u 1 1 IN IP4 h\nm=audio 1 RTP/AVP 0\n"},
		{"longer than that is nothing", "o=" + strings.Repeat("x", messages.MaxDialogSDP), ""},
		{"no description", "\x00=\na", ""},
		{"nothing", "", ""},
	} {
		if got := messages.KeepSDP(tt.sdp); got != tt.want {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

// Whatever changes in a dialog but its time and its name changes its digest.
func TestADialogsDigestSeesEveryMember(t *testing.T) {
	var d messages.Dialog
	had := d.Sum()
	v := reflect.ValueOf(&d).Elem()
	for i := range v.NumField() {
		before := d
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int:
			f.SetInt(1)
		case reflect.Uint32:
			f.SetUint(1)
		}
		name := v.Type().Field(i).Name
		changed := d.Sum() != had
		if named := name == "Call" || name == "Leg" || name == "Digest" || name == "At" || name == "AnsweredAt"; changed == named {
			t.Errorf("%s: changes it: %v", name, changed)
		}
		d = before
	}
}
