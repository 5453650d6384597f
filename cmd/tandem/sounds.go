package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"time"

	"tandem/media"
	"tandem/provisioning"
)

// sounds is the media folder as provisioning wants it.
type sounds struct{ w *worker }

// sounds gives the media folder; nil when there is none.
func (w *worker) sounds() provisioning.Sounds {
	if w.media == nil {
		return nil
	}
	return sounds{w}
}

func (s sounds) Read(file []byte) (provisioning.Sound, string) {
	u, err := media.ReadUpload(file)
	var refused *media.Refused
	switch {
	case errors.As(err, &refused):
		return provisioning.Sound{}, refused.Why
	case err != nil:
		return provisioning.Sound{}, "it cannot be read"
	}
	return provisioning.Sound{Hash: u.Hash, Content: u.Content, Length: u.Length, Encoding: u.Encoding, Rate: u.Rate}, ""
}

func (s sounds) Keep(of provisioning.Sound) error {
	return s.w.media.Store(media.Upload{Sound: media.Sound{Hash: of.Hash, Bytes: int64(len(of.Content)), Length: of.Length}, Content: of.Content})
}

func (s sounds) Open(hash string) (io.ReadSeekCloser, error) { return s.w.media.OpenKept(hash) }

func (s sounds) OpenIncoming(file string) (io.ReadSeekCloser, error) {
	return s.w.media.OpenIncoming(file)
}

func (s sounds) Occupied(tenant, place string) (bool, error) {
	return s.w.media.Occupied(tenant, place)
}

// Settle makes a tenant's places right, and lets this worker's calls know at once. Other workers look every media.PromptsEvery.
func (s sounds) Settle(ctx context.Context, tenant string, want map[string]string) {
	if err := errors.Join(s.w.media.Settle(tenant, want), s.w.prompts.LookAt(s.w.media, tenant)); err != nil {
		s.w.log.WarnContext(ctx, "a tenant's prompts are not as they are configured", slog.String("tenant_id", tenant), slog.Any("error", err))
	}
}

// How the media folder follows the configuration.
const (
	settleEvery     = time.Minute // what a worker has left undone when it died
	mediaSettleWait = time.Minute
	dropAfter       = time.Hour // a sound that no row has any more stays so long: a call may be playing it
	dropBatch       = 100
)

// settleMedia makes the places in the media folder be as they are configured, and clears sounds away that nobody has any more, until ctx
// ends. Any number of workers may do it at once.
func (w *worker) settleMedia(ctx context.Context) error {
	round := func(now time.Time) {
		limited, cancel := context.WithTimeout(ctx, mediaSettleWait)
		defer cancel()
		if err := errors.Join(w.settleAll(limited), w.clearMedia(limited, now.Add(-dropAfter))); err != nil && ctx.Err() == nil {
			w.log.WarnContext(ctx, "the media folder does not follow the configuration", slog.Any("error", err))
		}
	}
	round(time.Now())
	return every(ctx, settleEvery, round)
}

// settleAll settles the tenants whose places are not as they are configured.
func (w *worker) settleAll(ctx context.Context) error {
	wanted, err := w.store.MediaPlaces(ctx)
	if err != nil {
		return err
	}
	tenants, err := w.media.TenantsWithPrompts()
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		if wanted[tenant] == nil {
			wanted[tenant] = map[string]string{}
		}
	}
	service := &provisioning.Service{Store: w.store, Sounds: w.sounds()}
	for tenant, want := range wanted {
		have, err := w.media.Placed(tenant)
		if err != nil {
			return err
		}
		if maps.Equal(have, want) {
			continue
		}
		// Once more, with nobody changing it meanwhile. A folder may be there without its tenant: then nothing is wanted of it.
		var refused *provisioning.Error
		if err := service.SettleMedia(ctx, tenant); errors.As(err, &refused) && refused.Code == provisioning.NotFound {
			w.sounds().Settle(ctx, tenant, nil)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// clearMedia removes sounds that nobody has any more.
func (w *worker) clearMedia(ctx context.Context, before time.Time) error {
	dropped, err := w.store.DroppedMedia(ctx, before, dropBatch)
	if err != nil {
		return err
	}
	for _, hash := range dropped {
		if err := w.store.ClearMedia(ctx, hash, w.media.Remove); err != nil {
			return err
		}
	}
	return nil
}
