package provisioning

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tandem/postgres"
	"tandem/tenants"
)

// Bounds on trunks and on calling out.
const (
	MaxDestinations    = 8   // of one trunk
	MaxFailover        = 16  // words in a trunk's list of what goes on
	MaxProgress        = 60  // seconds until a trunk must signal progress
	MaxOutboundTrunks  = 16  // that serve one prefix
	MaxBlockedPrefixes = 500 // of one tenant
	MaxShown           = 100 // numbers of others that a tenant may show
	MaxLocation        = 512 // bytes of where a device stands
	MinRenew           = 60  // seconds of a registration outward
	MaxRenew           = 86400
)

var (
	prefixForm   = regexp.MustCompile(`^(\+[1-9][0-9]{0,14})?$`)
	failoverForm = regexp.MustCompile(`^([3-6]([0-9][0-9]|xx)|timeout|unreachable)$`)
	technical    = regexp.MustCompile(`^[0-9*#+]{0,16}$`)
	shortDigits  = regexp.MustCompile(`^[0-9]{0,5}$`)
	areaForm     = regexp.MustCompile(`^[0-9]{0,6}$`)
	// registrarForm is what an edge's registrar takes: what stands in its script is a domain and a proxy.
	registrarForm = regexp.MustCompile(`^sip:[A-Za-z0-9.-]+(:[0-9]{1,5})?(;transport=(udp|tcp))?$`)
	locationForm  = regexp.MustCompile(`^\P{C}*$`)
	loginUser     = regexp.MustCompile(`^[!-~]{1,128}$`)
	loginPass     = regexp.MustCompile(`^[ -~]{1,128}$`)
)

// AddTrunk adds a trunk or replaces the one with its id, addresses included. Its routes and its login stay. A trunk that is
// called serves nothing until SetOutboundRoutes or SetOwnRoutes says what.
func (s *Service) AddTrunk(ctx context.Context, t tenants.Trunk) error {
	return s.SetTrunk(ctx, TrunkChange{Trunk: t})
}

// checkTrunk holds a trunk against the bounds.
func checkTrunk(t tenants.Trunk) error {
	var c checks
	c.id("id", t.ID)
	c.name("name", t.Name)
	c.that(len(t.Addresses) <= MaxAddresses, "addresses", fmt.Sprintf("are more than %d", MaxAddresses))
	for _, a := range t.Addresses {
		c.that(a.IsValid() && a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast(), "addresses", "one is not an IP address of a host")
	}
	c.that(!t.MayCallOut || t.Tenant != "", "may_call_out", "is for a tenant's own trunk: somebody must answer for the calls")
	c.numberFormat("incoming", t.Incoming)
	c.registers(t)
	if t.Outgoing != nil {
		c.outgoing(t.Outgoing, t.Device != "")
	}
	return c.err
}

// checkLogin holds a login against the bounds; one without a user name is none.
func checkLogin(trunk string, l TrunkLogin) error {
	var c checks
	c.id("trunk", trunk)
	if l.Username != "" {
		c.form(loginUser, "username", l.Username, "is not 1 to 128 visible characters")
		c.form(loginPass, "password", l.Password, "is not 1 to 128 printable characters")
	}
	return c.err
}

// ownerStays keeps a trunk from changing hands: its routes would make the calls of others go by it, or those of the old owner
// go by a stranger's.
func ownerStays(ctx context.Context, tx *postgres.Tx, t tenants.Trunk) error {
	owners, err := tx.TrunkOwners(ctx, []string{t.ID})
	if err != nil {
		return err
	}
	if owner, there := owners[t.ID]; there && owner != t.Tenant {
		return conflict("tenant", "a trunk that is called does not change its owner: remove it first")
	}
	return nil
}

// RemoveTrunk removes a trunk with its addresses, routes and login. The second time it does nothing.
func (s *Service) RemoveTrunk(ctx context.Context, id string) error {
	return s.platform(ctx, func(tx *postgres.Tx) error { return tx.DeleteTrunk(ctx, id) })
}

// SetTrunkLogin keeps what edges answer a trunk's challenges with; an empty user name removes it. The password can be read
// back by edges alone.
func (s *Service) SetTrunkLogin(ctx context.Context, id, username, password string) error {
	if err := checkLogin(id, TrunkLogin{username, password}); err != nil {
		return err
	}
	return s.platform(ctx, func(tx *postgres.Tx) error { return tx.SetTrunkLogin(ctx, id, username, password) })
}

// SetOutboundRoutes makes these trunks of the platform serve the numbers of a prefix, in this order; none removes the prefix.
// The empty prefix is any number.
func (s *Service) SetOutboundRoutes(ctx context.Context, prefix string, trunks []string) error {
	return s.platform(ctx, func(tx *postgres.Tx) error { return setRoutes(ctx, tx, "", prefix, trunks) })
}

// SetOwnRoutes is the same for a tenant's own trunks, which come before the platform's, for that tenant alone.
func (s *Service) SetOwnRoutes(ctx context.Context, tenantID, prefix string, trunks []string) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error { return setRoutes(ctx, tx, tenantID, prefix, trunks) })
}

func setRoutes(ctx context.Context, tx *postgres.Tx, owner, prefix string, trunks []string) error {
	var c checks
	c.form(prefixForm, "prefix", prefix, "is not the beginning of an E.164 number written with +")
	c.that(len(trunks) <= MaxOutboundTrunks, "trunks", fmt.Sprintf("are more than %d", MaxOutboundTrunks))
	sorted := slices.Sorted(slices.Values(trunks))
	c.that(len(slices.Compact(sorted)) == len(trunks), "trunks", "one is there twice")
	if c.err != nil {
		return c.err
	}
	owners, err := tx.TrunkOwners(ctx, trunks)
	if err != nil {
		return err
	}
	for _, id := range trunks {
		if of, there := owners[id]; !there || of != owner { // another's is not there, as far as anybody is told
			return missing("trunks", "there is no trunk "+id+" that can be called")
		}
	}
	return tx.SetOutboundRoutes(ctx, owner, prefix, trunks)
}

// SetDialling says how a tenant's people write numbers, at once. mainNumber is one of the tenant's, or empty.
func (s *Service) SetDialling(ctx context.Context, tenantID, mainNumber string, d tenants.Dialling) error {
	if err := checkDialling(mainNumber, d); err != nil {
		return err
	}
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		return tx.SetDialling(ctx, tenantID, mainNumber, d)
	})
}

func checkDialling(mainNumber string, d tenants.Dialling) error {
	var c checks
	if mainNumber != "" {
		c.number("main_number", mainNumber)
	}
	c.dialling(d)
	return c.err
}

func (c *checks) dialling(d tenants.Dialling) {
	c.that(d.Country == "" || tenants.KnownCountry(d.Country), "country", "is not a country whose dialling is known, such as DE")
	c.form(shortDigits, "international_prefix", d.InternationalPrefix, "is not at most 5 digits")
	c.form(shortDigits, "national_prefix", d.NationalPrefix, "is not at most 5 digits")
	c.form(areaForm, "area_code", d.AreaCode, "is not at most 6 digits")
	c.that(d.Country != "" || d.NationalPrefix == "" && d.AreaCode == "", "country", "is needed for national numbers")
}

// SetCallingOut says what a tenant may do on the telephone network, at once. Emergency numbers are not subject to it.
func (s *Service) SetCallingOut(ctx context.Context, tenantID string, o tenants.CallingOut) error {
	if err := checkCallingOut(o); err != nil {
		return err
	}
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		return tx.SetCallingOut(ctx, tenantID, o)
	})
}

func checkCallingOut(o tenants.CallingOut) error {
	var c checks
	c.that(len(o.BlockedPrefixes) <= MaxBlockedPrefixes, "blocked_prefixes", fmt.Sprintf("are more than %d", MaxBlockedPrefixes))
	for _, p := range o.BlockedPrefixes {
		c.that(p != "" && prefixForm.MatchString(p), "blocked_prefixes", "one is not the beginning of an E.164 number written with +")
	}
	c.limit("max_calls", o.MaxCalls)
	c.limit("calls_per_second", o.PerSecond)
	c.that(len(o.Shown) <= MaxShown, "shown_numbers", fmt.Sprintf("are more than %d", MaxShown))
	for _, n := range o.Shown {
		c.number("shown_numbers", n)
	}
	return c.err
}

func (c *checks) numberFormat(field string, f tenants.NumberFormat) {
	c.that(slices.Contains([]string{"", tenants.FormPlus, tenants.FormDigits, tenants.FormNational}, f.Form), field+"/form", "is none of e164, digits, national")
	c.that(f.Form != tenants.FormNational || tenants.KnownCountry(f.Country), field+"/country", "is not a country whose dialling is known, such as DE")
	c.that(f.Form == tenants.FormNational || f.Country == "", field+"/country", "is for the national form alone")
	c.form(technical, field+"/strip", f.Strip, "is not at most 16 digits or * # +")
	c.form(technical, field+"/add", f.Add, "is not at most 16 digits or * # +")
}

// registers checks how a trunk registers, here and outward.
func (c *checks) registers(t tenants.Trunk) {
	if t.Device != "" {
		c.id("device", t.Device)
		c.that(t.Tenant != "", "device", "is for a tenant's own trunk: it is a device of the tenant's")
	}
	if t.Registrar != "" {
		c.sipURI("registrar", t.Registrar)
		c.form(registrarForm, "registrar", t.Registrar, "is not sip:HOST or sip:HOST:PORT, with ;transport=udp or ;transport=tcp after it")
	}
	c.that(t.Renew == 0 || t.Renew >= MinRenew && t.Renew <= MaxRenew, "register_seconds", fmt.Sprintf("is not within %d to %d", MinRenew, MaxRenew))
}

// outgoing checks how a trunk is called. One that registers here needs no destinations.
func (c *checks) outgoing(o *tenants.Outgoing, registers bool) {
	c.that((len(o.Destinations) >= 1 || registers) && len(o.Destinations) <= MaxDestinations, "outgoing/destinations", fmt.Sprintf("are not 1 to %d", MaxDestinations))
	for _, d := range o.Destinations {
		c.sipURI("outgoing/destinations", d)
		c.that(o.Domain != "" || !strings.Contains(d, "["), "outgoing/domain", "is needed for a destination in IPv6")
	}
	c.numberFormat("outgoing/numbers", o.Numbers)
	id := o.CallerID
	c.that(slices.Contains([]string{"", tenants.CallerOwned, tenants.CallerAny, tenants.CallerTrunk}, id.Show), "outgoing/caller_id/show", "is none of owned, any, trunk")
	c.that(slices.Contains([]string{"", tenants.CarriedFrom, tenants.CarriedPAI}, id.Carried), "outgoing/caller_id/carried", "is none of from, pai")
	if id.Number != "" {
		c.number("outgoing/caller_id/number", id.Number)
	}
	c.that(id.Show != tenants.CallerTrunk || id.Number != "", "outgoing/caller_id/number", "is needed to be shown")
	c.limit("outgoing/max_calls", o.MaxCalls)
	c.limit("outgoing/calls_per_second", o.PerSecond)
	c.that(len(o.Failover) <= MaxFailover, "outgoing/failover", fmt.Sprintf("are more than %d", MaxFailover))
	for _, word := range o.Failover {
		c.form(failoverForm, "outgoing/failover", word, "one is no SIP code such as 408 or 5xx, timeout or unreachable")
	}
	c.that(o.Seconds >= 0 && o.Seconds <= MaxProgress, "outgoing/seconds", fmt.Sprintf("is not within 0 to %d", MaxProgress))
	if o.Domain != "" {
		c.domain("outgoing/domain", o.Domain)
	}
}

// SetWhereabouts says where a device stands and which of the tenant's numbers emergency services call back, at once; neither
// removes it. A location that is a URI is sent to the emergency trunk as such (RFC 6442).
func (s *Service) SetWhereabouts(ctx context.Context, tenantID string, w tenants.Whereabouts) error {
	if err := checkWhereabouts(w); err != nil {
		return err
	}
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error { return tx.SetWhereabouts(ctx, tenantID, w) })
}

func checkWhereabouts(w tenants.Whereabouts) error {
	var c checks
	c.id("device", w.Device)
	if w.Number != "" {
		c.number("number", w.Number)
	}
	c.that(len(w.Location) <= MaxLocation, "location", fmt.Sprintf("is longer than %d bytes", MaxLocation))
	c.form(locationForm, "location", w.Location, "is not text on one line")
	return c.err
}
