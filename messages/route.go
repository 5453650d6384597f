package messages

// RouteRequest is route.request.v1: an edge asks about one dialog-opening INVITE. Kamailio writes it with jansson, so it
// is flat; the members with capitals are those that the kazoo module needs or adds by itself.
//
// All header values are as the phone or carrier sent them, after the edge has stripped those that the sender has no
// right to (see kamailio-conf). Repeatable headers keep their order, topmost first.
type RouteRequest struct {
	Type     Type   `json:"type"`
	ServerID string `json:"Server-ID"` // routing key of the answer on exchange targeted; added by the kazoo module
	TIndex   int    `json:"t_index"`   // the suspended transaction, given back untouched
	TLabel   int    `json:"t_label"`

	Edge          string `json:"edge"`           // name of the Kamailio
	Socket        string `json:"socket"`         // its socket, such as udp:192.0.2.1:5060
	SourceAddress string `json:"source_address"` // IP of the sender as seen by the edge
	SourcePort    int    `json:"source_port"`
	Transport     string `json:"transport"` // udp, tcp, tls, ws, wss

	CallID     string `json:"call_id"` // SIP Call-ID, not Tandem's
	FromTag    string `json:"from_tag"`
	CSeq       int    `json:"cseq"`
	RequestURI string `json:"request_uri"`
	FromURI    string `json:"from_uri"`
	FromName   string `json:"from_name,omitempty"` // display name, without quotes
	ToURI      string `json:"to_uri"`

	AuthUser  string `json:"auth_user,omitempty"` // digest user that the edge has verified; empty for trunks
	AuthRealm string `json:"auth_realm,omitempty"`
	// Between is the id of the tenant whose call it is, when one of the media nodes brings the INVITE: a number of another
	// tenant's was called. With Replaces, which is CALL.LEG.PURPOSE then: a call of the tenant's is to meet another of its own, on
	// that one's node.
	Between string `json:"between,omitempty"`
	// AgainAfter is the id of the call that this INVITE was at a media node that has died before anyone answered, and AgainNode that
	// node's address:port: the caller waits on, and the call begins anew. The edge writes the members; a caller cannot.
	AgainAfter string `json:"again_after,omitempty"`
	AgainNode  string `json:"again_node,omitempty"`

	PAssertedIdentity  []string `json:"p_asserted_identity,omitempty"`
	PPreferredIdentity []string `json:"p_preferred_identity,omitempty"`
	RemotePartyID      []string `json:"remote_party_id,omitempty"`
	Privacy            string   `json:"privacy,omitempty"`
	Diversion          []string `json:"diversion,omitempty"`
	HistoryInfo        []string `json:"history_info,omitempty"`
	Identity           []string `json:"identity,omitempty"` // RFC 8224
	ReferredBy         string   `json:"referred_by,omitempty"`
	Replaces           string   `json:"replaces,omitempty"` // RFC 3891

	Contact   string   `json:"contact,omitempty"`
	Path      []string `json:"path,omitempty"` // RFC 3327
	UserAgent string   `json:"user_agent,omitempty"`
	CallInfo  []string `json:"call_info,omitempty"`
	AlertInfo []string `json:"alert_info,omitempty"`

	SDP string `json:"sdp,omitempty"` // session description; empty for a late offer
}

func (*RouteRequest) MessageType() Type { return RouteRequestV1 }

func (m *RouteRequest) Validate() error { return m.validate(check{}) }

func (m *RouteRequest) validate(c check) error {
	c.kind(m.Type, RouteRequestV1)
	c.required("Server-ID", m.ServerID, MaxName)
	c.required("edge", m.Edge, MaxName)
	c.text("socket", m.Socket, MaxName)
	c.required("source_address", m.SourceAddress, MaxName)
	c.within("source_port", m.SourcePort, 0, 65535)
	c.text("transport", m.Transport, MaxName)
	c.required("call_id", m.CallID, MaxURI)
	c.text("from_tag", m.FromTag, MaxName)
	c.within("cseq", m.CSeq, 0, 1<<31-1)
	c.required("request_uri", m.RequestURI, MaxURI)
	c.required("from_uri", m.FromURI, MaxURI)
	c.text("from_name", m.FromName, MaxName)
	c.text("to_uri", m.ToURI, MaxURI)
	c.text("auth_user", m.AuthUser, MaxName)
	c.text("auth_realm", m.AuthRealm, MaxName)
	c.text("between", m.Between, MaxName)
	c.text("again_after", m.AgainAfter, MaxName)
	c.text("again_node", m.AgainNode, MaxName)
	c.list("p_asserted_identity", m.PAssertedIdentity, MaxHeaders, MaxURI)
	c.list("p_preferred_identity", m.PPreferredIdentity, MaxHeaders, MaxURI)
	c.list("remote_party_id", m.RemotePartyID, MaxHeaders, MaxURI)
	c.text("privacy", m.Privacy, MaxName)
	c.list("diversion", m.Diversion, MaxHeaders, MaxURI)
	c.list("history_info", m.HistoryInfo, MaxHeaders, MaxURI)
	c.list("identity", m.Identity, MaxHeaders, 4*MaxURI)
	c.text("referred_by", m.ReferredBy, MaxURI)
	c.text("replaces", m.Replaces, MaxURI)
	c.text("contact", m.Contact, MaxURI)
	c.list("path", m.Path, MaxHeaders, MaxURI)
	c.text("user_agent", m.UserAgent, MaxName)
	c.list("call_info", m.CallInfo, MaxHeaders, MaxURI)
	c.list("alert_info", m.AlertInfo, MaxHeaders, MaxURI)
	c.text("sdp", m.SDP, MaxSDP)
	return c.err()
}

// Verdict is what an edge does with the INVITE that it asked about.
type Verdict string

const (
	Route  Verdict = "route"  // relay to the first of Nodes that answers
	Reject Verdict = "reject" // answer with Code, Phrase and Reason
)

// RouteAnswer is route.answer.v1. The first five members are what the kazoo module needs to find its event route and
// what the edge compares before it continues the transaction.
type RouteAnswer struct {
	EventCategory string `json:"Event-Category"` // "call"
	EventName     string `json:"Event-Name"`     // "route_resp"
	TIndex        int    `json:"t_index"`
	TLabel        int    `json:"t_label"`
	CallID        string `json:"call_id"` // the SIP Call-ID of the request, compared by the edge

	Type        Type     `json:"type"`
	Verdict     Verdict  `json:"verdict"`
	Call        string   `json:"call"`                   // Tandem's id of the call
	Nodes       []string `json:"nodes,omitempty"`        // SIP URIs in order of preference
	NodeHeaders string   `json:"node_headers,omitempty"` // whole header lines for the node, each ended by CR LF
	Code        int      `json:"code,omitempty"`         // SIP status of a rejection, 400 to 699
	Phrase      string   `json:"phrase,omitempty"`
	Reason      string   `json:"reason,omitempty"` // value of the Reason header, RFC 3326
}

// The event name by which the kazoo module dispatches an answer.
const (
	RouteAnswerCategory = "call"
	RouteAnswerName     = "route_resp"
)

func (*RouteAnswer) MessageType() Type { return RouteAnswerV1 }

func (m *RouteAnswer) Validate() error {
	var c check
	c.kind(m.Type, RouteAnswerV1)
	if m.EventCategory != RouteAnswerCategory || m.EventName != RouteAnswerName {
		c.fail("bad_value", "Event-Name", "is not that of a route answer")
	}
	c.required("call_id", m.CallID, MaxURI)
	c.required("call", m.Call, MaxName)
	c.list("nodes", m.Nodes, MaxHeaders, MaxURI)
	c.headers("node_headers", m.NodeHeaders, 4*MaxURI)
	c.line("phrase", m.Phrase, MaxName)
	c.line("reason", m.Reason, MaxName)
	switch m.Verdict {
	case Route:
		if len(m.Nodes) == 0 {
			c.fail("missing", "nodes", "a route names at least one node")
		}
	case Reject:
		c.within("code", m.Code, 400, 699)
		c.required("phrase", m.Phrase, MaxName)
	default:
		c.fail("bad_value", "verdict", "is neither route nor reject")
	}
	return c.err()
}
