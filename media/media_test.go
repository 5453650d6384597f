package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// sound is a WAV file of so much silence.
func sound(length time.Duration) []byte {
	data := make([]byte, int(length/time.Millisecond)*16)
	b := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(36+len(data)))...)
	b = append(b, "WAVELIST\x03\x00\x00\x00abc\x00fmt \x10\x00\x00\x00\x01\x00\x01\x00"...) // a chunk of odd length before
	b = binary.LittleEndian.AppendUint32(b, 8000)
	b = binary.LittleEndian.AppendUint32(b, 16000)
	b = append(b, "\x02\x00\x10\x00data"...)
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(data))), data...)
}

func folder(t *testing.T) *Folder {
	t.Helper()
	f, err := Open(filepath.Join(t.TempDir(), "media"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func (f *Folder) put(t *testing.T, name string, body []byte) {
	t.Helper()
	at := filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, body, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestASoundIsKeptOnceByItsContent(t *testing.T) {
	f := folder(t)
	f.put(t, "incoming/a.wav", sound(1500*time.Millisecond))
	f.put(t, "incoming/b.wav", sound(1500*time.Millisecond))
	first, err := f.Keep("a.wav")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.wav", "b.wav"} { // again, and another file of the same sound
		if s, err := f.Keep(name); err != nil || s != first || s.Length != 1500*time.Millisecond {
			t.Errorf("%s: %+v %v", name, s, err)
		}
		if err := errors.Join(f.Discard(name), f.Discard(name)); err != nil {
			t.Error(err)
		}
	}
	body, err := os.ReadFile(filepath.Join(f.dir, Kept(first.Hash)))
	if err != nil || !bytes.Equal(body, sound(1500*time.Millisecond)) {
		t.Errorf("%d bytes are kept: %v", len(body), err)
	}
	if _, err := f.Keep("a.wav"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is gone: %v", err)
	}
	if err := errors.Join(f.Remove(first.Hash), f.Remove(first.Hash)); err != nil {
		t.Error(err)
	}
}

// A node that died while it wrote leaves a header that says nothing, or too much.
func TestWhatIsThereOfASoundCounts(t *testing.T) {
	whole := sound(time.Second)
	none := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(none[len(whole)-16000-4:], 0)
	for name, row := range map[string]struct {
		body []byte
		want time.Duration
	}{"whole": {whole, time.Second}, "cut short": {whole[:len(whole)-8000], time.Second / 2}, "header unfinished": {none, time.Second}} {
		f := folder(t)
		f.put(t, "incoming/x.wav", row.body)
		if got, err := f.Measure("x.wav"); err != nil || got != row.want {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}

func TestNoNameLeadsOutOfTheFolder(t *testing.T) {
	f := folder(t)
	f.put(t, "../outside.wav", sound(time.Second))
	if _, err := f.Keep("../../outside.wav"); err == nil {
		t.Error("it is kept")
	}
	if err := f.Discard("../../outside.wav"); err == nil {
		t.Error("it is removed")
	}
}

func TestPromptsAreFoundByTenantAndLanguage(t *testing.T) {
	f := folder(t)
	var p Prompts
	if _, found := p.Find("shop", "de", "closed"); found {
		t.Error("a prompt is found before any look")
	}
	for _, name := range []string{"shared/en/closed", "shared/de/closed", "shared/beep", "tenants/shop/de/closed", "tenants/shop/welcome", "tenants/shop/fr-CA/welcome"} {
		f.put(t, "prompts/"+name+".wav", sound(time.Second))
	}
	if err := p.Look(f); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ tenant, language, prompt, want string }{
		{"shop", "de", "closed", "tenants/shop/de/closed"}, {"shop", "de-AT", "closed", "tenants/shop/de/closed"},
		{"shop", "en", "closed", "shared/en/closed"}, {"other", "de", "closed", "shared/de/closed"}, {"other", "fr", "closed", ""},
		{"shop", "fr-CA", "welcome", "tenants/shop/fr-CA/welcome"}, {"shop", "fr", "welcome", "tenants/shop/welcome"},
		{"shop", "", "welcome", "tenants/shop/welcome"}, {"other", "de", "welcome", ""}, {"other", "de", "beep", "shared/beep"},
	} {
		got, found := p.Find(row.tenant, row.language, row.prompt)
		if want := "prompts/" + row.want + ".wav"; found != (row.want != "") || found && got != want {
			t.Errorf("%+v: %q", row, got)
		}
	}
}

func FuzzWAV(f *testing.F) {
	f.Add(sound(20 * time.Millisecond))
	f.Add(sound(20 * time.Millisecond)[:40])
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVEdata\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		length, err := wavLength(bytes.NewReader(body))
		if err == nil && length < 0 || err != nil && length != 0 {
			t.Errorf("%v %v", length, err)
		}
	})
}
