package nodes

import (
	"bytes"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tandem/messages"
)

// recorded are the headers of an event of a real engine.
type recorded map[string]string

func (r recorded) Get(name string) string      { return r[name] }
func (r recorded) Variable(name string) string { return r["variable_"+name] }

// recording gives the events of a recorded session that are about one channel, from its answer on.
func recording(t testing.TB, name, channel string) (events []recorded) {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name + ".events")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range bytes.Split(body, []byte("\n\n")) {
		r := recorded{}
		for line := range strings.Lines(string(block)) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			if decoded, err := url.PathUnescape(value); err == nil {
				r[name] = decoded
			}
		}
		if strings.HasPrefix(r["Unique-ID"], channel) && r["Answer-State"] == "answered" {
			events = append(events, r)
		}
	}
	if len(events) == 0 {
		t.Fatal("no events of the channel")
	}
	return events
}

const recordedSDP = "c=IN IP4 127.0.0.1\nm=audio 22904 RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=ptime:20\na=sendrecv\n"

// TestDialogOfACallersLeg: the local tag is missing at the answer and known after the ACK; later re-INVITEs of either side
// turn the variables round, and the dialog stays the same way up.
func TestDialogOfACallersLeg(t *testing.T) {
	events := recording(t, "hold_and_reinvite", "82633e02")
	d := dialogOf(events[0], nil)
	if events[0]["Event-Name"] != "CHANNEL_ANSWER" || complete(&d) {
		t.Errorf("complete with %s: %+v", events[0]["Event-Name"], d)
	}
	for _, e := range events[1:] {
		d = dialogOf(e, &d)
	}
	want := messages.Dialog{Inbound: true, CallID: "c9ab1b42a356b1791@ua", Local: "<sip:1000@127.0.0.1:5080>;tag=UvN9D0eXeyy5D",
		Remote: `"ua5571" <sip:ua5571@127.0.0.1:5571>;tag=t529959`, Target: "sip:ua@127.0.0.1:5571", LocalCSeq: 123112466, RemoteCSeq: 7,
		Edge: "127.0.0.1:5571", Transport: "udp", Profile: "internal", LocalSDP: "o=FreeSWITCH 1795309607 1795309616 IN IP4 127.0.0.1\n" + recordedSDP,
		RemoteSDP: "o=ua 1 1795332517 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 15571 RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n",
		Codec:     "PCMU@8000h@20i@1c", EventSend: 101, EventReceive: 101}
	if diff := cmp.Diff(want, d, cmpopts.IgnoreFields(messages.Dialog{}, "At")); diff != "" {
		t.Error(diff)
	}
	// Who sees nothing but the last event, as after an adoption, reads the same but for the peer's number.
	want.RemoteCSeq = 0
	if diff := cmp.Diff(want, dialogOf(events[len(events)-1], nil), cmpopts.IgnoreFields(messages.Dialog{}, "At")); diff != "" {
		t.Error(diff)
	}
}

// TestDialogOfADialledLeg: all is known at the answer.
func TestDialogOfADialledLeg(t *testing.T) {
	d := dialogOf(recording(t, "hold_and_reinvite", "a6df3da5")[0], nil)
	want := messages.Dialog{CallID: "2a1d58ea-60e9-1240-a590-262e68388ca3", Local: `"ua5571" <sip:ua5571@127.0.0.1>;tag=v5e2FUZ0B7mrS`,
		Remote: "<sip:b@127.0.0.1:5590>;tag=u947691", Target: "sip:ua@127.0.0.1:5590", LocalCSeq: 123112464, Edge: "127.0.0.1:5590",
		Profile: "internal", Codec: "PCMU@8000h@20i@1c", EventSend: 101, EventReceive: 101}
	if diff := cmp.Diff(want, d, cmpopts.IgnoreFields(messages.Dialog{}, "At", "LocalSDP", "RemoteSDP")); diff != "" || !complete(&d) {
		t.Error(diff)
	}
}

// TestDialogsOfHostileHeaders: nothing that a phone puts into its headers makes a dialog that cannot be told, or turns it.
func TestDialogsOfHostileHeaders(t *testing.T) {
	base := recorded{"Call-Direction": "inbound", "variable_sip_call_id": "c", "variable_sip_contact_uri": "a@h",
		"variable_sip_full_to": "<sip:b@h>;tag=us", "variable_sofia_profile_url": "sip:mod_sofia@127.0.0.1:5080"}
	for _, tt := range []struct{ name, from, remote string }{
		{"a tag in the display name", `";tag=fake" <sip:a@h>;tag=them`, "them"},
		{"a tag in the URI", "<sip:a@h;tag=fake>;tag=them", "them"},
		{"more parameters", "<sip:a@h>;x=y;tag=them;z", "them"},
		{"a name that is no UTF-8", "\"\xff\" <sip:a@h>;tag=them", "them"},
		{"an endless name", `"` + strings.Repeat("x", 5000) + `" <sip:a@h>;tag=them`, "them"},
		{"no brackets", "sip:a@h;tag=them", "them"},
		{"no tag", "<sip:a@h>", ""},
	} {
		e := recorded{"variable_sip_full_from": tt.from}
		for name, value := range base {
			e[name] = value
		}
		d := dialogOf(e, nil)
		d.Call, d.Leg = callID, callerLeg
		if !d.Valid() || tagOf(d.Remote) != tt.remote || tagOf(d.Local) != "us" || complete(&d) != (tt.remote != "") {
			t.Errorf("%s: %+v", tt.name, d)
		}
	}
}

// TestKnownTagsTellTheParties: where the top Via says nothing that is known, as behind an address of another name.
func TestKnownTagsTellTheParties(t *testing.T) {
	had := messages.Dialog{Inbound: true, CallID: "c", Local: "<sip:b@h>;tag=us", Remote: "<sip:a@h>;tag=them", Target: "sip:a@h", RemoteCSeq: 3}
	turned := recorded{"Call-Direction": "inbound", "variable_sip_full_from": "<sip:b@h>;tag=us", "variable_sip_full_to": "<sip:a@h>;tag=them", "variable_sip_cseq": "77",
		"variable_sip_full_via": "SIP/2.0/UDP media.example;branch=z9hG4bK1", "variable_sofia_profile_url": "sip:mod_sofia@192.0.2.10:5080"}
	if d := dialogOf(turned, &had); d.Local != had.Local || d.Remote != had.Remote || d.LocalCSeq != 77 || d.RemoteCSeq != 3 {
		t.Errorf("%+v", d)
	}
}

// BenchmarkLearning is what an event of an answered leg costs beside its step.
func BenchmarkLearning(b *testing.B) {
	events := recording(b, "hold_and_reinvite", "82633e02")
	had := dialogOf(events[1], nil)
	had.Call, had.Leg = callID, callerLeg
	for b.Loop() {
		d := dialogOf(events[1], &had)
		d.Digest = d.Sum()
		if !d.Valid() {
			b.Fatal("not valid")
		}
	}
}
