package callflows

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// legID gives the channel uuid of the leg that command n dials as its k-th target. It is a function of the call alone, so
// that a worker that repeats a step names the same leg. The first eight digits are those of the caller's leg: all legs of
// a call fall into one shard of the event socket. The rest is hashed from the caller's leg, whose uuid is random.
func legID(call Call, n, k int) string {
	h := sha256.New()
	h.Write([]byte(call.Leg))
	h.Write([]byte(call.ID))
	var numbers [8]byte
	binary.BigEndian.PutUint32(numbers[:4], uint32(n))
	binary.BigEndian.PutUint32(numbers[4:], uint32(k))
	h.Write(numbers[:])
	sum := h.Sum(nil)
	sum[2] = sum[2]&0x0f | 0x80 // version 8, RFC 9562 5.8
	sum[4] = sum[4]&0x3f | 0x80 // variant
	text := hex.EncodeToString(sum[:12])
	shard := "00000000"
	if len(call.Leg) >= len(shard) {
		shard = call.Leg[:len(shard)]
	}
	return shard + "-" + text[0:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:24]
}

// OrderedLeg gives the channel uuid of the first leg of a call that is ordered. It is a function of the call's id alone, so that an
// order that comes twice names the same leg.
func OrderedLeg(id string) string {
	sum := sha256.Sum256([]byte("ordered leg of " + id))
	return legID(Call{ID: id, Leg: hex.EncodeToString(sum[:])}, 0, 0)
}
