package link

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// The handshake, before anything else. Each side proves that it holds the secret by an HMAC over what both said,
// challenges included, so a recorded proof is worth nothing. The labels differ, so a proof is worth nothing when it is
// sent back. The standby proves first: a stranger gets nothing to guess the secret by.
//
//	standby → owner   hello      protocol, epoch (8), its challenge (32), node, worker
//	owner → standby   challenge  the owner's challenge (32)
//	standby → owner   proof      HMAC(secret, "standby", hello, challenge)
//	owner → standby   welcome    status (1), epoch (8), worker, HMAC(secret, "owner", hello, challenge, the welcome before it)
//
// A name is its length (1) and its bytes.
const (
	protocol      = "tandem-link/1"
	challengeSize = 32

	labelStandby = protocol + " standby"
	labelOwner   = protocol + " owner"
)

// What a welcome says.
const (
	statusAccepted byte = 1 + iota
	statusNotOwned
	statusOtherEpoch
	statusBusy
)

// hello is what a standby asks for.
type hello struct {
	epoch     uint64
	challenge [challengeSize]byte
	node      string
	worker    string
}

func newHello(node, worker string, epoch uint64) hello {
	return hello{epoch: epoch, challenge: newChallenge(), node: node, worker: worker}
}

func newChallenge() (c [challengeSize]byte) {
	_, _ = rand.Read(c[:]) // it never fails: crypto/rand ends the program instead
	return c
}

func (h hello) body() []byte {
	b := append([]byte(protocol), binary.BigEndian.AppendUint64(nil, h.epoch)...)
	b = append(b, h.challenge[:]...)
	return appendName(appendName(b, h.node), h.worker)
}

func readHello(body []byte) (h hello, err error) {
	if len(body) < len(protocol)+8+challengeSize || string(body[:len(protocol)]) != protocol {
		return hello{}, fmt.Errorf("%w: not a hello of %s", ErrMalformed, protocol)
	}
	rest := body[len(protocol):]
	h.epoch = binary.BigEndian.Uint64(rest)
	rest = rest[8+copy(h.challenge[:], rest[8:]):]
	if h.node, rest, err = readName(rest); err != nil {
		return hello{}, err
	}
	if h.worker, rest, err = readName(rest); err != nil {
		return hello{}, err
	}
	if len(rest) > 0 {
		return hello{}, fmt.Errorf("%w: a hello that goes on", ErrMalformed)
	}
	return h, nil
}

// welcome is the owner's answer to a standby that has proved itself.
type welcome struct {
	status byte
	epoch  uint64 // the owner's; 0 when it does not own the node
	worker string
}

func (w welcome) body() []byte {
	return appendName(binary.BigEndian.AppendUint64([]byte{w.status}, w.epoch), w.worker)
}

// readWelcome gives the welcome and the proof behind it.
func readWelcome(body []byte) (w welcome, proof []byte, err error) {
	if len(body) < 1+8 {
		return welcome{}, nil, fmt.Errorf("%w: a short welcome", ErrMalformed)
	}
	w.status, w.epoch = body[0], binary.BigEndian.Uint64(body[1:])
	if w.worker, proof, err = readName(body[9:]); err != nil {
		return welcome{}, nil, err
	}
	return w, proof, nil
}

func appendName(to []byte, name string) []byte { return append(append(to, byte(len(name))), name...) }

func readName(from []byte) (name string, rest []byte, err error) {
	if len(from) < 1 || from[0] == 0 || int(from[0]) > len(from)-1 {
		return "", nil, fmt.Errorf("%w: a name that is not there", ErrMalformed)
	}
	end := 1 + int(from[0])
	return string(from[1:end]), from[end:], nil
}

// prove gives the HMAC over a label and the parts. Each is preceded by its length: no two sets of parts look alike.
func prove(secret []byte, label string, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, secret)
	var length [4]byte
	for _, part := range append([][]byte{[]byte(label)}, parts...) {
		binary.BigEndian.PutUint32(length[:], uint32(len(part)))
		mac.Write(length[:])
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// expect reads one frame of a handshake, which must be of the kind.
func expect(from *frames, kind byte) ([]byte, error) {
	got, body, _, err := from.next()
	if err != nil {
		return nil, err
	}
	if got != kind {
		return nil, fmt.Errorf("%w: a frame of kind %d in the handshake", ErrMalformed, got)
	}
	return append([]byte(nil), body...), nil
}

func handshakeFrames(conn interface{ Read([]byte) (int, error) }) *frames {
	return &frames{source: conn, limit: limitHandshake, buffer: make([]byte, handshakeBuffer)}
}

func validName(name string) bool { return name != "" && len(name) <= MaxName }
