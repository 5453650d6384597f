package nodes

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/tenants"
)

// flowing lets the calls of a test run through a flow of one element after another, each left by its first exit.
func flowing(t *testing.T, elements map[string]tenants.Element) func(*Options) {
	t.Helper()
	s, faults := tenants.NewSnapshot(tenants.Data{Tenants: []tenants.Tenant{{ID: "office", Domain: "office.example", TimeZone: "UTC", Language: "de",
		Users:     []tenants.User{{ID: "u2", Name: "Sales", Extension: "102"}},
		Published: tenants.Published{Flows: []tenants.Flow{{ID: "sales", Start: "first", Elements: elements}}}}}}, callflows.ParseSettings)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return func(o *Options) {
		o.Snapshot = func() *tenants.Snapshot { return s }
		o.Media, o.Prompts = "/media", Prompts(Sounds{Folder: "/sounds", Media: "/media"})
	}
}

func voicemail(t *testing.T) func(*Options) {
	return flowing(t, map[string]tenants.Element{"first": {Type: "voicemail", Settings: []byte(`{"user":"u2"}`), Exits: map[string]string{"kept": "bye"}}, "bye": {Type: "hangup"}})
}

// toRecording takes a call to the point where its caller is recorded, and gives the order.
func toRecording(f *fakeNode) string {
	f.event("CHANNEL_CREATE", callerLeg, "inbound")
	f.event("CHANNEL_PARK", callerLeg, "inbound")
	f.ordered("execute-app-name: answer")
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: answer", "Application-UUID: "+callID+"/1", "Answer-State: answered")
	f.ordered("execute-app-name: playback")
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: playback", "Application-UUID: "+callID+"/2", "Answer-State: answered")
	return f.ordered("execute-app-name: record")
}

func receive[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return v
}

const recordedFile = "voicemail+office+u2+" + callID + "+3.wav"

// recording waits for what became of a recording.
func (w *world) recording(t *testing.T) messages.Recording {
	t.Helper()
	return receive(t, w.tapes)
}

// What a caller has said when he hangs up is a message; the node tells of the file although the leg is going.
func TestARecordingThatAHangUpEndsIsFiled(t *testing.T) {
	f := newFakeNode(t)
	w := newWorld()
	o := options(t, f, w)
	voicemail(t)(&o)
	start(t, o)
	<-f.up
	order := toRecording(f)
	if !strings.Contains(order, "execute-app-arg: /media/incoming/"+recordedFile+" 120 200 5") {
		t.Errorf("the order: %s", order)
	}
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: record", "Application-UUID: "+callID+"/3", "Answer-State: hangup",
		"variable_record_ms: 4200", "variable_silence_hits_exhausted: false")
	if r := w.recording(t); r.ID != callID+"/3" || r.Box != "u2" || r.LengthMS != 4200 || r.Discard || r.File != recordedFile {
		t.Errorf("filed is %+v", r)
	}
	f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: NORMAL_CLEARING", "variable_sip_hangup_disposition: recv_bye")
	w.cdr(t)
}

// What the owner has filed and what is not safe yet is filed by its standby, too; what is safe is not.
func TestTheStandbyFilesWhatIsNotSafe(t *testing.T) {
	f := newFakeNode(t)
	first, stopFirst := workerThat(t, f, "worker1.a", voicemail(t))
	first.up(t)
	second, _ := workerThat(t, f, "worker2.b", voicemail(t))
	second.picture(t)
	toRecording(f)
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: record", "Application-UUID: "+callID+"/3", "Answer-State: hangup", "variable_record_ms: 4200")
	f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: NORMAL_CLEARING", "variable_sip_hangup_disposition: recv_bye")
	kept := first.recording(t)
	first.cdr(t)
	stopFirst()
	second.up(t)
	if again := second.recording(t); again != kept {
		t.Errorf("the standby files %+v, and its owner filed %+v", again, kept)
	}
}

// boxes answers inquiries in a test.
type boxes struct {
	asked chan string
	let   chan struct{} // lets one answer go
	pin   callflows.PINOutcome
	err   error
}

func (b *boxes) FindMessages(ctx context.Context, tenant, box string) ([]callflows.Message, error) {
	b.asked <- "messages of " + tenant + " " + box
	select {
	case <-b.let:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return []callflows.Message{{ID: "m/1", Media: "Media:kept/aa/aa.wav"}}, b.err
}

func (b *boxes) MarkMessage(context.Context, string, string, string, callflows.Mark) error {
	b.asked <- "mark"
	return b.err
}

func (b *boxes) CheckPIN(_ context.Context, _, _, pin string) (callflows.PINOutcome, error) {
	b.asked <- "PIN " + pin
	return b.pin, b.err
}

// checking lets a call's caller open the box of u2.
func checking(t *testing.T, b *boxes) func(*Options) {
	flow := flowing(t, map[string]tenants.Element{"first": {Type: "voicemail_check", Settings: []byte(`{"user":"u2"}`)}})
	return func(o *Options) {
		flow(o)
		o.Mailboxes = b
	}
}

// keyPIN takes a call to the point where its caller has keyed his PIN.
func keyPIN(f *fakeNode) {
	f.event("CHANNEL_CREATE", callerLeg, "inbound")
	f.event("CHANNEL_PARK", callerLeg, "inbound")
	f.ordered("execute-app-name: answer")
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: answer", "Application-UUID: "+callID+"/1", "Answer-State: answered")
	f.ordered("tandem_secret_2")
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: play_and_get_digits", "Application-UUID: "+callID+"/2", "Answer-State: answered", "variable_tandem_secret_2: 4711")
}

// A PIN goes to who checks it, and into no journal; a successor asks for messages again that its owner had asked for.
func TestInquiriesAreAskedAgainByASuccessor(t *testing.T) {
	f := newFakeNode(t)
	one := &boxes{asked: make(chan string, 10), let: make(chan struct{}), pin: callflows.PINRight}
	two := &boxes{asked: make(chan string, 10), let: make(chan struct{}, 1), pin: callflows.PINRight}
	first, stopFirst := workerThat(t, f, "worker1.a", checking(t, one))
	first.up(t)
	second, _ := workerThat(t, f, "worker2.b", checking(t, two))
	second.picture(t)
	keyPIN(f)
	if got := receive(t, one.asked); got != "PIN 4711" {
		t.Errorf("asked is %s", got)
	}
	if got := receive(t, one.asked); got != "messages of office u2" {
		t.Errorf("asked is %s", got)
	}
	first.said(t, "pin_right")
	two.let <- struct{}{}
	stopFirst()
	second.up(t)
	if got := receive(t, two.asked); got != "messages of office u2" {
		t.Errorf("asked of the successor is %s", got)
	}
	if order := f.ordered("file_string://"); !strings.Contains(order, callID+"/5") {
		t.Errorf("the successor orders %s", order)
	}
}

// What does not answer leaves the call to its flow.
func TestABoxThatDoesNotAnswerIsAway(t *testing.T) {
	f := newFakeNode(t)
	w := newWorld()
	o := options(t, f, w)
	checking(t, &boxes{asked: make(chan string, 10), let: make(chan struct{}), err: errors.New("planted")})(&o)
	start(t, o)
	<-f.up
	keyPIN(f)
	w.said(t, "box_away")
	f.ordered("uuid_kill " + callerLeg + " NORMAL_TEMPORARY_FAILURE")
}

func TestTheKeysThatEndARecording(t *testing.T) {
	for keys, want := range map[string]string{"#": "#", "": "none"} {
		if v := recordVariables(callflows.Command{Terminators: keys}); len(v) != 1 || v[0].Name != "playback_terminators" || v[0].Value != want {
			t.Errorf("%q: %v", keys, v)
		}
	}
}

func TestPromptsAreFiles(t *testing.T) {
	with := Prompts(Sounds{Folder: "tandem", Media: "/media/", Find: func(tenant, language, prompt string) (string, bool) {
		return "prompts/" + tenant + "/" + language + "/" + prompt + ".wav", prompt == "welcome" || prompt == "say/digits/3" || prompt == "boxes/ada/greeting"
	}})
	without := Prompts(Sounds{Folder: "tandem"})
	for _, row := range []struct{ prompt, with, without string }{
		{"welcome", "/media/prompts/shop/de/welcome.wav", "tandem/welcome.wav"},
		{"closed", "tandem/closed.wav", "tandem/closed.wav"},
		{"Media:kept/aa/aa.wav", "/media/kept/aa/aa.wav", "tandem/Media:kept/aa/aa.wav.wav"}, // which no node plays
		{"silence:200", "silence_stream://200", "silence_stream://200"},
		{"tone:nobody", "tone_stream://%(400,0,800)", "tone_stream://%(400,0,800)"},
		{"voicemail/saved", "tone_stream://%(400,0,800)", "tone_stream://%(400,0,800)"},
		{ownBefore("ada", "voicemail/greeting"), "/media/prompts/shop/de/boxes/ada/greeting.wav", "tone_stream://%(200,50,523);%(200,50,659);%(300,0,784)"},
		{ownBefore("bob", "welcome"), "/media/prompts/shop/de/welcome.wav", "tandem/welcome.wav"},
		{ownBefore("", "closed"), "tandem/closed.wav", "tandem/closed.wav"},
		{"say/digits/3", "/media/prompts/shop/de/say/digits/3.wav", "tone_stream://%(150,150,800);%(150,150,800);%(150,400,800)"},
		{"say/digits/0", "tone_stream://%(600,200,600)", "tone_stream://%(600,200,600)"},
	} {
		if got := with("shop", "de", row.prompt); got != row.with {
			t.Errorf("%s with a media folder is %s", row.prompt, got)
		}
		if got := without("shop", "de", row.prompt); got != row.without {
			t.Errorf("%s without is %s", row.prompt, got)
		}
	}
}

// Both legs of a talk carry the music that the one whom they hold hears.
func TestMusicOnHoldIsOnEachLeg(t *testing.T) {
	n := New(Options{Profile: "internal", Prompts: Prompts(Sounds{Folder: "tandem"}), Snapshot: func() *tenants.Snapshot { return nil }})
	command := callflows.Command{Kind: callflows.Ring, N: 2, Leg: callerLeg, Music: "music/sales", Targets: []callflows.Target{{Leg: calleeLeg, URI: "sip:102@192.0.2.7"}}}
	dial, err := n.dialString(callflows.Call{Tenant: "office"}, command)
	if err != nil {
		t.Fatal(err)
	}
	music := 0
	for _, v := range append(dial.Global, n.musicVariables("office", command)...) {
		if v.Name == "hold_music" && v.Value == "tandem/music/sales.wav" {
			music++
		}
	}
	if music != 2 {
		t.Errorf("the variable is set on %d legs", music)
	}
}
