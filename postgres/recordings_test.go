package postgres

import (
	"errors"
	"testing"
	"time"

	"tandem/messages"
	"tandem/tenants"
)

// message is what is left in the box of the user "two" by a call.
func message(call string, n, lengthMS int) messages.Recording {
	file := messages.RecordingFile(messages.RecordingVoicemail, "one", "two", call, n)
	r, _ := messages.ParseRecordingFile(file)
	r.Leg, r.From, r.At, r.LengthMS = "leg-"+call, "+12025550100", startedAt, lengthMS
	return r
}

func insertRecordings(t *testing.T, s *Store, recordings ...messages.Recording) int {
	t.Helper()
	n, err := s.InsertRecordings(testContext(t), recordings)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func messagesOf(t *testing.T, s *Store, p MessagePage) (ids []string) {
	t.Helper()
	all, err := s.Messages(testContext(t), "one", "two", p)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		ids = append(ids, m.ID)
	}
	return ids
}

func TestAMessageThatArrivesTwiceIsKeptOnce(t *testing.T) {
	s := newStore(t)
	if n := insertRecordings(t, s, message("a", 4, 5000), message("a", 4, 5000)); n != 1 {
		t.Errorf("%d rows were written", n)
	}
	other := message("a", 4, 9000)
	other.Discard = true
	if n := insertRecordings(t, s, other); n != 0 {
		t.Errorf("%d rows were written", n)
	}
	if ids := messagesOf(t, s, MessagePage{}); len(ids) != 1 || ids[0] != "a/4" {
		t.Errorf("the box holds %v", ids)
	}
}

// A length that nobody knew is filled in, by whoever knows it or by the file; until then the message cannot be heard.
func TestAMessageOfUnknownLengthWaits(t *testing.T) {
	s := newStore(t)
	insertRecordings(t, s, message("a", 4, 0), message("b", 4, 0))
	if ids := messagesOf(t, s, MessagePage{}); len(ids) != 0 {
		t.Errorf("the box holds %v", ids)
	}
	insertRecordings(t, s, message("a", 4, 5000))
	if err := s.FileRecording(testContext(t), "b/4", Filed{Hash: hashOf('b'), Bytes: 80044, LengthMS: 5000}); err != nil {
		t.Fatal(err)
	}
	if ids := messagesOf(t, s, MessagePage{}); len(ids) != 2 {
		t.Errorf("the box holds %v", ids)
	}
}

func hashOf(c byte) string {
	hash := make([]byte, 64)
	for i := range hash {
		hash[i] = c
	}
	return string(hash)
}

func TestMessagesAreListedInPagesAndCounted(t *testing.T) {
	s := newStore(t)
	for i, call := range []string{"a", "b", "c"} {
		m := message(call, 4, 5000)
		m.At = startedAt.Add(time.Duration(i) * time.Minute)
		insertRecordings(t, s, m)
	}
	first, err := s.Messages(testContext(t), "one", "two", MessagePage{Limit: 2})
	if err != nil || len(first) != 2 || first[0].ID != "c/4" {
		t.Fatalf("%v %v", first, err)
	}
	if ids := messagesOf(t, s, MessagePage{Before: first[1].At, ID: first[1].ID}); len(ids) != 1 || ids[0] != "a/4" {
		t.Errorf("the second page holds %v", ids)
	}
	ctx := testContext(t)
	for range 2 {
		if done, err := s.MarkHeard(ctx, "one", "two", "a/4"); err != nil || !done {
			t.Errorf("%t %v", done, err)
		}
	}
	if done, err := s.DeleteMessage(ctx, "other", "two", "b/4"); err != nil || done {
		t.Errorf("another tenant deletes it: %t %v", done, err)
	}
	if done, err := s.DeleteMessage(ctx, "one", "two", "b/4"); err != nil || !done {
		t.Errorf("%t %v", done, err)
	}
	if _, err := s.Message(ctx, "one", "two", "b/4"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a deleted message: %v", err)
	}
	if ids := messagesOf(t, s, MessagePage{New: true}); len(ids) != 1 || ids[0] != "c/4" {
		t.Errorf("new are %v", ids)
	}
	counts, err := s.BoxCounts(ctx, "one")
	if err != nil || len(counts) != 1 || counts[0] != (BoxCount{Box: "two", New: 1, Heard: 1}) {
		t.Errorf("%v %v", counts, err)
	}
}

// The sound of a deleted message goes, unless another recording has the same.
func TestDeletedMessagesArePurged(t *testing.T) {
	s, ctx := newStore(t), testContext(t)
	insertRecordings(t, s, message("a", 4, 5000), message("b", 4, 5000), message("c", 4, 5000))
	for id, hash := range map[string]string{"a/4": hashOf('a'), "b/4": hashOf('a'), "c/4": hashOf('c')} {
		if err := s.FileRecording(ctx, id, Filed{Hash: hash, Bytes: 1, LengthMS: 5000}); err != nil {
			t.Fatal(err)
		}
	}
	later := time.Now().Add(time.Hour)
	for i, id := range []string{"a/4", "c/4", "b/4"} {
		if _, err := s.DeleteMessage(ctx, "one", "two", id); err != nil {
			t.Fatal(err)
		}
		hashes, err := s.PurgeDeleted(ctx, later, 10)
		if err != nil || len(hashes) != []int{0, 1, 1}[i] {
			t.Errorf("after the deletion of %s: %v %v", id, hashes, err)
		}
		for _, hash := range hashes {
			if err := s.PurgedHash(ctx, hash); err != nil {
				t.Error(err)
			}
		}
	}
}

// Wrong PINs lock a box for a while, in which the right one does not open it.
func TestWrongPINsLockABox(t *testing.T) {
	s, ctx := newStore(t), testContext(t)
	if _, _, err := s.OpenBox(ctx, "one", "two", Lock{}, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("a box without a PIN: %v", err)
	}
	addTenant(t, s, "one")
	change(t, s, func(tx *Tx) error {
		return tx.InsertUser(ctx, "one", tenants.User{ID: "two", Name: "Two", Extension: "102"})
	})
	const hash = "$argon2id$test"
	change(t, s, func(tx *Tx) error { return tx.SetPIN(ctx, "one", "two", hash) })
	try := func(pin bool) (right, locked bool) {
		right, locked, err := s.OpenBox(ctx, "one", "two", Lock{After: 3, For: time.Hour}, func(h string) bool { return pin && h == hash })
		if err != nil {
			t.Fatal(err)
		}
		return right, locked
	}
	for i, row := range []struct{ pin, right, locked bool }{
		{false, false, false}, {false, false, false}, {true, true, false}, // the right one counts anew
		{false, false, false}, {false, false, false}, {false, false, true}, {true, false, true},
	} {
		if right, locked := try(row.pin); right != row.right || locked != row.locked {
			t.Errorf("try %d: right %t, locked %t", i, right, locked)
		}
	}
	change(t, s, func(tx *Tx) error { return tx.SetPIN(ctx, "one", "two", hash) })
	if right, _ := try(true); !right {
		t.Error("a new PIN does not open the box")
	}
}
