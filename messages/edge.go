package messages

import "time"

// RegistrationEvent says what happened to one contact of a device.
type RegistrationEvent string

const (
	Registered   RegistrationEvent = "registered"   // new or refreshed
	Unregistered RegistrationEvent = "unregistered" // by the device's own request
	Expired      RegistrationEvent = "expired"      // not refreshed in time
)

// Registration is registration.event.v1: an edge has saved or lost one contact of one address of record.
type Registration struct {
	Type     Type              `json:"type"`
	Event    RegistrationEvent `json:"event"`
	Edge     string            `json:"edge"`
	EdgeURI  string            `json:"edge_uri"` // where nodes send requests for this contact (the edge's inside socket)
	Username string            `json:"username"` // user part of the address of record
	Domain   string            `json:"domain"`
	// Contact is the URI to call, with the alias of the source behind a NAT already in it; a "*" (all contacts, when
	// unregistered) is allowed.
	Contact       string `json:"contact"`
	Expires       int    `json:"expires"` // seconds from At; 0 when gone
	At            int64  `json:"at"`      // Unix seconds at the edge
	CallID        string `json:"call_id,omitempty"`
	CSeq          int    `json:"cseq,omitempty"`
	SourceAddress string `json:"source_address,omitempty"`
	SourcePort    int    `json:"source_port,omitempty"`
	Transport     string `json:"transport,omitempty"`
	UserAgent     string `json:"user_agent,omitempty"`
	Path          string `json:"path,omitempty"`
}

func (*Registration) MessageType() Type { return RegistrationV1 }

func (m *Registration) Validate() error {
	var c check
	c.kind(m.Type, RegistrationV1)
	switch m.Event {
	case Registered, Unregistered, Expired:
	default:
		c.fail("bad_value", "event", "is none of registered, unregistered, expired")
	}
	c.required("edge", m.Edge, MaxName)
	c.text("edge_uri", m.EdgeURI, MaxURI)
	c.required("username", m.Username, MaxName)
	c.required("domain", m.Domain, MaxName)
	c.required("contact", m.Contact, MaxURI)
	c.within("expires", m.Expires, 0, 7*24*3600)
	c.text("call_id", m.CallID, MaxURI)
	c.text("source_address", m.SourceAddress, MaxName)
	c.within("source_port", m.SourcePort, 0, 65535)
	c.text("transport", m.Transport, MaxName)
	c.text("user_agent", m.UserAgent, MaxName)
	c.text("path", m.Path, MaxURI)
	return c.err()
}

// ExpiresAt is the moment after which the contact must not be called any more.
func (m *Registration) ExpiresAt() time.Time { return time.Unix(m.At+int64(m.Expires), 0).UTC() }

// EdgeHello is edge.hello.v1: an edge has reached the broker and asks for its configuration.
type EdgeHello struct {
	Type Type   `json:"type"`
	Edge string `json:"edge"`
	URI  string `json:"uri"` // SIP URI of its inside socket
}

func (*EdgeHello) MessageType() Type { return EdgeHelloV1 }

func (m *EdgeHello) Validate() error {
	var c check
	c.kind(m.Type, EdgeHelloV1)
	c.required("edge", m.Edge, MaxName)
	c.text("uri", m.URI, MaxURI)
	return c.err()
}

// EdgeConfig is edge.config.v1: all that an edge must know besides credentials. It replaces what the edge had.
type EdgeConfig struct {
	EventCategory string   `json:"Event-Category"` // "edge"
	EventName     string   `json:"Event-Name"`     // "config"
	Type          Type     `json:"type"`
	Nodes         []string `json:"nodes"`  // address:port from which media nodes send SIP
	Trunks        []string `json:"trunks"` // IP addresses that need no digest because they are trunks
	// Registrar is the edge that registers at carriers for all; the others do not. Registers are the trunks that it registers,
	// by id: with what, it reads in PostgreSQL.
	Registrar string   `json:"registrar,omitempty"`
	Registers []string `json:"registers,omitempty"`
}

func (*EdgeConfig) MessageType() Type { return EdgeConfigV1 }

func (m *EdgeConfig) Validate() error {
	var c check
	c.kind(m.Type, EdgeConfigV1)
	if m.EventCategory != "edge" || m.EventName != "config" {
		c.fail("bad_value", "Event-Name", "is not that of an edge configuration")
	}
	c.list("nodes", m.Nodes, MaxNodes, MaxName)
	c.list("trunks", m.Trunks, MaxTrunks, MaxName)
	c.text("registrar", m.Registrar, MaxName)
	c.list("registers", m.Registers, MaxRegisters, MaxName)
	return c.err()
}

// EdgeForget is edge.forget.v1: the credentials of this device changed, so that edges must read them anew.
type EdgeForget struct {
	EventCategory string `json:"Event-Category"` // "edge"
	EventName     string `json:"Event-Name"`     // "forget"
	Type          Type   `json:"type"`
	Username      string `json:"username"`
	Domain        string `json:"domain"`
}

func (*EdgeForget) MessageType() Type { return EdgeForgetV1 }

func (m *EdgeForget) Validate() error {
	var c check
	c.kind(m.Type, EdgeForgetV1)
	if m.EventCategory != "edge" || m.EventName != "forget" {
		c.fail("bad_value", "Event-Name", "is not that of a forget order")
	}
	c.required("username", m.Username, MaxName)
	c.required("domain", m.Domain, MaxName)
	return c.err()
}

// EdgeNotify is edge.notify.v1: the edge of that name sends one of its contacts a NOTIFY without a subscription, such as the
// one by which a phone fetches its files again. The other edges pass it over.
type EdgeNotify struct {
	EventCategory string `json:"Event-Category"` // "edge"
	EventName     string `json:"Event-Name"`     // "notify"
	Type          Type   `json:"type"`
	Edge          string `json:"edge"`
	Username      string `json:"username"` // of the address of record
	Domain        string `json:"domain"`
	Contact       string `json:"contact"` // as the edge wrote it in its registration.event.v1
	Event         string `json:"event"`   // value of the header: check-sync;reboot=false
}

func (*EdgeNotify) MessageType() Type { return EdgeNotifyV1 }

func (m *EdgeNotify) Validate() error {
	var c check
	c.kind(m.Type, EdgeNotifyV1)
	if m.EventCategory != "edge" || m.EventName != "notify" {
		c.fail("bad_value", "Event-Name", "is not that of a notify order")
	}
	c.required("edge", m.Edge, MaxName)
	c.required("username", m.Username, MaxName)
	c.required("domain", m.Domain, MaxName)
	c.required("contact", m.Contact, MaxURI)
	c.line("contact", m.Contact, MaxURI)
	c.required("event", m.Event, MaxName)
	c.line("event", m.Event, MaxName)
	return c.err()
}

// EdgeUnregister is edge.unregister.v1: the edge of that name forgets one of its contacts, and tells of it by a
// registration.event.v1. The other edges pass it over.
type EdgeUnregister struct {
	EventCategory string `json:"Event-Category"` // "edge"
	EventName     string `json:"Event-Name"`     // "unregister"
	Type          Type   `json:"type"`
	Edge          string `json:"edge"`
	Username      string `json:"username"` // of the address of record
	Domain        string `json:"domain"`
	Contact       string `json:"contact"` // as the edge wrote it in its registration.event.v1
}

func (*EdgeUnregister) MessageType() Type { return EdgeUnregisterV1 }

func (m *EdgeUnregister) Validate() error {
	var c check
	c.kind(m.Type, EdgeUnregisterV1)
	if m.EventCategory != "edge" || m.EventName != "unregister" {
		c.fail("bad_value", "Event-Name", "is not that of an order to unregister")
	}
	c.required("edge", m.Edge, MaxName)
	c.required("username", m.Username, MaxName)
	c.required("domain", m.Domain, MaxName)
	c.required("contact", m.Contact, MaxURI)
	c.line("contact", m.Contact, MaxURI)
	return c.err()
}
