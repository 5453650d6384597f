package provisioning_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"tandem/provisioning"
)

// ringKey is a key of 32 equal bytes, as the environment has it.
func ringKey(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }

func ring(t testing.TB, keys ...string) *provisioning.Keyring {
	t.Helper()
	r, err := provisioning.ParseKeyring(strings.Join(keys, ","))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatIsSealedIsOpenedForTheSameThingAlone(t *testing.T) {
	r := ring(t, ringKey(1))
	sealed := r.Seal("secret", "one", "device")
	if got, err := r.Open(sealed, "one", "device"); err != nil || got != "secret" {
		t.Errorf("opened: %q, %v", got, err)
	}
	if bytes.Contains(sealed, []byte("secret")) || bytes.Equal(sealed, r.Seal("secret", "one", "device")) {
		t.Error("it can be read, or is the same twice")
	}
	for i := range sealed {
		bent := bytes.Clone(sealed)
		bent[i] ^= 1
		if _, err := r.Open(bent, "one", "device"); !errors.Is(err, provisioning.ErrSealed) {
			t.Errorf("byte %d was changed and nobody saw: %v", i, err)
		}
		if _, err := r.Open(sealed[:i], "one", "device"); !errors.Is(err, provisioning.ErrSealed) {
			t.Errorf("cut to %d bytes it is opened: %v", i, err)
		}
	}
	for _, of := range [][]string{{}, {"one"}, {"two", "device"}, {"onedevice"}, {"on", "edevice"}, {"one", "device", ""}} {
		if _, err := r.Open(sealed, of...); !errors.Is(err, provisioning.ErrSealed) {
			t.Errorf("it is opened for %q: %v", of, err)
		}
	}
}

func TestANewKeySealsAndTheOldOneStillOpens(t *testing.T) {
	old := ring(t, ringKey(1)).Seal("secret", "x")
	both := ring(t, ringKey(2), ringKey(1))
	if got, err := both.Open(old, "x"); err != nil || got != "secret" {
		t.Errorf("the old one's: %q, %v", got, err)
	}
	fresh := both.Seal("secret", "x")
	if _, err := ring(t, ringKey(2)).Open(fresh, "x"); err != nil {
		t.Errorf("the new one's with the new key: %v", err)
	}
	if _, err := ring(t, ringKey(1)).Open(fresh, "x"); !errors.Is(err, provisioning.ErrSealed) {
		t.Errorf("the new one's with the old key: %v", err)
	}
}

func TestAKeyThatIsNoneIsRefusedWithoutBeingShown(t *testing.T) {
	if r, err := provisioning.ParseKeyring("  "); r != nil || err != nil {
		t.Errorf("none: %v, %v", r, err)
	}
	short := base64.StdEncoding.EncodeToString([]byte("hunter2"))
	for _, text := range []string{short, "hunter2!", ringKey(1) + "," + short, ringKey(1) + ",", strings.Repeat(ringKey(1)+",", 9)} {
		if _, err := provisioning.ParseKeyring(text); err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), short) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
