package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// EdgeRole is the role as which edges log in. It may read the view edge.credentials and nothing else.
const EdgeRole = "tandem_edge"

const (
	scramIterations = 4096 // PostgreSQL's own choice
	scramSalt       = 16   // bytes
)

// SetEdgePassword sets the password of EdgeRole. The server is given the verifier alone, so that the password is in
// none of its logs. Only printable ASCII is taken: SASLprep (RFC 4013) leaves that as it is.
func (s *Store) SetEdgePassword(ctx context.Context, password string) error {
	if password == "" {
		return errors.New("postgres: the edge's password is empty")
	}
	for _, r := range password {
		if r < ' ' || r > '~' {
			return errors.New("postgres: the edge's password has a character that is not printable ASCII")
		}
	}
	verifier, err := scramVerifier(password)
	if err != nil {
		return fmt.Errorf("postgres: set the edge's password: %w", err)
	}
	// ALTER ROLE takes no parameters. The verifier is digits, base64 and "$:" alone, so it needs no quoting.
	if _, err := s.pool.Exec(ctx, "ALTER ROLE "+EdgeRole+" PASSWORD '"+verifier+"'"); err != nil {
		return fmt.Errorf("postgres: set the edge's password: %w", err)
	}
	return nil
}

// scramVerifier is what PostgreSQL keeps of a password: RFC 5802 section 3 with SHA-256 (RFC 7677), written as in
// src/common/scram-common.c.
func scramVerifier(password string) (string, error) {
	salt := make([]byte, scramSalt)
	_, _ = rand.Read(salt) // never fails, crypto/rand
	salted, err := pbkdf2.Key(sha256.New, password, salt, scramIterations, sha256.Size)
	if err != nil {
		return "", err
	}
	stored := sha256.Sum256(keyed(salted, "Client Key"))
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", scramIterations, b64(salt), b64(stored[:]),
		b64(keyed(salted, "Server Key"))), nil
}

func keyed(key []byte, message string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	return mac.Sum(nil)
}
