package messages

import "time"

// Bounds of an ordered call.
const (
	MaxOrderedDevices = 32  // whose phones ring first
	MaxOrderedSeconds = 120 // that they ring
)

// CallStart is call.start.v1: somebody wants a call to begin at a node. It goes to every worker as an event, and the owner of the node
// acts, whoever that is at the moment: the phones of Devices ring, and whoever answers calls Dialled. It may come any number of times:
// a call that has begun, or is over, is left as it is.
type CallStart struct {
	Type       Type      `json:"type"`
	Call       string    `json:"call"` // its id, which whoever wants it has chosen
	Tenant     string    `json:"tenant"`
	Node       string    `json:"node"`
	Version    int64     `json:"version"`           // that it was decided with
	Flow       string    `json:"flow"`              // that takes it when somebody has answered
	Device     string    `json:"device,omitempty"`  // that counts as the caller's
	Number     string    `json:"number"`            // of the caller
	Name       string    `json:"name,omitempty"`    // of the caller
	Private    bool      `json:"private,omitempty"` // the called must not learn who it is
	Dialled    string    `json:"dialled"`
	Devices    []string  `json:"devices"` // ids
	Seconds    int       `json:"seconds"` // that they ring
	AutoAnswer bool      `json:"auto_answer,omitempty"`
	ShowNumber string    `json:"show_number,omitempty"` // who calls, as they show it; empty: Dialled
	ShowName   string    `json:"show_name,omitempty"`
	Hears      string    `json:"hears,omitempty"` // CALL.LEG.MODE: whoever answers hears that talk rather than calling Dialled
	By         string    `json:"by"`              // who wants it
	At         time.Time `json:"at"`              // when it was asked for, by the clock of the worker that was asked
}

func (*CallStart) MessageType() Type { return CallStartV1 }

func (m *CallStart) Validate() error {
	var c check
	c.kind(m.Type, CallStartV1)
	for _, f := range []struct{ name, value string }{{"call", m.Call}, {"tenant", m.Tenant}, {"node", m.Node}, {"flow", m.Flow}, {"number", m.Number}, {"by", m.By}} {
		c.required(f.name, f.value, MaxName)
		c.line(f.name, f.value, MaxName)
	}
	c.required("dialled", m.Dialled, MaxDialled)
	c.line("dialled", m.Dialled, MaxDialled)
	c.line("device", m.Device, MaxName)
	c.line("name", m.Name, MaxName)
	c.line("show_number", m.ShowNumber, MaxDialled)
	c.line("show_name", m.ShowName, MaxName)
	c.line("hears", m.Hears, MaxName)
	if m.Seconds < 1 || m.Seconds > MaxOrderedSeconds {
		c.fail("out_of_range", "seconds", "is not within 1 to 120")
	}
	if len(m.Devices) == 0 || len(m.Devices) > MaxOrderedDevices {
		c.fail("out_of_range", "devices", "are not 1 to 32")
	}
	for _, d := range m.Devices {
		c.required("devices", d, MaxName)
	}
	if m.At.IsZero() {
		c.fail("missing", "at", "an order has a time")
	}
	return c.err()
}
