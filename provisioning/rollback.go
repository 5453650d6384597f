package provisioning

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/tenants"
	"tandem/versions"
)

// What becomes of the drafts when a version is published again.
const (
	// DraftsAsFits replaces drafts in which nothing waits to be published, and keeps others: nobody's work is lost, and
	// what was rolled back does not come back with the next publishing unless somebody's unpublished work goes with it.
	DraftsAsFits  = ""
	DraftsKeep    = "keep"
	DraftsReplace = "replace" // unpublished edits are lost
)

// RollBack asks for an old version to be published again. Version and By are required.
type RollBack struct {
	Version int64  `json:"version" required:"false"`
	By      string `json:"by" required:"false"`
	Comment string `json:"comment" required:"false"`
	Drafts  string `json:"drafts" required:"false"` // DraftsAsFits, DraftsKeep, DraftsReplace
}

// RolledBack is what came of it.
type RolledBack struct {
	Publishing
	Adapted  []versions.Change // how it differs from the version that was asked for: users are as they are today
	Replaced bool              // the drafts are those of the old version now
	Waiting  []versions.Change // what publishing the drafts would change, if they were kept
	// Abandoned is the version that was being tried, which no new call gets any more; 0 for none.
	Abandoned int64
}

// maxPreface bounds what is put before a publisher's comment.
const maxPreface = 64

// RollBack publishes what people had edited in an old version again, as a new version whose comment names the old one. What
// users imply is as of today: a user who has come since keeps an extension that can be called, and one who has gone has none.
//
// It refuses with all that the old version relies on and that is not so any more: users, devices and trunks that are gone,
// numbers that belong to others, extensions that users have got since.
func (s *Service) RollBack(ctx context.Context, tenantID string, r RollBack) (done RolledBack, err error) {
	if err := checkPublisher(r.By, r.Comment, MaxComment-maxPreface); err != nil {
		return done, err
	}
	if !slices.Contains([]string{DraftsAsFits, DraftsKeep, DraftsReplace}, r.Drafts) {
		return done, invalid("drafts", "is neither keep nor replace")
	}
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		done, err = rollBack(ctx, tx, t, r)
		return err
	})
	if err != nil {
		return RolledBack{}, err
	}
	return done, nil
}

func rollBack(ctx context.Context, tx *postgres.Tx, t tenants.Tenant, r RollBack) (done RolledBack, err error) {
	old, _, err := tx.Version(ctx, t.ID, r.Version)
	if errors.Is(err, postgres.ErrNotFound) {
		return done, missing("version", "this tenant has no version "+strconv.FormatInt(r.Version, 10))
	}
	if err != nil {
		return done, err
	}
	live, _, err := liveVersion(ctx, tx, t)
	if err != nil {
		return done, err
	}
	drafts, _, err := draftDocument(ctx, tx, t.ID)
	if err != nil {
		return done, err
	}
	if done.Abandoned = t.Candidate.Version; done.Abandoned != 0 {
		if err := endTrial(ctx, tx, t, Verdict{By: r.By, Comment: againComment(r)}, postgres.EventAbandoned); err != nil {
			return done, err
		}
	}
	own := ownPart(old)
	document, err := again(ctx, tx, t.ID, own, r.Version)
	if err != nil {
		return done, err
	}
	if done.Publishing, err = publish(ctx, tx, t, document, r.By, againComment(r)); err != nil {
		return done, err
	}
	done.Adapted = versions.Diff(old, done.Published)
	done.Replaced = r.Drafts == DraftsReplace ||
		r.Drafts == DraftsAsFits && !done.Same && len(versions.Diff(ownPart(live), ownPart(drafts))) == 0
	if done.Replaced {
		return done, replaceDrafts(ctx, tx, t.ID, own)
	}
	done.Waiting = versions.Diff(done.Published, drafts)
	return done, nil
}

func againComment(r RollBack) string {
	comment := fmt.Sprintf("Version %d again.", r.Version)
	if r.Comment != "" {
		comment += " " + r.Comment
	}
	return comment
}

// again makes the document of an old version's own part and today's users, or refuses with everything that does not fit.
func again(ctx context.Context, tx *postgres.Tx, tenantID string, own tenants.Published, version int64) (tenants.Published, error) {
	d, err := readDrafts(ctx, tx, tenantID) // for the users, devices and trunks
	if err != nil {
		return own, err
	}
	numbers, err := tx.Numbers(ctx, tenantID)
	if err != nil {
		return own, err
	}
	emergency, err := tx.Emergency(ctx)
	if err != nil {
		return own, err
	}
	d.schedules, d.lists, d.flows = own.Schedules, own.Lists, own.Flows
	around := d.around()
	var faults []callflows.FlowFault
	for _, f := range own.Flows {
		for _, fault := range callflows.Errors(callflows.CheckFlow(f, around)) {
			fault.Path = "/flows/" + f.ID + fault.Path
			faults = append(faults, fault)
		}
	}
	faults = append(faults, routeFaults(own.Routes, d.users, numbers, emergency, around)...)
	if n := len(faults); n > 0 {
		return own, &Error{Code: Conflict, Field: "version", Faults: faults,
			Detail: fmt.Sprintf("version %d relies on %s that %s not so any more; nothing was changed", version, counted(n, "thing"), map[bool]string{true: "is", false: "are"}[n == 1])}
	}
	document := own
	document.Version, document.Flows, document.Routes = 0, slices.Clone(own.Flows), nil
	if err := addImplied(&document, d.users); err != nil {
		return own, err
	}
	document.Routes = append(document.Routes, own.Routes...)
	return document, nil
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// routeFaults says which routes of an old version cannot be routes today.
func routeFaults(routes []tenants.Route, users []tenants.User, numbers []string, emergency tenants.Emergency, around callflows.Around) []callflows.FlowFault {
	var faults []callflows.FlowFault
	for _, r := range routes {
		fault := func(code, detail, mend string) {
			faults = append(faults, callflows.FlowFault{Path: "/routes/" + r.Dialled, Code: code, Detail: detail, Mend: mend})
		}
		if !around.Has(callflows.RefersToFlow, r.FlowID) {
			kind, id := callflows.RefersToFlow, r.FlowID
			if user, ok := strings.CutPrefix(r.FlowID, UserFlowPrefix); ok {
				kind, id = callflows.RefersToUser, user
			}
			fault("reference_missing", fmt.Sprintf("%s leads to the %s %q, and there is none in this tenant.", r.Dialled, kind, id), fmt.Sprintf("Make the %s first.", kind))
			faults[len(faults)-1].Refers, faults[len(faults)-1].ID = kind, id
		}
		if strings.HasPrefix(r.Dialled, "+") && !slices.Contains(numbers, r.Dialled) {
			fault("number_not_owned", "The number "+r.Dialled+" does not belong to this tenant any more.", "Give it to the tenant again.")
		}
		if emergency.Is(r.Dialled) {
			fault("number_emergency", r.Dialled+" has become an emergency number.", "No route can lead from it: edit the drafts and publish them instead.")
		}
		if i := slices.IndexFunc(users, func(u tenants.User) bool { return u.Extension == r.Dialled }); i >= 0 {
			fault("extension_taken", r.Dialled+" has become the extension of the user "+users[i].Name+".", "Edit the drafts and publish them instead.")
		}
	}
	return faults
}

// replaceDrafts makes the own part of a version the drafts.
func replaceDrafts(ctx context.Context, tx *postgres.Tx, tenantID string, own tenants.Published) error {
	if err := tx.ClearDrafts(ctx, tenantID); err != nil {
		return err
	}
	for _, f := range own.Flows {
		if err := tx.SaveFlow(ctx, tenantID, f); err != nil {
			return err
		}
	}
	for _, schedule := range own.Schedules {
		if err := tx.SaveSchedule(ctx, tenantID, schedule); err != nil {
			return err
		}
	}
	for _, l := range own.Lists {
		if err := tx.SaveList(ctx, tenantID, l); err != nil {
			return err
		}
	}
	for _, r := range own.Routes {
		if err := tx.SaveRoute(ctx, tenantID, draftOf(r)); err != nil {
			return err
		}
	}
	for _, caller := range own.BlockedCallers {
		if err := tx.BlockCaller(ctx, tenantID, caller); err != nil {
			return err
		}
	}
	return nil
}
