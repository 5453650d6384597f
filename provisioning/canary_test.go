package provisioning_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"tandem/postgres"
	"tandem/provisioning"
	"tandem/tenants"
)

// try gives the drafts of the tenant one to a share of calls.
func (w world) try(share int) provisioning.Trial {
	w.t.Helper()
	done, err := w.Canary(w.ctx, "one", provisioning.Canary{Share: share, By: "dora", Comment: "Careful."})
	w.must(err)
	return done
}

// refuses expects a conflict about the canary.
func (w world) refuses(what string, err error, words string) {
	w.t.Helper()
	var refused *provisioning.Error
	if !errors.As(err, &refused) || refused.Code != provisioning.Conflict || refused.Field != "canary" || !strings.Contains(refused.Detail, words) {
		w.t.Errorf("%s: %v, want a refusal that says %q", what, err, words)
	}
}

// changeDrafts makes something to try.
func (w world) changeDrafts(entry string) {
	w.t.Helper()
	w.must(w.SaveList(w.ctx, "one", tenants.List{ID: "l", Name: "VIP", Entries: []string{"101", entry}}))
}

// told lists what became of versions.
func (w world) told(versions ...int64) string {
	w.t.Helper()
	all, err := w.VersionEvents(w.ctx, "one", versions...)
	w.must(err)
	var lines []string
	for _, v := range versions {
		for _, e := range all[v] {
			lines = append(lines, fmt.Sprintf("%d %s %d %s", e.Version, e.Event, e.Share, e.By))
		}
	}
	return strings.Join(lines, "; ")
}

func TestACandidateIsTriedAndPromoted(t *testing.T) {
	w := newWorld(t)
	w.twoVersions()
	w.changeDrafts("102")
	done := w.try(5)
	if done.Published.Version != 3 || done.Share != 5 || done.Was != 0 || say(done.Changes) != "The list VIP has 1 more entry: 102." {
		t.Errorf("got %+v", done)
	}
	one := w.snapshot().Tenant("one")
	if one.Published.Version != 2 || one.Candidate != (tenants.Candidate{Version: 3, Share: 5}) || one.At(3) == nil || len(one.At(3).List("l").Entries) != 2 || len(one.List("l").Entries) != 1 {
		t.Errorf("workers have version %d, the candidate %+v", one.Published.Version, one.Candidate)
	}
	w.changeDrafts("103") // for later
	if again := w.try(20); again.Published.Version != 3 || again.Share != 20 || again.Was != 5 {
		t.Errorf("another share: %+v", again)
	}
	w.try(20) // which is no change
	all, _, err := w.Versions(w.ctx, "one", 0, 10)
	w.must(err)
	if len(all) != 3 || all[0].Share != 20 || all[0].Live || !all[1].Live || all[1].Share != 0 {
		t.Errorf("the list is %+v", all)
	}
	_, err = w.Publish(w.ctx, "one", "eve", "")
	w.refuses("publishing meanwhile", err, "version 3 is being tried on 20 % of calls: promote or abandon it first")
	_, err = w.Promote(w.ctx, "one", provisioning.Verdict{Version: 2, By: "eve"})
	w.refuses("promoting another", err, "version 3 is being tried, and not version 2")
	promoted, err := w.Promote(w.ctx, "one", provisioning.Verdict{By: "eve", Comment: "All is well."})
	w.must(err)
	if promoted.Published.Version != 3 || say(promoted.Changes) != "The list VIP has 1 more entry: 102." {
		t.Errorf("promoted: %+v", promoted)
	}
	one = w.snapshot().Tenant("one")
	if one.Published.Version != 3 || one.Candidate != (tenants.Candidate{}) || one.At(2) == nil {
		t.Errorf("workers have version %d, the candidate %+v, version 2: %v", one.Published.Version, one.Candidate, one.At(2) != nil)
	}
	_, err = w.Promote(w.ctx, "one", provisioning.Verdict{By: "eve"})
	w.refuses("promoting twice", err, "no version is being tried")
	if got := w.told(2, 3); got != "3 canary 5 dora; 3 share 20 dora; 3 promoted 100 eve" {
		t.Errorf("it is told that %s", got)
	}
	if next := w.publish("one"); next.Version != 4 {
		t.Errorf("then version %d is published", next.Version)
	}
}

func TestACandidateThatIsAbandonedGivesWayToTheNext(t *testing.T) {
	w := newWorld(t)
	w.twoVersions()
	_, err := w.Canary(w.ctx, "one", provisioning.Canary{Share: 5, By: "dora"})
	w.refuses("trying what runs", err, "there is nothing to try")
	w.changeDrafts("102")
	w.try(50)
	if _, err := w.Abandon(w.ctx, "one", provisioning.Verdict{Version: 3, By: "eve"}); err != nil {
		t.Fatal(err)
	}
	one := w.snapshot().Tenant("one")
	if one.Published.Version != 2 || one.Candidate.Share != 0 || one.At(3) == nil {
		t.Errorf("workers have version %d, the candidate %+v, and for calls that are up version 3: %v", one.Published.Version, one.Candidate, one.At(3) != nil)
	}
	if next := w.try(1); next.Published.Version != 4 || w.snapshot().Tenant("one").Candidate.Version != 4 {
		t.Errorf("then %+v is tried", next)
	}
	if got := w.told(3, 4); got != "3 canary 50 dora; 3 abandoned 0 eve; 4 canary 1 dora" {
		t.Errorf("it is told that %s", got)
	}
}

// Rolling back does not wait for anybody's decision: it ends the trial.
func TestRollingBackAbandonsWhatIsTried(t *testing.T) {
	w := newWorld(t)
	w.twoVersions()
	w.changeDrafts("102")
	w.try(50)
	done := w.rollBack(1, provisioning.DraftsAsFits)
	if done.Published.Version != 4 || done.Abandoned != 3 || done.Replaced {
		t.Errorf("got version %d, abandoned %d, drafts replaced: %v", done.Published.Version, done.Abandoned, done.Replaced)
	}
	if one := w.snapshot().Tenant("one"); one.Published.Version != 4 || one.Candidate.Share != 0 {
		t.Errorf("workers have version %d, the candidate %+v", one.Published.Version, one.Candidate)
	}
	if got := w.told(3); got != "3 canary 50 dora; 3 abandoned 0 carl" {
		t.Errorf("it is told that %s", got)
	}
}

func TestWhatCannotBeTriedIsRefused(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	_, err := w.Canary(w.ctx, "one", provisioning.Canary{Share: 5, By: "dora"})
	w.refuses("the first version", err, "nothing was published yet")
	for share, by := range map[int]string{0: "dora", 100: "dora", -1: "dora", 5: ""} {
		var refused *provisioning.Error
		if _, err := w.Canary(w.ctx, "one", provisioning.Canary{Share: share, By: by}); !errors.As(err, &refused) || refused.Code != provisioning.Invalid {
			t.Errorf("a share of %d by %q: %v", share, by, err)
		}
	}
	_, err = w.Abandon(w.ctx, "one", provisioning.Verdict{By: "eve"})
	w.refuses("abandoning nothing", err, "no version is being tried")
}

// Workers keep what calls may still be up under, so long and so many, whoever has published.
func TestVersionsAreKeptForCallsThatAreUp(t *testing.T) {
	w := newWorld(t)
	w.twoVersions()
	for i := range postgres.MaxKeptVersions + 2 {
		w.changeDrafts(fmt.Sprint(200 + i))
		w.publish("one")
	}
	one := w.snapshot().Tenant("one")
	live := one.Published.Version
	if one.At(live-1) == nil || one.At(live-postgres.MaxKeptVersions) == nil || one.At(live-postgres.MaxKeptVersions-1) != nil || len(one.Versions) != postgres.MaxKeptVersions {
		t.Errorf("beside version %d there are %d", live, len(one.Versions))
	}
	w.age(live-1, live-2)
	if one = w.snapshot().Tenant("one"); one.At(live-1) != nil || one.At(live-2) != nil || one.At(live-3) == nil {
		t.Error("what has not been given to calls for long is kept")
	}
}

// age makes versions ones that calls got long ago.
func (w world) age(versions ...int64) {
	w.t.Helper()
	conn, err := pgx.Connect(w.ctx, w.url)
	w.must(err)
	defer func() { w.must(conn.Close(w.ctx)) }()
	_, err = conn.Exec(w.ctx, `UPDATE version_ends SET ended_at = ended_at - make_interval(secs => $1) WHERE version = ANY ($2)`,
		postgres.KeepVersions.Seconds()+1, versions)
	w.must(err)
}
