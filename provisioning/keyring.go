package provisioning

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Keyring seals what must be had again in clear, such as the passwords of phones, with keys that only the workers have. The first key
// seals, all open: so a key is changed by putting a new one before it.
type Keyring struct{ keys []sealingKey }

type sealingKey struct {
	id   [keyIDBytes]byte
	aead cipher.AEAD
}

// The form of what is sealed: version, key's id, nonce, and AES-256-GCM's output (NIST SP 800-38D), bound to what it is for.
const (
	sealVersion = 1
	keyIDBytes  = 4
	keyBytes    = 32
	maxKeys     = 8
)

// ErrSealed says that something was sealed with a key that is not in the ring, or for something else.
var ErrSealed = errors.New("provisioning: it cannot be opened with the keys that are here")

// ParseKeyring reads keys as TANDEM_SECRET_KEY has them: 32 bytes in base64 each, divided by commas, the newest first. No key at all
// gives nil.
func ParseKeyring(text string) (*Keyring, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	parts := strings.Split(text, ",")
	if len(parts) > maxKeys {
		return nil, fmt.Errorf("provisioning: more than %d keys", maxKeys)
	}
	ring := &Keyring{}
	for i, part := range parts {
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(part))
		if err != nil || len(key) != keyBytes { // the error would hold a part of the key
			return nil, fmt.Errorf("provisioning: key %d is not %d bytes in base64, such as `openssl rand -base64 %d` gives", i+1, keyBytes, keyBytes)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("provisioning: key %d: %w", i+1, err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("provisioning: key %d: %w", i+1, err)
		}
		sum := sha256.Sum256(append([]byte("tandem key id\x00"), key...))
		ring.keys = append(ring.keys, sealingKey{[keyIDBytes]byte(sum[:keyIDBytes]), aead})
	}
	return ring, nil
}

// Seal seals a text. of says what it is for, and must be said again when it is opened.
func (r *Keyring) Seal(text string, of ...string) []byte {
	key := r.keys[0]
	sealed := append([]byte{sealVersion}, key.id[:]...)
	nonce := make([]byte, key.aead.NonceSize())
	_, _ = rand.Read(nonce) // it never fails
	return key.aead.Seal(append(sealed, nonce...), nonce, []byte(text), boundTo(of))
}

// Open gives the text back, or ErrSealed.
func (r *Keyring) Open(sealed []byte, of ...string) (string, error) {
	if len(sealed) < 1+keyIDBytes || sealed[0] != sealVersion {
		return "", ErrSealed
	}
	id, rest := [keyIDBytes]byte(sealed[1:1+keyIDBytes]), sealed[1+keyIDBytes:]
	for _, key := range r.keys {
		if key.id != id || len(rest) < key.aead.NonceSize() {
			continue
		}
		if text, err := key.aead.Open(nil, rest[:key.aead.NonceSize()], rest[key.aead.NonceSize():], boundTo(of)); err == nil {
			return string(text), nil
		}
	}
	return "", ErrSealed
}

// Current says whether something is sealed with the key that seals now.
func (r *Keyring) Current(sealed []byte) bool {
	return len(sealed) > keyIDBytes && [keyIDBytes]byte(sealed[1:1+keyIDBytes]) == r.keys[0].id
}

// boundTo joins parts so that no two lists give the same.
func boundTo(of []string) []byte {
	var b []byte
	for _, part := range of {
		b = fmt.Appendf(b, "%d:%s,", len(part), part)
	}
	return b
}
