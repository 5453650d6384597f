package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tandem/callflows"
	"tandem/messages"
	"tandem/postgres"
	"tandem/tenants"
)

// tenantVersions are the platform as one tenant has it under one version of its configuration or another. What is not
// versioned is as it is now. It is not for several goroutines at once; the snapshots are.
type tenantVersions struct {
	store    *postgres.Store
	platform tenants.Data // with this tenant alone
	made     map[int64]*tenants.Snapshot
	faults   []string // what this release leaves out of the versions that were made
}

// Bounds of what is kept.
const (
	maxVersionsMade = 32 // calls come in the order of time, and so do their versions
	maxFaultsSaid   = 20
)

func newTenantVersions(ctx context.Context, store *postgres.Store, tenant string) (*tenantVersions, error) {
	data, err := store.LoadTenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	v := &tenantVersions{store: store, made: map[int64]*tenants.Snapshot{}}
	v.platform = tenants.Data{LoadedAt: data.LoadedAt, Revision: data.Revision, Emergency: data.Emergency, Nodes: data.Nodes}
	for _, t := range data.Tenants {
		if t.ID == tenant {
			t.Versions = nil // what is kept for calls that are up is of no matter here
			v.platform.Tenants = []tenants.Tenant{t}
		}
	}
	if len(v.platform.Tenants) == 0 {
		return nil, fmt.Errorf("%w: %s", errNoTenant, tenant)
	}
	kept := map[string]bool{}
	for _, t := range data.Trunks {
		if t.Tenant == "" || t.Tenant == tenant {
			v.platform.Trunks, kept[t.ID] = append(v.platform.Trunks, t), true
		}
	}
	for _, r := range data.Outbound {
		if kept[r.Trunk] {
			v.platform.Outbound = append(v.platform.Outbound, r)
		}
	}
	return v, nil
}

// get gives the platform under a published version, nil when there is none of that number. 0 is that of a tenant that has
// published nothing.
func (v *tenantVersions) get(ctx context.Context, version int64) (*tenants.Snapshot, error) {
	if s, made := v.made[version]; made {
		return s, nil
	}
	var s *tenants.Snapshot
	document, err := tenants.Published{}, error(nil)
	if version != 0 {
		document, err = v.store.Version(ctx, v.platform.Tenants[0].ID, version)
	}
	switch {
	case err == nil:
		s = v.with(versionWords(version), document)
	case !errors.Is(err, postgres.ErrNotFound):
		return nil, err
	}
	if len(v.made) == maxVersionsMade {
		clear(v.made)
	}
	v.made[version] = s
	return s, nil
}

// of gives the platform as a call had it: under the version that decided the call, with those that drove it besides where a
// worker could not get that. It is nil when there is no such version.
func (v *tenantVersions) of(ctx context.Context, journal []messages.JournalEntry) (*tenants.Snapshot, error) {
	decided, err := v.get(ctx, journal[0].Version)
	if decided == nil || err != nil {
		return nil, err
	}
	tenant := decided.Tenant(v.platform.Tenants[0].ID)
	var others []tenants.Published
	for _, e := range journal {
		known := slices.ContainsFunc(others, func(p tenants.Published) bool { return p.Version == e.Version })
		if tenant == nil || e.Version == tenant.Published.Version || e.Source != messages.SourceCallflow || known {
			continue
		}
		other, err := v.get(ctx, e.Version)
		if err != nil {
			return nil, err
		}
		if other != nil {
			others = append(others, other.Tenant(tenant.ID).Published)
		}
	}
	if len(others) == 0 {
		return decided, nil
	}
	return v.with(versionWords(journal[0].Version), tenant.Published, others...), nil
}

// with makes the platform under a document; others are known besides.
func (v *tenantVersions) with(name string, document tenants.Published, others ...tenants.Published) *tenants.Snapshot {
	data, tenant := v.platform, v.platform.Tenants[0]
	tenant.Published, tenant.Candidate, tenant.Versions = document, tenants.Candidate{}, others
	data.Tenants = []tenants.Tenant{tenant}
	s, faults := tenants.NewSnapshot(data, callflows.ParseSettings)
	for _, f := range faults {
		if f.Tenant == tenant.ID && len(v.faults) < maxFaultsSaid {
			v.faults = append(v.faults, name+": "+f.Path+": "+f.Detail)
		}
	}
	return s
}

func versionWords(version int64) string { return fmt.Sprintf("version %d", version) }
