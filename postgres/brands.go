package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Brand is how the pages and e-mails of a tenant look.
type Brand struct {
	Tenant       string `db:"tenant_id"`
	Name         string `db:"name"`
	PrimaryColor string `db:"primary_color"` // #rrggbb, lower case
	AccentColor  string `db:"accent_color"`
	Domain       string `db:"domain"` // lower case; empty: none of its own
	EmailName    string `db:"email_name"`
	EmailAddress string `db:"email_address"`
	Logo         string `db:"logo"` // sha256 of its content; empty: none
}

// Logo is a picture.
type Logo struct {
	Hash        string `db:"sha256"`
	ContentType string `db:"content_type"`
	Content     []byte `db:"content"`
}

const brandColumns = `b.tenant_id, b.name, b.primary_color, b.accent_color, coalesce(b.domain, ''), b.email_name, b.email_address, coalesce(b.logo, '')`

// BrandOver reads the brand that holds for a tenant: its own, or that of the nearest above it. ErrNotFound when there is none.
func (t *Tx) BrandOver(ctx context.Context, tenantID string) (Brand, error) {
	return t.brand(ctx, `SELECT `+brandColumns+` FROM brand_over(@of) b WHERE b.tenant_id IS NOT NULL`, tenantID)
}

// BrandAt reads the brand of a domain. ErrNotFound when there is none.
func (t *Tx) BrandAt(ctx context.Context, domain string) (Brand, error) {
	return t.brand(ctx, `SELECT `+brandColumns+` FROM brand_at(@of) b WHERE b.tenant_id IS NOT NULL`, domain)
}

func (t *Tx) brand(ctx context.Context, query, of string) (Brand, error) {
	rows, err := t.tx.Query(ctx, query, pgx.StrictNamedArgs{"of": of})
	if err != nil {
		return Brand{}, fmt.Errorf("postgres: brand: %w", err)
	}
	b, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Brand])
	if err != nil {
		return Brand{}, notFound("brand", err)
	}
	return b, nil
}

// SaveBrand adds or replaces a tenant's own brand.
func (t *Tx) SaveBrand(ctx context.Context, b Brand) error {
	return t.exec(ctx, "save brand", `
		INSERT INTO brands (tenant_id, name, primary_color, accent_color, domain, email_name, email_address, logo)
		VALUES (@tenant_id, @name, @primary_color, @accent_color, nullif(@domain, ''), @email_name, @email_address, nullif(@logo, ''))
		ON CONFLICT (tenant_id) DO UPDATE SET name = @name, primary_color = @primary_color, accent_color = @accent_color, domain = nullif(@domain, ''),
		       email_name = @email_name, email_address = @email_address, logo = nullif(@logo, '')`,
		pgx.StrictNamedArgs{"tenant_id": b.Tenant, "name": b.Name, "primary_color": b.PrimaryColor, "accent_color": b.AccentColor, "domain": b.Domain,
			"email_name": b.EmailName, "email_address": b.EmailAddress, "logo": b.Logo})
}

// DeleteBrand takes a tenant's own brand away, if it has one.
func (t *Tx) DeleteBrand(ctx context.Context, tenantID string) (there bool, err error) {
	tag, err := t.tx.Exec(ctx, `DELETE FROM brands WHERE tenant_id = @tenant_id`, pgx.StrictNamedArgs{"tenant_id": tenantID})
	return tag.RowsAffected() > 0, wrapped(err, "postgres: delete brand")
}

// AddLogo keeps a picture of a tenant's, once, and of its others the latest so many besides the one that is shown.
func (t *Tx) AddLogo(ctx context.Context, tenantID string, l Logo, others int) error {
	if err := t.exec(ctx, "add logo", `
		INSERT INTO brand_logos (tenant_id, sha256, content_type, content) VALUES (@tenant_id, @sha256, @content_type, @content)
		ON CONFLICT (tenant_id, sha256) DO UPDATE SET added_at = now()`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "sha256": l.Hash, "content_type": l.ContentType, "content": l.Content}); err != nil {
		return err
	}
	return t.exec(ctx, "drop old logos", `
		DELETE FROM brand_logos WHERE tenant_id = @tenant_id AND sha256 IN (
		    SELECT sha256 FROM brand_logos WHERE tenant_id = @tenant_id AND sha256 IS DISTINCT FROM (SELECT logo FROM brands WHERE tenant_id = @tenant_id)
		     ORDER BY added_at DESC, sha256 OFFSET @others)`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "others": others})
}

// LogoOf reads the picture of a brand. ErrNotFound when it has none.
func (t *Tx) LogoOf(ctx context.Context, b Brand) (Logo, error) {
	rows, err := t.tx.Query(ctx, `SELECT l.sha256, l.content_type, l.content FROM brand_logo(@tenant_id, @logo) l WHERE l.sha256 IS NOT NULL`,
		pgx.StrictNamedArgs{"tenant_id": b.Tenant, "logo": b.Logo})
	if err != nil {
		return Logo{}, fmt.Errorf("postgres: logo: %w", err)
	}
	l, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Logo])
	if errors.Is(err, pgx.ErrNoRows) {
		return Logo{}, ErrNotFound
	}
	if err != nil {
		return Logo{}, fmt.Errorf("postgres: logo: %w", err)
	}
	return l, nil
}
