package provisioning

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"tandem/postgres"
	"tandem/tenants"
	"tandem/versions"
)

// Names of versions besides their numbers.
const (
	LiveVersion  = "live"  // the one that workers run
	DraftVersion = "draft" // what publishing would make now
)

// MaxVersions is how many versions are listed at once.
const MaxVersions = 1000

// Document is one version of a tenant's configuration, or its drafts as they would be published.
type Document struct {
	postgres.VersionInfo // the zero value for drafts
	Draft                bool
	Published            tenants.Published
	Refused              error // why these drafts cannot be published
}

// VersionEvents tells what became of versions that were tried, by version, the earliest first.
func (s *Service) VersionEvents(ctx context.Context, tenantID string, versions ...int64) (map[int64][]postgres.VersionEvent, error) {
	byVersion := map[int64][]postgres.VersionEvent{}
	err := s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		all, err := tx.VersionEvents(ctx, tenantID, versions)
		for _, e := range all {
			byVersion[e.Version] = append(byVersion[e.Version], e)
		}
		return err
	})
	return byVersion, err
}

// Versions lists up to limit of a tenant's versions, the newest first, and says whether there are more: those before a
// version, or all when before is 0.
func (s *Service) Versions(ctx context.Context, tenantID string, before int64, limit int) (all []postgres.VersionInfo, more bool, err error) {
	var c checks
	c.that(before >= 0, "before", "is not a version")
	c.that(limit >= 1 && limit <= MaxVersions, "limit", "is not within 1 to "+strconv.Itoa(MaxVersions))
	if c.err != nil {
		return nil, false, c.err
	}
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		all, err = tx.Versions(ctx, tenantID, before, limit+1)
		return err
	})
	if more = len(all) > limit; more {
		all = all[:limit]
	}
	return all, more, err
}

// Version gives one version: by its number, LiveVersion or DraftVersion.
func (s *Service) Version(ctx context.Context, tenantID, name string) (d Document, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		if d, err = readVersion(ctx, tx, t, name); err == nil && name == LiveVersion && d.Version == 0 {
			err = missing("version", "nothing was published yet")
		}
		return err
	})
	return d, err
}

// Comparison is two versions and what differs from one to the other.
type Comparison struct {
	From, To Document
	Changes  []versions.Change
}

// Compare compares two versions, each by its number, LiveVersion or DraftVersion. Before the first is published the live one
// is empty.
func (s *Service) Compare(ctx context.Context, tenantID, from, to string) (c Comparison, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		if c.From, err = readVersion(ctx, tx, t, from); err != nil {
			return err
		}
		if c.To, err = readVersion(ctx, tx, t, to); err != nil {
			return err
		}
		c.Changes = versions.Diff(c.From.Published, c.To.Published)
		return nil
	})
	return c, err
}

func readVersion(ctx context.Context, tx *postgres.Tx, t tenants.Tenant, name string) (d Document, err error) {
	switch name {
	case DraftVersion:
		d.Draft = true
		d.Published, d.Refused, err = draftDocument(ctx, tx, t.ID)
		return d, err
	case LiveVersion:
		d.Published, d.VersionInfo, err = liveVersion(ctx, tx, t)
		return d, err
	}
	number, err := strconv.ParseInt(name, 10, 64)
	if err != nil || number < 1 {
		return d, invalid("version", "is neither a number, nor live or draft")
	}
	d.Published, d.VersionInfo, err = tx.Version(ctx, t.ID, number)
	if errors.Is(err, postgres.ErrNotFound) {
		err = missing("version", "this tenant has no version "+strconv.FormatInt(number, 10))
	}
	return d, err
}

// liveVersion reads the version that workers run; it is empty before the first.
func liveVersion(ctx context.Context, tx *postgres.Tx, t tenants.Tenant) (tenants.Published, postgres.VersionInfo, error) {
	if t.Published.Version == 0 {
		return tenants.Published{}, postgres.VersionInfo{}, nil
	}
	return tx.Version(ctx, t.ID, t.Published.Version)
}

// ownPart is a document without what publishing adds for users: what people have edited. The routes of users' extensions are
// the first, in the order of the users' flows.
func ownPart(p tenants.Published) tenants.Published {
	own := []tenants.Flow{}
	var implied []string
	for _, f := range p.Flows {
		if strings.HasPrefix(f.ID, UserFlowPrefix) {
			implied = append(implied, f.ID)
			continue
		}
		own = append(own, f)
	}
	p.Flows = own
	for i, id := range implied {
		if i >= len(p.Routes) || p.Routes[i].FlowID != id {
			return p // not made by Publish
		}
	}
	p.Routes = p.Routes[len(implied):]
	return p
}
