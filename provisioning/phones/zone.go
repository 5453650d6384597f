package phones

import "time"

// Zone is a time zone as phones without a database of them want it: an offset, and when the clocks change.
type Zone struct {
	Offset time.Duration // from UTC, in winter
	Save   time.Duration // what summer adds; 0: the clocks never change
	Start  Turn          // of summer
	End    Turn
}

// Turn is when clocks change, each year.
type Turn struct {
	Month   time.Month
	Week    int // 1 to 4, or Last
	Weekday time.Weekday
	Hour    int // by the clock that ends in this moment
	Minute  int
}

// Last is the last such day of a month.
const Last = 5

// ZoneOf gives a location's zone as it is in a year. Clocks that do not change twice a year by a rule, such as those that follow the moon, give a
// zone without summer.
func ZoneOf(location *time.Location, year int) Zone {
	january := time.Date(year, time.January, 1, 0, 0, 0, 0, location)
	_, offset := january.Zone()
	z := Zone{Offset: time.Duration(offset) * time.Second}
	turns := turnsOf(location, year)
	next := turnsOf(location, year+1)
	if len(turns) != 2 || len(next) != 2 {
		return z
	}
	for i, t := range turns {
		_, before := t.Add(-time.Second).Zone()
		_, after := t.Zone()
		turn, ok := ruleOf(t, before, next[i])
		if !ok {
			return z
		}
		if after > before {
			z.Offset, z.Save, z.Start = time.Duration(before)*time.Second, time.Duration(after-before)*time.Second, turn
		} else {
			z.End = turn
		}
	}
	if z.Save == 0 || z.End.Month == 0 {
		return Zone{Offset: z.Offset}
	}
	return z
}

// turnsOf are the moments of a year in which clocks change.
func turnsOf(location *time.Location, year int) (turns []time.Time) {
	at, end := time.Date(year, time.January, 1, 0, 0, 0, 0, location), time.Date(year+1, time.January, 1, 0, 0, 0, 0, location)
	for len(turns) < 8 { // none has so many
		_, next := at.ZoneBounds()
		if next.IsZero() || !next.Before(end) {
			return turns
		}
		turns, at = append(turns, next), next
	}
	return turns
}

// ruleOf finds the rule that gives both a turn and the one of the next year.
func ruleOf(t time.Time, before int, next time.Time) (Turn, bool) {
	_, was := next.Add(-time.Second).Zone()
	a, b := t.In(time.FixedZone("", before)), next.In(time.FixedZone("", was))
	turn := Turn{Month: a.Month(), Weekday: a.Weekday(), Hour: a.Hour(), Minute: a.Minute()}
	if b.Month() != turn.Month || b.Weekday() != turn.Weekday || b.Hour() != turn.Hour || b.Minute() != turn.Minute {
		return turn, false
	}
	last := func(d time.Time) bool { return d.AddDate(0, 0, 7).Month() != d.Month() }
	if last(a) && last(b) {
		turn.Week = Last
		return turn, true
	}
	turn.Week = (a.Day()-1)/7 + 1
	return turn, turn.Week == (b.Day()-1)/7+1 && turn.Week < Last
}

// monday is a weekday from 1 (Monday) to 7, sunday one from 1 (Sunday) to 7.
func (t Turn) monday() int { return (int(t.Weekday)+6)%7 + 1 }
func (t Turn) sunday() int { return int(t.Weekday) + 1 }
