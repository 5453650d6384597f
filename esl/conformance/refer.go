package conformance

import (
	"context"
	"net/url"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Refer asks the engine to have the other party call a user, and returns the answer to the request (RFC 3515).
func (d *Dialog) Refer(to string) *sip.Response {
	d.phone.t.Helper()
	d.seq++
	req := d.request(sip.REFER, d.seq)
	req.AppendHeader(sip.NewHeader("Refer-To", "<"+to+">"))
	req.AppendHeader(sip.NewHeader("Referred-By", "<"+d.phone.URI("alice")+">"))
	ctx, cancel := context.WithTimeout(context.Background(), d.phone.patience)
	defer cancel()
	res, err := d.phone.client.Do(ctx, req)
	if err != nil {
		d.phone.t.Fatalf("REFER: %v", err)
	}
	return res
}

// Replacing is a URI whose call takes the place of a dialog of the same phone (RFC 3891), as seen by the engine.
func (d *Dialog) Replacing(uri string) string {
	theirs, _ := d.answer.To().Params.Get("tag")
	ours := d.localTag
	if !d.outgoing {
		theirs, _ = d.invite.From().Params.Get("tag")
	}
	return uri + "?Replaces=" + url.QueryEscape(d.invite.CallID().Value()+";to-tag="+theirs+";from-tag="+ours)
}

func (p *Phone) onNotify(req *sip.Request, tx sip.ServerTransaction) {
	tx.Respond(sip.NewResponseFromRequest(req, 200, "OK", nil))
	if d := p.dialog(req); d != nil {
		d.Notifies <- strings.TrimSpace(string(req.Body()))
	}
}
