package tenants

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// clock reads "09:30" or fails the test.
func clock(t *testing.T, text string) Clock {
	t.Helper()
	var c Clock
	if err := c.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return c
}

// span reads "09:00-17:00".
func span(t *testing.T, text string) Span {
	t.Helper()
	from, until, _ := strings.Cut(text, "-")
	return Span{From: clock(t, from), Until: clock(t, until)}
}

// schedule makes a schedule from lines such as "Mon Tue 09:00-17:00" and "2026-12-25 Christmas 10:00-12:00".
func schedule(t *testing.T, timeZone string, lines ...string) *Schedule {
	t.Helper()
	location, err := time.LoadLocation(timeZone)
	if err != nil {
		t.Skipf("this machine has no time-zone database: %v", err)
	}
	s := &Schedule{location: location}
	for _, line := range lines {
		var days []time.Weekday
		var spans []Span
		var date, name string
		for word := range strings.FieldsSeq(line) {
			switch {
			case strings.Contains(word, ":"):
				spans = append(spans, span(t, word))
			case word[0] >= '0' && word[0] <= '9':
				date = word
			default:
				known := false
				for d := time.Sunday; d <= time.Saturday; d++ {
					if date == "" && strings.HasPrefix(d.String(), word) {
						days, known = append(days, d), true
					}
				}
				if !known {
					name = word
				}
			}
		}
		if date != "" {
			s.Dates = append(s.Dates, Date{Date: date, Name: name, Hours: spans})
			continue
		}
		for _, p := range spans {
			s.Weekly = append(s.Weekly, Hours{Days: days, From: p.From, Until: p.Until})
		}
	}
	return s
}

func TestASchedule(t *testing.T) {
	office := []string{"Mon Tue Wed Thu Fri 09:00-12:00 13:00-17:00"}
	night := []string{"Fri Sat 22:00-06:00"}
	holidays := []string{"Mon Tue Wed Thu Fri 09:00-17:00", "2026-12-24 ChristmasEve 09:00-12:00", "2026-12-25 Christmas"}
	for _, c := range []struct {
		claim   string
		zone    string
		lines   []string
		at      string // RFC 3339, in UTC where the zone is not
		open    bool
		because string
	}{
		{"is open at the minute in which it opens", "UTC", office, "2026-03-02T09:00:00Z", true, "Monday 09:00 to 12:00"},
		{"is closed a second before", "UTC", office, "2026-03-02T08:59:59Z", false, "Monday has no opening hours at this time"},
		{"is open in its last second", "UTC", office, "2026-03-02T11:59:59Z", true, "Monday 09:00 to 12:00"},
		{"is closed at the minute in which it closes", "UTC", office, "2026-03-02T12:00:00Z", false, "Monday has no opening hours at this time"},
		{"may open twice a day", "UTC", office, "2026-03-02T13:00:00Z", true, "Monday 13:00 to 17:00"},
		{"is closed on a day without hours", "UTC", office, "2026-03-01T10:00:00Z", false, "Sunday has no opening hours at this time"},
		{"without any hours is closed", "UTC", nil, "2026-03-02T10:00:00Z", false, "Monday has no opening hours at this time"},

		{"past midnight belongs to the day on which it began", "UTC", night, "2026-03-07T05:59:00Z", true, "Friday 22:00 to 06:00"},
		{"past midnight ends on the next day", "UTC", night, "2026-03-07T06:00:00Z", false, "Saturday has no opening hours at this time"},
		{"past midnight does not open the morning before", "UTC", night, "2026-03-06T05:00:00Z", false, "Friday has no opening hours at this time"},
		{"past midnight reaches into Sunday", "UTC", night, "2026-03-08T00:00:00Z", true, "Saturday 22:00 to 06:00"},
		{"past midnight reaches over a year's end", "UTC", []string{"Thu 20:00-02:00"}, "2027-01-01T01:00:00Z", true, "Thursday 20:00 to 02:00"},
		{"from a time until the same time is a whole day", "UTC", []string{"Mon 08:00-08:00"}, "2026-03-03T07:59:00Z", true, "Monday 08:00 to 08:00"},
		{"from a time until the same time is no more than a day", "UTC", []string{"Mon 08:00-08:00"}, "2026-03-03T08:00:00Z", false, "Tuesday has no opening hours at this time"},
		{"until 24:00 is open in the last minute", "UTC", []string{"Mon 00:00-24:00"}, "2026-03-02T23:59:59Z", true, "Monday 00:00 to 24:00"},
		{"until 24:00 is closed on the next day", "UTC", []string{"Mon 00:00-24:00"}, "2026-03-03T00:00:00Z", false, "Tuesday has no opening hours at this time"},
		{"from 00:00 until 00:00 is a whole day", "UTC", []string{"Mon 00:00-00:00"}, "2026-03-02T23:59:59Z", true, "Monday 00:00 to 00:00"},

		{"a date replaces the weekly hours", "UTC", holidays, "2026-12-24T13:00:00Z", false, "ChristmasEve"},
		{"a date has hours of its own", "UTC", holidays, "2026-12-24T11:00:00Z", true, "ChristmasEve 09:00 to 12:00"},
		{"a date without hours is closed all day", "UTC", holidays, "2026-12-25T10:00:00Z", false, "Christmas"},
		{"a date is that year's alone", "UTC", holidays, "2028-12-25T10:00:00Z", true, "Monday 09:00 to 17:00"},
		{"a night that began before a holiday runs to its end", "UTC", []string{"Thu 22:00-06:00", "2026-12-25 Christmas"}, "2026-12-25T05:00:00Z", true, "Thursday 22:00 to 06:00"},
		{"a night of a holiday does not begin", "UTC", []string{"Thu Fri 22:00-06:00", "2026-12-25 Christmas"}, "2026-12-26T05:00:00Z", false, "Saturday has no opening hours at this time"},
		{"a date's hours may pass midnight", "UTC", []string{"2026-12-31 NewYearsEve 18:00-03:00"}, "2027-01-01T02:59:00Z", true, "NewYearsEve 18:00 to 03:00"},

		{"goes by the wall of its own zone", "Europe/Berlin", office, "2026-03-02T08:00:00Z", true, "Monday 09:00 to 12:00"},
		{"goes by the wall in summer too", "Europe/Berlin", office, "2026-07-06T07:00:00Z", true, "Monday 09:00 to 12:00"},
		{"has the day of its own zone", "Pacific/Auckland", office, "2026-03-01T20:30:00Z", true, "Monday 09:00 to 12:00"},
		{"has quarter-hour zones", "Asia/Kathmandu", office, "2026-03-02T03:15:00Z", true, "Monday 09:00 to 12:00"},

		{"an hour that the clocks leave out does not open", "Europe/Berlin", []string{"Sun 02:00-03:00"}, "2026-03-29T01:00:00Z", false, "Sunday has no opening hours at this time"},
		{"a night over the spring change closes by the wall", "Europe/Berlin", []string{"Sat 22:00-04:00"}, "2026-03-29T01:59:00Z", true, "Saturday 22:00 to 04:00"},
		{"and is closed an hour sooner", "Europe/Berlin", []string{"Sat 22:00-04:00"}, "2026-03-29T02:00:00Z", false, "Sunday has no opening hours at this time"},
		{"an hour that comes twice is open twice: first", "Europe/Berlin", []string{"Sun 02:00-03:00"}, "2026-10-25T00:30:00Z", true, "Sunday 02:00 to 03:00"},
		{"an hour that comes twice is open twice: again", "Europe/Berlin", []string{"Sun 02:00-03:00"}, "2026-10-25T01:30:00Z", true, "Sunday 02:00 to 03:00"},
		// In Cairo 26 April 2024 had no 00:30: the day before 27 April 00:30 must still be the 26th.
		{"the day before a moment is found where that day lacks the hour", "Africa/Cairo", []string{"Fri 22:00-06:00"}, "2024-04-26T21:30:00Z", true, "Friday 22:00 to 06:00"},
		{"and is not taken for the day before that", "Africa/Cairo", []string{"Thu 22:00-06:00"}, "2024-04-26T21:30:00Z", false, "Saturday has no opening hours at this time"},
		// São Paulo's 4 November 2018 had none either, and lies on the other side of Greenwich.
		{"the day before is found west of Greenwich too", "America/Sao_Paulo", []string{"Sun 22:00-06:00"}, "2018-11-05T02:30:00Z", true, "Sunday 22:00 to 06:00"},
		{"and is not taken for the day before that there", "America/Sao_Paulo", []string{"Sat 22:00-06:00"}, "2018-11-05T02:30:00Z", false, "Monday has no opening hours at this time"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, c.at)
			if err != nil {
				t.Fatal(err)
			}
			got := schedule(t, c.zone, c.lines...).At(at)
			if got.Open != c.open || got.Because != c.because {
				t.Errorf("open %v because %q, want %v because %q", got.Open, got.Because, c.open, c.because)
			}
			if !got.Local.Equal(at) {
				t.Errorf("it speaks of %v rather than of the moment asked about", got.Local)
			}
		})
	}
}

func TestAClockIsWrittenAsItIsRead(t *testing.T) {
	for _, text := range []string{"00:00", "00:01", "09:05", "12:00", "23:59", "24:00"} {
		c := clock(t, text)
		if back, err := c.MarshalText(); err != nil || string(back) != text {
			t.Errorf("%s came back as %s (%v)", text, back, err)
		}
	}
	for _, text := range []string{"", "9", "24:01", "25:00", "12:60", "-1:00", "12:00:00", "noon", "12:00 ", "\x00"} {
		var c Clock
		if err := c.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %d minutes", text, c)
		}
	}
}

func TestAScheduleSurvivesJSON(t *testing.T) {
	const text = `{"id":"s","name":"Office","time_zone":"Europe/Berlin","weekly":[{"days":[1,5],"from":"22:00","until":"24:00"}],` +
		`"dates":[{"date":"2026-12-25","name":"Christmas","hours":[{"from":"09:00","until":"12:00"}]}]}`
	var s Schedule
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	if back, err := json.Marshal(s); err != nil || string(back) != text {
		t.Errorf("it came back as %s (%v)", back, err)
	}
}
