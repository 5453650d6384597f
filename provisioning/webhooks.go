package provisioning

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"tandem/postgres"
	"tandem/tenants"
	"tandem/webhooks"
)

// Bounds of webhooks.
const (
	MaxWebhooks = 50                 // of a tenant
	MaxAgain    = 10_000             // events that are sent again at once
	MaxAgainFor = 7 * 24 * time.Hour // the longest range of time
	idBytes     = 12
)

// WebhookSettings are what can be said of a webhook.
type WebhookSettings struct {
	URL      string
	Name     string
	Types    []string // empty: all
	Disabled bool
}

func (s *Service) checkWebhook(w *WebhookSettings) error {
	var c checks
	if err := webhooks.Target(w.URL, s.WebhookNetworks); err != nil {
		c.that(false, "url", err.Error())
	}
	if w.Name != "" {
		c.name("name", w.Name)
	}
	for _, kind := range w.Types {
		c.that(webhooks.Known(kind) && kind != webhooks.Test, "types", "has a type that there is none of: GET /v1/event-types lists them")
	}
	slices.Sort(w.Types)
	w.Types = slices.Compact(w.Types)
	return c.err
}

// CreateWebhook adds a webhook under an id, or one that is made, and gives it with the secret that its messages are signed with. The
// secret cannot be had again, only replaced.
func (s *Service) CreateWebhook(ctx context.Context, tenantID, id string, w WebhookSettings) (made postgres.Webhook, secret string, err error) {
	if id == "" {
		id = "wh_" + hex.EncodeToString(random(idBytes))
	}
	var c checks
	c.id("id", id)
	if c.err == nil {
		c.err = s.checkWebhook(&w)
	}
	if c.err != nil {
		return made, "", c.err
	}
	secret = webhooks.Secret(random(webhooks.SecretBytes))
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		if n, err := tx.CountWebhooks(ctx, tenantID); err != nil || n >= MaxWebhooks {
			return cmp.Or(err, conflict("webhook", fmt.Sprintf("is one more than the %d that a tenant may have", MaxWebhooks)))
		}
		row := postgres.Webhook{ID: id, URL: w.URL, Name: w.Name, Types: w.Types}
		if err := tx.InsertWebhook(ctx, tenantID, row, webhooks.Rotate(nil, secret, time.Now())); err != nil {
			return err
		}
		if w.Disabled {
			row.Because = webhooks.Asked
			if err := tx.SaveWebhook(ctx, tenantID, row); err != nil {
				return err
			}
		}
		made, err = tx.Webhook(ctx, tenantID, id)
		return err
	})
	if err != nil {
		return made, "", err
	}
	return made, secret, nil
}

// Webhook reads one.
func (s *Service) Webhook(ctx context.Context, tenantID, id string) (w postgres.Webhook, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		w, err = tx.Webhook(ctx, tenantID, id)
		return found("webhook", err)
	})
	return w, err
}

// ChangeWebhook changes one, if match says that it is still what the asker knows. Enabling it lets go on what waits for it.
func (s *Service) ChangeWebhook(ctx context.Context, tenantID, id string, n WebhookSettings, match func(postgres.Webhook) bool) (w postgres.Webhook, err error) {
	if err := s.checkWebhook(&n); err != nil {
		return w, err
	}
	err = s.hook(ctx, tenantID, id, func(tx *postgres.Tx, was postgres.Webhook) error {
		if !match(was) {
			return stale("webhook")
		}
		w = was
		w.URL, w.Name, w.Types = n.URL, n.Name, n.Types
		switch {
		case !n.Disabled:
			w.Because = ""
		case was.Because == "":
			w.Because = webhooks.Asked
		}
		if err := tx.SaveWebhook(ctx, tenantID, w); err != nil {
			return err
		}
		w, err = tx.Webhook(ctx, tenantID, id)
		return err
	})
	return w, err
}

// hook runs a use case about one webhook.
func (s *Service) hook(ctx context.Context, tenantID, id string, fn func(*postgres.Tx, postgres.Webhook) error) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		w, err := tx.Webhook(ctx, tenantID, id)
		if err != nil {
			return found("webhook", err)
		}
		return fn(tx, w)
	})
}

// RemoveWebhook takes one away, with what waits for it and its log.
func (s *Service) RemoveWebhook(ctx context.Context, tenantID, id string) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		there, err := tx.DeleteWebhook(ctx, tenantID, id)
		return removed("webhook", there, err)
	})
}

// RotateWebhookSecret gives a webhook another secret. The one before signs beside it for webhooks.OldSecretFor.
func (s *Service) RotateWebhookSecret(ctx context.Context, tenantID, id string) (secret string, oldUntil time.Time, err error) {
	secret = webhooks.Secret(random(webhooks.SecretBytes))
	err = s.hook(ctx, tenantID, id, func(tx *postgres.Tx, _ postgres.Webhook) error {
		keys, err := tx.Keys(ctx, tenantID, id)
		if err != nil {
			return err
		}
		keys = webhooks.Rotate(keys, secret, time.Now())
		oldUntil = *keys[1].Until
		return tx.SetKeys(ctx, tenantID, id, keys)
	})
	if err != nil {
		return "", oldUntil, err
	}
	return secret, oldUntil, nil
}

// TestWebhook sends a test, and gives the id of its event.
func (s *Service) TestWebhook(ctx context.Context, tenantID, id string) (event string, err error) {
	err = s.hook(ctx, tenantID, id, func(tx *postgres.Tx, w postgres.Webhook) error {
		if w.Because != "" {
			return disabledWebhook()
		}
		event, err = tx.AddEvent(ctx, webhooks.TestOf(tenantID, id, time.Now()))
		return err
	})
	return event, err
}

func disabledWebhook() error { return conflict("webhook", "is disabled: enable it first") }

// DeliverAgain sends the event of a delivery once more.
func (s *Service) DeliverAgain(ctx context.Context, tenantID, id string, delivery int64) error {
	return s.hook(ctx, tenantID, id, func(tx *postgres.Tx, w postgres.Webhook) error {
		if w.Because != "" {
			return disabledWebhook()
		}
		n, err := tx.Again(ctx, tenantID, id, delivery, time.Time{}, time.Time{}, 1)
		if err == nil && n == 0 {
			return missing("delivery", "is not there, or its event is not kept any more")
		}
		return err
	})
}

// DeliverRange sends all events of a range of time once more, and those that were never sent, as while the webhook was disabled. It
// gives how many there were.
func (s *Service) DeliverRange(ctx context.Context, tenantID, id string, from, until time.Time) (n int64, err error) {
	var c checks
	c.that(until.After(from), "until", "is not after from")
	c.that(until.Sub(from) <= MaxAgainFor, "until", "is more than seven days after from")
	if c.err != nil {
		return 0, c.err
	}
	err = s.hook(ctx, tenantID, id, func(tx *postgres.Tx, w postgres.Webhook) error {
		if w.Because != "" {
			return disabledWebhook()
		}
		if n, err = tx.Again(ctx, tenantID, id, 0, from, until, MaxAgain+1); err == nil && n > MaxAgain {
			return conflict("until", fmt.Sprintf("is so late that there are more than %d events: ask for less at once", MaxAgain))
		}
		return err
	})
	return n, err
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return b
}
