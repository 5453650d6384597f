package main

import (
	"context"
	"fmt"
	"net/netip"

	"tandem/postgres"
	"tandem/provisioning"
	"tandem/tenants"
)

// The configuration that the route worker decides from.
const (
	benchTenants = 100
	benchDevices = 20 // of each tenant, with a user each
)

func benchTenant(t int) string    { return fmt.Sprintf("bench-%03d", t) }
func benchDomain(t int) string    { return fmt.Sprintf("t%03d.example.com", t) }
func benchNumberOf(t int) string  { return fmt.Sprintf("+120255501%02d", t) }
func benchExtension(d int) string { return fmt.Sprint(100 + d) }
func benchUsername(d int) string  { return "desk" + benchExtension(d) }

// benchTrunk is where the load through Kamailio comes from.
var benchTrunk = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// provisionBench fills an empty database.
func provisionBench(ctx context.Context, service *provisioning.Service) error {
	for t := range benchTenants {
		if err := provisionTenant(ctx, service, t); err != nil {
			return fmt.Errorf("provision %s: %w", benchTenant(t), err)
		}
	}
	return service.AddTrunk(ctx, tenants.Trunk{ID: "bench", Name: "Bench", Addresses: []netip.Addr{benchTrunk}})
}

func provisionTenant(ctx context.Context, service *provisioning.Service, t int) error {
	id := benchTenant(t)
	if _, err := service.CreateTenant(ctx, provisioning.NewTenant{ID: id, Name: "Tenant " + id, Domain: benchDomain(t)}); err != nil {
		return err
	}
	if err := service.AddNumber(ctx, id, benchNumberOf(t)); err != nil {
		return err
	}
	// All in one transaction, or two thousand devices would take most of the measurement's time.
	err := service.Store.Change(ctx, func(tx *postgres.Tx) error {
		for d := range benchDevices {
			name := benchUsername(d)
			if err := tx.InsertUser(ctx, id, tenants.User{ID: name, Name: "Desk " + benchExtension(d), Extension: benchExtension(d)}); err != nil {
				return err
			}
			device := tenants.Device{ID: name, UserID: name, Name: "Phone " + benchExtension(d), Username: name}
			if err := tx.InsertDevice(ctx, id, device, provisioning.HA1(name, benchDomain(t), id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = service.Publish(ctx, id, "bench", "")
	return err
}
