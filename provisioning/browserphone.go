package provisioning

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"tandem/postgres"
	"tandem/tenants"
)

// BrowserPhone is what a user's phone in a browser logs in with.
type BrowserPhone struct {
	Device    string `json:"device" example:"browser-ada"`
	Username  string `json:"username" doc:"Digest user, and user part of its address."`
	Domain    string `json:"domain" doc:"The rest of its address, and the realm."`
	Password  string `json:"password" doc:"It is kept nowhere, and not shown again. The one before is not valid any more."`
	Name      string `json:"name" doc:"The user's."`
	Extension string `json:"extension"`
}

// BrowserPhone gives a user's phone in a browser a new password, and makes its device when there is none yet: each user has one. Whatever
// had the password before cannot register or call any more, so that one that was left in a page somewhere is worth nothing.
func (s *Service) BrowserPhone(ctx context.Context, tenantID, userID string) (p BrowserPhone, err error) {
	p.Device, p.Password = browserDevice(userID), rand.Text()
	p.Username = p.Device
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		u, err := tx.UserRow(ctx, tenantID, userID)
		if err != nil {
			return found("user", err)
		}
		p.Domain, p.Name, p.Extension = t.Domain, u.Name, u.Extension
		d, err := tx.DeviceRow(ctx, tenantID, p.Device)
		switch {
		case errors.Is(err, postgres.ErrNotFound):
			return tx.InsertDevice(ctx, tenantID, tenants.Device{ID: p.Device, UserID: userID, Name: "Phone in the browser", Username: p.Username}, HA1(p.Username, p.Domain, p.Password))
		case err != nil:
			return err
		case d.User != userID || d.Username != p.Username:
			return conflict("device", "the device "+p.Device+" is another's")
		}
		return s.setPassword(ctx, tx, t, p.Device, p.Username, p.Password)
	})
	if err != nil {
		return BrowserPhone{}, err
	}
	return p, nil
}

const (
	browserPrefix = "browser-"
	maxID         = 64 // of a device (checks.id)
)

// browserDevice is the id of a user's phone in the browser; what is too long for an id is named by its hash.
func browserDevice(userID string) string {
	if len(browserPrefix)+len(userID) <= maxID {
		return browserPrefix + userID
	}
	sum := sha256.Sum256([]byte(userID))
	return browserPrefix + hex.EncodeToString(sum[:16])
}
