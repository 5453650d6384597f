package provisioning

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tandem/postgres"
	"tandem/tenants"
)

// SaveSchedule adds or replaces the draft of a schedule.
func (s *Service) SaveSchedule(ctx context.Context, tenantID string, schedule tenants.Schedule) error {
	if err := checkSchedule(schedule); err != nil {
		return err
	}
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		return tx.SaveSchedule(ctx, tenantID, schedule)
	})
}

func checkSchedule(s tenants.Schedule) error {
	var c checks
	c.id("id", s.ID)
	c.name("name", s.Name)
	if s.TimeZone != "" {
		c.timeZone("time_zone", s.TimeZone)
	}
	c.that(len(s.Weekly) <= MaxHours, "weekly", fmt.Sprintf("has more than %d entries", MaxHours))
	for _, h := range s.Weekly {
		c.that(len(h.Days) > 0, "weekly", "an entry names no day")
		for _, d := range h.Days {
			c.that(d >= time.Sunday && d <= time.Saturday, "weekly", "a day is not within 0 (Sunday) to 6")
		}
		c.span("weekly", tenants.Span{From: h.From, Until: h.Until})
	}
	c.that(len(s.Dates) <= MaxDates, "dates", fmt.Sprintf("has more than %d entries", MaxDates))
	for _, d := range s.Dates {
		_, err := time.Parse(time.DateOnly, d.Date)
		c.that(err == nil, "dates", "a date is not written 2006-01-02")
		c.name("dates", d.Name)
		for _, h := range d.Hours {
			c.span("dates", h)
		}
	}
	return c.err
}

func (c *checks) span(field string, s tenants.Span) {
	const day = 24 * 60
	c.that(s.From >= 0 && s.From < day && s.Until >= 0 && s.Until <= day, field, "a time is not within a day")
}

// SaveList adds or replaces the draft of a list.
func (s *Service) SaveList(ctx context.Context, tenantID string, l tenants.List) error {
	if err := checkList(l); err != nil {
		return err
	}
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error { return tx.SaveList(ctx, tenantID, l) })
}

func checkList(l tenants.List) error {
	var c checks
	c.id("id", l.ID)
	c.name("name", l.Name)
	c.that(len(l.Entries) <= MaxEntries, "entries", fmt.Sprintf("are more than %d", MaxEntries))
	seen := make(map[string]bool, len(l.Entries))
	for i, e := range l.Entries {
		at := fmt.Sprintf("entries/%d", i)
		c.that(e != "" && len(e) <= MaxEntry, at, fmt.Sprintf("is not 1 to %d bytes long", MaxEntry))
		c.printable(at, e)
		c.that(!seen[e], at, "is there twice")
		seen[e] = true
	}
	return c.err
}

// SaveRoute adds or replaces the draft of a route: a dialled extension or a number of the tenant starts a flow. The flow
// may be the one that publishing implies for a user. A route by prefix takes all that begins with it and that no other route
// serves; emergency numbers it never takes.
func (s *Service) SaveRoute(ctx context.Context, tenantID string, r tenants.Route) error {
	draft := draftOf(r)
	var c checks
	c.that(numberForm.MatchString(r.Dialled) || dialledForm.MatchString(r.Dialled), "dialled",
		"is neither an extension nor an E.164 number written with +")
	c.that(!r.Prefix || dialledForm.MatchString(r.Dialled), "dialled", "is no prefix: numbers outside have none, only digits, * and #")
	c.id("flow_id", r.FlowID)
	if c.err != nil {
		return c.err
	}
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		if err := refuseEmergency(ctx, tx, "dialled", r.Dialled); err != nil {
			return err
		}
		return tx.SaveRoute(ctx, tenantID, draft)
	})
}

// draftOf is the draft of a route: the flow of a user is kept as the user.
func draftOf(r tenants.Route) postgres.Route {
	if user, ok := strings.CutPrefix(r.FlowID, UserFlowPrefix); ok {
		return postgres.Route{Dialled: r.Dialled, Prefix: r.Prefix, UserID: user}
	}
	return postgres.Route{Dialled: r.Dialled, Prefix: r.Prefix, FlowID: r.FlowID}
}

// BlockCaller adds an E.164 number, or the user name of a device, to the draft of those whose calls are refused.
func (s *Service) BlockCaller(ctx context.Context, tenantID, caller string) error {
	if err := checkCaller(caller); err != nil {
		return err
	}
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error { return tx.BlockCaller(ctx, tenantID, caller) })
}

// UnblockCaller takes a caller out of that draft.
func (s *Service) UnblockCaller(ctx context.Context, tenantID, caller string) error {
	if err := checkCaller(caller); err != nil {
		return err
	}
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error { return tx.UnblockCaller(ctx, tenantID, caller) })
}

func checkCaller(caller string) error {
	var c checks
	c.that(numberForm.MatchString(caller) || idForm.MatchString(caller), "caller",
		"is neither an E.164 number written with + nor a user name")
	return c.err
}
