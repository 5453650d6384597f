package postgres

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tandem/tenants"
)

// A local snapshot is one file: a header line, then tenants.Data as JSON.
//
//	tandem-snapshot 1 <bytes of JSON> <SHA-256 of JSON, hex>\n
const snapshotHeader = "tandem-snapshot 1 %d %x\n"

const (
	snapshotPrefix = "snapshot-"
	snapshotSuffix = ".tandem"
	partSuffix     = ".part"
	// snapshotName orders files by the moment at which their data was read.
	snapshotName = snapshotPrefix + "%s-%d" + snapshotSuffix
	snapshotTime = "20060102T150405.000000000Z"
)

// SnapshotHistory is how many local snapshots are kept: the last, and some before it in case the last is torn.
const SnapshotHistory = 3

// partLife is the age at which a half-written file is nobody's any more.
const partLife = time.Hour

// ErrNoSnapshot says that a folder holds no local snapshot that can be used.
var ErrNoSnapshot = errors.New("postgres: no local snapshot")

// LocalSnapshot is what ReadSnapshot found.
type LocalSnapshot struct {
	Data tenants.Data
	File string
	// Refused says which newer files were passed over, and why.
	Refused []error
}

// Age is how old the configuration is: the time since it was read from PostgreSQL.
func (l LocalSnapshot) Age(now time.Time) time.Duration { return now.Sub(l.Data.LoadedAt) }

// WriteSnapshot keeps data in a folder, which it makes when it is missing. When it returns nil the snapshot is on the
// disk whole; whenever it is cut off, the snapshots from before are as they were. Older ones past SnapshotHistory are
// removed.
func WriteSnapshot(dir string, data tenants.Data) error {
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("postgres: write local snapshot: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("postgres: write local snapshot: %w", err)
	}
	name := fmt.Sprintf(snapshotName, data.LoadedAt.UTC().Format(snapshotTime), data.Revision)
	header := fmt.Appendf(nil, snapshotHeader, len(body), sha256.Sum256(body))
	if err := writeWhole(dir, name, header, body); err != nil {
		return fmt.Errorf("postgres: write local snapshot: %w", err)
	}
	forgetOldSnapshots(dir)
	return nil
}

// writeWhole makes a file appear under its name only when all of it is on the disk.
func writeWhole(dir, name string, parts ...[]byte) (err error) {
	f, err := os.CreateTemp(dir, name+".*"+partSuffix)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	for _, part := range parts {
		if _, err := f.Write(part); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a rename last through a loss of power.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ReadSnapshot gives the newest local snapshot of a folder that is whole. The error wraps ErrNoSnapshot and, when there
// were files, says why each was refused.
func ReadSnapshot(dir string) (LocalSnapshot, error) {
	names, err := snapshotNames(dir)
	if err != nil {
		return LocalSnapshot{}, fmt.Errorf("%w in %s: %w", ErrNoSnapshot, dir, err)
	}
	var refused []error
	for _, name := range names {
		data, err := readSnapshotFile(filepath.Join(dir, name))
		if err == nil {
			return LocalSnapshot{Data: data, File: filepath.Join(dir, name), Refused: refused}, nil
		}
		refused = append(refused, fmt.Errorf("local snapshot %s is refused: %w", name, err))
	}
	return LocalSnapshot{Refused: refused}, errors.Join(append([]error{fmt.Errorf("%w in %s", ErrNoSnapshot, dir)}, refused...)...)
}

func readSnapshotFile(path string) (tenants.Data, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return tenants.Data{}, err
	}
	header, body, _ := bytes.Cut(content, []byte("\n"))
	var length int
	var sum []byte
	if _, err := fmt.Sscanf(string(header)+"\n", snapshotHeader, &length, &sum); err != nil {
		return tenants.Data{}, errors.New("its first line is not that of a local snapshot of this release")
	}
	if len(body) != length {
		return tenants.Data{}, fmt.Errorf("it is torn: %d of %d bytes are there", len(body), length)
	}
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) {
		return tenants.Data{}, errors.New("its checksum does not match its content")
	}
	var read struct {
		tenants.Data
		Tenants []packedTenant `json:"tenants"`
	}
	if err := json.Unmarshal(body, &read); err != nil {
		return tenants.Data{}, fmt.Errorf("its content cannot be read: %w", err)
	}
	read.Data.Tenants = make([]tenants.Tenant, len(read.Tenants))
	for i := range read.Tenants {
		read.Data.Tenants[i] = tenants.Tenant(read.Tenants[i])
	}
	return read.Data, nil
}

// packedTenant is a tenant whose flows are packed as it is read, so that those of all tenants are never there whole.
type packedTenant tenants.Tenant

func (p *packedTenant) UnmarshalJSON(body []byte) error {
	t := (*tenants.Tenant)(p)
	if err := json.Unmarshal(body, t); err != nil {
		return err
	}
	t.Published.Pack()
	for i := range t.Versions {
		t.Versions[i].Pack()
	}
	return nil
}

// snapshotNames lists the local snapshots of a folder, newest first.
func snapshotNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), snapshotPrefix) && strings.HasSuffix(e.Name(), snapshotSuffix) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	slices.Reverse(names)
	return names, nil
}

// forgetOldSnapshots keeps the folder bounded. What cannot be removed is met again the next time.
func forgetOldSnapshots(dir string) {
	names, _ := snapshotNames(dir)
	for i, name := range names {
		if i >= SnapshotHistory {
			_ = os.Remove(filepath.Join(dir, name))
		}
	}
	parts, _ := filepath.Glob(filepath.Join(dir, snapshotPrefix+"*"+partSuffix))
	for _, part := range parts {
		if info, err := os.Stat(part); err == nil && time.Since(info.ModTime()) > partLife {
			_ = os.Remove(part)
		}
	}
}
