package webhooks

import (
	"encoding/json"
	"time"

	"tandem/messages"
)

// Told says which moments of a call have been told: a set.
type Told int

const (
	ToldStarted Told = 1 << iota
	ToldAnswered
	ToldEnded
)

// Call is what the ledger knows of a call, as far as events tell of it.
type Call struct {
	ID, Tenant string
	From, To   string
	StartedAt  time.Time
	AnsweredAt *time.Time // the caller's side
	EndedAt    *time.Time // of the last leg that has reported
	SIPCode    int
	Cause      string // why the caller's leg ended; empty: it has not reported
	Q850       int
	Fault      string
	Version    int64
	OnNode     bool // a node has told of it, or it has ended
	Over       bool // no leg is left
	Told       Told
}

// Moments gives the events of a call that are to be told now, in order, and all that are told then. A call that is over and whose
// caller's leg has not reported is waited for: its record is on the way. What was not told before the end, because the word of it
// was lost, is told with the end, and nothing after it.
func (c Call) Moments() (events []Event, told Told) {
	ended := c.Over && c.Cause != "" && c.EndedAt != nil
	told = c.Told
	if c.Tenant == "" || told&ToldEnded != 0 {
		return nil, told
	}
	tell := func(moment Told, is bool, kind string, at time.Time, data any) {
		if !is || told&moment != 0 {
			return
		}
		told |= moment
		events = append(events, Event{Tenant: c.Tenant, Type: kind, Subject: SubjectCall(c.ID), At: at, Data: encode(data)})
	}
	began := callData{Call: c.ID, From: c.From, To: c.To, StartedAt: c.StartedAt.UTC()}
	tell(ToldStarted, c.OnNode || ended || c.AnsweredAt != nil, CallStarted, c.StartedAt, began)
	if c.AnsweredAt != nil {
		tell(ToldAnswered, true, CallAnswered, *c.AnsweredAt, answeredData{began, c.AnsweredAt.UTC()})
	}
	if ended {
		tell(ToldEnded, true, CallEnded, *c.EndedAt, endedData{began, c.end()})
	}
	return events, told
}

type callData struct {
	Call      string    `json:"call"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	StartedAt time.Time `json:"started_at"`
}

type answeredData struct {
	callData
	AnsweredAt time.Time `json:"answered_at"`
}

type endedData struct {
	callData
	endData
}

type endData struct {
	AnsweredAt *time.Time `json:"answered_at,omitempty"`
	EndedAt    time.Time  `json:"ended_at"`
	DurationS  int64      `json:"duration_s"`
	TalkS      int64      `json:"talk_s"`
	SIPCode    int        `json:"sip_code,omitempty"`
	Cause      string     `json:"cause"`
	Q850       int        `json:"q850"`
	Fault      string     `json:"fault"`
	Version    int64      `json:"version"`
}

func (c Call) end() endData {
	e := endData{EndedAt: c.EndedAt.UTC(), DurationS: seconds(c.StartedAt, *c.EndedAt), SIPCode: c.SIPCode, Cause: c.Cause, Q850: c.Q850, Fault: c.Fault, Version: c.Version}
	if c.AnsweredAt != nil {
		at := c.AnsweredAt.UTC()
		e.AnsweredAt, e.TalkS = &at, seconds(at, *c.EndedAt)
	}
	return e
}

type legData struct {
	Leg       string    `json:"leg"`
	Call      string    `json:"call"`
	Role      string    `json:"role"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Device    string    `json:"device,omitempty"`
	Trunk     string    `json:"trunk,omitempty"`
	StartedAt time.Time `json:"started_at"`
	endData
	Estimated bool `json:"estimated"`
}

// LegEnded is the event of a leg's record.
func LegEnded(c messages.CDR) Event {
	leg := Call{StartedAt: c.StartedAt, AnsweredAt: c.AnsweredAt, EndedAt: &c.EndedAt, SIPCode: c.SIPCode, Cause: c.Cause, Q850: c.Q850, Fault: string(c.Fault), Version: c.Version}
	return Event{Tenant: c.Tenant, Type: CallLegEnded, Subject: SubjectCall(c.Call), At: c.EndedAt, Data: encode(legData{
		Leg: c.Leg, Call: c.Call, Role: string(c.Role), From: c.From, To: c.To, Device: c.Device, Trunk: c.Trunk, StartedAt: c.StartedAt.UTC(),
		endData: leg.end(), Estimated: c.Estimated,
	})}
}

type publishedData struct {
	Version int64  `json:"version"`
	By      string `json:"by"`
	Comment string `json:"comment"`
}

// Published is the event of a version that new calls get.
func Published(tenant string, version int64, by, comment string, at time.Time) Event {
	return Event{Tenant: tenant, Type: ConfigPublished, Subject: SubjectConfiguration, At: at, Data: encode(publishedData{version, by, comment})}
}

type testData struct {
	Webhook string `json:"webhook"`
}

// TestOf is the event of a test of a webhook.
func TestOf(tenant, webhook string, at time.Time) Event {
	return Event{Tenant: tenant, Type: Test, Subject: SubjectWebhook(webhook), At: at, Data: encode(testData{webhook})}
}

// encode writes an event's data. Texts and numbers can be written; times are those that the ledger has taken.
func encode(data any) json.RawMessage {
	body, err := json.Marshal(data)
	if err != nil {
		return json.RawMessage("{}") // a year beyond 9999, which no message may have
	}
	return body
}

func seconds(from, to time.Time) int64 { return max(0, int64(to.Sub(from)/time.Second)) }
