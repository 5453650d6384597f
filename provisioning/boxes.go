package provisioning

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tandem/postgres"
	"tandem/tenants"
)

// greetingName is what the greeting of a box is called among prompts, below the box's own folder.
const greetingName = "greeting"

// Box is a user's voicemail box, as whoever looks after it sees it.
type Box struct {
	User        tenants.User
	PIN         bool       // it can be opened by telephone
	LockedUntil *time.Time // by wrong PINs; nil: it is not
	New, Heard  int        // messages
	Greetings   []postgres.MediaRow
}

// boxOf finds a box by its user's id or extension.
func boxOf(ctx context.Context, tx *postgres.Tx, tenantID, box string) (tenants.User, error) {
	users, err := tx.Users(ctx, tenantID)
	if err != nil {
		return tenants.User{}, err
	}
	for _, u := range users {
		if u.ID == box || u.Extension == box {
			return u, nil
		}
	}
	return tenants.User{}, missing("box", "there is no user of this id or extension in this tenant, and so no such box")
}

// Box gives a box. box is its user's id or extension, here as in all that follows.
func (s *Service) Box(ctx context.Context, tenantID, box string) (b Box, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		if b.User, err = boxOf(ctx, tx, tenantID, box); err != nil {
			return err
		}
		if b.PIN, b.LockedUntil, err = tx.BoxState(ctx, tenantID, b.User.ID); err != nil {
			return err
		}
		b.Greetings, err = greetingsOf(ctx, tx, tenantID, b.User.ID)
		return err
	})
	if err != nil {
		return Box{}, err
	}
	counts, err := s.Store.BoxCounts(ctx, tenantID)
	for _, c := range counts {
		if c.Box == b.User.ID {
			b.New, b.Heard = c.New, c.Heard
		}
	}
	return b, err
}

func greetingsOf(ctx context.Context, tx *postgres.Tx, tenantID, user string) (own []postgres.MediaRow, err error) {
	all, err := tx.MediaOf(ctx, tenantID)
	for _, m := range all {
		if m.Box == user {
			own = append(own, m)
		}
	}
	return own, err
}

// ClosePIN takes a box's PIN away: nobody can open it by telephone any more. Its messages stay.
func (s *Service) ClosePIN(ctx context.Context, tenantID, box string) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		u, err := boxOf(ctx, tx, tenantID, box)
		if err != nil {
			return err
		}
		return tx.DropPIN(ctx, tenantID, u.ID)
	})
}

// SetGreeting gives a box a greeting of its own in a language, or in any (empty), in place of the one that there may be. Callers hear it
// where the flow names no other.
func (s *Service) SetGreeting(ctx context.Context, tenantID, box, language string, file []byte) (postgres.MediaRow, error) {
	return s.bringMedia(ctx, tenantID, file, func(tx *postgres.Tx, m *postgres.MediaRow) error {
		u, err := boxOf(ctx, tx, tenantID, box)
		if err != nil {
			return err
		}
		m.ID, m.Name, m.Language, m.Kind, m.Box = uuid.NewString(), greetingName, language, MediaGreeting, u.ID
		var c checks
		MediaText{m.Name, m.Language, m.Kind}.check(&c)
		if c.err != nil {
			return c.err
		}
		had, err := greetingsOf(ctx, tx, tenantID, u.ID)
		for _, g := range had {
			if g.Language == language {
				m.ID, m.CreatedAt = g.ID, g.CreatedAt
			}
		}
		return err
	})
}

// Greeting gives a box's own greeting in a language, or in any (empty).
func (s *Service) Greeting(ctx context.Context, tenantID, box, language string) (m postgres.MediaRow, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		m, err = greeting(ctx, tx, tenantID, box, language)
		return err
	})
	return m, err
}

func greeting(ctx context.Context, tx *postgres.Tx, tenantID, box, language string) (postgres.MediaRow, error) {
	u, err := boxOf(ctx, tx, tenantID, box)
	if err != nil {
		return postgres.MediaRow{}, err
	}
	had, err := greetingsOf(ctx, tx, tenantID, u.ID)
	for _, g := range had {
		if g.Language == language {
			return g, nil
		}
	}
	if err == nil {
		err = missing("greeting", "the box has no greeting of its own in this language")
	}
	return postgres.MediaRow{}, err
}

// RemoveGreeting takes a box's own greeting away: callers hear the tenant's, the platform's, or a tone.
func (s *Service) RemoveGreeting(ctx context.Context, tenantID, box, language string) error {
	err := s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		g, err := greeting(ctx, tx, tenantID, box, language)
		if err != nil {
			return err
		}
		return tx.DeleteMedia(ctx, tenantID, g.ID)
	})
	if err == nil {
		s.settleMedia(ctx, tenantID)
	}
	return err
}

// MarkUnheard makes a message new again.
func (s *Service) MarkUnheard(ctx context.Context, tenantID, box, message string) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		u, err := boxOf(ctx, tx, tenantID, box)
		if err != nil {
			return err
		}
		there, err := tx.MarkUnheard(ctx, tenantID, u.ID, message)
		if err == nil && !there {
			err = missing("message", "the box holds no such message")
		}
		return err
	})
}
