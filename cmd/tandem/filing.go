package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"tandem/callflows"
	"tandem/media"
	"tandem/messages"
	"tandem/postgres"
)

// How recordings are filed.
const (
	filingEvery = 500 * time.Millisecond
	filingBatch = 50
	filingWait  = 30 * time.Second // for one round
	// lostAfter is how long the file of a recording may be away, as that of a folder that is not mounted yet, before it counts
	// as lost.
	lostAfter = time.Hour
	// leftAfter is how long nobody may have written to a file of which the ledger knows nothing before it is taken up: longer
	// than a recording lasts.
	leftAfter  = time.Hour
	leftEvery  = 5 * time.Minute
	purgeAfter = 24 * time.Hour // deleted sound goes then
)

// filing brings recordings from where nodes have written them to where they are kept. Any number of workers may do it at once:
// each step can be done again, and the file that a node wrote goes when the ledger knows what is kept of it.
type filing struct {
	store  *postgres.Store
	folder *media.Folder
	log    *slog.Logger
}

// run files until ctx ends.
func (f *filing) run(ctx context.Context) error {
	var swept time.Time
	return every(ctx, filingEvery, func(now time.Time) {
		limited, cancel := context.WithTimeout(ctx, filingWait)
		defer cancel()
		if err := f.round(limited, now); err != nil && ctx.Err() == nil {
			f.log.WarnContext(ctx, "recordings could not be filed", slog.Any("error", err))
		}
		if now.Sub(swept) < leftEvery {
			return
		}
		swept = now
		if err := errors.Join(f.sweep(limited, now.Add(-leftAfter)), f.purge(limited, now.Add(-purgeAfter))); err != nil && ctx.Err() == nil {
			f.log.WarnContext(ctx, "what was left of recordings could not be cleared up", slog.Any("error", err))
		}
	})
}

// round files what is open.
func (f *filing) round(ctx context.Context, now time.Time) error {
	open, err := f.store.OpenRecordings(ctx, filingBatch)
	if err != nil {
		return err
	}
	for _, r := range open {
		if err := f.file(ctx, r, now); err != nil {
			f.log.WarnContext(ctx, "a recording could not be filed", slog.String("recording", r.ID), slog.Any("error", err))
		}
	}
	return nil
}

// file files one.
func (f *filing) file(ctx context.Context, r postgres.OpenRecording, now time.Time) error {
	filed := postgres.Filed{}
	if !r.Discard {
		sound, err := f.folder.Keep(r.File)
		switch {
		case errors.Is(err, fs.ErrNotExist) && now.Sub(r.Since) < lostAfter:
			return nil // it may come
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, media.ErrNotSound):
			filed.Lost = true
			f.log.ErrorContext(ctx, "the file of a recording is not there, or is no sound", slog.String("recording", r.ID), slog.String("file", r.File), slog.Any("error", err))
		case err != nil:
			return err
		case r.LengthMS == 0 && sound.Length < time.Duration(r.LeastMS)*time.Millisecond:
			// What nobody knew when the call ended: it is too short to be kept. The sound under its hash may be another's, too,
			// and is left to be.
		default:
			filed = postgres.Filed{Hash: sound.Hash, Bytes: sound.Bytes, LengthMS: max(1, int(sound.Length/time.Millisecond))}
		}
	}
	if err := f.store.FileRecording(ctx, r.ID, filed); err != nil {
		return err
	}
	if filed.Lost {
		return nil // what is there is for a person to look at
	}
	return f.folder.Discard(r.File)
}

// sweep takes up the files that nobody has written to since a moment and of which the ledger knows nothing: the call's worker
// died with its standby. A message gets into its box so. What the ledger knows of was filed, and can go.
func (f *filing) sweep(ctx context.Context, since time.Time) error {
	left, err := f.folder.Left(since)
	if err != nil || len(left) == 0 {
		return err
	}
	needed, err := f.store.KnownFiles(ctx, left)
	if err != nil {
		return err
	}
	var found []messages.Recording
	for _, name := range left {
		open, known := needed[name]
		r, ours := messages.ParseRecordingFile(name)
		switch {
		case known && !open:
			if err := f.folder.Discard(name); err != nil {
				return err
			}
		case known || !ours:
		default:
			if r.At, err = f.folder.ModTime(name); err != nil {
				return err
			}
			r.Leg, r.LeastMS = r.Call, int(callflows.DefaultLeast/time.Millisecond)
			found = append(found, r)
			f.log.WarnContext(ctx, "a recording of which nobody told is taken up", slog.String("file", name), slog.String("tenant_id", r.Tenant), slog.String("call_id", r.Call))
		}
	}
	_, err = f.store.InsertRecordings(ctx, found)
	return err
}

// purge removes the sound of messages that were deleted before a moment.
func (f *filing) purge(ctx context.Context, before time.Time) error {
	hashes, err := f.store.PurgeDeleted(ctx, before, filingBatch)
	if err != nil {
		return err
	}
	for _, hash := range hashes {
		if err := errors.Join(f.folder.Remove(hash), f.store.PurgedHash(ctx, hash)); err != nil {
			return err
		}
	}
	return nil
}
