package provisioning

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"tandem/postgres"
	"tandem/provisioning/phones"
	"tandem/tenants"
)

// Asking is a phone that asks for a file.
type Asking struct {
	Secret    string // of the URL
	File      string
	From      string // address
	UserAgent string // hostile
	Look      bool   // it wants to know what it would get (HEAD): nothing is made, nothing is noted
}

// What can be wrong with an Asking. Whoever asks is told neither.
var (
	ErrNoPhone = errors.New("provisioning: no phone has this secret")
	ErrNoFile  = errors.New("provisioning: the phone has no such file")
)

// maxAgent bounds what is kept of a phone's word about itself, in bytes; the schema has the same.
const maxAgent = 256

// PhoneFile gives a phone its file. The first time that a file with the password is fetched, the password is made, and the device
// registers with no other any more; from then on every fetch gives the same one, so that a phone may fetch as often as it likes, or be
// reset and begin anew, without ever losing its registration (docs/decisions/0016).
func (s *Service) PhoneFile(ctx context.Context, a Asking) (phones.File, error) {
	f, err := s.Store.PhoneBySecret(ctx, hashSecret(a.Secret))
	if errors.Is(err, postgres.ErrNotFound) {
		return phones.File{}, ErrNoPhone
	}
	if err != nil {
		return phones.File{}, err
	}
	there, secret := phones.Holds(phones.Vendor(f.Vendor), phones.MAC(f.MAC), a.File)
	if !there {
		return phones.File{}, ErrNoFile
	}
	password := strings.Repeat(hidden, len(rand.Text())) // as long as one
	if secret && !a.Look {
		if password, err = s.phonePassword(ctx, f); err != nil {
			return phones.File{}, err
		}
	}
	file, err := phones.Render(s.phoneOf(f, password), a.File)
	if err != nil {
		return phones.File{}, fmt.Errorf("provisioning: %s's phone %s: %w", f.Tenant, f.DeviceID, err)
	}
	if !a.Look {
		err = s.Store.PhoneFetched(ctx, f.Tenant, f.DeviceID, file.Name, a.From, strings.ToValidUTF8(a.UserAgent[:min(len(a.UserAgent), maxAgent)], ""), time.Now())
	}
	return file, err
}

// hidden stands for each character of a password that is not shown.
const hidden = "x"

// PreviewPhone gives a phone's files as they would be fetched now, without the password.
func (s *Service) PreviewPhone(ctx context.Context, tenantID, deviceID string) (all []phones.File, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		f, err := phoneFacts(ctx, tx, tenantID, deviceID)
		if err != nil {
			return err
		}
		p := s.phoneOf(f, strings.Repeat(hidden, len(rand.Text())))
		for _, name := range phones.Names(p.Vendor, p.MAC) {
			file, err := phones.Render(p, name)
			if err != nil {
				return err
			}
			all = append(all, file)
		}
		return nil
	})
	return all, err
}

// phoneOf puts together what a phone's files are made of.
func (s *Service) phoneOf(f postgres.PhoneFacts, password string) phones.Phone {
	p := phones.Phone{Vendor: phones.Vendor(f.Vendor), Model: f.Model, MAC: phones.MAC(f.MAC), Name: f.UserName, Label: f.Extension,
		Username: f.Username, Password: password, Domain: f.Domain, Server: s.Phones.Server, Keys: keysOf(f.Keys), Time: s.Phones.Time, Note: f.Note}
	if p.Name == "" {
		p.Name = f.DeviceName
	}
	for _, c := range f.Codecs {
		p.Codecs = append(p.Codecs, phones.Codec(c))
	}
	zone := f.TimeZone
	if zone == "" {
		zone = f.TenantZone
	}
	if location, err := time.LoadLocation(zone); err == nil { // one that has left the database of zones shows UTC
		p.Zone = phones.ZoneOf(location, time.Now().Year())
	}
	return p
}

// sealedFor is what a password is sealed for.
func sealedFor(tenantID, deviceID string) []string {
	return []string{"phone password", tenantID, deviceID}
}

// phonePassword opens the password of a phone, or makes one. One that cannot be opened is no reason to make another: a worker
// with the wrong key would take the registration of every phone that asks it.
func (s *Service) phonePassword(ctx context.Context, f postgres.PhoneFacts) (string, error) {
	if s.Phones.Keys == nil {
		return "", errors.New("provisioning: there is no key to keep phones' passwords with")
	}
	if f.Sealed != nil {
		password, err := s.Phones.Keys.Open(f.Sealed, sealedFor(f.Tenant, f.DeviceID)...)
		if err != nil {
			return "", err
		}
		if HA1(f.Username, f.Domain, password) == f.HA1 {
			return password, s.renewSeal(ctx, f, password)
		}
	}
	return s.makePhonePassword(ctx, f)
}

// renewSeal seals a password with the newest key, so that the one before can go some day.
func (s *Service) renewSeal(ctx context.Context, f postgres.PhoneFacts, password string) error {
	if s.Phones.Keys.Current(f.Sealed) {
		return nil
	}
	return s.Store.ResealPhonePassword(ctx, f.Tenant, f.DeviceID, f.Sealed, s.Phones.Keys.Seal(password, sealedFor(f.Tenant, f.DeviceID)...))
}

// makePhonePassword makes the password, unless another worker has made one meanwhile.
func (s *Service) makePhonePassword(ctx context.Context, seen postgres.PhoneFacts) (password string, err error) {
	err = s.within(ctx, seen.Tenant, func(tx *postgres.Tx, t tenants.Tenant) error {
		f, err := phoneFacts(ctx, tx, seen.Tenant, seen.DeviceID)
		if err != nil {
			return err
		}
		if f.Sealed != nil {
			password, err = s.Phones.Keys.Open(f.Sealed, sealedFor(f.Tenant, f.DeviceID)...)
			if err != nil || HA1(f.Username, t.Domain, password) == f.HA1 {
				return err
			}
		}
		password = rand.Text()
		return s.setPassword(ctx, tx, t, f.DeviceID, f.Username, password)
	})
	return password, err
}

// setPassword gives a device a password, which its phone, if it is one, gets with its next fetch.
func (s *Service) setPassword(ctx context.Context, tx *postgres.Tx, t tenants.Tenant, deviceID, username, password string) error {
	if err := tx.SetDeviceHA1(ctx, t.ID, deviceID, HA1(username, t.Domain, password)); err != nil {
		return err
	}
	if s.Phones.Keys == nil {
		return nil
	}
	return tx.SealPhonePassword(ctx, t.ID, deviceID, s.Phones.Keys.Seal(password, sealedFor(t.ID, deviceID)...))
}
