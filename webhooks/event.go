package webhooks

import (
	"encoding/json"
	"time"
)

// Event is something that has happened in a tenant.
type Event struct {
	ID      string // "evt_" and 32 hexadecimal digits
	Tenant  string
	Type    string // of Types
	Subject string // what it happened to: events of one subject are told in their order
	At      time.Time
	Data    json.RawMessage // as the type's fields say
}

// envelope is the body of a message: what the specification recommends, and whose event it is.
type envelope struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"` // when it happened
	Tenant    string          `json:"tenant"`
	Data      json.RawMessage `json:"data"`
}

// Body is what is sent of an event. It is the same each time.
func (e Event) Body() ([]byte, error) {
	return json.Marshal(envelope{ID: e.ID, Type: e.Type, Timestamp: e.At.UTC(), Tenant: e.Tenant, Data: e.Data})
}

// Types of events.
const (
	CallStarted        = "call.started"
	CallAnswered       = "call.answered"
	CallEnded          = "call.ended"
	CallLegEnded       = "call.leg_ended"
	VoicemailKept      = "voicemail.kept"
	RegistrationChange = "registration.changed"
	DeviceRegistered   = "device.registered"
	DeviceUnregistered = "device.unregistered"
	ConfigPublished    = "configuration.published"
	Test               = "webhook.test"
)

// Subjects, by what an event happened to.
func SubjectCall(call string) string { return "call:" + call }

// SubjectWebhook is that of a test: it goes to one receiver alone.
func SubjectWebhook(id string) string { return "webhook:" + id }

// SubjectConfiguration is the tenant's configuration.
const SubjectConfiguration = "configuration"

// Known says whether there is such a type.
func Known(kind string) bool {
	for _, t := range Types() {
		if t.Name == kind {
			return true
		}
	}
	return false
}
