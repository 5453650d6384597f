package tenants

import (
	"fmt"
	"time"
)

// Schedule says when something is open: weekly hours, and dates that replace them.
type Schedule struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	TimeZone string  `json:"time_zone,omitempty"` // empty: the tenant's
	Weekly   []Hours `json:"weekly"`
	// Dates replace the weekly hours on their day. No hours means closed all day.
	Dates []Date `json:"dates,omitempty"`

	location *time.Location // resolved when the snapshot was made
}

// Hours is a stretch of time on some weekdays.
type Hours struct {
	Days  []time.Weekday `json:"days"` // 0 is Sunday
	From  Clock          `json:"from"`
	Until Clock          `json:"until"` // exclusive; not after From means until the same time of the next day
}

// Date is one day with hours of its own, such as a holiday.
type Date struct {
	Date  string `json:"date"` // 2006-01-02
	Name  string `json:"name"`
	Hours []Span `json:"hours,omitempty"`
}

// Span is a stretch of time on one day.
type Span struct {
	From  Clock `json:"from"`
	Until Clock `json:"until"`
}

// Clock is a time of day as minutes after midnight, written "15:04".
type Clock int

// MarshalText writes "15:04".
func (c Clock) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%02d:%02d", int(c)/60, int(c)%60), nil
}

// UnmarshalText reads "15:04"; "24:00" is the end of the day.
func (c *Clock) UnmarshalText(b []byte) error {
	if string(b) == "24:00" {
		*c = 24 * 60
		return nil
	}
	t, err := time.Parse("15:04", string(b))
	if err != nil {
		return fmt.Errorf("tenants: a time of day is written 15:04")
	}
	*c = Clock(t.Hour()*60 + t.Minute())
	return nil
}

// Opening is what a schedule says about a moment.
type Opening struct {
	Open    bool
	Because string // such as "Monday 09:00 to 17:00" or "New Year"
	Local   time.Time
}

// At says whether the schedule is open at a moment, by the clock on the wall in its time zone. A stretch past midnight
// belongs to the day on which it begins.
func (s *Schedule) At(moment time.Time) Opening {
	local := moment.In(s.location)
	clock := Clock(local.Hour()*60 + local.Minute())
	today := s.day(local, clock)
	if today.Open {
		return today
	}
	// Yesterday's stretch may reach into today.
	// Noon, because a night in which the clocks change may lack any other hour.
	yesterday := time.Date(local.Year(), local.Month(), local.Day()-1, 12, 0, 0, 0, s.location)
	if night := s.day(yesterday, clock+24*60); night.Open {
		night.Local = local
		return night
	}
	return today
}

// day judges one calendar day with a clock that may count on past 24:00.
func (s *Schedule) day(date time.Time, clock Clock) Opening {
	day := date.Format(time.DateOnly)
	for _, d := range s.Dates {
		if d.Date != day {
			continue
		}
		for _, h := range d.Hours {
			if h.contains(clock) {
				return Opening{Open: true, Because: d.Name + " " + h.String(), Local: date}
			}
		}
		return Opening{Because: d.Name, Local: date}
	}
	for _, h := range s.Weekly {
		span := Span{h.From, h.Until}
		for _, w := range h.Days {
			if w == date.Weekday() && span.contains(clock) {
				return Opening{Open: true, Because: w.String() + " " + span.String(), Local: date}
			}
		}
	}
	return Opening{Because: date.Weekday().String() + " has no opening hours at this time", Local: date}
}

func (s Span) contains(c Clock) bool {
	until := s.Until
	if until <= s.From {
		until += 24 * 60
	}
	return s.From <= c && c < until
}

func (s Span) String() string {
	from, _ := s.From.MarshalText()
	until, _ := s.Until.MarshalText()
	return string(from) + " to " + string(until)
}
