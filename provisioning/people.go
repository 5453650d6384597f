package provisioning

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"tandem/postgres"
)

var emailForm = regexp.MustCompile(`^[^@\s]{1,64}@[a-z0-9.-]{1,189}$`)

// Bounds of signing in.
const (
	SessionLasts = 12 * time.Hour
	totpPeriod   = 30 // seconds, RFC 6238 5.2
	totpSkew     = 1  // periods that a clock may be off
	MaxKeyLasts  = 5 * 366 * 24 * time.Hour
)

// NewPerson asks for somebody who may sign in.
type NewPerson struct {
	postgres.Person
	Password string // empty: he cannot sign in until one is set
}

func checkPerson(c *checks, p postgres.Person) {
	c.id("id", p.ID)
	c.name("name", p.Name)
	c.form(emailForm, "email", p.Email, "is not an e-mail address in lower case")
	platforms := p.Role == "platform_admin" || p.Role == "support"
	c.that(platforms == (p.Tenant == ""), "role", "does not fit: platform_admin and support belong to the platform, the other roles to a tenant")
	c.that((p.Role == "user") == (p.User != ""), "user", "is named for the role user, and for no other")
}

// AddPerson lets somebody sign in.
func (s *Service) AddPerson(ctx context.Context, n NewPerson) (postgres.Person, error) {
	n.ID, n.Email = cmp.Or(n.ID, uuid.NewString()), strings.ToLower(n.Email)
	var c checks
	checkPerson(&c, n.Person)
	hash := ""
	if n.Password != "" {
		c.password("password", n.Password)
		hash = HashPassword(n.Password)
	}
	if c.err != nil {
		return n.Person, c.err
	}
	err := s.platform(ctx, func(tx *postgres.Tx) (err error) {
		if err := tx.InsertPerson(ctx, n.Person, hash); err != nil {
			return err
		}
		n.Person, err = tx.Person(ctx, n.ID)
		return err
	})
	return n.Person, err
}

// PersonByID reads one of a tenant's people, or of the platform's.
func (s *Service) PersonByID(ctx context.Context, tenantID, id string) (p postgres.Person, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		p, err = personOf(ctx, tx, tenantID, id)
		return err
	})
	return p, err
}

func personOf(ctx context.Context, tx *postgres.Tx, tenantID, id string) (postgres.Person, error) {
	p, err := tx.Person(ctx, id)
	if errors.Is(err, postgres.ErrNotFound) || err == nil && p.Tenant != tenantID {
		return p, missing("person", "there is no such person")
	}
	return p, err
}

// ChangePerson changes a person by edit, and ends his sessions when he may less than before. match judges him as he is.
func (s *Service) ChangePerson(ctx context.Context, tenantID, id string, match func(postgres.Person) bool, edit func(*postgres.Person)) (p postgres.Person, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		was, err := personOf(ctx, tx, tenantID, id)
		if err != nil {
			return err
		}
		if !match(was) {
			return stale("person")
		}
		p = was
		edit(&p)
		p.ID, p.Tenant, p.Email = was.ID, was.Tenant, strings.ToLower(p.Email)
		var c checks
		checkPerson(&c, p)
		if c.err != nil {
			return c.err
		}
		if err := tx.UpdatePerson(ctx, p); err != nil {
			return err
		}
		return nil
	})
	return p, err
}

// RemovePerson removes a person with all his sessions.
func (s *Service) RemovePerson(ctx context.Context, tenantID, id string) error {
	return s.platform(ctx, func(tx *postgres.Tx) error {
		if _, err := personOf(ctx, tx, tenantID, id); err != nil {
			return err
		}
		return tx.DeletePerson(ctx, id)
	})
}

// SetPersonPassword gives a person a password; whoever knew the old one is signed out.
func (s *Service) SetPersonPassword(ctx context.Context, tenantID, id, password string) error {
	var c checks
	c.password("password", password)
	if c.err != nil {
		return c.err
	}
	return s.platform(ctx, func(tx *postgres.Tx) error {
		if _, err := personOf(ctx, tx, tenantID, id); err != nil {
			return err
		}
		return tx.SetPassword(ctx, id, HashPassword(password))
	})
}

// stale is the refusal of a change that was made of what has changed since.
func stale(field string) error {
	return &Error{Code: Stale, Field: field, Detail: "has been changed meanwhile: read it again"}
}

// SignIn is what somebody signs in with.
type SignIn struct {
	Email    string
	Password string
	Code     string // of his second factor, if he has one
	Address  string
	Hash     []byte // SHA-256 of the session's token
}

// ErrSignIn says that somebody could not be signed in. It does not say why: who guesses learns nothing.
var ErrSignIn = errors.New("provisioning: wrong e-mail, password or code")

// ErrCodeNeeded says that the password was right, and a code is needed too.
var ErrCodeNeeded = errors.New("provisioning: a code is needed")

// ErrLocked says that somebody has tried too often.
var ErrLocked = errors.New("provisioning: too many wrong tries")

// Open opens a session for whoever knows his password, and his code if he has a second factor. s.Store must be the owner's.
func (s *Service) Open(ctx context.Context, in SignIn) (person string, expires time.Time, err error) {
	now := time.Now()
	expires = now.Add(SessionLasts)
	var outcome error
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		l, err := tx.LoginOf(ctx, strings.ToLower(in.Email), "")
		if errors.Is(err, postgres.ErrNotFound) {
			VerifyPassword("", in.Password) // takes as long
			outcome = ErrSignIn
			return nil
		}
		if err != nil {
			return err
		}
		if l.Locked {
			outcome = ErrLocked
			return nil
		}
		right := VerifyPassword(l.PasswordHash, in.Password) && !l.Disabled
		step := l.TOTPStep
		switch {
		case !right:
			outcome = ErrSignIn
		case l.TOTP && in.Code == "":
			outcome = ErrCodeNeeded
			return nil
		case l.TOTP:
			if step, right = checkCode(l.TOTPSecret, in.Code, l.TOTPStep, now); !right {
				outcome = ErrSignIn
			}
		}
		if err := tx.NoteLogin(ctx, l.ID, right, step); err != nil || !right {
			return err
		}
		person = l.ID
		return tx.InsertSession(ctx, in.Hash, l.ID, "", in.Address, expires)
	})
	return person, expires, cmp.Or(err, outcome)
}

// checkCode says whether a code is right for a step that was not used yet, and which.
func checkCode(secret, code string, used int64, now time.Time) (step int64, right bool) {
	for skew := -totpSkew; skew <= totpSkew; skew++ {
		at := now.Add(time.Duration(skew*totpPeriod) * time.Second)
		step := at.Unix() / totpPeriod
		ok, err := totp.ValidateCustom(code, secret, at, totp.ValidateOpts{Period: totpPeriod, Skew: 0, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && ok && step > used {
			return step, true
		}
	}
	return used, false
}

// ActAs opens a session for a person within another tenant, which must be his own or below it.
func (s *Service) ActAs(ctx context.Context, person, tenant, address string, hash []byte) (expires time.Time, err error) {
	expires = time.Now().Add(SessionLasts)
	return expires, s.platform(ctx, func(tx *postgres.Tx) error {
		return tx.InsertSession(ctx, hash, person, tenant, address, expires)
	})
}

// Close ends a session.
func (s *Service) Close(ctx context.Context, hash []byte) error {
	return s.platform(ctx, func(tx *postgres.Tx) error { return tx.DeleteSession(ctx, hash) })
}

// BeginTOTP makes a person's secret for a second factor, which counts once a code of it was given (ConfirmTOTP).
func (s *Service) BeginTOTP(ctx context.Context, person, issuer string) (secret, uri string, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		l, err := tx.LoginOf(ctx, "", person)
		if err != nil {
			return err
		}
		if l.TOTP {
			return conflict("totp", "is on already: turn it off first")
		}
		key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: person, Period: totpPeriod})
		if err != nil {
			return err
		}
		secret, uri = key.Secret(), key.URL()
		return tx.SetTOTP(ctx, person, secret, false)
	})
	return secret, uri, err
}

// ConfirmTOTP turns a person's second factor on, or with on false off; a code of it is needed for either.
func (s *Service) ConfirmTOTP(ctx context.Context, person, code string, on bool) error {
	return s.platform(ctx, func(tx *postgres.Tx) error {
		l, err := tx.LoginOf(ctx, "", person)
		if err != nil {
			return err
		}
		if l.TOTPSecret == "" {
			return conflict("totp", "is not set up")
		}
		step, right := checkCode(l.TOTPSecret, code, l.TOTPStep, time.Now())
		if !right {
			return invalid("code", "is wrong, or was used")
		}
		secret := l.TOTPSecret
		if !on {
			secret = ""
		}
		if err := tx.SetTOTP(ctx, person, secret, on); err != nil {
			return err
		}
		return tx.NoteLogin(ctx, person, true, step)
	})
}

// HasPassword says whether a password is a person's. Wrong tries count as those of signing in do.
func (s *Service) HasPassword(ctx context.Context, person, password string) (right bool, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		l, err := tx.LoginOf(ctx, "", person)
		if err != nil {
			return err
		}
		right = !l.Locked && VerifyPassword(l.PasswordHash, password)
		return tx.NoteLogin(ctx, person, right, l.TOTPStep)
	})
	return right, err
}
