package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// PhoneKey is one key of a phone, by its place in the list.
type PhoneKey struct {
	Type  string `json:"type"`
	Label string `json:"label,omitempty"`
	Value string `json:"value,omitempty"`
}

// Phone is what a device is made of and shows.
type Phone struct {
	DeviceID string
	MAC      string // twelve hexadecimal digits in lower case
	Vendor   string
	Model    string
	TimeZone string // empty: the tenant's
	Codecs   []string
	Keys     []PhoneKey
	Note     string
}

// PhoneAccess says how a phone's files are fetched, and when they were for the last time.
type PhoneAccess struct {
	MadeAt    time.Time // of the URL
	FetchedAt *time.Time
	From      string // address
	Agent     string // hostile
	File      string
	Fetches   int64
}

// PhoneFacts are all that is kept about one phone's files.
type PhoneFacts struct {
	Phone
	PhoneAccess

	Tenant       string
	Domain       string
	TenantZone   string
	DeviceName   string
	Username     string
	HA1          string
	UserName     string // empty: the phone is nobody's
	Extension    string
	Sealed       []byte // the password; nil: none was made
	HashOfSecret []byte
}

// PhoneBySecret finds the phone whose URL has the secret of that SHA-256. ErrNotFound when there is none.
func (s *Store) PhoneBySecret(ctx context.Context, hash []byte) (PhoneFacts, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT p.device_id, p.mac, p.vendor, p.model, p.time_zone, p.codecs, p.keys, p.note, p.secret_made_at, a.fetched_at, a.fetched_from, a.fetched_agent,
		       a.fetched_file, a.fetches, p.tenant_id, t.domain, t.time_zone, d.name, d.username, d.ha1, coalesce(u.name, ''), coalesce(u.extension, ''),
		       a.sealed, a.secret_hash
		  FROM phone_access a JOIN phones p USING (tenant_id, device_id) JOIN tenants t ON t.id = a.tenant_id
		  JOIN devices d ON d.tenant_id = a.tenant_id AND d.id = a.device_id
		  LEFT JOIN users u ON u.tenant_id = d.tenant_id AND u.id = d.user_id
		 WHERE a.secret_hash = @hash`, pgx.StrictNamedArgs{"hash": hash})
	return phoneFacts(rows, err)
}

// PhoneOf finds the phone of a device. ErrNotFound when the device is none.
func (t *Tx) PhoneOf(ctx context.Context, tenantID, deviceID string) (PhoneFacts, error) {
	rows, err := t.tx.Query(ctx, `
		SELECT p.device_id, p.mac, p.vendor, p.model, p.time_zone, p.codecs, p.keys, p.note, p.secret_made_at, a.fetched_at, a.fetched_from, a.fetched_agent,
		       a.fetched_file, a.fetches, p.tenant_id, t.domain, t.time_zone, d.name, d.username, d.ha1, coalesce(u.name, ''), coalesce(u.extension, ''),
		       a.sealed, a.secret_hash
		  FROM phone_access a JOIN phones p USING (tenant_id, device_id) JOIN tenants t ON t.id = a.tenant_id
		  JOIN devices d ON d.tenant_id = a.tenant_id AND d.id = a.device_id
		  LEFT JOIN users u ON u.tenant_id = d.tenant_id AND u.id = d.user_id
		 WHERE a.tenant_id = @tenant_id AND a.device_id = @device_id`, pgx.StrictNamedArgs{"tenant_id": tenantID, "device_id": deviceID})
	return phoneFacts(rows, err)
}

func phoneFacts(rows pgx.Rows, err error) (PhoneFacts, error) {
	if err != nil {
		return PhoneFacts{}, fmt.Errorf("postgres: phone: %w", err)
	}
	f, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (f PhoneFacts, err error) {
		err = row.Scan(&f.DeviceID, &f.MAC, &f.Vendor, &f.Model, &f.TimeZone, &f.Codecs, &f.Keys, &f.Note, &f.MadeAt, &f.FetchedAt, &f.From, &f.Agent,
			&f.File, &f.Fetches, &f.Tenant, &f.Domain, &f.TenantZone, &f.DeviceName, &f.Username, &f.HA1, &f.UserName, &f.Extension, &f.Sealed, &f.HashOfSecret)
		return f, err
	})
	if err != nil {
		return f, notFound("phone", err)
	}
	return f, nil
}

// SavePhone makes a device a phone, or changes what kind of phone it is.
func (t *Tx) SavePhone(ctx context.Context, tenantID string, p Phone) error {
	keys := p.Keys
	if keys == nil {
		keys = []PhoneKey{}
	}
	return t.exec(ctx, "save phone", `
		INSERT INTO phones (tenant_id, device_id, mac, vendor, model, time_zone, codecs, keys, note)
		VALUES (@tenant_id, @device_id, @mac, @vendor, @model, @time_zone, @codecs, @keys, @note)
		ON CONFLICT (tenant_id, device_id) DO UPDATE SET mac = excluded.mac, vendor = excluded.vendor, model = excluded.model,
		       time_zone = excluded.time_zone, codecs = excluded.codecs, keys = excluded.keys, note = excluded.note`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "device_id": p.DeviceID, "mac": p.MAC, "vendor": p.Vendor, "model": p.Model,
			"time_zone": p.TimeZone, "codecs": list(p.Codecs), "keys": keys, "note": p.Note})
}

// SetPhoneSecret makes the files of a phone be fetched with the secret of that SHA-256, and no longer with another.
func (t *Tx) SetPhoneSecret(ctx context.Context, tenantID, deviceID string, hash []byte) error {
	if err := t.exec(ctx, "set phone secret", `
		UPDATE phones SET secret_made_at = clock_timestamp() WHERE tenant_id = @tenant_id AND device_id = @device_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "device_id": deviceID}); err != nil {
		return err
	}
	return t.exec(ctx, "set phone secret", `
		INSERT INTO phone_access (tenant_id, device_id, secret_hash) VALUES (@tenant_id, @device_id, @hash)
		ON CONFLICT (tenant_id, device_id) DO UPDATE SET secret_hash = excluded.secret_hash`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "device_id": deviceID, "hash": hash})
}

// SealPhonePassword keeps the password of a phone, if the device is one.
func (t *Tx) SealPhonePassword(ctx context.Context, tenantID, deviceID string, sealed []byte) error {
	return t.exec(ctx, "seal phone password", `
		UPDATE phone_access SET sealed = @sealed WHERE tenant_id = @tenant_id AND device_id = @device_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "device_id": deviceID, "sealed": sealed})
}

// ResealPhonePassword replaces what a password is sealed as, unless it is sealed as something else meanwhile.
func (s *Store) ResealPhonePassword(ctx context.Context, tenantID, deviceID string, was, sealed []byte) error {
	if _, err := s.pool.Exec(ctx, `
		UPDATE phone_access SET sealed = @sealed WHERE tenant_id = @tenant_id AND device_id = @device_id AND sealed = @was`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "device_id": deviceID, "was": was, "sealed": sealed}); err != nil {
		return fmt.Errorf("postgres: reseal phone password: %w", err)
	}
	return nil
}

// DeletePhone makes a phone a mere device again: nothing is fetched any more. The second time it does nothing.
func (t *Tx) DeletePhone(ctx context.Context, tenantID, deviceID string) error {
	return t.exec(ctx, "delete phone", `DELETE FROM phones WHERE tenant_id = @tenant_id AND device_id = @device_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "device_id": deviceID})
}

// PhoneFetched keeps who fetched a phone's file.
func (s *Store) PhoneFetched(ctx context.Context, tenantID, deviceID, file, from, agent string, at time.Time) error {
	if _, err := s.pool.Exec(ctx, `
		UPDATE phone_access SET fetched_at = @at, fetched_from = @from, fetched_agent = @agent, fetched_file = @file, fetches = fetches + 1
		 WHERE tenant_id = @tenant_id AND device_id = @device_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "device_id": deviceID, "at": at, "from": text(from), "agent": text(agent), "file": text(file)}); err != nil {
		return fmt.Errorf("postgres: phone fetched: %w", err)
	}
	return nil
}

// FreePhone takes a phone's hardware address away until it is saved again, within the transaction.
func (t *Tx) FreePhone(ctx context.Context, tenantID, deviceID string) error {
	// 02 is an address that its owner gives himself (IEEE 802, the bit of local administration): none of a phone.
	return t.exec(ctx, "free phone", `UPDATE phones SET mac = '02' || left(md5(tenant_id || ' ' || device_id), 10) WHERE tenant_id = @tenant_id AND device_id = @device_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "device_id": deviceID})
}
