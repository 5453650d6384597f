package routing

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	"tandem/messages"
)

// Request is a routing request with its foreign texts read once. It is what is journalled, so that Decide can be replayed.
type Request struct {
	Call      string     `json:"call,omitempty"` // Tandem's id of the call
	Edge      string     `json:"edge"`
	Source    netip.Addr `json:"source"`
	Port      int        `json:"port"`
	Transport string     `json:"transport"`
	SIPCallID string     `json:"sip_call_id"`
	To        URI        `json:"to"`               // from the request URI
	Called    string     `json:"called,omitempty"` // user part of the To header, where it differs from that of the request URI
	From      URI        `json:"from"`
	FromName  string     `json:"from_name,omitempty"`
	AuthUser  string     `json:"auth_user,omitempty"`
	AuthRealm string     `json:"auth_realm,omitempty"`
	Between   string     `json:"between,omitempty"`  // id of the tenant that calls a number of another's; with Replaces, whose call goes from one node to another
	Asserted  string     `json:"asserted,omitempty"` // user part of P-Asserted-Identity, RFC 3325
	Anonymous bool       `json:"anonymous,omitempty"`
	Diverted  []string   `json:"diverted,omitempty"` // Diversion and History-Info as sent
	Replaces  string     `json:"replaces,omitempty"`
	// The call begins anew: AgainAfter is the id that it had at the media node at AgainNode (address:port), which has died.
	AgainAfter string `json:"again_after,omitempty"`
	AgainNode  string `json:"again_node,omitempty"`
	UserAgent  string `json:"user_agent,omitempty"`
	Media      Media  `json:"media"`
}

// Read translates route.request.v1. The error says which member cannot be read; the edge is then answered with 400.
func Read(m *messages.RouteRequest) (Request, error) {
	refuse := func(field string) (Request, error) {
		return Request{Call: CallID(m)}, &messages.Refusal{Reason: "bad_value", Field: field, Detail: "cannot be read"}
	}
	r := Request{
		Call: CallID(m), Edge: m.Edge, Port: m.SourcePort, Transport: m.Transport, SIPCallID: m.CallID, FromName: m.FromName,
		AuthUser: m.AuthUser, AuthRealm: strings.ToLower(m.AuthRealm), Between: m.Between, Replaces: m.Replaces, AgainAfter: m.AgainAfter, AgainNode: m.AgainNode, UserAgent: m.UserAgent,
		Diverted: append(append([]string(nil), m.Diversion...), m.HistoryInfo...), Media: ReadMedia(m.SDP),
	}
	var err error
	if r.Source, err = netip.ParseAddr(m.SourceAddress); err != nil {
		return refuse("source_address")
	}
	if r.To, err = ParseURI(m.RequestURI); err != nil {
		return refuse("request_uri")
	}
	if r.From, err = ParseURI(m.FromURI); err != nil {
		return refuse("from_uri")
	}
	if called, err := ParseURI(m.ToURI); err == nil && called.User != r.To.User {
		r.Called = called.User
	}
	for _, asserted := range m.PAssertedIdentity {
		if u, err := ParseURI(asserted); err == nil && u.User != "" {
			r.Asserted = u.User
			break
		}
	}
	r.Anonymous = r.From.Host == "anonymous.invalid" || strings.Contains(strings.ToLower(m.Privacy), "id")
	return r, nil
}

// CallID derives Tandem's id of a call from the INVITE that opens it: the same INVITE asked about twice, by whichever
// worker, gives the same id, so that asking again is harmless. The transaction's index and label at the edge are part of
// it, so that a caller cannot choose another call's id. One that begins anew after its node's death is another call.
func CallID(m *messages.RouteRequest) string {
	const usual, number = 256, 20 // bytes
	var digits [number]byte
	text := appendPart(make([]byte, 0, usual), m.Edge)
	text = appendPart(text, m.ServerID)
	text = appendPart(text, strconv.AppendInt(digits[:0], int64(m.TIndex), 10))
	text = appendPart(text, strconv.AppendInt(digits[:0], int64(m.TLabel), 10))
	text = appendPart(text, m.CallID)
	text = appendPart(text, m.FromTag)
	text = appendPart(text, strconv.AppendInt(digits[:0], int64(m.CSeq), 10))
	if m.AgainAfter != "" {
		text = appendPart(text, m.AgainAfter)
	}
	sum := sha256.Sum256(text)
	sum[6] = sum[6]&0x0f | 0x80 // version 8, RFC 9562 5.8
	sum[8] = sum[8]&0x3f | 0x80 // variant
	id := make([]byte, 0, len("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"))
	id = append(hex.AppendEncode(id, sum[:4]), '-')
	id = append(hex.AppendEncode(id, sum[4:6]), '-')
	id = append(hex.AppendEncode(id, sum[6:8]), '-')
	id = append(hex.AppendEncode(id, sum[8:10]), '-')
	return string(hex.AppendEncode(id, sum[10:16]))
}

// appendPart writes a part with its length before it, so that no two lists of parts give the same text.
func appendPart[T string | []byte](text []byte, part T) []byte {
	return append(append(strconv.AppendInt(text, int64(len(part)), 10), ':'), part...)
}
