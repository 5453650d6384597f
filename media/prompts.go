package media

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of prompts.
const (
	// PromptsEvery is how often the folder is looked through for prompts that came or went.
	PromptsEvery = 10 * time.Second
	// MaxPrompts is how many of them are known; those beyond are not played.
	MaxPrompts = 200_000
)

// Prompts knows which prompts there are, so that nobody waits for a disk while a call does. The zero value knows none.
type Prompts struct {
	looking sync.Mutex                      // one look at a time
	all     atomic.Pointer[map[string]bool] // paths below the folder, without .wav
}

// Run looks through the folder now and then until ctx ends. The first look is over when it calls ready.
func (p *Prompts) Run(ctx context.Context, f *Folder, log *slog.Logger, ready func()) error {
	tick := time.NewTicker(PromptsEvery)
	defer tick.Stop()
	for {
		if err := p.Look(f); err != nil {
			log.WarnContext(ctx, "the prompts cannot be listed; those that were known are played", slog.Any("error", err))
		}
		if ready != nil {
			ready()
			ready = nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Look looks through the folder once.
func (p *Prompts) Look(f *Folder) error {
	p.looking.Lock()
	defer p.looking.Unlock()
	return p.look(f, prompts, map[string]bool{})
}

// LookAt looks through one tenant's prompts, which have just changed.
func (p *Prompts) LookAt(f *Folder, tenant string) error {
	p.looking.Lock()
	defer p.looking.Unlock()
	all, whose := map[string]bool{}, tenantPrompts(tenant)
	if known := p.all.Load(); known != nil {
		all = maps.Clone(*known)
	}
	maps.DeleteFunc(all, func(name string, _ bool) bool { return strings.HasPrefix(name, whose+"/") })
	return p.look(f, whose, all)
}

// look adds what is below a folder to what is known.
func (p *Prompts) look(f *Folder, below string, all map[string]bool) error {
	err := fs.WalkDir(f.root.FS(), below, func(name string, e fs.DirEntry, err error) error {
		if err != nil && name != prompts && errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile
		}
		if err != nil || len(all) == MaxPrompts {
			return err
		}
		if prompt, ok := strings.CutSuffix(name, ".wav"); ok && !e.IsDir() {
			all[prompt] = true
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("media: %w", err)
	}
	p.all.Store(&all)
	return nil
}

// Find gives the path, below the folder, of a prompt: the tenant's before the platform's; of each that of the language, of
// the language without its country, and that of any language.
func (p *Prompts) Find(tenant, language, prompt string) (string, bool) {
	all := p.all.Load()
	if all == nil {
		return "", false
	}
	general, _, _ := strings.Cut(language, "-")
	for _, whose := range []string{path.Join(prompts, "tenants", tenant), path.Join(prompts, "shared")} {
		for _, of := range []string{language, general, ""} {
			if name := path.Join(whose, of, prompt); (*all)[name] {
				return name + ".wav", true
			}
		}
	}
	return "", false
}
