package esl

import (
	"strings"
)

// Reply is FreeSWITCH's answer to one command.
type Reply struct {
	Text string // Reply-Text, or the body of an api or background job; trimmed
	Body []byte // the body as it came, nil without one; the caller's own
}

// Err is the refusal in the reply (-ERR or -USAGE), or nil. An api command
// without output answers "-ERR no reply", which is how an unset global reads.
func (r Reply) Err() error {
	if strings.HasPrefix(r.Text, "-ERR") || strings.HasPrefix(r.Text, "-USAGE") {
		return &ReplyError{Text: r.Text}
	}
	return nil
}

func newReply(f *frame) Reply {
	if f.kind == typeAPIResponse {
		return bodyReply(f.body)
	}
	return Reply{Text: strings.TrimSpace(f.replyText), Body: f.body}
}

func bodyReply(body []byte) Reply {
	return Reply{Text: strings.TrimSpace(string(body)), Body: body}
}
