package rabbit

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tandem/because"
	"tandem/messages"
)

// entryOf is entry n, with an input of about so many bytes.
func entryOf(n, size int) messages.JournalEntry {
	return messages.JournalEntry{Call: "c", Source: messages.SourceRouting, N: n, At: time.Unix(0, 0).UTC(), Because: []because.Reason{},
		Input: json.RawMessage(`"` + strings.Repeat("x", size) + `"`), Output: json.RawMessage(`{}`)}
}

// numbers are those of the entries in a batch, which must be a message that can be read.
func numbers(t interface{ Fatalf(string, ...any) }, b batch) []int {
	m, err := messages.ParseAs[*messages.Journal](b.message())
	if err != nil {
		t.Fatalf("a batch cannot be read: %v", err)
	}
	if len(m.Entries) != b.entries || b.entries > JournalBatch {
		t.Fatalf("%d entries in a batch of %d", len(m.Entries), b.entries)
	}
	var all []int
	for _, e := range m.Entries {
		all = append(all, e.N)
	}
	return all
}

// TestTheJournalKeepsOrder: whatever becomes of batches, entries leave in the order in which they came, the oldest are
// dropped first, and no batch is written over before it is done with.
func TestTheJournalKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := journal{head: journalHead([]byte(`"w"`))}
		var want []int // what the journal must hold
		var out batch  // under way
		var outNumbers []int
		next := 0
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"add", "add many", "take", "settle", "trim"}).Draw(t, "step") {
			case "add":
				size := rapid.SampledFrom([]int{0, 100, maxJournalBody / 3, maxJournalBody, 2 * maxJournalBody}).Draw(t, "size")
				if err := j.add(entryOf(next, size)); err != nil {
					t.Fatalf("%v", err)
				}
				want, next = append(want, next), next+1
			case "add many":
				for range JournalBatch * 2 / 3 {
					if err := j.add(entryOf(next, 10)); err != nil {
						t.Fatalf("%v", err)
					}
					want, next = append(want, next), next+1
				}
			case "take":
				if out.entries == 0 && j.entries > 0 {
					out = j.take()
					outNumbers, want = want[:out.entries:out.entries], want[out.entries:]
				}
			case "settle":
				if out.entries == 0 {
					continue
				}
				if got := numbers(t, out); !slices.Equal(got, outNumbers) {
					t.Fatalf("under way are %v, want %v", got, outNumbers)
				}
				if rapid.Bool().Draw(t, "sent") {
					j.reuse(out)
				} else {
					j.putBack(out)
					want = slices.Concat(outNumbers, want)
				}
				out = batch{}
			case "trim":
				want = want[j.trim(rapid.SampledFrom([]int{0, 1000, maxJournalBody, 3 * maxJournalBody}).Draw(t, "limit")):]
			}
			if j.entries != len(want) {
				t.Fatalf("%d entries are held, want %d", j.entries, len(want))
			}
		}
		var got []int
		for j.entries > 0 {
			got = append(got, numbers(t, j.take())...)
		}
		if !slices.Equal(got, want) || j.bytes != 0 {
			t.Fatalf("held are %v, want %v; %d bytes remain", got, want, j.bytes)
		}
	})
}

func TestTheOldestEntriesMakeRoom(t *testing.T) {
	j := journal{head: journalHead([]byte(`"w"`))}
	for n := range 6 {
		if err := j.add(entryOf(n, maxJournalBody*2/3)); err != nil {
			t.Fatal(err)
		}
	}
	if dropped := j.trim(3 * maxJournalBody); dropped != 2 || j.bytes > 3*maxJournalBody {
		t.Errorf("%d are dropped, %d bytes are held", dropped, j.bytes)
	}
	if first := numbers(t, j.take()); first[0] != 2 {
		t.Errorf("the oldest is now %d", first[0])
	}
}

func TestWhatIsTooLargeForAMessage(t *testing.T) {
	j := journal{head: journalHead([]byte(`"w"`))}
	if err := j.add(entryOf(0, 2*maxJournalBody)); err != nil {
		t.Fatal(err)
	}
	m, err := messages.ParseAs[*messages.Journal](j.take().message())
	if err != nil || string(m.Entries[0].Input) != `{"cut":"too_large"}` || string(m.Entries[0].Output) != `{"cut":"too_large"}` {
		t.Errorf("%+v, %v", m, err)
	}
	endless := entryOf(1, 0)
	endless.Because = append(endless.Because, because.New("code", "name", strings.Repeat("x", maxJournalBody)))
	if err := j.add(endless); err == nil || j.entries != 0 || j.bytes != 0 {
		t.Errorf("an entry with endless reasons is held: %v", err)
	}
}

// TestAddingToTheJournalAllocatesNothing: once batches have room that they take turns with.
func TestAddingToTheJournalAllocatesNothing(t *testing.T) {
	j, e := journal{head: journalHead([]byte(`"w"`))}, entryOf(0, 1000)
	turn := func() {
		for range JournalBatch {
			if err := j.add(e); err != nil {
				t.Fatal(err)
			}
		}
		j.reuse(j.take())
	}
	turn()
	if n := testing.AllocsPerRun(5, turn); n > 2 { // the list of batches
		t.Errorf("%g allocations for %d entries", n, JournalBatch)
	}
}
