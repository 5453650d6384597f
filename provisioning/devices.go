package provisioning

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"slices"

	"github.com/google/uuid"

	"tandem/postgres"
	"tandem/tenants"
)

// NewDevice asks for a device. Name and Username are required.
type NewDevice struct {
	ID       string `json:"id"`      // empty: one is made
	UserID   string `json:"user_id"` // empty: nobody's, such as a door phone
	Name     string `json:"name"`
	Username string `json:"username"` // digest user and user part of the address of record
}

// CreateDevice adds a device and gives the password that was made for it. The password cannot be had again, only
// replaced.
func (s *Service) CreateDevice(ctx context.Context, tenantID string, n NewDevice) (d tenants.Device, password string, err error) {
	d = tenants.Device{ID: cmp.Or(n.ID, uuid.NewString()), UserID: n.UserID, Name: n.Name, Username: n.Username}
	var c checks
	c.id("id", d.ID)
	c.name("name", d.Name)
	c.id("username", d.Username)
	if c.err != nil {
		return d, "", c.err
	}
	password = rand.Text()
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		return tx.InsertDevice(ctx, tenantID, d, HA1(d.Username, t.Domain, password))
	})
	if err != nil {
		return d, "", err
	}
	return d, password, nil
}

// ResetPassword replaces a device's password and gives the new one. The workers tell the edges to forget the old one
// (edge.forget.v1) as soon as the change is committed.
func (s *Service) ResetPassword(ctx context.Context, tenantID, deviceID string) (password string, err error) {
	password = rand.Text()
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		devices, err := tx.Devices(ctx, tenantID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(devices, func(d tenants.Device) bool { return d.ID == deviceID })
		if i < 0 {
			return missing("device", "there is no such device in this tenant")
		}
		return s.setPassword(ctx, tx, t, deviceID, devices[i].Username, password)
	})
	if err != nil {
		return "", err
	}
	return password, nil
}

// HA1 is what digest authentication keeps of a password: MD5 of user:realm:password in hexadecimal, RFC 7616 3.4.2 (and
// RFC 2617 3.2.2.2). MD5, because it is the only algorithm that all phones speak (RFC 8760 adds SHA-256, which few do
// yet). Its weakness is made up for by the password: it is generated, with at least 128 bits, so that the hash cannot be
// turned back by guessing.
func HA1(username, realm, password string) string {
	sum := md5.Sum([]byte(username + ":" + realm + ":" + password))
	return hex.EncodeToString(sum[:])
}
