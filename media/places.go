package media

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
)

const flagsNew = os.O_WRONLY | os.O_CREATE | os.O_EXCL

// ErrOccupied says that a file stands in a place that was put there by other hands, and is left to be.
var ErrOccupied = errors.New("media: a file of the operator's stands there")

// A prompt that was uploaded is a link, in its tenant's folder of prompts, to the sound that is kept. That tells it from files that the
// operator has put there, says which sound it is without reading it, and changes in one step.
var keptLink = regexp.MustCompile(`^(?:\.\./)+kept/[0-9a-f]{2}/([0-9a-f]{64})\.wav$`)

func tenantPrompts(tenant string) string { return path.Join(prompts, "tenants", tenant) }

// placed is the path of a tenant's prompt. A place is its name, below the language if it has one.
func placed(tenant, place string) string { return path.Join(tenantPrompts(tenant), place) + ".wav" }

// target is what a link at a path holds.
func target(name, hash string) string {
	return strings.Repeat("../", strings.Count(name, "/")) + Kept(hash)
}

// Occupied says whether a file of the operator's stands in a tenant's place.
func (f *Folder) Occupied(tenant, place string) (bool, error) {
	info, err := f.root.Lstat(placed(tenant, place))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("media: %w", err)
	}
	return info.Mode()&fs.ModeSymlink == 0, nil
}

// Placed gives the sounds that stand in a tenant's places: place to hash. What other hands have put there is not among them.
func (f *Folder) Placed(tenant string) (map[string]string, error) {
	found, whose := map[string]string{}, tenantPrompts(tenant)
	err := fs.WalkDir(f.root.FS(), whose, func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile, or there is nothing
		}
		if err != nil || e.Type()&fs.ModeSymlink == 0 {
			return err
		}
		to, err := f.root.Readlink(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		place, isPrompt := strings.CutSuffix(strings.TrimPrefix(name, whose+"/"), ".wav")
		if of := keptLink.FindStringSubmatch(to); of != nil && isPrompt {
			found[place] = of[1]
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	return found, nil
}

// TenantsWithPrompts lists the tenants that have a folder of prompts.
func (f *Folder) TenantsWithPrompts() (ids []string, err error) {
	entries, err := fs.ReadDir(f.root.FS(), path.Join(prompts, "tenants"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("media: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}

// Settle makes a tenant's places be what is wanted: place to hash. Those that are not wanted are cleared. It goes on after a fault, and
// tells all of them; the error wraps ErrOccupied where other hands have put a file, and fs.ErrNotExist where a sound is not kept.
func (f *Folder) Settle(tenant string, want map[string]string) error {
	have, err := f.Placed(tenant)
	if err != nil {
		return err
	}
	var faults []error
	for _, place := range slices.Sorted(maps.Keys(want)) {
		if hash := want[place]; have[place] != hash {
			faults = append(faults, f.place(tenant, place, hash))
		}
	}
	for place := range have {
		if want[place] == "" {
			faults = append(faults, f.remove(placed(tenant, place)))
		}
	}
	return errors.Join(faults...)
}

// place puts a sound in a place, whatever sound stood there.
func (f *Folder) place(tenant, place, hash string) error {
	if _, err := f.root.Stat(Kept(hash)); err != nil {
		return fmt.Errorf("media: %s of %s: %w", place, tenant, err)
	}
	switch occupied, err := f.Occupied(tenant, place); {
	case err != nil:
		return err
	case occupied:
		return fmt.Errorf("%w: %s of %s", ErrOccupied, place, tenant)
	}
	name := placed(tenant, place)
	if err := f.root.MkdirAll(path.Dir(name), 0o775); err != nil {
		return fmt.Errorf("media: %w", err)
	}
	fresh := path.Join(path.Dir(name), "."+uuid.NewString())
	if err := f.root.Symlink(target(name, hash), fresh); err != nil {
		return fmt.Errorf("media: %w", err)
	}
	if err := f.root.Rename(fresh, name); err != nil {
		return errors.Join(fmt.Errorf("media: %w", err), f.remove(fresh))
	}
	return nil
}
