package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem/media"
	"tandem/sipptest"
	"tandem/tenants"
)

// soundOf is a WAV file of so much silence: PCM, 8 kHz.
func soundOf(length time.Duration) []byte {
	le, data := binary.LittleEndian, make([]byte, int(length/time.Millisecond)*16)
	b := append([]byte("RIFF"), le.AppendUint32(nil, uint32(36+len(data)))...)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"...)
	b = le.AppendUint32(le.AppendUint32(b, 8000), 16000)
	b = append(b, "\x02\x00\x10\x00data"...)
	return append(le.AppendUint32(b, uint32(len(data))), data...)
}

// heardFor calls an extension whose flow plays something and hangs up, and says how long the caller heard it.
func (c *company) heardFor(t *testing.T, number string) time.Duration {
	t.Helper()
	began := time.Now()
	succeed(t, c.call(t, "one", number, sipptest.Call{CalleeEnds: true}))
	return time.Since(began)
}

// A prompt is brought by the API, and a flow plays it to a phone, for as long as it is; then another sound under the same name; then it is
// renamed and removed, as far as nothing plays it.
func TestAPromptThatWasBroughtIsHeardAtThePhone(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, content, 0o600))
		return path
	}
	says := func(code int, words string, arguments ...string) string {
		t.Helper()
		out, got := w.exits(t, append([]string{"media"}, arguments...)...)
		if got != code || !strings.Contains(out, words) {
			t.Fatalf("tandem media %v: exit code %d, want %d and %q", arguments, got, code, words)
		}
		return out
	}
	says(1, "it is an MP3 file, and no WAV file; convert it first: ffmpeg", "add", c.id, "welcome", file("a.mp3", []byte("ID3\x04\x00 and so on")))
	says(0, "welcome plays 3s as", "add", c.id, "welcome", file("long.wav", soundOf(3*time.Second)))
	listed := says(0, "pcm_s16le 8000 Hz", "list", c.id)
	id := strings.Fields(strings.Split(listed, "\n")[1])[0]

	c.flow(t, "400", "play", map[string]tenants.Element{
		"play":    element("play", map[string]any{"prompt": "welcome"}, map[string]string{"next": "goodbye"}),
		"goodbye": element("hangup", map[string]any{"cause": "NORMAL_CLEARING"}, nil)})
	c.publish(t)
	long := c.heardFor(t, "400")
	says(0, "welcome plays 200ms", "sound", c.id, id, file("short.wav", soundOf(200*time.Millisecond)))
	short := c.heardFor(t, "400")
	if long < 3*time.Second || short > long-2*time.Second {
		t.Errorf("a prompt of 3 s was heard for %s, one of 0.2 s for %s", long, short)
	}

	says(0, "flow flow400 of version 1, /elements/play/settings/prompt", "uses", c.id, id)
	says(1, "it is played by the draft of flow flow400", "remove", c.id, id)
	says(1, "cannot be renamed", "rename", c.id, id, "other")
	says(0, "", "get", c.id, id, filepath.Join(dir, "got.wav"))
	got, err := os.ReadFile(filepath.Join(dir, "got.wav"))
	must(t, err)
	if !bytes.Equal(got, soundOf(200*time.Millisecond)) {
		t.Errorf("%d bytes came back", len(got))
	}
	c.flow(t, "400", "goodbye", map[string]tenants.Element{"goodbye": element("hangup", map[string]any{"cause": "NORMAL_CLEARING"}, nil)})
	c.publish(t)
	says(0, "It is other now.", "rename", c.id, id, "other")
	says(0, "Nothing plays it.", "uses", c.id, id)
	says(0, "removed", "remove", c.id, id)
	if placed, err := os.ReadDir(filepath.Join(w.mediaDir(), "prompts", "tenants", c.id)); err != nil || len(placed) != 0 {
		t.Errorf("there still stands %v: %v", placed, err)
	}
}

// What a worker that died has left undone in the folder is done by another.
func TestTheMediaFolderFollowsTheConfiguration(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	answer := w.ask(within(t), t, http.MethodPost, "/v1/tenants/"+c.id+"/media?name=menu", string(soundOf(time.Second)))
	body, err := io.ReadAll(answer.Body)
	must(t, err)
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", answer.StatusCode, body)
	}
	folder, err := media.Open(w.mediaDir())
	must(t, err)
	defer folder.Close()
	must(t, folder.Settle(c.id, map[string]string{})) // it died before it had put the sound in its place
	worker := &worker{store: w.Store, media: folder, log: slog.New(slog.DiscardHandler)}
	must(t, worker.settleAll(within(t)))
	placed, err := folder.Placed(c.id)
	if err != nil || len(placed) != 1 {
		t.Fatalf("placed: %v %v", placed, err)
	}
	var made struct{ ID string }
	must(t, json.Unmarshal(body, &made))
	must(t, w.Provisioning.RemoveMedia(within(t), c.id, made.ID, nil)) // by one that cannot reach the folder
	must(t, worker.settleAll(within(t)))
	if placed, err = folder.Placed(c.id); err != nil || len(placed) != 0 {
		t.Errorf("placed, of what is no more: %v %v", placed, err)
	}
	must(t, worker.clearMedia(within(t), time.Now().Add(time.Hour)))
	if dropped, err := w.Store.DroppedMedia(context.Background(), time.Now().Add(time.Hour), 100); err != nil || len(dropped) != 0 {
		t.Errorf("dropped: %v %v", dropped, err)
	}
}

// A box's own greeting is heard where the flow names no other: who hangs up during a long one has left no message, who speaks after a short one has.
func TestABoxHasAGreetingOfItsOwn(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.flow(t, "400", "box", box("two", map[string]any{"silence_seconds": 20}))
	c.publish(t)
	file := filepath.Join(t.TempDir(), "greeting.wav")
	greet := func(length time.Duration) {
		t.Helper()
		must(t, os.WriteFile(file, soundOf(length), 0o600))
		if out, code := w.exits(t, "voicemail", "greeting", c.id, "102", file); code != 0 {
			t.Fatal(out)
		}
	}
	greet(8 * time.Second)
	x := w.story(t, succeed(t, c.call(t, "one", "400", sipptest.Call{Talk: 5 * time.Second})), 1)
	c.noMessages(t, "two", x.Call)
	greet(100 * time.Millisecond)
	succeed(t, c.call(t, "one", "400", sipptest.Call{Talk: 4 * time.Second}))
	c.awaitMessages(t, "two", 1)
	var shown struct {
		PIN       bool
		New       int
		Greetings []struct {
			LengthMS int `json:"length_ms"`
		}
	}
	must(t, w.get(within(t), "/v1/tenants/"+c.id+"/voicemail/102", &shown))
	if shown.PIN || shown.New != 1 || len(shown.Greetings) != 1 || shown.Greetings[0].LengthMS != 100 {
		t.Errorf("the box: %+v", shown)
	}
	if out, code := w.exits(t, "voicemail", "greeting", c.id, "two", "--remove"); code != 0 {
		t.Error(out)
	}
	if placed, err := filepath.Glob(filepath.Join(w.mediaDir(), "prompts", "tenants", c.id, "boxes", "two", "*")); err != nil || len(placed) != 0 {
		t.Errorf("there still stands %v: %v", placed, err)
	}
}
