package provisioning

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/tenants"
)

// userRingSeconds is how long the flow that is implied for a user rings.
const userRingSeconds = 25

// Publish makes a tenant's drafts its next version and gives it. by and comment are kept with it. Drafts that equal the
// version that runs make no new one: that one is given back.
//
// A document holds the drafts; for each user a flow that rings the user's devices, with the id UserFlowPrefix and the
// user's id; and for each user's extension the route to that flow.
func (s *Service) Publish(ctx context.Context, tenantID, by, comment string) (tenants.Published, error) {
	var c checks
	c.name("published_by", by)
	c.that(len(comment) <= MaxComment, "comment", fmt.Sprintf("is longer than %d bytes", MaxComment))
	c.printable("comment", comment)
	if c.err != nil {
		return tenants.Published{}, c.err
	}
	var published tenants.Published
	err := s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		document, err := s.document(ctx, tx, tenantID)
		if err != nil {
			return err
		}
		same := false
		if published, same, err = tx.PublishedSame(ctx, tenantID, document); err != nil || same {
			return err
		}
		last, err := tx.LastVersion(ctx, tenantID)
		if err != nil {
			return err
		}
		published.Version = last + 1
		published.PublishedAt = time.Now().UTC().Truncate(time.Microsecond) // as fine as the database keeps it
		return tx.Publish(ctx, tenantID, published, by, comment)
	})
	if err != nil {
		return tenants.Published{}, err
	}
	return published, nil
}

// Preview gives the document that Publish would make a version of now, and makes none: its version and date are zero. Drafts
// that Publish would refuse are refused.
func (s *Service) Preview(ctx context.Context, tenantID string) (p tenants.Published, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		p, err = s.document(ctx, tx, tenantID)
		return err
	})
	if err != nil {
		return tenants.Published{}, err
	}
	return p, nil
}

// document puts a tenant's drafts together and checks that they hold together.
func (s *Service) document(ctx context.Context, tx *postgres.Tx, tenantID string) (p tenants.Published, err error) {
	d, err := readDrafts(ctx, tx, tenantID)
	if err != nil {
		return p, err
	}
	p.Schedules, p.Lists, p.Flows = d.schedules, d.lists, d.flows
	around := d.around()
	for _, f := range p.Flows { // a draft may be older than this release's rules, or than the end of what it refers to
		if err := refusedFlow("flows/"+f.ID+"/", callflows.CheckFlow(f, around)); err != nil {
			return p, err
		}
	}
	if p.BlockedCallers, err = tx.BlockedCallers(ctx, tenantID); err != nil {
		return p, err
	}
	routes, err := tx.Routes(ctx, tenantID)
	if err != nil {
		return p, err
	}
	return p, addRoutes(&p, d.users, routes)
}

// addRoutes adds the users' implied flows and all routes to a document.
func addRoutes(p *tenants.Published, users []tenants.User, drafts []postgres.Route) error {
	extensions := make(map[string]string, len(users))
	for _, u := range users {
		flow, err := userFlow(u)
		if err != nil {
			return err
		}
		p.Flows = append(p.Flows, flow)
		p.Routes = append(p.Routes, tenants.Route{Dialled: u.Extension, FlowID: flow.ID})
		extensions[u.Extension] = u.Name
	}
	for _, r := range drafts {
		if name, taken := extensions[r.Dialled]; taken {
			return conflict("routes/"+r.Dialled, "is the extension of the user "+name)
		}
		flowID := r.FlowID
		if r.UserID != "" {
			flowID = UserFlowPrefix + r.UserID
		}
		p.Routes = append(p.Routes, tenants.Route{Dialled: r.Dialled, FlowID: flowID})
	}
	return nil
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
