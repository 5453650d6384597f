package provisioning

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // the kinds of logos
	_ "image/png"
	"math"
	"net/mail"
	"regexp"
	"strconv"
	"unicode/utf8"

	"tandem/postgres"
	"tandem/tenants"
)

// Bounds of brands.
const (
	MaxBrandName  = 100     // characters
	MaxLogoBytes  = 1 << 18 // of a logo's file
	MaxLogoPixels = 2000    // of its width, and of its height
	maxEmail      = 254     // RFC 5321 4.5.3.1.3, without the angle brackets
	keptLogos     = 5       // of a tenant's, besides the one that is shown: an undo may want them
)

// The platform's own looks, where no brand holds.
const (
	PlatformName   = "Tandem"
	PlatformColor  = "#1c4e80"
	PlatformAccent = "#c2571a"
)

var colorForm = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// Brand reads the brand that holds for a tenant: its own, or that of the nearest above it that has one, or the platform's, whose Tenant
// is empty.
func (s *Service) Brand(ctx context.Context, tenantID string) (b postgres.Brand, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		b, err = orPlatforms(tx.BrandOver(ctx, tenantID))
		return err
	})
	return b, err
}

// BrandAt reads the brand of a domain, or the platform's.
func (s *Service) BrandAt(ctx context.Context, domain string) (b postgres.Brand, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		b, err = orPlatforms(tx.BrandAt(ctx, domain))
		return err
	})
	return b, err
}

func orPlatforms(b postgres.Brand, err error) (postgres.Brand, error) {
	if errors.Is(err, postgres.ErrNotFound) {
		return postgres.Brand{Name: PlatformName, PrimaryColor: PlatformColor, AccentColor: PlatformAccent}, nil
	}
	return b, err
}

// SetBrand gives a tenant a brand of its own, or changes it, if match says that what holds is what the asker knows. The logo stays
// as it is. mayMove says whether the asker may set the domain.
func (s *Service) SetBrand(ctx context.Context, n postgres.Brand, mayMove bool, match func(postgres.Brand) bool) (b postgres.Brand, err error) {
	var c checks
	c.name("name", n.Name)
	c.that(utf8.RuneCountInString(n.Name) <= MaxBrandName, "name", fmt.Sprintf("is longer than %d characters", MaxBrandName))
	c.form(colorForm, "primary_color", n.PrimaryColor, "is not a colour such as #1c4e80")
	c.form(colorForm, "accent_color", n.AccentColor, "is not a colour such as #1c4e80")
	if n.Domain != "" {
		c.domain("domain", n.Domain)
	}
	c.printable("email_name", n.EmailName)
	c.that(utf8.RuneCountInString(n.EmailName) <= MaxBrandName, "email_name", fmt.Sprintf("is longer than %d characters", MaxBrandName))
	if n.EmailAddress != "" {
		address, err := mail.ParseAddress(n.EmailAddress)
		c.that(err == nil && address.Address == n.EmailAddress && len(n.EmailAddress) <= maxEmail, "email_address", "is not an e-mail address such as phone@example.com")
	}
	if c.err != nil {
		return b, c.err
	}
	err = s.within(ctx, n.Tenant, func(tx *postgres.Tx, _ tenants.Tenant) error {
		was, err := orPlatforms(tx.BrandOver(ctx, n.Tenant))
		switch {
		case err != nil:
			return err
		case !match(was):
			return stale("brand")
		}
		own := was
		if was.Tenant != n.Tenant {
			own = postgres.Brand{}
		}
		if !mayMove && n.Domain != own.Domain {
			return conflict("domain", "is set by the platform, which must answer under it")
		}
		n.Logo = own.Logo
		if err := tx.SaveBrand(ctx, n); err != nil {
			return err
		}
		b, err = tx.BrandOver(ctx, n.Tenant)
		return err
	})
	return b, err
}

// RemoveBrand takes a tenant's own brand away: the one of those above it holds again.
func (s *Service) RemoveBrand(ctx context.Context, tenantID string) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		there, err := tx.DeleteBrand(ctx, tenantID)
		return removed("brand", there, err)
	})
}

// SetLogo gives the brand of a tenant a logo: PNG or JPEG, by its content. Pictures that can hold scripts (SVG) are not taken.
func (s *Service) SetLogo(ctx context.Context, tenantID string, content []byte) (b postgres.Brand, err error) {
	var c checks
	c.that(len(content) <= MaxLogoBytes, "logo", fmt.Sprintf("is larger than %d bytes", MaxLogoBytes))
	picture, kind, err := image.DecodeConfig(bytes.NewReader(content))
	c.that(err == nil, "logo", "is neither PNG nor JPEG")
	c.that(max(picture.Width, picture.Height) <= MaxLogoPixels, "logo", fmt.Sprintf("is larger than %d by %d pixels", MaxLogoPixels, MaxLogoPixels))
	if c.err == nil { // after its size is known: a small file may be a huge picture
		_, _, err = image.Decode(bytes.NewReader(content))
		c.that(err == nil, "logo", "is cut off or broken")
	}
	if c.err != nil {
		return b, c.err
	}
	hash := sha256.Sum256(content)
	l := postgres.Logo{Hash: hex.EncodeToString(hash[:]), ContentType: "image/" + kind, Content: content}
	err = s.ownBrand(ctx, tenantID, func(tx *postgres.Tx, own postgres.Brand) error {
		own.Logo = l.Hash
		b = own
		if err := tx.AddLogo(ctx, tenantID, l, keptLogos); err != nil {
			return err
		}
		return tx.SaveBrand(ctx, own)
	})
	return b, err
}

// RemoveLogo takes the logo of a tenant's brand away.
func (s *Service) RemoveLogo(ctx context.Context, tenantID string) error {
	return s.ownBrand(ctx, tenantID, func(tx *postgres.Tx, own postgres.Brand) error {
		if own.Logo == "" {
			return missing("logo", "there is none")
		}
		own.Logo = ""
		return tx.SaveBrand(ctx, own)
	})
}

func (s *Service) ownBrand(ctx context.Context, tenantID string, fn func(*postgres.Tx, postgres.Brand) error) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		b, err := tx.BrandOver(ctx, tenantID)
		if err == nil && b.Tenant != tenantID {
			err = postgres.ErrNotFound
		}
		if err != nil {
			return found("brand", err)
		}
		return fn(tx, b)
	})
}

// LogoOf reads the logo of a brand.
func (s *Service) LogoOf(ctx context.Context, b postgres.Brand) (l postgres.Logo, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		l, err = tx.LogoOf(ctx, b)
		if errors.Is(err, postgres.ErrNotFound) {
			return missing("logo", "the brand has none")
		}
		return err
	})
	return l, err
}

// TextOn is the colour, black or white, in which text on a colour is read best (WCAG 2.2, contrast ratio).
func TextOn(color string) string {
	const afterBlack, beforeWhite = 0.05, 1.05
	light := luminance(color)
	if (light+afterBlack)/afterBlack > beforeWhite/(light+afterBlack) {
		return "#000000"
	}
	return "#ffffff"
}

// luminance is the relative luminance of #rrggbb, 0 to 1.
func luminance(color string) float64 {
	rgb, err := strconv.ParseUint(color[1:], 16, 24)
	if err != nil {
		return 0 // it has been checked
	}
	linear := func(c uint64) float64 {
		v := float64(c&0xff) / 0xff
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(rgb>>16) + 0.7152*linear(rgb>>8) + 0.0722*linear(rgb)
}
