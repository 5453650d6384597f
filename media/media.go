// Package media is the folder that workers and media nodes share: what nodes record, what is kept of it, and prompts.
//
//	incoming/NAME.wav             what a node records, under the name that the worker gave it; written by nodes
//	kept/AB/HASH.wav              what is kept, by its content (SHA-256); written once, never changed
//	prompts/tenants/T/LANG/P.wav  a tenant's prompts, by language; without LANG: in any language. Those that were uploaded
//	                              are links to what is kept (Settle), others are files that the operator has put there
//	prompts/shared/LANG/P.wav     the platform's
//
// Guarantees:
//   - What Keep returns is on the disk, and its name says what is in it: the same sound is there once.
//   - Keep can be done again at any time, by several workers at once, until Discard: a crash in between loses nothing.
//   - No name leads out of the folder (os.Root).
//
// It refuses sound that is not a WAV file. It plays nothing and knows nothing of tenants' rights.
package media

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// The folders within.
const (
	incoming = "incoming"
	kept     = "kept"
	prompts  = "prompts"
)

// MaxSoundBytes bounds one sound: a day of 8 kHz.
const MaxSoundBytes = 24 * 60 * 60 * 16_000

// Folder is the shared folder.
type Folder struct {
	dir  string
	root *os.Root
}

// Open opens the folder, and makes it and what is in it if need be.
func Open(dir string) (*Folder, error) {
	// Nodes run under users of their own, and must be able to write what comes in.
	const shared = 0o775
	if err := os.MkdirAll(dir, shared); err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	for _, name := range []string{incoming, kept, prompts} {
		if err := root.MkdirAll(name, shared); err != nil {
			return nil, errors.Join(fmt.Errorf("media: %w", err), root.Close())
		}
	}
	return &Folder{dir: dir, root: root}, nil
}

// Close closes the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Incoming is the path of what a node records, below the folder.
func Incoming(name string) string { return path.Join(incoming, name) }

// Kept is the path of what is kept, below the folder.
func Kept(hash string) string { return path.Join(kept, hash[:min(2, len(hash))], hash+".wav") }

// Sound is what is known of a sound that is kept.
type Sound struct {
	Hash   string // SHA-256 of the file, in hex
	Bytes  int64
	Length time.Duration
}

// Measure reads how long an incoming sound is. The error wraps fs.ErrNotExist when it is not there.
func (f *Folder) Measure(name string) (time.Duration, error) {
	file, err := f.open(Incoming(name))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return wavLength(file)
}

func (f *Folder) open(name string) (*os.File, error) {
	file, err := f.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	return file, nil
}

// Keep keeps an incoming sound under its content. The incoming file stays until Discard.
func (f *Folder) Keep(name string) (Sound, error) {
	file, err := f.open(Incoming(name))
	if err != nil {
		return Sound{}, err
	}
	defer file.Close()
	var s Sound
	if s.Length, err = wavLength(file); err != nil {
		return Sound{}, err
	}
	sum := sha256.New()
	if s.Bytes, err = io.Copy(sum, io.NewSectionReader(file, 0, MaxSoundBytes)); err != nil {
		return Sound{}, fmt.Errorf("media: read %s: %w", name, err)
	}
	s.Hash = hex.EncodeToString(sum.Sum(nil))
	if err := file.Sync(); err != nil {
		return Sound{}, fmt.Errorf("media: fsync %s: %w", name, err)
	}
	to := Kept(s.Hash)
	if err := f.root.MkdirAll(path.Dir(to), 0o775); err != nil {
		return Sound{}, fmt.Errorf("media: %w", err)
	}
	if err := f.root.Link(Incoming(name), to); err != nil && !errors.Is(err, fs.ErrExist) {
		return Sound{}, fmt.Errorf("media: %w", err)
	}
	return s, errors.Join(f.sync(path.Dir(to)), f.sync(kept))
}

// sync makes the entries of a folder safe.
func (f *Folder) sync(name string) error {
	folder, err := f.open(name)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil {
		return fmt.Errorf("media: fsync %s: %w", name, err)
	}
	return nil
}

// Discard removes an incoming file. One that is not there is no fault.
func (f *Folder) Discard(name string) error { return f.remove(Incoming(name)) }

// Remove removes a sound that was kept. One that is not there is no fault.
func (f *Folder) Remove(hash string) error { return f.remove(Kept(hash)) }

func (f *Folder) remove(name string) error {
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("media: %w", err)
	}
	return nil
}

// Left lists incoming files that nobody has written to since a moment.
func (f *Folder) Left(since time.Time) (names []string, err error) {
	folder, err := f.open(incoming)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	entries, err := folder.ReadDir(-1)
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.ModTime().Before(since) && strings.HasSuffix(e.Name(), ".wav") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// ModTime is when an incoming file was written to last.
func (f *Folder) ModTime(name string) (time.Time, error) {
	info, err := f.root.Stat(Incoming(name))
	if err != nil {
		return time.Time{}, fmt.Errorf("media: %w", err)
	}
	return info.ModTime(), nil
}
