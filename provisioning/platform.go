package provisioning

import (
	"context"
	"errors"
	"fmt"

	"tandem/postgres"
	"tandem/tenants"
)

// AddNode adds a media node or replaces the one with its name.
func (s *Service) AddNode(ctx context.Context, n tenants.Node) error {
	var c checks
	c.id("name", n.Name)
	c.sipURI("sip_uri", n.SIPURI)
	c.address("event_socket", n.EventSocket)
	c.limit("max_calls", n.MaxCalls)
	if c.err != nil {
		return c.err
	}
	return s.platform(ctx, func(tx *postgres.Tx) error { return tx.SaveNode(ctx, n) })
}

// RemoveNode takes a media node out of the configuration: it gets no new calls. The second time it does nothing.
func (s *Service) RemoveNode(ctx context.Context, name string) error {
	return s.platform(ctx, func(tx *postgres.Tx) error { return tx.DeleteNode(ctx, name) })
}

// DrainNode lets a media node take no new calls, whichever worker owns it, until ResumeNode; its live calls go on. The second
// time it does nothing.
func (s *Service) DrainNode(ctx context.Context, name string) error {
	return s.setDraining(ctx, name, true, false)
}

// MoveCalls drains a media node and lets its calls move to other nodes, until DrainNode or ResumeNode. The second time it does nothing.
func (s *Service) MoveCalls(ctx context.Context, name string) error {
	return s.setDraining(ctx, name, true, true)
}

// ResumeNode lets a media node that was drained take calls again. The second time it does nothing.
func (s *Service) ResumeNode(ctx context.Context, name string) error {
	return s.setDraining(ctx, name, false, false)
}

func (s *Service) setDraining(ctx context.Context, name string, draining, moving bool) error {
	return s.platform(ctx, func(tx *postgres.Tx) error {
		err := tx.SetDraining(ctx, name, draining, moving)
		if errors.Is(err, postgres.ErrNotFound) {
			return missing("name", "there is no such media node")
		}
		return err
	})
}

// SetEmergency replaces the platform's way to the emergency services. TestNumber is one of Numbers or empty; TrunkURI is
// empty only as long as there is no way yet.
func (s *Service) SetEmergency(ctx context.Context, e tenants.Emergency) error {
	var c checks
	c.that(len(e.Numbers) >= 1 && len(e.Numbers) <= MaxEmergency, "numbers", fmt.Sprintf("are not 1 to %d", MaxEmergency))
	for _, n := range e.Numbers {
		c.form(extensionForm, "numbers", n, "one is not 2 to 8 digits")
	}
	c.that(e.TestNumber == "" || e.Is(e.TestNumber), "test_number", "is not one of the numbers")
	if e.TrunkURI != "" {
		c.sipURI("trunk_uri", e.TrunkURI)
	}
	if c.err != nil {
		return c.err
	}
	return s.platform(ctx, func(tx *postgres.Tx) error { return tx.SetEmergency(ctx, e) })
}
