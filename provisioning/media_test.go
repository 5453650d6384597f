package provisioning_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/postgres"
	"tandem/provisioning"
	"tandem/tenants"
)

// shelf is a media folder in memory. It takes what begins with "sound".
type shelf struct {
	mu       sync.Mutex
	kept     map[string]string
	places   map[string]map[string]string // by tenant
	occupied string
}

func newShelf() *shelf {
	return &shelf{kept: map[string]string{}, places: map[string]map[string]string{}}
}

func (s *shelf) Read(file []byte) (provisioning.Sound, string) {
	if !strings.HasPrefix(string(file), "sound") {
		return provisioning.Sound{}, "it is no sound"
	}
	sum := sha256.Sum256(file)
	return provisioning.Sound{Hash: hex.EncodeToString(sum[:]), Content: file, Length: time.Second, Encoding: "alaw", Rate: 8000}, ""
}

func (s *shelf) Keep(of provisioning.Sound) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[of.Hash] = string(of.Content)
	return nil
}

func (s *shelf) Open(string) (io.ReadSeekCloser, error) { return nil, errors.ErrUnsupported }

func (s *shelf) OpenIncoming(string) (io.ReadSeekCloser, error) { return nil, errors.ErrUnsupported }

func (s *shelf) Occupied(_, place string) (bool, error) { return place == s.occupied, nil }

func (s *shelf) Settle(_ context.Context, tenant string, want map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places[tenant] = maps.Clone(want)
}

// stands asks what stands in a tenant's places, by what it says.
func (s *shelf) stands(t *testing.T, tenant string, want map[string]string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	got := map[string]string{}
	for place, hash := range s.places[tenant] {
		got[place] = s.kept[hash]
	}
	if !maps.Equal(got, want) {
		t.Errorf("of %s there stands %v, want %v", tenant, got, want)
	}
}

// mediaWorld is a reseller's customer who has a flow that plays a prompt, through the role of the API.
func mediaWorld(t *testing.T) (world, *shelf) {
	t.Helper()
	w := trade(t)
	for _, u := range []string{"one", "two"} {
		_, err := w.CreateUser(w.ctx, "customer", provisioning.NewUser{ID: u, Name: u, Extension: map[string]string{"one": "101", "two": "102"}[u]})
		w.must(err)
	}
	sounds := newShelf()
	asker := w.as("customer")
	asker.Sounds = sounds
	return asker, sounds
}

func (w world) brings(name, language, sound string) postgres.MediaRow {
	w.t.Helper()
	m, err := w.AddMedia(w.ctx, "customer", provisioning.MediaText{Name: name, Language: language, Kind: "prompt"}, []byte(sound))
	w.must(err)
	return m
}

func (w world) turnsDown(err error, code provisioning.Code, words string) {
	w.t.Helper()
	var refused *provisioning.Error
	if !errors.As(err, &refused) || refused.Code != code || !strings.Contains(refused.Error(), words) {
		w.t.Errorf("%v, want %s: %s", err, code, words)
	}
}

func TestASoundStaysWhileSomethingPlaysIt(t *testing.T) {
	w, sounds := mediaWorld(t)
	main, german := w.brings("menu/main", "", "sound 1"), w.brings("menu/main", "de-AT", "sound 2")
	sounds.stands(t, "customer", map[string]string{"menu/main": "sound 1", "de-AT/menu/main": "sound 2"})
	flow := tenants.Flow{ID: "main", Name: "Main", Start: "m", Elements: map[string]tenants.Element{
		"m": {Type: "play", Settings: json.RawMessage(`{"prompt":"menu/main"}`), Exits: map[string]string{"next": "r"}},
		"r": {Type: "ring", Settings: json.RawMessage(`{"users":["one"]}`)}}}
	w.must(w.SaveFlow(w.ctx, "customer", flow))

	w.turnsDown(w.RemoveMedia(w.ctx, "customer", main.ID, nil), provisioning.Conflict, "the draft of flow main, /elements/m/settings/prompt")
	_, err := w.Publish(w.ctx, "customer", "test", "")
	w.must(err)
	w.must(w.RemoveMedia(w.ctx, "customer", german.ID, nil)) // that for any language is heard instead
	flow.Elements["m"] = tenants.Element{Type: "answer", Exits: map[string]string{"next": "r"}}
	w.must(w.SaveFlow(w.ctx, "customer", flow))
	_, err = w.DescribeMedia(w.ctx, "customer", main.ID, provisioning.MediaText{Name: "other", Kind: "prompt"}, nil)
	w.turnsDown(err, provisioning.Conflict, "cannot be renamed: it is played by flow main of version 1, /elements/m/settings/prompt")
	if uses, err := w.MediaUses(w.ctx, "customer", main.ID); err != nil || len(uses) != 1 || uses[0].Version != 1 {
		t.Errorf("uses: %+v %v", uses, err)
	}
	// Another sound for it is heard under the same name, in the same place.
	again, err := w.ReplaceMedia(w.ctx, "customer", main.ID, []byte("sound 3"), nil)
	w.must(err)
	if again.ID != main.ID || again.SHA256 == main.SHA256 || !again.ChangedAt.After(main.ChangedAt) {
		t.Errorf("replaced: %+v", again)
	}
	sounds.stands(t, "customer", map[string]string{"menu/main": "sound 3"})
	_, err = w.ReplaceMedia(w.ctx, "customer", main.ID, []byte("sound 4"), func(m postgres.MediaRow) bool { return m.SHA256 == main.SHA256 })
	w.turnsDown(err, provisioning.Stale, "changed")

	_, err = w.Publish(w.ctx, "customer", "test", "")
	w.must(err)
	w.must(w.RemoveMedia(w.ctx, "customer", main.ID, nil)) // version 1 played it, and plays a tone should it come back
	sounds.stands(t, "customer", nil)
	w.turnsDown(w.RemoveMedia(w.ctx, "customer", main.ID, nil), provisioning.NotFound, "no such media")
}

func TestHeldCallersMusicStays(t *testing.T) {
	w, _ := mediaWorld(t)
	music := w.brings("music/sales", "", "sound of music")
	w.sql(`UPDATE tenants SET music_on_hold = 'music/sales' WHERE id = 'customer'`)
	w.turnsDown(w.RemoveMedia(w.ctx, "customer", music.ID, nil), provisioning.Conflict, "the tenant's music on hold")
}

func TestWhatIsRefusedOfMedia(t *testing.T) {
	w, sounds := mediaWorld(t)
	sounds.occupied = "theirs"
	w.brings("menu", "de", "sound 1")
	for name, row := range map[string]struct {
		text  provisioning.MediaText
		file  string
		code  provisioning.Code
		words string
	}{
		"no sound":              {provisioning.MediaText{Name: "a"}, "MZ", provisioning.Invalid, "it is no sound"},
		"a way out":             {provisioning.MediaText{Name: "../../etc/passwd"}, "sound", provisioning.Invalid, "name"},
		"a tone's name":         {provisioning.MediaText{Name: "tone:menu"}, "sound", provisioning.Invalid, "name"},
		"a path of Tandem's":    {provisioning.MediaText{Name: "Media/x"}, "sound", provisioning.Invalid, "name"},
		"a deep one":            {provisioning.MediaText{Name: "a/b/c/d/e"}, "sound", provisioning.Invalid, "name"},
		"an endless name":       {provisioning.MediaText{Name: strings.Repeat("a", 129)}, "sound", provisioning.Invalid, "longer"},
		"no language":           {provisioning.MediaText{Name: "a", Language: "Deutsch"}, "sound", provisioning.Invalid, "language"},
		"no kind":               {provisioning.MediaText{Name: "a", Kind: "film"}, "sound", provisioning.Invalid, "kind"},
		"taken":                 {provisioning.MediaText{Name: "menu", Language: "de"}, "sound", provisioning.Conflict, "is taken"},
		"taken by another path": {provisioning.MediaText{Name: "de/menu"}, "sound", provisioning.Conflict, "is taken"},
		"the operator's":        {provisioning.MediaText{Name: "theirs"}, "sound", provisioning.Conflict, "operator"},
	} {
		_, err := w.AddMedia(w.ctx, "customer", row.text, []byte(row.file))
		t.Run(name, func(t *testing.T) { world{t: t}.turnsDown(err, row.code, row.words) })
	}
	sounds.stands(t, "customer", map[string]string{"de/menu": "sound 1"})
	rival := w.as("rival")
	rival.Sounds = sounds
	_, err := rival.AddMedia(rival.ctx, "customer", provisioning.MediaText{Name: "a"}, []byte("sound"))
	w.turnsDown(err, provisioning.NotFound, "tenant")
	w.Sounds = nil
	_, err = w.AddMedia(w.ctx, "customer", provisioning.MediaText{Name: "a"}, []byte("sound"))
	w.turnsDown(err, provisioning.Conflict, "no media folder")
}

// A sound that no row has any more goes a while later, unless a recording or another row has it.
func TestSoundsThatNobodyHasGo(t *testing.T) {
	w, _ := mediaWorld(t)
	gone, shared, twice := w.brings("gone", "", "sound 1"), w.brings("shared", "", "sound 2"), w.brings("twice", "", "sound 3")
	w.brings("twice/more", "", "sound 3")
	w.sql(`INSERT INTO recordings (id, tenant_id, kind, call, leg, box, file, "from", from_name, at, length_ms, state, hash)
		VALUES ('c/1', 'customer', 'call', 'c', 'l', '', 'f.wav', '', '', now(), 1, 'kept', '` + shared.SHA256 + `')`)
	for _, m := range []postgres.MediaRow{gone, shared, twice} {
		w.must(w.RemoveMedia(w.ctx, "customer", m.ID, nil))
	}
	owner, err := postgres.Open(w.ctx, w.url)
	w.must(err)
	defer owner.Close()
	if early, err := owner.DroppedMedia(w.ctx, time.Now().Add(-time.Hour), 10); err != nil || len(early) != 0 {
		t.Errorf("dropped an hour ago: %v %v", early, err)
	}
	dropped, err := owner.DroppedMedia(w.ctx, time.Now().Add(time.Hour), 10)
	if err != nil || len(dropped) != 3 {
		t.Fatalf("dropped: %v %v", dropped, err)
	}
	var removed []string
	for _, hash := range dropped {
		w.must(owner.ClearMedia(w.ctx, hash, func(hash string) error { removed = append(removed, hash); return nil }))
	}
	if len(removed) != 1 || removed[0] != gone.SHA256 {
		t.Errorf("removed %v, want that of gone alone", removed)
	}
	if left, err := owner.DroppedMedia(w.ctx, time.Now().Add(time.Hour), 10); err != nil || len(left) != 0 {
		t.Errorf("left: %v %v", left, err)
	}
}
