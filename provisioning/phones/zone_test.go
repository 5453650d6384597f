package phones_test

import (
	"strings"
	"testing"
	"time"

	"tandem/provisioning/phones"
)

func TestAZoneIsAnOffsetAndTwoTurns(t *testing.T) {
	last, sunday := phones.Last, time.Sunday
	for name, want := range map[string]phones.Zone{
		"UTC":             {},
		"Asia/Kolkata":    {Offset: 5*time.Hour + 30*time.Minute},
		"America/Phoenix": {Offset: -7 * time.Hour},
		"Europe/Berlin": {Offset: time.Hour, Save: time.Hour,
			Start: phones.Turn{Month: time.March, Week: last, Weekday: sunday, Hour: 2}, End: phones.Turn{Month: time.October, Week: last, Weekday: sunday, Hour: 3}},
		"America/New_York": {Offset: -5 * time.Hour, Save: time.Hour,
			Start: phones.Turn{Month: time.March, Week: 2, Weekday: sunday, Hour: 2}, End: phones.Turn{Month: time.November, Week: 1, Weekday: sunday, Hour: 2}},
		"Australia/Sydney": {Offset: 10 * time.Hour, Save: time.Hour,
			Start: phones.Turn{Month: time.October, Week: 1, Weekday: sunday, Hour: 2}, End: phones.Turn{Month: time.April, Week: 1, Weekday: sunday, Hour: 3}},
		"Australia/Lord_Howe": {Offset: 10*time.Hour + 30*time.Minute, Save: 30 * time.Minute,
			Start: phones.Turn{Month: time.October, Week: 1, Weekday: sunday, Hour: 2}, End: phones.Turn{Month: time.April, Week: 1, Weekday: sunday, Hour: 2}},
	} {
		location, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, year := range []int{2024, 2026, 2027, 2031} {
			if got := phones.ZoneOf(location, year); got != want {
				t.Errorf("%s in %d is %+v, want %+v", name, year, got, want)
			}
		}
	}
}

// What does not follow a rule of weekdays has no summer, rather than a wrong one.
func TestAZoneByTheMoonHasNoSummer(t *testing.T) {
	location, err := time.LoadLocation("Africa/Casablanca")
	if err != nil {
		t.Fatal(err)
	}
	if z := phones.ZoneOf(location, 2026); z.Save != 0 {
		t.Errorf("it is %+v", z)
	}
}

func TestEachVendorWritesTheZoneInItsOwnWay(t *testing.T) {
	for v, want := range map[phones.Vendor][]string{
		phones.Yealink:     {"time_zone = +1\n", "summer_time = 1\n", "start_time = 3/5/7/2\n", "end_time = 10/5/7/3\n", "offset_time = 60\n"},
		phones.Poly:        {`sntp.gmtOffset="3600"`, `start.month="3"`, `start.dayOfWeek="1"`, `start.dayOfWeek.lastInMonth="1"`, `stop.time="3"`},
		phones.Grandstream: {`>STD-1DST-2,M3.5.0/02:00:00,M10.5.0/03:00:00<`},
		phones.Snom:        {">3600</utc_offset>", ">3600 03.05.07 02:00:00 10.05.07 03:00:00</dst>"},
		phones.Fanvil:      {"<TimeZone>4</TimeZone>", "<DSTStartWeek>5<", "<DSTStartWday>0<", "<DSTEndHour>3<"},
		phones.Cisco:       {">GMT+01:00<", ">start=3/-1/7/2:0:0;end=10/-1/7/3:0:0;save=1:0:0<"},
	} {
		p, all := reception(t, v), ""
		for _, name := range phones.Names(v, p.MAC) {
			all += render(t, p, name).Body
		}
		for _, w := range want {
			if !strings.Contains(all, w) {
				t.Errorf("%s does not say %s\n%s", v, w, all)
			}
		}
	}
}
