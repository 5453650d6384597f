package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Person may sign in.
type Person struct {
	ID         string     `json:"id" db:"id"`
	Tenant     string     `json:"tenant,omitempty" db:"tenant_id"` // empty: the platform's
	User       string     `json:"user,omitempty" db:"user_id"`     // of the tenant's users, for the role user
	Email      string     `json:"email" db:"email"`
	Name       string     `json:"name" db:"name"`
	Role       string     `json:"role" db:"role"`
	TOTP       bool       `json:"totp" db:"totp_on"` // signs in with a code besides the password
	Disabled   bool       `json:"disabled" db:"disabled"`
	LockedTill *time.Time `json:"locked_until,omitempty" db:"locked_until"`
	CreatedAt  time.Time  `json:"created_at" db:"created_at"`
}

const personColumns = `id, coalesce(tenant_id, '') AS tenant_id, coalesce(user_id, '') AS user_id, email, name, role, totp_on, disabled, locked_until, created_at`

// People are what a list of people is made of.
func People() Listing[Person] {
	return Listing[Person]{Columns: personColumns, From: `people`, Key: "id", Fields: map[string]Field{"id": {Column: "id"}, "email": {Column: "email"}, "name": {Column: "name"},
		"tenant": {Column: "coalesce(tenant_id, '')", FilterOnly: true}, "role": {Column: "role", FilterOnly: true}, "created_at": {Column: "created_at", Type: "timestamptz"}}}
}

// InsertPerson adds a person. passwordHash is argon2id's, or empty: he cannot sign in yet.
func (t *Tx) InsertPerson(ctx context.Context, p Person, passwordHash string) error {
	return t.exec(ctx, "insert person", `
		INSERT INTO people (id, tenant_id, user_id, email, name, role, password_hash, disabled)
		VALUES (@id, @tenant_id, @user_id, @email, @name, @role, @hash, @disabled)`,
		pgx.StrictNamedArgs{"id": p.ID, "tenant_id": orNull(p.Tenant), "user_id": orNull(p.User), "email": p.Email, "name": p.Name, "role": p.Role,
			"hash": orNull(passwordHash), "disabled": p.Disabled})
}

// Person reads one. ErrNotFound when there is none within the scope.
func (t *Tx) Person(ctx context.Context, id string) (Person, error) {
	rows, err := t.tx.Query(ctx, `SELECT `+personColumns+` FROM people WHERE id = @id`, pgx.StrictNamedArgs{"id": id})
	if err != nil {
		return Person{}, wrapped(err, "postgres: person")
	}
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Person])
	if err != nil {
		return p, notFound("person", err)
	}
	return p, nil
}

// UpdatePerson changes what may change of a person: name, e-mail, role, user and whether he is disabled.
func (t *Tx) UpdatePerson(ctx context.Context, p Person) error {
	return t.exec(ctx, "update person", `
		UPDATE people SET email = @email, name = @name, role = @role, user_id = @user_id, disabled = @disabled WHERE id = @id`,
		pgx.StrictNamedArgs{"id": p.ID, "email": p.Email, "name": p.Name, "role": p.Role, "user_id": orNull(p.User), "disabled": p.Disabled})
}

// DeletePerson removes a person, with all his sessions.
func (t *Tx) DeletePerson(ctx context.Context, id string) error {
	return t.exec(ctx, "delete person", `DELETE FROM people WHERE id = @id`, pgx.StrictNamedArgs{"id": id})
}

// SetPassword sets a person's password, and forgets wrong tries.
func (t *Tx) SetPassword(ctx context.Context, id, hash string) error {
	return t.exec(ctx, "set password", `UPDATE people SET password_hash = @hash, failed = 0, locked_until = NULL WHERE id = @id`,
		pgx.StrictNamedArgs{"id": id, "hash": hash})
}

// SetTOTP keeps a person's secret of RFC 6238; on says whether it is asked for.
func (t *Tx) SetTOTP(ctx context.Context, id, secret string, on bool) error {
	return t.exec(ctx, "set totp", `UPDATE people SET totp_secret = @secret, totp_on = @on, totp_step = 0 WHERE id = @id`,
		pgx.StrictNamedArgs{"id": id, "secret": orNull(secret), "on": on})
}

// Login is what signing in needs to know of a person.
type Login struct {
	Person
	PasswordHash string
	TOTPSecret   string
	TOTPStep     int64
	Locked       bool
}

const loginColumns = `SELECT id, coalesce(tenant_id, ''), role, coalesce(password_hash, ''), coalesce(totp_secret, ''), totp_on, totp_step,
		       coalesce(locked_until > now(), false), disabled FROM people`

// LoginOf locks a person, by e-mail or id, for the time of a transaction. ErrNotFound when there is none.
func (t *Tx) LoginOf(ctx context.Context, email, id string) (Login, error) {
	var l Login
	err := t.tx.QueryRow(ctx, loginColumns+` WHERE email = @email OR id = @id FOR UPDATE`, pgx.StrictNamedArgs{"email": email, "id": id}).
		Scan(&l.ID, &l.Tenant, &l.Role, &l.PasswordHash, &l.TOTPSecret, &l.TOTP, &l.TOTPStep, &l.Locked, &l.Disabled)
	if err != nil {
		return l, notFound("login", err)
	}
	return l, nil
}

// Bounds of signing in.
const (
	MaxLoginFailures = 10               // wrong tries in a row, after which a person is locked
	LoginLock        = 15 * time.Minute // how long
)

// NoteLogin notes whether somebody's try to sign in was right. step is the time step of the code that he gave.
func (t *Tx) NoteLogin(ctx context.Context, id string, right bool, step int64) error {
	return t.exec(ctx, "note login", `
		UPDATE people SET failed = CASE WHEN @right OR failed + 1 >= @most THEN 0 ELSE failed + 1 END,
		       locked_until = CASE WHEN @right THEN NULL WHEN failed + 1 >= @most THEN now() + make_interval(secs => @lock) ELSE locked_until END,
		       totp_step = greatest(totp_step, @step)
		 WHERE id = @id`,
		pgx.StrictNamedArgs{"id": id, "right": right, "step": step, "most": MaxLoginFailures, "lock": LoginLock.Seconds()})
}

// InsertSession opens a session, of whose token hash is the SHA-256, and removes those that are over.
func (t *Tx) InsertSession(ctx context.Context, hash []byte, person, actingAs, address string, expires time.Time) error {
	return t.exec(ctx, "insert session", `
		WITH over AS (DELETE FROM sessions WHERE expires_at < now())
		INSERT INTO sessions (hash, person_id, acting_as, address, expires_at) VALUES (@hash, @person, @acting_as, @address, @expires)`,
		pgx.StrictNamedArgs{"hash": hash, "person": person, "acting_as": orNull(actingAs), "address": text(address), "expires": expires})
}

// DeleteSession ends one session, by its token's hash.
func (t *Tx) DeleteSession(ctx context.Context, hash []byte) error {
	return t.exec(ctx, "delete session", `DELETE FROM sessions WHERE hash = @hash`, pgx.StrictNamedArgs{"hash": hash})
}

// DeleteSessions ends all of a person's.
func (t *Tx) DeleteSessions(ctx context.Context, person string) error {
	return t.exec(ctx, "delete sessions", `DELETE FROM sessions WHERE person_id = @person`, pgx.StrictNamedArgs{"person": person})
}
