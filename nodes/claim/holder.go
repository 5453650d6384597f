package claim

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Seed is what tandem_owner and tandem_standby have to hold when a node starts: a variable that is not set cannot be
// swapped. It is the text of Holder{}.
const Seed = "0@nobody@-"

// The longest parts of a claim, in bytes: with an epoch of 20 digits a claim has up to 126, and package esl carries 128.
const (
	maxWorkerBytes = 40
	maxLinkBytes   = 64
)

// maxEpoch is above what any series of takeovers reaches, and leaves room to count on.
const maxEpoch = 1 << 62

// What stands for a vacant place. No worker may have this name.
const (
	vacantWorker = "nobody"
	vacantLink   = "-"
)

// ErrUnreadable: what a node holds, or a worker would write, is no claim.
var ErrUnreadable = errors.New("claim: not of the form epoch@worker@link")

// Holder is a claim: who holds a place at a node. The zero value is the seed; a Holder without Worker is a vacant place and
// keeps the epoch of the last holder. Two claims are the same if they are equal by ==.
type Holder struct {
	Epoch  uint64 // grows with every claim on one place of one node
	Worker string // 1 to 40 of A-Z a-z 0-9 - _ . : but not "nobody"; "" when vacant
	Link   string // host:port where the holder listens for the other one, "[...]" around IPv6; "" when vacant
}

// Vacant says that nobody holds the place.
func (h Holder) Vacant() bool { return h.Worker == "" }

// By is the claim of a worker that replaces h: its epoch is above h's and above highest.
func (h Holder) By(worker, link string, highest uint64) Holder {
	return Holder{Epoch: max(h.Epoch, highest) + 1, Worker: worker, Link: link}
}

// String is the claim as a node holds it. One Holder has one text, because nodes compare bytes. The brackets around an
// IPv6 address are left out: they are nothing that a command may carry.
func (h Holder) String() string {
	worker, link := h.Worker, h.Link
	if h.Vacant() {
		worker, link = vacantWorker, vacantLink
	}
	return strconv.FormatUint(h.Epoch, 10) + "@" + worker + "@" + strings.NewReplacer("[", "", "]", "").Replace(link)
}

// Parse reads a claim. Whatever is not exactly what String writes is refused with ErrUnreadable.
func Parse(text string) (Holder, error) {
	parts := strings.Split(text, "@")
	if len(parts) != 3 {
		return Holder{}, fmt.Errorf("%w: %d parts", ErrUnreadable, len(parts))
	}
	epoch, err := strconv.ParseUint(parts[0], 10, 64)
	if err != nil {
		return Holder{}, fmt.Errorf("%w: epoch", ErrUnreadable)
	}
	h := Holder{Epoch: epoch}
	if parts[1] != vacantWorker {
		h.Worker, h.Link = parts[1], bracketed(parts[2])
		if h.Vacant() {
			return Holder{}, fmt.Errorf("%w: no worker", ErrUnreadable)
		}
	}
	if err := h.check(); err != nil {
		return Holder{}, err
	}
	if h.String() != text {
		return Holder{}, fmt.Errorf("%w: not as it would be written", ErrUnreadable)
	}
	return h, nil
}

// bracketed puts an IPv6 address between the brackets that the text has no room for.
func bracketed(link string) string {
	at := strings.LastIndexByte(link, ':')
	if at < 0 || strings.IndexByte(link, ':') == at {
		return link
	}
	return "[" + link[:at] + "]" + link[at:]
}

// check refuses a holder that has no text of its own.
func (h Holder) check() error {
	switch {
	case h.Epoch > maxEpoch:
		return fmt.Errorf("%w: epoch", ErrUnreadable)
	case h.Vacant() && h.Link == "":
		return nil
	case h.Worker == vacantWorker, len(h.Worker) > maxWorkerBytes, !isWord(h.Worker):
		return fmt.Errorf("%w: worker", ErrUnreadable)
	case len(h.Link) > maxLinkBytes, !isLink(h.Link):
		return fmt.Errorf("%w: link", ErrUnreadable)
	}
	return nil
}

// isWord accepts the characters that package esl carries in a global variable, without the one that separates.
func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && strings.IndexByte("-_.:", c) < 0 {
			return false
		}
	}
	return s != ""
}

// isLink accepts host:port where host is a name, an IPv4 or a bracketed IPv6 address without zone.
func isLink(link string) bool {
	host, port, err := net.SplitHostPort(link)
	if err != nil || net.JoinHostPort(host, port) != link || !isWord(host) {
		return false
	}
	if strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err != nil {
			return false
		}
	}
	number, err := strconv.ParseUint(port, 10, 16)
	return err == nil && number > 0 && strconv.FormatUint(number, 10) == port
}
