package nodes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tandem/callflows"
	"tandem/esl"
	"tandem/messages"
)

// A leg is taken over by what is known of its SIP dialog, wherever that is from: the node dials within the dialog, which is a
// re-INVITE to the phone, and parks the leg under the uuid that it has always had (esl/conformance, claims_move.go).
const (
	moveVariable = "tandem_move" // of a leg that was fetched: by which move
	moveHeader   = "X-Tandem-Move"
	fetchAnswer  = 5 * time.Second  // for the phone's answer
	fetchJob     = 10 * time.Second // for the node's
	fetchTries   = 3                // after 491
	glareLeast   = 2100 * time.Millisecond
	glareMost    = 4 * time.Second        // RFC 3261 14.1
	fetchLook    = 200 * time.Millisecond // until a node is asked again that could not be reached
	codeWait     = 300 * time.Millisecond
	requestGlare = 491
	seqMargin    = 16 // above what the last node is known to have sent: it may have refreshed the session unheard
	mostCSeq     = 1<<31 - 1
)

// errNotFetched is why a leg could not be taken over. Code is the phone's answer; 0: there was none.
type errNotFetched struct {
	Code int
	Why  string
}

func (e *errNotFetched) Error() string {
	return fmt.Sprintf("nodes: a leg was not taken over: %s (SIP %d)", e.Why, e.Code)
}

// takeOver is the dial string that takes a dialog over under the name of a move.
func (n *Node) takeOverDial(d *messages.Dialog, move string, now time.Time) esl.DialString {
	vars := []esl.Var{{Name: "origination_uuid", Value: d.Leg}, {Name: "sip_invite_call_id", Value: d.CallID},
		{Name: "sip_handle_full_from", Value: nameless(d.Local)}, {Name: "sip_handle_full_to", Value: nameless(d.Remote)},
		{Name: "sip_invite_cseq", Value: strconv.FormatUint(uint64(nextCSeq(d, now)), 10)}, {Name: moveVariable, Value: move},
		{Name: "originate_timeout", Value: seconds(fetchAnswer)}, {Name: "ignore_early_media", Value: "true"},
		{Name: "sip_cid_type", Value: "none"}, // no Remote-Party-ID: who is who was said when the dialog was opened
		{Name: "origination_caller_id_number", Value: anonymous}, {Name: "origination_caller_id_name", Value: anonymous}}
	add := func(name, value string) {
		if value != "" {
			vars = append(vars, esl.Var{Name: name, Value: value})
		}
	}
	add("sip_invite_route_uri", d.Routes)
	add("absolute_codec_string", codecOf(d.Codec))
	add("sip_h_"+moveHeader, originOf(d.LocalSDP))
	return esl.DialString{Legs: []esl.DialLeg{{Vars: vars, Profile: n.options.Profile, URI: d.Target}}}
}

// nameless is a From or To without its display name, which is no part of what tells dialogs apart (RFC 3261 12).
func nameless(party string) string {
	if at := strings.LastIndexByte(party, '<'); at >= 0 {
		return party[at:]
	}
	return party
}

// nextCSeq is the number below that of the next request: above all that the last node can have sent. What is not known of it is the
// engine's default, half the seconds of NTP's time (sofia-sip, nta.c), which has grown since.
func nextCSeq(d *messages.Dialog, now time.Time) uint32 {
	const ntpEpoch = 2208988800 // seconds from 1900 to 1970, RFC 5905 6
	standard := uint32((now.Unix()+ntpEpoch)>>1) & mostCSeq
	if d.LocalCSeq > standard {
		standard = d.LocalCSeq
	}
	return min(standard, mostCSeq-2*seqMargin) + seqMargin
}

// codecOf is a codec as a dial string takes it: without the channels.
func codecOf(codec string) string {
	parts := strings.Split(codec, "@")
	if len(parts) > 3 {
		parts = parts[:3]
	}
	return strings.Join(parts, "@")
}

// originOf is what the edge is told of the last node's description (RFC 8866 5.2): user, session, version and address, so that it goes
// on in the next one's. The address of a loopback interface is not what is on the wire: "-".
func originOf(sdp string) string {
	for line := range strings.Lines(sdp) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(line, "o=") || len(fields) != 6 {
			continue
		}
		address, err := netip.ParseAddr(fields[5])
		if err != nil || address.IsLoopback() {
			fields[5] = "-"
		}
		return strings.Join([]string{strings.TrimPrefix(fields[0], "o="), fields[1], fields[2], fields[5]}, " ")
	}
	return "- 0 0 -"
}

// movableMedia says whether what two sides have agreed on can be taken over: plain audio.
func movableMedia(d *messages.Dialog) bool {
	for _, sdp := range []string{d.LocalSDP, d.RemoteSDP} {
		for line := range strings.Lines(sdp) {
			fields := strings.Fields(line)
			if len(fields) < 3 || !strings.HasPrefix(line, "m=") || fields[1] == "0" {
				continue
			}
			if fields[0] != "m=audio" || fields[2] != "RTP/AVP" {
				return false
			}
		}
	}
	return true
}

// fetchLeg takes a dialog over, and returns when the leg is parked here. One that this node has by the same move already stays. When the
// connection to the node is lost meanwhile, the phone may have gone over all the same: the node is asked on the next one.
func (n *Node) fetchLeg(ctx context.Context, d *messages.Dialog, move string) error {
	for try, began := 1, time.Now(); ; {
		err := errNoChannel
		c := n.up.Load()
		if c != nil && n.arrivals.lately(move) {
			err = n.fetchOnce(ctx, c, d, move)
		}
		var refused *errNotFetched
		wait := fetchLook
		switch known := errors.As(err, &refused); {
		case err == nil, known && (refused.Code != requestGlare || try == fetchTries), ctx.Err() != nil, time.Since(began) > arrivalWait:
			return err
		case known:
			try++
			wait = glareLeast + rand.N(glareMost-glareLeast)
		default:
		}
		if !pause(ctx, wait) {
			return err
		}
	}
}

// errUnanswered says that a leg is being taken over by who owned the node before.
var errUnanswered = errors.New("nodes: the phone has not answered yet")

func (n *Node) fetchOnce(ctx context.Context, c *esl.Conn, d *messages.Dialog, move string) error {
	switch said, err := dumpOf(ctx, c, d.Leg); {
	case errors.Is(err, errNoChannel):
	case err != nil:
		return err
	case said.Variable(moveVariable) == move && said.Get("Answer-State") == "answered":
		return nil
	case said.Variable(moveVariable) == move:
		return errUnanswered
	}
	heard := n.arrivals.listen(d.Leg)
	defer n.arrivals.ignore(d.Leg)
	ctx, cancel := context.WithTimeout(ctx, fetchJob)
	defer cancel()
	reply, err := c.Background(ctx, esl.Originate(n.takeOverDial(d, move, time.Now())))
	switch {
	case err != nil:
		return err
	case reply.Err() == nil:
		return nil
	}
	refused := &errNotFetched{Why: reply.Err().Error()}
	select {
	case refused.Code = <-heard:
	case <-time.After(codeWait):
	}
	return refused
}

// firstOf is what the node says of a leg that is about to leave it.
func firstOf(d dump) *callflows.LegEnd {
	end := legEnd(d)
	return &callflows.LegEnd{CreatedAt: end.CreatedAt, AnsweredAt: end.AnsweredAt, SIPCallID: end.SIPCallID, From: end.From, FromName: end.FromName, To: end.To}
}

// refusalOf is the code that a leg's INVITE was refused with.
func refusalOf(e headers) int {
	return number(cmp.Or(e.Variable("sip_term_status"), e.Variable("sip_invite_failure_status")))
}
