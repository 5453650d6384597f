package callflows

import (
	"encoding/json"
	"errors"

	"tandem/because"
	"tandem/messages"
)

// hoursElement branches on a schedule, by the time of the event that led here.
type hoursElement struct{}

type hoursSettings struct {
	Schedule string `json:"schedule"` // schedule id
}

func (hoursElement) parse(settings json.RawMessage) (any, error) {
	var h hoursSettings
	if err := strict(settings, &h); err != nil {
		return nil, err
	}
	if h.Schedule == "" {
		return nil, errors.New("settings: schedule: is required")
	}
	return h, nil
}

func (hoursElement) exits(any) []string { return []string{"open", "closed"} }

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
