package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// templateName is the database that Migrate prepares and NewDatabase copies.
// Nobody stays connected to it: PostgreSQL refuses to copy one in use.
const templateName = "tandem_template"

const (
	// objectInUse is the SQLSTATE of copying a database that has sessions.
	objectInUse    = "55006"
	copyTries      = 40
	copyPause      = 50 * time.Millisecond
	commandWithin  = 30 * time.Second
	longestSlug    = 40 // of at most 63 bytes that PostgreSQL lets a name have
	randomCharters = 8
)

// commandContext bounds one administrative command.
func commandContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), commandWithin)
}

// Migrate runs the migrations once, on a template, and makes the database
// tandem a copy of it. Databases from NewDatabase are copies from then on.
// What the database tandem held before is lost: this is for tests. The demo,
// whose data persists, runs its migrations on PostgresURL instead.
func (s *Stack) Migrate(ctx context.Context, migrations func(ctx context.Context, postgresURL string) error) error {
	if err := s.administer(ctx, `CREATE DATABASE `+templateName); err != nil {
		return fmt.Errorf("create the template database: %w", err)
	}
	if err := migrations(ctx, s.settings.postgresURL(templateName)); err != nil {
		return fmt.Errorf("migrate the template database: %w", err)
	}
	if err := s.administer(ctx, `DROP DATABASE IF EXISTS `+databaseName+` WITH (FORCE)`); err != nil {
		return fmt.Errorf("replace the database: %w", err)
	}
	return s.copyTemplate(ctx, databaseName, templateName)
}

// NewDatabase makes a database of its own for a test, a copy of the migrated
// template or, without one, empty. The name is only a hint in the real one.
func (s *Stack) NewDatabase(ctx context.Context, name string) (postgresURL string, err error) {
	name = unique(name, "_")
	err = s.copyTemplate(ctx, name, templateName)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "3D000" { // there is no template
		err = s.copyTemplate(ctx, name, "template1")
	}
	if err != nil {
		return "", fmt.Errorf("make a database: %w", err)
	}
	return s.settings.postgresURL(name), nil
}

// DropDatabase removes a database of NewDatabase, cutting its sessions.
func (s *Stack) DropDatabase(ctx context.Context, postgresURL string) error {
	parsed, err := url.Parse(postgresURL)
	if err != nil {
		return fmt.Errorf("drop a database: %w", err)
	}
	name := pgx.Identifier{strings.TrimPrefix(parsed.Path, "/")}
	if err := s.administer(ctx, `DROP DATABASE IF EXISTS `+name.Sanitize()+` WITH (FORCE)`); err != nil {
		return fmt.Errorf("drop a database: %w", err)
	}
	return nil
}

func (s *Stack) copyTemplate(ctx context.Context, name, template string) error {
	for try := 1; ; try++ {
		err := s.administer(ctx, `CREATE DATABASE `+pgx.Identifier{name}.Sanitize()+` TEMPLATE `+template)
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != objectInUse || try == copyTries {
			return err
		}
		select {
		case <-time.After(copyPause): // autovacuum looks in for moments
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// administer runs one statement in the maintenance database.
func (s *Stack) administer(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.settings.postgresURL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}

// unique makes a name of [a-z0-9] and the separator from a hint such as a
// test's name, never the same twice.
func unique(hint, separator string) string {
	slug := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(hint))
	if len(slug) > longestSlug {
		slug = slug[:longestSlug]
	}
	return strings.ReplaceAll("t_"+slug, "_", separator) + separator + strings.ToLower(rand.Text()[:randomCharters])
}
