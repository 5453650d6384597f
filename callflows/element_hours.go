package callflows

import (
	"encoding/json"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// hoursElement branches on a schedule, by the time of the event that led here.
type hoursElement struct{}

type hoursSettings struct {
	Schedule string `json:"schedule"` // schedule id
}

var hoursAbout = about{
	name: "hours", title: "Opening hours", description: "Branches on a schedule, by the time of the moment in which the call gets here.",
	settings: &schema{kind: recordValue, members: []member{{name: "schedule", required: true, schema: schema{kind: textValue, reference: RefersToSchedule,
		min: 1, max: maxID, description: "The schedule that says when it is open."}}}},
	exits: []Exit{{Name: "open", Description: "The schedule is open.", Ends: "NORMAL_CLEARING"},
		{Name: "closed", Description: "The schedule is closed.", Ends: "NORMAL_CLEARING"}},
	behaviour: Behaviour{EarlyMedia: "None.", Answer: "Does not answer.", Ringback: "Unchanged.", HangUp: hangUpAtOnce, Transfer: notWhileAlone},
	example: tenants.Element{Type: "hours", Settings: json.RawMessage(`{"schedule":"office"}`),
		Exits: map[string]string{"open": "menu", "closed": "closed"}},
}

func (hoursElement) about() *about { return &hoursAbout }

func (hoursElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[hoursSettings](hoursAbout.settings, settings)
}

func (hoursElement) enter(s *step, settings any) {
	h := settings.(hoursSettings)
	schedule := s.config.Tenant.Schedule(h.Schedule)
	if schedule == nil {
		s.end(causeOfBrokenFlow, messages.FaultTenant, because.New("schedule_missing", "schedule", h.Schedule))
		return
	}
	opening := schedule.At(s.event.At)
	local := opening.Local.Format("Monday 15:04 MST")
	if opening.Open {
		s.explain("hours_open", "schedule", schedule.Name, "hours", opening.Because, "time", local)
		s.exit("open", "NORMAL_CLEARING", messages.FaultTenant)
		return
	}
	s.explain("hours_closed", "schedule", schedule.Name, "hours", opening.Because, "time", local)
	s.exit("closed", "NORMAL_CLEARING", messages.FaultTenant)
}

func (hoursElement) on(*step, any) {}

func (hoursElement) reasons() because.Catalog {
	return because.Catalog{
		"hours_open":       "{schedule} is open at {time}: {hours}.",
		"hours_closed":     "{schedule} is closed at {time}: {hours}.",
		"schedule_missing": "The flow asks for the schedule {schedule}, which is not there.",
	}
}
