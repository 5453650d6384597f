package postgres

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tandem/tenants"
)

func dataOf(revision int64) tenants.Data {
	return tenants.Data{LoadedAt: time.Date(2026, 3, 1, 12, 0, int(revision), 0, time.UTC), Revision: revision,
		Tenants: []tenants.Tenant{{ID: "one", Name: "One", Domain: "one.example", TimeZone: "UTC", Published: published(revision)}}}
}

func TestALocalSnapshotIsReadAsItWasWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "when", "missing")
	for revision := range int64(SnapshotHistory + 4) {
		if err := WriteSnapshot(dir, dataOf(revision)); err != nil {
			t.Fatal(err)
		}
	}
	local, err := ReadSnapshot(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := dataOf(SnapshotHistory + 3)
	if diff := cmp.Diff(want, local.Data, cmpopts.EquateEmpty(), asDocument, cmpopts.IgnoreUnexported(tenants.Tenant{}, tenants.Schedule{})); diff != "" {
		t.Error(diff)
	}
	if age := local.Age(want.LoadedAt.Add(time.Hour)); age != time.Hour {
		t.Errorf("its age is %v", age)
	}
	if files, _ := os.ReadDir(dir); len(files) != SnapshotHistory {
		t.Errorf("%d files are kept, want %d", len(files), SnapshotHistory)
	}
}

func TestALocalSnapshotThatIsNotWholeIsRefusedWithAReason(t *testing.T) {
	for what, c := range map[string]struct {
		spoil  func([]byte) []byte
		reason string
	}{
		"torn":               {func(b []byte) []byte { return b[:len(b)-20] }, "it is torn"},
		"torn in its header": {func(b []byte) []byte { return b[:10] }, "first line"},
		"empty":              {func([]byte) []byte { return nil }, "first line"},
		"longer":             {func(b []byte) []byte { return append(b, b...) }, "it is torn"},
		"with a flipped bit": {func(b []byte) []byte { b[len(b)-20] ^= 1; return b }, "checksum"},
		"of another release": {func(b []byte) []byte {
			return bytes.Replace(b, []byte("tandem-snapshot 1"), []byte("tandem-snapshot 2"), 1)
		}, "first line"},
		"all zero, as by XFS": {func(b []byte) []byte { return make([]byte, len(b)) }, "first line"},
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			for revision := range int64(2) {
				if err := WriteSnapshot(dir, dataOf(revision)); err != nil {
					t.Fatal(err)
				}
			}
			names, err := snapshotNames(dir)
			if err != nil || len(names) != 2 {
				t.Fatalf("%v, %v", names, err)
			}
			spoil(t, filepath.Join(dir, names[0]), c.spoil)
			local, err := ReadSnapshot(dir)
			if err != nil || local.Data.Revision != 0 {
				t.Fatalf("the one before it is not used: %d, %v", local.Data.Revision, err)
			}
			if len(local.Refused) != 1 || !strings.Contains(local.Refused[0].Error(), c.reason) || !strings.Contains(local.Refused[0].Error(), names[0]) {
				t.Errorf("refused for %v", local.Refused)
			}
			spoil(t, filepath.Join(dir, names[1]), c.spoil)
			if _, err := ReadSnapshot(dir); !errors.Is(err, ErrNoSnapshot) || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func spoil(t *testing.T, path string, how func([]byte) []byte) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, how(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAFolderWithoutLocalSnapshotsSaysSo(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "snapshot-half.tandem.1.part"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, filepath.Join(dir, "missing")} {
		if _, err := ReadSnapshot(d); !errors.Is(err, ErrNoSnapshot) || !strings.Contains(err.Error(), d) {
			t.Errorf("got %v", err)
		}
	}
}

func FuzzReadingASnapshotFileNeverPanics(f *testing.F) {
	dir := f.TempDir()
	if err := WriteSnapshot(dir, dataOf(1)); err != nil {
		f.Fatal(err)
	}
	names, _ := snapshotNames(dir)
	whole, _ := os.ReadFile(filepath.Join(dir, names[0]))
	f.Add(whole)
	f.Add([]byte("tandem-snapshot 1 2 44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\n{}"))
	f.Add([]byte("tandem-snapshot 1 -1 \n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "snapshot-1.tandem")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if data, err := readSnapshotFile(path); err != nil && data.Revision != 0 {
			t.Errorf("refused with %v and yet gave data", err)
		}
	})
}
