package claim

import (
	"errors"
	"strings"
	"testing"

	"tandem/esl"
)

func TestAClaimHasOneText(t *testing.T) {
	for text, want := range map[string]Holder{
		Seed:                              {},
		"7@nobody@-":                      {Epoch: 7},
		"1@w1@127.0.0.1:4000":             {1, "w1", "127.0.0.1:4000"},
		"7@host-2.example:31@media-1:99":  {7, "host-2.example:31", "media-1:99"},
		"8@w@::1:4000":                    {8, "w", "[::1]:4000"},
		"9@w@2001:db8::7:65535":           {9, "w", "[2001:db8::7]:65535"},
		"4611686018427387904@w@[no]:1":    {},
		"4611686018427387904@w@host.xx:1": {maxEpoch, "w", "host.xx:1"},
	} {
		got, err := Parse(text)
		if strings.Contains(text, "[") {
			if err == nil {
				t.Errorf("%s: read as %+v", text, got)
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
		if want.String() != text {
			t.Errorf("%+v is written %s", want, want)
		}
	}
}

func TestWhatIsNoClaimIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "nobody", "0/nobody/-", "1@w1", "1@w1@h:1@", "01@w@h:1", "+1@w@h:1", "-1@w@h:1", " 1@w@h:1", "1@@h:1", "1@w@", "1@w@h", "1@w@h:0",
		"1@w@h:01", "1@w@h:65536", "1@w@:1", "1@nobody@h:1", "1@w@-", "1@w b@h:1", "1@w\n@h:1", "1@w@h/x:1", "1@w=@h:1", "1@w@a:b:1", "1@w@fe80::1%eth0:1",
		"4611686018427387905@w@h:1", "18446744073709551616@w@h:1", "1@" + strings.Repeat("w", maxWorkerBytes+1) + "@h:1",
		"1@w@" + strings.Repeat("h", maxLinkBytes) + ":1", "1@w@h:1\x00", "1@é@h:1",
	} {
		if got, err := Parse(text); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
}

func TestTheLongestClaimFitsIntoACommand(t *testing.T) {
	h := Holder{maxEpoch, strings.Repeat("w", maxWorkerBytes), strings.Repeat("h", maxLinkBytes-6) + ":65535"}
	if err := h.check(); err != nil {
		t.Fatal(err)
	}
	if err := esl.GlobalSetvarCAS(OwnerVariable, h.String(), h.String()).Err(); err != nil {
		t.Error(err)
	}
}

func TestTheNextClaimIsAboveAllThatWasSeen(t *testing.T) {
	for _, c := range []struct{ epoch, highest, want uint64 }{{0, 0, 1}, {7, 0, 8}, {7, 7, 8}, {0, 7, 8}, {3, 9, 10}} {
		if got := (Holder{Epoch: c.epoch}).By("w", "h:1", c.highest); got != (Holder{c.want, "w", "h:1"}) {
			t.Errorf("%+v: got %+v", c, got)
		}
	}
}

// FuzzParse: what is read is written again byte for byte, is carried by a command, and is read as the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{Seed, "1@w1@127.0.0.1:4000", "8@w@::1:4000", "01@w@h:1", "1@nobody@h:1", "1@w@[::1]:1", "7@nobody@-", "x@@", "1@w@::ffff:1.2.3.4:5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := Parse(text)
		if err != nil {
			if h != (Holder{}) {
				t.Errorf("%q is refused and read as %+v", text, h)
			}
			return
		}
		if h.String() != text {
			t.Errorf("%q is written %q", text, h)
		}
		if err := esl.GlobalSetvarCAS(OwnerVariable, h.String(), Seed).Err(); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// FuzzHolder: whatever may be claimed is read back as it was given.
func FuzzHolder(f *testing.F) {
	f.Add(uint64(7), "w1", "127.0.0.1:4000")
	f.Add(uint64(0), "", "")
	f.Add(uint64(1), "nobody", "[::1]:1")
	f.Fuzz(func(t *testing.T, epoch uint64, worker, link string) {
		h := Holder{epoch, worker, link}
		if h.check() != nil {
			return
		}
		if got, err := Parse(h.String()); err != nil || got != h {
			t.Errorf("%+v is written %s and read as %+v, %v", h, h, got, err)
		}
	})
}
