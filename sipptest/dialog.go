package sipptest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// CheckDialog says whether what a phone received belongs to one dialog as RFC 3261 12.2 and RFC 3264 8 want it, whoever sent it: the
// tags stay as they were agreed, each request's CSeq is above that of the one before, and the origin of each description is the same
// but for its version, which rises by one if anything in it has changed. messages is the text of Running.Messages, for a call that was
// answered.
func CheckDialog(messages string) error {
	d := &dialogSeen{}
	for _, m := range messagesOf(messages) {
		if m.received {
			if err := d.take(m); err != nil {
				return fmt.Errorf("%w:\n%s", err, m.text)
			}
		}
	}
	return nil
}

// Requests counts the requests of a method that a phone received.
func Requests(messages, method string) int {
	n, last := 0, ""
	for _, m := range messagesOf(messages) {
		if m.received && strings.HasPrefix(m.text, method+" ") && m.header("CSeq") != last {
			n++
			last = m.header("CSeq")
		}
	}
	return n
}

// TakenOver is when a phone has answered the first INVITE within its dialog that it received; false when there was none.
func TakenOver(messages string) (at time.Time, ok bool) {
	asked := ""
	for _, m := range messagesOf(messages) {
		switch {
		case m.received && strings.HasPrefix(m.text, "INVITE ") && m.tag("To") != "":
			asked = m.header("CSeq")
		case !m.received && asked != "" && strings.HasPrefix(m.text, "SIP/2.0 2") && m.header("CSeq") == asked:
			return m.at, !m.at.IsZero()
		}
	}
	return time.Time{}, false
}

type seenMessage struct {
	received bool
	text     string
	at       time.Time
}

// messagesOf takes SIPp's log of messages apart.
func messagesOf(log string) (all []seenMessage) {
	const mark = "-----------------------------------------------"
	for _, part := range strings.Split(log, mark) {
		_, text, found := strings.Cut(part, "\n\n")
		head, _, _ := strings.Cut(part, "\n\n")
		stamp, _, _ := strings.Cut(strings.TrimSpace(head), "\n")
		at, _ := time.ParseInLocation("2006-01-02 15:04:05.000000", strings.TrimSpace(stamp), time.Local)
		switch {
		case found && strings.Contains(head, "message received"):
			all = append(all, seenMessage{true, text, at})
		case found && strings.Contains(head, "message sent"):
			all = append(all, seenMessage{false, text, at})
		}
	}
	return all
}

func (m seenMessage) header(name string) string {
	for line := range strings.Lines(m.text) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (m seenMessage) tag(name string) string {
	_, rest, _ := strings.Cut(m.header(name), ";tag=")
	tag, _, _ := strings.Cut(rest, ";")
	return strings.TrimSpace(tag)
}

// description is the session description without its origin, and the origin's fields.
func (m seenMessage) description() (body string, origin []string) {
	_, body, _ = strings.Cut(strings.ReplaceAll(m.text, "\r", ""), "\n\n")
	var rest strings.Builder
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "o=") {
			origin = strings.Fields(line)
			continue
		}
		rest.WriteString(line)
	}
	return strings.TrimSpace(rest.String()), origin
}

// dialogSeen is what the other side of one dialog has said so far.
type dialogSeen struct {
	ours, theirs string // tags, once there was an answer
	cseq         int
	origin       []string
	body         string
}

func (d *dialogSeen) take(m seenMessage) error {
	first, _, _ := strings.Cut(m.text, "\n")
	if status, isResponse := strings.CutPrefix(first, "SIP/2.0 "); isResponse {
		if !strings.HasPrefix(status, "2") || !strings.HasSuffix(m.header("CSeq"), "INVITE") {
			return nil
		}
		if err := d.tags(m.tag("From"), m.tag("To")); err != nil {
			return err
		}
		return d.describe(m)
	}
	method, _, _ := strings.Cut(first, " ")
	if method == "CANCEL" {
		return nil
	}
	if d.theirs != "" || m.tag("To") != "" {
		if err := d.tags(m.tag("To"), m.tag("From")); err != nil {
			return err
		}
	} else {
		d.theirs = m.tag("From")
	}
	number, _, _ := strings.Cut(m.header("CSeq"), " ")
	n, err := strconv.Atoi(number)
	switch {
	case err != nil || method != "ACK" && n < d.cseq:
		return fmt.Errorf("CSeq %s comes after %d", number, d.cseq)
	case method != "ACK":
		d.cseq = n
	}
	return d.describe(m)
}

// tags compares the tags of a message with the dialog's.
func (d *dialogSeen) tags(ours, theirs string) error {
	if d.ours == "" {
		d.ours = ours
	}
	if d.theirs == "" {
		d.theirs = theirs
	}
	if d.ours != ours || d.theirs != theirs {
		return fmt.Errorf("tags %q and %q, in a dialog of %q and %q", ours, theirs, d.ours, d.theirs)
	}
	return nil
}

// describe compares a description with the one before.
func (d *dialogSeen) describe(m seenMessage) error {
	body, origin := m.description()
	if len(origin) != 6 {
		return nil
	}
	had, hadBody := d.origin, d.body
	d.origin, d.body = origin, body
	if had == nil {
		return nil
	}
	for _, i := range []int{0, 1, 3, 4, 5} {
		// In the place of a loopback address FreeSWITCH's SIP library writes another of the machine's, but not always.
		if i == 5 && (strings.HasPrefix(had[i], "127.") || strings.HasPrefix(origin[i], "127.")) {
			continue
		}
		if had[i] != origin[i] {
			return fmt.Errorf("the origin was %q and is %q", had, origin)
		}
	}
	before, _ := strconv.Atoi(had[2])
	now, err := strconv.Atoi(origin[2])
	if err != nil || now < before || now == before && body != hadBody || now > before+1 {
		return fmt.Errorf("the version goes from %s to %s", had[2], origin[2])
	}
	return nil
}
