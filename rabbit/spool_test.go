package rabbit

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tandem/messages"
)

func bodies(from, to int) (all [][]byte) {
	for i := from; i < to; i++ {
		all = append(all, fmt.Appendf(nil, `{"type":"cdr.v1","leg":"%d"}`, i))
	}
	return all
}

func open(t *testing.T, dir string) *spool {
	t.Helper()
	s, err := openSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close() })
	return s
}

// drainAll returns what the spool holds, in order, and empties it.
func drainAll(t *testing.T, s *spool) (all [][]byte, damaged int) {
	t.Helper()
	for !s.empty() {
		some, bad, err := s.load()
		if err != nil {
			t.Fatal(err)
		}
		all, damaged = append(all, some...), damaged+bad
		if err := s.drop(bad > 0); err != nil {
			t.Fatal(err)
		}
	}
	return all, damaged
}

func same(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }

func TestTheNextProcessFindsTheSpoolInOrder(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir)
	for i := range 3 {
		if err := first.append(bodies(i*10, i*10+10)); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			first.seal()
		}
	}
	if _, err := openSpool(dir); err == nil {
		t.Error("two processes hold the folder")
	}
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, dir)
	if err := second.append(bodies(30, 40)); err != nil {
		t.Fatal(err)
	}
	all, damaged := drainAll(t, second)
	if !same(all, bodies(0, 40)) || damaged != 0 {
		t.Errorf("found %d messages, %d damaged", len(all), damaged)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*"+spoolSuffix)); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestATornTailCostsNothingThatWasPromised(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.append(bodies(0, 5)); err != nil {
		t.Fatal(err)
	}
	promised, err := os.ReadFile(s.name)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.append(bodies(5, 6)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(s.name)
	if err != nil {
		t.Fatal(err)
	}
	for cut := len(promised); cut < len(whole); cut++ {
		if got, damaged := parseSpool(whole[:cut]); !same(got, bodies(0, 5)) || damaged != 0 {
			t.Fatalf("cut at %d of %d: %d messages, %d damaged", cut, len(whole), len(got), damaged)
		}
	}
	// Disks tear by blocks as well: the length is there, the bytes are not.
	zeroed := append(bytes.Clone(promised), make([]byte, len(whole)-len(promised))...)
	if got, damaged := parseSpool(zeroed); !same(got, bodies(0, 5)) || damaged != 0 {
		t.Errorf("zeroed: %d messages, %d damaged", len(got), damaged)
	}
}

func TestADamagedLineCostsThatLineAloneAndTheFileIsKept(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.append(bodies(0, 5)); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(s.name)
	if err != nil {
		t.Fatal(err)
	}
	line := len(content) / 5
	for at := 2 * line; at < 3*line-1; at++ { // every byte of the third line but its end
		flipped := bytes.Clone(content)
		flipped[at] ^= 1
		got, damaged := parseSpool(flipped)
		if !same(got, append(bodies(0, 2), bodies(3, 5)...)) || damaged == 0 {
			t.Fatalf("byte %d flipped: %d messages, %d damaged", at, len(got), damaged)
		}
	}
	content[2*line+20] ^= 1
	if err := os.WriteFile(s.name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, damaged := drainAll(t, s); len(got) != 4 || damaged != 1 {
		t.Errorf("%d messages, %d damaged", len(got), damaged)
	}
	if kept, _ := filepath.Glob(filepath.Join(dir, "*"+damagedSuffix)); len(kept) != 1 {
		t.Errorf("kept %v", kept)
	}
}

func TestASpoolFileIsBounded(t *testing.T) {
	s := open(t, t.TempDir())
	big := []byte(strings.Repeat("x", messages.MaxMessageBytes))
	for range MaxSpoolFileBytes/len(big) + 2 {
		if err := s.append([][]byte{big}); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.sealed) != 1 || s.current == nil {
		t.Errorf("%d sealed files", len(s.sealed))
	}
}

func TestASpoolWhoseDiskFailsSaysSoAndRecovers(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.append(bodies(0, 3)); err != nil {
		t.Fatal(err)
	}
	if err := s.current.Close(); err != nil { // every write to it fails from now on
		t.Fatal(err)
	}
	if err := s.append(bodies(3, 5)); err == nil {
		t.Fatal("a failed write was taken for safe")
	}
	if err := s.append(bodies(3, 5)); err != nil {
		t.Fatal(err)
	}
	if all, _ := drainAll(t, s); !same(all, bodies(0, 5)) {
		t.Errorf("found %d messages", len(all))
	}
}

// FuzzParseSpool: whatever is on the disk, parsing ends, and gives only lines whose checksum is right.
func FuzzParseSpool(f *testing.F) {
	f.Add([]byte("00000002 "))
	f.Add([]byte("00000002 00000000 {}\n\n\x00\x00"))
	f.Add([]byte("00000002 297bd0aa {}\n00000002 297bd0aa {}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		all, damaged := parseSpool(content)
		if len(all)+damaged > bytes.Count(content, []byte{'\n'}) {
			t.Errorf("%d messages and %d damaged lines", len(all), damaged)
		}
	})
}
