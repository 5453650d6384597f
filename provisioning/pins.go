package provisioning

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/crypto/argon2"

	"tandem/postgres"
	"tandem/tenants"
)

// A PIN has few digits, so its hash is slow, and a box locks after some wrong ones. Time and memory are the least that OWASP
// names for argon2id.
const (
	pinMemoryKiB = 19 * 1024
	pinTime      = 2
	pinKeyBytes  = 32
	pinSaltBytes = 16
)

var pinForm = regexp.MustCompile(`^[0-9]{4,10}$`)

// HashPIN gives the hash of a PIN, in the form of the argon2 reference implementation.
func HashPIN(pin string) string {
	salt := make([]byte, pinSaltBytes)
	rand.Read(salt) // never fails
	return encodePIN(salt, argon2.IDKey([]byte(pin), salt, pinTime, pinMemoryKiB, 1, pinKeyBytes))
}

func encodePIN(salt, key []byte) string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, pinMemoryKiB, pinTime, encode(salt), encode(key))
}

// VerifyPIN says whether a PIN is the one of a hash. A hash of other parameters is that of no PIN.
func VerifyPIN(hash, pin string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || !pinForm.MatchString(pin) {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil || len(salt) != pinSaltBytes {
		return false
	}
	again := encodePIN(salt, argon2.IDKey([]byte(pin), salt, pinTime, pinMemoryKiB, 1, pinKeyBytes))
	return subtle.ConstantTimeCompare([]byte(again), []byte(hash)) == 1
}

// SetPIN gives a user's voicemail box a PIN, and opens it again if wrong ones have locked it. PINs that are guessed first are
// refused.
func (s *Service) SetPIN(ctx context.Context, tenantID, user, pin string) error {
	var c checks
	c.form(pinForm, "pin", pin, "is not 4 to 10 digits")
	if c.err != nil {
		return c.err
	}
	if guessed(pin) {
		return &Error{Code: Invalid, Field: "pin", Detail: "is one that is guessed first: digits that are all the same, or follow each other"}
	}
	hash := HashPIN(pin)
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		users, err := tx.Users(ctx, tenantID)
		if err != nil {
			return err
		}
		for _, u := range users {
			if u.ID == user || u.Extension == user {
				return tx.SetPIN(ctx, tenantID, u.ID, hash)
			}
		}
		return missing("user", "there is no such user")
	})
}

// guessed says whether each digit differs from the one before by the same, as in 0000, 1234 and 9876.
func guessed(pin string) bool {
	for i := 2; i < len(pin); i++ {
		if pin[i]-pin[i-1] != pin[1]-pin[0] {
			return false
		}
	}
	step := int(pin[1]) - int(pin[0])
	return step >= -1 && step <= 1
}
