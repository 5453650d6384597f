package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Headers of a message (Standard Webhooks 1.0.0, webhook headers).
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// Bounds of secrets and signatures.
const (
	MinSecret    = 24 // bytes, 192 bits
	MaxSecret    = 64 // bytes, 512 bits
	SecretBytes  = 32 // of those that are made here
	MaxSecrets   = 4  // that sign at once; the oldest gives way
	OldSecretFor = 24 * time.Hour
	// Tolerance is how far a message's timestamp may be from the receiver's clock.
	Tolerance = 5 * time.Minute
)

const (
	secretPrefix    = "whsec_"
	signaturePrefix = "v1,"
)

// ErrSecret says that a text is no secret.
var ErrSecret = errors.New("webhooks: a secret is whsec_ and 24 to 64 bytes in base64")

// Secret writes random bytes as a secret: whsec_ and base64.
func Secret(random []byte) string { return secretPrefix + base64.StdEncoding.EncodeToString(random) }

// ParseSecret reads a secret.
func ParseSecret(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) < MinSecret || len(key) > MaxSecret {
		return nil, ErrSecret
	}
	return key, nil
}

// Sign gives the value of HeaderSignature: one signature for each secret, separated by spaces. Each is v1, and the base64 of
// HMAC-SHA256 over "id.timestamp.body", the timestamp in Unix seconds.
func Sign(secrets []string, id string, at time.Time, body []byte) (string, error) {
	if len(secrets) == 0 {
		return "", ErrSecret
	}
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		key, err := ParseSecret(secret)
		if err != nil {
			return "", err
		}
		signatures[i] = signaturePrefix + base64.StdEncoding.EncodeToString(sum(key, id, at, body))
	}
	return strings.Join(signatures, " "), nil
}

func sum(key []byte, id string, at time.Time, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// ErrSignature says that a message is not from who it claims, or too old.
var ErrSignature = errors.New("webhooks: the signature does not fit")

// Verify does a receiver's part: one of the signatures must fit the secret, and the timestamp must be within Tolerance of now.
func Verify(secret, id, timestamp, signatures string, body []byte, now time.Time) error {
	key, err := ParseSecret(secret)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" {
		return ErrSignature
	}
	at := time.Unix(seconds, 0)
	if now.Sub(at).Abs() > Tolerance {
		return ErrSignature
	}
	want := sum(key, id, at, body)
	for signature := range strings.SplitSeq(signatures, " ") {
		encoded, ok := strings.CutPrefix(signature, signaturePrefix)
		got, err := base64.StdEncoding.DecodeString(encoded)
		if ok && err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return ErrSignature
}

// Key is a secret that signs. One that was replaced signs until a moment.
type Key struct {
	Secret string     `json:"secret"`
	Until  *time.Time `json:"until,omitempty"`
}

// Rotate puts a new secret before the others. The one before it signs for OldSecretFor from now; those whose time is over go, and no
// more than MaxSecrets stay.
func Rotate(keys []Key, secret string, now time.Time) []Key {
	until := now.Add(OldSecretFor).UTC()
	next := []Key{{Secret: secret}}
	for _, k := range keys {
		if k.Until == nil {
			k.Until = &until
		}
		if k.Until.After(now) && len(next) < MaxSecrets {
			next = append(next, k)
		}
	}
	return next
}
