package provisioning

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/tenants"
	"tandem/versions"
)

// userRingSeconds is how long the flow that is implied for a user rings.
const userRingSeconds = 25

// Publish makes a tenant's drafts its next version and gives it. by and comment are kept with it. Drafts that equal the
// version that runs make no new one: that one is given back.
//
// A document holds the drafts; for each user a flow that rings the user's devices, with the id UserFlowPrefix and the
// user's id; and for each user's extension the route to that flow.
func (s *Service) Publish(ctx context.Context, tenantID, by, comment string) (tenants.Published, error) {
	done, err := s.PublishDrafts(ctx, tenantID, by, comment)
	return done.Published, err
}

// Preview gives the document that Publish would make a version of now, and makes none: its version and date are zero. Drafts
// that Publish would refuse are refused.
func (s *Service) Preview(ctx context.Context, tenantID string) (p tenants.Published, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		document, refused, err := draftDocument(ctx, tx, tenantID)
		p = document
		return cmp.Or(err, refused)
	})
	if err != nil {
		return tenants.Published{}, err
	}
	return p, nil
}

// Publishing is what came of publishing.
type Publishing struct {
	Published tenants.Published
	Same      bool              // it ran already, and nothing was published
	Changes   []versions.Change // from what ran before
}

// PublishDrafts does what Publish does, and says what has changed by it.
func (s *Service) PublishDrafts(ctx context.Context, tenantID, by, comment string) (done Publishing, err error) {
	if err := checkPublisher(by, comment, MaxComment); err != nil {
		return done, err
	}
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		document, refused, err := draftDocument(ctx, tx, tenantID)
		if err == nil {
			err = refused
		}
		if err != nil {
			return err
		}
		if err := untried(t); err != nil {
			return err
		}
		done, err = publish(ctx, tx, t, document, by, comment)
		return err
	})
	if err != nil {
		return Publishing{}, err
	}
	return done, nil
}

func checkPublisher(by, comment string, longest int) error {
	var c checks
	c.name("published_by", by)
	c.that(len(comment) <= longest, "comment", fmt.Sprintf("is longer than %d bytes", longest))
	c.printable("comment", comment)
	return c.err
}

// publish makes a document the next version, unless it runs already.
func publish(ctx context.Context, tx *postgres.Tx, t tenants.Tenant, document tenants.Published, by, comment string) (done Publishing, err error) {
	if done.Published, done.Same, err = tx.PublishedSame(ctx, t.ID, document); err != nil || done.Same {
		return done, err
	}
	if done, err = nextVersion(ctx, tx, t, document); err != nil {
		return done, err
	}
	return done, tx.Publish(ctx, t.ID, done.Published, by, comment)
}

// nextVersion numbers a document, and says how it differs from the version that runs.
func nextVersion(ctx context.Context, tx *postgres.Tx, t tenants.Tenant, document tenants.Published) (done Publishing, err error) {
	live, _, err := liveVersion(ctx, tx, t)
	if err != nil {
		return done, err
	}
	last, err := tx.LastVersion(ctx, t.ID)
	if err != nil {
		return done, err
	}
	done.Published, done.Published.Version = document, last+1
	done.Published.PublishedAt = time.Now().UTC().Truncate(time.Microsecond) // as fine as the database keeps it
	done.Changes = versions.Diff(live, done.Published)
	return done, nil
}

// draftDocument puts a tenant's drafts together. refused says why they cannot be published, if they do not hold together.
func draftDocument(ctx context.Context, tx *postgres.Tx, tenantID string) (p tenants.Published, refused, err error) {
	d, err := readDrafts(ctx, tx, tenantID)
	if err != nil {
		return p, nil, err
	}
	p.Schedules, p.Lists, p.Flows = d.schedules, d.lists, d.flows
	around := d.around()
	refused = refusedFlows(p.Flows, around)
	if p.BlockedCallers, err = tx.BlockedCallers(ctx, tenantID); err != nil {
		return p, nil, err
	}
	routes, err := tx.Routes(ctx, tenantID)
	if err != nil {
		return p, nil, err
	}
	if err := addImplied(&p, d.users); err != nil {
		return p, nil, err
	}
	if clash := addRoutes(&p, d.users, routes); refused == nil {
		refused = clash
	}
	return p, refused, nil
}

// refusedFlows is the refusal of all flows with errors, or nil: a draft may be older than this release's rules, or than the end of what
// it refers to. All that is wrong in any of them is told at once, each fault with its path within the document.
func refusedFlows(flows []tenants.Flow, around callflows.Around) error {
	var all *Error
	wrong := 0
	for _, f := range flows {
		faults := callflows.CheckFlow(f, around)
		var refused *Error
		if !errors.As(refusedFlow("flows/"+f.ID+"/", faults), &refused) {
			continue
		}
		wrong++
		for i := range faults {
			faults[i].Path = "/flows/" + f.ID + faults[i].Path
		}
		if all == nil {
			all = refused
			all.Faults = faults
			continue
		}
		all.Faults = append(all.Faults, faults...)
	}
	switch {
	case all == nil:
		return nil
	case wrong == 2:
		all.Detail += " Another flow has faults, too."
	case wrong > 2:
		all.Detail += fmt.Sprintf(" %d other flows have faults, too.", wrong-1)
	}
	return all
}

// addImplied adds what users imply to a document: first of all routes, and after all other flows. ownPart relies on it.
func addImplied(p *tenants.Published, users []tenants.User) error {
	for _, u := range users {
		flow, err := userFlow(u)
		if err != nil {
			return err
		}
		p.Flows = append(p.Flows, flow)
		p.Routes = append(p.Routes, tenants.Route{Dialled: u.Extension, FlowID: flow.ID})
	}
	return nil
}

// addRoutes adds drafts of routes to a document, and says which of them is a user's extension.
func addRoutes(p *tenants.Published, users []tenants.User, drafts []postgres.Route) (refused error) {
	extensions := make(map[string]string, len(users))
	for _, u := range users {
		extensions[u.Extension] = u.Name
	}
	for _, r := range drafts {
		if name, taken := extensions[r.Dialled]; taken && refused == nil {
			refused = conflict("routes/"+r.Dialled, "is the extension of the user "+name)
		}
		flowID := r.FlowID
		if r.UserID != "" {
			flowID = UserFlowPrefix + r.UserID
		}
		p.Routes = append(p.Routes, tenants.Route{Dialled: r.Dialled, Prefix: r.Prefix, FlowID: flowID})
	}
	return refused
}

// userFlow rings one user, and ends the call with the reason when that fails.
func userFlow(u tenants.User) (tenants.Flow, error) {
	settings, err := json.Marshal(map[string]any{"users": []string{u.ID}, "strategy": "at_once", "seconds": userRingSeconds})
	if err != nil {
		return tenants.Flow{}, err
	}
	return tenants.Flow{ID: UserFlowPrefix + u.ID, Name: u.Name, Start: "ring",
		Elements: map[string]tenants.Element{"ring": {Type: "ring", Settings: settings}}}, nil
}
