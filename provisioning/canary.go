package provisioning

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"tandem/postgres"
	"tandem/tenants"
	"tandem/versions"
	"tandem/webhooks"
)

// A version may be tried before all calls get it: the drafts become the next version, but only a share of new calls gets it. Then it
// is promoted to all, or abandoned. One is tried at a time, and while it is, nothing else is published; rolling back, which
// must not wait for anybody's decision, abandons it.

// Bounds of a share, in percent. None and all are abandoning and promoting.
const (
	MinShare = 1
	MaxShare = 99
)

// Canary asks for the drafts to be given to a share of new calls, or, while a version is tried, for another share.
type Canary struct {
	Share   int    `json:"share"` // percent, MinShare to MaxShare
	By      string `json:"by" required:"false"`
	Comment string `json:"comment" required:"false"`
}

// Trial is what came of asking for a canary.
type Trial struct {
	Publishing     // of the candidate; Changes are from what other calls get
	Share      int // percent, from now on
	Was        int // percent, before; 0 for a new candidate
}

// Canary gives the drafts to a share of new calls as the next version, or changes the share of the version that is tried.
func (s *Service) Canary(ctx context.Context, tenantID string, asked Canary) (done Trial, err error) {
	if err := checkPublisher(asked.By, asked.Comment, MaxComment); err != nil {
		return done, err
	}
	if asked.Share < MinShare || asked.Share > MaxShare {
		return done, invalid("share", fmt.Sprintf("is not within %d to %d percent", MinShare, MaxShare))
	}
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		if t.Candidate.Version != 0 {
			done, err = share(ctx, tx, t, asked)
		} else {
			done, err = try(ctx, tx, t, asked)
		}
		return err
	})
	if err != nil {
		return Trial{}, err
	}
	return done, nil
}

// try makes the drafts the candidate.
func try(ctx context.Context, tx *postgres.Tx, t tenants.Tenant, asked Canary) (done Trial, err error) {
	if t.Published.Version == 0 {
		return done, conflict("canary", "nothing was published yet that the other calls could get: publish first")
	}
	document, refused, err := draftDocument(ctx, tx, t.ID)
	if err == nil {
		err = refused
	}
	if err != nil {
		return done, err
	}
	same, is, err := tx.PublishedSame(ctx, t.ID, document)
	if err == nil && is {
		err = conflict("canary", "the drafts are version "+strconv.FormatInt(same.Version, 10)+", which all calls get already: there is nothing to try")
	}
	if err != nil {
		return done, err
	}
	if done.Publishing, err = nextVersion(ctx, tx, t, document); err != nil {
		return done, err
	}
	done.Share = asked.Share
	if err := tx.AddCandidate(ctx, t.ID, done.Published, asked.Share, asked.By, asked.Comment); err != nil {
		return done, err
	}
	return done, tx.AddVersionEvent(ctx, t.ID, asked.event(done.Published.Version, postgres.EventCanary))
}

// share changes the share of the candidate.
func share(ctx context.Context, tx *postgres.Tx, t tenants.Tenant, asked Canary) (done Trial, err error) {
	done.Publishing, err = candidate(ctx, tx, t)
	done.Share, done.Was = asked.Share, t.Candidate.Share
	if err != nil || done.Share == done.Was {
		return done, err
	}
	if err := tx.SetShare(ctx, t.ID, asked.Share); err != nil {
		return done, err
	}
	return done, tx.AddVersionEvent(ctx, t.ID, asked.event(t.Candidate.Version, postgres.EventShare))
}

func (c Canary) event(version int64, event string) postgres.VersionEvent {
	return postgres.VersionEvent{Version: version, Event: event, Share: c.Share, By: c.By, Comment: c.Comment}
}

// candidate reads the version that is tried, and how it differs from what other calls get.
func candidate(ctx context.Context, tx *postgres.Tx, t tenants.Tenant) (done Publishing, err error) {
	live, _, err := liveVersion(ctx, tx, t)
	if err != nil {
		return done, err
	}
	if done.Published, _, err = tx.Version(ctx, t.ID, t.Candidate.Version); err != nil {
		return done, err
	}
	done.Changes = versions.Diff(live, done.Published)
	return done, nil
}

// Verdict ends the trial of a version. By is required; Version may be 0 for whichever is tried.
type Verdict struct {
	Version int64  `json:"version" required:"false"`
	By      string `json:"by" required:"false"`
	Comment string `json:"comment" required:"false"`
}

// Promote gives the version that is tried to all new calls. Changes are from what the others got.
func (s *Service) Promote(ctx context.Context, tenantID string, v Verdict) (Publishing, error) {
	return s.decide(ctx, tenantID, v, postgres.EventPromoted)
}

// Abandon gives the version that is tried to no new calls any more. It stays in the list, and the drafts stay as they are.
func (s *Service) Abandon(ctx context.Context, tenantID string, v Verdict) (Publishing, error) {
	return s.decide(ctx, tenantID, v, postgres.EventAbandoned)
}

func (s *Service) decide(ctx context.Context, tenantID string, v Verdict, event string) (done Publishing, err error) {
	if err := checkPublisher(v.By, v.Comment, MaxComment); err != nil {
		return done, err
	}
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, t tenants.Tenant) error {
		if t.Candidate.Version == 0 {
			return conflict("canary", "no version is being tried")
		}
		if v.Version != 0 && v.Version != t.Candidate.Version {
			return conflict("canary", fmt.Sprintf("version %d is being tried, and not version %d", t.Candidate.Version, v.Version))
		}
		if done, err = candidate(ctx, tx, t); err != nil {
			return err
		}
		return endTrial(ctx, tx, t, v, event)
	})
	if err != nil {
		return Publishing{}, err
	}
	return done, nil
}

// endTrial promotes or abandons the candidate, and keeps who did.
func endTrial(ctx context.Context, tx *postgres.Tx, t tenants.Tenant, v Verdict, event string) error {
	end, share := tx.DropCandidate, 0
	if event == postgres.EventPromoted {
		end, share = tx.PromoteCandidate, 100
	}
	if err := end(ctx, t.ID); err != nil {
		return err
	}
	if event == postgres.EventPromoted {
		if _, err := tx.AddEvent(ctx, webhooks.Published(t.ID, t.Candidate.Version, v.By, v.Comment, time.Now())); err != nil {
			return err
		}
	}
	return tx.AddVersionEvent(ctx, t.ID, postgres.VersionEvent{Version: t.Candidate.Version, Event: event, Share: share, By: v.By, Comment: v.Comment})
}

// untried refuses to publish while a version is tried: which of the two the share is meant for, nobody could say.
func untried(t tenants.Tenant) error {
	if t.Candidate.Version == 0 {
		return nil
	}
	return conflict("canary", fmt.Sprintf("version %d is being tried on %d %% of calls: promote or abandon it first", t.Candidate.Version, t.Candidate.Share))
}
