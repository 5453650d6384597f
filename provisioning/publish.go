package provisioning

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

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

// document puts a tenant's drafts together and checks that they hold together.
func (s *Service) document(ctx context.Context, tx *postgres.Tx, tenantID string) (p tenants.Published, err error) {
	users, err := tx.Users(ctx, tenantID)
	if err != nil {
		return p, err
	}
	devices, err := tx.Devices(ctx, tenantID)
	if err != nil {
		return p, err
	}
	if p.Schedules, err = tx.Schedules(ctx, tenantID); err != nil {
		return p, err
	}
	if p.Flows, err = tx.Flows(ctx, tenantID); err != nil {
		return p, err
	}
	known := namesOf(users, devices, p.Schedules)
	for _, f := range p.Flows {
		if err := s.ValidateFlow(f); err != nil { // a draft may be older than this release's rules
			return p, invalid("flows/"+f.ID, err.Error())
		}
		if err := known.check(f); err != nil {
			return p, err
		}
	}
	if p.BlockedCallers, err = tx.BlockedCallers(ctx, tenantID); err != nil {
		return p, err
	}
	drafts, err := tx.Routes(ctx, tenantID)
	if err != nil {
		return p, err
	}
	return p, addRoutes(&p, users, drafts)
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

// names are what the elements of flows may refer to.
type names struct{ users, devices, schedules map[string]bool }

func namesOf(users []tenants.User, devices []tenants.Device, schedules []tenants.Schedule) names {
	n := names{users: map[string]bool{}, devices: map[string]bool{}, schedules: map[string]bool{}}
	for _, u := range users {
		n.users[u.ID] = true
	}
	for _, d := range devices {
		n.devices[d.ID] = true
	}
	for _, s := range schedules {
		n.schedules[s.ID] = true
	}
	return n
}

// check finds references to what is not there. In the settings of every type, users, devices and schedule mean the same;
// whether a type has them is for ValidateFlow.
func (n names) check(f tenants.Flow) error {
	for key, e := range f.Elements {
		var refers struct {
			Users    []string `json:"users"`
			Devices  []string `json:"devices"`
			Schedule string   `json:"schedule"`
		}
		path := "flows/" + f.ID + "/elements/" + key + "/settings/"
		if len(e.Settings) == 0 {
			continue
		}
		if err := json.Unmarshal(e.Settings, &refers); err != nil {
			return invalid(path, "users, devices or schedule do not hold ids")
		}
		for _, id := range refers.Users {
			if !n.users[id] {
				return missing(path+"users", "there is no user "+id)
			}
		}
		for _, id := range refers.Devices {
			if !n.devices[id] {
				return missing(path+"devices", "there is no device "+id)
			}
		}
		if refers.Schedule != "" && !n.schedules[refers.Schedule] {
			return missing(path+"schedule", "there is no schedule "+refers.Schedule)
		}
	}
	return nil
}
