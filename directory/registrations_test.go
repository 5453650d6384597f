package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tandem/directory"
	"tandem/messages"
)

const epoch = 1_790_000_000 // Unix seconds at which every story begins

func at(seconds int) time.Time { return time.Unix(epoch+int64(seconds), 0).UTC() }

func event(kind messages.RegistrationEvent, contact string, seconds, cseq, expires int) *messages.Registration {
	return &messages.Registration{
		Type: messages.RegistrationV1, Event: kind, Edge: "edge1", EdgeURI: "sip:192.0.2.1:5060", Username: "101",
		Domain: "demo.example.com", Contact: contact, Expires: expires, At: epoch + int64(seconds), CallID: "c1", CSeq: cseq,
	}
}

// uris are what Contacts returns, joined.
func uris(r *directory.Registrations, seconds int) string {
	var all []string
	for _, c := range r.Contacts("101", "demo.example.com", at(seconds)) {
		all = append(all, c.URI)
	}
	return strings.Join(all, " ")
}

func TestContactsFollowTheEvents(t *testing.T) {
	on, off, expired := messages.Registered, messages.Unregistered, messages.Expired
	for _, tt := range []struct {
		name   string
		events []*messages.Registration
		at     int
		want   string
	}{
		{"nothing is known", nil, 0, ""},
		{"a registered contact is there", []*messages.Registration{event(on, "sip:a", 0, 1, 60)}, 59, "sip:a"},
		{"it is gone when its time is over", []*messages.Registration{event(on, "sip:a", 0, 1, 60)}, 60, ""},
		{"a refresh prolongs it", []*messages.Registration{event(on, "sip:a", 0, 1, 60), event(on, "sip:a", 50, 2, 60)}, 100, "sip:a"},
		{"a late older refresh does not shorten it", []*messages.Registration{event(on, "sip:a", 50, 2, 60), event(on, "sip:a", 0, 1, 60)}, 100, "sip:a"},
		{"the latest comes first", []*messages.Registration{event(on, "sip:a", 0, 1, 60), event(on, "sip:b", 1, 1, 60)}, 2, "sip:b sip:a"},
		{"unregistering removes one", []*messages.Registration{event(on, "sip:a", 0, 1, 60), event(on, "sip:b", 1, 1, 60), event(off, "sip:a", 2, 2, 0)}, 3, "sip:b"},
		{"a late registration does not revive what was unregistered", []*messages.Registration{event(off, "sip:a", 2, 2, 0), event(on, "sip:a", 0, 1, 60)}, 3, ""},
		{"within a second CSeq decides", []*messages.Registration{event(off, "sip:a", 0, 2, 0), event(on, "sip:a", 0, 1, 60)}, 1, ""},
		{"registering with no time to live is unregistering", []*messages.Registration{event(on, "sip:a", 0, 1, 60), event(on, "sip:a", 1, 2, 0)}, 2, ""},
		{"the edge says that it expired", []*messages.Registration{event(on, "sip:a", 0, 1, 600), event(expired, "sip:a", 60, 0, 0)}, 61, ""},
		{"registered anew in the second of expiry", []*messages.Registration{event(on, "sip:a", 60, 9, 600), event(expired, "sip:a", 60, 9, 0)}, 61, "sip:a"},
		{"a star removes all", []*messages.Registration{event(on, "sip:a", 0, 1, 60), event(on, "sip:b", 0, 2, 60), event(off, "*", 1, 3, 0)}, 2, ""},
		{"a star spares what is newer", []*messages.Registration{event(on, "sip:a", 0, 1, 60), event(on, "sip:b", 5, 4, 60), event(off, "*", 1, 3, 0)}, 6, "sip:b"},
		{"after a star, what is older stays gone", []*messages.Registration{event(off, "*", 5, 3, 0), event(on, "sip:a", 4, 2, 60)}, 6, ""},
		{"after a star, what is newer is there", []*messages.Registration{event(off, "*", 5, 3, 0), event(on, "sip:a", 6, 4, 60)}, 7, "sip:a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r directory.Registrations
			for _, m := range tt.events {
				r.Apply(m)
				r.Apply(m) // and again: once is the same as twice
			}
			if got := uris(&r, tt.at); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestADeviceHasBoundedContactsAndTheOldestGoes(t *testing.T) {
	var r directory.Registrations
	for i := range 3 * directory.MaxContacts {
		r.Apply(event(messages.Registered, fmt.Sprintf("sip:%d", i), i, 1, 3600))
	}
	got := r.Contacts("101", "demo.example.com", at(40))
	if len(got) != directory.MaxContacts || got[0].URI != "sip:29" || got[9].URI != "sip:20" {
		t.Errorf("%d contacts, %v", len(got), got)
	}
}

func TestADomainIsComparedWithoutCaseAndAUserWithIt(t *testing.T) {
	var r directory.Registrations
	r.Apply(event(messages.Registered, "sip:a", 0, 1, 60))
	if len(r.Contacts("101", "DEMO.example.COM", at(1))) != 1 {
		t.Error("the domain's case matters")
	}
	if len(r.Contacts("101", "other.example.com", at(1))) != 0 {
		t.Error("another tenant's domain finds it")
	}
}

func TestALoadedListDoesNotUndoNewerEvents(t *testing.T) {
	var r directory.Registrations
	r.Apply(event(messages.Unregistered, "sip:a", 5, 2, 0))
	r.Load([]messages.Registration{*event(messages.Registered, "sip:a", 0, 1, 600), *event(messages.Registered, "sip:b", 0, 1, 600)})
	if got := uris(&r, 6); got != "sip:b" {
		t.Errorf("got %q", got)
	}
}

func TestASweepForgetsWhatIsOver(t *testing.T) {
	var r directory.Registrations
	r.Apply(event(messages.Registered, "sip:a", 0, 1, 60))
	r.Apply(event(messages.Unregistered, "*", 1, 2, 0))
	r.Sweep(at(30))
	if devices, _ := r.Size(); devices != 1 {
		t.Error("a tombstone was forgotten too early")
	}
	r.Sweep(at(1 + int(directory.TombstoneFor.Seconds()) + 1))
	if devices, _ := r.Size(); devices != 0 {
		t.Error("a tombstone is kept for ever")
	}
}

// Whatever the order in which events come, and however often, the same contacts are there.
func TestTheOrderOfComingDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var story []*messages.Registration
		for i := range rapid.IntRange(1, 12).Draw(t, "events") {
			contact := rapid.SampledFrom([]string{"sip:a", "sip:b", "sip:c", "*"}).Draw(t, "contact")
			kind := rapid.SampledFrom([]messages.RegistrationEvent{messages.Registered, messages.Unregistered}).Draw(t, "kind")
			if contact == "*" {
				kind = messages.Unregistered
			}
			expires := 3600
			if kind == messages.Unregistered {
				expires = 0
			}
			// Several a second, each with a CSeq of its own.
			story = append(story, event(kind, contact, i/3, i+1, expires))
		}
		var straight, shuffled directory.Registrations
		for _, m := range story {
			straight.Apply(m)
		}
		order := rapid.Permutation(slices.Concat(story, story)).Draw(t, "order")
		for _, m := range order {
			shuffled.Apply(m)
		}
		a, b := strings.Fields(uris(&straight, 10)), strings.Fields(uris(&shuffled, 10))
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Fatalf("in order %v, otherwise %v", a, b)
		}
	})
}
