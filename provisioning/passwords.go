package provisioning

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Bounds of a person's password: NIST SP 800-63B asks for 8 characters at least, and for no rules about which.
const (
	MinPassword = 10
	MaxPassword = 256
)

func (c *checks) password(field, value string) {
	c.that(utf8.ValidString(value) && utf8.RuneCountInString(value) >= MinPassword && len(value) <= MaxPassword, field,
		fmt.Sprintf("is not %d characters to %d bytes long", MinPassword, MaxPassword))
}

// HashPassword gives the argon2id hash of a password, with the parameters of HashPIN.
func HashPassword(password string) string {
	salt := make([]byte, pinSaltBytes)
	rand.Read(salt) // never fails
	return encodePIN(salt, argon2.IDKey([]byte(password), salt, pinTime, pinMemoryKiB, 1, pinKeyBytes))
}

// VerifyPassword says whether a password is the one of a hash. It takes as long for a hash of nothing: who asks does not learn whether
// there is one.
func VerifyPassword(hash, password string) bool {
	if len(password) > MaxPassword {
		return false
	}
	parts := strings.Split(hash, "$")
	salt := make([]byte, pinSaltBytes)
	if len(parts) == 6 {
		if kept, err := base64.RawStdEncoding.DecodeString(parts[4]); err == nil && len(kept) == pinSaltBytes {
			salt = kept
		}
	}
	again := encodePIN(salt, argon2.IDKey([]byte(password), salt, pinTime, pinMemoryKiB, 1, pinKeyBytes))
	return subtle.ConstantTimeCompare([]byte(again), []byte(hash)) == 1
}
