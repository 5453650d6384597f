package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// wav is a WAV file as programs write them.
type wav struct {
	tag, channels, bits uint16
	rate                uint32
	data                []byte
	says                int    // bytes of sound, as the header has it; 0: as many as there are
	before              string // chunks before the format
	guid                bool   // the tag is in an extensible format
}

func (w wav) file() []byte {
	le := binary.LittleEndian
	align := w.channels * w.bits / 8
	tag := w.tag
	if w.guid {
		tag = extensible
	}
	format := le.AppendUint16(nil, tag)
	format = le.AppendUint16(format, w.channels)
	format = le.AppendUint32(format, w.rate)
	format = le.AppendUint32(format, w.rate*uint32(align))
	format = le.AppendUint16(format, align)
	format = le.AppendUint16(format, w.bits)
	if w.guid {
		format = append(format, 22, 0, byte(w.bits), 0, 4, 0, 0, 0)
		format = append(le.AppendUint16(format, w.tag), extensibleGUID...)
	}
	b := append([]byte("RIFF\xff\xff\xff\x7fWAVE"), w.before...)
	b = append(le.AppendUint32(append(b, "fmt "...), uint32(len(format))), format...)
	says := w.says
	if says == 0 {
		says = len(w.data)
	}
	b = append(le.AppendUint32(append(b, "data"...), uint32(says)), w.data...)
	return append(b, "LIST\x04\x00\x00\x00name"...)
}

func pcm(rate uint32, samples int) wav {
	return wav{tag: 1, channels: 1, bits: 16, rate: rate, data: make([]byte, 2*samples)}
}

func TestSoundsThatAreTaken(t *testing.T) {
	odd := pcm(8000, 8001)
	odd.data = odd.data[:len(odd.data)-1]
	guid, piped := pcm(16000, 16000), pcm(8000, 8000)
	guid.guid = true
	piped.says = 0xFFFFFFFF
	for name, row := range map[string]struct {
		wav      wav
		encoding string
		rate     int
		length   time.Duration
	}{
		"PCM, narrow":            {pcm(8000, 4000), EncodingPCM, 8000, 500 * time.Millisecond},
		"PCM, wide":              {pcm(16000, 16000), EncodingPCM, 16000, time.Second},
		"half a sample too many": {odd, EncodingPCM, 8000, time.Second},
		"extensible":             {guid, EncodingPCM, 16000, time.Second},
		"A-law":                  {wav{tag: 6, channels: 1, bits: 8, rate: 8000, data: make([]byte, 8001)}, EncodingALaw, 8000, 8001 * time.Second / 8000},
		"u-law behind chunks":    {wav{tag: 7, channels: 1, bits: 8, rate: 16000, data: make([]byte, 16000), before: "LIST\x03\x00\x00\x00abc\x00"}, EncodingULaw, 16000, time.Second},
		"of a pipe":              {piped, EncodingPCM, 8000, 1001 * time.Millisecond}, // nobody says where the sound ends: what follows is of it
	} {
		t.Run(name, func(t *testing.T) {
			u, err := ReadUpload(row.wav.file())
			if err != nil || u.Encoding != row.encoding || u.Rate != row.rate || (u.Length-row.length).Abs() > time.Millisecond {
				t.Fatalf("%+v %v", u.Sound, err)
			}
			if name != "of a pipe" && bytes.Contains(u.Content, []byte("LIST")) {
				t.Error("what a program left in the file is kept")
			}
			again, err := ReadUpload(u.Content)
			if err != nil || again.Hash != u.Hash {
				t.Errorf("what is kept, brought again: %+v %v", again.Sound, err)
			}
			if length, err := wavLength(bytes.NewReader(u.Content)); err != nil || (length-u.Length).Abs() > time.Millisecond {
				t.Errorf("what is kept plays %s: %v", length, err)
			}
		})
	}
}

func TestSoundsThatAreRefused(t *testing.T) {
	stereo, music, bytewise, floats, cut, guid := pcm(8000, 800), pcm(44100, 800), pcm(8000, 800), pcm(8000, 800), pcm(8000, 800), pcm(8000, 800)
	stereo.channels, bytewise.bits, floats.tag, cut.says, guid.guid, guid.tag = 2, 8, 3, 10_000, true, 0x55
	long := pcm(16000, MaxUploadBytes/2)
	for name, row := range map[string]struct {
		file []byte
		why  string
	}{
		"nothing":            {nil, "no WAV"},
		"text":               {[]byte("<script>alert(1)</script>"), "no WAV"},
		"an MP3 with tags":   {[]byte("ID3\x04 and more"), "MP3"},
		"an MP3":             {[]byte("\xff\xfb\x90\x00 and more"), "MP3"},
		"an Ogg":             {[]byte("OggS and more"), "Ogg"},
		"an M4A":             {[]byte("\x00\x00\x00\x20ftypM4A "), "MP4"},
		"no chunks":          {[]byte("RIFF\x04\x00\x00\x00WAVE"), "no sound"},
		"stereo":             {stereo.file(), "2 channels"},
		"44.1 kHz":           {music.file(), "44100"},
		"eight bits":         {bytewise.file(), "8 bits"},
		"floats":             {floats.file(), "format 3"},
		"MP3 within":         {guid.file(), "format 85"},
		"cut off":            {cut.file(), "cut off"},
		"no samples":         {pcm(8000, 0).file(), "no sound"},
		"too long":           {long.file(), "longer than"},
		"sound at once":      {[]byte("RIFF\x04\x00\x00\x00WAVEdata\x02\x00\x00\x00ab"), "how its sound"},
		"a format too short": {[]byte("RIFF\x04\x00\x00\x00WAVEfmt \x02\x00\x00\x00ab"), "how its sound"},
	} {
		_, err := ReadUpload(row.file)
		var refused *Refused
		if !errors.As(err, &refused) || !strings.Contains(refused.Why, row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadUpload(f *testing.F) {
	f.Add(pcm(8000, 400).file())
	f.Add(wav{tag: 6, channels: 1, bits: 8, rate: 8000, data: make([]byte, 801), before: "LIST\x03\x00\x00\x00abc\x00", guid: true}.file())
	f.Fuzz(func(t *testing.T, file []byte) {
		u, err := ReadUpload(file)
		if err != nil {
			return
		}
		if again, err := ReadUpload(u.Content); err != nil || again.Hash != u.Hash || again.Length != u.Length {
			t.Errorf("what is kept is not taken again: %v", err)
		}
	})
}

func TestUploadsStandInTheirPlaces(t *testing.T) {
	f := folder(t)
	store := func(samples int) string {
		u, err := ReadUpload(pcm(8000, samples).file())
		if err == nil {
			err = errors.Join(f.Store(u), f.Store(u)) // twice is once
		}
		if err != nil {
			t.Fatal(err)
		}
		return u.Hash
	}
	first, second := store(800), store(1600)
	f.put(t, "prompts/tenants/ada/ours.wav", sound(time.Second))
	var prompts Prompts
	heard := func(language, name, want string) {
		t.Helper()
		if err := prompts.LookAt(f, "ada"); err != nil {
			t.Fatal(err)
		}
		path, ok := prompts.Find("ada", language, name)
		if ok != (want != "") {
			t.Fatalf("%s: %q", name, path)
		}
		if !ok {
			return
		}
		body, err := os.ReadFile(filepath.Join(f.dir, path))
		kept, _ := os.ReadFile(filepath.Join(f.dir, Kept(want)))
		if err != nil || !bytes.Equal(body, kept) {
			t.Errorf("%s plays %d bytes of %s: %v", name, len(body), path, err)
		}
	}
	if err := f.Settle("ada", map[string]string{"menu/main": first, "de-AT/menu/main": second}); err != nil {
		t.Fatal(err)
	}
	heard("de", "menu/main", first)
	heard("de-AT", "menu/main", second)
	// Another sound, a place given up, one of the operator's, and a sound that is not kept.
	err := f.Settle("ada", map[string]string{"menu/main": second, "ours": first, "gone": strings.Repeat("0", 64)})
	if !errors.Is(err, ErrOccupied) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("settled: %v", err)
	}
	heard("de-AT", "menu/main", second)
	heard("de", "gone", "")
	if body, err := os.ReadFile(filepath.Join(f.dir, "prompts/tenants/ada/ours.wav")); err != nil || !bytes.Equal(body, sound(time.Second)) {
		t.Errorf("the operator's file: %v", err)
	}
	if occupied, err := f.Occupied("ada", "ours"); !occupied || err != nil {
		t.Error("the operator's file is not seen", err)
	}
	if placed, err := f.Placed("ada"); err != nil || len(placed) != 1 || placed["menu/main"] != second {
		t.Errorf("placed: %v %v", placed, err)
	}
	if err := f.Settle("ada", nil); err != nil {
		t.Fatal(err)
	}
	heard("de", "menu/main", "")
	if _, ok := prompts.Find("ada", "de", "ours"); !ok {
		t.Error("the operator's file is not heard any more")
	}
	if placed, err := f.Placed("nobody"); err != nil || len(placed) != 0 {
		t.Errorf("of a tenant without prompts: %v %v", placed, err)
	}
	if err := f.Settle("nobody", nil); err != nil {
		t.Error(err)
	}
	if ids, err := f.TenantsWithPrompts(); err != nil || len(ids) != 1 || ids[0] != "ada" {
		t.Errorf("tenants with prompts: %v %v", ids, err)
	}
}
