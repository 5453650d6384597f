package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// text is one text for all things that are written the same.
func text(thing any) string {
	b, _ := json.Marshal(thing) // nothing of a document fails
	return string(b)
}

// tagBytes is how much of a hash is a tag: as much as nobody meets twice by chance.
const tagBytes = 16

// Tag gives a short text that is another for another document. with is what else it depends on.
func (d Document) Tag(with ...string) string {
	h := sha256.New()
	for _, part := range append([]string{text(d.Normal())}, with...) {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:tagBytes])
}
