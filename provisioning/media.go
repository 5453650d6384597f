package provisioning

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/tenants"
)

// Bounds of the media of one tenant.
const (
	MaxMedia      = 2_000
	MaxMediaBytes = 1 << 30
)

// The kinds of media. Calls make no difference between them.
const (
	MediaPrompt   = "prompt"
	MediaGreeting = "greeting"
	MediaMusic    = "music"
)

var mediaNameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*){0,3}$`)

const maxMediaName = 128 // bytes

// Sound is a sound file as it is kept.
type Sound struct {
	Hash     string // SHA-256 of Content, in hex
	Content  []byte
	Length   time.Duration
	Encoding string
	Rate     int
}

// Sounds is where sounds are kept: the media folder that workers and media nodes share.
type Sounds interface {
	// Read reads what somebody brings. For what is not taken it gives the reason in words, and no error.
	Read(file []byte) (s Sound, refused string)
	// Keep keeps it. Keeping it twice is keeping it once.
	Keep(s Sound) error
	// Open opens one that is kept. The error wraps fs.ErrNotExist when it is not there.
	Open(hash string) (io.ReadSeekCloser, error)
	// OpenIncoming opens what a media node has recorded, and what is not filed yet. Errors are as with Open.
	OpenIncoming(file string) (io.ReadSeekCloser, error)
	// Occupied says whether a file that other hands have put there stands in a place among a tenant's prompts.
	Occupied(tenant, place string) (bool, error)
	// Settle makes a tenant's places be what is wanted, place to hash, and lets this worker know. What cannot be done now is done later.
	Settle(ctx context.Context, tenant string, want map[string]string)
}

// MediaText is what is said of a sound.
type MediaText struct {
	Name     string
	Language string // empty: any
	Kind     string // MediaPrompt and so on
}

func (t MediaText) check(c *checks) {
	c.that(len(t.Name) <= maxMediaName, "name", fmt.Sprintf("is longer than %d bytes", maxMediaName))
	c.form(mediaNameForm, "name", t.Name, "is not lower-case letters, digits, _ and -, in up to four parts with / between them")
	c.that(t.Language == "" || languageForm.MatchString(t.Language), "language", "is not a language such as de or de-AT")
	c.that(slices.Contains([]string{MediaPrompt, MediaGreeting, MediaMusic}, t.Kind), "kind", "is neither prompt nor greeting nor music")
}

// AddMedia adds a sound to a tenant's, under the name by which flows play it.
func (s *Service) AddMedia(ctx context.Context, tenantID string, text MediaText, file []byte) (postgres.MediaRow, error) {
	return s.bringMedia(ctx, tenantID, file, func(tx *postgres.Tx, m *postgres.MediaRow) error {
		m.ID, m.Name, m.Language, m.Kind = uuid.NewString(), text.Name, text.Language, cmp.Or(text.Kind, MediaPrompt)
		var c checks
		MediaText{m.Name, m.Language, m.Kind}.check(&c)
		return c.err
	})
}

// ReplaceMedia gives one another sound: what plays it plays that from then on. match is asked about it as it was.
func (s *Service) ReplaceMedia(ctx context.Context, tenantID, id string, file []byte, match func(postgres.MediaRow) bool) (postgres.MediaRow, error) {
	return s.bringMedia(ctx, tenantID, file, func(tx *postgres.Tx, m *postgres.MediaRow) error {
		was, err := mediaOf(ctx, tx, tenantID, id, match)
		m.ID, m.Name, m.Language, m.Kind, m.CreatedAt = was.ID, was.Name, was.Language, was.Kind, was.CreatedAt
		return err
	})
}

// bringMedia keeps a sound, and then the row that describe makes of it.
func (s *Service) bringMedia(ctx context.Context, tenantID string, file []byte, describe func(*postgres.Tx, *postgres.MediaRow) error) (m postgres.MediaRow, err error) {
	if s.Sounds == nil {
		return m, conflict("media", "cannot be kept: this worker has no media folder (TANDEM_MEDIA_DIR)")
	}
	sound, refused := s.Sounds.Read(file)
	if refused != "" {
		return m, invalid("file", "cannot be taken: "+refused)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	m = postgres.MediaRow{SHA256: sound.Hash, Bytes: int64(len(sound.Content)), LengthMS: int(sound.Length / time.Millisecond), Encoding: sound.Encoding, Rate: sound.Rate, CreatedAt: now, ChangedAt: now}
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		if err := describe(tx, &m); err != nil {
			return err
		}
		if err := roomForMedia(ctx, tx, tenantID, m); err != nil {
			return err
		}
		if err := tx.HoldSound(ctx, m.SHA256); err != nil {
			return err
		}
		if err := s.Sounds.Keep(sound); err != nil {
			return err
		}
		if m, err = s.saveMedia(ctx, tx, tenantID, m); err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return postgres.MediaRow{}, err
	}
	s.settleMedia(ctx, tenantID)
	return m, nil
}

// saveMedia writes one, unless the operator has put a file where it is to stand.
func (s *Service) saveMedia(ctx context.Context, tx *postgres.Tx, tenantID string, m postgres.MediaRow) (postgres.MediaRow, error) {
	if err := tx.SaveMedia(ctx, tenantID, m); err != nil {
		return m, err
	}
	m, err := tx.MediaByID(ctx, tenantID, m.ID)
	if err != nil {
		return m, err
	}
	occupied, err := s.Sounds.Occupied(tenantID, m.Place)
	if err == nil && occupied {
		err = conflict("name", "is that of a file which the platform's operator has put into the media folder")
	}
	return m, err
}

func roomForMedia(ctx context.Context, tx *postgres.Tx, tenantID string, m postgres.MediaRow) error {
	all, err := tx.MediaOf(ctx, tenantID)
	if err != nil {
		return err
	}
	count, bytes := 1, m.Bytes
	for _, other := range all {
		if other.ID != m.ID {
			count, bytes = count+1, bytes+other.Bytes
		}
	}
	switch {
	case count > MaxMedia:
		return conflict("media", fmt.Sprintf("cannot be added: the tenant has %d already", MaxMedia))
	case bytes > MaxMediaBytes:
		return conflict("media", fmt.Sprintf("cannot be added: the tenant's would be more than %d MB together", MaxMediaBytes>>20))
	}
	return nil
}

// mediaOf reads one of a tenant's own, that of a box left out.
func mediaOf(ctx context.Context, tx *postgres.Tx, tenantID, id string, match func(postgres.MediaRow) bool) (postgres.MediaRow, error) {
	m, err := tx.MediaByID(ctx, tenantID, id)
	switch {
	case errors.Is(err, postgres.ErrNotFound) || err == nil && m.Box != "":
		return m, missing("media", "there is no such media in this tenant")
	case err != nil:
		return m, err
	case match != nil && !match(m):
		return m, &Error{Code: Stale, Field: "media", Detail: "has changed since"}
	}
	return m, nil
}

// MediaByID gives one of a tenant's.
func (s *Service) MediaByID(ctx context.Context, tenantID, id string) (m postgres.MediaRow, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		m, err = mediaOf(ctx, tx, tenantID, id, nil)
		return err
	})
	return m, err
}

// DescribeMedia changes what is said of one. What something plays keeps its name and language.
func (s *Service) DescribeMedia(ctx context.Context, tenantID, id string, text MediaText, match func(postgres.MediaRow) bool) (m postgres.MediaRow, err error) {
	var c checks
	if text.check(&c); c.err != nil {
		return m, c.err
	}
	if s.Sounds == nil {
		return m, conflict("media", "cannot be changed: this worker has no media folder (TANDEM_MEDIA_DIR)")
	}
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		if m, err = mediaOf(ctx, tx, tenantID, id, match); err != nil {
			return err
		}
		if m.Name != text.Name || m.Language != text.Language {
			if err := unplayed(ctx, tx, t, m, "be renamed"); err != nil {
				return err
			}
		}
		m.Name, m.Language, m.Kind = text.Name, text.Language, text.Kind
		m, err = s.saveMedia(ctx, tx, tenantID, m)
		return err
	})
	if err != nil {
		return postgres.MediaRow{}, err
	}
	s.settleMedia(ctx, tenantID)
	return m, nil
}

// RemoveMedia removes one that nothing plays.
func (s *Service) RemoveMedia(ctx context.Context, tenantID, id string, match func(postgres.MediaRow) bool) error {
	err := s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		m, err := mediaOf(ctx, tx, tenantID, id, match)
		if err != nil {
			return err
		}
		if err := unplayed(ctx, tx, t, m, "be removed"); err != nil {
			return err
		}
		return tx.DeleteMedia(ctx, tenantID, id)
	})
	if err != nil {
		return err
	}
	s.settleMedia(ctx, tenantID)
	return nil
}

// settleMedia makes the media folder follow what was committed. When it cannot, the folder follows a little later: workers with the role jobs
// see to it.
func (s *Service) settleMedia(ctx context.Context, tenantID string) {
	if s.Sounds != nil {
		_ = s.SettleMedia(ctx, tenantID)
	}
}

// SettleMedia makes the places in the media folder be what is configured of a tenant. Sounds is needed for it.
func (s *Service) SettleMedia(ctx context.Context, tenantID string) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error { // one at a time: an older answer does not come last
		all, err := tx.MediaOf(ctx, tenantID)
		if err != nil {
			return err
		}
		want := make(map[string]string, len(all))
		for _, m := range all {
			want[m.Place] = m.SHA256
		}
		s.Sounds.Settle(ctx, tenantID, want)
		return nil
	})
}

// MediaUse is something that plays a sound by its name.
type MediaUse struct {
	What    string `json:"what" enum:"flow,music_on_hold" doc:"What plays it: a flow, or the tenant, for held callers."`
	Flow    string `json:"flow,omitempty" doc:"Id of the flow."`
	Path    string `json:"path,omitempty" doc:"JSON pointer within the flow." example:"/elements/menu/settings/prompt"`
	Version int64  `json:"version,omitempty" doc:"In which version of the configuration: the one that runs, or is tried. Absent: in the draft, or in no version."`
}

func (u MediaUse) String() string {
	switch {
	case u.What != "flow":
		return "the tenant's music on hold"
	case u.Version == 0:
		return fmt.Sprintf("the draft of flow %s, %s", u.Flow, u.Path)
	}
	return fmt.Sprintf("flow %s of version %d, %s", u.Flow, u.Version, u.Path)
}

// MediaUses lists what plays one: in drafts, in the version that runs, in the one that is tried, and as music on hold.
func (s *Service) MediaUses(ctx context.Context, tenantID, id string) (uses []MediaUse, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		m, err := mediaOf(ctx, tx, tenantID, id, nil)
		if err != nil {
			return err
		}
		uses, err = usesOf(ctx, tx, t, m.Name)
		return err
	})
	return uses, err
}

func usesOf(ctx context.Context, tx *postgres.Tx, t tenants.Tenant, name string) (uses []MediaUse, err error) {
	music, err := tx.MusicOnHold(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	if music == name {
		uses = append(uses, MediaUse{What: "music_on_hold"})
	}
	look := func(flows []tenants.Flow, version int64) {
		for _, f := range flows {
			for _, u := range callflows.PromptsOf(f) {
				if u.Prompt == name {
					uses = append(uses, MediaUse{What: "flow", Flow: f.ID, Path: u.Path, Version: version})
				}
			}
		}
	}
	drafts, err := tx.Flows(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	look(drafts, 0)
	for _, version := range []int64{t.Published.Version, t.Candidate.Version} {
		if version == 0 {
			continue
		}
		p, _, err := tx.Version(ctx, t.ID, version)
		if err != nil {
			return nil, err
		}
		look(p.AllFlows(), version)
	}
	return uses, nil
}

// maxNamedUses is how many uses a refusal names.
const maxNamedUses = 5

// unplayed refuses what would take a sound from what plays it. Of several languages one may go while one for any language stays.
func unplayed(ctx context.Context, tx *postgres.Tx, t tenants.Tenant, m postgres.MediaRow, to string) error {
	if m.Language != "" {
		all, err := tx.MediaOf(ctx, t.ID)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(other postgres.MediaRow) bool { return other.Place == m.Name }) {
			return nil
		}
	}
	uses, err := usesOf(ctx, tx, t, m.Name)
	if err != nil || len(uses) == 0 {
		return err
	}
	detail := "cannot " + to + ": it is played by "
	for i, u := range uses {
		switch {
		case i == maxNamedUses:
			return conflict("media", detail+fmt.Sprintf(" and %d more", len(uses)-i))
		case i > 0:
			detail += "; "
		}
		detail += u.String()
	}
	return conflict("media", detail)
}
