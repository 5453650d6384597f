package provisioning

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"tandem/postgres"
	"tandem/provisioning/phones"
	"tandem/tenants"
)

// PhoneSettings is what an installation says of all phones.
type PhoneSettings struct {
	Keys   *Keyring      // seals their passwords; nil: no phone can be set up
	URL    string        // under which phones reach this installation's files: https://phones.example.com
	Server phones.Server // where they send SIP; without a host they find each tenant's domain
	Time   string        // host of a time server
	// WebSockets are the URLs at which phones in browsers reach the edges: wss://edge1.example.com:7443/sip. None: there are no such phones.
	WebSockets []string
}

// NewPhone makes a device a phone. MAC and Vendor are required.
type NewPhone struct {
	MAC      string       `json:"mac"`
	Vendor   string       `json:"vendor"`
	Model    string       `json:"model"`
	TimeZone string       `json:"time_zone"` // empty: the tenant's
	Codecs   []string     `json:"codecs"`    // in order; none: the usual ones
	Keys     []phones.Key `json:"keys"`      // by place; none: the phone's line
	Note     string       `json:"note"`      // stands in the file, such as which firmware the phone should have
}

// Phone is a device that is provisioned.
type Phone struct {
	DeviceID string `json:"device_id"`
	NewPhone
	SecretMadeAt time.Time   `json:"secret_made_at"` // of the URL that it fetches its files from
	LastFetch    *PhoneFetch `json:"last_fetch"`     // nil: it never fetched one
	Files        []string    `json:"files"`          // the names that it asks for
}

// PhoneFetch is when a phone fetched a file for the last time.
type PhoneFetch struct {
	At        time.Time `json:"at"`
	File      string    `json:"file"`
	From      string    `json:"from"`       // address
	UserAgent string    `json:"user_agent"` // what it said of itself
	Count     int64     `json:"count"`      // of all fetches
}

// SetPhone makes a device a phone, or changes what kind it is. Of a new one the URL is given, which cannot be had again, only replaced
// (RotatePhoneSecret); of one that is there it is empty, and stays as it was. match says whether what is there is what the asker believes,
// nil: nothing.
func (s *Service) SetPhone(ctx context.Context, tenantID, deviceID string, n NewPhone, match func(*Phone) bool) (p Phone, url string, err error) {
	row, err := checkPhone(deviceID, n)
	if err == nil && s.Phones.Keys == nil {
		err = conflict("device", "this installation has no key to keep phones' passwords with (TANDEM_SECRET_KEY)")
	}
	if err != nil {
		return p, "", err
	}
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		fresh, err := matches(ctx, tx, tenantID, deviceID, match)
		if err != nil {
			return err
		}
		if err := tx.SavePhone(ctx, tenantID, row); err != nil {
			return err
		}
		if fresh {
			if url, err = s.newSecret(ctx, tx, tenantID, row); err != nil {
				return err
			}
		}
		p, err = readPhone(ctx, tx, tenantID, deviceID)
		return err
	})
	if err != nil {
		return Phone{}, "", err
	}
	return p, url, nil
}

// matches asks match about a device's phone, and says whether there is none yet.
func matches(ctx context.Context, tx *postgres.Tx, tenantID, deviceID string, match func(*Phone) bool) (fresh bool, err error) {
	had, err := readPhone(ctx, tx, tenantID, deviceID)
	var none *Error
	if fresh = errors.As(err, &none); err != nil && !fresh {
		return false, err
	}
	current := &had
	if fresh {
		current = nil
	}
	if !match(current) {
		return fresh, stale("device")
	}
	return fresh, nil
}

// checkPhone holds a phone against the bounds.
func checkPhone(deviceID string, n NewPhone) (postgres.Phone, error) {
	var c checks
	c.id("device", deviceID)
	mac, ok := phones.ParseMAC(n.MAC)
	c.that(ok, "mac", "is no hardware address of a phone, such as 00:15:65:aa:bb:cc")
	about, ok := phones.Lookup(phones.Vendor(n.Vendor))
	c.that(ok, "vendor", "is none of those whose phones are known")
	c.that(n.Model == "" || slices.Contains(about.Models, n.Model), "model", "is none of the vendor's that are known; leave it out, and the files are the same")
	if n.TimeZone != "" {
		c.timeZone("time_zone", n.TimeZone)
	}
	for i, codec := range n.Codecs {
		c.that(slices.Contains(phones.Codecs(), phones.Codec(codec)) && slices.Index(n.Codecs, codec) == i, "codecs",
			"have one that is not known, or one twice")
	}
	c.that(len(n.Keys) <= phones.MaxKeys, "keys", fmt.Sprintf("are more than %d", phones.MaxKeys))
	row := postgres.Phone{DeviceID: deviceID, MAC: string(mac), Vendor: n.Vendor, Model: n.Model, TimeZone: n.TimeZone, Codecs: n.Codecs, Note: n.Note}
	for i, k := range n.Keys {
		wrong := phones.CheckKey(k)
		c.that(wrong == "", fmt.Sprintf("keys/%d", i), wrong)
		row.Keys = append(row.Keys, postgres.PhoneKey{Type: string(k.Type), Label: k.Label, Value: k.Value})
	}
	c.that(len([]rune(n.Note)) <= phones.MaxNote, "note", fmt.Sprintf("is longer than %d characters", phones.MaxNote))
	c.printable("note", n.Note)
	return row, c.err
}

// The secret in a phone's URL.
const secretBytes = 20 // 160 bits

// newSecret makes the URL of a phone. What is kept of the secret is its SHA-256: it is random, so that the hash cannot be turned back.
func (s *Service) newSecret(ctx context.Context, tx *postgres.Tx, tenantID string, row postgres.Phone) (string, error) {
	random := make([]byte, secretBytes)
	_, _ = rand.Read(random) // it never fails
	secret := strings.ToLower(base32.StdEncoding.EncodeToString(random))
	if err := tx.SetPhoneSecret(ctx, tenantID, row.DeviceID, hashSecret(secret)); err != nil {
		return "", err
	}
	entry := phones.Entry(phones.Vendor(row.Vendor), phones.MAC(row.MAC))
	return strings.TrimSuffix(s.Phones.URL, "/") + "/provision/" + secret + "/" + url.PathEscape(entry), nil
}

func hashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Phone gives a device's phone.
func (s *Service) Phone(ctx context.Context, tenantID, deviceID string) (p Phone, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		p, err = readPhone(ctx, tx, tenantID, deviceID)
		return err
	})
	return p, err
}

func readPhone(ctx context.Context, tx *postgres.Tx, tenantID, deviceID string) (Phone, error) {
	f, err := phoneFacts(ctx, tx, tenantID, deviceID)
	if err != nil {
		return Phone{}, err
	}
	p := Phone{DeviceID: f.DeviceID, SecretMadeAt: f.MadeAt.UTC(), Files: phones.Names(phones.Vendor(f.Vendor), phones.MAC(f.MAC)),
		NewPhone: NewPhone{MAC: f.MAC, Vendor: f.Vendor, Model: f.Model, TimeZone: f.TimeZone, Codecs: f.Codecs, Keys: keysOf(f.Keys), Note: f.Note}}
	if f.FetchedAt != nil {
		p.LastFetch = &PhoneFetch{At: f.FetchedAt.UTC(), File: f.File, From: f.From, UserAgent: f.Agent, Count: f.Fetches}
	}
	return p, nil
}

func phoneFacts(ctx context.Context, tx *postgres.Tx, tenantID, deviceID string) (postgres.PhoneFacts, error) {
	f, err := tx.PhoneOf(ctx, tenantID, deviceID)
	if errors.Is(err, postgres.ErrNotFound) {
		return f, missing("device", "there is no such device in this tenant, or it is not provisioned")
	}
	return f, err
}

func keysOf(rows []postgres.PhoneKey) []phones.Key {
	keys := []phones.Key{}
	for _, k := range rows {
		keys = append(keys, phones.Key{Type: phones.KeyType(k.Type), Label: k.Label, Value: k.Value})
	}
	return keys
}

// RotatePhoneSecret gives a phone a new URL. With the old one nothing is fetched any more, from this moment.
func (s *Service) RotatePhoneSecret(ctx context.Context, tenantID, deviceID string) (url string, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		f, err := phoneFacts(ctx, tx, tenantID, deviceID)
		if err != nil {
			return err
		}
		url, err = s.newSecret(ctx, tx, tenantID, f.Phone)
		return err
	})
	if err != nil {
		return "", err
	}
	return url, nil
}

// PhoneEvent gives what the NOTIFY to a phone says, by which it fetches its files again, and whose it is.
func (s *Service) PhoneEvent(ctx context.Context, tenantID, deviceID string) (username, domain, event string, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		f, err := phoneFacts(ctx, tx, tenantID, deviceID)
		about, _ := phones.Lookup(phones.Vendor(f.Vendor))
		username, domain, event = f.Username, f.Domain, about.Event
		return err
	})
	return username, domain, event, err
}

// RemovePhone makes a phone a mere device again: it keeps its password and registers on, but fetches nothing any more. The second
// time it does nothing.
func (s *Service) RemovePhone(ctx context.Context, tenantID, deviceID string) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error { return tx.DeletePhone(ctx, tenantID, deviceID) })
}
